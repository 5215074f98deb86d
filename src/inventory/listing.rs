//! The routing secrets among the Secrets of a whole cluster, one after the other: only what has to wait for a mirror's
//! source is held back.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;

use crate::secret::listed::Listed;
use crate::secret::{ObjectName, Origin, Replicator, Secret};

/// Takes Secrets in the order of the API server and gives the routing secrets among them in that order.
#[derive(Debug)]
pub struct Listing<'l> {
    given: &'l [ObjectName],
    now: Timestamp,
    /// The routing secrets so far that carry the label or are given, with their fingerprints.
    known: HashMap<ObjectName, Option<String>>,
    waiting: VecDeque<Waiting>,
    last: Option<String>,
}

#[derive(Debug)]
struct Waiting {
    listed: Listed,
    /// Its source, if it says that it is a mirror.
    of: Option<ObjectName>,
    /// Whether it counts only if its source does.
    only_as_mirror: bool,
}

impl<'l> Listing<'l> {
    /// With `given`, exactly these and their mirrors are the routing secrets.
    #[must_use]
    pub fn new(given: &'l [ObjectName], now: Timestamp) -> Self {
        Self { given, now, known: HashMap::new(), waiting: VecDeque::new(), last: None }
    }

    /// The API server's order of Secrets: that of their keys in etcd.
    #[must_use]
    pub fn order(id: &ObjectName) -> String {
        format!("{}/{}", id.namespace, id.name)
    }

    /// Takes the next Secret; those that came before, as after a restart, are passed over.
    pub fn push(&mut self, secret: &Secret) {
        let at = Self::order(&secret.id);
        if self.last.as_ref().is_some_and(|last| at <= *last) {
            return;
        }
        self.last = Some(at);
        let is_own = if self.given.is_empty() { secret.routing } else { self.given.contains(&secret.id) };
        let of = match &secret.origin {
            Origin::Mirror { of, by } => {
                // The other replicators carry the label over.
                (is_own || *by == Replicator::Reflector || !self.given.is_empty()).then(|| of.clone())
            }
            _ => None,
        };
        if is_own {
            let fingerprint = secret.certificate.as_ref().map(|facts| facts.fingerprint.clone());
            self.known.insert(secret.id.clone(), fingerprint);
        }
        if is_own || of.is_some() {
            self.waiting.push_back(Waiting { listed: Listed::new(secret, self.now), of, only_as_mirror: !is_own });
        }
    }

    /// Gives what can be told by now; at the end of the list, everything.
    pub fn ready(&mut self, at_end: bool) -> Vec<Listed> {
        let mut ready = Vec::new();
        while let Some(first) = self.waiting.front() {
            let Some(of) = &first.of else {
                ready.extend(self.waiting.pop_front().map(|first| first.listed));
                continue;
            };
            let source = self.known.get(of).cloned();
            let has_passed = at_end || self.last.as_ref().is_some_and(|last| Self::order(of) <= *last);
            if source.is_none() && !has_passed {
                break;
            }
            let Some(Waiting { mut listed, of: Some(of), only_as_mirror }) = self.waiting.pop_front() else { break };
            match source {
                Some(fingerprint) => {
                    if fingerprint.is_some() && fingerprint != listed.fingerprint {
                        listed.flag_stale(&of);
                    }
                    ready.push(listed);
                }
                None if only_as_mirror => {}
                None => ready.push(listed),
            }
        }
        ready
    }
}
