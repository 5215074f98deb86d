use std::collections::HashMap;

use super::*;

const CLUSTER: &str =
    "clusters:\n- name: c\n  cluster: {server: 'https://c.example.org:6443', certificate-authority: pki/ca.crt}\n";

/// The configuration that the files give; `KUBECONFIG` names them in their order.
fn read(access: &Access, files: &[(&str, &str)], list: &str) -> Result<(Kubeconfig, KubeConfigOptions), ClusterError> {
    let files: HashMap<&str, &str> = files.iter().copied().collect();
    let env = |name: &str| (name == "KUBECONFIG").then(|| list.to_owned());
    let file = |path: &Path| match files.get(path.to_str().unwrap()) {
        Some(text) => Ok((*text).to_owned()),
        None => Err(io::Error::from(ErrorKind::NotFound)),
    };
    let merged = merged(access, World { env: &env, file: &file })?.unwrap_or_default();
    let wanted = access.context.clone().or(merged.current_context.clone());
    chosen(access, merged, wanted)
}

fn cluster(access: &Access, files: &[(&str, &str)], list: &str) -> kube::config::Cluster {
    read(access, files, list).unwrap().0.clusters[0].cluster.clone().unwrap()
}

fn user(access: &Access, files: &[(&str, &str)], list: &str) -> AuthInfo {
    read(access, files, list).unwrap().0.auth_infos[0].auth_info.clone().unwrap()
}

#[test]
fn of_several_files_the_first_that_says_something_counts_and_missing_ones_are_skipped() {
    let one = "current-context: one\ncontexts:\n- name: one\n  context: {cluster: c, user: u}\n";
    let two = format!("current-context: two\ncontexts:\n- name: one\n  context: {{cluster: other}}\n{CLUSTER}");
    let files = [("/a/one", one), ("/b/two", two.as_str()), ("/c/empty", "")];
    let found = cluster(&Access::default(), &files, "/missing:/a/one::/c/empty:/b/two");
    assert_eq!(found.server.as_deref(), Some("https://c.example.org:6443"));
    // Paths are relative to the file that names them.
    assert_eq!(found.certificate_authority.as_deref(), Some("/b/pki/ca.crt"));
}

#[test]
fn what_kubectl_accepts_is_read() {
    let comments = "# c\n".repeat(100);
    let text = format!(
        "{comments}apiVersion: v1\nkind: Config\npreferences: {{}}\nusers: null\ncurrent-context: x\ncurrent-context: a\ncontexts:\n- name: a\n  context:\n    cluster: c\n    user: nobody\n{CLUSTER}"
    );
    assert!(cluster(&Access::default(), &[("/k", &text)], "/k").server.is_some());
}

#[test]
fn flags_win_over_the_kubeconfig() {
    let text = format!(
        "current-context: a\ncontexts:\n- name: a\n  context: {{cluster: c, user: u}}\n- name: b\n  context: {{cluster: d, user: v}}\n{CLUSTER}- name: d\n  cluster: {{server: 'https://d'}}\nusers:\n- name: u\n  user: {{tokenFile: t, exec: {{command: ./login, apiVersion: v1}}}}\n- name: v\n  user: {{token: v}}\n"
    );
    let files = [("/k/config", text.as_str())];
    let server = |access: &Access| cluster(access, &files, "/k/config").server.unwrap();
    assert_eq!(server(&Access::default()), "https://c.example.org:6443");
    assert_eq!(server(&Access { context: Some("b".to_owned()), ..Access::default() }), "https://d");
    assert_eq!(server(&Access { cluster: Some("d".to_owned()), ..Access::default() }), "https://d");
    assert_eq!(server(&Access { server: Some("127.0.0.1:1".to_owned()), ..Access::default() }), "http://127.0.0.1:1");
    let of_file = user(&Access::default(), &files, "/k/config");
    assert_eq!(of_file.token_file.as_deref(), Some("/k/t"));
    assert_eq!(of_file.exec.unwrap().command.as_deref(), Some("/k/./login"));
    let token = Access {
        token: Some(crate::helm::arguments::Token("t".to_owned())),
        as_user: Some("jane".to_owned()),
        as_uid: Some("7".to_owned()),
        as_groups: vec!["g".to_owned()],
        ..Access::default()
    };
    let of_flags = user(&token, &files, "/k/config");
    assert!(of_flags.token.is_some() && of_flags.token_file.is_none() && of_flags.exec.is_none());
    assert_eq!((of_flags.impersonate.as_deref(), of_flags.impersonate_uid.as_deref()), (Some("jane"), Some("7")));
    assert_eq!(of_flags.impersonate_groups, Some(vec!["g".to_owned()]));
    let insecure = cluster(&Access { insecure: Some(true), ..Access::default() }, &files, "/k/config");
    assert_eq!((insecure.insecure_skip_tls_verify, insecure.certificate_authority), (Some(true), None));
    let ca = cluster(&Access { ca_file: Some("mine".to_owned()), ..Access::default() }, &files, "/k/config");
    assert_eq!(ca.certificate_authority.as_deref(), Some("mine"));
}

#[test]
fn what_is_missing_is_named_and_no_value_is_shown() {
    let text = format!("current-context: a\ncontexts:\n- name: a\n  context: {{cluster: c, user: u}}\n{CLUSTER}");
    for (access, text, expected) in [
        (Access { context: Some("z".to_owned()), ..Access::default() }, text.as_str(), "has no context \"z\""),
        (Access { cluster: Some("z".to_owned()), ..Access::default() }, &text, "has no cluster \"z\""),
        (Access { user: Some("z".to_owned()), ..Access::default() }, &text, "has no user \"z\""),
        (Access { kubeconfig: Some("/z".to_owned()), ..Access::default() }, &text, "/z does not exist or is empty"),
        (Access::default(), "token: [s3cr3t", "/k is not YAML"),
        (Access::default(), "users: [{name: u, user: {token: [s3cr3t]}}]", "/k has an entry that is not as kubectl"),
    ] {
        let error = read(&access, &[("/k", text)], "/k").err().unwrap().to_string();
        assert!(error.contains(expected) && !error.contains("s3cr3t"), "{error}");
    }
}

#[test]
fn credentials_are_not_sent_in_the_clear() {
    let text = "current-context: a\ncontexts:\n- name: a\n  context: {cluster: c, user: u}\nclusters:\n- name: c\n  cluster: {server: 'https://c'}\nusers:\n- name: u\n  user: {username: name, password: pass, tokenFile: t, client-certificate: c, client-key: k, exec: {command: login, apiVersion: v1}, as: jane}\n";
    let files = [("/k/config", text)];
    let is_sent = |server: &str, token: Option<&str>| {
        let token = token.map(|token| crate::helm::arguments::Token(token.to_owned()));
        let access = Access { server: Some(server.to_owned()), token, ..Access::default() };
        let user = user(&access, &files, "/k/config");
        // Not a credential, and kubectl sends it.
        assert_eq!(user.impersonate.as_deref(), Some("jane"));
        (user.password.is_some(), user.token.is_some() || user.token_file.is_some(), user.client_key.is_some())
    };
    assert_eq!(is_sent("https://d", None), (true, true, true));
    for server in ["http://d", "HTTP://d", "d:8001"] {
        assert_eq!(is_sent(server, None), (false, false, false), "{server}");
        assert_eq!(is_sent(server, Some("t")), (false, false, false), "{server}");
    }
}
