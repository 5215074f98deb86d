//! `distribute` against a real API server and cert-manager.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use support::Tls;
use world::{Output, World, wait_for};

const HOSTS: [&str; 1] = ["*.apps.example.com"];

/// An operator's namespace with the source `wild`, and namespaces of applications.
struct Places {
    ops: World,
    apps: Vec<World>,
}

impl Places {
    fn new(name: &str, apps: usize) -> Self {
        let places =
            Self { ops: World::new(name), apps: (0..apps).map(|_| World::new(&format!("{name}-app"))).collect() };
        places.renew();
        places
    }

    /// Gives the source another certificate.
    fn renew(&self) {
        self.ops.apply(&[Tls::new(&self.ops.namespace, "wild", &HOSTS)]);
    }

    fn distribute(&self, arguments: &[&str]) -> Output {
        self.ops.program(&[&["distribute", "wild", "-n", &self.ops.namespace], arguments].concat(), &[], b"")
    }

    /// The pattern that names the namespaces of some of the applications.
    fn pattern(&self, apps: &[usize]) -> String {
        apps.iter().map(|&at| self.apps[at].namespace.clone()).collect::<Vec<_>>().join(",")
    }

    fn copy(&self, apps: &[usize], more: &[&str]) -> Output {
        let to = self.pattern(apps);
        self.distribute(&[&["--via", "copy", "--to-namespaces", &to], more].concat())
    }

    /// The lines in the order of the applications.
    fn lines(&self, output: &str) -> Vec<String> {
        let line = |app: &World| {
            let start = format!("secret/wild in {} ", app.namespace);
            output.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or("none").to_owned()
        };
        self.apps.iter().map(line).collect()
    }

    /// Whether each application has the source's certificate.
    fn are_equal(&self) -> bool {
        let source = self.ops.certificate("wild");
        self.apps.iter().all(|app| app.certificate("wild") == source)
    }
}

#[test]
#[ignore = "needs the test bed"]
fn copies_are_labelled_follow_the_source_and_are_listed_as_mirrors() {
    let places = Places::new("copy", 2);
    let dry = places.copy(&[0, 1], &["--dry-run=client"]).ok();
    assert!(dry.starts_with("secret/wild annotated (dry run)\n"), "{dry}");
    assert_eq!(places.lines(&dry), ["created (dry run)", "created (dry run)"]);
    let dry = places.copy(&[0, 1], &["--dry-run=server"]).ok();
    assert_eq!(places.lines(&dry), ["created (server dry run)", "created (server dry run)"]);
    assert_eq!(places.apps[0].certificate("wild"), "");
    let made = places.copy(&[0, 1], &[]).ok();
    assert_eq!(places.lines(&made), ["created", "created"]);
    assert!(places.are_equal());
    let listed = places.apps[0].program(&["list", "-A", "-o", "json"], &[], b"").ok();
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let copy = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["metadata"]["namespace"] == places.apps[0].namespace.as_str());
    let origin = &copy.unwrap()["origin"];
    assert_eq!(
        *origin,
        serde_json::json!({"kind": "mirror", "by": "kubectl routing-secrets",
            "of": {"namespace": places.ops.namespace, "name": "wild"}})
    );
    // Where to is noted on the source.
    let again = places.distribute(&["--via", "copy"]).ok();
    assert_eq!(places.lines(&again), ["unchanged", "unchanged"]);
    assert!(!again.contains("annotated"), "{again}");
    places.renew();
    assert!(!places.are_equal());
    let listed = places.apps[0].program(&["list", "-A"], &[], b"").ok();
    assert!(listed.contains("its certificate is not that of its source"), "{listed}");
    assert_eq!(places.lines(&places.distribute(&["--via", "copy"]).ok()), ["updated", "updated"]);
    assert!(places.are_equal());
}

#[test]
#[ignore = "needs the test bed"]
fn a_secret_that_is_not_ours_is_left_and_what_is_no_longer_asked_for_goes_when_asked() {
    let places = Places::new("prune", 3);
    let foreign = &places.apps[2];
    foreign.apply(&[Tls::new(&foreign.namespace, "wild", &["other.example.org"])]);
    let before = foreign.certificate("wild");
    let made = places.copy(&[0, 1, 2], &[]);
    assert_eq!(made.code, 1, "{made:?}");
    let lines = places.lines(&made.stdout);
    assert_eq!(lines[..2], ["created", "created"]);
    assert!(
        lines[2].starts_with("left: a Secret of that name is there and not ours (made by kubectl-client-side-apply)")
    );
    // Pretending to be a copy does not help.
    foreign
        .kubectl(&[
            "annotate",
            "secret",
            "wild",
            &format!("routing-secrets.epinio.io/copied-from={}/wild", places.ops.namespace),
        ])
        .ok();
    let fewer = places.copy(&[0], &[]).ok();
    assert_eq!(places.lines(&fewer), ["unchanged", "is no longer asked for, and stays: --prune deletes it", "none"]);
    let dry = places.copy(&[0], &["--prune", "--dry-run=client"]).ok();
    assert_eq!(places.lines(&dry), ["unchanged", "deleted (dry run)", "none"]);
    let dry = places.copy(&[0], &["--prune", "--dry-run=server"]).ok();
    assert_eq!(places.lines(&dry), ["unchanged", "deleted (server dry run)", "none"]);
    assert_ne!(places.apps[1].certificate("wild"), "");
    let pruned = places.copy(&[0], &["--prune"]).ok();
    assert_eq!(places.lines(&pruned), ["unchanged", "deleted", "none"]);
    assert_eq!((places.apps[1].certificate("wild"), foreign.certificate("wild")), (String::new(), before));
}

#[test]
#[ignore = "needs the test bed"]
fn a_copy_that_someone_else_wrote_into_is_left() {
    let places = Places::new("written", 2);
    places.copy(&[0, 1], &[]).ok();
    let other = "{\"data\":{\"tls.crt\":\"b3RoZXI=\"}}";
    places.apps[0].kubectl(&["patch", "secret", "wild", "-p", other, "--field-manager=somebody"]).ok();
    places.renew();
    let left = places.copy(&[0, 1], &[]);
    assert_eq!(left.code, 1);
    let lines = places.lines(&left.stdout);
    assert!(lines[0].starts_with("left: somebody has written into the copy"), "{lines:?}");
    assert_eq!((lines[1].as_str(), places.apps[0].certificate("wild").as_str()), ("updated", "b3RoZXI="));
    places.apps[0].kubectl(&["delete", "secret", "wild"]).ok();
    assert_eq!(places.lines(&places.copy(&[0, 1], &[]).ok()), ["created", "unchanged"]);
    assert!(places.are_equal());
}

#[test]
#[ignore = "needs the test bed"]
fn runs_at_once_beside_a_renewal_end_equal() {
    let places = Places::new("race", 6);
    let all: Vec<usize> = (0..6).collect();
    for _ in 0..3 {
        std::thread::scope(|scope| {
            // The first one may have read the certificate that the second one replaces.
            let first = scope.spawn(|| places.copy(&all, &[]));
            places.renew();
            let later = [0, 1].map(|_| scope.spawn(|| places.copy(&all, &[])));
            for run in [first].into_iter().chain(later) {
                run.join().unwrap().ok();
            }
        });
        assert!(places.are_equal());
    }
    let calm = places.copy(&all, &[]).ok();
    assert_eq!(places.lines(&calm), vec!["unchanged"; 6]);
}

#[test]
#[ignore = "needs the test bed"]
fn annotations_for_a_replicator_go_where_they_last() {
    let places = Places::new("replicators", 1);
    let (ops, app) = (&places.ops, &places.apps[0].namespace);
    let annotation =
        |object: &str, path: &str| ops.kubectl(&["get", object, "-o", &format!("jsonpath={{{path}}}")]).ok();
    let kubed = |more: &[&str]| places.distribute(&[&["--via", "kubed"], more].concat());
    let team = format!("{app}.*");
    let dry = kubed(&["--to-selector", "sync=wild", "--to-namespaces", &team, "--dry-run=client"]).ok();
    assert_eq!(dry, format!("secret/wild annotated (dry run)\nkubectl label namespace {app} sync=wild\n"));
    kubed(&["--to-selector", "sync=wild"]).ok();
    let sync = ".metadata.annotations.kubed\\.appscode\\.com/sync";
    assert_eq!(annotation("secret/wild", sync), "sync=wild");
    let again = kubed(&["--to-selector", "sync=wild"]).ok();
    assert!(again.starts_with("secret/wild already annotated\n"), "{again}");
    for via in ["reflector", "copy"] {
        let second = places.distribute(&["--via", via, "--to-namespaces", "a"]);
        assert!(second.code == 2 && second.stderr.contains("take that away first"), "{second:?}");
    }
    // A Certificate's Secret: on its template, from where cert-manager brings it to the Secret.
    let create = ["create", "issued", "-n", &ops.namespace, "--cluster-issuer", "ca", "--host", HOSTS[0]];
    ops.program(&create, &[], b"").ok();
    wait_for("the certificate", || (!ops.certificate("issued").is_empty()).then_some(()));
    let distribute = ["distribute", "issued", "-n", &ops.namespace, "--via"];
    let reflector = [&distribute[..], &["reflector", "--to-namespaces", app]].concat();
    let done = ops.program(&reflector, &[], b"");
    assert_eq!(done.stdout, "certificate.cert-manager.io/issued annotated\n", "{done:?}");
    assert!(done.stderr.contains("Reflector copies no labels"), "{done:?}");
    let auto = ".metadata.annotations.reflector\\.v1\\.k8s\\.emberstack\\.com/reflection-auto-namespaces";
    wait_for("the annotation", || (annotation("secret/issued", auto) == *app).then_some(()));
    let copy = ops.program(&[&distribute[..], &["copy", "--to-namespaces", app]].concat(), &[], b"");
    assert!(copy.stderr.contains("spec.secretTemplate of Certificate issued"), "{copy:?}");
}

#[test]
#[ignore = "needs the test bed"]
fn only_usable_routing_secrets_that_are_sources_are_distributed() {
    let places = Places::new("refused", 1);
    let ops = &places.ops;
    let mut mirror = Tls::new(&ops.namespace, "mirror", &HOSTS);
    mirror.annotations.insert("reflector.v1.k8s.emberstack.com/reflects".to_owned(), "x/src".to_owned());
    let mut unmarked = Tls::new(&ops.namespace, "unmarked", &HOSTS);
    unmarked.labels.clear();
    let mut expired = Tls::new(&ops.namespace, "expired", &HOSTS);
    expired.years = (2020, 2021);
    ops.apply(&[mirror, unmarked, expired]);
    for (name, words) in [
        ("mirror", "is a mirror of x/src: kubectl routing-secrets distribute src -n x"),
        ("unmarked", "is no routing secret: kubectl routing-secrets mark unmarked"),
        ("expired", "is not usable, so it is not copied: its certificate expired"),
        ("none", "there is no Secret"),
    ] {
        let arguments = ["distribute", name, "-n", &ops.namespace, "--via", "copy", "--to-namespaces", "a"];
        let refused = ops.program(&arguments, &[], b"");
        assert!(refused.code == 2 && refused.stderr.contains(words), "{refused:?}");
    }
    for (arguments, words) in [
        (&["--via", "copy"][..], "say where to"),
        (&["--via", "kubed", "--prune"], "--prune goes with --via copy"),
        (&["--via", "copy", "--to-namespaces", "team-*"], "write team-.*"),
    ] {
        let refused = places.distribute(arguments);
        assert!(refused.code == 2 && refused.stderr.contains(words), "{refused:?}");
    }
}

#[test]
#[ignore = "needs the test bed"]
fn the_smallest_role_suffices_to_copy() {
    let places = Places::new("rights", 1);
    let (ops, app) = (&places.ops, &places.apps[0]);
    let user = format!("copier-{}", ops.namespace);
    let rules = "rules: [{apiGroups: [\"\"], resources: [namespaces], verbs: [list]}, {apiGroups: [\"\"], resources: [secrets], resourceNames: [wild], verbs: [get, list, patch, delete]}, {apiGroups: [\"\"], resources: [secrets], verbs: [create]}]";
    let binding = format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {user}}}\n{rules}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: {user}}}\nroleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {user}}}\nsubjects: [{{kind: User, name: {user}, apiGroup: rbac.authorization.k8s.io}}]\n"
    );
    let forbidden = places.copy(&[0], &["--as", &user]);
    assert!(forbidden.code == 2 && forbidden.stderr.contains("may not get secrets"), "{forbidden:?}");
    ops.run("kubectl", &["apply", "-f", "-"], &[], binding.as_bytes()).ok();
    let can = ["auth", "can-i", "create", "secrets", "--as", &user, "-A"];
    wait_for("the right", || (ops.kubectl(&can).code == 0).then_some(()));
    assert_eq!(places.lines(&places.copy(&[0], &["--as", &user]).ok()), ["created"]);
    places.renew();
    assert_eq!(places.lines(&places.copy(&[0], &["--as", &user]).ok()), ["updated"]);
    let pruned = places.distribute(&["--via", "copy", "--to-namespaces", "nowhere", "--prune", "--as", &user]).ok();
    assert_eq!((places.lines(&pruned)[0].as_str(), app.certificate("wild").as_str()), ("deleted", ""));
    ops.kubectl(&["delete", "clusterrole,clusterrolebinding", &user]).ok();
}
