//! The objects that serve hosts in namespaces without a usable routing secret, and who could serve them.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde_json::Value;

use super::read::{Query, unreadable};
use crate::check::{Facts, Known, LiveConsumer};
use crate::cluster::{Batch, Cluster, ClusterError, Resource, SECRETS, Selection};
use crate::consumers::{self, Row, Slot, TABLE};
use crate::inventory::cluster::{ApiSecret, TLS_SECRETS};
use crate::manifest::Document;
use crate::manifest::object::objects;
use crate::output::escape::escape_json;
use crate::secret::{ObjectName, ROUTING_LABEL, Secret, judge};

/// Reads them, unless a part of the secrets is looked at only, or the one namespace has a usable routing secret.
pub(super) async fn read(cluster: &Cluster, query: &Query<'_>, facts: &mut Facts) -> Result<(), ClusterError> {
    let is_part = !query.scope.names.is_empty() || query.selector.is_some();
    let is_served = query.scope.namespace.is_some() && facts.secrets().any(Secret::is_usable);
    if is_part || is_served {
        return Ok(());
    }
    facts.consumers = consumers(cluster, query).await?;
    let is_needed = facts.consumers.read().is_some_and(|consumers| !consumers.is_empty());
    if is_needed && query.scope.namespace.is_some() && query.given.is_empty() {
        facts.elsewhere = elsewhere(cluster, facts).await?;
    }
    Ok(())
}

/// Those of every kind that the server has. What of them may not be read makes all of them unknown.
async fn consumers(cluster: &Cluster, query: &Query<'_>) -> Result<Known<Vec<LiveConsumer>>, ClusterError> {
    let groups: BTreeSet<&str> = TABLE.iter().flat_map(|row| row.groups).copied().collect();
    let mut all = Vec::new();
    for group in groups {
        let version = match cluster.preferred_version(group).await {
            Ok(Some(version)) => version,
            Ok(None) => continue,
            Err(error) => return unreadable(error),
        };
        for row in TABLE.iter().filter(|row| row.groups.contains(&group)) {
            let api_version = format!("{group}/{version}");
            let mut of_kind: Vec<LiveConsumer> = Vec::new();
            let each = |batch: Batch<Value>| {
                match batch {
                    Batch::Items(items) => {
                        let found = items.into_par_iter().filter_map(|item| consumer(row, &api_version, item));
                        of_kind.extend(found.collect::<Vec<_>>());
                    }
                    Batch::Restart => of_kind.clear(),
                }
                true
            };
            let resource = Resource { group, version: &version, plural: row.plural };
            let selection = Selection { namespace: query.scope.namespace.as_deref(), ..Selection::default() };
            if let Err(error) = cluster.list(resource, selection, each).await {
                return unreadable(error);
            }
            all.extend(of_kind);
        }
    }
    Ok(Known::Read(all))
}

/// The slots that a routing secret of the object's own namespace could serve; nothing when it has none.
fn consumer(row: &'static Row, api_version: &str, mut object: Value) -> Option<LiveConsumer> {
    // The items of a list name no kind themselves.
    let fields = object.as_object_mut()?;
    fields.insert("apiVersion".to_owned(), api_version.into());
    fields.insert("kind".to_owned(), row.kind.into());
    let json = object.to_string();
    let json = escape_json(&json);
    let document = Document::parse(json.as_bytes()).ok()?;
    let found = consumers::read(0, &document, objects(&document).into_iter().next()?, &[])?;
    let namespace = found.object.namespace?.to_owned();
    if found.left.is_some() {
        return None;
    }
    let is_own = |slot: &Slot| slot.left.is_none() && slot.namespace.as_ref().is_none_or(|other| *other == namespace);
    let slots: Vec<_> = found.slots.into_iter().filter(is_own).map(|slot| slot.names).collect();
    let id = ObjectName { name: found.object.name.to_owned(), namespace: namespace.clone() };
    (!slots.is_empty()).then(|| LiveConsumer { kind: row.kind.to_owned(), id, slots, span: row.span })
}

/// The usable routing secrets of the cluster.
async fn elsewhere(cluster: &Cluster, facts: &Facts) -> Result<Known<Vec<Secret>>, ClusterError> {
    let mut usable = Vec::new();
    let each = |batch: Batch<ApiSecret>| {
        match batch {
            Batch::Items(items) => {
                let judged = items.into_par_iter().map(|item| judge(item.into_raw(), facts.now));
                usable.extend(judged.filter(Secret::is_usable).collect::<Vec<_>>());
            }
            Batch::Restart => usable.clear(),
        }
        true
    };
    let selection = Selection { labels: Some(ROUTING_LABEL), fields: Some(TLS_SECRETS), ..Selection::default() };
    match cluster.list(SECRETS, selection, each).await {
        Ok(_) => Ok(Known::Read(usable)),
        Err(error) => unreadable(error),
    }
}
