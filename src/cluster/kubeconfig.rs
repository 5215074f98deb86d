//! Kubeconfigs as kubectl reads them: a list of files of which some may be missing, duplicate keys, the first file
//! that says something counts (client-go `tools/clientcmd/loader.go`).

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use kube::config::{AuthInfo, Config, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext};
use serde_json::Value;

use super::{Access, ClusterError};

/// What is read from outside.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// A variable of the environment.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// A file's text.
    pub file: &'a dyn Fn(&Path) -> io::Result<String>,
}

/// The files that `KUBECONFIG` names, or the one at home.
#[must_use]
pub fn files(env: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let listed = env("KUBECONFIG").filter(|list| !list.is_empty());
    if let Some(listed) = listed {
        return std::env::split_paths(&listed).filter(|path| !path.as_os_str().is_empty()).collect();
    }
    let home = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    let home = env(home).filter(|home| !home.is_empty());
    home.map(|home| Path::new(&home).join(".kube").join("config")).into_iter().collect()
}

/// A kubeconfig's YAML; of duplicate keys the last counts, as for kubectl. Nothing for an empty file.
///
/// # Errors
/// When it is not YAML. The parser's own words could quote a credential, so they are not given.
pub fn parse(text: &str) -> Result<Option<Value>, &'static str> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Ok(None);
    }
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
        budget: None,
    };
    let value: Value = serde_saphyr::from_str_with_options(text, options).map_err(|_| "is not YAML")?;
    Ok(Some(value).filter(|value| !value.is_null()))
}

fn load(file: &Path, world: World<'_>) -> Result<Option<Kubeconfig>, ClusterError> {
    let shown = file.display().to_string();
    let fail = |problem: &str| ClusterError::Kubeconfig(format!("{} {problem}", shown.escape_debug()));
    let text = match (world.file)(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(_) => return Err(fail("cannot be read")),
    };
    let Some(mut value) = parse(&text).map_err(fail)? else { return Ok(None) };
    for list in ["clusters", "users", "contexts"] {
        // client-go takes null for an empty list.
        if value.get(list).is_some_and(Value::is_null) {
            value[list] = Value::Array(Vec::new());
        }
    }
    let folder = file.parent().unwrap_or(Path::new(""));
    for (list, entry, keys) in [
        ("clusters", "cluster", &["certificate-authority"][..]),
        ("users", "user", &["client-certificate", "client-key", "tokenFile"]),
    ] {
        for named in value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(entry) = named.get_mut(entry) else { continue };
            for key in keys {
                make_absolute(entry.get_mut(*key), folder);
            }
            let command = entry.get_mut("exec").and_then(|exec| exec.get_mut("command"));
            // A bare name is looked up in PATH (client-go `GetAuthInfoFileReferences`).
            if command
                .as_ref()
                .and_then(|command| command.as_str())
                .is_some_and(|command| command.contains(std::path::MAIN_SEPARATOR))
            {
                make_absolute(command, folder);
            }
        }
    }
    serde_json::from_value(value).map(Some).map_err(|_| fail("has an entry that is not as kubectl writes it"))
}

fn make_absolute(path: Option<&mut Value>, folder: &Path) {
    if let Some(path) = path
        && let Some(text) = path.as_str().filter(|text| !text.is_empty())
        && Path::new(text).is_relative()
    {
        *path = Value::String(folder.join(text).display().to_string());
    }
}

/// All files as one.
fn merged(access: &Access, world: World<'_>) -> Result<Option<Kubeconfig>, ClusterError> {
    if let Some(file) = &access.kubeconfig {
        // The one file named must exist; those of a list need not.
        let config = load(Path::new(file), world)?;
        return config
            .map(Some)
            .ok_or_else(|| ClusterError::Kubeconfig(format!("{} does not exist or is empty", file.escape_debug())));
    }
    let mut merged: Option<Kubeconfig> = None;
    for file in files(world.env) {
        let Some(next) = load(&file, world)? else { continue };
        let config = match merged.take() {
            Some(config) => config
                .merge(next)
                .map_err(|_| ClusterError::Kubeconfig("files have different kinds or versions".to_owned()))?,
            None => next,
        };
        merged = Some(config);
    }
    Ok(merged)
}

/// The client's configuration, and the namespace that the context names.
///
/// # Errors
/// When no cluster is known, or the kubeconfig cannot be used.
pub(super) async fn config(access: &Access, world: World<'_>) -> Result<Config, ClusterError> {
    let kubeconfig = merged(access, world)?;
    let wanted = access.context.clone().filter(|context| !context.is_empty()).or_else(|| {
        kubeconfig.as_ref().and_then(|config| config.current_context.clone()).filter(|context| !context.is_empty())
    });
    if wanted.is_none() && access.server.is_none() && access.cluster.is_none() {
        let inside = (world.env)("KUBERNETES_SERVICE_HOST").is_some_and(|host| !host.is_empty());
        return match inside.then(Config::incluster) {
            Some(Ok(mut config)) => {
                impersonate(access, &mut config.auth_info);
                Ok(config)
            }
            _ => Err(ClusterError::NoCluster),
        };
    }
    let (kubeconfig, options) = chosen(access, kubeconfig.unwrap_or_default(), wanted)?;
    let unusable = |error: kube::config::KubeconfigError| {
        ClusterError::Kubeconfig(format!("cannot be used: {}", super::error::causes(&error)))
    };
    Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(unusable)
}

/// A kubeconfig with one context: the cluster and user asked for, with the flags laid over them.
fn chosen(
    access: &Access,
    config: Kubeconfig,
    wanted: Option<String>,
) -> Result<(Kubeconfig, KubeConfigOptions), ClusterError> {
    let missing =
        |what: &str, name: &str| ClusterError::Kubeconfig(format!("has no {what} \"{}\"", name.escape_debug()));
    let mut context = match &wanted {
        Some(name) => {
            let found = config.contexts.into_iter().find(|context| context.name == *name);
            found.and_then(|context| context.context).ok_or_else(|| missing("context", name))?
        }
        None => kube::config::Context::default(),
    };
    if let Some(cluster) = &access.cluster {
        context.cluster.clone_from(cluster);
    }
    if let Some(user) = &access.user {
        context.user = Some(user.clone());
    }
    let found = config.clusters.into_iter().find(|cluster| cluster.name == context.cluster);
    let mut cluster = match found.and_then(|cluster| cluster.cluster) {
        Some(cluster) => cluster,
        None if access.server.is_some() && access.cluster.is_none() => kube::config::Cluster::default(),
        None => return Err(missing("cluster", &context.cluster)),
    };
    let user = context.user.clone().unwrap_or_default();
    let found = config.auth_infos.into_iter().find(|named| named.name == user);
    let mut auth_info = match found.and_then(|named| named.auth_info) {
        Some(auth_info) => auth_info,
        None if access.user.is_some() => return Err(missing("user", &user)),
        None => AuthInfo::default(),
    };
    if let Some(server) = &access.server {
        // client-go `restclient.DefaultServerURL`: a bare host is meant as http.
        cluster.server = Some(if server.contains("://") { server.clone() } else { format!("http://{server}") });
    }
    if let Some(file) = &access.ca_file {
        cluster.certificate_authority = Some(file.clone());
        cluster.certificate_authority_data = None;
    }
    if let Some(insecure) = access.insecure {
        cluster.insecure_skip_tls_verify = Some(insecure);
    }
    if cluster.insecure_skip_tls_verify == Some(true) {
        // client-go takes a CA beside it for a contradiction when both are given; the flag is the stronger word.
        cluster.certificate_authority = None;
        cluster.certificate_authority_data = None;
    }
    if let Some(name) = &access.tls_server_name {
        cluster.tls_server_name = Some(name.clone());
    }
    if let Some(token) = &access.token {
        auth_info.token = Some(token.0.clone().into());
        auth_info.token_file = None;
        auth_info.exec = None;
        auth_info.auth_provider = None;
    }
    let is_in_the_clear = |server: &String| server.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("http://"));
    if cluster.server.as_ref().is_some_and(is_in_the_clear) {
        // client-go `DirectClientConfig.ClientConfig`: in the clear nothing is sent that someone could take.
        auth_info = AuthInfo {
            impersonate: auth_info.impersonate,
            impersonate_uid: auth_info.impersonate_uid,
            impersonate_groups: auth_info.impersonate_groups,
            impersonate_user_extra: auth_info.impersonate_user_extra,
            ..AuthInfo::default()
        };
    }
    impersonate(access, &mut auth_info);
    let name = "chosen".to_owned();
    context.cluster.clone_from(&name);
    context.user = Some(name.clone());
    let kubeconfig = Kubeconfig {
        clusters: vec![NamedCluster { name: name.clone(), cluster: Some(cluster), ..NamedCluster::default() }],
        auth_infos: vec![NamedAuthInfo { name: name.clone(), auth_info: Some(auth_info), ..NamedAuthInfo::default() }],
        contexts: vec![NamedContext { name: name.clone(), context: Some(context), ..NamedContext::default() }],
        current_context: Some(name.clone()),
        ..Kubeconfig::default()
    };
    Ok((kubeconfig, KubeConfigOptions { context: Some(name), ..KubeConfigOptions::default() }))
}

fn impersonate(access: &Access, auth_info: &mut AuthInfo) {
    if let Some(user) = &access.as_user {
        auth_info.impersonate = Some(user.clone());
    }
    if let Some(uid) = &access.as_uid {
        auth_info.impersonate_uid = Some(uid.clone());
    }
    if !access.as_groups.is_empty() {
        auth_info.impersonate_groups = Some(access.as_groups.clone());
    }
}

#[cfg(test)]
mod tests;
