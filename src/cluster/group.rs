//! What a server says of API groups and of namespaces.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Cluster, ClusterError, JSON, METADATA, Resource, collection_path, read, segment};

/// An API group as the server describes it (apimachinery `meta/v1.APIGroup`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiGroup {
    preferred_version: GroupVersion,
}

#[derive(Deserialize)]
struct GroupVersion {
    version: String,
}

impl Cluster {
    /// The version that the server prefers of a named group; nothing when it does not have the group.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn preferred_version(&self, group: &str) -> Result<Option<String>, ClusterError> {
        let read = read("get", Resource { group, version: "", plural: "API group" }, None);
        let found: Option<ApiGroup> = self.get(&format!("/apis/{}", segment(group)), read, JSON).await?;
        Ok(found.map(|group| group.preferred_version.version))
    }

    /// The labels of a namespace; nothing when there is no such namespace.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn namespace_labels(&self, name: &str) -> Result<Option<BTreeMap<String, String>>, ClusterError> {
        let read = read("get", NAMESPACES, None);
        let path = format!("{}/{}", collection_path(NAMESPACES, None), segment(name));
        let found: Option<Labelled> = self.get(&path, read, METADATA).await?;
        Ok(found.map(|namespace| namespace.metadata.labels.unwrap_or_default()))
    }
}

const NAMESPACES: Resource<'static> = Resource { group: "", version: "v1", plural: "namespaces" };

#[derive(Deserialize)]
struct Labelled {
    metadata: Labels,
}

#[derive(Deserialize)]
struct Labels {
    labels: Option<BTreeMap<String, String>>,
}
