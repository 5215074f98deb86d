use super::*;

fn secret(json: Value) -> LiveSecret {
    serde_json::from_value(json).unwrap()
}

/// As the API server gives a copy of `ops/wild` that we made.
fn copy(namespace: &str) -> Value {
    json!({
        "metadata": {
            "namespace": namespace, "name": "wild", "uid": "u", "resourceVersion": "7",
            "labels": {"epinio.io/routing": "true"},
            "annotations": {COPIED_FROM: "ops/wild", COPIED_FINGERPRINT: "f00d"},
            "managedFields": [{"manager": MANAGER, "operation": "Apply",
                "fieldsV1": {"f:data": {"f:tls.crt": {}, "f:tls.key": {}}}}],
        },
        "type": "kubernetes.io/tls",
        "data": {"tls.crt": "Yw==", "tls.key": "aw=="},
    })
}

fn source() -> LiveSecret {
    let mut source = copy("ops");
    source["metadata"]["annotations"] = json!({"other": "x"});
    secret(source)
}

fn step(named: Option<Value>, asked: bool, prune: bool) -> Option<Step> {
    let live = source();
    let source = Source { secret: &live, fingerprint: "f00d" };
    let target = Target::parse(Some(if asked { "ops|app" } else { "none" }), None).unwrap();
    let namespace = |name: &str| LiveMetadata { name: name.to_owned(), ..LiveMetadata::default() };
    let named: Vec<LiveSecret> = named.into_iter().map(secret).chain([self::source()]).collect();
    let mut steps = plan(&source, &target, &[namespace("app"), namespace("ops")], &named, prune);
    let found = steps.remove("app");
    assert!(steps.is_empty(), "the source's own namespace is none of them");
    found
}

fn changed(change: impl FnOnce(&mut Value)) -> Value {
    let mut value = copy("app");
    change(&mut value);
    value
}

#[test]
fn copies_are_made_changed_and_kept() {
    let update = Some(Step::Update { version: "7".to_owned() });
    assert_eq!(step(None, true, false), Some(Step::Create));
    assert_eq!(step(Some(copy("app")), true, false), Some(Step::Keep));
    assert_eq!(step(Some(changed(|copy| copy["data"]["tls.crt"] = "b2xk".into())), true, false), update);
    assert_eq!(step(Some(changed(|copy| copy["data"]["more"] = "b2xk".into())), true, false), update);
    assert_eq!(step(Some(changed(|copy| copy["metadata"]["labels"] = json!({}))), true, false), update);
    assert_eq!(step(None, false, true), None);
}

#[test]
fn surplus_copies_go_only_when_asked() {
    assert_eq!(step(Some(copy("app")), false, false), Some(Step::Surplus));
    let deleted = Step::Delete { uid: "u".to_owned(), version: "7".to_owned() };
    assert_eq!(step(Some(copy("app")), false, true), Some(deleted));
}

#[test]
fn what_is_not_ours_is_left_and_never_pruned() {
    let left = |value: Value| match step(Some(value.clone()), true, true) {
        Some(Step::Leave(why)) => {
            // Such a Secret is none of our business where no copy is asked for.
            (step(Some(value), false, true), why)
        }
        other => panic!("{other:?}"),
    };
    let foreign = changed(|copy| copy["metadata"]["annotations"] = json!({}));
    assert_eq!(left(foreign), (None, Leave::Foreign(MANAGER.to_owned())));
    // The annotation alone could be anybody's.
    let forged = changed(|copy| copy["metadata"]["managedFields"][0]["manager"] = "kubectl".into());
    assert_eq!(left(forged), (None, Leave::Foreign("kubectl".to_owned())));
    let updated = changed(|copy| copy["metadata"]["managedFields"][0]["operation"] = "Update".into());
    assert_eq!(left(updated).0, None);
    let other = changed(|copy| copy["metadata"]["annotations"][COPIED_FROM] = "dev/wild".into());
    assert_eq!(left(other), (None, Leave::OfAnother("dev/wild".to_owned())));
}

#[test]
fn a_copy_that_somebody_else_wrote_into_is_left() {
    let hijacked = changed(|copy| {
        copy["data"]["tls.crt"] = "b3RoZXI=".into();
        let fields = json!({"f:data": {"f:tls.crt": {}}});
        let other = json!({"manager": "cert-manager", "operation": "Apply", "fieldsV1": fields});
        copy["metadata"]["managedFields"].as_array_mut().unwrap().push(other);
    });
    assert_eq!(step(Some(hijacked), true, true), Some(Step::Leave(Leave::WrittenBy("cert-manager".to_owned()))));
}

#[test]
fn nothing_is_made_in_a_namespace_that_goes() {
    let live = source();
    let source = Source { secret: &live, fingerprint: "f00d" };
    let goes = LiveMetadata { name: "app".into(), deletion_timestamp: Some("now".into()), ..LiveMetadata::default() };
    let steps = plan(&source, &Target::default(), &[goes], &[], true);
    assert_eq!(steps["app"], Step::Leave(Leave::NamespaceGoes));
}

#[test]
fn a_copy_names_source_and_fingerprint_and_carries_the_label_and_nothing_else() {
    let live = source();
    let source = Source { secret: &live, fingerprint: "f00d" };
    let copy = source.copy("app", Some("7"));
    assert_eq!(
        copy["metadata"],
        json!({
            "name": "wild", "namespace": "app", "resourceVersion": "7",
            "labels": {"epinio.io/routing": "true"},
            "annotations": {COPIED_FROM: "ops/wild", COPIED_FINGERPRINT: "f00d"},
        })
    );
    assert_eq!(copy.get("data"), None);
}
