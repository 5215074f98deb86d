//! What the conditions of R13 are judged by: the render as a whole, and the occurrences of names.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::decide::{Judged, Verdict};
use super::family::Family;
use super::index::{Index, SecretId};
use super::{Live, Settings};
use crate::certificate::{Certificate, CertificateSpec, Facts, Keep, keep, of_trigger};
use crate::choose::{self, HostName};
use crate::consumers::trigger::{Actor, Trigger};
use crate::consumers::{Consumer, Left, Slot};
use crate::inventory::Inventory;
use crate::manifest::mention::{EVERY, Mention, Names};
use crate::manifest::object::{Object, objects};
use crate::manifest::{Document, Manifest, NodeId};
use crate::secret::Secret;

/// Secrets that programs are known to read by name through the API (Argo CD's server
/// `util/settings/settings.go`).
pub(crate) const READ_BY_NAME: [&str; 1] = ["argocd-server-tls"];

/// A render with everything that decisions about it depend on.
#[derive(Debug)]
pub(super) struct Render<'r, 'i> {
    /// The stream.
    pub manifest: &'r Manifest<'r>,
    /// The consumers, in the order of the stream.
    pub consumers: &'r [Consumer<'r>],
    /// The namespace of each consumer.
    pub namespaces: &'r [&'r str],
    /// The Certificates, in the order of the stream.
    pub certificates: &'r [Certificate<'r>],
    /// The namespace of each Certificate.
    pub certificate_namespaces: &'r [&'r str],
    /// The issuers of the render.
    pub issuers: &'r [String],
    /// What objects of unknown kinds seem to name, in words.
    pub suspects: &'r [String],
    /// The secrets.
    pub inventory: &'i Inventory,
    /// The live objects.
    pub live: &'r Live,
    /// What the user asked for.
    pub settings: &'r Settings,
    /// The Secrets that are named.
    pub(super) index: Index<'r>,
    pub(super) family: Family,
}

/// The namespace of the Secret that a slot names, if `own` is its object's (R6).
pub(super) fn secret_namespace<'a>(own: &'a str, slot: &'a Slot) -> &'a str {
    slot.namespace.as_deref().unwrap_or(own)
}

impl Render<'_, '_> {
    /// The namespace of the Secret that a consumer's slot names (R6).
    pub(super) fn namespace<'a>(&'a self, at: usize, slot: &'a Slot) -> &'a str {
        secret_namespace(self.namespaces[at], slot)
    }

    /// Whether a trigger makes an issuer write into the Secret of a consumer's slot.
    pub(super) fn writes(&self, at: usize, slot: &Slot) -> bool {
        slot.listed > 0 && self.writers(at, slot).next().is_some()
    }

    /// The triggers, its own and those of its Gateway, that make issuers write into a consumer's slot.
    pub(super) fn writers<'a>(&'a self, at: usize, slot: &'a Slot) -> impl Iterator<Item = &'a Trigger<'a>> {
        let gateway = self.family.gateway(at).map(|gateway| &self.consumers[gateway]);
        let all = std::iter::once(&self.consumers[at]).chain(gateway);
        all.flat_map(|consumer| consumer.triggers_for(slot)).filter(|trigger| trigger.actor == Actor::Secret)
    }

    /// `group/kind/namespace/name` of a consumer, as [`Live`] names it.
    pub(super) fn key(&self, at: usize) -> String {
        let object = &self.consumers[at].object;
        format!("{}/{}/{}/{}", object.group, object.kind, self.namespaces[at], object.name)
    }

    /// Whether something that stays in the render goes on producing the Secret.
    pub(super) fn stays_produced(&self, uses: &Uses<'_>, certificates: &[Option<Keep>], id: SecretId) -> bool {
        self.index.certificates(id).any(|at| certificates[at].is_some())
            || self.index.is_chart_made(id)
            || uses.of(id).trigger_stays
    }

    /// What the verdicts mean for each Secret.
    pub(super) fn uses<'i>(&self, consumers: &[Judged<'i>]) -> Uses<'i> {
        let of = |id: usize| {
            let mut of = Use::default();
            for (at, slot) in self.index.slots(id as SecretId) {
                let (consumer, judged) = (&self.consumers[at], &consumers[at]);
                if of.left.is_none() && !judged.is_rewritten(slot) {
                    of.left = Some((at, slot));
                }
                of.trigger_stays |= judged.whole.is_some() && self.writes(at, &consumer.slots[slot]);
                match &judged.slots[slot] {
                    _ if judged.whole.is_some() => {}
                    Verdict::Rewrite(secret) | Verdict::Keep(secret) => of.used.push(secret),
                    Verdict::Split(groups) => of.used.extend(groups.iter().map(|&(_, secret)| secret)),
                    Verdict::Left(_) => {}
                }
            }
            of.used.sort_by_key(|secret| &secret.id);
            of.used.dedup_by_key(|secret| &secret.id);
            of
        };
        Uses((0..self.index.len()).into_par_iter().map(of).collect())
    }

    /// Looks up the names that the decisions will depend on, once.
    pub(super) fn proofs(&self, consumers: &[Judged<'_>]) -> Proofs {
        let name = |id: usize| {
            let id = id as SecretId;
            let is_rewritten = self.index.slots(id).any(|(at, slot)| consumers[at].is_rewritten(slot));
            let (_, name) = self.index.name(id);
            (is_rewritten && !name.is_empty() && self.index.is_produced(id)).then_some(name)
        };
        let names: Vec<&str> = (0..self.index.len()).into_par_iter().filter_map(name).collect();
        if names.is_empty() {
            return Proofs::default();
        }
        let namespaces = self.namespaces.iter().chain(self.certificate_namespaces);
        let names = Names::new(names.into_iter().map(Cow::from), namespaces.map(|&namespace| namespace.into()));
        let mentioned = self.manifest.mentioned(&names, |document| self.own(document)).into_iter();
        let mentioned = mentioned.map(|(name, mention)| (name.to_owned(), self.place(mention, name)));
        Proofs { mentioned: mentioned.collect(), injected: self.manifest.injected() }
    }

    /// The scalars of a document in which the name of a Secret means no further use of it, in order.
    fn own(&self, document: usize) -> Vec<NodeId> {
        let mut own = Vec::new();
        let first = self.certificates.partition_point(|certificate| certificate.document < document);
        for certificate in self.certificates[first..].iter().take_while(|of| of.document == document) {
            own.extend(&certificate.own);
        }
        let Some(parsed) = self.manifest.document(document) else { return own };
        for consumer in self.index.consumers(document).map(|at| &self.consumers[at]) {
            // A slot of which nobody can say which Secret it names needs every one of that name.
            let is_open = |left: &Option<Left>| left.as_ref().is_some_and(Left::leaves_secret_open);
            let slots = consumer.slots.iter().filter(|slot| !is_open(&slot.left) && !is_open(&consumer.left));
            own.extend(slots.flat_map(|slot| &slot.nodes));
            own.extend(consumer.host_nodes(parsed));
        }
        own.sort_unstable();
        own
    }

    /// The document of a mention by its number, with the object in it that names the Secret.
    fn place(&self, mention: Mention, name: &str) -> String {
        let index = mention.document;
        let bytes = &self.manifest.input()[self.manifest.documents()[index].clone()];
        let object = Document::parse(bytes).ok().and_then(|document| {
            let objects = objects(&document);
            let names_it = |object: &&Object<'_>| match mention.node {
                Some(node) => document.contains(object.node, node),
                None => document.scalars(object.node).any(|(_, text)| text.contains(name)),
            };
            let object = objects.iter().find(names_it).or_else(|| objects.first());
            object.map(|object| format!(" ({} {})", object.kind, object.name))
        });
        format!("document {}{}", index + 1, object.unwrap_or_default())
    }
}

/// What the verdicts mean for one Secret.
#[derive(Clone, Debug, Default)]
pub(super) struct Use<'i> {
    /// The first slot that names it and is not rewritten.
    left: Option<(usize, usize)>,
    /// Whether a trigger that stays produces it.
    trigger_stays: bool,
    /// The secrets that serve its slots' hosts now, by name.
    used: Vec<&'i Secret>,
}

/// What the verdicts mean for each Secret of the render.
#[derive(Debug, Default)]
pub(super) struct Uses<'i>(Vec<Use<'i>>);

impl<'i> Uses<'i> {
    fn of(&self, id: SecretId) -> &Use<'i> {
        &self.0[id as usize]
    }

    /// The secrets that serve the hosts of the slots that named this Secret, by name.
    pub(super) fn used(&self, id: SecretId) -> &[&'i Secret] {
        &self.of(id).used
    }
}

/// What was looked up for a render: it does not change while decisions do.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    /// Each name that occurs elsewhere, with the first place.
    mentioned: HashMap<String, String>,
    /// `namespace/name` of each Certificate whose CA is injected.
    injected: HashSet<String>,
}

impl Proofs {
    /// Why the Certificate with this index stays; `None` when it may be dropped.
    pub(super) fn keep_certificate(&self, render: &Render<'_, '_>, uses: &Uses<'_>, at: usize) -> Option<Keep> {
        let certificate = &render.certificates[at];
        let id = render.index.of_certificate(at);
        let mut facts = self.facts(render, uses, id, &certificate.spec, certificate.object.name);
        facts.keep_all = render.settings.keep_certificates;
        facts.fixed = certificate.fixed.clone();
        keep(&certificate.spec, &facts)
    }

    /// Why the Secret that a consumer's trigger would produce for a slot is needed (R10).
    pub(super) fn keep_secret(
        &self,
        render: &Render<'_, '_>,
        uses: &Uses<'_>,
        consumer: usize,
        slot: usize,
    ) -> Option<Keep> {
        let id = render.index.of_slot(consumer, slot);
        let consumer = &render.consumers[consumer];
        let spec = of_trigger(consumer, &consumer.slots[slot]);
        let facts = self.facts(render, uses, id, &spec, &spec.secret_name);
        keep(&spec, &facts)
    }

    fn facts(
        &self,
        render: &Render<'_, '_>,
        uses: &Uses<'_>,
        id: SecretId,
        spec: &CertificateSpec,
        certificate_name: &str,
    ) -> Facts {
        let (namespace, name) = render.index.name(id);
        let of = uses.of(id);
        let slot_left = of.left.map(|(at, slot)| {
            let consumer = &render.consumers[at];
            format!("{} {} ({})", consumer.object.kind, consumer.object.name, consumer.slots[slot].path)
        });
        // Kinds whose wildcard spans more labels are the stricter ones.
        let span_of_slots = render.index.slots(id).map(|(at, _)| render.consumers[at].row.span).max();
        let span = span_of_slots.unwrap_or(choose::WildcardSpan::OneLabel);
        let not_covered = spec.names.iter().find(|name| {
            HostName::parse(name).map_or(true, |name| !of.used.iter().any(|secret| choose::covers(secret, &name, span)))
        });
        let is_source =
            render.settings.sources.iter().any(|source| source.namespace == namespace && source.name == name);
        Facts {
            keep_all: false,
            has_slot: span_of_slots.is_some(),
            slot_left,
            mentioned: self.mentioned.get(name).cloned(),
            injected: !self.injected.is_empty()
                && (self.injected.contains(EVERY)
                    || self.injected.contains(&format!("{namespace}/{certificate_name}"))),
            read_by_name: READ_BY_NAME.contains(&name) || render.settings.keep_secrets.iter().any(|kept| kept == name),
            not_covered: not_covered.cloned(),
            is_routing_secret: is_source
                || render.inventory.get(namespace, name).is_some_and(|secret| secret.routing || secret.replicated)
                || render.inventory.is_mirror_source(namespace, name),
            fixed: None,
        }
    }
}
