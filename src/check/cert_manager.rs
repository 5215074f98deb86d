//! What cert-manager does with routing secrets: whether the Certificate behind one renews it, and whether another one
//! writes, or waits to write, into it (R4; seen on real servers).

use std::collections::HashMap;

use super::certificate::replace;
use super::{Category, Facts, Finding, Severity, settle};
use crate::certificate::live::{LiveCertificate, Owner};
use crate::output::escape::escape;
use crate::secret::{ObjectName, Origin, ROUTING_LABEL, Replicator, Secret};

/// How long after its time a renewal may take: cert-manager waits an hour after the first failure
/// (`pkg/controller/certificates/trigger`).
const GRACE: i64 = 3600;

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let Some(certificates) = facts.certificates.read() else { return Vec::new() };
    let mut into: HashMap<ObjectName, Vec<&LiveCertificate>> = HashMap::new();
    for certificate in certificates {
        if let Some(secret) = certificate.secret() {
            into.entry(secret).or_default().push(certificate);
        }
    }
    let of = |secret: &Secret| into.get(&secret.id).map_or(&[][..], Vec::as_slice);
    let (mut produced, mut written, mut labelled, mut count) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for secret in facts.secrets() {
        let producer = of(secret).iter().copied().find(|certificate| is_producer(certificate, secret));
        count += usize::from(producer.is_some());
        produced.extend(missing(secret, producer));
        produced.extend(producer.and_then(|certificate| renewal(secret, certificate, facts.now.as_second())));
        written.extend(of(secret).iter().filter_map(|certificate| writer(secret, certificate, producer)));
        labelled.extend(of(secret).iter().filter_map(|certificate| template(secret, certificate)));
    }
    let well = "each Certificate behind a secret is ready, and renewed in time";
    let mut findings = settle(Category::CertManager, "certificates", well, count, produced);
    let all = facts.secrets().count();
    let well = "no Certificate writes into a secret that is not its own";
    findings.extend(settle(Category::CertManager, "writers", well, all, written));
    findings.extend(labelled);
    findings.extend(certificates.iter().filter_map(|certificate| stripped(certificate, &into, facts)));
    findings
}

/// A secret without the label that its Certificate's template gives it. Every Certificate takes off what its own template
/// does not have, and all of them write under one name, so a rogue one takes the label with it (seen on real servers).
fn stripped(
    certificate: &LiveCertificate,
    into: &HashMap<ObjectName, Vec<&LiveCertificate>>,
    facts: &Facts,
) -> Option<Finding> {
    let id = certificate.secret().filter(|id| is_template(certificate) && facts.scope.has(id))?;
    let secret = facts.inventory.get(&id.namespace, &id.name).filter(|secret| !secret.routing)?;
    let others = into.get(&id).map_or(&[][..], Vec::as_slice).iter().filter(|other| other.id != certificate.id);
    let others: Vec<String> = others.map(|other| other.id.to_string()).collect();
    let message = format!(
        "it has not the label {ROUTING_LABEL} that the secretTemplate of Certificate {} gives it",
        certificate.id
    );
    let (namespace, name) = (escape(&certificate.id.namespace), escape(&certificate.id.name));
    let (message, hint) = match others.is_empty() {
        true => (message, format!("see why: kubectl describe certificate {name} -n {namespace}")),
        false => {
            let others = others.join(", ");
            let hint = format!(
                "only one may write into a Secret: kubectl get certificate -n {namespace}, and delete those that should not; first take the triggers off the objects that they are for"
            );
            (format!("{message}: {others} writes into it too, and takes it off"), hint)
        }
    };
    Some(finding(secret, Severity::Problem, "labelTakenOff", message).hint(hint))
}

/// Whether a Certificate gives its Secret the label.
fn is_template(certificate: &LiveCertificate) -> bool {
    certificate.spec.distributes.iter().any(|key| key == ROUTING_LABEL)
}

fn finding(secret: &Secret, severity: Severity, code: &'static str, message: String) -> Finding {
    Finding::of(Category::CertManager, severity, code, &secret.id, message)
}

/// Whether the secret says that it was issued for this Certificate.
fn is_producer(certificate: &LiveCertificate, secret: &Secret) -> bool {
    secret.producer.as_ref().is_some_and(|producer| producer.certificate_name == certificate.id.name)
}

fn missing(secret: &Secret, producer: Option<&LiveCertificate>) -> Option<Finding> {
    // Copies carry the annotations of their source.
    let named = secret.producer.as_ref().filter(|_| secret.origin == Origin::Source && producer.is_none())?;
    let (namespace, name) = (escape(&secret.id.namespace), escape(&secret.id.name));
    let message = format!(
        "it was issued for Certificate {}, which is not there or writes elsewhere by now: nothing renews it",
        escape(&named.certificate_name)
    );
    let clear = ["certificate-name", "issuer-name", "issuer-kind", "issuer-group", "alt-names", "common-name"];
    let clear: Vec<String> = clear.iter().map(|key| format!("cert-manager.io/{key}-")).collect();
    Some(
        finding(secret, Severity::Warning, "certificateMissing", message)
            .hint(format!(
                "bring the Certificate back, or replace certificate and key before {}",
                secret.certificate.as_ref().map_or_else(|| "they expire".to_owned(), |facts| facts.not_after.to_string())
            ))
            .hint(format!(
                "if it is kept by hand, the annotations are left from before: kubectl annotate secret {name} -n {namespace} {}",
                clear.join(" ")
            )),
    )
}

/// What is wrong with the Certificate that produces the secret.
fn renewal(secret: &Secret, certificate: &LiveCertificate, now: i64) -> Option<Finding> {
    let id = &certificate.id;
    let because = |condition: &Option<crate::certificate::live::Condition>| {
        condition.as_ref().map_or_else(
            || "it has not said why".to_owned(),
            |condition| format!("{}: {}", escape(&condition.reason), escape(&condition.message)),
        )
    };
    let due = certificate.renewal_time.map(|time| time.as_second() + GRACE);
    let found = if certificate.failed_issuance_attempts > 0 {
        let times = certificate.failed_issuance_attempts;
        let message = format!(
            "Certificate {id} has failed to issue it {times} times in a row: {}",
            because(&certificate.issuing)
        );
        finding(secret, Severity::Problem, "renewalFailing", message)
    } else if certificate.ready.as_ref().is_some_and(|ready| !ready.is_true) {
        let message = format!("Certificate {id} is not ready: {}", because(&certificate.ready));
        finding(secret, Severity::Problem, "certificateNotReady", message)
    } else if let Some(time) = certificate.renewal_time.filter(|_| due.is_some_and(|due| due < now)) {
        let message = format!("Certificate {id} was to renew it at {time}, and has not");
        finding(secret, Severity::Problem, "renewalOverdue", message)
    } else if certificate.ready.is_none() {
        finding(
            secret,
            Severity::Warning,
            "certificateNew",
            format!("Certificate {id} has not been looked at by cert-manager yet"),
        )
        .hint("see whether cert-manager runs: kubectl get pods -A -l app.kubernetes.io/instance=cert-manager")
    } else {
        return None;
    };
    let (namespace, name) = (escape(&id.namespace), escape(&id.name));
    Some(found.hint(format!(
        "see why: kubectl describe certificate {name} -n {namespace}, or cmctl status certificate {name} -n {namespace}"
    )))
}

/// A Certificate that writes into the secret, or waits to, and should not.
fn writer(secret: &Secret, certificate: &LiveCertificate, producer: Option<&LiveCertificate>) -> Option<Finding> {
    let is_writing = is_producer(certificate, secret);
    if let Some(owner) = certificate.shim_owner() {
        return Some(match (is_template(certificate) && secret.origin == Origin::Source, is_writing) {
            (true, _) => of_consumer(secret, certificate, owner),
            (false, true) => hijacked(secret, certificate, owner),
            (false, false) => rogue_shim(secret, certificate, owner),
        });
    }
    let by = match &secret.origin {
        Origin::Mirror { by, .. } | Origin::Copy { by } => Some(by.to_string()),
        Origin::Source => None,
    };
    let others = match (by, producer) {
        (Some(by), _) => format!("so does {by}: each undoes what the other wrote"),
        (None, Some(producer)) if !is_writing => {
            format!("so does Certificate {}: this one takes over when that one goes", producer.id)
        }
        _ => return None,
    };
    let (namespace, name) = (escape(&certificate.id.namespace), escape(&certificate.id.name));
    let message = format!("Certificate {} names it as the Secret to write into, and {others}", certificate.id);
    Some(
        finding(secret, Severity::Problem, "rogueCertificate", message)
            .hint(format!("delete the one that is wrong: kubectl delete certificate {name} -n {namespace}")),
    )
}

fn of_consumer(secret: &Secret, certificate: &LiveCertificate, owner: &Owner) -> Finding {
    let message = format!(
        "Certificate {} of {} makes it: when that object goes, nothing renews it",
        certificate.id,
        owned_by(owner)
    );
    finding(secret, Severity::Warning, "ownedByConsumer", message)
        .hint("make a Certificate of its own: kubectl routing-secrets create NAME --cluster-issuer ISSUER --host HOST")
}

fn hijacked(secret: &Secret, certificate: &LiveCertificate, owner: &Owner) -> Finding {
    let message = format!(
        "hijacked: Certificate {}, which cert-manager made for {}, writes into it",
        certificate.id,
        owned_by(owner)
    );
    remove(finding(secret, Severity::Problem, "hijacked", message), certificate, owner)
        .hint(format!("3. {}", restore(secret)))
        .hint(format!(
            "its annotations cert-manager.io/alt-names and certificate-name stay stale until then: kubectl annotate secret {} -n {} cert-manager.io/alt-names- cert-manager.io/certificate-name-",
            escape(&secret.id.name),
            escape(&secret.id.namespace)
        ))
}

fn rogue_shim(secret: &Secret, certificate: &LiveCertificate, owner: &Owner) -> Finding {
    let message = format!(
        "Certificate {}, which cert-manager made for {}, waits to write into it",
        certificate.id,
        owned_by(owner)
    );
    remove(finding(secret, Severity::Problem, "rogueCertificate", message), certificate, owner)
}

/// The first two steps of every repair: in another order the data is overwritten again at once.
fn remove(finding: Finding, certificate: &LiveCertificate, owner: &Owner) -> Finding {
    let (namespace, name) = (escape(&certificate.id.namespace), escape(&certificate.id.name));
    let resource = match owner.api_version.split_once('/') {
        Some((group, _)) => format!("{}.{}", owner.kind.to_lowercase(), escape(group)),
        None => owner.kind.to_lowercase(),
    };
    let also = match owner.kind.as_str() {
        "ListenerSet" => ", and from its parent Gateway, which it takes them from",
        _ => "",
    };
    finding
        .hint(format!(
            "1. take the triggers off{also}: kubectl annotate {resource} {} -n {namespace} cert-manager.io/issuer- cert-manager.io/cluster-issuer- kubernetes.io/tls-acme-",
            escape(&owner.name)
        ))
        .hint(format!("2. kubectl delete certificate {name} -n {namespace}"))
}

/// How the former data comes back.
fn restore(secret: &Secret) -> String {
    match &secret.origin {
        // Neither heals data while the source stays as it is (`SecretMirror.cs`, `pkg/syncer/secret.go`).
        Origin::Mirror { of, by: Replicator::Reflector | Replicator::Kubed } => format!(
            "have it copied again by a change of its source: kubectl annotate secret {} -n {} routing-secrets.epinio.io/restored=\"$(date +%s)\" --overwrite",
            escape(&of.name),
            escape(&of.namespace)
        ),
        Origin::Mirror { of, by: Replicator::RoutingSecrets } => format!(
            "have it copied again: kubectl routing-secrets distribute {} -n {} --via copy",
            escape(&of.name),
            escape(&of.namespace)
        ),
        _ => replace(secret),
    }
}

fn owned_by(owner: &Owner) -> String {
    format!("{} {}", escape(&owner.kind), escape(&owner.name))
}

/// A label that comes back when it is taken off by hand.
fn template(secret: &Secret, certificate: &LiveCertificate) -> Option<Finding> {
    is_template(certificate).then(|| {
        let message = format!("its label comes from the secretTemplate of Certificate {}", certificate.id);
        finding(secret, Severity::Ok, "labelFromTemplate", message).hint(format!(
            "taken off by hand it comes back: kubectl routing-secrets unmark {} -n {} takes it out of the template",
            escape(&secret.id.name),
            escape(&secret.id.namespace)
        ))
    })
}

#[cfg(test)]
#[path = "cert_manager_tests.rs"]
mod tests;
