//! The options of `distribute`.

use clap::{Args, ValueEnum};

use super::{DryRun, KubeArgs};

/// Options of `distribute`.
#[derive(Args, Clone, Debug)]
pub struct DistributeArgs {
    /// The routing secret
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Namespace; the context's when not given
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Who copies it: a replicator, or this program each time that it is run so
    #[arg(long, value_name = "reflector|kubed|copy")]
    pub via: DistributeVia,
    /// Copy it to namespaces whose names fit one of these regular expressions
    #[arg(long, value_name = "PATTERN,…")]
    pub to_namespaces: Option<String>,
    /// Copy it to namespaces with such labels
    #[arg(long, value_name = "SELECTOR")]
    pub to_selector: Option<String>,
    /// With copy: delete copies that are no longer asked for
    #[arg(long)]
    pub prune: bool,
    /// Only show what would be done; server asks the API server, too
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "client", value_name = "none|client|server")]
    pub dry_run: Option<DryRun>,
    /// The way to the cluster.
    #[command(flatten)]
    pub kube: KubeArgs,
}

/// `--via`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DistributeVia {
    /// emberstack/kubernetes-reflector.
    Reflector,
    /// Kubed, now config-syncer.
    Kubed,
    /// This program.
    Copy,
}
