//! What a rewrite changes beside the certificate: of each class of Ingresses, and of kinds that need more.

use std::collections::{BTreeSet, HashMap};

use super::build::describe;
use super::decide::{Decided, Verdict};
use super::facts::Render;
use crate::choose::{Cover, HostName, WildcardSpan};
use crate::consumers::class::{self, CLOUD_CERTIFICATES, Finds};
use crate::consumers::{Consumer, Left, Slot};
use crate::output::escape::escape;
use crate::secret::Secret;

/// The warnings about the objects that are rewritten.
pub(super) fn changes(render: &Render<'_, '_>, decided: &Decided<'_>, warn: &mut impl FnMut(&'static str, String)) {
    let mut staying = None;
    for (at, consumer) in render.consumers.iter().enumerate() {
        let judged = &decided.consumers[at];
        let rewritten: Vec<(&Slot, Vec<&Secret>)> = (consumer.slots.iter().enumerate())
            .filter(|&(slot, _)| judged.is_rewritten(slot))
            .map(|(at, slot)| (slot, secrets(&judged.slots[at])))
            .collect();
        if rewritten.is_empty() {
            continue;
        }
        let name = describe(&consumer.object);
        let names: BTreeSet<&str> =
            rewritten.iter().flat_map(|(_, secrets)| secrets).map(|secret| secret.id.name.as_str()).collect();
        let names = escape(&names.into_iter().collect::<Vec<_>>().join(", ")).into_owned();
        if (consumer.object.group, consumer.object.kind) == ("route.openshift.io", "Route") {
            warn(
                "routerReadsSecret",
                format!(
                    "{name}: OpenShift's router must be allowed to get, list and watch {names}, or the Route is refused"
                ),
            );
        }
        match finds(render, consumer) {
            Some(Finds::EveryName) if rewritten.iter().any(|(slot, secrets)| uses_wildcard(slot, secrets)) => {
                warn(
                    "servesEveryName",
                    format!("{name}: APISIX takes the hosts from the certificate, so it claims every name of {names}"),
                );
            }
            Some(Finds::Cloud) => {
                let annotations = |key: &&&str| {
                    let document = render.manifest.document(consumer.document);
                    document.is_some_and(|document| {
                        document.at(consumer.object.node, &["metadata", "annotations", key]).is_some()
                    })
                };
                if let Some(key) = CLOUD_CERTIFICATES.iter().find(annotations) {
                    warn("cloudCertificates", format!("{name}: the certificates of {key} are served beside {names}"));
                }
            }
            Some(Finds::Store) => {
                let staying = staying.get_or_insert_with(|| self::staying(render, decided));
                let hosts = rewritten.iter().flat_map(|(slot, _)| &slot.names);
                if let Some((host, (other, slot))) = hosts.filter_map(|host| Some((host, staying.get(host)?))).next() {
                    let other = describe(&render.consumers[*other].object);
                    let secret = escape(&slot.secret_name);
                    warn(
                        "sameHostElsewhere",
                        format!("{name}: {other} still names {secret} for {host}, which may be served for both"),
                    );
                }
            }
            _ => {}
        }
    }
}

fn secrets<'i>(verdict: &Verdict<'i>) -> Vec<&'i Secret> {
    match verdict {
        Verdict::Rewrite(secret) => vec![secret],
        Verdict::Split(groups) => groups.iter().map(|&(_, secret)| secret).collect(),
        Verdict::Keep(_) | Verdict::Left(_) => Vec::new(),
    }
}

/// Whether a host of the slot is covered by a wildcard now.
fn uses_wildcard(slot: &Slot, secrets: &[&Secret]) -> bool {
    let is_wildcard = |name: &HostName| {
        secrets.iter().any(|secret| secret.names.cover(name, WildcardSpan::OneLabel) == Cover::Wildcard)
    };
    slot.names.iter().any(is_wildcard)
}

/// How the object's controller finds certificates, where that is known.
fn finds(render: &Render<'_, '_>, consumer: &Consumer<'_>) -> Option<Finds> {
    match consumer.object.kind {
        "Ingress" => class::finds(class::name(render.manifest.document(consumer.document)?, &consumer.object)?),
        "IngressRoute" | "IngressRouteTCP" if consumer.object.group.starts_with("traefik.") => Some(Finds::Store),
        _ => None,
    }
}

/// The slots that stay as they are, by host, where the controller looks for certificates in all Secrets that are named.
fn staying<'r>(render: &'r Render<'_, '_>, decided: &Decided<'_>) -> HashMap<&'r HostName, (usize, &'r Slot)> {
    let mut staying = HashMap::new();
    for (at, consumer) in render.consumers.iter().enumerate() {
        let judged = &decided.consumers[at];
        for (slot, named) in consumer.slots.iter().enumerate() {
            let is_passed = |left: &Option<Left>| matches!(left, Some(Left::Passthrough(_)));
            let stays = (judged.whole.is_some() || matches!(judged.slots[slot], Verdict::Left(_)))
                && !is_passed(&consumer.left)
                && !is_passed(&named.left);
            if stays && !named.secret_name.is_empty() && finds(render, consumer) == Some(Finds::Store) {
                staying.extend(named.names.iter().map(|name| (name, (at, named))));
            }
        }
    }
    staying
}
