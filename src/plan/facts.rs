//! What the conditions of R13 are judged by: the render as a whole, and the occurrences of names.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::decide::{Judged, SlotIndex, Verdict};
use super::family::Family;
use super::{Live, Settings};
use crate::certificate::{Certificate, CertificateSpec, Facts, Keep, keep, of_trigger};
use crate::choose::{self, HostName};
use crate::consumers::trigger::{Actor, Trigger};
use crate::consumers::{Consumer, Left, Slot};
use crate::inventory::Inventory;
use crate::manifest::mention::{EVERY, Mention, Names};
use crate::manifest::object::{Object, objects};
use crate::manifest::{Document, Manifest, NodeId};
use crate::secret::{ObjectName, Secret};

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
    pub namespaces: &'r [String],
    /// The Certificates, in the order of the stream.
    pub certificates: &'r [Certificate<'r>],
    /// The namespace of each Certificate.
    pub certificate_namespaces: &'r [String],
    /// The TLS Secrets that the chart itself makes.
    pub chart_made: &'r HashSet<(String, String)>,
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
    pub(super) slots: SlotIndex,
    pub(super) produced: HashMap<(String, String), Vec<usize>>,
    pub(super) triggered: HashSet<(String, String)>,
    pub(super) family: Family,
}

impl Render<'_, '_> {
    /// Fills the indices by Secret.
    pub(super) fn index(&mut self) {
        self.family = Family::of(self);
        for (at, consumer) in self.consumers.iter().enumerate() {
            for (slot, named) in consumer.slots.iter().enumerate() {
                let key = (self.namespace(at, named).to_owned(), named.secret_name.clone());
                if self.writes(at, named) {
                    self.triggered.insert(key.clone());
                }
                self.slots.entry(key).or_default().push((at, slot));
            }
        }
        for (at, certificate) in self.certificates.iter().enumerate() {
            let key = (self.certificate_namespaces[at].clone(), certificate.spec.secret_name.clone());
            self.produced.entry(key).or_default().push(at);
        }
    }

    /// The namespace of the Secret that a consumer's slot names (R6).
    pub(super) fn namespace<'a>(&'a self, at: usize, slot: &'a Slot) -> &'a str {
        slot.namespace.as_deref().unwrap_or(&self.namespaces[at])
    }

    /// Whether a trigger makes an issuer write into the Secret of a consumer's slot.
    pub(super) fn writes(&self, at: usize, slot: &Slot) -> bool {
        slot.listed > 0 && self.writers(at, slot).next().is_some()
    }

    /// The triggers, its own and those of its Gateway, that make issuers write into a consumer's slot.
    pub(super) fn writers<'a>(&'a self, at: usize, slot: &'a Slot) -> impl Iterator<Item = &'a Trigger> {
        let gateway = self.family.gateway(at).map(|gateway| &self.consumers[gateway]);
        let all = std::iter::once(&self.consumers[at]).chain(gateway);
        all.flat_map(|consumer| consumer.triggers_for(slot)).filter(|trigger| trigger.actor == Actor::Secret)
    }

    /// `group/kind/namespace/name` of a consumer, as [`Live`] names it.
    pub(super) fn key(&self, at: usize) -> String {
        let object = &self.consumers[at].object;
        format!("{}/{}/{}/{}", object.group, object.kind, self.namespaces[at], object.name)
    }

    fn slots_of(&self, namespace: &str, name: &str) -> &[(usize, usize)] {
        self.slots.get(&(namespace.to_owned(), name.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// The Certificates of the render that produce a Secret.
    pub(super) fn certificates_of(&self, namespace: &str, name: &str) -> &[usize] {
        self.produced.get(&(namespace.to_owned(), name.to_owned())).map_or(&[], Vec::as_slice)
    }

    fn is_chart_made(&self, namespace: &str, name: &str) -> bool {
        self.chart_made.contains(&(namespace.to_owned(), name.to_owned()))
    }

    /// Whether anything in the render produces the Secret.
    pub(super) fn is_produced(&self, namespace: &str, name: &str) -> bool {
        !self.certificates_of(namespace, name).is_empty()
            || self.is_chart_made(namespace, name)
            || self.triggered.contains(&(namespace.to_owned(), name.to_owned()))
    }

    /// Whether something that stays in the render goes on producing the Secret.
    pub(super) fn stays_produced(
        &self,
        uses: &Uses<'_>,
        certificates: &[Option<Keep>],
        namespace: &str,
        name: &str,
    ) -> bool {
        self.certificates_of(namespace, name).iter().any(|&at| certificates[at].is_some())
            || self.is_chart_made(namespace, name)
            || uses.of(namespace, name).is_some_and(|of| of.trigger_stays)
    }

    /// What the verdicts mean for each Secret that slots name.
    pub(super) fn uses<'i>(&self, consumers: &[Judged<'i>]) -> Uses<'i> {
        let of = |slots: &[(usize, usize)]| {
            let mut of = Use::default();
            for &(at, slot) in slots {
                let (consumer, judged) = (&self.consumers[at], &consumers[at]);
                if of.left.is_none() && !judged.is_rewritten(slot) {
                    of.left = Some((at, slot));
                }
                of.trigger_stays |= judged.whole.is_some() && self.writes(at, &consumer.slots[slot]);
                match &judged.slots[slot] {
                    _ if judged.whole.is_some() => {}
                    Verdict::Rewrite(secret) | Verdict::Keep(secret) => {
                        of.used.insert(&secret.id, secret);
                    }
                    Verdict::Split(groups) => {
                        of.used.extend(groups.iter().map(|&(_, secret)| (&secret.id, secret)));
                    }
                    Verdict::Left(_) => {}
                }
            }
            of
        };
        Uses(self.slots.iter().map(|(key, slots)| (key.clone(), of(slots))).collect())
    }

    /// Looks up the names that the decisions will depend on, once.
    pub(super) fn proofs(&self, consumers: &[Judged<'_>]) -> Proofs {
        let mut names = HashSet::new();
        for ((namespace, name), slots) in &self.slots {
            let is_rewritten = slots.iter().any(|&(at, slot)| consumers[at].is_rewritten(slot));
            if is_rewritten && !name.is_empty() && self.is_produced(namespace, name) {
                names.insert(name.clone());
            }
        }
        if names.is_empty() {
            return Proofs::default();
        }
        let namespaces = self.namespaces.iter().chain(self.certificate_namespaces).cloned();
        let names = Names::new(names, namespaces);
        let mentions = self.manifest.mentions(&names);
        let mut own: HashSet<(usize, NodeId)> = HashSet::new();
        for certificate in self.certificates {
            own.extend(certificate.own.iter().map(|&node| (certificate.document, node)));
        }
        for consumer in self.consumers {
            // A slot of which nobody can say which Secret it names needs every one of that name.
            let is_open = |left: &Option<Left>| left.as_ref().is_some_and(Left::leaves_secret_open);
            let slots = consumer.slots.iter().filter(|slot| !is_open(&slot.left) && !is_open(&consumer.left));
            own.extend(slots.flat_map(|slot| &slot.nodes).map(|&node| (consumer.document, node)));
            if let Some(document) = self.manifest.document(consumer.document) {
                own.extend(consumer.host_nodes(document).into_iter().map(|node| (consumer.document, node)));
            }
        }
        let is_foreign = |mention: &&Mention| mention.node.is_none_or(|node| !own.contains(&(mention.document, node)));
        let mentioned = mentions
            .into_iter()
            .filter_map(|(name, mentions)| {
                let mention = mentions.iter().find(is_foreign)?;
                Some((name.to_owned(), self.place(mention, name)))
            })
            .collect();
        Proofs { mentioned, injected: self.manifest.injected() }
    }

    /// The document of a mention by its number, with the object in it that names the Secret.
    fn place(&self, mention: &Mention, name: &str) -> String {
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
    /// The secrets that serve its slots' hosts now.
    used: BTreeMap<&'i ObjectName, &'i Secret>,
}

/// What the verdicts mean for each Secret that slots name.
#[derive(Clone, Debug, Default)]
pub(super) struct Uses<'i>(HashMap<(String, String), Use<'i>>);

impl<'i> Uses<'i> {
    fn of(&self, namespace: &str, name: &str) -> Option<&Use<'i>> {
        self.0.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// The secrets that serve the hosts of the slots that named this Secret, by name.
    pub(super) fn used(&self, namespace: &str, name: &str) -> Vec<&'i Secret> {
        self.of(namespace, name).map(|of| of.used.values().copied().collect()).unwrap_or_default()
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
        let namespace = &render.certificate_namespaces[at];
        let mut facts = self.facts(render, uses, namespace, &certificate.spec, certificate.object.name);
        facts.keep_all = render.settings.keep_certificates;
        facts.fixed = certificate.fixed.clone();
        keep(&certificate.spec, &facts)
    }

    /// Why the Secret that a consumer's trigger would produce for a slot is needed (R10).
    pub(super) fn keep_secret(
        &self,
        render: &Render<'_, '_>,
        uses: &Uses<'_>,
        namespace: &str,
        consumer: &Consumer<'_>,
        slot: &Slot,
    ) -> Option<Keep> {
        let spec = of_trigger(consumer, slot);
        let facts = self.facts(render, uses, namespace, &spec, &slot.secret_name);
        keep(&spec, &facts)
    }

    fn facts(
        &self,
        render: &Render<'_, '_>,
        uses: &Uses<'_>,
        namespace: &str,
        spec: &CertificateSpec,
        certificate_name: &str,
    ) -> Facts {
        let name = &spec.secret_name;
        let slots = render.slots_of(namespace, name);
        let of = uses.of(namespace, name);
        let slot_left = of.and_then(|of| of.left).map(|(at, slot)| {
            let consumer = &render.consumers[at];
            format!("{} {} ({})", consumer.object.kind, consumer.object.name, consumer.slots[slot].path)
        });
        // Kinds whose wildcard spans more labels are the stricter ones.
        let span = slots.iter().map(|&(at, _)| render.consumers[at].row.span).max();
        let span = span.unwrap_or(choose::WildcardSpan::OneLabel);
        let not_covered = spec.names.iter().find(|name| {
            HostName::parse(name).map_or(true, |name| {
                !of.is_some_and(|of| of.used.values().any(|secret| choose::covers(secret, &name, span)))
            })
        });
        let is_source =
            render.settings.sources.iter().any(|source| source.namespace == namespace && source.name == *name);
        Facts {
            keep_all: false,
            has_slot: !slots.is_empty(),
            slot_left,
            mentioned: self.mentioned.get(name).cloned(),
            injected: self.injected.contains(EVERY)
                || self.injected.contains(&format!("{namespace}/{certificate_name}")),
            read_by_name: READ_BY_NAME.contains(&name.as_str())
                || render.settings.keep_secrets.iter().any(|kept| kept == name),
            not_covered: not_covered.cloned(),
            is_routing_secret: is_source
                || render.inventory.get(namespace, name).is_some_and(|secret| secret.routing || secret.replicated)
                || render.inventory.is_mirror_source(namespace, name),
            fixed: None,
        }
    }
}
