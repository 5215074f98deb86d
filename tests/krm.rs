//! The filter as a KRM function: a ResourceList in and out, and the real kustomize.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "helm/cache.rs"]
mod cache;
mod support;

use std::fs;
use std::process::Command;

use support::{Files, Run, Tls, run, three};

/// A list as kustomize hands it over, with the notes that it makes in annotations.
const LIST: &str = r#"apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- apiVersion: networking.k8s.io/v1
  kind: Ingress
  metadata:
    name: shop
    annotations:
      cert-manager.io/cluster-issuer: letsencrypt
      internal.config.kubernetes.io/index: '0'
  spec:
    tls:
    - hosts: [shop.apps.example.com]
      secretName: shop-tls # the chart's
- apiVersion: cert-manager.io/v1
  kind: Certificate
  metadata:
    annotations:
      kustomize.config.k8s.io/id: |
        kind: Certificate
        name: shop-tls
      internal.config.kubernetes.io/path: 'certificate_shop-tls.yaml'
    name: shop-tls
  spec:
    dnsNames: [shop.apps.example.com]
    secretName: shop-tls
functionConfig:
  apiVersion: routing-secrets.epinio.io/v1alpha1
  kind: RoutingSecrets
  metadata: {name: it}
  spec:
    namespace: demo
    inventory: [INVENTORY]
"#;

fn krm(list: &str, arguments: &[&str], env: &[(&str, &str)]) -> Run {
    let files = Files::new(&three());
    let list = list.replace("INVENTORY", &files.inventory());
    run(&[&["krm"], arguments].concat(), env, list.as_bytes())
}

#[test]
fn the_items_are_rewritten_in_place_and_the_results_say_so() {
    let run = krm(LIST, &[], &[]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let text = run.text();
    assert!(text.contains("      secretName: wild # the chart's\n"), "{text}");
    assert!(!text.contains("cluster-issuer: letsencrypt\n      internal"), "{text}");
    // R13: what kustomize notes of the Certificate's own name is no use of its Secret.
    assert!(text.contains("# routing-secrets: dropped Certificate shop-tls"), "{text}");
    let list: serde_json::Value = serde_saphyr::from_str(text).unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let results = list["results"].as_array().unwrap();
    let find = |start: &str| {
        let found = results.iter().find(|result| result["message"].as_str().unwrap().starts_with(start));
        found.unwrap_or_else(|| panic!("no {start} in {results:#?}"))
    };
    let rewritten = find("rewritten: shop-tls -> wild for shop.apps.example.com");
    assert_eq!(rewritten["severity"], "info");
    assert_eq!(rewritten["field"]["path"], "spec.tls[0].secretName");
    assert_eq!(rewritten["resourceRef"]["kind"], "Ingress");
    assert_eq!(rewritten["resourceRef"]["apiVersion"], "networking.k8s.io/v1");
    assert_eq!(find("removed: cert-manager.io/cluster-issuer")["severity"], "info");
    assert_eq!(find("dropped: wild covers shop.apps.example.com")["resourceRef"]["kind"], "Certificate");
}

#[test]
fn a_name_in_another_annotation_of_the_certificate_keeps_it() {
    let list =
        LIST.replace("internal.config.kubernetes.io/path: 'certificate_shop-tls.yaml'", "example.com/secret: shop-tls");
    let run = krm(&list, &[], &[]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.text().contains("stays: "), "{}", run.text());
}

#[test]
fn what_is_left_is_a_warning() {
    let run = krm(&LIST.replace("shop.apps.example.com", "shop.example.net"), &[], &[]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let list: serde_json::Value = serde_saphyr::from_str(run.text()).unwrap();
    let results = list["results"].as_array().unwrap();
    let is_left = |result: &&serde_json::Value| result["message"].as_str().unwrap().starts_with("left: ");
    assert!(results.iter().filter(is_left).all(|result| result["severity"] == "warning"), "{results:#?}");
    assert!(results.iter().any(|result| is_left(&result)), "{results:#?}");
}

#[test]
fn the_configuration_gives_any_option_and_the_command_line_wins() {
    let configured = LIST.replace("    namespace: demo\n", "    namespace: demo\n    keepCertificates: true\n");
    let run = krm(&configured, &[], &[]);
    assert!(!run.text().contains("dropped"), "{}", run.text());
    let run = krm(&LIST.replace("namespace: demo", "namespace: elsewhere"), &["-n", "demo"], &[]);
    assert!(run.text().contains("secretName: wild"), "{}", run.text());
    // The environment gives what neither gives.
    let open = LIST.replace("    namespace: demo\n", "");
    let run = krm(&open, &[], &[("ROUTING_SECRETS_NAMESPACE", "demo")]);
    assert!(run.text().contains("secretName: wild"), "{} {}", run.text(), run.stderr);
    // A ConfigMap's data, as other functions take it.
    let map = LIST.replace("  spec:\n    namespace: demo\n", "  data:\n    namespace: demo\n");
    let map = map.replace(
        "apiVersion: routing-secrets.epinio.io/v1alpha1\n  kind: RoutingSecrets",
        "apiVersion: v1\n  kind: ConfigMap",
    );
    let run = krm(&map, &[], &[]);
    assert!(run.text().contains("secretName: wild"), "{} {}", run.text(), run.stderr);
}

#[test]
fn errors_name_the_configuration_and_nothing_is_written() {
    for (from, to, expected) in [
        ("kind: ResourceList", "kind: ConfigList", "no ResourceList"),
        ("    namespace: demo\n", "", "gives no spec.namespace"),
        ("namespace: demo", "nameSpace: demo", "\"nameSpace\" is no option"),
        ("namespace: demo", "namespace: {a: b}", "takes a value"),
        ("namespace: demo", "require: some", "the function's configuration: invalid value 'some'"),
        ("inventory: [INVENTORY]", "inventory: [/nowhere]", "/nowhere"),
        ("functionConfig:\n", "results: []\nfunctionConfig:\n", "has results already"),
        ("items:\n", "items: [\n", "not one YAML document"),
    ] {
        let run = krm(&LIST.replace(from, to), &[], &[]);
        assert_eq!((run.code, run.stdout.len()), (2, 0), "{expected}: {}", run.stderr);
        assert!(run.stderr.contains(expected), "{expected}: {}", run.stderr);
    }
}

/// The pages of docs/gitops.md: the real kustomize runs the function, drops what it drops, and without the flag that
/// allows it nothing runs.
#[test]
#[ignore = "needs the real kustomize"]
fn kustomize_runs_the_function() {
    let secrets: Vec<Tls> = three().into_iter().map(|secret| Tls { years: (2020, 2120), ..secret }).collect();
    let files = Files::new(&secrets);
    let items = LIST.split_once("items:\n").unwrap().1.split_once("functionConfig").unwrap().0;
    let documents: Vec<String> = items
        .split("\n- ")
        .map(|item| item.trim_start_matches("- ").replace("\n  ", "\n"))
        .map(|item| item.lines().filter(|line| !line.contains("config.kubernetes.io/")).collect::<Vec<_>>().join("\n"))
        .map(|item| {
            item.replace("    kustomize.config.k8s.io/id: |\n      kind: Certificate\n      name: shop-tls\n", "")
        })
        .map(|item| item.replace("  annotations:\n  name: shop-tls", "  name: shop-tls"))
        .collect();
    fs::write(files.path("shop.yaml"), documents.join("\n---\n")).unwrap();
    fs::write(files.path("kustomization.yaml"), "resources: [shop.yaml]\ntransformers: [routing-secrets.yaml]\n")
        .unwrap();
    let function = format!(
        "apiVersion: routing-secrets.epinio.io/v1alpha1\nkind: RoutingSecrets\nmetadata:\n  name: routing-secrets\n  \
         annotations:\n    config.kubernetes.io/function: |\n      exec:\n        path: {}\n        args: [krm]\nspec:\n  \
         namespace: demo\n  inventory: [inventory.yaml]\n",
        env!("CARGO_BIN_EXE_kubectl-routing_secrets")
    );
    fs::write(files.path("routing-secrets.yaml"), function).unwrap();
    let kustomize = |flags: &[&str]| {
        let folder = files.path("");
        let mut command = Command::new(cache::binary("kustomize", "KUSTOMIZE="));
        let output = command.arg("build").args(flags).arg(".").current_dir(folder).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    };
    let (success, stdout, stderr) = kustomize(&["--enable-alpha-plugins", "--enable-exec"]);
    assert!(success, "{stderr}");
    assert!(stdout.contains("secretName: wild\n"), "{stdout}");
    assert!(!stdout.contains("cluster-issuer") && !stdout.contains("kind: Certificate"), "{stdout}");
    // Without the flag the function is passed over without a word, as kubectl's own kustomize does.
    let (success, stdout, _) = kustomize(&["--enable-alpha-plugins"]);
    assert!(success && stdout.contains("secretName: shop-tls"), "{stdout}");
    // Our sentence reaches the user.
    fs::remove_file(files.path("inventory.yaml")).unwrap();
    let (success, _, stderr) = kustomize(&["--enable-alpha-plugins", "--enable-exec"]);
    assert!(!success && stderr.contains("routing-secrets: "), "{stderr}");
}
