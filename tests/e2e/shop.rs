//! The chart of `release-chart` as a release in a namespace of its own, with the operator's routing secret in it.

// Each test program uses a part of this.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::fmt::Debug;

use base64::Engine as _;
use serde_json::Value;

use crate::handshake::{Client, Seen};
use crate::support::Tls;
use crate::world::{Output, World, bed, wait_for};

/// The operator's routing secret.
pub const ROUTING: &str = "wild";

/// The hosts of the chart, by their first label, with the Secrets that it names.
pub const HOSTS: [(&str, &str); 3] = [("shop", "shop-tls"), ("api", "api-tls"), ("route", "route-tls")];

/// The Certificates of the chart; the last is made by cert-manager's shim.
pub const CERTIFICATES: [&str; 3] = ["api", "route", "shop-tls"];

pub const TRIGGER: &str = "cert-manager.io/cluster-issuer";

/// Runs a test under both Helms at once.
pub fn with_both<T: Send>(test: impl Fn(&'static str) -> T + Sync) {
    at_once(&["helm3", "helm4"], test);
}

/// Runs a test for all of these at once. What it gives is kept until the last is done.
pub fn at_once<C: Copy + Debug + Send + Sync, T: Send>(cases: &[C], test: impl Fn(C) -> T + Sync) {
    let test = &test;
    std::thread::scope(|scope| {
        let threads: Vec<_> = cases.iter().map(|&case| (case, scope.spawn(move || test(case)))).collect();
        let results: Vec<_> = threads.into_iter().map(|(case, thread)| (case, thread.join())).collect();
        for (case, result) in &results {
            assert!(result.is_ok(), "{case:?} failed");
        }
    });
}

pub struct Shop {
    pub world: World,
    pub helm: &'static str,
    /// One label above it is each host; the routing secret is for all of them.
    pub domain: String,
    /// Values of the chart.
    pub values: Vec<String>,
    pub issuer: &'static str,
    pub traefik: Client,
}

/// A Secret as it was. Without `Debug`: it holds a private key, which no failing assertion may print.
#[derive(PartialEq, Eq)]
pub struct Snapshot(Value);

impl Shop {
    pub fn new(name: &str, helm: &'static str) -> Self {
        let world = World::new(&format!("{name}-{helm}"));
        // Traefik has one store for all namespaces, so hosts are the test's own.
        let domain = format!("{}.release.example", world.namespace);
        world.apply(&[Tls::new(&world.namespace, ROUTING, &[&format!("*.{domain}")])]);
        // Its keys are made, and its handshakes, with a fraction of RSA's work.
        let values = vec![format!("domain={domain}"), "algorithm=ECDSA".to_owned()];
        Self { world, helm, domain, values, issuer: "ca", traefik: Client::new(&bed("BED_TRAEFIK")) }
    }

    /// With this value of the chart, too.
    pub fn set(mut self, value: &str) -> Self {
        self.values.push(value.to_owned());
        self
    }

    pub fn host(&self, name: &str) -> String {
        format!("{name}.{}", self.domain)
    }

    pub fn hosts(&self) -> Vec<String> {
        HOSTS.iter().map(|(name, _)| self.host(name)).collect()
    }

    /// `helm install` or `upgrade` as everybody does it.
    pub fn without_us(&self, verb: &str) -> Output {
        self.run_helm(verb, &[], &[])
    }

    /// `helm install` or `upgrade` through the filter.
    pub fn with_us(&self, verb: &str, env: &[(&str, &str)]) -> Output {
        let report = self.world.path("report.json").display().to_string();
        let as_argument = format!("--post-renderer-args=--report={report}");
        let mut arguments = vec!["--post-renderer", "kubectl-routing_secrets"];
        let mut env = env.to_vec();
        // Both ways to ask for the report.
        match self.helm {
            "helm3" => arguments.push(&as_argument),
            _ => env.push(("ROUTING_SECRETS_REPORT", &report)),
        }
        self.run_helm(verb, &arguments, &env)
    }

    fn run_helm(&self, verb: &str, further: &[&str], env: &[(&str, &str)]) -> Output {
        let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/release-chart");
        let issuer = format!("issuer={}", self.issuer);
        let mut arguments = vec![verb, "shop", chart, "-n", &self.world.namespace, "--set", &issuer];
        arguments.extend(self.values.iter().flat_map(|value| ["--set", value]));
        arguments.extend(further);
        self.world.helm(self.helm, &arguments, env)
    }

    pub fn rollback(&self, revision: &str) {
        self.world.helm(self.helm, &["rollback", "shop", revision, "-n", &self.world.namespace], &[]).ok();
    }

    /// The plan that the last run with us wrote.
    pub fn report(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.world.path("report.json")).unwrap()).unwrap()
    }

    pub fn get(&self, kind: &str, name: &str) -> Value {
        serde_json::from_str(&self.world.kubectl(&["get", kind, name, "-o", "json"]).ok()).unwrap()
    }

    /// The names of all objects of a kind, sorted.
    pub fn names(&self, kind: &str) -> Vec<String> {
        let names = self.world.kubectl(&["get", kind, "-o", "jsonpath={.items[*].metadata.name}"]).ok();
        let mut names: Vec<String> = names.split_whitespace().map(str::to_owned).collect();
        names.sort();
        names
    }

    /// The Certificates that have CertificateRequests. A busy cert-manager may make more than one for each.
    pub fn requested(&self) -> Vec<String> {
        let requests = self.names("certificaterequests");
        let mut names: Vec<String> =
            requests.iter().map(|request| request.rsplit_once('-').unwrap().0.to_owned()).collect();
        names.dedup();
        names
    }

    /// The Secret that each host of the chart names now.
    pub fn named(&self) -> [String; 3] {
        let name = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        [
            name(&self.get("ingress", "shop")["spec"]["tls"][0]["secretName"]),
            name(&self.get("ingress", "api")["spec"]["tls"][0]["secretName"]),
            name(&self.get("ingressroutes.traefik.io", "route")["spec"]["tls"]["secretName"]),
        ]
    }

    /// The whole Secret, to the last byte of its metadata.
    pub fn snapshot(&self, secret: &str) -> Snapshot {
        Snapshot(self.get("secret", secret))
    }

    /// A Secret's data alone.
    pub fn data(&self, secret: &str) -> Snapshot {
        Snapshot(self.get("secret", secret)["data"].take())
    }

    /// The leaf certificate of a Secret in DER, when it is there.
    pub fn leaf(&self, secret: &str) -> Option<Vec<u8>> {
        let pem = base64::engine::general_purpose::STANDARD.decode(self.world.certificate(secret)).unwrap();
        x509_parser::pem::parse_x509_pem(&pem).ok().map(|(_, pem)| pem.contents)
    }

    /// Waits until each host is served with the operator's certificate.
    #[track_caller]
    pub fn serves_routing(&self) {
        let leaf = self.leaf(ROUTING).unwrap();
        for host in self.hosts() {
            self.serves(&host, &leaf);
        }
    }

    /// Waits until each host is served with the certificate that cert-manager made for it, and gives those.
    #[track_caller]
    pub fn serves_own(&self) -> BTreeMap<String, Vec<u8>> {
        self.ready(&CERTIFICATES);
        let own = HOSTS.map(|(name, secret)| (self.host(name), self.leaf(secret).unwrap()));
        for (host, leaf) in &own {
            self.serves(host, leaf);
        }
        own.into()
    }

    #[track_caller]
    pub fn serves(&self, host: &str, leaf: &[u8]) {
        wait_for(&format!("the certificate served for {host}"), || {
            (self.traefik.leaf(host).ok()? == leaf).then_some(())
        });
    }

    /// Waits until cert-manager is content with these Certificates.
    #[track_caller]
    pub fn ready(&self, certificates: &[&str]) {
        for condition in ["create", "condition=Ready"] {
            let names = certificates.iter().map(|name| format!("certificate/{name}"));
            let arguments: Vec<String> = ["wait", "--timeout=60s", &format!("--for={condition}")]
                .map(str::to_owned)
                .into_iter()
                .chain(names)
                .collect();
            self.world.kubectl(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).ok();
        }
    }

    /// Waits until cert-manager has issued for an Ingress that was made just now: whatever came before, it has seen.
    /// The Certificate has the name that is given.
    #[track_caller]
    pub fn canary(&self, name: &str) {
        let host = format!("{name}.{}.canary.example", self.world.namespace);
        let issuer = self.issuer;
        let ingress = serde_json::json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"namespace": self.world.namespace, "name": name, "annotations": {TRIGGER: issuer}},
            "spec": {
                "tls": [{"hosts": [host], "secretName": name}],
                "defaultBackend": {"service": {"name": "canary", "port": {"number": 80}}},
            },
        });
        self.world.run("kubectl", &["create", "-f", "-"], &[], ingress.to_string().as_bytes()).ok();
        match issuer {
            // It gets as far as the order: nobody solves its challenges.
            "pebble" => {
                wait_for("the canary's order", || self.orders().contains_key(name).then_some(()));
            }
            _ => self.ready(&[name]),
        }
    }

    /// The URLs of the namespace's Orders, by their Certificate; those that the ACME server has answered.
    pub fn orders(&self) -> BTreeMap<String, String> {
        let orders = self.world.kubectl(&["get", "orders", "-o", "json"]).ok();
        let orders: Value = serde_json::from_str(&orders).unwrap();
        let of = |order: &Value| {
            let certificate = order["metadata"]["annotations"]["cert-manager.io/certificate-name"].as_str()?;
            Some((certificate.to_owned(), order["status"]["url"].as_str()?.to_owned()))
        };
        orders["items"].as_array().unwrap().iter().filter_map(of).collect()
    }
}

/// Whose certificate it is, for people.
pub fn whose(der: &[u8]) -> String {
    let Ok((_, certificate)) = x509_parser::parse_x509_certificate(der) else {
        return "no certificate".to_owned();
    };
    format!("{} by {}", certificate.subject(), certificate.issuer())
}

/// What was shown, one entry for each change: the label of a known certificate, or whose it is.
pub fn changes(seen: &[Seen], known: &[(&str, &[u8])]) -> Vec<String> {
    let mut changes: Vec<String> = seen
        .iter()
        .map(|seen| match &seen.leaf {
            Ok(leaf) => match known.iter().find(|(_, of)| of == leaf) {
                Some((label, _)) => (*label).to_owned(),
                None => whose(leaf),
            },
            Err(error) => error.clone(),
        })
        .collect();
    changes.dedup();
    changes
}
