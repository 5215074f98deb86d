//! Slots whose Secret is missing, cannot be used, or does not cover their hosts.

use super::{Code, Finding, Index, LiveConsumer, LiveSlot, ObjectId};
use crate::certificate::live::LiveCertificate;
use crate::choose;
use crate::consumers::Left;
use crate::output::escape::escape;
use crate::secret::{ObjectName, Reason, Secret};

/// Every slot that does not serve its hosts.
#[must_use]
pub fn find(index: &Index<'_>) -> Vec<Finding> {
    let slots =
        index.seen.consumers.iter().flat_map(|consumer| consumer.slots.iter().map(move |slot| (consumer, slot)));
    slots.filter_map(|(consumer, slot)| check(index, consumer, slot)).collect()
}

fn check(index: &Index<'_>, consumer: &LiveConsumer, slot: &LiveSlot) -> Option<Finding> {
    let inventory = index.seen.inventory.as_ref()?;
    if slot.secret_name.is_empty() || [&slot.left, &consumer.left].into_iter().flatten().any(is_served_elsewhere) {
        return None;
    }
    let id = consumer.secret(slot);
    // The Secrets of other namespaces were not read.
    if index.seen.namespace.as_ref().is_some_and(|namespace| *namespace != id.namespace) {
        return None;
    }
    let Some(secret) = inventory.get(&id.namespace, &id.name) else {
        // What is of another type is some controllers' own affair.
        let is_missing = !index.seen.of_other_types.contains(&id);
        return is_missing.then(|| {
            let message = format!("there is no such Secret{}", producer(index, &id));
            finding(Code::SecretMissing, consumer, slot, slot.hosts.clone(), message)
        });
    };
    if let Some(problem) = secret.problems.first() {
        let code = if matches!(problem, Reason::Expired(_)) { Code::SecretExpired } else { Code::SecretUnusable };
        let message = format!("{problem}{}", producer(index, &id));
        return Some(finding(code, consumer, slot, slot.hosts.clone(), message));
    }
    let not_covered = not_covered(consumer, slot, secret);
    (!not_covered.is_empty()).then(|| {
        let message = format!(
            "its certificate is for {} and does not cover {}{}",
            escape(&names(secret)),
            escape(&not_covered.join(", ")),
            producer(index, &id)
        );
        finding(Code::SecretNotCovering, consumer, slot, not_covered, message)
    })
}

fn finding(code: Code, consumer: &LiveConsumer, slot: &LiveSlot, hosts: Vec<String>, message: String) -> Finding {
    Finding {
        code,
        object: ObjectId::consumer(consumer),
        path: Some(slot.path.clone()),
        hosts,
        secret_name: Some(slot.secret_name.clone()),
        message,
        commands: Vec::new(),
    }
}

/// Whether the Secret of this name and namespace is not what serves the hosts.
fn is_served_elsewhere(left: &Left) -> bool {
    matches!(
        left,
        Left::Passthrough(_)
            | Left::ClassIgnoresSecrets(_)
            | Left::SecretElsewhere(_)
            | Left::NoSecret
            | Left::InlineCertificate(_)
    )
}

/// The hosts of the slot that the certificate does not cover, of those of which that can be told.
fn not_covered(consumer: &LiveConsumer, slot: &LiveSlot, secret: &Secret) -> Vec<String> {
    let names = slot.names.iter();
    // A host whose wildcard spans labels no certificate covers, and controllers know that.
    let names =
        names.filter(|name| !(name.is_wildcard() && consumer.object.row.span == choose::WildcardSpan::ManyLabels));
    let missing = names.filter(|name| !choose::covers(secret, name, consumer.object.row.span));
    missing.map(|name| name.as_str().to_owned()).collect()
}

fn names(secret: &Secret) -> String {
    const SHOWN: usize = 3;
    let names = secret.certificate.as_ref().map(|facts| facts.dns_names.as_slice()).unwrap_or_default();
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown}, …") } else { shown }
}

/// What the Certificate that should produce the Secret says.
fn producer(index: &Index<'_>, id: &ObjectName) -> String {
    let of = |certificate: &&LiveCertificate| {
        let name = escape(&certificate.id.name).into_owned();
        match (&certificate.issuing, &certificate.ready) {
            (Some(issuing), _) if issuing.is_true => format!("; Certificate {name} is being issued"),
            (_, Some(ready)) if !ready.is_true => {
                format!("; Certificate {name} is not ready: {}", escape(&ready.message))
            }
            _ => format!("; Certificate {name} writes it"),
        }
    };
    index.producers(id).first().map(of).unwrap_or_default()
}
