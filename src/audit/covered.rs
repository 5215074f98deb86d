//! Consumers that order a certificate although a routing secret covers all their hosts, and those whose trigger
//! overwrites a routing secret (R4, R8–R10).

use std::collections::HashSet;

use super::{Code, Finding, Index, LiveConsumer, LiveSlot, ObjectId, Unproven};
use crate::certificate::{Facts, keep};
use crate::choose::{self, HostName, Query};
use crate::consumers::Left;
use crate::consumers::trigger::{ROUTER_RESOLVER, ROUTER_TLS};
use crate::output::escape::escape;
use crate::plan::READ_BY_NAME;
use crate::secret::{ObjectName, Secret};

/// What is found about consumers that order certificates.
#[derive(Debug, Default)]
pub struct Covered {
    /// The consumers that order although they need not, and those that overwrite.
    pub findings: Vec<Finding>,
    /// Those of which that cannot be told.
    pub unproven: Vec<Unproven>,
    /// The Certificates that would order nothing more.
    pub certificates: HashSet<ObjectName>,
}

/// A slot, and the routing secret that could serve it; several where its hosts would have to be shared out.
type Switch<'s> = (&'s LiveSlot, Option<&'s Secret>);

/// The Secrets that are looked for elsewhere before something is said.
#[must_use]
pub fn candidates(index: &Index<'_>) -> Vec<ObjectName> {
    let consumers = index.seen.consumers.iter().filter(|consumer| consumer.writes_secrets());
    let switches = consumers
        .flat_map(|consumer| switches(index, consumer).into_iter().flatten().map(|(slot, _)| consumer.secret(slot)));
    switches.filter(|secret| !secret.name.is_empty()).collect()
}

/// Every consumer that orders although it need not, or that overwrites a routing secret.
#[must_use]
pub fn find(index: &Index<'_>) -> Covered {
    let mut covered = Covered::default();
    let mut switched: HashSet<(*const LiveSlot, ObjectName)> = HashSet::new();
    for consumer in &index.seen.consumers {
        if let Some(finding) = overwrites(index, consumer) {
            covered.findings.push(finding);
            continue;
        }
        let Some(switches) = switches(index, consumer) else { continue };
        if let Some(why) = needed(index, consumer, &switches) {
            let message = format!(
                "it orders a certificate although {} covers its hosts; {why}",
                escape(&secret_names(&switches)),
            );
            covered.unproven.push(Unproven { object: ObjectId::consumer(consumer), message });
            continue;
        }
        switched.extend(switches.iter().map(|&(slot, _)| (std::ptr::from_ref(slot), consumer.secret(slot))));
        covered.findings.push(finding(consumer, &switches));
    }
    let secrets: HashSet<&ObjectName> = switched.iter().map(|(_, secret)| secret).collect();
    for secret in secrets {
        let slots = index.slots.get(secret).map_or(&[][..], Vec::as_slice);
        if slots.iter().all(|&(_, slot)| switched.contains(&(std::ptr::from_ref(slot), secret.clone()))) {
            covered.certificates.extend(index.producers(secret).iter().map(|certificate| certificate.id.clone()));
        }
    }
    covered
}

/// The slots that routing secrets could serve instead of what is ordered; nothing when the object has to stay.
fn switches<'s>(index: &Index<'s>, consumer: &'s LiveConsumer) -> Option<Vec<Switch<'s>>> {
    let inventory = index.seen.inventory.as_ref()?;
    if consumer.left.is_some() {
        return None;
    }
    let has_triggers = !consumer.triggers.is_empty();
    // A ListenerSet without a trigger inherits its Gateway's, which would overwrite the routing secret, and would order
    // nothing more without it.
    let is_set = |consumer: &LiveConsumer| consumer.object.row.kind == "ListenerSet";
    let may_be_parent = consumer.object.row.kind == "Gateway" && index.seen.consumers.iter().any(is_set);
    if (is_set(consumer) && !has_triggers) || (may_be_parent && has_triggers) {
        return None;
    }
    let mut switches = Vec::new();
    for slot in &consumer.slots {
        let current = Some(slot.secret_name.as_str()).filter(|name| !name.is_empty());
        let id = consumer.secret(slot);
        let (namespace, span) = (id.namespace.as_str(), consumer.object.row.span);
        let query = Query { namespace, hosts: &slot.names, span, current, permitted: None };
        match &slot.left {
            None => {}
            // All or nothing: one slot that stays keeps the triggers. One without hosts orders nothing.
            Some(left) if has_triggers && *left != Left::NoHosts => return None,
            Some(_) => continue,
        }
        let named = inventory.get(namespace, &slot.secret_name);
        let winner = choose::winner(&query, inventory).filter(|winner| !reduces(consumer, named, winner));
        let is_split = || slot.splits && consumer.release.is_some() && choose::split(&query, inventory).is_some();
        let is_ordered = has_triggers || (!index.producers(&id).is_empty() && named.is_none_or(|named| !named.routing));
        match winner {
            Some(winner) if Some(winner.id.name.as_str()) == current => {}
            Some(winner) if is_ordered => switches.push((slot, Some(winner))),
            None if is_ordered && is_split() => switches.push((slot, None)),
            None if has_triggers => return None,
            _ => {}
        }
    }
    (!switches.is_empty()).then_some(switches)
}

/// R15: whether a host of the rules that no slot lists would be served no more.
fn reduces(consumer: &LiveConsumer, named: Option<&Secret>, winner: &Secret) -> bool {
    let covers = |secret: &Secret, name: &HostName| choose::covers(secret, name, consumer.object.row.span);
    named.is_some_and(|named| {
        consumer.unlisted.iter().any(|name| named.is_usable() && covers(named, name) && !covers(winner, name))
    })
}

/// R10: why a Secret that the consumer's trigger produces is needed.
fn needed(index: &Index<'_>, consumer: &LiveConsumer, switches: &[Switch<'_>]) -> Option<String> {
    if !consumer.writes_secrets() {
        return None;
    }
    let mentions = &index.seen.mentions;
    let inventory = index.seen.inventory.as_ref()?;
    switches.iter().find_map(|&(slot, winner)| {
        let spec = slot.ordered.as_ref()?;
        let id = consumer.secret(slot);
        let span = consumer.object.row.span;
        let is_covered = |name: &String| {
            let name = HostName::parse(name);
            winner.is_none_or(|winner| name.is_ok_and(|name| choose::covers(winner, &name, span)))
        };
        let facts = Facts {
            has_slot: true,
            mentioned: mentions.found.get(&id).cloned(),
            injected: mentions.injected.contains(&id.to_string()),
            read_by_name: READ_BY_NAME.contains(&id.name.as_str()),
            not_covered: spec.names.iter().find(|name| !is_covered(name)).cloned(),
            is_routing_secret: inventory
                .get(&id.namespace, &id.name)
                .is_some_and(|secret| secret.routing || secret.replicated)
                || inventory.is_mirror_source(&id.namespace, &id.name),
            ..Facts::default()
        };
        keep(spec, &facts).map(|keep| keep.to_string()).or_else(|| mentions.gap.clone())
    })
}

fn finding(consumer: &LiveConsumer, switches: &[Switch<'_>]) -> Finding {
    let what = match consumer.triggers.first() {
        Some(trigger) => format!("its {} orders a certificate", escape(&trigger.key)),
        None => "a Certificate of its own orders one".to_owned(),
    };
    let (path, secret_name) = match switches {
        [(slot, _)] => (Some(slot.path.clone()), Some(slot.secret_name.clone()).filter(|name| !name.is_empty())),
        _ => (None, None),
    };
    Finding {
        code: Code::OrdersThoughCovered,
        object: ObjectId::consumer(consumer),
        path,
        hosts: switches.iter().flat_map(|(slot, _)| slot.hosts.clone()).collect(),
        secret_name,
        message: format!("{what}, although {} covers its hosts", escape(&secret_names(switches))),
        commands: commands(consumer, switches),
    }
}

/// The routing secrets that could serve, each once.
fn secret_names(switches: &[Switch<'_>]) -> String {
    let mut names: Vec<String> = Vec::new();
    for (_, winner) in switches {
        let name = winner.map_or_else(|| "several together".to_owned(), |winner| winner.id.name.clone());
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(" and ")
}

/// What changes the consumer: the upgrade of its release, or kubectl, the triggers first, since a trigger beside a
/// routing secret overwrites it within a second.
fn commands(consumer: &LiveConsumer, switches: &[Switch<'_>]) -> Vec<String> {
    if let Some(release) = &consumer.release {
        let mut commands: Vec<String> = consumer.foreign.iter().map(|trigger| trigger.command.clone()).collect();
        commands.push(upgrade(release));
        return commands;
    }
    let mut commands = Vec::new();
    if let Some(annotate) = annotate(consumer) {
        commands.push(annotate);
    }
    let mut operations = Vec::new();
    for trigger in consumer.triggers.iter().filter(|trigger| !trigger.is_annotation) {
        operations.push(serde_json::json!({"op": "remove", "path": pointer(&trigger.key)}));
    }
    for (slot, winner) in switches {
        let Some(winner) = winner else { continue };
        let path = match slot.secret_name.as_str() {
            "" => slot.path.rsplit_once('.').map_or_else(String::new, |(block, _)| {
                format!("{}/{}", pointer(block), consumer.object.row.secret_name.join("/"))
            }),
            _ => pointer(&slot.path),
        };
        operations.push(serde_json::json!({"op": "add", "path": path, "value": winner.id.name}));
    }
    let operations = serde_json::Value::Array(operations).to_string();
    commands.push(format!("kubectl patch {} --type=json -p {}", consumer.arguments(), quoted(&operations)));
    commands
}

/// The upgrade of a release through the filter.
pub(super) fn upgrade(release: &ObjectName) -> String {
    format!(
        "helm upgrade {} CHART -n {} --reuse-values --post-renderer kubectl-routing_secrets",
        quoted(&release.name),
        quoted(&release.namespace)
    )
}

/// The line that takes the annotations away that make an issuer act.
fn annotate(consumer: &LiveConsumer) -> Option<String> {
    let triggers: Vec<&str> =
        consumer.triggers.iter().filter(|trigger| trigger.is_annotation).map(|trigger| trigger.key.as_str()).collect();
    if triggers.is_empty() {
        return None;
    }
    let mut text = format!("kubectl annotate {}", consumer.arguments());
    for key in triggers.iter().copied().chain(consumer.companions.iter().map(String::as_str)) {
        text.push_str(&format!(" {}", quoted(&format!("{key}-"))));
    }
    if triggers.contains(&ROUTER_RESOLVER) {
        // Without this annotation Traefik would turn TLS off for the router.
        text.push_str(&format!(" {ROUTER_TLS}=true --overwrite"));
    }
    Some(text)
}

/// `spec.tls[0].secretName` as a JSON pointer (RFC 6901).
fn pointer(path: &str) -> String {
    format!("/{}", path.replace('[', ".").replace(']', "").replace('.', "/"))
}

/// A word for a shell: tenants choose names, and people paste commands.
fn quoted(word: &str) -> String {
    let word = escape(word);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@".contains(&byte);
    match !word.is_empty() && word.bytes().all(is_plain) {
        true => word.into_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// R4, R10: a trigger beside a slot that names a routing secret.
fn overwrites(index: &Index<'_>, consumer: &LiveConsumer) -> Option<Finding> {
    let inventory = index.seen.inventory.as_ref()?;
    if !consumer.writes_secrets() {
        return None;
    }
    consumer.slots.iter().find_map(|slot| {
        let id = consumer.secret(slot);
        let secret = inventory.get(&id.namespace, &id.name).filter(|secret| secret.routing)?;
        let shim = index.producers(&secret.id).iter().find(|certificate| certificate.shim_owner().is_some());
        let is_producer = secret.producer.as_ref().is_some_and(|producer| {
            producer.certificate_name == secret.id.name
                && consumer.issuer == format!("{}/{}", producer.issuer_kind, producer.issuer_name)
        });
        if slot.hosts.is_empty() || (shim.is_none() && is_producer) {
            return None;
        }
        let trigger = consumer.triggers.first().map(|trigger| escape(&trigger.key).into_owned()).unwrap_or_default();
        let mut commands: Vec<String> = annotate(consumer).into_iter().collect();
        let message = match shim {
            Some(certificate) => {
                let id = &certificate.id;
                commands.push(format!(
                    "kubectl delete -n {} certificates.cert-manager.io {}",
                    escape(&id.namespace),
                    escape(&id.name)
                ));
                format!(
                    "its {trigger} has made Certificate {}, which overwrites the routing secret: remove the trigger, \
                     delete the Certificate, then restore the Secret's data (its annotations \
                     cert-manager.io/alt-names and certificate-name stay stale)",
                    escape(&id.name)
                )
            }
            None => format!("its {trigger} makes its issuer overwrite the routing secret"),
        };
        Some(Finding {
            code: Code::Overwrites,
            object: ObjectId::consumer(consumer),
            path: Some(slot.path.clone()),
            hosts: slot.hosts.clone(),
            secret_name: Some(slot.secret_name.clone()),
            message,
            commands,
        })
    })
}
