//! `--predict` under both Helms, into a namespace that does not exist yet.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use support::Tls;
use world::World;

const INGRESS: &str = "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  annotations: {cert-manager.io/cluster-issuer: ca}
spec:
  defaultBackend: {service: {name: shop, port: {number: 80}}}
  tls:
  - {hosts: [shop.apps.example.com], secretName: shop-tls}
";

/// An operator's namespace with a source that Reflector copies to namespaces of this name's start.
fn operator(selector: Option<&str>) -> (World, String) {
    let world = World::new("predict");
    let start = format!("{}-app", world.namespace);
    let name = format!("wild-{}", world.namespace);
    let mut source = Tls::new(&world.namespace, &name, &["*.apps.example.com"]);
    match selector {
        Some(selector) => source.annotations.insert("kubed.appscode.com/sync".to_owned(), selector.to_owned()),
        None => {
            let keys = [("allowed", "true"), ("auto-enabled", "true"), ("auto-namespaces", &format!("x,{start}.*"))];
            for (key, value) in keys {
                let key = format!("reflector.v1.k8s.emberstack.com/reflection-{key}");
                source.annotations.insert(key, value.to_owned());
            }
            None
        }
    };
    world.apply(&[source]);
    (world, name)
}

#[test]
#[ignore = "needs the test bed"]
fn helm_creates_the_namespace_and_the_ingress_names_the_copy_that_will_come() {
    let (world, source) = operator(None);
    world.write("chart/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 0.1.0\n");
    world.write("chart/templates/ingress.yaml", INGRESS);
    let chart = world.path("chart").display().to_string();
    for helm in ["helm3", "helm4"] {
        let namespace = format!("{}-app-{helm}", world.namespace);
        let install = |env: &[(&str, &str)]| {
            let all = ["upgrade", "--install", "shop", &chart, "-n", &namespace, "--create-namespace"];
            let filter = ["--post-renderer", "kubectl-routing_secrets"];
            world.helm(helm, &[&all[..], &filter].concat(), env)
        };
        let named = || {
            let path = "jsonpath={.spec.tls[0].secretName} {.metadata.annotations}";
            world.run("kubectl", &["get", "ingress", "shop", "-n", &namespace, "-o", path], &[], b"").ok()
        };
        install(&[("ROUTING_SECRETS_PREDICT", "true")]).ok();
        assert!(named().starts_with(&format!("{source} ")) && !named().contains("cluster-issuer"), "{}", named());
        // The namespace is there now, and the copy is not: without the option everything stays.
        install(&[]).ok();
        assert!(named().starts_with("shop-tls ") && named().contains("cluster-issuer"), "{}", named());
        world.run("kubectl", &["delete", "namespace", &namespace, "--wait=false"], &[], b"").ok();
    }
}

#[test]
#[ignore = "needs the test bed"]
fn an_existing_namespaces_own_labels_decide_and_a_secret_in_the_way_is_seen() {
    let (world, source) = operator(Some("predict-team=a"));
    let app = World::new("app");
    let plan = || {
        let text = world.program(&["plan", "--predict", "-n", &app.namespace], &[], INGRESS.as_bytes()).ok();
        text.lines().next().unwrap().to_owned()
            + &text.lines().filter(|line| line.contains("predicted")).collect::<String>()
    };
    assert!(plan().starts_with("left "), "{}", plan());
    world.run("kubectl", &["label", "namespace", &app.namespace, "predict-team=a"], &[], b"").ok();
    assert!(plan().contains(&format!("-> {source} (predicted)")), "{}", plan());
    app.kubectl(&["create", "secret", "generic", &source, "--from-literal=a=b"]).ok();
    assert!(plan().starts_with("left ") && plan().contains("a Secret of this name is there already"), "{}", plan());
}
