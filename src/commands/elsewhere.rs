//! What the cluster says about Secrets in other namespaces than their objects' (R6). What cannot be read permits
//! nothing, and fails no render.

use serde::Deserialize;

use crate::cluster::{Batch, Cluster, ClusterError, Resource, Selection};
use crate::consumers::Permission;
use crate::consumers::elsewhere::{DELEGATION, Grant, delegated};
use crate::plan::{Found, Outside};

const DELEGATIONS: Resource<'static> =
    Resource { group: DELEGATION.0, version: "v1", plural: "tlscertificatedelegations" };

/// A TLSCertificateDelegation, as far as it matters here.
#[derive(Deserialize)]
struct Delegation {
    spec: DelegationSpec,
}

#[derive(Deserialize)]
struct DelegationSpec {
    #[serde(default)]
    delegations: Vec<DelegationEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DelegationEntry {
    secret_name: String,
    target_namespaces: Vec<String>,
}

/// Reads the permissions that the slots of a render need.
///
/// # Errors
/// When the cluster does not answer; a refusal is no error.
pub(super) async fn read(cluster: &Cluster, found: &Found<'_>) -> Result<Outside, ClusterError> {
    let mut outside = Outside::default();
    for (permission, namespace) in found.wanted_grants() {
        let granted = match permission {
            Permission::TLSCertificateDelegation => delegations(cluster, &namespace).await,
            Permission::ReferenceGrant => continue,
        };
        match granted {
            Ok(grants) => outside.grants.extend(grants),
            Err(error @ ClusterError::Forbidden { .. }) => {
                outside.unreadable.insert(namespace, error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(outside)
}

async fn delegations(cluster: &Cluster, namespace: &str) -> Result<Vec<Grant>, ClusterError> {
    let mut grants = Vec::new();
    let selection = Selection { namespace: Some(namespace), ..Selection::default() };
    let each = |batch: Batch<Delegation>| {
        match batch {
            Batch::Items(items) => {
                let entries = items.iter().flat_map(|item| &item.spec.delegations);
                grants.extend(entries.flat_map(|entry| {
                    let targets: Vec<&str> = entry.target_namespaces.iter().map(String::as_str).collect();
                    delegated(namespace, &entry.secret_name, &targets)
                }));
            }
            Batch::Restart => grants.clear(),
        }
        true
    };
    cluster.list(DELEGATIONS, selection, each).await?;
    Ok(grants)
}
