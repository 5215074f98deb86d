//! `audit`: what is wrong with the TLS of a live cluster, and what it orders without need.

mod progress;
mod read;
mod search;

use anyhow::Result;

use progress::Progress;

use super::{FINE, FOUND, World, render};
use crate::audit::{audit, text};
use crate::cli::{AuditArgs, AuditOutput};
use crate::output::structured::{json, yaml};

pub(super) fn run(args: &AuditArgs, world: &mut World<'_>) -> Result<u8> {
    let session = render::session(&args.kube.access()?, world, None)?;
    let cluster = session.cluster();
    let namespace = match (args.all_namespaces, &args.namespace) {
        (true, _) => None,
        (false, Some(namespace)) => Some(namespace.as_str()),
        (false, None) => Some(cluster.default_namespace()),
    };
    let colour = super::colour(args.color, world);
    let limits = args.limits.unwrap_or_default();
    let now = world.now;
    let progress = Progress::new(world.stderr, world.stderr_is_terminal);
    let scope = read::Scope { namespace, triggers: &args.trigger, now, window: limits.window };
    let seen = session.run(read::read(cluster, scope, &progress));
    progress.end();
    let audit = audit(&seen?, &limits, now);
    let text = match args.output.unwrap_or_default() {
        AuditOutput::Text => text::text(&audit, colour),
        AuditOutput::Json => json(&audit)?,
        AuditOutput::Yaml => yaml(&audit)?,
    };
    world.stdout.write_all(text.as_bytes())?;
    world.stdout.flush()?;
    Ok(if audit.items.is_empty() { FINE } else { FOUND })
}
