//! `--predict` over files.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use serde_json::Value;
use support::{Files, Run, Tls, run};

const RENDER: &[u8] = b"apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, annotations: {cert-manager.io/cluster-issuer: ca}}
spec:
  tls:
  - {hosts: [shop.apps.example.com], secretName: shop-tls}
";

fn source(name: &str, annotations: &[(&str, &str)]) -> Tls {
    let mut source = Tls::new("ops", name, &["*.apps.example.com"]);
    source.annotations = annotations.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
    source
}

fn kubed(name: &str, sync: &str) -> Tls {
    source(name, &[("kubed.appscode.com/sync", sync)])
}

fn plan(secrets: &[Tls], arguments: &[&str]) -> Run {
    let files = Files::new(secrets);
    let inventory = files.inventory();
    run(&[&["plan", "-n", "brand-new", "--inventory", &inventory], arguments].concat(), &[], RENDER)
}

fn json(secrets: &[Tls]) -> Value {
    serde_json::from_str(plan(secrets, &["--predict", "-o", "json"]).text()).unwrap()
}

fn warned(plan: &Value, code: &str) -> String {
    let warnings = plan["warnings"].as_array().unwrap().iter();
    warnings.filter(|of| of["code"] == code).map(|of| of["message"].as_str().unwrap()).collect::<Vec<_>>().join("; ")
}

#[test]
fn without_the_option_everything_stays_and_the_reason_names_it() {
    let found = plan(&[kubed("wild", "")], &[]);
    assert!(found.text().contains("(--predict takes those that will be copied there)"), "{found:?}");
    assert!(found.text().contains("slots: 0 rewritten, 0 kept, 1 left"), "{found:?}");
}

#[test]
fn a_source_that_will_be_copied_is_taken_and_marked() {
    let found = json(&[kubed("wild", "")]);
    let target = &found["slots"][0]["to"][0];
    assert_eq!((&target["secretName"], &target["predicted"]), (&"wild".into(), &true.into()));
    assert_eq!(
        warned(&found, "predicted"),
        "brand-new/wild is not there yet: predicted as a copy of ops/wild by Kubed"
    );
    let text = plan(&[kubed("wild", "")], &["--predict"]);
    assert!(text.text().contains("shop-tls -> wild (predicted) for shop.apps.example.com"), "{text:?}");
    let files = Files::new(&[kubed("wild", "")]);
    let all = ["post-render", "-n", "brand-new", "--inventory", &files.inventory()];
    let output = run(&all, &[("ROUTING_SECRETS_PREDICT", "true")], RENDER);
    assert!(output.text().contains("secretName: wild") && !output.text().contains("cert-manager.io"), "{output:?}");
}

#[test]
fn what_is_there_is_never_predicted_over() {
    let mut there = Tls::new("brand-new", "wild", &["other.example.org"]);
    there.labels.clear();
    let found = json(&[kubed("wild", ""), there]);
    assert_eq!(found["slots"][0]["decision"], "left", "{found}");
    let covered = Tls::new("brand-new", "own", &["shop.apps.example.com"]);
    let found = json(&[kubed("wild", ""), covered]);
    assert_eq!(found["slots"][0]["to"][0]["secretName"], "own");
    assert!(found["slots"][0]["to"][0].get("predicted").is_none());
}

#[test]
fn what_cannot_be_told_is_not_predicted_and_says_why() {
    let found = json(&[kubed("wild", "team=a")]);
    assert_eq!(found["slots"][0]["decision"], "left");
    assert!(warned(&found, "notPredicted").contains("labels of the namespace"), "{found}");
    let mut other = kubed("wild", "");
    other.namespace = "ops-2".to_owned();
    let found = json(&[kubed("wild", ""), other]);
    assert_eq!(found["slots"][0]["decision"], "left");
    assert!(warned(&found, "notPredicted").contains("several sources of this name"), "{found}");
}

#[test]
fn a_source_that_cannot_be_used_makes_no_copy_that_can() {
    let mut old = kubed("wild", "");
    old.years = (2020, 2021);
    let found = json(&[old]);
    assert_eq!(found["slots"][0]["decision"], "left", "{found}");
}
