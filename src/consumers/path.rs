//! Where a row's paths lead in a document.

use super::{Consumer, Hosts, NodeId, Row};
use crate::manifest::document::{Document, NodeKind};

impl Consumer<'_> {
    /// The scalars that name hosts: no program takes them for a Secret's name.
    #[must_use]
    pub fn host_nodes(&self, document: &Document<'_>) -> Vec<NodeId> {
        let rules = document.at(self.object.node, &["spec", "rules"]);
        let rules = rules.iter().flat_map(|&rules| document.items(rules));
        let mut nodes: Vec<NodeId> = rules.filter_map(|rule| document.get(rule, "host")).collect();
        let listed: Vec<NodeId> = match &self.row.hosts {
            Hosts::Entry(path) => self.slots.iter().filter_map(|slot| document.at(slot.tls, path)).collect(),
            Hosts::Object(path) => document.at(self.object.node, path).into_iter().collect(),
            Hosts::Name => document.at(self.object.node, &["metadata", "name"]).into_iter().collect(),
            Hosts::Rules(_) => Vec::new(),
        };
        nodes.extend(listed.into_iter().flat_map(|node| items_or_self(document, node)));
        nodes
    }
}

impl Row {
    /// The path that leads to the Secret's name in this TLS block.
    pub(super) fn name_path(&self, document: &Document<'_>, tls: NodeId) -> &'static [&'static str] {
        match self.secret_names {
            [] => self.secret_name,
            several if self.secret_name.is_empty() || names(document, tls, self.secret_name).is_empty() => several,
            _ => self.secret_name,
        }
    }
}

/// The TLS blocks of an object, each with its path and the sequence of which it is an entry; duplicates included.
pub(super) fn blocks(document: &Document<'_>, object: NodeId, path: &[&str]) -> Vec<(NodeId, String, Option<NodeId>)> {
    let mut found = vec![(object, String::new(), None)];
    for key in path {
        let mut inner = Vec::new();
        for (node, path, _) in found {
            for (_, value) in document.all(node, key) {
                let path = if path.is_empty() { (*key).to_owned() } else { format!("{path}.{key}") };
                match document.kind(document.resolve(value)) {
                    NodeKind::Sequence { .. } => inner.extend(
                        document
                            .items(value)
                            .enumerate()
                            .map(|(at, item)| (item, format!("{path}[{at}]"), Some(value))),
                    ),
                    _ => inner.push((value, path, None)),
                }
            }
        }
        found = inner;
    }
    found
}

/// The scalars at a path in a TLS block, duplicates included, and whether a sequence is on the way; of sequences the
/// first item.
pub(super) fn names(document: &Document<'_>, tls: NodeId, path: &[&str]) -> Vec<(NodeId, Option<usize>)> {
    let mut found = vec![(tls, None)];
    for (at, key) in path.iter().enumerate() {
        let values = found.into_iter().flat_map(|(node, items)| {
            let values: Vec<NodeId> = document.all(node, key).map(|(_, value)| value).collect();
            values.into_iter().map(move |value| (value, items))
        });
        found = values
            .flat_map(|(value, items)| match document.kind(document.resolve(value)) {
                NodeKind::Sequence { .. } => document.items(value).next().map(|item| (item, Some(at))),
                _ => Some((value, items)),
            })
            .collect();
    }
    found.retain(|&(node, _)| matches!(document.kind(document.resolve(node)), NodeKind::Scalar(_)));
    found
}

/// A sequence's items, or the node itself.
pub(super) fn items_or_self(document: &Document<'_>, node: NodeId) -> Vec<NodeId> {
    match document.kind(document.resolve(node)) {
        NodeKind::Sequence { .. } => document.items(node).collect(),
        _ => vec![node],
    }
}

/// The path of a name, with the index of the item after the key with this number.
pub(super) fn join(block: &str, path: &[&str], items: Option<usize>) -> String {
    let mut text = block.to_owned();
    for (at, key) in path.iter().enumerate() {
        text.push('.');
        text.push_str(key);
        if items == Some(at) {
            text.push_str("[0]");
        }
    }
    text
}
