use super::super::samples::{Sample, bad, facts, facts_with, find, name};
use super::*;
use crate::check::{Known, Scope};
use crate::inventory::Sources;

const HOSTS: &[&str] = &["*.apps.example.com"];
const REFLECTOR: [(&str, &str); 4] = [
    ("reflector.v1.k8s.emberstack.com/reflection-allowed", "true"),
    ("reflector.v1.k8s.emberstack.com/reflection-allowed-namespaces", ""),
    ("reflector.v1.k8s.emberstack.com/reflection-auto-enabled", "true"),
    ("reflector.v1.k8s.emberstack.com/reflection-auto-namespaces", "team-.*"),
];

fn namespaces(all: &[(&str, &[(&str, &str)])]) -> Known<Vec<Namespace>> {
    let labels = |labels: &[(&str, &str)]| labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    Known::Read(all.iter().map(|(name, of)| Namespace { name: (*name).to_owned(), labels: labels(of) }).collect())
}

fn teams() -> Known<Vec<Namespace>> {
    namespaces(&[("ops", &[]), ("team-a", &[]), ("team-b", &[]), ("dev", &[])])
}

#[test]
fn r7_mirrors_that_hold_what_their_sources_hold_are_well() {
    let source = Sample::new("ops/wild", HOSTS).annotate(&REFLECTOR);
    let mut facts = facts(&[source.reflected("team-a/wild"), source.reflected("team-b/wild"), source]);
    facts.namespaces = teams();
    let findings = findings(&facts);
    assert_eq!(bad(&findings), Vec::<String>::new());
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["mirrors", "distribution", "mirrorUnlabelled"]);
}

#[test]
fn r7_a_mirror_with_another_certificate_is_stale() {
    for copy in [Sample::reflected, Sample::synced] {
        let former = copy(&Sample::new("ops/wild", HOSTS), "team-a/wild");
        let mut facts = facts(&[former, Sample::new("ops/wild", HOSTS)]);
        facts.namespaces = teams();
        let findings = findings(&facts);
        assert_eq!(bad(&findings), ["× staleMirror team-a/wild"]);
        assert!(find(&findings, "staleMirror").hints[0].contains("kubectl annotate secret wild -n ops"));
    }
}

#[test]
fn r7_a_mirror_of_an_older_version_of_a_source_that_was_not_read_is_behind() {
    let look = |version: &str| {
        let labelled = [(name("ops/wild"), version.to_owned())].into();
        let mirror = Sample::new("ops/wild", HOSTS).reflected("team-a/wild");
        let mut facts = facts_with(&[mirror], Sources { labelled, ..Sources::default() });
        facts.namespaces = teams();
        bad(&findings(&facts))
    };
    assert_eq!(look("8"), ["‼ mirrorBehind team-a/wild"]);
    assert_eq!(look("7"), Vec::<String>::new());
}

#[test]
fn a_mirror_whose_source_is_gone_is_said() {
    let missing = [name("ops/wild")].into();
    let mirror = Sample::new("ops/wild", HOSTS).synced("team-a/wild");
    let facts = facts_with(&[mirror], Sources { missing, ..Sources::default() });
    assert_eq!(bad(&findings(&facts)), ["‼ sourceMissing team-a/wild"]);
}

#[test]
fn namespaces_that_should_have_a_copy_and_have_none_are_named() {
    let source = Sample::new("ops/wild", HOSTS).annotate(&REFLECTOR);
    let mut facts = facts(&[source.reflected("team-a/wild"), source]);
    facts.namespaces = teams();
    let reflector = findings(&facts);
    assert_eq!(bad(&reflector), ["× mirrorMissing ops/wild"]);
    assert!(find(&reflector, "mirrorMissing").message.ends_with("where it is not: team-b"));
    let source = Sample::new("ops/wild", HOSTS).annotate(&[("kubed.appscode.com/sync", "team=a")]);
    let mut facts = super::super::samples::facts(&[source]);
    facts.namespaces = namespaces(&[("ops", &[("team", "a")]), ("x", &[("team", "a")]), ("y", &[])]);
    let kubed = findings(&facts);
    assert!(
        find(&kubed, "mirrorMissing").message.ends_with("Kubed should copy it to these namespaces, where it is not: x")
    );
}

#[test]
fn a_secret_of_the_same_name_that_is_no_copy_is_in_the_way() {
    let source = Sample::new("ops/wild", HOSTS).annotate(&REFLECTOR);
    let own = Sample::new("team-a/wild", &["other.example.org"]);
    let mut facts = facts(&[source.reflected("team-b/wild"), own, source]);
    facts.namespaces = teams();
    assert_eq!(bad(&findings(&facts)), ["‼ nameTaken ops/wild"]);
}

#[test]
fn orders_that_cannot_be_read_are_said() {
    let mut orders = REFLECTOR;
    orders[3].1 = "*";
    let mut facts = facts(&[Sample::new("ops/wild", HOSTS).annotate(&orders)]);
    facts.namespaces = teams();
    assert_eq!(bad(&findings(&facts)), ["‼ distributionUnreadable ops/wild"]);
}

#[test]
fn in_one_namespace_the_sources_of_others_count_and_copies_elsewhere_only_where_they_were_listed() {
    let scope = |namespace: &str| Scope { namespace: Some(namespace.to_owned()), names: Vec::new() };
    let annotations: BTreeMap<String, String> = REFLECTOR.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let source = Source { id: name("ops/wild"), annotations };
    let mut target = facts(&[]);
    (target.namespaces, target.scope) = (teams(), scope("team-a"));
    target.labelled = Known::Read(vec![source.clone()]);
    let findings_of_target = findings(&target);
    assert!(find(&findings_of_target, "mirrorMissing").message.ends_with(": team-a"));
    let mut own = facts(&[Sample::new("ops/wild", HOSTS).annotate(&REFLECTOR)]);
    (own.namespaces, own.scope) = (teams(), scope("ops"));
    assert_eq!(bad(&findings(&own)), Vec::<String>::new(), "nobody knows what the others have");
    let origin = Origin::Mirror { of: name("ops/wild"), by: Replicator::Reflector };
    own.copies = Known::Read(vec![Copy { id: name("team-b/wild"), origin }]);
    assert!(find(&findings(&own), "mirrorMissing").message.ends_with("where it is not: team-a"));
}

#[test]
fn epinio_sees_no_mirror_without_the_label() {
    let source = Sample::new("ops/wild", HOSTS);
    let mut labelled = source.reflected("team-b/wild");
    labelled.labels.insert(ROUTING_LABEL.to_owned(), String::new());
    let mut facts = facts(&[source.reflected("team-a/wild"), labelled, source.synced("dev/wild"), source]);
    let look = |facts: &Facts| {
        let findings = findings(facts);
        let found = find(&findings, "mirrorUnlabelled").clone();
        (bad(&findings), found)
    };
    let epinio: &[(&str, &str)] = &[EPINIO];
    let warning = vec!["‼ mirrorUnlabelled ops/wild".to_owned()];
    facts.namespaces = namespaces(&[("team-a", epinio), ("team-b", epinio)]);
    let (found, finding) = look(&facts);
    assert_eq!(found, warning);
    assert!(finding.message.ends_with("in: team-a") && finding.hints[0].contains("-n team-a epinio.io/routing="));
    facts.namespaces = Known::NotAsked;
    assert_eq!(look(&facts).0, warning, "Epinio may be there");
    facts.namespaces = teams();
    assert_eq!(look(&facts).0, Vec::<String>::new(), "Epinio is not there");
    facts.namespaces = namespaces(&[("team-a", &[]), ("epinio-team", epinio)]);
    assert!(bad(&findings(&facts)).is_empty(), "the namespace is not Epinio's");
}
