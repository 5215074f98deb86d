//! One listener of a Gateway or ListenerSet, and which routes attach to it (`apis/v1/gateway_types.go: Listener`,
//! `shared_types.go: ParentReference`).

use super::route::{Parent, Route};
use super::{GROUP, NodeId};
use crate::manifest::document::Document;

/// A listener, as far as it decides which routes attach.
#[derive(Debug)]
pub struct Listener<'d> {
    /// Its name, which routes call `sectionName`.
    pub name: &'d str,
    /// Its port, as written.
    pub port: &'d str,
    /// The host that it is for; `None` for every host.
    pub hostname: Option<&'d str>,
    protocol: &'d str,
    /// The kinds that `allowedRoutes` names, each with its group; none for those that the protocol takes.
    kinds: Vec<(&'d str, &'d str)>,
    /// Whether routes of other namespaces than the listener's may attach.
    pub takes_other_namespaces: bool,
}

impl<'d> Listener<'d> {
    /// Reads an entry of `spec.listeners`.
    #[must_use]
    pub fn read(document: &'d Document<'_>, node: NodeId) -> Self {
        let text = |path: &[&str]| document.text_at(node, path).unwrap_or_default();
        let kinds = document.at(node, &["allowedRoutes", "kinds"]);
        let kinds = kinds.iter().flat_map(|&kinds| document.items(kinds)).map(|item| {
            let group = document.text_at(item, &["group"]).unwrap_or(GROUP);
            (group, document.text_at(item, &["kind"]).unwrap_or_default())
        });
        Self {
            name: text(&["name"]),
            port: text(&["port"]),
            hostname: Some(text(&["hostname"])).filter(|hostname| !hostname.is_empty()),
            protocol: text(&["protocol"]),
            kinds: kinds.collect(),
            takes_other_namespaces: !matches!(text(&["allowedRoutes", "namespaces", "from"]), "" | "Same"),
        }
    }

    /// Whether it can end TLS.
    #[must_use]
    pub fn ends_tls(&self) -> bool {
        !PLAIN_PROTOCOLS.contains(&self.protocol)
    }

    /// Whether a route can attach to it by this parent reference. Of namespaces that a selector picks nobody knows
    /// here, so they all count: more hosts then have to be covered, never fewer.
    #[must_use]
    pub fn takes(&self, namespace: &str, route: &Route<'_>, route_namespace: &str, parent: &Parent<'_>) -> bool {
        let is_named = parent.section_name.is_none_or(|name| name == self.name)
            && parent.port.is_none_or(|port| port == self.port);
        let of_protocol = match self.protocol {
            "HTTPS" | "HTTP" => matches!(route.object.kind, "HTTPRoute" | "GRPCRoute"),
            "TLS" => route.object.kind == "TLSRoute",
            // What other protocols take only their controllers know.
            _ => true,
        };
        let is_allowed = self.kinds.is_empty() || self.kinds.contains(&(route.object.group, route.object.kind));
        is_named && of_protocol && is_allowed && (self.takes_other_namespaces || route_namespace == namespace)
    }
}

/// Protocols that end no TLS: the API server refuses `tls` beside them.
pub(super) const PLAIN_PROTOCOLS: [&str; 3] = ["HTTP", "TCP", "UDP"];
