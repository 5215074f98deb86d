//! Splits a manifest stream into documents by byte range, without parsing it.

use std::ops::Range;

use memchr::memmem;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// The byte ranges of the documents of `input`, in order; together they are the whole input.
///
/// A document begins at a line that starts with `---` followed by white space or the end of the
/// input, and ends after a line that starts with `...` (YAML 1.2.2 §9.1.2 and §6.8: neither may
/// stand inside a scalar, so no parse is needed). Comments, blank lines and directives before a
/// marker belong to the document that it opens, and so do `# Source:` comments directly above it.
#[must_use]
pub fn split(input: &[u8]) -> Vec<Range<usize>> {
    let mut documents = Vec::new();
    let mut start = 0;
    let mut opened = false;
    for (at, marker) in markers(input) {
        match marker {
            Marker::Start => {
                if !opened && is_prologue(&input[start..at]) {
                    opened = true;
                    continue;
                }
                let cut = step_back(input, start, at);
                documents.push(start..cut);
                start = cut;
                opened = true;
            }
            Marker::End => {
                let end = next_line(input, at);
                documents.push(start..end);
                start = end;
                opened = false;
            }
        }
    }
    if start < input.len() || documents.is_empty() {
        documents.push(start..input.len());
    }
    documents
}

#[derive(Clone, Copy)]
enum Marker {
    Start,
    End,
}

/// The markers at line starts, in order of their offset.
fn markers(input: &[u8]) -> impl Iterator<Item = (usize, Marker)> + '_ {
    let of = |needle: &'static [u8], marker| {
        memmem::find_iter(input, needle).filter(|&at| is_marker(input, at)).map(move |at| (at, marker)).peekable()
    };
    let mut starts = of(b"---", Marker::Start);
    let mut ends = of(b"...", Marker::End);
    std::iter::from_fn(move || match (starts.peek(), ends.peek()) {
        (Some(start), Some(end)) if end.0 < start.0 => ends.next(),
        (Some(_), _) => starts.next(),
        (None, _) => ends.next(),
    })
}

/// Whether the three bytes at `at` are a marker: at a line start and followed by white space.
fn is_marker(input: &[u8], at: usize) -> bool {
    let before = &input[..at];
    let before = before.strip_suffix(BOM).unwrap_or(before);
    let at_line_start = matches!(before.last(), None | Some(b'\n' | b'\r'));
    at_line_start && matches!(input.get(at + 3), None | Some(b' ' | b'\t' | b'\n' | b'\r'))
}

/// Whether `text` holds nothing but blank lines, comments and directives.
fn is_prologue(text: &[u8]) -> bool {
    let text = text.strip_prefix(BOM).unwrap_or(text);
    lines(text).all(|line| match line.trim_ascii_start().first() {
        None | Some(b'#') => true,
        Some(b'%') => line.first() == Some(&b'%'),
        Some(_) => line == BOM,
    })
}

/// The lines of `text` with either of YAML's line breaks, without their breaks.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n' || byte == b'\r')
}

/// The start of the `# Source:` comments and directives that stand directly above the marker at
/// `at`, not before `start`.
fn step_back(input: &[u8], start: usize, at: usize) -> usize {
    let mut cut = at;
    while cut > start {
        let line = line_start(input, cut - 1, start);
        let text = &input[line..cut];
        if !(text.starts_with(b"# Source:") || text.starts_with(b"%")) {
            break;
        }
        cut = line;
    }
    cut
}

/// The start of the line whose break (or last byte) is at `at`, not before `floor`.
fn line_start(input: &[u8], at: usize, floor: usize) -> usize {
    memchr::memrchr2(b'\n', b'\r', strip_break(&input[floor..at])).map_or(floor, |i| floor + i + 1)
}

/// `text` without the `\r` of a `\r\n` that its caller has cut in the middle.
fn strip_break(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\r").unwrap_or(text)
}

/// The offset after the line break of the line that holds `at`, or the end of `input`.
pub(super) fn next_line(input: &[u8], at: usize) -> usize {
    match memchr::memchr2(b'\n', b'\r', &input[at..]) {
        None => input.len(),
        Some(i) if input[at + i..].starts_with(b"\r\n") => at + i + 2,
        Some(i) => at + i + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(input: &str) -> Vec<&str> {
        let documents = split(input.as_bytes());
        assert_eq!(documents.first().map(|d| d.start), Some(0));
        assert_eq!(documents.last().map(|d| d.end), Some(input.len()));
        for pair in documents.windows(2) {
            assert_eq!(pair[0].end, pair[1].start, "a gap in {input:?}");
        }
        documents.into_iter().map(|d| &input[d]).collect()
    }

    #[test]
    fn r16_split_covers_every_byte_in_order() {
        for (input, expected) in [
            ("", vec![""]),
            ("a: 1\n", vec!["a: 1\n"]),
            ("---\na: 1\n---\nb: 2\n", vec!["---\na: 1\n", "---\nb: 2\n"]),
            ("---\r\na: 1\r\n---\r\nb: 2", vec!["---\r\na: 1\r\n", "---\r\nb: 2"]),
            ("--- {a: 1}\n--- # c\nb: 2\n", vec!["--- {a: 1}\n", "--- # c\nb: 2\n"]),
            ("---\ta: 1\n---", vec!["---\ta: 1\n", "---"]),
            ("a: 1\n---b\n----\n", vec!["a: 1\n---b\n----\n"]),
            ("a: |\n  ---\n  x\n", vec!["a: |\n  ---\n  x\n"]),
            ("a: 1\r---\rb: 2\r", vec!["a: 1\r", "---\rb: 2\r"]),
        ] {
            assert_eq!(parts(input), expected, "{input:?}");
        }
    }

    #[test]
    fn comments_before_the_first_marker_open_no_document() {
        assert_eq!(parts("# c\n\n---\na: 1\n"), vec!["# c\n\n---\na: 1\n"]);
        assert_eq!(parts("\u{feff}---\na: 1\n---\nb: 2\n"), vec!["\u{feff}---\na: 1\n", "---\nb: 2\n"]);
        assert_eq!(parts("\u{feff}# c\n---\na: 1\n"), vec!["\u{feff}# c\n---\na: 1\n"]);
    }

    #[test]
    fn comment_only_and_empty_documents_are_documents() {
        assert_eq!(parts("---\n# only\n---\n---\na: 1\n"), vec!["---\n# only\n", "---\n", "---\na: 1\n"]);
    }

    #[test]
    fn source_comments_belong_to_the_document_they_precede() {
        assert_eq!(
            parts("---\n# Source: c/crds/a.yaml\n---\na: 1\n# Source: x\r\n# Source: y\r\n---\nb: 2\n"),
            vec!["---\n", "# Source: c/crds/a.yaml\n---\na: 1\n", "# Source: x\r\n# Source: y\r\n---\nb: 2\n"]
        );
    }

    #[test]
    fn directives_stay_with_the_marker_they_precede() {
        assert_eq!(parts("a: 1\n...\n%YAML 1.1\n---\nb: 2\n"), vec!["a: 1\n...\n", "%YAML 1.1\n---\nb: 2\n"]);
        assert_eq!(parts("a: 1\n%TAG ! x:\n---\nb: 2\n"), vec!["a: 1\n", "%TAG ! x:\n---\nb: 2\n"]);
    }

    #[test]
    fn an_end_marker_opens_a_bare_document() {
        assert_eq!(parts("a: 1\n...\nb: 2\n...\n"), vec!["a: 1\n...\n", "b: 2\n...\n"]);
        assert_eq!(parts("a: 1\n... # c\n# d\n---\nb: 2\n"), vec!["a: 1\n... # c\n", "# d\n---\nb: 2\n"]);
    }
}
