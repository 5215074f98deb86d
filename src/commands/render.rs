//! What `post-render` and `plan` share: from manifests and options to a plan.

use std::fs;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;

use super::{World, elsewhere, predict};
use crate::cli::{DecisionArgs, Require};
use crate::cluster::{Access, CONCURRENT, Cluster, ClusterError, DEADLINE, Resource, Session, kubeconfig};
use crate::helm::release::KubeAccess;
use crate::inventory::{Inventory, Sources, cluster, file, once};
use crate::manifest::Manifest;
use crate::output::escape::escape;
use crate::plan::live::{LiveObject, LiveRef, foreign_triggers, triggers};
use crate::plan::{self, Found, Live, LiveObjects, LiveParent, Outside, Planned, Settings};
use crate::report;
use crate::secret::{ObjectName, judge};

/// Why there is no plan: an inventory that cannot be read may be passed over (`--on-error`).
pub(super) enum Failure {
    /// The routing secrets could not be read.
    Inventory(anyhow::Error),
    /// Anything else.
    Other(anyhow::Error),
}

impl From<Failure> for anyhow::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Inventory(error) | Failure::Other(error) => error,
        }
    }
}

/// The options that decisions depend on, checked.
pub(super) fn settings(args: &DecisionArgs, explain: bool, candidates: bool) -> Result<Settings> {
    check_namespace("namespace", args.namespace.as_deref())?;
    check_namespace("gateway-namespace", args.gateway_namespace.as_deref())?;
    Ok(Settings {
        namespace: args.namespace.clone(),
        triggers: args.trigger.clone(),
        keep_secrets: args.keep_secret.clone(),
        keep_certificates: args.keep_certificates,
        all_slots: args.all_slots,
        sources: sources(&args.source)?,
        explain: explain || args.report.is_some() || args.require.is_some(),
        candidates,
    })
}

/// Refuses an option that is no name of a namespace.
pub(super) fn check_namespace(option: &str, namespace: Option<&str>) -> Result<()> {
    match namespace.filter(|namespace| ObjectName::parse(&format!("{namespace}/a")).is_none()) {
        Some(namespace) => bail!("--{option} \"{}\" is no name of a namespace", escape(namespace)),
        None => Ok(()),
    }
}

/// `--source`, checked.
pub(super) fn sources(texts: &[String]) -> Result<Vec<ObjectName>> {
    let source = |text: &String| {
        ObjectName::parse(text).ok_or_else(|| anyhow!("--source \"{}\" is not NAMESPACE/NAME", escape(text)))
    };
    texts.iter().map(source).collect()
}

/// Plans the render; secrets are read only when it has a slot, and from the cluster only when no file has them.
/// `helm` is how the helm that runs us reaches its cluster.
pub(super) fn plan(
    manifest: &Manifest<'_>,
    args: &DecisionArgs,
    settings: &Settings,
    helm: &KubeAccess,
    world: &World<'_>,
) -> Result<Planned, Failure> {
    let other = |error: plan::PlanError| Failure::Other(error.into());
    // Not freed: the process ends with the command, and hundreds of thousands of values would take their time.
    let mut found = ManuallyDrop::new(plan::find(manifest, settings).map_err(other)?);
    let decide = |found: &Found<'_>, inventory: &Inventory, live: &Live| {
        plan::plan(manifest, found, inventory, live, settings).map_err(|error| Failure::Other(error.into()))
    };
    if !found.has_slots() {
        return decide(&found, &Inventory::default(), &Live::NotKnown);
    }
    let mut outside = Outside { gateway_namespace: args.gateway_namespace.clone(), ..Outside::default() };
    if !args.inventory.is_empty() {
        found.settle(&outside).map_err(other)?;
        let inventory = files(&args.inventory, settings.namespace.as_deref(), &settings.sources, world.now);
        let mut inventory = inventory.map_err(Failure::Inventory)?;
        if args.predict {
            predict::of_files(args, &found, settings, &mut inventory, world.now).map_err(Failure::Inventory)?;
        }
        return decide(&found, &inventory, &Live::NotKnown);
    }
    let of_cluster = |error: ClusterError| {
        Failure::Inventory(anyhow::Error::from(error).context("the routing secrets could not be read from the cluster"))
    };
    let access = args.kube.access().map_err(|error| Failure::Other(error.into()))?.or_helm(helm);
    let session = session(&access, world, Some(DEADLINE)).map_err(of_cluster)?;
    session.run(elsewhere::read(session.cluster(), &found, &mut outside)).map_err(of_cluster)?;
    let mut inventory = loop {
        found.settle(&outside).map_err(other)?;
        let namespaces = found.namespaces();
        let read = cluster::read(session.cluster(), &namespaces, None, &settings.sources, world.now);
        match session.run(read) {
            Ok(inventory) => break inventory,
            // Where only other namespaces' objects look, a refusal leaves those alone.
            Err(error) => match error.refused().filter(|refused| found.foreign_namespaces().contains(*refused)) {
                Some(refused) => {
                    outside.unreadable.insert(refused.to_owned(), error.to_string());
                }
                None => return Err(of_cluster(error)),
            },
        }
    };
    if args.predict {
        let predicted = predict::of_cluster(session.cluster(), &found, settings, &mut inventory, world.now);
        session.run(predicted).map_err(of_cluster)?;
    }
    let mut planned = decide(&found, &inventory, &Live::ToBeRead)?;
    if !planned.rewritten.is_empty() {
        // What the live objects tell can only leave more objects alone, so these are enough (R12).
        let live = session.run(live(session.cluster(), &planned.rewritten, settings)).map_err(of_cluster)?;
        planned = decide(&found, &inventory, &Live::Known(live))?;
    }
    if let Some(plan) = &mut planned.plan {
        plan.reads = Some(session.cluster().reads());
    }
    Ok(planned)
}

/// The way to the cluster, with the environment and the files of this process.
pub(super) fn session(access: &Access, world: &World<'_>, deadline: Option<Duration>) -> Result<Session, ClusterError> {
    let env = super::variable(&world.env);
    let file = |path: &Path| fs::read_to_string(path);
    Session::open(access, kubeconfig::World { env: &env, file: &file }, deadline)
}

/// What the live objects say. That a Gateway which is not in the render may not be read is a reason, not an error.
async fn live(cluster: &Cluster, rewritten: &[LiveRef], settings: &Settings) -> Result<LiveObjects, ClusterError> {
    let found: Vec<(&LiveRef, Result<Option<LiveObject>, String>)> = stream::iter(rewritten)
        .map(|of| async move {
            let resource = Resource { group: &of.group, version: &of.version, plural: of.row.plural };
            match cluster.metadata(resource, &of.namespace, &of.name).await {
                Ok(live) => Ok((of, Ok(live))),
                Err(error @ ClusterError::Forbidden { .. }) if of.is_parent => Ok((of, Err(error.to_string()))),
                Err(error) => Err(error),
            }
        })
        .buffer_unordered(CONCURRENT)
        .try_collect()
        .await?;
    let mut objects = LiveObjects::default();
    for (of, live) in found {
        let key = of.key.clone();
        match live {
            Err(why) => drop(objects.parents.insert(key, LiveParent::Unreadable(why))),
            Ok(None) if of.is_parent => drop(objects.parents.insert(key, LiveParent::Absent)),
            Ok(None) => {}
            Ok(Some(live)) if of.is_parent => {
                let triggers = triggers(of, &live, &settings.triggers);
                objects.parents.insert(key, LiveParent::Triggers(triggers));
            }
            Ok(Some(live)) => {
                objects.triggers.insert(key, foreign_triggers(of, &live, &settings.triggers));
            }
        }
    }
    Ok(objects)
}

/// The secrets of files; `namespace` is that of secrets which name none.
pub(super) fn files(
    paths: &[PathBuf],
    namespace: Option<&str>,
    sources: &[ObjectName],
    now: Timestamp,
) -> Result<Inventory> {
    let mut secrets = Vec::new();
    for path in paths {
        secrets.extend(file::load(path, namespace)?.into_iter().map(|raw| judge(raw, now)));
    }
    once(&secrets)?;
    let sources = Sources { given: sources.to_vec(), ..Sources::default() };
    Ok(Inventory::build(secrets, &sources, now))
}

/// # Errors
/// When fewer slots are served by routing secrets than `--require` asks for.
pub(super) fn require(planned: &Planned, require: Option<Require>) -> Result<()> {
    let (Some(plan), Some(require)) = (&planned.plan, require) else { return Ok(()) };
    let served = plan.summary.rewritten + plan.summary.kept;
    let (asked, is_met) = match require {
        Require::Any => ("any", served > 0),
        Require::All => ("all", plan.summary.left == 0),
    };
    if !is_met {
        bail!("--require {asked} is not met: {}", report::left(plan));
    }
    Ok(())
}
