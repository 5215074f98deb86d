use rcgen::{ExtendedKeyUsagePurpose, KeyPair};

use super::super::samples::{Sample, bad, facts, find, params};
use super::*;

fn wild() -> Sample {
    Sample::new("demo/wild", &["*.apps.example.com"])
}

/// What is found of one secret alone.
fn found(sample: Sample) -> Vec<String> {
    bad(&findings(&facts(&[sample])))
}

#[test]
fn a_sound_secret_gives_a_line_a_look_and_nothing_else() {
    let findings = findings(&facts(&[wild()]));
    assert_eq!(bad(&findings), Vec::<String>::new());
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["readable", "keys", "chains", "servers", "names", "validity"]);
    assert!(findings.iter().all(|finding| finding.hints.is_empty() && finding.message.ends_with("(1)")));
    assert_eq!(super::findings(&facts(&[])), [], "of no secret nothing is said");
}

#[test]
fn a_secret_without_a_certificate_is_no_proof_of_what_certificates_are() {
    let mut empty = Sample::new("demo/empty", &[]);
    empty.certificate.clear();
    let findings = findings(&facts(&[wild(), empty]));
    assert_eq!(bad(&findings), ["× noCertificate demo/empty"]);
    let well: Vec<&str> =
        findings.iter().filter(|finding| finding.object.is_none()).map(|finding| finding.code).collect();
    assert_eq!(well, ["keys", "chains", "servers", "names", "validity"]);
    assert!(findings.iter().all(|finding| finding.object.is_some() || finding.message.ends_with("(1)")));
}

#[test]
fn r4_each_reason_for_not_being_usable_is_a_problem_with_a_hint() {
    let mut opaque = wild();
    opaque.type_ = "Opaque".to_owned();
    assert_eq!(found(opaque), ["× wrongType demo/wild"]);
    let mut empty = wild();
    empty.certificate.clear();
    assert_eq!(found(empty), ["× noCertificate demo/wild"]);
    let mut text = wild();
    text.certificate = "no certificate".to_owned();
    assert_eq!(found(text), ["× noPemCertificate demo/wild"]);
    let temporary = wild().annotate(&[("cert-manager.io/certificate-name", "wild")]);
    assert_eq!(found(temporary), ["× temporary demo/wild"]);
    let mut keyless = wild();
    keyless.key.clear();
    assert_eq!(found(keyless), ["× noKey demo/wild"]);
    let mut mismatched = wild();
    mismatched.key = KeyPair::generate().unwrap().serialize_pem();
    assert_eq!(found(mismatched), ["× keyMismatch demo/wild"]);
    let mut client = params(&["a.x.org"]);
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    assert_eq!(found(Sample::with("demo/wild", client)), ["× notForServers demo/wild"]);
    assert_eq!(found(Sample::new("demo/wild", &[])), ["× noDnsNames demo/wild"]);
}

#[test]
fn r4_what_clients_ignore_or_may_object_to_is_a_warning() {
    assert_eq!(found(Sample::new("demo/wild", &["a.x.org", "*.com"])), ["‼ voidName demo/wild"]);
    let mut ca = params(&["a.x.org"]);
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    assert_eq!(found(Sample::with("demo/wild", ca)), ["‼ certificateAuthority demo/wild"]);
    let mut unknown = wild();
    unknown.key = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAQID\n-----END ENCRYPTED PRIVATE KEY-----\n".to_owned();
    assert_eq!(found(unknown), ["‼ keyNotComparable demo/wild"]);
}

fn valid(from: i32, to: i32) -> Sample {
    let mut params = params(&["a.x.org"]);
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(to, 1, 1);
    Sample::with("demo/wild", params)
}

#[test]
fn r5_expiry_counts_by_a_third_of_the_lifetime_unless_a_time_is_given() {
    assert_eq!(found(valid(2020, 2021)), ["× expired demo/wild"]);
    assert_eq!(found(valid(2027, 2030)), ["× notYetValid demo/wild"]);
    // 38 days are left, of seven years and of ninety days.
    assert_eq!(found(valid(2020, 2027)), ["‼ expiresSoon demo/wild"]);
    let mut short = params(&["a.x.org"]);
    short.not_before = rcgen::date_time_ymd(2026, 10, 3);
    short.not_after = rcgen::date_time_ymd(2027, 1, 1);
    let short = Sample::with("demo/wild", short);
    assert_eq!(found(short.clone()), Vec::<String>::new());
    let within = |sample: Sample, days: u64| {
        let mut facts = facts(&[sample]);
        facts.expires_within = Some(Duration::from_secs(days * 86_400));
        bad(&findings(&facts))
    };
    assert_eq!(within(short.clone(), 30), Vec::<String>::new());
    assert_eq!(within(short, 60), ["‼ expiresSoon demo/wild"]);
    assert_eq!(within(valid(2020, 2027), 30), Vec::<String>::new());
}

#[test]
fn hints_name_what_writes_the_secret() {
    let hint = |sample: Sample| find(&findings(&facts(&[sample])), "expired").hints[0].clone();
    let expired = valid(2020, 2021);
    assert!(hint(expired.clone()).starts_with("replace both: kubectl create secret tls wild -n demo --cert=FILE"));
    assert_eq!(hint(expired.clone().issued_for("the-cert")), "have it issued anew: cmctl renew the-cert -n demo");
    let mut mirror = expired.reflected("app/wild");
    mirror.labels.insert("epinio.io/routing".to_owned(), String::new());
    assert_eq!(hint(mirror), "correct its source demo/wild; the copy follows it");
}

#[test]
fn r20_hostile_names_in_certificates_are_escaped() {
    let findings = findings(&facts(&[Sample::new("demo/wild", &["a.x.org", "\u{1b}[31m.org"])]));
    let found = find(&findings, "voidName");
    assert!(!found.message.contains('\u{1b}') && found.message.contains("\\u{1b}"), "{}", found.message);
}
