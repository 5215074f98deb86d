//! Kinds that are not known: where one seems to name a TLS Secret beside a host, that is said, and nothing more.

use super::{NodeId, reference};
use crate::choose::HostName;
use crate::manifest::document::{Document, NodeKind};
use crate::manifest::object::Object;

/// A mapping that seems to name a TLS Secret beside a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// The Secret's key.
    pub key: NodeId,
    /// What stands there.
    pub secret: String,
    /// The host.
    pub host: String,
}

/// Keys, in lower case, that may name a TLS Secret.
const SECRET_KEYS: [&str; 6] = ["secret", "secretname", "secretref", "tlssecret", "tlssecretname", "tlssecretref"];

/// Keys, in lower case, that may name hosts.
const HOST_KEYS: [&str; 8] = ["host", "hosts", "hostname", "hostnames", "fqdn", "domain", "domains", "servername"];

/// Kubernetes' own groups, and those of kinds whose Secrets serve no hosts.
const OTHER_GROUPS: [&str; 7] = [
    "",
    "apps",
    "batch",
    "cert-manager.io",
    "acme.cert-manager.io",
    "external-secrets.io",
    // Made by Knative for itself.
    "networking.internal.knative.dev",
];

/// The first such mapping of an object of no known kind.
#[must_use]
pub fn suspect(document: &Document<'_>, object: &Object<'_>) -> Option<Suspect> {
    let is_other = OTHER_GROUPS.contains(&object.group) || object.group.ends_with(".k8s.io");
    if is_other || reference::is_reference(object.group, object.kind) {
        return None;
    }
    let mut pending = vec![object.node];
    while let Some(node) = pending.pop() {
        // What an anchor names is looked at where it stands.
        if document.kind(node) == NodeKind::Alias {
            continue;
        }
        if let Some(suspect) = in_mapping(document, node) {
            return Some(suspect);
        }
        pending.extend(document.entries(node).map(|(_, value)| value));
        pending.extend(document.items(node));
    }
    None
}

fn in_mapping(document: &Document<'_>, mapping: NodeId) -> Option<Suspect> {
    let is_one_of = |key: NodeId, keys: &[&str]| {
        document.text(key).is_some_and(|key| keys.iter().any(|known| key.eq_ignore_ascii_case(known)))
    };
    let (key, value) = document.entries(mapping).find(|&(key, _)| is_one_of(key, &SECRET_KEYS))?;
    let secret = document.text(value).or_else(|| document.text_at(value, &["name"])).filter(|name| !name.is_empty())?;
    let hosts = document.entries(mapping).filter(|&(key, _)| is_one_of(key, &HOST_KEYS));
    let hosts = hosts.flat_map(|(_, value)| super::path::items_or_self(document, value));
    let host = hosts
        .filter_map(|node| document.text(node))
        .find(|host| host.contains('.') && HostName::parse(host).is_ok())?;
    Some(Suspect { key, secret: secret.to_owned(), host: host.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::object::objects;

    fn found(text: &str) -> Option<(String, String)> {
        let document = Document::parse(text.as_bytes()).unwrap();
        let object = objects(&document).into_iter().next().unwrap();
        suspect(&document, &object).map(|suspect| (suspect.secret, suspect.host))
    }

    #[test]
    fn a_secret_beside_a_host_is_a_suspect_and_nothing_else() {
        let two = |secret: &str, host: &str| Some((secret.to_owned(), host.to_owned()));
        for (spec, expected) in [
            ("spec: {a: [{tlsSecretName: s, host: a.example.com}]}", two("s", "a.example.com")),
            ("spec: {secretRef: {name: s}, hosts: [x, a.example.com]}", two("s", "a.example.com")),
            ("spec: {TLSSecret: s, fqdn: a.example.com}", two("s", "a.example.com")),
            ("spec: {secretName: s, hostname: database}", None),
            ("spec: {secretName: s, tls: {host: a.example.com}}", None),
            ("spec: {clientSecret: s, host: a.example.com}", None),
            ("spec: {secretName: '', host: a.example.com}", None),
        ] {
            assert_eq!(found(&format!("apiVersion: example.org/v1\nkind: Thing\n{spec}\n")), expected, "{spec}");
        }
        for kind in ["apiVersion: v1\nkind: Pod", "apiVersion: traefik.io/v1alpha1\nkind: TLSStore"] {
            assert_eq!(found(&format!("{kind}\nspec: {{secretName: s, host: a.example.com}}\n")), None, "{kind}");
        }
    }
}
