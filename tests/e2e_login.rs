//! Credentials: exec plug-ins and client certificates, good, expired and hanging.
//!
//! A pod's own credentials are not among them: the bed runs no pods.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "e2e/proxy.rs"]
mod proxy;
#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use std::fs;
use std::time::{Duration, Instant};

use proxy::{Context, kubeconfig, signed};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose};
use serde_json::{Value, json};
use support::Tls;
use world::{Output, World, bed};

const INGRESS: &str = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: shop\n  annotations:\n    cert-manager.io/cluster-issuer: ca\nspec:\n  tls:\n  - hosts: [shop.apps.example.com]\n    secretName: shop-tls\n";

fn world(name: &str) -> World {
    let world = World::new(name);
    let host = format!("app.{}.example", world.namespace);
    world.apply(&[Tls::new(&world.namespace, "wild", &[&host, "shop.apps.example.com"])]);
    world
}

/// A kubeconfig for the real server with this user.
fn config(world: &World, user: Value) -> String {
    let (server, ca) = (bed("BED_SERVER"), bed("BED_CA"));
    let context = Context { name: "bed", server: &server, ca: &ca, namespace: &world.namespace, user };
    kubeconfig(world, "config", &[context])
}

fn filter(world: &World, config: &str) -> Output {
    world.program(&["post-render", "-n", &world.namespace, "--kubeconfig", config], &[], INGRESS.as_bytes())
}

fn exec(command: &str, mode: &str) -> Value {
    json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": command, "interactiveMode": mode,
        "provideClusterInfo": true, "env": [{"name": "PASSWORD", "value": "from-the-kubeconfig"}],
    }})
}

fn credential(status: &Value) -> String {
    json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}).to_string()
}

/// A client certificate of the bed's CA for a user, and its key.
fn client(user: &str, years: (i32, i32)) -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, user);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    signed(params)
}

#[test]
#[ignore = "needs the test bed"]
fn an_exec_plug_in_is_run_once_and_does_not_eat_the_manifests() {
    let world = world("exec");
    world.write("credential", &credential(&json!({"token": bed("BED_TOKEN_ADMIN")})));
    let script = "cat >>eaten\necho $KUBERNETES_EXEC_INFO >>info\necho $PASSWORD >password\ncat credential\n";
    let script = world.script("login", script);
    for mode in ["IfAvailable", "Never"] {
        let config = config(&world, exec(&script, mode));
        assert!(filter(&world, &config).ok().contains("secretName: wild"), "{mode}");
        assert_eq!(fs::read_to_string(world.path("eaten")).unwrap(), "", "{mode}");
        let info = fs::read_to_string(world.path("info")).unwrap();
        assert_eq!(info.lines().count(), 1, "{mode}: run once, not {info}");
        let info: Value = serde_json::from_str(&info).unwrap();
        assert_eq!(info["spec"]["interactive"], false, "standard input is no terminal");
        assert_eq!(info["spec"]["cluster"]["server"].as_str().unwrap().trim_end_matches('/'), bed("BED_SERVER"));
        assert_eq!(fs::read_to_string(world.path("password")).unwrap(), "from-the-kubeconfig\n");
        fs::remove_file(world.path("info")).unwrap();
    }
}

#[test]
#[ignore = "needs the test bed"]
fn an_exec_plug_in_works_below_both_helms() {
    let world = world("exec-helm");
    world.write("credential", &credential(&json!({"token": bed("BED_TOKEN_ADMIN")})));
    let script = world.script("login", &format!("cat >>/dev/null\ncat {}\n", world.path("credential").display()));
    let config = config(&world, exec(&script, "IfAvailable"));
    let chart = format!("{}/tests/e2e/bed/chart", env!("CARGO_MANIFEST_DIR"));
    for helm in ["helm3", "helm4"] {
        let line = ["template", "app", &chart, "--kubeconfig", &config, "--post-renderer", "kubectl-routing_secrets"];
        assert!(world.helm(helm, &line, &[]).ok().contains("secretName: wild"), "{helm}");
    }
}

#[test]
#[ignore = "needs the test bed"]
fn an_exec_plug_in_may_give_a_client_certificate() {
    let world = world("exec-cert");
    let user = format!("jane-{}", world.namespace);
    world.grant(("user", &user));
    let (certificate, key) = client(&user, (2026, 2030));
    world.write("credential", &credential(&json!({"clientCertificateData": certificate, "clientKeyData": key})));
    let script = world.script("login", "cat credential\n");
    let config = config(&world, exec(&script, "Never"));
    assert!(filter(&world, &config).ok().contains("secretName: wild"));
}

#[test]
#[ignore = "needs the test bed"]
fn an_exec_plug_in_that_fails_is_quoted_by_what_it_says_to_people_only() {
    let world = world("exec-fails");
    let script = "echo '{\"status\": {\"token\": \"half-a-token\"}}'\necho 'The session is over, run: login --again' >&2\nexit 7\n";
    let script = world.script("login", script);
    let output = filter(&world, &config(&world, exec(&script, "Never")));
    assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{output:?}");
    for words in [&script, "exit status: 7", "said: The session is over, run: login --again", "log in again"] {
        assert!(output.stderr.contains(words), "{words}: {output:?}");
    }
    for secret in ["half-a-token", "from-the-kubeconfig"] {
        assert!(!output.stderr.contains(secret), "{output:?}");
    }
}

/// Helm waits until nobody holds our output any more, which a plug-in's own child could do for ever.
#[test]
#[ignore = "needs the test bed"]
fn an_exec_plug_in_that_hangs_is_ended_at_the_deadline_and_helm_does_not_wait_for_what_it_left_behind() {
    let world = world("exec-hangs");
    let script = "echo 'waiting for the browser' >&2\nsleep 120 &\necho $! >>children\nwait\n";
    let script = world.script("login", script.replace("children", world.path("children").to_str().unwrap()).as_str());
    let config = config(&world, exec(&script, "IfAvailable"));
    let chart = format!("{}/tests/e2e/bed/chart", env!("CARGO_MANIFEST_DIR"));
    let line = ["template", "app", &chart, "--kubeconfig", &config, "--post-renderer", "kubectl-routing_secrets"];
    let began = Instant::now();
    let outputs: Vec<Output> = std::thread::scope(|scope| {
        let helms = ["helm3", "helm4"].map(|helm| scope.spawn(|| world.helm(helm, &line, &[])));
        let program = scope.spawn(|| filter(&world, &config));
        helms.into_iter().chain([program]).map(|run| run.join().unwrap()).collect()
    });
    let took = began.elapsed();
    for child in fs::read_to_string(world.path("children")).unwrap().lines() {
        world.run("kill", &[child], &[], b"");
    }
    assert!((Duration::from_secs(30)..Duration::from_secs(90)).contains(&took), "{took:?}");
    for output in outputs {
        assert!(output.code != 0 && output.stdout.is_empty(), "{output:?}");
        assert!(output.stderr.contains("took longer than 30 s, so it was ended"), "{output:?}");
        assert!(output.stderr.contains("said: waiting for the browser"), "{output:?}");
    }
}

#[test]
#[ignore = "needs the test bed"]
fn a_client_certificate_works_and_an_expired_one_is_named_as_what_is_refused() {
    let world = world("client");
    let user = format!("jane-{}", world.namespace);
    world.grant(("user", &user));
    let run = |years: (i32, i32)| {
        let (certificate, key) = client(&user, years);
        world.write("client.key", &key);
        let user = json!({"client-certificate": world.write("client.crt", &certificate), "client-key": "client.key"});
        filter(&world, &config(&world, user))
    };
    assert!(run((2026, 2030)).ok().contains("secretName: wild"));
    let output = run((2020, 2022));
    assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{output:?}");
    let words = format!("does not accept the credentials (401) to list secrets in namespace {}", world.namespace);
    assert!(output.stderr.contains(&words) && output.stderr.contains("log in again"), "{output:?}");
}

#[test]
#[ignore = "needs the test bed"]
fn a_token_that_is_not_known_is_refused_and_not_shown() {
    let world = world("token");
    let output = filter(&world, &config(&world, json!({"token": "made-up-token"})));
    assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{output:?}");
    assert!(output.stderr.contains("does not accept the credentials (401)"), "{output:?}");
    assert!(!output.stderr.contains("made-up-token"), "{output:?}");
}
