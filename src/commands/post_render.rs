//! `post-render`: manifests in, manifests out. Nothing is written unless all of it is right.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufWriter, Write as _};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::plan::diff;
use super::render::{self, Failure};
use super::{FINE, World};
use crate::cli::{OnError, PostRenderArgs};
use crate::helm::arguments::{HelmLine, LineError};
use crate::helm::contract::{EMPTY_OUTPUT, Version, failure_scalar};
use crate::helm::{plugin, release};
use crate::manifest::Manifest;
use crate::output::escape::escape;
use crate::output::file::write_private;
use crate::output::structured::json;
use crate::plan::Plan;
use crate::plan::apply::{Piece, apply};
use crate::plan::build::literals;
use crate::report;

/// How much is gathered before it is written.
const OUTPUT_BUFFER: usize = 64 * 1024;

pub(super) fn run(args: PostRenderArgs, world: &mut World<'_>) -> Result<u8> {
    // Exec plug-ins inherit standard input, so it is read to its end before anything else (R21).
    // Neither it nor what is made of it is freed: the process ends with the command.
    let mut input = ManuallyDrop::new(Vec::new());
    world.stdin.read_to_end(&mut input).context("failed to read the manifests from standard input")?;
    let ancestor = (world.helm_ancestor)();
    let version = version(world, &ancestor, &input);
    let result = filter(args, world, &input, ancestor, version);
    result.or_else(|error| tell(world, version, error))
}

/// Fails as the Helm that runs us shows it, before any input was looked at.
pub(super) fn fail(world: &mut World<'_>, error: anyhow::Error) -> Result<u8> {
    let mut input = Vec::new();
    let _ = world.stdin.read_to_end(&mut input);
    let version = version(world, &(world.helm_ancestor)(), &input);
    tell(world, version, error)
}

fn version(world: &World<'_>, ancestor: &std::result::Result<Option<HelmLine>, LineError>, input: &[u8]) -> Version {
    Version::detect(&super::variable(&world.env), !matches!(ancestor, Ok(None)), input)
}

/// Helm 4 throws standard error away; a document that is no mapping makes it fail and show it.
fn tell(world: &mut World<'_>, version: Version, error: anyhow::Error) -> Result<u8> {
    if version != Version::Helm4 || super::is_broken_pipe(&error) {
        return Err(error);
    }
    let message = format!("routing-secrets: {}", escape(&format!("{error:#}")));
    world.stdout.write_all(failure_scalar(&message).as_bytes())?;
    Ok(FINE)
}

fn filter(
    args: PostRenderArgs,
    world: &mut World<'_>,
    input: &[u8],
    ancestor: std::result::Result<Option<HelmLine>, LineError>,
    version: Version,
) -> Result<u8> {
    let wrapper = Wrapper::of(world);
    let mut settings = render::settings(&args.decision, wrapper.listens(), false)?;
    let release = {
        let env = super::variable(&world.env);
        let file = |path: &Path| fs::read_to_string(path);
        let outside = release::World { env: &env, file: &file };
        release::release(settings.namespace.as_deref(), ancestor?.as_ref(), outside)?
    };
    if version == Version::Helm3 && release.helm.is_some_and(|helm| helm.output_dir) {
        bail!(
            "helm template --output-dir writes its files before a post-renderer runs under Helm 3: leave it out, and split the output instead"
        );
    }
    settings.namespace.clone_from(&release.namespace);
    if input.trim_ascii().is_empty() {
        // Helm 4 takes empty output for a failure (R18).
        wrapper.tell(EMPTY_OUTPUT, || Ok(String::new()))?;
        world.stdout.write_all(if version == Version::None { input } else { EMPTY_OUTPUT.as_bytes() })?;
        return Ok(FINE);
    }
    (world.start_threads)();
    let manifest = ManuallyDrop::new(Manifest::read(input, &literals())?);
    let planned = match render::plan(&manifest, &args.decision, &settings, &release.access, world) {
        Ok(planned) => planned,
        Err(Failure::Inventory(error)) if args.on_error == Some(OnError::Pass) => {
            let comment = format!("# routing-secrets: passed on unchanged: {}\n", escape(&format!("{error:#}")));
            wrapper.tell(&comment, || Ok(String::new()))?;
            world.stdout.write_all(comment.as_bytes())?;
            world.stdout.write_all(input)?;
            return Ok(FINE);
        }
        Err(failure) => return Err(failure.into()),
    };
    let planned = ManuallyDrop::new(planned);
    render::require(&planned, args.decision.require)?;
    let pieces = apply(&manifest, &planned.changes)?;
    if let (Some(path), Some(plan)) = (&args.decision.report, &planned.plan) {
        write_report(path, plan)?;
    }
    if let Some(plan) = &planned.plan {
        wrapper.tell(&report::text(plan, false), || diff(&manifest, &planned))?;
    }
    // Standard output's own buffer is small, and written at every line break.
    let mut output = BufWriter::with_capacity(OUTPUT_BUFFER, &mut world.stdout);
    for piece in &pieces {
        match piece {
            Piece::Input(range) => output.write_all(&input[range.clone()])?,
            Piece::Text(text) => output.write_all(text.as_bytes())?,
        }
    }
    output.flush()?;
    Ok(FINE)
}

/// Writes the plan as JSON, to be read by its owner alone.
pub(super) fn write_report(path: &Path, plan: &Plan) -> Result<()> {
    let is_special = fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
    write_private(path, json(plan)?.as_bytes(), is_special)
        .with_context(|| format!("failed to write the report to {}", path.display()))
}

/// The files in which `helm routing-secrets` wants to hear from us.
struct Wrapper {
    report: Option<PathBuf>,
    diff: Option<PathBuf>,
}

impl Wrapper {
    fn of(world: &World<'_>) -> Self {
        let file = |name: &str| world.env.get(OsStr::new(name)).map(PathBuf::from);
        Self { report: file(plugin::REPORT), diff: file(plugin::DIFF) }
    }

    fn listens(&self) -> bool {
        self.report.is_some() || self.diff.is_some()
    }

    fn tell(&self, report: &str, diff: impl FnOnce() -> Result<String>) -> Result<()> {
        let write = |path: &Path, text: &str| {
            write_private(path, text.as_bytes(), false).with_context(|| format!("failed to write {}", path.display()))
        };
        if let Some(path) = &self.report {
            write(path, report)?;
        }
        if let Some(path) = &self.diff {
            write(path, &diff()?)?;
        }
        Ok(())
    }
}
