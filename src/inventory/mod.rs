//! The secrets known in one run, and which of them are routing secrets (R7).

pub mod cluster;
pub mod compare;
pub mod export;
pub mod file;
pub mod listing;
pub mod predict;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use base64::Engine as _;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::output::escape::escape;
use crate::secret::{ObjectName, Origin, Reason, Replicator, Secret};

/// The secrets known in one run.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    now: Timestamp,
    namespaces: BTreeMap<String, BTreeMap<String, Secret>>,
    mirrored: HashSet<ObjectName>,
    unresolved: Vec<Unresolved>,
    not_predicted: Option<Vec<String>>,
}

/// What is known of mirrors' sources besides the secrets themselves.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// These and their mirrors are the routing secrets, whatever their labels (`--source`).
    pub given: Vec<ObjectName>,
    /// Sources elsewhere that carry the label, each with its resource version.
    pub labelled: HashMap<ObjectName, String>,
    /// Sources that are not there.
    pub missing: BTreeSet<ObjectName>,
    /// Sources that could not be read, and why; those that are not there, too.
    pub unreadable: BTreeMap<ObjectName, String>,
}

impl Sources {
    /// With what an Inventory says of sources that it does not hold.
    fn with_exported(&self, secrets: &[Secret]) -> Self {
        let mut sources = self.clone();
        let exported = secrets.iter().filter_map(|secret| Some((secret.mirrored()?, secret.source_version.as_ref()?)));
        sources.labelled.extend(exported.map(|(of, version)| (of.clone(), version.clone())));
        sources
    }
}

/// A mirror of which nobody can say whether it is a routing secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "whether {mirror} is a routing secret is not known, because its source {of} could not be read ({}); if it is one, say --source {of}",
    escape(why)
)]
pub struct Unresolved {
    /// The mirror.
    pub mirror: ObjectName,
    /// Its source.
    pub of: ObjectName,
    /// Why the source could not be read.
    pub why: String,
}

/// The same Secret was given twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Secret {0} is given twice: give each Secret in one file only")]
pub struct GivenTwice(pub ObjectName);

/// # Errors
/// When two of the secrets have one name.
pub fn once(secrets: &[Secret]) -> Result<(), GivenTwice> {
    let mut known = HashSet::new();
    let twice = secrets.iter().find(|secret| !known.insert(&secret.id));
    twice.map_or(Ok(()), |secret| Err(GivenTwice(secret.id.clone())))
}

/// A value of a Secret's `data`.
pub(crate) fn decode(text: &str, key: &'static str) -> Result<Zeroizing<Vec<u8>>, Reason> {
    let packed: Zeroizing<Vec<u8>> = Zeroizing::new(text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect());
    let decoded = base64::engine::general_purpose::STANDARD.decode(&*packed);
    decoded.map(Zeroizing::new).map_err(|_| Reason::NotBase64(key))
}

impl Inventory {
    /// Finds the routing secrets among judged secrets: those with the label, and Reflector's mirrors of those, since
    /// Reflector carries no labels over (`SecretMirror.cs: OnResourceClone`). With given sources, exactly these and
    /// their mirrors.
    #[must_use]
    pub fn build(secrets: Vec<Secret>, sources: &Sources, now: Timestamp) -> Self {
        let sources = &sources.with_exported(&secrets);
        let mut inventory = Self { now, ..Self::default() };
        for secret in secrets {
            let names = inventory.namespaces.entry(secret.id.namespace.clone()).or_default();
            names.insert(secret.id.name.clone(), secret);
        }
        inventory.find_routing(sources);
        inventory.find_stale(sources);
        inventory
    }

    fn find_routing(&mut self, sources: &Sources) {
        let mut labelled: HashSet<ObjectName> =
            self.secrets().filter(|secret| secret.routing).map(|secret| secret.id.clone()).collect();
        labelled.extend(sources.labelled.keys().cloned());
        let mut mirrored = HashSet::new();
        for secret in self.namespaces.values_mut().flat_map(BTreeMap::values_mut) {
            let mirror = match &secret.origin {
                Origin::Mirror { of, by } => Some((of, *by)),
                _ => None,
            };
            if sources.given.is_empty() {
                secret.routing |= mirror.is_some_and(|(of, by)| by == Replicator::Reflector && labelled.contains(of));
            } else {
                let is_mirror = mirror.is_some_and(|(of, _)| sources.given.contains(of));
                secret.routing = sources.given.contains(&secret.id) || is_mirror;
            }
            if let Some((of, _)) = mirror {
                if let Some(why) = sources.unreadable.get(of).filter(|_| !secret.routing) {
                    let (mirror, of) = (secret.id.clone(), of.clone());
                    self.unresolved.push(Unresolved { mirror, of, why: why.clone() });
                }
                mirrored.insert(of.clone());
            }
        }
        self.mirrored = mirrored;
    }

    fn find_stale(&mut self, sources: &Sources) {
        let fingerprint = |secret: &Secret| secret.certificate.as_ref().map(|facts| facts.fingerprint.clone());
        let stale: Vec<(ObjectName, ObjectName)> = self
            .secrets()
            .filter_map(|secret| {
                let of = secret.mirrored()?;
                let is_stale = match (self.get(&of.namespace, &of.name), sources.labelled.get(of)) {
                    (Some(source), _) => fingerprint(source)? != fingerprint(secret)?,
                    // Of a source whose key must not be read, the version that was copied tells.
                    (None, Some(version)) => secret.reflected_version.as_ref()? != version,
                    (None, None) => false,
                };
                is_stale.then(|| (secret.id.clone(), of.clone()))
            })
            .collect();
        for (id, source) in stale {
            let secret = self.namespaces.get_mut(&id.namespace).and_then(|names| names.get_mut(&id.name));
            if let Some(secret) = secret {
                secret.warnings.push(Reason::Stale(source));
            }
        }
    }

    /// Takes up secrets that will be there, except where one of the name is, and why others are not predicted.
    pub fn predict(&mut self, secrets: Vec<Secret>, not_predicted: Vec<String>) {
        for secret in secrets {
            let names = self.namespaces.entry(secret.id.namespace.clone()).or_default();
            names.entry(secret.id.name.clone()).or_insert(secret);
        }
        self.not_predicted = Some(not_predicted);
    }

    /// Why secrets are not predicted; `None` when no prediction was asked for.
    #[must_use]
    pub fn not_predicted(&self) -> Option<&[String]> {
        self.not_predicted.as_deref()
    }

    /// The point in time at which the secrets were judged.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The mirrors of which nobody can say whether they are routing secrets.
    #[must_use]
    pub fn unresolved(&self) -> &[Unresolved] {
        &self.unresolved
    }

    /// Every secret, by namespace and name.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.namespaces.values().flat_map(BTreeMap::values)
    }

    /// The routing secrets of a namespace, usable or not, by name.
    pub fn routing(&self, namespace: &str) -> impl Iterator<Item = &Secret> {
        self.namespaces.get(namespace).into_iter().flat_map(BTreeMap::values).filter(|secret| secret.routing)
    }

    /// The secret with this name, a routing secret or not.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<&Secret> {
        self.namespaces.get(namespace)?.get(name)
    }

    /// Whether a secret known here is a mirror of this one.
    #[must_use]
    pub fn is_mirror_source(&self, namespace: &str, name: &str) -> bool {
        self.mirrored.contains(&ObjectName { namespace: namespace.to_owned(), name: name.to_owned() })
    }
}
