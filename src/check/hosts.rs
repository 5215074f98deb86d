//! Which hosts are served by which secret: those that two secrets cover, and namespaces whose consumers a routing secret
//! elsewhere could serve.

use std::collections::{BTreeMap, BTreeSet};

use super::{Category, Facts, Finding, LiveConsumer, ObjectRef, Severity, settle};
use crate::choose::{HostName, Query, WildcardSpan, covers, winner};
use crate::output::escape::escape;
use crate::secret::{ObjectName, Secret};

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let mut by_namespace: BTreeMap<&str, Vec<&Secret>> = BTreeMap::new();
    for secret in facts.inventory.secrets().filter(|secret| secret.routing && secret.is_usable()) {
        if facts.scope.has_namespace(&secret.id.namespace) {
            by_namespace.entry(&secret.id.namespace).or_default().push(secret);
        }
    }
    let usable = by_namespace.values().map(Vec::len).sum();
    let overlaps = by_namespace.values().flat_map(|secrets| overlaps(secrets, facts));
    let mut findings = settle(
        Category::Hosts,
        "overlap",
        "no host is covered by two usable secrets of one namespace",
        usable,
        overlaps,
    );
    if let Some(consumers) = facts.consumers.read() {
        let without = uncovered(consumers, &by_namespace, facts);
        let well = "each namespace with objects that a routing secret could serve has a usable one";
        findings.extend(settle(Category::Hosts, "namespaces", well, consumers.len(), without));
    }
    findings
}

/// The secrets of a namespace that cover a host which another covers too, each pair once.
fn overlaps(secrets: &[&Secret], facts: &Facts) -> Vec<Finding> {
    let mut pairs: BTreeMap<(&ObjectName, &ObjectName), BTreeSet<HostName>> = BTreeMap::new();
    for one in secrets {
        let names = one.certificate.iter().flat_map(|certificate| &certificate.dns_names);
        for host in names.filter_map(|name| HostName::parse(name).ok()) {
            // A name of its own that clients ignore is covered by none.
            if !covers(one, &host, WildcardSpan::OneLabel) {
                continue;
            }
            for other in secrets.iter().filter(|other| other.id != one.id) {
                if covers(other, &host, WildcardSpan::OneLabel) {
                    let pair = if one.id < other.id { (&one.id, &other.id) } else { (&other.id, &one.id) };
                    pairs.entry(pair).or_default().insert(host.clone());
                }
            }
        }
    }
    pairs.retain(|(one, other), _| facts.scope.has(one) || facts.scope.has(other));
    pairs.into_iter().map(|((one, other), hosts)| overlap(one, other, &hosts, facts)).collect()
}

fn overlap(one: &ObjectName, other: &ObjectName, hosts: &BTreeSet<HostName>, facts: &Facts) -> Finding {
    const SHOWN: usize = 3;
    let mut shown: Vec<String> = hosts.iter().take(SHOWN).map(ToString::to_string).collect();
    if hosts.len() > SHOWN {
        shown.push(format!("{} more", hosts.len() - SHOWN));
    }
    let used = hosts.first().and_then(|host| {
        let hosts = std::slice::from_ref(host);
        winner(
            &Query { namespace: &one.namespace, hosts, span: WildcardSpan::OneLabel, current: None, permitted: None },
            &facts.inventory,
        )
    });
    let used = used.map(|used| format!("; {} is taken", escape(&used.id.name))).unwrap_or_default();
    let message = format!("{} covers {} too{used}", escape(&other.name), shown.join(", "));
    let first = hosts.first().map(ToString::to_string).unwrap_or_default();
    Finding::of(Category::Hosts, Severity::Warning, "overlap", one, message).hint(format!(
        "see why: kubectl routing-secrets match {first} -n {}; unmark the one that is not meant: kubectl routing-secrets unmark NAME -n {}",
        escape(&one.namespace),
        escape(&one.namespace)
    ))
}

/// Namespaces without a usable routing secret whose consumers one of another namespace could serve.
fn uncovered(consumers: &[LiveConsumer], usable: &BTreeMap<&str, Vec<&Secret>>, facts: &Facts) -> Vec<Finding> {
    let all: Vec<&Secret> = facts
        .elsewhere
        .read()
        .into_iter()
        .flatten()
        .chain(facts.inventory.secrets().filter(|secret| secret.routing))
        .filter(|secret| secret.is_usable())
        .collect();
    let is_without = |namespace: &str| facts.scope.has_namespace(namespace) && !usable.contains_key(namespace);
    let mut found: BTreeMap<&str, (BTreeSet<String>, &Secret)> = BTreeMap::new();
    for consumer in consumers.iter().filter(|consumer| is_without(&consumer.id.namespace)) {
        let serves = |secret: &Secret| {
            consumer
                .slots
                .iter()
                .any(|hosts| !hosts.is_empty() && hosts.iter().all(|host| covers(secret, host, consumer.span)))
        };
        let is_source = |secret: &&&Secret| secret.mirrored().is_none() && serves(secret);
        let by = all.iter().find(is_source).or_else(|| all.iter().find(|secret| serves(secret)));
        if let Some(secret) = by {
            let entry = found.entry(&consumer.id.namespace).or_insert_with(|| (BTreeSet::new(), secret));
            entry.0.insert(format!("{} {}", escape(&consumer.kind), escape(&consumer.id.name)));
        }
    }
    let finding = |(namespace, (consumers, secret)): (&str, (BTreeSet<String>, &Secret))| {
        let first = consumers.first().cloned().unwrap_or_default();
        let more = match consumers.len() {
            0 | 1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let id = &secret.id;
        let message = format!("no usable routing secret is there, and {id} covers the hosts of {first}{more}");
        let object = Some(ObjectRef::namespace(namespace));
        let finding = Finding::of(Category::Hosts, Severity::Warning, "noUsableSecret", id, message);
        Finding { object, ..finding }.hint(format!(
            "kubectl routing-secrets distribute {} -n {} --via copy --to-namespaces {}",
            escape(&id.name),
            escape(&id.namespace),
            escape(namespace)
        ))
    };
    found.into_iter().map(finding).collect()
}

#[cfg(test)]
#[path = "hosts_tests.rs"]
mod tests;
