//! `check` over files, as users meet it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use support::{Files, Run, Tls, run};

const REFLECTS: &str = "reflector.v1.k8s.emberstack.com/reflects";

fn wild() -> Tls {
    Tls::new("demo", "wild", &["*.apps.example.com"])
}

fn checked(secrets: &[Tls], arguments: &[&str]) -> Run {
    let files = Files::new(secrets);
    let inventory = files.inventory();
    run(&[&["check", "-n", "demo", "--inventory", &inventory], arguments].concat(), &[], b"")
}

#[test]
fn a_sound_secret_gives_only_ticks() {
    let found = checked(&[wild()], &[]);
    assert_eq!((found.code, found.stderr.as_str()), (0, ""));
    assert_eq!(
        found.text(),
        "access\n------\n✓ routing secrets can be read (1)\n\n\
         certificates\n------------\n\
         ✓ each is a TLS Secret with a certificate that can be read (1)\n\
         ✓ each key belongs to its certificate, and is strong (1)\n\
         ✓ each chain is complete, in order, and soundly signed (1)\n\
         ✓ each certificate is meant for servers (1)\n\
         ✓ each name is one that TLS clients accept (1)\n\
         ✓ each certificate is valid, and for long enough (1)\n\n\
         hosts\n-----\n✓ no host is covered by two usable secrets of one namespace (1)\n\n\
         ✓ 0 problems, 0 warnings\n"
    );
}

#[test]
fn a_problem_has_a_line_and_what_to_do_below_it() {
    let mut broken = wild();
    broken.foreign_key = true;
    let found = checked(&[broken], &[]);
    assert_eq!(found.code, 1);
    let expected = "× demo/wild: its key belongs to another certificate\n    replace both: kubectl create secret tls wild -n demo --cert=FILE --key=FILE";
    assert!(found.text().contains(expected), "{}", found.text());
    assert!(!found.text().contains("✓ each key") && found.text().ends_with("\n× 1 problem, 0 warnings\n"));
}

#[test]
fn a_warning_is_no_failure() {
    let mut expiring = wild();
    expiring.years = (2020, 2027);
    let found = checked(&[expiring.clone()], &[]);
    assert_eq!(found.code, 0);
    let expected =
        "‼ demo/wild: it expires at 2027-01-01T00:00:00Z, in 38d, with less than a third of its lifetime left";
    assert!(found.text().contains(expected), "{}", found.text());
    let within = |time: &str| checked(&[expiring.clone()], &["--expires-within", time]).text().contains("expires at");
    assert!(within("40d") && within("960h") && !within("30d"));
}

#[test]
fn namespaces_and_names_choose_what_is_looked_at() {
    let mut expired = Tls::new("demo", "old", &["old.example.org"]);
    expired.years = (2020, 2021);
    let secrets = [expired, wild(), Tls::new("ops", "wild", &["*.apps.example.com"])];
    assert_eq!(checked(&secrets, &[]).code, 1);
    assert_eq!(checked(&secrets, &["wild"]).code, 0);
    assert_eq!(checked(&secrets, &["-n", "ops"]).code, 0);
    assert_eq!(checked(&secrets, &["-A"]).code, 1);
    let missing = checked(&secrets, &["wild", "nope"]);
    assert_eq!((missing.code, missing.stderr.as_str()), (1, "routing-secrets: there is no routing secret \"nope\"\n"));
    let none = checked(&secrets, &["-n", "empty"]);
    assert_eq!(none.code, 0);
    assert!(none.text().contains("‼ there is no routing secret in namespace empty"), "{}", none.text());
}

#[test]
fn what_files_tell_about_mirrors_and_hosts_is_found() {
    let source = Tls::new("ops", "wild", &["*.apps.example.com"]);
    let mut mirror = wild();
    mirror.labels.clear();
    mirror.annotations.insert(REFLECTS.to_owned(), "ops/wild".to_owned());
    let exact = Tls::new("demo", "shop", &["shop.apps.example.com"]);
    let found = checked(&[source, mirror, exact], &["-A"]);
    let text = found.text();
    for expected in [
        "× demo/wild: its certificate is not that of its source ops/wild\n    see whether Reflector runs;",
        "‼ ops/wild: its mirrors carry no label epinio.io/routing, without which Epinio does not see them, in: demo\n",
        "‼ demo/shop: wild covers shop.apps.example.com too; shop is taken\n",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    assert_eq!(found.code, 1);
}

#[test]
fn a_private_issuer_that_is_not_in_the_secret_is_a_warning() {
    let mut issued = wild();
    issued.issued = true;
    let found = checked(&[issued], &[]);
    assert_eq!(found.code, 0);
    assert!(found.text().contains("‼ demo/wild: tls.crt holds no issuer (CN=a CA)"), "{}", found.text());
}

#[test]
fn json_and_yaml_hold_every_finding_and_never_a_key() {
    let mut broken = wild();
    broken.foreign_key = true;
    let json = checked(&[broken.clone()], &["-o", "json"]);
    assert_eq!(json.code, 1);
    let value: serde_json::Value = serde_json::from_str(json.text()).unwrap();
    assert_eq!(
        (&value["kind"], &value["apiVersion"]),
        (&"RoutingSecretCheck".into(), &routing_secrets::plan::API_VERSION.into())
    );
    assert_eq!(value["summary"], serde_json::json!({"problems": 1, "warnings": 0, "ok": 6}));
    let items = value["items"].as_array().unwrap();
    let found = items.iter().find(|item| item["code"] == "keyMismatch").unwrap();
    assert_eq!((&found["severity"], &found["category"]), (&"problem".into(), &"certificates".into()));
    assert_eq!(found["object"], serde_json::json!({"kind": "Secret", "namespace": "demo", "name": "wild"}));
    assert_eq!(found["hints"].as_array().unwrap().len(), 1);
    let yaml = checked(&[broken], &["-o", "yaml"]);
    let same: serde_json::Value = serde_saphyr::from_str(yaml.text()).unwrap();
    assert_eq!(same, value);
    for run in [json, yaml] {
        assert!(!run.text().contains("PRIVATE") && !run.text().contains("tls.key"));
    }
}

#[test]
fn colour_is_for_terminals_and_when_asked() {
    assert!(checked(&[wild()], &["--color", "always"]).text().contains("\u{1b}[32m✓\u{1b}[0m each key"));
    assert!(!checked(&[wild()], &[]).text().contains('\u{1b}'));
}

#[test]
fn options_that_do_not_fit_are_refused() {
    for (arguments, expected) in [
        (&["--expires-within", "soon"][..], "--expires-within \"soon\" is no time such as 5, 5s, 1m30s or 30d"),
        (&["--timeout", "5m"], "--timeout goes with --wait"),
        (&["--wait"], "-l and --wait work on a cluster only"),
        (&["-l", "a=b"], "-l and --wait work on a cluster only"),
        (&["--source", "x"], "--source \"x\" is not NAMESPACE/NAME"),
    ] {
        let failed = checked(&[wild()], arguments);
        assert_eq!((failed.code, failed.stdout.len()), (2, 0));
        assert!(failed.stderr.contains(expected), "{}", failed.stderr);
    }
}

#[test]
fn the_schema_of_the_findings_is_current() {
    let path = support::repository().join("schema/check.json");
    let schema = schemars::schema_for!(routing_secrets::commands::check::Report<'_>);
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let is_current = std::fs::read_to_string(&path).unwrap_or_default() == text;
    assert!(is_current, "UPDATE_GOLDEN=1 cargo test writes schema/check.json anew");
}
