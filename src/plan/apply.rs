//! Carries a plan out on the bytes of the stream.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use super::build::Change;
use crate::manifest::Manifest;
use crate::manifest::edit::{EditError, Part};
use crate::manifest::object::objects;
use crate::manifest::stream::lines;
use crate::output::escape::escape;

/// A piece of the output: bytes of the input, or new text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'c> {
    /// This range of the input.
    Input(Range<usize>),
    /// New text.
    Text(Cow<'c, str>),
}

/// An edited document that does not read as intended. This is our bug; nothing is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("internal error in document {document} ({object}): {cause}; nothing was written, please report it")]
pub struct ApplyError {
    /// The document's number.
    pub document: usize,
    /// The objects in it.
    pub object: String,
    /// What differs.
    pub cause: EditError,
}

/// How many documents are edited in one go.
const BATCH: usize = 64;

/// The output as pieces, in order. Every edited document has been parsed again and compared.
///
/// # Errors
/// When an edited document does not read as intended.
pub fn apply<'c>(manifest: &Manifest<'_>, changes: &'c [(usize, Change)]) -> Result<Vec<Piece<'c>>, ApplyError> {
    let batches: Vec<Result<Vec<Piece<'c>>, ApplyError>> =
        changes.par_chunks(BATCH).map(|changes| edited(manifest, changes)).collect();
    let mut pieces = Vec::new();
    let mut at = 0;
    for (batch, changes) in batches.into_iter().zip(changes.chunks(BATCH)) {
        let ends = changes.first().zip(changes.last());
        let Some(((first, _), (last, _))) = ends else { continue };
        push_input(&mut pieces, at..manifest.documents()[*first].start);
        pieces.extend(batch?);
        at = manifest.documents()[*last].end;
    }
    push_input(&mut pieces, at..manifest.input().len());
    Ok(pieces)
}

/// The output in one piece.
///
/// # Errors
/// As [`apply`].
pub fn whole(manifest: &Manifest<'_>, changes: &[(usize, Change)]) -> Result<Vec<u8>, ApplyError> {
    let mut output = Vec::with_capacity(manifest.input().len());
    for piece in apply(manifest, changes)? {
        match piece {
            Piece::Input(range) => output.extend_from_slice(&manifest.input()[range]),
            Piece::Text(text) => output.extend_from_slice(text.as_bytes()),
        }
    }
    Ok(output)
}

/// Puts bytes of the input behind the other pieces; where they follow each other, they become one.
fn push_input(pieces: &mut Vec<Piece<'_>>, range: Range<usize>) {
    match pieces.last_mut() {
        _ if range.is_empty() => {}
        Some(Piece::Input(last)) if last.end == range.start => last.end = range.end,
        _ => pieces.push(Piece::Input(range)),
    }
}

/// The output from the first of some changed documents to the last one.
fn edited<'c>(manifest: &Manifest<'_>, changes: &'c [(usize, Change)]) -> Result<Vec<Piece<'c>>, ApplyError> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut at = None;
    for (index, change) in changes {
        let range = manifest.documents()[*index].clone();
        push_input(&mut pieces, at.unwrap_or(range.start)..range.start);
        at = Some(range.end);
        let edits = match (change, manifest.document(*index)) {
            (Change::Drop(comment), _) => {
                pieces.push(Piece::Text(dropped(&manifest.input()[range], comment).into()));
                continue;
            }
            (Change::Edit(edits), Some(document)) => edits.parts(document, &mut text).map_err(|cause| {
                let objects = objects(document);
                let names = objects.iter().map(|object| format!("{} {}", escape(object.kind), escape(object.name)));
                ApplyError { document: index + 1, object: names.collect::<Vec<_>>().join(", "), cause }
            })?,
            (Change::Edit(_), None) => vec![Part::Source(0..range.len())],
        };
        for part in edits {
            match part {
                Part::Source(part) => push_input(&mut pieces, range.start + part.start..range.start + part.end),
                Part::New("") => {}
                Part::New(text) => pieces.push(Piece::Text(text.into())),
            }
        }
    }
    Ok(pieces)
}

/// What is left of a dropped document: its markers, its `# Source:` lines and our comment.
fn dropped(document: &[u8], comment: &str) -> String {
    let line_break = if document.windows(2).any(|pair| pair == b"\r\n") { "\r\n" } else { "\n" };
    let mut text = String::new();
    let mut is_ended = false;
    for line in lines(document) {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let kept = if line.starts_with(b"---") {
            "---".into()
        } else if line.starts_with(b"# Source:") {
            String::from_utf8_lossy(line)
        } else {
            is_ended = line.starts_with(b"...") || (is_ended && line.trim_ascii().is_empty());
            continue;
        };
        text.push_str(&kept);
        text.push_str(line_break);
    }
    for comment in comment.lines() {
        text.push_str(comment);
        text.push_str(line_break);
    }
    if is_ended {
        text.push_str("...");
        text.push_str(line_break);
    }
    text
}
