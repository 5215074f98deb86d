//! What must hold for every render: identity without consumers, idempotence, every change inside a
//! planned edit, and an output that an independent reader takes for the planned tree.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use std::sync::LazyLock;

use proptest::prelude::*;
use routing_secrets::inventory::{Inventory, Sources, file};
use routing_secrets::manifest::Manifest;
use routing_secrets::plan::apply::{Piece, apply};
use routing_secrets::plan::build::literals;
use routing_secrets::plan::{Change, Live, Settings, find, plan};
use routing_secrets::secret::judge;
use serde_json::{Value, json};
use support::{Files, list, now, three};

static INVENTORY: LazyLock<Inventory> = LazyLock::new(|| {
    let secrets = file::parse("inventory", list(&three()).as_bytes(), None).unwrap();
    let secrets = secrets.into_iter().map(|raw| judge(raw, now())).collect();
    Inventory::build(secrets, &Sources::default(), now())
});

fn settings() -> Settings {
    Settings { namespace: Some("demo".to_owned()), ..Settings::default() }
}

/// The output, after checking that it differs from the input only inside planned edits.
fn post_render(input: &str) -> String {
    let manifest = Manifest::read(input.as_bytes(), &literals()).unwrap();
    let settings = settings();
    let found = find(&manifest, &settings).unwrap();
    let planned = plan(&manifest, &found, &INVENTORY, &Live::NotKnown, &settings).unwrap();
    let pieces = apply(&manifest, &planned.changes).unwrap();
    let mut output = String::new();
    for piece in pieces {
        match piece {
            Piece::Input(range) => output.push_str(&input[range]),
            Piece::Text(text) => output.push_str(&text),
        }
    }
    for (index, change) in &planned.changes {
        let Change::Edit(edits) = change else { continue };
        let document = manifest.document(*index).unwrap();
        let mut rest = edits.apply(document).unwrap();
        let mut at = 0;
        for range in edits.ranges() {
            let kept = &document.source()[at..range.start];
            let found = rest.find(kept).expect("the text between two edits is still there");
            rest = rest[found + kept.len()..].to_owned();
            at = range.end;
        }
        assert!(rest.ends_with(&document.source()[at..]), "the text after the last edit is still there");
    }
    output
}

/// How a string can be written where it is a value or a key.
fn styled(text: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![Just(text.to_owned()), Just(format!("'{text}'")), Just(format!("\"{text}\""))]
}

fn comment() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(""), Just("  # c"), Just(" #"), Just("   ")]
}

prop_compose! {
    /// An Ingress with a trigger, two companions and another annotation in some order, and one slot.
    fn ingress()(
        keys in Just(vec![
            ("cert-manager.io/cluster-issuer", "le"),
            ("cert-manager.io/duration", "2160h"),
            ("a/b", "c"),
            ("z", "kept"),
        ]).prop_shuffle(),
        styles in proptest::collection::vec((styled("x"), comment()), 4),
        flow in any::<bool>(),
        tls in 0..4_u8,
        secret in styled("shop-tls"),
        host in styled("shop.apps.example.com"),
        end in comment(),
        crlf in any::<bool>(),
        indent in 1..5_usize,
    ) -> String {
        let pad = " ".repeat(indent);
        let quoted = |text: &str, style: &str| style.replace('x', text);
        let mut text = format!("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n{pad}name: shop\n{pad}annotations:");
        if flow {
            let entries: Vec<String> =
                keys.iter().zip(&styles).map(|((key, value), (style, _))| format!("{}: {}", quoted(key, style), quoted(value, style))).collect();
            text.push_str(&format!(" {{{}}}{end}\n", entries.join(", ")));
        } else {
            text.push('\n');
            for ((key, value), (style, comment)) in keys.iter().zip(&styles) {
                text.push_str(&format!("{pad}{pad}{}: {}{comment}\n", quoted(key, style), quoted(value, style)));
            }
        }
        text.push_str(&format!("{pad}labels: {{}}\nspec:{end}\n"));
        text.push_str(&match tls {
            0 => format!("{pad}tls:\n{pad}- hosts:\n{pad}  - {host}\n{pad}  secretName: {secret}{end}\n"),
            1 => format!("{pad}tls: [{{hosts: [{host}], secretName: {secret}}}]{end}\n"),
            2 => format!("{pad}tls:\n{pad}  - secretName:\n{pad}      {secret}{end}\n{pad}    hosts: [ {host} , ]\n"),
            _ => format!("{pad}tls:\n{pad}  - secretName: >-\n{pad}     shop-tls\n{pad}    hosts: [{host}]\n"),
        });
        if crlf { text.replace('\n', "\r\n") } else { text }
    }
}

fn read(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

proptest! {
    #[test]
    fn r16_without_consumers_the_output_is_the_input(text in "([a-z:#{}'\"|>& \t-]{0,12}\n|---\n|\\.\\.\\.\n|\r\n){0,20}") {
        prop_assert_eq!(&post_render(&text), &text);
    }

    #[test]
    fn r16_an_edited_ingress_reads_as_planned(text in ingress()) {
        let mut expected = read(&text);
        expected["metadata"]["annotations"] = json!({"a/b": "c", "z": "kept"});
        expected["spec"]["tls"][0]["secretName"] = json!("wild");
        let output = post_render(&text);
        prop_assert_eq!(read(&output), expected, "{}", output);
    }

    #[test]
    fn r18_a_second_run_changes_nothing(texts in proptest::collection::vec(ingress(), 1..4)) {
        let once = post_render(&texts.join("\n---\n"));
        prop_assert_eq!(&post_render(&once), &once);
    }
}

/// Ingresses, documents that stay, and Certificates that go, in more documents than are edited in one go.
#[test]
fn r16_of_many_documents_each_comes_out_in_its_place_as_it_would_alone() {
    let ingress = |at: usize| {
        format!(
            "---\n# Source: {at}\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: a{at}, \
             annotations: {{cert-manager.io/issuer: le}}}}\nspec: {{tls: [{{hosts: [a{at}.apps.example.com], secretName: s{at}}}]}}\n"
        )
    };
    let certificate = |at: usize| {
        format!(
            "---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {{name: s{at}}}\nspec: {{secretName: \
             s{at}, dnsNames: [a{at}.apps.example.com], issuerRef: {{name: le}}}}\n"
        )
    };
    let (mut input, mut expected) = (String::new(), String::new());
    for at in 0..300 {
        let part = match at % 7 {
            0 => format!("---\nkind: ConfigMap\nmetadata: {{name: c{at}}}\n"),
            1 => format!("{}{}", ingress(at), certificate(at)),
            _ => ingress(at),
        };
        expected.push_str(&post_render(&part));
        input.push_str(&part);
    }
    assert_eq!(post_render(&input), expected);
    assert_eq!(expected.matches("secretName: wild").count(), expected.matches("kind: Ingress").count());
    assert!(expected.contains("# routing-secrets: dropped Certificate s1,"), "{}", &expected[..2000]);
}

#[test]
fn both_runs_of_the_program_agree_with_the_library() {
    let input = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\nspec: {tls: [{hosts: [a.apps.example.com], secretName: x}]}\n";
    let run = Files::new(&three()).post_render(&[], input.as_bytes());
    assert_eq!(run.text(), post_render(input));
}
