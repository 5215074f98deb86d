//! `match`: which routing secret serves a host or an object, and why the others do not.

mod print;
mod target;

use std::collections::BTreeSet;
use std::fmt::Display;

use anyhow::Result;

use target::Target;

use super::{FINE, FOUND, World, elsewhere, render};
use crate::answer::{Answer, AnswerList, of_consumer, of_host};
use crate::choose::epinio::Domains;
use crate::cli::MatchArgs;
use crate::cluster::{Batch, Cluster, ClusterError, DEADLINE, SECRETS, Selection, Session};
use crate::consumers::Left;
use crate::inventory::cluster::{ApiSecret, read};
use crate::inventory::file;
use crate::manifest::Manifest;
use crate::output::escape::escape;
use crate::plan::build::literals;
use crate::plan::{Found, Outside, Settings, find};
use crate::secret::{ROUTING_LABEL, RawSecret};

pub(super) fn run(args: &MatchArgs, world: &mut World<'_>) -> Result<u8> {
    let sources = render::sources(&args.source)?;
    render::check_namespace("namespace", args.namespace.as_deref())?;
    let colour = super::colour(args.color, world);
    let targets: Vec<Target<'_>> = args.targets.iter().map(|text| Target::parse(text)).collect::<Result<_>>()?;
    let is_offline = !args.inventory.is_empty();
    let has_objects = targets.iter().any(|target| matches!(target, Target::Object { .. }));
    let session = match is_offline && !has_objects {
        true => None,
        false => Some(render::session(&args.kube.access()?, world, Some(DEADLINE))?),
    };
    let of_context = session.as_ref().map(|session| session.cluster().default_namespace());
    let namespace = args.namespace.as_deref().or(of_context).unwrap_or("default").to_owned();
    let mut objects = Vec::new();
    for target in &targets {
        objects.push(match (target, &session) {
            (Target::Object { kinds, version, name }, Some(session)) => {
                session.run(target::read(session.cluster(), kinds, *version, &namespace, name))?
            }
            _ => None,
        });
    }
    let settings = Settings { namespace: Some(namespace.clone()), ..Settings::default() };
    let manifests: Vec<Option<Manifest<'_>>> = objects
        .iter()
        .map(|json| json.as_ref().map(|json| Manifest::read(json.as_bytes(), &literals())).transpose())
        .collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    for manifest in &manifests {
        let mut of = manifest.as_ref().map(|manifest| find(manifest, &settings)).transpose()?.unwrap_or_default();
        if let (Some(session), true) = (&session, of.has_slots()) {
            let mut outside = Outside::default();
            session.run(elsewhere::read(session.cluster(), &of, &mut outside))?;
            of.settle(&outside)?;
        }
        found.push(of);
    }
    let namespaces: BTreeSet<String> = found.iter().flat_map(Found::namespaces).chain([namespace.clone()]).collect();
    let inventory = match &session {
        Some(session) if !is_offline => session.run(read(session.cluster(), &namespaces, None, &sources, world.now))?,
        _ => render::files(&args.inventory, Some(&namespace), &sources, world.now)?,
    };
    let domains = args.matching.map(|_| domains(args, session.as_ref(), &namespace)).transpose()?;
    for unresolved in inventory.unresolved() {
        say(world, unresolved)?;
    }
    let mut answers = Vec::new();
    let mut is_fine = true;
    for ((target, object), found) in targets.iter().zip(&objects).zip(&found) {
        match target {
            Target::Host(host) => answers.push(of_host(host, &namespace, &inventory, domains.as_ref())),
            Target::Object { kinds, name, .. } => {
                let kind = kinds.first().map_or("object", |(row, _)| row.kind);
                if !found.has_slots() {
                    is_fine = false;
                    let of = format!("{kind} \"{}\"", escape(name));
                    match object {
                        Some(_) => say(world, format!("{of} names no TLS Secret"))?,
                        None => say(world, format!("there is no {of} in namespace {}", escape(&namespace)))?,
                    }
                }
                let of = |(consumer, own)| of_consumer(consumer, own, &inventory, domains.as_ref());
                answers.extend(found.consumers().flat_map(of));
            }
        }
    }
    let counts = |answer: &&Answer| answer.reason.as_ref().is_none_or(|reason| reason.code != Left::NoHosts.code());
    is_fine &= answers.iter().filter(counts).all(|answer| answer.served);
    print::write(&AnswerList::new(answers), args, colour, world)?;
    world.stdout.flush()?;
    Ok(if is_fine { FINE } else { FOUND })
}

fn say(world: &mut World<'_>, message: impl Display) -> Result<()> {
    Ok(writeln!(world.stderr, "routing-secrets: {message}")?)
}

/// What Epinio sees of the namespace.
fn domains(args: &MatchArgs, session: Option<&Session>, namespace: &str) -> Result<Domains> {
    let mut secrets = match session.filter(|_| args.inventory.is_empty()) {
        Some(session) => session.run(labelled(session.cluster(), namespace))?,
        None => {
            let mut secrets = Vec::new();
            for path in &args.inventory {
                secrets.extend(file::load(path, Some(namespace))?);
            }
            secrets
        }
    };
    secrets.retain(|secret| secret.id.namespace == namespace);
    // The API server's order, whatever that of the files is.
    secrets.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Domains::read(&secrets))
}

/// The Secrets with the label, of any type, as Epinio lists them.
async fn labelled(cluster: &Cluster, namespace: &str) -> Result<Vec<RawSecret>, ClusterError> {
    let mut secrets = Vec::new();
    let selection = Selection { namespace: Some(namespace), labels: Some(ROUTING_LABEL), fields: None };
    let each = |batch: Batch<ApiSecret>| {
        match batch {
            Batch::Items(items) => secrets.extend(items.into_iter().map(ApiSecret::into_raw)),
            Batch::Restart => secrets.clear(),
        }
        true
    };
    cluster.list(SECRETS, selection, each).await?;
    Ok(secrets)
}
