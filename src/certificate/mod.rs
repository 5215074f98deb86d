//! cert-manager Certificates: those of the render, and those that a trigger would make. Whether
//! one may go is judged by the same conditions (R10, R13).

pub mod keep;
pub mod live;
pub mod template;

pub use keep::{Facts, Keep, keep};

use std::collections::BTreeMap;

use crate::consumers::trigger::Trigger;
use crate::consumers::{Consumer, Slot};
use crate::manifest::Literals;
use crate::manifest::document::{Document, NodeId};
use crate::manifest::edit::Edits;
use crate::manifest::object::Object;

/// The words that every Certificate's document holds.
pub const LITERALS: Literals = Literals { kind: "Certificate", group: "cert-manager.io" };

/// The words that every Issuer's and ClusterIssuer's document holds.
pub const ISSUER_LITERALS: Literals = Literals { kind: "Issuer", group: "cert-manager.io" };

/// What a Certificate asks for (`pkg/apis/certmanager/v1/types_certificate.go`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateSpec {
    /// `spec.secretName`.
    pub secret_name: String,
    /// `spec.dnsNames` and then `spec.commonName`, each once.
    pub names: Vec<String>,
    /// `spec.isCA`.
    pub is_ca: bool,
    /// The fields present that make more of the Secret than a server certificate's.
    pub extras: Vec<String>,
    /// Usages other than a server's.
    pub foreign_usages: Vec<String>,
    /// Keys in `secretTemplate` that make the Secret a routing secret or a replicated one.
    pub distributes: Vec<String>,
    /// The issuer, as `Kind/name`; of what a trigger asks for, [`issuer_of`] tells it.
    pub issuer: String,
    /// Requests that a routing secret need not honour, for the report.
    pub unmet: Vec<&'static str>,
}

/// A Certificate of the render.
#[derive(Debug)]
pub struct Certificate<'d> {
    /// The index of its document in the stream.
    pub document: usize,
    /// The object.
    pub object: Object<'d>,
    /// What it asks for.
    pub spec: CertificateSpec,
    /// The scalars that name itself, its Secret and its hosts: they need no Secret.
    pub own: Vec<NodeId>,
    /// Whether Helm keeps the live object when it leaves the release (`helm.sh/resource-policy`).
    pub survives: bool,
    /// Why it cannot be taken out of the stream alone, if so.
    pub fixed: Option<Keep>,
}

/// Whether the object is a cert-manager Certificate.
#[must_use]
pub fn is_certificate(object: &Object<'_>) -> bool {
    object.kind == "Certificate" && object.group == "cert-manager.io"
}

/// Whether the object is a cert-manager Issuer or ClusterIssuer.
#[must_use]
pub fn is_issuer(object: &Object<'_>) -> bool {
    matches!(object.kind, "Issuer" | "ClusterIssuer") && object.group == "cert-manager.io"
}

/// Fields that add to the Secret or to the names, so that a routing secret cannot stand in.
const EXTRAS: [&str; 8] = [
    "ipAddresses",
    "uris",
    "emailAddresses",
    "otherNames",
    "literalSubject",
    "nameConstraints",
    "keystores",
    "additionalOutputFormats",
];

/// Requests that a routing secret need not honour.
const UNMET: [&str; 3] = ["privateKey", "duration", "subject"];

/// The usages of a plain server certificate (`usages` replaces cert-manager's default list).
const SERVER_USAGES: [&str; 4] = ["digital signature", "key encipherment", "server auth", "key agreement"];

/// Prefixes of the keys with which replicators mark what they copy.
const DISTRIBUTES: [&str; 5] = [
    "epinio.io/routing",
    "reflector.v1.k8s.emberstack.com/",
    "kubed.appscode.com/",
    "replicator.v1.mittwald.de/",
    "routing-secrets.epinio.io/copy-to-",
];

/// Reads a Certificate of the render.
#[must_use]
pub fn read<'d>(index: usize, document: &'d Document<'_>, object: Object<'d>) -> Certificate<'d> {
    let node = document.get(object.node, "spec");
    let mut own: Vec<NodeId> = document
        .all(object.node, "metadata")
        .flat_map(|(_, metadata)| document.all(metadata, "name"))
        .map(|(_, name)| name)
        .collect();
    own.extend(notes_of_kustomize(document, &object));
    if let Some(node) = node {
        own.extend(document.all(node, "secretName").map(|(_, name)| name));
        own.extend(document.get(node, "commonName"));
        own.extend(document.get(node, "dnsNames").into_iter().flat_map(|names| document.items(names)));
    }
    let spec = node.map(|node| spec(document, node)).unwrap_or_default();
    let fixed = fixed(document, &object);
    let policy = document.text_at(object.node, &["metadata", "annotations", "helm.sh/resource-policy"]);
    let survives = policy.is_some_and(|policy| policy.trim().eq_ignore_ascii_case("keep"));
    Certificate { document: index, object, spec, own, survives, fixed }
}

/// Reads the spec of a Certificate.
fn spec(document: &Document<'_>, spec: NodeId) -> CertificateSpec {
    let list = |key: &str| -> Vec<String> {
        let items = document.get(spec, key);
        let items = items.iter().flat_map(|&items| document.items(items));
        items.filter_map(|item| document.text(item).map(str::to_owned)).collect()
    };
    let mut names = list("dnsNames");
    if let Some(name) = document.text_at(spec, &["commonName"]).filter(|name| !name.is_empty())
        && !names.iter().any(|known| known == name)
    {
        names.push(name.to_owned());
    }
    let is_given = |key: &&&str| document.get(spec, key).is_some_and(|node| !is_empty(document, node));
    let mut distributes = Vec::new();
    for part in ["labels", "annotations"] {
        let template = document.at(spec, &["secretTemplate", part]);
        let keys = template.iter().flat_map(|&template| document.entries(template));
        let keys = keys.filter_map(|(key, _)| document.text(key));
        distributes.extend(keys.filter(|key| is_distributing(key)).map(str::to_owned));
    }
    let issuer = document.text_at(spec, &["issuerRef", "name"]).unwrap_or_default();
    let kind = document.text_at(spec, &["issuerRef", "kind"]).unwrap_or("Issuer");
    CertificateSpec {
        secret_name: document.text_at(spec, &["secretName"]).unwrap_or_default().to_owned(),
        names,
        is_ca: document.text_at(spec, &["isCA"]).is_some_and(|text| !text.eq_ignore_ascii_case("false")),
        extras: EXTRAS.iter().filter(is_given).map(|&key| key.to_owned()).collect(),
        foreign_usages: foreign_usages(list("usages").iter().map(String::as_str)),
        distributes,
        issuer: format!("{kind}/{issuer}"),
        unmet: UNMET.iter().filter(is_given).copied().collect(),
    }
}

/// The annotations in which kustomize notes an object's own name while a function runs; nothing reads them afterwards
/// (kustomize `api/internal/utils/annotations.go`, `kyaml/kio/kioutil`).
fn notes_of_kustomize(document: &Document<'_>, object: &Object<'_>) -> Vec<NodeId> {
    const NOTES: [&str; 3] = ["kustomize.config.k8s.io/", "config.kubernetes.io/", "internal.config.kubernetes.io/"];
    let annotations = document.at(object.node, &["metadata", "annotations"]);
    let entries = annotations.iter().flat_map(|&annotations| document.entries(annotations));
    let is_note = |key: NodeId| document.text(key).is_some_and(|key| NOTES.iter().any(|note| key.starts_with(note)));
    entries.filter(|&(key, _)| is_note(key)).map(|(_, value)| value).collect()
}

/// Why the object cannot be taken out of the stream alone.
fn fixed(document: &Document<'_>, object: &Object<'_>) -> Option<Keep> {
    // A merge key can hide what it asks for.
    if document.scalars(object.node).any(|(_, text)| text == "<<") {
        return Some(Keep::MergeKey);
    }
    // A chunk with several documents has no text of its own to leave a comment in.
    let Some(root) = document.only_root() else { return Some(Keep::Layout) };
    let list = object.list?;
    let can_leave = || {
        // The whole document goes with its only object.
        let is_alone = document.items(list).nth(1).is_none();
        let mut edits = Edits::default();
        is_alone || edits.drop_items(document, list, &[(object.node, String::new())]).is_ok()
    };
    // Inner lists could be left without items, which makes them objects to Kubernetes.
    let is_outer = document.get(root, "items") == Some(list);
    (!is_outer || document.is_shared(object.node) || !can_leave()).then_some(Keep::Layout)
}

fn is_empty(document: &Document<'_>, node: NodeId) -> bool {
    let is_scalar_null = document.text(node).is_none_or(str::is_empty);
    is_scalar_null && document.items(node).next().is_none() && document.entries(node).next().is_none()
}

fn is_distributing(key: &str) -> bool {
    DISTRIBUTES.iter().any(|prefix| key.starts_with(prefix))
}

fn foreign_usages<'u>(usages: impl Iterator<Item = &'u str>) -> Vec<String> {
    usages.filter(|usage| !SERVER_USAGES.contains(usage)).map(str::to_owned).collect()
}

/// The Certificate that a trigger of the consumer would make for one slot (R10; cert-manager
/// `pkg/controller/certificate-shim/helper.go: translateAnnotations`).
#[must_use]
pub fn of_trigger(consumer: &Consumer<'_>, slot: &Slot) -> CertificateSpec {
    let mut spec = CertificateSpec {
        secret_name: slot.secret_name.clone(),
        names: slot.hosts[..slot.listed].to_vec(),
        extras: consumer.unknown.clone(),
        ..CertificateSpec::default()
    };
    for companion in &consumer.companions {
        let value = companion.value;
        let list = || value.split(',').map(str::trim).filter(|item| !item.is_empty());
        match companion.key.as_ref() {
            "cert-manager.io/alt-names" => spec.names.extend(list().map(str::to_owned)),
            "cert-manager.io/common-name" if !value.is_empty() => spec.names.push(value.to_owned()),
            "cert-manager.io/ip-sans" if !value.is_empty() => spec.extras.push("ipAddresses".to_owned()),
            "cert-manager.io/uri-sans" if !value.is_empty() => spec.extras.push("uris".to_owned()),
            "cert-manager.io/email-sans" if !value.is_empty() => spec.extras.push("emailAddresses".to_owned()),
            "cert-manager.io/usages" => spec.foreign_usages = foreign_usages(list()),
            "cert-manager.io/duration" => spec.unmet.push("duration"),
            "cert-manager.io/secret-template" => spec.distributes.extend(template_distributes(value)),
            _ => {}
        }
    }
    spec
}

/// The keys of a `secret-template` annotation that make the Secret a routing secret or a replicated one; the whole
/// annotation when it is not the JSON that cert-manager reads.
fn template_distributes(json: &str) -> Vec<String> {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Template {
        labels: Option<BTreeMap<String, String>>,
        annotations: Option<BTreeMap<String, String>>,
    }
    let Ok(template) = serde_json::from_str::<Template>(json) else { return vec!["secret-template".to_owned()] };
    let maps = [template.labels, template.annotations];
    maps.into_iter().flatten().flat_map(BTreeMap::into_keys).filter(|key| is_distributing(key)).collect()
}

/// The issuer that the consumer's trigger names, as `Kind/name`; empty for a default issuer.
#[must_use]
pub fn issuer_of(consumer: &Consumer<'_>) -> String {
    fn value<'d>(entries: &[Trigger<'d>], key: &str) -> Option<&'d str> {
        entries.iter().find(|entry| entry.key == key).map(|entry| entry.value)
    }
    if let Some(name) = value(&consumer.triggers, "cert-manager.io/cluster-issuer") {
        return format!("ClusterIssuer/{name}");
    }
    let kind = value(&consumer.companions, "cert-manager.io/issuer-kind").unwrap_or("Issuer");
    value(&consumer.triggers, "cert-manager.io/issuer").map_or_else(String::new, |name| format!("{kind}/{name}"))
}
