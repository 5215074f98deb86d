use std::collections::BTreeMap;

use super::*;
use crate::secret::{KeyCheck, ObjectName};

fn secret(origin: Origin, routing: bool) -> Secret {
    Secret {
        id: ObjectName { namespace: "demo".to_owned(), name: "wild".to_owned() },
        certificate: None,
        key: KeyCheck::Matched,
        problems: Vec::new(),
        warnings: Vec::new(),
        producer: None,
        origin,
        routing,
        replicated: false,
        reflected_version: None,
        source_version: None,
        predicted: false,
        names: crate::choose::DnsNames::default(),
    }
}

fn template(labels: &[&str]) -> TemplateCertificate {
    let labels: BTreeMap<&str, &str> = labels.iter().map(|&key| (key, "true")).collect();
    serde_json::from_value(serde_json::json!({"spec": {"secretName": "wild", "secretTemplate": {"labels": labels}}}))
        .unwrap()
}

fn mirror(by: Replicator) -> Origin {
    Origin::Mirror { of: ObjectName { namespace: "ops".to_owned(), name: "src".to_owned() }, by }
}

#[test]
fn a_label_goes_where_it_lasts() {
    let (own, other) = (template(&[ROUTING_LABEL]), template(&["team"]));
    let on_secret = Ok(Marking::OnSecret { until: None });
    let plain = |routing| secret(Origin::Source, routing);
    assert_eq!(mark(&plain(false), None), on_secret);
    assert_eq!(mark(&plain(false), Some(&other)), on_secret);
    assert_eq!(mark(&plain(false), Some(&own)), Ok(Marking::InTemplate));
    assert_eq!(mark(&plain(true), Some(&own)), Ok(Marking::AsItIs));
    assert_eq!(unmark(&plain(true), None), on_secret);
    assert_eq!(unmark(&plain(true), Some(&other)), on_secret);
    assert_eq!(unmark(&plain(false), None), Ok(Marking::AsItIs));
    // Taken off the Secret alone, cert-manager would put it back.
    assert_eq!(unmark(&plain(true), Some(&own)), Ok(Marking::OnCertificate));
    assert_eq!(unmark(&plain(false), Some(&own)), Ok(Marking::OnCertificate));
}

#[test]
fn what_a_replicator_would_undo_is_refused_with_the_command_that_lasts() {
    for (origin, command) in [
        (mirror(Replicator::Kubed), "kubectl routing-secrets mark src -n ops"),
        (mirror(Replicator::RoutingSecrets), "kubectl routing-secrets mark src -n ops"),
        (Origin::Copy { by: Replicator::Mittwald }, "mark the source instead"),
        (Origin::Copy { by: Replicator::Kyverno }, "mark the source instead"),
        (Origin::Copy { by: Replicator::ExternalSecrets }, "spec.target.template.metadata.labels"),
        (Origin::Copy { by: Replicator::ClusterSecret }, "labels of the ClusterSecret"),
    ] {
        let refusal = mark(&secret(origin.clone(), false), None).unwrap_err().to_string();
        assert!(refusal.contains("would undo it: ") && refusal.ends_with(command), "{refusal}");
        assert!(unmark(&secret(origin, true), None).is_err());
    }
    let until = |by| mark(&secret(mirror(by), false), None);
    assert_eq!(until(Replicator::Reflector), Ok(Marking::OnSecret { until: Some(Replicator::Reflector) }));
    assert_eq!(until(Replicator::Mittwald), Ok(Marking::OnSecret { until: None }));
}

#[test]
fn r4_what_cannot_serve_is_not_marked_and_can_be_unmarked() {
    let mut broken = secret(Origin::Source, false);
    broken.problems = vec![Reason::NoKey, Reason::NoDnsNames];
    let refusal = mark(&broken, None).unwrap_err().to_string();
    assert!(refusal.contains("it has no tls.key; its certificate has no DNS name"), "{refusal}");
    broken.routing = true;
    assert_eq!(unmark(&broken, None), Ok(Marking::OnSecret { until: None }));
}
