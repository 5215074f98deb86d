use super::super::samples::{Sample, bad, facts, find, name, now};
use super::*;
use crate::certificate::CertificateSpec;
use crate::certificate::live::Condition;
use crate::check::Known;

fn wild() -> Sample {
    Sample::new("demo/wild", &["*.apps.example.com"])
}

fn condition(is_true: bool, reason: &str) -> Option<Condition> {
    Some(Condition { is_true, reason: reason.to_owned(), message: "a message".to_owned(), last_transition: None })
}

/// A Certificate of this name that writes into the Secret `wild` beside it, ready.
fn certificate(id: &str) -> LiveCertificate {
    LiveCertificate {
        id: name(id),
        spec: CertificateSpec { secret_name: "wild".to_owned(), ..CertificateSpec::default() },
        ready: condition(true, "Ready"),
        renewal_time: "2027-01-01T00:00:00Z".parse().ok(),
        ..LiveCertificate::default()
    }
}

fn shim(kind: &str, api_version: &str) -> LiveCertificate {
    let owner = Owner { kind: kind.to_owned(), name: "shop".to_owned(), api_version: api_version.to_owned() };
    LiveCertificate { owner: Some(owner), ..certificate("demo/wild") }
}

fn look(sample: &Sample, certificates: Vec<LiveCertificate>) -> Vec<Finding> {
    let mut facts = facts(std::slice::from_ref(sample));
    facts.certificates = Known::Read(certificates);
    findings(&facts)
}

#[test]
fn a_ready_certificate_and_one_of_another_secret_are_well() {
    let mut other = certificate("demo/other");
    other.spec.secret_name = "other".to_owned();
    let far = LiveCertificate { id: name("far/wild"), ..certificate("far/wild") };
    let findings = look(&wild().issued_for("the-cert"), vec![certificate("demo/the-cert"), other, far]);
    let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
    assert_eq!((bad(&findings), codes), (Vec::new(), vec!["certificates", "writers"]));
    let codes: Vec<&str> = look(&wild(), Vec::new()).iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["writers"], "of no Certificate nothing is said");
}

#[test]
fn what_cert_manager_cannot_renew_is_a_problem() {
    let one = |change: fn(&mut LiveCertificate)| {
        let mut certificate = certificate("demo/the-cert");
        change(&mut certificate);
        bad(&look(&wild().issued_for("the-cert"), vec![certificate]))
    };
    assert_eq!(one(|certificate| certificate.ready = condition(false, "Expired")), ["× certificateNotReady demo/wild"]);
    assert_eq!(one(|certificate| certificate.failed_issuance_attempts = 3), ["× renewalFailing demo/wild"]);
    let due = |minutes: i64| {
        let due = now().as_second() - minutes * 60;
        let renewal_time = jiff::Timestamp::from_second(due).ok();
        let certificate = LiveCertificate { renewal_time, ..certificate("demo/the-cert") };
        bad(&look(&wild().issued_for("the-cert"), vec![certificate]))
    };
    assert_eq!(due(30), Vec::<String>::new());
    assert_eq!(due(90), ["× renewalOverdue demo/wild"]);
    assert_eq!(one(|certificate| certificate.ready = None), ["‼ certificateNew demo/wild"]);
    let failing = LiveCertificate {
        failed_issuance_attempts: 3,
        issuing: condition(false, "Failed"),
        ..certificate("demo/the-cert")
    };
    let findings = look(&wild().issued_for("the-cert"), vec![failing]);
    let found = find(&findings, "renewalFailing");
    assert!(found.message.ends_with("3 times in a row: Failed: a message"), "{}", found.message);
    assert!(found.hints[0].contains("kubectl describe certificate the-cert -n demo"));
}

#[test]
fn a_producer_that_is_gone_is_a_warning_except_on_copies() {
    let findings = look(&wild().issued_for("the-cert"), Vec::new());
    assert_eq!(bad(&findings), ["‼ certificateMissing demo/wild"]);
    assert!(find(&findings, "certificateMissing").hints[1].contains("cert-manager.io/certificate-name-"));
    let copy = Sample::new("ops/wild", &["*.apps.example.com"]).issued_for("the-cert").synced("demo/wild");
    assert_eq!(bad(&look(&copy, Vec::new())), Vec::<String>::new());
}

#[test]
fn r4_a_shims_certificate_that_has_written_into_a_secret_has_hijacked_it() {
    for (kind, api_version, resource) in [
        ("Ingress", "networking.k8s.io/v1", "ingress.networking.k8s.io"),
        ("Gateway", "gateway.networking.k8s.io/v1", "gateway.gateway.networking.k8s.io"),
        ("ListenerSet", "gateway.networking.k8s.io/v1", "listenerset.gateway.networking.k8s.io"),
    ] {
        let findings = look(&wild().issued_for("wild"), vec![shim(kind, api_version)]);
        assert_eq!(bad(&findings), ["× hijacked demo/wild"], "{kind}");
        let found = find(&findings, "hijacked");
        assert!(found.message.contains(&format!("cert-manager made for {kind} shop")), "{}", found.message);
        let [trigger, delete, restore, stale] = found.hints.as_slice() else { panic!("{:?}", found.hints) };
        assert!(trigger.contains(&format!("kubectl annotate {resource} shop -n demo cert-manager.io/issuer- ")));
        assert_eq!(trigger.contains("its parent Gateway"), kind == "ListenerSet");
        assert_eq!(delete, "2. kubectl delete certificate wild -n demo");
        assert!(restore.starts_with("3. ") && stale.contains("cert-manager.io/alt-names-"));
    }
    let mirror = Sample::new("ops/wild", &["a.x.org"]).reflected("demo/wild").issued_for("wild");
    let source = Sample::new("ops/wild", &["a.x.org"]);
    let mut facts = facts(&[mirror, source]);
    facts.certificates = Known::Read(vec![shim("Ingress", "networking.k8s.io/v1")]);
    let findings = findings(&facts);
    let restore = &find(&findings, "hijacked").hints[2];
    assert!(
        restore.starts_with("3. have it copied again by a change of its source: kubectl annotate secret wild -n ops")
    );
}

#[test]
fn a_shims_certificate_that_waits_is_rogue() {
    let producer = certificate("demo/the-cert");
    let shim = shim("Ingress", "networking.k8s.io/v1");
    let findings = look(&wild().issued_for("the-cert"), vec![producer, shim.clone()]);
    assert_eq!(bad(&findings), ["× rogueCertificate demo/wild"]);
    assert_eq!(find(&findings, "rogueCertificate").hints.len(), 2);
    assert_eq!(bad(&look(&wild(), vec![shim])), ["× rogueCertificate demo/wild"], "of a secret made by hand");
}

#[test]
fn a_secret_that_an_ingress_was_told_to_make_is_its_own() {
    let mut shim = shim("Ingress", "networking.k8s.io/v1");
    shim.spec.distributes = vec![ROUTING_LABEL.to_owned()];
    assert_eq!(bad(&look(&wild().issued_for("wild"), vec![shim])), ["‼ ownedByConsumer demo/wild"]);
}

#[test]
fn a_second_certificate_for_one_secret_is_rogue() {
    let findings = look(&wild().issued_for("one"), vec![certificate("demo/one"), certificate("demo/two")]);
    assert_eq!(bad(&findings), ["× rogueCertificate demo/wild"]);
    assert!(find(&findings, "rogueCertificate").hints[0].ends_with("kubectl delete certificate two -n demo"));
    let first = look(&wild(), vec![certificate("demo/one")]);
    assert_eq!(bad(&first), Vec::<String>::new(), "the first issuance is nobody's fault");
    let copy = Sample::new("ops/wild", &["a.x.org"]).synced("demo/wild");
    let findings = look(&copy, vec![certificate("demo/one")]);
    assert_eq!(bad(&findings), ["× rogueCertificate demo/wild"]);
    assert!(find(&findings, "rogueCertificate").message.contains("so does Kubed"));
}

#[test]
fn a_label_that_a_secret_template_owns_is_said_and_no_fault() {
    let mut certificate = certificate("demo/the-cert");
    certificate.spec.distributes = vec![ROUTING_LABEL.to_owned()];
    let findings = look(&wild().issued_for("the-cert"), vec![certificate]);
    assert_eq!(bad(&findings), Vec::<String>::new());
    let found = find(&findings, "labelFromTemplate");
    assert_eq!(found.severity, Severity::Ok);
    assert!(found.hints[0].contains("kubectl routing-secrets unmark wild -n demo"));
}

#[test]
fn a_label_that_another_certificate_took_off_is_a_problem() {
    let mut bare = wild().issued_for("the-cert");
    bare.labels.clear();
    let mut certificate = certificate("demo/the-cert");
    certificate.spec.distributes = vec![ROUTING_LABEL.to_owned()];
    let findings = look(&bare, vec![certificate.clone(), self::certificate("demo/other")]);
    assert_eq!(bad(&findings), ["× labelTakenOff demo/wild"]);
    let found = find(&findings, "labelTakenOff");
    assert!(found.message.ends_with("demo/other writes into it too, and takes it off"), "{}", found.message);
    assert_eq!(bad(&look(&bare, vec![certificate])), ["× labelTakenOff demo/wild"]);
    assert_eq!(
        bad(&look(&bare, vec![self::certificate("demo/the-cert")])),
        Vec::<String>::new(),
        "nobody gives it one"
    );
}
