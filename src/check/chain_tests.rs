use super::super::certificate;
use super::super::samples::{Sample, bad, facts, find};
use super::*;
use crate::check::{Examined, Finding};

fn link(signer: Signer) -> Link {
    Link {
        subject: "CN=leaf".to_owned(),
        issuer: "CN=issuer".to_owned(),
        not_after: "2030-01-01T00:00:00Z".parse().unwrap(),
        is_ca: false,
        is_public: false,
        signer,
        weak_key: None,
        weak_signature: None,
    }
}

fn issuer(signer: Signer) -> Link {
    Link { subject: "CN=issuer".to_owned(), is_ca: true, ..link(signer) }
}

/// What is found of a secret with this chain.
fn look(links: Vec<Link>, unread: usize) -> Vec<Finding> {
    let sample = Sample::new("demo/wild", &["a.x.org"]);
    let mut facts = facts(std::slice::from_ref(&sample));
    facts.examined.insert(sample.id, Examined { chain: Chain { links, unread }, ..Examined::default() });
    certificate::findings(&facts)
}

fn found(links: Vec<Link>) -> Vec<String> {
    bad(&look(links, 0))
}

#[test]
fn a_chain_that_ends_in_a_root_or_before_it_is_complete() {
    for links in [
        vec![link(Signer::At(1)), issuer(Signer::Elsewhere)],
        vec![link(Signer::At(1)), issuer(Signer::At(2)), issuer(Signer::Itself)],
        vec![link(Signer::Authority)],
        vec![link(Signer::Itself)],
    ] {
        assert_eq!(found(links), Vec::<String>::new());
    }
}

#[test]
fn a_missing_intermediate_is_a_problem_where_the_ca_is_known_to_have_one() {
    assert_eq!(found(vec![link(Signer::Elsewhere)]), ["‼ chainUnconfirmed demo/wild"]);
    let public = Link { is_public: true, ..link(Signer::Elsewhere) };
    assert_eq!(found(vec![public]), ["× chainIncomplete demo/wild"]);
}

#[test]
fn order_strays_and_unreadable_blocks_are_warnings() {
    let mixed = vec![link(Signer::At(2)), issuer(Signer::Itself), issuer(Signer::At(1))];
    let findings = look(mixed, 0);
    assert_eq!(bad(&findings), ["‼ chainOrder demo/wild"]);
    assert!(find(&findings, "chainOrder").message.ends_with("it should be 1, 3, 2"));
    let stray = vec![link(Signer::At(1)), issuer(Signer::Elsewhere), issuer(Signer::Elsewhere)];
    let findings = look(stray, 0);
    assert_eq!(bad(&findings), ["‼ chainStray demo/wild"]);
    assert!(find(&findings, "chainStray").message.ends_with(": 3"));
    assert_eq!(bad(&look(vec![link(Signer::Authority)], 1)), ["‼ chainUnreadable demo/wild"]);
}

#[test]
fn wrong_and_expired_issuers_are_problems() {
    assert_eq!(found(vec![link(Signer::NotReally(1)), issuer(Signer::Itself)]), ["× chainBroken demo/wild"]);
    let expired = |signer| Link { not_after: "2026-01-01T00:00:00Z".parse().unwrap(), ..issuer(signer) };
    assert_eq!(found(vec![link(Signer::At(1)), expired(Signer::Elsewhere)]), ["× issuerExpired demo/wild"]);
    let root = vec![link(Signer::At(1)), expired(Signer::Itself)];
    assert_eq!(found(root), Vec::<String>::new(), "a root's dates are the clients' affair");
    let first = vec![issuer(Signer::Elsewhere), link(Signer::At(0))];
    let findings = look(first, 0);
    assert_eq!(bad(&findings), ["× leafNotFirst demo/wild"]);
    assert!(find(&findings, "leafNotFirst").message.contains("comes as certificate 2"));
}

#[test]
fn weak_keys_and_signatures_are_problems() {
    let weak_key = Link { weak_key: Some("an RSA key of 1024 bits".to_owned()), ..link(Signer::Authority) };
    assert_eq!(found(vec![weak_key.clone()]), ["× weakKey demo/wild"]);
    let weak_issuer = Link { weak_key: weak_key.weak_key, ..issuer(Signer::Elsewhere) };
    assert_eq!(found(vec![link(Signer::At(1)), weak_issuer]), ["× weakIssuerKey demo/wild"]);
    let sha1 = |link: Link| Link { weak_signature: Some("SHA-1"), ..link };
    assert_eq!(found(vec![sha1(link(Signer::Authority))]), ["× weakSignature demo/wild"]);
    assert_eq!(found(vec![link(Signer::At(1)), sha1(issuer(Signer::Elsewhere))]), ["× weakSignature demo/wild"]);
    let root = vec![link(Signer::At(1)), sha1(issuer(Signer::Itself))];
    assert_eq!(found(root), Vec::<String>::new(), "nobody checks a root's signature of itself");
}
