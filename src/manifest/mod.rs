//! A rendered manifest stream: split, prefiltered, parsed where it matters, edited by splicing.

pub mod candidate;
pub mod document;
pub mod edit;
mod layout;
mod lookup;
pub mod mention;
pub mod object;
pub mod scalar;
pub mod stream;
mod verify;

use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;

pub use candidate::Literals;
use document::ParseError;
pub use document::{Document, NodeId};

/// A manifest stream whose candidate documents are parsed (R16, R19).
#[derive(Debug)]
pub struct Manifest<'a> {
    input: &'a [u8],
    documents: Vec<Range<usize>>,
    searched: Vec<candidate::Searched>,
    parsed: Vec<(usize, Document<'a>)>,
    /// How many parsed documents stand in front of each document.
    parsed_before: Vec<usize>,
    first_lines: OnceLock<Vec<usize>>,
}

/// Why a stream cannot be read. Nothing is written then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// A candidate document is not YAML or not UTF-8 (R19).
    #[error(
        "document {number}, line {line}, column {column}: {message}; it can hold an object that \
         names a TLS secret, so it is not passed on unread: correct the chart that renders it"
    )]
    Document {
        /// The document's number in the stream, from 1.
        number: usize,
        /// The line in the stream, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// The stream is UTF-16 or UTF-32.
    #[error("the manifests are not UTF-8: the stream starts with a UTF-16 byte order mark")]
    Utf16,
}

impl<'a> Manifest<'a> {
    /// Splits the stream and parses the documents that can hold an object of one of the `kinds`.
    ///
    /// # Errors
    /// When a candidate document does not parse; the first one in the stream is named.
    pub fn read(input: &'a [u8], kinds: &[Literals]) -> Result<Self, ManifestError> {
        if input.starts_with(b"\xff\xfe") || input.starts_with(b"\xfe\xff") {
            return Err(ManifestError::Utf16);
        }
        let documents = stream::split(input);
        let searched = candidate::search(input, &documents, kinds);
        let candidates: Vec<usize> =
            searched.iter().enumerate().filter_map(|(index, found)| found.is_candidate.then_some(index)).collect();
        let parse = |&index: &usize| match Document::parse(&input[documents[index].clone()]) {
            Ok(document) => Ok((index, document)),
            Err(error) => Err((index, error)),
        };
        let results: Vec<Result<(usize, Document<'a>), (usize, ParseError)>> =
            candidates.par_iter().map(parse).collect();
        let parsed: Result<Vec<(usize, Document<'a>)>, (usize, ParseError)> = results.into_iter().collect();
        let parsed = parsed.map_err(|(index, error)| ManifestError::Document {
            number: index + 1,
            line: line_breaks(&input[..documents[index].start]) + error.line + 1,
            column: error.column,
            message: crate::output::escape::escape(&error.message).into_owned(),
        })?;
        let before = searched.iter().scan(0, |parsed, found| {
            let before = *parsed;
            *parsed += usize::from(found.is_candidate);
            Some(before)
        });
        let parsed_before = before.collect();
        Ok(Self { input, documents, searched, parsed, parsed_before, first_lines: OnceLock::new() })
    }

    /// The bytes that were read.
    #[must_use]
    pub fn input(&self) -> &'a [u8] {
        self.input
    }

    /// The byte range of each document.
    #[must_use]
    pub fn documents(&self) -> &[Range<usize>] {
        &self.documents
    }

    /// The parsed documents, each with its index in the stream.
    #[must_use]
    pub fn parsed(&self) -> &[(usize, Document<'a>)] {
        &self.parsed
    }

    /// The parsed document with this index in the stream.
    #[must_use]
    pub fn document(&self, index: usize) -> Option<&Document<'a>> {
        let (at, document) = self.parsed.get(*self.parsed_before.get(index)?)?;
        (*at == index).then_some(document)
    }

    /// The line of the stream, from 1, on which a node of a parsed document starts.
    #[must_use]
    pub fn line(&self, index: usize, node: NodeId) -> usize {
        let first_lines = self.first_lines.get_or_init(|| first_lines(self.input, &self.documents));
        let first = first_lines.get(index).copied().unwrap_or_default();
        self.document(index).map_or(first, |document| first + document.line(node))
    }
}

fn line_breaks(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}

/// The line, from 1, on which each document starts.
fn first_lines(input: &[u8], documents: &[Range<usize>]) -> Vec<usize> {
    documents
        .iter()
        .scan(1, |line, document| {
            let first = *line;
            *line += line_breaks(&input[document.clone()]);
            Some(first)
        })
        .collect()
}
