//! Triggers on live objects that a helm upgrade would not take away (R12). Helm and the API server only remove what
//! the release itself owns; `metadata.managedFields` tells who owns what (KEP 555; seen with Helm 3 and 4).

use std::collections::BTreeSet;

use serde::Deserialize;

use super::ForeignTrigger;
use super::facts::Render;
use crate::cluster::ManagedFields;
use crate::consumers::Row;
use crate::consumers::trigger::{self, Actor, Class};
use crate::output::escape::escape;

/// An object of the cluster that is about to be rewritten.
#[derive(Clone, Debug)]
pub struct LiveRef {
    /// `group/kind/namespace/name`, as [`super::Live`] names it.
    pub key: String,
    /// The row of its kind.
    pub row: &'static Row,
    /// The API group.
    pub group: String,
    /// The API version.
    pub version: String,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// Whether it is a Gateway that the render does not hold, of a ListenerSet that it does.
    pub is_parent: bool,
}

impl LiveRef {
    /// The live object of a consumer.
    pub(super) fn of(render: &Render<'_, '_>, at: usize) -> Self {
        let consumer = &render.consumers[at];
        Self {
            key: render.key(at),
            row: consumer.row,
            group: consumer.object.group.to_owned(),
            version: consumer.object.version.to_owned(),
            namespace: render.namespaces[at].to_owned(),
            name: consumer.object.name.to_owned(),
            is_parent: false,
        }
    }
}

/// The triggers of a live object, whoever owns them.
#[must_use]
pub fn triggers(of: &LiveRef, live: &LiveObject, further_triggers: &[String]) -> Vec<String> {
    let is_trigger = |key: &str, value: &str| {
        matches!(trigger::of_row(of.row, key, value, further_triggers), Some(Class::Trigger(Actor::Secret)))
    };
    let annotations = live.metadata.annotations.iter().flatten();
    annotations.filter(|(key, value)| is_trigger(key, value)).map(|(key, _)| key.clone()).collect()
}

/// The metadata of a live object, as far as it matters here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LiveObject {
    metadata: LiveMetadata,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LiveMetadata {
    annotations: Option<std::collections::BTreeMap<String, String>>,
    managed_fields: Option<Vec<ManagedFields>>,
}

/// The annotation by which Helm marks what belongs to a release.
const RELEASE: &str = "meta.helm.sh/release-name";

/// The triggers of a live object that others than the release's own manager own: those that own the field
/// `meta.helm.sh/release-name` are the release's.
#[must_use]
pub fn foreign_triggers(of: &LiveRef, live: &LiveObject, further_triggers: &[String]) -> Vec<ForeignTrigger> {
    let none = Vec::new();
    let managers = live.metadata.managed_fields.as_ref().unwrap_or(&none);
    let own: BTreeSet<&str> = managers
        .iter()
        .filter(|manager| manager.owns(&["metadata", "annotations", RELEASE]))
        .map(|manager| manager.manager.as_str())
        .collect();
    // Nobody's field is not known to be the release's.
    let foreign = |path: &[&str]| {
        let owners: Vec<&str> =
            managers.iter().filter(|manager| manager.owns(path)).map(|manager| manager.manager.as_str()).collect();
        match owners.iter().find(|owner| !own.contains(*owner)) {
            Some(owner) => Some((*owner).to_owned()),
            None if owners.is_empty() => Some("an unknown manager".to_owned()),
            None => None,
        }
    };
    let resource = match of.group.as_str() {
        "" => of.row.plural.to_owned(),
        group => format!("{}.{}", of.row.plural, escape(group)),
    };
    let at = format!("-n {} {resource} {}", escape(&of.namespace), escape(&of.name));
    let mut triggers = Vec::new();
    for (key, value) in live.metadata.annotations.iter().flatten() {
        if !matches!(trigger::of_row(of.row, key, value, further_triggers), Some(Class::Trigger(_))) {
            continue;
        }
        if let Some(manager) = foreign(&["metadata", "annotations", key]) {
            let command = format!("kubectl annotate {at} {}-", escape(key));
            triggers.push(ForeignTrigger { key: key.clone(), manager, command });
        }
    }
    if let Some(trigger) = of.row.block_trigger {
        let path: Vec<&str> = of.row.tls.iter().copied().chain([trigger.key]).collect();
        let owner = managers.iter().find(|manager| manager.owns(&path) && !own.contains(manager.manager.as_str()));
        if let Some(owner) = owner {
            let command =
                format!("kubectl patch {at} --type=json -p '[{{\"op\":\"remove\",\"path\":\"/{}\"}}]'", path.join("/"));
            triggers.push(ForeignTrigger { key: path.join("."), manager: owner.manager.clone(), command });
        }
    }
    triggers
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::consumers::{ingress::INGRESS, traefik::INGRESS_ROUTE};

    fn of(row: &'static Row) -> LiveRef {
        LiveRef {
            key: String::new(),
            row,
            group: row.groups[0].to_owned(),
            version: "v1".to_owned(),
            namespace: "demo".to_owned(),
            name: "shop".to_owned(),
            is_parent: false,
        }
    }

    fn found(row: &'static Row, json: Value) -> Vec<(String, String)> {
        let live: LiveObject = serde_json::from_value(json).unwrap();
        let triggers = foreign_triggers(&of(row), &live, &[]);
        triggers.into_iter().map(|trigger| (trigger.manager, trigger.command)).collect()
    }

    fn annotations(keys: &[&str]) -> Value {
        let keys: serde_json::Map<String, Value> =
            keys.iter().map(|key| (format!("f:{key}"), serde_json::json!({}))).collect();
        serde_json::json!({"f:metadata": {"f:annotations": keys}})
    }

    const ISSUER: &str = "cert-manager.io/issuer";

    #[test]
    fn r12_a_trigger_that_only_the_release_owns_goes_with_the_upgrade() {
        let live = serde_json::json!({"metadata": {"annotations": {ISSUER: "le", "a": "b"}, "managedFields": [
            {"manager": "helm", "fieldsV1": annotations(&[ISSUER, RELEASE])},
            {"manager": "kubectl-annotate", "fieldsV1": annotations(&["a"])},
        ]}});
        assert_eq!(found(&INGRESS, live), []);
    }

    #[test]
    fn r12_a_trigger_that_someone_else_owns_too_survives() {
        let live = serde_json::json!({"metadata": {"annotations": {ISSUER: "le"}, "managedFields": [
            {"manager": "helm", "fieldsV1": annotations(&[ISSUER, RELEASE])},
            {"manager": "kubectl-annotate", "fieldsV1": annotations(&[ISSUER])},
        ]}});
        let command = "kubectl annotate -n demo ingresses.networking.k8s.io shop cert-manager.io/issuer-";
        assert_eq!(found(&INGRESS, live), [("kubectl-annotate".to_owned(), command.to_owned())]);
    }

    #[test]
    fn r12_without_managed_fields_nothing_is_known_to_be_the_releases() {
        let live = serde_json::json!({"metadata": {"annotations": {ISSUER: "le"}}});
        assert_eq!(found(&INGRESS, live)[0].0, "an unknown manager");
    }

    #[test]
    fn r12_a_resolver_set_by_hand_survives() {
        let live = serde_json::json!({"metadata": {"annotations": {ISSUER: "nobody reads it here"}, "managedFields": [
            {"manager": "helm", "fieldsV1": annotations(&[RELEASE])},
            {"manager": "kubectl-edit", "fieldsV1": {"f:spec": {"f:tls": {"f:certResolver": {}}}}},
        ]}});
        let command = "kubectl patch -n demo ingressroutes.traefik.io shop --type=json -p '[{\"op\":\"remove\",\"path\":\"/spec/tls/certResolver\"}]'";
        assert_eq!(found(&INGRESS_ROUTE, live), [("kubectl-edit".to_owned(), command.to_owned())]);
    }

    #[test]
    fn r12_an_object_that_is_not_there_has_no_triggers() {
        assert_eq!(found(&INGRESS, serde_json::json!({"metadata": {}})), []);
    }
}
