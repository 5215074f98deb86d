//! A Secret as it stands in an `Inventory`: everything that decisions need, and never a key.

use std::collections::BTreeMap;

use base64::Engine as _;
use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use super::file::InventorySecret;
use crate::secret::mirror::{SOURCE_VERSION, matters};
use crate::secret::{RawSecret, Secret, judge, pem};

/// The Secret for an Inventory, and as it was judged.
#[must_use]
pub fn exported(raw: RawSecret, now: Timestamp) -> (InventorySecret, Secret) {
    let kept = |map: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        map.iter().filter(|(key, _)| matters(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let (labels, annotations) = (kept(&raw.labels), kept(&raw.annotations));
    let certificate = raw.certificate.as_ref().ok().and_then(Option::as_deref).map(certificates).unwrap_or_default();
    let type_ = raw.type_.clone();
    let secret = judge(raw, now);
    let of = &secret.id;
    let exported = InventorySecret {
        namespace: of.namespace.clone(),
        name: of.name.clone(),
        type_,
        labels,
        annotations,
        certificate,
        key: secret.key,
    };
    (exported, secret)
}

/// Says in the Inventory that a mirror's source is a routing secret elsewhere, and its version.
pub fn note_source(secret: &mut InventorySecret, version: &str) {
    secret.annotations.insert(SOURCE_VERSION.to_owned(), version.to_owned());
}

/// The certificates of a `tls.crt`, written anew so that nothing else comes along; nothing when the first one cannot be
/// read, since then the Secret cannot be used.
fn certificates(bytes: &[u8]) -> String {
    let mut text = String::new();
    for block in pem::blocks(bytes).into_iter().filter(pem::Block::is_certificate) {
        let der = block.der.as_deref().map(Vec::as_slice).unwrap_or_default();
        match X509Certificate::from_der(der) {
            // What follows the certificate in its block is left behind.
            Ok((rest, _)) => write(&der[..der.len() - rest.len()], &mut text),
            Err(_) if text.is_empty() => return text,
            Err(_) => {}
        }
    }
    text
}

/// RFC 7468, section 2: lines of 64 characters.
fn write(der: &[u8], text: &mut String) {
    const LINE: usize = 64;
    let packed = base64::engine::general_purpose::STANDARD.encode(der);
    text.push_str("-----BEGIN CERTIFICATE-----\n");
    let mut rest = packed.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END CERTIFICATE-----\n");
}
