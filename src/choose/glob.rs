//! Go's `path/filepath.Match` on Unix, rule by rule: Epinio compares hosts with it (R3).

/// A pattern that Go refuses (`filepath.ErrBadPattern`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadPattern;

/// Whether the name matches the pattern: `*` is any run of bytes without `/`, `?` one character but `/`, `[…]` one of
/// a class, `\` takes the next byte as it is (Go `src/path/filepath/match.go`).
pub(super) fn matches(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let (mut pattern, mut name) = (pattern.as_bytes(), name.as_bytes());
    'pattern: while !pattern.is_empty() {
        let (star, chunk, rest) = scan_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return Ok(!name.contains(&b'/'));
        }
        let is_whole = |rest: &[u8]| rest.is_empty() || !pattern.is_empty();
        if let Some(rest) = match_chunk(chunk, name)?.filter(|rest| is_whole(rest)) {
            name = rest;
            continue;
        }
        if star {
            let reach = name.iter().position(|&byte| byte == b'/').unwrap_or(name.len());
            for skipped in 1..=reach {
                if let Some(rest) = match_chunk(chunk, &name[skipped..])?.filter(|rest| is_whole(rest)) {
                    name = rest;
                    continue 'pattern;
                }
            }
        }
        // What follows must be well-formed, too.
        while !pattern.is_empty() {
            let (_, chunk, rest) = scan_chunk(pattern);
            match_chunk(chunk, b"")?;
            pattern = rest;
        }
        return Ok(false);
    }
    Ok(name.is_empty())
}

/// Whether stars come first, what follows up to the next one, and the rest.
fn scan_chunk(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|&&byte| byte == b'*').count();
    let pattern = &pattern[stars..];
    let mut in_class = false;
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            b'\\' => at += usize::from(at + 1 < pattern.len()),
            b'[' => in_class = true,
            b']' => in_class = false,
            b'*' if !in_class => break,
            _ => {}
        }
        at += 1;
    }
    (stars > 0, &pattern[..at], &pattern[at..])
}

/// What is left of the name behind a chunk without stars; `None` when it does not match. The chunk is read to its end
/// in any case, so that a wrong one is always found.
fn match_chunk<'n>(mut chunk: &[u8], mut name: &'n [u8]) -> Result<Option<&'n [u8]>, BadPattern> {
    let mut failed = false;
    while let Some(&first) = chunk.first() {
        failed |= name.is_empty();
        match first {
            b'[' => {
                let (character, length) = if failed { (0, 0) } else { character(name) };
                name = &name[length..];
                let (is_in, rest) = match_class(&chunk[1..], character)?;
                failed |= !is_in;
                chunk = rest;
            }
            b'?' => {
                if !failed {
                    failed = name[0] == b'/';
                    name = &name[character(name).1..];
                }
                chunk = &chunk[1..];
            }
            _ => {
                if first == b'\\' {
                    chunk = &chunk[1..];
                }
                let wanted = chunk.first().ok_or(BadPattern)?;
                if !failed {
                    failed = *wanted != name[0];
                    name = &name[1..];
                }
                chunk = &chunk[1..];
            }
        }
    }
    Ok((!failed).then_some(name))
}

/// Whether a character is in the class that the text goes on with, and what follows the class.
fn match_class(text: &[u8], wanted: u32) -> Result<(bool, &[u8]), BadPattern> {
    let negated = text.first() == Some(&b'^');
    let mut rest = if negated { &text[1..] } else { text };
    let mut is_in = false;
    let mut is_first = true;
    loop {
        if !is_first && let Some(after) = rest.strip_prefix(b"]") {
            return Ok((is_in != negated, after));
        }
        let (low, after) = class_end(rest)?;
        let (high, after) = match after.strip_prefix(b"-") {
            Some(after) => class_end(after)?,
            None => (low, after),
        };
        is_in |= (low..=high).contains(&wanted);
        rest = after;
        is_first = false;
    }
}

/// One end of a range in a class; the class must go on behind it.
fn class_end(text: &[u8]) -> Result<(u32, &[u8]), BadPattern> {
    let text = match text.first() {
        None | Some(b'-' | b']') => return Err(BadPattern),
        Some(b'\\') => &text[1..],
        Some(_) => text,
    };
    if text.is_empty() {
        return Err(BadPattern);
    }
    let (found, length) = character(text);
    let rest = &text[length..];
    if rest.is_empty() || (found == REPLACEMENT && length == 1) { Err(BadPattern) } else { Ok((found, rest)) }
}

/// What stands for bytes that are no UTF-8.
const REPLACEMENT: u32 = 0xFFFD;

/// The first character of a text that is not empty, and its length in bytes.
fn character(text: &[u8]) -> (u32, usize) {
    let longest = text.len().min(4);
    let valid = (1..=longest).find_map(|length| std::str::from_utf8(&text[..length]).ok()?.chars().next());
    valid.map_or((REPLACEMENT, 1), |found| (found.into(), found.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Go's own table (`path/filepath/match_test.go`).
    #[test]
    fn r3_go_decides_the_same() {
        let cases = [
            ("abc", "abc", Ok(true)),
            ("*", "abc", Ok(true)),
            ("*c", "abc", Ok(true)),
            ("a*", "a", Ok(true)),
            ("a*", "abc", Ok(true)),
            ("a*", "ab/c", Ok(false)),
            ("a*/b", "abc/b", Ok(true)),
            ("a*/b", "a/c/b", Ok(false)),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", Ok(true)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", Ok(true)),
            ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", Ok(false)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", Ok(false)),
            ("a*b?c*x", "abxbbxdbxebxczzx", Ok(true)),
            ("a*b?c*x", "abxbbxdbxebxczzy", Ok(false)),
            ("ab[c]", "abc", Ok(true)),
            ("ab[b-d]", "abc", Ok(true)),
            ("ab[e-g]", "abc", Ok(false)),
            ("ab[^c]", "abc", Ok(false)),
            ("ab[^b-d]", "abc", Ok(false)),
            ("ab[^e-g]", "abc", Ok(true)),
            ("a\\*b", "a*b", Ok(true)),
            ("a\\*b", "ab", Ok(false)),
            ("a?b", "a☺b", Ok(true)),
            ("a[^a]b", "a☺b", Ok(true)),
            ("a???b", "a☺b", Ok(false)),
            ("a[^a][^a][^a]b", "a☺b", Ok(false)),
            ("[a-ζ]*", "α", Ok(true)),
            ("*[a-ζ]", "A", Ok(false)),
            ("a?b", "a/b", Ok(false)),
            ("a*b", "a/b", Ok(false)),
            ("[\\]a]", "]", Ok(true)),
            ("[\\-]", "-", Ok(true)),
            ("[x\\-]", "x", Ok(true)),
            ("[x\\-]", "-", Ok(true)),
            ("[x\\-]", "z", Ok(false)),
            ("[\\-x]", "a", Ok(false)),
            ("[]a]", "]", Err(BadPattern)),
            ("[-]", "-", Err(BadPattern)),
            ("[x-]", "x", Err(BadPattern)),
            ("[x-]", "z", Err(BadPattern)),
            ("[-x]", "a", Err(BadPattern)),
            ("\\", "a", Err(BadPattern)),
            ("[a-b-c]", "a", Err(BadPattern)),
            ("[", "a", Err(BadPattern)),
            ("[^", "a", Err(BadPattern)),
            ("[^bc", "a", Err(BadPattern)),
            ("a[", "a", Err(BadPattern)),
            ("a[", "ab", Err(BadPattern)),
            ("a[", "x", Err(BadPattern)),
            ("a/b[", "x", Err(BadPattern)),
            ("*x", "xxx", Ok(true)),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
