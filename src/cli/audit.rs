//! The options of `audit`.

use clap::{Args, ValueEnum};

use super::{Colour, KubeArgs};
use crate::audit::limits::Limits;

/// Options of `audit`.
#[derive(Args, Clone, Debug, Default)]
pub struct AuditArgs {
    /// Namespace; the context's when not given
    #[arg(short, long, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// All namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// How to print it
    #[arg(short, long, value_name = "text|json|yaml")]
    pub output: Option<AuditOutput>,
    /// The ACME server's limits: new certificates of a registered domain, certificates of exactly the same names, and
    /// in what time [Let's Encrypt's: domain=50,set=5,window=7d]
    #[arg(long, value_name = "KEY=VALUE,…")]
    pub limits: Option<Limits>,
    /// A further annotation that makes an issuer act (repeatable)
    #[arg(long, value_name = "KEY")]
    pub trigger: Vec<String>,
    /// Colour by urgency
    #[arg(long, value_name = "auto|always|never")]
    pub color: Option<Colour>,
    /// The way to the cluster.
    #[command(flatten)]
    pub kube: KubeArgs,
}

/// `-o` of `audit`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AuditOutput {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For programs.
    Yaml,
}
