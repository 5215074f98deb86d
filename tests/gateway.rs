//! The Gateway API where a golden triple cannot say it: renders that fail, and the plan for programs.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use support::{Files, Tls, run, three};

const GATEWAY: &str = "---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: public
  namespace: demo
  annotations: {cert-manager.io/cluster-issuer: le}
spec:
  gatewayClassName: x
  listeners:
  - {name: a, port: 443, protocol: HTTPS, hostname: nobody.example.net, tls: {certificateRefs: [{name: a-tls}]}}
";

const LISTENER_SET: &str = "---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {name: shop, namespace: demo}
spec:
  parentRef: {name: public}
  listeners:
  - {name: a, port: 443, protocol: HTTPS, hostname: shop.apps.example.com, tls: {certificateRefs: [{name: wild}]}}
";

#[test]
fn r10_a_trigger_of_the_gateway_that_would_overwrite_a_listener_sets_routing_secret_fails_the_render() {
    let found = Files::new(&three()).post_render(&[], format!("{GATEWAY}{LISTENER_SET}").as_bytes());
    assert_eq!((found.code, found.stdout.len()), (2, 0));
    for expected in ["ListenerSet shop", "routing secret wild", "cert-manager.io/cluster-issuer", "Gateway demo/public"]
    {
        assert!(found.stderr.contains(expected), "{}", found.stderr);
    }
}

#[test]
fn r10_a_trigger_does_not_reach_the_routing_secret_of_another_namespace() {
    let files = Files::new(&[Tls::new("infra", "wild", &["*.apps.example.com"])]);
    let listener = "  - {name: b, port: 444, protocol: HTTPS, hostname: shop.apps.example.com, tls: {certificateRefs: [{name: wild, namespace: infra}]}}\n";
    let found = files.post_render(&[], format!("{GATEWAY}{listener}").as_bytes());
    assert_eq!((found.code, found.stderr.as_str()), (0, ""));
    // The same listener with a Secret of its own namespace is the overwrite.
    let files = Files::new(&three());
    let found = files.post_render(&[], format!("{GATEWAY}{}", listener.replace(", namespace: infra", "")).as_bytes());
    assert_eq!(found.code, 2);
}

#[test]
fn the_namespace_of_a_route_must_be_known_where_a_listener_waits_for_hosts() {
    let files = Files::new(&three());
    let route = "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: of-the-release}\nspec: {parentRefs: [{name: public}], hostnames: [shop.apps.example.com]}\n";
    let post_render = |input: String| {
        let inventory = files.inventory();
        run(&["post-render", "--inventory", &inventory], &[], input.as_bytes())
    };
    let found = post_render(GATEWAY.replace("hostname: nobody.example.net, ", "") + route);
    assert_eq!(found.code, 2);
    assert!(found.stderr.contains("HTTPRoute of-the-release names no namespace"), "{}", found.stderr);
    // Where every listener has a hostname, no route matters.
    assert_eq!(post_render(GATEWAY.to_owned() + route).code, 0);
}

#[test]
fn the_plan_says_where_tls_is_for_a_route() {
    let files = Files::new(&three());
    let route = "---\napiVersion: gateway.networking.k8s.io/v1\nkind: GRPCRoute\nmetadata: {name: shop}\nspec: {parentRefs: [{name: public, namespace: infra}, {name: public, namespace: infra, port: 443}, {group: \"\", kind: Service, name: shop}]}\n";
    let found = files.plan(&["-o", "json"], route.as_bytes());
    let plan: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(plan["routes"][0]["object"]["name"], "shop");
    assert_eq!(plan["routes"][0]["hosts"], serde_json::json!([]));
    let tls_at = serde_json::json!([{"kind": "Gateway", "namespace": "infra", "name": "public"}]);
    assert_eq!(plan["routes"][0]["tlsAt"], tls_at);
    // No Secret is read for it, so none need be known.
    assert_eq!(run(&["post-render", "-n", "demo"], &[], route.as_bytes()).stdout, route.as_bytes());
}
