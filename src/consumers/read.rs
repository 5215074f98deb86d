//! Reads a consumer from its document by its row: hosts, slots, triggers, and what forbids an edit.

use std::collections::HashSet;

use super::trigger::{self, Actor, Class, ROUTER_RESOLVER, ROUTER_TLS, Trigger};
use super::{Hosts, IGNORE, Left, NodeId, Row, row, rule};
use crate::choose::HostName;
use crate::manifest::document::{Document, NodeKind};
use crate::manifest::edit::{Edits, TlsEntry, UnsupportedLayout};
use crate::manifest::object::Object;

/// Names that are served with the slots' certificates though no slot lists them.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// The hosts of the rules.
    pub rules: Vec<String>,
    /// Further names that every slot's certificate has to serve.
    pub aliases: Vec<String>,
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
    /// The scalars that name the Secret, or the resolver's key; the last one counts.
    pub nodes: Vec<NodeId>,
    /// Why the slot is left alone whatever the secrets are.
    pub left: Option<Left>,
    tls: NodeId,
    list: Option<NodeId>,
}

impl Slot {
    /// Whether the slot is an entry of a list, so that its hosts can be given to several Secrets.
    #[must_use]
    pub fn splits(&self) -> bool {
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
    pub triggers: Vec<Trigger>,
    /// The keys that only shape what the triggers produce, with their values.
    pub companions: Vec<Trigger>,
    /// Annotations of cert-manager's that are not known here: they may ask for anything.
    pub unknown: Vec<String>,
    /// What else is served with its certificates.
    pub served: Served,
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
    let mut consumer = Consumer {
        document: index,
        served: (row.served)(document, &object),
        left: None,
        object,
        row,
        slots: Vec::new(),
        triggers: Vec::new(),
        companions: Vec::new(),
        unknown: Vec::new(),
        unlisted: Vec::new(),
        repeated: Vec::new(),
    };
    consumer.read_slots(document);
    consumer.read_annotations(document, further_triggers);
    consumer.find_unlisted();
    consumer.left = consumer.find_left(document);
    Some(consumer)
}

impl Consumer<'_> {
    fn read_slots(&mut self, document: &Document<'_>) {
        // Every duplicate is read and edited, so that no reader sees an old one.
        let mut blocks = vec![self.object.node];
        for key in self.row.tls {
            blocks = blocks.iter().flat_map(|&node| document.all(node, key).map(|(_, value)| value)).collect();
        }
        let path = self.row.tls.join(".");
        for block in blocks {
            match document.kind(document.resolve(block)) {
                NodeKind::Sequence { .. } => {
                    for (at, entry) in document.items(block).enumerate() {
                        self.read_slot(document, &format!("{path}[{at}]"), entry, Some(block));
                    }
                }
                NodeKind::Mapping { .. } => self.read_slot(document, &path, block, None),
                _ => {}
            }
        }
    }

    fn read_slot(&mut self, document: &Document<'_>, path: &str, tls: NodeId, list: Option<NodeId>) {
        let key = self.row.secret_name;
        let named = document.get(tls, key).filter(|&node| document.text(node).is_some_and(|text| !text.is_empty()));
        let resolver = self.row.resolver.and_then(|(key, _)| {
            let entry = document.all(tls, key).last()?;
            document.text(entry.1).filter(|text| !text.is_empty()).map(|_| entry.0)
        });
        let (nodes, path) = match (named, resolver) {
            (Some(_), _) => (document.all(tls, key).map(|(_, value)| value).collect(), format!("{path}.{key}")),
            (None, Some(node)) => (vec![node], format!("{path}.{}", document.text(node).unwrap_or_default())),
            (None, None) => return,
        };
        if let (Some(entry), Some((resolver_key, _))) = (resolver, self.row.resolver) {
            let value = document.text_at(tls, &[resolver_key]).unwrap_or_default().to_owned();
            let key = format!("{}.{resolver_key}", self.row.tls.join("."));
            self.triggers.push(Trigger { key, value, actor: Actor::Traefik, node: entry });
        }
        let mut slot = Slot {
            path,
            hosts: Vec::new(),
            names: Vec::new(),
            listed: 0,
            secret_name: named.and_then(|node| document.text(node)).unwrap_or_default().to_owned(),
            nodes,
            left: None,
            tls,
            list,
        };
        match self.slot_hosts(document, tls) {
            Ok(hosts) => slot.hosts = hosts,
            Err(left) => slot.left = Some(left),
        }
        slot.listed = slot.hosts.len();
        if slot.left.is_none() && slot.hosts.is_empty() {
            slot.left = Some(Left::NoHosts);
        }
        if slot.secret_name.is_empty() && document.all(tls, key).next().is_some() {
            // An empty name beside the resolver would count instead of ours.
            slot.left = Some(Left::Layout);
        }
        self.add_aliases(&mut slot);
        for host in &slot.hosts {
            match HostName::parse(host) {
                Ok(name) => slot.names.push(name),
                Err(error) => {
                    slot.left.get_or_insert(Left::UndecidableHost { host: host.clone(), why: error.to_string() });
                }
            }
        }
        for mapping in [Some(tls), Some(self.object.node)].into_iter().flatten() {
            let keys: &[&str] = if mapping == tls { &[key, "hosts"] } else { &["metadata", "spec"] };
            self.repeated.extend(document.repeats(mapping, keys));
        }
        self.slots.push(slot);
    }

    fn slot_hosts(&self, document: &Document<'_>, tls: NodeId) -> Result<Vec<String>, Left> {
        match &self.row.hosts {
            Hosts::Entry(key) => Ok(document
                .get(tls, key)
                .iter()
                .flat_map(|&hosts| document.items(hosts))
                .filter_map(|host| document.text(host).map(str::to_owned))
                .collect()),
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

    fn add_aliases(&self, slot: &mut Slot) {
        let mut aliases = self.served.aliases.clone();
        if self.served.www {
            aliases.extend(slot.hosts.iter().map(|host| match host.strip_prefix("www.") {
                Some(bare) => bare.to_owned(),
                None => format!("www.{host}"),
            }));
        }
        let mut known: HashSet<String> = slot.hosts.iter().cloned().collect();
        slot.hosts.extend(aliases.into_iter().filter(|alias| known.insert(alias.clone())));
    }

    fn find_unlisted(&mut self) {
        let mut known: HashSet<&String> = self.slots.iter().flat_map(|slot| &slot.hosts).collect();
        let unlisted = self.served.rules.iter().filter(|host| known.insert(host));
        self.unlisted = unlisted.filter_map(|host| Some((host.clone(), HostName::parse(host).ok()?))).collect();
    }

    fn read_annotations(&mut self, document: &Document<'_>, further_triggers: &[String]) {
        for annotations in annotation_maps(document, self.object.node) {
            for (key, value) in document.entries(annotations) {
                let Some(name) = document.text(key) else { continue };
                let text = document.text(value).unwrap_or_default();
                let found = trigger::of_row(self.row, name, text, further_triggers);
                let entry = |actor| Trigger { key: name.to_owned(), value: text.to_owned(), actor, node: key };
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
        if self.slots.is_empty() {
            return None;
        }
        if document.source().contains(['\u{85}', '\u{2028}', '\u{2029}']) {
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
        for slot in &self.slots {
            self.point(document, slot, "a", &mut edits)?;
        }
        if !self.triggers.is_empty() {
            self.remove_triggers(document, &mut edits)?;
        }
        Ok(())
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
        let resolver = self.row.resolver.map(|(key, _)| key);
        if slot.secret_name.is_empty() {
            // The resolver's entry becomes the Secret's: no line is added or removed.
            let entries = resolver.into_iter().flat_map(|key| document.all(slot.tls, key));
            for (key, value) in entries {
                edits.set(document, key, self.row.secret_name)?;
                edits.set(document, value, secret_name)?;
            }
            return Ok(());
        }
        for (_, value) in document.all(slot.tls, self.row.secret_name) {
            if document.text(value).is_some() {
                edits.set(document, value, secret_name)?;
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
        let (Hosts::Entry(key), Some(list)) = (&self.row.hosts, slot.list) else { return Err(UnsupportedLayout) };
        let mut entries = document.all(slot.tls, key);
        let (Some((_, hosts)), None) = (entries.next(), entries.next()) else { return Err(UnsupportedLayout) };
        let keys = [*key, self.row.secret_name];
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
        let Some((resolver, order)) = self.row.resolver else { return Ok(()) };
        for slot in &self.slots {
            let keys = document.entries(slot.tls).filter(|&(key, _)| {
                let text = document.text(key);
                // A resolver without a name beside it has become the Secret's entry.
                text == Some(order) || (text == Some(resolver) && !slot.secret_name.is_empty())
            });
            let keys: Vec<NodeId> = keys.map(|(key, _)| key).collect();
            if self.triggers.iter().any(|trigger| document.contains(slot.tls, trigger.node)) {
                edits.remove(document, slot.tls, &keys)?;
            }
        }
        Ok(())
    }
}

impl Consumer<'_> {
    /// The scalars that name hosts: no program takes them for a Secret's name.
    #[must_use]
    pub fn host_nodes(&self, document: &Document<'_>) -> Vec<NodeId> {
        let rules = document.at(self.object.node, &["spec", "rules"]);
        let rules = rules.iter().flat_map(|&rules| document.items(rules));
        let mut nodes: Vec<NodeId> = rules.filter_map(|rule| document.get(rule, "host")).collect();
        if let Hosts::Entry(key) = &self.row.hosts {
            let listed = self.slots.iter().filter_map(|slot| document.get(slot.tls, key));
            nodes.extend(listed.flat_map(|hosts| document.items(hosts).collect::<Vec<_>>()));
        }
        nodes
    }
}

/// Every `metadata.annotations` of an object; more than one where keys are duplicated.
fn annotation_maps(document: &Document<'_>, object: NodeId) -> Vec<NodeId> {
    document
        .all(object, "metadata")
        .flat_map(|(_, metadata)| document.all(metadata, "annotations"))
        .map(|(_, annotations)| annotations)
        .collect()
}
