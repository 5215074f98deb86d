//! Watching a list from now on.

use std::time::Duration;

use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::request::Call;
use super::{Cluster, ClusterError, JSON, Resource, Selection, list_path, parse, read};

/// What happened to an object.
#[derive(Debug)]
pub enum Change<T> {
    /// It was made or changed.
    Set(T),
    /// It was deleted; this is what it was.
    Deleted(T),
}

/// A line of a watch (apimachinery `meta/v1.WatchEvent`).
#[derive(Deserialize)]
struct Event<T> {
    #[serde(rename = "type")]
    kind: String,
    object: T,
}

/// How long the server is left alone after it ended a watch.
const PAUSE: Duration = Duration::from_secs(1);

impl Cluster {
    /// Watches from now on until `each` says that it is enough. A watch that the server ends is begun anew; what
    /// changed meanwhile comes then, and what has not changed may come once more.
    ///
    /// # Errors
    /// When the watch is refused.
    pub async fn watch<T: DeserializeOwned>(
        &self,
        resource: Resource<'_>,
        selection: Selection<'_>,
        mut each: impl FnMut(Change<T>) -> bool,
    ) -> Result<(), ClusterError> {
        let read = read("watch", resource, selection.namespace);
        let list = list_path(resource, selection, 0, "");
        let path = format!("{list}{}watch=1", if list.contains('?') { '&' } else { '?' });
        loop {
            let response = self.open(&Call::get(&path, JSON)).await.map_err(|error| self.unreachable(&error))?;
            if !response.status().is_success() {
                // The refusal is told as a list's is.
                self.list::<serde::de::IgnoredAny>(resource, selection, |_| false).await?;
                return Err(ClusterError::Status { read, code: response.status().as_u16(), message: String::new() });
            }
            let mut body = response.into_body();
            let mut line = Zeroizing::new(Vec::new());
            while let Some(Ok(frame)) = body.frame().await {
                let Ok(data) = frame.into_data() else { continue };
                for piece in data.split_inclusive(|&byte| byte == b'\n') {
                    line.extend_from_slice(piece);
                    if !piece.ends_with(b"\n") {
                        continue;
                    }
                    let kind = parse::<Event<serde::de::IgnoredAny>>(&line, &read)?.kind;
                    let goes_on = match kind.as_str() {
                        "ADDED" | "MODIFIED" => each(Change::Set(parse::<Event<T>>(&line, &read)?.object)),
                        "DELETED" => each(Change::Deleted(parse::<Event<T>>(&line, &read)?.object)),
                        // A watch that is too old ends; the next one begins with what is there.
                        _ => true,
                    };
                    line.clear();
                    if !goes_on {
                        return Ok(());
                    }
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
