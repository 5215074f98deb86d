//! The certificates that a server sends after its own (RFC 8446 section 4.4.2): each signs the one before it, none is
//! missing but the root, none is there for nothing.

use super::certificate::{finding, replace};
use super::{Facts, Finding, Severity};
use crate::output::escape::escape;
use crate::secret::Secret;
use crate::secret::chain::{Chain, Link, Signer};

pub(super) fn find(secret: &Secret, facts: &Facts) -> Vec<Finding> {
    let Some(chain) = facts.chain(secret) else { return Vec::new() };
    let path = chain.path();
    let mut findings = Vec::new();
    let mut add = |severity, code, message: String, hint: String| {
        findings.push(finding(secret, severity, code, message).hint(hint));
    };
    let rewrite = || format!("write tls.crt as: its own certificate, then each issuer's; {}", replace(secret));
    if let Some(at) = leaf_behind(chain) {
        let message = format!("certificate 1 in tls.crt is a CA's; the server's comes as certificate {}", at + 1);
        add(Severity::Problem, "leafNotFirst", message, rewrite());
        return findings;
    }
    for &at in &path {
        let Some(link) = chain.links.get(at) else { continue };
        if let Signer::NotReally(signer) = link.signer {
            let message = format!(
                "certificate {} in tls.crt is not signed by certificate {}, though it names it as its issuer ({})",
                at + 1,
                signer + 1,
                escape(&link.issuer)
            );
            add(Severity::Problem, "chainBroken", message, rewrite());
        }
        if let Some(message) = out_of_date(at, link, facts) {
            add(Severity::Problem, "issuerExpired", message, rewrite());
        }
        if let Some(digest) = link.weak_signature.filter(|_| at == 0 || link.signer != Signer::Itself) {
            let message =
                format!("certificate {} in tls.crt is signed with {digest}, which TLS clients refuse", at + 1);
            add(Severity::Problem, "weakSignature", message, replace(secret));
        }
        if let Some(what) = link.weak_key.as_ref().filter(|_| at > 0) {
            let message = format!("certificate {} in tls.crt has {what}, which TLS clients refuse", at + 1);
            add(Severity::Problem, "weakIssuerKey", message, rewrite());
        }
    }
    if path.windows(2).any(|pair| pair[0] + 1 != pair[1]) {
        let order: Vec<String> = path.iter().map(|at| (at + 1).to_string()).collect();
        let message = format!("the certificates in tls.crt are out of order: it should be {}", order.join(", "));
        add(Severity::Warning, "chainOrder", message, rewrite());
    }
    let stray: Vec<String> =
        (0..chain.links.len()).filter(|at| !path.contains(at)).map(|at| (at + 1).to_string()).collect();
    if !stray.is_empty() {
        let message = format!("tls.crt holds certificates that sign nothing in it: {}", stray.join(", "));
        add(
            Severity::Warning,
            "chainStray",
            message,
            "take them out: each client gets them with every connection".to_owned(),
        );
    }
    if chain.unread > 0 {
        let message = format!("{} of the certificates in tls.crt cannot be read, or are too many", chain.unread);
        add(Severity::Warning, "chainUnreadable", message, rewrite());
    }
    if let (Some(leaf), [_]) = (chain.links.first(), path.as_slice())
        && leaf.signer == Signer::Elsewhere
    {
        let issuer = escape(&leaf.issuer).into_owned();
        if leaf.is_public {
            let message = format!(
                "the certificate of its issuer is missing in tls.crt ({issuer}): clients cannot follow the chain"
            );
            add(
                Severity::Problem,
                "chainIncomplete",
                message,
                "append the issuer's intermediate certificates to tls.crt".to_owned(),
            );
        } else {
            let message = format!(
                "tls.crt holds no issuer ({issuer}): clients follow the chain only if that one is a root they trust"
            );
            let hint = "append the intermediate certificates to tls.crt; if the issuer is a root, put it into ca.crt, and this is known";
            add(Severity::Warning, "chainUnconfirmed", message, hint.to_owned());
        }
    }
    findings
}

/// The server's certificate, where a CA's stands before it.
fn leaf_behind(chain: &Chain) -> Option<usize> {
    chain.links.first().filter(|first| first.is_ca)?;
    chain.links.iter().position(|link| !link.is_ca)
}

/// An issuer that is no root has to be valid; a root's dates are for the clients that trust it.
fn out_of_date(at: usize, link: &Link, facts: &Facts) -> Option<String> {
    let is_expired = at > 0 && link.signer != Signer::Itself && link.not_after < facts.now;
    is_expired
        .then(|| format!("certificate {} in tls.crt, {}, expired at {}", at + 1, escape(&link.subject), link.not_after))
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
