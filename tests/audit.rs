//! What an audit finds in a cluster, and what it leaves alone: the core, without a cluster.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use std::collections::HashSet;
use std::fs;

use routing_secrets::audit::limits::Limits;
use routing_secrets::audit::mention::Wanted;
use routing_secrets::audit::orders::{ApiIssuer, ApiOrder, ApiRequest, issuances};
use routing_secrets::audit::{Audit, Code, Finding, Index, Seen, audit, consumer, covered, text, unused};
use routing_secrets::certificate::live::ApiCertificate;
use routing_secrets::cluster::ServedKind;
use routing_secrets::inventory::{Inventory, Sources, file};
use routing_secrets::secret::{ObjectName, judge};
use serde_json::{Value, json};
use support::{Files, Tls, now, repository};

const ISSUER: &str = "cert-manager.io/cluster-issuer";

fn kind(kind: &str, group: &str, plural: &str) -> ServedKind {
    let [group, plural, kind] = [group, plural, kind].map(str::to_owned);
    ServedKind { group, version: "v1".to_owned(), plural, kind, namespaced: true }
}

fn ingress(name: &str, annotations: &Value, tls: &[(&str, &str)]) -> Value {
    let tls: Vec<Value> = tls.iter().map(|(host, secret)| json!({"hosts": [host], "secretName": secret})).collect();
    json!({"metadata": {"namespace": "demo", "name": name, "annotations": annotations}, "spec": {"tls": tls}})
}

fn certificate(name: &str, host: &str, owner: Option<&str>) -> Value {
    let owners: Vec<Value> = owner
        .iter()
        .map(
            |owner| json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": owner, "controller": true}),
        )
        .collect();
    json!({
        "metadata": {"namespace": "demo", "name": name, "ownerReferences": owners},
        "spec": {"secretName": name, "dnsNames": [host], "issuerRef": {"kind": "ClusterIssuer", "name": "le"}},
    })
}

/// `demo/wild` is a routing secret for `*.apps.example.com`.
struct Cluster {
    seen: Seen,
    secrets: Vec<Tls>,
    others: Vec<(ServedKind, Value)>,
}

impl Cluster {
    fn new() -> Self {
        let secrets = vec![Tls::new("demo", "wild", &["*.apps.example.com"])];
        Self { seen: Seen::default(), secrets, others: Vec::new() }
    }

    fn secret(mut self, secret: Tls) -> Self {
        self.secrets.push(secret);
        self
    }

    /// A Secret without the label.
    fn plain(self, name: &str, host: &str) -> Self {
        let mut secret = Tls::new("demo", name, &[host]);
        secret.labels.clear();
        self.secret(secret)
    }

    fn ingress(mut self, name: &str, annotations: &Value, tls: &[(&str, &str)]) -> Self {
        let kind = kind("Ingress", "networking.k8s.io", "ingresses");
        let object = ingress(name, annotations, tls);
        let row = consumer::row(&kind).unwrap();
        self.seen.consumers.extend(consumer::read(&kind, row, object.clone(), &[]));
        self.others.push((kind, object));
        self
    }

    fn certificate(mut self, certificate: Value) -> Self {
        self.seen.certificates.push(serde_json::from_value::<ApiCertificate>(certificate).unwrap().into());
        self
    }

    fn other(mut self, kind: ServedKind, object: Value) -> Self {
        self.others.push((kind, object));
        self
    }

    fn audit_with(mut self, limits: &Limits) -> Audit {
        let files = Files::new(&self.secrets);
        let raw = file::load(files.inventory().as_ref(), None).unwrap();
        let secrets = raw.into_iter().map(|raw| judge(raw, now())).collect();
        self.seen.inventory = Some(Inventory::build(secrets, &Sources::default(), now()));
        let index = Index::new(&self.seen);
        let wanted: HashSet<ObjectName> =
            covered::candidates(&index).into_iter().chain(unused::candidates(&index)).collect();
        let wanted = Wanted::new(wanted);
        let mut mentions = self.seen.mentions.clone();
        for (kind, object) in self.others {
            wanted.look(&kind, object, &mut mentions);
        }
        self.seen.mentions = mentions;
        audit(&self.seen, limits, now())
    }

    fn audit(self) -> Audit {
        self.audit_with(&Limits::default())
    }

    fn codes(self) -> Vec<(Code, String)> {
        self.audit().items.into_iter().map(|finding| (finding.code, finding.object.name)).collect()
    }

    /// The only finding.
    fn finding(self) -> Finding {
        let mut audit = self.audit();
        assert_eq!(audit.items.len(), 1, "{:#?}", audit.items);
        audit.items.remove(0)
    }
}

fn found(code: Code, name: &str) -> Vec<(Code, String)> {
    vec![(code, name.to_owned())]
}

#[test]
fn nothing_is_found_in_a_clean_cluster() {
    let audit = Cluster::new().ingress("shop", &json!({}), &[("shop.apps.example.com", "wild")]).audit();
    assert_eq!((audit.items, audit.unproven, audit.acme), (Vec::new(), Vec::new(), Vec::new()));
}

#[test]
fn slots_whose_secret_does_not_serve_are_found() {
    let slot = |secret: &str| Cluster::new().ingress("a", &json!({}), &[("a.example.org", secret)]);
    assert_eq!(slot("nothing").codes(), found(Code::SecretMissing, "a"));
    let mut old = Tls::new("demo", "old", &["a.example.org"]);
    old.years = (2020, 2021);
    assert_eq!(slot("old").secret(old).codes(), found(Code::SecretExpired, "a"));
    let mut foreign = Tls::new("demo", "foreign", &["a.example.org"]);
    foreign.foreign_key = true;
    assert_eq!(slot("foreign").secret(foreign).codes(), found(Code::SecretUnusable, "a"));
    assert_eq!(slot("wild").codes(), found(Code::SecretNotCovering, "a"));
    assert_eq!(slot("own").plain("own", "a.example.org").codes(), []);
    let mut other = slot("opaque");
    other.seen.of_other_types.insert(ObjectName { namespace: "demo".to_owned(), name: "opaque".to_owned() });
    assert_eq!(other.codes(), [], "a Secret of another type is not missing");
    let passthrough = json!({"nginx.ingress.kubernetes.io/ssl-passthrough": "true"});
    assert_eq!(Cluster::new().ingress("a", &passthrough, &[("a.example.org", "nothing")]).codes(), []);
}

#[test]
fn a_missing_secret_says_how_its_certificate_fares() {
    let mut of = certificate("own", "a.example.org", None);
    of["status"] =
        json!({"conditions": [{"type": "Ready", "status": "False", "reason": "x", "message": "no\u{1b} way"}]});
    let finding = Cluster::new().ingress("a", &json!({}), &[("a.example.org", "own")]).certificate(of).finding();
    assert_eq!(finding.message, "there is no such Secret; Certificate own is not ready: no\\u{1b} way");
}

/// An Ingress with a trigger, its Certificate and its Secret.
fn ordering(annotations: &Value) -> Cluster {
    let host = "shop.apps.example.com";
    Cluster::new()
        .ingress("shop", annotations, &[(host, "shop-tls")])
        .certificate(certificate("shop-tls", host, Some("shop")))
        .plain("shop-tls", host)
}

#[test]
fn a_trigger_is_found_where_a_routing_secret_covers_and_kubectl_takes_it_away_before_the_switch() {
    let finding = ordering(&json!({ISSUER: "le", "cert-manager.io/duration": "90h"})).finding();
    assert_eq!(finding.code, Code::OrdersThoughCovered);
    let at = "-n demo ingresses.networking.k8s.io shop";
    assert_eq!(
        finding.commands,
        [
            format!("kubectl annotate {at} {ISSUER}- cert-manager.io/duration-"),
            format!(
                "kubectl patch {at} --type=json -p '[{{\"op\":\"add\",\"path\":\"/spec/tls/0/secretName\",\"value\":\"wild\"}}]'"
            ),
        ]
    );
}

#[test]
fn objects_of_a_release_are_changed_by_its_upgrade() {
    let release =
        json!({ISSUER: "le", "meta.helm.sh/release-name": "it's; rm -rf ~", "meta.helm.sh/release-namespace": "demo"});
    let audit = ordering(&release).audit();
    // Without managed fields nobody knows that the trigger is the release's.
    let codes: Vec<Code> = audit.items.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::OrdersThoughCovered, Code::ForeignTrigger]);
    assert_eq!(
        audit.items[0].commands[1],
        r"helm upgrade 'it'\''s; rm -rf ~' CHART -n demo --reuse-values --post-renderer kubectl-routing_secrets"
    );
    assert_eq!(audit.items[1].commands, audit.items[0].commands[..1]);
}

#[test]
fn a_resolver_of_traefik_gives_way_to_the_secret() {
    let kind = kind("IngressRoute", "traefik.io", "ingressroutes");
    let object = json!({"metadata": {"namespace": "demo", "name": "route"}, "spec": {
        "routes": [{"match": "Host(`a.apps.example.com`)"}], "tls": {"certResolver": "le"}}});
    let mut cluster = Cluster::new();
    cluster.seen.consumers.extend(consumer::read(&kind, consumer::row(&kind).unwrap(), object, &[]));
    let command = r#"kubectl patch -n demo ingressroutes.traefik.io route --type=json -p '[{"op":"remove","path":"/spec/tls/certResolver"},{"op":"add","path":"/spec/tls/secretName","value":"wild"}]'"#;
    assert_eq!(cluster.finding().commands, [command]);
}

#[test]
fn a_certificate_of_its_own_counts_like_a_trigger() {
    let host = "api.apps.example.com";
    let api = || Cluster::new().ingress("api", &json!({}), &[(host, "api-tls")]).plain("api-tls", host);
    assert_eq!(api().certificate(certificate("api-tls", host, None)).codes(), found(Code::OrdersThoughCovered, "api"));
    assert_eq!(api().codes(), [], "someone chose a Secret that nothing orders");
}

#[test]
fn r10_an_object_with_a_slot_that_is_not_covered_is_left() {
    let tls = [("shop.apps.example.com", "shop-tls"), ("a.example.org", "a-tls")];
    let cluster = Cluster::new().ingress("shop", &json!({ISSUER: "le"}), &tls);
    assert_eq!(cluster.plain("shop-tls", tls[0].0).plain("a-tls", tls[1].0).codes(), []);
    let ignored = json!({ISSUER: "le", "routing-secrets.epinio.io/ignore": "true"});
    assert_eq!(ordering(&ignored).codes(), []);
}

#[test]
fn r12_what_inherits_a_trigger_or_hands_it_down_is_left() {
    let read = |cluster: &mut Cluster, name: &str, plural: &str, annotations: &Value| {
        let kind = kind(name, "gateway.networking.k8s.io", plural);
        let listener = json!({"name": "a", "hostname": "a.apps.example.com", "protocol": "HTTPS",
            "tls": {"certificateRefs": [{"name": "a-tls"}]}});
        let object = json!({"metadata": {"namespace": "demo", "name": "a", "annotations": annotations},
            "spec": {"listeners": [listener]}});
        cluster.seen.consumers.extend(consumer::read(&kind, consumer::row(&kind).unwrap(), object, &[]));
    };
    let with = |gateway: bool, set: bool| {
        let mut cluster = Cluster::new().plain("a-tls", "a.apps.example.com");
        cluster = cluster.certificate(certificate("a-tls", "a.apps.example.com", None));
        if gateway {
            read(&mut cluster, "Gateway", "gateways", &json!({ISSUER: "le"}));
        }
        if set {
            read(&mut cluster, "ListenerSet", "listenersets", &json!({}));
        }
        cluster.codes()
    };
    assert_eq!(with(true, false), found(Code::OrdersThoughCovered, "a"));
    assert_eq!(with(false, true), []);
    assert_eq!(with(true, true), []);
}

fn pod() -> (ServedKind, Value) {
    let volumes = json!([{"secret": {"secretName": "shop-tls"}}]);
    (kind("Pod", "", "pods"), json!({"metadata": {"namespace": "demo", "name": "p"}, "spec": {"volumes": volumes}}))
}

#[test]
fn r10_a_trigger_whose_secret_a_pod_needs_is_not_to_be_taken_away() {
    let (kind, pod) = pod();
    let audit = ordering(&json!({ISSUER: "le"})).other(kind, pod).audit();
    assert_eq!(audit.items, []);
    assert_eq!(
        audit.unproven[0].message,
        "it orders a certificate although wild covers its hosts; the Secret's name also stands in Pod demo/p"
    );
}

#[test]
fn r4_a_trigger_beside_a_routing_secret_overwrites_it() {
    let tls = [("shop.apps.example.com", "wild")];
    let cluster = || Cluster::new().ingress("shop", &json!({ISSUER: "le"}), &tls);
    let finding = cluster().finding();
    assert_eq!(finding.code, Code::Overwrites);
    assert_eq!(finding.commands.len(), 1);
    let hijacked = cluster().certificate(certificate("wild", tls[0].0, Some("shop"))).finding();
    assert_eq!(hijacked.commands[1], "kubectl delete -n demo certificates.cert-manager.io wild");
    assert!(hijacked.message.contains("restore the Secret's data"), "{}", hijacked.message);
}

/// The shop of [`ordering`] after its switch: its Certificate is left over.
fn switched() -> Cluster {
    let host = "shop.apps.example.com";
    Cluster::new()
        .ingress("shop", &json!({}), &[(host, "wild")])
        .certificate(certificate("shop-tls", host, Some("shop")))
        .plain("shop-tls", host)
}

#[test]
fn what_a_shim_left_behind_is_found() {
    let finding = switched().finding();
    assert_eq!(finding.code, Code::ShimOrphan);
    assert_eq!(finding.commands, ["kubectl delete -n demo certificates.cert-manager.io shop-tls"]);
}

#[test]
fn r13_a_certificate_that_anything_needs_is_not_called_unused() {
    let (of, pod) = pod();
    assert_eq!(switched().other(of, pod).codes(), []);
    assert_eq!(
        switched().ingress("b", &json!({}), &[("shop.apps.example.com", "shop-tls")]).codes().len(),
        1,
        "it orders, no more"
    );
    let injecting =
        json!({"metadata": {"name": "w", "annotations": {"cert-manager.io/inject-ca-from": "demo/shop-tls"}}});
    assert_eq!(switched().other(kind("APIService", "apiregistration.k8s.io", "apiservices"), injecting).codes(), []);
    let marked = |change: fn(&mut Value)| {
        let host = "shop.apps.example.com";
        let mut certificate = certificate("shop-tls", host, Some("shop"));
        change(&mut certificate);
        Cluster::new().ingress("shop", &json!({}), &[(host, "wild")]).certificate(certificate).codes()
    };
    assert_eq!(marked(|of| of["spec"]["isCA"] = true.into()), []);
    assert_eq!(marked(|of| of["spec"]["secretTemplate"] = json!({"labels": {"epinio.io/routing": ""}})), []);
    assert_eq!(marked(|of| of["spec"]["keystores"] = json!({"jks": {"create": true}})), []);
    assert_eq!(marked(|of| of["metadata"]["ownerReferences"][0]["kind"] = "Kafka".into()), []);
    assert_eq!(marked(|of| of["metadata"]["labels"] = json!({"a": "b"})), found(Code::ShimOrphan, "shop-tls"));
    let mut source = Tls::new("demo", "shop-tls", &["shop.apps.example.com"]);
    source.annotations.insert("kubed.appscode.com/sync".to_owned(), String::new());
    let mut replicated = switched();
    replicated.secrets.retain(|secret| secret.name != "shop-tls");
    source.labels.clear();
    assert_eq!(replicated.secret(source).codes(), []);
}

#[test]
fn r13_where_something_could_not_be_read_nothing_is_called_unused() {
    let mut cluster = switched();
    cluster.seen.mentions.gap = Some("may not list pods".to_owned());
    let audit = cluster.audit();
    assert_eq!(audit.items, []);
    assert_eq!(audit.unproven[0].message, "no slot names the Secret shop-tls, but may not list pods");
}

#[test]
fn r13_a_certificate_without_a_shim_is_unused_when_routing_secrets_serve_its_hosts() {
    let with = |host: &str| {
        Cluster::new()
            .ingress("shop", &json!({}), &[("shop.apps.example.com", "wild")])
            .certificate(certificate("shop-tls", host, None))
    };
    assert_eq!(with("shop.apps.example.com").codes(), found(Code::CertificateUnused, "shop-tls"));
    let audit = with("grpc.apps.example.com").audit();
    assert_eq!((audit.items.len(), audit.unproven.len()), (0, 1), "a program may read it through the API");
    let mut of_release = certificate("shop-tls", "shop.apps.example.com", None);
    of_release["metadata"]["annotations"] = json!({"meta.helm.sh/release-name": "shop"});
    let cluster = Cluster::new().ingress("shop", &json!({}), &[("shop.apps.example.com", "wild")]);
    let finding = cluster.certificate(of_release).finding();
    assert!(finding.commands[0].starts_with("helm upgrade shop CHART -n demo "), "{:?}", finding.commands);
}

/// Orders of one name set each, all for Certificates of their own, an hour ago.
fn with_orders(mut cluster: Cluster, orders: &[(&str, &str, &str)]) -> Cluster {
    let issuer = json!({"metadata": {"name": "le"}, "spec": {"acme": {"server": "https://acme.example/dir"}}});
    cluster.seen.acme.add(serde_json::from_value::<ApiIssuer>(issuer).unwrap());
    let inside = json!({"metadata": {"name": "ca"}, "spec": {"ca": {"secretName": "ca"}}});
    cluster.seen.acme.add(serde_json::from_value::<ApiIssuer>(inside).unwrap());
    let order = |at: usize, (name, host, revision): (&str, &str, &str)| {
        json!({
            "metadata": {"namespace": "demo", "name": format!("{name}-{at}"), "creationTimestamp": "2026-11-23T23:00:00Z",
                "annotations": {"cert-manager.io/certificate-name": name, "cert-manager.io/certificate-revision": revision},
                "ownerReferences": [{"kind": "CertificateRequest", "name": format!("{name}-{revision}-{at}")}]},
            "spec": {"dnsNames": [host], "issuerRef": {"kind": "ClusterIssuer", "name": "le", "group": "cert-manager.io"}},
            "status": {"state": "valid"},
        })
    };
    let orders = orders.iter().enumerate().map(|(at, &of)| serde_json::from_value::<ApiOrder>(order(at, of)).unwrap());
    let orders = orders.filter_map(ApiOrder::reduce).collect();
    let since = "2026-11-17T00:00:00Z".parse().unwrap();
    let Seen { certificates, acme, .. } = &cluster.seen;
    cluster.seen.issuances = issuances(orders, Vec::new(), certificates, None, acme, since);
    cluster
}

#[test]
fn orders_are_counted_by_registered_domain_and_by_exact_set() {
    let orders = [
        ("shop-tls", "shop.apps.example.com", "1"),
        ("shop-tls", "shop.apps.example.com", "2"),
        ("b", "b.example.co.uk", "1"),
        ("c", "c.example.co.uk", "4"),
    ];
    let mut renewing = certificate("b", "b.example.co.uk", None);
    renewing["status"] = json!({"renewalTime": "2026-11-28T00:00:00Z"});
    let mut later = certificate("c", "c.example.co.uk", None);
    later["status"] = json!({"renewalTime": "2026-12-28T00:00:00Z"});
    let cluster = ordering(&json!({ISSUER: "le"})).certificate(renewing).certificate(later);
    let audit = with_orders(cluster, &orders).audit();
    let [acme] = audit.acme.as_slice() else { panic!("{:?}", audit.acme) };
    assert_eq!((acme.server.as_str(), acme.ordered, acme.due, acme.saved), ("https://acme.example/dir", 4, 1, 2));
    let domains: Vec<(&str, usize, usize)> =
        acme.domains.iter().map(|of| (of.name.as_str(), of.ordered, of.saved)).collect();
    // Renewals of the same names are exempt, so the second order of the shop and the fourth of c do not count.
    assert_eq!(domains, [("example.co.uk", 1, 0), ("example.com", 1, 1)]);
    let sets: Vec<(&str, usize, usize)> = acme.sets.iter().map(|of| (of.name.as_str(), of.ordered, of.due)).collect();
    assert_eq!(sets, [("b.example.co.uk", 1, 1), ("shop.apps.example.com", 2, 0)]);
    assert!(audit.items.iter().all(|finding| finding.code != Code::LimitReached));
}

#[test]
fn a_limit_that_is_reached_is_a_finding() {
    let orders = [("a", "a.example.com", "1"), ("b", "b.example.com", "1"), ("b", "b.example.com", "2")];
    let reached = |limits: &str| {
        let audit = with_orders(Cluster::new(), &orders).audit_with(&limits.parse().unwrap());
        audit.items.into_iter().map(|finding| finding.hosts.join(",")).collect::<Vec<_>>()
    };
    assert_eq!(reached("domain=3"), [""; 0]);
    assert_eq!(reached("domain=2"), ["example.com"]);
    assert_eq!(reached("set=2"), ["b.example.com"]);
    assert_eq!(reached("domain=2,set=2,window=30m"), [""; 0], "they were ordered an hour ago");
    for wrong in ["", "domain", "domain=x", "window=soon", "other=1"] {
        assert!(wrong.parse::<Limits>().is_err(), "{wrong}");
    }
}

#[test]
fn a_request_whose_order_is_gone_counts_once() {
    let cluster = with_orders(Cluster::new().certificate(certificate("a", "a.example.com", None)), &[]);
    let request = |name: &str| {
        let request = json!({
            "metadata": {"namespace": "demo", "name": name, "creationTimestamp": "2026-11-23T00:00:00Z",
                "annotations": {"cert-manager.io/certificate-name": "a", "cert-manager.io/certificate-revision": "1"}},
            "spec": {"issuerRef": {"kind": "ClusterIssuer", "name": "le", "group": "cert-manager.io"}},
            "status": {"certificate": "LS0t"},
        });
        serde_json::from_value::<ApiRequest>(request).unwrap().reduce()
    };
    let requests = [request("a-1"), request("a-1"), request("a-2")].into_iter().flatten().collect();
    let Seen { certificates, acme, .. } = &cluster.seen;
    let found = issuances(Vec::new(), requests, certificates, None, acme, "2026-11-17T00:00:00Z".parse().unwrap());
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn r20_text_shows_nothing_that_a_terminal_obeys() {
    let audit = Cluster::new().ingress("a", &json!({}), &[("a\u{1b}[2J.example.org", "no\u{202e}thing")]).audit();
    let text = text::text(&audit, false);
    assert!(text.contains("there is no such Secret") && !text.contains(['\u{1b}', '\u{202e}']), "{text}");
    assert!(
        text.contains("Slots whose Secret does not serve their hosts: 1\n  Ingress demo/a spec.tls[0].secretName: "),
        "{text}"
    );
}

#[test]
fn the_schema_of_an_audit_is_current() {
    let text = serde_json::to_string_pretty(&schemars::schema_for!(Audit)).unwrap() + "\n";
    let path = repository().join("schema/audit.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let is_current = fs::read_to_string(&path).unwrap_or_default() == text;
    assert!(is_current, "UPDATE_GOLDEN=1 cargo test --test audit writes schema/audit.json anew");
}
