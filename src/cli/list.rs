//! The options of `list`.

use std::path::PathBuf;

use clap::Args;

use super::{Colour, KubeArgs};

/// Options of `list`.
#[derive(Args, Clone, Debug, Default)]
pub struct ListArgs {
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
    /// How to print them
    #[arg(short, long, value_name = "wide|json|yaml|name|custom-columns=HEADING:PATH,…")]
    pub output: Option<String>,
    /// Leave the headings out
    #[arg(long)]
    pub no_headers: bool,
    /// Sort by a field, such as .notAfter or .metadata.name
    #[arg(long, value_name = "PATH")]
    pub sort_by: Option<String>,
    /// Go on and print each one that changes
    #[arg(short, long)]
    pub watch: bool,
    /// Leave mirrors and copies out
    #[arg(long)]
    pub no_mirrors: bool,
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
