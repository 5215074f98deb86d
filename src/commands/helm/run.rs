//! `helm install`, `upgrade` and `template` with the filter as their post-renderer. Helm drops what a post-renderer
//! says, so the filter writes it to a file, which is shown when helm has ended.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result, bail};

use super::{Helm, command, not_run};
use crate::commands::{FAILED, FINE, World};
use crate::helm::arguments::{Wrapped, wrapped};
use crate::helm::contract::{PLUGIN, Version};
use crate::helm::plugin::{DIFF, PROGRAM, REPORT, private_plugin_yaml};
use crate::output::escape::escape_lines;

/// Runs helm and gives its exit code.
pub(super) fn run(subcommand: &str, arguments: &[OsString], world: &mut World<'_>) -> Result<u8> {
    let mut line = vec![OsString::from(subcommand)];
    line.extend_from_slice(arguments);
    let words: Vec<_> = line.iter().map(|word| word.to_string_lossy()).collect();
    let read = wrapped(&words)?.context("helm's command line is not read")?;
    let helm = Helm::find(world)?;
    if read.line.help {
        return Ok(code(command(&helm.program, world).args(&line).status().with_context(|| not_run(&helm.program))?));
    }
    check(&read)?;
    let folder = tempfile::Builder::new().prefix("routing-secrets-").tempdir();
    let folder = folder.context("failed to make a temporary folder")?;
    let renderer = post_renderer(&helm, folder.path(), world)?;
    interrupts_are_helms()?;
    if read.diff {
        let status = show_diff(&helm, &read, &line, &renderer, folder.path(), world)?;
        if !status.success() {
            let text = format!("routing-secrets: the dry run for --diff failed, so {subcommand} was not run\n");
            tell(&text, world);
            return Ok(code(status));
        }
    }
    let report = folder.path().join("report");
    let mut real = renderer.command(&helm, &read.arguments(&line), world);
    real.env(REPORT, &report);
    let status = real.status().with_context(|| not_run(&helm.program))?;
    if let Ok(text) = fs::read_to_string(&report) {
        tell(&escape_lines(&text), world);
    }
    Ok(code(status))
}

/// Nobody who listens is no reason to leave helm out, or to give another exit code than helm's.
fn tell(text: &str, world: &mut World<'_>) {
    let _ = world.stderr.write_all(text.as_bytes()).and_then(|()| world.stderr.flush());
}

/// # Errors
/// When the line asks for what cannot be.
fn check(read: &Wrapped) -> Result<()> {
    if read.line.post_renderer {
        bail!(
            "helm takes one post-renderer, and helm routing-secrets brings its own: leave --post-renderer out; or run helm \
             itself with a script that pipes yours into \"kubectl-routing_secrets post-render\""
        );
    }
    if read.diff && read.line.values_from_stdin {
        bail!("--diff runs helm twice, so values cannot come from standard input: put them into a file");
    }
    Ok(())
}

/// The filter as a helm takes it.
struct PostRenderer {
    /// The value of `--post-renderer`.
    name: OsString,
    /// What it needs in the environment.
    env: Vec<(&'static str, OsString)>,
}

impl PostRenderer {
    /// Helm with the filter; the line starts with the subcommand.
    fn command(&self, helm: &Helm, line: &[OsString], world: &World<'_>) -> Command {
        let mut command = command(&helm.program, world);
        let (subcommand, rest) = line.split_at(1);
        command.args(subcommand).arg("--post-renderer").arg(&self.name).args(rest);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Helm 3 takes this program by its path. Helm 4 takes a plug-in, so it gets one in a folder that this run alone knows;
/// before the user's folders, so that it is this program that runs.
fn post_renderer(helm: &Helm, folder: &Path, world: &World<'_>) -> Result<PostRenderer> {
    let program = std::env::current_exe().context("failed to find the path of this program")?;
    if helm.version == Version::Helm3 {
        return Ok(PostRenderer { name: program.into(), env: Vec::new() });
    }
    let plugins = folder.join("plugins");
    let ours = plugins.join(PLUGIN);
    fs::create_dir_all(&ours)
        .and_then(|()| fs::write(ours.join("plugin.yaml"), private_plugin_yaml()))
        .context("failed to write the plug-in for Helm 4")?;
    let known = match world.env.get(OsStr::new("HELM_PLUGINS")).filter(|value| !value.is_empty()) {
        Some(known) => known.clone(),
        None => helm.env("HELM_PLUGINS", world)?.into_os_string(),
    };
    let all = std::iter::once(plugins).chain(std::env::split_paths(&known));
    let all = std::env::join_paths(all).context("failed to add a folder to HELM_PLUGINS")?;
    Ok(PostRenderer { name: PLUGIN.into(), env: vec![("HELM_PLUGINS", all), (PROGRAM, program.into())] })
}

/// Shows what the filter changes, by a run that changes nothing. Helm's own error is shown when that run fails.
fn show_diff(
    helm: &Helm,
    read: &Wrapped,
    line: &[OsString],
    renderer: &PostRenderer,
    folder: &Path,
    world: &mut World<'_>,
) -> Result<ExitStatus> {
    let is_dry = read.line.dry_run || line[0] == "template";
    // "server", as lookups in the chart must find what the real run finds.
    let dry: &[OsString] = if is_dry { &[] } else { &["--dry-run=server".into()] };
    let diff = folder.join("diff");
    let mut command = renderer.command(helm, &read.with(line, dry), world);
    command.env(DIFF, &diff).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = command.output().with_context(|| not_run(&helm.program))?;
    if let Ok(text) = fs::read_to_string(&diff) {
        let text = if text.is_empty() { "routing-secrets: nothing changes\n" } else { &text };
        tell(&escape_lines(text), world);
    }
    if !output.status.success() {
        tell(&String::from_utf8_lossy(&output.stderr), world);
    }
    Ok(output.status)
}

/// Ctrl-C reaches helm as well, and helm decides what becomes of the release; we wait for its end.
fn interrupts_are_helms() -> Result<()> {
    let seen = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, seen).context("failed to listen to Ctrl-C")?;
    Ok(())
}

/// Helm's exit code; as a shell gives it when a signal has ended helm.
fn code(status: ExitStatus) -> u8 {
    if status.success() {
        return FINE;
    }
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(FAILED);
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(FAILED)
}
