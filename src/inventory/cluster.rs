//! Secrets from a cluster: one list a namespace, and the metadata of mirrors' sources (R7).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Inventory, Sources, decode};
use crate::certificate::live::{ApiCertificate, CERTIFICATES, LiveCertificate};
use crate::cluster::{Batch, CONCURRENT, Cluster, ClusterError, SECRETS, Selection};
use crate::secret::{KeyMaterial, ObjectName, Origin, ROUTING_LABEL, RawSecret, Replicator, Secret, judge};

/// The most sources that are looked up: a tenant can name any number of them.
const MAX_SOURCES: usize = 64;

/// The Secrets that can serve.
pub const TLS_SECRETS: &str = "type=kubernetes.io/tls";

/// A Secret as the API server gives it, without what is not needed.
#[derive(Deserialize)]
pub struct ApiSecret {
    metadata: ApiMetadata,
    #[serde(rename = "type", default)]
    type_: String,
    data: Option<ApiData>,
}

/// The metadata of an object.
#[derive(Deserialize)]
pub struct ApiMetadata {
    /// The namespace.
    #[serde(default)]
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The version of the object.
    #[serde(rename = "resourceVersion", default)]
    pub resource_version: String,
    /// The labels.
    pub labels: Option<BTreeMap<String, String>>,
    /// The annotations.
    pub annotations: Option<BTreeMap<String, String>>,
    /// When its deletion began.
    #[serde(rename = "deletionTimestamp")]
    pub deleted: Option<String>,
}

/// An object of which only the metadata is read.
#[derive(Deserialize)]
pub struct ApiObject {
    /// The metadata.
    pub metadata: ApiMetadata,
}

#[derive(Default, Deserialize)]
struct ApiData {
    #[serde(rename = "tls.crt")]
    certificate: Option<String>,
    #[serde(rename = "ca.crt")]
    authorities: Option<String>,
    #[serde(rename = "tls.key")]
    key: Option<Zeroizing<String>>,
}

impl ApiSecret {
    /// What is judged of it.
    #[must_use]
    pub fn into_raw(self) -> RawSecret {
        let ApiData { certificate, authorities, key } = self.data.unwrap_or_default();
        let certificate = certificate.map(|text| decode(&text, "tls.crt").map(|bytes| bytes.to_vec())).transpose();
        let key = key.map_or(Ok(KeyMaterial::Absent), |text| decode(&text, "tls.key").map(KeyMaterial::Pem));
        RawSecret {
            id: ObjectName { namespace: self.metadata.namespace, name: self.metadata.name },
            type_: self.type_,
            labels: self.metadata.labels.unwrap_or_default(),
            annotations: self.metadata.annotations.unwrap_or_default(),
            certificate,
            authorities: authorities.and_then(|text| decode(&text, "ca.crt").ok()).map(|bytes| bytes.to_vec()),
            key,
        }
    }
}

/// Reads the TLS Secrets of the namespaces, those that a label selector picks if there is one, judged at a point in time; each key is dropped once it was compared. Of
/// Reflector's mirrors the sources' metadata is read, unless `given` says which the routing secrets are.
///
/// # Errors
/// When a namespace cannot be read. A source that cannot be read is a reason, not an error.
pub async fn read(
    cluster: &Cluster,
    namespaces: &BTreeSet<String>,
    labels: Option<&str>,
    given: &[ObjectName],
    now: Timestamp,
) -> Result<Inventory, ClusterError> {
    let of_namespaces: Vec<Vec<Secret>> = stream::iter(namespaces)
        .map(|namespace| async move {
            let mut secrets = Vec::new();
            let selection = Selection { namespace: Some(namespace), labels, fields: Some(TLS_SECRETS) };
            let each = |batch: Batch<ApiSecret>| {
                match batch {
                    Batch::Items(items) => secrets.extend(items.into_iter().map(|item| judge(item.into_raw(), now))),
                    Batch::Restart => secrets.clear(),
                }
                true
            };
            cluster.list(SECRETS, selection, each).await?;
            Ok(secrets)
        })
        .buffer_unordered(CONCURRENT)
        .try_collect()
        .await?;
    // A list that changes while it is read can name a Secret on two pages; the later one is the newer.
    let by_name: BTreeMap<ObjectName, Secret> =
        of_namespaces.into_iter().flatten().map(|secret| (secret.id.clone(), secret)).collect();
    let secrets: Vec<Secret> = by_name.into_values().collect();
    let mut sources = Sources { given: given.to_vec(), ..Sources::default() };
    if given.is_empty() {
        look_up(cluster, &secrets, |of| namespaces.contains(&of.namespace), &mut sources).await;
    }
    Ok(Inventory::build(secrets, &sources, now))
}

/// Reads cert-manager's Certificates of a namespace, or of all; nothing where cert-manager is not installed.
///
/// # Errors
/// When they cannot be read.
pub async fn certificates(
    cluster: &Cluster,
    namespace: Option<&str>,
) -> Result<Option<Vec<LiveCertificate>>, ClusterError> {
    let mut certificates: BTreeMap<ObjectName, LiveCertificate> = BTreeMap::new();
    let selection = Selection { namespace, ..Selection::default() };
    let each = |batch: Batch<ApiCertificate>| {
        match batch {
            Batch::Items(items) => {
                let items = items.into_iter().map(LiveCertificate::from);
                certificates.extend(items.map(|certificate| (certificate.id.clone(), certificate)));
            }
            Batch::Restart => certificates.clear(),
        }
        true
    };
    let is_served = cluster.list(CERTIFICATES, selection, each).await?;
    Ok(is_served.then(|| certificates.into_values().collect()))
}

/// Finds out which of the mirrors' sources are routing secrets, those aside of which it is known.
pub async fn look_up(
    cluster: &Cluster,
    secrets: &[Secret],
    is_known: impl Fn(&ObjectName) -> bool,
    sources: &mut Sources,
) {
    let named: BTreeSet<&ObjectName> = secrets
        .iter()
        .filter_map(|secret| match &secret.origin {
            Origin::Mirror { of, by: Replicator::Reflector } if !is_known(of) => Some(of),
            _ => None,
        })
        .collect();
    for of in named.iter().skip(MAX_SOURCES) {
        sources.unreadable.insert((*of).clone(), format!("more than {MAX_SOURCES} sources are named"));
    }
    let found: Vec<(&ObjectName, Result<Option<ApiObject>, ClusterError>)> =
        stream::iter(named.into_iter().take(MAX_SOURCES))
            .map(|of| async move { (of, cluster.metadata(SECRETS, &of.namespace, &of.name).await) })
            .buffer_unordered(CONCURRENT)
            .collect()
            .await;
    let mut labelled = HashMap::new();
    for (of, found) in found {
        match found {
            Ok(Some(object)) => {
                if object.metadata.labels.is_some_and(|labels| labels.contains_key(ROUTING_LABEL)) {
                    labelled.insert(of.clone(), object.metadata.resource_version);
                }
            }
            Ok(None) => {
                sources.missing.insert(of.clone());
                sources.unreadable.insert(of.clone(), "there is no such Secret".to_owned());
            }
            Err(error) => {
                sources.unreadable.insert(of.clone(), error.to_string());
            }
        }
    }
    sources.labelled = labelled;
}
