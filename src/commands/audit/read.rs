//! Reads for an audit, page by page, and keeps of each object only what is needed.

use std::collections::{BTreeSet, HashSet};

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::progress::Progress;
use super::search;
use crate::audit::consumer::{self, LiveConsumer};
use crate::audit::orders::{
    ApiIssuer, ApiOrder, ApiRequest, CLUSTER_ISSUERS, ISSUERS, ORDERS, Ordered, REQUESTS, issuances,
};
use crate::audit::{Index, NotRead, Seen, covered, unused};
use crate::cluster::{Batch, CONCURRENT, Cluster, ClusterError, Resource, SECRETS, Selection, ServedKind};
use crate::consumers::{Row, TABLE};
use crate::inventory::cluster::{ApiObject, ApiSecret, TLS_SECRETS, certificates, read as read_secrets};
use crate::inventory::{Inventory, Sources};
use crate::secret::{ObjectName, Origin, Secret, judge};

/// What is audited.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    /// The namespace; `None` for all.
    pub(super) namespace: Option<&'s str>,
    /// Further annotations that are triggers.
    pub(super) triggers: &'s [String],
    /// The time.
    pub(super) now: Timestamp,
    /// How many seconds back orders count.
    pub(super) window: i64,
}

/// What is absent or forbidden is noted.
pub(super) async fn read(cluster: &Cluster, scope: Scope<'_>, progress: &Progress<'_>) -> Result<Seen, ClusterError> {
    let mut seen = Seen { namespace: scope.namespace.map(str::to_owned), ..Seen::default() };
    let kinds = cluster.kinds().await?;
    read_consumers(cluster, scope, &kinds, progress, &mut seen).await?;
    progress.say("certificates.cert-manager.io", 0);
    match soften("certificates.cert-manager.io", certificates(cluster, scope.namespace).await, &mut seen)?.flatten() {
        Some(certificates) => seen.certificates = certificates,
        None => seen.not_served.push("Certificate.cert-manager.io".to_owned()),
    }
    let (orders, requests) = read_orders(cluster, scope, &mut seen).await?;
    read_inventory(cluster, scope, progress, &mut seen).await?;
    let since = Timestamp::from_second(scope.now.as_second() - scope.window).unwrap_or(Timestamp::UNIX_EPOCH);
    seen.issuances = issuances(orders, requests, &seen.certificates, seen.inventory.as_ref(), &seen.acme, since);
    let index = Index::new(&seen);
    let candidates: HashSet<ObjectName> =
        covered::candidates(&index).into_iter().chain(unused::candidates(&index)).collect();
    seen.mentions = search::search(cluster, scope.namespace, &kinds, candidates, progress).await?;
    seen.reads = cluster.reads();
    Ok(seen)
}

/// What may not be read, or is broken, is noted; a server that cannot be reached is an error.
fn soften<T>(resource: &str, read: Result<T, ClusterError>, seen: &mut Seen) -> Result<Option<T>, ClusterError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            let message = tolerated(error)?;
            seen.not_read.push(NotRead { resource: resource.to_owned(), message });
            Ok(None)
        }
    }
}

/// Why something was not read, when the rest can be.
pub(super) fn tolerated(error: ClusterError) -> Result<String, ClusterError> {
    match error {
        ClusterError::Forbidden { read, .. } => Ok(format!("may not {read}; bind this to the user: {}", read.role())),
        ClusterError::Status { .. } | ClusterError::Answer { .. } | ClusterError::Expired(_) => Ok(error.to_string()),
        error => Err(error),
    }
}

async fn read_consumers(
    cluster: &Cluster,
    scope: Scope<'_>,
    kinds: &BTreeSet<ServedKind>,
    progress: &Progress<'_>,
    seen: &mut Seen,
) -> Result<(), ClusterError> {
    let served: Vec<(&ServedKind, &'static Row)> =
        kinds.iter().filter_map(|kind| Some((kind, consumer::row(kind)?))).collect();
    let is_served = |row: &&Row| served.iter().any(|(_, other)| std::ptr::eq(*row, *other));
    let absent = TABLE.iter().copied().filter(|row| !is_served(row));
    seen.not_served.extend(absent.map(|row| format!("{}.{}", row.kind, row.groups.first().unwrap_or(&""))));
    let read: Vec<(&ServedKind, Result<Vec<LiveConsumer>, ClusterError>)> = stream::iter(served)
        .map(|(kind, row)| async move {
            let mut consumers = Vec::new();
            let mut count = 0;
            let each = |batch: Batch<Value>| {
                match batch {
                    Batch::Items(items) => {
                        count += items.len();
                        progress.say(&kind.name(), count);
                        let read = |object: Value| consumer::read(kind, row, object, scope.triggers);
                        consumers.extend(items.into_par_iter().filter_map(read).collect::<Vec<_>>());
                    }
                    Batch::Restart => {
                        consumers.clear();
                        count = 0;
                    }
                }
                true
            };
            let selection = Selection { namespace: scope.namespace, ..Selection::default() };
            let read = cluster.list(kind.resource(), selection, each).await;
            (kind, read.map(|_| consumers))
        })
        .buffer_unordered(CONCURRENT)
        .collect()
        .await;
    for (kind, consumers) in read {
        if let Some(consumers) = soften(&kind.name(), consumers, seen)? {
            seen.kinds.insert(kind.name(), consumers.len());
            seen.consumers.extend(consumers);
        }
    }
    Ok(())
}

/// A list of which each object is reduced as it comes.
async fn reduced<A: DeserializeOwned, T>(
    cluster: &Cluster,
    resource: Resource<'_>,
    namespace: Option<&str>,
    reduce: impl Fn(A) -> Option<T>,
) -> Result<Vec<T>, ClusterError> {
    let mut reduced = Vec::new();
    let each = |batch: Batch<A>| {
        match batch {
            Batch::Items(items) => reduced.extend(items.into_iter().filter_map(&reduce)),
            Batch::Restart => reduced.clear(),
        }
        true
    };
    cluster.list(resource, Selection { namespace, ..Selection::default() }, each).await?;
    Ok(reduced)
}

async fn read_orders(
    cluster: &Cluster,
    scope: Scope<'_>,
    seen: &mut Seen,
) -> Result<(Vec<Ordered>, Vec<Ordered>), ClusterError> {
    let since = scope.now.as_second() - scope.window;
    let recent = |ordered: &Ordered| ordered.at().as_second() >= since;
    for (name, resource, namespace) in [
        ("issuers.cert-manager.io", ISSUERS, scope.namespace),
        ("clusterissuers.cert-manager.io", CLUSTER_ISSUERS, None),
    ] {
        let issuers = reduced(cluster, resource, namespace, |issuer: ApiIssuer| Some(issuer)).await;
        for issuer in soften(name, issuers, seen)?.unwrap_or_default() {
            seen.acme.add(issuer);
        }
    }
    let orders = |order: ApiOrder| order.reduce().filter(recent);
    let orders = reduced(cluster, ORDERS, scope.namespace, orders).await;
    let orders = soften("orders.acme.cert-manager.io", orders, seen)?.unwrap_or_default();
    let requests = |request: ApiRequest| request.reduce().filter(recent);
    let requests = reduced(cluster, REQUESTS, scope.namespace, requests).await;
    let requests = soften("certificaterequests.cert-manager.io", requests, seen)?.unwrap_or_default();
    Ok((orders, requests))
}

/// The routing secrets, and those that slots and Certificates name.
async fn read_inventory(
    cluster: &Cluster,
    scope: Scope<'_>,
    progress: &Progress<'_>,
    seen: &mut Seen,
) -> Result<(), ClusterError> {
    let slots = |seen: &Seen| -> HashSet<ObjectName> {
        let named = seen.consumers.iter().flat_map(|consumer| consumer.slots.iter().map(|slot| consumer.secret(slot)));
        named.filter(|secret| !secret.name.is_empty()).collect()
    };
    let slots = slots(seen);
    let inventory = match scope.namespace {
        Some(namespace) => {
            let namespaces = std::iter::once(namespace.to_owned()).collect();
            read_secrets(cluster, &namespaces, None, &[], scope.now).await
        }
        None => {
            let mut wanted = slots.clone();
            wanted.extend(seen.certificates.iter().filter_map(|certificate| certificate.secret()));
            all_secrets(cluster, &wanted, scope.now, progress).await
        }
    };
    let Some(inventory) = soften("secrets", inventory, seen)? else { return Ok(()) };
    let missing: HashSet<ObjectName> =
        slots.into_iter().filter(|id| inventory.get(&id.namespace, &id.name).is_none()).collect();
    if !missing.is_empty() {
        let mut found = HashSet::new();
        let fields = Some("type!=kubernetes.io/tls");
        let selection = Selection { namespace: scope.namespace, fields, ..Selection::default() };
        let each = |batch: Batch<ApiObject>| {
            if let Batch::Items(items) = batch {
                let ids = items.into_iter().map(|item| item.metadata);
                let ids = ids.map(|of| ObjectName { namespace: of.namespace, name: of.name });
                found.extend(ids.filter(|id| missing.contains(id)));
            }
            true
        };
        cluster.list_metadata(SECRETS, selection, each).await?;
        seen.of_other_types = found;
    }
    seen.inventory = Some(inventory);
    Ok(())
}

async fn all_secrets(
    cluster: &Cluster,
    wanted: &HashSet<ObjectName>,
    now: Timestamp,
    progress: &Progress<'_>,
) -> Result<Inventory, ClusterError> {
    let mut secrets: Vec<Secret> = Vec::new();
    let mut count = 0;
    let is_kept = |secret: &Secret| {
        secret.routing || secret.replicated || secret.origin != Origin::Source || wanted.contains(&secret.id)
    };
    let each = |batch: Batch<ApiSecret>| {
        match batch {
            Batch::Items(items) => {
                count += items.len();
                progress.say("secrets", count);
                let judged = items.into_par_iter().map(|item| judge(item.into_raw(), now)).filter(is_kept);
                secrets.extend(judged.collect::<Vec<_>>());
            }
            Batch::Restart => {
                secrets.clear();
                count = 0;
            }
        }
        true
    };
    cluster.list(SECRETS, Selection { fields: Some(TLS_SECRETS), ..Selection::default() }, each).await?;
    Ok(Inventory::build(secrets, &Sources::default(), now))
}
