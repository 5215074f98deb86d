//! The options of `mark` and `unmark`.

use clap::Args;

use super::{DryRun, KubeArgs};

/// Options of `mark` and `unmark`.
#[derive(Args, Clone, Debug, Default)]
pub struct MarkArgs {
    /// The Secrets
    #[arg(value_name = "NAME", required = true)]
    pub names: Vec<String>,
    /// Namespace; the context's when not given
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Only show what would be done; server asks the API server, too
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "client", value_name = "none|client|server")]
    pub dry_run: Option<DryRun>,
    /// The way to the cluster.
    #[command(flatten)]
    pub kube: KubeArgs,
}
