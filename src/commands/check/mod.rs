//! `check`: what is wrong with routing secrets, what will be, and what to do about it.

mod consumers;
mod print;
mod read;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use jiff::{SignedDuration, Timestamp};

pub use print::Report;

use super::{FINE, FOUND, World, render};
use crate::check::{Facts, Finding, Scope, Severity, findings};
use crate::cli::CheckArgs;
use crate::cluster::{ClusterError, Session, duration};
use crate::output::escape::escape;

/// How long `--wait` waits without `--timeout`.
const TIMEOUT: Duration = Duration::from_secs(300);

/// How long a cluster is left alone before it is looked at again.
const PAUSE: Duration = Duration::from_secs(2);

/// What was found, and which of the names are none of a routing secret.
struct Found {
    findings: Vec<Finding>,
    missing: Vec<String>,
}

impl Found {
    fn new(facts: &Facts) -> Self {
        let is_there = |name: &String| facts.secrets().any(|secret| secret.id.name == *name);
        let missing = facts.scope.names.iter().filter(|name| !is_there(name)).cloned().collect();
        Self { findings: findings(facts), missing }
    }

    fn is_well(&self) -> bool {
        self.missing.is_empty() && self.findings.iter().all(|finding| finding.severity < Severity::Problem)
    }
}

pub(super) fn run(args: &CheckArgs, world: &mut World<'_>) -> Result<u8> {
    let sources = render::sources(&args.source)?;
    let time = |option, text: &Option<String>| text.as_deref().map(|text| duration(option, text)).transpose();
    let expires_within = time("--expires-within", &args.expires_within)?;
    let timeout = time("--timeout", &args.timeout)?;
    if timeout.is_some() && !args.wait {
        bail!("--timeout goes with --wait");
    }
    let found = if args.inventory.is_empty() {
        let access = args.kube.access()?;
        let session = render::session(&access, world, None)?;
        let namespace = args.namespace.clone().unwrap_or_else(|| session.cluster().default_namespace().to_owned());
        let query = read::Query {
            scope: scope(args, namespace),
            selector: args.selector.as_deref().filter(|selector| !selector.is_empty()),
            given: &sources,
            expires_within,
        };
        let limit = args.wait.then(|| timeout.unwrap_or(TIMEOUT));
        until_well(&session, &query, world.now, limit)?
    } else {
        if args.selector.is_some() || args.wait {
            bail!("-l and --wait work on a cluster only: leave them out with --inventory");
        }
        let namespace = args.namespace.clone().unwrap_or_else(|| "default".to_owned());
        let mut facts = read::files(&args.inventory, &namespace, &sources, world.now)?;
        facts.scope = scope(args, namespace);
        facts.expires_within = expires_within;
        Found::new(&facts)
    };
    let colour = super::colour(args.color, world);
    print::write(&found.findings, args.output.unwrap_or_default(), colour, world.stdout)?;
    for name in &found.missing {
        writeln!(world.stderr, "routing-secrets: there is no routing secret \"{}\"", escape(name))?;
    }
    Ok(if found.is_well() { FINE } else { FOUND })
}

fn scope(args: &CheckArgs, namespace: String) -> Scope {
    Scope { namespace: (!args.all_namespaces).then_some(namespace), names: args.names.clone() }
}

/// Looks until no problem is left, or the time is up; once without a limit.
fn until_well(
    session: &Session,
    query: &read::Query<'_>,
    now: Timestamp,
    limit: Option<Duration>,
) -> Result<Found, ClusterError> {
    let began = Instant::now();
    loop {
        let passed = SignedDuration::try_from(began.elapsed()).unwrap_or_default();
        let now = now.checked_add(passed).unwrap_or(now);
        let found = Found::new(&session.run(read::facts(session.cluster(), query, now))?);
        let Some(left) = limit.and_then(|limit| limit.checked_sub(began.elapsed())) else { return Ok(found) };
        if found.is_well() || left.is_zero() {
            return Ok(found);
        }
        session.run(async {
            tokio::time::sleep(PAUSE.min(left)).await;
            Ok(())
        })?;
    }
}
