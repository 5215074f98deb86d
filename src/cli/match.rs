//! The options of `match`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Colour, KubeArgs};

/// Options of `match`.
#[derive(Args, Clone, Debug, Default)]
pub struct MatchArgs {
    /// Host names, or objects of the cluster such as ingress/shop
    #[arg(value_name = "HOST|KIND/NAME", required = true)]
    pub targets: Vec<String>,
    /// Namespace; the context's when not given
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Show another program's choice beside ours
    #[arg(long, value_name = "epinio")]
    pub matching: Option<Matching>,
    /// How to print the answers
    #[arg(short, long, value_name = "wide|json|yaml|name")]
    pub output: Option<MatchOutput>,
    /// Leave the headings out
    #[arg(long)]
    pub no_headers: bool,
    /// These secrets and their mirrors are the routing secrets, whatever their labels (repeatable)
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub source: Vec<String>,
    /// Read the secrets from files instead of a cluster: Secrets, Lists of them, or an Inventory (repeatable)
    #[arg(long, value_name = "PATH")]
    pub inventory: Vec<PathBuf>,
    /// Colour what is not served
    #[arg(long, value_name = "auto|always|never")]
    pub color: Option<Colour>,
    /// The way to the cluster.
    #[command(flatten)]
    pub kube: KubeArgs,
}

/// `--matching`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Matching {
    /// Epinio's: names as shell patterns.
    Epinio,
}

/// `--output` of `match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MatchOutput {
    /// With the names of the certificates and when they expire.
    Wide,
    /// The answers as JSON.
    Json,
    /// The answers as YAML.
    Yaml,
    /// The secrets that serve.
    Name,
}
