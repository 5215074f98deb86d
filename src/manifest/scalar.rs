//! Writes a scalar so that every YAML reader takes it for the same string (R17).

use std::borrow::Cow;
use std::fmt::Write as _;

/// How the scalar that is replaced was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In `'`.
    SingleQuoted,
    /// In `"`.
    DoubleQuoted,
    /// The text of a literal or folded block scalar, whose header stays.
    Block,
}

/// `text` as a scalar in the style of the value that it replaces, quoted whenever a YAML 1.1
/// reader could take it for something else than that string (YAML 1.1 type repository).
#[must_use]
pub fn quote(text: &str, style: Style) -> Cow<'_, str> {
    match style {
        Style::Plain if is_plain_safe(text) => Cow::Borrowed(text),
        Style::Block => Cow::Borrowed(text),
        Style::SingleQuoted if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) => {
            Cow::Owned(format!("'{}'", text.replace('\'', "''")))
        }
        _ => Cow::Owned(double_quoted(text)),
    }
}

/// Whether `text` is a string to every YAML reader without quotes: a small set on purpose.
fn is_plain_safe(text: &str) -> bool {
    let shape = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'/' | b'_'));
    let lower = text.to_ascii_lowercase();
    shape && !matches!(lower.as_str(), "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null")
}

fn double_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r17_quotes_what_a_yaml_1_1_reader_could_take_for_something_else() {
        for text in [
            "yes",
            "no",
            "y",
            "n",
            "on",
            "off",
            "true",
            "false",
            "null",
            "123",
            "0123",
            "1_000",
            "1e3",
            "0x1f",
            "0o17",
            "1.5",
            "*.x",
            "~",
            "",
            "2026-01-01",
            "1:30",
            ".inf",
            "a: b",
            "a #b",
            "Yes",
            "-a",
            "a.",
            "<<",
            "=",
            "@a",
            "`a",
        ] {
            assert_eq!(quote(text, Style::Plain), format!("\"{text}\""));
        }
    }

    #[test]
    fn r17_keeps_the_style_of_the_value_it_replaces() {
        assert_eq!(quote("wild-tls", Style::Plain), "wild-tls");
        assert_eq!(quote("wild.tls1", Style::Plain), "wild.tls1");
        assert_eq!(quote("wild", Style::SingleQuoted), "'wild'");
        assert_eq!(quote("it's", Style::SingleQuoted), "'it''s'");
        assert_eq!(quote("wild", Style::DoubleQuoted), "\"wild\"");
        assert_eq!(quote("wild", Style::Block), "wild");
    }

    #[test]
    fn r17_escapes_what_double_quotes_do_not_hold() {
        assert_eq!(
            quote("a\"b\\c\nd\te\u{85}\u{2028}\u{7f}\u{1b}é", Style::Plain),
            "\"a\\\"b\\\\c\\nd\\te\\u0085\\u2028\\u007f\\u001bé\""
        );
        assert_eq!(quote("a\u{85}", Style::SingleQuoted), "\"a\\u0085\"");
    }
}
