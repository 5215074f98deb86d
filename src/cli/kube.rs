//! kubectl's flags for reaching a cluster.

use clap::Args;

use crate::cluster::{Access, ClusterError, duration};
use crate::helm::arguments::Token;

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
            request_timeout: self
                .request_timeout
                .as_deref()
                .map(|time| duration("--request-timeout", time))
                .transpose()?,
            chunk_size: self.chunk_size,
        })
    }
}
