//! `list` against a real API server.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use support::Tls;
use world::World;

const REFLECTS: &str = "reflector.v1.k8s.emberstack.com/reflects";

fn names(world: &World, arguments: &[&str]) -> Vec<String> {
    let all =
        [&["list", "-o", "custom-columns=NS:.metadata.namespace,N:.metadata.name", "--no-headers"], arguments].concat();
    let text = world.program(&all, &[], b"").ok();
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join("/")).collect()
}

/// An operator's namespace with three routing secrets, an app's with a mirror, a copy and others.
fn two() -> (World, World) {
    let (app, operator) = (World::new("app"), World::new("operator"));
    let hosts = &["*.apps.example.com"][..];
    let unlabelled = |name: &str| {
        let mut secret = Tls::new(&app.namespace, name, hosts);
        secret.labels.clear();
        secret
    };
    let mut mirror = unlabelled("mirror");
    mirror.annotations.insert(REFLECTS.to_owned(), format!("{}/wild", operator.namespace));
    let mut stranger = unlabelled("stranger");
    stranger.annotations.insert(REFLECTS.to_owned(), format!("{}/nothing", operator.namespace));
    let mut opaque = Tls::new(&operator.namespace, "opaque", hosts);
    opaque.type_ = "Opaque".to_owned();
    let mut team = Tls::new(&operator.namespace, "team", hosts);
    team.labels.insert("team".to_owned(), "a".to_owned());
    operator.apply(&[opaque, Tls::new(&operator.namespace, "wild", hosts), team]);
    app.apply(&[mirror, stranger, unlabelled("own")]);
    (app, operator)
}

#[test]
#[ignore = "needs the test bed"]
fn routing_secrets_and_mirrors_of_labelled_sources_are_listed_page_by_page() {
    let (app, operator) = two();
    let (a, o) = (&app.namespace, &operator.namespace);
    assert_eq!(names(&app, &["-n", a]), [format!("{a}/mirror")]);
    assert_eq!(names(&app, &["-n", o]), [format!("{o}/opaque"), format!("{o}/team"), format!("{o}/wild")]);
    assert_eq!(names(&app, &["-n", o, "-l", "team=a"]), [format!("{o}/team")]);
    assert_eq!(names(&app, &["-n", o, "opaque", "wild"]), [format!("{o}/opaque"), format!("{o}/wild")]);
    // Other tests have namespaces of their own.
    let ours = |arguments: &[&str]| -> Vec<String> {
        let all = names(&app, arguments).into_iter();
        all.filter(|name| name.starts_with(&format!("{a}/")) || name.starts_with(&format!("{o}/"))).collect()
    };
    let everything = [format!("{a}/mirror"), format!("{o}/opaque"), format!("{o}/team"), format!("{o}/wild")];
    for chunk_size in ["0", "1", "2", "500"] {
        assert_eq!(ours(&["-A", "--chunk-size", chunk_size]), everything, "{chunk_size}");
    }
    assert_eq!(ours(&["-A", "--no-mirrors"]), everything[1..]);
    let wild = format!("{o}/wild");
    assert_eq!(ours(&["-A", "--source", &wild]), [everything[0].clone(), wild]);
    let wide = app.program(&["list", "-A", "-o", "wide"], &[], b"").ok();
    let row = |name: &str| wide.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert!(row("opaque ").contains("not usable: its type is \"Opaque\""), "{wide}");
    assert!(row(&format!("mirror of {o}/wild")).contains("its certificate is not that of its source"), "{wide}");
}

#[test]
#[ignore = "needs the test bed"]
fn kubectl_finds_the_plug_in_by_its_name() {
    let (app, operator) = two();
    let found =
        app.run("kubectl", &["routing-secrets", "list", "-n", &operator.namespace, "-o", "name"], &[], b"").ok();
    assert_eq!(found, "secret/opaque\nsecret/team\nsecret/wild\n");
}

#[test]
#[ignore = "needs the test bed"]
fn a_watch_prints_what_changes_and_nothing_twice() {
    let world = World::new("watch");
    let hosts = &["*.apps.example.com"][..];
    world.apply(&[Tls::new(&world.namespace, "first", hosts)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_kubectl-routing_secrets"))
        .args(["list", "-w", "-o", "name", "-n", &world.namespace])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "secret/first");
    let mut unlabelled = Tls::new(&world.namespace, "unlabelled", hosts);
    unlabelled.labels.clear();
    world.apply(&[unlabelled]);
    world.apply(&[Tls::new(&world.namespace, "second", hosts)]);
    assert_eq!(lines.next().unwrap(), "secret/second");
    world.kubectl(&["delete", "secret", "first"]).ok();
    assert_eq!(lines.next().unwrap(), "secret/first");
    child.kill().unwrap();
    child.wait().unwrap();
}
