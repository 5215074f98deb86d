//! The documents of any bytes are the whole input in order, and each of them is one document by itself.

#![no_main]

use libfuzzer_sys::fuzz_target;
use routing_secrets::manifest::stream::split;

fuzz_target!(|input: &[u8]| {
    let documents = split(input);
    let mut at = 0;
    for document in &documents {
        assert_eq!(document.start, at, "a gap or an overlap");
        assert!(document.end > at || input.is_empty(), "an empty document");
        at = document.end;
        let alone = &input[document.clone()];
        assert_eq!(split(alone), [0..alone.len()], "a document is split again");
    }
    assert_eq!(at, input.len(), "the end is missing");
});
