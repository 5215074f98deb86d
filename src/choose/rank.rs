//! The ranking of routing secrets for a slot (R5), and the split of a slot's hosts (R9).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::{Cover, HostName, WildcardSpan};
use crate::inventory::Inventory;
use crate::secret::{Reason, Secret};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Query<'q> {
    /// The namespace that the Secret must be in (R6).
    pub namespace: &'q str,
    /// The hosts that it must cover.
    pub hosts: &'q [HostName],
    /// How many labels a wildcard host spans.
    pub span: WildcardSpan,
    /// The Secret that the slot names.
    pub current: Option<&'q str>,
    /// The only Secrets that may be named, where permission is needed and names them.
    pub permitted: Option<&'q BTreeSet<String>>,
}

impl Query<'_> {
    /// Whether the secret can be used and may be named.
    #[must_use]
    pub fn admits(&self, secret: &Secret) -> bool {
        secret.is_usable() && self.permits(secret)
    }

    fn permits(&self, secret: &Secret) -> bool {
        self.permitted.is_none_or(|names| names.contains(&secret.id.name))
    }
}

/// A routing secret that was not taken.
#[derive(Clone, Debug)]
pub struct Candidate<'i> {
    /// The secret.
    pub secret: &'i Secret,
    /// Why not.
    pub lost: Reason,
}

/// The outcome.
#[derive(Clone, Debug)]
pub struct Choice<'i> {
    /// The usable routing secret that covers all hosts and ranks first.
    pub winner: Option<&'i Secret>,
    /// The others of the namespace, by name.
    pub losers: Vec<Candidate<'i>>,
}

/// Whether the secret's certificate covers the host.
#[must_use]
pub fn covers(secret: &Secret, host: &HostName, span: WildcardSpan) -> bool {
    secret.names.cover(host, span) != Cover::No
}

fn covers_all(secret: &Secret, query: &Query<'_>) -> bool {
    query.hosts.iter().all(|host| covers(secret, host, query.span))
}

/// The routing secret that serves the hosts, if one covers them all.
#[must_use]
pub fn winner<'i>(query: &Query<'_>, inventory: &'i Inventory) -> Option<&'i Secret> {
    inventory
        .routing(query.namespace)
        .filter(|secret| query.admits(secret) && covers_all(secret, query))
        .reduce(|best, other| if compare(query, inventory, other, best).0 == Ordering::Less { other } else { best })
}

/// The routing secret that serves the hosts, with the reason for each other one of the namespace.
#[must_use]
pub fn choose<'i>(query: &Query<'_>, inventory: &'i Inventory) -> Choice<'i> {
    let winner = winner(query, inventory);
    let others = inventory.routing(query.namespace).filter(|secret| winner.is_none_or(|winner| winner.id != secret.id));
    let losers = others.map(|secret| Candidate { secret, lost: lost(query, inventory, secret, winner) }).collect();
    Choice { winner, losers }
}

fn lost(query: &Query<'_>, inventory: &Inventory, secret: &Secret, winner: Option<&Secret>) -> Reason {
    if let Some(problem) = secret.problems.first() {
        return problem.clone();
    }
    let missing: Vec<String> = query
        .hosts
        .iter()
        .filter(|host| !covers(secret, host, query.span))
        .map(|host| host.as_str().to_owned())
        .collect();
    match winner {
        _ if missing.len() == query.hosts.len() => Reason::CoversNone,
        _ if missing.is_empty() && !query.permits(secret) => Reason::NotPermitted,
        Some(winner) if missing.is_empty() => compare(query, inventory, winner, secret).1,
        _ => Reason::CoversSome(missing),
    }
}

/// The hosts, by index, that no usable routing secret covers.
#[must_use]
pub fn uncovered(query: &Query<'_>, inventory: &Inventory) -> Vec<usize> {
    let usable: Vec<&Secret> = inventory.routing(query.namespace).filter(|secret| query.admits(secret)).collect();
    let is_covered = |host: &HostName| usable.iter().any(|secret| covers(secret, host, query.span));
    (0..query.hosts.len()).filter(|&at| !is_covered(&query.hosts[at])).collect()
}

/// Compares two secrets that cover all hosts: the first difference decides (R5). With it, why the
/// second one loses, should the first one win.
fn compare(query: &Query<'_>, inventory: &Inventory, one: &Secret, other: &Secret) -> (Ordering, Reason) {
    let now = inventory.now();
    let not_after = |secret: &Secret| secret.certificate.as_ref().map(|facts| facts.not_after).unwrap_or_default();
    let is_self_signed = |secret: &Secret| secret.certificate.as_ref().is_some_and(|facts| facts.self_signed);
    let is_current = |secret: &Secret| query.current == Some(secret.id.name.as_str());
    let wildcards = |secret: &Secret| {
        query.hosts.iter().filter(|host| secret.names.cover(host, query.span) == Cover::Wildcard).count()
    };
    let steps = [
        (one.expires_soon(now).cmp(&other.expires_soon(now)), Reason::ExpiresSoon(not_after(other))),
        (is_self_signed(one).cmp(&is_self_signed(other)), Reason::SelfSigned),
        (is_current(other).cmp(&is_current(one)), Reason::NotTheCurrent),
        (wildcards(one).cmp(&wildcards(other)), Reason::LessExact),
    ];
    let decisive = steps.into_iter().find(|(order, _)| order.is_ne());
    decisive.unwrap_or_else(|| (one.id.name.cmp(&other.id.name), Reason::LaterName))
}

/// The hosts, by index, that go to each of several secrets, when none covers them all but each is
/// covered (R9): first the secret that covers most of what is left. Groups are in the order of
/// their first host.
#[must_use]
pub fn split<'i>(query: &Query<'_>, inventory: &'i Inventory) -> Option<Vec<(Vec<usize>, &'i Secret)>> {
    let usable: Vec<&Secret> = inventory.routing(query.namespace).filter(|secret| query.admits(secret)).collect();
    let mut left: Vec<usize> = (0..query.hosts.len()).collect();
    let mut groups: Vec<(Vec<usize>, &Secret)> = Vec::new();
    while !left.is_empty() {
        let covered = |secret: &Secret| -> Vec<usize> {
            left.iter().copied().filter(|&at| covers(secret, &query.hosts[at], query.span)).collect()
        };
        let most = usable.iter().map(|secret| covered(secret).len()).max().filter(|&most| most > 0)?;
        let best = usable.iter().filter(|secret| covered(secret).len() == most).copied().reduce(|best, other| {
            if compare(query, inventory, other, best).0 == Ordering::Less { other } else { best }
        })?;
        let group = covered(best);
        left.retain(|at| !group.contains(at));
        groups.push((group, best));
    }
    groups.sort_by_key(|(hosts, _)| hosts.first().copied());
    // Ranked as the entry that it becomes will be, so that a second run changes nothing (R18).
    groups
        .into_iter()
        .map(|(group, _)| {
            let hosts: Vec<HostName> = group.iter().map(|&at| query.hosts[at].clone()).collect();
            let secret = winner(&Query { hosts: &hosts, ..*query }, inventory)?;
            Some((group, secret))
        })
        .collect()
}
