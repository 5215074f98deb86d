use super::super::samples::{Sample, bad, facts, name};
use super::*;
use crate::check::Known;

fn deployment(image: &str, ready: u32) -> Workload {
    let images = vec![image.to_owned()];
    Workload { kind: "Deployment", id: name("system/copier"), app: String::new(), images, desired: 1, ready }
}

const ALLOWED: (&str, &str) = ("reflector.v1.k8s.emberstack.com/reflection-allowed", "true");
const AUTO: (&str, &str) = ("reflector.v1.k8s.emberstack.com/reflection-auto-enabled", "true");

fn look(source: Sample, workloads: Vec<Workload>) -> Vec<Finding> {
    let mut facts = facts(&[source]);
    facts.replicators = Known::Read(workloads);
    findings(&facts)
}

fn reflected() -> Sample {
    Sample::new("ops/wild", &["a.x.org"]).annotate(&[ALLOWED, AUTO])
}

fn synced() -> Sample {
    Sample::new("ops/wild", &["a.x.org"]).annotate(&[("kubed.appscode.com/sync", "")])
}

#[test]
fn a_replicator_is_known_by_its_image_or_its_charts_label() {
    let app = |app: &str| Workload { app: app.to_owned(), ..deployment("registry.example.com/copy:1", 1) };
    for (workload, expected) in [
        (deployment("docker.io/emberstack/kubernetes-reflector:10.0.63", 1), Some(Replicator::Reflector)),
        (deployment("registry.example.com:5000/mirror/kubernetes-reflector@sha256:00", 1), Some(Replicator::Reflector)),
        (deployment("ghcr.io/appscode/kubed:v0.13.2", 1), Some(Replicator::Kubed)),
        (deployment("ghcr.io/config-syncer/config-syncer:v0.15", 1), Some(Replicator::Kubed)),
        (deployment("nginx:1", 1), None),
        (app("reflector"), Some(Replicator::Reflector)),
        (app("config-syncer"), Some(Replicator::Kubed)),
        (app("shop"), None),
    ] {
        assert_eq!(workload.replicator(), expected, "{workload:?}");
    }
}

#[test]
fn a_replicator_that_runs_is_well_and_one_that_nobody_needs_is_not_asked_for() {
    let runs = look(reflected(), vec![deployment("emberstack/kubernetes-reflector:10", 1)]);
    assert_eq!((bad(&runs), runs[0].message.as_str()), (Vec::new(), "Reflector runs (Deployment system/copier)"));
    assert_eq!(look(Sample::new("ops/wild", &["a.x.org"]), Vec::new()), []);
}

#[test]
fn a_replicator_that_annotations_ask_for_has_to_be_there_and_ready() {
    assert_eq!(bad(&look(reflected(), Vec::new())), ["× replicatorMissing ops/wild"]);
    let kubed = vec![deployment("appscode/kubed:1", 1)];
    assert_eq!(bad(&look(reflected(), kubed.clone())), ["× replicatorMissing ops/wild"], "another runs");
    assert_eq!(bad(&look(synced(), kubed)), Vec::<String>::new());
    let down = look(synced(), vec![deployment("appscode/kubed:1", 0)]);
    assert_eq!(bad(&down), ["× replicatorNotReady ops/wild"]);
    assert_eq!(down[0].hints, ["see why: kubectl describe deployment copier -n system"]);
    let scaled = Workload { desired: 0, ..deployment("appscode/kubed:1", 0) };
    let scaled = look(synced(), vec![scaled]);
    assert_eq!(scaled[0].hints, ["kubectl scale deployment copier -n system --replicas=1"]);
    let two = vec![deployment("appscode/kubed:1", 0), deployment("appscode/kubed:2", 1)];
    assert_eq!(bad(&look(synced(), two)), Vec::<String>::new());
}

#[test]
fn a_mirror_alone_makes_its_replicators_absence_a_warning() {
    let source = Sample::new("ops/wild", &["a.x.org"]);
    let mut facts = facts(&[source.synced("team-a/wild"), source]);
    facts.replicators = Known::Read(Vec::new());
    assert_eq!(bad(&findings(&facts)), ["‼ replicatorMissing team-a/wild"]);
}

#[test]
fn deployments_and_pods_are_read_as_the_api_server_gives_them() {
    let read = |json: serde_json::Value| serde_json::from_value::<ApiWorkload>(json).unwrap();
    let deployment = read(serde_json::json!({
        "metadata": {"namespace": "system", "name": "epinio-reflector", "labels": {"app.kubernetes.io/name": "reflector"}},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [{"image": "a/kubernetes-reflector:1"}]}}},
        "status": {"availableReplicas": 1},
    }))
    .into_deployment();
    assert_eq!((deployment.desired, deployment.ready, deployment.app.as_str()), (2, 1, "reflector"));
    assert_eq!(
        (deployment.images.as_slice(), deployment.id.to_string().as_str()),
        (&["a/kubernetes-reflector:1".to_owned()][..], "system/epinio-reflector")
    );
    let pod = read(serde_json::json!({
        "metadata": {"namespace": "system", "name": "p"}, "spec": {"containers": [{"image": "x/kubed:1"}]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }))
    .into_pod();
    assert_eq!((pod.kind, pod.ready, pod.replicator()), ("Pod", 1, Some(Replicator::Kubed)));
}
