//! Copies of our own: made, changed and deleted until they are what the source is, whoever else does the same.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use futures_util::{StreamExt as _, stream};
use serde::de::IgnoredAny;

use super::super::source::{Source, TRIES, dry_run_words, write};
use super::super::{FAILED, FINE, FOUND, World};
use crate::cli::DryRun;
use crate::cluster::{Batch, CONCURRENT, Cluster, ClusterError, SECRETS, Selection, Session};
use crate::distribution::Destination;
use crate::distribution::copies::{self, Step, plan};
use crate::output::escape::escape;
use crate::secret::ObjectName;
use crate::secret::live::{Applied, LiveSecret};

/// What became of a namespace's copy.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Done(&'static str),
    Unchanged,
    Surplus,
    Left(String),
    Failed(String),
}

pub(super) fn run(
    session: &Session,
    mut source: Source,
    destination: &Destination,
    prune: bool,
    dry_run: DryRun,
    world: &mut World<'_>,
) -> Result<u8> {
    let id = source.live.metadata.id();
    let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
    let mut tries = 1;
    loop {
        let round = session.run(once(session.cluster(), &source, destination, prune, dry_run))?;
        // What an earlier round did stays told.
        outcomes.retain(|_, outcome| matches!(outcome, Outcome::Done(_)));
        for (namespace, outcome) in round.outcomes {
            if outcome != Outcome::Unchanged || !outcomes.contains_key(&namespace) {
                outcomes.insert(namespace, outcome);
            }
        }
        if dry_run != DryRun::None {
            break;
        }
        let Some(now) = session.run(Source::read(session.cluster(), &id, world.now))? else {
            bail!("Secret {id} was deleted meanwhile; its copies stay as they are");
        };
        // Whoever writes last has looked at the source after that: so the last word is the source's.
        let is_current = now.live.data == source.live.data && now.live.type_ == source.live.type_;
        if is_current && !round.lost {
            break;
        }
        if tries == TRIES {
            bail!("Secret {id} or its copies changed again and again meanwhile; try again");
        }
        if !now.secret.is_usable() || !now.secret.routing {
            bail!("Secret {id} was changed meanwhile and is no usable routing secret now; try again");
        }
        source = now;
        tries += 1;
    }
    print(&outcomes, &id, dry_run, world)
}

/// What one round did.
struct Round {
    outcomes: Vec<(String, Outcome)>,
    /// Whether somebody else was faster somewhere.
    lost: bool,
}

async fn once(
    cluster: &Cluster,
    source: &Source,
    destination: &Destination,
    prune: bool,
    dry_run: DryRun,
) -> Result<Round, ClusterError> {
    let id = source.live.metadata.id();
    let namespaces = super::namespaces(cluster).await?;
    let named = named(cluster, &id.name).await?;
    let fingerprint = source.secret.certificate.as_ref().map(|facts| facts.fingerprint.clone()).unwrap_or_default();
    let of = copies::Source { secret: &source.live, fingerprint: &fingerprint };
    let steps = plan(&of, &destination.target, &namespaces, &named, prune);
    let of = &of;
    let done: Vec<(String, Result<Outcome, ClusterError>)> = stream::iter(steps)
        .map(|(namespace, step)| async move {
            let outcome = take(cluster, of, &namespace, step, dry_run).await;
            (namespace, outcome)
        })
        .buffer_unordered(CONCURRENT)
        .collect()
        .await;
    let lost = done.iter().any(|(_, outcome)| matches!(outcome, Err(ClusterError::Changed(_))));
    let outcomes = done.into_iter().map(|(namespace, outcome)| {
        let outcome = outcome.unwrap_or_else(|error| match error {
            ClusterError::Owned(_) => Outcome::Left(error.to_string()),
            error => Outcome::Failed(error.to_string()),
        });
        (namespace, outcome)
    });
    Ok(Round { outcomes: outcomes.collect(), lost })
}

/// The Secrets of a name in all namespaces: by name, so that a right to that name alone suffices.
async fn named(cluster: &Cluster, name: &str) -> Result<Vec<LiveSecret>, ClusterError> {
    let mut found = Vec::new();
    let fields = format!("metadata.name={name}");
    let selection = Selection { fields: Some(&fields), ..Selection::default() };
    let each = |batch: Batch<LiveSecret>| {
        match batch {
            Batch::Items(items) => found.extend(items),
            Batch::Restart => found.clear(),
        }
        true
    };
    cluster.list(SECRETS, selection, each).await?;
    Ok(found)
}

async fn take(
    cluster: &Cluster,
    source: &copies::Source<'_>,
    namespace: &str,
    step: Step,
    dry_run: DryRun,
) -> Result<Outcome, ClusterError> {
    let id = ObjectName { namespace: namespace.to_owned(), name: source.secret.metadata.name.clone() };
    let is_told_only = dry_run == DryRun::Client;
    let apply = async |version: Option<&str>| {
        if is_told_only {
            return Ok(());
        }
        let object = source.copy(namespace, version);
        let applied = Applied { object: &object, data: source.secret.data.as_ref() };
        cluster.apply::<IgnoredAny>(SECRETS, &id, &applied, false, write(dry_run)).await.map(|_| ())
    };
    Ok(match step {
        Step::Create => {
            apply(None).await?;
            Outcome::Done("created")
        }
        Step::Update { version } => {
            apply(Some(&version)).await?;
            Outcome::Done("updated")
        }
        Step::Delete { uid, version } => {
            if !is_told_only {
                cluster.delete(SECRETS, &id, &uid, &version, write(dry_run)).await?;
            }
            Outcome::Done("deleted")
        }
        Step::Keep => Outcome::Unchanged,
        Step::Surplus => Outcome::Surplus,
        Step::Leave(why) => Outcome::Left(why.to_string()),
    })
}

fn print(outcomes: &BTreeMap<String, Outcome>, id: &ObjectName, dry_run: DryRun, world: &mut World<'_>) -> Result<u8> {
    let suffix = dry_run_words(dry_run);
    let mut code = FINE;
    for (namespace, outcome) in outcomes {
        let copy = format!("secret/{} in {}", escape(&id.name), escape(namespace));
        match outcome {
            Outcome::Done(done) => writeln!(world.stdout, "{copy} {done}{suffix}")?,
            Outcome::Unchanged => writeln!(world.stdout, "{copy} unchanged")?,
            Outcome::Surplus => {
                writeln!(world.stdout, "{copy} is no longer asked for, and stays: --prune deletes it")?;
            }
            Outcome::Left(why) => {
                writeln!(world.stdout, "{copy} left: {why}")?;
                code = code.max(FOUND);
            }
            Outcome::Failed(why) => {
                writeln!(world.stderr, "routing-secrets: {copy}: {why}")?;
                code = FAILED;
            }
        }
    }
    if outcomes.is_empty() {
        writeln!(world.stderr, "No namespace is asked for but the source's own.")?;
    }
    world.stdout.flush()?;
    Ok(code)
}
