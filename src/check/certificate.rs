//! The secrets' own certificates and keys: what makes them unusable (R4), and what clients may object to.

use std::time::Duration;

use super::{Category, Facts, Finding, Severity, chain, settle};
use crate::output::escape::escape;
use crate::output::table::human_duration;
use crate::secret::{Origin, Reason, Secret};

/// One look at every secret.
struct Look {
    code: &'static str,
    well: &'static str,
    find: fn(&Secret, &Facts) -> Vec<Finding>,
}

const LOOKS: [Look; 6] = [
    Look { code: "readable", well: "each is a TLS Secret with a certificate that can be read", find: readable },
    Look { code: "keys", well: "each key belongs to its certificate, and is strong", find: keys },
    Look { code: "chains", well: "each chain is complete, in order, and soundly signed", find: chain::find },
    Look { code: "servers", well: "each certificate is meant for servers", find: servers },
    Look { code: "names", well: "each name is one that TLS clients accept", find: names },
    Look { code: "validity", well: "each certificate is valid, and for long enough", find: validity },
];

pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    let look = |look: &Look| {
        // What has no certificate is no proof of the other looks.
        let looked_at = facts.secrets().filter(|secret| look.code == "readable" || secret.certificate.is_some());
        let count = looked_at.count();
        let found = facts.secrets().flat_map(|secret| (look.find)(secret, facts));
        settle(Category::Certificates, look.code, look.well, count, found)
    };
    LOOKS.iter().flat_map(look).collect()
}

pub(super) fn finding(secret: &Secret, severity: Severity, code: &'static str, message: String) -> Finding {
    Finding::of(Category::Certificates, severity, code, &secret.id, message)
}

/// Every problem and warning of the secret that belongs to a look.
fn reasons(secret: &Secret, belongs: impl Fn(&Reason) -> bool) -> Vec<Finding> {
    let of = |reasons: &[Reason], severity| -> Vec<Finding> {
        let reasons = reasons.iter().filter(|reason| belongs(reason));
        reasons.map(|reason| finding(secret, severity, reason.code(), reason.to_string())).collect()
    };
    [of(&secret.problems, Severity::Problem), of(&secret.warnings, Severity::Warning)].concat()
}

/// How a certificate and its key are replaced, depending on who writes the secret.
pub(super) fn replace(secret: &Secret) -> String {
    let (namespace, name) = (escape(&secret.id.namespace), escape(&secret.id.name));
    match (&secret.origin, &secret.producer) {
        (Origin::Mirror { of, .. }, _) => format!("correct its source {of}; the copy follows it"),
        (Origin::Copy { by }, _) => format!("correct it where {by} takes it from"),
        (Origin::Source, Some(producer)) => {
            format!("have it issued anew: cmctl renew {} -n {namespace}", escape(&producer.certificate_name))
        }
        (Origin::Source, None) => format!(
            "replace both: kubectl create secret tls {name} -n {namespace} --cert=FILE --key=FILE --dry-run=client -o yaml | kubectl apply -f -"
        ),
    }
}

fn readable(secret: &Secret, _: &Facts) -> Vec<Finding> {
    let belongs = |reason: &Reason| {
        matches!(
            reason,
            Reason::WrongType(_)
                | Reason::NoCertificate
                | Reason::NoPemCertificate
                | Reason::UnreadableCertificate
                | Reason::Temporary
                | Reason::NotBase64("tls.crt")
        )
    };
    let (namespace, name) = (escape(&secret.id.namespace), escape(&secret.id.name));
    let with_hint = |finding: Finding| {
        match finding.code {
        "wrongType" => finding.hint(format!(
            "a Secret's type cannot be changed: kubectl delete secret {name} -n {namespace}, and kubectl create secret tls {name} -n {namespace} --cert=FILE --key=FILE"
        )),
        "temporary" => finding.hint(format!("see why the real one does not come: kubectl get certificate,order,challenge -n {namespace}")),
        _ => finding.hint(replace(secret)),
    }
    };
    reasons(secret, belongs).into_iter().map(with_hint).collect()
}

fn keys(secret: &Secret, facts: &Facts) -> Vec<Finding> {
    let belongs = |reason: &Reason| {
        matches!(
            reason,
            Reason::NoKey
                | Reason::NoPemKey
                | Reason::KeyMismatch
                | Reason::KeyNotComparable
                | Reason::NotBase64("tls.key")
        )
    };
    let with_hint = |finding: Finding| {
        match finding.code {
        "keyNotComparable" => finding.hint(
            "compare them yourself: openssl pkey -pubout -in KEY and openssl x509 -pubkey -noout -in CERTIFICATE must print the same",
        ),
        _ => finding.hint(replace(secret)),
    }
    };
    let weak = facts.chain(secret).and_then(|chain| chain.links.first()?.weak_key.clone());
    let weak = weak.map(|what| {
        finding(secret, Severity::Problem, "weakKey", format!("its certificate has {what}, which TLS clients refuse"))
            .hint(replace(secret))
    });
    reasons(secret, belongs).into_iter().map(with_hint).chain(weak).collect()
}

fn servers(secret: &Secret, _: &Facts) -> Vec<Finding> {
    let belongs = |reason: &Reason| matches!(reason, Reason::NotForServers | Reason::CertificateAuthority);
    let with_hint = |finding: Finding| match finding.code {
        "certificateAuthority" => finding
            .hint("whoever has its key can sign for every host: serve a certificate that this CA has issued instead"),
        _ => finding.hint(replace(secret)),
    };
    reasons(secret, belongs).into_iter().map(with_hint).collect()
}

fn names(secret: &Secret, _: &Facts) -> Vec<Finding> {
    let belongs = |reason: &Reason| matches!(reason, Reason::NoDnsNames | Reason::VoidName(_));
    let with_hint = |finding: Finding| match finding.code {
        "noDnsNames" => finding.hint(format!("a common name does not count: it needs SANs; {}", replace(secret))),
        _ => finding.hint("a * must be the whole first label, and stands for exactly one; names are ASCII"),
    };
    reasons(secret, belongs).into_iter().map(with_hint).collect()
}

fn validity(secret: &Secret, facts: &Facts) -> Vec<Finding> {
    let belongs = |reason: &Reason| matches!(reason, Reason::Expired(_) | Reason::NotYetValid(_));
    let ended = reasons(secret, belongs);
    if !ended.is_empty() {
        return ended.into_iter().map(|finding| finding.hint(replace(secret))).collect();
    }
    let Some(certificate) = &secret.certificate else { return Vec::new() };
    let left = certificate.not_after.as_second() - facts.now.as_second();
    let (is_soon, limit) = match facts.expires_within {
        Some(limit) => (left < seconds(limit), format!("within {}", human_duration(seconds(limit)))),
        None => (secret.expires_soon(facts.now), "with less than a third of its lifetime left".to_owned()),
    };
    let message = || format!("it expires at {}, in {}, {limit}", certificate.not_after, human_duration(left));
    let found = is_soon.then(|| finding(secret, Severity::Warning, "expiresSoon", message()).hint(replace(secret)));
    found.into_iter().collect()
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
