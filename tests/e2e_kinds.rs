//! Every kind of which the test bed has the definition, before a real API server.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use support::{Tls, repository};
use world::World;

/// The kinds of the table that the bed's API server knows, as kubectl names them.
const KNOWN: [&str; 10] = [
    "certificate.cert-manager.io",
    "domainmapping.serving.knative.dev",
    "gateway.gateway.networking.k8s.io",
    "gateway.networking.istio.io",
    "httpproxy.projectcontour.io",
    "ingress.networking.k8s.io",
    "ingressroute.traefik.io",
    "ingressroutetcp.traefik.io",
    "tlscertificatedelegation.projectcontour.io",
    "tlsstore.traefik.io",
];

/// The objects of a file that the API server accepts.
fn accepted(world: &World, file: &Path) -> BTreeSet<String> {
    let file = file.display().to_string();
    let applied = world.run("kubectl", &["apply", "--dry-run=server", "--validate=strict", "-f", &file], &[], b"");
    let names = applied.stdout.lines().filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}

#[test]
#[ignore = "needs the test bed"]
fn what_comes_out_is_accepted_where_what_went_in_is() {
    let world = World::new("kinds");
    // The namespaces that the cases name; other tests may have made them.
    for namespace in ["demo", "certs", "foreign", "elsewhere", "istio-system"] {
        let made = world.run("kubectl", &["create", "namespace", namespace], &[], b"");
        assert!(made.code == 0 || made.stderr.contains("AlreadyExists"), "{made:?}");
    }
    let cases: Vec<PathBuf> =
        std::fs::read_dir(repository().join("tests/golden")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let kinds = Mutex::new(BTreeSet::new());
    let next = Mutex::new(cases.iter());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(case) = next.lock().unwrap().next() else { break };
                    let before = accepted(&world, &case.join("input.yaml"));
                    let after = accepted(&world, &case.join("output.yaml"));
                    let lost =
                        before.difference(&after).filter(|name| !name.starts_with("certificate.cert-manager.io/"));
                    assert_eq!(lost.collect::<Vec<_>>(), Vec::<&String>::new(), "{} loses objects", case.display());
                    let gained: Vec<&String> = after.difference(&before).collect();
                    assert_eq!(gained, Vec::<&String>::new(), "{} gains objects", case.display());
                    let of = after.iter().filter_map(|name| name.split_once('/')).map(|(kind, _)| kind.to_owned());
                    kinds.lock().unwrap().extend(of);
                }
            });
        }
    });
    let kinds = kinds.into_inner().unwrap();
    let missing: Vec<&&str> = KNOWN.iter().filter(|kind| !kinds.contains(**kind)).collect();
    assert!(missing.is_empty(), "no case has an accepted object of {missing:?}; there are {kinds:?}");
}

const PROXY: &str = "apiVersion: projectcontour.io/v1\nkind: HTTPProxy\nmetadata:\n  name: shop\nspec:\n  virtualhost:\n    fqdn: shop.apps.example.com\n    tls:\n      secretName: CERTS/shop-tls\n";

#[test]
#[ignore = "needs the test bed"]
fn r06_a_delegation_of_the_cluster_permits_what_it_names_and_a_refusal_leaves_the_slot() {
    let (world, certs) = (World::new("proxy"), World::new("certs"));
    certs.apply(&[Tls::new(&certs.namespace, "wild", &["*.apps.example.com"])]);
    let render = PROXY.replace("CERTS", &certs.namespace);
    let plan = |arguments: &[&str]| {
        let all = [&["plan", "-n", &world.namespace, "-o", "json"], arguments].concat();
        let plan = world.program(&all, &[], render.as_bytes()).ok();
        serde_json::from_str::<serde_json::Value>(&plan).unwrap()
    };
    assert_eq!(plan(&[])["slots"][0]["reason"]["code"], "notGranted");
    let delegation = format!(
        "apiVersion: projectcontour.io/v1\nkind: TLSCertificateDelegation\nmetadata:\n  name: wild\n  namespace: {}\nspec:\n  delegations:\n  - secretName: wild\n    targetNamespaces: [{}]\n",
        certs.namespace, world.namespace
    );
    world.run("kubectl", &["apply", "-f", "-"], &[], delegation.as_bytes()).ok();
    let found = plan(&[]);
    assert_eq!(found["slots"][0]["to"][0]["secretName"], "wild");
    assert_eq!(found["slots"][0]["secretNamespace"], certs.namespace.as_str());
    // Delegations, the Secrets there, and the proxy itself.
    assert_eq!(found["reads"], serde_json::json!({"lists": 2, "gets": 1, "requests": 3}));
    let refused = plan(&["--as", "somebody"]);
    assert_eq!(refused["slots"][0]["reason"]["code"], "namespaceNotReadable", "{refused}");
}

const GATEWAY: &str = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata:\n  name: shop\nspec:\n  selector:\n    istio: LABEL\n  servers:\n  - port: {number: 443, name: https, protocol: HTTPS}\n    hosts: [shop.apps.example.com]\n    tls: {mode: SIMPLE, credentialName: shop-tls}\n";

#[test]
#[ignore = "needs the test bed"]
fn r06_istios_secret_is_looked_for_where_the_only_pods_are() {
    let (world, mesh, second) = (World::new("app"), World::new("mesh"), World::new("second"));
    mesh.apply(&[Tls::new(&mesh.namespace, "wild", &["*.apps.example.com"])]);
    let render = GATEWAY.replace("LABEL", &mesh.namespace);
    let slot = || {
        let plan = world.program(&["plan", "-n", &world.namespace, "-o", "json"], &[], render.as_bytes()).ok();
        serde_json::from_str::<serde_json::Value>(&plan).unwrap()["slots"][0].clone()
    };
    let pod = |of: &World| {
        let labels = format!("--labels=istio={}", mesh.namespace);
        of.kubectl(&["run", "gateway", "--image=none", &labels]).ok();
    };
    assert_eq!(slot()["reason"]["code"], "podNamespace");
    pod(&mesh);
    assert_eq!(slot()["to"][0]["secretName"], "wild", "{}", slot());
    pod(&second);
    let two = slot();
    assert_eq!(two["reason"]["code"], "podNamespace");
    assert!(two["reason"]["message"].as_str().unwrap().contains(&second.namespace), "{two}");
}
