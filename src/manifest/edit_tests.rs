use super::*;

fn root(document: &Document<'_>) -> NodeId {
    document.roots()[0]
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
    let document = Document::parse(b"a: 1\nb: 2\n").unwrap();
    let (key, _) = document.entries(root(&document)).next().unwrap();
    let mut edits = Edits::default();
    edits.text.push((0..5, String::new()));
    assert!(edits.apply(&document).is_err(), "text went that should stay");
    let mut edits = Edits::default();
    edits.set.extend([(key, "c".to_owned())]);
    assert!(edits.apply(&document).is_err(), "text stayed that should change");
    let mut edits = Edits::default();
    edits.text.push((3..4, "x: y".to_owned()));
    assert!(edits.apply(&document).is_err(), "the result does not parse");
    let mut edits = Edits::default();
    edits.text.extend([(0..3, String::new()), (2..4, String::new())]);
    assert!(edits.apply(&document).is_err(), "two edits overlap");
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
