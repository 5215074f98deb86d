//! `--predict`: the sources whose copies will come to namespaces where slots are not covered yet.

use std::collections::BTreeSet;

use anyhow::Result;
use jiff::Timestamp;

use crate::cli::DecisionArgs;
use crate::cluster::{Batch, Cluster, ClusterError, SECRETS, Selection};
use crate::inventory::cluster::{ApiObject, ApiSecret, TLS_SECRETS};
use crate::inventory::predict::{Destination, Prediction};
use crate::inventory::{Inventory, file};
use crate::plan::{Found, Settings};
use crate::secret::{ObjectName, ROUTING_LABEL};

/// Adds what a cluster's sources promise.
///
/// # Errors
/// When the sources cannot be read.
pub(super) async fn of_cluster(
    cluster: &Cluster,
    found: &Found<'_>,
    settings: &Settings,
    inventory: &mut Inventory,
    now: Timestamp,
) -> Result<(), ClusterError> {
    let mut destinations = Vec::new();
    let mut new = BTreeSet::new();
    for name in found.uncovered(inventory) {
        let labels = match cluster.namespace_labels(&name).await {
            Ok(Some(labels)) => Some(labels),
            Ok(None) => {
                new.insert(name.clone());
                Some(Destination::labels_of_new(&name))
            }
            Err(ClusterError::Forbidden { .. }) => None,
            Err(error) => return Err(error),
        };
        destinations.push(Destination { name, labels });
    }
    if destinations.is_empty() {
        return Ok(());
    }
    let mut sources = Vec::new();
    if settings.sources.is_empty() {
        let selection = Selection { namespace: None, labels: Some(ROUTING_LABEL), fields: Some(TLS_SECRETS) };
        let each = |batch: Batch<ApiSecret>| {
            match batch {
                Batch::Items(items) => sources.extend(items.into_iter().map(ApiSecret::into_raw)),
                Batch::Restart => sources.clear(),
            }
            true
        };
        cluster.list(SECRETS, selection, each).await?;
    }
    for of in &settings.sources {
        let source: Option<ApiSecret> = cluster.object(SECRETS, &of.namespace, &of.name).await?;
        sources.extend(source.map(ApiSecret::into_raw));
    }
    let mut prediction = Prediction::new(&destinations, &settings.sources, now);
    sources.into_iter().for_each(|source| prediction.take(source));
    // A Secret of another type does not show in the inventory, and would stand in the way.
    let there: Vec<ObjectName> = prediction.names().filter(|id| !new.contains(&id.namespace)).cloned().collect();
    for id in there {
        let metadata: Option<ApiObject> = cluster.metadata(SECRETS, &id.namespace, &id.name).await?;
        if metadata.is_some() {
            prediction.refuse(&id, "a Secret of this name is there already");
        }
    }
    add(prediction, found, inventory);
    Ok(())
}

/// Adds what the sources of files promise. The labels of the namespaces are not known.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn of_files(
    args: &DecisionArgs,
    found: &Found<'_>,
    settings: &Settings,
    inventory: &mut Inventory,
    now: Timestamp,
) -> Result<()> {
    let destinations: Vec<Destination> =
        found.uncovered(inventory).into_iter().map(|name| Destination { name, labels: None }).collect();
    let mut prediction = Prediction::new(&destinations, &settings.sources, now);
    for path in &args.inventory {
        let secrets = file::load(path, settings.namespace.as_deref())?;
        secrets.into_iter().for_each(|secret| prediction.take(secret));
    }
    add(prediction, found, inventory);
    Ok(())
}

fn add(mut prediction: Prediction<'_>, found: &Found<'_>, inventory: &mut Inventory) {
    let made: Vec<ObjectName> = prediction.names().filter(|id| found.makes(id)).cloned().collect();
    for id in made {
        prediction.refuse(&id, "the render makes a Secret of this name itself");
    }
    let (secrets, unknown) = prediction.finish();
    inventory.predict(secrets, unknown);
}
