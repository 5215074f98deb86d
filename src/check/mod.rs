//! What is wrong with routing secrets, what will be, and what to do about it. The findings are made by pure functions
//! over [`Facts`] that were read, a file a category.

pub mod cert_manager;
pub mod certificate;
pub mod chain;
pub mod hosts;
pub mod mirrors;
pub mod replicators;
#[cfg(test)]
mod samples;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::certificate::live::LiveCertificate;
use crate::choose::{HostName, WildcardSpan};
use crate::inventory::{Inventory, Sources};
use crate::output::escape::escape;
use crate::secret::chain::Chain;
use crate::secret::{ObjectName, Origin, RawSecret, Secret, mirror};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// Something to look at; it works.
    Warning,
    /// It does not work, or will not for long.
    Problem,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Category {
    /// What could be read.
    Access,
    /// The secrets' own certificates and keys.
    Certificates,
    /// What cert-manager does with them.
    CertManager,
    /// Copies of sources.
    Mirrors,
    /// The programs that copy.
    Replicators,
    /// Which hosts are served by which secret.
    Hosts,
}

impl Category {
    /// Every category, in the order in which they are printed.
    pub const ALL: [Self; 6] =
        [Self::Access, Self::Certificates, Self::CertManager, Self::Mirrors, Self::Replicators, Self::Hosts];

    /// Its heading.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Certificates => "certificates",
            Self::CertManager => "cert-manager",
            Self::Mirrors => "mirrors",
            Self::Replicators => "replicators",
            Self::Hosts => "hosts",
        }
    }
}

/// An object of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace; nothing for what has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl ObjectRef {
    /// A Secret.
    #[must_use]
    pub fn secret(id: &ObjectName) -> Self {
        Self { kind: "Secret", namespace: Some(id.namespace.clone()), name: id.name.clone() }
    }

    /// A namespace.
    #[must_use]
    pub fn namespace(name: &str) -> Self {
        Self { kind: "Namespace", namespace: None, name: name.to_owned() }
    }
}

/// One thing that was found, good or bad.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// What was looked at.
    pub category: Category,
    /// A stable name for programs.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The object that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectRef>,
    /// What is so.
    pub message: String,
    /// What to do, a step a line.
    pub hints: Vec<String>,
}

impl Finding {
    fn of(category: Category, severity: Severity, code: &'static str, object: &ObjectName, message: String) -> Self {
        Self { category, code, severity, object: Some(ObjectRef::secret(object)), message, hints: Vec::new() }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// The findings of one look, or that all is well when there are none.
fn settle(
    category: Category,
    code: &'static str,
    well: &str,
    looked_at: usize,
    findings: impl IntoIterator<Item = Finding>,
) -> Vec<Finding> {
    let findings: Vec<Finding> = findings.into_iter().collect();
    if looked_at == 0 || findings.iter().any(|finding| finding.severity > Severity::Ok) {
        return findings;
    }
    let message = format!("{well} ({looked_at})");
    let well = Finding { category, code, severity: Severity::Ok, object: None, message, hints: Vec::new() };
    std::iter::once(well).chain(findings).collect()
}

/// Something that was to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// It was read.
    Read(T),
    /// The server has no such kind.
    NotServed,
    /// It could not be read.
    Unreadable {
        /// Why.
        why: String,
        /// What would help.
        hint: Option<String>,
    },
    /// It was not asked for: no cluster, or nothing depends on it.
    NotAsked,
}

impl<T> Known<T> {
    /// What was read.
    pub fn read(&self) -> Option<&T> {
        match self {
            Self::Read(found) => Some(found),
            _ => None,
        }
    }
}

/// What is looked at of a Secret and does not stand in an [`Inventory`].
#[derive(Clone, Debug, Default)]
pub struct Examined {
    /// Its certificates.
    pub chain: Chain,
    /// The annotations that speak about copies.
    pub annotations: BTreeMap<String, String>,
    /// Whether it carries the label itself.
    pub is_labelled: bool,
}

impl Examined {
    /// Looks at a Secret. Of its annotations only those that matter are kept: others can hold the key
    /// (`kubectl.kubernetes.io/last-applied-configuration`).
    #[must_use]
    pub fn new(raw: &RawSecret) -> Self {
        let certificates = raw.certificate.as_ref().ok().and_then(Option::as_deref).unwrap_or_default();
        Self {
            chain: Chain::read(certificates, raw.authorities.as_deref()),
            annotations: about_copies(&raw.annotations),
            is_labelled: raw.labels.contains_key(crate::secret::ROUTING_LABEL),
        }
    }
}

/// The annotations that speak about copies.
#[must_use]
pub fn about_copies(annotations: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let one = |key: &String| mirror::is_replicated(&BTreeMap::new(), &BTreeMap::from([(key.clone(), String::new())]));
    annotations.iter().filter(|(key, _)| one(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// A namespace of the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// A routing secret somewhere in the cluster, as its metadata tells.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name.
    pub id: ObjectName,
    /// The annotations that speak about copies.
    pub annotations: BTreeMap<String, String>,
}

/// A Secret that may be a source's copy.
#[derive(Clone, Debug)]
pub struct Copy {
    /// Its name.
    pub id: ObjectName,
    /// Where it comes from.
    pub origin: Origin,
}

/// The hosts that an object of the cluster serves with TLS.
#[derive(Clone, Debug)]
pub struct LiveConsumer {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub id: ObjectName,
    /// The hosts of each of its slots.
    pub slots: Vec<Vec<HostName>>,
    /// How many labels a wildcard host spans.
    pub span: WildcardSpan,
}

/// Which routing secrets are looked at.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The namespace; all when there is none.
    pub namespace: Option<String>,
    /// The names; all when there are none.
    pub names: Vec<String>,
}

impl Scope {
    /// Whether the Secret is among them.
    #[must_use]
    pub fn has(&self, id: &ObjectName) -> bool {
        self.has_namespace(&id.namespace) && (self.names.is_empty() || self.names.contains(&id.name))
    }

    /// Whether the namespace is looked at.
    #[must_use]
    pub fn has_namespace(&self, namespace: &str) -> bool {
        self.namespace.as_ref().is_none_or(|own| own == namespace)
    }
}

/// Everything that was read.
#[derive(Debug)]
pub struct Facts {
    /// The time.
    pub now: Timestamp,
    /// `--expires-within`; without it a third of the lifetime counts.
    pub expires_within: Option<Duration>,
    /// Which routing secrets are looked at.
    pub scope: Scope,
    /// The secrets, judged.
    pub inventory: Inventory,
    /// What is known of mirrors' sources.
    pub sources: Sources,
    /// What else is known of the secrets.
    pub examined: HashMap<ObjectName, Examined>,
    /// cert-manager's Certificates in scope.
    pub certificates: Known<Vec<LiveCertificate>>,
    /// The namespaces of the cluster.
    pub namespaces: Known<Vec<Namespace>>,
    /// The labelled secrets of the whole cluster.
    pub labelled: Known<Vec<Source>>,
    /// The Secrets that have the name of a source in scope.
    pub copies: Known<Vec<Copy>>,
    /// The programs that copy.
    pub replicators: Known<Vec<replicators::Workload>>,
    /// What the namespaces in scope serve with TLS.
    pub consumers: Known<Vec<LiveConsumer>>,
    /// Usable routing secrets anywhere, where they were needed.
    pub elsewhere: Known<Vec<Secret>>,
}

impl Facts {
    /// The routing secrets that are looked at.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.inventory.secrets().filter(|secret| secret.routing && self.scope.has(&secret.id))
    }

    /// Facts with nothing in them but routing secrets.
    #[must_use]
    pub fn of(inventory: Inventory, sources: Sources, examined: HashMap<ObjectName, Examined>, scope: Scope) -> Self {
        Self {
            now: inventory.now(),
            expires_within: None,
            scope,
            inventory,
            sources,
            examined,
            certificates: Known::NotAsked,
            namespaces: Known::NotAsked,
            labelled: Known::NotAsked,
            copies: Known::NotAsked,
            replicators: Known::NotAsked,
            consumers: Known::NotAsked,
            elsewhere: Known::NotAsked,
        }
    }

    fn chain(&self, secret: &Secret) -> Option<&Chain> {
        self.examined.get(&secret.id).map(|examined| &examined.chain)
    }
}

/// Every finding, by category.
#[must_use]
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let mut findings = access(facts);
    findings.extend(certificate::findings(facts));
    findings.extend(cert_manager::findings(facts));
    findings.extend(mirrors::findings(facts));
    findings.extend(replicators::findings(facts));
    findings.extend(hosts::findings(facts));
    findings
}

/// What was not there, or could not be read.
fn access(facts: &Facts) -> Vec<Finding> {
    let finding = |severity, code, message| Finding {
        category: Category::Access,
        code,
        severity,
        object: None,
        message,
        hints: Vec::new(),
    };
    let mut findings = Vec::new();
    let count = facts.secrets().count();
    if count == 0 {
        let place = facts
            .scope
            .namespace
            .as_ref()
            .map_or_else(|| "any namespace".to_owned(), |namespace| format!("namespace {}", escape(namespace)));
        findings
            .push(finding(Severity::Warning, "noRoutingSecret", format!("there is no routing secret in {place}")).hint(
            "make one: kubectl routing-secrets create, or mark one that is there: kubectl routing-secrets mark NAME",
        ));
    } else {
        findings.push(finding(Severity::Ok, "routingSecrets", format!("routing secrets can be read ({count})")));
    }
    fn unread<T>(what: &'static str, known: &Known<T>) -> Option<(&'static str, String, Option<String>)> {
        match known {
            Known::NotServed => Some((what, "the cluster has no such kind".to_owned(), None)),
            Known::Unreadable { why, hint } => Some((what, why.clone(), hint.clone())),
            Known::Read(_) | Known::NotAsked => None,
        }
    }
    let all = [
        unread("cert-manager's Certificates", &facts.certificates),
        unread("namespaces", &facts.namespaces),
        unread("labelled Secrets of other namespaces", &facts.labelled),
        unread("copies in other namespaces", &facts.copies),
        unread("the replicators' Deployments and Pods", &facts.replicators),
        unread("objects that serve hosts", &facts.consumers),
        unread("routing secrets of other namespaces", &facts.elsewhere),
    ];
    for unresolved in facts.inventory.unresolved() {
        let is_asked = facts.scope.has(&unresolved.mirror) && !facts.sources.missing.contains(&unresolved.of);
        if is_asked {
            let message = format!(
                "whether mirrors of {} are routing secrets could not be told: {}",
                unresolved.of, unresolved.why
            );
            let hint = format!("if they are, say so: --source {}", unresolved.of);
            let object = Some(ObjectRef::secret(&unresolved.mirror));
            findings.push(Finding { object, ..finding(Severity::Warning, "sourceNotReadable", message) }.hint(hint));
        }
    }
    for (what, why, hint) in all.into_iter().flatten() {
        let found = finding(Severity::Warning, "notChecked", format!("{what} could not be looked at: {why}"));
        findings.push(Finding { hints: hint.into_iter().collect(), ..found });
    }
    findings
}
