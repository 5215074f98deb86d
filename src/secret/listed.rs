//! A TLS Secret as `list` shows it: everything but its key.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{ObjectName, Origin, Producer, Reason, Secret};

/// A TLS Secret as `list -o json` prints it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// Its name.
    pub metadata: ObjectName,
    /// The DNS names of its certificate.
    pub hosts: Vec<String>,
    /// The distinguished name of its issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The start of its validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub not_before: Option<Timestamp>,
    /// The end of its validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub not_after: Option<Timestamp>,
    /// The SHA-256 of its DER, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Where it comes from.
    pub origin: ListedOrigin,
    /// The cert-manager Certificate that produces it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<ListedCertificate>,
    /// Whether it can serve.
    pub usable: bool,
    /// Whether less than a third of its lifetime is left.
    pub expires_soon: bool,
    /// Why it cannot serve.
    pub problems: Vec<ListedReason>,
    /// What to know besides.
    pub warnings: Vec<ListedReason>,
}

/// Where a Secret comes from.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedOrigin {
    /// `source`, `mirror` or `copy`.
    pub kind: &'static str,
    /// What it was copied from, if it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<ObjectName>,
    /// The program that copied it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// The cert-manager Certificate that produces a Secret.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedCertificate {
    /// The Certificate's name.
    pub name: String,
    /// The issuer, as `Kind/name`.
    pub issuer: String,
}

/// A reason, for programs and for people.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ListedReason {
    /// A stable name.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
}

impl ListedReason {
    fn new(reason: &Reason) -> Self {
        Self { code: reason.code(), message: reason.to_string() }
    }
}

impl Listed {
    /// The Secret, as it was judged at that time.
    #[must_use]
    pub fn new(secret: &Secret, now: Timestamp) -> Self {
        let facts = secret.certificate.as_ref();
        let origin = match &secret.origin {
            Origin::Source => ListedOrigin { kind: "source", of: None, by: None },
            Origin::Mirror { of, by } => {
                ListedOrigin { kind: "mirror", of: Some(of.clone()), by: Some(by.to_string()) }
            }
            Origin::Copy { by } => ListedOrigin { kind: "copy", of: None, by: Some(by.to_string()) },
        };
        let certificate = |producer: &Producer| ListedCertificate {
            name: producer.certificate_name.clone(),
            issuer: format!("{}/{}", producer.issuer_kind, producer.issuer_name),
        };
        Self {
            metadata: secret.id.clone(),
            hosts: facts.map(|facts| facts.dns_names.clone()).unwrap_or_default(),
            issuer: facts.map(|facts| facts.issuer.clone()),
            not_before: facts.map(|facts| facts.not_before),
            not_after: facts.map(|facts| facts.not_after),
            fingerprint: facts.map(|facts| facts.fingerprint.clone()),
            origin,
            certificate: secret.producer.as_ref().map(certificate),
            usable: secret.is_usable(),
            expires_soon: secret.expires_soon(now),
            problems: secret.problems.iter().map(ListedReason::new).collect(),
            warnings: secret.warnings.iter().map(ListedReason::new).collect(),
        }
    }

    /// Says that the Secret is there no more.
    pub fn mark_deleted(&mut self) {
        self.usable = false;
        self.problems = vec![ListedReason { code: "deleted", message: "it was deleted".to_owned() }];
    }

    /// Flags a mirror whose certificate is not its source's.
    pub fn flag_stale(&mut self, source: &ObjectName) {
        self.warnings.push(ListedReason::new(&Reason::Stale(source.clone())));
    }
}
