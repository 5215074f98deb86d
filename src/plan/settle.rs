//! Which Secrets of other namespaces the slots of a render may name (R6). It is settled before anything is decided.

use std::collections::{BTreeMap, BTreeSet};

use super::{Found, MAX_NAMESPACES, PlanError};
use crate::consumers::elsewhere::{Grant, Granted, granted};
use crate::consumers::{Consumer, Left, Permission, Slot};

/// What the cluster says about Secrets in other namespaces.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// The permissions beside those of the render.
    pub grants: Vec<Grant>,
    /// The namespace of every gateway's pods (`--gateway-namespace`).
    pub gateway_namespace: Option<String>,
    /// The namespaces in which pods with these labels were found, or why none could be looked for.
    pub pods: BTreeMap<String, Result<Vec<String>, String>>,
    /// Namespaces whose Secrets could not be read, and why.
    pub unreadable: BTreeMap<String, String>,
    /// Namespaces whose permissions could not be read, and why; those of the render still count.
    pub unseen: BTreeMap<String, String>,
}

impl Found<'_> {
    /// Whether any object of the render names a TLS Secret.
    #[must_use]
    pub fn has_slots(&self) -> bool {
        self.consumers.iter().any(|consumer| !consumer.slots.is_empty())
    }

    /// The namespaces that hold Secrets of slots, and no object with slots.
    #[must_use]
    pub fn foreign_namespaces(&self) -> BTreeSet<String> {
        let with_slots = self.consumers.iter().zip(&self.namespaces).filter(|(consumer, _)| !consumer.slots.is_empty());
        let own: BTreeSet<String> = with_slots.map(|(_, namespace)| (*namespace).to_owned()).collect();
        self.namespaces().difference(&own).cloned().collect()
    }

    /// The permissions that slots need, with the namespaces that they must be in.
    #[must_use]
    pub fn wanted_grants(&self) -> BTreeSet<(Permission, String)> {
        let mut wanted = BTreeSet::new();
        for (consumer, own) in self.consumers.iter().zip(&self.namespaces) {
            for slot in consumer.slots.iter().filter(|slot| is_open(slot)) {
                let (Some(permission), Some(namespace)) = (consumer.row.permission, &slot.namespace) else { continue };
                // Nothing can permit more than the render does then.
                if granted(&self.grants, &consumer.object, own, namespace) != Granted::Every {
                    wanted.insert((permission, namespace.clone()));
                }
            }
        }
        wanted
    }

    /// The labels of the pods of which the namespace must be known.
    #[must_use]
    pub fn wanted_pods(&self) -> BTreeSet<String> {
        let of_pods = |consumer: &&Consumer<'_>| !consumer.pods.is_empty() && consumer.slots.iter().any(is_open);
        self.consumers.iter().filter(of_pods).map(|consumer| consumer.pods.clone()).collect()
    }

    /// Settles which slots may name a Secret of another namespace, and which Secrets there.
    ///
    /// # Errors
    /// When too many namespaces are named.
    pub fn settle(&mut self, outside: &Outside) -> Result<(), PlanError> {
        let is_replaced = |grant: &&Grant| {
            let is_it =
                |ours: &Grant| ours.namespace == grant.namespace && ours.by == grant.by && ours.group == grant.group;
            self.grants.iter().any(is_it)
        };
        // What the render brings replaces what is there under the same name.
        let others = outside.grants.iter().filter(|grant| !is_replaced(grant));
        let grants: Vec<Grant> = self.grants.iter().chain(others).cloned().collect();
        for (consumer, own) in self.consumers.iter_mut().zip(&self.namespaces) {
            let pods = (!consumer.row.pod_selector.is_empty()).then(|| outside.namespace_of(&consumer.pods));
            for slot in consumer.slots.iter_mut().filter(|slot| is_open(slot)) {
                match &pods {
                    Some(Ok(namespace)) => {
                        slot.namespace = Some(namespace.clone()).filter(|namespace| namespace != own)
                    }
                    Some(Err(left)) => {
                        slot.left = Some(left.clone());
                        continue;
                    }
                    None => {}
                }
                let Some(namespace) = slot.namespace.clone() else {
                    slot.left = None;
                    continue;
                };
                let granted = consumer.row.permission.map(|_| granted(&grants, &consumer.object, own, &namespace));
                match (outside.unreadable.get(&namespace), granted) {
                    (Some(why), _) => slot.left = Some(Left::NamespaceNotReadable { namespace, why: why.clone() }),
                    (None, Some(Granted::These(names))) if names.is_empty() => {
                        let unseen = outside.unseen.get(&namespace).cloned();
                        let Some(permission) = consumer.row.permission else { continue };
                        slot.left = Some(match unseen {
                            Some(why) => Left::NamespaceNotReadable { namespace, why },
                            None => Left::NotGranted { permission, namespace },
                        });
                    }
                    (None, granted) => {
                        slot.left = None;
                        slot.permitted = match granted {
                            Some(Granted::These(names)) => Some(names),
                            _ => None,
                        };
                    }
                }
            }
        }
        let count = self.namespaces().len();
        if count > MAX_NAMESPACES { Err(PlanError::TooManyNamespaces(count)) } else { Ok(()) }
    }
}

impl Outside {
    /// The namespace of the pods with these labels.
    fn namespace_of(&self, pods: &str) -> Result<String, Left> {
        if let Some(namespace) = &self.gateway_namespace {
            return Ok(namespace.clone());
        }
        let why = match self.pods.get(pods) {
            Some(Ok(found)) => match found.as_slice() {
                [namespace] => return Ok(namespace.clone()),
                [] => Some(format!("the cluster has none with {pods}")),
                several => Some(format!("those with {pods} are in {}", several.join(", "))),
            },
            Some(Err(why)) => Some(why.clone()),
            None => None,
        };
        Err(Left::PodNamespace(why))
    }
}

/// Whether only the Secret's namespace speaks against the slot so far.
fn is_open(slot: &Slot) -> bool {
    match slot.left {
        None => slot.namespace.is_some(),
        Some(ref left) => {
            matches!(left, Left::NotGranted { .. } | Left::NamespaceNotReadable { .. } | Left::PodNamespace(_))
        }
    }
}
