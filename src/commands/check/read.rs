//! What `check` reads: the Secrets whole, everything else as far as something depends on it. Only the Secrets must be
//! readable; what else is not is said.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use rayon::prelude::*;
use serde::de::DeserializeOwned;

use super::consumers;
use crate::check::replicators::{ApiWorkload, Workload, demanded};
use crate::check::{Copy, Examined, Facts, Known, Namespace, Scope, Source, about_copies, mirrors};
use crate::cluster::{Batch, Cluster, ClusterError, NAMESPACES, Resource, SECRETS, Selection};
use crate::inventory::cluster::{ApiMetadata, ApiObject, ApiSecret, TLS_SECRETS, certificates, look_up};
use crate::inventory::{Inventory, Sources, file, once};
use crate::secret::{ObjectName, Origin, ROUTING_LABEL, RawSecret, Replicator, Secret, judge, mirror};

const DEPLOYMENTS: Resource<'static> = Resource { group: "apps", version: "v1", plural: "deployments" };
const PODS: Resource<'static> = Resource { group: "", version: "v1", plural: "pods" };

/// The most sources whose copies are looked for one by one.
const MAX_SOURCES: usize = 16;

/// What is asked for.
pub(super) struct Query<'q> {
    pub(super) scope: Scope,
    pub(super) selector: Option<&'q str>,
    pub(super) given: &'q [ObjectName],
    pub(super) expires_within: Option<Duration>,
}

/// The facts of a cluster.
pub(super) async fn facts(cluster: &Cluster, query: &Query<'_>, now: Timestamp) -> Result<Facts, ClusterError> {
    let namespace = query.scope.namespace.as_deref();
    let mut seen = Seen::default();
    let tls = Selection { namespace, labels: query.selector, fields: Some(TLS_SECRETS) };
    seen.read(cluster, tls, query.given, now).await?;
    if query.given.is_empty() {
        // Those that carry the label and are no TLS Secrets: each is a mistake.
        let labels = query.selector.map_or_else(|| ROUTING_LABEL.to_owned(), |own| format!("{ROUTING_LABEL},{own}"));
        let others = Selection { namespace, labels: Some(&labels), fields: Some("type!=kubernetes.io/tls") };
        seen.read(cluster, others, query.given, now).await?;
    }
    let Seen { secrets, examined } = seen;
    let known: HashSet<ObjectName> = secrets.keys().cloned().collect();
    let secrets: Vec<Secret> = secrets.into_values().collect();
    let mut sources = Sources { given: query.given.to_vec(), ..Sources::default() };
    if namespace.is_none() && query.selector.is_none() {
        sources.missing =
            secrets.iter().filter_map(Secret::mirrored).filter(|of| !known.contains(of)).cloned().collect();
    } else if query.given.is_empty() {
        look_up(cluster, &secrets, |of| known.contains(of), &mut sources).await;
    }
    let inventory = Inventory::build(secrets, &sources, now);
    let mut facts = Facts::of(inventory, sources, examined, query.scope.clone());
    facts.expires_within = query.expires_within;
    facts.certificates = match certificates(cluster, namespace).await {
        Ok(Some(certificates)) => Known::Read(certificates),
        Ok(None) => Known::NotServed,
        Err(error) => unreadable(error)?,
    };
    read_copies(cluster, query, &mut facts).await?;
    read_replicators(cluster, &mut facts).await?;
    consumers::read(cluster, query, &mut facts).await?;
    Ok(facts)
}

/// The Secrets so far.
#[derive(Default)]
struct Seen {
    secrets: HashMap<ObjectName, Secret>,
    examined: HashMap<ObjectName, Examined>,
}

impl Seen {
    async fn read(
        &mut self,
        cluster: &Cluster,
        selection: Selection<'_>,
        given: &[ObjectName],
        now: Timestamp,
    ) -> Result<(), ClusterError> {
        let each = |batch: Batch<ApiSecret>| {
            // After a restart everything comes again, and what is gone meanwhile does no harm.
            if let Batch::Items(items) = batch {
                let judged: Vec<_> = items.into_par_iter().map(|item| look(item.into_raw(), given, now)).collect();
                judged.into_iter().for_each(|(secret, examined)| self.add(secret, examined));
            }
            true
        };
        cluster.list(SECRETS, selection, each).await?;
        Ok(())
    }

    fn add(&mut self, secret: Secret, examined: Option<Examined>) {
        self.examined.extend(examined.map(|examined| (secret.id.clone(), examined)));
        self.secrets.insert(secret.id.clone(), secret);
    }
}

/// Judges a Secret, and examines one that can be a routing secret.
fn look(raw: RawSecret, given: &[ObjectName], now: Timestamp) -> (Secret, Option<Examined>) {
    let can_be = raw.labels.contains_key(ROUTING_LABEL)
        || given.contains(&raw.id)
        || matches!(mirror::origin(&raw.labels, &raw.annotations), Origin::Mirror { .. });
    let examined = can_be.then(|| Examined::new(&raw));
    (judge(raw, now), examined)
}

/// The facts of files.
pub(super) fn files(paths: &[PathBuf], namespace: &str, given: &[ObjectName], now: Timestamp) -> Result<Facts> {
    let (mut secrets, mut examined) = (Vec::new(), HashMap::new());
    for path in paths {
        for raw in file::load(path, Some(namespace))? {
            let (secret, found) = look(raw, given, now);
            examined.extend(found.map(|found| (secret.id.clone(), found)));
            secrets.push(secret);
        }
    }
    once(&secrets)?;
    let sources = Sources { given: given.to_vec(), ..Sources::default() };
    let inventory = Inventory::build(secrets, &sources, now);
    Ok(Facts::of(inventory, sources, examined, Scope::default()))
}

/// What is absent or forbidden is said; anything else ends the check.
pub(super) fn unreadable<T>(error: ClusterError) -> Result<Known<T>, ClusterError> {
    match error {
        ClusterError::Forbidden { read, message } => {
            let hint = Some(format!("bind this to the user: {}", read.role()));
            Ok(Known::Unreadable { why: format!("may not {read}: {message}"), hint })
        }
        error @ ClusterError::Status { .. } => Ok(Known::Unreadable { why: error.to_string(), hint: None }),
        error => Err(error),
    }
}

/// A whole list, each object reduced as it comes.
async fn list<A: DeserializeOwned, T>(
    cluster: &Cluster,
    resource: Resource<'_>,
    selection: Selection<'_>,
    metadata_only: bool,
    reduce: impl Fn(A) -> Option<T>,
) -> Result<Known<Vec<T>>, ClusterError> {
    let mut all = Vec::new();
    let each = |batch: Batch<A>| {
        match batch {
            Batch::Items(items) => all.extend(items.into_iter().filter_map(&reduce)),
            Batch::Restart => all.clear(),
        }
        true
    };
    let read = if metadata_only {
        cluster.list_metadata(resource, selection, each).await
    } else {
        cluster.list(resource, selection, each).await
    };
    match read {
        Ok(true) => Ok(Known::Read(all)),
        Ok(false) => Ok(Known::NotServed),
        Err(error) => unreadable(error),
    }
}

/// The labelled secrets elsewhere, the namespaces, and what has the name of a source in them.
async fn read_copies(cluster: &Cluster, query: &Query<'_>, facts: &mut Facts) -> Result<(), ClusterError> {
    let is_part = query.scope.namespace.is_some();
    if is_part && query.given.is_empty() {
        let labelled = Selection { labels: Some(ROUTING_LABEL), ..Selection::default() };
        facts.labelled = list(cluster, SECRETS, labelled, true, source).await?;
    }
    let asked: Vec<Source> =
        mirrors::sources(facts).into_iter().filter(|source| !source.annotations.is_empty()).collect();
    let by_reflector = |secret: &Secret| matches!(&secret.origin, Origin::Mirror { by: Replicator::Reflector, .. });
    if !asked.is_empty() || facts.secrets().any(by_reflector) {
        facts.namespaces = list(cluster, NAMESPACES, Selection::default(), true, namespace).await?;
    }
    let own = asked.iter().filter(|source| is_part && facts.scope.has_namespace(&source.id.namespace));
    let names: Vec<&String> = own.map(|source| &source.id.name).take(MAX_SOURCES).collect();
    for name in names {
        let fields = format!("metadata.name={name}");
        let of_name = Selection { fields: Some(&fields), ..Selection::default() };
        facts.copies = match (
            std::mem::replace(&mut facts.copies, Known::NotAsked),
            list(cluster, SECRETS, of_name, true, copy).await?,
        ) {
            (Known::Read(mut all), Known::Read(more)) => {
                all.extend(more);
                Known::Read(all)
            }
            (_, found) => found,
        };
    }
    Ok(())
}

fn source(object: ApiObject) -> Option<Source> {
    let annotations = about_copies(object.metadata.annotations.as_ref().unwrap_or(&BTreeMap::new()));
    let copy = copy(object)?;
    (copy.origin == Origin::Source).then_some(Source { id: copy.id, annotations })
}

fn copy(object: ApiObject) -> Option<Copy> {
    let ApiMetadata { namespace, name, labels, annotations, .. } = object.metadata;
    let origin = mirror::origin(&labels.unwrap_or_default(), &annotations.unwrap_or_default());
    Some(Copy { id: ObjectName { namespace, name }, origin })
}

/// A namespace, unless it is about to go.
fn namespace(object: ApiObject) -> Option<Namespace> {
    let ApiMetadata { name, labels, deleted, .. } = object.metadata;
    deleted.is_none().then(|| Namespace { name, labels: labels.unwrap_or_default() })
}

/// The replicators, where somebody depends on one: their Deployments, or what else runs them.
async fn read_replicators(cluster: &Cluster, facts: &mut Facts) -> Result<(), ClusterError> {
    let demanded: Vec<Replicator> = demanded(facts).into_values().map(|(by, _)| by).collect();
    if demanded.is_empty() {
        return Ok(());
    }
    let ours = |workload: Workload| workload.replicator().is_some().then_some(workload);
    let deployment = |api: ApiWorkload| ours(api.into_deployment());
    facts.replicators = list(cluster, DEPLOYMENTS, Selection::default(), false, deployment).await?;
    let Known::Read(found) = &mut facts.replicators else { return Ok(()) };
    let is_there = |by: &Replicator| found.iter().any(|workload| workload.replicator() == Some(*by));
    if demanded.iter().all(is_there) {
        return Ok(());
    }
    match list(cluster, PODS, Selection::default(), false, |api: ApiWorkload| ours(api.into_pod())).await? {
        Known::Read(pods) => found.extend(pods),
        // Whether one runs without a Deployment is not known then.
        other => facts.replicators = other,
    }
    Ok(())
}
