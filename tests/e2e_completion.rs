//! Names from a cluster for `kubectl routing-secrets <TAB>`.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;
#[path = "e2e/world.rs"]
mod world;

use support::Tls;
use world::World;

#[test]
#[ignore = "needs the test bed"]
fn namespaces_and_routing_secrets_are_offered_by_name() {
    let world = World::new("completion");
    let mut mirror = Tls::new(&world.namespace, "wild-mirror", &["*.mirror.example.com"]);
    mirror.labels.clear();
    mirror.annotations =
        [("reflector.v1.k8s.emberstack.com/reflects".to_owned(), format!("{}/wild", world.namespace))].into();
    let mut plain = Tls::new(&world.namespace, "wild-not-ours", &["*.plain.example.com"]);
    plain.labels.clear();
    world.apply(&[Tls::new(&world.namespace, "wild", &["*.apps.example.com"]), mirror, plain]);
    let offered = |words: &[&str]| world.program(&[&["__complete"], words].concat(), &[], b"").ok();
    assert_eq!(
        offered(&["list", "-n", &world.namespace, "wi"]),
        "wild\t*.apps.example.com\nwild-mirror\t*.mirror.example.com\n:4\n"
    );
    let start = &world.namespace[..world.namespace.len() - 2];
    assert_eq!(offered(&["list", "--namespace", start]), format!("{}\n:4\n", world.namespace));
}
