//! Kinds of which one row says all.

use super::trigger::Actor;
use super::{BlockTrigger, Hosts, Left, NodeId, Permission, Row, Served, Spelled};
use crate::choose::WildcardSpan;
use crate::manifest::document::{Document, NodeKind};
use crate::manifest::object::Object;

/// OpenShift Route: a Secret only by `externalCertificate` (openshift/api `route/v1/types.go`).
pub static OPENSHIFT_ROUTE: Row = Row {
    groups: &["route.openshift.io"],
    literals: &["route.openshift.io"],
    kind: "Route",
    plural: "routes",
    secret_name: &["externalCertificate", "name"],
    inline: &["certificate", "key"],
    hosts: Hosts::Object(&["spec", "host"]),
    note: "inline certificates are left; the router must be allowed to read the Secret",
    annotation_triggers: true,
    skip: skip_route,
    ..Row::PLAIN
};

/// Contour's HTTPProxy (projectcontour/contour `apis/projectcontour/v1/httpproxy.go`).
pub static HTTP_PROXY: Row = Row {
    groups: &["projectcontour.io"],
    literals: &["projectcontour.io"],
    kind: "HTTPProxy",
    plural: "httpproxies",
    ..HTTP_PROXY_SHAPE
};

/// Contour's IngressRoute of old, of the same shape.
pub static CONTOUR_INGRESS_ROUTE: Row = Row {
    groups: &["contour.heptio.com"],
    literals: &["contour.heptio.com"],
    kind: "IngressRoute",
    plural: "ingressroutes",
    ..HTTP_PROXY_SHAPE
};

const HTTP_PROXY_SHAPE: Row = Row {
    tls: &["spec", "virtualhost", "tls"],
    hosts: Hosts::Object(&["spec", "virtualhost", "fqdn"]),
    permission: Some(Permission::TLSCertificateDelegation),
    spelled: |_, _, text| Ok(Spelled::prefixed(text)),
    skip_slot: skip_contour,
    ..Row::PLAIN
};

/// F5 NGINX's VirtualServer (nginx/kubernetes-ingress `pkg/apis/configuration/v1/types.go`).
pub static NGINX_VIRTUAL_SERVER: Row = Row {
    groups: &["k8s.nginx.org"],
    literals: &["k8s.nginx.org"],
    kind: "VirtualServer",
    plural: "virtualservers",
    secret_name: &["secret"],
    hosts: Hosts::Object(&["spec", "host"]),
    span: WildcardSpan::ManyLabels,
    block_trigger: Some(BlockTrigger {
        key: "cert-manager",
        companion: None,
        actor: Actor::Secret,
        replaces_name: false,
    }),
    ..Row::PLAIN
};

/// F5 NGINX's TransportServer.
pub static NGINX_TRANSPORT_SERVER: Row = Row {
    groups: &["k8s.nginx.org"],
    literals: &["k8s.nginx.org"],
    kind: "TransportServer",
    plural: "transportservers",
    secret_name: &["secret"],
    hosts: Hosts::Object(&["spec", "host"]),
    span: WildcardSpan::ManyLabels,
    ..Row::PLAIN
};

/// Kong's TCPIngress: an Ingress's TLS block.
pub static TCP_INGRESS: Row = Row {
    groups: &["configuration.konghq.com"],
    literals: &["configuration.konghq.com"],
    kind: "TCPIngress",
    plural: "tcpingresses",
    sequences: &["tls", "hosts"],
    splits: true,
    served: rule_hosts,
    skip: skip_kong,
    ..Row::PLAIN
};

/// Skipper's RouteGroup (zalando-incubator/kubernetes-on-aws, skipper `dataclients/kubernetes/definitions`).
pub static ROUTE_GROUP: Row = Row {
    groups: &["zalando.org"],
    literals: &["zalando.org"],
    kind: "RouteGroup",
    plural: "routegroups",
    sequences: &["tls", "hosts"],
    ..Row::PLAIN
};

/// Knative's DomainMapping: its name is the host (knative/serving `pkg/apis/serving/v1beta1`).
pub static DOMAIN_MAPPING: Row = Row {
    groups: &["serving.knative.dev"],
    literals: &["serving.knative.dev"],
    kind: "DomainMapping",
    plural: "domainmappings",
    hosts: Hosts::Name,
    ..Row::PLAIN
};

/// APISIX's ApisixTls: it always names the Secret's namespace.
pub static APISIX_TLS: Row = Row {
    groups: &["apisix.apache.org"],
    literals: &["apisix.apache.org"],
    kind: "ApisixTls",
    plural: "apisixtlses",
    tls: &["spec"],
    sequences: &["hosts"],
    secret_name: &["secret", "name"],
    secret_namespace: &["secret", "namespace"],
    ..Row::PLAIN
};

fn skip_route(document: &Document<'_>, object: &Object<'_>) -> Option<Left> {
    let field = |path: &[&str]| document.text_at(object.node, path);
    if field(&["spec", "tls", "termination"]) == Some("passthrough") {
        return Some(Left::Passthrough("spec.tls.termination: passthrough".to_owned()));
    }
    if field(&["spec", "wildcardPolicy"]) == Some("Subdomain") {
        return Some(Left::UndecidableRule("wildcardPolicy: Subdomain serves every name beside the host".to_owned()));
    }
    // openshift-routes of cert-manager writes the certificate into the Route itself.
    field(&["metadata", "annotations", "cert-manager.io/issuer-name"])
        .map(|_| Left::InlineCertificate("cert-manager.io/issuer-name".to_owned()))
}

fn skip_contour(document: &Document<'_>, tls: NodeId) -> Option<Left> {
    if document.text_at(tls, &["passthrough"]).is_some_and(|text| !text.eq_ignore_ascii_case("false")) {
        return Some(Left::Passthrough("tls.passthrough: true".to_owned()));
    }
    None
}

fn skip_kong(document: &Document<'_>, object: &Object<'_>) -> Option<Left> {
    let protocols = document.text_at(object.node, &["metadata", "annotations", "konghq.com/protocols"]);
    protocols
        .filter(|protocols| protocols.contains("passthrough"))
        .map(|protocols| Left::Passthrough(format!("konghq.com/protocols: {protocols}")))
}

fn rule_hosts<'d>(document: &'d Document<'_>, object: &Object<'_>) -> Served<'d> {
    let rules = document.at(object.node, &["spec", "rules"]);
    let rules = rules.iter().filter(|&&rules| matches!(document.kind(rules), NodeKind::Sequence { .. }));
    let hosts = rules.flat_map(|&rules| document.items(rules)).filter_map(|rule| document.text_at(rule, &["host"]));
    Served { rules: hosts.collect(), ..Served::default() }
}
