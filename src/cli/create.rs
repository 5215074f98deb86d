//! The options of `create`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{DryRun, KubeArgs};

/// Options of `create`.
#[derive(Args, Clone, Debug, Default)]
pub struct CreateArgs {
    /// The Secret's name, and the Certificate's
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Namespace; the context's when not given
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// From a certificate: the file with it and its chain, in PEM
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// The file with its private key, in PEM
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// From a cert-manager Issuer of the namespace
    #[arg(long, value_name = "NAME")]
    pub issuer: Option<String>,
    /// From a cert-manager ClusterIssuer
    #[arg(long, value_name = "NAME")]
    pub cluster_issuer: Option<String>,
    /// From another TLS Secret, as it is now
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub from: Option<String>,
    /// A host that it must cover (repeatable)
    #[arg(long, value_name = "HOST")]
    pub host: Vec<String>,
    /// Who copies it to other namespaces
    #[arg(long, value_name = "reflector|kubed|none")]
    pub distribute: Option<Distribute>,
    /// Copy it to namespaces whose names fit one of these regular expressions
    #[arg(long, value_name = "PATTERN,…")]
    pub to_namespaces: Option<String>,
    /// Copy it to namespaces with such labels
    #[arg(long, value_name = "SELECTOR")]
    pub to_selector: Option<String>,
    /// Let nobody overwrite it; it cannot be renewed in place either
    #[arg(long)]
    pub immutable: bool,
    /// Take over what exists and was not made by this program
    #[arg(long)]
    pub force: bool,
    /// Only show what would be done; server asks the API server, too
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "client", value_name = "none|client|server")]
    pub dry_run: Option<DryRun>,
    /// Print the object; a Secret without its data
    #[arg(short, long, value_name = "yaml|json|name")]
    pub output: Option<ObjectOutput>,
    /// The name under which the API server notes who owns the fields
    #[arg(long, value_name = "NAME")]
    pub field_manager: Option<String>,
    /// The way to the cluster.
    #[command(flatten)]
    pub kube: KubeArgs,
}

/// `--distribute`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Distribute {
    /// emberstack/kubernetes-reflector.
    Reflector,
    /// Kubed, now config-syncer.
    Kubed,
    /// Nobody.
    None,
}

/// `--output` of commands that make an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ObjectOutput {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
    /// `kind/name`.
    Name,
}
