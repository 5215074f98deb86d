//! F5's BIG-IP (cis.f5.com): Secrets instead of profiles of the appliance with `reference: secret`
//! (F5Networks/k8s-bigip-ctlr `config/apis/cis/v1/types.go`).

use super::{Hosts, Left, NodeId, Row};
use crate::manifest::document::Document;

/// TLSProfile, which VirtualServers name.
pub static TLS_PROFILE: Row = Row {
    kind: "TLSProfile",
    plural: "tlsprofiles",
    secret_name: &["clientSSL"],
    hosts: Hosts::Object(&["spec", "hosts"]),
    ..TLS
};

/// TransportServer.
pub static TRANSPORT_SERVER: Row = Row {
    kind: "TransportServer",
    plural: "transportservers",
    secret_name: &[],
    hosts: Hosts::Object(&["spec", "host"]),
    ..TLS
};

const TLS: Row = Row {
    groups: &["cis.f5.com"],
    literals: &["cis.f5.com"],
    secret_names: &["clientSSLs"],
    sequences: &["hosts", "clientSSLs"],
    note: "with reference: secret",
    skip_slot,
    ..Row::PLAIN
};

fn skip_slot(document: &Document<'_>, tls: NodeId) -> Option<Left> {
    if document.text_at(tls, &["termination"]) == Some("passthrough") {
        return Some(Left::Passthrough("tls.termination: passthrough".to_owned()));
    }
    (document.text_at(tls, &["reference"]) != Some("secret")).then_some(Left::NoSecret)
}
