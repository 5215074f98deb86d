//! Edits of one document: spliced into its bytes, then proved by a second parse.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::document::{Document, NodeId, NodeKind};
use super::scalar::{Style, quote};
use super::stream::next_line;
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

/// The edits of one document: what the text becomes, and what the tree is then to be.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    text: Vec<(Range<usize>, String)>,
    pub(super) set: BTreeMap<NodeId, String>,
    /// What goes: keys, each with its value (`true`), and items.
    pub(super) removed: BTreeMap<NodeId, bool>,
    pub(super) inserted: BTreeMap<NodeId, Vec<TlsEntry>>,
}

impl Edits {
    /// Whether nothing is to be edited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
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
        self.set.insert(node, text.to_owned());
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
        let leaving: HashSet<NodeId> = members.iter().copied().collect();
        let is_mapping = matches!(document.kind(collection), NodeKind::Mapping { .. });
        let all: Vec<Member> = match document.kind(collection) {
            NodeKind::Mapping { .. } => {
                document.entries(collection).map(|(key, value)| Member::new(document, key, value, &leaving)).collect()
            }
            NodeKind::Sequence { .. } => {
                document.items(collection).map(|item| Member::new(document, item, item, &leaving)).collect()
            }
            _ => return Err(UnsupportedLayout),
        };
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
            NodeKind::Mapping { .. } => block_ranges(document.source(), &all, false)?,
            _ => block_ranges(document.source(), &all, true)?,
        };
        self.text.extend(ranges.into_iter().map(|range| (range, String::new())));
        self.removed.extend(leaving.into_iter().map(|member| (member, is_mapping)));
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
        self.inserted.insert(item, entries.to_vec());
        Ok(())
    }

    /// The document with all edits, proved by parsing it again.
    ///
    /// # Errors
    /// When the result does not read as intended; it must not be written then.
    pub fn apply(&self, document: &Document<'_>) -> Result<String, EditError> {
        let source = document.source();
        let mut edits = self.text.clone();
        edits.sort_by_key(|(range, _)| (range.start, range.end));
        let mut edited = String::with_capacity(source.len() + 64);
        let mut at = 0;
        for (range, text) in edits {
            if range.start < at {
                return Err(EditError("two edits overlap".to_owned()));
            }
            edited.push_str(&source[at..range.start]);
            edited.push_str(&text);
            at = range.end;
        }
        edited.push_str(&source[at..]);
        verify::verify(document, self, &edited)?;
        Ok(edited)
    }

    /// The byte ranges of the source that are replaced, in order.
    #[must_use]
    pub fn ranges(&self) -> Vec<Range<usize>> {
        let mut ranges: Vec<_> = self.text.iter().map(|(range, _)| range.clone()).collect();
        ranges.sort_by_key(|range| (range.start, range.end));
        ranges
    }
}

/// A key with its value, or an item.
struct Member {
    start: usize,
    end: usize,
    goes: bool,
}

impl Member {
    fn new(document: &Document<'_>, first: NodeId, last: NodeId, leaving: &HashSet<NodeId>) -> Self {
        let (start, value) = (document.range(first), document.range(last));
        let mut end = value.end.max(start.end);
        if value.is_empty() {
            // A value that is not written stands at its key's end, before the colon.
            let rest = &document.source()[end..];
            let colon = rest.trim_start_matches([' ', '\t']);
            end += if colon.starts_with(':') { rest.len() - colon.len() + 1 } else { 0 };
        }
        Self { start: start.start, end, goes: leaving.contains(&first) }
    }
}

/// What to delete so that the members that go leave a block collection: whole lines, or for the
/// first key of a compact mapping (`- key: value`) the text up to the first key that stays.
fn block_ranges(source: &str, members: &[Member], items: bool) -> Result<Vec<Range<usize>>, UnsupportedLayout> {
    let mut ranges = Vec::new();
    let mut index = 0;
    while index < members.len() {
        let member = &members[index];
        if !member.goes {
            index += 1;
            continue;
        }
        let start = line_start(source, member.start);
        let prefix = &source[start..member.start];
        let own_line = if items { is_dash(prefix) } else { is_blank(prefix) };
        if own_line {
            ranges.push(start..line_end_after(source, member.end)?);
            index += 1;
            continue;
        }
        if items || !prefix.bytes().all(|byte| matches!(byte, b' ' | b'-')) {
            return Err(UnsupportedLayout);
        }
        let stays = members[index..].iter().position(|member| !member.goes).ok_or(UnsupportedLayout)?;
        let next = members[index + stays].start;
        if !is_blank(&source[line_start(source, next)..next]) {
            return Err(UnsupportedLayout);
        }
        ranges.push(member.start..next);
        index += stays;
    }
    Ok(ranges)
}

/// What to delete so that the members that go leave a flow collection, each run with one comma.
fn flow_ranges(
    document: &Document<'_>,
    collection: NodeId,
    members: &[Member],
) -> Result<Vec<Range<usize>>, UnsupportedLayout> {
    let source = document.source();
    // A single pair in a flow sequence (`[a: 1]`) is a mapping without braces.
    if !source[document.range(collection)].starts_with(['{', '[']) {
        return Err(UnsupportedLayout);
    }
    let mut ranges = Vec::new();
    let mut index = 0;
    while index < members.len() {
        if !members[index].goes {
            index += 1;
            continue;
        }
        let run = members[index..].iter().take_while(|member| member.goes).count();
        let before = index.checked_sub(1).map(|i| members[i].end);
        let floor = before.unwrap_or(document.range(collection).start);
        // An anchor, a tag or `? ` before the first member of the run would be left behind.
        let gap = &source[floor..members[index].start];
        if gap.contains(['&', '!', '?', '#']) {
            return Err(UnsupportedLayout);
        }
        ranges.push(match (members.get(index + run), before) {
            (Some(next), _) => members[index].start..next.start,
            (None, Some(before)) => before..members[index + run - 1].end,
            (None, None) => return Err(UnsupportedLayout),
        });
        index += run;
    }
    Ok(ranges)
}

fn line_start(source: &str, at: usize) -> usize {
    memchr::memrchr2(b'\n', b'\r', &source.as_bytes()[..at]).map_or(0, |line| line + 1)
}

/// The start of the line after `at`, if only blanks and a comment follow on `at`'s line.
fn line_end_after(source: &str, at: usize) -> Result<usize, UnsupportedLayout> {
    let end = next_line(source.as_bytes(), at);
    let rest = source[at..end].trim_matches([' ', '\t', '\r', '\n']);
    let is_comment = rest.starts_with('#') && source[at..].starts_with([' ', '\t']);
    if rest.is_empty() || is_comment { Ok(end) } else { Err(UnsupportedLayout) }
}

fn line_break(source: &str, at: usize) -> &'static str {
    let before = &source[..at];
    if before.ends_with("\r\n") || (!before.ends_with('\n') && before.contains("\r\n")) { "\r\n" } else { "\n" }
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t'))
}

fn is_dash(prefix: &str) -> bool {
    prefix.trim_end_matches([' ', '\t']).strip_suffix('-').is_some_and(is_blank)
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
