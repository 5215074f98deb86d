//! Gloo Edge (gateway.solo.io): `sslConfig` with a Secret of any namespace (solo-io/gloo
//! `projects/gloo/api/v1/ssl/ssl.proto`).

use super::{Hosts, Left, NodeId, Row, Served, without_port};
use crate::choose::WildcardSpan;
use crate::manifest::document::Document;
use crate::manifest::object::Object;

/// VirtualService: its domains, and the server names that choose its certificate.
pub static VIRTUAL_SERVICE: Row = Row {
    kind: "VirtualService",
    plural: "virtualservices",
    tls: &["spec", "sslConfig"],
    hosts: Hosts::Object(&["spec", "virtualHost", "domains"]),
    host_name: without_port,
    sequences: &["domains"],
    served,
    ..SSL_CONFIG
};

/// Gateway: TCP hosts, and those of a hybrid gateway.
pub static GATEWAY: Row = Row {
    kind: "Gateway",
    plural: "gateways",
    tls: &["spec", "tcpGateway", "tcpHosts", "sslConfig"],
    further_tls: &[&["spec", "hybridGateway", "matchedGateways", "matcher", "sslConfig"]],
    ..SSL_CONFIG
};

/// MatchableHttpGateway.
pub static MATCHABLE_HTTP_GATEWAY: Row =
    Row { kind: "MatchableHttpGateway", plural: "httpgateways", tls: &["spec", "matcher", "sslConfig"], ..SSL_CONFIG };

/// MatchableTcpGateway.
pub static MATCHABLE_TCP_GATEWAY: Row = Row {
    kind: "MatchableTcpGateway",
    plural: "tcpgateways",
    tls: &["spec", "tcpGateway", "tcpHosts", "sslConfig"],
    further_tls: &[&["spec", "matcher", "sslConfig"]],
    ..SSL_CONFIG
};

const SSL_CONFIG: Row = Row {
    groups: &["gateway.solo.io"],
    literals: &["gateway.solo.io"],
    secret_name: &["secretRef", "name"],
    secret_namespace: &["secretRef", "namespace"],
    inline: &["sslFiles", "sds"],
    hosts: Hosts::Entry(&["sniDomains"]),
    sequences: &["sniDomains", "tcpHosts", "matchedGateways"],
    span: WildcardSpan::ManyLabels,
    note: "with oneWayTls: true",
    skip_slot,
    ..Row::PLAIN
};

/// A `ca.crt`, which cert-manager writes beside many a certificate, makes Gloo ask clients for theirs.
fn skip_slot(document: &Document<'_>, ssl_config: NodeId) -> Option<Left> {
    let is_one_way = document.text_at(ssl_config, &["oneWayTls"]) == Some("true");
    (!is_one_way)
        .then(|| Left::ReadsMore("without oneWayTls: true a ca.crt in it makes clients show certificates".to_owned()))
}

fn served<'d>(document: &'d Document<'_>, object: &Object<'_>) -> Served<'d> {
    let names = document.at(object.node, &["spec", "sslConfig", "sniDomains"]);
    let names = names.iter().flat_map(|&names| document.items(names)).filter_map(|name| document.text(name));
    Served { aliases: names.collect(), ..Served::default() }
}
