//! Routing secrets read from a real API server.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use support::Tls;
use world::World;

const INGRESS: &str = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: shop\n  annotations:\n    cert-manager.io/cluster-issuer: ca\nspec:\n  tls:\n  - hosts: [shop.apps.example.com]\n    secretName: shop-tls\n";

fn secret(world: &World, name: &str) -> Tls {
    Tls::new(&world.namespace, name, &["*.apps.example.com"])
}

#[test]
#[ignore = "needs the test bed"]
fn a_render_is_planned_with_one_list_and_one_look_at_each_rewritten_object() {
    let world = World::new("budget");
    world.apply(&[secret(&world, "wild")]);
    let plan = world.program(&["plan", "-n", &world.namespace, "-o", "json"], &[], INGRESS.as_bytes()).ok();
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["slots"][0]["to"][0]["secretName"], "wild");
    assert_eq!(plan["reads"], serde_json::json!({"lists": 1, "gets": 1, "requests": 2}));
    let none = world.program(&["plan", "-n", &world.namespace, "-o", "json"], &[], b"kind: ConfigMap\n").ok();
    assert!(!none.contains("\"reads\""), "{none}");
}

#[test]
#[ignore = "needs the test bed"]
fn r07_a_reflector_mirror_is_a_routing_secret_when_its_source_carries_the_label() {
    let (world, operator) = (World::new("mirrors"), World::new("operator"));
    let mirror = |name: &str, of: &str| {
        let mut mirror = secret(&world, name);
        mirror.labels.clear();
        mirror
            .annotations
            .insert("reflector.v1.k8s.emberstack.com/reflects".to_owned(), format!("{}/{of}", operator.namespace));
        mirror
    };
    let mut plain = secret(&operator, "plain");
    plain.labels.clear();
    operator.apply(&[secret(&operator, "wild"), plain]);
    world.apply(&[mirror("mirror", "wild"), mirror("of-plain", "plain"), mirror("of-nothing", "nothing")]);
    let plan = |arguments: &[&str]| {
        let arguments = [&["plan", "-n", &world.namespace, "-o", "json"], arguments].concat();
        let plan = world.program(&arguments, &[], INGRESS.as_bytes()).ok();
        serde_json::from_str::<serde_json::Value>(&plan).unwrap()
    };
    let found = plan(&["--candidates"]);
    assert_eq!(found["slots"][0]["to"][0]["secretName"], "mirror");
    assert_eq!(found["slots"][0]["candidates"], serde_json::json!([]), "only the mirror of a labelled source counts");
    assert_eq!(found["reads"], serde_json::json!({"lists": 1, "gets": 4, "requests": 5}));
    let warning = &found["warnings"][0];
    assert_eq!(warning["code"], "sourceNotReadable");
    assert!(warning["message"].as_str().unwrap().contains("there is no such Secret"), "{warning}");
    let source = format!("{}/plain", operator.namespace);
    // Nobody has changed the source since, says its version; then someone has.
    let version = operator.kubectl(&["get", "secret", "wild", "-o", "jsonpath={.metadata.resourceVersion}"]).ok();
    let reflected = format!("reflector.v1.k8s.emberstack.com/reflected-version={version}");
    world.kubectl(&["annotate", "secret", "mirror", &reflected]).ok();
    let status = || world.program(&["list", "-n", &world.namespace, "--no-headers", "mirror"], &[], b"").ok();
    assert!(!status().contains("its certificate is not that of its source"), "{}", status());
    operator.kubectl(&["annotate", "secret", "wild", "changed=yes"]).ok();
    assert!(status().contains("its certificate is not that of its source"), "{}", status());
    let given = plan(&["--source", &source]);
    assert_eq!(given["slots"][0]["to"][0]["secretName"], "of-plain");
    assert_eq!(given["reads"]["gets"], 1, "a source that is given is not read");
}
