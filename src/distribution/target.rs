//! The namespaces that a source is copied to: those with a fitting name, and those that a label selector picks.

use std::collections::BTreeMap;

use kube::core::{Selector, SelectorExt as _};

use super::pattern::{PatternError, Patterns};
use super::selector::{self, SelectorError};

/// Namespaces by name or by label; either suffices, as for Reflector from 10.0.38 on.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// Patterns of names.
    pub patterns: Option<Patterns>,
    /// A label selector.
    pub selector: Option<Selector>,
}

/// Why it cannot be told which namespaces are meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The patterns.
    #[error(transparent)]
    Patterns(#[from] PatternError),
    /// The selector.
    #[error(transparent)]
    Selector(#[from] SelectorError),
}

impl Target {
    /// Reads patterns and a selector; an empty text is as good as none.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn parse(patterns: Option<&str>, selector: Option<&str>) -> Result<Self, TargetError> {
        let given = |text: &&str| !text.is_empty();
        Ok(Self {
            patterns: patterns.filter(given).map(Patterns::parse).transpose()?,
            selector: selector.filter(given).map(selector::parse).transpose()?,
        })
    }

    /// Whether a namespace is meant; with neither patterns nor selector every one is.
    #[must_use]
    pub fn includes(&self, name: &str, labels: &BTreeMap<String, String>) -> bool {
        let by_name = self.patterns.as_ref().map(|patterns| patterns.fit(name));
        let by_label = self.selector.as_ref().map(|selector| selector.matches(labels));
        match (by_name, by_label) {
            (None, None) => true,
            (by_name, by_label) => by_name == Some(true) || by_label == Some(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_ored_and_nothing_means_all() {
        let labels = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
        for (patterns, selector, expected) in [
            (None, None, true),
            (Some(""), Some(""), true),
            (Some("app"), None, true),
            (Some("other"), None, false),
            (None, Some("team=a"), true),
            (None, Some("team=b"), false),
            (Some("other"), Some("team=a"), true),
            (Some("app"), Some("team=b"), true),
            (Some("other"), Some("team=b"), false),
        ] {
            let target = Target::parse(patterns, selector).unwrap();
            assert_eq!(target.includes("app", &labels), expected, "{patterns:?} {selector:?}");
        }
    }
}
