//! `audit` against real servers: each planted fault is found, and what it tells to do leaves every host served.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "e2e/handshake.rs"]
mod handshake;
#[path = "support/mod.rs"]
mod support;
#[path = "e2e/world.rs"]
mod world;

use handshake::Client;
use serde_json::{Value, json};
use support::Tls;
use world::{World, bed, wait_for};

const ISSUER: &str = "cert-manager.io/cluster-issuer";

struct Audited {
    world: World,
    domain: String,
}

impl Audited {
    /// With the routing secret `wild` for every host of the domain.
    fn new(name: &str) -> Self {
        let world = World::new(name);
        let domain = format!("{}.audit.example", world.namespace);
        world.apply(&[Tls::new(&world.namespace, "wild", &[&format!("*.{domain}")])]);
        Self { world, domain }
    }

    fn host(&self, name: &str) -> String {
        format!("{name}.{}", self.domain)
    }

    /// An Ingress for the host of its name.
    fn ingress(&self, name: &str, secret: &str, annotations: &Value) -> Value {
        let host = self.host(name);
        let path =
            json!({"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "x", "port": {"number": 80}}}});
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": name, "namespace": self.world.namespace, "annotations": annotations},
            "spec": {"ingressClassName": "traefik", "rules": [{"host": host, "http": {"paths": [path]}}],
                "tls": [{"hosts": [host], "secretName": secret}]},
        })
    }

    fn apply(&self, object: &Value) {
        self.world.run("kubectl", &["apply", "-f", "-"], &[], object.to_string().as_bytes()).ok();
    }

    fn certificate(&self, name: &str, host: &str, issuer: &str) {
        self.apply(&json!({
            "apiVersion": "cert-manager.io/v1", "kind": "Certificate",
            "metadata": {"name": name, "namespace": self.world.namespace},
            "spec": {"secretName": format!("{name}-tls"), "dnsNames": [host], "privateKey": {"algorithm": "ECDSA"},
                "issuerRef": {"kind": "ClusterIssuer", "name": issuer}},
        }));
    }

    fn ready(&self, certificate: &str) {
        let state =
            ["get", "certificate", certificate, "-o", "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}"];
        wait_for("the certificate", || (self.world.kubectl(&state).stdout == "True").then_some(()));
    }

    fn audit(&self, further: &[&str]) -> (i32, Value) {
        let arguments = [&["audit", "-n", &self.world.namespace, "-o", "json"], further].concat();
        let output = self.world.program(&arguments, &[], b"");
        let audit = serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        (output.code, audit)
    }
}

/// The findings as `code name`, sorted.
fn found(audit: &Value) -> Vec<String> {
    let items = audit["items"].as_array().unwrap().iter();
    let mut found: Vec<String> = items
        .map(|item| format!("{} {}", item["code"].as_str().unwrap(), item["object"]["name"].as_str().unwrap()))
        .collect();
    found.sort();
    found
}

fn commands(audit: &Value, code: &str) -> Vec<String> {
    let items = audit["items"].as_array().unwrap().iter().filter(|item| item["code"] == code);
    items.flat_map(|item| item["commands"].as_array().unwrap()).map(|of| of.as_str().unwrap().to_owned()).collect()
}

#[test]
#[ignore = "needs the test bed"]
fn nothing_is_found_where_a_routing_secret_serves() {
    let audited = Audited::new("audit-clean");
    audited.apply(&audited.ingress("shop", "wild", &json!({})));
    let (code, audit) = audited.audit(&[]);
    assert_eq!((code, found(&audit)), (0, Vec::new()), "{audit:#}");
    assert_eq!((&audit["unproven"], &audit["notRead"], &audit["acme"]), (&json!([]), &json!([]), &json!([])));
    assert_eq!(audit["kinds"]["ingresses.networking.k8s.io"], 1);
    assert!(audit["notServed"].as_array().unwrap().iter().any(|kind| kind == "Route.route.openshift.io"), "{audit:#}");
    // No object is searched for names that nobody doubts.
    assert!(audit["reads"]["requests"].as_u64().unwrap() < 30, "{}", audit["reads"]);
}

#[test]
#[ignore = "needs the test bed"]
fn each_planted_fault_is_found_and_the_commands_leave_every_host_served() {
    let audited = Audited::new("audit-faults");
    let namespace = audited.world.namespace.clone();
    let mut old = Tls::new(&namespace, "old", &[&audited.host("old")]);
    old.years = (2020, 2021);
    old.labels.clear();
    let mut other = Tls::new(&namespace, "other", &["other.example.org"]);
    other.labels.clear();
    audited.world.apply(&[old, other, Tls::new(&namespace, "taken", &[&audited.host("taken")])]);
    let trigger = json!({ISSUER: "ca"});
    audited.apply(&audited.ingress("missing", "nothing", &json!({})));
    audited.apply(&audited.ingress("old", "old", &json!({})));
    audited.apply(&audited.ingress("uncovered", "other", &json!({})));
    audited.apply(&audited.ingress("shop", "shop-tls", &trigger));
    audited.apply(&audited.ingress("left", "left-tls", &trigger));
    audited.apply(&audited.ingress("hijacker", "taken", &trigger));
    audited.certificate("api", &audited.host("api"), "ca");
    audited.apply(&audited.ingress("api", "api-tls", &json!({})));
    // As Helm leaves it, and as someone has changed it.
    let mut released = audited.ingress("released", "wild", &json!({"meta.helm.sh/release-name": "r"}));
    released["metadata"]["annotations"]["meta.helm.sh/release-namespace"] = namespace.clone().into();
    let apply = ["apply", "--server-side", "--field-manager=helm", "-f", "-"];
    audited.world.run("kubectl", &apply, &[], released.to_string().as_bytes()).ok();
    audited.world.kubectl(&["annotate", "ingress", "released", "kubernetes.io/tls-acme=true"]).ok();
    for certificate in ["shop-tls", "left-tls", "taken", "api"] {
        audited.ready(certificate);
    }
    audited.world.kubectl(&["annotate", "ingress", "left", &format!("{ISSUER}-")]).ok();
    let repoint = r#"[{"op":"replace","path":"/spec/tls/0/secretName","value":"wild"}]"#;
    audited.world.kubectl(&["patch", "ingress", "left", "--type=json", "-p", repoint]).ok();

    let (code, audit) = audited.audit(&[]);
    assert_eq!(code, 1);
    assert_eq!(
        found(&audit),
        [
            "foreignTrigger released",
            "ordersThoughCovered api",
            "ordersThoughCovered shop",
            "overwrites hijacker",
            "overwrites released",
            "secretExpired old",
            "secretMissing missing",
            "secretNotCovering uncovered",
            "shimOrphan left-tls",
        ],
        "{audit:#}"
    );
    let text = audited.world.program(&["audit", "-n", &namespace], &[], b"");
    assert!(text.code == 1 && text.stderr.is_empty(), "{text:?}");
    assert!(text.stdout.contains("Certificates that nothing uses: 1\n"), "{}", text.stdout);

    let traefik = Client::new(&bed("BED_TRAEFIK"));
    let wild = || {
        let text = audited.world.certificate("wild");
        let pem = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).unwrap();
        let der: String = std::str::from_utf8(&pem).unwrap().lines().filter(|line| !line.starts_with('-')).collect();
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, der).unwrap()
    };
    let hosts = ["shop", "left", "api"].map(|name| audited.host(name));
    let is_served = |host: &String| traefik.leaf(host).is_ok_and(|leaf| wild() == leaf);
    wait_for("the switched host", || is_served(&hosts[1]).then_some(()));
    let mut commands: Vec<String> = commands(&audit, "ordersThoughCovered");
    commands.extend(self::commands(&audit, "shimOrphan"));
    for command in &commands {
        audited.world.run("sh", &["-c", command], &[], b"").ok();
    }
    for host in &hosts {
        wait_for("the routing secret", || is_served(host).then_some(()));
    }
    // Now the two Certificates that the switch has left behind can go, too.
    let (_, audit) = audited.audit(&[]);
    let unused = [self::commands(&audit, "shimOrphan"), self::commands(&audit, "certificateUnused")].concat();
    assert_eq!(unused.len(), 2, "{audit:#}");
    for command in &unused {
        audited.world.run("sh", &["-c", command], &[], b"").ok();
    }
    let certificates = ["get", "certificates", "-o", "jsonpath={.items[*].metadata.name}"];
    assert_eq!(audited.world.kubectl(&certificates).ok(), "taken");
    let (_, audit) = audited.audit(&[]);
    assert!(!found(&audit).iter().any(|of| of.contains("Orphan") || of.contains("Unused")), "{audit:#}");
    for host in &hosts {
        assert!(is_served(host), "{host}");
    }
}

#[test]
#[ignore = "needs the test bed"]
fn r13_what_a_pod_mounts_or_a_webhook_injects_is_not_called_unused() {
    let audited = Audited::new("audit-used");
    audited.apply(&audited.ingress("shop", "wild", &json!({})));
    for name in ["mounted", "env", "gone"] {
        audited.certificate(name, &audited.host("shop"), "ca");
        audited.ready(name);
    }
    let pod = |name: &str, spec: Value| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": audited.world.namespace},
            "spec": spec})
    };
    audited.apply(&pod(
        "a",
        json!({"containers": [{"name": "c", "image": "x"}], "volumes": [{"name": "v", "projected": {"sources": [
            {"secret": {"name": "mounted-tls"}}]}}]}),
    ));
    let from = json!([{"name": "A", "valueFrom": {"secretKeyRef": {"name": "env-tls", "key": "tls.crt"}}}]);
    audited.apply(&pod("b", json!({"containers": [{"name": "c", "image": "x", "env": from}]})));
    let (_, audit) = audited.audit(&[]);
    assert_eq!(found(&audit), ["certificateUnused gone"], "{audit:#}");
}

#[test]
#[ignore = "needs the test bed"]
fn orders_of_an_acme_server_are_counted_and_a_limit_is_a_finding() {
    let audited = Audited::new("audit-orders");
    audited.apply(&audited.ingress("shop", "shop-tls", &json!({ISSUER: "pebble"})));
    audited.certificate("inside", &audited.host("inside"), "ca");
    let order = ["get", "orders.acme.cert-manager.io", "-o", "jsonpath={.items[*].metadata.name}"];
    wait_for("the order", || (!audited.world.kubectl(&order).stdout.is_empty()).then_some(()));
    let (_, audit) = audited.audit(&[]);
    let acme = &audit["acme"][0];
    assert_eq!((&acme["server"], &acme["ordered"], &acme["saved"]), (&bed("BED_PEBBLE").into(), &1.into(), &1.into()));
    assert_eq!(acme["domains"][0]["name"], "audit.example", "{audit:#}");
    assert!(!found(&audit).iter().any(|of| of.starts_with("limitReached")), "{audit:#}");
    let (code, audit) = audited.audit(&["--limits", "domain=1"]);
    assert_eq!(code, 1);
    assert!(found(&audit).iter().any(|of| of.starts_with("limitReached")), "{audit:#}");
}

#[test]
#[ignore = "needs the test bed"]
fn what_may_not_be_read_is_said_and_is_not_fatal() {
    let audited = Audited::new("audit-nobody");
    let nobody = bed("BED_KUBECONFIG_NOBODY");
    let (code, audit) = audited.audit(&["--kubeconfig", &nobody]);
    assert_eq!((code, found(&audit)), (0, Vec::new()), "{audit:#}");
    let not_read: Vec<&str> =
        audit["notRead"].as_array().unwrap().iter().map(|of| of["resource"].as_str().unwrap()).collect();
    for resource in ["secrets", "ingresses.networking.k8s.io", "certificates.cert-manager.io"] {
        assert!(not_read.contains(&resource), "{resource}: {audit:#}");
    }
    let text = audited.world.program(&["audit", "-n", &audited.world.namespace, "--kubeconfig", &nobody], &[], b"");
    assert!(
        text.stdout.contains(&format!("may not list secrets in namespace {}", audited.world.namespace)),
        "{text:?}"
    );
}
