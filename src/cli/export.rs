//! The options of `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::KubeArgs;

/// Options of `export`.
#[derive(Args, Clone, Debug, Default)]
pub struct ExportArgs {
    /// Only these Secrets
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Namespace; the context's when not given
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// All namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Only those that this label selector picks
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub selector: Option<String>,
    /// How to print it
    #[arg(short, long, value_name = "yaml|json")]
    pub output: Option<ExportOutput>,
    /// Write nothing, and say what has changed since this Inventory was exported; exit with 1 when something has
    #[arg(long, value_name = "FILE")]
    pub check: Option<PathBuf>,
    /// The way to the cluster.
    #[command(flatten)]
    pub kube: KubeArgs,
}

/// `--output` of `export`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ExportOutput {
    /// YAML; with --check, text.
    #[default]
    Yaml,
    /// JSON.
    Json,
}
