//! The Kubernetes objects of a parsed document; lists are descended into.

use super::document::{Document, NodeId, NodeKind};

/// One object, as its document names it.
#[derive(Clone, Debug)]
pub struct Object<'d> {
    /// Its mapping.
    pub node: NodeId,
    /// The list items' sequence that holds it, if it is part of a `List`.
    pub list: Option<NodeId>,
    /// The API group; empty for the core group.
    pub group: &'d str,
    /// The API version without the group.
    pub version: &'d str,
    /// The kind.
    pub kind: &'d str,
    /// `metadata.name`; empty when it is not given.
    pub name: &'d str,
    /// `metadata.namespace`, if it is given.
    pub namespace: Option<&'d str>,
}

/// The objects of a document. Like Kubernetes' unstructured decoder, an object with a sequence
/// `items` under a kind that ends in `List` stands for its items (apimachinery,
/// `pkg/apis/meta/v1/unstructured/helpers.go`).
#[must_use]
pub fn objects<'d>(document: &'d Document<'_>) -> Vec<Object<'d>> {
    let mut objects = Vec::new();
    let mut pending: Vec<(NodeId, Option<NodeId>, Option<Object<'d>>)> =
        document.roots().map(|root| (root, None, None)).collect();
    pending.reverse();
    while let Some((node, list, parent)) = pending.pop() {
        if !matches!(document.kind(document.resolve(node)), NodeKind::Mapping { .. }) {
            continue;
        }
        let object = read(document, node, list, parent.as_ref());
        let items =
            document.get(node, "items").filter(|&items| matches!(document.kind(items), NodeKind::Sequence { .. }));
        match items {
            Some(items) if object.kind.ends_with("List") => {
                let children: Vec<_> = document.items(items).collect();
                pending.extend(children.into_iter().rev().map(|item| (item, Some(items), Some(object.clone()))));
            }
            _ => objects.push(object),
        }
    }
    objects
}

fn read<'d>(document: &'d Document<'_>, node: NodeId, list: Option<NodeId>, parent: Option<&Object<'d>>) -> Object<'d> {
    let metadata = document.get(node, "metadata").unwrap_or(node);
    let api_version = document.text_at(node, &["apiVersion"]);
    let (group, version) = match api_version {
        Some(text) => text.rsplit_once('/').unwrap_or(("", text)),
        None => parent.map_or(("", ""), |list| (list.group, list.version)),
    };
    // Items of a typed list may leave their kind out: it is the list's.
    let kind = document
        .text_at(node, &["kind"])
        .or_else(|| parent.and_then(|list| list.kind.strip_suffix("List")))
        .unwrap_or_default();
    Object {
        node,
        list,
        group,
        version,
        kind,
        name: if metadata == node { "" } else { document.text_at(metadata, &["name"]).unwrap_or_default() },
        namespace: if metadata == node { None } else { document.text_at(metadata, &["namespace"]) },
    }
}
