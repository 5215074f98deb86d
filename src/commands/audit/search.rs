//! Looks for the names of Secrets in every object that the server lists.

use std::collections::{BTreeSet, HashSet};

use futures_util::{StreamExt as _, stream};
use rayon::prelude::*;
use serde_json::Value;

use super::progress::Progress;
use super::read::tolerated;
use crate::audit::mention::{Mentions, Wanted};
use crate::cluster::{Batch, Cluster, ClusterError, Selection, ServedKind};
use crate::secret::ObjectName;

/// How many lists are under way at once: their pages can be large.
const CONCURRENT: usize = 2;

/// Groups whose objects follow from others, or are none.
const PASSED_OVER: [&str; 7] = [
    "acme.cert-manager.io",
    "events.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "metrics.k8s.io",
    "custom.metrics.k8s.io",
    "external.metrics.k8s.io",
];

/// The same, by resource.
const PASSED_OVER_RESOURCES: [&str; 6] = [
    "events",
    "endpoints",
    "nodes",
    "componentstatuses",
    "certificates.cert-manager.io",
    "certificaterequests.cert-manager.io",
];

/// Resources of which only the metadata is read: what Secrets hold is nobody's business, and definitions of kinds hold
/// much text and name no Secret.
const METADATA_ONLY: [&str; 2] = ["secrets", "customresourcedefinitions.apiextensions.k8s.io"];

/// Where the Secrets are named. Also with a namespace, all are looked through, since some kinds name Secrets of others.
pub(super) async fn search(
    cluster: &Cluster,
    namespace: Option<&str>,
    kinds: &BTreeSet<ServedKind>,
    secrets: HashSet<ObjectName>,
    progress: &Progress<'_>,
) -> Result<Mentions, ClusterError> {
    let wanted = Wanted::new(secrets);
    if wanted.is_empty() {
        return Ok(Mentions::default());
    }
    let is_looked_through = |kind: &&ServedKind| {
        !PASSED_OVER.contains(&kind.group.as_str()) && !PASSED_OVER_RESOURCES.contains(&kind.name().as_str())
    };
    let wanted = &wanted;
    let found: Vec<Result<Mentions, ClusterError>> = stream::iter(kinds.iter().filter(is_looked_through))
        .map(|kind| of_kind(cluster, namespace, kind, wanted, progress))
        .buffer_unordered(CONCURRENT)
        .collect()
        .await;
    let mut mentions = Mentions::default();
    for found in found {
        mentions.extend(found?);
    }
    Ok(mentions)
}

async fn of_kind(
    cluster: &Cluster,
    namespace: Option<&str>,
    kind: &ServedKind,
    wanted: &Wanted,
    progress: &Progress<'_>,
) -> Result<Mentions, ClusterError> {
    let mut scopes = vec![None];
    // Who may not read all namespaces may be allowed to read this one.
    scopes.extend(namespace.filter(|_| kind.namespaced).map(Some));
    let mut gap = None;
    for scope in scopes {
        let mut mentions = Mentions::default();
        let mut count = 0;
        let each = |batch: Batch<Value>| {
            // What was seen before a restart still counts: it was there.
            if let Batch::Items(items) = batch {
                count += items.len();
                progress.say(&kind.name(), count);
                let of_page = items.into_par_iter().fold(Mentions::default, |mut mentions, object| {
                    wanted.look(kind, object, &mut mentions);
                    mentions
                });
                mentions.extend(of_page.reduce(Mentions::default, |mut one, other| {
                    one.extend(other);
                    one
                }));
            }
            true
        };
        let selection = Selection { namespace: scope, ..Selection::default() };
        let read = match METADATA_ONLY.contains(&kind.name().as_str()) {
            true => cluster.list_metadata(kind.resource(), selection, each).await,
            false => cluster.list(kind.resource(), selection, each).await,
        };
        match read {
            Ok(_) => {
                mentions.gap = gap;
                return Ok(mentions);
            }
            Err(error) => gap = Some(tolerated(error)?),
        }
    }
    Ok(Mentions { gap, ..Mentions::default() })
}
