//! `completion`, `man`, and what `kubectl routing-secrets <TAB>` asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, complete};
use clap_complete::env::{EnvCompleter, Shells};
use jiff::Timestamp;

use super::{FINE, World, variable};
use crate::cli::{Cli, CompletionArgs, KubeArgs, ManArgs};
use crate::cluster::{Batch, ClusterError, NAMESPACES, Selection, Session, kubeconfig};
use crate::inventory::cluster::{ApiObject, read};
use crate::output::escape::escape;

/// The program's name on the PATH.
const PROGRAM: &str = "kubectl-routing_secrets";

/// How long a person who pressed TAB waits for names from a cluster.
const PATIENCE: Duration = Duration::from_secs(2);

/// cobra's directives (`completions.go`): no blank after the word; no file names from the shell.
const NO_SPACE: u8 = 2;
const NO_FILES: u8 = 4;

/// By this variable a shell's script says that it wants to be told what to offer.
const ASKED: &str = "_KUBECTL_ROUTING_SECRETS_COMPLETE";

/// `completion`: the script that tells a shell to ask the program. (Scripts that hold all answers would know no names
/// from a cluster; and clap's for bash is wrong for programs with a dash in their name.)
pub(super) fn script(args: &CompletionArgs, world: &mut World<'_>) -> Result<u8> {
    let mut script = Vec::new();
    completer(&args.shell.to_string())?.write_registration(ASKED, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    world.stdout.write_all(&script)?;
    Ok(FINE)
}

fn completer(shell: &str) -> Result<&'static dyn EnvCompleter> {
    const SHELLS: Shells<'static> = Shells::builtins();
    SHELLS.completer(shell).with_context(|| format!("no completion is known for \"{}\"", escape(shell)))
}

/// The shell whose script asks what to offer, if one does.
pub(super) fn asking_shell(env: &BTreeMap<OsString, OsString>) -> Option<String> {
    variable(env)(ASKED).filter(|shell| !shell.is_empty())
}

/// Tells a shell what to offer for the words after the `--` of its script.
pub(super) fn answer(shell: &str, arguments: &[OsString], world: &mut World<'_>) -> Result<u8> {
    let words: Vec<OsString> = arguments.iter().skip_while(|word| *word != "--").skip(1).cloned().collect();
    let source = Arc::new(Source { env: world.env.clone(), words: words.clone(), now: world.now });
    let mut answer = Vec::new();
    let mut command = with_names(Cli::command(), &source);
    completer(shell)?.write_complete(&mut command, words, Some(Path::new(".")), &mut answer)?;
    world.stdout.write_all(&answer)?;
    Ok(FINE)
}

/// `man`: a page for the program and one for each command.
pub(super) fn manual(args: &ManArgs) -> Result<u8> {
    fs::create_dir_all(&args.folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command().name(PROGRAM), &args.folder))
        .with_context(|| format!("failed to write the manual pages to {}", args.folder.display()))?;
    Ok(FINE)
}

/// `__complete`: one candidate a line, and cobra's directive as the last. Whatever goes wrong, the shell gets an answer
/// that it can show.
pub(super) fn candidates(words: &[OsString], world: &mut World<'_>) -> Result<u8> {
    let all: Vec<OsString> = std::iter::once(PROGRAM.into()).chain(words.iter().cloned()).collect();
    let last = all.len() - 1;
    let source = Arc::new(Source { env: world.env.clone(), words: all.clone(), now: world.now });
    let found = complete(&mut with_names(Cli::command(), &source), all, last, Some(Path::new("."))).unwrap_or_default();
    // As kubectl itself: options are offered to those who begin one.
    let with_options = words.last().is_some_and(|word| !word.is_empty());
    let mut directive = NO_FILES;
    for candidate in found.iter().filter(|candidate| !candidate.is_hide_set()) {
        let value = candidate.get_value().to_string_lossy();
        if value.starts_with('-') && !with_options {
            continue;
        }
        if value.ends_with(['/', '=']) {
            directive |= NO_SPACE;
        }
        let help = candidate.get_help().map(|help| format!("\t{}", escape(&help.to_string()))).unwrap_or_default();
        writeln!(world.stdout, "{}{help}", escape(&value))?;
    }
    writeln!(world.stdout, ":{directive}")?;
    Ok(FINE)
}

/// The command line, with names from the cluster where an argument names a namespace or routing secrets.
fn with_names(command: clap::Command, source: &Arc<Source>) -> clap::Command {
    command.mut_subcommands(|subcommand| {
        subcommand.mut_args(|argument| {
            let names: fn(&Source) -> Result<Vec<CompletionCandidate>, ClusterError> =
                match (argument.get_long(), argument.get_id().as_str()) {
                    (Some("namespace"), _) => Source::namespaces,
                    (None, "names") => Source::routing_secrets,
                    _ => return argument,
                };
            let source = Arc::clone(source);
            argument.add(ArgValueCompleter::new(move |current: &OsStr| {
                let start = current.as_encoded_bytes();
                let mut found = names(&source).unwrap_or_default();
                found.retain(|candidate| candidate.get_value().as_encoded_bytes().starts_with(start));
                found
            }))
        })
    })
}

/// What candidates are read from.
struct Source {
    env: BTreeMap<OsString, OsString>,
    words: Vec<OsString>,
    now: Timestamp,
}

impl Source {
    /// What the words say so far about the cluster and the namespace.
    fn matches(&self) -> Option<ArgMatches> {
        let (_, known) = self.words.split_last()?;
        let matches = Cli::command().ignore_errors(true).try_get_matches_from(known).ok()?;
        matches.subcommand().map(|(_, matches)| matches.clone())
    }

    fn session(&self, matches: Option<&ArgMatches>) -> Result<Session, ClusterError> {
        let args = matches.and_then(|matches| KubeArgs::from_arg_matches(matches).ok()).unwrap_or_default();
        let env = variable(&self.env);
        let file = |path: &Path| fs::read_to_string(path);
        Session::open(&args.access()?, kubeconfig::World { env: &env, file: &file }, Some(PATIENCE))
    }

    fn namespaces(&self) -> Result<Vec<CompletionCandidate>, ClusterError> {
        let session = self.session(self.matches().as_ref())?;
        let mut names = BTreeSet::new();
        session.run(session.cluster().list(NAMESPACES, Selection::default(), |batch: Batch<ApiObject>| {
            if let Batch::Items(items) = batch {
                names.extend(items.into_iter().map(|item| item.metadata.name));
            }
            true
        }))?;
        Ok(names.into_iter().map(CompletionCandidate::new).collect())
    }

    fn routing_secrets(&self) -> Result<Vec<CompletionCandidate>, ClusterError> {
        let matches = self.matches();
        let session = self.session(matches.as_ref())?;
        let given = matches.as_ref().and_then(|matches| matches.try_get_one::<String>("namespace").ok().flatten());
        let namespace = given.map_or(session.cluster().default_namespace(), String::as_str).to_owned();
        let namespaces = BTreeSet::from([namespace]);
        let inventory = session.run(read(session.cluster(), &namespaces, None, &[], self.now))?;
        let secrets = inventory.secrets().filter(|secret| secret.routing);
        Ok(secrets
            .map(|secret| {
                let hosts = secret.certificate.as_ref().map(|facts| facts.dns_names.join(", ")).unwrap_or_default();
                CompletionCandidate::new(&secret.id.name).help((!hosts.is_empty()).then(|| hosts.into()))
            })
            .collect())
    }
}
