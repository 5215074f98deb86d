//! Reads from a cluster: time-outs, paging, retries, permission errors in plain words. Nothing is ever written.

mod access;
mod error;
mod exec;
pub mod kubeconfig;
mod watch;

use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroizing;

pub use access::{Access, duration};
pub use error::{ClusterError, Read};

use crate::output::escape::escape;
pub use watch::Change;

/// How long all reads of one render may take together (R21).
pub const DEADLINE: Duration = Duration::from_secs(30);

/// How long one request may take unless `--request-timeout` says otherwise.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How many objects kubectl asks for at once.
const CHUNK_SIZE: u32 = 500;

/// How many requests are under way at once.
pub const CONCURRENT: usize = 8;

/// How often a request is made at most.
const TRIES: u32 = 4;

/// The longest that is waited before the next try; to a server that asks for longer the answer comes too late anyway.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Asks for whole objects.
const JSON: &str = "application/json";

/// Asks for the metadata of an object alone.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// Asks for the metadata of a list's objects alone.
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// What a path segment or a query value may hold as it is (RFC 3986 section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A way to a cluster, and the runtime that its requests run on.
pub struct Session {
    runtime: Option<Runtime>,
    cluster: Cluster,
    ends: Option<(Instant, Duration)>,
}

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

/// Namespaces.
pub const NAMESPACES: Resource<'static> = Resource { group: "", version: "v1", plural: "namespaces" };

/// Core Secrets.
pub const SECRETS: Resource<'static> = Resource { group: "", version: "v1", plural: "secrets" };

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

impl Session {
    /// Finds the way to the cluster; no request is made yet. With a deadline, everything from here on has to be done
    /// within it.
    ///
    /// # Errors
    /// When no cluster is known, or its credentials cannot be got.
    pub fn open(
        access: &Access,
        world: kubeconfig::World<'_>,
        deadline: Option<Duration>,
    ) -> Result<Self, ClusterError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| ClusterError::Option(format!("failed to start: {error}")))?;
        let ends = deadline.and_then(|deadline| Some((Instant::now().checked_add(deadline)?, deadline)));
        let mut config = runtime.block_on(kubeconfig::config(access, world))?;
        // The default retries go on for minutes, and by default nothing ends a read.
        config.default_retry = false;
        config.read_timeout = None;
        config.connect_timeout = Some(REQUEST_TIMEOUT);
        let server = escape(&config.cluster_url.to_string()).trim_end_matches('/').to_owned();
        let default_namespace = config.default_namespace.clone();
        exec::log_in(&mut config.auth_info, ends.map(|(ends, limit)| (ends.into_std(), limit)))
            .map_err(|cause| ClusterError::Credentials { server: server.clone(), cause })?;
        // Making the client reads files, and runs the commands of old auth providers.
        let making = async {
            let client = tokio::task::spawn_blocking(move || kube::Client::try_from(config));
            match ends {
                Some((ends, limit)) => timeout_at(ends, client).await.map_err(|_| limit),
                None => Ok(client.await),
            }
        };
        let client = match runtime.block_on(making) {
            Ok(Ok(Ok(client))) => client,
            Ok(Ok(Err(error))) => {
                return Err(ClusterError::Credentials { server, cause: error::causes(&error) });
            }
            Ok(Err(error)) => return Err(ClusterError::Credentials { server, cause: error::causes(&error) }),
            Err(limit) => {
                runtime.shutdown_background();
                return Err(ClusterError::Deadline { server, seconds: limit.as_secs() });
            }
        };
        let cluster = Cluster {
            client,
            server,
            default_namespace,
            request_timeout: access.request_timeout.or(Some(REQUEST_TIMEOUT)).filter(|time| !time.is_zero()),
            chunk_size: access.chunk_size.unwrap_or(CHUNK_SIZE),
            counted: Counted::default(),
        };
        Ok(Self { runtime: Some(runtime), cluster, ends })
    }

    /// The cluster.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Runs reads to their end, or to the deadline.
    ///
    /// # Errors
    /// Theirs, or [`ClusterError::Deadline`].
    pub fn run<T>(&self, reads: impl Future<Output = Result<T, ClusterError>>) -> Result<T, ClusterError> {
        let Some(runtime) = &self.runtime else { return Err(ClusterError::NoCluster) };
        runtime.block_on(async {
            match self.ends {
                Some((ends, limit)) => timeout_at(ends, reads).await.unwrap_or_else(|_| {
                    Err(ClusterError::Deadline { server: self.cluster.server.clone(), seconds: limit.as_secs() })
                }),
                None => reads.await,
            }
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A name look-up or a plug-in that hangs must not hold the process.
            runtime.shutdown_background();
        }
    }
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

/// What a refusal says (apimachinery `meta/v1.Status`).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    message: Option<String>,
}

/// An answer that is no success.
enum Refusal {
    /// Another try may help, after this time.
    Again(Duration, ClusterError),
    /// It will not.
    Final(ClusterError),
    /// The continue token is too old.
    Expired,
    /// There is no such object, or no such kind.
    NotFound(ClusterError),
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
        accept: &str,
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
        let path = format!("{}/{}", collection_path(resource, Some(namespace)), segment(name));
        self.counted.gets.fetch_add(1, Ordering::Relaxed);
        match self.request(&path, METADATA, &read).await {
            Ok(body) => parse(&body, &read).map(Some),
            Err(Refusal::NotFound(_)) => Ok(None),
            Err(Refusal::Expired) => Err(ClusterError::Expired(read)),
            Err(Refusal::Again(_, error) | Refusal::Final(error)) => Err(error),
        }
    }

    /// Makes a request, and again where that may help.
    async fn request(&self, path: &str, accept: &str, read: &Read) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let mut waits = VecDeque::from([100_u64, 300, 900].map(Duration::from_millis));
        for _ in 1..TRIES {
            match self.once(path, accept, read).await {
                Err(Refusal::Again(asked, _)) if asked <= LONGEST_WAIT => {
                    let wait = waits.pop_front().unwrap_or_default().max(asked);
                    tokio::time::sleep(wait).await;
                }
                result => return result,
            }
        }
        self.once(path, accept, read).await
    }

    async fn once(&self, path: &str, accept: &str, read: &Read) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        self.counted.requests.fetch_add(1, Ordering::Relaxed);
        let exchange = self.exchange(path, accept);
        let answer = match self.request_timeout {
            Some(limit) => timeout(limit, exchange).await.map_err(|_| {
                Refusal::Final(ClusterError::Timeout {
                    server: self.server.clone(),
                    seconds: limit.as_secs_f64().ceil() as u64,
                })
            })?,
            None => exchange.await,
        };
        let (status, retry_after, body) =
            answer.map_err(|error| Refusal::Again(Duration::ZERO, self.unreachable(&error)))?;
        if status.is_success() {
            return Ok(body);
        }
        let status_of: Status = serde_json::from_slice(&body).unwrap_or_default();
        let said = status_of.message.unwrap_or_else(|| String::from_utf8_lossy(&body).chars().take(200).collect());
        let message = escape(said.trim()).into_owned();
        let error = ClusterError::Status { read: read.clone(), code: status.as_u16(), message: message.clone() };
        Err(match status {
            StatusCode::UNAUTHORIZED => {
                Refusal::Final(ClusterError::Unauthorized { server: self.server.clone(), read: read.clone() })
            }
            StatusCode::FORBIDDEN => Refusal::Final(ClusterError::Forbidden { read: read.clone(), message }),
            StatusCode::NOT_FOUND => Refusal::NotFound(error),
            StatusCode::GONE => Refusal::Expired,
            StatusCode::TOO_MANY_REQUESTS => Refusal::Again(retry_after.unwrap_or(Duration::from_secs(1)), error),
            _ if status.is_server_error() => Refusal::Again(retry_after.unwrap_or_default(), error),
            _ => Refusal::Final(error),
        })
    }

    async fn open(&self, path: &str, accept: &str) -> Result<Response<Body>, kube::Error> {
        let request = Request::get(path).header(header::ACCEPT, accept).body(Body::empty());
        self.client.send(request.map_err(kube::Error::HttpError)?).await
    }

    async fn exchange(
        &self,
        path: &str,
        accept: &str,
    ) -> Result<(StatusCode, Option<Duration>, Zeroizing<Vec<u8>>), kube::Error> {
        let mut response = self.open(path, accept).await?;
        let status = response.status();
        let seconds = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let mut body = Zeroizing::new(Vec::new());
        while let Some(frame) = response.body_mut().frame().await {
            if let Ok(data) = frame?.into_data() {
                body.extend_from_slice(&data);
            }
        }
        Ok((status, seconds.map(Duration::from_secs), body))
    }

    fn unreachable(&self, error: &kube::Error) -> ClusterError {
        ClusterError::Unreachable { server: self.server.clone(), cause: error::causes(error) }
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
