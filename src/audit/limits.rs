//! What ACME servers are asked for, against their limits. Let's Encrypt's (letsencrypt.org/docs/rate-limits): 50 new
//! certificates a registered domain and week, from which renewals of the same names are exempt; 5 a week of exactly the
//! same names, renewals too, and that no form lifts.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::orders::identifiers;
use super::{Code, Finding, Index, ObjectId};
use crate::cluster::duration;
use crate::output::escape::escape;
use crate::output::table::human_duration;
use crate::secret::ObjectName;

/// The limits of an ACME server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// New certificates of a registered domain.
    pub domain: usize,
    /// Certificates of one exact set of names.
    pub set: usize,
    /// In how many seconds.
    pub window: i64,
}

impl Default for Limits {
    /// Let's Encrypt's.
    fn default() -> Self {
        Self { domain: 50, set: 5, window: 7 * 86_400 }
    }
}

impl FromStr for Limits {
    type Err = String;

    /// Reads `domain=50,set=5,window=7d`; what is left out is Let's Encrypt's.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut limits = Self::default();
        for part in text.split(',') {
            let (key, value) = part.split_once('=').ok_or("is not KEY=VALUE,… such as domain=50,set=5,window=7d")?;
            let number = || value.parse::<usize>().map_err(|_| format!("{key} is no number"));
            match key.trim() {
                "domain" => limits.domain = number()?,
                "set" => limits.set = number()?,
                "window" => {
                    let window = duration("window", value).map_err(|error| error.to_string())?;
                    limits.window = i64::try_from(window.as_secs()).unwrap_or(i64::MAX).max(1);
                }
                _ => return Err("knows domain, set and window".to_owned()),
            }
        }
        Ok(limits)
    }
}

/// What one ACME server is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AcmeUse {
    /// The address of the server.
    pub server: String,
    /// In how many seconds.
    pub window_seconds: i64,
    /// What was ordered in the last window; the least, as cert-manager keeps little history.
    pub ordered: usize,
    /// The renewals that come in the next window.
    pub due: usize,
    /// How many of both a switch to routing secrets saves.
    pub saved: usize,
    /// By registered domain.
    pub domains: Vec<Use>,
    /// By exact set of names; only those that were ordered more than once, or will be.
    pub sets: Vec<Use>,
}

/// What is asked for under one limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Use {
    /// The registered domain, or the names.
    pub name: String,
    /// What counts of the last window.
    pub ordered: usize,
    /// What will count in the next window.
    pub due: usize,
    /// How much of both a switch to routing secrets saves.
    pub saved: usize,
    /// The limit.
    pub limit: usize,
}

impl Use {
    fn is_reached(&self) -> bool {
        self.ordered >= self.limit || self.ordered + self.due > self.limit
    }
}

#[derive(Default)]
struct Count {
    ordered: usize,
    due: usize,
    saved: usize,
}

/// What each ACME server is asked for; `switched` are the Certificates that would order nothing more.
#[must_use]
pub fn find(index: &Index<'_>, switched: &HashSet<ObjectName>, limits: &Limits, now: Timestamp) -> Vec<AcmeUse> {
    let mut servers: BTreeMap<&str, Server> = BTreeMap::new();
    let since = now.as_second() - limits.window;
    for issuance in index.seen.issuances.iter().filter(|issuance| issuance.at.as_second() >= since) {
        let server = servers.entry(&issuance.server).or_default();
        server.ordered(&issuance.names, !issuance.is_renewal, switched.contains(&issuance.certificate));
    }
    for certificate in &index.seen.certificates {
        let Some(server) = index.seen.acme.server(&certificate.id.namespace, &certificate.issuer) else { continue };
        let is_due = certificate.renewal_time.is_some_and(|at| at.as_second() < now.as_second() + limits.window);
        let names = identifiers(certificate);
        if is_due && !names.is_empty() {
            servers.entry(server).or_default().due(&names, switched.contains(&certificate.id));
        }
    }
    servers.into_iter().map(|(server, of)| of.into_use(server, limits)).collect()
}

#[derive(Default)]
struct Server {
    all: Count,
    /// By registered domain, with the sets that were new.
    domains: BTreeMap<String, (Count, HashSet<String>)>,
    sets: BTreeMap<String, Count>,
}

impl Server {
    fn ordered(&mut self, names: &BTreeSet<String>, is_new: bool, is_saved: bool) {
        let set = set(names);
        for domain in registered_domains(names) {
            let (count, sets) = self.domains.entry(domain).or_default();
            // The second order of the same names is a renewal for the server, whoever made it.
            if is_new && sets.insert(set.clone()) {
                count.ordered += 1;
                count.saved += usize::from(is_saved);
            }
        }
        for count in [&mut self.all, self.sets.entry(set).or_default()] {
            count.ordered += 1;
            count.saved += usize::from(is_saved);
        }
    }

    fn due(&mut self, names: &BTreeSet<String>, is_saved: bool) {
        for count in [&mut self.all, self.sets.entry(set(names)).or_default()] {
            count.due += 1;
            count.saved += usize::from(is_saved);
        }
    }

    fn into_use(self, server: &str, limits: &Limits) -> AcmeUse {
        let line = |name: String, count: Count, limit| {
            let Count { ordered, due, saved } = count;
            Use { name, ordered, due, saved, limit }
        };
        let domains = self.domains.into_iter().filter(|(_, (count, _))| count.ordered > 0);
        let sets = self.sets.into_iter().filter(|(_, count)| count.ordered + count.due > 1);
        AcmeUse {
            server: server.to_owned(),
            window_seconds: limits.window,
            ordered: self.all.ordered,
            due: self.all.due,
            saved: self.all.saved,
            domains: domains.map(|(name, (count, _))| line(name, count, limits.domain)).collect(),
            sets: sets.map(|(name, count)| line(name, count, limits.set)).collect(),
        }
    }
}

fn set(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// The registered domains of the names: one label below a public suffix, private ones included, as Let's Encrypt counts.
fn registered_domains(names: &BTreeSet<String>) -> BTreeSet<String> {
    let bare = names.iter().map(|name| name.strip_prefix("*.").unwrap_or(name));
    bare.map(|name| psl::domain_str(name).unwrap_or(name).to_owned()).collect()
}

/// A finding for each limit that is reached.
#[must_use]
pub fn findings(acme: &[AcmeUse], limits: &Limits) -> Vec<Finding> {
    let window = human_duration(limits.window);
    let finding = |of: &AcmeUse, line: &Use, what: &str| Finding {
        code: Code::LimitReached,
        object: ObjectId { kind: "ACME server".to_owned(), namespace: String::new(), name: of.server.clone() },
        path: None,
        hosts: line.name.split(", ").map(str::to_owned).collect(),
        secret_name: None,
        message: format!(
            "{} {what} {} in the last {window} and {} due in the next, of {}",
            line.ordered,
            escape(&line.name),
            line.due,
            line.limit
        ),
        commands: Vec::new(),
    };
    let of_server = |of: &AcmeUse| -> Vec<Finding> {
        let domains = of.domains.iter().filter(|line| line.is_reached());
        let domains = domains.map(|line| finding(of, line, "new certificates of the domain"));
        let sets = of.sets.iter().filter(|line| line.is_reached());
        domains.chain(sets.map(|line| finding(of, line, "certificates of exactly"))).collect()
    };
    acme.iter().flat_map(of_server).collect()
}
