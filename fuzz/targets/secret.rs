//! Any bytes in a Secret's values, or in a file of Secrets, are judged without a panic, and nothing that is said about
//! them holds bytes of the key.
//!
//! The first byte chooses: a file as it is; or `tls.crt` and `tls.key`, each as it is or as the DER in a PEM block,
//! divided by the first `|`.

#![no_main]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use base64::Engine as _;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use routing_secrets::inventory::{Inventory, Sources, file, once};
use routing_secrets::secret::chain::Chain;
use routing_secrets::secret::{KeyMaterial, ObjectName, RawSecret, judge};
use zeroize::Zeroizing;

static NOW: LazyLock<Timestamp> = LazyLock::new(|| "2026-11-24T00:00:00Z".parse().unwrap());

/// Stands for key bytes in files, in base64 and decoded.
const MARKS: [&str; 2] = ["S0VZLUJZVEVT", "KEY-BYTES"];

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n").into_bytes()
}

fn from_file(text: &[u8]) {
    let said = match file::parse("file", text, Some("demo")) {
        Err(error) => error.to_string(),
        Ok(raws) => {
            let secrets: Vec<_> = raws.into_iter().map(|raw| judge(raw, *NOW)).collect();
            let mut said = once(&secrets).err().map(|error| error.to_string()).unwrap_or_default();
            let inventory = Inventory::build(secrets, &Sources::default(), *NOW);
            for secret in inventory.secrets() {
                for reason in secret.problems.iter().chain(&secret.warnings) {
                    let _ = writeln!(said, "{reason} {reason:?}");
                }
            }
            said
        }
    };
    // What stands elsewhere than in the key may be named.
    let text = String::from_utf8_lossy(text);
    for mark in MARKS {
        if text.matches(mark).count() == 1 && text.contains(&format!("tls.key: {mark}")) {
            assert!(!said.contains(mark), "the key is shown: {said}");
        }
    }
}

fn from_values(certificate: Vec<u8>, key: Vec<u8>) {
    let chain = Chain::read(&certificate, Some(&certificate));
    assert!(chain.path().len() <= chain.links.len());
    let raw = RawSecret {
        id: ObjectName { namespace: "demo".to_owned(), name: "a".to_owned() },
        type_: "kubernetes.io/tls".to_owned(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        certificate: Ok(Some(certificate.clone())),
        authorities: Some(certificate.clone()),
        key: Ok(KeyMaterial::Pem(Zeroizing::new(key.clone()))),
    };
    let secret = judge(raw, *NOW);
    let mut said = format!("{:?}", secret.key);
    for reason in secret.problems.iter().chain(&secret.warnings) {
        let _ = write!(said, " {reason} {reason:?}");
    }
    for part in key.chunks_exact(16) {
        let is_elsewhere = certificate.windows(16).any(|window| window == part);
        let Ok(part) = std::str::from_utf8(part) else { continue };
        assert!(is_elsewhere || !said.contains(part), "the key is shown: {said}");
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((&mode, rest)) = input.split_first() else { return };
    let at = rest.iter().position(|&byte| byte == b'|').unwrap_or(rest.len());
    let (certificate, key) = (&rest[..at], rest.get(at + 1..).unwrap_or_default());
    match mode {
        b'c' => from_values(pem("CERTIFICATE", certificate), key.to_vec()),
        b'r' => from_values(pem("CERTIFICATE", certificate), pem("RSA PRIVATE KEY", key)),
        b'e' => from_values(pem("CERTIFICATE", certificate), pem("EC PRIVATE KEY", key)),
        b'8' => from_values(pem("CERTIFICATE", certificate), pem("PRIVATE KEY", key)),
        b'p' => from_values(certificate.to_vec(), key.to_vec()),
        _ => from_file(rest),
    }
});
