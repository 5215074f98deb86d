//! HTTPRoute, GRPCRoute and TLSRoute: they name hosts, and TLS for these is at the Gateways and ListenerSets that they
//! attach to (`apis/v1/{httproute,grpcroute,tlsroute}_types.go`).

use super::GROUP;
use crate::manifest::Literals;
use crate::manifest::document::Document;
use crate::manifest::object::Object;

/// The words of the routes that name hosts.
pub const LITERALS: [Literals; 3] = [
    Literals { kind: "HTTPRoute", group: GROUP },
    Literals { kind: "GRPCRoute", group: GROUP },
    Literals { kind: "TLSRoute", group: GROUP },
];

/// A route of the render.
#[derive(Debug)]
pub struct Route<'d> {
    /// The index of its document in the stream.
    pub document: usize,
    /// The object.
    pub object: Object<'d>,
    /// Its hosts; none stands for every host.
    pub hostnames: Vec<&'d str>,
    /// What it attaches to.
    pub parents: Vec<Parent<'d>>,
    /// Whether a merge key can hide hosts or parents.
    pub is_unclear: bool,
}

/// A reference to what a route attaches to.
#[derive(Debug)]
pub struct Parent<'d> {
    /// The group.
    pub group: &'d str,
    /// The kind.
    pub kind: &'d str,
    /// The namespace; the route's own where it names none.
    pub namespace: Option<&'d str>,
    /// The name.
    pub name: &'d str,
    /// The listener; every one where it names none.
    pub section_name: Option<&'d str>,
    /// The port, as written; every one where it names none.
    pub port: Option<&'d str>,
}

/// Whether the object is a route that names hosts.
#[must_use]
pub fn is_route(object: &Object<'_>) -> bool {
    object.group == GROUP && LITERALS.iter().any(|literals| literals.kind == object.kind)
}

/// Reads a route.
#[must_use]
pub fn read<'d>(index: usize, document: &'d Document<'_>, object: Object<'d>) -> Route<'d> {
    let node = object.node;
    let list = |key: &str| document.at(node, &["spec", key]).map(|list| document.items(list).collect::<Vec<_>>());
    let parents = list("parentRefs").unwrap_or_default();
    let around = [Some(node), document.get(node, "spec")].into_iter().flatten().chain(parents.iter().copied());
    let is_unclear = around.into_iter().any(|node| document.has_merge_key(document.resolve(node)));
    let parent = |&node: &_| {
        let field = |key: &str| document.text_at(node, &[key]).filter(|text| !text.is_empty());
        Parent {
            group: document.text_at(node, &["group"]).unwrap_or(GROUP),
            kind: field("kind").unwrap_or("Gateway"),
            namespace: field("namespace"),
            name: field("name").unwrap_or_default(),
            section_name: field("sectionName"),
            port: field("port"),
        }
    };
    let hostnames = list("hostnames").unwrap_or_default();
    Route {
        document: index,
        hostnames: hostnames.iter().filter_map(|&node| document.text(node)).collect(),
        parents: parents.iter().map(parent).collect(),
        is_unclear,
        object,
    }
}
