//! The decisions (R8–R13, R15): each slot by itself, each object as a whole, and what they mean
//! for each other, until nothing changes any more.

use std::cell::LazyCell;

use rayon::prelude::*;

use super::facts::{Render, Uses};
use super::index::SecretId;
use super::{ForeignTrigger, Live, family, together};
use crate::certificate::{self, Keep};
use crate::choose::{self, DnsNames, HostName, Query};
use crate::consumers::{Consumer, Left, Slot};
use crate::manifest::edit::Edits;
use crate::secret::Secret;

/// What happens to one slot.
#[derive(Clone, Debug)]
pub(super) enum Verdict<'i> {
    /// It is pointed at this Secret.
    Rewrite(&'i Secret),
    /// Its hosts are given to several Secrets.
    Split(Vec<(Vec<usize>, &'i Secret)>),
    /// It names this routing secret already.
    Keep(&'i Secret),
    /// It stays.
    Left(Left),
}

/// The verdicts on one consumer.
#[derive(Clone, Debug)]
pub(super) struct Judged<'i> {
    /// One for each slot.
    pub(super) slots: Vec<Verdict<'i>>,
    /// Why the object is left whole, if it is.
    pub(super) whole: Option<Left>,
    /// Whether it is a Gateway whose triggers go because all its ListenerSets are served.
    pub(super) freed: bool,
}

impl Judged<'_> {
    /// Whether the slot with this index names another Secret now.
    #[must_use]
    pub(super) fn is_rewritten(&self, slot: usize) -> bool {
        self.whole.is_none() && matches!(self.slots[slot], Verdict::Rewrite(_) | Verdict::Split(_))
    }

    /// Whether the object's triggers go.
    #[must_use]
    pub(super) fn loses_triggers(&self) -> bool {
        self.whole.is_none() && (self.freed || self.slots.iter().any(|slot| !matches!(slot, Verdict::Left(_))))
    }
}

/// All decisions of a render.
#[derive(Debug)]
pub(super) struct Decided<'i> {
    /// One for each consumer.
    pub(super) consumers: Vec<Judged<'i>>,
    /// One for each Certificate: why it stays, or `None` when it is dropped.
    pub(super) certificates: Vec<Option<Keep>>,
    /// What both mean for each Secret that slots name.
    pub(super) uses: Uses<'i>,
}

/// Decides on every consumer and Certificate of the render.
///
/// An object that must be left can make another one be left, never the other way round, so the
/// rounds end; each round looks at the one before, so the order of objects does not matter.
#[must_use]
pub(super) fn decide<'i>(render: &Render<'_, 'i>) -> Decided<'i> {
    let mut consumers: Vec<Judged<'i>> =
        (0..render.consumers.len()).into_par_iter().map(|at| judge(render, at)).collect();
    family::settle(render, &mut consumers);
    let pairs = together::pairs(render);
    let proofs = render.proofs(&consumers);
    loop {
        let uses = render.uses(&consumers);
        let certificates = (0..render.certificates.len()).into_par_iter();
        let certificates: Vec<Option<Keep>> =
            certificates.map(|at| proofs.keep_certificate(render, &uses, at)).collect();
        let mut newly_left: Vec<(usize, Left)> = (0..consumers.len())
            .into_par_iter()
            .filter_map(|at| {
                let keep = needed_secret(render, &proofs, &consumers[at], &uses, &certificates, at)?;
                Some((at, Left::SecretNeeded(keep.to_string())))
            })
            .collect();
        newly_left.extend(together::parted(render, &pairs, &consumers));
        if newly_left.is_empty() {
            return Decided { consumers, certificates, uses };
        }
        for (at, left) in newly_left {
            consumers[at].whole = Some(left);
        }
        family::settle(render, &mut consumers);
    }
}

/// The verdict on one consumer by itself.
fn judge<'i>(render: &Render<'_, 'i>, at: usize) -> Judged<'i> {
    let consumer = &render.consumers[at];
    let slots: Vec<Verdict<'i>> = (0..consumer.slots.len()).map(|slot| judge_slot(render, at, slot)).collect();
    let whole = consumer
        .left
        .clone()
        .or_else(|| foreign_trigger(render, at))
        .or_else(|| produced_by_trigger(render, at))
        .or_else(|| render.family.parent_elsewhere(render, at).filter(|_| !slots.is_empty()))
        .or_else(|| stays_for_a_slot(consumer, &slots))
        .or_else(|| family::serves_others(render, at));
    Judged { slots, whole, freed: false }
}

fn judge_slot<'i>(render: &Render<'_, 'i>, at: usize, slot: usize) -> Verdict<'i> {
    let consumer = &render.consumers[at];
    let id = render.index.of_slot(at, slot);
    let slot = &consumer.slots[slot];
    if let Some(left) = slot.left.clone().or_else(|| consumer.left.clone()) {
        return Verdict::Left(left);
    }
    let query = consumer.query(slot, render.namespaces[at]);
    let current = query.current;
    let Some(winner) = choose::winner(&query, render.inventory) else {
        let is_splittable =
            slot.listed == slot.hosts.len() && slot.listed > 1 && consumer.row.splits && slot.is_entry();
        let groups = if is_splittable { choose::split(&query, render.inventory) } else { None };
        return match groups {
            Some(_) if is_chosen(render, id, consumer, slot) => Verdict::Left(Left::Chosen),
            Some(groups) if can_split(render, consumer, slot, &groups) => Verdict::Split(groups),
            Some(_) => Verdict::Left(Left::Layout),
            None => Verdict::Left(no_winner(render, at, &query, slot)),
        };
    };
    if Some(winner.id.name.as_str()) == current {
        return Verdict::Keep(winner);
    }
    if is_chosen(render, id, consumer, slot) {
        return Verdict::Left(Left::Chosen);
    }
    if !slot.spelling.can_write(&winner.id.name) {
        return Verdict::Left(Left::Undotted(winner.id.name.clone()));
    }
    match reduced(render, id, consumer, slot, winner) {
        Some(host) => Verdict::Left(Left::ReducesCoverage(host)),
        None => Verdict::Rewrite(winner),
    }
}

/// Whether the text of the entry can be given to several Secrets.
fn can_split(render: &Render<'_, '_>, consumer: &Consumer<'_>, slot: &Slot, groups: &[(Vec<usize>, &Secret)]) -> bool {
    let groups = named(groups);
    let document = render.manifest.document(consumer.document);
    document.is_some_and(|document| consumer.split(document, slot, &groups, &mut Edits::default()).is_ok())
}

/// The groups of a split with the names of their Secrets.
pub(super) fn named(groups: &[(Vec<usize>, &Secret)]) -> Vec<(Vec<usize>, String)> {
    groups.iter().map(|(hosts, secret)| (hosts.clone(), secret.id.name.clone())).collect()
}

/// Why no secret serves the slot.
fn no_winner(render: &Render<'_, '_>, at: usize, query: &Query<'_>, slot: &Slot) -> Left {
    let any = Query { permitted: None, ..*query };
    let barred = query.permitted.and_then(|_| choose::winner(&any, render.inventory));
    match (barred, render.consumers[at].row.permission) {
        (Some(secret), Some(permission)) => Left::NotPermitted { permission, secret: secret.id.clone() },
        _ => Left::not_covered(query, &slot.hosts, render.inventory),
    }
}

/// R8: the Secret exists, nothing in the render produces it, it is usable, covers the hosts, and is
/// not cert-manager's.
fn is_chosen(render: &Render<'_, '_>, id: SecretId, consumer: &Consumer<'_>, slot: &Slot) -> bool {
    let (namespace, name) = render.index.name(id);
    !render.settings.all_slots
        && !render.index.is_produced(id)
        && render.inventory.get(namespace, name).is_some_and(|secret| {
            secret.is_usable()
                && secret.producer.is_none()
                && slot.names.iter().all(|name| choose::covers(secret, name, consumer.row.span))
        })
}

/// R15: the first host of the rules that no slot lists, that the slot's certificate serves now, and
/// that `winner` would not serve (ingress-nginx takes any entry whose certificate fits the host).
fn reduced(
    render: &Render<'_, '_>,
    id: SecretId,
    consumer: &Consumer<'_>,
    slot: &Slot,
    winner: &Secret,
) -> Option<String> {
    if consumer.unlisted.is_empty() && !slot.open {
        return None;
    }
    let span = consumer.row.span;
    let certificates = render.index.certificates(id);
    let asked: Vec<String> = certificates.flat_map(|at| render.certificates[at].spec.names.clone()).collect();
    let (namespace, name) = render.index.name(id);
    let named = render.inventory.get(namespace, name);
    if slot.open {
        // Routes of other releases can attach: every name of its certificate may be served.
        let now = named.filter(|secret| secret.is_usable()).and_then(|secret| secret.certificate.as_ref());
        let names = asked.iter().chain(now.iter().flat_map(|certificate| &certificate.dns_names));
        let is_lost = |name: &&String| {
            HostName::parse(name).is_ok_and(|name| !choose::covers(winner, &name, choose::WildcardSpan::OneLabel))
        };
        return names.into_iter().find(is_lost).cloned();
    }
    let (asked, _) = DnsNames::read(&asked);
    let served_now = |name: &HostName| {
        asked.cover(name, span) != choose::Cover::No || named.is_some_and(|secret| choose::covers(secret, name, span))
    };
    let lost = consumer.unlisted.iter().find(|(_, name)| served_now(name) && !choose::covers(winner, name, span));
    lost.map(|(host, _)| host.clone())
}

/// R12: a trigger that someone else owns on the live object.
pub(super) fn foreign_trigger(render: &Render<'_, '_>, at: usize) -> Option<Left> {
    let Live::Known(objects) = render.live else { return None };
    let ForeignTrigger { key, manager, command } = objects.triggers.get(&render.key(at))?.first()?.clone();
    Some(Left::ForeignTrigger { key, manager, command })
}

/// R10: a slot names a routing secret, and the object's trigger is what produces that secret.
fn produced_by_trigger(render: &Render<'_, '_>, at: usize) -> Option<Left> {
    let consumer = &render.consumers[at];
    let issuer = LazyCell::new(|| {
        let gateway = render.family.gateway(at).map(|gateway| &render.consumers[gateway]);
        let issuers = std::iter::once(consumer).chain(gateway).map(certificate::issuer_of);
        issuers.into_iter().find(|issuer| !issuer.is_empty()).unwrap_or_default()
    });
    let mut written = consumer.slots.iter().filter(|slot| render.writes(at, slot));
    let is_produced = written.any(|slot| {
        render.inventory.get(render.namespace(at, slot), &slot.secret_name).is_some_and(|secret| {
            secret.routing
                && secret.producer.as_ref().is_some_and(|producer| {
                    producer.certificate_name == secret.id.name
                        && *issuer == format!("{}/{}", producer.issuer_kind, producer.issuer_name)
                })
        })
    });
    is_produced.then_some(Left::ProducedByTrigger)
}

/// R10: all or nothing. One slot that stays keeps the triggers, and they keep every slot.
fn stays_for_a_slot(consumer: &Consumer<'_>, slots: &[Verdict<'_>]) -> Option<Left> {
    consumer.slots.iter().zip(slots).find_map(|(slot, verdict)| match verdict {
        Verdict::Left(Left::NoHosts | Left::NoRouteHosts) => None,
        // Nobody needs a trigger that does nothing for the slot.
        _ if consumer.triggers_for(slot).next().is_none() => None,
        Verdict::Left(left) => Some(Left::TriggerStays(format!("{}: {left}", slot.path))),
        _ => None,
    })
}

/// R10: why a Secret that the consumer's trigger produces is needed although nothing that stays
/// produces it.
fn needed_secret(
    render: &Render<'_, '_>,
    proofs: &super::facts::Proofs,
    judged: &Judged<'_>,
    uses: &Uses<'_>,
    certificates: &[Option<Keep>],
    at: usize,
) -> Option<Keep> {
    let consumer = &render.consumers[at];
    if judged.whole.is_some() {
        return None;
    }
    let rewritten = (0..consumer.slots.len()).filter(|&slot| judged.is_rewritten(slot));
    let mut needed = rewritten.filter(|&slot| {
        render.writes(at, &consumer.slots[slot])
            && !render.stays_produced(uses, certificates, render.index.of_slot(at, slot))
    });
    needed.find_map(|slot| proofs.keep_secret(render, uses, at, slot))
}
