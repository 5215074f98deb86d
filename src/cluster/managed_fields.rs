//! Who owns which fields of a live object (KEP 555, `metadata.managedFields`).

use serde::Deserialize;
use serde_json::Value;

/// What one manager owns.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ManagedFields {
    /// The manager.
    pub manager: String,
    /// `Apply` for server-side apply, `Update` for all else: to the API server these are two managers.
    pub operation: String,
    fields_v1: Value,
}

impl ManagedFields {
    /// Whether the manager owns the field at this path.
    #[must_use]
    pub fn owns(&self, path: &[&str]) -> bool {
        path.iter().try_fold(&self.fields_v1, |fields, key| fields.get(format!("f:{key}"))).is_some()
    }
}
