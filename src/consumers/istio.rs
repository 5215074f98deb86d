//! Istio's Gateway (networking.istio.io): TLS ends at the gateway pods, which read the Secret from their own namespace
//! (istio/istio `pilot/pkg/xds/sds.go`).

use super::elsewhere::Spelled;
use super::{Hosts, Left, NodeId, Row};
use crate::choose::WildcardSpan;
use crate::manifest::document::Document;

/// Gateway: each server is a slot; its hosts may say which namespaces' routes they take.
pub static GATEWAY: Row = Row {
    groups: &["networking.istio.io"],
    literals: &["networking.istio.io"],
    kind: "Gateway",
    plural: "gateways",
    tls: &["spec", "servers"],
    secret_name: &["tls", "credentialName"],
    secret_names: &["tls", "credentialNames"],
    hosts: Hosts::Entry(&["hosts"]),
    host_name: |host| host.split_once('/').map_or(host, |(_, host)| host),
    sequences: &["servers", "credentialNames", "hosts"],
    span: WildcardSpan::ManyLabels,
    pod_selector: &["spec", "selector"],
    note: "the Secret is read from the gateway pods' namespace",
    spelled,
    skip_slot,
    ..Row::PLAIN
};

/// Modes in which the Secret is asked for a certificate alone.
const PLAIN_MODES: [&str; 1] = ["SIMPLE"];

fn skip_slot(document: &Document<'_>, server: NodeId) -> Option<Left> {
    let mode = document.text_at(server, &["tls", "mode"]).unwrap_or(PLAIN_MODES[0]);
    match mode {
        "PASSTHROUGH" | "AUTO_PASSTHROUGH" => return Some(Left::Passthrough(format!("tls.mode: {mode}"))),
        "ISTIO_MUTUAL" => return Some(Left::NoSecret),
        mode if !PLAIN_MODES.contains(&mode) => return Some(Left::ReadsMore(format!("tls.mode: {mode}"))),
        _ => {}
    }
    let other = ["serverCertificate", "privateKey", "tlsCertificates", "caCertificates", "caCertCredentialName"];
    let found = other.iter().find(|key| document.at(server, &["tls", key]).is_some())?;
    Some(Left::ReadsMore(format!("tls.{found}")))
}

/// Names with a scheme say where the certificate comes from (`pilot/pkg/credentials`).
fn spelled(_: &Document<'_>, _: NodeId, text: &str) -> Result<Spelled, Left> {
    match text.split_once("://") {
        None => Ok(Spelled::plain(text)),
        Some(("kubernetes", _)) => Err(Left::SecretElsewhere(text.to_owned())),
        Some(_) => Err(Left::NoSecret),
    }
}
