//! Which namespaces a source's annotations ask to be copied to, and by whom (Reflector `Annotations.cs` and
//! `MirroringPropertiesExtensions.cs`, config-syncer `pkg/syncer/util.go`, our own).

use std::collections::BTreeMap;

use super::{Target, TargetError};
use crate::secret::Replicator;
use crate::secret::mirror::{COPY_TO_NAMESPACES, COPY_TO_SELECTOR};

/// One replicator's orders for a source.
#[derive(Clone, Debug)]
pub struct Replication {
    /// Who copies.
    pub by: Replicator,
    /// A namespace is meant when all of these mean it.
    targets: Vec<Target>,
}

impl Replication {
    /// Whether a namespace is to have a copy; the source's own never is.
    #[must_use]
    pub fn includes(&self, namespace: &str, labels: &BTreeMap<String, String>) -> bool {
        self.targets.iter().all(|target| target.includes(namespace, labels))
    }

    /// Whether the labels of a namespace matter.
    #[must_use]
    pub fn needs_labels(&self) -> bool {
        self.targets.iter().any(|target| target.selector.is_some())
    }
}

/// The orders in a source's annotations; those that cannot be read are errors of their replicator.
#[must_use]
pub fn replications(annotations: &BTreeMap<String, String>) -> Vec<Result<Replication, (Replicator, TargetError)>> {
    let orders = [
        (Replicator::Reflector, reflector(annotations)),
        (Replicator::Kubed, kubed(annotations)),
        (Replicator::RoutingSecrets, copies(annotations)),
    ];
    let of = |(by, targets): (Replicator, Option<Result<Vec<Target>, TargetError>>)| {
        Some(targets?.map(|targets| Replication { by, targets }).map_err(|error| (by, error)))
    };
    orders.into_iter().filter_map(of).collect()
}

/// Reflector makes mirrors by itself where both lists say so.
fn reflector(annotations: &BTreeMap<String, String>) -> Option<Result<Vec<Target>, TargetError>> {
    let value = |key: &str| annotations.get(&format!("reflector.v1.k8s.emberstack.com/{key}")).map(String::as_str);
    let is_true = |key: &str| value(key).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
    if !is_true("reflection-allowed") || !is_true("reflection-auto-enabled") {
        return None;
    }
    let target = |kind: &str| {
        let namespaces = value(&format!("reflection-{kind}-namespaces"));
        Target::parse(namespaces, value(&format!("reflection-{kind}-namespaces-selector")))
    };
    Some(["allowed", "auto"].iter().map(|kind| target(kind)).collect())
}

/// Empty or `true` means every namespace, else it is a label selector.
fn kubed(annotations: &BTreeMap<String, String>) -> Option<Result<Vec<Target>, TargetError>> {
    let selector = annotations.get("kubed.appscode.com/sync")?;
    let selector = Some(selector.as_str()).filter(|selector| *selector != "true");
    Some(Target::parse(None, selector).map(|target| vec![target]))
}

fn copies(annotations: &BTreeMap<String, String>) -> Option<Result<Vec<Target>, TargetError>> {
    let value = |key: &str| annotations.get(key).map(String::as_str);
    let (namespaces, selector) = (value(COPY_TO_NAMESPACES), value(COPY_TO_SELECTOR));
    (namespaces.is_some() || selector.is_some()).then(|| Target::parse(namespaces, selector).map(|target| vec![target]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    /// Whether each replicator that is asked copies to the namespace `team-a`.
    fn asked(annotations: &[(&str, &str)], labels: &[(&str, &str)]) -> Vec<(Replicator, Option<bool>)> {
        let one = |found: Result<Replication, (Replicator, TargetError)>| match found {
            Ok(replication) => (replication.by, Some(replication.includes("team-a", &map(labels)))),
            Err((by, _)) => (by, None),
        };
        replications(&map(annotations)).into_iter().map(one).collect()
    }

    const ALLOWED: &str = "reflector.v1.k8s.emberstack.com/reflection-allowed";
    const ALLOWED_NAMESPACES: &str = "reflector.v1.k8s.emberstack.com/reflection-allowed-namespaces";
    const AUTO: &str = "reflector.v1.k8s.emberstack.com/reflection-auto-enabled";
    const AUTO_NAMESPACES: &str = "reflector.v1.k8s.emberstack.com/reflection-auto-namespaces";
    const AUTO_SELECTOR: &str = "reflector.v1.k8s.emberstack.com/reflection-auto-namespaces-selector";

    #[test]
    fn r7_reflector_copies_by_itself_where_both_lists_say_so() {
        let yes = vec![(Replicator::Reflector, Some(true))];
        let no = vec![(Replicator::Reflector, Some(false))];
        let both = [(ALLOWED, "true"), (AUTO, "True")];
        let with = |more: &[(&'static str, &'static str)]| [&both[..], more].concat();
        assert_eq!(asked(&both, &[]), yes);
        assert_eq!(asked(&both[..1], &[]), [], "allowed alone makes nothing by itself");
        assert_eq!(asked(&both[1..], &[]), []);
        assert_eq!(asked(&[(ALLOWED, "false"), (AUTO, "true")], &[]), []);
        assert_eq!(asked(&with(&[(ALLOWED_NAMESPACES, ""), (AUTO_NAMESPACES, "team-.*")]), &[]), yes);
        assert_eq!(asked(&with(&[(ALLOWED_NAMESPACES, "dev"), (AUTO_NAMESPACES, "team-.*")]), &[]), no);
        assert_eq!(asked(&with(&[(AUTO_SELECTOR, "team=a")]), &[("team", "a")]), yes);
        assert_eq!(asked(&with(&[(AUTO_SELECTOR, "team=a")]), &[]), no);
        assert_eq!(asked(&with(&[(AUTO_NAMESPACES, "*")]), &[]), [(Replicator::Reflector, None)]);
    }

    #[test]
    fn r7_kubed_and_our_own_copies() {
        let kubed = |value: &'static str, labels: &[(&str, &str)]| asked(&[("kubed.appscode.com/sync", value)], labels);
        assert_eq!(kubed("", &[]), [(Replicator::Kubed, Some(true))]);
        assert_eq!(kubed("true", &[]), [(Replicator::Kubed, Some(true))]);
        assert_eq!(kubed("team=a", &[("team", "a")]), [(Replicator::Kubed, Some(true))]);
        assert_eq!(kubed("team=a", &[]), [(Replicator::Kubed, Some(false))]);
        let ours = |value: &'static str| asked(&[(COPY_TO_NAMESPACES, value)], &[]);
        assert_eq!(
            (ours("team-.*"), ours("dev")),
            (vec![(Replicator::RoutingSecrets, Some(true))], vec![(Replicator::RoutingSecrets, Some(false))])
        );
        assert_eq!(
            asked(&[(COPY_TO_SELECTOR, "team=a")], &[("team", "a")]),
            [(Replicator::RoutingSecrets, Some(true))]
        );
        assert_eq!(asked(&[], &[]), []);
    }
}
