//! Which routes of the render attach to which listeners of it, and the hosts that listeners get from them.

use std::collections::{BTreeMap, HashMap};

use super::{Found, PlanError, TlsAt};
use crate::consumers::gateway::GATEWAY;
use crate::consumers::gateway::listener::Listener;
use crate::consumers::gateway::route::{Parent, Route};
use crate::consumers::{Consumer, Left, TABLE};
use crate::manifest::Manifest;
use crate::output::escape::escape;

/// A route of the render, with what is known about its namespace.
#[derive(Debug)]
pub(super) struct FoundRoute<'r> {
    pub(super) route: Route<'r>,
    /// The namespace; nothing when neither the route nor the run names one.
    pub(super) namespace: Option<String>,
}

impl FoundRoute<'_> {
    /// `Kind namespace/name`.
    pub(super) fn describe(&self) -> String {
        let object = &self.route.object;
        format!("{} {}/{}", object.kind, self.namespace.as_deref().unwrap_or_default(), object.name)
    }

    /// The namespace of a parent.
    fn parent_namespace<'a>(&'a self, parent: &Parent<'a>) -> &'a str {
        parent.namespace.or(self.namespace.as_deref()).unwrap_or_default()
    }
}

/// Whether a route's parent is an object with listeners, and not a Service of a mesh.
fn has_listeners(parent: &Parent<'_>) -> bool {
    TABLE.iter().any(|row| row.has_listeners && row.kind == parent.kind && row.groups.contains(&parent.group))
}

/// The objects with listeners by group, kind, namespace and name.
type Listeners<'f> = HashMap<(&'f str, &'f str, &'f str, &'f str), usize>;

/// The listeners that a route attaches to by one of its parents.
pub(super) enum Attached {
    /// The parent is not in the render.
    Elsewhere,
    /// The indices of the slots, and whether any listener of the parent, slot or not, ends TLS for the route.
    Here { consumer: usize, slots: Vec<usize>, ends_tls: bool },
}

/// What listeners without a hostname get from routes.
#[derive(Default)]
struct Hosts {
    hosts: Vec<String>,
    open: Option<Left>,
}

impl<'r> Found<'r> {
    /// Gives listeners that name no hostname the hostnames of the routes that attach to them in the render.
    ///
    /// # Errors
    /// When the namespace of a route is not known, so that it may or may not attach.
    pub(super) fn attach(&mut self, manifest: &'r Manifest<'_>) -> Result<(), PlanError> {
        let is_open = |consumer: &Consumer<'_>| {
            consumer.row.has_listeners && consumer.slots.iter().any(|slot| slot.left == Some(Left::NoHosts))
        };
        if !self.consumers.iter().any(is_open) {
            return Ok(());
        }
        if let Some(found) = self.routes.iter().find(|found| found.namespace.is_none()) {
            return Err(PlanError::namespace_unknown(manifest, found.route.document, &found.route.object));
        }
        let mut hosts: BTreeMap<(usize, usize), Hosts> = BTreeMap::new();
        let listeners = self.listeners();
        for found in &self.routes {
            for parent in &found.route.parents {
                let Attached::Here { consumer, slots, .. } = self.attached(manifest, &listeners, found, parent) else {
                    continue;
                };
                for slot in slots {
                    hosts.entry((consumer, slot)).or_default().add(found);
                }
            }
        }
        for (at, consumer) in self.consumers.iter_mut().enumerate().filter(|(_, consumer)| is_open(consumer)) {
            let scope = manifest
                .document(consumer.document)
                .and_then(|document| document.text_at(consumer.object.node, &["spec", "defaultScope"]))
                .filter(|scope| consumer.row.kind == GATEWAY.kind && *scope != "None");
            for slot in 0..consumer.slots.len() {
                if consumer.slots[slot].left != Some(Left::NoHosts) {
                    continue;
                }
                let found = hosts.remove(&(at, slot)).unwrap_or_default();
                let slot = &mut consumer.slots[slot];
                slot.open = true;
                match (scope, found.open) {
                    (Some(scope), _) => {
                        let why = format!("spec.defaultScope: {scope} lets routes attach that do not name it");
                        slot.left = Some(Left::OpenNames(why));
                    }
                    (None, Some(open)) => slot.left = Some(open),
                    (None, None) if found.hosts.is_empty() => slot.left = Some(Left::NoRouteHosts),
                    (None, None) => slot.attach(found.hosts, consumer.row),
                }
            }
        }
        Ok(())
    }

    /// The objects with listeners.
    pub(super) fn listeners(&self) -> Listeners<'_> {
        let with_listeners = self.consumers.iter().enumerate().filter(|(_, consumer)| consumer.row.has_listeners);
        let keyed = with_listeners.map(|(at, consumer)| {
            let object = &consumer.object;
            ((object.group, object.kind, self.namespaces[at], object.name), at)
        });
        keyed.collect()
    }

    /// What ends TLS for a route. Of parents that are not in the render only their kind is known.
    pub(super) fn tls_at(
        &self,
        manifest: &Manifest<'_>,
        listeners: &Listeners<'_>,
        found: &FoundRoute<'_>,
    ) -> Vec<TlsAt> {
        let mut all = Vec::new();
        for parent in found.route.parents.iter().filter(|parent| has_listeners(parent)) {
            let at = TlsAt {
                kind: parent.kind.to_owned(),
                namespace: found.parent_namespace(parent).to_owned(),
                name: parent.name.to_owned(),
            };
            let ends_tls = match self.attached(manifest, listeners, found, parent) {
                Attached::Elsewhere => true,
                Attached::Here { ends_tls, .. } => ends_tls,
            };
            if ends_tls && !all.contains(&at) {
                all.push(at);
            }
        }
        all
    }

    /// What a route attaches to by one of its parents.
    pub(super) fn attached(
        &self,
        manifest: &Manifest<'_>,
        listeners: &Listeners<'_>,
        found: &FoundRoute<'_>,
        parent: &Parent<'_>,
    ) -> Attached {
        let namespace = found.parent_namespace(parent);
        let Some(&consumer) = listeners.get(&(parent.group, parent.kind, namespace, parent.name)) else {
            return Attached::Elsewhere;
        };
        let of = &self.consumers[consumer];
        let Some(document) = manifest.document(of.document) else { return Attached::Elsewhere };
        let route_namespace = found.namespace.as_deref().unwrap_or_default();
        let takes = |listener: &Listener<'_>| listener.takes(namespace, &found.route, route_namespace, parent);
        let slots = (0..of.slots.len()).filter(|&slot| takes(&Listener::read(document, of.slots[slot].tls)));
        let all = document.at(of.object.node, of.row.tls);
        let ends_tls = all.iter().flat_map(|&all| document.items(all)).any(|listener| {
            let listener = Listener::read(document, listener);
            listener.ends_tls() && takes(&listener)
        });
        Attached::Here { consumer, slots: slots.collect(), ends_tls }
    }
}

impl Hosts {
    fn add(&mut self, found: &FoundRoute<'_>) {
        if found.route.is_unclear {
            self.open.get_or_insert(Left::MergeKey);
        }
        if found.route.hostnames.is_empty() {
            let why = format!("{}, which attaches to it, serves every name", found.describe());
            self.open.get_or_insert(Left::OpenNames(why));
        }
        for hostname in &found.route.hostnames {
            if !self.hosts.iter().any(|known| known == hostname) {
                self.hosts.push((*hostname).to_owned());
            }
        }
    }
}

impl PlanError {
    /// The namespace of an object is not known.
    pub(super) fn namespace_unknown(
        manifest: &Manifest<'_>,
        index: usize,
        object: &crate::manifest::object::Object<'_>,
    ) -> Self {
        Self::NamespaceUnknown {
            document: index + 1,
            line: manifest.line(index, object.node),
            object: format!("{} {}", escape(object.kind), escape(object.name)),
        }
    }
}
