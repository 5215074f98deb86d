//! The copies of `distribute --via copy`: which are to be made, changed and deleted, and which Secrets are left alone.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};

use super::target::Target;
use crate::cluster::MANAGER;
use crate::output::escape::escape;
use crate::secret::live::{LiveMetadata, LiveSecret};
use crate::secret::mirror::{COPIED_FINGERPRINT, COPIED_FROM};
use crate::secret::{ObjectName, ROUTING_LABEL};

/// What is to be done in a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A copy is to be made.
    Create,
    /// The copy of this version is to be changed.
    Update {
        /// Its version.
        version: String,
    },
    /// The copy is as it should be.
    Keep,
    /// The copy is no longer asked for, and stays for want of `--prune`.
    Surplus,
    /// The copy is no longer asked for.
    Delete {
        /// What tells it from another.
        uid: String,
        /// Its version.
        version: String,
    },
    /// What is there is not ours to change.
    Leave(Leave),
}

/// Why what is there is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leave {
    /// A Secret that we did not make; its managers.
    Foreign(String),
    /// A copy of another source.
    OfAnother(String),
    /// A copy into which somebody else has written.
    WrittenBy(String),
    /// The namespace is being deleted.
    NamespaceGoes,
}

impl fmt::Display for Leave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(owners) => {
                write!(f, "a Secret of that name is there and not ours (made by {})", escape(owners))
            }
            Self::OfAnother(source) => write!(f, "it is a copy of {}", escape(source)),
            Self::WrittenBy(manager) => write!(
                f,
                "{} has written into the copy: see kubectl routing-secrets check; delete it to have it made anew",
                escape(manager)
            ),
            Self::NamespaceGoes => f.write_str("the namespace is being deleted"),
        }
    }
}

/// The source of copies.
pub struct Source<'s> {
    /// The Secret.
    pub secret: &'s LiveSecret,
    /// The fingerprint of its certificate.
    pub fingerprint: &'s str,
}

impl Source<'_> {
    fn id(&self) -> ObjectName {
        self.secret.metadata.id()
    }

    /// The copy for a namespace, without its values. With a version it is applied to that one only.
    #[must_use]
    pub fn copy(&self, namespace: &str, version: Option<&str>) -> Value {
        let of = self.id();
        let mut copy = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": of.name,
                "namespace": namespace,
                "labels": {ROUTING_LABEL: self.secret.metadata.label(ROUTING_LABEL).unwrap_or_default()},
                "annotations": {COPIED_FROM: of.to_string(), COPIED_FINGERPRINT: self.fingerprint},
            },
            "type": self.secret.type_,
        });
        if let Some(version) = version {
            copy["metadata"]["resourceVersion"] = version.into();
        }
        copy
    }

    fn is_same(&self, copy: &LiveSecret) -> bool {
        let metadata = &copy.metadata;
        copy.data == self.secret.data
            && copy.type_ == self.secret.type_
            && metadata.label(ROUTING_LABEL) == self.secret.metadata.label(ROUTING_LABEL)
            && metadata.annotation(COPIED_FINGERPRINT) == Some(self.fingerprint)
    }
}

/// What is to be done, by namespace. `named` are the Secrets of the source's name in all namespaces.
#[must_use]
pub fn plan(
    source: &Source<'_>,
    target: &Target,
    namespaces: &[LiveMetadata],
    named: &[LiveSecret],
    prune: bool,
) -> BTreeMap<String, Step> {
    let of = source.id();
    let there: BTreeMap<&str, &LiveSecret> =
        named.iter().map(|secret| (secret.metadata.namespace.as_str(), secret)).collect();
    let mut steps = BTreeMap::new();
    for namespace in namespaces.iter().filter(|namespace| namespace.name != of.namespace) {
        let is_asked = target.includes(&namespace.name, namespace.labels.as_ref().unwrap_or(&BTreeMap::new()));
        let goes = namespace.deletion_timestamp.is_some();
        let step = match there.get(namespace.name.as_str()) {
            None if is_asked && goes => Step::Leave(Leave::NamespaceGoes),
            None if is_asked => Step::Create,
            Some(secret) if is_asked && goes => {
                if source.is_same(secret) {
                    Step::Keep
                } else {
                    Step::Leave(Leave::NamespaceGoes)
                }
            }
            Some(secret) if is_asked => existing(source, &of, secret),
            Some(secret) if is_ours(&of, secret) => {
                let LiveMetadata { uid, resource_version: version, .. } = secret.metadata.clone();
                if prune { Step::Delete { uid, version } } else { Step::Surplus }
            }
            _ => continue,
        };
        steps.insert(namespace.name.clone(), step);
    }
    steps
}

/// Whether we made the Secret as a copy of this source: what the annotation says alone could be anybody's.
fn is_ours(of: &ObjectName, secret: &LiveSecret) -> bool {
    let metadata = &secret.metadata;
    metadata.is_applied_by(MANAGER) && metadata.annotation(COPIED_FROM) == Some(of.to_string().as_str())
}

fn existing(source: &Source<'_>, of: &ObjectName, secret: &LiveSecret) -> Step {
    let metadata = &secret.metadata;
    let copied = metadata.annotation(COPIED_FROM).filter(|_| metadata.is_applied_by(MANAGER));
    if !is_ours(of, secret) {
        return Step::Leave(match copied {
            Some(other) => Leave::OfAnother(other.to_owned()),
            None => Leave::Foreign(metadata.owners()),
        });
    }
    if source.is_same(secret) {
        return Step::Keep;
    }
    match metadata.other_owner(&["data", "tls.crt"]).or_else(|| metadata.other_owner(&["data", "tls.key"])) {
        Some(manager) => Step::Leave(Leave::WrittenBy(manager.to_owned())),
        None => Step::Update { version: metadata.resource_version.clone() },
    }
}

#[cfg(test)]
#[path = "copies_tests.rs"]
mod tests;
