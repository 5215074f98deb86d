//! A Secret as it stands in a cluster, with all that a change of it depends on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{KeyMaterial, ObjectName, RawSecret};
use crate::cluster::{MANAGER, ManagedFields};
use crate::inventory::decode;

/// The values of a Secret, in base64. Never shown: keys are among them.
pub type SecretData = BTreeMap<String, Zeroizing<String>>;

/// A Secret of a cluster, or the metadata of any object.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct LiveSecret {
    /// Its metadata.
    pub metadata: LiveMetadata,
    /// Its type.
    #[serde(rename = "type")]
    pub type_: String,
    /// Its values.
    pub data: Option<SecretData>,
}

/// The metadata of a live object.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LiveMetadata {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// What tells it from another of that name.
    pub uid: String,
    /// Its version.
    pub resource_version: String,
    /// When its deletion was asked for.
    pub deletion_timestamp: Option<String>,
    /// The labels.
    pub labels: Option<BTreeMap<String, String>>,
    /// The annotations.
    pub annotations: Option<BTreeMap<String, String>>,
    /// Who owns what of it.
    pub managed_fields: Option<Vec<ManagedFields>>,
}

impl LiveMetadata {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> ObjectName {
        ObjectName { namespace: self.namespace.clone(), name: self.name.clone() }
    }

    /// A label's value.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.as_ref()?.get(key).map(String::as_str)
    }

    /// An annotation's value.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// Whether a manager has applied it.
    #[must_use]
    pub fn is_applied_by(&self, manager: &str) -> bool {
        self.managers().any(|fields| fields.manager == manager && fields.operation == "Apply")
    }

    /// Another manager than us that owns the field at this path.
    #[must_use]
    pub fn other_owner(&self, path: &[&str]) -> Option<&str> {
        self.managers()
            .find(|fields| fields.manager != MANAGER && fields.owns(path))
            .map(|fields| fields.manager.as_str())
    }

    /// The managers, each once, as a text; `nobody known` when there are none.
    #[must_use]
    pub fn owners(&self) -> String {
        let mut names: Vec<&str> = self.managers().map(|fields| fields.manager.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() { "nobody known".to_owned() } else { names.join(", ") }
    }

    fn managers(&self) -> impl Iterator<Item = &ManagedFields> {
        self.managed_fields.iter().flatten()
    }
}

impl LiveSecret {
    /// What is judged of it.
    #[must_use]
    pub fn raw(&self) -> RawSecret {
        let value = |key: &'static str| {
            let text = self.data.as_ref().and_then(|data| data.get(key));
            text.map(|text| decode(text, key)).transpose()
        };
        RawSecret {
            id: self.metadata.id(),
            type_: self.type_.clone(),
            labels: self.metadata.labels.clone().unwrap_or_default(),
            annotations: self.metadata.annotations.clone().unwrap_or_default(),
            certificate: value("tls.crt").map(|pem| pem.map(|pem| pem.to_vec())),
            authorities: None,
            key: value("tls.key").map(|key| key.map_or(KeyMaterial::Absent, KeyMaterial::Pem)),
        }
    }
}

/// An object as it is sent to be applied: what may be shown of it, and a Secret's values.
#[derive(Serialize)]
pub struct Applied<'a> {
    /// All but the values.
    #[serde(flatten)]
    pub object: &'a Value,
    /// The values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<&'a SecretData>,
}
