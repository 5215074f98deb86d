//! What has changed between two inventories.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::Inventory;
use crate::plan::API_VERSION;
use crate::secret::{ObjectName, Secret};

/// What `export --check FILE -o json` prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// `routing-secrets.epinio.io/v1alpha1`.
    pub api_version: &'static str,
    /// `InventoryChanges`.
    pub kind: &'static str,
    /// The changes, by namespace and name.
    pub items: Vec<Change>,
}

/// What has become of one Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// The Secret.
    pub secret: ObjectName,
    /// What has become of it.
    pub change: Kind,
    /// What differs, in words.
    pub differences: Vec<String>,
}

/// What has become of a Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another than before.
    Changed,
}

/// Compares the routing secrets, and those that someone made by hand, since a slot may name one of them (R8). What
/// cert-manager renews for an app is no change.
#[must_use]
pub fn compare(before: &Inventory, after: &Inventory) -> Changes {
    let of = |inventory: &Inventory| -> BTreeSet<ObjectName> {
        let counts = inventory.secrets().filter(|secret| secret.routing || secret.producer.is_none());
        counts.map(|secret| secret.id.clone()).collect()
    };
    let all: BTreeSet<ObjectName> = of(before).union(&of(after)).cloned().collect();
    let change = |id: ObjectName| {
        let get = |inventory: &'_ Inventory| inventory.get(&id.namespace, &id.name).cloned();
        let (change, differences) = match (get(before), get(after)) {
            (None, None) => return None,
            (None, Some(_)) => (Kind::Added, Vec::new()),
            (Some(_), None) => (Kind::Removed, Vec::new()),
            (Some(before), Some(after)) => (Kind::Changed, differences(&before, &after)),
        };
        let is_change = change != Kind::Changed || !differences.is_empty();
        is_change.then_some(Change { secret: id, change, differences })
    };
    Changes { api_version: API_VERSION, kind: "InventoryChanges", items: all.into_iter().filter_map(change).collect() }
}

fn differences(before: &Secret, after: &Secret) -> Vec<String> {
    let mut differences = Vec::new();
    match (before.routing, after.routing) {
        (false, true) => differences.push("it is a routing secret now".to_owned()),
        (true, false) => differences.push("it is no routing secret any more".to_owned()),
        _ => {}
    }
    let fingerprint = |secret: &Secret| secret.certificate.as_ref().map(|facts| facts.fingerprint.clone());
    if fingerprint(before) != fingerprint(after) {
        let expiry = |secret: &Secret| {
            secret.certificate.as_ref().map_or("none".to_owned(), |facts| format!("valid until {}", facts.not_after))
        };
        differences.push(format!("another certificate, {} instead of {}", expiry(after), expiry(before)));
    }
    if before.names != after.names {
        differences.push("it covers other hosts".to_owned());
    }
    let codes = |secret: &Secret| -> Vec<&str> { secret.problems.iter().map(crate::secret::Reason::code).collect() };
    if codes(before) != codes(after) {
        let words: Vec<String> = after.problems.iter().map(ToString::to_string).collect();
        differences.push(match after.is_usable() {
            true => "it can be used now".to_owned(),
            false => format!("it cannot be used: {}", words.join("; ")),
        });
    }
    if before.replicated != after.replicated {
        differences
            .push(if after.replicated { "it is copied elsewhere now" } else { "it is copied no more" }.to_owned());
    }
    differences
}
