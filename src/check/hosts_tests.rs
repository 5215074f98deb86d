use super::super::samples::{Sample, bad, facts, find, name};
use super::*;
use crate::check::{Known, Scope};

fn consumer(id: &str, slots: &[&[&str]]) -> LiveConsumer {
    let hosts = |hosts: &&[&str]| hosts.iter().map(|host| HostName::parse(host).unwrap()).collect();
    let slots = slots.iter().map(hosts).collect();
    LiveConsumer { kind: "Ingress".to_owned(), id: name(id), slots, span: WildcardSpan::OneLabel }
}

#[test]
fn hosts_of_one_secret_each_are_well() {
    let samples = [
        Sample::new("demo/a", &["a.x.org", "*.a.x.org"]),
        Sample::new("demo/b", &["b.x.org"]),
        Sample::new("other/a", &["a.x.org"]),
    ];
    let findings = findings(&facts(&samples));
    assert_eq!((bad(&findings), findings[0].code), (Vec::new(), "overlap"));
}

#[test]
fn two_usable_secrets_of_a_namespace_that_cover_a_host_are_one_warning() {
    let exact = Sample::new("demo/shop", &["shop.x.org", "other.y.org"]);
    let wild = Sample::new("demo/wild", &["*.x.org"]);
    let findings = findings(&facts(&[exact.clone(), wild.clone()]));
    assert_eq!(bad(&findings), ["‼ overlap demo/shop"]);
    assert_eq!(find(&findings, "overlap").message, "wild covers shop.x.org too; shop is taken");
    let same = [wild.clone(), Sample::new("demo/again", &["*.x.org"])];
    assert_eq!(find(&super::findings(&facts(&same)), "overlap").message, "wild covers *.x.org too; again is taken");
    let mut broken = exact;
    broken.key.clear();
    let mut unlabelled = Sample::new("demo/plain", &["*.x.org"]);
    unlabelled.labels.clear();
    assert_eq!(bad(&super::findings(&facts(&[broken, wild, unlabelled]))), Vec::<String>::new());
}

#[test]
fn a_namespace_whose_consumers_a_secret_elsewhere_could_serve_is_named() {
    let mut expired = rcgen_expired("team-a/old");
    expired.labels.insert("epinio.io/routing".to_owned(), String::new());
    let source = Sample::new("ops/wild", &["*.apps.x.org"]);
    let mut facts = facts(&[expired, source.synced("team-b/wild"), source]);
    facts.consumers = Known::Read(vec![
        consumer("team-a/shop", &[&["shop.apps.x.org"]]),
        consumer("team-a/api", &[&["far.y.org"], &["api.apps.x.org"]]),
        consumer("team-b/shop", &[&["shop.apps.x.org"]]),
        consumer("team-c/half", &[&["shop.apps.x.org", "far.y.org"]]),
        consumer("team-c/none", &[&[]]),
    ]);
    let found = findings(&facts);
    assert_eq!(bad(&found), ["‼ noUsableSecret /team-a"]);
    let finding = find(&found, "noUsableSecret");
    assert!(finding.message.ends_with("ops/wild covers the hosts of Ingress api and 1 more"), "{}", finding.message);
    assert_eq!(finding.hints, ["kubectl routing-secrets distribute wild -n ops --via copy --to-namespaces team-a"]);
    // In one namespace the others' secrets are read apart.
    facts.scope = Scope { namespace: Some("team-a".to_owned()), names: Vec::new() };
    assert_eq!(bad(&findings(&facts)), ["‼ noUsableSecret /team-a"]);
}

fn rcgen_expired(id: &str) -> Sample {
    let mut params = super::super::samples::params(&["old.x.org"]);
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    Sample::with(id, params)
}
