//! `kinds`, and what is made from it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use std::fs;

use routing_secrets::consumers::kinds::{Kind, KindList, Treatment, kinds};
use support::{repository, run};

fn is_current(path: &str, text: &str) -> bool {
    let path = repository().join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
    }
    fs::read_to_string(&path).unwrap_or_default() == text
}

#[test]
fn every_kind_has_a_row() {
    let found = run(&["kinds"], &[], b"");
    assert_eq!((found.code, found.stderr.as_str()), (0, ""));
    let lines: Vec<&str> = found.text().lines().collect();
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["KIND", "GROUPS", "SECRET", "HOSTS"]);
    let ingress = ["Ingress", "networking.k8s.io,extensions", "spec.tls[].secretName", "spec.tls[].hosts[]"];
    assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), ingress);
    assert_eq!(lines.len(), kinds().items.len() + 1);
    let without = run(&["kinds", "--no-headers"], &[], b"");
    assert!(without.text().starts_with("Ingress "), "{}", without.text());
}

#[test]
fn wide_adds_what_the_star_of_a_host_stands_for_and_the_triggers() {
    let found = run(&["kinds", "-o", "wide"], &[], b"");
    let line = |start: &str| found.text().lines().find(|line| line.starts_with(start)).unwrap().to_owned();
    assert!(line("KIND").ends_with("NOTE"));
    assert!(line("IngressRoute ").contains("one label   spec.tls.certResolver"), "{}", line("IngressRoute "));
    assert!(line("VirtualServer ").contains("any depth   spec.tls.cert-manager"), "{}", line("VirtualServer "));
}

#[test]
fn names_are_those_of_kubectl_api_resources() {
    let found = run(&["kinds", "-o", "name"], &[], b"");
    assert!(found.text().starts_with("ingresses.networking.k8s.io\ningresses.extensions\n"), "{}", found.text());
    let unique: std::collections::BTreeSet<&str> = found.text().lines().collect();
    assert_eq!(unique.len(), found.text().lines().count(), "a resource is named twice");
}

#[test]
fn json_and_yaml_are_an_object_with_items() {
    let json: serde_json::Value = serde_json::from_slice(&run(&["kinds", "-o", "json"], &[], b"").stdout).unwrap();
    assert_eq!(
        (&json["apiVersion"], &json["kind"]),
        (&"routing-secrets.epinio.io/v1alpha1".into(), &"KindList".into())
    );
    assert_eq!(json["items"][0]["secretNames"][0], "spec.tls[].secretName");
    let yaml: serde_json::Value = serde_saphyr::from_str(run(&["kinds", "-o", "yaml"], &[], b"").text()).unwrap();
    assert_eq!(json, yaml);
}

#[test]
fn the_schema_of_the_kinds_is_current() {
    let text = serde_json::to_string_pretty(&schemars::schema_for!(KindList)).unwrap() + "\n";
    assert!(is_current("schema/kinds.json", &text), "UPDATE_GOLDEN=1 cargo test --test kinds writes it anew");
}

const START: &str = "<!-- kinds: made by UPDATE_GOLDEN=1 cargo test --test kinds -->\n";
const END: &str = "<!-- /kinds -->\n";

#[test]
fn the_readmes_table_of_kinds_is_current() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    let (before, rest) = readme.split_once(START).expect("the README has a place for the kinds");
    let (_, after) = rest.split_once(END).unwrap();
    let text = format!("{before}{START}{}{END}{after}", markdown(&kinds().items));
    assert!(is_current("README.md", &text), "UPDATE_GOLDEN=1 cargo test --test kinds writes the table anew");
}

fn markdown(kinds: &[Kind]) -> String {
    let mut text = "| kind | group | names its Secret at | remarks |\n|---|---|---|---|\n".to_owned();
    for kind in kinds.iter().filter(|kind| kind.treatment == Treatment::Rewritten) {
        let secrets: Vec<String> = kind.secret_names.iter().map(|path| format!("`{path}`")).collect();
        let row = [kind.kind, &kind.groups.join(", "), &secrets.join(", "), kind.note];
        text.push_str(&format!("| {} |\n", row.join(" | ")));
    }
    let referring = kinds.iter().filter(|kind| kind.treatment == Treatment::Referring);
    let referring: Vec<&str> = referring.map(|kind| kind.kind).collect();
    text.push_str(&format!(
        "\nNever rewritten, but a Certificate whose Secret they name stays: {}, and whatever else names it.\n",
        referring.join(", ")
    ));
    text
}
