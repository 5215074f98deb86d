//! Why a cluster could not be read or changed, in words that say what to do.

use std::fmt;

use crate::output::escape::escape;

/// What was to be read, or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The verb that RBAC needs; `apply` stands for those that server-side apply needs.
    pub verb: &'static str,
    /// The API group; empty for the core group.
    pub group: String,
    /// The resource's plural name.
    pub resource: String,
    /// The namespace; `None` for all.
    pub namespace: Option<String>,
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, escape(&self.resource))?;
        if !self.group.is_empty() {
            write!(f, ".{}", escape(&self.group))?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in namespace {}", escape(namespace)),
            None => f.write_str(" in all namespaces"),
        }
    }
}

impl Read {
    /// The Role that grants the read, as one line of YAML that `kubectl apply -f -` takes.
    #[must_use]
    pub fn role(&self) -> String {
        let (kind, namespace) = match &self.namespace {
            Some(namespace) => ("Role", format!("namespace: {}, ", escape(namespace))),
            None => ("ClusterRole", String::new()),
        };
        format!(
            // Each read has a name of its own: applied under one name, the second Role would take the first away.
            "{{apiVersion: rbac.authorization.k8s.io/v1, kind: {kind}, \
             metadata: {{{namespace}name: routing-secrets-{verb}-{resource}{dot}{group}}}, \
             rules: [{{apiGroups: [\"{group}\"], resources: [{resource}], verbs: [{verbs}]}}]}}",
            dot = if self.group.is_empty() { "" } else { "." },
            group = escape(&self.group),
            resource = escape(&self.resource),
            verb = self.verb,
            verbs = if self.verb == "apply" { "create, patch" } else { self.verb }
        )
    }

    fn changes(&self) -> bool {
        !matches!(self.verb, "get" | "list" | "watch")
    }
}

/// Why a cluster could not be read. The server's words are escaped; credentials are in none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// No kubeconfig says which cluster, and this is no pod.
    #[error(
        "no cluster is known: there is no kubeconfig and this is no pod; set KUBECONFIG, or give --kubeconfig FILE, or --inventory FILE to work without a cluster"
    )]
    NoCluster,
    /// The kubeconfig cannot be used.
    #[error("the kubeconfig {0}; correct it, or give --inventory FILE to work without a cluster")]
    Kubeconfig(String),
    /// An option cannot be used.
    #[error("{0}")]
    Option(String),
    /// Credentials could not be got.
    #[error("the credentials for {server} could not be got: {cause}; log in again")]
    Credentials {
        /// The API server.
        server: String,
        /// Why.
        cause: String,
    },
    /// The server cannot be reached, or the connection broke.
    #[error(
        "the API server {server} could not be read: {cause}; check that it is up and that the kubeconfig's context is the right one"
    )]
    Unreachable {
        /// The API server.
        server: String,
        /// Why.
        cause: String,
    },
    /// The server took too long.
    #[error("the API server {server} did not answer within {seconds} s; try again, or raise --request-timeout")]
    Timeout {
        /// The API server.
        server: String,
        /// How long was waited.
        seconds: u64,
    },
    /// All reads together took too long (R21).
    #[error("reading the cluster at {server} took longer than {seconds} s, so it was ended; try again")]
    Deadline {
        /// The API server.
        server: String,
        /// How long was waited.
        seconds: u64,
    },
    /// 401.
    #[error(
        "the API server {server} does not accept the credentials (401) to {read}; log in again, or use another context"
    )]
    Unauthorized {
        /// The API server.
        server: String,
        /// What was to be read.
        read: Read,
    },
    /// 403.
    #[error("may not {read}: {message}; {}", cure(read, message))]
    Forbidden {
        /// What was to be read.
        read: Read,
        /// The server's words.
        message: String,
    },
    /// 409 of a server-side apply: fields that would change are somebody else's. The server's words.
    #[error("others own what would change: {0}; nothing was written")]
    Owned(String),
    /// 409: the object is not what it was when it was read.
    #[error("failed to {0}: the object was changed or deleted meanwhile, so nothing was written; try again")]
    Changed(Read),
    /// The connection broke, or the server failed, in the midst of a write.
    #[error("failed to {read}, and whether it was done is not known: {cause}; look before you try again")]
    Doubtful {
        /// What was to be changed.
        read: Read,
        /// What went wrong.
        cause: String,
    },
    /// Another refusal.
    #[error("failed to {read}: the API server answered {code}: {message}")]
    Status {
        /// What was to be read.
        read: Read,
        /// The HTTP status.
        code: u16,
        /// The server's words.
        message: String,
    },
    /// An answer that is not what it should be.
    #[error("failed to {read}: the answer of the API server cannot be read ({cause})")]
    Answer {
        /// What was to be read.
        read: Read,
        /// What is wrong with it.
        cause: String,
    },
    /// The list changed too often while it was read.
    #[error("failed to {0}: the list changed while it was read, twice (410 Expired); try again, or raise --chunk-size")]
    Expired(Read),
}

impl ClusterError {
    /// The namespace that may not be read, if that is what is wrong.
    #[must_use]
    pub fn refused(&self) -> Option<&str> {
        match self {
            Self::Forbidden { read, .. } => read.namespace.as_deref(),
            _ => None,
        }
    }
}

fn cure(read: &Read, message: &str) -> String {
    // No Role for the read helps someone who may not be who they say.
    if message.contains("cannot impersonate") {
        return "leave --as, --as-group and --as-uid (helm's --kube-as-user and --kube-as-group) out, or have impersonation allowed".to_owned();
    }
    let other = if read.changes() { "" } else { ", or give the secrets with --inventory FILE" };
    format!("bind this to the user{other}: {}", read.role())
}

/// An error and its causes, each once.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let words = error.to_string();
        if !text.contains(&words) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&words);
        }
        next = error.source();
    }
    escape(&text).into_owned()
}
