//! Where the names of Secrets occur in a render: in any scalar, and in what Secrets and
//! ConfigMaps hold in base64 (R13).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::{Range, RangeInclusive};
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use memchr::memmem::Finder;
use rayon::prelude::*;

use super::Manifest;
use super::document::{Document, NodeId, NodeKind};

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
pub struct Names<'n> {
    names: HashSet<Cow<'n, str>>,
    namespaces: HashSet<Cow<'n, str>>,
    /// Finds any of a few names anywhere; most documents hold none.
    few: Option<AhoCorasick>,
    /// The fingerprints of the names, a bit each: most words have none of them.
    fingerprints: Vec<u64>,
    /// The lengths of the shortest and the longest name: most words are shorter.
    lengths: RangeInclusive<usize>,
}

/// How many names are found faster anywhere than word by word.
const FEW: usize = 64;

/// How many bits there are for each name.
const BITS: usize = 16;

impl<'n> Names<'n> {
    /// Looks for these Secret names, also in the form `name.namespace`.
    #[must_use]
    pub fn new(
        names: impl IntoIterator<Item = Cow<'n, str>>,
        namespaces: impl IntoIterator<Item = Cow<'n, str>>,
    ) -> Self {
        let names: HashSet<Cow<'n, str>> = names.into_iter().collect();
        let bytes = names.iter().map(|name| name.as_bytes());
        let few = if names.len() <= FEW { AhoCorasick::new(bytes).ok() } else { None };
        let words = (names.len() * BITS / 64).next_power_of_two();
        let length = || names.iter().map(|name| name.len());
        let lengths = length().min().unwrap_or(1).max(1)..=length().max().unwrap_or_default();
        let namespaces = namespaces.into_iter().collect();
        let mut found = Self { namespaces, few, fingerprints: vec![0; words], lengths, names };
        for name in &found.names {
            let (word, bit) = place(name.as_bytes(), words);
            found.fingerprints[word] |= bit;
        }
        found
    }

    /// The name that is this word.
    fn get(&self, word: &[u8]) -> Option<&str> {
        if !self.lengths.contains(&word.len()) {
            return None;
        }
        let (at, bit) = place(word, self.fingerprints.len());
        if self.fingerprints[at] & bit == 0 {
            return None;
        }
        self.names.get(std::str::from_utf8(word).ok()?).map(AsRef::as_ref)
    }

    /// The name that is this token, in any of its forms.
    fn of_token(&self, token: &[u8]) -> Option<&str> {
        let is_mark = |byte: &u8| matches!(byte, b'.' | b'-');
        let start = token.iter().take_while(|byte| is_mark(byte)).count();
        let trimmed = &token[start..];
        let trimmed = &trimmed[..trimmed.len() - trimmed.iter().rev().take_while(|byte| is_mark(byte)).count()];
        let whole = if trimmed.len() < token.len() { self.get(token) } else { None };
        whole.or_else(|| self.get(trimmed)).or_else(|| {
            let dot = memchr::memrchr(b'.', trimmed)?;
            let name = self.get(&trimmed[..dot])?;
            let namespace = std::str::from_utf8(&trimmed[dot + 1..]).ok()?;
            self.namespaces.contains(namespace).then_some(name)
        })
    }

    /// Whether a name occurs in `text`, as a token between characters that no name holds, and `is` what is looked for.
    pub(crate) fn any_in<'s>(&'s self, text: &[u8], mut is: impl FnMut(&'s str, Range<usize>) -> bool) -> bool {
        let in_names = |byte: &u8| IN_NAMES[usize::from(*byte)];
        let mut at = 0;
        while let Some(start) = text.get(at..at + self.lengths.start()) {
            // From the end: most words are shorter, so that most bytes need not be looked at.
            if let Some(gap) = start.iter().rposition(|byte| !in_names(byte)) {
                at += gap + 1;
                continue;
            }
            let rest = &text[at + start.len()..];
            let token = at..at + start.len() + rest.iter().take_while(|byte| in_names(byte)).count();
            at = token.end + 1;
            if self.of_token(&text[token.clone()]).is_some_and(|name| is(name, token)) {
                return true;
            }
        }
        false
    }

    /// Whether text that is not read yet may hold a name outside of the ranges `own`, which are in order. What it
    /// holds in base64, or by escapes of the letters of a name, is not seen.
    fn may_be_outside(&self, text: &[u8], own: impl FnOnce() -> Vec<Range<usize>>) -> bool {
        if self.few.as_ref().is_some_and(|few| !few.is_match(text)) {
            return false;
        }
        let own = std::cell::LazyCell::new(own);
        let is_outside = |at: Range<usize>| {
            let behind = own.partition_point(|range| range.start <= at.start);
            own[..behind].last().is_none_or(|range| at.end > range.end)
        };
        self.any_in(text, |_, at| is_outside(at)) || self.is_behind_escape(text)
    }

    /// Whether a name may stand behind an escape such as `\n` or `\u003c`, whose letters look like its own.
    fn is_behind_escape(&self, text: &[u8]) -> bool {
        memchr::memchr_iter(b'\\', text).any(|at| {
            let after = &text[at + 1..];
            let digits = match after.first() {
                Some(b'x') => 2,
                Some(b'u') => 4,
                Some(b'U') => 8,
                _ => 0,
            };
            let rest = after.get(1 + digits..).unwrap_or_default();
            let length = rest.iter().take_while(|&&byte| IN_NAMES[usize::from(byte)]).count();
            self.of_token(&rest[..length]).is_some()
        })
    }
}

/// The characters of names of Secrets and namespaces.
const IN_NAMES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(byte as u8, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
        byte += 1;
    }
    table
};

/// Where a word's bit is among so many words of 64; their number is a power of two.
fn place(word: &[u8], words: usize) -> (usize, u64) {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, &byte| (number << 8) | u64::from(byte));
    let (head, tail) = match (word.first_chunk(), word.last_chunk()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => (number(word), 0),
    };
    let mixed = (head ^ tail.rotate_left(29)).wrapping_add(word.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (((mixed >> 38) as usize) & (words - 1), 1 << ((mixed >> 32) & 63))
}

impl Manifest<'_> {
    /// The names that occur outside of the scalars which `own` gives for a parsed document, in order; each with its
    /// first occurrence.
    #[must_use]
    pub fn mentioned<'n>(
        &self,
        names: &'n Names<'_>,
        own: impl Fn(usize) -> Vec<NodeId> + Sync,
    ) -> HashMap<&'n str, Mention> {
        let mut mentioned = HashMap::new();
        if names.names.is_empty() {
            return mentioned;
        }
        let found: Vec<Vec<(&str, Mention)>> = (0..self.documents.len())
            .into_par_iter()
            .map(|index| self.in_document(index, names, || own(index)))
            .filter(|found| !found.is_empty())
            .collect();
        for (name, mention) in found.into_iter().flatten() {
            mentioned.entry(name).or_insert(mention);
        }
        mentioned
    }

    fn in_document<'n>(
        &self,
        index: usize,
        names: &'n Names<'_>,
        own: impl Fn() -> Vec<NodeId>,
    ) -> Vec<(&'n str, Mention)> {
        let bytes = &self.input[self.documents[index].clone()];
        let parsed = self.document(index);
        let own_ranges = || {
            let Some(document) = parsed else { return Vec::new() };
            // Within a collection, only some of the scalars would be own.
            let own =
                own().into_iter().filter(|&node| matches!(document.kind(node), NodeKind::Scalar(_) | NodeKind::Alias));
            own.map(|node| document.range(node)).collect()
        };
        let mut found = Vec::new();
        // An escape joins a letter to a name, and base64 hides one: such a document is read whole.
        let hides_names = self.searched[index].hides_words || may_hold_base64(bytes);
        if !hides_names && !names.may_be_outside(bytes, own_ranges) {
            return found;
        }
        if let Some(document) = parsed {
            let own = own();
            in_scalars(document, names, &mut |name, node| {
                if own.binary_search(&node).is_err() {
                    found.push((name, Mention { document: index, node: Some(node) }));
                }
            });
            return found;
        }
        let mention = Mention { document: index, node: None };
        match Document::parse(bytes) {
            Ok(document) => in_scalars(&document, names, &mut |name, _| found.push((name, mention))),
            // What cannot be read may hold the name: the cautious answer.
            Err(_) => {
                names.any_in(bytes, |name, _| {
                    found.push((name, mention));
                    false
                });
            }
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
    let scalars: Vec<(NodeId, &str)> = document.roots().flat_map(|root| document.scalars(root)).collect();
    scalars
        .iter()
        .filter(|(_, text)| text.ends_with("inject-ca-from"))
        .filter_map(|&(key, _)| document.text(document.following(key)).map(str::to_owned))
        .collect()
}

fn in_scalars<'n>(document: &Document<'_>, names: &'n Names<'_>, found: &mut impl FnMut(&'n str, NodeId)) {
    let mut in_text = |text: &[u8], node: NodeId| {
        names.any_in(text, |name, _| {
            found(name, node);
            false
        });
    };
    for root in document.roots() {
        for (node, text) in document.scalars(root) {
            in_text(text.as_bytes(), node);
        }
    }
    // A tag can say that a scalar is base64.
    if may_hold_base64(document.source().as_bytes()) || document.source().contains('!') {
        for root in document.roots() {
            for (node, text) in document.scalars(root) {
                in_text(&decode(text), node);
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
    static WORDS: LazyLock<[Finder<'static>; 3]> = LazyLock::new(|| ["binaryData", "Secret", "data"].map(Finder::new));
    let [binary_data, secret, data] = &*WORDS;
    let is_key = |at: usize| {
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let after = bytes[at + b"data".len()..].iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'"' | b'\''));
        before.is_none_or(|byte| !byte.is_ascii_alphanumeric()) && matches!(after, Some(b':' | b'\n' | b'\r'))
    };
    binary_data.find(bytes).is_some() || (secret.find(bytes).is_some() && data.find_iter(bytes).any(is_key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::object::objects;
    use crate::plan::build::literals;

    /// Whether the name `shop-tls` stands in the text outside of the first object's own, among few and among many names.
    fn is_mentioned(text: &str) -> bool {
        let manifest = Manifest::read(text.as_bytes(), &literals()).unwrap();
        let own = |index: usize| {
            let document = manifest.document(index).unwrap();
            let object = objects(document).into_iter().next().unwrap();
            document.at(object.node, &["spec", "secretName"]).into_iter().collect()
        };
        let others: Vec<String> = (0..FEW).map(|other| format!("other-{other}-tls")).collect();
        let few = Names::new(["shop-tls".into()], ["demo".into()]);
        let names = others.iter().map(Cow::from).chain(["shop-tls".into()]);
        let many = Names::new(names, ["demo".into()]);
        let few = manifest.mentioned(&few, own);
        assert_eq!(few, manifest.mentioned(&many, own), "{text}");
        few.contains_key("shop-tls")
    }

    #[test]
    fn r13_a_name_is_found_in_every_form_and_in_any_number_of_names() {
        for text in [
            "a: shop-tls",
            "shop-tls: a",
            "a: x/shop-tls:1",
            "a: demo/shop-tls",
            "a: shop-tls.demo",
            "a: shop-tls.",
            "a: --shop-tls",
            "a: |\n  x\n  shop-tls\n",
            "a: 'it''s shop-tls'",
            "a: \"x\\nshop-tls\"",
            "a: \"x\\0shop-tls\"",
            "a: \"\\x20shop-tls\"",
            "a: \"\\u003cshop-tls\\u003e\"",
            "a: \"\\U0000003cshop-tls\"",
            "a: \"\\\\shop-tls\"",
            "a: \"shop\\x2dtls\"",
            "a: \"shop-\\\n  tls\"",
            "kind: Secret\ndata: {a: c2hvcC10bHM=}",
            "a: !!binary c2hvcC10bHM=",
            "a: shop-tls\nb: [",
        ] {
            assert!(is_mentioned(text), "{text}");
        }
        for text in [
            "a: shop-tls-2",
            "a: shop-tls.other",
            "a: xshop-tls",
            "a: 1 # shop-tls",
            "a: 'x\\nshop-tls'",
            "a: c2hvcC10bHM=",
        ] {
            assert!(!is_mentioned(text), "{text}");
        }
    }

    #[test]
    fn r13_words_are_found_wherever_they_stand() {
        let alphabet = *b"a-: ";
        for names in [&["a"][..], &["aa", "a-a"], &["aaa"], &["aa-aa"]] {
            let looked_for = Names::new(names.iter().map(|&name| name.into()), []);
            for number in 0..4_usize.pow(7) {
                let text: Vec<u8> = (0..7).map(|at| alphabet[number / 4_usize.pow(at) % 4]).collect();
                let text = std::str::from_utf8(&text).unwrap();
                let mut found = Vec::new();
                looked_for.any_in(text.as_bytes(), |name, at| {
                    found.push((name, at));
                    false
                });
                let is_word = |word: &&str| names.contains(&word.trim_matches('-'));
                let words: Vec<&str> = text.split([':', ' ']).filter(is_word).collect();
                let found: Vec<&str> = found.into_iter().map(|(_, at)| &text[at]).collect();
                assert_eq!(found, words, "{names:?} in {text:?}");
            }
        }
    }

    #[test]
    fn r13_an_objects_own_name_is_no_mention() {
        let certificate = "apiVersion: cert-manager.io/v1\nkind: Certificate\nspec: {secretName: shop-tls}\n";
        assert!(!is_mentioned(certificate));
        assert!(!is_mentioned(&format!("# shop-tls\n{certificate}")), "in a comment");
        assert!(is_mentioned(&format!("{certificate}other: shop-tls\n")), "behind it");
        assert!(is_mentioned(&format!("other: shop-tls\n{certificate}")), "in front of it");
        assert!(is_mentioned(&format!("{certificate}---\na: shop-tls\n")), "in another document");
    }
}
