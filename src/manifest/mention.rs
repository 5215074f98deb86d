//! Where the names of Secrets occur in a render: in any scalar, and in what Secrets and
//! ConfigMaps hold in base64 (R13).

use std::collections::{HashMap, HashSet};

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use rayon::prelude::*;

use super::Manifest;
use super::document::{Document, NodeId};

/// Stands for every Certificate among those whose CA is injected.
pub const EVERY: &str = "*";

/// One occurrence of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The document's index in the stream.
    pub document: usize,
    /// The scalar, when the document was parsed beforehand.
    pub node: Option<NodeId>,
}

/// The names that are looked for.
#[derive(Debug)]
pub struct Names {
    names: HashSet<String>,
    namespaces: HashSet<String>,
    /// Finds any of the names anywhere; most documents hold none.
    any: Option<AhoCorasick>,
}

impl Names {
    /// Looks for these Secret names, also in the form `name.namespace`.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = String>, namespaces: impl IntoIterator<Item = String>) -> Self {
        let names: HashSet<String> = names.into_iter().collect();
        // Without it, which only an absurd number of names causes, every token is looked up.
        let any = AhoCorasick::new(&names).ok();
        Self { names, namespaces: namespaces.into_iter().collect(), any }
    }

    /// Whether the bytes hold a name in any surroundings.
    fn may_be_in(&self, text: &[u8]) -> bool {
        self.any.as_ref().is_none_or(|any| any.is_match(text))
    }

    /// The names that occur in `text` as a token between characters that no name holds.
    pub(crate) fn in_text<'n>(&'n self, text: &[u8], found: &mut impl FnMut(&'n str)) {
        for token in text.split(|byte| !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-')) {
            let Ok(token) = std::str::from_utf8(token) else { continue };
            if token.is_empty() {
                continue;
            }
            let trimmed = token.trim_matches(['.', '-']);
            if let Some(name) = self.names.get(token).or_else(|| self.names.get(trimmed)) {
                found(name);
            } else if let Some((name, namespace)) = trimmed.rsplit_once('.')
                && let Some(name) = self.names.get(name)
                && self.namespaces.contains(namespace)
            {
                found(name);
            }
        }
    }
}

impl Manifest<'_> {
    /// Every occurrence of each name, in the order of the stream.
    #[must_use]
    pub fn mentions<'n>(&self, names: &'n Names) -> HashMap<&'n str, Vec<Mention>> {
        let mut mentions: HashMap<&str, Vec<Mention>> = HashMap::new();
        if names.names.is_empty() {
            return mentions;
        }
        let found: Vec<Vec<(&str, Mention)>> = (0..self.documents.len())
            .into_par_iter()
            .map(|index| self.in_document(index, names))
            .filter(|found| !found.is_empty())
            .collect();
        for (name, mention) in found.into_iter().flatten() {
            mentions.entry(name).or_default().push(mention);
        }
        mentions
    }

    fn in_document<'n>(&self, index: usize, names: &'n Names) -> Vec<(&'n str, Mention)> {
        let bytes = &self.input[self.documents[index].clone()];
        let mut found = Vec::new();
        // An escape joins a letter to a name, and base64 hides one: such a document is read whole.
        if !names.may_be_in(bytes) && !self.searched[index].hides_words && !may_hold_base64(bytes) {
            return found;
        }
        if let Some(document) = self.document(index) {
            in_scalars(document, names, &mut |name, node| {
                found.push((name, Mention { document: index, node: Some(node) }));
            });
            return found;
        }
        let mention = Mention { document: index, node: None };
        match Document::parse(bytes) {
            Ok(document) => in_scalars(&document, names, &mut |name, _| found.push((name, mention))),
            // What cannot be read may hold the name: the cautious answer.
            Err(_) => names.in_text(bytes, &mut |name| found.push((name, mention))),
        }
        found
    }

    /// The values of every annotation whose key ends in `inject-ca-from`: `namespace/name` of the
    /// Certificate whose CA cert-manager injects (`pkg/controller/cainjector/sources.go`).
    #[must_use]
    pub fn injected(&self) -> HashSet<String> {
        let key = memchr::memmem::Finder::new("inject-ca-from");
        let holds_key = |index: usize| {
            self.searched[index].hides_words || key.find(&self.input[self.documents[index].clone()]).is_some()
        };
        (0..self.documents.len())
            .into_par_iter()
            .filter(|&index| holds_key(index))
            .flat_map_iter(|index| {
                let bytes = &self.input[self.documents[index].clone()];
                let parsed = Document::parse(bytes);
                // What cannot be read may inject any: the cautious answer.
                parsed.map_or_else(|_| vec![EVERY.to_owned()], |document| injected_in(&document))
            })
            .collect()
    }
}

fn injected_in(document: &Document<'_>) -> Vec<String> {
    let scalars: Vec<(NodeId, &str)> = document.roots().iter().flat_map(|&root| document.scalars(root)).collect();
    scalars
        .iter()
        .filter(|(_, text)| text.ends_with("inject-ca-from"))
        .filter_map(|&(key, _)| document.text(document.following(key)).map(str::to_owned))
        .collect()
}

fn in_scalars<'n>(document: &Document<'_>, names: &'n Names, found: &mut impl FnMut(&'n str, NodeId)) {
    for &root in document.roots() {
        for (node, text) in document.scalars(root) {
            names.in_text(text.as_bytes(), &mut |name| found(name, node));
        }
    }
    // A tag can say that a scalar is base64.
    if may_hold_base64(document.source().as_bytes()) || document.source().contains('!') {
        for &root in document.roots() {
            for (node, text) in document.scalars(root) {
                names.in_text(&decode(text), &mut |name| found(name, node));
            }
        }
    }
}

/// The bytes of a base64 value; nothing when it is none.
fn decode(text: &str) -> Vec<u8> {
    let packed: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    base64::engine::general_purpose::STANDARD.decode(packed).unwrap_or_default()
}

/// Whether the document can hold a Secret's `data` or a ConfigMap's `binaryData`, in which a name cannot be found by
/// its bytes; what is tagged as binary is hidden like an escape.
fn may_hold_base64(bytes: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(bytes, word).is_some();
    let is_key = |at: usize| {
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let after = bytes[at + b"data".len()..].iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'"' | b'\''));
        before.is_none_or(|byte| !byte.is_ascii_alphanumeric()) && matches!(after, Some(b':' | b'\n' | b'\r'))
    };
    has(b"binaryData") || (has(b"Secret") && memchr::memmem::find_iter(bytes, b"data").any(is_key))
}
