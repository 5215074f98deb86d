//! The version in which a server prefers to give the kinds of an API group.

use serde::Deserialize;

use super::{Cluster, ClusterError, JSON, Resource, read, segment};

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
}
