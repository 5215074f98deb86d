//! `plan`: what post-render would do, and why.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use similar::TextDiff;

use super::post_render::write_report;
use super::{FINE, FOUND, World, render};
use crate::cli::{Output, PlanArgs};
use crate::helm::release::KubeAccess;
use crate::manifest::Manifest;
use crate::output::escape::escape_lines;
use crate::output::structured::{json, yaml};
use crate::plan::apply::whole;
use crate::plan::build::literals;
use crate::plan::{Plan, Planned};
use crate::report;

pub(super) fn run(args: PlanArgs, world: &mut World<'_>) -> Result<u8> {
    let output = args.output.unwrap_or_default();
    let settings = render::settings(&args.decision, true, args.candidates || output == Output::Wide)?;
    let mut input = Vec::new();
    match args.filename.as_deref() {
        None => world.stdin.read_to_end(&mut input).map(|_| ()).context("failed to read standard input")?,
        Some(path) if path == Path::new("-") => {
            world.stdin.read_to_end(&mut input).map(|_| ()).context("failed to read standard input")?;
        }
        Some(path) => input = fs::read(path).with_context(|| format!("failed to read {}", path.display()))?,
    }
    let manifest = Manifest::read(&input, &literals())?;
    let planned = render::plan(&manifest, &args.decision, &settings, &KubeAccess::default(), world)?;
    render::require(&planned, args.decision.require)?;
    let plan = planned.plan.as_ref().context("the plan was not made")?;
    let colour = super::colour(args.color, world);
    let text = view(&manifest, &planned, plan, output, colour)?;
    if let Some(path) = &args.decision.report {
        write_report(path, plan)?;
    }
    world.stdout.write_all(text.as_bytes())?;
    world.stdout.flush()?;
    Ok(if args.exit_code && plan.summary.left > 0 { FOUND } else { FINE })
}

fn view(manifest: &Manifest<'_>, planned: &Planned, plan: &Plan, output: Output, colour: bool) -> Result<String> {
    Ok(match output {
        Output::Text => report::text(plan, false),
        Output::Wide => report::text(plan, true),
        Output::Json => json(plan)?,
        Output::Yaml => yaml(plan)?,
        Output::Diff if colour => coloured(&diff(manifest, planned)?),
        Output::Diff => diff(manifest, planned)?,
    })
}

/// What changes in the manifests.
pub(super) fn diff(manifest: &Manifest<'_>, planned: &Planned) -> Result<String> {
    let after = whole(manifest, &planned.changes)?;
    let before = String::from_utf8_lossy(manifest.input());
    let after = String::from_utf8_lossy(&after);
    let diff = TextDiff::from_lines(before.as_ref(), after.as_ref());
    Ok(escape_lines(&diff.unified_diff().header("rendered", "post-rendered").to_string()))
}

/// A diff as git colours it.
fn coloured(diff: &str) -> String {
    let mut text = String::new();
    for (at, line) in diff.lines().enumerate() {
        let colour = match line.as_bytes().first() {
            _ if at < 2 => "\u{1b}[1m",
            Some(b'+') => "\u{1b}[32m",
            Some(b'-') => "\u{1b}[31m",
            Some(b'@') => "\u{1b}[36m",
            _ => "",
        };
        let end = if colour.is_empty() { "" } else { "\u{1b}[0m" };
        text.extend([colour, line, end, "\n"]);
    }
    text
}
