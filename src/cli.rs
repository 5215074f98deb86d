//! The command line: definitions only.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cluster::{Access, ClusterError, request_timeout};
use crate::helm::arguments::Token;

/// Points Helm releases at the TLS secrets a cluster already has.
#[derive(Debug, Parser)]
#[command(name = "kubectl-routing_secrets", bin_name = "kubectl routing-secrets", version, args_override_self = true)]
#[command(after_help = "Without a command and with manifests on standard input: post-render.\n\
Every option can also be given as ROUTING_SECRETS_<OPTION>, for example ROUTING_SECRETS_INVENTORY.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Rewrite rendered manifests: standard input to standard output
    #[command(args_override_self = true)]
    PostRender(PostRenderArgs),
    /// Show what post-render would change and what it would leave, with reasons
    #[command(args_override_self = true)]
    Plan(PlanArgs),
    /// List the routing secrets: what each covers, when it expires, what is wrong with it
    #[command(args_override_self = true, visible_alias = "ls")]
    List(ListArgs),
}

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

/// kubectl's flags for reaching a cluster.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Cluster (as kubectl)")]
pub struct KubeArgs {
    /// The kubeconfig file
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<String>,
    /// The kubeconfig's context
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// The kubeconfig's cluster
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// The kubeconfig's user
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// The API server's address
    #[arg(short, long, value_name = "URL")]
    pub server: Option<String>,
    /// The bearer token
    #[arg(long, value_name = "TOKEN", value_parser = token)]
    pub token: Option<Token>,
    /// The user to impersonate
    #[arg(long = "as", value_name = "USER")]
    pub as_user: Option<String>,
    /// A group to impersonate (repeatable)
    #[arg(long = "as-group", value_name = "GROUP")]
    pub as_groups: Vec<String>,
    /// The UID to impersonate
    #[arg(long, value_name = "UID")]
    pub as_uid: Option<String>,
    /// The file with the API server's certificate authorities
    #[arg(long, value_name = "FILE")]
    pub certificate_authority: Option<String>,
    /// Do not check the API server's certificate
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "true|false")]
    pub insecure_skip_tls_verify: Option<bool>,
    /// The name in the API server's certificate
    #[arg(long, value_name = "NAME")]
    pub tls_server_name: Option<String>,
    /// How long one request may take (5, 5s, 1m30s; 0 for no limit)
    #[arg(long, value_name = "TIME")]
    pub request_timeout: Option<String>,
    /// How many objects are read at once (0 for all)
    #[arg(long, value_name = "COUNT")]
    pub chunk_size: Option<u32>,
    /// Taken for kubectl's sake: nothing is cached
    #[arg(long, value_name = "FOLDER", hide = true)]
    pub cache_dir: Option<String>,
}

fn token(text: &str) -> Result<Token, std::convert::Infallible> {
    Ok(Token(text.to_owned()))
}

impl KubeArgs {
    /// The way to the cluster.
    ///
    /// # Errors
    /// When a value cannot be read.
    pub fn access(&self) -> Result<Access, ClusterError> {
        Ok(Access {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
            server: self.server.clone(),
            token: self.token.clone(),
            as_user: self.as_user.clone(),
            as_groups: self.as_groups.clone(),
            as_uid: self.as_uid.clone(),
            ca_file: self.certificate_authority.clone(),
            insecure: self.insecure_skip_tls_verify,
            tls_server_name: self.tls_server_name.clone(),
            request_timeout: self.request_timeout.as_deref().map(request_timeout).transpose()?,
            chunk_size: self.chunk_size,
        })
    }
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
}

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

/// `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
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

/// The arguments with `post-render` in its place where Helm has left it out (Helm 3 passes no
/// arguments of its own) or given it twice (the Helm 4 plug-in's and the user's).
pub fn arguments(arguments: impl IntoIterator<Item = OsString>, stdin_is_terminal: bool) -> Vec<OsString> {
    const POST_RENDER: &str = "post-render";
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let first = arguments.get(1).and_then(|argument| argument.to_str()).map(str::to_owned);
    let asks_for_itself = matches!(first.as_deref(), Some("-h" | "--help" | "-V" | "--version"));
    match first.as_deref() {
        None if !stdin_is_terminal => arguments.push(POST_RENDER.into()),
        Some(option) if option.starts_with('-') && !asks_for_itself => arguments.insert(1, POST_RENDER.into()),
        Some(POST_RENDER) if arguments.get(2).is_some_and(|second| second == POST_RENDER) => {
            arguments.remove(2);
        }
        _ => {}
    }
    arguments
}
