//! Secrets from files: as `kubectl get secrets -o yaml|json` prints them, or our own `Inventory`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::output::escape::escape;
use crate::secret::{KeyCheck, KeyMaterial, ObjectName, ROUTING_LABEL, RawSecret, Reason};

/// A secret in an `Inventory` document: everything that decisions need, and never a key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InventorySecret {
    /// The namespace.
    #[serde(default)]
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The Secret's type.
    #[serde(rename = "type", default = "tls_type")]
    pub type_: String,
    /// The labels that matter.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The annotations that matter.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The certificate chain in PEM; empty when there is none that can be read.
    pub certificate: String,
    /// What was found of the key at export.
    pub key: KeyCheck,
}

/// The routing secrets of a cluster without their keys, as a file that can live in git.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InventoryDocument {
    /// `routing-secrets.epinio.io/v1alpha1`.
    pub api_version: String,
    /// `Inventory`.
    pub kind: String,
    /// The secrets.
    pub secrets: Vec<InventorySecret>,
}

fn tls_type() -> String {
    "kubernetes.io/tls".to_owned()
}

/// Why secrets could not be read from files.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A file or folder cannot be read.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A folder holds no file that could hold secrets.
    #[error("{}: the folder holds no .yaml, .yml or .json file", .0.display())]
    Empty(PathBuf),
    /// A document is not what it should be.
    #[error("{file}, document {document}: {message}")]
    Document {
        /// The file.
        file: String,
        /// The document's number, from 1.
        document: usize,
        /// What is wrong, and what to do.
        message: String,
    },
}

/// Reads a file, or the .yaml, .yml and .json files of a folder in the order of their names.
///
/// # Errors
/// When something cannot be read or is no Secret, List of Secrets or Inventory.
pub fn load(path: &Path, default_namespace: Option<&str>) -> Result<Vec<RawSecret>, FileError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |cause| FileError::Unreadable { path, cause }
    };
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        files = Vec::new();
        for entry in fs::read_dir(path).map_err(unreadable(path))? {
            let file = entry.map_err(unreadable(path))?.path();
            let extension = file.extension().and_then(|extension| extension.to_str());
            if matches!(extension, Some("yaml" | "yml" | "json")) {
                files.push(file);
            }
        }
        files.sort();
        if files.is_empty() {
            return Err(FileError::Empty(path.to_owned()));
        }
    }
    let mut secrets = Vec::new();
    for file in files {
        let bytes = Zeroizing::new(fs::read(&file).map_err(unreadable(&file))?);
        secrets.extend(parse(&file.display().to_string(), &bytes, default_namespace)?);
    }
    Ok(secrets)
}

/// Reads the secrets of one file's bytes.
///
/// # Errors
/// When a document is no Secret, List of Secrets or Inventory, or an item has no namespace.
pub fn parse(file: &str, bytes: &[u8], default_namespace: Option<&str>) -> Result<Vec<RawSecret>, FileError> {
    let fail =
        |document: usize, message: String| FileError::Document { file: escape(file).into_owned(), document, message };
    let text = std::str::from_utf8(bytes).map_err(|_| fail(1, "it is not UTF-8".to_owned()))?;
    let mut secrets = Vec::new();
    for (at, value) in documents(text).into_iter().enumerate() {
        let value = value.map_err(|message| fail(at + 1, message))?;
        if !value.is_null() {
            read(&value, default_namespace, &mut secrets).map_err(|message| fail(at + 1, message))?;
        }
    }
    Ok(secrets)
}

/// Each document of a YAML stream; JSON is YAML here.
fn documents(text: &str) -> Vec<Result<Value, String>> {
    let chunks = crate::manifest::stream::split(text.as_bytes());
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
        budget: None,
    };
    let of_chunk = |chunk: std::ops::Range<usize>| {
        let read: Result<Value, _> = serde_saphyr::from_str_with_options(&text[chunk], options.clone());
        // The parser's own words only: they name a place and a fault, never a value.
        read.map_err(|error| format!("it is not YAML: {}", escape(&error.to_string())))
    };
    let is_content = |chunk: &std::ops::Range<usize>| {
        text[chunk.clone()].lines().any(|line| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with('#') && line != "---" && line != "..."
        })
    };
    chunks.into_iter().filter(is_content).map(of_chunk).collect()
}

fn read(value: &Value, namespace: Option<&str>, secrets: &mut Vec<RawSecret>) -> Result<(), String> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    match (text("apiVersion"), text("kind")) {
        ("v1", "Secret") => secrets.extend(read_secret(value, namespace)?),
        ("v1", "List" | "SecretList") => {
            let items = value.get("items").and_then(Value::as_array);
            for item in items.into_iter().flatten() {
                match item.get("kind").and_then(Value::as_str) {
                    // The items of a typed list leave their kind out.
                    None | Some("Secret") => secrets.extend(read_secret(item, namespace)?),
                    Some(kind) => return Err(format!("its List holds a {}; only Secrets are read", escape(kind))),
                }
            }
        }
        (crate::plan::API_VERSION, "Inventory") => {
            let items = value.get("secrets").and_then(Value::as_array);
            for (at, item) in items.into_iter().flatten().enumerate() {
                secrets.push(read_inventory(item, at + 1, namespace)?);
            }
        }
        (version, kind) => {
            return Err(format!(
                "it is a \"{}\" of \"{}\"; give Secrets, a List of them, or an Inventory",
                escape(kind),
                escape(version)
            ));
        }
    }
    Ok(())
}

fn name_of(namespace: &str, name: &str, default: Option<&str>) -> Result<ObjectName, String> {
    let namespace = Some(namespace).filter(|namespace| !namespace.is_empty()).or(default);
    let namespace = namespace
        .ok_or_else(|| format!("Secret \"{}\" names no namespace: give it with -n NAMESPACE", escape(name)))?;
    ObjectName::parse(&format!("{namespace}/{name}"))
        .ok_or_else(|| format!("\"{}/{}\" is no name of a Secret", escape(namespace), escape(name)))
}

fn map(value: Option<&Value>) -> BTreeMap<String, String> {
    let entries = value.and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// Nothing for a Secret that neither is a TLS Secret nor claims to be a routing secret.
fn read_secret(value: &Value, namespace: Option<&str>) -> Result<Option<RawSecret>, String> {
    let metadata = value.get("metadata");
    let text = |key: &str| metadata.and_then(|metadata| metadata.get(key)).and_then(Value::as_str).unwrap_or_default();
    let type_ = value.get("type").and_then(Value::as_str).unwrap_or("Opaque").to_owned();
    let labels = map(metadata.and_then(|metadata| metadata.get("labels")));
    let certificate = data(value, "tls.crt");
    if type_ != "kubernetes.io/tls" && !labels.contains_key(ROUTING_LABEL) {
        return Ok(None);
    }
    let key = data(value, "tls.key").map(|key| key.map_or(KeyMaterial::Absent, KeyMaterial::Pem));
    Ok(Some(RawSecret {
        id: name_of(text("namespace"), text("name"), namespace)?,
        type_,
        labels,
        annotations: map(metadata.and_then(|metadata| metadata.get("annotations"))),
        certificate: certificate.map(|pem| pem.map(|pem| pem.to_vec())),
        authorities: data(value, "ca.crt").ok().flatten().map(|pem| pem.to_vec()),
        key,
    }))
}

/// A value of `stringData`, else of `data`, as the API server would take it.
fn data(value: &Value, key: &'static str) -> Result<Option<Zeroizing<Vec<u8>>>, Reason> {
    if let Some(text) = value.get("stringData").and_then(|data| data.get(key)).and_then(Value::as_str) {
        return Ok(Some(Zeroizing::new(text.as_bytes().to_vec())));
    }
    let Some(text) = value.get("data").and_then(|data| data.get(key)).and_then(Value::as_str) else { return Ok(None) };
    super::decode(text, key).map(Some)
}

fn read_inventory(value: &Value, number: usize, namespace: Option<&str>) -> Result<RawSecret, String> {
    // serde's own words could quote a value; an Inventory that holds a key must not show it.
    let item: InventorySecret = InventorySecret::deserialize(value).map_err(|_| {
        format!("secret {number} is not as `kubectl routing-secrets export` writes it: namespace, name, type, labels, annotations, certificate, key (matched, mismatched, unknown, absent)")
    })?;
    if item.certificate.contains("PRIVATE KEY") {
        return Err(format!("secret {number} holds a private key, which has no place in an Inventory: remove it"));
    }
    Ok(RawSecret {
        id: name_of(&item.namespace, &item.name, namespace)?,
        type_: item.type_,
        labels: item.labels,
        annotations: item.annotations,
        certificate: Ok(Some(item.certificate.into_bytes())),
        authorities: None,
        key: Ok(KeyMaterial::Attested(item.key)),
    })
}
