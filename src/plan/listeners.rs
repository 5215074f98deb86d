//! What a person should know about the listeners of Gateways and ListenerSets besides the decisions.

use std::collections::{BTreeMap, BTreeSet};

use super::attach::{Attached, FoundRoute};
use super::decide::{Decided, Verdict};
use super::facts::Render;
use super::{Found, family};
use crate::choose::{self, HostName, WildcardSpan};
use crate::consumers::Slot;
use crate::consumers::gateway::listener::Listener;
use crate::manifest::Document;
use crate::output::escape::escape;

/// The warnings about listeners, each with its code.
pub(super) fn warnings(
    render: &Render<'_, '_>,
    decided: &Decided<'_>,
    found: &Found<'_>,
) -> Vec<(&'static str, String)> {
    let mut warnings = Vec::new();
    for (at, consumer) in render.consumers.iter().enumerate().filter(|(_, consumer)| consumer.row.has_listeners) {
        let Some(document) = render.manifest.document(consumer.document) else { continue };
        let place = place(render, at);
        for (slot, named) in consumer.slots.iter().enumerate() {
            let listener = Listener::read(document, named.tls);
            if named.open && listener.takes_other_namespaces && decided.consumers[at].is_rewritten(slot) {
                let name = escape(listener.name);
                warnings.push(("routesElsewhere", format!("listener {name} of {place} names no hostname and takes routes of other namespaces: whether the routing secret covers their hosts is not known")));
            }
        }
        let is_freed = decided.consumers[at].loses_triggers() && !consumer.triggers.is_empty();
        if is_freed && family::allowed_listeners(render, at) == Some("Same") {
            warnings.push(("listenersElsewhere", format!("{place} takes ListenerSets of its namespace: those of other releases that take their issuer from it will have none")));
        }
    }
    shared_certificates(render, decided, &mut warnings);
    uncovered_routes(render, found, &mut warnings);
    warnings
}

/// `Kind namespace/name`, fit to be printed.
fn place(render: &Render<'_, '_>, at: usize) -> String {
    let object = &render.consumers[at].object;
    format!("{} {}/{}", escape(object.kind), escape(render.namespaces[at]), escape(object.name))
}

/// Listeners of one Gateway and port with one certificate: over HTTP/2 clients may use one connection for the hosts of
/// all of them (GEP-3567).
fn shared_certificates(render: &Render<'_, '_>, decided: &Decided<'_>, warnings: &mut Vec<(&'static str, String)>) {
    let mut shared: BTreeMap<_, Vec<(usize, usize)>> = BTreeMap::new();
    for (at, consumer) in render.consumers.iter().enumerate().filter(|(_, consumer)| consumer.row.has_listeners) {
        let Some(document) = render.manifest.document(consumer.document) else { continue };
        let judged = &decided.consumers[at];
        for (slot, verdict) in judged.slots.iter().enumerate().filter(|_| judged.whole.is_none()) {
            if let Verdict::Rewrite(secret) | Verdict::Keep(secret) = verdict {
                let port = Listener::read(document, consumer.slots[slot].tls).port;
                let gateway = render.family.gateway(at).unwrap_or(at);
                shared.entry((gateway, port, &secret.id)).or_default().push((at, slot));
            }
        }
    }
    for ((gateway, port, secret), slots) in shared {
        let before = slots.iter().map(|&(at, slot)| {
            let slot = &render.consumers[at].slots[slot];
            (render.namespace(at, slot), slot.secret_name.as_str())
        });
        // What shared a certificate before is no news.
        if before.collect::<BTreeSet<_>>().len() < 2 {
            continue;
        }
        let names = slots.iter().filter_map(|&(at, slot)| {
            let consumer = &render.consumers[at];
            let document = render.manifest.document(consumer.document)?;
            let name = escape(Listener::read(document, consumer.slots[slot].tls).name);
            let object = &consumer.object;
            let of_set = || format!("{name} ({} {})", escape(object.kind), escape(object.name));
            Some(if at == gateway { name.to_string() } else { of_set() })
        });
        warnings.push(("sharedCertificate", format!(
            "listeners {} of {} at port {} now have the certificate of {} in common, so clients may use one connection for the hosts of all (HTTP/2): a listener that differs in its routes or asks for client certificates may be passed by",
            names.collect::<Vec<_>>().join(", "),
            place(render, gateway),
            escape(port),
            escape(&secret.name)
        )));
    }
}

/// Routes whose host a wildcard listener takes and its certificate does not cover: the listener's `*` spans labels.
fn uncovered_routes(render: &Render<'_, '_>, found: &Found<'_>, warnings: &mut Vec<(&'static str, String)>) {
    let listeners = found.listeners();
    for route in &found.routes {
        for parent in &route.route.parents {
            let Attached::Here { consumer, slots, .. } = found.attached(render.manifest, &listeners, route, parent)
            else {
                continue;
            };
            for slot in slots {
                warn_route(render, route, consumer, &render.consumers[consumer].slots[slot], warnings);
            }
        }
    }
}

fn warn_route(
    render: &Render<'_, '_>,
    route: &FoundRoute<'_>,
    at: usize,
    slot: &Slot,
    warnings: &mut Vec<(&'static str, String)>,
) {
    let consumer = &render.consumers[at];
    let Some(document) = render.manifest.document(consumer.document) else { return };
    let listener = Listener::read(document, slot.tls);
    let Some(rest) = listener.hostname.and_then(|hostname| hostname.strip_prefix('*')) else { return };
    let named = render.inventory.get(render.namespace(at, slot), &slot.secret_name);
    let Some(secret) = named.filter(|secret| secret.is_usable()) else { return };
    let is_refused = |host: &&&str| {
        let is_deeper = host.ends_with(rest) && Some(**host) != listener.hostname;
        let is_covered = HostName::parse(host).is_ok_and(|name| choose::covers(secret, &name, WildcardSpan::OneLabel));
        is_deeper && !is_covered && !is_taken(document, consumer.row.tls, consumer.object.node, &listener, host)
    };
    if let Some(host) = route.route.hostnames.iter().find(is_refused) {
        warnings.push((
            "routeNotCovered",
            format!(
                "{} serves {} at listener {} of {}, and TLS clients will refuse the certificate of {} for it",
                escape(&route.describe()),
                escape(host),
                escape(listener.name),
                place(render, at),
                escape(&slot.secret_name)
            ),
        ));
    }
}

/// Whether a listener of the same port that is more specific takes the host.
fn is_taken(
    document: &Document<'_>,
    tls: &[&str],
    object: crate::manifest::NodeId,
    listener: &Listener<'_>,
    host: &str,
) -> bool {
    let all = document.at(object, tls);
    all.iter().flat_map(|&all| document.items(all)).map(|node| Listener::read(document, node)).any(|other| {
        other.port == listener.port
            && other.hostname.is_some_and(|hostname| {
                let is_longer = Some(hostname.len()) > listener.hostname.map(str::len);
                hostname == host || hostname.strip_prefix('*').is_some_and(|rest| is_longer && host.ends_with(rest))
            })
    })
}
