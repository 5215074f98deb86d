//! Where the names of Secrets occur in a cluster, besides the slots that name them (R13 on live objects). Only what is
//! found counts as used; where something could not be read, nothing is called unused.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use serde_json::Value;

use super::consumer::{row, text, without_history};
use crate::cluster::ServedKind;
use crate::consumers::{self, Left};
use crate::manifest::Document;
use crate::manifest::mention::Names;
use crate::manifest::object::objects;
use crate::output::escape::escape;
use crate::secret::ObjectName;

/// Where the names of Secrets occur.
#[derive(Clone, Debug, Default)]
pub struct Mentions {
    /// Each Secret that is named somewhere, with the first place.
    pub found: HashMap<ObjectName, String>,
    /// `namespace/name` of each Certificate whose CA is injected (`pkg/controller/cainjector/sources.go`).
    pub injected: HashSet<String>,
    /// Why not everything was looked through, if so.
    pub gap: Option<String>,
}

impl Mentions {
    /// Takes up what was found elsewhere.
    pub fn extend(&mut self, other: Self) {
        for (secret, place) in other.found {
            self.found.entry(secret).or_insert(place);
        }
        self.injected.extend(other.injected);
        if self.gap.is_none() {
            self.gap = other.gap;
        }
    }
}

/// The Secrets whose names are looked for.
#[derive(Debug)]
pub struct Wanted {
    by_name: HashMap<String, Vec<String>>,
    /// Their names, those of their namespaces, and both as `name.namespace`.
    words: Names<'static>,
}

impl Wanted {
    /// Looks for these.
    #[must_use]
    pub fn new(secrets: impl IntoIterator<Item = ObjectName>) -> Self {
        let mut by_name: HashMap<String, Vec<String>> = HashMap::new();
        for ObjectName { namespace, name } in secrets {
            by_name.entry(name).or_default().push(namespace);
        }
        let namespaces: HashSet<String> = by_name.values().flatten().cloned().collect();
        // `name.namespace` names both.
        let both = by_name.iter().flat_map(|(name, of)| of.iter().map(move |of| format!("{name}.{of}")));
        let names = by_name.keys().chain(&namespaces).cloned().chain(both);
        let words = Names::new(names.map(Cow::Owned), []);
        Self { by_name, words }
    }

    /// Whether nothing is looked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Looks through an object.
    pub fn look(&self, kind: &ServedKind, object: Value, mentions: &mut Mentions) {
        let mut object = without_history(object);
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            // Those that cert-manager makes for a Certificate name it, and it often has its Secret's name.
            metadata.remove("ownerReferences");
        }
        if object.pointer("/metadata/labels/cert-manager.io~1next-private-key").is_some() {
            // An issuance under way is no use of what it makes.
            return;
        }
        let annotations = object.pointer("/metadata/annotations").and_then(Value::as_object);
        let injecting = annotations.into_iter().flatten().filter(|(key, _)| key.ends_with("inject-ca-from"));
        mentions.injected.extend(injecting.filter_map(|(_, value)| value.as_str().map(str::to_owned)));
        let at = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (namespace, name) = (at("/metadata/namespace"), at("/metadata/name"));
        let mut words = HashSet::new();
        self.in_value(&object, &mut words);
        // Most objects end here; what a consumer says of itself is then told apart.
        if !words.iter().any(|word| self.by_name.contains_key(*word)) {
            return;
        }
        if row(kind).is_some() {
            words.clear();
            self.in_consumer(&text(kind, object), &mut words);
        }
        for word in &words {
            for of in self.by_name.get(*word).into_iter().flatten() {
                let secret = ObjectName { namespace: of.clone(), name: (*word).to_owned() };
                let is_itself = kind.kind == "Secret" && namespace == *of && name == **word;
                // From elsewhere a Secret is named with its namespace.
                let is_meant = namespace.is_empty() || namespace == *of || words.contains(of.as_str());
                if is_meant && !is_itself {
                    let place = || format!("{} {}", escape(&kind.kind), escape(&format!("{namespace}/{name}")));
                    mentions.found.entry(secret).or_insert_with(place);
                }
            }
        }
    }

    fn in_value<'w>(&'w self, value: &Value, words: &mut HashSet<&'w str>) {
        match value {
            Value::String(text) => self.in_text(text, words),
            Value::Array(items) => items.iter().for_each(|item| self.in_value(item, words)),
            Value::Object(entries) => {
                for (key, value) in entries {
                    self.in_text(key, words);
                    match value {
                        Value::Object(files) if key == "binaryData" => {
                            for bytes in files.values().filter_map(Value::as_str) {
                                let bytes = base64::engine::general_purpose::STANDARD.decode(bytes).unwrap_or_default();
                                self.in_bytes(&bytes, words);
                            }
                        }
                        value => self.in_value(value, words),
                    }
                }
            }
            _ => {}
        }
    }

    /// What slots and hosts say of a consumer is looked at elsewhere.
    fn in_consumer<'w>(&'w self, text: &str, words: &mut HashSet<&'w str>) {
        let Ok(document) = Document::parse(text.as_bytes()) else { return self.in_text(text, words) };
        let consumer = objects(&document).into_iter().next().and_then(|of| consumers::read(0, &document, of, &[]));
        let mut own = HashSet::new();
        if let Some(mut consumer) = consumer {
            consumer.in_namespace(consumer.object.namespace.unwrap_or_default());
            let is_here = |slot: &&consumers::Slot| {
                slot.namespace.is_none() && !matches!(slot.left, Some(Left::SecretElsewhere(_)))
            };
            own.extend(consumer.slots.iter().filter(is_here).flat_map(|slot| slot.nodes.iter().copied()));
            own.extend(consumer.host_nodes(&document));
            // That it has the name of its Secret says nothing.
            own.extend(document.at(consumer.object.node, &["metadata", "name"]));
        }
        for root in document.roots() {
            for (node, text) in document.scalars(root) {
                if !own.contains(&node) {
                    self.in_text(text, words);
                }
            }
        }
    }

    fn in_text<'w>(&'w self, text: &str, words: &mut HashSet<&'w str>) {
        self.in_bytes(text.as_bytes(), words);
    }

    fn in_bytes<'w>(&'w self, text: &[u8], words: &mut HashSet<&'w str>) {
        self.words.any_in(text, |word, _| {
            words.insert(word);
            if let Some((name, namespace)) = word.rsplit_once('.') {
                words.extend(self.by_name.get_key_value(name).map(|(name, _)| name.as_str()));
                words.insert(namespace);
            }
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(kind: &str, group: &str) -> ServedKind {
        ServedKind {
            group: group.to_owned(),
            version: "v1".to_owned(),
            plural: String::new(),
            kind: kind.to_owned(),
            namespaced: true,
        }
    }

    fn look(kind: &ServedKind, object: &Value) -> Mentions {
        let wanted = Wanted::new([ObjectName { namespace: "demo".to_owned(), name: "shop-tls".to_owned() }]);
        let mut mentions = Mentions::default();
        wanted.look(kind, object.clone(), &mut mentions);
        mentions
    }

    fn is_found(of: &ServedKind, object: &Value) -> bool {
        !look(of, object).found.is_empty()
    }

    fn in_namespace(namespace: &str, spec: &Value) -> Value {
        serde_json::json!({"metadata": {"namespace": namespace, "name": "x"}, "spec": spec})
    }

    #[test]
    fn r13_every_way_to_name_a_secret_is_a_mention() {
        let pod = kind("Pod", "");
        for spec in [
            serde_json::json!({"volumes": [{"secret": {"secretName": "shop-tls"}}]}),
            serde_json::json!({"volumes": [{"projected": {"sources": [{"secret": {"name": "shop-tls"}}]}}]}),
            serde_json::json!({"containers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "shop-tls"}}}]}]}),
            serde_json::json!({"imagePullSecrets": [{"name": "shop-tls"}]}),
            serde_json::json!({"containers": [{"args": ["--default-ssl-certificate=demo/shop-tls"]}]}),
            serde_json::json!({"text": "a\nshop-tls\nb"}),
            serde_json::json!({"shop-tls": true}),
        ] {
            assert!(is_found(&pod, &in_namespace("demo", &spec)), "{spec}");
        }
        let map =
            serde_json::json!({"metadata": {"namespace": "demo", "name": "x"}, "binaryData": {"a": "c2hvcC10bHM="}});
        assert!(is_found(&kind("ConfigMap", ""), &map));
    }

    #[test]
    fn r13_from_another_namespace_the_secret_is_named_with_its_own() {
        let pod = kind("Pod", "");
        let found = |text: &str| is_found(&pod, &in_namespace("other", &serde_json::json!({ "a": text })));
        assert!(found("demo/shop-tls") && found("shop-tls.demo"));
        assert!(!found("shop-tls") && !found("demo"));
        let cluster_wide = serde_json::json!({"metadata": {"name": "ca"}, "spec": {"ca": {"secretName": "shop-tls"}}});
        assert!(is_found(&kind("ClusterIssuer", "cert-manager.io"), &cluster_wide));
    }

    #[test]
    fn r13_history_and_the_secret_itself_are_no_mention() {
        let deployment = serde_json::json!({"metadata": {"namespace": "demo", "name": "x", "managedFields": [
            {"fieldsV1": {"f:spec": {"k:{\"name\":\"shop-tls\"}": {}}}}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"secretName\":\"shop-tls\"}"}}});
        assert!(!is_found(&kind("Deployment", "apps"), &deployment));
        let secret = serde_json::json!({"metadata": {"namespace": "demo", "name": "shop-tls",
            "annotations": {"cert-manager.io/certificate-name": "shop-tls"}}});
        assert!(!is_found(&kind("Secret", ""), &secret));
        let next_key = serde_json::json!({"metadata": {"namespace": "demo", "name": "shop-tls-x7k2p",
            "labels": {"cert-manager.io/next-private-key": "true"},
            "annotations": {"cert-manager.io/certificate-name": "shop-tls"}}});
        assert!(!is_found(&kind("Secret", ""), &next_key));
        let owned = serde_json::json!({"metadata": {"namespace": "demo", "name": "x",
            "ownerReferences": [{"kind": "Certificate", "name": "shop-tls"}]}});
        assert!(!is_found(&kind("Secret", ""), &owned));
        let mirror = serde_json::json!({"metadata": {"namespace": "other", "name": "copy",
            "annotations": {"reflector.v1.k8s.emberstack.com/reflects": "demo/shop-tls"}}});
        assert!(is_found(&kind("Secret", ""), &mirror));
    }

    #[test]
    fn r13_slots_and_hosts_of_a_consumer_are_no_mention_and_its_annotations_are() {
        let ingress = kind("Ingress", "networking.k8s.io");
        let object = |annotations: Value| {
            serde_json::json!({"metadata": {"namespace": "demo", "name": "shop-tls", "annotations": annotations},
                "spec": {"tls": [{"hosts": ["shop-tls"], "secretName": "shop-tls"}], "rules": [{"host": "shop-tls"}]}})
        };
        assert!(!is_found(&ingress, &object(serde_json::json!({"a": "b"}))));
        let annotations = serde_json::json!({"nginx.ingress.kubernetes.io/auth-tls-secret": "demo/shop-tls"});
        assert!(is_found(&ingress, &object(annotations)));
    }

    #[test]
    fn r13_certificates_whose_ca_is_injected_are_known() {
        let webhook = serde_json::json!({"metadata": {"name": "x",
            "annotations": {"cert-manager.io/inject-ca-from": "demo/shop"}}});
        let injected = look(&kind("ValidatingWebhookConfiguration", "admissionregistration.k8s.io"), &webhook).injected;
        assert_eq!(injected, HashSet::from(["demo/shop".to_owned()]));
    }
}
