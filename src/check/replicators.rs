//! The programs that copy: there, and ready, where annotations ask for them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Category, Facts, Finding, Severity, mirrors};
use crate::distribution::replications;
use crate::output::escape::escape;
use crate::secret::{ObjectName, Origin, Replicator};

/// A Deployment or Pod, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workload {
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub id: ObjectName,
    /// `app.kubernetes.io/name`.
    pub app: String,
    /// The images of its containers.
    pub images: Vec<String>,
    /// How many Pods there should be.
    pub desired: u32,
    /// How many are ready.
    pub ready: u32,
}

impl Workload {
    /// Which program it runs, by its image or its charts' label: emberstack's Reflector, Kubed or its successor
    /// config-syncer.
    #[must_use]
    pub fn replicator(&self) -> Option<Replicator> {
        // A registry of one's own keeps the last part of the name.
        let names = self.images.iter().map(|image| {
            let path = image.split('@').next().unwrap_or_default();
            let last = path.rsplit('/').next().unwrap_or_default();
            last.split(':').next().unwrap_or_default()
        });
        names.chain([self.app.as_str()]).find_map(|name| match name {
            "kubernetes-reflector" | "reflector" => Some(Replicator::Reflector),
            "kubed" | "config-syncer" => Some(Replicator::Kubed),
            _ => None,
        })
    }
}

/// A Deployment or Pod as the API server gives it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ApiWorkload {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    namespace: String,
    name: String,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    replicas: Option<u32>,
    template: Template,
    containers: Vec<Container>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Template {
    spec: PodSpec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PodSpec {
    containers: Vec<Container>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Container {
    image: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    available_replicas: Option<u32>,
    conditions: Option<Vec<Condition>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Condition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
}

impl ApiWorkload {
    /// What matters of a Deployment.
    #[must_use]
    pub fn into_deployment(self) -> Workload {
        let (desired, ready) = (self.spec.replicas.unwrap_or(1), self.status.available_replicas.unwrap_or(0));
        Self::workload("Deployment", self.metadata, self.spec.template.spec.containers, desired, ready)
    }

    /// What matters of a Pod.
    #[must_use]
    pub fn into_pod(self) -> Workload {
        let conditions = self.status.conditions.unwrap_or_default();
        let is_ready = conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
        Self::workload("Pod", self.metadata, self.spec.containers, 1, is_ready.into())
    }

    fn workload(
        kind: &'static str,
        metadata: Metadata,
        containers: Vec<Container>,
        desired: u32,
        ready: u32,
    ) -> Workload {
        let app = metadata.labels.and_then(|mut labels| labels.remove("app.kubernetes.io/name"));
        Workload {
            kind,
            id: ObjectName { namespace: metadata.namespace, name: metadata.name },
            app: app.unwrap_or_default(),
            images: containers.into_iter().filter_map(|container| container.image).collect(),
            desired,
            ready,
        }
    }
}

/// Why a replicator has to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// The annotations of this source ask for it.
    Source(ObjectName),
    /// This is a mirror that it made.
    Mirror(ObjectName),
}

/// The replicators that somebody depends on, of those that run in the cluster.
#[must_use]
pub fn demanded(facts: &Facts) -> BTreeMap<&'static str, (Replicator, Demand)> {
    let mut demanded = BTreeMap::new();
    let mut add = |by: Replicator, demand: Demand| {
        let name = match by {
            Replicator::Reflector => "Reflector",
            Replicator::Kubed => "Kubed",
            _ => return,
        };
        demanded.entry(name).or_insert((by, demand));
    };
    for source in mirrors::sources(facts) {
        for order in replications(&source.annotations) {
            let by = match order {
                Ok(order) => order.by,
                Err((by, _)) => by,
            };
            add(by, Demand::Source(source.id.clone()));
        }
    }
    for secret in facts.secrets() {
        if let Origin::Mirror { by, .. } = &secret.origin {
            add(*by, Demand::Mirror(secret.id.clone()));
        }
    }
    demanded
}

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let Some(workloads) = facts.replicators.read() else { return Vec::new() };
    demanded(facts).into_values().map(|(by, demand)| one(by, &demand, workloads)).collect()
}

fn one(by: Replicator, demand: &Demand, workloads: &[Workload]) -> Finding {
    let (about, why, severity) = match demand {
        Demand::Source(id) => (id, "its annotations ask for copies", Severity::Problem),
        Demand::Mirror(id) => (id, "it is a mirror", Severity::Warning),
    };
    let finding = |severity, code, message| Finding::of(Category::Replicators, severity, code, about, message);
    let running: Vec<&Workload> = workloads.iter().filter(|workload| workload.replicator() == Some(by)).collect();
    let place = |workload: &Workload| format!("{} {}", workload.kind, workload.id);
    if let Some(ready) = running.iter().find(|workload| workload.ready > 0) {
        return Finding {
            object: None,
            ..finding(Severity::Ok, "replicator", format!("{by} runs ({})", place(ready)))
        };
    }
    match running.first() {
        None => {
            let install = match by {
                Replicator::Reflector => "install it: https://github.com/emberstack/kubernetes-reflector",
                _ => {
                    "install config-syncer, or hand over to another: kubectl routing-secrets distribute NAME --via reflector|copy"
                }
            };
            finding(severity, "replicatorMissing", format!("{why}, and {by} is nowhere in the cluster")).hint(install)
        }
        Some(workload) => {
            let (namespace, name) = (escape(&workload.id.namespace), escape(&workload.id.name));
            let kind = workload.kind.to_lowercase();
            let (message, hint) = match workload.desired {
                0 => (
                    format!("{why}, and {by} is scaled to zero ({})", place(workload)),
                    format!("kubectl scale {kind} {name} -n {namespace} --replicas=1"),
                ),
                _ => (
                    format!("{why}, and {by} is not ready ({})", place(workload)),
                    format!("see why: kubectl describe {kind} {name} -n {namespace}"),
                ),
            };
            finding(severity, "replicatorNotReady", message).hint(hint)
        }
    }
}

#[cfg(test)]
#[path = "replicators_tests.rs"]
mod tests;
