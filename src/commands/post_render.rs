//! `post-render`: manifests in, manifests out. Nothing is written unless all of it is right.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::options::Environment;
use super::render::{self, Failure};
use super::{FINE, World};
use crate::cli::{OnError, PostRenderArgs};
use crate::manifest::Manifest;
use crate::output::escape::{escape, escape_json};
use crate::output::file::write_private;
use crate::plan::Plan;
use crate::plan::apply::{Piece, apply};
use crate::plan::build::literals;

/// The name of our Helm 4 plug-in, which Helm 4 puts into the environment.
const HELM_PLUGIN_NAME: &str = "kubectl-routing_secrets";

pub(super) fn run(mut args: PostRenderArgs, world: &mut World<'_>) -> Result<u8> {
    // Exec plug-ins inherit standard input, so it is read to its end before anything else (R21).
    let mut input = Vec::new();
    world.stdin.read_to_end(&mut input).context("failed to read the manifests from standard input")?;
    Environment::read(&world.env)?.fill_post_render(&mut args)?;
    let settings = render::settings(&args.decision, false)?;
    if input.trim_ascii().is_empty() {
        // Helm 4 takes empty output for a failure (R18).
        let is_helm =
            world.env.get("HELM_PLUGIN_NAME".as_ref() as &std::ffi::OsStr).is_some_and(|name| name == HELM_PLUGIN_NAME);
        world.stdout.write_all(if is_helm { b"# routing-secrets: no manifests\n" } else { &input })?;
        return Ok(FINE);
    }
    let manifest = Manifest::read(&input, &literals())?;
    let planned = match render::plan(&manifest, &args.decision, &settings, world.now) {
        Ok(planned) => planned,
        Err(Failure::Inventory(error)) if args.on_error == Some(OnError::Pass) => {
            writeln!(world.stdout, "# routing-secrets: passed on unchanged: {}", escape(&format!("{error:#}")))?;
            world.stdout.write_all(&input)?;
            return Ok(FINE);
        }
        Err(failure) => return Err(failure.into()),
    };
    render::require(&planned, args.decision.require)?;
    let pieces = apply(&manifest, &planned.changes)?;
    if let Some(path) = &args.decision.report {
        write_report(path, &planned.plan)?;
    }
    for piece in &pieces {
        match piece {
            Piece::Input(range) => world.stdout.write_all(&input[range.clone()])?,
            Piece::Text(text) => world.stdout.write_all(text.as_bytes())?,
        }
    }
    world.stdout.flush()?;
    Ok(FINE)
}

/// The plan as JSON without characters that a terminal would obey (R20).
pub(super) fn json(plan: &Plan) -> Result<String> {
    let json = serde_json::to_string_pretty(plan).context("failed to write the plan as JSON")?;
    Ok(escape_json(&json).into_owned() + "\n")
}

/// Writes the plan as JSON, to be read by its owner alone.
pub(super) fn write_report(path: &Path, plan: &Plan) -> Result<()> {
    let is_special = fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
    write_private(path, json(plan)?.as_bytes(), is_special)
        .with_context(|| format!("failed to write the report to {}", path.display()))
}
