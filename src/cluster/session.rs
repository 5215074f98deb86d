//! The way to a cluster, and the runtime that its requests run on.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::time::{Instant, timeout_at};

use super::{Access, CHUNK_SIZE, Cluster, ClusterError, Counted, REQUEST_TIMEOUT, error, exec, kubeconfig};
use crate::output::escape::escape;

/// A way to a cluster, and the runtime that its requests run on.
pub struct Session {
    runtime: Option<Runtime>,
    cluster: Cluster,
    ends: Option<(Instant, Duration)>,
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
