//! What the cluster says about Secrets in other namespaces than their objects' (R6). What cannot be read permits
//! nothing, and fails no render.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};
use serde::Deserialize;

use crate::cluster::{Batch, CONCURRENT, Cluster, ClusterError, Resource, Selection};
use crate::consumers::Permission;
use crate::consumers::elsewhere::{DELEGATION, Grant, delegated};
use crate::consumers::gateway::{GROUP, grant};
use crate::inventory::cluster::{ApiMetadata, ApiObject};
use crate::plan::{Found, Outside};

const PODS: Resource<'static> = Resource { group: "", version: "v1", plural: "pods" };

const DELEGATIONS: Resource<'static> =
    Resource { group: DELEGATION.0, version: "v1", plural: "tlscertificatedelegations" };

/// A TLSCertificateDelegation, as far as it matters here.
#[derive(Deserialize)]
struct Delegation {
    metadata: ApiMetadata,
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

/// Reads the permissions that the slots of a render need, and where the pods are that read Secrets.
///
/// # Errors
/// When the cluster does not answer; a refusal is no error.
pub(super) async fn read(cluster: &Cluster, found: &Found<'_>, outside: &mut Outside) -> Result<(), ClusterError> {
    let read: Vec<_> = stream::iter(found.wanted_grants())
        .map(|(permission, namespace)| async move {
            let granted = grants(cluster, permission, &namespace).await;
            (namespace, granted)
        })
        .buffer_unordered(CONCURRENT)
        .collect()
        .await;
    for (namespace, granted) in read {
        match granted {
            Ok(grants) => outside.grants.extend(grants),
            Err(error @ ClusterError::Forbidden { .. }) => {
                outside.unseen.insert(namespace, error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    if outside.gateway_namespace.is_none() {
        for labels in found.wanted_pods() {
            match pods(cluster, &labels).await {
                Ok(namespaces) => outside.pods.insert(labels, Ok(namespaces)),
                Err(error @ ClusterError::Forbidden { .. }) => outside.pods.insert(labels, Err(error.to_string())),
                Err(error) => return Err(error),
            };
        }
    }
    Ok(())
}

/// The namespaces of the pods with these labels.
async fn pods(cluster: &Cluster, labels: &str) -> Result<Vec<String>, ClusterError> {
    let mut namespaces = BTreeSet::new();
    let selection = Selection { labels: Some(labels), ..Selection::default() };
    let each = |batch: Batch<ApiObject>| {
        match batch {
            Batch::Items(items) => namespaces.extend(items.into_iter().map(|item| item.metadata.namespace)),
            Batch::Restart => namespaces.clear(),
        }
        true
    };
    cluster.list_metadata(PODS, selection, each).await?;
    Ok(namespaces.into_iter().collect())
}

async fn grants(cluster: &Cluster, permission: Permission, namespace: &str) -> Result<Vec<Grant>, ClusterError> {
    match permission {
        Permission::TLSCertificateDelegation => delegations(cluster, namespace).await,
        Permission::ReferenceGrant => reference_grants(cluster, namespace).await,
    }
}

async fn delegations(cluster: &Cluster, namespace: &str) -> Result<Vec<Grant>, ClusterError> {
    let mut grants = Vec::new();
    let selection = Selection { namespace: Some(namespace), ..Selection::default() };
    let each = |batch: Batch<Delegation>| {
        match batch {
            Batch::Items(items) => {
                for item in &items {
                    grants.extend(item.spec.delegations.iter().flat_map(|entry| {
                        let targets: Vec<&str> = entry.target_namespaces.iter().map(String::as_str).collect();
                        delegated(namespace, &item.metadata.name, &entry.secret_name, &targets)
                    }));
                }
            }
            Batch::Restart => grants.clear(),
        }
        true
    };
    cluster.list(DELEGATIONS, selection, each).await?;
    Ok(grants)
}

/// A ReferenceGrant, as far as it matters here.
#[derive(Deserialize)]
struct ReferenceGrant {
    metadata: ApiMetadata,
    #[serde(default)]
    spec: grant::GrantSpec,
}

async fn reference_grants(cluster: &Cluster, namespace: &str) -> Result<Vec<Grant>, ClusterError> {
    let mut grants = Vec::new();
    for version in grant::VERSIONS {
        let each = |batch: Batch<ReferenceGrant>| {
            match batch {
                Batch::Items(items) => {
                    grants.extend(items.iter().flat_map(|item| item.spec.grants(namespace, &item.metadata.name)));
                }
                Batch::Restart => grants.clear(),
            }
            true
        };
        let resource = Resource { group: GROUP, version, plural: grant::PLURAL };
        let selection = Selection { namespace: Some(namespace), ..Selection::default() };
        if cluster.list(resource, selection, each).await? {
            break;
        }
    }
    Ok(grants)
}
