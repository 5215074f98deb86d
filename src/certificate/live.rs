//! cert-manager's Certificates as they stand in a cluster: what they ask for, who owns them, how their issuance goes
//! (`pkg/apis/certmanager/v1/types_certificate.go`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{CertificateSpec, spec};
use crate::cluster::Resource;
use crate::manifest::document::Document;
use crate::output::escape::escape_json;
use crate::secret::ObjectName;

/// cert-manager's Certificates; other versions have not been served since 1.6.
pub const CERTIFICATES: Resource<'static> =
    Resource { group: "cert-manager.io", version: "v1", plural: "certificates" };

/// The kinds whose triggers make cert-manager's shims create Certificates (`pkg/controller/certificate-shim`).
const SHIM_OWNERS: [&str; 3] = ["Ingress", "Gateway", "ListenerSet"];

/// A Certificate of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveCertificate {
    /// Its name.
    pub id: ObjectName,
    /// Its labels; those that a shim made have their owner's.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// The object that controls it.
    pub owner: Option<Owner>,
    /// What it asks for.
    pub spec: CertificateSpec,
    /// `spec.dnsNames`, without the common name.
    pub dns_names: Vec<String>,
    /// `spec.issuerRef`.
    pub issuer: IssuerRef,
    /// Its condition `Ready`.
    pub ready: Option<Condition>,
    /// Its condition `Issuing`.
    pub issuing: Option<Condition>,
    /// `status.notAfter`: the end of the validity of what it issued last.
    pub not_after: Option<Timestamp>,
    /// `status.renewalTime`: when it is to be issued anew.
    pub renewal_time: Option<Timestamp>,
    /// `status.failedIssuanceAttempts`: failures in a row since the last success.
    pub failed_issuance_attempts: u32,
}

/// The object that controls another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its API version with the group.
    pub api_version: String,
}

/// The issuer that a Certificate names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(default)]
pub struct IssuerRef {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Its group.
    pub group: String,
}

impl Default for IssuerRef {
    /// What cert-manager takes for fields that are not given.
    fn default() -> Self {
        Self { name: String::new(), kind: "Issuer".to_owned(), group: CERTIFICATES.group.to_owned() }
    }
}

/// A condition of an object's status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Whether its status is `True`.
    pub is_true: bool,
    /// Its reason, one word.
    pub reason: String,
    /// Its message.
    pub message: String,
    /// When its status changed last.
    pub last_transition: Option<Timestamp>,
}

impl LiveCertificate {
    /// The Secret that it writes into; nothing while it names none.
    #[must_use]
    pub fn secret(&self) -> Option<ObjectName> {
        let name = Some(self.spec.secret_name.clone()).filter(|name| !name.is_empty())?;
        Some(ObjectName { namespace: self.id.namespace.clone(), name })
    }

    /// The Ingress, Gateway or ListenerSet for which a shim made it.
    #[must_use]
    pub fn shim_owner(&self) -> Option<&Owner> {
        self.owner.as_ref().filter(|owner| SHIM_OWNERS.contains(&owner.kind.as_str()))
    }

    /// Whether it is issued, valid and up to date.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.as_ref().is_some_and(|ready| ready.is_true)
    }
}

/// A Certificate as the API server gives it; whatever is missing is left empty.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ApiCertificate {
    metadata: Metadata,
    spec: Value,
    status: Option<Status>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    namespace: String,
    name: String,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
    creation_timestamp: Option<String>,
    owner_references: Option<Vec<OwnerReference>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OwnerReference {
    api_version: String,
    kind: String,
    name: String,
    controller: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    conditions: Option<Vec<ApiCondition>>,
    not_after: Option<String>,
    renewal_time: Option<String>,
    failed_issuance_attempts: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ApiCondition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
    reason: Option<String>,
    message: Option<String>,
    last_transition_time: Option<String>,
}

fn time(text: Option<String>) -> Option<Timestamp> {
    text?.parse().ok()
}

impl From<ApiCertificate> for LiveCertificate {
    fn from(api: ApiCertificate) -> Self {
        let Metadata { namespace, name, labels, annotations, creation_timestamp, owner_references } = api.metadata;
        let status = api.status.unwrap_or_default();
        let owner = owner_references.unwrap_or_default().into_iter().find(|owner| owner.controller == Some(true));
        let conditions = status.conditions.unwrap_or_default();
        let condition = |type_: &str| {
            conditions.iter().find(|condition| condition.type_ == type_).map(|condition| Condition {
                is_true: condition.status == "True",
                reason: condition.reason.clone().unwrap_or_default(),
                message: condition.message.clone().unwrap_or_default(),
                last_transition: time(condition.last_transition_time.clone()),
            })
        };
        let names = api.spec.get("dnsNames").and_then(Value::as_array);
        let dns_names = names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        let issuer = api.spec.get("issuerRef").map(|issuer| IssuerRef::deserialize(issuer).unwrap_or_default());
        Self {
            ready: condition("Ready"),
            issuing: condition("Issuing"),
            not_after: time(status.not_after),
            renewal_time: time(status.renewal_time),
            failed_issuance_attempts: status.failed_issuance_attempts.unwrap_or_default(),
            id: ObjectName { namespace, name },
            labels: labels.unwrap_or_default(),
            annotations: annotations.unwrap_or_default(),
            created: time(creation_timestamp),
            owner: owner.map(|owner| Owner { kind: owner.kind, name: owner.name, api_version: owner.api_version }),
            spec: read_spec(&api.spec),
            dns_names,
            issuer: issuer.unwrap_or_default(),
        }
    }
}

/// Reads the spec as that of a manifest, JSON being YAML. One that cannot be read so asks for more than can be told.
fn read_spec(value: &Value) -> CertificateSpec {
    let json = value.to_string();
    let json = escape_json(&json);
    match Document::parse(json.as_bytes()) {
        Ok(document) => document.roots().next().map(|root| spec(&document, root)).unwrap_or_default(),
        Err(_) => {
            let secret_name = value.get("secretName").and_then(Value::as_str).unwrap_or_default().to_owned();
            CertificateSpec {
                secret_name,
                extras: vec!["what cannot be read".to_owned()],
                ..CertificateSpec::default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(json: Value) -> LiveCertificate {
        serde_json::from_value::<ApiCertificate>(json).unwrap().into()
    }

    /// As cert-manager 1.21 leaves a Certificate of its Ingress shim.
    fn shim() -> Value {
        serde_json::json!({
            "apiVersion": "cert-manager.io/v1", "kind": "Certificate",
            "metadata": {
                "namespace": "demo", "name": "wild", "labels": {"app.kubernetes.io/managed-by": "Helm"},
                "creationTimestamp": "2026-11-20T00:00:00Z",
                "ownerReferences": [{"apiVersion": "networking.k8s.io/v1", "blockOwnerDeletion": true,
                    "controller": true, "kind": "Ingress", "name": "shop", "uid": "1"}],
            },
            "spec": {
                "dnsNames": ["shop.apps.example.com"], "commonName": "other.example.org", "secretName": "wild",
                "issuerRef": {"name": "ca", "kind": "ClusterIssuer", "group": "cert-manager.io"},
                "usages": ["digital signature", "key encipherment"],
                "secretTemplate": {"labels": {"epinio.io/routing": ""}},
            },
            "status": {
                "conditions": [
                    {"type": "Ready", "status": "False", "reason": "IncorrectCertificate", "message": "no",
                     "lastTransitionTime": "2026-11-21T00:00:00Z"},
                    {"type": "Issuing", "status": "True", "reason": "Expired"},
                ],
                "notAfter": "2027-02-18T00:00:00Z", "renewalTime": "2027-01-19T00:00:00Z", "failedIssuanceAttempts": 3,
            },
        })
    }

    #[test]
    fn r4_a_live_certificate_is_read_with_its_owner_and_conditions() {
        let live = live(shim());
        assert_eq!(live.secret(), ObjectName::parse("demo/wild"));
        assert_eq!(
            live.shim_owner().map(|owner| (owner.kind.as_str(), owner.name.as_str())),
            Some(("Ingress", "shop"))
        );
        assert_eq!(live.dns_names, ["shop.apps.example.com"]);
        assert_eq!(live.spec.names, ["shop.apps.example.com", "other.example.org"]);
        assert_eq!(live.spec.distributes, ["epinio.io/routing"]);
        assert_eq!((live.issuer.kind.as_str(), live.spec.issuer.as_str()), ("ClusterIssuer", "ClusterIssuer/ca"));
        assert!(!live.is_ready() && live.issuing.is_some_and(|issuing| issuing.is_true));
        assert_eq!(live.ready.map(|ready| ready.reason).as_deref(), Some("IncorrectCertificate"));
        assert_eq!(live.renewal_time, "2027-01-19T00:00:00Z".parse().ok());
        assert_eq!(live.failed_issuance_attempts, 3);
    }

    #[test]
    fn r4_what_a_certificate_leaves_out_is_empty() {
        let bare = live(serde_json::json!({"metadata": {"namespace": "demo", "name": "a", "ownerReferences": [
            {"kind": "Ingress", "name": "shop"},
        ]}}));
        assert_eq!(bare.id.to_string(), "demo/a");
        assert_eq!(
            (bare.secret(), bare.shim_owner(), bare.ready.as_ref()),
            (None, None, None),
            "an owner that does not control"
        );
        let defaults = live(serde_json::json!({"spec": {"secretName": "s", "issuerRef": {"name": "ca"}}}));
        assert_eq!(defaults.issuer, IssuerRef { name: "ca".to_owned(), ..IssuerRef::default() });
        assert_eq!(defaults.spec.issuer, "Issuer/ca");
    }

    #[test]
    fn r20_a_spec_with_characters_that_yaml_does_not_take_is_read_all_the_same() {
        let spec = serde_json::json!({"secretName": "s", "dnsNames": ["a.x"], "subject": {"countries": ["\u{7f}\u{1}\u{85}"]}});
        let read = live(serde_json::json!({ "spec": spec })).spec;
        assert_eq!((read.secret_name.as_str(), read.names.as_slice()), ("s", &["a.x".to_owned()][..]));
        assert_eq!((read.unmet, read.extras), (vec!["subject"], Vec::<String>::new()));
    }
}
