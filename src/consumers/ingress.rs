//! Ingress (networking.k8s.io, extensions) and what its controllers do with `spec.tls`.

use super::class::{self, Finds};
use super::trigger::is_true;
use super::{Left, Row, Served};
use crate::manifest::document::Document;
use crate::manifest::object::Object;

/// Ingress: one entry a Secret; the Secret is in the object's own namespace.
pub static INGRESS: Row = Row {
    groups: &["networking.k8s.io", "extensions"],
    literals: &["networking.k8s.io", "extensions/v1beta1"],
    kind: "Ingress",
    plural: "ingresses",
    sequences: &["tls", "hosts"],
    note: "an entry whose hosts need several secrets is split",
    splits: true,
    annotation_triggers: true,
    served,
    skip,
    ..Row::PLAIN
};

/// Annotations that hand TLS through to the pod.
const PASSTHROUGH: [&str; 5] = [
    "nginx.ingress.kubernetes.io/ssl-passthrough",
    "haproxy.org/ssl-passthrough",
    "haproxy-ingress.github.io/ssl-passthrough",
    "ingress.kubernetes.io/ssl-passthrough",
    "ingress.cilium.io/tls-passthrough",
];

/// Annotations that name further hosts, comma-separated.
const ALIASES: [&str; 6] = [
    "nginx.ingress.kubernetes.io/server-alias",
    "haproxy-ingress.github.io/server-alias",
    "haproxy-ingress.github.io/redirect-from",
    "konghq.com/host-aliases",
    "konghq.com/snis",
    "traefik.ingress.kubernetes.io/router.tls.domains.",
];

/// Annotations that name further hosts by a regular expression.
const REGULAR_EXPRESSIONS: [&str; 2] =
    ["haproxy-ingress.github.io/server-alias-regex", "haproxy-ingress.github.io/redirect-from-regex"];

fn annotations<'d>(document: &'d Document<'_>, object: &Object<'_>) -> impl Iterator<Item = (&'d str, &'d str)> {
    let annotations = document.at(object.node, &["metadata", "annotations"]);
    let entries = annotations.into_iter().flat_map(|annotations| document.entries(annotations));
    entries.filter_map(|(key, value)| Some((document.text(key)?, document.text(value)?)))
}

fn skip(document: &Document<'_>, object: &Object<'_>) -> Option<Left> {
    let annotations: Vec<(&str, &str)> = annotations(document, object).collect();
    let annotation = |name: &str| annotations.iter().rev().find(|(key, _)| *key == name).map(|(_, value)| *value);
    if let Some(class) = class::name(document, object) {
        match class::finds(class) {
            Some(Finds::NoSecret) => return Some(Left::ClassIgnoresSecrets(class.to_owned())),
            Some(Finds::PodNamespace) => {
                return Some(Left::SecretElsewhere("Ingress class istio: the gateway pod's namespace".to_owned()));
            }
            _ => {}
        }
    }
    if annotation(class::MERGEABLE) == Some("minion") {
        return Some(Left::NoTls(format!("{}: minion", class::MERGEABLE)));
    }
    if let Some(namespace) = annotation("projectcontour.io/tls-cert-namespace") {
        return Some(Left::SecretElsewhere(format!("projectcontour.io/tls-cert-namespace: {namespace}")));
    }
    for key in PASSTHROUGH {
        if annotation(key)
            .is_some_and(|value| !matches!(value.to_ascii_lowercase().as_str(), "" | "false" | "f" | "0" | "disabled"))
        {
            return Some(Left::Passthrough(format!("{key}: \"true\"")));
        }
    }
    REGULAR_EXPRESSIONS
        .into_iter()
        .find(|key| annotation(key).is_some())
        .map(|key| Left::UndecidableRule(format!("{key} is a regular expression")))
}

fn served<'d>(document: &'d Document<'_>, object: &Object<'_>) -> Served<'d> {
    let mut served = Served::default();
    let rules = document.at(object.node, &["spec", "rules"]);
    for rule in rules.iter().flat_map(|&rules| document.items(rules)) {
        if let Some(host) = document.text_at(rule, &["host"]) {
            served.rules.push(host);
        }
    }
    for (key, value) in annotations(document, object) {
        if ALIASES.iter().any(|alias| key == *alias || (alias.ends_with('.') && key.starts_with(alias))) {
            let names = value.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty());
            served.aliases.extend(names);
        }
        if key == "nginx.ingress.kubernetes.io/from-to-www-redirect" && is_true(value) {
            served.www = true;
        }
    }
    served
}
