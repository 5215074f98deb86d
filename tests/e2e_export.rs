//! `export` from a real API server, and what is decided with it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use serde_json::Value;
use support::Tls;
use world::World;

const REFLECTS: &str = "reflector.v1.k8s.emberstack.com/reflects";

const RENDER: &str = "apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  tls:
  - {hosts: [shop.apps.example.com], secretName: shop-tls}
  - {hosts: [shop.example.net], secretName: chosen}
  - {hosts: [shop.example.org], secretName: org-tls}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: shop}
spec: {secretName: shop-tls, dnsNames: [shop.apps.example.com], issuerRef: {name: ca, kind: ClusterIssuer}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: org}
spec: {secretName: org-tls, dnsNames: [shop.example.org], issuerRef: {name: ca, kind: ClusterIssuer}}
";

/// An app's namespace with a stale mirror, a chosen Secret and an expired one; the mirror's source is elsewhere.
fn two() -> (World, World) {
    let (app, operator) = (World::new("app"), World::new("operator"));
    operator.apply(&[Tls::new(&operator.namespace, "wild", &["*.apps.example.com"])]);
    let of = |name: &str, host: &str| Tls::new(&app.namespace, name, &[host]);
    let mut mirror = of("mirror", "*.apps.example.com");
    mirror.labels.clear();
    mirror.annotations.insert(REFLECTS.to_owned(), format!("{}/wild", operator.namespace));
    mirror.annotations.insert("reflector.v1.k8s.emberstack.com/reflected-version".to_owned(), "1".to_owned());
    let mut stranger = of("stranger", "*.apps.example.com");
    stranger.labels.clear();
    stranger.annotations.insert(REFLECTS.to_owned(), format!("{}/nothing", operator.namespace));
    let mut chosen = of("chosen", "shop.example.net");
    chosen.labels.clear();
    let mut expired = of("expired", "shop.example.org");
    expired.years = (2020, 2021);
    app.apply(&[mirror, stranger, chosen, expired, of("net", "*.example.net")]);
    (app, operator)
}

/// The plan without what only a cluster can tell.
fn plan(world: &World, arguments: &[&str]) -> Value {
    let all = [&["plan", "-n", &world.namespace, "-o", "json", "--candidates"], arguments].concat();
    let mut plan: Value = serde_json::from_str(&world.program(&all, &[], RENDER.as_bytes()).ok()).unwrap();
    for key in ["reads", "warnings"] {
        plan.as_object_mut().unwrap().remove(key);
    }
    // Only its words differ: an Inventory says that it must be exported again.
    let text = plan.to_string().replace("its certificate in the Inventory expired at", "its certificate expired at");
    serde_json::from_str(&text.replace(": export again", "")).unwrap()
}

#[test]
#[ignore = "needs the test bed"]
fn an_export_decides_as_the_cluster_does() {
    let (app, _operator) = two();
    let live = plan(&app, &[]);
    let decisions: Vec<&Value> = live["slots"].as_array().unwrap().iter().map(|slot| &slot["decision"]).collect();
    assert_eq!(decisions, ["rewritten", "left", "left"], "{live}");
    let mut texts = Vec::new();
    for scope in [&["-n", &app.namespace][..], &["-A"], &["-A", "--chunk-size", "2"], &["-A", "-o", "json"]] {
        let text = app.program(&[&["export"], scope].concat(), &[], b"").ok();
        assert!(!text.contains("PRIVATE") && !text.contains("tls.key"), "{scope:?}");
        let file = app.write("export.yaml", &text);
        assert_eq!(plan(&app, &["--inventory", &file]), live, "{scope:?}");
        texts.push(text);
    }
    let again = app.program(&["export", "-n", &app.namespace], &[], b"").ok();
    assert_eq!(again, texts[0], "the same cluster gives the same bytes");
    let listed = |arguments: &[&str]| {
        let all = [&["list", "-n", &app.namespace, "-o", "name"], arguments].concat();
        app.program(&all, &[], b"").ok()
    };
    let file = app.write("export.yaml", &texts[0]);
    assert_eq!(listed(&["--inventory", &file]), listed(&[]));
    let table = app.program(&["list", "-n", &app.namespace, "--inventory", &file, "mirror"], &[], b"").ok();
    assert!(table.contains("its certificate is not that of its source"), "{table}");
}

#[test]
#[ignore = "needs the test bed"]
fn check_says_what_has_changed_since() {
    let (app, _operator) = two();
    let file = app.write("export.yaml", &app.program(&["export", "-n", &app.namespace], &[], b"").ok());
    let check = || app.program(&["export", "-n", &app.namespace, "--check", &file], &[], b"");
    let same = check();
    assert_eq!((same.code, same.stdout.as_str()), (0, ""), "{same:?}");
    app.apply(&[
        Tls::new(&app.namespace, "net", &["*.example.net"]),
        Tls::new(&app.namespace, "new", &["new.example.net"]),
    ]);
    app.kubectl(&["delete", "secret", "expired"]).ok();
    let changed = check();
    assert_eq!(changed.code, 1);
    let lines: Vec<&str> = changed.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{changed:?}");
    assert_eq!(lines[0], format!("removed  {}/expired", app.namespace));
    assert!(lines[1].starts_with(&format!("changed  {}/net: another certificate", app.namespace)), "{changed:?}");
    assert_eq!(lines[2], format!("added    {}/new", app.namespace));
    let named = app.program(&["export", "-n", &app.namespace, "net", "nope", "-o", "json"], &[], b"");
    assert_eq!(named.code, 1);
    assert!(named.stderr.contains("there is no TLS Secret \"nope\""), "{named:?}");
    let value: Value = serde_json::from_str(&named.stdout).unwrap();
    assert_eq!(value["secrets"].as_array().unwrap().len(), 1);
}
