//! The command line: definitions only, a file a command.

mod audit;
mod check;
mod completion;
mod create;
mod distribute;
mod export;
mod helm;
mod kinds;
mod krm;
mod kube;
mod list;
mod mark;
mod r#match;
mod render;

use std::ffi::OsString;
use std::path::Path;

use clap::{Parser, Subcommand, ValueEnum};

pub use audit::{AuditArgs, AuditOutput};
pub use check::{CheckArgs, CheckOutput};
pub use completion::{CompleteArgs, CompletionArgs, ManArgs};
pub use create::{CreateArgs, Distribute, ObjectOutput};
pub use distribute::{DistributeArgs, DistributeVia};
pub use export::{ExportArgs, ExportOutput};
pub use helm::{HelmArgs, HelmCommand, RunArgs};
pub use kinds::{KindsArgs, KindsOutput};
pub use krm::KrmArgs;
pub use kube::KubeArgs;
pub use list::ListArgs;
pub use mark::MarkArgs;
pub use r#match::{MatchArgs, MatchOutput, Matching};
pub use render::{DecisionArgs, OnError, Output, PlanArgs, PostRenderArgs, Require};

/// Points Helm releases at the TLS secrets a cluster already has.
#[derive(Debug, Parser)]
#[command(name = "kubectl-routing_secrets", bin_name = "kubectl routing-secrets", version, args_override_self = true)]
#[command(after_help = "Without a command and with manifests on standard input: post-render.\n\
Every option can also be given as ROUTING_SECRETS_<OPTION>, for example ROUTING_SECRETS_INVENTORY.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Rewrite rendered manifests: standard input to standard output
    #[command(args_override_self = true)]
    PostRender(PostRenderArgs),
    /// Show what post-render would change and what it would leave, with reasons
    #[command(args_override_self = true)]
    Plan(PlanArgs),
    /// List the routing secrets: what each covers, when it expires, what is wrong with it
    #[command(args_override_self = true, visible_alias = "ls")]
    List(ListArgs),
    /// Look for what is wrong with routing secrets, or will be, and say what to do
    #[command(args_override_self = true)]
    Check(CheckArgs),
    /// Make a routing secret: from a certificate and its key, an issuer, or another Secret
    #[command(args_override_self = true)]
    Create(CreateArgs),
    /// Make Secrets routing secrets, by the label on the object where it lasts
    #[command(args_override_self = true)]
    Mark(MarkArgs),
    /// Take the label of routing secrets away
    #[command(args_override_self = true)]
    Unmark(MarkArgs),
    /// Have a routing secret copied to other namespaces, by a replicator or by this program
    #[command(args_override_self = true)]
    Distribute(DistributeArgs),
    /// Look through a live cluster: slots that are not served, certificates ordered without need, what nothing uses
    #[command(args_override_self = true)]
    Audit(AuditArgs),
    /// Show the kinds that are known, and where they name hosts and Secrets
    #[command(args_override_self = true)]
    Kinds(KindsArgs),
    /// A KRM function for kustomize: rewrite the items of a ResourceList, and say in its results what was done
    #[command(args_override_self = true)]
    Krm(KrmArgs),
    /// Print a shell's completion script
    Completion(CompletionArgs),
    /// Write the manual pages
    Man(ManArgs),
    /// What kubectl offers next
    #[command(name = COMPLETE, hide = true)]
    Complete(CompleteArgs),
    /// Run helm with the filter, or set the filter up for helm
    Helm(HelmArgs),
    /// Show which routing secret serves a host or an object, and why the others do not
    #[command(args_override_self = true)]
    Match(MatchArgs),
    /// Write the TLS Secrets of a cluster as a file without keys, for --inventory
    #[command(args_override_self = true)]
    Export(ExportArgs),
}

/// The command that kubectl's completion runs.
const COMPLETE: &str = "__complete";

/// The program that kubectl's completion looks for on the PATH: this one, under another name (kubectl
/// `pkg/cmd/plugin/plugin_completion.go`).
const COMPLETE_PROGRAM: &str = "kubectl_complete-routing_secrets";

/// `--dry-run`, as kubectl has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DryRun {
    /// Do it.
    #[default]
    None,
    /// Show what would be done.
    Client,
    /// Have the API server check it, too, without keeping it.
    Server,
}

/// `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The arguments with the command in its place: `post-render` where Helm has left it out (Helm 3 passes no
/// arguments of its own) or given it twice (the Helm 4 plug-in's and the user's), `__complete` where kubectl asks.
pub fn arguments(arguments: impl IntoIterator<Item = OsString>, stdin_is_terminal: bool) -> Vec<OsString> {
    const POST_RENDER: &str = "post-render";
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let program = arguments.first().map(Path::new).and_then(Path::file_stem);
    if program.is_some_and(|program| program == COMPLETE_PROGRAM) {
        arguments.insert(1, COMPLETE.into());
        return arguments;
    }
    let first = arguments.get(1).and_then(|argument| argument.to_str()).map(str::to_owned);
    let asks_for_itself = matches!(first.as_deref(), Some("-h" | "--help" | "-V" | "--version"));
    match first.as_deref() {
        None if !stdin_is_terminal => arguments.push(POST_RENDER.into()),
        Some(option) if option.starts_with('-') && !asks_for_itself => arguments.insert(1, POST_RENDER.into()),
        Some(POST_RENDER) if arguments.get(2).is_some_and(|second| second == POST_RENDER) => {
            arguments.remove(2);
        }
        _ => {}
    }
    arguments
}
