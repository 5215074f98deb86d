//! `distribute`: a routing secret for other namespaces, by a replicator that is told so, or by copies of our own.

mod copy;

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::source::{Source, TRIES, dry_run_words, id, open};
use super::{FINE, World};
use crate::cli::{DistributeArgs, DistributeVia};
use crate::cluster::{Batch, Cluster, ClusterError, NAMESPACES, Selection};
use crate::distribution::{Destination, Via, other};
use crate::output::escape::escape;
use crate::secret::live::{LiveMetadata, LiveSecret};
use crate::secret::marking::sentences;
use crate::secret::{ObjectName, Origin};

pub(super) fn run(args: &DistributeArgs, world: &mut World<'_>) -> Result<u8> {
    let via = match args.via {
        DistributeVia::Reflector => Via::Reflector,
        DistributeVia::Kubed => Via::Kubed,
        DistributeVia::Copy => Via::Copy,
    };
    if args.prune && via != Via::Copy {
        bail!("--prune goes with --via copy: a replicator deletes its copies itself");
    }
    let asked = match (&args.to_namespaces, &args.to_selector) {
        (None, None) if via == Via::Copy => None,
        (patterns, selector) => Some(Destination::parse(patterns.as_deref(), selector.as_deref())?),
    };
    let dry_run = args.dry_run.unwrap_or_default();
    let (session, namespace) = open(&args.kube, args.namespace.as_deref(), world)?;
    let id = id(&namespace, &args.name)?;
    let cluster = session.cluster();
    let mut tries = 1;
    let (source, destination) = loop {
        let Some(source) = session.run(Source::read(cluster, &id, world.now))? else {
            bail!("there is no Secret {id}");
        };
        may_be_copied(&source, via, &id)?;
        let destination = match (asked.clone(), Destination::noted(&source.live.metadata)) {
            (Some(destination), _) => destination,
            (None, Some(noted)) => noted?,
            (None, None) => Destination::parse(None, None)?,
        };
        let annotations = annotations(&source, &destination, via)?;
        let carrier = source.carrier();
        if annotations.is_empty() {
            if via != Via::Copy {
                writeln!(world.stdout, "{} already annotated", carrier.name())?;
            }
            break (source, destination);
        }
        match session.run(carrier.merge(cluster, "annotations", Value::Object(annotations), dry_run)) {
            Err(ClusterError::Changed(_)) if tries < TRIES => tries += 1,
            result => {
                result?;
                writeln!(world.stdout, "{} annotated{}", carrier.name(), dry_run_words(dry_run))?;
                if let Some(note) = carrier.reverted_by() {
                    writeln!(world.stderr, "note: {note}")?;
                }
                break (source, destination);
            }
        }
    };
    if via == Via::Copy {
        return copy::run(&session, source, &destination, args.prune, dry_run, world);
    }
    let namespaces = match via {
        Via::Kubed if destination.needs_labels() && destination.target.patterns.is_some() => {
            Some(session.run(namespaces(cluster))?)
        }
        _ => None,
    };
    for line in destination.label_lines(namespaces.as_deref()).iter().filter(|_| via == Via::Kubed) {
        writeln!(world.stdout, "{line}")?;
    }
    for note in notes(via, &args.name, &destination) {
        writeln!(world.stderr, "note: {note}")?;
    }
    Ok(FINE)
}

/// What a replicator does that one might not expect.
pub(super) fn notes(via: Via, name: &str, destination: &Destination) -> Vec<String> {
    match via {
        Via::Reflector => {
            let mut notes = vec![
                "Reflector copies no labels: this program counts its mirrors as routing secrets, Epinio does not"
                    .to_owned(),
            ];
            if destination.target.selector.is_some() {
                notes.push("--to-selector needs Reflector 10.0.38 or newer".to_owned());
            }
            notes
        }
        Via::Kubed => {
            vec![format!("Kubed overwrites any Secret that is named {} in those namespaces", escape(name))]
        }
        Via::Copy => Vec::new(),
    }
}

/// Only what is a usable routing secret, nobody's mirror and nobody else's source.
fn may_be_copied(source: &Source, via: Via, id: &ObjectName) -> Result<()> {
    let secret = &source.secret;
    match &secret.origin {
        Origin::Source => {}
        Origin::Mirror { of, .. } => bail!(
            "secret {id} is a mirror of {of}: kubectl routing-secrets distribute {} -n {}",
            escape(&of.name),
            escape(&of.namespace)
        ),
        Origin::Copy { by } => bail!("secret {id} is a copy by {by}: distribute its source"),
    }
    if !secret.is_usable() {
        bail!("secret {id} is not usable, so it is not copied: {}", sentences(&secret.problems));
    }
    if !secret.routing {
        bail!(
            "secret {id} is no routing secret: kubectl routing-secrets mark {} -n {}",
            escape(&id.name),
            escape(&id.namespace)
        );
    }
    if via == Via::Kubed && id.name.len() > 63 {
        bail!("Kubed copies no Secret whose name is longer than 63 characters: it notes the name in a label");
    }
    if let Some(key) = other(via, |key| source.live.metadata.annotation(key).is_some()) {
        bail!(
            "secret {id} is already copied by what its annotation {key} asks for: take that away first ({})",
            match &source.certificate {
                Some(certificate) => {
                    format!("spec.secretTemplate of Certificate {}", escape(&certificate.metadata.name))
                }
                None => format!("kubectl annotate secret {} -n {} {key}-", escape(&id.name), escape(&id.namespace)),
            }
        );
    }
    Ok(())
}

/// The annotations that have to change, on the object where they last.
fn annotations(source: &Source, destination: &Destination, via: Via) -> Result<serde_json::Map<String, Value>> {
    let none = BTreeMap::new();
    let there = match &source.certificate {
        Some(certificate) => certificate.annotations().unwrap_or(&none),
        None => source.live.metadata.annotations.as_ref().unwrap_or(&none),
    };
    let wanted = destination.annotations(via)?.into_iter();
    Ok(wanted.filter(|(key, value)| there.get(key) != value.as_ref()).map(|(key, value)| (key, json!(value))).collect())
}

/// The namespaces' metadata.
pub(super) async fn namespaces(cluster: &Cluster) -> Result<Vec<LiveMetadata>, ClusterError> {
    let mut found: Vec<LiveMetadata> = Vec::new();
    let each = |batch: Batch<LiveSecret>| {
        match batch {
            Batch::Items(items) => found.extend(items.into_iter().map(|item| item.metadata)),
            Batch::Restart => found.clear(),
        }
        true
    };
    cluster.list_metadata(NAMESPACES, Selection::default(), each).await?;
    Ok(found)
}
