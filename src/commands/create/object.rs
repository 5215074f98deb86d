//! The objects that `create` makes, without any data.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::certificate::live::CERTIFICATES;
use crate::secret::ROUTING_LABEL;

/// An issuer of cert-manager.
pub(super) struct Issuer {
    pub(super) kind: &'static str,
    pub(super) name: String,
}

/// A routing secret without its data.
pub(super) fn secret(
    name: &str,
    namespace: Option<&str>,
    immutable: bool,
    annotations: &BTreeMap<String, String>,
) -> Value {
    let mut metadata = metadata(name, namespace);
    metadata.append(&mut marks(annotations));
    let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/tls"});
    if immutable {
        secret["immutable"] = true.into();
    }
    secret
}

/// A Certificate whose Secret is a routing secret of the same name.
pub(super) fn certificate(
    name: &str,
    namespace: Option<&str>,
    issuer: &Issuer,
    dns_names: &[String],
    annotations: &BTreeMap<String, String>,
) -> Value {
    json!({
        "apiVersion": format!("{}/{}", CERTIFICATES.group, CERTIFICATES.version),
        "kind": "Certificate",
        "metadata": metadata(name, namespace),
        "spec": {
            "dnsNames": dns_names,
            "issuerRef": {"group": CERTIFICATES.group, "kind": issuer.kind, "name": issuer.name},
            "secretName": name,
            "secretTemplate": marks(annotations),
        },
    })
}

fn metadata(name: &str, namespace: Option<&str>) -> Map<String, Value> {
    let name = ("name".to_owned(), Value::from(name));
    let namespace = namespace.map(|namespace| ("namespace".to_owned(), Value::from(namespace)));
    [name].into_iter().chain(namespace).collect()
}

/// The label of routing secrets, and the annotations by which a replicator copies them.
fn marks(annotations: &BTreeMap<String, String>) -> Map<String, Value> {
    let mut marks = Map::new();
    marks.insert("labels".to_owned(), json!({ROUTING_LABEL: "true"}));
    if !annotations.is_empty() {
        marks.insert("annotations".to_owned(), json!(annotations));
    }
    marks
}

/// The API server's answer, as far as it may be shown: a Secret's data is not even read.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    api_version: String,
    kind: String,
    metadata: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spec: Option<Value>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    type_: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    immutable: Option<bool>,
}

impl Shown {
    pub(super) fn version(&self) -> Option<&str> {
        self.metadata.get("resourceVersion")?.as_str()
    }

    pub(super) fn into_value(mut self) -> Result<Value> {
        self.metadata.remove("managedFields");
        // What kubectl notes there of a Secret holds its key.
        if let Some(Value::Object(annotations)) = self.metadata.get_mut("annotations") {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
        Ok(serde_json::to_value(self)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_answers_is_shown_without_any_key() {
        let answer = r#"{"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "data": {"tls.key": "c2VjcmV0"},
            "metadata": {"name": "a", "resourceVersion": "5", "managedFields": [{"manager": "x"}], "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "c2VjcmV0", "other": "x"}}}"#;
        let shown: Shown = serde_json::from_str(answer).unwrap();
        assert_eq!(shown.version(), Some("5"));
        let shown = shown.into_value().unwrap();
        assert!(!shown.to_string().contains("c2VjcmV0"), "{shown}");
        assert_eq!(shown["metadata"], json!({"name": "a", "resourceVersion": "5", "annotations": {"other": "x"}}));
    }
}
