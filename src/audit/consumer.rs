//! A consumer as it stands in a cluster, reduced to what an audit needs of it.

use serde::Deserialize as _;
use serde_json::Value;

use crate::certificate::{CertificateSpec, of_trigger};
use crate::choose::HostName;
use crate::cluster::ServedKind;
use crate::consumers::trigger::Actor;
use crate::consumers::{self, Consumer, Left, Row};
use crate::manifest::Document;
use crate::manifest::object::objects;
use crate::output::escape::{escape, escape_json};
use crate::plan::ForeignTrigger;
use crate::plan::live::{LiveObject, LiveRef, foreign_triggers};
use crate::secret::ObjectName;

/// A consumer of a cluster.
#[derive(Clone, Debug)]
pub struct LiveConsumer {
    /// The object.
    pub object: LiveRef,
    /// Its slots.
    pub slots: Vec<LiveSlot>,
    /// Its triggers.
    pub triggers: Vec<LiveTrigger>,
    /// The annotations that only shape what the triggers produce.
    pub companions: Vec<String>,
    /// The issuer that its trigger names, as `Kind/name`.
    pub issuer: String,
    /// Why no slot of it could be served by another Secret.
    pub left: Option<Left>,
    /// The hosts of its rules that no slot lists.
    pub unlisted: Vec<HostName>,
    /// The triggers that others than the release's manager own, when it is part of a release.
    pub foreign: Vec<ForeignTrigger>,
    /// The Helm release that it belongs to.
    pub release: Option<ObjectName>,
}

/// A slot of it.
#[derive(Clone, Debug)]
pub struct LiveSlot {
    /// The path of the Secret's name.
    pub path: String,
    /// The hosts that it serves.
    pub hosts: Vec<String>,
    /// Those that a certificate can cover.
    pub names: Vec<HostName>,
    /// The Secret's name; empty where a resolver stands in its place.
    pub secret_name: String,
    /// The Secret's namespace, where it is not the object's own.
    pub namespace: Option<String>,
    /// Whether several Secrets could share its hosts.
    pub splits: bool,
    /// Why it could not be served by another Secret.
    pub left: Option<Left>,
    /// What the object's trigger asks for.
    pub ordered: Option<CertificateSpec>,
}

/// A trigger of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveTrigger {
    /// The annotation's key, or the field's path.
    pub key: String,
    /// What acts on it.
    pub actor: Actor,
    /// Whether it is an annotation.
    pub is_annotation: bool,
}

impl LiveConsumer {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> ObjectName {
        ObjectName { namespace: self.object.namespace.clone(), name: self.object.name.clone() }
    }

    /// Whether a trigger makes an issuer write into its Secrets.
    #[must_use]
    pub fn writes_secrets(&self) -> bool {
        self.triggers.iter().any(|trigger| trigger.actor == Actor::Secret)
    }

    /// `-n NAMESPACE RESOURCE NAME`, for kubectl.
    #[must_use]
    pub fn arguments(&self) -> String {
        let LiveRef { row, group, namespace, name, .. } = &self.object;
        let resource = match group.as_str() {
            "" => row.plural.to_owned(),
            group => format!("{}.{}", row.plural, escape(group)),
        };
        format!("-n {} {resource} {}", escape(namespace), escape(name))
    }
}

/// The row of a kind, if it is a consumer.
#[must_use]
pub fn row(kind: &ServedKind) -> Option<&'static Row> {
    consumers::TABLE.iter().find(|row| row.kind == kind.kind && row.groups.contains(&kind.group.as_str())).copied()
}

/// An object without its history: who changed what, and how it was applied last.
#[must_use]
pub fn without_history(mut object: Value) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    object
}

/// The object as the text of a document; the items of a list name no kind themselves.
#[must_use]
pub fn text(kind: &ServedKind, mut object: Value) -> String {
    if let Some(object) = object.as_object_mut() {
        object.insert("apiVersion".to_owned(), kind.api_version().into());
        object.insert("kind".to_owned(), kind.kind.clone().into());
    }
    escape_json(&object.to_string()).into_owned()
}

/// Reads an object of a kind in the table; nothing when it has neither a slot nor a trigger.
#[must_use]
pub fn read(kind: &ServedKind, row: &'static Row, object: Value, further_triggers: &[String]) -> Option<LiveConsumer> {
    let live = LiveObject::deserialize(&object).unwrap_or_default();
    let text = text(kind, without_history(object));
    let document = Document::parse(text.as_bytes()).ok()?;
    let object = objects(&document).into_iter().next()?;
    let mut consumer = consumers::read(0, &document, object, further_triggers)?;
    let own = consumer.object.namespace.unwrap_or_default();
    consumer.in_namespace(own);
    if consumer.slots.is_empty() && consumer.triggers.is_empty() {
        return None;
    }
    let annotation = |key: &str| document.text_at(consumer.object.node, &["metadata", "annotations", key]);
    let of = LiveRef {
        key: String::new(),
        row,
        group: kind.group.clone(),
        version: kind.version.clone(),
        namespace: own.to_owned(),
        name: consumer.object.name.to_owned(),
        is_parent: false,
    };
    let release = annotation("meta.helm.sh/release-name").map(|name| ObjectName {
        namespace: annotation("meta.helm.sh/release-namespace").unwrap_or(&of.namespace).to_owned(),
        name: name.to_owned(),
    });
    // Without a release every trigger is its owner's own.
    let foreign = match &release {
        Some(_) if !consumer.triggers.is_empty() => foreign_triggers(&of, &live, further_triggers),
        _ => Vec::new(),
    };
    Some(LiveConsumer {
        slots: consumer.slots.iter().map(|slot| read_slot(&consumer, slot)).collect(),
        triggers: triggers(&consumer),
        companions: consumer.companions.iter().map(|companion| companion.key.to_string()).collect(),
        issuer: crate::certificate::issuer_of(&consumer),
        left: consumer.left.clone().filter(is_meant),
        unlisted: consumer.unlisted.iter().map(|(_, name)| name.clone()).collect(),
        foreign,
        release,
        object: of,
    })
}

fn triggers(consumer: &Consumer<'_>) -> Vec<LiveTrigger> {
    let block = consumer.row.tls.join(".");
    let read = |trigger: &consumers::trigger::Trigger| LiveTrigger {
        is_annotation: !trigger.key.starts_with(&format!("{block}.")),
        key: trigger.key.to_string(),
        actor: trigger.actor,
    };
    consumer.triggers.iter().map(read).collect()
}

fn read_slot(consumer: &Consumer<'_>, slot: &consumers::Slot) -> LiveSlot {
    LiveSlot {
        path: slot.path.clone(),
        hosts: slot.hosts.clone(),
        names: slot.names.clone(),
        secret_name: slot.secret_name.clone(),
        namespace: slot.namespace.clone(),
        splits: consumer.row.splits && slot.is_entry() && slot.listed == slot.hosts.len() && slot.listed > 1,
        left: slot.left.clone().filter(is_meant),
        ordered: (!consumer.triggers.is_empty()).then(|| of_trigger(consumer, slot)),
    }
}

/// How the text could be edited does not matter here.
fn is_meant(left: &Left) -> bool {
    !matches!(left, Left::SharedNode | Left::MergeKey | Left::Layout | Left::LineBreaks)
}
