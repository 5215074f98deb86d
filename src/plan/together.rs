//! Objects that must name one Secret together: both are rewritten to the same, or neither.

use std::collections::HashMap;

use super::decide::{Judged, Verdict};
use super::facts::Render;
use crate::consumers::Left;
use crate::secret::ObjectName;

/// The pairs of a render: a consumer, and its partner where the render has it.
pub(super) fn pairs(render: &Render<'_, '_>) -> Vec<(usize, Option<usize>)> {
    if render.consumers.iter().all(|consumer| consumer.partner.is_none()) {
        return Vec::new();
    }
    let key = |at: usize| (render.consumers[at].object.kind, render.namespaces[at], render.consumers[at].object.name);
    let known: HashMap<_, usize> = (0..render.consumers.len()).map(|at| (key(at), at)).collect();
    let named = render.consumers.iter().enumerate().filter_map(|(at, consumer)| Some((at, consumer.partner.as_ref()?)));
    named.map(|(at, (kind, name))| (at, known.get(&(*kind, render.namespaces[at], name.as_str())).copied())).collect()
}

/// The objects of pairs that would part, each with its reason.
pub(super) fn parted(
    render: &Render<'_, '_>,
    pairs: &[(usize, Option<usize>)],
    consumers: &[Judged<'_>],
) -> Vec<(usize, Left)> {
    let mut parted = Vec::new();
    for &(at, partner) in pairs {
        let secret = |at: usize| named(&consumers[at]);
        if let Some(partner) = partner
            && secret(at) == secret(partner)
        {
            continue;
        }
        let name = |at: usize| super::build::describe(&render.consumers[at].object);
        let (kind, missing) = render.consumers[at].partner.clone().unwrap_or_default();
        let of_partner = partner.map_or_else(|| format!("{kind} {missing}"), name);
        parted.push((at, Left::Partner(of_partner)));
        parted.extend(partner.map(|partner| (partner, Left::Partner(name(at)))));
    }
    parted.retain(|(at, _)| named(&consumers[*at]).is_some());
    parted
}

/// The routing secret that an object names from now on.
fn named<'j>(judged: &'j Judged<'_>) -> Option<&'j ObjectName> {
    match judged.slots.as_slice() {
        [Verdict::Rewrite(secret) | Verdict::Keep(secret)] if judged.whole.is_none() => Some(&secret.id),
        _ => None,
    }
}
