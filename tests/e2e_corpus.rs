//! Real chart renders: the real API server takes what we made of them exactly where it takes the original.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::fs;

use support::{Tls, list};
use world::{World, bed};

/// What the API server says to each object, refusals included; the order is that of the objects.
fn apply(world: &World, config: &str, manifests: &[u8]) -> Vec<String> {
    let line = ["apply", "--kubeconfig", config, "--dry-run=server", "--validate=strict", "-f", "-"];
    let output = world.run("kubectl", &line, &[], manifests);
    output.stdout.lines().chain(output.stderr.lines()).map(str::to_owned).collect()
}

#[test]
#[ignore = "needs the test bed"]
fn the_server_takes_and_refuses_the_same_objects_of_a_rewritten_render_in_the_same_words() {
    let folder = std::env::var("ROUTING_SECRETS_CORPUS").unwrap_or_else(|_| "/work/shared/corpus".to_owned());
    let folder = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut renders: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    renders
        .retain(|path| path.to_str().unwrap().ends_with(".yaml") && !path.to_str().unwrap().ends_with(".values.yaml"));
    renders.sort();
    let world = World::new("corpus");
    // The renders were made for these; nothing is stored in them.
    for namespace in ["demo", "workspace", "cert-manager"] {
        world.run("kubectl", &["create", "namespace", namespace], &[], b"");
    }
    // Not -n demo, which would refuse the objects that name another namespace.
    let config = world.write("config", &fs::read_to_string(bed("KUBECONFIG")).unwrap());
    let demo = ["--kubeconfig", &config, "config", "set-context", "--current", "--namespace", "demo"];
    world.run("kubectl", &demo, &[], b"").ok();
    let hosts = ["*.apps.example.com", "other.example.org", "ha.example.org"];
    let secrets = ["demo", "workspace"].map(|namespace| Tls::new(namespace, "covering", &hosts));
    let inventory = world.write("inventory.yaml", &list(&secrets));
    let (mut rewritten, mut accepted, mut dropped) = (Vec::new(), 0, 0);
    for path in renders {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let original = fs::read(&path).unwrap();
        let arguments = ["--inventory", &inventory, "-n", "demo"];
        let output = world.program(&[&["post-render"], &arguments[..]].concat(), &[], &original).ok();
        let plan = world.program(&[&["plan", "-o", "json"], &arguments[..]].concat(), &[], &original).ok();
        let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
        let gone: BTreeSet<String> = plan["certificates"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|certificate| certificate["decision"] == "dropped")
            .map(|certificate| {
                let name = certificate["object"]["name"].as_str().unwrap();
                format!("certificate.cert-manager.io/{name} created (server dry run)")
            })
            .collect();
        if plan["summary"]["rewritten"].as_u64().unwrap() > 0 {
            assert!(output.contains("covering") && output.as_bytes() != original, "{name}");
            rewritten.push(name.to_owned());
        }
        let mut expected = apply(&world, &config, &original);
        let before = expected.len();
        expected.retain(|line| !gone.contains(line));
        assert_eq!(expected.len() + gone.len(), before, "{name}: every dropped Certificate was acceptable");
        let found = apply(&world, &config, output.as_bytes());
        assert_eq!(found, expected, "{name}");
        for slot in plan["slots"].as_array().unwrap().iter().filter(|slot| !slot["to"].as_array().unwrap().is_empty()) {
            let text = |key: &str| slot["object"][key].as_str().unwrap();
            let kind = format!("{}.", text("kind").to_lowercase());
            let taken = format!("/{} created (server dry run)", text("name"));
            let is_taken = found.iter().any(|line| line.starts_with(&kind) && line.ends_with(&taken));
            assert!(is_taken, "{name}: the rewritten {kind} {taken}");
        }
        let good = found.iter().filter(|line| line.ends_with(" created (server dry run)")).count();
        println!("{name}: {good} taken, {} other answers, {} dropped", found.len() - good, gone.len());
        (accepted, dropped) = (accepted + good, dropped + gone.len());
    }
    assert_eq!(rewritten.len(), 12, "{rewritten:?}");
    assert!(accepted > 100 && dropped > 0, "{accepted} objects were taken, {dropped} dropped");
}
