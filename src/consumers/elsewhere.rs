//! Secrets in another namespace than the object's own: who may name them, and how (R6).

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::path::names;
use super::{Consumer, Left, NodeId, Slot};
use crate::choose::Query;
use crate::manifest::document::Document;
use crate::manifest::object::Object;

/// How a slot spells a Secret's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Spelling {
    /// `name`.
    #[default]
    Plain,
    /// `namespace/name`.
    Prefixed(String),
    /// `name.namespace`.
    Suffixed(String),
    /// `name`, where a dot would start a namespace.
    Undotted,
}

impl Spelling {
    /// Whether a reader would take the name, as it is written, for nothing else.
    #[must_use]
    pub fn can_write(&self, name: &str) -> bool {
        matches!(self, Self::Plain | Self::Prefixed(_)) || !name.contains('.')
    }

    /// The name as it stands in the manifest.
    #[must_use]
    pub fn write<'n>(&self, name: &'n str) -> Cow<'n, str> {
        match self {
            Self::Plain | Self::Undotted => name.into(),
            Self::Prefixed(namespace) => format!("{namespace}/{name}").into(),
            Self::Suffixed(namespace) => format!("{name}.{namespace}").into(),
        }
    }
}

/// A Secret's name as a slot spells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spelled {
    /// The name alone.
    pub name: String,
    /// The namespace, where the text names one.
    pub namespace: Option<String>,
    /// How both are spelled.
    pub spelling: Spelling,
}

impl Spelled {
    /// A text that is a name and nothing else.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Self { name: text.to_owned(), ..Self::default() }
    }

    /// `namespace/name`, or a name.
    #[must_use]
    pub fn prefixed(text: &str) -> Self {
        text.split_once('/').map_or_else(
            || Self::plain(text),
            |(namespace, name)| Self {
                name: name.to_owned(),
                namespace: Some(namespace.to_owned()),
                spelling: Spelling::Prefixed(namespace.to_owned()),
            },
        )
    }
}

impl Consumer<'_> {
    /// The namespace that the slot names; [`Consumer::in_namespace`] takes the object's own away.
    pub(super) fn secret_namespace(&self, document: &Document<'_>, tls: NodeId) -> Option<String> {
        if self.row.secret_namespace.is_empty() {
            return None;
        }
        let (namespace, _) = names(document, tls, self.row.secret_namespace).last().copied()?;
        document.text(namespace).filter(|namespace| !namespace.is_empty()).map(str::to_owned)
    }

    /// Tells the consumer its namespace, against which those of its slots are held (R6).
    pub fn in_namespace(&mut self, own: &str) {
        for slot in &mut self.slots {
            slot.namespace = slot.namespace.take().filter(|namespace| namespace != own);
            // No shim writes into another namespace.
            slot.shim &= slot.namespace.is_none();
            if !self.row.pod_selector.is_empty() {
                slot.left.get_or_insert(Left::PodNamespace(None));
            }
            if let (Some(namespace), Some(permission)) = (&slot.namespace, self.row.permission) {
                slot.left.get_or_insert_with(|| Left::NotGranted { permission, namespace: namespace.clone() });
            }
        }
    }

    /// Reads which other objects have a say in where the Secrets are and what they are.
    pub(super) fn read_relations(&mut self, document: &Document<'_>) {
        let labels = (!self.row.pod_selector.is_empty()).then(|| document.at(self.object.node, self.row.pod_selector));
        let labels = labels.flatten().into_iter().flat_map(|labels| document.entries(labels));
        let labels = labels.filter_map(|(key, value)| Some((document.text(key)?, document.text(value)?)));
        self.pods = labels.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
        self.partner = self.row.partner.and_then(|(kind, path)| {
            document.text_at(self.object.node, path).filter(|name| !name.is_empty()).map(|name| (kind, name.to_owned()))
        });
    }

    /// What is asked for a slot; `own` is the object's namespace.
    #[must_use]
    pub fn query<'q>(&self, slot: &'q Slot, own: &'q str) -> Query<'q> {
        Query {
            namespace: slot.namespace.as_deref().unwrap_or(own),
            hosts: &slot.names,
            span: self.row.span,
            current: (!slot.secret_name.is_empty()).then_some(slot.secret_name.as_str()),
            permitted: slot.permitted.as_ref(),
        }
    }
}

/// A permission to name Secrets of another namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The Secrets' namespace, which is that of the object that permits.
    pub namespace: String,
    /// The name of that object.
    pub by: String,
    /// The API group of the objects that may name them.
    pub group: String,
    /// Their kind; empty for every kind of the group.
    pub kind: String,
    /// Their namespace; `None` for every one.
    pub from: Option<String>,
    /// The Secret; `None` for every one.
    pub secret_name: Option<String>,
}

impl Grant {
    fn permits(&self, object: &Object<'_>, own: &str, namespace: &str) -> bool {
        self.namespace == namespace
            && self.group == object.group
            && (self.kind.is_empty() || self.kind == object.kind)
            && self.from.as_deref().is_none_or(|from| from == own)
    }
}

/// The Secrets of a namespace that an object may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Granted {
    /// Every one.
    Every,
    /// These.
    These(BTreeSet<String>),
}

/// The Secrets of a namespace that an object may name; `own` is its namespace.
#[must_use]
pub fn granted(grants: &[Grant], object: &Object<'_>, own: &str, namespace: &str) -> Granted {
    let mut names = BTreeSet::new();
    for grant in grants.iter().filter(|grant| grant.permits(object, own, namespace)) {
        match &grant.secret_name {
            Some(name) => names.insert(name.clone()),
            None => return Granted::Every,
        };
    }
    Granted::These(names)
}

/// Contour's permission: its group and kind.
pub const DELEGATION: (&str, &str) = ("projectcontour.io", "TLSCertificateDelegation");

/// What one entry of a TLSCertificateDelegation permits: `*` counts only as the one target
/// (projectcontour/contour `internal/dag/cache.go: delegationPermitted`).
#[must_use]
pub fn delegated(namespace: &str, by: &str, secret_name: &str, targets: &[&str]) -> Vec<Grant> {
    let grant = |from: Option<&&str>| Grant {
        namespace: namespace.to_owned(),
        by: by.to_owned(),
        group: DELEGATION.0.to_owned(),
        kind: String::new(),
        from: from.map(|&from| from.to_owned()),
        secret_name: Some(secret_name.to_owned()),
    };
    if targets == ["*"] { vec![grant(None)] } else { targets.iter().map(|target| grant(Some(target))).collect() }
}

/// What a TLSCertificateDelegation of the render permits; `own` is its namespace.
#[must_use]
pub fn delegations(document: &Document<'_>, object: &Object<'_>, own: &str) -> Vec<Grant> {
    let entries = document.at(object.node, &["spec", "delegations"]);
    let mut grants = Vec::new();
    for entry in entries.iter().flat_map(|&entries| document.items(entries)) {
        let Some(secret_name) = document.text_at(entry, &["secretName"]) else { continue };
        let targets = document.get(entry, "targetNamespaces");
        let targets: Vec<&str> =
            targets.iter().flat_map(|&node| document.items(node)).filter_map(|node| document.text(node)).collect();
        grants.extend(delegated(own, object.name, secret_name, &targets));
    }
    grants
}
