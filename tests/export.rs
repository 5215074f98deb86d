//! What `export` writes, and what is made of it when it is read again.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use routing_secrets::inventory::compare::{Changes, Kind, compare};
use routing_secrets::inventory::export::{exported, note_source};
use routing_secrets::inventory::file::{InventoryDocument, InventorySecret};
use routing_secrets::inventory::{Inventory, Sources, file};
use routing_secrets::secret::judge;
use support::{Files, Tls, now, run};

const REFLECTS: &str = "reflector.v1.k8s.emberstack.com/reflects";

fn mirror(name: &str, of: &str) -> Tls {
    let mut mirror = Tls::new("demo", name, &["*.apps.example.com"]);
    mirror.labels.clear();
    mirror.annotations.insert(REFLECTS.to_owned(), of.to_owned());
    mirror
}

/// The Secrets in the text of `kubectl get secrets -o yaml`, as they would be exported.
fn export(text: &str) -> Vec<InventorySecret> {
    let raw = file::parse("secrets", text.as_bytes(), None).unwrap();
    raw.into_iter().map(|raw| exported(raw, now()).0).collect()
}

fn document(secrets: Vec<InventorySecret>) -> String {
    let api_version = routing_secrets::plan::API_VERSION.to_owned();
    serde_saphyr::to_string(&InventoryDocument { api_version, kind: "Inventory".to_owned(), secrets }).unwrap()
}

fn inventory(text: &str) -> Inventory {
    let raw = file::parse("inventory", text.as_bytes(), None).unwrap();
    Inventory::build(raw.into_iter().map(|raw| judge(raw, now())).collect(), &Sources::default(), now())
}

#[test]
fn an_export_is_judged_as_the_secrets_are_and_holds_no_key() {
    let mut secrets = vec![
        Tls::new("demo", "wild", &["*.apps.example.com"]),
        mirror("mirror", "ops/wild"),
        mirror("stranger", "ops/nothing"),
        Tls::new("ops", "wild", &["*.apps.example.com"]),
    ];
    let mut foreign = Tls::new("demo", "foreign-key", &["a.example.org"]);
    foreign.foreign_key = true;
    let mut unlabelled = Tls::new("demo", "own", &["b.example.org"]);
    unlabelled.labels.clear();
    unlabelled.annotations.insert("cert-manager.io/certificate-name".to_owned(), "own".to_owned());
    unlabelled.annotations.insert("cert-manager.io/issuer-name".to_owned(), "ca".to_owned());
    unlabelled.annotations.insert("kubectl.kubernetes.io/last-applied-configuration".to_owned(), "long".to_owned());
    secrets.extend([foreign, unlabelled]);
    let list = support::list(&secrets);
    let text = document(export(&list));
    assert!(!text.contains("PRIVATE") && !text.contains("tls.key") && !text.contains("last-applied"), "{text}");
    let (before, after) = (inventory(&list), inventory(&text));
    let state = |inventory: &Inventory| -> Vec<String> {
        let of = |secret: &routing_secrets::secret::Secret| {
            let codes = |of: &[routing_secrets::secret::Reason]| of.iter().map(|of| of.code()).collect::<Vec<_>>();
            let (problems, warnings) = (codes(&secret.problems), codes(&secret.warnings));
            format!(
                "{} {} {:?} {:?} {problems:?} {warnings:?}",
                secret.id, secret.routing, secret.producer, secret.origin
            )
        };
        inventory.secrets().map(of).collect()
    };
    assert_eq!(state(&before), state(&after));
    assert!(state(&after).iter().any(|of| of.contains("demo/mirror true") && of.contains("stale")));
    assert!(compare(&before, &after).items.is_empty());
}

#[test]
fn what_stands_beside_the_certificates_is_left_behind() {
    let (pem, key) = Tls::new("demo", "leaf", &["leaf.example.org"]).pem();
    let encode = |text: &str| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text);
    let secret = |certificate: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata: {{namespace: demo, name: odd, labels: \
             {{epinio.io/routing: \"\"}}, annotations: {{routing-secrets.epinio.io/source-version: \"1\"}}}}\ndata: {{tls.crt: {}, tls.key: {}}}\n",
            encode(certificate),
            encode(&key)
        )
    };
    let found = export(&secret(&format!("{key}subject=me\n{pem}{key}")));
    assert_eq!(found[0].certificate, pem);
    assert!(found[0].annotations.is_empty(), "what only an Inventory may say is not taken from a tenant");
    let disguised = key.replace("PRIVATE KEY", "CERTIFICATE");
    assert_eq!(export(&secret(&format!("{disguised}{pem}")))[0].certificate, "", "the first cannot be read");
    assert_eq!(export(&secret(&format!("{pem}{disguised}")))[0].certificate, pem);
}

#[test]
fn r7_a_source_that_is_not_in_the_inventory_is_noted_on_its_mirror() {
    let mut secrets = export(&support::list(&[mirror("mirror", "ops/wild")]));
    assert_eq!(inventory(&document(secrets.clone())).routing("demo").count(), 0);
    secrets[0].annotations.insert("reflector.v1.k8s.emberstack.com/reflected-version".to_owned(), "6".to_owned());
    note_source(&mut secrets[0], "7");
    let text = document(secrets);
    let found = inventory(&text);
    let codes: Vec<&str> = found.routing("demo").flat_map(|secret| &secret.warnings).map(|of| of.code()).collect();
    assert_eq!(codes, ["stale"], "the source has another version");
}

#[test]
fn an_expired_export_says_export_again() {
    let mut old = Tls::new("demo", "old", &["old.example.org"]);
    old.years = (2020, 2021);
    let files = Files::new(&[]);
    let path = files.path("export.yaml");
    std::fs::write(&path, document(export(&support::list(&[old])))).unwrap();
    let found = run(&["list", "-A", "--inventory", &path.display().to_string()], &[], b"");
    assert!(found.text().contains("expired at 2021-01-01T00:00:00Z: export again"), "{found:?}");
}

#[test]
fn changes_are_told_and_renewals_of_apps_are_not() {
    let wild = |name: &str| Tls::new("demo", name, &["*.apps.example.com"]);
    let mut own = wild("own");
    own.labels.clear();
    own.annotations.insert("cert-manager.io/certificate-name".to_owned(), "own".to_owned());
    own.annotations.insert("cert-manager.io/issuer-name".to_owned(), "ca".to_owned());
    let same = support::list(&[wild("same")]);
    let tail = |secrets: &[Tls]| support::list(secrets).replace("apiVersion: v1\nkind: List\nitems:\n", "");
    let before = same.clone() + &tail(&[wild("gone"), wild("renewed"), own.clone(), wild("broken")]);
    let mut broken = wild("broken");
    broken.years = (2020, 2021);
    let after = same + &tail(&[wild("new"), wild("renewed"), own, broken]);
    let Changes { items, .. } = compare(&inventory(&before), &inventory(&after));
    let found: Vec<(String, Kind)> = items.iter().map(|change| (change.secret.name.clone(), change.change)).collect();
    let expected =
        [("broken", Kind::Changed), ("gone", Kind::Removed), ("new", Kind::Added), ("renewed", Kind::Changed)];
    assert_eq!(found, expected.map(|(name, kind)| (name.to_owned(), kind)));
    let words = items[0].differences.join("; ");
    assert!(words.contains("valid until 2021-01-01T00:00:00Z instead of") && words.contains("it cannot be used"));
    assert_eq!(items[3].differences.len(), 1, "{items:?}");
}

#[test]
fn the_schemas_are_current() {
    support::schema_is_current("inventory.json", &schemars::schema_for!(InventoryDocument));
    support::schema_is_current("inventory-changes.json", &schemars::schema_for!(Changes));
}
