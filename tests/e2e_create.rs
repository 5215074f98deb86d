//! `create`, `mark` and `unmark` against a real API server and cert-manager.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use support::Tls;
use world::{Output, World, wait_for};

impl World {
    /// The program in the test's namespace.
    fn ours(&self, arguments: &[&str]) -> Output {
        self.program(&[arguments, &["-n", &self.namespace]].concat(), &[], b"")
    }

    /// A field of an object.
    fn field(&self, object: &str, path: &str) -> String {
        self.kubectl(&["get", object, "--ignore-not-found", "-o", &format!("jsonpath={{{path}}}")]).ok()
    }

    /// Whether `list` shows the secret, and calls it usable.
    fn is_usable(&self, name: &str) -> bool {
        let columns = "custom-columns=N:.metadata.name,U:.usable";
        let listed = self.ours(&["list", "-o", columns, "--no-headers"]).ok();
        listed.lines().any(|line| line.split_whitespace().collect::<Vec<_>>() == [name, "true"])
    }

    /// Writes a certificate and its key, and gives the options that name them.
    fn pair(&self, folder: &str, hosts: &[&str]) -> [String; 4] {
        let (certificate, key) = Tls::new("any", "wild", hosts).pem();
        let certificate = self.write(&format!("{folder}/tls.crt"), &certificate);
        let key = self.write(&format!("{folder}/tls.key"), &key);
        ["--cert".to_owned(), certificate, "--key".to_owned(), key]
    }

    fn create(&self, name: &str, pair: &[String], more: &[&str]) -> Output {
        let pair: Vec<&str> = pair.iter().map(String::as_str).collect();
        self.ours(&[&["create", name], &pair[..], more].concat())
    }
}

const LABEL: &str = ".metadata.labels.epinio\\.io/routing";
const WILD: [&str; 1] = ["*.apps.example.com"];
const OF_CA: [&str; 5] = ["wild", "--cluster-issuer", "ca", "--host", "*.apps.example.com"];

/// A Secret that cert-manager has made for a Certificate of another name.
fn issued(world: &World, name: &str) {
    let certificate = format!(
        "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata:\n  name: {name}-cert\nspec:\n  secretName: {name}\n  dnsNames: [\"*.apps.example.com\"]\n  issuerRef: {{name: ca, kind: ClusterIssuer}}\n"
    );
    let made = ["-n", &world.namespace, "apply", "-f", "-"];
    world.run("kubectl", &made, &[], certificate.as_bytes()).ok();
    wait_for("the certificate", || (!world.certificate(name).is_empty()).then_some(()));
}

#[test]
#[ignore = "needs the test bed"]
fn a_secret_of_an_issuer_becomes_usable_and_a_second_run_changes_nothing() {
    let world = World::new("issuer");
    let create = [&["create"], &OF_CA[..]].concat();
    let server = world.ours(&[&create[..], &["--dry-run=server"]].concat()).ok();
    assert_eq!(server, "certificate.cert-manager.io/wild created (server dry run)\n");
    assert_eq!(world.field("certificate/wild", ".metadata.name"), "");
    assert_eq!(world.ours(&create).ok(), "certificate.cert-manager.io/wild created\n");
    wait_for("a usable secret", || world.is_usable("wild").then_some(()));
    assert_eq!(world.ours(&create).ok(), "certificate.cert-manager.io/wild unchanged\n");
    let more = world.ours(&[&create[..], &["--host", "apps.example.com", "-o", "yaml"]].concat()).ok();
    assert!(more.contains("- apps.example.com") && more.contains("uid:") && !more.contains("managedFields"), "{more}");
    assert_eq!(world.field("certificate/wild", ".spec.dnsNames[1]"), "apps.example.com");
}

#[test]
#[ignore = "needs the test bed"]
fn what_a_dry_run_of_the_client_prints_can_be_applied() {
    let world = World::new("applied");
    let distributed = ["--distribute", "reflector", "--to-namespaces", ".*", "--dry-run=client", "-o", "yaml"];
    let printed = world.program(&[&["create"], &OF_CA[..], &distributed].concat(), &[], b"").ok();
    let apply = ["-n", &world.namespace, "apply", "--validate=strict", "-f", "-"];
    world.run("kubectl", &apply, &[], printed.as_bytes()).ok();
    wait_for("a usable secret", || world.is_usable("wild").then_some(()));
    let auto = ".metadata.annotations.reflector\\.v1\\.k8s\\.emberstack\\.com/reflection-auto-namespaces";
    assert_eq!(world.field("secret/wild", auto), ".*");
}

#[test]
#[ignore = "needs the test bed"]
fn a_secret_of_files_or_of_another_secret_is_made_and_renewed() {
    let world = World::new("files");
    let (first, second) = (world.pair("first", &WILD), world.pair("second", &WILD));
    assert_eq!(world.create("own", &first, &[]).ok(), "secret/own created\n");
    assert!(world.is_usable("own"));
    assert_eq!(world.create("own", &first, &[]).ok(), "secret/own unchanged\n");
    let before = world.certificate("own");
    assert_eq!(world.create("own", &second, &["--dry-run=server"]).ok(), "secret/own configured (server dry run)\n");
    assert_eq!(world.certificate("own"), before);
    assert_eq!(world.create("own", &second, &[]).ok(), "secret/own configured\n");
    assert_ne!(world.certificate("own"), before);
    let from = format!("{}/own", world.namespace);
    let copied = world.ours(&["create", "copied", "--from", &from, "--host", "a.apps.example.com", "-o", "json"]).ok();
    assert!(copied.contains("\"uid\"") && !copied.contains("tls.crt"), "{copied}");
    assert_eq!(world.certificate("copied"), world.certificate("own"));
    assert!(world.is_usable("copied"));
    let uncovered = world.ours(&["create", "other", "--from", &from, "--host", "a.example.org"]);
    assert!(uncovered.code == 2 && uncovered.stderr.contains("does not cover a.example.org"), "{uncovered:?}");
    let missing = world.ours(&["create", "other", "--from", "nowhere/none"]);
    assert!(missing.code == 2 && missing.stderr.contains("there is no Secret nowhere/none"), "{missing:?}");
}

#[test]
#[ignore = "needs the test bed"]
fn what_was_not_made_by_the_program_is_not_touched_without_force() {
    let world = World::new("foreign");
    world.apply(&[Tls::new(&world.namespace, "wild", &["old.example.org"])]);
    let before = world.certificate("wild");
    let pair = world.pair("new", &WILD);
    let refused = world.create("wild", &pair, &[]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("was not made by this program (but by kubectl-client-side-apply)"), "{refused:?}");
    // cert-manager would overwrite it.
    let refused = world.ours(&[&["create"], &OF_CA[..]].concat());
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("cert-manager would overwrite it"), "{refused:?}");
    assert_eq!(world.certificate("wild"), before);
    let other = world.create("wild", &pair, &["--field-manager", "kubectl-client-side-apply"]);
    assert_eq!(other.code, 2, "an update is no apply: {other:?}");
    assert_eq!(world.create("wild", &pair, &["--force"]).ok(), "secret/wild configured\n");
    assert_ne!(world.certificate("wild"), before);
    assert_eq!(world.create("wild", &pair, &[]).ok(), "secret/wild unchanged\n");
    // Once it is ours, what others have changed in it is still theirs.
    let edit = ["annotate", "secret", "wild", "reflector.v1.k8s.emberstack.com/reflection-allowed=false"];
    world.kubectl(&edit).ok();
    let distributed = ["--distribute", "reflector", "--to-namespaces", "a"];
    let conflict = world.create("wild", &pair, &distributed);
    assert!(conflict.code == 2 && conflict.stderr.contains("--force takes the fields over"), "{conflict:?}");
    assert!(conflict.stderr.contains("kubectl-annotate"), "{conflict:?}");
}

#[test]
#[ignore = "needs the test bed"]
fn an_immutable_secret_is_safe_from_cert_manager() {
    let world = World::new("immutable");
    let pair = world.pair("one", &["shop.example.org"]);
    world.create("safe", &pair, &["--immutable"]).ok();
    world.create("bare", &pair, &[]).ok();
    let before = (world.certificate("safe"), world.certificate("bare"));
    for name in ["safe", "bare"] {
        let certificate = format!(
            "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata:\n  name: {name}\nspec:\n  secretName: {name}\n  dnsNames: [shop.example.org]\n  issuerRef: {{name: ca, kind: ClusterIssuer}}\n"
        );
        let apply = ["-n", &world.namespace, "apply", "-f", "-"];
        world.run("kubectl", &apply, &[], certificate.as_bytes()).ok();
    }
    wait_for("the overwriting of the other", || (world.certificate("bare") != before.1).then_some(()));
    // cert-manager has tried this one, too.
    let tried = || {
        let logs =
            world.kubectl(&["get", "certificaterequests", "-o", "jsonpath={.items[*].metadata.annotations}"]).ok();
        logs.contains("\"cert-manager.io/certificate-name\":\"safe\"").then_some(())
    };
    wait_for("the request for the immutable one", tried);
    assert_eq!(world.certificate("safe"), before.0);
    let second = world.pair("two", &["shop.example.org"]);
    let refused = world.create("safe", &second, &["--immutable", "--force"]);
    assert!(refused.code == 2 && refused.stderr.contains("what is immutable cannot be changed"), "{refused:?}");
}

#[test]
#[ignore = "needs the test bed"]
fn a_label_set_by_hand_lasts_on_the_secret_of_a_certificate() {
    let world = World::new("mark");
    issued(&world, "plain");
    assert_eq!(world.ours(&["mark", "plain", "--dry-run=client"]).ok(), "secret/plain marked (dry run)\n");
    assert_eq!(world.ours(&["mark", "plain", "--dry-run=server"]).ok(), "secret/plain marked (server dry run)\n");
    assert_eq!(world.field("secret/plain", LABEL), "");
    assert_eq!(world.ours(&["mark", "plain"]).ok(), "secret/plain marked\n");
    assert_eq!(world.ours(&["mark", "plain"]).ok(), "secret/plain already marked\n");
    let before = world.certificate("plain");
    let patch = "{\"spec\":{\"dnsNames\":[\"*.apps.example.com\",\"apps.example.com\"]}}";
    world.kubectl(&["patch", "certificate", "plain-cert", "--type=merge", "-p", patch]).ok();
    wait_for("the new certificate", || (world.certificate("plain") != before).then_some(()));
    assert_eq!(world.field("secret/plain", LABEL), "true");
    assert_eq!(world.ours(&["unmark", "plain"]).ok(), "secret/plain unmarked\n");
    assert_eq!(world.ours(&["unmark", "plain"]).ok(), "secret/plain not marked\n");
    assert_eq!(world.field("secret/plain", LABEL), "");
}

#[test]
#[ignore = "needs the test bed"]
fn a_label_of_the_template_is_taken_out_of_the_template() {
    let world = World::new("unmark");
    world.ours(&[&["create"], &OF_CA[..]].concat()).ok();
    wait_for("a usable secret", || world.is_usable("wild").then_some(()));
    assert_eq!(world.ours(&["mark", "wild"]).ok(), "secret/wild already marked\n");
    // By hand it comes back.
    world.kubectl(&["label", "secret", "wild", "epinio.io/routing-"]).ok();
    wait_for("the label", || (world.field("secret/wild", LABEL) == "true").then_some(()));
    assert_eq!(world.ours(&["unmark", "wild"]).ok(), "certificate.cert-manager.io/wild unmarked\n");
    wait_for("the label to go", || world.field("secret/wild", LABEL).is_empty().then_some(()));
    assert_eq!(world.ours(&["mark", "wild"]).ok(), "secret/wild marked\n");
}

#[test]
#[ignore = "needs the test bed"]
fn nothing_is_marked_unless_all_can_be_and_rights_that_lack_are_named() {
    let world = World::new("refused");
    let mut expired = Tls::new(&world.namespace, "expired", &WILD);
    expired.years = (2020, 2021);
    let mut mirror = Tls::new(&world.namespace, "mirror", &WILD);
    mirror.labels = [("kubed.appscode.com/origin.name", "src"), ("kubed.appscode.com/origin.namespace", "ops")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    let mut good = Tls::new(&world.namespace, "good", &WILD);
    good.labels.clear();
    expired.labels.clear();
    world.apply(&[expired, mirror, good]);
    let refused = world.ours(&["mark", "good", "expired", "mirror", "none"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    for words in [
        "/expired: it is not usable: its certificate expired",
        "/mirror: Kubed would undo it: kubectl routing-secrets mark src -n ops",
        "/none: there is no such Secret",
        "nothing was changed",
    ] {
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    assert_eq!(world.field("secret/good", LABEL), "");
    // What is needed is said as a Role, and that Role suffices.
    world.kubectl(&["create", "role", "reads", "--verb=get", "--resource=secrets"]).ok();
    world.bind("reads", ("user", "marker"), "get", "secrets");
    let forbidden = world.ours(&["mark", "good", "--as", "marker"]);
    let may_not = format!("may not patch secrets in namespace {}", world.namespace);
    assert!(forbidden.code == 2 && forbidden.stderr.contains(&may_not), "{forbidden:?}");
    let role = forbidden.stderr.lines().find_map(|line| line.find("{apiVersion").map(|at| &line[at..])).unwrap();
    world.run("kubectl", &["apply", "-f", "-"], &[], role.as_bytes()).ok();
    world.bind("routing-secrets-patch-secrets", ("user", "marker"), "patch", "secrets");
    assert_eq!(world.ours(&["mark", "good", "--as", "marker"]).ok(), "secret/good marked\n");
}
