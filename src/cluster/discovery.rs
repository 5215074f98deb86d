//! Which kinds a server has: aggregated discovery (KEP 3352), one request for the core group and one for all others.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use serde::Deserialize;

use super::{Cluster, ClusterError, Read, Refusal, Resource, parse};

/// Asks for the kinds of all groups at once; servers before 1.30 have the older version only.
const DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                         application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";

/// A kind of objects that a server can list, in the version that it prefers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServedKind {
    /// The API group; empty for the core group.
    pub group: String,
    /// The version.
    pub version: String,
    /// The plural name of the resource.
    pub plural: String,
    /// The kind.
    pub kind: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
}

impl ServedKind {
    /// The resource.
    #[must_use]
    pub fn resource(&self) -> Resource<'_> {
        Resource { group: &self.group, version: &self.version, plural: &self.plural }
    }

    /// The resource with its group, as kubectl takes it.
    #[must_use]
    pub fn name(&self) -> String {
        match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// The API version of its objects.
    #[must_use]
    pub fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }
}

/// `k8s.io/api/apidiscovery/v2.APIGroupDiscoveryList`; versions come in the order of preference.
#[derive(Deserialize)]
struct Groups {
    items: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    #[serde(default)]
    resources: Vec<Served>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Served {
    resource: String,
    response_kind: Option<ResponseKind>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    verbs: Vec<String>,
}

#[derive(Deserialize)]
struct ResponseKind {
    #[serde(default)]
    kind: String,
}

impl Groups {
    fn kinds(self) -> BTreeSet<ServedKind> {
        let mut kinds = BTreeSet::new();
        for group in self.items {
            let mut known = BTreeSet::new();
            for version in group.versions {
                for served in version.resources {
                    let Some(kind) = served.response_kind.filter(|_| served.verbs.iter().any(|verb| verb == "list"))
                    else {
                        continue;
                    };
                    if known.insert(served.resource.clone()) {
                        kinds.insert(ServedKind {
                            group: group.metadata.name.clone(),
                            version: version.version.clone(),
                            plural: served.resource,
                            kind: kind.kind,
                            namespaced: served.scope == "Namespaced",
                        });
                    }
                }
            }
        }
        kinds
    }
}

impl Cluster {
    /// The kinds that the server can list, by group and plural name.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn kinds(&self) -> Result<BTreeSet<ServedKind>, ClusterError> {
        let mut kinds = BTreeSet::new();
        for path in ["/api", "/apis"] {
            let read = Read {
                verb: "get",
                group: String::new(),
                resource: format!("the API server's kinds ({path})"),
                namespace: None,
            };
            self.counted.gets.fetch_add(1, Ordering::Relaxed);
            let body = self.request(path, DISCOVERY, &read).await.map_err(|refusal| match refusal {
                Refusal::Expired => ClusterError::Expired(read.clone()),
                Refusal::Again(_, error) | Refusal::Final(error) | Refusal::NotFound(error) => error,
            })?;
            kinds.extend(parse::<Groups>(&body, &read)?.kinds());
        }
        Ok(kinds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_version_that_has_a_kind_is_preferred_and_what_cannot_be_listed_is_none() {
        let groups: Groups = serde_json::from_value(serde_json::json!({"items": [
            {"metadata": {"name": "gateway.networking.k8s.io"}, "versions": [
                {"version": "v1", "resources": [
                    {"resource": "gateways", "responseKind": {"group": "", "version": "", "kind": "Gateway"},
                     "scope": "Namespaced", "verbs": ["get", "list"]},
                    {"resource": "reviews", "responseKind": {"kind": "Review"}, "scope": "Cluster", "verbs": ["create"]},
                    {"resource": "stale", "scope": "Cluster", "verbs": ["list"]},
                ]},
                {"version": "v1beta1", "freshness": "Current", "resources": [
                    {"resource": "gateways", "responseKind": {"kind": "Gateway"}, "scope": "Namespaced", "verbs": ["list"]},
                    {"resource": "classes", "responseKind": {"kind": "Class"}, "scope": "Cluster", "verbs": ["list"]},
                ]},
            ]},
            {"metadata": {}, "versions": [{"version": "v1", "resources": [
                {"resource": "secrets", "responseKind": {"kind": "Secret"}, "scope": "Namespaced", "verbs": ["list"]},
            ]}]},
            {"metadata": {"name": "gone"}},
        ]}))
        .unwrap();
        let found: Vec<(String, String, bool)> =
            groups.kinds().into_iter().map(|kind| (kind.name(), kind.api_version(), kind.namespaced)).collect();
        let text = |name: &str, version: &str, namespaced| (name.to_owned(), version.to_owned(), namespaced);
        assert_eq!(
            found,
            [
                text("secrets", "v1", true),
                text("gateways.gateway.networking.k8s.io", "gateway.networking.k8s.io/v1", true),
                text("classes.gateway.networking.k8s.io", "gateway.networking.k8s.io/v1beta1", false),
            ]
        );
    }
}
