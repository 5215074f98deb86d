//! Lists of regular expressions for namespaces' names, as Reflector reads them
//! (`MirroringPropertiesExtensions.PatternListMatch`).

use regex::Regex;

use crate::output::escape::escape;

/// A list of regular expressions. Each is searched for in a name, and what is found first must be the whole name: so
/// `a|ab` does not fit `ab`.
#[derive(Clone, Debug)]
pub struct Patterns(Vec<Regex>);

/// Why a list of patterns cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// No regular expression, or one that uses what only .NET knows.
    #[error("\"{}\" cannot be read as a regular expression{}", escape(.0), hint(.0))]
    Unreadable(String),
    /// .NET and this program would read it differently.
    #[error("\"{}\" can be read in two ways: write its character class without [, &&, -- and ~~", escape(.0))]
    Ambiguous(String),
    /// A list without patterns, which fits nothing.
    #[error("the list of patterns is empty: write .* for all namespaces")]
    Empty,
}

fn hint(pattern: &str) -> &'static str {
    if pattern.starts_with('*') { ": write .* for all namespaces, team-.* for all that start with team-" } else { "" }
}

impl Patterns {
    /// Reads a list with commas between its patterns. A comma within a pattern ends it, as for Reflector.
    ///
    /// # Errors
    /// When a pattern cannot be read, or there is none.
    pub fn parse(list: &str) -> Result<Self, PatternError> {
        let patterns = list.split(',').map(str::trim).filter(|pattern| !pattern.is_empty());
        let patterns: Vec<Regex> = patterns.map(pattern).collect::<Result<_, _>>()?;
        if patterns.is_empty() { Err(PatternError::Empty) } else { Ok(Self(patterns)) }
    }

    /// Whether one of the patterns fits the name.
    #[must_use]
    pub fn fit(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.find(name).is_some_and(|found| found.len() == name.len()))
    }

    /// The names that the patterns are, when each fits one name only.
    #[must_use]
    pub fn names(&self) -> Option<Vec<&str>> {
        let is_name = |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        self.0.iter().map(|pattern| Some(pattern.as_str()).filter(is_name)).collect()
    }

    /// Whether every name fits, as far as can be told without trying.
    #[must_use]
    pub fn fit_all(&self) -> bool {
        self.0.iter().any(|pattern| matches!(pattern.as_str(), ".*" | "^.*$" | ".+" | "^.+$"))
    }
}

fn pattern(text: &str) -> Result<Regex, PatternError> {
    if reads_differently(text) {
        return Err(PatternError::Ambiguous(text.to_owned()));
    }
    Regex::new(text).map_err(|_| PatternError::Unreadable(text.to_owned()))
}

/// Whether a character class holds what is a set operation to one of the two languages and not to the other.
fn reads_differently(text: &str) -> bool {
    let mut in_class = false;
    let mut last = '\0';
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                characters.next();
                last = '\0';
                continue;
            }
            '[' if in_class => return true,
            '[' => in_class = true,
            ']' => in_class = false,
            '&' | '-' | '~' if in_class && last == character => return true,
            _ => {}
        }
        last = character;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_match_must_be_the_whole_name_as_for_reflector() {
        for (list, name, expected) in [
            (".*", "team-a", true),
            ("team-.*", "team-a", true),
            ("team-.*", "a-team-a", false),
            ("team", "team-a", false),
            ("dev, team-[0-9]+ ,", "team-12", true),
            ("dev,team-[0-9]+", "dev", true),
            ("a|ab", "ab", false),
            ("ab|a", "ab", true),
            ("^(a|ab)$", "ab", true),
            // A comma ends a pattern wherever it stands.
            ("x{1,2}", "xx", false),
            ("team-\\d", "team-1", true),
        ] {
            assert_eq!(Patterns::parse(list).is_ok_and(|patterns| patterns.fit(name)), expected, "{list} {name}");
        }
    }

    #[test]
    fn patterns_that_cannot_be_read_say_what_to_write() {
        let error = |list: &str| Patterns::parse(list).map(|_| ()).unwrap_err().to_string();
        assert!(error("*").ends_with("write .* for all namespaces, team-.* for all that start with team-"));
        assert!(error("a,(?!kube-).*").starts_with("\"(?!kube-).*\" cannot be read"));
        for list in ["[a-z-[aeiou]]+", "[a&&b]", "[a--b]", "[a~~b]"] {
            assert!(error(list).contains("two ways"), "{list}");
        }
        assert_eq!(error(" , "), error(""));
    }

    #[test]
    fn names_alone_are_told_from_expressions() {
        let names = |list: &str| Patterns::parse(list).unwrap().names().map(|names| names.join(" "));
        assert_eq!(names("a, team-b"), Some("a team-b".to_owned()));
        assert_eq!(names("a, team-.*"), None);
    }
}
