//! Which routing secrets will be in a namespace, by what their sources say of copying (`--predict`): Reflector
//! (`Mirroring/Core/MirroringPropertiesExtensions.cs`), Kubed (`pkg/syncer/util.go: GetSyncOptions`), and our own
//! `distribute --via copy`.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::distribution::Target;
use crate::output::escape::escape;
use crate::secret::mirror::{COPY_TO_NAMESPACES, COPY_TO_SELECTOR};
use crate::secret::{ObjectName, Origin, ROUTING_LABEL, RawSecret, Replicator, Secret, judge, mirror};

/// A namespace that copies may come to.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Its name.
    pub name: String,
    /// Its labels; `None` when they are not known.
    pub labels: Option<BTreeMap<String, String>>,
}

impl Destination {
    /// The labels that a namespace gets which `helm --create-namespace` makes: Helm's and the API server's.
    #[must_use]
    pub fn labels_of_new(name: &str) -> BTreeMap<String, String> {
        ["name", "kubernetes.io/metadata.name"].map(|key| (key.to_owned(), name.to_owned())).into()
    }
}

/// Whether a source will be copied to a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Copying {
    Yes(Replicator),
    No,
    Unknown(String),
}

/// What is predicted for some namespaces.
#[derive(Debug)]
pub struct Prediction<'p> {
    destinations: &'p [Destination],
    given: &'p [ObjectName],
    now: Timestamp,
    found: BTreeMap<ObjectName, Vec<Secret>>,
    unknown: Vec<String>,
}

impl<'p> Prediction<'p> {
    /// For these namespaces. With `given`, exactly those are the sources, whatever their labels.
    #[must_use]
    pub fn new(destinations: &'p [Destination], given: &'p [ObjectName], now: Timestamp) -> Self {
        Self { destinations, given, now, found: BTreeMap::new(), unknown: Vec::new() }
    }

    /// Takes a Secret that may be a source.
    pub fn take(&mut self, raw: RawSecret) {
        let is_source = match self.given {
            [] => raw.labels.contains_key(ROUTING_LABEL),
            given => given.contains(&raw.id),
        };
        if !is_source || mirror::origin(&raw.labels, &raw.annotations) != Origin::Source {
            return;
        }
        let to: Vec<(&str, Replicator)> = self
            .destinations
            .iter()
            .filter(|to| to.name != raw.id.namespace)
            .filter_map(|to| match copying(&raw, to) {
                Copying::Yes(by) => Some((to.name.as_str(), by)),
                Copying::No => None,
                Copying::Unknown(why) => {
                    let why = format!("whether {} will be copied to {} is not known: {why}", raw.id, escape(&to.name));
                    self.unknown.push(why);
                    None
                }
            })
            .collect();
        if to.is_empty() {
            return;
        }
        let source = judge(raw, self.now);
        for (namespace, by) in to {
            let id = ObjectName { namespace: namespace.to_owned(), name: source.id.name.clone() };
            let copy = Secret {
                id: id.clone(),
                origin: Origin::Mirror { of: source.id.clone(), by },
                routing: true,
                replicated: false,
                reflected_version: None,
                predicted: true,
                // Kubed copies all annotations, the others none of cert-manager's.
                producer: source.producer.clone().filter(|_| by == Replicator::Kubed),
                ..source.clone()
            };
            self.found.entry(id).or_default().push(copy);
        }
    }

    /// The names that are predicted, to be looked for in the cluster.
    pub fn names(&self) -> impl Iterator<Item = &ObjectName> {
        self.found.keys()
    }

    /// Takes a prediction back.
    pub fn refuse(&mut self, id: &ObjectName, why: &str) {
        if self.found.remove(id).is_some() {
            self.unknown.push(format!("{id} is not predicted: {}", escape(why)));
        }
    }

    /// The predicted secrets, and why others are not.
    #[must_use]
    pub fn finish(mut self) -> (Vec<Secret>, Vec<String>) {
        let mut secrets = Vec::new();
        for (id, mut copies) in self.found {
            match (copies.pop(), copies.is_empty()) {
                (Some(copy), true) => secrets.push(copy),
                _ => self.unknown.push(format!("{id} is not predicted: several sources of this name are copied there")),
            }
        }
        (secrets, self.unknown)
    }
}

fn copying(raw: &RawSecret, to: &Destination) -> Copying {
    let found = [
        (Replicator::Reflector, reflector(raw, to)),
        (Replicator::Kubed, kubed(raw, to)),
        (Replicator::RoutingSecrets, ours(raw, to)),
    ];
    let mut unknown = Copying::No;
    for (by, includes) in found {
        match includes {
            Some(Ok(true)) => return Copying::Yes(by),
            Some(Err(why)) => unknown = Copying::Unknown(why),
            Some(Ok(false)) | None => {}
        }
    }
    unknown
}

/// Reflector makes a mirror where both lists include the namespace; an absent or empty one includes all.
fn reflector(raw: &RawSecret, to: &Destination) -> Option<Result<bool, String>> {
    let value = |key: &str| raw.annotations.get(&format!("reflector.v1.k8s.emberstack.com/{key}")).map(String::as_str);
    // .NET's `bool.TryParse`.
    let is_true = |key: &str| value(key).is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
    if !is_true("reflection-allowed") || !is_true("reflection-auto-enabled") {
        return None;
    }
    let list = |kind: &str| {
        includes(
            value(&format!("reflection-{kind}-namespaces")),
            value(&format!("reflection-{kind}-namespaces-selector")),
            to,
        )
    };
    Some(match (list("allowed"), list("auto")) {
        (Ok(false), _) | (_, Ok(false)) => Ok(false),
        (Ok(true), other) | (other, _) => other,
    })
}

/// Kubed copies to all namespaces, or to those that a label selector picks; it keeps names in labels, which are short.
fn kubed(raw: &RawSecret, to: &Destination) -> Option<Result<bool, String>> {
    const LONGEST: usize = 63;
    let sync = raw.annotations.get("kubed.appscode.com/sync")?;
    if raw.id.name.len() > LONGEST {
        return Some(Ok(false));
    }
    let selector = Some(sync.as_str()).filter(|text| *text != "true");
    Some(includes(None, selector, to))
}

fn ours(raw: &RawSecret, to: &Destination) -> Option<Result<bool, String>> {
    let value = |key: &str| raw.annotations.get(key).map(String::as_str);
    let (patterns, selector) = (value(COPY_TO_NAMESPACES), value(COPY_TO_SELECTOR));
    (patterns.is_some() || selector.is_some()).then(|| includes(patterns, selector, to))
}

fn includes(patterns: Option<&str>, selector: Option<&str>, to: &Destination) -> Result<bool, String> {
    let target = Target::parse(patterns, selector).map_err(|error| error.to_string())?;
    match &to.labels {
        Some(labels) => Ok(target.includes(&to.name, labels)),
        None if target.patterns.as_ref().is_some_and(|patterns| patterns.fit(&to.name)) => Ok(true),
        None if target.selector.is_some() => {
            Err("it depends on the labels of the namespace, which could not be read".to_owned())
        }
        None => Ok(target.includes(&to.name, &BTreeMap::new())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::KeyMaterial;

    const REFLECTOR: &str = "reflector.v1.k8s.emberstack.com/reflection-";

    fn decided(annotations: &[(String, &str)], labels: Option<&[(&str, &str)]>) -> Copying {
        let raw = RawSecret {
            id: ObjectName { namespace: "ops".to_owned(), name: "wild".to_owned() },
            type_: "kubernetes.io/tls".to_owned(),
            labels: BTreeMap::new(),
            annotations: annotations.iter().map(|(key, value)| (key.clone(), (*value).to_owned())).collect(),
            certificate: Ok(None),
            authorities: None,
            key: Ok(KeyMaterial::Absent),
        };
        let labels = labels.map(|of| of.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect());
        copying(&raw, &Destination { name: "team-a".to_owned(), labels })
    }

    #[test]
    fn reflectors_lists_are_both_asked() {
        let with = |keys: &[(&str, &'static str)]| {
            let on = [("allowed", "true"), ("auto-enabled", " True ")];
            let all: Vec<(String, &str)> =
                on.iter().chain(keys).map(|(key, value)| (format!("{REFLECTOR}{key}"), *value)).collect();
            decided(&all, Some(&[("team", "a")]))
        };
        let yes = Copying::Yes(Replicator::Reflector);
        for (keys, expected) in [
            (&[][..], true),
            (&[("allowed-namespaces", "")], true),
            (&[("allowed-namespaces", "x, team-.*")], true),
            (&[("allowed-namespaces", "team")], false),
            (&[("allowed-namespaces", "team-.*"), ("auto-namespaces", "x")], false),
            (&[("allowed-namespaces", "team-|team-a")], false),
            (&[("allowed-namespaces-selector", "team=a")], true),
            (&[("auto-namespaces-selector", "team=b")], false),
            (&[("auto-namespaces-selector", "team=b"), ("auto-namespaces", "team-a")], true),
            (&[("auto-enabled", "false")], false),
            (&[("allowed", "yes")], false),
        ] {
            assert_eq!(with(keys), if expected { yes.clone() } else { Copying::No }, "{keys:?}");
        }
        assert!(matches!(with(&[("allowed-namespaces", "(?!kube).*")]), Copying::Unknown(_)));
    }

    #[test]
    fn kubed_and_we_copy_by_selector_and_unknown_labels_decide_nothing() {
        let kubed = |sync: &'static str, labels| decided(&[("kubed.appscode.com/sync".to_owned(), sync)], labels);
        let team: Option<&[(&str, &str)]> = Some(&[("team", "a")]);
        assert_eq!(kubed("", None), Copying::Yes(Replicator::Kubed));
        assert_eq!(kubed("true", team), Copying::Yes(Replicator::Kubed));
        assert_eq!(kubed("team=a", team), Copying::Yes(Replicator::Kubed));
        assert_eq!(kubed("team=b", team), Copying::No);
        assert!(matches!(kubed("team=a", None), Copying::Unknown(why) if why.contains("labels of the namespace")));
        let ours = decided(&[(COPY_TO_NAMESPACES.to_owned(), "team-.*")], None);
        assert_eq!(ours, Copying::Yes(Replicator::RoutingSecrets));
        assert_eq!(decided(&[], team), Copying::No);
    }
}
