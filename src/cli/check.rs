//! The options of `check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Colour, KubeArgs};

/// Options of `check`.
#[derive(Args, Clone, Debug, Default)]
pub struct CheckArgs {
    /// Only these routing secrets
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Namespace; the context's when not given
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// All namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Only those that this label selector picks, too
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub selector: Option<String>,
    /// Warn of certificates that expire within this time (30d, 12h), not of those with less than a third of their lifetime left
    #[arg(long, value_name = "TIME")]
    pub expires_within: Option<String>,
    /// Look again and again until no problem is left
    #[arg(long)]
    pub wait: bool,
    /// How long to wait (5m, 90s)
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<String>,
    /// How to print the findings
    #[arg(short, long, value_name = "text|json|yaml")]
    pub output: Option<CheckOutput>,
    /// These secrets and their mirrors are the routing secrets, whatever their labels (repeatable)
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub source: Vec<String>,
    /// Read files instead of a cluster: Secrets, Lists of them, or an Inventory (repeatable)
    #[arg(long, value_name = "PATH")]
    pub inventory: Vec<PathBuf>,
    /// Colour by urgency
    #[arg(long, value_name = "auto|always|never")]
    pub color: Option<Colour>,
    /// The way to the cluster.
    #[command(flatten)]
    pub kube: KubeArgs,
}

/// `--output` of `check`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CheckOutput {
    /// A line a finding, with what to do below it.
    #[default]
    Text,
    /// The findings as JSON.
    Json,
    /// The findings as YAML.
    Yaml,
}
