//! Finds, without parsing, the documents that can hold an object of a kind that we know.
//!
//! A document is a candidate when `kind` stands in it with a value that is, or may be, one of the kinds, and when its
//! bytes hold the words of that kind and of its group; or when they hold
//! something that could hide these from a byte search: an escape in a double-quoted scalar, a
//! line continuation inside a word, a tag such as `!!binary`, or a directive.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};
use memchr::memmem::Finder;
use rayon::prelude::*;

/// The literal words that every document with an object of one kind holds.
#[derive(Clone, Copy, Debug)]
pub struct Literals {
    /// The kind, for example `Ingress`.
    pub kind: &'static str,
    /// The API group, or for the core group another word that the objects of interest hold.
    pub group: &'static str,
}

/// What a search of a document's bytes tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Searched {
    /// Whether it can hold an object of one of the kinds.
    pub is_candidate: bool,
    /// Whether an escape, a tag or a directive could hide a word from a search for its bytes.
    pub hides_words: bool,
}

/// Searches each document for objects of the `kinds`.
#[must_use]
pub fn search(input: &[u8], documents: &[Range<usize>], kinds: &[Literals]) -> Vec<Searched> {
    let search = Search::new(kinds);
    let searched = |document: &Range<usize>| {
        let bytes = &input[document.clone()];
        let hides_words = hides_words(bytes);
        Searched { is_candidate: hides_words || search.is_named(bytes), hides_words }
    };
    documents.par_iter().with_min_len(BATCH).map(searched).collect()
}

/// How many documents are searched in one go.
const BATCH: usize = 64;

struct Search<'k> {
    key: Finder<'k>,
    kinds: Vec<Words<'k>>,
    /// Finds the name of any of the kinds in one go.
    any: Option<AhoCorasick>,
}

struct Words<'k> {
    name: &'k str,
    group: Finder<'k>,
}

impl<'k> Search<'k> {
    fn new(kinds: &'k [Literals]) -> Self {
        let words = |literals: &Literals| Words { name: literals.kind, group: Finder::new(literals.group) };
        // Only the search for the leftmost match is fast where no name is near.
        let names = kinds.iter().map(|literals| literals.kind);
        // And a render is often smaller than the table of a DFA.
        let mut any = AhoCorasick::builder();
        let any = any.match_kind(MatchKind::LeftmostFirst).kind(Some(AhoCorasickKind::ContiguousNFA)).build(names).ok();
        Self { key: Finder::new("kind"), kinds: kinds.iter().map(words).collect(), any }
    }

    /// Whether the document holds the words of a kind. Most documents say at each `kind` that they are something else.
    fn is_named(&self, document: &[u8]) -> bool {
        // The words of a kind are looked for at most once in a document.
        let mut is_settled = vec![false; self.kinds.len()];
        for at in self.key.find_iter(document) {
            let Some(word) = simple_value(&document[at + "kind".len()..]) else {
                return self.holds_words(document, is_settled);
            };
            if self.settle(document, &mut is_settled, |name| contains(word, name)) {
                return true;
            }
        }
        false
    }

    /// Whether the document holds, anywhere, the words of a kind that is not settled.
    fn holds_words(&self, document: &[u8], mut is_settled: Vec<bool>) -> bool {
        let Some(any) = &self.any else { return true };
        let mut from = 0;
        while let Some(found) = any.find(Input::new(document).span(from..document.len())) {
            let here = &document[found.start()..];
            if self.settle(document, &mut is_settled, |name| here.starts_with(name.as_bytes())) {
                return true;
            }
            // Names overlap: TCPIngress, Ingress, IngressRoute.
            from = found.start() + 1;
        }
        false
    }

    /// Looks for the group of each further kind whose name `is` there; whether one has it, too.
    fn settle(&self, document: &[u8], is_settled: &mut [bool], is: impl Fn(&str) -> bool) -> bool {
        self.kinds.iter().zip(is_settled).any(|(words, is_settled)| {
            if *is_settled || !is(words.name) {
                return false;
            }
            *is_settled = true;
            words.group.find(document).is_some()
        })
    }
}

fn contains(word: &[u8], name: &str) -> bool {
    word.windows(name.len()).any(|window| window == name.as_bytes())
}

/// The word that a key has as its value when both stand on one line, `kind: Word` in any quotes; nothing for
/// everything else, which must be looked at more closely.
fn simple_value(after_key: &[u8]) -> Option<&[u8]> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let quote = |bytes: &[u8]| usize::from(matches!(bytes.first(), Some(b'"' | b'\'')));
    let rest = &after_key[quote(after_key)..];
    let rest = &rest[rest.iter().take_while(|byte| blank(byte)).count()..];
    let rest = rest.strip_prefix(b":")?;
    let rest = &rest[rest.iter().take_while(|byte| blank(byte)).count()..];
    let rest = &rest[quote(rest)..];
    let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let word = &rest[..length];
    let ends = matches!(rest.get(length), None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'\'' | b',' | b'}'));
    (length > 0 && ends).then_some(word)
}

/// Whether an escape, a tag or a directive could hide a word from a search for its bytes.
fn hides_words(document: &[u8]) -> bool {
    memchr::memchr2_iter(b'\\', b'!', document).any(|at| hides(document, at))
        || memchr::memchr_iter(b'%', document).any(|at| is_line_start(document, at))
}

fn is_line_start(input: &[u8], at: usize) -> bool {
    matches!(input[..at].last(), None | Some(b'\n' | b'\r'))
}

/// Whether the backslash or exclamation mark at `at` could hide a letter of a kind or group.
fn hides(input: &[u8], at: usize) -> bool {
    let after = &input[at + 1..];
    if input[at] == b'!' {
        return matches!(after.first(), Some(b'!' | b'<'));
    }
    match after.first() {
        Some(b'x') => is_word_escape(after, 2),
        Some(b'u') => is_word_escape(after, 4),
        Some(b'U') => is_word_escape(after, 8),
        Some(b'/') => is_word_byte_at(after, 1) && at > 0 && is_word_byte(input[at - 1]),
        Some(b'\n' | b'\r') => {
            let next = after.iter().find(|byte| !byte.is_ascii_whitespace());
            at > 0 && is_word_byte(input[at - 1]) && next.is_some_and(|&byte| is_word_byte(byte) || byte == b'\\')
        }
        _ => false,
    }
}

/// Whether the hexadecimal digits after the escape letter name a byte of a kind or group.
fn is_word_escape(after: &[u8], digits: usize) -> bool {
    after
        .get(1..=digits)
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .and_then(|code| u8::try_from(code).ok())
        .is_some_and(is_word_byte)
}

fn is_word_byte_at(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(|&byte| is_word_byte(byte))
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::stream::split;

    const INGRESS: Literals = Literals { kind: "Ingress", group: "networking.k8s.io" };

    fn found(input: &str) -> Vec<usize> {
        let searched = search(input.as_bytes(), &split(input.as_bytes()), &[INGRESS]);
        searched.iter().enumerate().filter_map(|(index, found)| found.is_candidate.then_some(index)).collect()
    }

    #[test]
    fn kind_and_group_must_both_stand_in_the_document() {
        assert_eq!(found("kind: Ingress\n---\nx: networking.k8s.io\n"), Vec::<usize>::new());
        assert_eq!(found("a: 1\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\n"), vec![1]);
        assert_eq!(found("{\"kind\":\"IngressList\",\"apiVersion\":\"networking.k8s.io/v1\"}"), vec![0]);
    }

    #[test]
    fn a_kind_is_found_however_it_is_written() {
        for written in [
            "kind: Ingress",
            "'kind': 'Ingress'",
            "\"kind\"\t:\t\"Ingress\" # why",
            "kind: IngressList",
            "{apiVersion: x,kind: Ingress}",
            "kind:\n  Ingress",
            "kind: # why\n  Ingress",
            "kind: >-\n  Ingress",
            "kind: &a Ingress",
            "? kind\n: Ingress",
            "- &k kind\n- *k : Ingress",
            "kind: ConfigMap\nkind: Ingress",
            "kind: !!str Ingress",
            "mankind: x\nkind: Ingress",
            "a: &a Ingress\nkind: *a",
        ] {
            let text = format!("{written}\n# networking.k8s.io\n");
            assert_eq!(found(&text), vec![0], "{written}");
        }
        assert_eq!(found("kind: ConfigMap\ndata: {a: Ingress, b: networking.k8s.io}\n"), Vec::<usize>::new());
    }

    #[test]
    fn kinds_whose_names_overlap_are_each_found() {
        let kinds = ["TCPIngress", "Ingress", "IngressRoute", "RouteGroup"].map(|kind| Literals { kind, group: kind });
        for kind in &kinds {
            for text in ["kind:\n  TCPIngressRouteGroup\n", "kind: TCPIngressRouteGroup\n"] {
                let documents = split(text.as_bytes());
                assert!(search(text.as_bytes(), &documents, &[*kind])[0].is_candidate, "{}", kind.kind);
                let with_others =
                    kinds.map(|other| Literals { group: if other.kind == kind.kind { "kind" } else { "?" }, ..other });
                assert!(
                    search(text.as_bytes(), &documents, &with_others)[0].is_candidate,
                    "{} among others",
                    kind.kind
                );
            }
        }
    }

    #[test]
    fn what_could_hide_a_kind_makes_a_candidate() {
        for hidden in [
            r#""k\x69nd": x"#,
            r#"kind: "Ingr\u0065ss""#,
            r#"kind: "\U00000049ngress""#,
            "kind: \"Ingr\\\n  ess\"",
            "kind: \"Ingr\\\r\n  ess\"",
            r#"apiVersion: "extensions\/v1beta1""#,
            "kind: !!binary SW5ncmVzcw==",
            "kind: !<tag:yaml.org,2002:binary> SW5ncmVzcw==",
            "%TAG ! tag:yaml.org,2002:\n---\nkind: !binary SW5ncmVzcw==",
        ] {
            assert_eq!(found(hidden), vec![0], "{hidden}");
        }
    }

    #[test]
    fn what_hides_nothing_makes_none() {
        for plain in [
            "a: \"x \\\n  y\"\n",
            "a: \"\\u003c\\n\\t\"\n",
            "a: '\\d+\\.\\d'\n",
            "a: 100%\nb: hello!\n",
            "run: |\n  curl -s \\\n    -H x\n",
        ] {
            assert_eq!(found(plain), Vec::<usize>::new(), "{plain}");
        }
    }
}
