//! `mark` and `unmark`: the label of routing secrets, on the object where it lasts.

use anyhow::{Result, bail};
use jiff::Timestamp;
use serde_json::json;

use super::source::{Carrier, Source, TRIES, dry_run_words, id, open};
use super::{FAILED, FINE, World};
use crate::cli::{DryRun, MarkArgs};
use crate::cluster::{Cluster, ClusterError};
use crate::output::escape::escape;
use crate::secret::marking::{Marking, mark, unmark};
use crate::secret::{ObjectName, ROUTING_LABEL};

/// Nothing is written unless everything can be.
pub(super) fn run(args: &MarkArgs, is_mark: bool, world: &mut World<'_>) -> Result<u8> {
    let dry_run = args.dry_run.unwrap_or_default();
    let (session, namespace) = open(&args.kube, args.namespace.as_deref(), world)?;
    let ids = args.names.iter().map(|name| id(&namespace, name)).collect::<Result<Vec<_>>>()?;
    let cluster = session.cluster();
    let mut refused = false;
    for id in &ids {
        if let Err(why) = session.run(look(cluster, id, is_mark, world.now))? {
            writeln!(world.stderr, "routing-secrets: secret {id}: {why}")?;
            refused = true;
        }
    }
    if refused {
        if ids.len() > 1 {
            writeln!(world.stderr, "routing-secrets: nothing was changed")?;
        }
        return Ok(FAILED);
    }
    for id in &ids {
        let done = session.run(change(cluster, id, is_mark, dry_run, world.now))?;
        match done {
            Ok(Done { line, note }) => {
                writeln!(world.stdout, "{line}")?;
                if let Some(note) = note {
                    writeln!(world.stderr, "note: {note}")?;
                }
            }
            Err(why) => bail!("secret {id}: {why}"),
        }
    }
    Ok(FINE)
}

/// What was done, and what to know of it.
struct Done {
    line: String,
    note: Option<String>,
}

/// The decision, or why there is none.
async fn look(
    cluster: &Cluster,
    id: &ObjectName,
    is_mark: bool,
    now: Timestamp,
) -> Result<Result<(Source, Marking), String>, ClusterError> {
    let Some(source) = Source::read(cluster, id, now).await? else {
        return Ok(Err("there is no such Secret".to_owned()));
    };
    let decide = if is_mark { mark } else { unmark };
    Ok(match decide(&source.secret, source.certificate.as_ref()) {
        Ok(marking) => Ok((source, marking)),
        Err(refusal) => Err(refusal.to_string()),
    })
}

async fn change(
    cluster: &Cluster,
    id: &ObjectName,
    is_mark: bool,
    dry_run: DryRun,
    now: Timestamp,
) -> Result<Result<Done, String>, ClusterError> {
    let mut tries = 1;
    loop {
        let (source, marking) = match look(cluster, id, is_mark, now).await? {
            Ok(decided) => decided,
            Err(why) => return Ok(Err(why)),
        };
        match apply(cluster, &source, &marking, is_mark, dry_run).await {
            Err(ClusterError::Changed(_)) if tries < TRIES => tries += 1,
            result => return result.map(Ok),
        }
    }
}

async fn apply(
    cluster: &Cluster,
    source: &Source,
    marking: &Marking,
    is_mark: bool,
    dry_run: DryRun,
) -> Result<Done, ClusterError> {
    let on_secret = Carrier::Secret(&source.live);
    let (carrier, until) = match marking {
        Marking::AsItIs => {
            let words = if is_mark { "already marked" } else { "not marked" };
            return Ok(Done { line: format!("{} {words}", on_secret.name()), note: None });
        }
        Marking::InTemplate => {
            let line = format!("{} already marked", on_secret.name());
            let note = Some("the secretTemplate of its Certificate has the label: cert-manager puts it on".to_owned());
            return Ok(Done { line, note });
        }
        Marking::OnSecret { until } => (on_secret, *until),
        Marking::OnCertificate => (source.carrier(), None),
    };
    let value = if is_mark { json!("true") } else { json!(null) };
    carrier.merge(cluster, "labels", json!({ROUTING_LABEL: value}), dry_run).await?;
    let line = format!("{} {}{}", carrier.name(), if is_mark { "marked" } else { "unmarked" }, dry_run_words(dry_run));
    let note = match (until, &source.secret.origin) {
        (Some(by), crate::secret::Origin::Mirror { of, .. }) if is_mark => {
            Some(format!("a mirror that {by} makes anew is without the label: mark its source {of}, too"))
        }
        (Some(_), crate::secret::Origin::Mirror { of, .. }) => Some(format!(
            "it stays a routing secret as long as its source is one: kubectl routing-secrets unmark {} -n {}",
            escape(&of.name),
            escape(&of.namespace)
        )),
        _ => carrier.reverted_by(),
    };
    Ok(Done { line, note })
}
