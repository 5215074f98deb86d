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
            ..HelmLine::new(Subcommand::Upgrade)
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

fn wrapped_line(words: &[&str]) -> Result<Wrapped, LineError> {
    wrapped(words).map(|line| line.expect("a command that renders"))
}

#[test]
fn diff_is_ours_where_a_flag_can_stand_and_nowhere_else() {
    for (words, rest) in [
        (&["upgrade", "app", "chart", "--diff"][..], Some(&["upgrade", "app", "chart"][..])),
        (&["--diff", "--debug", "upgrade", "app", "--diff", "c"], Some(&["--debug", "upgrade", "app", "c"])),
        (&["upgrade", "--diff", "--wait", "app"], Some(&["upgrade", "--wait", "app"])),
        // A value, and what stands behind the end of the flags.
        (&["upgrade", "--description", "--diff", "app"], None),
        (&["upgrade", "-f", "--diff", "app"], None),
        (&["upgrade", "app", "--", "--diff"], None),
    ] {
        let found = wrapped_line(words).unwrap();
        assert_eq!(found.diff, rest.is_some(), "{words:?}");
        assert_eq!(found.arguments(words), rest.unwrap_or(words), "{words:?}");
    }
    assert_eq!(wrapped(&["--diff", "list"]), Ok(None));
    assert_eq!(wrapped_line(&["upgrade", "--diff=x"]), Err(LineError::Unknown("--diff".to_owned())));
    assert_eq!(line("upgrade app chart --diff"), Err(LineError::Unknown("--diff".to_owned())), "not helm's own");
}

#[test]
fn what_matters_to_a_wrapper_is_seen() {
    let found = |text: &str| wrapped_line(&text.split(' ').collect::<Vec<_>>()).unwrap().line;
    assert!(found("upgrade app c --post-renderer x").post_renderer);
    assert!(found("upgrade app c --post-renderer=").post_renderer, "empty is Helm 3's none, and an error of Helm 4");
    assert!(!found("upgrade app c --post-renderer-args x").post_renderer);
    assert!(found("upgrade -h").help && found("upgrade --help").help && !found("upgrade --help=false").help);
    for (text, from_stdin) in [
        ("-f -", true),
        ("--values=a.yaml,-", true),
        ("-f-", true),
        ("--set-file a=x,b=-", true),
        ("-f a.yaml", false),
        ("--set a=-", false),
    ] {
        assert_eq!(found(&format!("upgrade app c {text}")).values_from_stdin, from_stdin, "{text}");
    }
    for (text, dry) in [
        ("--dry-run", true),
        ("--dry-run=server", true),
        ("--dry-run=client", true),
        ("--dry-run=none", false),
        ("--dry-run=false", false),
        ("--dry-run --dry-run=none", false),
        ("--dry-run=none --dry-run=true", true),
        ("--wait", false),
    ] {
        assert_eq!(found(&format!("upgrade app c {text}")).dry_run, dry, "{text}");
    }
}

#[test]
fn flags_are_added_before_the_end_of_the_flags() {
    for (words, expected) in [
        (&["upgrade", "app", "c"][..], &["upgrade", "app", "c", "NEW"][..]),
        (&["upgrade", "--diff", "app", "--", "c", "--"], &["upgrade", "app", "NEW", "--", "c", "--"]),
    ] {
        assert_eq!(wrapped_line(words).unwrap().with(words, &["NEW"]), expected, "{words:?}");
    }
    // Else it would be the value of what stands there.
    assert_eq!(wrapped_line(&["upgrade", "app", "--set"]), Err(LineError::NoValue("--set".to_owned())));
}

proptest::proptest! {
    #[test]
    fn no_line_panics(words in proptest::collection::vec("(--?)?(n|namespace|set|h|ä|=|template|in|v){0,3}(=x)?", 0..8)) {
        let _ = read(&words);
    }
}
