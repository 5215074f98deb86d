//! `check` against a real API server and a real cert-manager.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use serde_json::Value;
use support::Tls;
use world::{Output, World, wait_for};

const HOSTS: &[&str] = &["*.apps.example.com"];

/// `check` of one secret: other tests have theirs under other names.
fn check(world: &World, arguments: &[&str]) -> Output {
    world.program(&[&["check", "-n", &world.namespace], arguments].concat(), &[], b"")
}

/// What it finds that is not well, as `severity code`, with the whole answer for a failure's message.
fn bad(world: &World, arguments: &[&str]) -> (Vec<String>, Value) {
    let found = check(world, &[arguments, &["-o", "json"]].concat());
    let value: Value = serde_json::from_str(&found.stdout).unwrap_or_else(|_| panic!("{found:?}"));
    let text = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
    let items = value["items"].as_array().unwrap().iter().filter(|item| item["severity"] != "ok");
    let bad = items.map(|item| format!("{} {}", text(item, "severity"), text(item, "code"))).collect();
    assert_eq!(found.code, i32::from(value["summary"]["problems"] != 0), "{value:#}");
    (bad, value)
}

#[track_caller]
fn hints(value: &Value, code: &str) -> Vec<String> {
    let item = value["items"].as_array().unwrap().iter().find(|item| item["code"] == code);
    let hints = item.unwrap_or_else(|| panic!("{code}: {value:#}"))["hints"].as_array().unwrap();
    hints.iter().map(|hint| hint.as_str().unwrap().to_owned()).collect()
}

fn apply(world: &World, yaml: &str) {
    world.run("kubectl", &["apply", "-n", &world.namespace, "-f", "-"], &[], yaml.as_bytes()).ok();
}

/// A Certificate of the bed's CA, with the label in its template.
fn certificate(name: &str, secret: &str) -> String {
    format!(
        "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata:\n  name: {name}\nspec:\n  secretName: {secret}\n  \
         dnsNames: ['*.apps.example.com']\n  privateKey: {{algorithm: ECDSA, size: 256}}\n  \
         issuerRef: {{name: ca, kind: ClusterIssuer, group: cert-manager.io}}\n  \
         secretTemplate: {{labels: {{epinio.io/routing: ''}}}}\n"
    )
}

fn ingress(secret: &str, trigger: bool) -> String {
    let annotations = if trigger { "\n  annotations: {cert-manager.io/cluster-issuer: ca}" } else { "" };
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: shop{annotations}\nspec:\n  tls:\n  \
         - hosts: [shop.apps.example.com]\n    secretName: {secret}\n  rules:\n  - host: shop.apps.example.com\n    \
         http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: shop, port: {{number: 80}}}}}}}}]}}\n"
    )
}

#[test]
#[ignore = "needs the test bed"]
fn a_healthy_secret_of_cert_manager_gives_only_ticks_once_it_is_there() {
    let world = World::new("healthy");
    let early = check(&world, &["sound", "--wait", "--timeout", "1s"]);
    assert_eq!(early.code, 1, "{early:?}");
    assert!(early.stderr.contains("there is no routing secret \"sound\""), "{early:?}");
    apply(&world, &certificate("sound-cert", "sound"));
    let found = check(&world, &["sound", "--wait", "--timeout", "2m"]).ok();
    assert!(!found.contains('‼') && !found.contains('×'), "{found}");
    let template = format!(
        "✓ {0}/sound: its label comes from the secretTemplate of Certificate {0}/sound-cert\n",
        world.namespace
    );
    assert!(found.contains(&template), "{found}");
    assert!(found.contains("✓ each Certificate behind a secret is ready, and renewed in time (1)"), "{found}");
}

#[test]
#[ignore = "needs the test bed"]
fn r4_a_hijacked_secret_is_found_and_its_hints_repair_it() {
    let world = World::new("hijacked");
    let secret = Tls::new(&world.namespace, "taken", HOSTS);
    let manifest = support::list(&[secret]);
    let restore = || world.run("kubectl", &["apply", "-f", "-"], &[], manifest.as_bytes()).ok();
    restore();
    let (found, value) = bad(&world, &["taken"]);
    assert_eq!(found, Vec::<String>::new(), "{value:#}");
    let before = world.certificate("taken");
    apply(&world, &ingress("taken", true));
    wait_for("the overwriting", || (world.certificate("taken") != before).then_some(()));
    let (found, value) = bad(&world, &["taken"]);
    assert_eq!(found, ["problem hijacked"], "{value:#}");
    let steps = hints(&value, "hijacked");
    let run = |hint: &str| {
        let (_, command) = hint.split_once("kubectl ").unwrap();
        let words: Vec<&str> = command.split_whitespace().collect();
        world.run("kubectl", &words, &[], b"").ok()
    };
    run(&steps[0]);
    run(&steps[1]);
    assert!(steps[2].starts_with("3. replace both") || steps[2].starts_with("3. have it issued anew"), "{steps:?}");
    restore();
    run(&steps[3]);
    let after = wait_for("the former certificate", || {
        let now = world.certificate("taken");
        (now == before).then_some(now)
    });
    assert_eq!(after, before);
    let (found, value) = bad(&world, &["taken"]);
    assert_eq!(found, Vec::<String>::new(), "{value:#}");
}

/// A Certificate without a template for a secret that was labelled by hand.
fn plain(name: &str, secret: &str) -> String {
    let certificate = certificate(name, secret);
    certificate.split("  secretTemplate").next().unwrap().to_owned()
}

fn issue_and_label(world: &World, secret: &str) {
    apply(world, &plain("own", secret));
    wait_for("the Secret", || {
        (world.kubectl(&["label", "secret", secret, "epinio.io/routing=", "--overwrite"]).code == 0).then_some(())
    });
    check(world, &[secret, "--wait", "--timeout", "2m"]).ok();
}

#[test]
#[ignore = "needs the test bed"]
fn a_shims_certificate_that_waits_is_found_with_its_trigger() {
    let world = World::new("rogue-shim");
    issue_and_label(&world, "shared");
    apply(&world, &ingress("shared", true));
    wait_for("the shim's Certificate", || (world.kubectl(&["get", "certificate", "shared"]).code == 0).then_some(()));
    let (found, value) = bad(&world, &["shared"]);
    assert_eq!(found, ["problem rogueCertificate"], "{value:#}");
    assert!(hints(&value, "rogueCertificate")[1].starts_with("2. kubectl delete certificate shared -n "), "{value:#}");
}

#[test]
#[ignore = "needs the test bed"]
fn a_second_certificate_is_found_and_so_is_the_label_that_it_takes_off() {
    let world = World::new("rogue");
    issue_and_label(&world, "handed");
    apply(&world, &plain("second", "handed"));
    let (found, value) = bad(&world, &["handed"]);
    assert_eq!(found, ["problem rogueCertificate"], "{value:#}");
    assert!(hints(&value, "rogueCertificate")[0].contains("kubectl delete certificate second -n "), "{value:#}");
    apply(&world, &certificate("own-template", "given"));
    check(&world, &["given", "--wait", "--timeout", "2m"]).ok();
    apply(&world, &plain("stranger", "given"));
    wait_for("the loss of the label", || {
        let found = check(&world, &["given", "-o", "json"]);
        found.stdout.contains("\"labelTakenOff\"").then(|| assert_eq!(found.code, 1, "{found:?}"))
    });
}

#[test]
#[ignore = "needs the test bed"]
fn a_certificate_that_cannot_renew_and_one_that_is_gone_are_found() {
    let world = World::new("renewal");
    apply(&world, &certificate("the-cert", "renewed"));
    check(&world, &["renewed", "--wait", "--timeout", "2m"]).ok();
    let patch = "{\"spec\":{\"issuerRef\":{\"name\":\"nowhere\"}}}";
    world.kubectl(&["patch", "certificate", "the-cert", "--type=merge", "-p", patch]).ok();
    wait_for("the Certificate's condition", || {
        let (found, _) = bad(&world, &["renewed"]);
        (found == ["problem certificateNotReady"]).then_some(())
    });
    world.kubectl(&["delete", "certificate", "the-cert"]).ok();
    let (found, value) = bad(&world, &["renewed"]);
    assert_eq!(found, ["warning certificateMissing"], "{value:#}");
}

/// As Reflector makes it of the source that is there now (`SecretMirror.cs: OnResourceClone`).
fn mirror(source: &World, name: &str, into: &World) {
    let get = |path: &str| source.kubectl(&["get", "secret", name, "-o", &format!("jsonpath={path}")]).ok();
    let mirror = format!(
        "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata:\n  name: {name}\n  annotations:\n    \
         reflector.v1.k8s.emberstack.com/auto-reflects: 'True'\n    \
         reflector.v1.k8s.emberstack.com/reflects: {}/{name}\n    \
         reflector.v1.k8s.emberstack.com/reflected-version: '{}'\n    \
         reflector.v1.k8s.emberstack.com/reflected-at: '2026-11-25T00:00:00.0000000+00:00'\ndata: {}\n",
        source.namespace,
        get("{.metadata.resourceVersion}"),
        get("{.data}"),
    );
    apply(into, &mirror);
}

#[test]
#[ignore = "needs the test bed"]
fn mirrors_and_their_replicator_are_looked_at() {
    let (operator, app, other) = (World::new("operator"), World::new("app"), World::new("other"));
    let mut source = Tls::new(&operator.namespace, "mirrored", HOSTS);
    for (key, value) in [
        ("reflection-allowed", "true".to_owned()),
        ("reflection-auto-enabled", "true".to_owned()),
        ("reflection-auto-namespaces", format!("{},{}", app.namespace, other.namespace)),
    ] {
        source.annotations.insert(format!("reflector.v1.k8s.emberstack.com/{key}"), value);
    }
    operator.apply(&[source]);
    let (found, value) = bad(&operator, &["mirrored"]);
    assert_eq!(found, ["problem mirrorMissing", "problem replicatorMissing"], "{value:#}");
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: copier}\nspec:\n  selector: {matchLabels: {app: copier}}\n  \
                      template:\n    metadata: {labels: {app: copier}}\n    spec: {containers: [{name: copier, image: 'emberstack/kubernetes-reflector:10.0.63'}]}\n";
    apply(&operator, deployment);
    mirror(&operator, "mirrored", &app);
    let (found, value) = bad(&operator, &["mirrored"]);
    assert_eq!(found, ["problem mirrorMissing", "problem replicatorNotReady"], "{value:#}");
    let status = "{\"status\":{\"replicas\":1,\"readyReplicas\":1,\"availableReplicas\":1}}";
    operator.kubectl(&["patch", "deployment", "copier", "--subresource=status", "--type=merge", "-p", status]).ok();
    mirror(&operator, "mirrored", &other);
    let found = check(&operator, &["mirrored"]).ok();
    assert!(!found.contains('‼') && !found.contains('×'), "{found}");
    assert!(found.contains("✓ each namespace has the copies that it should have (1)"), "{found}");
    let (found, value) = bad(&app, &["mirrored"]);
    assert_eq!(found, Vec::<String>::new(), "{value:#}");
    operator.apply(&[Tls::new(&operator.namespace, "mirrored", HOSTS)]);
    let (found, value) = bad(&app, &["mirrored"]);
    assert_eq!(found, ["warning mirrorBehind"], "{value:#}");
}

#[test]
#[ignore = "needs the test bed"]
fn what_the_user_may_not_read_is_said_and_no_failure() {
    let world = World::new("rights");
    world.apply(&[Tls::new(&world.namespace, "seen", HOSTS)]);
    world.kubectl(&["create", "role", "may-list", "--verb=list", "--resource=secrets"]).ok();
    world.bind("may-list", ("user", "somebody"), "list", "secrets");
    let (found, value) = bad(&world, &["seen", "--as", "somebody"]);
    assert!(!found.is_empty() && found.iter().all(|found| found == "warning notChecked"), "{value:#}");
    let hints = hints(&value, "notChecked");
    assert!(hints[0].contains("kind: Role") && hints[0].contains("certificates"), "{hints:?}");
    let nobody = check(&world, &["seen", "--as", "nobody"]);
    assert_eq!(nobody.code, 2);
    assert!(nobody.stderr.contains("may not list secrets in namespace"), "{nobody:?}");
}

#[test]
#[ignore = "needs the test bed"]
fn a_namespace_whose_ingress_a_secret_elsewhere_could_serve_is_found() {
    let (app, operator) = (World::new("app"), World::new("operator"));
    let host = format!("shop.{}.example.com", operator.namespace);
    let rest = format!("*.{}.example.com", operator.namespace);
    operator.apply(&[Tls::new(&operator.namespace, "far", &[&rest])]);
    apply(&app, &ingress("none", false).replace("shop.apps.example.com", &host));
    let (found, value) = bad(&app, &[]);
    assert_eq!(found, ["warning noRoutingSecret", "warning noUsableSecret"], "{value:#}");
    let expected = format!(
        "kubectl routing-secrets distribute far -n {} --via copy --to-namespaces {}",
        operator.namespace, app.namespace
    );
    assert_eq!(hints(&value, "noUsableSecret"), [expected]);
    app.apply(&[Tls::new(&app.namespace, "near", &[&rest])]);
    let (found, value) = bad(&app, &[]);
    assert_eq!(found, Vec::<String>::new(), "{value:#}");
}
