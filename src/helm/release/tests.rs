use std::io;

use super::*;
use crate::helm::arguments::read;

type Pairs = &'static [(&'static str, &'static str)];

fn ask(own: Option<&str>, line: &str, env: Pairs, files: Pairs) -> Result<Release, ReleaseError> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let line = read(&words).unwrap();
    let env = |name: &str| {
        let found = env.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.to_string())
    };
    let file = |path: &Path| match files.iter().find(|(key, _)| Path::new(key) == path) {
        Some((_, "unreadable")) => Err(io::Error::from(ErrorKind::PermissionDenied)),
        Some((_, text)) => Ok(text.to_string()),
        None => Err(io::Error::from(ErrorKind::NotFound)),
    };
    let world = World { env: &env, file: &file };
    release(own, line.as_ref(), world)
}

const ONE: &str = "current-context: b\ncontexts:\n- name: a\n  context: {cluster: c, user: u, namespace: first}\n";
const TWO: &str = "current-context: a\nusers: [{name: u, user: {token: t}}]\ncontexts:\n\
    - {name: a, context: {namespace: second}}\n- {name: b, context: {namespace: bb}}\n- {name: bare, context: {}}\n";
const FILES: Pairs = &[
    ("/one", ONE),
    ("/two", TWO),
    ("/empty", "\n"),
    ("/bad", "{"),
    ("/number", "contexts: [{name: a, context: {namespace: 1}}]"),
    ("/map", "contexts: {a: b}"),
    (
        "/twice",
        "current-context: a\ncontexts: [{name: a, context: {namespace: p}}, {name: a, context: {namespace: q}}]",
    ),
    ("/astray", "current-context: a\ncontexts: [{name: a, context: {namespace: ../x}}]"),
    ("/unreadable", "unreadable"),
    ("/home/.kube/config", TWO),
    ("/var/run/secrets/kubernetes.io/serviceaccount/token", "t"),
    ("/var/run/secrets/kubernetes.io/serviceaccount/namespace", "sa\n"),
];
const LIST: Pairs = &[("KUBECONFIG", "/none::/one:/two")];
const POD_NAMED: Pairs = &[("KUBERNETES_SERVICE_HOST", "h"), ("KUBERNETES_SERVICE_PORT", "1"), ("POD_NAMESPACE", "p")];
const POD: Pairs = &[("KUBERNETES_SERVICE_HOST", "h"), ("KUBERNETES_SERVICE_PORT", "1")];

/// The rows with a kubeconfig were seen with helm 3.19.0 and 4.3.1.
#[test]
#[cfg(unix)]
fn the_namespace_is_found_in_helms_order() {
    for (trap, own, line, env, expected) in [
        ("own, no helm", Some("own"), "", &[] as Pairs, Some("own")),
        ("own, as helm's", Some("x"), "template r c -n x", &[], Some("x")),
        ("own, helm silent", Some("own"), "template r c", &[("HELM_NAMESPACE", "e")], Some("own")),
        ("own, a broken kubeconfig is not read", Some("x"), "template r c", &[("KUBECONFIG", "/bad")], Some("x")),
        ("own empty is none", Some(""), "template r c -n x", &[], Some("x")),
        ("helm's flag", None, "template r c -n x", &[("HELM_NAMESPACE", "e")], Some("x")),
        ("variable", None, "template r c", &[("HELM_NAMESPACE", "e"), ("KUBECONFIG", "/two")], Some("e")),
        (
            "flag emptied",
            None,
            "template r c --namespace=",
            &[("HELM_NAMESPACE", "e"), ("KUBECONFIG", "/two")],
            Some("second"),
        ),
        ("variable empty", None, "template r c", &[("HELM_NAMESPACE", ""), ("KUBECONFIG", "/two")], Some("second")),
        ("first current-context, any file's context", None, "template r c", LIST, Some("bb")),
        ("first file's context of that name", None, "template r c --kube-context a", LIST, Some("first")),
        ("context without namespace", None, "template r c --kube-context bare", LIST, Some("default")),
        ("variable's context", None, "template r c", &[("KUBECONFIG", "/two"), ("HELM_KUBECONTEXT", "b")], Some("bb")),
        (
            "context emptied",
            None,
            "template r c --kube-context=",
            &[("KUBECONFIG", "/two"), ("HELM_KUBECONTEXT", "b")],
            Some("second"),
        ),
        ("--kubeconfig", None, "template r c --kubeconfig /two", &[("KUBECONFIG", "/one")], Some("second")),
        ("--kubeconfig empty", None, "template r c --kubeconfig=", &[("KUBECONFIG", "/two")], Some("second")),
        ("home", None, "template r c", &[("HOME", "/home")], Some("second")),
        (
            "KUBECONFIG hides home",
            None,
            "template r c",
            &[("HOME", "/home"), ("KUBECONFIG", "/empty")],
            Some("default"),
        ),
        ("nothing at all", None, "template r c", &[], Some("default")),
        ("pod", None, "template r c", POD, Some("sa")),
        ("pod's variable", None, "template r c", POD_NAMED, Some("p")),
        ("not in a pod", None, "template r c", &[("POD_NAMESPACE", "p")], Some("default")),
        ("no helm: never the variable alone", None, "", &[("HELM_NAMESPACE", "e"), ("KUBECONFIG", "/two")], None),
        ("no rendering helm", None, "list -n x", &[("HELM_NAMESPACE", "e")], None),
    ] {
        let found = ask(own, line, env, FILES).unwrap().namespace;
        assert_eq!(found.as_deref(), expected, "{trap}");
    }
}

#[test]
#[cfg(unix)]
fn what_is_broken_is_said_and_not_guessed() {
    for (trap, own, line, env, expected) in [
        (
            "contradiction",
            Some("a"),
            "template r c -n b",
            &[] as Pairs,
            "given the namespace a, but helm's command line says b",
        ),
        ("own is no name", Some("../x"), "", &[], "own --namespace is no Kubernetes name"),
        (
            "an argument gone astray",
            None,
            "template r c --post-renderer-args -n --post-renderer-args ns",
            &[],
            "--post-renderer-args=-…",
        ),
        ("variable is no name", None, "template r c", &[("HELM_NAMESPACE", "A")], "HELM_NAMESPACE is no"),
        ("context's is no name", None, "template r c", &[("KUBECONFIG", "/astray")], "context is no"),
        ("no such context", None, "template r c --kube-context zz", LIST, "the context \"zz\" is in no"),
        ("no such current-context", None, "template r c", &[("KUBECONFIG", "/one")], "the context \"b\" is in no"),
        ("--kubeconfig does not exist", None, "template r c --kubeconfig /none", &[], "/none does not exist"),
        ("not YAML", None, "template r c", &[("KUBECONFIG", "/two:/bad")], "/bad is not YAML"),
        ("not readable", None, "template r c", &[("KUBECONFIG", "/unreadable")], "/unreadable cannot be read"),
        ("not a string", None, "template r c", &[("KUBECONFIG", "/number")], "that is no string"),
        ("not a list", None, "template r c", &[("KUBECONFIG", "/map")], "no list under contexts"),
        (
            "a context twice: helm template reads none of the file (seen with 3.19.0 and 4.3.1)",
            None,
            "template r c",
            &[("KUBECONFIG", "/twice")],
            "two contexts of one name",
        ),
    ] {
        let error = ask(own, line, env, FILES).unwrap_err().to_string();
        assert!(error.contains(expected), "{trap}: {error}");
    }
}

#[test]
fn the_way_to_the_cluster_is_flag_then_variable() {
    const ENV: Pairs = &[
        ("HELM_KUBECONTEXT", "ec"),
        ("HELM_KUBETOKEN", "hunter2"),
        ("HELM_KUBEASUSER", "eu"),
        ("HELM_KUBEASGROUPS", " g,h,"),
        ("HELM_KUBEAPISERVER", "es"),
        ("HELM_KUBECAFILE", "ef"),
        ("HELM_KUBETLS_SERVER_NAME", "en"),
        ("HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "true"),
    ];
    let some = |text: &str| Some(text.to_owned());
    let from_env = KubeAccess {
        kubeconfig: None,
        context: some("ec"),
        token: some("hunter2").map(Token),
        as_user: some("eu"),
        as_groups: vec!["g".into(), "h".into()],
        server: some("es"),
        ca_file: some("ef"),
        tls_server_name: some("en"),
        insecure: true,
    };
    let found = ask(Some("x"), "upgrade r c", ENV, &[]).unwrap();
    assert_eq!(found.access, from_env);
    assert!(!format!("{found:?}").contains("hunter2"));
    assert_eq!(ask(None, "", ENV, &[]).unwrap().access, from_env, "no helm");
    assert_eq!(ask(None, "", &[], &[]).unwrap().access, KubeAccess::default());

    let found = ask(
        Some("x"),
        "install r c --create-namespace --kubeconfig k --kube-context= --kube-token t --kube-as-group z \
         --kube-insecure-skip-tls-verify=false",
        ENV,
        &[],
    )
    .unwrap();
    assert_eq!(
        found.access,
        KubeAccess {
            kubeconfig: some("k"),
            context: None,
            token: some("t").map(Token),
            as_groups: vec!["z".into()],
            insecure: false,
            ..from_env
        }
    );
    assert_eq!(
        found.helm,
        Some(HelmCommand { subcommand: Subcommand::Install, output_dir: false, create_namespace: true })
    );
}
