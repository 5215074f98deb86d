//! Writes to a cluster. None is made twice: whoever gets a conflict reads anew and decides anew.

use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::request::{Call, Refusal};
use super::{Cluster, ClusterError, JSON, Read, Resource, object_path, parse, read, segment};
use crate::secret::ObjectName;

/// Our field manager.
pub const MANAGER: &str = "kubectl-routing-secrets";

/// How writes are made.
#[derive(Clone, Copy, Debug)]
pub struct Write<'w> {
    /// The field manager.
    pub manager: &'w str,
    /// Whether the server only says what it would do.
    pub dry_run: bool,
}

impl Write<'_> {
    fn query(&self) -> String {
        let dry_run = if self.dry_run { "&dryRun=All" } else { "" };
        format!("fieldManager={}&fieldValidation=Strict{dry_run}", segment(self.manager))
    }
}

impl Cluster {
    /// Applies an object on the server (KEP 555) and gives what it is then. A `resourceVersion` in its metadata is a
    /// precondition; `force` takes fields over that others own.
    ///
    /// # Errors
    /// [`ClusterError::Owned`] when others own fields that would change, [`ClusterError::Changed`] when the object is
    /// not of that version, and when it cannot be written.
    pub async fn apply<T: DeserializeOwned>(
        &self,
        resource: Resource<'_>,
        id: &ObjectName,
        object: &impl Serialize,
        force: bool,
        write: Write<'_>,
    ) -> Result<T, ClusterError> {
        let read = read("apply", resource, Some(&id.namespace));
        let path = format!(
            "{}?{}{}",
            object_path(resource, &id.namespace, &id.name),
            write.query(),
            if force { "&force=true" } else { "" }
        );
        let body = encode(object, &read)?;
        // JSON is YAML, and every API server takes this name for it.
        let body = Some(("application/apply-patch+yaml", body.as_slice()));
        let answer = self.write(&Call { method: Method::PATCH, path: &path, accept: JSON, body }, &read).await?;
        parse(&answer, &read)
    }

    /// Merges a patch into an object (RFC 7386) that is still of this version.
    ///
    /// # Errors
    /// [`ClusterError::Changed`] when it is not, and when it cannot be written.
    pub async fn patch(
        &self,
        resource: Resource<'_>,
        id: &ObjectName,
        version: &str,
        mut merge: Value,
        write: Write<'_>,
    ) -> Result<(), ClusterError> {
        let read = read("patch", resource, Some(&id.namespace));
        let path = format!("{}?{}", object_path(resource, &id.namespace, &id.name), write.query());
        merge["metadata"]["resourceVersion"] = version.into();
        let body = encode(&merge, &read)?;
        let body = Some(("application/merge-patch+json", body.as_slice()));
        self.write(&Call { method: Method::PATCH, path: &path, accept: JSON, body }, &read).await.map(|_| ())
    }

    /// Deletes an object that is still the same and of this version.
    ///
    /// # Errors
    /// [`ClusterError::Changed`] when it is not, and when it cannot be deleted. One that is gone is no error.
    pub async fn delete(
        &self,
        resource: Resource<'_>,
        id: &ObjectName,
        uid: &str,
        version: &str,
        write: Write<'_>,
    ) -> Result<(), ClusterError> {
        let read = read("delete", resource, Some(&id.namespace));
        let path = object_path(resource, &id.namespace, &id.name);
        let mut options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid, "resourceVersion": version},
        });
        if write.dry_run {
            options["dryRun"] = json!(["All"]);
        }
        let body = encode(&options, &read)?;
        let body = Some((JSON, body.as_slice()));
        match self.once(&Call { method: Method::DELETE, path: &path, accept: JSON, body }, &read).await {
            Err(Refusal::NotFound(_)) => Ok(()),
            result => outcome(result, &read).map(|_| ()),
        }
    }

    async fn write(&self, call: &Call<'_>, read: &Read) -> Result<Zeroizing<Vec<u8>>, ClusterError> {
        outcome(self.once(call, read).await, read)
    }
}

fn outcome(result: Result<Zeroizing<Vec<u8>>, Refusal>, read: &Read) -> Result<Zeroizing<Vec<u8>>, ClusterError> {
    result.map_err(|refusal| match refusal {
        // The server took it up, or may have: 429 alone says that it did not.
        Refusal::Again(_, error @ ClusterError::Status { code: 429, .. }) => error,
        Refusal::Again(_, error) | Refusal::Final(error @ ClusterError::Timeout { .. }) => {
            ClusterError::Doubtful { read: read.clone(), cause: error.to_string() }
        }
        Refusal::Final(error) | Refusal::NotFound(error) => error,
        Refusal::Expired => ClusterError::Expired(read.clone()),
    })
}

fn encode(value: &impl Serialize, read: &Read) -> Result<Zeroizing<Vec<u8>>, ClusterError> {
    // serde's own words could quote a value.
    let failed = |_| ClusterError::Option(format!("failed to {read}: the object cannot be written as JSON"));
    serde_json::to_vec(value).map(Zeroizing::new).map_err(failed)
}
