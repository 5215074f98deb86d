use super::*;

fn line(text: &str) -> Result<Option<HelmLine>, LineError> {
    // '' stands for an empty argument.
    let words: Vec<&str> = text.split_whitespace().map(|word| if word == "''" { "" } else { word }).collect();
    read(&words)
}

#[test]
fn the_namespace_is_read_as_helm_reads_it() {
    for (trap, text, namespace) in [
        ("none", "template x ch", None),
        ("short", "template x ch -n a", Some("a")),
        ("short glued", "template x ch -na", Some("a")),
        ("short =", "template x ch -n=a", Some("a")),
        ("long", "template x ch --namespace a", Some("a")),
        ("long =", "template x ch --namespace=a", Some("a")),
        ("before", "-n a template x ch", Some("a")),
        ("named as the command", "-n template template x ch", Some("template")),
        ("last wins", "-n a template x ch --namespace b -nc", Some("c")),
        ("emptied", "template x ch -n a -n ''", Some("")),
        ("emptied with =", "template x ch -n a --namespace=", Some("")),
        ("only =", "template x ch -n=", Some("=")),
        ("cluster", "upgrade -in ns x ch", Some("ns")),
        ("cluster glued", "install ch -gnns", Some("ns")),
        ("cluster =", "install ch -gn=ns", Some("ns")),
        ("cluster with a value in it", "template x ch -an", None),
        ("after --", "template x -- ch -n a", None),
        ("a value --", "template x ch --description -- -n a", Some("a")),
        ("a lone -", "template x - -n a", Some("a")),
        ("the word as a value", "template x ch --set -n=a", Some("a")),
        ("a value that is a flag, and a flag", "template x ch --description -n -n b", Some("b")),
        ("--dry-run takes no value", "install x ch --dry-run -n a", Some("a")),
        ("--dry-run=client", "install x ch --dry-run=client -n a", Some("a")),
        ("--wait takes no value", "install x ch --wait -n a", Some("a")),
        ("--server-side on install", "install x ch --server-side -n a", Some("a")),
        ("--server-side on upgrade", "upgrade x ch --server-side auto -n a", Some("a")),
        ("klog", "template x ch -v 5 --logtostderr -n a", Some("a")),
        ("post-renderer arguments with =", "template x ch --post-renderer-args=-n --post-renderer-args=a", None),
    ] {
        let read = line(text).unwrap().unwrap();
        assert_eq!(read.namespace.as_deref(), namespace, "{trap}: {text}");
    }
}

/// Each seen with helm 3.19.0 and 4.3.1.
#[test]
fn values_that_helm_first_takes_for_global_flags_stay_in_force() {
    for (text, namespace) in [
        ("template x ch --post-renderer-args -n --post-renderer-args ns", Some("--post-renderer-args")),
        ("template x ch --post-renderer-args -n --post-renderer-args ns -n real", Some("real")),
        ("template x ch --post-renderer-args --namespace=foo", Some("foo")),
        ("template x ch --description -n --set-string a=b", Some("--set-string")),
        ("template x ch --description -nfoo", Some("foo")),
        ("template x ch --description --namespace=foo -n bar", Some("bar")),
        ("template x ch -nfoo --description -nbar", Some("foo")),
        ("template x ch --description x -n a --description=-nb", Some("a")),
        ("template x ch -a -nfoo", Some("foo")),
        ("template ch -gn foo", Some("foo")),
        ("--description -n template x ch", Some("template")),
        ("template x -an ch", Some("ch")),
        ("template -an rel x ch -g", Some("rel")),
        ("template x ch -h=false --description -nfoo", None),
    ] {
        let read = line(text).unwrap().unwrap();
        assert_eq!(read.namespace.as_deref(), namespace, "{text}");
    }
}

#[test]
fn only_rendering_commands_are_read() {
    use Subcommand::{Install, Template, Upgrade};
    for (trap, text, subcommand) in [
        ("install", "install x ch", Some(Install)),
        ("upgrade", "upgrade -i x ch", Some(Upgrade)),
        ("template", "--debug template x ch", Some(Template)),
        ("nothing", "", None),
        ("another", "get manifest install", None),
        ("a plugin", "secrets upgrade x ch", None),
        ("a value", "-n install list", None),
        ("a flag of a subcommand takes a value here", "--wait template x ch", None),
        ("so does a short one", "-g template ch", None),
        ("and one with a value", "--set a template x ch", Some(Template)),
        ("an unknown one too", "--unknown template x ch", None),
        ("glued", "-nx template x ch", Some(Template)),
        ("behind --", "-- template x ch", None),
        ("empty word", "'' template x ch", Some(Template)),
        ("no alias", "tmpl x ch", None),
        ("only flags", "--debug -n", None),
        ("a bash script", "/usr/bin/helm template x ch", None),
    ] {
        let read = line(text).unwrap();
        assert_eq!(read.map(|line| line.subcommand), subcommand, "{trap}: {text}");
    }
}

#[test]
fn the_way_to_the_cluster_is_read() {
    let read = line(
        "upgrade x ch --kubeconfig k --kube-context c --kube-token t --kube-as-user u --kube-as-group g \
         --kube-as-group=h --kube-apiserver s --kube-ca-file f --kube-tls-server-name n \
         --kube-insecure-skip-tls-verify --create-namespace --output-dir d",
    )
    .unwrap()
    .unwrap();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        read,
        HelmLine {
            subcommand: Subcommand::Upgrade,
            namespace: None,
            kubeconfig: some("k"),
            context: some("c"),
            token: some("t").map(Token),
            as_user: some("u"),
            as_groups: vec!["g".into(), "h".into()],
            server: some("s"),
            ca_file: some("f"),
            tls_server_name: some("n"),
            insecure: Some(true),
            output_dir: true,
            create_namespace: true,
        }
    );
    let off = line("install x ch --create-namespace --create-namespace=false --kube-insecure-skip-tls-verify=F");
    let off = off.unwrap().unwrap();
    assert_eq!((off.create_namespace, off.insecure), (false, Some(false)));
}

#[test]
fn errors_and_debug_never_show_a_value() {
    let secret = "hunter2";
    for (trap, text, error) in [
        ("unknown", "template x --tokn hunter2", "--tokn"),
        ("unknown with =", "template x --tokn=hunter2", "--tokn"),
        ("unknown short", "template x -Phunter2", "not shown"),
        ("a value that looks like a flag", "template x -- ch --hunter2", ""),
        ("a name that is none", "template x --hunter2=1", "not shown"),
        ("unknown letter", "template x -xhunter2", "-x"),
        ("no value", "template x hunter2 --kube-token", "--kube-token"),
        ("no value, short", "template x hunter2 -n", "-n"),
        ("not a bool", "template x --create-namespace=hunter2", "--create-namespace"),
        ("bad flag", "template x --=hunter2", "none"),
        ("bad flag", "template x ---hunter2", "none"),
        ("token", "template x --kube-token hunter2", ""),
        ("token =", "template x --kube-token=hunter2", ""),
    ] {
        let read = line(text);
        assert!(!format!("{read:?}").contains(secret), "{trap}: {read:?}");
        match read {
            Err(found) => {
                let found = found.to_string();
                assert!(!found.contains(secret), "{trap}: {found}");
                assert!(!error.is_empty() && found.contains(error), "{trap}: {found}");
            }
            Ok(_) => assert!(error.is_empty(), "{trap}"),
        }
    }
}

#[test]
fn the_tables_agree() {
    for (_, name) in SHORTHANDS {
        assert!(kind(name, Known::All, Subcommand::Install).is_some(), "{name}");
    }
    let mut all: Vec<&str> = [GLOBAL_VALUES, GLOBAL_SWITCHES, VALUES, SWITCHES].concat();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "a flag is in two tables");
}

proptest::proptest! {
    #[test]
    fn no_line_panics(words in proptest::collection::vec("(--?)?(n|namespace|set|h|ä|=|template|in|v){0,3}(=x)?", 0..8)) {
        let _ = read(&words);
    }
}
