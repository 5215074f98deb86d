//! TLS Secrets: what their certificates say, and whether they are usable (R1, R4).

pub mod chain;
pub mod key;
pub mod listed;
pub mod live;
pub mod marking;
pub mod mirror;
pub mod pem;
mod reason;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use zeroize::Zeroizing;

pub use key::KeyCheck;
pub use mirror::{Origin, Replicator};
pub use reason::Reason;

use crate::choose::DnsNames;
use crate::output::escape::escape;

/// The label of routing secrets; its value does not matter (Epinio `internal/domain/match.go`).
pub const ROUTING_LABEL: &str = "epinio.io/routing";

/// A namespaced object's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ObjectName {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl ObjectName {
    /// Reads `namespace/name`; nothing unless both are names that Kubernetes accepts (RFC 1123).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (namespace, name) = text.split_once('/')?;
        let is_name = |text: &str, dots: bool| {
            let is_inner =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || (dots && byte == b'.');
            let is_outer =
                |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            text.len() <= if dots { 253 } else { 63 }
                && text.bytes().all(is_inner)
                && is_outer(text.as_bytes().first())
                && is_outer(text.as_bytes().last())
        };
        (is_name(namespace, false) && is_name(name, true))
            .then(|| Self { namespace: namespace.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", escape(&self.namespace), escape(&self.name))
    }
}

/// A Secret's key before it is judged.
pub enum KeyMaterial {
    /// There is none.
    Absent,
    /// The value of `tls.key`.
    Pem(Zeroizing<Vec<u8>>),
    /// What was found when an Inventory was exported.
    Attested(KeyCheck),
}

/// A TLS Secret before it is judged.
pub struct RawSecret {
    /// Its name.
    pub id: ObjectName,
    /// Its type.
    pub type_: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// The value of `tls.crt`.
    pub certificate: Result<Option<Vec<u8>>, Reason>,
    /// The value of `ca.crt`, where there is one that can be read.
    pub authorities: Option<Vec<u8>>,
    /// Its key.
    pub key: Result<KeyMaterial, Reason>,
}

/// What a certificate says.
#[derive(Clone, Debug)]
pub struct CertificateFacts {
    /// The dNSName SANs, in order (R1: never the common name).
    pub dns_names: Vec<String>,
    /// The issuer's distinguished name.
    pub issuer: String,
    /// The start of its validity.
    pub not_before: Timestamp,
    /// The end of its validity.
    pub not_after: Timestamp,
    /// The SHA-256 of its DER, in hexadecimal.
    pub fingerprint: String,
    /// Whether it is its own issuer.
    pub self_signed: bool,
}

/// The Certificate that a Secret says it was issued for (cert-manager
/// `internal/controller/certificates/secrets.go`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    /// The Certificate.
    pub certificate_name: String,
    /// The issuer.
    pub issuer_name: String,
    /// The issuer's kind.
    pub issuer_kind: String,
}

/// A TLS Secret, judged.
#[derive(Clone, Debug)]
pub struct Secret {
    /// Its name.
    pub id: ObjectName,
    /// What its certificate says, where it can be read.
    pub certificate: Option<CertificateFacts>,
    /// What is known of its key.
    pub key: KeyCheck,
    /// Why it is not usable; nothing when it is.
    pub problems: Vec<Reason>,
    /// What to know besides.
    pub warnings: Vec<Reason>,
    /// The Certificate that produces it, if cert-manager does.
    pub producer: Option<Producer>,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether it is a routing secret.
    pub routing: bool,
    /// Whether a replicator is told to copy it elsewhere.
    pub replicated: bool,
    /// The version of its source that Reflector copied.
    pub reflected_version: Option<String>,
    /// Whether it is not there yet, and will be (`--predict`).
    pub predicted: bool,
    /// In an Inventory: the version of its source, when that is a routing secret elsewhere.
    pub source_version: Option<String>,
    /// Its names, ready for comparison.
    pub(crate) names: DnsNames,
}

impl Secret {
    /// Whether it can serve (R4).
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.problems.is_empty()
    }

    /// What it was copied from, if it says so.
    #[must_use]
    pub fn mirrored(&self) -> Option<&ObjectName> {
        match &self.origin {
            Origin::Mirror { of, .. } => Some(of),
            _ => None,
        }
    }

    /// Whether at least a third of its lifetime is left (R5: Let's Encrypt's lifetimes shrink, so
    /// no fixed number of days).
    #[must_use]
    pub fn expires_soon(&self, now: Timestamp) -> bool {
        self.certificate.as_ref().is_some_and(|certificate| {
            let lifetime = certificate.not_after.as_second() - certificate.not_before.as_second();
            (certificate.not_after.as_second() - now.as_second()) * 3 < lifetime
        })
    }
}

/// Judges a Secret at a point in time.
#[must_use]
pub fn judge(raw: RawSecret, now: Timestamp) -> Secret {
    let origin = mirror::origin(&raw.labels, &raw.annotations);
    let producer = producer(&raw.annotations);
    let is_exported = matches!(raw.key, Ok(KeyMaterial::Attested(_)));
    let mut secret = Secret {
        certificate: None,
        key: KeyCheck::Absent,
        problems: Vec::new(),
        warnings: Vec::new(),
        producer,
        origin,
        routing: raw.labels.contains_key(ROUTING_LABEL),
        replicated: mirror::is_replicated(&raw.labels, &raw.annotations),
        reflected_version: raw.annotations.get(mirror::REFLECTED_VERSION).cloned(),
        predicted: false,
        source_version: raw.annotations.get(mirror::SOURCE_VERSION).filter(|_| is_exported).cloned(),
        names: DnsNames::default(),
        id: raw.id,
    };
    if raw.type_ != "kubernetes.io/tls" {
        secret.problems.push(Reason::WrongType(raw.type_));
    }
    if is_temporary(&raw.annotations) {
        secret.problems.push(Reason::Temporary);
    }
    match raw.certificate {
        Err(reason) => secret.problems.push(reason),
        Ok(None) => secret.problems.push(Reason::NoCertificate),
        Ok(Some(pem)) if pem.trim_ascii().is_empty() => secret.problems.push(Reason::NoCertificate),
        Ok(Some(pem)) => secret.judge_certificate(&pem, raw.key, now),
    }
    secret
}

fn producer(annotations: &BTreeMap<String, String>) -> Option<Producer> {
    let value = |key: &str| annotations.get(key).filter(|value| !value.is_empty()).cloned();
    Some(Producer {
        certificate_name: value("cert-manager.io/certificate-name")?,
        issuer_name: value("cert-manager.io/issuer-name").unwrap_or_default(),
        issuer_kind: value("cert-manager.io/issuer-kind").unwrap_or_else(|| "Issuer".to_owned()),
    })
}

/// cert-manager's temporary certificate: the Certificate is named, an issuer is not
/// (`pkg/controller/certificates/issuing/temporary.go`).
fn is_temporary(annotations: &BTreeMap<String, String>) -> bool {
    annotations.contains_key("cert-manager.io/certificate-name")
        && !annotations.contains_key("cert-manager.io/issuer-name")
        && !annotations.contains_key("cert-manager.io/issuer-kind")
}

impl Secret {
    fn judge_certificate(&mut self, pem: &[u8], key: Result<KeyMaterial, Reason>, now: Timestamp) {
        let Some(block) = pem::blocks(pem).into_iter().find(pem::Block::is_certificate) else {
            self.problems.push(Reason::NoPemCertificate);
            return;
        };
        let Some(der) = block.der else {
            self.problems.push(Reason::UnreadableCertificate);
            return;
        };
        let Ok((_, certificate)) = X509Certificate::from_der(&der) else {
            self.problems.push(Reason::UnreadableCertificate);
            return;
        };
        let Some(facts) = facts(&certificate, &der) else {
            self.problems.push(Reason::UnreadableCertificate);
            return;
        };
        let is_exported = matches!(key, Ok(KeyMaterial::Attested(_)));
        self.judge_key(&certificate, key);
        if now > facts.not_after {
            let expired = if is_exported { Reason::ExpiredExport } else { Reason::Expired };
            self.problems.push(expired(facts.not_after));
        }
        if now < facts.not_before {
            self.problems.push(Reason::NotYetValid(facts.not_before));
        }
        let usage = certificate.extended_key_usage().ok().flatten();
        if usage.is_some_and(|usage| !usage.value.server_auth && !usage.value.any) {
            self.problems.push(Reason::NotForServers);
        }
        if certificate.subject().iter_attributes().any(|attribute| {
            attribute.attr_type().to_id_string() == "2.5.4.5" && attribute.as_str() == Ok("1234567890")
        }) && facts.issuer.contains("cert-manager.local")
        {
            self.problems.push(Reason::Temporary);
        }
        let (names, void) = DnsNames::read(&facts.dns_names);
        if names == DnsNames::default() {
            self.problems.push(Reason::NoDnsNames);
        }
        self.warnings.extend(void.into_iter().map(Reason::VoidName));
        if certificate.is_ca() {
            self.warnings.push(Reason::CertificateAuthority);
        }
        self.names = names;
        self.certificate = Some(facts);
    }

    fn judge_key(&mut self, certificate: &X509Certificate<'_>, key: Result<KeyMaterial, Reason>) {
        let checked = key.and_then(|key| match key {
            KeyMaterial::Absent => Ok(KeyCheck::Absent),
            KeyMaterial::Pem(pem) if pem.trim_ascii().is_empty() => Ok(KeyCheck::Absent),
            KeyMaterial::Pem(pem) => key::check(certificate.public_key(), &pem),
            KeyMaterial::Attested(check) => Ok(check),
        });
        match checked {
            Ok(check) => {
                self.key = check;
                match check {
                    KeyCheck::Matched => {}
                    KeyCheck::Mismatched => self.problems.push(Reason::KeyMismatch),
                    KeyCheck::Unknown => self.warnings.push(Reason::KeyNotComparable),
                    KeyCheck::Absent => self.problems.push(Reason::NoKey),
                }
            }
            Err(reason) => self.problems.push(reason),
        }
    }
}

/// The dNSName SANs of the first block, whatever its label, that is an X.509 certificate: Epinio's reading.
#[must_use]
pub fn first_certificate(pem: &[u8]) -> Option<Vec<String>> {
    pem::blocks(pem).iter().find_map(|block| {
        let (rest, certificate) = X509Certificate::from_der(block.der.as_deref()?).ok()?;
        if rest.is_empty() { dns_names(&certificate) } else { None }
    })
}

fn dns_names(certificate: &X509Certificate<'_>) -> Option<Vec<String>> {
    let alternatives = certificate.subject_alternative_name().ok()?;
    let names = alternatives.iter().flat_map(|names| &names.value.general_names).filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    });
    Some(names.collect())
}

fn facts(certificate: &X509Certificate<'_>, der: &[u8]) -> Option<CertificateFacts> {
    let time = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).ok();
    let digest = ring::digest::digest(&ring::digest::SHA256, der);
    Some(CertificateFacts {
        dns_names: dns_names(certificate)?,
        issuer: certificate.issuer().to_string(),
        not_before: time(certificate.validity().not_before)?,
        not_after: time(certificate.validity().not_after)?,
        fingerprint: digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect(),
        self_signed: certificate.issuer().as_raw() == certificate.subject().as_raw(),
    })
}
