//! Edits of one document: spliced into its bytes, then proved by a second parse.

use std::ops::Range;

use super::document::{Document, NodeId, NodeKind};
use super::layout::{Member, block_ranges, flow_ranges, is_blank, is_dash, line_break, line_end_after, line_start};
use super::scalar::{Style, quote};
use super::verify;

/// The text around a node cannot be edited without touching something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its layout cannot be edited without touching its neighbours")]
pub struct UnsupportedLayout;

/// An edited document that did not parse to what was intended. This is our bug, never the user's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the edited document would not read as intended: {0}")]
pub struct EditError(pub(super) String);

/// An entry of a `tls` list, as a split writes it (R9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsEntry {
    /// The hosts, as the manifest spells them.
    pub hosts: Vec<String>,
    /// The Secret that covers them.
    pub secret_name: String,
}

/// A part of an edited document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'e> {
    /// These bytes of its source.
    Source(Range<usize>),
    /// New text.
    New(&'e str),
}

/// The edits of one document: what the text becomes, and what the tree is then to be.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    text: Vec<(Range<usize>, String)>,
    pub(super) set: ByNode<String>,
    /// What goes: keys, each with its value (`true`), and items.
    pub(super) removed: ByNode<bool>,
    pub(super) inserted: ByNode<Vec<TlsEntry>>,
}

/// What is meant for single nodes, in the order of the document; of several entries for one node the last one counts.
#[derive(Clone, Debug)]
pub(super) struct ByNode<V>(Vec<(NodeId, V)>);

impl<V> Default for ByNode<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> ByNode<V> {
    fn extend(&mut self, entries: impl IntoIterator<Item = (NodeId, V)>) {
        let known = self.0.len().saturating_sub(1);
        self.0.extend(entries);
        if !self.0[known..].is_sorted_by_key(|(node, _)| *node) {
            self.0.sort_by_key(|(node, _)| *node);
        }
    }

    pub(super) fn get(&self, node: NodeId) -> Option<&V> {
        let behind = self.0.partition_point(|(other, _)| *other <= node);
        let (last, value) = self.0[..behind].last()?;
        (*last == node).then_some(value)
    }
}

impl Edits {
    /// Whether nothing is to be edited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Takes over the edits of another part of the same document.
    pub fn extend(&mut self, other: Self) {
        self.text.extend(other.text);
        self.set.extend(other.set.0);
        self.removed.extend(other.removed.0);
        self.inserted.extend(other.inserted.0);
    }

    /// Gives a scalar (a key or a value) another text.
    ///
    /// # Errors
    /// When the scalar's text cannot be replaced alone.
    pub fn set(&mut self, document: &Document<'_>, node: NodeId, text: &str) -> Result<(), UnsupportedLayout> {
        let NodeKind::Scalar(style) = document.kind(node) else { return Err(UnsupportedLayout) };
        let range = document.range(node);
        let old = &document.source()[range.clone()];
        if document.has_foreign_tag(node) || old.is_empty() {
            return Err(UnsupportedLayout);
        }
        if style == Style::Block && (old.contains(['\n', '\r']) || document.text(node) != Some(old)) {
            return Err(UnsupportedLayout);
        }
        if document.text(node) == Some(text) {
            return Ok(());
        }
        self.text.push((range, quote(text, style).into_owned()));
        self.set.extend([(node, text.to_owned())]);
        Ok(())
    }

    /// Removes members of a collection: keys with their values, or items. When all members go,
    /// the entry that holds the collection goes with them, so that no `null` is left.
    ///
    /// # Errors
    /// When they do not stand on lines, or between commas, of their own.
    pub fn remove(
        &mut self,
        document: &Document<'_>,
        collection: NodeId,
        members: &[NodeId],
    ) -> Result<(), UnsupportedLayout> {
        if members.is_empty() {
            return Ok(());
        }
        let mut leaving = members.to_vec();
        leaving.sort_unstable();
        let is_mapping = matches!(document.kind(collection), NodeKind::Mapping { .. });
        let all = Member::all(document, collection, &leaving)?;
        if all.iter().all(|member| member.goes) {
            let parent = document.parent(collection).ok_or(UnsupportedLayout)?;
            let member = document
                .entries(parent)
                .find_map(|(key, value)| (value == collection).then_some(key))
                .ok_or(UnsupportedLayout)?;
            return self.remove(document, parent, &[member]);
        }
        let ranges = match document.kind(collection) {
            NodeKind::Mapping { flow: true } | NodeKind::Sequence { flow: true } => {
                flow_ranges(document, collection, &all)?
            }
            NodeKind::Mapping { .. } => block_ranges(document, &all, false)?,
            _ => block_ranges(document, &all, true)?,
        };
        self.text.extend(ranges.into_iter().map(|range| (range, String::new())));
        self.removed.extend(leaving.into_iter().map(|member| (member, is_mapping)));
        Ok(())
    }

    /// Takes items out of a sequence of which at least one item stays; in a block sequence each leaves its comment,
    /// JSON and flow sequences have no place for one.
    ///
    /// # Errors
    /// When an item does not stand on lines, or between commas, of its own.
    pub fn drop_items(
        &mut self,
        document: &Document<'_>,
        sequence: NodeId,
        items: &[(NodeId, String)],
    ) -> Result<(), UnsupportedLayout> {
        let mut leaving: Vec<NodeId> = items.iter().map(|&(item, _)| item).collect();
        leaving.sort_unstable();
        match document.kind(sequence) {
            NodeKind::Sequence { flow: true } => {
                let ranges = flow_ranges(document, sequence, &Member::all(document, sequence, &leaving)?)?;
                self.text.extend(ranges.into_iter().map(|range| (range, String::new())));
            }
            NodeKind::Sequence { flow: false } => {
                let source = document.source();
                for (item, comment) in items {
                    let range = document.range(*item);
                    let start = line_start(source, range.start);
                    let prefix = &source[start..range.start];
                    if !is_dash(prefix) {
                        return Err(UnsupportedLayout);
                    }
                    let end = line_end_after(source, range.end)?;
                    let indent = prefix.trim_end_matches([' ', '\t', '-']);
                    self.text.push((start..end, format!("{indent}{comment}{}", line_break(source, end))));
                }
            }
            _ => return Err(UnsupportedLayout),
        }
        self.removed.extend(leaving.into_iter().map(|item| (item, false)));
        Ok(())
    }

    /// Writes further entries of a `tls` list behind one of its items.
    ///
    /// # Errors
    /// When the item does not stand on lines, or between commas, of its own.
    pub fn insert_after(
        &mut self,
        document: &Document<'_>,
        sequence: NodeId,
        item: NodeId,
        entries: &[TlsEntry],
    ) -> Result<(), UnsupportedLayout> {
        let source = document.source();
        let range = document.range(item);
        let (at, text) = if document.kind(sequence) == (NodeKind::Sequence { flow: true }) {
            let text = entries.iter().map(|entry| format!(", {}", flow_entry(entry))).collect();
            (range.end, text)
        } else {
            let start = line_start(source, range.start);
            let prefix = &source[start..range.start];
            let indent = prefix.strip_suffix(char::is_whitespace).map(str::trim_end).unwrap_or(prefix);
            let indent = indent.strip_suffix('-').ok_or(UnsupportedLayout)?;
            if !is_blank(indent) {
                return Err(UnsupportedLayout);
            }
            let at = line_end_after(source, range.end)?;
            let line_break = line_break(source, at);
            let mut text = String::new();
            if !source[..at].ends_with(['\n', '\r']) {
                text.push_str(line_break);
            }
            for entry in entries {
                text.push_str(&block_entry(entry, indent, line_break));
            }
            if at == source.len() && !source.ends_with(['\n', '\r']) {
                text.truncate(text.len() - line_break.len());
            }
            (at, text)
        };
        self.text.push((at..at, text));
        self.inserted.extend([(item, entries.to_vec())]);
        Ok(())
    }

    /// The document with all edits, proved by parsing it again.
    ///
    /// # Errors
    /// When the result does not read as intended; it must not be written then.
    pub fn apply(&self, document: &Document<'_>) -> Result<String, EditError> {
        let mut edited = String::new();
        self.parts(document, &mut edited)?;
        Ok(edited)
    }

    /// The parts of what [`Edits::apply`] gives, in order; `edited` becomes their text, and loses what it held.
    ///
    /// # Errors
    /// As there.
    pub fn parts(&self, document: &Document<'_>, edited: &mut String) -> Result<Vec<Part<'_>>, EditError> {
        let source = document.source();
        let mut edits: Vec<&(Range<usize>, String)> = self.text.iter().collect();
        edits.sort_by_key(|(range, _)| (range.start, range.end));
        let mut parts = Vec::with_capacity(2 * edits.len() + 1);
        edited.clear();
        let mut at = 0;
        for (range, text) in edits {
            if range.start < at {
                return Err(EditError("two edits overlap".to_owned()));
            }
            parts.push(Part::Source(at..range.start));
            edited.push_str(&source[at..range.start]);
            // An entry that starts with a line break was to follow a line that has gone.
            let is_on_own_line = range.is_empty() && edited.ends_with(['\n', '\r']);
            let text = if is_on_own_line { text.trim_start_matches(['\r', '\n']) } else { text };
            parts.push(Part::New(text));
            edited.push_str(text);
            at = range.end;
        }
        parts.push(Part::Source(at..source.len()));
        edited.push_str(&source[at..]);
        verify::verify(document, self, edited)?;
        Ok(parts)
    }

    /// Whether two of the edits want the same bytes, so that they cannot be made together.
    #[must_use]
    pub fn overlap(&self) -> bool {
        self.ranges().windows(2).any(|pair| pair[1].start < pair[0].end)
    }

    /// The byte ranges of the source that are replaced, in order.
    #[must_use]
    pub fn ranges(&self) -> Vec<Range<usize>> {
        let mut ranges: Vec<_> = self.text.iter().map(|(range, _)| range.clone()).collect();
        ranges.sort_by_key(|range| (range.start, range.end));
        ranges
    }
}

fn flow_entry(entry: &TlsEntry) -> String {
    let hosts: Vec<_> = entry.hosts.iter().map(|host| quote(host, Style::DoubleQuoted)).collect();
    let secret_name = quote(&entry.secret_name, Style::DoubleQuoted);
    format!("{{\"hosts\": [{}], \"secretName\": {secret_name}}}", hosts.join(", "))
}

fn block_entry(entry: &TlsEntry, indent: &str, line_break: &str) -> String {
    let mut text = format!("{indent}- hosts:{line_break}");
    for host in &entry.hosts {
        text.push_str(&format!("{indent}    - {}{line_break}", quote(host, Style::DoubleQuoted)));
    }
    text.push_str(&format!("{indent}  secretName: {}{line_break}", quote(&entry.secret_name, Style::Plain)));
    text
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
