//! Copies of sources: those that hold something else, those that are missing, and those without the label that Epinio
//! looks for.

use std::collections::{BTreeMap, HashMap};

use super::{Category, Copy, Facts, Finding, Namespace, ObjectRef, Severity, Source, settle};
use crate::distribution::{Replication, replications};
use crate::output::escape::escape;
use crate::secret::{ObjectName, Origin, ROUTING_LABEL, Reason, Replicator, Secret};

/// How Epinio marks its namespaces (`internal/namespaces`).
const EPINIO: (&str, &str) = ("app.kubernetes.io/component", "epinio-namespace");

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let mirrors: Vec<&Secret> = facts.secrets().filter(|secret| secret.mirrored().is_some()).collect();
    let stale = mirrors.iter().flat_map(|mirror| stale(mirror, facts));
    let well = "each mirror holds what its source holds";
    let mut findings = settle(Category::Mirrors, "mirrors", well, mirrors.len(), stale);
    findings.extend(distributed(facts));
    findings.extend(unlabelled(&mirrors, facts));
    findings
}

fn finding(severity: Severity, code: &'static str, object: &ObjectName, message: String) -> Finding {
    Finding::of(Category::Mirrors, severity, code, object, message)
}

/// A mirror whose source holds something else, has changed since, or is gone.
fn stale(mirror: &Secret, facts: &Facts) -> Option<Finding> {
    let (Origin::Mirror { of, by }, id) = (&mirror.origin, &mirror.id) else { return None };
    if facts.sources.missing.contains(of) {
        let message = format!("its source {of} is not there: nobody brings it up to date any more");
        let hint = format!(
            "bring the source back, or make it a source: kubectl routing-secrets create {} -n {} --from {id} --force",
            escape(&id.name),
            escape(&id.namespace)
        );
        return Some(finding(Severity::Warning, "sourceMissing", id, message).hint(hint));
    }
    mirror.warnings.iter().find(|warning| matches!(warning, Reason::Stale(_)))?;
    let is_read = facts.inventory.get(&of.namespace, &of.name).is_some();
    let found = if is_read {
        finding(Severity::Problem, "staleMirror", id, format!("its certificate is not that of its source {of}"))
    } else {
        finding(Severity::Warning, "mirrorBehind", id, format!("its source {of} has changed since it was copied"))
    };
    Some(found.hint(copy_again(of, *by)))
}

/// What makes a replicator copy a source once more.
fn copy_again(of: &ObjectName, by: Replicator) -> String {
    let (namespace, name) = (escape(&of.namespace), escape(&of.name));
    match by {
        Replicator::RoutingSecrets => {
            format!("copy it again: kubectl routing-secrets distribute {name} -n {namespace} --via copy")
        }
        by => format!(
            "see whether {by} runs; a change of the source makes it copy again: kubectl annotate secret {name} -n {namespace} routing-secrets.epinio.io/copied-again=\"$(date +%s)\" --overwrite"
        ),
    }
}

/// What the sources' annotations ask for, and the namespaces that have it not.
fn distributed(facts: &Facts) -> Vec<Finding> {
    let sources = sources(facts);
    let have = copies(facts);
    let mut count = 0;
    let mut findings = Vec::new();
    for source in &sources {
        let orders = replications(&source.annotations);
        for order in &orders {
            match order {
                Ok(order) => {
                    count += 1;
                    findings.extend(missing(source, order, &have, facts));
                }
                Err((by, error)) => {
                    let message = format!("nobody can say to which namespaces {by} copies it: {error}");
                    let hint = "correct its annotations: kubectl routing-secrets distribute writes them anew";
                    findings.push(finding(Severity::Warning, "distributionUnreadable", &source.id, message).hint(hint));
                }
            }
        }
    }
    settle(Category::Mirrors, "distribution", "each namespace has the copies that it should have", count, findings)
}

/// The labelled secrets that others are copied from: of the whole cluster, as far as they could be read.
/// A secret that is looked at counts whatever its label.
#[must_use]
pub fn sources(facts: &Facts) -> Vec<Source> {
    let mut sources: BTreeMap<ObjectName, Source> = BTreeMap::new();
    for source in facts.labelled.read().into_iter().flatten() {
        sources.insert(source.id.clone(), source.clone());
    }
    for secret in facts.inventory.secrets().filter(|secret| secret.routing && secret.origin == Origin::Source) {
        if let Some(examined) = facts.examined.get(&secret.id) {
            let source = Source { id: secret.id.clone(), annotations: examined.annotations.clone() };
            sources.insert(secret.id.clone(), source);
        }
    }
    sources
        .into_values()
        .filter(|source| facts.scope.names.is_empty() || facts.scope.names.contains(&source.id.name))
        .collect()
}

/// Where each known Secret comes from.
fn copies(facts: &Facts) -> HashMap<ObjectName, Origin> {
    let known = facts.inventory.secrets().map(|secret| (secret.id.clone(), secret.origin.clone()));
    let listed = facts.copies.read().into_iter().flatten();
    listed.map(|Copy { id, origin }| (id.clone(), origin.clone())).chain(known).collect()
}

fn missing(source: &Source, order: &Replication, have: &HashMap<ObjectName, Origin>, facts: &Facts) -> Vec<Finding> {
    let (mut without, mut taken) = (Vec::new(), Vec::new());
    for namespace in targets(source, facts) {
        let is_meant = namespace.name != source.id.namespace && order.includes(&namespace.name, &namespace.labels);
        if !is_meant {
            continue;
        }
        let id = ObjectName { namespace: namespace.name.clone(), name: source.id.name.clone() };
        match have.get(&id) {
            None => without.push(namespace.name),
            Some(Origin::Mirror { of, .. }) if *of == source.id => {}
            // What a replicator copied without naming the source may be ours.
            Some(Origin::Copy { .. }) => {}
            Some(_) => taken.push(namespace.name),
        }
    }
    let mut findings = Vec::new();
    if !without.is_empty() {
        let message = format!("{} should copy it to these namespaces, where it is not: {}", order.by, some(&without));
        findings.push(
            finding(Severity::Problem, "mirrorMissing", &source.id, message).hint(copy_again(&source.id, order.by)),
        );
    }
    if !taken.is_empty() {
        let message = format!(
            "{} should copy it to these namespaces, where a Secret of that name is something else: {}",
            order.by,
            some(&taken)
        );
        let hint = "rename one of the two: depending on the replicator it stays away, or overwrites what is there";
        findings.push(finding(Severity::Warning, "nameTaken", &source.id, message).hint(hint));
    }
    findings
}

/// The namespaces that are looked at for copies of a source: all, for one in scope; those in scope, for another.
fn targets(source: &Source, facts: &Facts) -> Vec<Namespace> {
    let is_own = facts.scope.has_namespace(&source.id.namespace);
    // Whether others have a copy is known when all Secrets are, or those of its name.
    let sees_all = facts.scope.namespace.is_none() || facts.copies.read().is_some();
    let is_seen = |namespace: &&Namespace| facts.scope.has_namespace(&namespace.name) || (is_own && sees_all);
    facts.namespaces.read().into_iter().flatten().filter(is_seen).cloned().collect()
}

/// The first of many.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<_> = names.iter().take(SHOWN).map(|name| escape(name)).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} + {more} more", shown.join(", ")),
    }
}

/// Reflector's mirrors, which carry no label unless someone put it on them: Epinio looks for it and for nothing else
/// (`internal/domain/match.go`). Where no namespace is Epinio's, nobody misses it.
fn unlabelled(mirrors: &[&Secret], facts: &Facts) -> Vec<Finding> {
    let is_epinios = |namespace: &Namespace| namespace.labels.get(EPINIO.0).is_some_and(|value| value == EPINIO.1);
    let epinios: Option<Vec<&str>> = facts.namespaces.read().map(|all| {
        all.iter().filter(|namespace| is_epinios(namespace)).map(|namespace| namespace.name.as_str()).collect()
    });
    let mut by_source: BTreeMap<&ObjectName, Vec<&Secret>> = BTreeMap::new();
    for mirror in mirrors {
        let has_label = facts.examined.get(&mirror.id).is_none_or(|examined| examined.is_labelled);
        let matters =
            epinios.as_ref().is_none_or(|names| names.is_empty() || names.contains(&mirror.id.namespace.as_str()));
        if let (Some(of), false, true) = (mirror.mirrored(), has_label, matters) {
            by_source.entry(of).or_default().push(mirror);
        }
    }
    let severity = match &epinios {
        Some(names) if names.is_empty() => Severity::Ok,
        _ => Severity::Warning,
    };
    let of_source = |(of, mirrors): (&ObjectName, Vec<&Secret>)| {
        let namespaces: Vec<String> = mirrors.iter().map(|mirror| mirror.id.namespace.clone()).collect();
        let message = match severity {
            Severity::Ok => format!(
                "its mirrors carry no label, which only Epinio would miss, and it is not here: {}",
                some(&namespaces)
            ),
            _ => format!(
                "its mirrors carry no label {ROUTING_LABEL}, without which Epinio does not see them, in: {}",
                some(&namespaces)
            ),
        };
        let found =
            Finding { object: Some(ObjectRef::secret(of)), ..finding(severity, "mirrorUnlabelled", of, message) };
        let first = mirrors.first().map(|mirror| &mirror.id);
        match (severity, first) {
            (Severity::Ok, _) | (_, None) => found,
            (_, Some(id)) => found.hint(format!(
                "a label put on by hand stays: kubectl label secret {} -n {} {ROUTING_LABEL}=; copies with the label: kubectl routing-secrets distribute {} -n {} --via copy",
                escape(&id.name),
                escape(&id.namespace),
                escape(&of.name),
                escape(&of.namespace)
            )),
        }
    };
    by_source.into_iter().map(of_source).collect()
}

#[cfg(test)]
#[path = "mirrors_tests.rs"]
mod tests;
