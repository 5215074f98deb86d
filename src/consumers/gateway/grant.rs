//! ReferenceGrants: what lets a Gateway or ListenerSet name a Secret of another namespace
//! (`apis/v1/referencegrant_types.go`; v1 has the form of v1beta1).

use serde::Deserialize;

use super::GROUP;
use crate::consumers::elsewhere::Grant;
use crate::manifest::Literals;
use crate::manifest::document::Document;
use crate::manifest::object::Object;

/// The words of a ReferenceGrant.
pub const LITERALS: Literals = Literals { kind: "ReferenceGrant", group: GROUP };

/// The versions in which a cluster can have them, the newest first.
pub const VERSIONS: [&str; 2] = ["v1", "v1beta1"];

/// The plural name of the resource.
pub const PLURAL: &str = "referencegrants";

/// What a ReferenceGrant says: each of `from` may name each of `to`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct GrantSpec {
    from: Vec<GrantFrom>,
    to: Vec<GrantTo>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct GrantFrom {
    group: String,
    kind: String,
    namespace: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct GrantTo {
    group: String,
    kind: String,
    name: Option<String>,
}

impl GrantSpec {
    /// What it permits as to Secrets of its namespace; `by` is its name.
    #[must_use]
    pub fn grants(&self, namespace: &str, by: &str) -> Vec<Grant> {
        let secrets = self.to.iter().filter(|to| to.group.is_empty() && to.kind == "Secret");
        let grant = |to: &GrantTo, from: &GrantFrom| Grant {
            namespace: namespace.to_owned(),
            by: by.to_owned(),
            group: from.group.clone(),
            kind: from.kind.clone(),
            from: Some(from.namespace.clone()),
            secret_name: to.name.clone().filter(|name| !name.is_empty()),
        };
        // A grant's empty kind would stand for every one.
        let from = || self.from.iter().filter(|from| !from.kind.is_empty());
        secrets.flat_map(|to| from().map(move |from| grant(to, from))).collect()
    }
}

/// Whether the object is a ReferenceGrant.
#[must_use]
pub fn is_grant(object: &Object<'_>) -> bool {
    object.group == GROUP && object.kind == LITERALS.kind
}

/// What a ReferenceGrant of the render permits; `own` is its namespace.
#[must_use]
pub fn read(document: &Document<'_>, object: &Object<'_>, own: &str) -> Vec<Grant> {
    let list = |key: &str| -> Vec<_> {
        let list = document.at(object.node, &["spec", key]);
        list.iter().flat_map(|&list| document.items(list)).collect()
    };
    let text = |node, key: &str| document.text_at(node, &[key]).unwrap_or_default().to_owned();
    let from = list("from").into_iter().map(|node| GrantFrom {
        group: text(node, "group"),
        kind: text(node, "kind"),
        namespace: text(node, "namespace"),
    });
    let to = list("to").into_iter().map(|node| GrantTo {
        group: text(node, "group"),
        kind: text(node, "kind"),
        name: Some(text(node, "name")),
    });
    GrantSpec { from: from.collect(), to: to.collect() }.grants(own, object.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumers::elsewhere::{Granted, granted};
    use crate::manifest::object::objects;

    const GATEWAY: &str = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: shop}\n";

    fn found(specs: &[serde_json::Value], own: &str) -> Granted {
        let document = Document::parse(GATEWAY.as_bytes()).unwrap();
        let gateway = &objects(&document)[0];
        let spec = |spec: &serde_json::Value| serde_json::from_value::<GrantSpec>(spec.clone()).unwrap();
        let grants: Vec<Grant> = specs.iter().flat_map(|text| spec(text).grants("infra", "a")).collect();
        granted(&grants, gateway, own, "infra")
    }

    fn these(names: &[&str]) -> Granted {
        Granted::These(names.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn r06_a_grant_must_name_group_kind_and_namespace() {
        let from = serde_json::json!([{"group": GROUP, "kind": "Gateway", "namespace": "demo"}]);
        let to = serde_json::json!([{"group": "", "kind": "Secret"}]);
        assert_eq!(found(&[serde_json::json!({"from": from, "to": to})], "demo"), Granted::Every);
        assert_eq!(found(&[serde_json::json!({"from": from, "to": to})], "other"), these(&[]));
        for wrong in [
            serde_json::json!([{"group": "", "kind": "Gateway", "namespace": "demo"}]),
            serde_json::json!([{"group": GROUP, "kind": "ListenerSet", "namespace": "demo"}]),
            serde_json::json!([{"group": GROUP, "kind": "Gateway"}]),
            serde_json::json!([]),
        ] {
            assert_eq!(found(&[serde_json::json!({"from": wrong, "to": to})], "demo"), these(&[]), "{wrong}");
        }
        for wrong in [
            serde_json::json!([{"group": "", "kind": "Service"}]),
            serde_json::json!([{"group": "core", "kind": "Secret"}]),
            serde_json::json!([]),
        ] {
            assert_eq!(found(&[serde_json::json!({"from": from, "to": wrong})], "demo"), these(&[]), "{wrong}");
        }
    }

    #[test]
    fn r06_names_of_all_grants_count_together() {
        let grant = |name: &str| {
            serde_json::json!({
                "from": [{"group": GROUP, "kind": "Gateway", "namespace": "demo"}],
                "to": [{"group": "", "kind": "Secret", "name": name}],
            })
        };
        assert_eq!(found(&[grant("a"), grant("b")], "demo"), these(&["a", "b"]));
    }
}
