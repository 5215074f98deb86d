//! `create`: a routing secret from a certificate and its key, from an issuer, or from another Secret.

mod object;
mod origin;

use std::io::Write as _;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use object::{Shown, certificate, secret};
use origin::{Material, Origin};

use super::source::{CERTIFICATE, SECRET, dry_run_words, id, open};
use super::{FINE, World, distribute};
use crate::certificate::live::CERTIFICATES;
use crate::cli::{CreateArgs, Distribute, DryRun, ObjectOutput};
use crate::cluster::{Cluster, ClusterError, MANAGER, Resource, SECRETS, Session, Write};
use crate::distribution::{Destination, Via};
use crate::output::escape::escape;
use crate::output::structured;
use crate::secret::live::{Applied, LiveSecret};
use crate::secret::{ObjectName, judge};

pub(super) fn run(args: &CreateArgs, world: &mut World<'_>) -> Result<u8> {
    let dry_run = args.dry_run.unwrap_or_default();
    let origin = Origin::of(args)?;
    let distribution = distribution(args)?;
    let manager = args.field_manager.as_deref().unwrap_or(MANAGER);
    // Like kubectl's, a dry run of the client needs no cluster, and names no namespace that was not given.
    let session = match (&origin, dry_run) {
        (Origin::Secret(_), _) | (_, DryRun::None | DryRun::Server) => {
            Some(open(&args.kube, args.namespace.as_deref(), world)?)
        }
        _ => None,
    };
    let namespace = session.as_ref().map(|(_, namespace)| namespace.as_str());
    let shown_namespace = if dry_run == DryRun::Client { args.namespace.as_deref() } else { namespace };
    let id = id(namespace.or(args.namespace.as_deref()).unwrap_or("default"), &args.name)?;
    let annotations = match &distribution {
        Some((via, destination)) => destination.annotations(*via)?,
        None => Vec::new(),
    };
    let annotations = annotations.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    let new = match &origin {
        Origin::Issuer(issuer) => {
            let object = certificate(&id.name, shown_namespace, issuer, &origin::dns_names(&args.host)?, &annotations);
            New { kind: CERTIFICATE, resource: CERTIFICATES, object, data: None }
        }
        Origin::Files { .. } | Origin::Secret(_) => {
            let data = material(&origin, &id, session.as_ref().map(|(session, _)| session), args, world)?;
            let object = secret(&id.name, shown_namespace, args.immutable, &annotations);
            New { kind: SECRET, resource: SECRETS, object, data: Some(data) }
        }
    };
    let made = match &session {
        Some((session, _)) if dry_run != DryRun::Client => {
            let write = Write { manager, dry_run: dry_run == DryRun::Server };
            make(session, &new, &id, args.force, write)?
        }
        _ => Made { done: "created", shown: new.object.clone(), note: None },
    };
    print(&made, &new, &id, args, dry_run, world)?;
    if let Some(note) = &made.note {
        writeln!(world.stderr, "note: {note}")?;
    }
    if let Some((via, destination)) = &distribution {
        // What is printed for a program stays alone on standard output.
        let lines = destination.label_lines(None);
        let lines: Vec<&String> = lines.iter().filter(|_| *via == Via::Kubed).collect();
        let out = if args.output.is_some() { &mut world.stderr } else { &mut world.stdout };
        for line in lines {
            writeln!(out, "{line}")?;
        }
        for note in distribute::notes(*via, &args.name, destination) {
            writeln!(world.stderr, "note: {note}")?;
        }
    }
    Ok(FINE)
}

/// Who is told to copy it, and where to.
fn distribution(args: &CreateArgs) -> Result<Option<(Via, Destination)>> {
    let via = match args.distribute.unwrap_or(Distribute::None) {
        Distribute::Reflector => Via::Reflector,
        Distribute::Kubed => Via::Kubed,
        Distribute::None => {
            if args.to_namespaces.is_some() || args.to_selector.is_some() {
                bail!("--to-namespaces and --to-selector go with --distribute reflector or kubed");
            }
            return Ok(None);
        }
    };
    if via == Via::Kubed && args.name.len() > 63 {
        bail!("Kubed copies no Secret whose name is longer than 63 characters: it notes the name in a label");
    }
    Ok(Some((via, Destination::parse(args.to_namespaces.as_deref(), args.to_selector.as_deref())?)))
}

/// What is to be made.
struct New {
    kind: &'static str,
    resource: Resource<'static>,
    object: Value,
    data: Option<Material>,
}

/// What was made, and what of it may be shown.
struct Made {
    done: &'static str,
    shown: Value,
    note: Option<String>,
}

/// The certificate and key, judged.
fn material(
    origin: &Origin,
    id: &ObjectName,
    session: Option<&Session>,
    args: &CreateArgs,
    world: &mut World<'_>,
) -> Result<Material> {
    let (live, what) = match origin {
        Origin::Files { cert, key } => (origin::files(cert, key)?, "the certificate".to_owned()),
        Origin::Secret(of) => {
            let session = session.context("no cluster was reached")?;
            let found = session.run(session.cluster().object::<LiveSecret>(SECRETS, &of.namespace, &of.name))?;
            (found.with_context(|| format!("there is no Secret {of}"))?, format!("secret {of}"))
        }
        Origin::Issuer(_) => bail!("an issuer gives no certificate at once"),
    };
    let judged = judge(live.raw(), world.now);
    origin::check(&judged, &args.host, &what)?;
    for warning in &judged.warnings {
        writeln!(world.stderr, "warning: {what}: {warning}")?;
    }
    if let (Origin::Secret(of), Some(producer)) = (origin, &judged.producer) {
        writeln!(
            world.stderr,
            "note: {id} will not follow {of}, which cert-manager renews (Certificate {}): to have it follow, use kubectl routing-secrets distribute",
            escape(&producer.certificate_name)
        )?;
    }
    Ok(live.data.unwrap_or_default())
}

fn make(session: &Session, new: &New, id: &ObjectName, force: bool, write: Write<'_>) -> Result<Made> {
    let cluster = session.cluster();
    let what = format!("{} {id}", if new.data.is_some() { "Secret" } else { "Certificate" });
    let existing: Option<LiveSecret> = session.run(cluster.metadata(new.resource, &id.namespace, &id.name))?;
    let mut object = new.object.clone();
    if let Some(existing) = &existing {
        if !existing.metadata.is_applied_by(write.manager) && !force {
            bail!(
                "{what} exists and was not made by this program (but by {}): take another name, or --force takes it over",
                escape(&existing.metadata.owners())
            );
        }
        object["metadata"]["resourceVersion"] = existing.metadata.resource_version.clone().into();
    }
    if new.data.is_none() && !force {
        session.run(is_free(cluster, id))??;
    }
    let producer = existing.as_ref().and_then(|secret| secret.metadata.annotation("cert-manager.io/certificate-name"));
    let note = producer.filter(|_| new.data.is_some()).map(|name| {
        format!("Certificate {} has written into {what}, and overwrites it as long as it is there", escape(name))
    });
    let applied = Applied { object: &object, data: new.data.as_ref() };
    let shown = session.run(cluster.apply::<Shown>(new.resource, id, &applied, force, write));
    let shown = shown.map_err(|error| explain(error, &what))?;
    let done = match &existing {
        None => "created",
        Some(existing) if shown.version() == Some(&existing.metadata.resource_version) && !write.dry_run => "unchanged",
        Some(_) => "configured",
    };
    Ok(Made { done, shown: shown.into_value()?, note })
}

/// Whether no Secret is there that the Certificate would overwrite.
async fn is_free(cluster: &Cluster, id: &ObjectName) -> Result<Result<()>, ClusterError> {
    let found: Option<LiveSecret> = cluster.metadata(SECRETS, &id.namespace, &id.name).await?;
    let Some(found) = found else { return Ok(Ok(())) };
    if found.metadata.annotation("cert-manager.io/certificate-name") == Some(&id.name) {
        return Ok(Ok(()));
    }
    Ok(Err(anyhow::anyhow!(
        "Secret {id} exists (made by {}), and cert-manager would overwrite it: take another name, or --force has it overwritten",
        escape(&found.metadata.owners())
    )))
}

fn explain(error: ClusterError, what: &str) -> anyhow::Error {
    let hint = match &error {
        ClusterError::Owned(_) => "; --force takes the fields over",
        ClusterError::Status { message, .. } if message.contains("field is immutable") => {
            "; what is immutable cannot be changed: take another name, or delete it first"
        }
        _ => "",
    };
    anyhow::anyhow!("{what}: {error}{hint}")
}

fn print(
    made: &Made,
    new: &New,
    id: &ObjectName,
    args: &CreateArgs,
    dry_run: DryRun,
    world: &mut World<'_>,
) -> Result<()> {
    let name = format!("{}/{}", new.kind, escape(&id.name));
    match args.output {
        None => writeln!(world.stdout, "{name} {}{}", made.done, dry_run_words(dry_run))?,
        Some(ObjectOutput::Name) => writeln!(world.stdout, "{name}")?,
        Some(ObjectOutput::Yaml) => world.stdout.write_all(structured::yaml(&made.shown)?.as_bytes())?,
        Some(ObjectOutput::Json) => world.stdout.write_all(structured::json(&made.shown)?.as_bytes())?,
    }
    world.stdout.flush()?;
    let is_object = matches!(args.output, Some(ObjectOutput::Yaml | ObjectOutput::Json));
    if is_object && new.data.is_some() {
        writeln!(
            world.stderr,
            "note: the data is left out, since private keys are never printed: this cannot be applied"
        )?;
    }
    Ok(())
}
