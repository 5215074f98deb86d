//! The options of `post-render` and `plan`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Colour, KubeArgs};

/// What decisions depend on.
#[derive(Args, Clone, Debug, Default)]
pub struct DecisionArgs {
    /// Namespace of the release, for objects that name none
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// File or folder with routing secrets: Secrets, Lists of them, or an Inventory (repeatable)
    #[arg(long, value_name = "PATH")]
    pub inventory: Vec<PathBuf>,
    /// These secrets and their mirrors are the routing secrets, whatever their labels (repeatable)
    #[arg(long, value_name = "NAMESPACE/NAME")]
    pub source: Vec<String>,
    /// A further annotation that makes an issuer act (repeatable)
    #[arg(long, value_name = "KEY")]
    pub trigger: Vec<String>,
    /// A Secret that programs read by name: its Certificate stays (repeatable)
    #[arg(long, value_name = "NAME")]
    pub keep_secret: Vec<String>,
    /// The namespace of the gateway pods that Istio's Gateways select, which read the Secrets from there
    #[arg(long, value_name = "NAMESPACE")]
    pub gateway_namespace: Option<String>,
    /// Take routing secrets that are not in the namespace yet and that replicators will copy there
    #[arg(long)]
    pub predict: bool,
    /// Never drop a Certificate
    #[arg(long)]
    pub keep_certificates: bool,
    /// Take also slots whose Secret exists and covers the hosts
    #[arg(long)]
    pub all_slots: bool,
    /// Fail unless some, or every, slot is served by a routing secret
    #[arg(long, value_name = "any|all")]
    pub require: Option<Require>,
    /// Write the plan as JSON to a file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// The way to the cluster.
    #[command(flatten)]
    pub kube: KubeArgs,
}

/// Options of `post-render`.
#[derive(Args, Clone, Debug, Default)]
pub struct PostRenderArgs {
    /// What decisions depend on.
    #[command(flatten)]
    pub decision: DecisionArgs,
    /// What to do when the routing secrets cannot be read: fail, or pass the manifests on unchanged
    #[arg(long, value_name = "fail|pass")]
    pub on_error: Option<OnError>,
}

/// Options of `plan`.
#[derive(Args, Clone, Debug, Default)]
pub struct PlanArgs {
    /// What decisions depend on.
    #[command(flatten)]
    pub decision: DecisionArgs,
    /// The rendered manifests; - is standard input
    #[arg(short, long, value_name = "FILE")]
    pub filename: Option<PathBuf>,
    /// How to print the plan
    #[arg(short, long, value_name = "text|wide|json|yaml|diff")]
    pub output: Option<Output>,
    /// List the routing secrets that lost in json and yaml, too
    #[arg(long)]
    pub candidates: bool,
    /// Exit with 1 when a slot is left as it is
    #[arg(long)]
    pub exit_code: bool,
    /// Colour the diff
    #[arg(long, value_name = "auto|always|never")]
    pub color: Option<Colour>,
}

/// `--require`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Require {
    /// At least one slot.
    Any,
    /// Every slot.
    All,
}

/// `--on-error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnError {
    /// Fail.
    Fail,
    /// Pass the input on unchanged.
    Pass,
}

/// `--output` of `plan`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// One line a decision.
    #[default]
    Text,
    /// The same, with the secrets that lost.
    Wide,
    /// The plan as JSON.
    Json,
    /// The plan as YAML.
    Yaml,
    /// What changes in the manifests.
    Diff,
}
