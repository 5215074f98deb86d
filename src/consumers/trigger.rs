//! Triggers and companions: what makes an issuer produce a certificate, and what only shapes it
//! (R10; cert-manager `pkg/controller/certificate-shim/sync.go`).

use std::borrow::Cow;

use super::{NodeId, Row};

/// What acts on a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An issuer that writes a certificate into the slot's Secret.
    Secret,
    /// Traefik's own ACME client, which keeps its certificates to itself.
    Traefik,
}

/// A trigger of an object.
#[derive(Clone, Debug)]
pub struct Trigger<'d> {
    /// The annotation's key or the field's path.
    pub key: Cow<'d, str>,
    /// Its value.
    pub value: &'d str,
    /// What acts on it.
    pub actor: Actor,
    /// Its key in the document.
    pub node: NodeId,
}

/// What an annotation is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Makes an issuer act.
    Trigger(Actor),
    /// Only shapes what a trigger produces.
    Companion,
    /// A key of cert-manager's that may ask for anything; it stays.
    Unknown,
}

/// Present is enough for these, whatever the value (`hasShimAnnotation`).
const PRESENT: [&str; 2] = ["cert-manager.io/issuer", "cert-manager.io/cluster-issuer"];

/// Traefik's annotation for its own ACME client (Traefik `pkg/provider/kubernetes/ingress`).
pub const ROUTER_RESOLVER: &str = "traefik.ingress.kubernetes.io/router.tls.certresolver";
/// What keeps TLS on once [`ROUTER_RESOLVER`] is gone.
pub const ROUTER_TLS: &str = "traefik.ingress.kubernetes.io/router.tls";

/// The exact keys that only shape a Certificate (`translateAnnotations`, `setIssuerSpecificConfig`).
const COMPANIONS: [&str; 23] = [
    "issuer-kind",
    "issuer-group",
    "issuer-name",
    "common-name",
    "alt-names",
    "ip-sans",
    "email-sans",
    "uri-sans",
    "duration",
    "renew-before",
    "renew-before-percentage",
    "usages",
    "revision-history-limit",
    "secret-template",
    "issue-temporary-certificate",
    "ignore-tls-listeners",
    "private-key-algorithm",
    "private-key-encoding",
    "private-key-size",
    "private-key-rotation-policy",
    "subject-organizations",
    "subject-organizationalunits",
    "subject-serialnumber",
];

/// Prefixes under which every key only shapes a Certificate, or has been dead for years.
const COMPANION_PREFIXES: [&str; 7] = [
    "acme.cert-manager.io/",
    "venafi.cert-manager.io/",
    "certmanager.k8s.io/",
    "cert.gardener.cloud/",
    "cert-manager.io/subject-",
    "cert-manager.io/private-key-",
    "traefik.ingress.kubernetes.io/router.tls.domains.",
];

/// Keys that speak about webhooks and Secrets, never about a routing object's certificate.
const FOR_OTHER_OBJECTS: [&str; 3] = ["inject-", "allow-direct-injection", "certificate-name"];

/// What an annotation is on an object of a kind: where issuers read no annotations, only the further triggers count.
#[must_use]
pub fn of_row(row: &Row, key: &str, value: &str, further_triggers: &[String]) -> Option<Class> {
    match row.annotation_triggers {
        true => classify(key, value, further_triggers),
        false => further_triggers.iter().any(|trigger| trigger == key).then_some(Class::Trigger(Actor::Secret)),
    }
}

/// What an annotation of a routing object is; nothing for most.
#[must_use]
pub fn classify(key: &str, value: &str, further_triggers: &[String]) -> Option<Class> {
    let is_trigger = PRESENT.contains(&key)
        || further_triggers.iter().any(|trigger| trigger == key)
        || match key {
            "kubernetes.io/tls-acme" => is_true(value),
            "cert.gardener.cloud/purpose" => value == "managed",
            "haproxy-ingress.github.io/cert-signer" | "ingress.kubernetes.io/cert-signer" => true,
            _ => false,
        };
    if is_trigger {
        return Some(Class::Trigger(Actor::Secret));
    }
    if key == ROUTER_RESOLVER {
        return Some(Class::Trigger(Actor::Traefik));
    }
    let is_companion = key
        .strip_prefix("cert-manager.io/")
        .is_some_and(|rest| COMPANIONS.contains(&rest))
        // The injector's keys belong to webhooks, never to a routing object.
        || (COMPANION_PREFIXES.iter().any(|prefix| key.starts_with(prefix)) && !key.contains("inject-"));
    if is_companion {
        return Some(Class::Companion);
    }
    let is_ours = |rest: &str| !FOR_OTHER_OBJECTS.iter().any(|other| rest.starts_with(other));
    key.strip_prefix("cert-manager.io/").is_some_and(is_ours).then_some(Class::Unknown)
}

/// Go's `strconv.ParseBool`, as cert-manager reads `kubernetes.io/tls-acme`, and ingress-nginx its annotations.
pub(super) fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "TRUE" | "true" | "True")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r10_what_is_a_trigger_and_what_only_shapes_one() {
        let secret = Some(Class::Trigger(Actor::Secret));
        for (key, value, expected) in [
            ("cert-manager.io/issuer", "", secret),
            ("cert-manager.io/cluster-issuer", " ", secret),
            ("kubernetes.io/tls-acme", "true", secret),
            ("kubernetes.io/tls-acme", "1", secret),
            ("kubernetes.io/tls-acme", "yes", None),
            ("kubernetes.io/tls-acme", "false", None),
            ("cert.gardener.cloud/purpose", "managed", secret),
            ("cert.gardener.cloud/issuer", "x", Some(Class::Companion)),
            (ROUTER_RESOLVER, "le", Some(Class::Trigger(Actor::Traefik))),
            ("traefik.ingress.kubernetes.io/router.tls.domains.0.main", "x", Some(Class::Companion)),
            (ROUTER_TLS, "true", None),
            ("cert-manager.io/common-name", "x", Some(Class::Companion)),
            ("cert-manager.io/subject-streetaddresses", "x", Some(Class::Companion)),
            ("acme.cert-manager.io/http01-edit-in-place", "true", Some(Class::Companion)),
            ("certmanager.k8s.io/cluster-issuer", "x", Some(Class::Companion)),
            ("cert-manager.io/inject-ca-from", "a/b", None),
            ("cert-manager.io/certificate-name", "x", None),
            ("cert-manager.io/literal-subject", "x", Some(Class::Unknown)),
            ("example.org/mine", "x", secret),
        ] {
            let found = classify(key, value, &["example.org/mine".to_owned()]);
            assert_eq!(found, expected, "{key}: {value}");
        }
    }
}
