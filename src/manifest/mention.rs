//! Where the names of Secrets occur in a render: in any scalar, and in what Secrets and
//! ConfigMaps hold in base64 (R13).

use std::collections::{HashMap, HashSet};

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
#[derive(Clone, Debug, Default)]
pub struct Names {
    names: HashSet<String>,
    namespaces: HashSet<String>,
}

impl Names {
    /// Looks for these Secret names, also in the form `name.namespace`.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = String>, namespaces: impl IntoIterator<Item = String>) -> Self {
        Self { names: names.into_iter().collect(), namespaces: namespaces.into_iter().collect() }
    }

    /// The names that occur in `text` as a token between characters that no name holds.
    fn in_text<'n>(&'n self, text: &[u8], found: &mut impl FnMut(&'n str)) {
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
        if let Some(document) = self.document(index) {
            in_scalars(document, names, &mut |name, node| {
                found.push((name, Mention { document: index, node: Some(node) }));
            });
            return found;
        }
        // An escape joins a letter to a name, and base64 hides one: such a document is parsed.
        let mut is_named = bytes.contains(&b'\\') || may_hold_base64(bytes);
        if !is_named {
            names.in_text(bytes, &mut |_| is_named = true);
        }
        if !is_named {
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
        let holds_key =
            |bytes: &[u8]| bytes.contains(&b'\\') || memchr::memmem::find(bytes, b"inject-ca-from").is_some();
        (0..self.documents.len())
            .into_par_iter()
            .filter(|&index| holds_key(&self.input[self.documents[index].clone()]))
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
    if may_hold_base64(document.source().as_bytes()) {
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

/// Whether the document can hold a Secret, a ConfigMap with `binaryData`, or a `!!binary` scalar,
/// in which a name cannot be found by its bytes.
fn may_hold_base64(bytes: &[u8]) -> bool {
    [&b"Secret"[..], b"binary"].iter().any(|word| memchr::memmem::find(bytes, word).is_some())
}
