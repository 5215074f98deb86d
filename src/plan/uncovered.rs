//! Where a prediction can help (`--predict`), and where it must not.

use std::collections::BTreeSet;

use super::Found;
use crate::choose;
use crate::inventory::Inventory;
use crate::secret::ObjectName;

impl Found<'_> {
    /// The namespaces in which no secret serves some slot.
    #[must_use]
    pub fn uncovered(&self, inventory: &Inventory) -> BTreeSet<String> {
        let mut namespaces = BTreeSet::new();
        for (consumer, own) in self.consumers() {
            for slot in consumer.slots.iter().filter(|slot| slot.left.is_none() && consumer.left.is_none()) {
                let query = consumer.query(slot, own);
                if choose::winner(&query, inventory).is_none() {
                    namespaces.insert(query.namespace.to_owned());
                }
            }
        }
        namespaces
    }

    /// Whether the render makes the Secret, itself or by a Certificate.
    #[must_use]
    pub fn makes(&self, secret: &ObjectName) -> bool {
        let certificates = self.certificates.iter().zip(&self.certificate_namespaces);
        self.chart_made.contains(&(secret.namespace.clone(), secret.name.clone()))
            || certificates
                .into_iter()
                .any(|(of, namespace)| of.spec.secret_name == secret.name && *namespace == secret.namespace)
    }
}
