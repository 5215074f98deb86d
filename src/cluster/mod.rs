//! Reads from a cluster: time-outs, paging, retries, permission errors in plain words. Only `create`, `mark`, `unmark`
//! and `distribute` write, by what `write.rs` has.

mod access;
mod discovery;
mod error;
mod exec;
mod group;
pub mod kubeconfig;
mod managed_fields;
mod request;
mod session;
mod watch;
mod write;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use access::{Access, duration};
pub use discovery::ServedKind;
pub use error::{ClusterError, Read};
pub use managed_fields::ManagedFields;
pub use session::Session;
pub use watch::Change;
pub use write::{MANAGER, Write};

use request::Refusal;

/// How long all reads of one render may take together (R21).
pub const DEADLINE: Duration = Duration::from_secs(30);

/// How long one request may take unless `--request-timeout` says otherwise.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How many objects kubectl asks for at once.
const CHUNK_SIZE: u32 = 500;

/// How many requests are under way at once.
pub const CONCURRENT: usize = 8;

/// Asks for whole objects.
const JSON: &str = "application/json";

/// Asks for the metadata of an object alone.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// Asks for the metadata of a list's objects alone.
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// What a path segment or a query value may hold as it is (RFC 3986 section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A cluster that is read.
pub struct Cluster {
    client: kube::Client,
    server: String,
    default_namespace: String,
    request_timeout: Option<Duration>,
    chunk_size: u32,
    counted: Counted,
}

#[derive(Default)]
struct Counted {
    lists: AtomicUsize,
    gets: AtomicUsize,
    requests: AtomicUsize,
}

/// How often a cluster was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reads {
    /// Lists, whatever their number of pages.
    pub lists: usize,
    /// Single objects.
    pub gets: usize,
    /// HTTP requests: pages and further tries, too.
    pub requests: usize,
}

/// A resource, as its path names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource<'r> {
    /// The API group; empty for the core group.
    pub group: &'r str,
    /// The version.
    pub version: &'r str,
    /// The plural name.
    pub plural: &'r str,
}

/// Core Secrets.
pub const SECRETS: Resource<'static> = Resource { group: "", version: "v1", plural: "secrets" };

/// Namespaces.
pub const NAMESPACES: Resource<'static> = Resource { group: "", version: "v1", plural: "namespaces" };

/// What of a list is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'s> {
    /// The namespace; `None` for all.
    pub namespace: Option<&'s str>,
    /// A label selector.
    pub labels: Option<&'s str>,
    /// A field selector.
    pub fields: Option<&'s str>,
}

/// One page of a list.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Page<T> {
    #[serde(default)]
    metadata: ListMeta,
    /// Null when it is empty; an answer without it is no list.
    #[serde(deserialize_with = "Option::deserialize")]
    items: Option<Vec<T>>,
}

#[derive(Default, Deserialize)]
struct ListMeta {
    #[serde(rename = "continue")]
    next: Option<String>,
}

impl Cluster {
    /// The namespace that the context names, or `default`.
    #[must_use]
    pub fn default_namespace(&self) -> &str {
        &self.default_namespace
    }

    /// How often the cluster was read so far.
    #[must_use]
    pub fn reads(&self) -> Reads {
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        Reads {
            lists: count(&self.counted.lists),
            gets: count(&self.counted.gets),
            requests: count(&self.counted.requests),
        }
    }

    /// Reads a list page by page; `each` gets the objects of a page and says whether to go on. When the list has changed too much to go on,
    /// it is told to start anew, and the list is read once more. Gives whether the server has such a kind at all.
    ///
    /// # Errors
    /// When a page cannot be read.
    pub async fn list<T: DeserializeOwned>(
        &self,
        resource: Resource<'_>,
        selection: Selection<'_>,
        each: impl FnMut(Batch<T>) -> bool,
    ) -> Result<bool, ClusterError> {
        self.pages(resource, selection, JSON, each).await
    }

    /// Reads a list of metadata as [`Cluster::list`] reads one of whole objects.
    ///
    /// # Errors
    /// When a page cannot be read.
    pub async fn list_metadata<T: DeserializeOwned>(
        &self,
        resource: Resource<'_>,
        selection: Selection<'_>,
        each: impl FnMut(Batch<T>) -> bool,
    ) -> Result<bool, ClusterError> {
        self.pages(resource, selection, METADATA_LIST, each).await
    }

    async fn pages<T: DeserializeOwned>(
        &self,
        resource: Resource<'_>,
        selection: Selection<'_>,
        accept: &'static str,
        mut each: impl FnMut(Batch<T>) -> bool,
    ) -> Result<bool, ClusterError> {
        let read = read("list", resource, selection.namespace);
        self.counted.lists.fetch_add(1, Ordering::Relaxed);
        let mut next = String::new();
        let mut restarted = false;
        loop {
            let path = list_path(resource, selection, self.chunk_size, &next);
            let body = match self.request(&path, accept, &read).await {
                Ok(body) => body,
                Err(Refusal::Expired) if !restarted && !next.is_empty() => {
                    restarted = true;
                    next.clear();
                    if !each(Batch::Restart) {
                        return Ok(true);
                    }
                    continue;
                }
                Err(Refusal::Expired) => return Err(ClusterError::Expired(read)),
                // A kind that is not installed has no objects. Those of the core group always are: this is no API server.
                Err(Refusal::NotFound(_)) if !resource.group.is_empty() => return Ok(false),
                Err(Refusal::Again(_, error) | Refusal::Final(error) | Refusal::NotFound(error)) => return Err(error),
            };
            let page: Page<T> = parse(&body, &read)?;
            let goes_on = each(Batch::Items(page.items.unwrap_or_default()));
            next = page.metadata.next.unwrap_or_default();
            if next.is_empty() || !goes_on {
                return Ok(true);
            }
        }
    }

    /// Reads an object's metadata; nothing when there is no such object, or no such kind.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn metadata<T: DeserializeOwned>(
        &self,
        resource: Resource<'_>,
        namespace: &str,
        name: &str,
    ) -> Result<Option<T>, ClusterError> {
        let read = read("get", resource, Some(namespace));
        self.get(&object_path(resource, namespace, name), read, METADATA).await
    }

    /// Reads an object; nothing when there is no such object, or no such kind.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn object<T: DeserializeOwned>(
        &self,
        resource: Resource<'_>,
        namespace: &str,
        name: &str,
    ) -> Result<Option<T>, ClusterError> {
        let read = read("get", resource, Some(namespace));
        self.get(&object_path(resource, namespace, name), read, JSON).await
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        read: Read,
        accept: &'static str,
    ) -> Result<Option<T>, ClusterError> {
        self.counted.gets.fetch_add(1, Ordering::Relaxed);
        match self.request(path, accept, &read).await {
            Ok(body) => parse(&body, &read).map(Some),
            Err(Refusal::NotFound(_)) => Ok(None),
            Err(Refusal::Expired) => Err(ClusterError::Expired(read)),
            Err(Refusal::Again(_, error) | Refusal::Final(error)) => Err(error),
        }
    }
}

/// What a list hands out.
#[derive(Debug)]
pub enum Batch<T> {
    /// The objects of a page.
    Items(Vec<T>),
    /// What was handed out so far is out of date: it comes again.
    Restart,
}

fn read(verb: &'static str, resource: Resource<'_>, namespace: Option<&str>) -> Read {
    Read {
        verb,
        group: resource.group.to_owned(),
        resource: resource.plural.to_owned(),
        namespace: namespace.map(str::to_owned),
    }
}

/// serde's words name a place and a type, and can quote a value: only the place is given.
fn parse<T: DeserializeOwned>(body: &[u8], read: &Read) -> Result<T, ClusterError> {
    serde_json::from_slice(body).map_err(|error| ClusterError::Answer {
        read: read.clone(),
        cause: format!("no JSON of the expected form at line {}, column {}", error.line(), error.column()),
    })
}

fn segment(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

fn collection_path(resource: Resource<'_>, namespace: Option<&str>) -> String {
    let group = match resource.group {
        "" => "/api".to_owned(),
        group => format!("/apis/{}", segment(group)),
    };
    let namespace = namespace.map(|namespace| format!("/namespaces/{}", segment(namespace))).unwrap_or_default();
    format!("{group}/{}{namespace}/{}", segment(resource.version), segment(resource.plural))
}

fn object_path(resource: Resource<'_>, namespace: &str, name: &str) -> String {
    format!("{}/{}", collection_path(resource, Some(namespace)), segment(name))
}

fn list_path(resource: Resource<'_>, selection: Selection<'_>, chunk_size: u32, next: &str) -> String {
    let limit = if chunk_size == 0 { String::new() } else { chunk_size.to_string() };
    let query = [
        ("labelSelector", selection.labels.unwrap_or_default()),
        ("fieldSelector", selection.fields.unwrap_or_default()),
        ("limit", &limit),
        ("continue", next),
    ];
    let query: Vec<String> = query
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key}={}", segment(value)))
        .collect();
    let path = collection_path(resource, selection.namespace);
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}
