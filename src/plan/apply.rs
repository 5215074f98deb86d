//! Carries a plan out on the bytes of the stream.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use super::build::Change;
use crate::manifest::Manifest;
use crate::manifest::edit::EditError;
use crate::manifest::stream::lines;
use crate::output::escape::escape;

/// A piece of the output: bytes of the input, or the new text of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// This range of the input.
    Input(Range<usize>),
    /// The new text of one document.
    Text(String),
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

/// The output as pieces, in order. Every edited document has been parsed again and compared.
///
/// # Errors
/// When an edited document does not read as intended.
pub fn apply(manifest: &Manifest<'_>, changes: &BTreeMap<usize, Change>) -> Result<Vec<Piece>, ApplyError> {
    let changes: Vec<(&usize, &Change)> = changes.iter().collect();
    let texts: Vec<Result<String, ApplyError>> =
        changes.par_iter().map(|&(&index, change)| text(manifest, index, change)).collect();
    let mut pieces = Vec::with_capacity(2 * changes.len() + 1);
    let mut at = 0;
    for ((index, _), text) in changes.iter().zip(texts) {
        let range = &manifest.documents()[**index];
        if at < range.start {
            pieces.push(Piece::Input(at..range.start));
        }
        pieces.push(Piece::Text(text?));
        at = range.end;
    }
    if at < manifest.input().len() {
        pieces.push(Piece::Input(at..manifest.input().len()));
    }
    Ok(pieces)
}

fn text(manifest: &Manifest<'_>, index: usize, change: &Change) -> Result<String, ApplyError> {
    let edits = match change {
        Change::Drop(comment) => {
            return Ok(dropped(&manifest.input()[manifest.documents()[index].clone()], comment));
        }
        Change::Edit(edits) => edits,
    };
    let Some(document) = manifest.document(index) else { return Ok(String::new()) };
    edits.apply(document).map_err(|cause| {
        let objects = crate::manifest::object::objects(document);
        let names = objects.iter().map(|object| format!("{} {}", escape(object.kind), escape(object.name)));
        ApplyError { document: index + 1, object: names.collect::<Vec<_>>().join(", "), cause }
    })
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
