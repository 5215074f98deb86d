//! Gateways and ListenerSets under cert-manager's own shims, and what of the cluster decides about them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use support::Tls;
use world::{World, wait_for};

const HOST: &str = "shop.apps.example.com";

/// A Gateway with an HTTPS listener that names `secret`; with `issuer` it asks for a certificate.
fn gateway(name: &str, issuer: Option<&str>, host: &str, secret: &str) -> String {
    let annotations = issuer.map(|issuer| format!("{{cert-manager.io/cluster-issuer: {issuer}}}"));
    format!(
        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata:\n  name: {name}\n  annotations: {}\nspec:\n  gatewayClassName: none\n  allowedListeners: {{namespaces: {{from: Same}}}}\n  listeners:\n  - name: https\n    port: 443\n    protocol: HTTPS\n    hostname: {host}\n    tls: {{mode: Terminate, certificateRefs: [{{name: {secret}}}]}}\n",
        annotations.as_deref().unwrap_or("{}")
    )
}

/// A ListenerSet of a Gateway, with an HTTPS listener that names `secret` and no trigger of its own.
fn listener_set(name: &str, gateway: &str, host: &str, secret: &str) -> String {
    format!(
        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: ListenerSet\nmetadata:\n  name: {name}\nspec:\n  parentRef: {{name: {gateway}}}\n  listeners:\n  - name: https\n    port: 443\n    protocol: HTTPS\n    hostname: {host}\n    tls: {{mode: Terminate, certificateRefs: [{{name: {secret}}}]}}\n"
    )
}

/// A world with a routing secret `wild`, and its certificate.
fn world(name: &str) -> (World, String) {
    let world = World::new(name);
    world.apply(&[Tls::new(&world.namespace, "wild", &["*.apps.example.com"])]);
    let whole = world.certificate("wild");
    assert!(!whole.is_empty());
    (world, whole)
}

fn apply(world: &World, manifests: &str) {
    world.run("kubectl", &["-n", &world.namespace, "apply", "-f", "-"], &[], manifests.as_bytes()).ok();
}

fn certificates(world: &World) -> String {
    world.kubectl(&["get", "certificates", "-o", "jsonpath={.items[*].metadata.name}"]).ok()
}

/// The filter's output for a render, decided from the cluster.
fn filtered(world: &World, render: &str) -> String {
    world.program(&["post-render", "-n", &world.namespace], &[], render.as_bytes()).ok()
}

/// The plan of a render as JSON.
fn plan(world: &World, arguments: &[&str], render: &str) -> serde_json::Value {
    let all = [&["plan", "-n", &world.namespace, "-o", "json"], arguments].concat();
    serde_json::from_str(&world.program(&all, &[], render.as_bytes()).ok()).unwrap()
}

/// The decision and the reason's code of each slot.
fn decisions(plan: &serde_json::Value) -> Vec<(&str, &str)> {
    let text = |value: &'_ serde_json::Value| value.as_str().unwrap().to_owned().leak() as &str;
    plan["slots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|slot| (text(&slot["decision"]), text(&slot["reason"]["code"])))
        .collect()
}

/// Waits until the shims have worked off what was applied before: both shims have one queue each, and what is applied
/// last has its certificate last.
fn drained(world: &World) {
    apply(
        world,
        &(gateway("last", Some("ca"), "last.example", "last-tls")
            + &listener_set("last", "last", "last-set.example", "last-set-tls")),
    );
    for secret in ["last-tls", "last-set-tls"] {
        wait_for(secret, || (!world.certificate(secret).is_empty()).then_some(()));
    }
}

#[test]
#[ignore = "needs the test bed"]
fn r10_after_the_rewrite_the_gateway_shims_make_nothing_and_the_routing_secret_is_whole() {
    let (world, whole) = world("gateway-whole");
    let render = gateway("shop", Some("ca"), HOST, "shop-tls")
        + &listener_set("cart", "shop", "cart.apps.example.com", "cart-tls");
    let output = filtered(&world, &render);
    assert!(!output.contains("cluster-issuer") && output.matches("name: wild").count() == 2, "{output}");
    apply(&world, &output);
    drained(&world);
    assert_eq!(certificates(&world), "last-set-tls last-tls");
    assert_eq!(world.certificate("wild"), whole);
}

#[test]
#[ignore = "needs the test bed"]
fn r10_with_the_trigger_left_the_gateway_shim_overwrites_the_routing_secret() {
    let (world, whole) = world("gateway-control");
    apply(&world, &gateway("shop", Some("ca"), HOST, "wild"));
    wait_for("another certificate", || (world.certificate("wild") != whole).then_some(()));
}

#[test]
#[ignore = "needs the test bed"]
fn r10_with_the_parents_trigger_left_the_listener_set_shim_overwrites_the_routing_secret() {
    let (world, whole) = world("listenerset-control");
    apply(
        &world,
        &(gateway("shop", Some("ca"), "plain.example", "plain-tls") + &listener_set("cart", "shop", HOST, "wild")),
    );
    wait_for("another certificate", || (world.certificate("wild") != whole).then_some(()));
}

#[test]
#[ignore = "needs the test bed"]
fn r12_a_listener_set_is_left_unless_its_live_parent_is_seen_to_have_no_trigger() {
    let (world, whole) = world("live-parent");
    let render = listener_set("cart", "shop", HOST, "cart-tls");
    let absent = plan(&world, &[], &render);
    assert_eq!(decisions(&absent), [("left", "parentNotSeen")], "{absent}");

    apply(&world, &gateway("shop", Some("ca"), "plain.example", "plain-tls"));
    let with_trigger = plan(&world, &[], &render);
    assert_eq!(decisions(&with_trigger), [("left", "parentTrigger")], "{with_trigger}");
    // The Secrets' list, the ListenerSet and its Gateway.
    assert_eq!(with_trigger["reads"]["lists"], 1);
    assert_eq!(with_trigger["reads"]["gets"], 2);
    assert_eq!(filtered(&world, &render), render);

    world.kubectl(&["annotate", "gateway", "shop", "cert-manager.io/cluster-issuer-"]).ok();
    let without = plan(&world, &[], &render);
    assert_eq!(decisions(&without), [("rewritten", "covered")], "{without}");
    apply(&world, &filtered(&world, &render));
    drained(&world);
    assert_eq!(world.certificate("wild"), whole);
}

#[test]
#[ignore = "needs the test bed"]
fn r12_a_trigger_set_by_hand_on_the_parent_of_the_same_render_keeps_the_listener_set_as_it_is() {
    let (world, _) = world("parent-by-hand");
    let render =
        gateway("shop", None, HOST, "wild") + &listener_set("cart", "shop", "cart.apps.example.com", "cart-tls");
    apply(&world, &render);
    world.kubectl(&["annotate", "gateway", "shop", "cert-manager.io/cluster-issuer=none"]).ok();
    let found = plan(&world, &[], &render);
    assert_eq!(decisions(&found), [("left", "foreignTrigger"), ("left", "parentTrigger")], "{found}");
    // What else keeps the Gateway as it is takes no trigger away.
    let ignored = render.replacen("annotations: {}", "annotations: {routing-secrets.epinio.io/ignore: \"true\"}", 1);
    let found = plan(&world, &[], &ignored);
    assert_eq!(decisions(&found), [("left", "ignored"), ("left", "parentTrigger")], "{found}");
}

#[test]
#[ignore = "needs the test bed"]
fn r12_a_parent_that_may_not_be_read_is_a_reason() {
    let (world, _) = world("parent-forbidden");
    apply(&world, &gateway("shop", None, "plain.example", "plain-tls"));
    for (verb, resource) in [("list", "secrets"), ("get", "listenersets.gateway.networking.k8s.io")] {
        let rule = [format!("--verb={verb}"), format!("--resource={resource}")];
        world.kubectl(&["create", "role", &format!("may-{verb}"), &rule[0], &rule[1]]).ok();
        world.bind(&format!("may-{verb}"), ("user", "releaser"), verb, resource);
    }
    let found = plan(&world, &["--as", "releaser"], &listener_set("cart", "shop", HOST, "cart-tls"));
    assert_eq!(decisions(&found), [("left", "parentNotSeen")], "{found}");
    assert!(found["slots"][0]["reason"]["message"].as_str().unwrap().contains("may not get gateways"), "{found}");
}

#[test]
#[ignore = "needs the test bed"]
fn r06_a_live_reference_grant_lets_a_gateway_name_a_secret_elsewhere() {
    let (world, _) = world("grant");
    let infra = World::new("grant-infra");
    infra.apply(&[Tls::new(&infra.namespace, "wild-of-infra", &["*.apps.example.com"])]);
    let reference = format!("{{name: shop-tls, namespace: {}}}", infra.namespace);
    let render = gateway("shop", None, HOST, "shop-tls").replace("{name: shop-tls}", &reference);

    let without = plan(&world, &[], &render);
    assert_eq!(decisions(&without), [("left", "notGranted")], "{without}");
    // The grants alone: nothing else could change the decision.
    assert_eq!(without["reads"]["lists"], 1, "{without}");

    let grant = |name: &str| {
        format!(
            "apiVersion: gateway.networking.k8s.io/v1beta1\nkind: ReferenceGrant\nmetadata: {{name: gateways}}\nspec:\n  from: [{{group: gateway.networking.k8s.io, kind: Gateway, namespace: {}}}]\n  to: [{{group: \"\", kind: Secret, name: {name}}}]\n",
            world.namespace
        )
    };
    apply(&infra, &grant("shop-tls"));
    let of_another_name = plan(&world, &[], &render);
    assert_eq!(decisions(&of_another_name), [("left", "notPermitted")], "{of_another_name}");

    apply(&infra, &grant("wild-of-infra"));
    let with = plan(&world, &[], &render);
    assert_eq!(decisions(&with), [("rewritten", "covered")], "{with}");
    assert_eq!((&with["reads"]["lists"], &with["reads"]["gets"]), (&2.into(), &1.into()), "{with}");
    let output = filtered(&world, &render);
    assert!(output.contains(&reference.replace("shop-tls", "wild-of-infra")), "{output}");
    apply(&world, &output);
}

#[test]
#[ignore = "needs the test bed"]
fn r06_what_may_not_be_read_elsewhere_is_a_reason_and_the_rest_goes_on() {
    let (world, _) = world("grant-forbidden");
    let infra = World::new("forbidden-infra");
    infra.apply(&[Tls::new(&infra.namespace, "wild-of-infra", &["*.apps.example.com"])]);
    let elsewhere = gateway("elsewhere", None, HOST, "shop-tls")
        .replace("{name: shop-tls}", &format!("{{name: shop-tls, namespace: {}}}", infra.namespace));
    let render = gateway("shop", None, HOST, "own-tls") + &elsewhere;
    for (verb, resource) in [("list", "secrets"), ("get", "gateways.gateway.networking.k8s.io")] {
        let rule = [format!("--verb={verb}"), format!("--resource={resource}")];
        world.kubectl(&["create", "role", &format!("may-{verb}"), &rule[0], &rule[1]]).ok();
        world.bind(&format!("may-{verb}"), ("user", "releaser"), verb, resource);
    }
    let grants = plan(&world, &["--as", "releaser"], &render);
    assert_eq!(decisions(&grants), [("rewritten", "covered"), ("left", "namespaceNotReadable")], "{grants}");
    assert!(
        grants["slots"][1]["reason"]["message"].as_str().unwrap().contains("may not list referencegrants"),
        "{grants}"
    );

    let grant = format!(
        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: ReferenceGrant\nmetadata: {{name: gateways, namespace: {}}}\nspec:\n  from: [{{group: gateway.networking.k8s.io, kind: Gateway, namespace: {}}}]\n  to: [{{group: \"\", kind: Secret}}]\n",
        infra.namespace, world.namespace
    );
    let secrets = plan(&world, &["--as", "releaser"], &(render + &grant));
    assert_eq!(decisions(&secrets), [("rewritten", "covered"), ("left", "namespaceNotReadable")], "{secrets}");
    assert!(secrets["slots"][1]["reason"]["message"].as_str().unwrap().contains("may not list secrets"), "{secrets}");
}

#[test]
#[ignore = "needs the test bed"]
fn r10_an_upgrade_takes_the_gateways_trigger_away_before_the_listener_set_names_the_routing_secret() {
    for helm in ["helm3", "helm4"] {
        let (world, whole) = world(&format!("race-{helm}"));
        let before = gateway("shop", Some("ca"), HOST, "shop-tls")
            + &listener_set("cart", "shop", "cart.apps.example.com", "cart-tls");
        world.write("chart/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n");
        let chart = world.path("chart").display().to_string();
        world.write("chart/templates/all.yaml", &before);
        let upgrade = ["upgrade", "--install", "shop", &chart, "-n", &world.namespace];
        world.helm(helm, &upgrade, &[]).ok();
        for secret in ["shop-tls", "cart-tls"] {
            wait_for(secret, || (!world.certificate(secret).is_empty()).then_some(()));
        }
        world.helm(helm, &[&upgrade[..], &["--post-renderer", "kubectl-routing_secrets"]].concat(), &[]).ok();
        let named = world
            .kubectl(&["get", "listenerset", "cart", "-o", "jsonpath={.spec.listeners[0].tls.certificateRefs[0].name}"])
            .ok();
        assert_eq!(named, "wild", "{helm}");
        drained(&world);
        assert_eq!(world.certificate("wild"), whole, "{helm}");
    }
}
