//! Which bytes can leave a collection without touching its neighbours.

use std::ops::Range;

use super::document::{Document, NodeId, NodeKind};
use super::edit::UnsupportedLayout;
use super::scalar::Style;
use super::stream::next_line;

/// A key with its value, or an item.
pub(super) struct Member {
    start: usize,
    end: usize,
    pub(super) goes: bool,
    /// Where the text of the block scalar in front of it starts, if there is one.
    scalar_before: Option<usize>,
}

impl Member {
    /// The members of a collection, of which those `leaving` go; these are in order.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn all(
        document: &Document<'_>,
        collection: NodeId,
        leaving: &[NodeId],
    ) -> Result<Vec<Self>, UnsupportedLayout> {
        match document.kind(collection) {
            NodeKind::Mapping { .. } => {
                Ok(document.entries(collection).map(|(key, value)| Self::new(document, key, value, leaving)).collect())
            }
            NodeKind::Sequence { .. } => {
                Ok(document.items(collection).map(|item| Self::new(document, item, item, leaving)).collect())
            }
            _ => Err(UnsupportedLayout),
        }
    }

    fn new(document: &Document<'_>, first: NodeId, last: NodeId, leaving: &[NodeId]) -> Self {
        let (key, value) = (document.range(first), document.range(last));
        let mut end = value.end.max(key.end);
        if value.is_empty() && first != last {
            // A value that is not written has no place of its own: only its colon belongs to the member.
            let rest = &document.source()[key.end..];
            let colon = rest.trim_start_matches([' ', '\t']);
            end = key.end + if colon.starts_with(':') { rest.len() - colon.len() + 1 } else { 0 };
        }
        let goes = leaving.binary_search(&first).is_ok();
        let before = document.preceding(first).filter(|&node| document.kind(node) == NodeKind::Scalar(Style::Block));
        Self { start: key.start, end, goes, scalar_before: before.map(|node| document.range(node).start) }
    }
}

/// What to delete so that the members that go leave a block collection: whole lines, or for the
/// first key of a compact mapping (`- key: value`) the text up to the first key that stays.
pub(super) fn block_ranges(
    document: &Document<'_>,
    members: &[Member],
    items: bool,
) -> Result<Vec<Range<usize>>, UnsupportedLayout> {
    let source = document.source();
    let mut ranges = Vec::new();
    let mut index = 0;
    let mut scalar: Option<usize> = None;
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
            let end = line_end_after(source, member.end)?;
            let continues = index.checked_sub(1).is_some_and(|last| members[last].goes);
            scalar = if continues { scalar } else { member.scalar_before };
            if scalar.is_some_and(|start| would_grow(&source[..start], &source[end..])) {
                return Err(UnsupportedLayout);
            }
            ranges.push(start..end);
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

/// Whether a block scalar would take in the lines that come to stand behind it: comments, and with `+` blank lines
/// (YAML 1.2.2 section 8.1.1.2).
fn would_grow(before: &str, rest: &str) -> bool {
    let before = before.trim_end();
    let header = &before[line_start(before, before.len())..];
    let mut lines = rest.split_inclusive('\n').peekable();
    let is_blank_line = |line: &&str| line.trim().is_empty();
    let blank = lines.next_if(is_blank_line).is_some();
    while lines.next_if(is_blank_line).is_some() {}
    (blank && header.contains('+')) || lines.peek().is_some_and(|line| line.trim_start().starts_with('#'))
}

/// What to delete so that the members that go leave a flow collection, each run with one comma.
///
/// # Errors
/// When all go, or when an anchor, a tag, a comment or `? ` stands between them and their neighbours.
pub(super) fn flow_ranges(
    document: &Document<'_>,
    collection: NodeId,
    members: &[Member],
) -> Result<Vec<Range<usize>>, UnsupportedLayout> {
    let source = document.source();
    let start = document.range(collection).start;
    // A single pair in a flow sequence (`[a: 1]`) is a mapping without braces.
    if !source[start..].starts_with(['{', '[']) {
        return Err(UnsupportedLayout);
    }
    let is_plain =
        |gap: Range<usize>| source[gap].bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b','));
    let mut ranges = Vec::new();
    let mut index = 0;
    while index < members.len() {
        if !members[index].goes {
            index += 1;
            continue;
        }
        let run = members[index..].iter().take_while(|member| member.goes).count();
        let (first, last) = (members[index].start, members[index + run - 1].end);
        let before = index.checked_sub(1).map(|i| members[i].end);
        let next = members.get(index + run).map(|next| next.start);
        if !is_plain(before.unwrap_or(start + 1)..first) || next.is_some_and(|next| !is_plain(last..next)) {
            return Err(UnsupportedLayout);
        }
        ranges.push(match (next, before) {
            (Some(next), _) => first..next,
            // From the comma on: `{b: , x}` must not become `{b:}`, which some readers take for the name `b:`.
            (None, Some(before)) => before + source[before..first].find(',').ok_or(UnsupportedLayout)?..last,
            (None, None) => return Err(UnsupportedLayout),
        });
        index += run;
    }
    Ok(ranges)
}

/// Where the line of `at` starts.
pub(super) fn line_start(source: &str, at: usize) -> usize {
    memchr::memrchr2(b'\n', b'\r', &source.as_bytes()[..at]).map_or(0, |line| line + 1)
}

/// The start of the line after `at`, if only blanks and a comment follow on `at`'s line.
///
/// # Errors
/// When something else does.
pub(super) fn line_end_after(source: &str, at: usize) -> Result<usize, UnsupportedLayout> {
    let end = next_line(source.as_bytes(), at);
    let rest = source[at..end].trim_matches([' ', '\t', '\r', '\n']);
    let is_comment = rest.starts_with('#') && source[at..].starts_with([' ', '\t']);
    if rest.is_empty() || is_comment { Ok(end) } else { Err(UnsupportedLayout) }
}

/// The line break in use before `at`.
pub(super) fn line_break(source: &str, at: usize) -> &'static str {
    let before = &source[..at];
    if before.ends_with("\r\n") || (!before.ends_with('\n') && before.contains("\r\n")) { "\r\n" } else { "\n" }
}

/// Whether the text is blank.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t'))
}

/// Whether the text in front of an item is its dash alone.
pub(super) fn is_dash(prefix: &str) -> bool {
    prefix.trim_end_matches([' ', '\t']).strip_suffix('-').is_some_and(is_blank)
}
