//! `match` against a real API server.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use serde_json::Value;
use support::Tls;
use world::World;

const OBJECTS: &str = "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  defaultBackend: {service: {name: shop, port: {number: 80}}}
  tls:
  - hosts: [shop.apps.example.com]
    secretName: shop-tls
  - hosts: [shop.example.net]
    secretName: net-tls
---
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: route}
spec:
  routes:
  - {kind: Rule, match: 'Host(`route.apps.example.com`)', services: [{name: shop, port: 80}]}
  tls: {secretName: route-tls}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: plain}
spec:
  defaultBackend: {service: {name: shop, port: {number: 80}}}
";

fn shop() -> World {
    let world = World::new("match");
    let hosts = &["*.apps.example.com"][..];
    let mut opaque = Tls::new(&world.namespace, "opaque", &["*.example.net"]);
    opaque.type_ = "Opaque".to_owned();
    world.apply(&[Tls::new(&world.namespace, "wild", hosts), opaque]);
    world.run("kubectl", &["apply", "-n", &world.namespace, "-f", "-"], &[], OBJECTS.as_bytes()).ok();
    world
}

#[test]
#[ignore = "needs the test bed"]
fn objects_are_found_by_kubectls_spellings_and_each_slot_has_an_answer() {
    let world = shop();
    let matched = |target: &str, arguments: &[&str]| {
        world.program(&[&["match", "-n", &world.namespace, target], arguments].concat(), &[], b"")
    };
    for kind in ["ingress", "Ingresses", "ing", "ingresses.networking.k8s.io", "ingress.v1.networking.k8s.io"] {
        let found = matched(&format!("{kind}/shop"), &["-o", "json"]);
        assert_eq!(found.code, 1, "{kind}: the second entry has no secret: {found:?}");
        let found: Value = serde_json::from_str(&found.stdout).unwrap();
        let served: Vec<&Value> = found["items"].as_array().unwrap().iter().map(|item| &item["served"]).collect();
        assert_eq!(served, [&true.into(), &Value::from(false)], "{kind}");
        assert_eq!(found["items"][0]["secrets"][0]["name"], "wild");
    }
    assert_eq!(matched("ingressroutes.traefik.io/route", &["-o", "name"]).ok(), "secret/wild\n");
    assert_eq!(matched("IngressRoute/route", &["-o", "name"]).ok(), "secret/wild\n", "the first group that has one");
    let table = matched("ingress/shop", &["--no-headers"]);
    assert!(table.stdout.starts_with("Ingress/shop spec.tls[0].secretName   shop.apps.example.com"), "{table:?}");
    for (target, expected) in [
        ("ingress/none", "there is no Ingress \"none\" in namespace"),
        ("ingress/plain", "Ingress \"plain\" names no TLS Secret"),
        ("httproxies.unknown.example/x", "is no kind"),
    ] {
        let found = matched(target, &[]);
        assert!(found.code != 0 && found.stderr.contains(expected), "{target}: {found:?}");
    }
}

#[test]
#[ignore = "needs the test bed"]
fn r3_epinio_lists_every_labelled_secret_whatever_its_type() {
    let world = shop();
    let all = ["match", "-n", &world.namespace, "--matching", "epinio", "--no-headers", "a.b.example.net"];
    let found = world.program(&all, &[], b"");
    let cells: Vec<&str> = found.stdout.split("   ").map(str::trim).collect();
    assert_eq!((found.code, cells), (1, vec!["a.b.example.net", "<none>", "opaque", "by the pattern *.example.net"]));
}

#[test]
#[ignore = "needs the test bed"]
fn the_namespace_is_the_contexts_and_kubectl_finds_the_command() {
    let world = shop();
    let kubeconfig = world.path("kubeconfig").display().to_string();
    let text = world.run("kubectl", &["config", "view", "--raw", "--flatten"], &[], b"").ok();
    std::fs::write(&kubeconfig, text).unwrap();
    let context = ["--kubeconfig", &kubeconfig, "config", "set-context", "--current", "--namespace", &world.namespace];
    world.run("kubectl", &context, &[], b"").ok();
    let all = ["routing-secrets", "match", "shop.apps.example.com", "-o", "name"];
    assert_eq!(world.run("kubectl", &all, &[("KUBECONFIG", &kubeconfig)], b"").ok(), "secret/wild\n");
}
