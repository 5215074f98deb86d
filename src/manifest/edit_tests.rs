use super::*;

fn root(document: &Document<'_>) -> NodeId {
    document.only_root().unwrap()
}

/// The text after the members with these keys (or item numbers) have left the collection at `path`.
fn removed(source: &str, path: &[&str], keys: &[&str]) -> Result<String, UnsupportedLayout> {
    let document = Document::parse(source.as_bytes()).unwrap();
    let collection = document.at(root(&document), path).unwrap();
    let of_mapping = document.entries(collection).filter(|(key, _)| keys.contains(&document.text(*key).unwrap()));
    let mut members: Vec<NodeId> = of_mapping.map(|(key, _)| key).collect();
    members.extend(document.items(collection).filter(|item| keys.contains(&document.text(*item).unwrap_or_default())));
    let mut edits = Edits::default();
    edits.remove(&document, collection, &members)?;
    Ok(edits.apply(&document).unwrap())
}

#[test]
fn entries_leave_block_mappings_with_their_lines() {
    for (source, keys, expected) in [
        ("m:\n  a: 1\n  b: 2\n", &["a"][..], "m:\n  b: 2\n"),
        ("m:\n  a: 1\n  b: 2", &["b"], "m:\n  a: 1\n"),
        ("m:\n  a: 1 # c\n\n  # d\n  b: 2\n", &["a"], "m:\n\n  # d\n  b: 2\n"),
        ("m:\n  a: |\n    x\n\n    y\n  b: 2\n", &["a"], "m:\n  b: 2\n"),
        ("m:\n  a:\n    x: 1\n    y: [1,\n      2]\n  b: 2\n", &["a"], "m:\n  b: 2\n"),
        ("m:\n  a: \"x\n    y\"\n  b: 2\n", &["a"], "m:\n  b: 2\n"),
        ("m:\r\n  a: 1\r\n  b: 2\r\n", &["b"], "m:\r\n  a: 1\r\n"),
        ("m:\n  a:\n  b: 2\n", &["a"], "m:\n  b: 2\n"),
        ("m:\n  a: 1\n  b: 2\n  a: 3\n", &["a"], "m:\n  b: 2\n"),
        ("m:\n  a: 1\nn: 2\n", &["a"], "n: 2\n"),
        ("m: # why\n  # what\n  a: 1\n  b: 2\nn: 2\n", &["a", "b"], "n: 2\n"),
        ("m:\n- a\n- b # c\n- c\n", &["b"], "m:\n- a\n- c\n"),
        ("m:\n  a: |\n    x\n  b: 2\n\n  c: 3\n", &["b"], "m:\n  a: |\n    x\n\n  c: 3\n"),
    ] {
        assert_eq!(removed(source, &["m"], keys).as_deref(), Ok(expected), "{source}");
    }
}

#[test]
fn entries_leave_flow_collections_with_one_comma() {
    for (source, keys, expected) in [
        ("m: {a: 1, b: 2, c: 3}\n", &["a"][..], "m: {b: 2, c: 3}\n"),
        ("m: {a: 1, b: 2, c: 3}\n", &["b"], "m: {a: 1, c: 3}\n"),
        ("m: {a: 1, b: 2, c: 3}\n", &["c"], "m: {a: 1, b: 2}\n"),
        ("m: {a: 1, b: 2, c: 3}\n", &["b", "c"], "m: {a: 1}\n"),
        ("m: {a: 1, b: 2, c: 3,}\n", &["a", "c"], "m: {b: 2,}\n"),
        ("m: { \"a\":1,\n  \"b\":{\"c\":[]} }\n", &["b"], "m: { \"a\":1 }\n"),
        ("m: {a, b: , c: 3}\n", &["b"], "m: {a, c: 3}\n"),
        ("m: {a: , b: 2}\n", &["b"], "m: {a: }\n"),
        ("m: {a: , \"b\": 2}\n", &["a"], "m: {\"b\": 2}\n"),
        ("m: {a: 1, \"b\":}\n", &["b"], "m: {a: 1}\n"),
        ("m: {a, b: 1, c}\n", &["a", "c"], "m: {b: 1}\n"),
        ("m: [a, b, c]\n", &["a", "b"], "m: [c]\n"),
        ("{\"m\": {\"a\": \"1\"}, \"n\": 2}", &["a"], "{\"n\": 2}"),
    ] {
        assert_eq!(removed(source, &["m"], keys).as_deref(), Ok(expected), "{source}");
    }
}

#[test]
fn what_cannot_be_removed_alone_is_refused() {
    for (source, keys) in [
        ("m:\n  ? a\n  : 1\n  b: 2\n", &["a"][..]),
        ("m:\n  &x a: 1\n  b: 2\n", &["a"]),
        ("m: {&x a: 1, b: 2}\n", &["a"]),
        ("m: {a: 1, &x b: 2}\n", &["a"]),
        ("m: {a: 1, !!str b: 2}\n", &["a"]),
        ("m: {a: 1, # b's\n b: 2}\n", &["a"]),
        ("m: {a: 1, # a's\n b: 2}\n", &["b"]),
        ("m:\n  a: |+\n    x\n  b: 2\n\n  c: 3\n", &["b"]),
        ("m:\n  a: >+ # why\n\n    x\n  b: 2\n  c: 3\n\n  d: 4\n", &["b", "c"]),
        ("m:\n  a: |\n    x\n  b: 2\n\n    # not a's\n  c: 3\n", &["b"]),
    ] {
        assert_eq!(removed(source, &["m"], keys), Err(UnsupportedLayout), "{source}");
    }
}

#[test]
fn a_difference_is_an_error_and_never_an_output() {
    let source = "a: 1\nb: [x, 'y']\nc: {d: &e 2}\n";
    let document = Document::parse(source.as_bytes()).unwrap();
    let apply = |texts: &[(Range<usize>, &str)], mean: &dyn Fn(&mut Edits)| {
        let mut edits = Edits::default();
        edits.text.extend(texts.iter().map(|(range, text)| (range.clone(), (*text).to_owned())));
        mean(&mut edits);
        edits.apply(&document).map_err(|error| error.to_string())
    };
    let value = |key: &str| document.at(root(&document), &[key]).unwrap();
    let entry = |host: &str| TlsEntry { hosts: vec![host.to_owned()], secret_name: "s".to_owned() };
    let all = source.len();
    let written = ", {hosts: [h], secretName: s}";
    let last = document.items(value("b")).last().unwrap();
    let inserted = |host: &'static str| move |edits: &mut Edits| edits.inserted.extend([(last, vec![entry(host)])]);
    assert!(apply(&[(15..15, written)], &inserted("h")).is_ok(), "the entry that is meant");
    let nothing = |_: &mut Edits| {};
    let set_first = |edits: &mut Edits| edits.set.extend([(value("a"), "2".to_owned())]);
    let tilde = |edits: &mut Edits| {
        edits.inserted.extend([(last, vec![TlsEntry { secret_name: "~".to_owned(), ..entry("h") }])]);
    };
    type Case<'c> = (&'c str, &'c [(Range<usize>, &'c str)], &'c dyn Fn(&mut Edits));
    let cases: &[Case<'_>] = &[
        ("text went that should stay", &[(0..5, "")], &nothing),
        ("the last entry went", &[(17..all, "")], &nothing),
        ("all went", &[(0..all, "")], &nothing),
        ("text stayed that should change", &[], &set_first),
        ("another text came", &[(3..4, "3")], &set_first),
        ("the result does not parse", &[(3..4, "x: y")], &nothing),
        ("two edits overlap", &[(0..3, ""), (2..4, "")], &nothing),
        ("an entry more", &[(all..all, "f: 3\n")], &nothing),
        ("a document more", &[(all..all, "---\nf: 3\n")], &nothing),
        ("an empty document more", &[(all..all, "---\n")], &nothing),
        ("another style", &[(12..15, "\"y\"")], &nothing),
        ("a block in place of brackets", &[(8..17, "\n- x\n- 'y'\n")], &nothing),
        ("an item more", &[(15..15, ", z")], &nothing),
        ("an item less", &[(10..15, "")], &nothing),
        ("a mapping in place of a sequence", &[(8..9, "{"), (15..16, "}")], &nothing),
        ("a scalar in place of a sequence", &[(8..16, "x")], &nothing),
        ("an anchor went", &[(24..27, "")], &nothing),
        ("an anchor came", &[(3..3, "&f ")], &nothing),
        ("a tag came", &[(3..3, "!!str ")], &nothing),
        ("an alias in place of a scalar", &[(3..4, "*e")], &nothing),
        ("an entry that was meant is not written", &[], &inserted("h")),
        ("it is written otherwise", &[(15..15, written)], &inserted("other")),
        ("a value of it is not written", &[(15..15, ", {hosts: [h], secretName: }")], &tilde),
        ("it is written in part", &[(15..15, ", {hosts: [h]}")], &inserted("h")),
    ];
    for (trap, texts, mean) in cases {
        assert!(apply(texts, mean).is_err(), "{trap}");
    }
    assert_eq!(apply(&[], &nothing).as_deref(), Ok(source));
}

#[test]
fn aliases_refer_to_the_same_anchors_after_an_edit() {
    let source = "m:\n  a: &x 1\n  b: &y 2\n  c: *y\n";
    assert_eq!(removed(source, &["m"], &["a"]).as_deref(), Ok("m:\n  b: &y 2\n  c: *y\n"));
    let document = Document::parse(source.as_bytes()).unwrap();
    let shared = |key: &str| document.is_shared(document.at(root(&document), &["m", key]).unwrap());
    assert_eq!([shared("a"), shared("b"), shared("c")], [false, true, true]);
}

#[test]
fn what_is_meant_for_a_node_is_found_in_whatever_order_it_came() {
    let document = Document::parse(b"[a, b, c, d]").unwrap();
    let nodes: Vec<NodeId> = document.items(root(&document)).collect();
    let mut by_node = ByNode::default();
    by_node.extend([(nodes[2], "c"), (nodes[3], "d")]);
    by_node.extend([(nodes[0], "a"), (nodes[3], "last")]);
    let found: Vec<_> = nodes.iter().map(|&node| by_node.get(node).copied()).collect();
    assert_eq!(found, [Some("a"), None, Some("c"), Some("last")]);
}
