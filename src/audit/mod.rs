//! The audit of a cluster: what was read, what is found in it, and what could not be told. It is data; text and JSON
//! are views of it.

pub mod consumer;
pub mod covered;
pub mod foreign;
pub mod limits;
pub mod mention;
pub mod orders;
pub mod slots;
pub mod text;
pub mod unused;

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

pub use consumer::{LiveConsumer, LiveSlot};

use crate::certificate::live::LiveCertificate;
use crate::cluster::Reads;
use crate::inventory::Inventory;
use crate::plan::API_VERSION;
use crate::secret::ObjectName;
use limits::{AcmeUse, Limits};
use mention::Mentions;
use orders::{AcmeIssuers, Issuance};

/// What was read of a cluster.
#[derive(Debug, Default)]
pub struct Seen {
    /// The namespace that was read; `None` for all.
    pub namespace: Option<String>,
    /// The consumers.
    pub consumers: Vec<LiveConsumer>,
    /// cert-manager's Certificates.
    pub certificates: Vec<LiveCertificate>,
    /// The TLS Secrets that routing, slots or Certificates name; nothing when Secrets could not be read.
    pub inventory: Option<Inventory>,
    /// Secrets that slots name and that are of another type.
    pub of_other_types: HashSet<ObjectName>,
    /// The issuers that order from an ACME server.
    pub acme: AcmeIssuers,
    /// What was ordered.
    pub issuances: Vec<Issuance>,
    /// Where the names of Secrets occur.
    pub mentions: Mentions,
    /// What could not be read.
    pub not_read: Vec<NotRead>,
    /// The kinds of consumers that were read, with the number of objects.
    pub kinds: BTreeMap<String, usize>,
    /// The kinds of the table that the server does not have.
    pub not_served: Vec<String>,
    /// How often the cluster was read.
    pub reads: Reads,
}

/// What an audit prints as JSON.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Audit {
    /// `routing-secrets.epinio.io/v1alpha1`.
    pub api_version: &'static str,
    /// `Audit`.
    pub kind: &'static str,
    /// What is wrong, or could be better.
    pub items: Vec<Finding>,
    /// What may be one of these, and why nobody can tell.
    pub unproven: Vec<Unproven>,
    /// What each ACME server is asked for.
    pub acme: Vec<AcmeUse>,
    /// What could not be read.
    pub not_read: Vec<NotRead>,
    /// The resources of consumers that were read, with the number of objects that name hosts or Secrets.
    pub kinds: BTreeMap<String, usize>,
    /// The kinds of consumers that the server does not have.
    pub not_served: Vec<String>,
    /// How often the cluster was read.
    pub reads: Reads,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Code {
    /// A slot names a Secret that does not exist.
    SecretMissing,
    /// A slot's certificate has expired.
    SecretExpired,
    /// A slot's Secret cannot be used.
    SecretUnusable,
    /// A slot's certificate does not cover its hosts.
    SecretNotCovering,
    /// A trigger makes an issuer overwrite a routing secret.
    Overwrites,
    /// A certificate is ordered although a routing secret covers the hosts.
    OrdersThoughCovered,
    /// A Certificate of a shim whose object does not ask for it any more.
    ShimOrphan,
    /// A Certificate that nothing uses.
    CertificateUnused,
    /// A trigger that a helm upgrade would leave where it is.
    ForeignTrigger,
    /// An ACME server refuses further orders, or will.
    LimitReached,
}

/// An object of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectId {
    /// The kind.
    pub kind: String,
    /// The namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// Something that a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// The object.
    pub object: ObjectId,
    /// The path of the Secret's name in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The hosts that it is about.
    pub hosts: Vec<String>,
    /// The Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// A sentence.
    pub message: String,
    /// What to do, to be typed into a shell in this order.
    pub commands: Vec<String>,
}

/// Something that may be a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unproven {
    /// The object.
    pub object: ObjectId,
    /// Why nobody can tell.
    pub message: String,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotRead {
    /// The resource.
    pub resource: String,
    /// Why not.
    pub message: String,
}

impl ObjectId {
    /// A consumer.
    #[must_use]
    pub fn consumer(consumer: &LiveConsumer) -> Self {
        let object = &consumer.object;
        Self { kind: object.row.kind.to_owned(), namespace: object.namespace.clone(), name: object.name.clone() }
    }

    /// A Certificate.
    #[must_use]
    pub fn certificate(id: &ObjectName) -> Self {
        Self { kind: "Certificate".to_owned(), namespace: id.namespace.clone(), name: id.name.clone() }
    }
}

/// What was read, by the names that the parts look things up by.
#[derive(Debug)]
pub struct Index<'s> {
    /// What was read.
    pub seen: &'s Seen,
    /// The consumers and slots that name each Secret.
    pub slots: HashMap<ObjectName, Vec<(&'s LiveConsumer, &'s LiveSlot)>>,
    /// The Certificates that write into each Secret.
    pub producers: HashMap<ObjectName, Vec<&'s LiveCertificate>>,
}

impl<'s> Index<'s> {
    /// The index of what was read.
    #[must_use]
    pub fn new(seen: &'s Seen) -> Self {
        let mut slots: HashMap<ObjectName, Vec<(&LiveConsumer, &LiveSlot)>> = HashMap::new();
        for consumer in &seen.consumers {
            for slot in consumer.slots.iter().filter(|slot| !slot.secret_name.is_empty()) {
                slots.entry(consumer.secret(slot)).or_default().push((consumer, slot));
            }
        }
        let mut producers: HashMap<ObjectName, Vec<&LiveCertificate>> = HashMap::new();
        for certificate in &seen.certificates {
            if let Some(secret) = certificate.secret() {
                producers.entry(secret).or_default().push(certificate);
            }
        }
        Self { seen, slots, producers }
    }

    /// The Certificates that write into a Secret.
    #[must_use]
    pub fn producers(&self, secret: &ObjectName) -> &[&'s LiveCertificate] {
        self.producers.get(secret).map_or(&[], Vec::as_slice)
    }
}

impl LiveConsumer {
    /// The Secret that a slot of it names.
    #[must_use]
    pub fn secret(&self, slot: &LiveSlot) -> ObjectName {
        let namespace = slot.namespace.as_ref().unwrap_or(&self.object.namespace);
        ObjectName { namespace: namespace.clone(), name: slot.secret_name.clone() }
    }
}

/// Finds what there is to find.
#[must_use]
pub fn audit(seen: &Seen, limits: &Limits, now: Timestamp) -> Audit {
    let index = Index::new(seen);
    let mut items = slots::find(&index);
    let covered = covered::find(&index);
    items.extend(covered.findings);
    let unused = unused::find(&index);
    items.extend(unused.findings);
    items.extend(foreign::find(&index));
    let acme = limits::find(&index, &covered.certificates, limits, now);
    items.extend(limits::findings(&acme, limits));
    items.sort_by(|a, b| (a.code, &a.object, &a.path).cmp(&(b.code, &b.object, &b.path)));
    let mut unproven = covered.unproven;
    unproven.extend(unused.unproven);
    unproven.sort_by(|a, b| a.object.cmp(&b.object));
    Audit {
        api_version: API_VERSION,
        kind: "Audit",
        items,
        unproven,
        acme,
        not_read: seen.not_read.clone(),
        kinds: seen.kinds.clone(),
        not_served: seen.not_served.clone(),
        reads: seen.reads,
    }
}
