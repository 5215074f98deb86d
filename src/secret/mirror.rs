//! Where a Secret comes from: a source, a mirror of one, or a replicator's copy (R7).

use std::collections::BTreeMap;
use std::fmt;

use super::ObjectName;

/// A program that copies Secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replicator {
    /// emberstack/kubernetes-reflector.
    Reflector,
    /// Kubed, now config-syncer.
    Kubed,
    /// mittwald/kubernetes-replicator.
    Mittwald,
    /// Kyverno's generate rules.
    Kyverno,
    /// External Secrets.
    ExternalSecrets,
    /// zakkg3/ClusterSecret.
    ClusterSecret,
    /// `distribute --via copy`.
    RoutingSecrets,
}

impl fmt::Display for Replicator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reflector => "Reflector",
            Self::Kubed => "Kubed",
            Self::Mittwald => "kubernetes-replicator",
            Self::Kyverno => "Kyverno",
            Self::ExternalSecrets => "External Secrets",
            Self::ClusterSecret => "ClusterSecret",
            Self::RoutingSecrets => "kubectl routing-secrets",
        })
    }
}

/// Where a Secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody's copy.
    Source,
    /// A copy that names what it was copied from.
    Mirror {
        /// What it was copied from.
        of: ObjectName,
        /// Who copied it.
        by: Replicator,
    },
    /// A copy that does not.
    Copy {
        /// Who copied it.
        by: Replicator,
    },
}

/// The origin that the labels and annotations tell. The annotations are a tenant's text, so the
/// names in them are checked.
#[must_use]
pub fn origin(labels: &BTreeMap<String, String>, annotations: &BTreeMap<String, String>) -> Origin {
    use Replicator::{ClusterSecret, ExternalSecrets, Kubed, Kyverno, Mittwald, Reflector, RoutingSecrets};
    let label = |key: &str| labels.get(key).map(String::as_str);
    let named = |by, of: Option<ObjectName>| of.map(|of| Origin::Mirror { of, by });
    let reference = |key: &str| annotations.get(key).and_then(|text| ObjectName::parse(text));
    named(Reflector, reference("reflector.v1.k8s.emberstack.com/reflects"))
        .or_else(|| {
            let name = label("kubed.appscode.com/origin.name")?;
            let namespace = label("kubed.appscode.com/origin.namespace")?;
            named(Kubed, ObjectName::parse(&format!("{namespace}/{name}")))
        })
        .or_else(|| named(Mittwald, reference("replicator.v1.mittwald.de/replicate-from")))
        .or_else(|| named(RoutingSecrets, reference(COPIED_FROM)))
        .or_else(|| {
            let by = if annotations.contains_key("replicator.v1.mittwald.de/replicated-at") {
                Mittwald
            } else if annotations.contains_key("kubed.appscode.com/origin") {
                Kubed
            } else if label("generate.kyverno.io/policy-name").is_some() {
                Kyverno
            } else if label("reconcile.external-secrets.io/managed").is_some() {
                ExternalSecrets
            } else if label("clustersecret.io").is_some() {
                ClusterSecret
            } else {
                return None;
            };
            Some(Origin::Copy { by })
        })
        .unwrap_or(Origin::Source)
}

/// Reflector's note of the source's version that it copied (`Annotations.cs`).
pub const REFLECTED_VERSION: &str = "reflector.v1.k8s.emberstack.com/reflected-version";

/// On a copy of `distribute --via copy`: its source, as `namespace/name`.
pub const COPIED_FROM: &str = "routing-secrets.epinio.io/copied-from";

/// On such a copy: the fingerprint of the certificate that was copied (`CertificateFacts::fingerprint`).
pub const COPIED_FINGERPRINT: &str = "routing-secrets.epinio.io/copied-fingerprint";

/// On its source: the namespaces to copy to, as Reflector writes them (`distribution::Patterns`).
pub const COPY_TO_NAMESPACES: &str = "routing-secrets.epinio.io/copy-to-namespaces";

/// On its source: a label selector of the namespaces to copy to; together with patterns either suffices.
pub const COPY_TO_SELECTOR: &str = "routing-secrets.epinio.io/copy-to-selector";

/// In an `Inventory`, on a mirror whose source is a routing secret elsewhere: the source's version at export. On a live
/// Secret it means nothing, since a tenant could write it.
pub const SOURCE_VERSION: &str = "routing-secrets.epinio.io/source-version";

/// The labels and annotations of a Secret that decisions depend on.
#[must_use]
pub fn matters(key: &str) -> bool {
    const KEYS: [&str; 12] = [
        "epinio.io/routing",
        "cert-manager.io/certificate-name",
        "cert-manager.io/issuer-name",
        "cert-manager.io/issuer-kind",
        "kubed.appscode.com/origin.name",
        "kubed.appscode.com/origin.namespace",
        "generate.kyverno.io/policy-name",
        "generate.kyverno.io/clone-source",
        "reconcile.external-secrets.io/managed",
        "clustersecret.io",
        "reflector.v1.k8s.emberstack.com/reflects",
        REFLECTED_VERSION,
    ];
    const PREFIXES: [&str; 5] = [
        "reflector.v1.k8s.emberstack.com/reflection-",
        "kubed.appscode.com/sync",
        "kubed.appscode.com/origin",
        "replicator.v1.mittwald.de/",
        "routing-secrets.epinio.io/cop",
    ];
    KEYS.contains(&key) || PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

/// Whether a replicator is told to copy the Secret elsewhere.
#[must_use]
pub fn is_replicated(labels: &BTreeMap<String, String>, annotations: &BTreeMap<String, String>) -> bool {
    const ANNOTATIONS: [&str; 5] = [
        "reflector.v1.k8s.emberstack.com/reflection-",
        "kubed.appscode.com/sync",
        "replicator.v1.mittwald.de/replicate-to",
        "replicator.v1.mittwald.de/replication-allowed",
        "routing-secrets.epinio.io/copy-to-",
    ];
    labels.contains_key("generate.kyverno.io/clone-source")
        || annotations.keys().any(|key| ANNOTATIONS.iter().any(|prefix| key.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(key: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(key.to_owned(), value.to_owned())])
    }

    #[test]
    fn r7_our_own_copies_are_mirrors_that_name_their_source() {
        let by = Replicator::RoutingSecrets;
        let of = ObjectName { namespace: "ops".to_owned(), name: "wild".to_owned() };
        assert_eq!(origin(&BTreeMap::new(), &map(COPIED_FROM, "ops/wild")), Origin::Mirror { of, by });
        assert_eq!(origin(&BTreeMap::new(), &map(COPIED_FROM, "../wild")), Origin::Source);
    }

    #[test]
    fn r13_a_source_of_our_own_copies_is_replicated() {
        for key in [COPY_TO_NAMESPACES, COPY_TO_SELECTOR] {
            assert!(is_replicated(&BTreeMap::new(), &map(key, "x")), "{key}");
        }
        assert!(!is_replicated(&BTreeMap::new(), &map(COPIED_FROM, "ops/wild")));
    }
}
