//! What each replicator is told for a source to be copied to the namespaces that were asked for.

use kube::core::{Expression, SelectorExt as _};

use super::target::{Target, TargetError};
use crate::output::escape::escape;
use crate::secret::live::LiveMetadata;
use crate::secret::mirror::{COPY_TO_NAMESPACES, COPY_TO_SELECTOR};

/// Who copies a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// emberstack/kubernetes-reflector.
    Reflector,
    /// Kubed, now config-syncer.
    Kubed,
    /// This program, whenever `distribute --via copy` runs.
    Copy,
}

/// The namespaces that were asked for: patterns of names, a label selector, or both, of which either suffices.
#[derive(Clone, Debug)]
pub struct Destination {
    patterns: Option<String>,
    selector: Option<String>,
    /// The same, read.
    pub target: Target,
}

/// Why it cannot be told, or not by that replicator, which namespaces are meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// Neither patterns nor selector.
    #[error("say where to: --to-namespaces PATTERN (.* for all) or --to-selector SELECTOR")]
    Nowhere,
    /// One of them cannot be read.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A shell's pattern.
    #[error("--to-namespaces takes regular expressions, in which \"{}\" ends in any number of dashes: write {}.*", escape(.0), escape(.0.trim_end_matches('*')))]
    Glob(String),
    /// Kubed knows label selectors only.
    #[error(
        "Kubed picks namespaces by label, not by \"{}\": give names or .* alone, or --to-selector KEY=VALUE too, and label the namespaces so",
        escape(.0)
    )]
    NoSelector(String),
}

const REFLECTOR: &str = "reflector.v1.k8s.emberstack.com/";
const KUBED: &str = "kubed.appscode.com/sync";

/// Annotations that make a replicator copy a Secret, and who that is.
const SOURCE_ANNOTATIONS: [(&str, Option<Via>); 6] = [
    ("reflector.v1.k8s.emberstack.com/reflection-allowed", Some(Via::Reflector)),
    ("reflector.v1.k8s.emberstack.com/reflection-auto-enabled", Some(Via::Reflector)),
    (KUBED, Some(Via::Kubed)),
    (COPY_TO_NAMESPACES, Some(Via::Copy)),
    (COPY_TO_SELECTOR, Some(Via::Copy)),
    ("replicator.v1.mittwald.de/replicate-to", None),
];

/// The annotation by which somebody else than `via` copies the Secret already.
pub fn other<'a>(via: Via, mut has: impl FnMut(&str) -> bool) -> Option<&'a str> {
    let of_others = SOURCE_ANNOTATIONS.iter().filter(|(_, by)| *by != Some(via));
    of_others.map(|(key, _)| *key).find(|key| has(key))
}

impl Destination {
    /// Reads what was asked for.
    ///
    /// # Errors
    /// When nothing was, or it cannot be read.
    pub fn parse(patterns: Option<&str>, selector: Option<&str>) -> Result<Self, DestinationError> {
        if patterns.is_none() && selector.is_none() {
            return Err(DestinationError::Nowhere);
        }
        let mut each = patterns.into_iter().flat_map(|list| list.split(',')).map(str::trim);
        if let Some(glob) = each.find(|pattern| pattern.ends_with("-*")) {
            return Err(DestinationError::Glob(glob.to_owned()));
        }
        // What Reflector takes for all namespaces may be an accident here.
        if patterns.is_some_and(str::is_empty) {
            return Err(DestinationError::Nowhere);
        }
        let target = Target::parse(patterns, selector)?;
        Ok(Self { patterns: patterns.map(str::to_owned), selector: selector.map(str::to_owned), target })
    }

    /// What an earlier `distribute --via copy` has noted on its source; nothing when none has.
    ///
    /// # Errors
    /// When the notes cannot be read.
    pub fn noted(source: &LiveMetadata) -> Option<Result<Self, DestinationError>> {
        let (patterns, selector) = (source.annotation(COPY_TO_NAMESPACES), source.annotation(COPY_TO_SELECTOR));
        (patterns.is_some() || selector.is_some()).then(|| Self::parse(patterns, selector))
    }

    /// The annotations for the source, each with its value; without one it has to go.
    ///
    /// # Errors
    /// When the replicator cannot be told so.
    pub fn annotations(&self, via: Via) -> Result<Vec<(String, Option<String>)>, DestinationError> {
        let (patterns, selector) = (self.patterns.clone(), self.selector.clone());
        Ok(match via {
            Via::Reflector => [
                ("reflection-allowed", Some("true".to_owned())),
                ("reflection-allowed-namespaces", patterns.clone()),
                ("reflection-allowed-namespaces-selector", selector.clone()),
                ("reflection-auto-enabled", Some("true".to_owned())),
                ("reflection-auto-namespaces", patterns),
                ("reflection-auto-namespaces-selector", selector),
            ]
            .map(|(key, value)| (format!("{REFLECTOR}{key}"), value))
            .into(),
            Via::Kubed => vec![(KUBED.to_owned(), Some(self.kubed()?))],
            Via::Copy => {
                vec![(COPY_TO_NAMESPACES.to_owned(), patterns), (COPY_TO_SELECTOR.to_owned(), selector)]
            }
        })
    }

    /// The namespaces as Kubed is told them (config-syncer `pkg/syncer/util.go: GetSyncOptions`): nothing for all, else
    /// a selector; every namespace has its name as a label.
    fn kubed(&self) -> Result<String, DestinationError> {
        let Some(patterns) = &self.target.patterns else { return Ok(self.selector.clone().unwrap_or_default()) };
        if patterns.fit_all() {
            return Ok(String::new());
        }
        match (&self.selector, patterns.names()) {
            (Some(selector), _) => Ok(selector.clone()),
            (None, Some(names)) => Ok(format!("kubernetes.io/metadata.name in ({})", names.join(","))),
            (None, None) => Err(DestinationError::NoSelector(self.patterns.clone().unwrap_or_default())),
        }
    }

    /// Whether Kubed's selector needs labels on namespaces that only their labels can tell.
    #[must_use]
    pub fn needs_labels(&self) -> bool {
        self.selector.is_some() && !self.target.patterns.as_ref().is_some_and(super::Patterns::fit_all)
    }

    /// The lines that label namespaces so that Kubed's selector picks them: of those known the ones whose names fit and
    /// whose labels do not; without any patterns, or without knowing them, one to be filled in.
    #[must_use]
    pub fn label_lines(&self, namespaces: Option<&[LiveMetadata]>) -> Vec<String> {
        let Some(selector) = self.target.selector.clone().filter(|_| self.needs_labels()) else { return Vec::new() };
        let labels: Vec<String> = selector.clone().into_iter().filter_map(label).collect();
        if labels.is_empty() {
            return Vec::new();
        }
        let line = |namespace: &str| format!("kubectl label namespace {} {}", escape(namespace), labels.join(" "));
        match (&self.target.patterns, namespaces) {
            (Some(patterns), Some(namespaces)) => namespaces
                .iter()
                .filter(|namespace| patterns.fit(&namespace.name))
                .filter(|namespace| !selector.matches(&namespace.labels.clone().unwrap_or_default()))
                .map(|namespace| line(&namespace.name))
                .collect(),
            (Some(patterns), None) => {
                patterns.names().map_or_else(|| vec![line("NAMESPACE")], |names| names.into_iter().map(line).collect())
            }
            (None, _) => vec![line("NAMESPACE")],
        }
    }
}

/// The label that makes a namespace fit, as `kubectl label` takes it.
fn label(expression: Expression) -> Option<String> {
    match expression {
        Expression::Equal(key, value) => Some(format!("{key}={value}")),
        Expression::In(key, values) => values.first().map(|value| format!("{key}={value}")),
        Expression::Exists(key) => Some(format!("{key}=")),
        Expression::NotIn(..) | Expression::NotEqual(..) | Expression::DoesNotExist(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubed(patterns: Option<&str>, selector: Option<&str>) -> Result<String, String> {
        let destination = Destination::parse(patterns, selector).map_err(|error| error.to_string())?;
        let annotations = destination.annotations(Via::Kubed).map_err(|error| error.to_string())?;
        Ok(annotations[0].1.clone().unwrap())
    }

    #[test]
    fn kubed_is_told_a_selector_or_refuses() {
        assert_eq!(kubed(Some(".*"), None), Ok(String::new()));
        assert_eq!(kubed(Some("a, team-b"), None), Ok("kubernetes.io/metadata.name in (a,team-b)".to_owned()));
        assert_eq!(kubed(None, Some("sync=wild")), Ok("sync=wild".to_owned()));
        assert_eq!(kubed(Some("team-.*"), Some("sync=wild")), Ok("sync=wild".to_owned()));
        assert!(kubed(Some("team-.*"), None).unwrap_err().contains("Kubed picks namespaces by label"));
    }

    #[test]
    fn kubeds_label_lines_are_for_the_namespaces_that_fit_and_lack_the_label() {
        let named = |name: &str, label: Option<&str>| LiveMetadata {
            name: name.to_owned(),
            labels: label.map(|value| [("sync".to_owned(), value.to_owned())].into()),
            ..LiveMetadata::default()
        };
        let all = [named("team-a", None), named("team-b", Some("wild")), named("other", None)];
        let lines = |patterns, selector, all| Destination::parse(patterns, selector).unwrap().label_lines(all);
        let line = |name: &str| format!("kubectl label namespace {name} sync=wild");
        assert_eq!(lines(Some("team-.*"), Some("sync=wild"), Some(&all)), [line("team-a")]);
        assert_eq!(lines(Some("team-.*"), Some("sync=wild"), None), [line("NAMESPACE")]);
        assert_eq!(lines(Some("x,y"), Some("sync=wild"), None), [line("x"), line("y")]);
        assert_eq!(lines(None, Some("sync=wild"), Some(&all)), [line("NAMESPACE")]);
        assert!(lines(Some(".*"), Some("sync=wild"), Some(&all)).is_empty());
        assert!(lines(Some("x"), None, None).is_empty());
        assert!(lines(None, Some("!sync"), None).is_empty());
    }

    #[test]
    fn reflector_is_told_what_is_allowed_and_made_and_stale_lists_go() {
        let destination = Destination::parse(None, Some("team=a")).unwrap();
        let annotations = destination.annotations(Via::Reflector).unwrap();
        let value = |key: &str| {
            let key = format!("{REFLECTOR}{key}");
            annotations.iter().find(|(name, _)| *name == key).and_then(|(_, value)| value.clone())
        };
        assert_eq!(annotations.len(), 6);
        assert_eq!(value("reflection-allowed").as_deref(), Some("true"));
        assert_eq!(value("reflection-auto-namespaces"), None);
        assert_eq!(value("reflection-auto-namespaces-selector").as_deref(), Some("team=a"));
    }

    #[test]
    fn where_to_must_be_said_and_shell_patterns_are_refused() {
        let error = |patterns, selector| Destination::parse(patterns, selector).map(|_| ()).unwrap_err();
        assert_eq!(error(None, None), DestinationError::Nowhere);
        assert_eq!(error(Some(""), None), DestinationError::Nowhere);
        assert!(error(Some("dev,team-*"), None).to_string().ends_with("write team-.*"));
        assert!(error(Some("*"), None).to_string().contains("write .* for all"));
        assert!(error(None, Some("a b")).to_string().contains("no label selector"));
    }

    #[test]
    fn another_replicators_annotation_is_found() {
        assert_eq!(other(Via::Copy, |key| key == KUBED), Some(KUBED));
        assert_eq!(other(Via::Kubed, |key| key == KUBED), None);
        assert_eq!(other(Via::Kubed, |key| key.contains("mittwald")), Some("replicator.v1.mittwald.de/replicate-to"));
    }
}
