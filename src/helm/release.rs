//! The release a render belongs to, and the way to its cluster.
//!
//! Neither version of Helm tells a post-renderer either; both are worked out by the rules Helm itself follows
//! (`pkg/cli/environment.go`, and client-go's `clientcmd` behind it).

use std::io::ErrorKind;
use std::path::Path;

use serde_json::Value;

use super::arguments::{HelmLine, Subcommand, Token, parse_bool};
use crate::cluster::kubeconfig;
pub use crate::cluster::kubeconfig::World;

#[cfg(test)]
mod tests;

/// Where Kubernetes puts a pod's own credentials.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// What is known of the release being rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The release namespace; `None` when neither we nor a helm were told.
    pub namespace: Option<String>,
    /// How helm reaches its cluster.
    pub access: KubeAccess,
    /// The helm that renders, if one does.
    pub helm: Option<HelmCommand>,
}

/// What the command of the helm that renders means for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HelmCommand {
    /// Which command renders.
    pub subcommand: Subcommand,
    /// `--output-dir`: Helm 3 has written its files before the post-renderer runs.
    pub output_dir: bool,
    /// `--create-namespace`: the namespace need not exist yet.
    pub create_namespace: bool,
}

/// What helm's flags and `HELM_KUBE*` change about the kubeconfig; `KUBECONFIG` itself is inherited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubeAccess {
    /// The one kubeconfig file to read instead of `KUBECONFIG`.
    pub kubeconfig: Option<String>,
    /// The context to use instead of the current one.
    pub context: Option<String>,
    /// The bearer token to use.
    pub token: Option<Token>,
    /// The user to impersonate.
    pub as_user: Option<String>,
    /// The groups to impersonate.
    pub as_groups: Vec<String>,
    /// The API server's address.
    pub server: Option<String>,
    /// The API server's certificate authorities.
    pub ca_file: Option<String>,
    /// The name in the API server's certificate.
    pub tls_server_name: Option<String>,
    /// The API server's certificate is not checked.
    pub insecure: bool,
}

/// Why the release is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// We and helm were told different namespaces.
    #[error(
        "the post-renderer was given the namespace {own}, but helm's command line says {helm}; give both the same, or neither to the post-renderer"
    )]
    Contradiction {
        /// The namespace given to us.
        own: String,
        /// The namespace on helm's line.
        helm: String,
    },
    /// Not a namespace's name; not shown, as it may be an argument gone astray.
    #[error(
        "the namespace from {from} is no Kubernetes name (at most 63 of a-z, 0-9 and -); correct it (a post-renderer argument that starts with - is written --post-renderer-args=-…)"
    )]
    NotAName {
        /// Who said it.
        from: &'static str,
    },
    /// A kubeconfig that Helm would read, and without an error ignore, is broken.
    #[error(
        "the kubeconfig {file} {problem}, so the release namespace is not known; repair it, or pass --namespace to helm"
    )]
    Kubeconfig {
        /// Which file.
        file: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The context asked for does not exist.
    #[error(
        "the context {context:?} is in no kubeconfig, so the release namespace is not known; correct the context, or pass --namespace to helm"
    )]
    NoContext {
        /// The context's name.
        context: String,
    },
}

/// The release: its namespace as given to us, else as the nearest helm finds it, else unknown (never `default` by
/// guess, never `HELM_NAMESPACE` without a helm).
pub fn release(
    own_namespace: Option<&str>,
    ancestor: Option<&HelmLine>,
    world: World<'_>,
) -> Result<Release, ReleaseError> {
    let access = access(ancestor, world.env);
    let own = named(own_namespace, "the post-renderer's own --namespace")?;
    let namespace = match (own, ancestor) {
        (Some(own), Some(line)) => {
            // Compared as it is on the line: what helm works out otherwise may come from elsewhere on purpose.
            match named(line.namespace.as_deref(), "helm's --namespace")? {
                Some(helm) if helm != own => {
                    return Err(ReleaseError::Contradiction { own, helm });
                }
                _ => Some(own),
            }
        }
        (Some(own), None) => Some(own),
        (None, Some(line)) => Some(helm_namespace(line, &access, world)?),
        (None, None) => None,
    };
    Ok(Release {
        namespace,
        access,
        helm: ancestor.map(|line| HelmCommand {
            subcommand: line.subcommand,
            output_dir: line.output_dir,
            create_namespace: line.create_namespace,
        }),
    })
}

/// A name that is safe in an API path and in a message; an empty one is none.
fn named(name: Option<&str>, from: &'static str) -> Result<Option<String>, ReleaseError> {
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.len() <= 63 && name.bytes().all(inner) && !name.starts_with('-') && !name.ends_with('-') {
        Ok(Some(name.to_owned()))
    } else {
        Err(ReleaseError::NotAName { from })
    }
}

/// `pkg/cli/environment.go` New: the environment gives each flag's default, so a flag given, even empty, wins.
fn access(line: Option<&HelmLine>, env: &dyn Fn(&str) -> Option<String>) -> KubeAccess {
    let pick = |flag: Option<&String>, variable: &str| {
        flag.cloned().or_else(|| env(variable)).filter(|value| !value.is_empty())
    };
    let groups = match line {
        Some(line) if !line.as_groups.is_empty() => line.as_groups.clone(),
        _ => list(&env("HELM_KUBEASGROUPS").unwrap_or_default()),
    };
    KubeAccess {
        kubeconfig: line.and_then(|line| line.kubeconfig.clone()).filter(|file| !file.is_empty()),
        context: pick(line.and_then(|l| l.context.as_ref()), "HELM_KUBECONTEXT"),
        token: pick(line.and_then(|l| l.token.as_ref()).map(|token| &token.0), "HELM_KUBETOKEN").map(Token),
        as_user: pick(line.and_then(|l| l.as_user.as_ref()), "HELM_KUBEASUSER"),
        as_groups: groups,
        server: pick(line.and_then(|l| l.server.as_ref()), "HELM_KUBEAPISERVER"),
        ca_file: pick(line.and_then(|l| l.ca_file.as_ref()), "HELM_KUBECAFILE"),
        tls_server_name: pick(line.and_then(|l| l.tls_server_name.as_ref()), "HELM_KUBETLS_SERVER_NAME"),
        insecure: line
            .and_then(|line| line.insecure)
            .or_else(|| parse_bool(&env("HELM_KUBEINSECURE_SKIP_TLS_VERIFY")?))
            .unwrap_or(false),
    }
}

/// `pkg/cli/environment.go` envCSV.
fn list(text: &str) -> Vec<String> {
    let text = text.trim_matches([',', ' ']);
    if text.is_empty() {
        return Vec::new();
    }
    text.split(',').map(str::to_owned).collect()
}

/// `EnvSettings.Namespace`: flag, variable, context, in-cluster, `default`.
fn helm_namespace(line: &HelmLine, access: &KubeAccess, world: World<'_>) -> Result<String, ReleaseError> {
    // A flag given empty overrides the variable and falls through to the context.
    let said = match &line.namespace {
        Some(name) => named(Some(name), "helm's --namespace")?,
        None => named((world.env)("HELM_NAMESPACE").as_deref(), "HELM_NAMESPACE")?,
    };
    if let Some(name) = said {
        return Ok(name);
    }
    if let Some(name) = context_namespace(access, world)? {
        return Ok(name);
    }
    if let Some(name) = pod_namespace(world)? {
        return Ok(name);
    }
    Ok("default".to_owned())
}

/// The parts of one kubeconfig that name the namespace.
struct Kubeconfig {
    current: String,
    /// Context name and namespace, as listed.
    contexts: Vec<(String, String)>,
}

/// client-go `clientcmd/loader.go`: of several files the first that says something counts.
fn context_namespace(access: &KubeAccess, world: World<'_>) -> Result<Option<String>, ReleaseError> {
    let mut configs = Vec::new();
    if let Some(file) = &access.kubeconfig {
        // The one file named must exist; those of a list need not.
        configs.push(load(Path::new(file), world)?.ok_or_else(|| broken(file, "does not exist"))?);
    } else {
        for file in kubeconfig::files(world.env) {
            configs.extend(load(&file, world)?);
        }
    }
    let wanted = access.context.as_deref().or_else(|| {
        let mut currents = configs.iter().map(|config| config.current.as_str());
        currents.find(|current| !current.is_empty())
    });
    let Some(wanted) = wanted else {
        return Ok(None);
    };
    let mut contexts = configs.iter().flat_map(|config| &config.contexts);
    match contexts.find(|(name, _)| name == wanted) {
        Some((_, namespace)) => named(Some(namespace), "the kubeconfig's context"),
        None => Err(ReleaseError::NoContext { context: wanted.to_owned() }),
    }
}

fn broken(file: &str, problem: &'static str) -> ReleaseError {
    ReleaseError::Kubeconfig { file: file.escape_debug().to_string(), problem }
}

fn load(file: &Path, world: World<'_>) -> Result<Option<Kubeconfig>, ReleaseError> {
    let shown = file.to_string_lossy();
    let text = match (world.file)(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(_) => return Err(broken(&shown, "cannot be read")),
    };
    parse(&text).map_err(|problem| broken(&shown, problem))
}

/// `None` for an empty file, which counts as no file. The parser's own message could quote a credential.
fn parse(text: &str) -> Result<Option<Kubeconfig>, &'static str> {
    let Some(config) = kubeconfig::parse(text)? else { return Ok(None) };
    let mut contexts: Vec<(String, String)> = Vec::new();
    match config.get("contexts") {
        None | Some(Value::Null) => {}
        Some(Value::Array(entries)) => {
            for entry in entries {
                let context = entry.get("context").unwrap_or(&Value::Null);
                let name = string(entry, "name")?;
                // client-go refuses the file ("duplicate name"), and helm template then ignores all of it.
                if contexts.iter().any(|(known, _)| *known == name) {
                    return Err("has two contexts of one name");
                }
                contexts.push((name, string(context, "namespace")?));
            }
        }
        Some(_) => return Err("has no list under contexts"),
    }
    Ok(Some(Kubeconfig { current: string(&config, "current-context")?, contexts }))
}

fn string(object: &Value, key: &str) -> Result<String, &'static str> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err("has a context, namespace or current-context that is no string"),
    }
}

/// client-go `clientcmd/client_config.go` inClusterClientConfig: Possible and Namespace.
fn pod_namespace(world: World<'_>) -> Result<Option<String>, ReleaseError> {
    let set = |name: &str| (world.env)(name).filter(|value| !value.is_empty());
    let account = Path::new(SERVICE_ACCOUNT);
    if set("KUBERNETES_SERVICE_HOST").is_none()
        || set("KUBERNETES_SERVICE_PORT").is_none()
        || (world.file)(&account.join("token")).is_err()
    {
        return Ok(None);
    }
    if let Some(name) = set("POD_NAMESPACE") {
        return named(Some(&name), "POD_NAMESPACE");
    }
    let file = (world.file)(&account.join("namespace")).unwrap_or_default();
    named(Some(file.trim()), "the pod's service account")
}
