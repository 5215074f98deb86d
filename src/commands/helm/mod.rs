//! `helm`: sets up the post-renderer for the helm at hand, or runs that helm with it.

mod run;
mod setup;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail};

use super::World;
use crate::cli::{HelmArgs, HelmCommand};
use crate::helm::contract::Version;
use crate::helm::plugin::major;
use crate::output::escape::escape;

pub(super) fn run(args: HelmArgs, world: &mut World<'_>) -> Result<u8> {
    match args.command {
        HelmCommand::Install(args) => run::run("install", &args.arguments, world),
        HelmCommand::Upgrade(args) => run::run("upgrade", &args.arguments, world),
        HelmCommand::Template(args) => run::run("template", &args.arguments, world),
        HelmCommand::Setup => setup::setup(world),
        HelmCommand::Status => setup::status(world),
        HelmCommand::Remove => setup::remove(world),
    }
}

/// The helm at hand: the one whose plug-in runs us, or the one that the user names, or the one on the PATH.
struct Helm {
    /// How it is called.
    program: OsString,
    /// What it says about itself, such as `v4.3.1`.
    says: String,
    /// Helm 3 or Helm 4.
    version: Version,
}

impl Helm {
    fn find(world: &World<'_>) -> Result<Self> {
        let named = world.env.get(OsStr::new("HELM_BIN")).filter(|name| !name.is_empty());
        Self::ask(named.map_or_else(|| OsString::from("helm"), OsString::clone), world)
    }

    /// # Errors
    /// When it is no Helm 3 or later, or does not run.
    fn ask(program: OsString, world: &World<'_>) -> Result<Self> {
        let says = said(&program, &["version", "--template", "{{.Version}}"], world)?;
        let version = match major(&says) {
            Some(3) => Version::Helm3,
            Some(later) if later > 3 => Version::Helm4,
            _ => bail!("{} says that its version is \"{}\"; Helm 3 or 4 is needed", shown(&program), escape(&says)),
        };
        Ok(Self { program, says: escape(&says).into_owned(), version })
    }

    /// What the helm says about its environment, such as `HELM_PLUGINS`.
    fn env(&self, name: &str, world: &World<'_>) -> Result<PathBuf> {
        let path = said(&self.program, &["env", name], world)?;
        if path.is_empty() {
            bail!("{} names no {name}", shown(&self.program));
        }
        Ok(path.into())
    }
}

/// A command of helm in the environment of this process.
fn command(program: &OsStr, world: &World<'_>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(&world.env);
    command
}

fn output(program: &OsStr, arguments: &[&str], world: &World<'_>) -> Result<Output> {
    let output = command(program, world).args(arguments).stdin(Stdio::null()).output();
    output.with_context(|| not_run(program))
}

/// What a helm prints.
fn said(program: &OsStr, arguments: &[&str], world: &World<'_>) -> Result<String> {
    let output = output(program, arguments, world)?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        bail!("{} {} failed: {}", shown(program), arguments[0], escape(why.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn not_run(program: &OsStr) -> String {
    format!("failed to run {}; name another helm in HELM_BIN", shown(program))
}

fn shown(program: &OsStr) -> String {
    escape(&program.to_string_lossy()).into_owned()
}

/// A program on the PATH.
fn on_the_path(name: &str, world: &World<'_>) -> Option<PathBuf> {
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = world.env.get(OsStr::new("PATH"))?;
    std::env::split_paths(path).map(|folder| folder.join(&name)).find(|file| is_program(file).unwrap_or(false))
}

fn is_program(file: &std::path::Path) -> io::Result<bool> {
    let metadata = std::fs::metadata(file)?;
    #[cfg(unix)]
    let can_run = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let can_run = true;
    Ok(metadata.is_file() && can_run)
}
