//! The plan: what will change and what will not, each with its reason. It is data; text, JSON and
//! diff are views of it.

pub mod apply;
mod attach;
pub mod build;
mod decide;
mod facts;
mod family;
mod index;
mod listeners;
pub mod live;
mod settle;
mod together;
mod uncovered;
mod view;
mod warn;

pub use build::{Change, Found, Planned, find, plan};
pub(crate) use facts::READ_BY_NAME;
pub use settle::Outside;

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::cluster::Reads;
use crate::consumers::Left;
use crate::secret::ObjectName;

/// The version of every document that we write.
pub const API_VERSION: &str = "routing-secrets.epinio.io/v1alpha1";

/// What a decision may depend on besides the render and the secrets.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The namespace of objects that name none: the release's.
    pub namespace: Option<String>,
    /// Further annotation keys that are triggers (R10).
    pub triggers: Vec<String>,
    /// Secrets that programs read by name through the API (R13).
    pub keep_secrets: Vec<String>,
    /// Never drop a Certificate.
    pub keep_certificates: bool,
    /// Take slots whose Secret someone chose, too (R8).
    pub all_slots: bool,
    /// Secrets that are routing secrets whatever their labels (R7).
    pub sources: Vec<ObjectName>,
    /// Whether the plan is put into words, for a view or a report.
    pub explain: bool,
    /// Whether the plan lists the secrets that lost.
    pub candidates: bool,
}

/// What is known about the live objects (R12).
#[derive(Clone, Debug, Default)]
pub enum Live {
    /// Nothing: the plan is made offline.
    #[default]
    NotKnown,
    /// They are read once it is known which ones matter.
    ToBeRead,
    /// What they say.
    Known(LiveObjects),
}

/// What the live objects say, by `group/kind/namespace/name`.
#[derive(Clone, Debug, Default)]
pub struct LiveObjects {
    /// The triggers that someone else owns.
    pub triggers: HashMap<String, Vec<ForeignTrigger>>,
    /// The Gateways of ListenerSets, where the render does not hold them.
    pub parents: HashMap<String, LiveParent>,
}

/// What a live Gateway says about its ListenerSets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveParent {
    /// There is none.
    Absent,
    /// It may not be read.
    Unreadable(String),
    /// Its triggers.
    Triggers(Vec<String>),
}

/// A trigger on a live object that survives an upgrade of the release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignTrigger {
    /// The annotation.
    pub key: String,
    /// The field manager that owns it.
    pub manager: String,
    /// The command that clears it.
    pub command: String,
}

/// Why no plan can be made. Nothing is written then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// An object names no namespace, and the release's is not known.
    #[error(
        "document {document}, line {line}: {object} names no namespace and the release's is not known: give it with -n NAMESPACE"
    )]
    NamespaceUnknown {
        /// The document's number.
        document: usize,
        /// The line in the stream.
        line: usize,
        /// The object.
        object: String,
    },
    /// The render names more namespaces than may be read (R21).
    #[error(
        "the objects of this render name {0} namespaces; at most {MAX_NAMESPACES} are read for one render: split the chart, or give the secrets with --inventory for each part"
    )]
    TooManyNamespaces(usize),
    /// A trigger that must stay would overwrite a routing secret (R10).
    #[error("{0}")]
    Overwrite(Box<Overwrite>),
}

/// A trigger that must stay and would overwrite a routing secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "document {document}, line {line}: {object} serves {path} with the routing secret {secret} and keeps {trigger}, \
     which would make its issuer overwrite that secret ({why}): remove {trigger} from the chart's values, or name \
     another Secret"
)]
pub struct Overwrite {
    /// The document's number.
    pub document: usize,
    /// The line in the stream.
    pub line: usize,
    /// The object.
    pub object: String,
    /// The slot.
    pub path: String,
    /// The routing secret.
    pub secret: String,
    /// The trigger.
    pub trigger: String,
    /// Why the trigger must stay.
    pub why: String,
}

/// The most namespaces that one render may name (R21).
pub const MAX_NAMESPACES: usize = 32;

/// The whole plan, as `plan -o json` prints it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// `routing-secrets.epinio.io/v1alpha1`.
    pub api_version: &'static str,
    /// `Plan`.
    pub kind: &'static str,
    /// Every place that names a TLS Secret.
    pub slots: Vec<SlotPlan>,
    /// Every trigger.
    pub triggers: Vec<TriggerPlan>,
    /// Every cert-manager Certificate of the render.
    pub certificates: Vec<CertificatePlan>,
    /// Every route of the Gateway API: TLS for its hosts is elsewhere.
    pub routes: Vec<RoutePlan>,
    /// How often the cluster was read; absent when it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads: Option<Reads>,
    /// What a person should know besides.
    pub warnings: Vec<Warning>,
    /// The counts.
    pub summary: Summary,
}

/// An object of the render, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// The API group and version.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// The namespace; the release's where the object names none.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The number of its document in the stream, from 1.
    pub document: usize,
    /// The line in the stream, from 1.
    pub line: usize,
}

/// A reason, for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reason {
    /// A stable name.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
}

/// What happens to a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SlotDecision {
    /// It names another Secret now.
    Rewritten,
    /// Its hosts are given to several Secrets.
    Split,
    /// It names the routing secret already.
    Kept,
    /// It stays as it is.
    Left,
}

/// A slot's part of the plan.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SlotPlan {
    /// The object.
    pub object: ObjectRef,
    /// The line of the slot in the stream, from 1.
    pub line: usize,
    /// The path of the Secret's name in the object.
    pub path: String,
    /// The hosts that the Secret must cover.
    pub hosts: Vec<String>,
    /// The namespace of the Secret, where it is not the object's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_namespace: Option<String>,
    /// The Secret that it named; empty where a resolver stood in its place.
    pub from: String,
    /// The Secrets that it names now, each with its hosts; empty when it is left.
    pub to: Vec<Target>,
    /// What happens.
    pub decision: SlotDecision,
    /// Why.
    pub reason: Reason,
    /// The routing secrets that lost, each with its reason; only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidates: Option<Vec<LostCandidate>>,
}

/// A Secret and the hosts it serves from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The Secret.
    pub secret_name: String,
    /// The hosts.
    pub hosts: Vec<String>,
    /// Whether the Secret is not there yet, and a replicator will copy it there (`--predict`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub predicted: bool,
}

/// A routing secret that was not taken.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LostCandidate {
    /// The Secret.
    pub secret_name: String,
    /// Why.
    pub reason: Reason,
}

/// What happens to a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TriggerDecision {
    /// It is removed, with its companions.
    Removed,
    /// It stays.
    Left,
}

/// A trigger's part of the plan.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TriggerPlan {
    /// The object.
    pub object: ObjectRef,
    /// The line of the trigger in the stream, from 1.
    pub line: usize,
    /// The annotation or field.
    pub key: String,
    /// Its value.
    pub value: String,
    /// The keys that only shape what it produces.
    pub companions: Vec<String>,
    /// What happens.
    pub decision: TriggerDecision,
    /// Why.
    pub reason: Reason,
}

/// What happens to a Certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CertificateDecision {
    /// It is taken out of the render.
    Dropped,
    /// It stays.
    Kept,
}

/// A Certificate's part of the plan.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificatePlan {
    /// The object.
    pub object: ObjectRef,
    /// The Secret that it produces.
    pub secret_name: String,
    /// Its DNS names and common name.
    pub names: Vec<String>,
    /// What happens.
    pub decision: CertificateDecision,
    /// Why.
    pub reason: Reason,
    /// The routing secrets that serve its names now.
    pub covered_by: Vec<String>,
}

/// A route's part of the plan: it names hosts and no Secret.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoutePlan {
    /// The object.
    pub object: ObjectRef,
    /// Its hosts; none stands for every host.
    pub hosts: Vec<String>,
    /// The Gateways and ListenerSets that end TLS for it.
    pub tls_at: Vec<TlsAt>,
}

/// What ends TLS for a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TlsAt {
    /// The kind.
    pub kind: String,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// Something a person should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Warning {
    /// A stable name.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
}

/// The counts of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Slots that name another Secret now, split ones included.
    pub rewritten: usize,
    /// Slots that named a routing secret already.
    pub kept: usize,
    /// Slots that stay as they are although they name hosts.
    pub left: usize,
    /// Slots without hosts, which count nowhere else (R8).
    pub without_hosts: usize,
    /// Triggers that are removed.
    pub triggers_removed: usize,
    /// Certificates that are dropped.
    pub certificates_dropped: usize,
    /// Certificates that stay.
    pub certificates_kept: usize,
}

impl Reason {
    pub(crate) fn left(left: &Left) -> Self {
        Self { code: left.code(), message: left.to_string() }
    }

    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}
