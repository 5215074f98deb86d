//! Makes hostile text safe to show on a terminal and in a log (R20).

use std::borrow::Cow;
use std::fmt::Write as _;

/// Gives `text` with every character that could move the cursor, reorder the line or hide itself written as
/// `\u{1b}`; text without such characters comes back borrowed.
///
/// Escaped are C0 and C1 controls with DEL (line breaks and tabs among them), the bidirectional marks, embeddings,
/// overrides and isolates of Unicode Annex 9, zero-width and other invisible characters, U+2028, U+2029 and U+FEFF.
pub fn escape(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(must_escape) else {
        return Cow::Borrowed(text);
    };
    let mut safe = String::with_capacity(text.len() + 16);
    safe.push_str(&text[..first]);
    for character in text[first..].chars() {
        if must_escape(character) {
            // Writing into a String cannot fail.
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// `json` with the same characters written as JSON escapes (RFC 8259 section 7); line breaks between its tokens stay.
pub fn escape_json(json: &str) -> Cow<'_, str> {
    let is_hostile = |character: char| character != '\n' && must_escape(character);
    if !json.contains(is_hostile) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        if is_hostile(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing into a String cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// `text` with the same characters escaped inside its lines; line ends and tabs stay.
pub fn escape_lines(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let parts: Vec<Cow<'_, str>> = content.split('\t').map(escape).collect();
        safe.push_str(&parts.join("\t"));
        safe.push_str(&line[content.len()..]);
    }
    safe
}

fn must_escape(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r20_plain_text_is_borrowed() {
        for text in ["", "app.example.com", "bücher.example", "a\\u{1b}"] {
            assert!(matches!(escape(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn r20_controls_and_bidi_are_escaped() {
        let cases = [
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("a\nb\r\tc", "a\\u{a}b\\u{d}\\u{9}c"),
            ("\0\u{7f}\u{80}\u{9f}", "\\u{0}\\u{7f}\\u{80}\\u{9f}"),
            ("\u{200e}\u{200f}\u{61c}", "\\u{200e}\\u{200f}\\u{61c}"),
            ("\u{202a}\u{202e}\u{2066}\u{2069}", "\\u{202a}\\u{202e}\\u{2066}\\u{2069}"),
            ("\u{2028}\u{2029}\u{feff}", "\\u{2028}\\u{2029}\\u{feff}"),
            ("a\u{200b}\u{200d}\u{2060}b", "a\\u{200b}\\u{200d}\\u{2060}b"),
            ("é\u{85}é", "é\\u{85}é"),
        ];
        for (text, safe) in cases {
            assert_eq!(escape(text), safe);
        }
    }

    #[test]
    fn r20_every_listed_character_is_gone() {
        let all: String = ('\0'..='\u{10ffff}').filter(|c| must_escape(*c)).collect();
        assert!(!escape(&all).contains(must_escape));
    }
}
