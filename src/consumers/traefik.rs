//! Traefik's IngressRoute and IngressRouteTCP: one TLS block for all routes, hosts in the rules
//! (Traefik `pkg/provider/kubernetes/crd`).

use super::trigger::Actor;
use super::{BlockTrigger, Hosts, Left, Row, Served, rule};
use crate::manifest::document::Document;
use crate::manifest::object::Object;

/// Traefik's groups: today's, and that of Traefik 2 and earlier.
const GROUPS: &[&str] = &["traefik.io", "traefik.containo.us"];

/// Traefik's own ACME client, with the names that it orders for.
const CERT_RESOLVER: BlockTrigger =
    BlockTrigger { key: "certResolver", companion: Some("domains"), actor: Actor::Traefik, replaces_name: true };

/// IngressRoute: all routes share one Secret in the object's own namespace.
pub static INGRESS_ROUTE: Row = Row {
    groups: GROUPS,
    literals: GROUPS,
    kind: "IngressRoute",
    plural: "ingressroutes",
    note: "all routes share one Secret",
    hosts: Hosts::Rules(rule::Matcher::Host),
    block_trigger: Some(CERT_RESOLVER),
    served,
    skip,
    ..Row::PLAIN
};

/// IngressRouteTCP: as [`INGRESS_ROUTE`], with `HostSNI` in the rules.
pub static INGRESS_ROUTE_TCP: Row = Row {
    groups: GROUPS,
    literals: GROUPS,
    kind: "IngressRouteTCP",
    plural: "ingressroutetcps",
    note: "all routes share one Secret",
    hosts: Hosts::Rules(rule::Matcher::HostSni),
    block_trigger: Some(CERT_RESOLVER),
    served,
    skip,
    ..Row::PLAIN
};

fn skip(document: &Document<'_>, object: &Object<'_>) -> Option<Left> {
    let passthrough = document.text_at(object.node, &["spec", "tls", "passthrough"]);
    passthrough
        .is_some_and(|text| !text.eq_ignore_ascii_case("false"))
        .then(|| Left::Passthrough("spec.tls.passthrough: true".to_owned()))
}

/// The names in `spec.tls.domains` were asked for, so they stay covered (R15).
fn served<'d>(document: &'d Document<'_>, object: &Object<'_>) -> Served<'d> {
    let mut served = Served::default();
    let domains = document.at(object.node, &["spec", "tls", "domains"]);
    for domain in domains.iter().flat_map(|&domains| document.items(domains)) {
        let main = document.text_at(domain, &["main"]);
        let sans = document.get(domain, "sans");
        let sans = sans.iter().flat_map(|&sans| document.items(sans)).filter_map(|san| document.text(san));
        served.aliases.extend(main.into_iter().chain(sans));
    }
    served
}
