//! Gateways and their ListenerSets: cert-manager gives a ListenerSet the issuer of its Gateway (cert-manager
//! `certificate-shim/listenerset/controller.go: inheritAnnotations`), so their triggers are all or nothing together.

use std::collections::{BTreeMap, HashMap};

use super::decide::{Judged, Verdict, foreign_trigger};
use super::facts::Render;
use super::live::LiveRef;
use super::{Live, LiveParent};
use crate::consumers::gateway::{self, GATEWAY, GROUP};
use crate::consumers::trigger::{Actor, Trigger};
use crate::consumers::{Consumer, Left};

/// Which Gateway each ListenerSet of the render belongs to.
#[derive(Debug, Default)]
pub(super) struct Family {
    /// By the index of the ListenerSet.
    parents: HashMap<usize, Parent>,
    /// The ListenerSets of each Gateway of the render, by its index.
    sets: BTreeMap<usize, Vec<usize>>,
}

#[derive(Debug)]
enum Parent {
    /// The Gateway with this index.
    Here(usize),
    /// A Gateway that is not in the render: its namespace and name.
    Elsewhere { namespace: String, name: String },
    /// Something else than a Gateway, or nothing that can be read.
    Unclear,
}

impl Family {
    /// Finds the Gateways of the ListenerSets.
    pub(super) fn of(render: &Render<'_, '_>) -> Self {
        let mut family = Self::default();
        let is_gateway = |consumer: &Consumer<'_>| std::ptr::eq(consumer.row, &GATEWAY);
        let is_set = |consumer: &Consumer<'_>| consumer.row.has_listeners && !is_gateway(consumer);
        if !render.consumers.iter().any(is_set) {
            return family;
        }
        let all = || render.consumers.iter().enumerate();
        let gateways: HashMap<(&str, &str), usize> = all()
            .filter(|(_, consumer)| is_gateway(consumer))
            .map(|(at, consumer)| ((render.namespaces[at], consumer.object.name), at))
            .collect();
        for (at, consumer) in all().filter(|(_, consumer)| is_set(consumer)) {
            let document = render.manifest.document(consumer.document);
            let parent = match document.and_then(|document| gateway::parent(document, &consumer.object)) {
                None => Parent::Unclear,
                Some((namespace, name)) => {
                    let namespace = namespace.unwrap_or(render.namespaces[at]);
                    match gateways.get(&(namespace, name)) {
                        Some(&gateway) => {
                            family.sets.entry(gateway).or_default().push(at);
                            Parent::Here(gateway)
                        }
                        None => Parent::Elsewhere { namespace: namespace.to_owned(), name: name.to_owned() },
                    }
                }
            };
            family.parents.insert(at, parent);
        }
        family
    }

    /// The index of the Gateway of the render that a consumer belongs to.
    pub(super) fn gateway(&self, at: usize) -> Option<usize> {
        match self.parents.get(&at) {
            Some(Parent::Here(gateway)) => Some(*gateway),
            _ => None,
        }
    }

    /// What of the cluster tells whether the parent of a consumer has a trigger that the render does not show.
    pub(super) fn live_parent(&self, render: &Render<'_, '_>, at: usize) -> Option<LiveRef> {
        match self.parents.get(&at)? {
            Parent::Here(gateway) => Some(LiveRef::of(render, *gateway)),
            Parent::Elsewhere { namespace, name } => Some(LiveRef {
                key: key(namespace, name),
                row: &GATEWAY,
                group: GROUP.to_owned(),
                version: "v1".to_owned(),
                namespace: namespace.clone(),
                name: name.clone(),
                is_parent: true,
            }),
            Parent::Unclear => None,
        }
    }

    /// Why a ListenerSet is left because of a Gateway that is not in the render (R12).
    pub(super) fn parent_elsewhere(&self, render: &Render<'_, '_>, at: usize) -> Option<Left> {
        let (namespace, name) = match self.parents.get(&at)? {
            Parent::Here(_) => return None,
            Parent::Elsewhere { namespace, name } => (namespace, name),
            Parent::Unclear => return Some(Left::ParentNotSeen("spec.parentRef names no Gateway".to_owned())),
        };
        let gateway = format!("Gateway {namespace}/{name}");
        match render.live {
            Live::NotKnown => {
                let why = format!("its {gateway} is not in this render, and the cluster was not read");
                Some(Left::ParentNotSeen(why))
            }
            Live::ToBeRead => None,
            Live::Known(objects) => match objects.parents.get(&key(namespace, name))? {
                LiveParent::Absent => {
                    Some(Left::ParentNotSeen(format!("its {gateway} is neither in this render nor in the cluster")))
                }
                LiveParent::Unreadable(why) => {
                    Some(Left::ParentNotSeen(format!("its {gateway} could not be read: {why}")))
                }
                LiveParent::Triggers(keys) => {
                    let key = keys.first()?.clone();
                    Some(Left::ParentTrigger { gateway, key })
                }
            },
        }
    }
}

/// `group/kind/namespace/name` of a Gateway, as [`Live`] names it.
fn key(namespace: &str, name: &str) -> String {
    format!("{GROUP}/{}/{namespace}/{name}", GATEWAY.kind)
}

/// R10: a Gateway keeps its trigger while ListenerSets that the render does not show may take their issuer from it.
pub(super) fn serves_others(render: &Render<'_, '_>, at: usize) -> Option<Left> {
    let from = allowed_listeners(render, at)?;
    let is_open = matches!(from, "All" | "Selector");
    is_open.then(|| {
        let why = format!(
            "spec.allowedListeners takes ListenerSets of other namespaces (from: {from}), which may take their issuer from this Gateway"
        );
        Left::TriggerStays(why)
    })
}

/// From which namespaces a Gateway with a trigger takes ListenerSets, if from any.
pub(super) fn allowed_listeners<'r>(render: &Render<'r, '_>, at: usize) -> Option<&'r str> {
    let consumer = &render.consumers[at];
    trigger(consumer).filter(|_| consumer.row.has_listeners)?;
    let document = render.manifest.document(consumer.document)?;
    document.text_at(consumer.object.node, &["spec", "allowedListeners", "namespaces", "from"])
}

/// The first trigger that makes an issuer write into Secrets.
fn trigger<'c>(consumer: &'c Consumer<'_>) -> Option<&'c Trigger<'c>> {
    consumer.triggers.iter().find(|trigger| trigger.actor == Actor::Secret)
}

/// Lets each Gateway keep its trigger for its ListenerSets, and these stay as they are while it does.
pub(super) fn settle(render: &Render<'_, '_>, judged: &mut [Judged<'_>]) {
    for (&gateway, sets) in &render.family.sets {
        let consumer = &render.consumers[gateway];
        // It survives, whatever else keeps the Gateway as it is.
        let mut kept = match foreign_trigger(render, gateway) {
            Some(Left::ForeignTrigger { key, .. }) => Some(key),
            _ => None,
        };
        if let Some(trigger) = trigger(consumer) {
            if judged[gateway].whole.is_none() {
                match sets.iter().find_map(|&set| needs_issuer(render, judged, set)) {
                    Some(why) => judged[gateway].whole = Some(Left::TriggerStays(why)),
                    None => judged[gateway].freed = sets.iter().any(|&set| judged[set].loses_triggers()),
                }
            }
            if !judged[gateway].loses_triggers() {
                kept.get_or_insert_with(|| trigger.key.to_string());
            }
        }
        let Some(key) = kept else { continue };
        for &set in sets {
            if judged[set].whole.is_none() && !render.consumers[set].slots.is_empty() {
                let gateway = format!("Gateway {}/{}", render.namespaces[gateway], consumer.object.name);
                judged[set].whole = Some(Left::ParentTrigger { gateway, key: key.clone() });
            }
        }
    }
}

/// Why a ListenerSet needs the trigger of its Gateway: the first slot that cert-manager orders for and that stays.
fn needs_issuer(render: &Render<'_, '_>, judged: &[Judged<'_>], set: usize) -> Option<String> {
    let consumer = &render.consumers[set];
    consumer.slots.iter().zip(&judged[set].slots).filter(|(slot, _)| slot.shim).find_map(|(slot, verdict)| {
        let left = match verdict {
            Verdict::Left(left) => left,
            _ => judged[set].whole.as_ref()?,
        };
        Some(format!("{} {}: {}: {left}", consumer.object.kind, consumer.object.name, slot.path))
    })
}
