//! Which cluster and which namespace are read, as whom, and what happens when that is not allowed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "e2e/proxy.rs"]
mod proxy;
#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use proxy::{Context, Proxy, kubeconfig};
use support::Tls;
use world::{Output, World, bed};

const INGRESS: &str = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: shop\n  annotations:\n    cert-manager.io/cluster-issuer: ca\nspec:\n  tls:\n  - hosts: [shop.apps.example.com]\n    secretName: shop-tls\n";

const SLOT: [&str; 5] = ["get", "ingress", "app", "-o", "jsonpath={.spec.tls[0].secretName}"];

const HELMS: [&str; 2] = ["helm3", "helm4"];

/// A chart with one Ingress for `RELEASE.NAMESPACE.example`.
fn chart() -> String {
    format!("{}/tests/e2e/bed/chart", env!("CARGO_MANIFEST_DIR"))
}

/// A world whose chart's Ingress a Secret covers.
fn world(name: &str, secret: &str) -> World {
    let world = World::new(name);
    let host = format!("app.{}.example", world.namespace);
    world.apply(&[Tls::new(&world.namespace, secret, &[&host, "shop.apps.example.com"])]);
    world
}

/// Two contexts, `a` and `b`: each has a proxy, which tells that it was read, and a namespace with a Secret of its own.
struct Contexts {
    a: World,
    b: World,
    proxies: [Proxy; 2],
    /// Both contexts; `a` is the current one.
    config: String,
    /// `b` alone.
    config_b: String,
}

impl Contexts {
    fn new(name: &str) -> Self {
        let a = world(&format!("{name}-a"), "of-a");
        let b = world(&format!("{name}-b"), "of-b");
        let proxies = [Proxy::honest(), Proxy::honest()];
        let ca = bed("BED_CA");
        let context_a = Context::admin("a", &proxies[0].server, &ca, &a.namespace);
        let context_b = || Context::admin("b", &proxies[1].server, &ca, &b.namespace);
        let config = kubeconfig(&a, "config", &[context_a, context_b()]);
        let config_b = kubeconfig(&a, "config-b", &[context_b()]);
        Self { config, config_b, a, b, proxies }
    }

    /// `helm template` of the chart, through the filter.
    fn template(&self, helm: &str, arguments: &[&str], env: &[(&str, &str)]) -> Output {
        let chart = chart();
        let line = ["template", "app", &chart, "--post-renderer", "kubectl-routing_secrets"];
        self.a.helm(helm, &[&line, arguments].concat(), &[&[("KUBECONFIG", self.config.as_str())], env].concat())
    }

    /// How many requests each context got so far.
    fn counts(&self) -> [usize; 2] {
        [self.proxies[0].seen().len(), self.proxies[1].seen().len()]
    }
}

#[test]
#[ignore = "needs the test bed"]
fn the_namespace_and_the_context_are_read_that_helm_was_told_in_whatever_spelling() {
    let all = Contexts::new("spellings");
    let ca = bed("BED_CA");
    let server = all.proxies[1].server.clone();
    // The arguments, the environment, whose namespace, whose context.
    type Row<'r> = (&'r [&'r str], &'r [(&'r str, &'r str)], char, char);
    let rows: [Row<'_>; 20] = [
        (&[], &[], 'a', 'a'),
        (&["-n", "NS_B"], &[], 'b', 'a'),
        (&["-nNS_B"], &[], 'b', 'a'),
        (&["-n=NS_B"], &[], 'b', 'a'),
        (&["--namespace", "NS_B"], &[], 'b', 'a'),
        (&["--namespace=NS_B"], &[], 'b', 'a'),
        (&["-n", "NS_A", "--namespace=NS_B"], &[], 'b', 'a'),
        (&["--set-string", "x=1", "-n", "NS_B", "--description", "-n"], &[], 'b', 'a'),
        (&[], &[("HELM_NAMESPACE", "NS_B")], 'b', 'a'),
        (&["-n", "NS_A"], &[("HELM_NAMESPACE", "NS_B")], 'a', 'a'),
        (&["-n", ""], &[("HELM_NAMESPACE", "NS_B")], 'a', 'a'),
        (&["--kube-context", "b"], &[], 'b', 'b'),
        (&["--kube-context=b", "-n", "NS_A"], &[], 'a', 'b'),
        (&[], &[("HELM_KUBECONTEXT", "b")], 'b', 'b'),
        (&["--kube-context=a"], &[("HELM_KUBECONTEXT", "b")], 'a', 'a'),
        (&["--kubeconfig", &all.config_b], &[], 'b', 'b'),
        (&["--kube-apiserver", &server, "--kube-ca-file", &ca], &[], 'a', 'b'),
        (&[], &[("HELM_KUBEAPISERVER", &server)], 'a', 'b'),
        // What the filter itself is told goes before what helm was told.
        (&["-n", "NS_A", "--post-renderer-args=--context=b"], &[], 'a', 'b'),
        (&["--kube-context=a"], &[("ROUTING_SECRETS_CONTEXT", "b")], 'a', 'b'),
    ];
    for helm in HELMS {
        for (arguments, env, namespace, context) in rows {
            let named = |text: &str| text.replace("NS_A", &all.a.namespace).replace("NS_B", &all.b.namespace);
            let arguments: Vec<String> = arguments.iter().map(|text| named(text)).collect();
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let env: Vec<(&str, String)> = env.iter().map(|(name, value)| (*name, named(value))).collect();
            let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let before = all.counts();
            let output = all.template(helm, &arguments, &env);
            let slot = format!("secretName: of-{namespace}\n");
            assert!(output.stdout.contains(&slot), "{helm} {arguments:?} {env:?}: {output:?}");
            // A list, and the live object. Helm itself asks for nothing here.
            let after = all.counts();
            let found = [after[0] - before[0], after[1] - before[1]];
            let expected = if context == 'a' { [2, 0] } else { [0, 2] };
            assert_eq!(found, expected, "{helm} {arguments:?} {env:?}");
        }
    }
}

#[test]
#[ignore = "needs the test bed"]
fn a_context_that_does_not_exist_is_an_error_and_no_other_is_read() {
    let all = Contexts::new("no-context");
    for helm in HELMS {
        let output = all.template(helm, &["--kube-context", "c", "-n", &all.a.namespace], &[]);
        assert!(output.code != 0 && output.stdout.is_empty(), "{output:?}");
        assert!(output.stderr.contains("context \"c\"") || output.stderr.contains("\\\"c\\\""), "{output:?}");
    }
    assert_eq!(all.counts(), [0, 0]);
}

#[test]
#[ignore = "needs the test bed"]
fn a_release_goes_to_the_cluster_whose_secrets_were_read_and_to_no_other() {
    let all = Contexts::new("install");
    let chart = chart();
    for (number, helm) in HELMS.into_iter().enumerate() {
        let line = ["upgrade", "--install", "app", &chart, "--post-renderer", "kubectl-routing_secrets"];
        let (world, context) = [(&all.a, "a"), (&all.b, "b")][number];
        let line = [&line[..], &["--kube-context", context, "-n", &world.namespace]].concat();
        let before = all.counts()[1 - number];
        world.helm(helm, &line, &[("KUBECONFIG", &all.config)]).ok();
        assert_eq!(world.kubectl(&SLOT).ok(), format!("of-{context}"));
        assert_eq!(all.counts()[1 - number], before, "{helm} or the filter asked the other cluster");
    }
}

#[test]
#[ignore = "needs the test bed"]
fn a_shell_around_helm_and_one_between_helm_and_the_filter_change_nothing() {
    let all = Contexts::new("wrapped");
    // Neither is replaced by exec: helm is a grandchild here, and the filter one of helm's.
    let between = all.a.script("between", "kubectl-routing_secrets \"$@\"\nexit $?\n");
    let chart = chart();
    for helm in HELMS {
        // Makes the home with the Helm 4 plug-in.
        all.template(helm, &[], &[]).ok();
        let home = all.a.path(&format!("{helm}-home")).display().to_string();
        let homes = ["CACHE", "CONFIG", "DATA"].map(|kind| format!("export HELM_{kind}_HOME={home}/{kind}\n")).concat();
        let around = all.a.script(&format!("deploy-{helm}"), &format!("{homes}{helm} template app \"$@\"\nexit $?\n"));
        let filter = if helm == "helm3" { between.as_str() } else { "kubectl-routing_secrets" };
        let line = [&chart, "--post-renderer", filter, "--kube-context", "b", "-n", &all.b.namespace];
        let before = all.counts();
        let output = all.a.run(&around, &line, &[("KUBECONFIG", &all.config)], b"");
        assert!(output.stdout.contains("secretName: of-b\n"), "{helm}: {output:?}");
        assert_eq!(all.counts(), [before[0], before[1] + 2], "{helm}");
    }
}

#[test]
#[ignore = "needs the test bed"]
fn helms_that_run_at_the_same_time_do_not_take_each_other_for_their_own() {
    let all = Contexts::new("parallel");
    for helm in HELMS {
        all.template(helm, &[], &[]).ok();
    }
    let before = all.counts();
    let all = &all;
    std::thread::scope(|scope| {
        let runs: Vec<_> =
            [("helm3", 'a'), ("helm3", 'b'), ("helm4", 'a'), ("helm4", 'b'), ("helm3", 'a'), ("helm4", 'b')]
                .into_iter()
                .map(|(helm, context)| {
                    let run = scope.spawn(move || {
                        let namespace = if context == 'a' { &all.a.namespace } else { &all.b.namespace };
                        all.template(helm, &["--kube-context", &context.to_string(), "-n", namespace], &[]).ok()
                    });
                    (run, context)
                })
                .collect();
        for (run, context) in runs {
            let output = run.join().unwrap();
            assert!(output.contains(&format!("secretName: of-{context}\n")), "{context}: {output}");
        }
    });
    assert_eq!(all.counts(), [before[0] + 6, before[1] + 6]);
}

/// Runs the filter for someone else.
fn filter_as(world: &World, config: &str, input: &str) -> Output {
    world.program(&["post-render", "-n", &world.namespace, "--kubeconfig", config], &[], input.as_bytes())
}

#[test]
#[ignore = "needs the test bed"]
fn who_may_list_in_one_namespace_gets_nothing_from_another_and_not_half_of_a_render() {
    let (mine, other) = (world("lists", "wild"), world("lists-not", "wild"));
    mine.grant(("user", "lister"));
    let lister = bed("BED_KUBECONFIG_LISTER");
    assert!(filter_as(&mine, &lister, INGRESS).ok().contains("secretName: wild"));
    let both = format!(
        "{INGRESS}---\n{}",
        INGRESS.replace("name: shop\n", &format!("name: shop\n  namespace: {}\n", other.namespace))
    );
    for output in [filter_as(&other, &lister, INGRESS), filter_as(&mine, &lister, &both)] {
        assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{output:?}");
        let sentence =
            format!("may not list secrets in namespace {}: secrets is forbidden: User \"lister\"", other.namespace);
        assert!(output.stderr.contains(&sentence), "{output:?}");
    }
}

/// The Role that a message ends with.
#[track_caller]
fn role(output: &Output) -> String {
    let line =
        output.stderr.lines().find(|line| line.contains("{apiVersion: ")).unwrap_or_else(|| panic!("{output:?}"));
    line[line.find("{apiVersion: ").unwrap()..].trim_end().to_owned()
}

#[test]
#[ignore = "needs the test bed"]
fn the_roles_that_the_messages_print_are_all_that_is_missing() {
    let nobody = bed("BED_KUBECONFIG_NOBODY");
    for way in ["program", "helm3", "helm4"] {
        let world = world(&format!("roles-{way}"), "wild");
        let chart = chart();
        let line = ["install", "app", &chart, "-n", &world.namespace, "--post-renderer", "kubectl-routing_secrets"];
        // Helm itself may do all: what fails is the filter.
        let run = || match way {
            "program" => filter_as(&world, &nobody, INGRESS),
            helm => world.helm(helm, &line, &[("ROUTING_SECRETS_KUBECONFIG", &nobody)]),
        };
        for (verb, resource) in [("list", "secrets"), ("get", "ingresses.networking.k8s.io")] {
            let failed = run();
            assert!(failed.code == if way == "program" { 2 } else { 1 } && failed.stdout.is_empty(), "{failed:?}");
            let sentence = format!("may not {verb} {resource} in namespace {}: ", world.namespace);
            assert!(failed.stderr.contains(&sentence), "{sentence}: {failed:?}");
            let installed = world.kubectl(&["get", "ingresses,secrets", "-o", "name"]).ok();
            assert_eq!(installed, "secret/wild\n", "{way}");
            let role = role(&failed);
            let made = world.run("kubectl", &["apply", "-f", "-", "-o", "name"], &[], role.as_bytes()).ok();
            let name = made.trim().rsplit('/').next().unwrap();
            world.bind(name, ("user", "nobody"), verb, resource);
        }
        let output = run().ok();
        match way {
            "program" => assert!(output.contains("secretName: wild"), "{output}"),
            _ => assert_eq!(world.kubectl(&SLOT).ok(), "wild", "{way}"),
        }
    }
}

#[test]
#[ignore = "needs the test bed"]
fn the_filter_reads_as_the_user_and_the_groups_that_are_impersonated() {
    let world = world("as", "wild");
    let group = format!("team-{}", world.namespace);
    world.grant(("group", &group));
    let filter = |arguments: &[&str]| {
        world.program(&[&["post-render", "-n", &world.namespace], arguments].concat(), &[], INGRESS.as_bytes())
    };
    for arguments in
        [&["--as", "jane"][..], &["--as", "jane", "--as-group", "other"], &["--as", "jane", "--as-uid", "7"]]
    {
        let output = filter(arguments);
        assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{output:?}");
        assert!(output.stderr.contains("User \"jane\" cannot list resource \"secrets\""), "{output:?}");
    }
    let groups = ["--as", "jane", "--as-group", "other", "--as-group", &group, "--as-uid", "7"];
    assert!(filter(&groups).ok().contains("secretName: wild"));
    let chart = chart();
    for helm in HELMS {
        let line = ["template", "app", &chart, "-n", &world.namespace, "--post-renderer", "kubectl-routing_secrets"];
        let user = [&line[..], &["--kube-as-user", "jane"]].concat();
        let output = world.helm(helm, &user, &[]);
        assert!(output.stderr.contains("User \"jane\" cannot list resource \"secrets\""), "{output:?}");
        let both = [&user[..], &["--kube-as-group", "other", "--kube-as-group", &group]].concat();
        assert!(world.helm(helm, &both, &[]).ok().contains("secretName: wild"), "{helm}");
        let list = format!("other,{group}");
        let env = [("HELM_KUBEASUSER", "jane"), ("HELM_KUBEASGROUPS", list.as_str())];
        assert!(world.helm(helm, &line, &env).ok().contains("secretName: wild"), "{helm}");
    }
}

#[test]
#[ignore = "needs the test bed"]
fn who_may_not_impersonate_is_told_so_and_given_no_role_that_would_not_help() {
    let world = world("as-not", "wild");
    let nobody = bed("BED_KUBECONFIG_NOBODY");
    let line = ["post-render", "-n", &world.namespace, "--kubeconfig", &nobody, "--as", "jane"];
    let output = world.program(&line, &[], INGRESS.as_bytes());
    assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{output:?}");
    assert!(output.stderr.contains("User \"nobody\" cannot impersonate"), "{output:?}");
    assert!(output.stderr.contains("leave --as") && !output.stderr.contains("kind: Role"), "{output:?}");
}
