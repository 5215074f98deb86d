//! Finds, without parsing, the documents that can hold an object of a kind that we know.
//!
//! A document is a candidate when its bytes hold the literal words of a kind and of its group, or
//! something that could hide them from a byte search: an escape in a double-quoted scalar, a
//! line continuation inside a word, a tag such as `!!binary`, or a directive.

use std::ops::Range;

use memchr::memmem::Finder;

/// The literal words that every document with an object of one kind holds.
#[derive(Clone, Copy, Debug)]
pub struct Literals {
    /// The kind, for example `Ingress`.
    pub kind: &'static str,
    /// The API group, or for the core group another word that the objects of interest hold.
    pub group: &'static str,
}

/// The indices of the documents that can hold an object of one of the `kinds`, in order.
#[must_use]
pub fn candidates(input: &[u8], documents: &[Range<usize>], kinds: &[Literals]) -> Vec<usize> {
    let mut groups: Vec<&str> = kinds.iter().map(|literals| literals.group).collect();
    groups.sort_unstable();
    groups.dedup();
    let mut is_candidate = vec![false; documents.len()];
    for group in groups {
        let of_group: Vec<Finder<'_>> = kinds
            .iter()
            .filter(|literals| literals.group == group)
            .map(|literals| Finder::new(literals.kind))
            .collect();
        mark(documents, Finder::new(group).find_iter(input), &mut is_candidate, |document, _| {
            of_group.iter().any(|kind| kind.find(&input[document.clone()]).is_some())
        });
    }
    let escapes = memchr::memchr2_iter(b'\\', b'!', input);
    mark(documents, escapes, &mut is_candidate, |_, at| hides(input, at));
    let directives = memchr::memchr_iter(b'%', input);
    mark(documents, directives, &mut is_candidate, |_, at| is_line_start(input, at));
    is_candidate.iter().enumerate().filter_map(|(index, &yes)| yes.then_some(index)).collect()
}

/// Marks each document that holds one of the `hits` that `counts`.
fn mark(
    documents: &[Range<usize>],
    hits: impl Iterator<Item = usize>,
    is_candidate: &mut [bool],
    counts: impl Fn(&Range<usize>, usize) -> bool,
) {
    let mut index = 0;
    for at in hits {
        while documents.get(index).is_some_and(|document| document.end <= at) {
            index += 1;
        }
        let Some(document) = documents.get(index) else { return };
        if is_candidate[index] {
            continue;
        }
        is_candidate[index] = counts(document, at);
    }
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
        candidates(input.as_bytes(), &split(input.as_bytes()), &[INGRESS])
    }

    #[test]
    fn kind_and_group_must_both_stand_in_the_document() {
        assert_eq!(found("kind: Ingress\n---\nx: networking.k8s.io\n"), Vec::<usize>::new());
        assert_eq!(found("a: 1\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\n"), vec![1]);
        assert_eq!(found("{\"kind\":\"IngressList\",\"apiVersion\":\"networking.k8s.io/v1\"}"), vec![0]);
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
