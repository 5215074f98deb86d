//! The secrets known in one run, and which of them are routing secrets (R7).

pub mod file;

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use crate::secret::{ObjectName, Origin, RawSecret, Reason, Replicator, Secret, judge};

/// The secrets known in one run.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    now: Timestamp,
    namespaces: BTreeMap<String, BTreeMap<String, Secret>>,
    mirrored: HashSet<ObjectName>,
}

/// The same Secret was given twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Secret {0} is given twice: give each Secret in one file only")]
pub struct GivenTwice(pub ObjectName);

impl Inventory {
    /// Judges the secrets at a point in time and finds the routing secrets among them: those with
    /// the label, and Reflector's mirrors of those, since Reflector carries no labels over
    /// (`SecretMirror.cs: OnResourceClone`). With `sources`, exactly these and their mirrors.
    ///
    /// # Errors
    /// When the same Secret is given twice.
    pub fn build(raws: Vec<RawSecret>, sources: &[ObjectName], now: Timestamp) -> Result<Self, GivenTwice> {
        let mut inventory = Self { now, ..Self::default() };
        for raw in raws {
            let secret = judge(raw, now);
            let names = inventory.namespaces.entry(secret.id.namespace.clone()).or_default();
            let id = secret.id.clone();
            if names.insert(id.name.clone(), secret).is_some() {
                return Err(GivenTwice(id));
            }
        }
        inventory.find_routing(sources);
        inventory.find_stale();
        Ok(inventory)
    }

    fn find_routing(&mut self, sources: &[ObjectName]) {
        let labelled: HashSet<ObjectName> =
            self.secrets().filter(|secret| secret.routing).map(|secret| secret.id.clone()).collect();
        let mut mirrored = HashSet::new();
        for secret in self.namespaces.values_mut().flat_map(BTreeMap::values_mut) {
            let mirror = match &secret.origin {
                Origin::Mirror { of, by } => Some((of, *by)),
                _ => None,
            };
            if sources.is_empty() {
                secret.routing |= mirror.is_some_and(|(of, by)| by == Replicator::Reflector && labelled.contains(of));
            } else {
                secret.routing = sources.contains(&secret.id) || mirror.is_some_and(|(of, _)| sources.contains(of));
            }
            mirrored.extend(mirror.map(|(of, _)| of.clone()));
        }
        self.mirrored = mirrored;
    }

    fn find_stale(&mut self) {
        let fingerprint = |secret: &Secret| secret.certificate.as_ref().map(|facts| facts.fingerprint.clone());
        let stale: Vec<(ObjectName, ObjectName)> = self
            .secrets()
            .filter_map(|secret| {
                let Origin::Mirror { of, .. } = &secret.origin else { return None };
                let source = fingerprint(self.get(&of.namespace, &of.name)?)?;
                (fingerprint(secret) != Some(source)).then(|| (secret.id.clone(), of.clone()))
            })
            .collect();
        for (id, source) in stale {
            let secret = self.namespaces.get_mut(&id.namespace).and_then(|names| names.get_mut(&id.name));
            if let Some(secret) = secret {
                secret.warnings.push(Reason::Stale(source));
            }
        }
    }

    /// The point in time at which the secrets were judged.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
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
