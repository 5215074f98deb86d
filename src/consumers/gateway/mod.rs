//! Gateway API (gateway.networking.k8s.io): TLS ends at the listeners of Gateways and ListenerSets, for the hosts of
//! these or of the routes that attach to them (`apis/v1/{gateway,listenerset}_types.go`).

pub mod grant;
pub mod listener;
pub mod route;

use super::{Hosts, Left, NodeId, Permission, Row};
use crate::choose::WildcardSpan;
use crate::manifest::document::Document;
use crate::manifest::object::Object;

/// The API group.
pub const GROUP: &str = "gateway.networking.k8s.io";

/// The group of what was tried out first.
const X_GROUP: &str = "gateway.networking.x-k8s.io";

/// Gateway: each listener is a slot; its hostname's `*` spans labels.
pub static GATEWAY: Row = Row { kind: "Gateway", plural: "gateways", skip: skip_gateway, ..LISTENERS };

/// ListenerSet: further listeners of a Gateway (standard since Gateway API 1.5).
pub static LISTENER_SET: Row = Row { kind: "ListenerSet", plural: "listenersets", ..LISTENERS };

/// XListenerSet: the same in Gateway API 1.3 and 1.4.
pub static X_LISTENER_SET: Row =
    Row { groups: &[X_GROUP], literals: &[X_GROUP], kind: "XListenerSet", plural: "xlistenersets", ..LISTENERS };

const LISTENERS: Row = Row {
    groups: &[GROUP],
    literals: &[GROUP],
    tls: &["spec", "listeners"],
    secret_name: &["tls", "certificateRefs", "name"],
    secret_namespace: &["tls", "certificateRefs", "namespace"],
    permission: Some(Permission::ReferenceGrant),
    hosts: Hosts::Entry(&["hostname"]),
    sequences: &["listeners", "certificateRefs"],
    span: WildcardSpan::ManyLabels,
    annotation_triggers: true,
    has_listeners: true,
    skip_slot,
    ..Row::PLAIN
};

/// Keys of `tls.options` by which the certificate comes from elsewhere, or the Secret has to hold more than that.
const OPTIONS: [&str; 3] = [
    "networking.gke.io/pre-shared-certs",
    "networking.gke.io/cert-manager-certs",
    "gateway.istio.io/tls-terminate-mode",
];

/// The annotation by which GKE takes the certificates from a map of its Certificate Manager.
const CERTIFICATE_MAP: &str = "networking.gke.io/certmap";

/// The Gateway of a ListenerSet: its namespace, if it is not the object's own, and its name; nothing where that cannot
/// be said.
#[must_use]
pub fn parent<'d>(document: &'d Document<'_>, object: &Object<'_>) -> Option<(Option<&'d str>, &'d str)> {
    let parent = document.at(object.node, &["spec", "parentRef"])?;
    let field = |key: &str| document.text_at(parent, &[key]).filter(|text| !text.is_empty());
    let is_gateway = document.text_at(parent, &["group"]).unwrap_or(GROUP) == GROUP
        && field("kind").unwrap_or(GATEWAY.kind) == GATEWAY.kind
        && !document.has_merge_key(document.resolve(parent));
    Some((field("namespace"), field("name").filter(|_| is_gateway)?))
}

fn skip_gateway(document: &Document<'_>, object: &Object<'_>) -> Option<Left> {
    let map = document.text_at(object.node, &["metadata", "annotations", CERTIFICATE_MAP])?;
    Some(Left::CertificateElsewhere(format!("{CERTIFICATE_MAP}: {map}")))
}

fn skip_slot(document: &Document<'_>, listener: NodeId) -> Option<Left> {
    if let Some(protocol) = document.text_at(listener, &["protocol"])
        && listener::PLAIN_PROTOCOLS.contains(&protocol)
    {
        return Some(Left::NoTls(format!("protocol: {protocol}")));
    }
    if document.text_at(listener, &["tls", "mode"]).is_some_and(|mode| mode != "Terminate") {
        return Some(Left::Passthrough("tls.mode: Passthrough".to_owned()));
    }
    let options = OPTIONS.iter().find_map(|key| Some((key, document.text_at(listener, &["tls", "options", key])?)));
    if let Some((key, value)) = options {
        return Some(Left::CertificateElsewhere(format!("tls.options {key}: {value}")));
    }
    let references = document.at(listener, &["tls", "certificateRefs"])?;
    let is_other = |reference: NodeId| {
        let field = |key: &str| document.text_at(reference, &[key]);
        field("kind").is_some_and(|kind| kind != "Secret") || field("group").is_some_and(|group| !group.is_empty())
    };
    document.items(references).any(is_other).then_some(Left::NoSecret)
}
