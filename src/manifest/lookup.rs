//! Entries of a document's mappings by their keys.

use super::document::{Document, NodeId, NodeKind};
use super::scalar::Style;

impl Document<'_> {
    /// The values of every entry with this key, in order; of duplicates the last one counts for
    /// Kubernetes (kubectl's and Helm's YAML reader).
    pub fn all<'s>(&'s self, mapping: NodeId, key: &'s str) -> impl Iterator<Item = (NodeId, NodeId)> + 's {
        self.entries(mapping).filter(move |&(name, _)| self.is_text(name, key))
    }

    /// The value that counts for this key.
    #[must_use]
    pub fn get(&self, mapping: NodeId, key: &str) -> Option<NodeId> {
        self.all(mapping, key).last().map(|(_, value)| value)
    }

    /// The value at the end of a path of keys.
    #[must_use]
    pub fn at(&self, mapping: NodeId, path: &[&str]) -> Option<NodeId> {
        path.iter().try_fold(mapping, |node, key| self.get(node, key))
    }

    /// The text at the end of a path of keys, unless it is null.
    #[must_use]
    pub fn text_at(&self, mapping: NodeId, path: &[&str]) -> Option<&str> {
        self.at(mapping, path).and_then(|node| self.text(node))
    }

    /// Whether the mapping has a merge key (`<<`), so that entries can be hidden elsewhere.
    #[must_use]
    pub fn has_merge_key(&self, mapping: NodeId) -> bool {
        self.entries(mapping)
            .any(|(key, _)| self.kind(key) == NodeKind::Scalar(Style::Plain) && self.is_text(key, "<<"))
    }

    /// Whether the mapping names a key twice that is one of `keys`.
    #[must_use]
    pub fn repeats(&self, mapping: NodeId, keys: &[&str]) -> Option<String> {
        keys.iter().find(|key| self.all(mapping, key).count() > 1).map(|key| (*key).to_owned())
    }
}
