//! The options of `helm`.

use std::ffi::OsString;

use clap::{Args, Subcommand};

/// Options of `helm`.
#[derive(Args, Clone, Debug)]
#[command(subcommand_value_name = "COMMAND")]
pub struct HelmArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: HelmCommand,
}

/// The commands of `helm`.
#[derive(Subcommand, Clone, Debug)]
pub enum HelmCommand {
    /// Run helm install with the filter, and print afterwards what it did
    #[command(disable_help_flag = true)]
    Install(RunArgs),
    /// Run helm upgrade with the filter, and print afterwards what it did
    #[command(disable_help_flag = true)]
    Upgrade(RunArgs),
    /// Run helm template with the filter, and print afterwards what it did
    #[command(disable_help_flag = true)]
    Template(RunArgs),
    /// Make --post-renderer kubectl-routing_secrets work with the helm on the PATH, or in HELM_BIN
    Setup,
    /// Show whether it works, and what is missing
    Status,
    /// Undo setup
    Remove,
}

/// Helm's own arguments.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// Helm's arguments, as they are; and --diff, which first shows what the filter changes
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "HELM-ARGUMENT")]
    pub arguments: Vec<OsString>,
}
