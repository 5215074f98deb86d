//! The decisions as the plan's data.

use std::collections::{BTreeMap, BTreeSet};

use super::attach::FoundRoute;
use super::build::describe;
use super::decide::{Decided, Verdict};
use super::facts::Render;
use super::listeners;
use super::{
    API_VERSION, CertificateDecision, CertificatePlan, Found, Live, LostCandidate, ObjectRef, Plan, Reason, RoutePlan,
    SlotDecision, SlotPlan, Summary, Target, TriggerDecision, TriggerPlan, Warning,
};
use crate::certificate::issuer_of;
use crate::choose::{self, Query};
use crate::consumers::{Left, NodeId, Slot};
use crate::manifest::object::Object;
use crate::output::escape::escape;
use crate::secret::{ObjectName, Origin, Secret};

/// Makes the plan from the render and its decisions.
pub(super) struct Viewer<'v, 'r, 'i> {
    render: &'v Render<'r, 'i>,
    decided: &'v Decided<'i>,
}

impl<'v, 'r, 'i> Viewer<'v, 'r, 'i> {
    pub(super) fn new(render: &'v Render<'r, 'i>, decided: &'v Decided<'i>) -> Self {
        Self { render, decided }
    }

    pub(super) fn plan(&self, found: &Found<'_>) -> Plan {
        let slots = self.slots();
        let triggers = self.triggers();
        let certificates = self.certificates();
        let warnings = self.warnings(&triggers, &certificates, found);
        let count = |decision| slots.iter().filter(|slot| slot.decision == decision).count();
        let without_hosts = slots.iter().filter(|slot| slot.reason.code == Left::NoHosts.code()).count();
        let dropped = certificates.iter().filter(|certificate| certificate.decision == CertificateDecision::Dropped);
        let dropped = dropped.count();
        let summary = Summary {
            rewritten: count(SlotDecision::Rewritten) + count(SlotDecision::Split),
            kept: count(SlotDecision::Kept),
            left: count(SlotDecision::Left) - without_hosts,
            without_hosts,
            triggers_removed: triggers.iter().filter(|trigger| trigger.decision == TriggerDecision::Removed).count(),
            certificates_dropped: dropped,
            certificates_kept: certificates.len() - dropped,
        };
        Plan {
            api_version: API_VERSION,
            kind: "Plan",
            slots,
            triggers,
            certificates,
            routes: self.routes(found),
            reads: None,
            warnings,
            summary,
        }
    }

    fn routes(&self, found: &Found<'_>) -> Vec<RoutePlan> {
        let listeners = found.listeners();
        let of_route = |route: &FoundRoute<'_>| RoutePlan {
            object: self.object(
                route.route.document,
                &route.route.object,
                route.namespace.as_deref().unwrap_or_default(),
            ),
            hosts: route.route.hostnames.iter().map(|&host| host.to_owned()).collect(),
            tls_at: found.tls_at(self.render.manifest, &listeners, route),
        };
        found.routes.iter().map(of_route).filter(|route| !route.tls_at.is_empty()).collect()
    }

    fn object(&self, index: usize, object: &Object<'_>, namespace: &str) -> ObjectRef {
        let api_version = match object.group {
            "" => object.version.to_owned(),
            group => format!("{group}/{}", object.version),
        };
        ObjectRef {
            api_version,
            kind: object.kind.to_owned(),
            namespace: namespace.to_owned(),
            name: object.name.to_owned(),
            document: index + 1,
            line: self.render.manifest.line(index, object.node),
        }
    }

    fn line(&self, index: usize, node: Option<NodeId>) -> usize {
        node.map_or(0, |node| self.render.manifest.line(index, node))
    }

    fn slots(&self) -> Vec<SlotPlan> {
        let mut plans = Vec::new();
        for (at, consumer) in self.render.consumers.iter().enumerate() {
            let judged = &self.decided.consumers[at];
            let namespace = self.render.namespaces[at];
            for (slot, verdict) in consumer.slots.iter().zip(&judged.slots) {
                let left = match (&judged.whole, verdict) {
                    // What speaks about the slot itself says more than what keeps the object whole.
                    (Some(_), Verdict::Left(left)) | (None, Verdict::Left(left)) => Some(left),
                    (whole, _) => whole.as_ref(),
                };
                let (decision, to, reason) = match (left, verdict) {
                    (Some(left), _) => (SlotDecision::Left, Vec::new(), Reason::left(left)),
                    (None, verdict) => outcome(slot, verdict),
                };
                let query = consumer.query(slot, namespace);
                plans.push(SlotPlan {
                    object: self.object(consumer.document, &consumer.object, namespace),
                    line: self.line(consumer.document, slot.nodes.last().copied()),
                    path: slot.path.clone(),
                    hosts: slot.hosts.clone(),
                    secret_namespace: slot.namespace.clone(),
                    from: slot.secret_name.clone(),
                    to,
                    decision,
                    reason,
                    candidates: (self.render.settings.candidates && !slot.names.is_empty())
                        .then(|| self.candidates(&query)),
                });
            }
        }
        plans
    }

    fn candidates(&self, query: &Query<'_>) -> Vec<LostCandidate> {
        let choice = choose::choose(query, self.render.inventory);
        let lost = choice.losers.iter().map(|candidate| LostCandidate {
            secret_name: candidate.secret.id.name.clone(),
            reason: Reason::new(candidate.lost.code(), candidate.lost.to_string()),
        });
        lost.collect()
    }

    fn triggers(&self) -> Vec<TriggerPlan> {
        let mut plans = Vec::new();
        for (at, consumer) in self.render.consumers.iter().enumerate() {
            let judged = &self.decided.consumers[at];
            let companions: Vec<String> = consumer.companions.iter().map(|entry| entry.key.to_string()).collect();
            for trigger in &consumer.triggers {
                let (decision, reason) = match &judged.whole {
                    Some(left) => (TriggerDecision::Left, Reason::left(left)),
                    None if judged.loses_triggers() => (
                        TriggerDecision::Removed,
                        Reason::new("covered", "every slot of the object is served by routing secrets"),
                    ),
                    None => (TriggerDecision::Left, Reason::left(&Left::NoSlot)),
                };
                plans.push(TriggerPlan {
                    object: self.object(consumer.document, &consumer.object, self.render.namespaces[at]),
                    line: self.line(consumer.document, Some(trigger.node)),
                    key: trigger.key.to_string(),
                    value: trigger.value.to_owned(),
                    companions: companions.clone(),
                    decision,
                    reason,
                });
            }
        }
        plans
    }

    fn certificates(&self) -> Vec<CertificatePlan> {
        let render = self.render;
        let plan = |(at, certificate): (usize, &crate::certificate::Certificate<'_>)| {
            let namespace = render.certificate_namespaces[at];
            let used = self.decided.uses.used(render.index.of_certificate(at));
            let (decision, reason) = match &self.decided.certificates[at] {
                Some(keep) => (CertificateDecision::Kept, Reason::new(keep.code(), keep.to_string())),
                None => (
                    CertificateDecision::Dropped,
                    Reason::new("unused", "nothing in the render needs its Secret any more"),
                ),
            };
            CertificatePlan {
                object: self.object(certificate.document, &certificate.object, namespace),
                secret_name: certificate.spec.secret_name.clone(),
                names: certificate.spec.names.clone(),
                decision,
                reason,
                covered_by: used.iter().map(|secret| secret.id.name.clone()).collect(),
            }
        };
        render.certificates.iter().enumerate().map(plan).collect()
    }

    /// The secrets that slots are served by and that are not there yet.
    fn predicted(&self) -> BTreeMap<&'i ObjectName, &'i Origin> {
        let judged = self.decided.consumers.iter().filter(|judged| judged.whole.is_none());
        let of_verdict = |verdict: &Verdict<'i>| match verdict {
            Verdict::Rewrite(secret) | Verdict::Keep(secret) => vec![*secret],
            Verdict::Split(groups) => groups.iter().map(|&(_, secret)| secret).collect(),
            Verdict::Left(_) => Vec::new(),
        };
        let secrets = judged.flat_map(|judged| &judged.slots).flat_map(of_verdict).filter(|secret| secret.predicted);
        secrets.map(|secret| (&secret.id, &secret.origin)).collect()
    }

    fn warnings(&self, triggers: &[TriggerPlan], certificates: &[CertificatePlan], found: &Found<'_>) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |code, message: String| warnings.push(Warning { code, message });
        let dropped = certificates.iter().any(|certificate| certificate.decision == CertificateDecision::Dropped);
        let removed = triggers.iter().any(|trigger| trigger.decision == TriggerDecision::Removed);
        if removed && matches!(self.render.live, Live::NotKnown) {
            warn(
                "liveNotKnown",
                "offline, triggers that someone set on the live objects cannot be seen; they would survive the upgrade"
                    .to_owned(),
            );
        }
        if dropped {
            warn("notInTheRender", "hooks under Helm 3 and other releases do not show in this render: a Secret of a dropped Certificate that they use must be named with --keep-secret".to_owned());
        }
        if (removed || dropped) && !self.render.issuers.is_empty() {
            warn("issuersStay", format!("issuers stay in the render: {}", self.render.issuers.join(", ")));
        }
        for (code, message) in listeners::warnings(self.render, self.decided, found) {
            warn(code, message);
        }
        for why in self.render.inventory.not_predicted().into_iter().flatten() {
            warn("notPredicted", why.clone());
        }
        for (id, origin) in self.predicted() {
            if let Origin::Mirror { of, by } = origin {
                warn("predicted", format!("{id} is not there yet: predicted as a copy of {of} by {by}"));
            }
        }
        for unresolved in self.render.inventory.unresolved() {
            warn("sourceNotReadable", unresolved.to_string());
        }
        for (at, consumer) in self.render.consumers.iter().enumerate() {
            for key in consumer.repeated.iter().collect::<BTreeSet<_>>() {
                warn(
                    "duplicateKey",
                    format!("{} names {} twice; the last one counts", describe(&consumer.object), escape(key)),
                );
            }
            for slot in 0..consumer.slots.len() {
                self.warn_slot(at, slot, &mut warn);
            }
        }
        super::warn::changes(self.render, self.decided, &mut warn);
        for suspect in self.render.suspects {
            warn("unknownKind", suspect.clone());
        }
        for (at, certificate) in self.render.certificates.iter().enumerate() {
            if self.decided.certificates[at].is_some() {
                continue;
            }
            let name = escape(certificate.object.name).into_owned();
            if !certificate.spec.unmet.is_empty() {
                warn(
                    "requestsNotMet",
                    format!(
                        "dropped Certificate {name} asked for {}; the routing secret has its own",
                        certificate.spec.unmet.join(", ")
                    ),
                );
            }
            if certificate.survives {
                warn(
                    "resourcePolicyKeep",
                    format!(
                        "Certificate {name} has helm.sh/resource-policy: keep, so a live one survives the upgrade and goes on renewing; delete it with: kubectl delete certificate {name}"
                    ),
                );
            }
            self.warn_issuer(at, &name, &mut warn);
        }
        warnings
    }

    fn warn_slot(&self, at: usize, slot: usize, warn: &mut impl FnMut(&'static str, String)) {
        let id = self.render.index.of_slot(at, slot);
        if self.decided.consumers[at].loses_triggers() && self.render.index.is_chart_made(id) {
            warn(
                "chartMadeSecret",
                format!(
                    "the chart makes Secret {} itself; it stays, and nothing that is known here serves with it any more",
                    escape(self.render.index.name(id).1)
                ),
            );
        }
    }

    /// An object that names an issuer other than the dropped Certificate's had two that disagreed.
    fn warn_issuer(&self, at: usize, name: &str, warn: &mut impl FnMut(&'static str, String)) {
        let certificate = &self.render.certificates[at];
        for (consumer, _) in self.render.index.slots(self.render.index.of_certificate(at)) {
            let issuer = issuer_of(&self.render.consumers[consumer]);
            if !issuer.is_empty() && issuer != certificate.spec.issuer {
                warn(
                    "issuersDiffer",
                    format!(
                        "dropped Certificate {name} named {}, the trigger of {} named {}",
                        escape(&certificate.spec.issuer),
                        describe(&self.render.consumers[consumer].object),
                        escape(&issuer)
                    ),
                );
            }
        }
    }
}

fn outcome(slot: &Slot, verdict: &Verdict<'_>) -> (SlotDecision, Vec<Target>, Reason) {
    let target = |secret: &Secret, hosts: Vec<String>| Target {
        secret_name: secret.id.name.clone(),
        hosts,
        predicted: secret.predicted,
    };
    match verdict {
        Verdict::Rewrite(secret) => (
            SlotDecision::Rewritten,
            vec![target(secret, slot.listed_hosts().to_vec())],
            Reason::new("covered", format!("{} covers {}", escape(&secret.id.name), escape(&slot.hosts.join(", ")))),
        ),
        Verdict::Split(groups) => {
            let targets = groups
                .iter()
                .map(|(hosts, secret)| target(secret, hosts.iter().map(|&at| slot.hosts[at].clone()).collect()));
            (SlotDecision::Split, targets.collect(), Reason::new("split", "its hosts need several secrets"))
        }
        Verdict::Keep(secret) => (
            SlotDecision::Kept,
            vec![target(secret, slot.listed_hosts().to_vec())],
            Reason::new("alreadyRouting", format!("{} is a routing secret already", escape(&secret.id.name))),
        ),
        Verdict::Left(left) => (SlotDecision::Left, Vec::new(), Reason::left(left)),
    }
}
