//! Certificates that nothing uses any more: those that a shim has left behind, and those whose hosts routing secrets
//! serve now (R13 on live objects). When in doubt a Certificate is not called unused.

use std::collections::HashSet;

use super::covered::upgrade;
use super::{Code, Finding, Index, ObjectId, Unproven};
use crate::certificate::live::LiveCertificate;
use crate::certificate::{Facts, Keep, keep};
use crate::choose::{self, HostName, WildcardSpan};
use crate::output::escape::escape;
use crate::plan::READ_BY_NAME;
use crate::secret::ObjectName;

/// What is found about Certificates.
#[derive(Debug, Default)]
pub struct Unused {
    /// Those that nothing uses.
    pub findings: Vec<Finding>,
    /// Those of which that cannot be told.
    pub unproven: Vec<Unproven>,
}

/// The Secrets that are looked for elsewhere before something is said.
#[must_use]
pub fn candidates(index: &Index<'_>) -> Vec<ObjectName> {
    let candidates = index.seen.certificates.iter().filter(|certificate| is_candidate(index, certificate));
    candidates.filter_map(LiveCertificate::secret).collect()
}

/// Whether no slot names its Secret, and nothing but a shim controls it.
fn is_candidate(index: &Index<'_>, certificate: &LiveCertificate) -> bool {
    let has_slot = certificate.secret().is_none_or(|secret| index.slots.contains_key(&secret));
    let is_of_operator = certificate.owner.is_some() && certificate.shim_owner().is_none();
    !has_slot && !is_of_operator && !certificate.spec.is_ca
}

/// Every Certificate that nothing uses.
#[must_use]
pub fn find(index: &Index<'_>) -> Unused {
    let mut unused = Unused::default();
    let served = served(index);
    for certificate in index.seen.certificates.iter().filter(|certificate| is_candidate(index, certificate)) {
        let Some(secret) = certificate.secret() else { continue };
        let object = ObjectId::certificate(&certificate.id);
        let doubt = match judge(index, &served, certificate, &secret) {
            Err(Judged::Used) => continue,
            Err(Judged::Doubt(doubt)) => Some(doubt),
            Ok(()) => gap(index, certificate),
        };
        match doubt {
            Some(message) => unused.unproven.push(Unproven { object, message }),
            None => unused.findings.push(finding(certificate, secret, object)),
        }
    }
    unused
}

enum Judged {
    Used,
    Doubt(String),
}

fn judge(
    index: &Index<'_>,
    served: &HashSet<(String, String)>,
    certificate: &LiveCertificate,
    secret: &ObjectName,
) -> Result<(), Judged> {
    let Some(inventory) = &index.seen.inventory else {
        return Err(Judged::Doubt("no slot names its Secret, and Secrets could not be read".to_owned()));
    };
    let mentions = &index.seen.mentions;
    let named = inventory.get(&secret.namespace, &secret.name);
    let facts = Facts {
        has_slot: true,
        mentioned: mentions.found.get(secret).cloned(),
        injected: mentions.injected.contains(&format!("{}/{}", certificate.id.namespace, certificate.id.name)),
        read_by_name: READ_BY_NAME.contains(&secret.name.as_str()),
        is_routing_secret: named.is_some_and(|secret| secret.routing || secret.replicated)
            || inventory.is_mirror_source(&secret.namespace, &secret.name),
        ..Facts::default()
    };
    match keep(&certificate.spec, &facts) {
        None => {}
        Some(Keep::Mentioned(_) | Keep::Injected | Keep::IsRoutingSecret | Keep::Distributes(_) | Keep::Ca) => {
            return Err(Judged::Used);
        }
        Some(keep) => return Err(Judged::Doubt(format!("no slot names its Secret, but {keep}"))),
    }
    let others = index.producers(secret).iter().find(|other| other.id != certificate.id);
    if let Some(other) = others {
        let message = format!("no slot names its Secret, but Certificate {} writes it, too", escape(&other.id.name));
        return Err(Judged::Doubt(message));
    }
    if certificate.shim_owner().is_some() {
        return Ok(());
    }
    let is_served = |name: &String| {
        HostName::parse(name)
            .is_ok_and(|name| served.contains(&(certificate.id.namespace.clone(), name.as_str().to_owned())))
    };
    match certificate.spec.names.iter().find(|name| !is_served(name)) {
        None => Ok(()),
        Some(name) => Err(Judged::Doubt(format!(
            "no object names its Secret, but no routing secret serves {} either: a program may read it through the API",
            escape(name)
        ))),
    }
}

/// The hosts, by namespace, that slots serve with usable routing secrets.
fn served(index: &Index<'_>) -> HashSet<(String, String)> {
    let Some(inventory) = &index.seen.inventory else { return HashSet::new() };
    let mut served = HashSet::new();
    for (secret, slots) in &index.slots {
        let secret = inventory.get(&secret.namespace, &secret.name);
        let Some(secret) = secret.filter(|secret| secret.routing && secret.is_usable()) else { continue };
        for name in slots.iter().flat_map(|(_, slot)| &slot.names) {
            if choose::covers(secret, name, WildcardSpan::OneLabel) {
                served.insert((secret.id.namespace.clone(), name.as_str().to_owned()));
            }
        }
    }
    served
}

/// Why nobody can say that nothing uses it, if so.
fn gap(index: &Index<'_>, certificate: &LiveCertificate) -> Option<String> {
    let gap = index.seen.mentions.gap.as_ref();
    gap.map(|gap| format!("no slot names the Secret {}, but {gap}", escape(&certificate.spec.secret_name)))
}

fn finding(certificate: &LiveCertificate, secret: ObjectName, object: ObjectId) -> Finding {
    let release = match certificate.shim_owner() {
        Some(_) => None,
        None => certificate.annotations.get("meta.helm.sh/release-name").map(|name| ObjectName {
            namespace: certificate
                .annotations
                .get("meta.helm.sh/release-namespace")
                .unwrap_or(&certificate.id.namespace)
                .clone(),
            name: name.clone(),
        }),
    };
    let (code, message) = match certificate.shim_owner() {
        Some(owner) => (
            Code::ShimOrphan,
            format!(
                "made for {} {}, which does not ask for it any more; it goes on renewing {}, which nothing names",
                escape(&owner.kind),
                escape(&owner.name),
                escape(&secret.name)
            ),
        ),
        None => (
            Code::CertificateUnused,
            format!("nothing names {}, and routing secrets serve its hosts", escape(&secret.name)),
        ),
    };
    let delete =
        || format!("kubectl delete {} {}", certificate_arguments(&certificate.id), escape(&certificate.id.name));
    Finding {
        code,
        object,
        path: None,
        hosts: certificate.spec.names.clone(),
        secret_name: Some(secret.name),
        message,
        commands: vec![release.as_ref().map_or_else(delete, upgrade)],
    }
}

fn certificate_arguments(id: &ObjectName) -> String {
    format!("-n {} certificates.cert-manager.io", escape(&id.namespace))
}
