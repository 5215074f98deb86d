//! How long hosts of a new release are served with a wrong certificate, without and with the filter.
//! `tests/e2e/window` prints the table.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "e2e/handshake.rs"]
mod handshake;
#[path = "e2e/shop.rs"]
mod shop;
#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use shop::{HOSTS, ROUTING, Shop, whose};
use support::Tls;
use world::wait_for;

const PER_SECOND: u32 = 100;
const RUNS: usize = 3;

/// What one install gave.
struct Window {
    /// From the start of `helm install` until every host was served with the right certificate.
    seconds: f64,
    /// Handshakes with another one, or with none, since the object with the host was in the cluster, and how many
    /// there were since.
    since_there: (usize, usize),
    /// The same since Traefik had taken in an Ingress that was made after Helm had ended, hence the release's.
    since_known: (usize, usize),
    /// Handshakes a second for each host, as a busy machine may make fewer than it was asked for.
    rate: f64,
}

/// When objects of a kind came into the namespace, by their names.
struct Arrivals {
    kubectl: Child,
    lines: Receiver<(String, Instant)>,
}

impl Arrivals {
    /// Once it watches: an object that is there before shows it.
    fn watch(shop: &Shop, kind: &str, first: &serde_json::Value) -> Self {
        shop.world.run("kubectl", &["create", "-f", "-"], &[], first.to_string().as_bytes()).ok();
        let mut kubectl = Command::new("kubectl")
            .args(["-n", &shop.world.namespace, "get", kind, "--watch", "-o", "name"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(kubectl.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let name = line.rsplit('/').next().unwrap_or_default().to_owned();
                if send.send((name, Instant::now())).is_err() {
                    return;
                }
            }
        });
        let (name, _) = lines.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(name, "first");
        Self { kubectl, lines }
    }

    fn finish(mut self) -> BTreeMap<String, Instant> {
        self.kubectl.kill().unwrap();
        self.kubectl.wait().unwrap();
        let mut arrivals = BTreeMap::new();
        // Later lines are changes.
        for (name, at) in self.lines {
            arrivals.entry(name).or_insert(at);
        }
        arrivals
    }
}

fn install(helm: &'static str, with_us: bool) -> Window {
    // The keys that cert-manager makes by default.
    let shop = Shop::new("window", helm).set("algorithm=RSA");
    let metadata = serde_json::json!({"namespace": shop.world.namespace, "name": "first"});
    let backend = serde_json::json!({"service": {"name": "first", "port": {"number": 80}}});
    let ingress = serde_json::json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata,
        "spec": {"defaultBackend": backend}});
    let probe_host = format!("probe.{}.canary.example", shop.world.namespace);
    let probe = serde_json::json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"namespace": shop.world.namespace, "name": "probe"},
        "spec": {"defaultBackend": backend, "tls": [{"hosts": [probe_host], "secretName": "probe"}]}});
    let mut secret = Tls::new(&shop.world.namespace, "probe", &[&probe_host]);
    secret.labels.clear();
    shop.world.apply(&[secret]);
    let route = serde_json::json!({"apiVersion": "traefik.io/v1alpha1", "kind": "IngressRoute", "metadata": metadata,
        "spec": {"routes": []}});
    let arrivals = [
        Arrivals::watch(&shop, "ingresses.networking.k8s.io", &ingress),
        Arrivals::watch(&shop, "ingressroutes.traefik.io", &route),
    ];
    // What Helm does but once is no part of an install: its homes, the plug-in, its cache of what the cluster offers.
    shop.world.helm(helm, &["list", "-n", &shop.world.namespace], &[]).ok();
    let operators = shop.leaf(ROUTING).unwrap();
    let is_right =
        |leaf: &[u8]| if with_us { leaf == operators } else { whose(leaf).ends_with("by CN=bed-issuing-ca") };

    let watch = shop.traefik.watch(&shop.hosts(), PER_SECOND);
    let began = Instant::now();
    let installed = if with_us { shop.with_us("install", &[]) } else { shop.without_us("install") };
    installed.ok();
    shop.world.run("kubectl", &["create", "-f", "-"], &[], probe.to_string().as_bytes()).ok();
    shop.serves(&probe_host, &shop.leaf("probe").unwrap());
    let (known, made) = (Instant::now(), watch.made());
    for host in shop.hosts() {
        wait_for("the right certificate", || is_right(&shop.traefik.leaf(&host).ok()?).then_some(()));
    }
    wait_for("more handshakes", || (watch.made() > made + 30).then_some(()));
    let seen = watch.finish();
    let arrived: BTreeMap<String, Instant> = arrivals.into_iter().flat_map(Arrivals::finish).collect();

    let mut window = Window { seconds: 0.0, since_there: (0, 0), since_known: (0, 0), rate: f64::INFINITY };
    for (name, _) in HOSTS {
        let seen = &seen[&shop.host(name)];
        let is_right = |leaf: &Result<Vec<u8>, String>| leaf.as_ref().is_ok_and(|leaf| is_right(leaf));
        let right = seen.iter().find(|seen| is_right(&seen.leaf)).unwrap();
        let took = (seen[seen.len() - 1].at - seen[0].at).as_secs_f64();
        window.rate = window.rate.min(seen.len() as f64 / took);
        window.seconds = window.seconds.max(right.at.duration_since(began).as_secs_f64());
        for (since, count) in [(arrived[name], &mut window.since_there), (known, &mut window.since_known)] {
            let seen = seen.iter().filter(|seen| seen.at >= since);
            let wrong = seen.clone().filter(|seen| !is_right(&seen.leaf)).count();
            *count = (count.0 + wrong, count.1 + seen.count());
        }
    }
    window
}

#[test]
#[ignore = "needs the test bed"]
fn once_traefik_knows_a_new_release_no_handshake_is_wrong_with_us_and_without_us_some_are_before_the_certificate() {
    let mut table = "\n| | until the right certificate \
         | wrong handshakes since the objects are in the cluster | since Traefik knows them \
         | handshakes a second and host |\n\
         |---|---|---|---|---|\n"
        .to_owned();
    for helm in ["helm3", "helm4"] {
        for with_us in [false, true] {
            let runs: Vec<Window> = (0..RUNS).map(|_| install(helm, with_us)).collect();
            let column = |of: &dyn Fn(&Window) -> String| runs.iter().map(of).collect::<Vec<_>>().join(", ");
            let us = if with_us { "with" } else { "without" };
            let seconds = column(&|run| format!("{:.2}", run.seconds));
            let there = column(&|run| format!("{} of {}", run.since_there.0, run.since_there.1));
            let known = column(&|run| format!("{} of {}", run.since_known.0, run.since_known.1));
            let rate = column(&|run| format!("{:.0}", run.rate));
            table += &format!("| {helm}, {us} us | {seconds} s | {there} | {known} | {rate} |\n");
            for run in &runs {
                if with_us {
                    assert_eq!(run.since_known.0, 0, "{table}");
                } else {
                    assert!(run.since_there.0 > 0, "{table}");
                }
            }
        }
    }
    println!("{table}");
}
