//! Gateway API (gateway.networking.k8s.io): TLS ends at the listeners (`apis/v1/gateway_types.go`).

use super::{Hosts, Left, NodeId, Permission, Row};
use crate::choose::WildcardSpan;
use crate::manifest::document::Document;

/// Gateway: each listener is a slot; its hostname's `*` spans labels.
pub static GATEWAY: Row = Row {
    groups: &["gateway.networking.k8s.io"],
    literals: &["gateway.networking.k8s.io"],
    kind: "Gateway",
    plural: "gateways",
    tls: &["spec", "listeners"],
    secret_name: &["tls", "certificateRefs", "name"],
    secret_namespace: &["tls", "certificateRefs", "namespace"],
    permission: Some(Permission::ReferenceGrant),
    hosts: Hosts::Entry(&["hostname"]),
    sequences: &["listeners", "certificateRefs"],
    span: WildcardSpan::ManyLabels,
    annotation_triggers: true,
    skip_slot,
    ..Row::PLAIN
};

fn skip_slot(document: &Document<'_>, listener: NodeId) -> Option<Left> {
    if document.text_at(listener, &["tls", "mode"]).is_some_and(|mode| mode != "Terminate") {
        return Some(Left::Passthrough("tls.mode: Passthrough".to_owned()));
    }
    let references = document.at(listener, &["tls", "certificateRefs"])?;
    let is_other = |reference: NodeId| {
        let field = |key: &str| document.text_at(reference, &[key]);
        field("kind").is_some_and(|kind| kind != "Secret") || field("group").is_some_and(|group| !group.is_empty())
    };
    document.items(references).any(is_other).then_some(Left::NoSecret)
}
