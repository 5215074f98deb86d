//! Reads a consumer from its document by its row: hosts, slots, triggers, and what forbids an edit.

use std::collections::{BTreeSet, HashSet};

use super::elsewhere::{Spelled, Spelling};
use super::path::{blocks, items_or_self, join, names};
use super::trigger::{self, Actor, Class, ROUTER_RESOLVER, ROUTER_TLS, Trigger};
use super::{Hosts, IGNORE, Left, NodeId, Row, row, rule};
use crate::choose::HostName;
use crate::manifest::document::{Document, NodeKind};
use crate::manifest::edit::{Edits, TlsEntry, UnsupportedLayout};
use crate::manifest::object::Object;

/// Names that are served with the slots' certificates though no slot lists them.
#[derive(Clone, Debug, Default)]
pub struct Served<'d> {
    /// The hosts of the rules.
    pub rules: Vec<&'d str>,
    /// Further names that every slot's certificate has to serve.
    pub aliases: Vec<&'d str>,
    /// Whether each host is also served with `www.` added or taken away.
    pub www: bool,
}

/// One place that names a TLS Secret.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The path of the name, for people and programs.
    pub path: String,
    /// The hosts as the manifest spells them; the first `listed` are the slot's own.
    pub hosts: Vec<String>,
    /// The same, normalised.
    pub names: Vec<HostName>,
    /// How many of the hosts the slot lists itself; the rest are aliases.
    pub listed: usize,
    /// The Secret's name; empty where a resolver stands in its place (R8).
    pub secret_name: String,
    /// The namespace of the Secret, where the slot names another one than the object's own (R6).
    pub namespace: Option<String>,
    /// The only Secrets of that namespace that the slot may name, where permission is needed and names them.
    pub permitted: Option<BTreeSet<String>>,
    /// How the object spells the name.
    pub spelling: Spelling,
    /// Whether cert-manager orders a certificate for the slot when the object asks for one.
    pub shim: bool,
    /// Whether it is a listener without a hostname, whose hosts are those of routes that are known here.
    pub open: bool,
    /// The scalars that name the Secret, or the resolver's key; the last one counts.
    pub nodes: Vec<NodeId>,
    /// Why the slot is left alone whatever the secrets are.
    pub left: Option<Left>,
    /// The TLS block, the entry or the listener that names the Secret.
    pub tls: NodeId,
    pub(super) list: Option<NodeId>,
}

impl Slot {
    /// Whether the slot is an entry of a list.
    #[must_use]
    pub fn is_entry(&self) -> bool {
        self.list.is_some()
    }

    /// The hosts that the slot lists itself.
    #[must_use]
    pub fn listed_hosts(&self) -> &[String] {
        &self.hosts[..self.listed]
    }
}

/// An object that names hosts and the Secrets they are served with.
#[derive(Debug)]
pub struct Consumer<'d> {
    /// The index of its document in the stream.
    pub document: usize,
    /// The object.
    pub object: Object<'d>,
    /// Its kind's row.
    pub row: &'static Row,
    /// Its slots.
    pub slots: Vec<Slot>,
    /// Its triggers.
    pub triggers: Vec<Trigger<'d>>,
    /// The keys that only shape what the triggers produce, with their values.
    pub companions: Vec<Trigger<'d>>,
    /// Annotations of cert-manager's that are not known here: they may ask for anything.
    pub unknown: Vec<String>,
    /// The labels of the pods that read the Secrets, as a selector; empty where the kind or the object names none.
    pub pods: String,
    /// The kind and name of the object that must go on naming the same Secret.
    pub partner: Option<(&'static str, String)>,
    /// The hosts of the rules that no slot lists, and how they are compared.
    pub unlisted: Vec<(String, HostName)>,
    /// Why the whole object is left alone.
    pub left: Option<Left>,
    /// Keys that occur twice; of each the last one counts.
    pub repeated: Vec<String>,
}

/// Reads the object if its kind is in the table.
#[must_use]
pub fn read<'d>(
    index: usize,
    document: &'d Document<'_>,
    object: Object<'d>,
    further_triggers: &[String],
) -> Option<Consumer<'d>> {
    let row = row(&object)?;
    let served = (row.served)(document, &object);
    let mut consumer = Consumer {
        document: index,
        left: None,
        object,
        row,
        slots: Vec::new(),
        triggers: Vec::new(),
        companions: Vec::new(),
        unknown: Vec::new(),
        pods: String::new(),
        partner: None,
        unlisted: Vec::new(),
        repeated: Vec::new(),
    };
    consumer.read_slots(document, &served);
    consumer.read_relations(document);
    consumer.read_annotations(document, further_triggers);
    consumer.find_unlisted(&served);
    consumer.left = consumer.find_left(document);
    Some(consumer)
}

impl<'d> Consumer<'d> {
    fn read_slots(&mut self, document: &'d Document<'_>, served: &Served<'d>) {
        // Every duplicate is read and edited, so that no reader sees an old one.
        for tls in std::iter::once(&self.row.tls).chain(self.row.further_tls) {
            let blocks = blocks(document, self.object.node, tls);
            // Most objects have one slot, and a growing vector would make room for four.
            self.slots.reserve_exact(blocks.len());
            for (block, path, list) in blocks {
                // An entry that is an alias is a slot all the same, to be left.
                if list.is_some() || matches!(document.kind(document.resolve(block)), NodeKind::Mapping { .. }) {
                    self.read_slot(document, served, &path, block, list);
                }
            }
        }
    }

    fn read_slot(
        &mut self,
        document: &'d Document<'_>,
        served: &Served<'d>,
        path: &str,
        tls: NodeId,
        list: Option<NodeId>,
    ) {
        let name_path = self.row.name_path(document, tls);
        let found = names(document, tls, name_path);
        let named = found.last().copied();
        let named = named.filter(|&(node, _)| document.text(node).is_some_and(|text| !text.is_empty()));
        let trigger = self.row.block_trigger.and_then(|trigger| {
            let (key, value) = document.all(tls, trigger.key).last()?;
            let is_empty = matches!(document.kind(document.resolve(value)), NodeKind::Scalar(_))
                && document.text(value).is_none_or(str::is_empty);
            (!is_empty).then_some((trigger, key, value))
        });
        let (nodes, path) = match (named, trigger) {
            (Some((_, items)), _) => (found.iter().map(|&(node, _)| node).collect(), join(path, name_path, items)),
            (None, Some((trigger, key, _))) if trigger.replaces_name => (vec![key], format!("{path}.{}", trigger.key)),
            (None, _) => return self.read_inline(document, path, tls, list),
        };
        if let Some((trigger, node, value)) = trigger {
            let value = document.text(value).unwrap_or_default();
            let key = format!("{}.{}", self.row.tls.join("."), trigger.key).into();
            self.triggers.push(Trigger { key, value, actor: trigger.actor, node });
        }
        let written = named.and_then(|(node, _)| document.text(node)).unwrap_or_default();
        let spelled = (self.row.spelled)(document, tls, written);
        let misspelled = spelled.as_ref().err().cloned();
        let Spelled { name, namespace, spelling } = spelled.unwrap_or_else(|_| Spelled::plain(written));
        let mut slot = Slot {
            path,
            hosts: Vec::new(),
            names: Vec::new(),
            listed: 0,
            secret_name: name,
            namespace: namespace.or_else(|| self.secret_namespace(document, tls)),
            permitted: None,
            spelling,
            shim: true,
            open: false,
            nodes,
            left: misspelled.or_else(|| self.skipped(document, tls)),
            tls,
            list,
        };
        match self.slot_hosts(document, tls) {
            Ok(hosts) => slot.hosts = hosts,
            Err(left) => slot.left = Some(left),
        }
        slot.listed = slot.hosts.len();
        // Where the shim skips an entry or listener (cert-manager `certificate-shim/sync.go: validate…Block`).
        slot.shim =
            slot.listed > 0 && !matches!(slot.left, Some(Left::Passthrough(_) | Left::NoTls(_) | Left::NoSecret));
        if slot.left.is_none() && slot.hosts.is_empty() {
            slot.left = Some(Left::NoHosts);
        }
        if slot.secret_name.is_empty() && !found.is_empty() {
            // An empty name beside the resolver would count instead of ours.
            slot.left = Some(Left::Layout);
        }
        add_aliases(served, &mut slot);
        slot.read_names(self.row);
        let mut keys: Vec<&str> = self.row.secret_name.iter().take(1).copied().collect();
        if let Hosts::Entry([key]) = self.row.hosts {
            keys.push(key);
        }
        self.repeated.extend(document.repeats(tls, &keys));
        self.repeated.extend(document.repeats(self.object.node, &["metadata", "spec"]));
        self.slots.push(slot);
    }

    /// Why the slot is left alone whatever its hosts and the secrets are.
    fn skipped(&self, document: &Document<'_>, tls: NodeId) -> Option<Left> {
        if let Some(left) = (self.row.skip_slot)(document, tls) {
            return Some(left);
        }
        if let Some(key) = self.row.inline.iter().find(|key| document.get(tls, key).is_some()) {
            return Some(Left::InlineCertificate((*key).to_owned()));
        }
        let is_named = |path: &[&str]| !path.is_empty() && !names(document, tls, path).is_empty();
        if is_named(self.row.secret_names) && is_named(self.row.secret_name) {
            return Some(Left::SeveralSecrets);
        }
        let mut node = tls;
        for key in self.row.name_path(document, tls) {
            node = document.get(node, key)?;
            let mut items = document.items(node);
            let (first, second) = (items.next(), items.next());
            if second.is_some() {
                return Some(Left::SeveralSecrets);
            }
            node = first.unwrap_or(node);
        }
        None
    }

    pub(super) fn slot_hosts(&self, document: &Document<'_>, tls: NodeId) -> Result<Vec<String>, Left> {
        let texts = |node: Option<NodeId>| -> Vec<String> {
            let nodes = node.map_or_else(Vec::new, |node| items_or_self(document, node));
            let mut texts = Vec::with_capacity(nodes.len());
            texts.extend(nodes.into_iter().filter_map(|node| document.text(node).map(str::to_owned)));
            texts
        };
        match &self.row.hosts {
            Hosts::Entry(path) => Ok(texts(document.at(tls, path))),
            Hosts::Object(path) => Ok(texts(document.at(self.object.node, path))),
            Hosts::Name => Ok(vec![self.object.name.to_owned()]),
            Hosts::Rules(matcher) => self.rule_hosts(document, *matcher),
        }
    }

    fn rule_hosts(&self, document: &Document<'_>, matcher: rule::Matcher) -> Result<Vec<String>, Left> {
        let mut hosts: Vec<String> = Vec::new();
        let mut known: HashSet<String> = HashSet::new();
        let routes = document.at(self.object.node, &["spec", "routes"]);
        for route in routes.iter().flat_map(|&routes| document.items(routes)) {
            let syntax = match document.text_at(route, &["syntax"]) {
                Some("v2") => rule::Syntax::V2,
                // Traefik 2's group knows no other syntax.
                _ if self.object.group == "traefik.containo.us" => rule::Syntax::V2,
                _ => rule::Syntax::V3,
            };
            let text = document.text_at(route, &["match"]).unwrap_or_default();
            let found = rule::hosts(text, syntax, matcher).map_err(|error| Left::UndecidableRule(error.to_string()))?;
            hosts.extend(found.into_iter().filter(|host| known.insert(host.clone())));
        }
        Ok(hosts)
    }

    fn find_unlisted(&mut self, served: &Served<'_>) {
        let mut known: HashSet<&str> = self.slots.iter().flat_map(|slot| &slot.hosts).map(String::as_str).collect();
        let unlisted = served.rules.iter().filter(|host| known.insert(host));
        self.unlisted = unlisted.filter_map(|&host| Some((host.to_owned(), HostName::parse(host).ok()?))).collect();
    }

    fn read_annotations(&mut self, document: &'d Document<'_>, further_triggers: &[String]) {
        for annotations in annotation_maps(document, self.object.node) {
            for (key, value) in document.entries(annotations) {
                let Some(name) = document.text(key) else { continue };
                let text = document.text(value).unwrap_or_default();
                let found = trigger::of_row(self.row, name, text, further_triggers);
                let entry = |actor| Trigger { key: name.into(), value: text, actor, node: key };
                match found {
                    Some(Class::Trigger(actor)) => self.triggers.push(entry(actor)),
                    Some(Class::Companion) => self.companions.push(entry(Actor::Secret)),
                    Some(Class::Unknown) => self.unknown.push(name.to_owned()),
                    None => {}
                }
            }
        }
    }

    fn find_left(&self, document: &Document<'_>) -> Option<Left> {
        let object = self.object.node;
        if document.text_at(object, &["metadata", "annotations", IGNORE]) == Some("true") {
            return Some(Left::Ignored);
        }
        if let Some(left) = (self.row.skip)(document, &self.object) {
            return Some(left);
        }
        if self.slots.is_empty() && self.triggers.is_empty() {
            return None;
        }
        if document.has_odd_line_breaks() {
            return Some(Left::LineBreaks);
        }
        let mut around = vec![object];
        around.extend(document.get(object, "metadata"));
        around.extend(annotation_maps(document, object));
        around.extend(document.get(object, "spec"));
        around.extend(self.slots.iter().map(|slot| slot.tls));
        if around.iter().any(|&node| document.has_merge_key(node)) {
            return Some(Left::MergeKey);
        }
        if around.iter().any(|&node| document.kind(node) == NodeKind::Alias) {
            return Some(Left::SharedNode);
        }
        let edited = self.slots.iter().flat_map(|slot| slot.nodes.iter().copied().chain(slot.list));
        let removed = self.triggers.iter().chain(&self.companions);
        let removed = removed.flat_map(|entry| [entry.node, document.following(entry.node)]);
        if edited.chain(removed).any(|node| document.is_shared(node)) {
            return Some(Left::SharedNode);
        }
        self.try_edits(document).err().map(|UnsupportedLayout| Left::Layout)
    }

    /// Whether every edit that a decision could ask for can be made.
    fn try_edits(&self, document: &Document<'_>) -> Result<(), UnsupportedLayout> {
        let mut edits = Edits::default();
        for slot in self.slots.iter().filter(|slot| !matches!(slot.left, Some(Left::InlineCertificate(_)))) {
            self.point(document, slot, "a", &mut edits)?;
        }
        if !self.triggers.is_empty() {
            self.remove_triggers(document, &mut edits)?;
        }
        if edits.overlap() { Err(UnsupportedLayout) } else { Ok(()) }
    }

    /// Points a slot at a Secret.
    ///
    /// # Errors
    /// When the text cannot be edited alone.
    pub fn point(
        &self,
        document: &Document<'_>,
        slot: &Slot,
        secret_name: &str,
        edits: &mut Edits,
    ) -> Result<(), UnsupportedLayout> {
        if slot.secret_name.is_empty() {
            // The trigger's entry becomes the Secret's: no line is added or removed.
            let ([name], Some(trigger)) = (self.row.secret_name, self.row.block_trigger) else {
                return Err(UnsupportedLayout);
            };
            for (key, value) in document.all(slot.tls, trigger.key) {
                edits.set(document, key, name)?;
                edits.set(document, value, secret_name)?;
            }
            return Ok(());
        }
        for &value in &slot.nodes {
            if document.text(value).is_some() {
                edits.set(document, value, &slot.spelling.write(secret_name))?;
            }
        }
        Ok(())
    }

    /// Gives an entry's hosts to several Secrets: the entry keeps the first group's hosts, the
    /// others get entries of their own behind it (R9).
    ///
    /// # Errors
    /// When the text cannot be edited alone.
    pub fn split(
        &self,
        document: &Document<'_>,
        slot: &Slot,
        groups: &[(Vec<usize>, String)],
        edits: &mut Edits,
    ) -> Result<(), UnsupportedLayout> {
        let (Hosts::Entry([key]), [name], Some(list)) = (&self.row.hosts, self.row.secret_name, slot.list) else {
            return Err(UnsupportedLayout);
        };
        let mut entries = document.all(slot.tls, key);
        let (Some((_, hosts)), None) = (entries.next(), entries.next()) else { return Err(UnsupportedLayout) };
        let keys = [*key, *name];
        let only_known =
            document.entries(slot.tls).all(|(key, _)| document.text(key).is_some_and(|key| keys.contains(&key)));
        let Some(((first, secret_name), others)) = groups.split_first() else { return Err(UnsupportedLayout) };
        let items: Vec<NodeId> = document.items(hosts).collect();
        // Aliases belong to every host, so no entry could go without them.
        let only_listed = items.len() == slot.listed && slot.listed == slot.hosts.len();
        if !only_known || !only_listed || document.is_shared(hosts) {
            return Err(UnsupportedLayout);
        }
        let leaving: Vec<NodeId> =
            items.iter().enumerate().filter_map(|(at, &item)| (!first.contains(&at)).then_some(item)).collect();
        self.point(document, slot, secret_name, edits)?;
        edits.remove(document, hosts, &leaving)?;
        let others: Vec<TlsEntry> = others
            .iter()
            .map(|(group, secret_name)| TlsEntry {
                hosts: group.iter().map(|&at| slot.hosts[at].clone()).collect(),
                secret_name: secret_name.clone(),
            })
            .collect();
        edits.insert_after(document, list, slot.tls, &others)
    }

    /// Removes the triggers and what only shapes them.
    ///
    /// # Errors
    /// When the text cannot be edited alone.
    pub fn remove_triggers(&self, document: &Document<'_>, edits: &mut Edits) -> Result<(), UnsupportedLayout> {
        for annotations in annotation_maps(document, self.object.node) {
            let mut leaving = Vec::new();
            let has_router_tls = document.all(annotations, ROUTER_TLS).next().is_some();
            for entry in self.triggers.iter().chain(&self.companions) {
                if !document.contains(annotations, entry.node) {
                    continue;
                }
                if entry.key == ROUTER_RESOLVER && !has_router_tls {
                    // Without this annotation Traefik would turn TLS off for the router.
                    edits.set(document, entry.node, ROUTER_TLS)?;
                    edits.set(document, document.following(entry.node), "true")?;
                } else {
                    leaving.push(entry.node);
                }
            }
            edits.remove(document, annotations, &leaving)?;
        }
        let Some(trigger) = self.row.block_trigger else { return Ok(()) };
        for slot in &self.slots {
            let keys = document.entries(slot.tls).filter(|&(key, _)| {
                let text = document.text(key);
                // A resolver without a name beside it has become the Secret's entry.
                (text.is_some() && text == trigger.companion)
                    || (text == Some(trigger.key) && !slot.secret_name.is_empty())
            });
            let keys: Vec<NodeId> = keys.map(|(key, _)| key).collect();
            if self.triggers.iter().any(|trigger| document.contains(slot.tls, trigger.node)) {
                edits.remove(document, slot.tls, &keys)?;
            }
        }
        Ok(())
    }
}

/// Gives the slot the names that are served with its certificate beside its own.
fn add_aliases(served: &Served<'_>, slot: &mut Slot) {
    if served.aliases.is_empty() && !served.www {
        return;
    }
    let mut aliases: Vec<String> = served.aliases.iter().map(|&alias| alias.to_owned()).collect();
    if served.www {
        aliases.extend(slot.hosts.iter().map(|host| match host.strip_prefix("www.") {
            Some(bare) => bare.to_owned(),
            None => format!("www.{host}"),
        }));
    }
    let mut known: HashSet<String> = slot.hosts.iter().cloned().collect();
    slot.hosts.extend(aliases.into_iter().filter(|alias| known.insert(alias.clone())));
}

/// Every `metadata.annotations` of an object; more than one where keys are duplicated.
fn annotation_maps(document: &Document<'_>, object: NodeId) -> impl Iterator<Item = NodeId> {
    let metadata = document.all(object, "metadata");
    metadata.flat_map(|(_, metadata)| document.all(metadata, "annotations")).map(|(_, annotations)| annotations)
}
