//! One HTTP request: its time-out, how often it is made, what a refusal means.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde::Deserialize;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{Cluster, ClusterError, Read, error};
use crate::output::escape::escape;

/// How often a request is made at most.
const TRIES: u32 = 4;

/// The longest that is waited before the next try; to a server that asks for longer the answer comes too late anyway.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What a refusal says (apimachinery `meta/v1.Status`).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    message: Option<String>,
    details: Option<Details>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    causes: Option<Vec<Cause>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cause {
    reason: Option<String>,
}

/// An HTTP request.
pub(super) struct Call<'c> {
    pub(super) method: Method,
    pub(super) path: &'c str,
    pub(super) accept: &'static str,
    /// The body with its media type.
    pub(super) body: Option<(&'static str, &'c [u8])>,
}

impl<'c> Call<'c> {
    pub(super) fn get(path: &'c str, accept: &'static str) -> Self {
        Self { method: Method::GET, path, accept, body: None }
    }
}

/// An answer that is no success.
pub(super) enum Refusal {
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
    /// Makes a request, and again where that may help.
    pub(super) async fn request(
        &self,
        path: &str,
        accept: &'static str,
        read: &Read,
    ) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let call = Call::get(path, accept);
        let mut waits = VecDeque::from([100_u64, 300, 900].map(Duration::from_millis));
        for _ in 1..TRIES {
            match self.once(&call, read).await {
                Err(Refusal::Again(asked, _)) if asked <= LONGEST_WAIT => {
                    let wait = waits.pop_front().unwrap_or_default().max(asked);
                    tokio::time::sleep(wait).await;
                }
                result => return result,
            }
        }
        self.once(&call, read).await
    }

    pub(super) async fn once(&self, call: &Call<'_>, read: &Read) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        self.counted.requests.fetch_add(1, Ordering::Relaxed);
        let exchange = self.exchange(call);
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
        let causes = status_of.details.and_then(|details| details.causes).unwrap_or_default();
        let is_owned = causes.iter().any(|cause| cause.reason.as_deref() == Some("FieldManagerConflict"));
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
            StatusCode::CONFLICT if is_owned => Refusal::Final(ClusterError::Owned(message)),
            StatusCode::CONFLICT => Refusal::Final(ClusterError::Changed(read.clone())),
            StatusCode::TOO_MANY_REQUESTS => Refusal::Again(retry_after.unwrap_or(Duration::from_secs(1)), error),
            _ if status.is_server_error() => Refusal::Again(retry_after.unwrap_or_default(), error),
            _ => Refusal::Final(error),
        })
    }

    pub(super) async fn open(&self, call: &Call<'_>) -> Result<Response<Body>, kube::Error> {
        let request = Request::builder().method(&call.method).uri(call.path).header(header::ACCEPT, call.accept);
        let request = match call.body {
            Some((media_type, body)) => {
                request.header(header::CONTENT_TYPE, media_type).body(Body::from(body.to_vec()))
            }
            None => request.body(Body::empty()),
        };
        self.client.send(request.map_err(kube::Error::HttpError)?).await
    }

    async fn exchange(
        &self,
        call: &Call<'_>,
    ) -> Result<(StatusCode, Option<Duration>, Zeroizing<Vec<u8>>), kube::Error> {
        let mut response = self.open(call).await?;
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

    pub(super) fn unreachable(&self, error: &kube::Error) -> ClusterError {
        ClusterError::Unreachable { server: self.server.clone(), cause: error::causes(error) }
    }
}
