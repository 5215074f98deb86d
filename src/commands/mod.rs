//! The commands: each gathers its inputs, calls the core, and hands to output.

mod audit;
pub mod check;
mod completion;
mod create;
mod distribute;
mod elsewhere;
pub mod export;
pub mod helm;
pub mod kinds;
mod krm;
pub mod list;
mod mark;
pub mod r#match;
mod options;
pub mod plan;
pub mod post_render;
mod predict;
mod render;
mod source;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};

use anyhow::Result;
use jiff::Timestamp;

use crate::cli::{self, Cli, Colour, Command};
use crate::helm::arguments::{HelmLine, LineError};
use crate::helm::contract::{Version, failure_scalar};
use crate::output::escape::escape;

/// It worked, and nothing is wrong.
pub const FINE: u8 = 0;
/// It worked, and found something that a person should look at.
pub const FOUND: u8 = 1;
/// It could not be done; nothing was written.
pub const FAILED: u8 = 2;

/// What a command gets from outside.
pub struct World<'w> {
    /// The process's environment.
    pub env: BTreeMap<OsString, OsString>,
    /// Standard input.
    pub stdin: &'w mut dyn Read,
    /// Standard output.
    pub stdout: &'w mut dyn Write,
    /// Standard error.
    pub stderr: &'w mut dyn Write,
    /// Whether standard input is a terminal.
    pub stdin_is_terminal: bool,
    /// Whether standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// Whether standard error is a terminal.
    pub stderr_is_terminal: bool,
    /// Finds the command line of the helm that runs us, if one does.
    pub helm_ancestor: &'w dyn Fn() -> std::result::Result<Option<HelmLine>, LineError>,
    /// Starts the threads of the process, with this one among them, for work that needs them; most commands have none.
    pub start_threads: &'w dyn Fn(),
    /// The time.
    pub now: Timestamp,
}

/// Runs the command line and gives the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>, world: &mut World<'_>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(shell) = completion::asking_shell(&world.env) {
        // A shell that is told nothing offers nothing.
        return completion::answer(&shell, &arguments, world).unwrap_or(FAILED);
    }
    let arguments = cli::arguments(arguments, world.stdin_is_terminal);
    let cli = match options::parse(&arguments, &world.env) {
        Ok(Ok(cli)) => Ok(cli),
        Ok(Err(error)) => return no_command(&error, world),
        Err(error) => Err(error),
    };
    let result = match cli {
        Ok(cli) => dispatch(cli, &arguments, world),
        // A wrong variable is told like any failure of the filter, whatever helm shows of it.
        Err(error) if arguments.get(1).is_some_and(|first| first == "post-render") => post_render::fail(world, error),
        Err(error) => Err(error),
    };
    match result {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => FINE,
        Err(error) => {
            let _ = writeln!(world.stderr, "routing-secrets: {}", escape(&format!("{error:#}")));
            FAILED
        }
    }
}

/// Help, the version, or a command line that cannot be read. Helm would take any of it for manifests.
fn no_command(error: &clap::Error, world: &mut World<'_>) -> u8 {
    let text = error.render().to_string();
    let is_helm = !matches!((world.helm_ancestor)(), Ok(None));
    let (code, out, text) = match Version::detect(&variable(&world.env), is_helm, &[]) {
        Version::Helm4 => (FINE, &mut world.stdout, failure_scalar(&format!("routing-secrets: {text}"))),
        Version::Helm3 => (FAILED, &mut world.stderr, text),
        Version::None if error.use_stderr() => (FAILED, &mut world.stderr, text),
        Version::None => (FINE, &mut world.stdout, text),
    };
    let _ = out.write_all(text.as_bytes());
    code
}

fn dispatch(cli: Cli, arguments: &[OsString], world: &mut World<'_>) -> Result<u8> {
    match cli.command {
        Command::PostRender(args) => post_render::run(args, world),
        Command::Plan(args) => plan::run(args, world),
        Command::List(args) => list::run(&args, world),
        Command::Check(args) => check::run(&args, world),
        Command::Create(args) => create::run(&args, world),
        Command::Mark(args) => mark::run(&args, true, world),
        Command::Unmark(args) => mark::run(&args, false, world),
        Command::Distribute(args) => distribute::run(&args, world),
        Command::Audit(args) => audit::run(&args, world),
        Command::Kinds(args) => kinds::run(&args, world),
        Command::Krm(_) => krm::run(arguments, world),
        Command::Completion(args) => completion::script(&args, world),
        Command::Man(args) => completion::manual(&args),
        Command::Complete(args) => completion::candidates(&args.words, world),
        Command::Helm(args) => helm::run(args, world),
        Command::Match(args) => r#match::run(&args, world),
        Command::Export(args) => export::run(&args, world),
    }
}

/// Whether to colour what is printed.
fn colour(asked: Option<Colour>, world: &World<'_>) -> bool {
    match asked {
        Some(Colour::Always) => true,
        Some(Colour::Never) => false,
        Some(Colour::Auto) | None => {
            world.stdout_is_terminal && variable(&world.env)("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    }
}

/// A variable of the environment.
fn variable(env: &BTreeMap<OsString, OsString>) -> impl Fn(&str) -> Option<String> {
    |name| env.get(OsStr::new(name)).and_then(|value| value.to_str()).map(str::to_owned)
}

/// A reader that has seen enough is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
