//! `create` without a cluster: dry runs of the client, and what is refused before anything is asked.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use support::{Files, Run, Tls, run};

/// A folder with the certificate and the key of a secret.
fn pair(change: impl FnOnce(&mut Tls)) -> (Files, String, String) {
    let mut secret = Tls::new("demo", "wild", &["*.apps.example.com", "example.com"]);
    change(&mut secret);
    let files = Files::new(&[]);
    let (certificate, key) = secret.pem();
    std::fs::write(files.path("tls.crt"), certificate).unwrap();
    std::fs::write(files.path("tls.key"), key).unwrap();
    let path = |name: &str| files.path(name).display().to_string();
    let paths = (path("tls.crt"), path("tls.key"));
    (files, paths.0, paths.1)
}

fn create(arguments: &[&str]) -> Run {
    run(&[&["create", "wild", "--dry-run=client"], arguments].concat(), &[], b"")
}

fn from_pair(change: impl FnOnce(&mut Tls), arguments: &[&str]) -> Run {
    let (_files, certificate, key) = pair(change);
    create(&[&["--cert", &certificate, "--key", &key], arguments].concat())
}

const SHOWS: &str = "apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: wild
spec:
  dnsNames:
  - \"*.apps.example.com\"
  issuerRef:
    group: cert-manager.io
    kind: ClusterIssuer
    name: ca
  secretName: wild
  secretTemplate:
    annotations:
      reflector.v1.k8s.emberstack.com/reflection-allowed: \"true\"
      reflector.v1.k8s.emberstack.com/reflection-allowed-namespaces: .*
      reflector.v1.k8s.emberstack.com/reflection-auto-enabled: \"true\"
      reflector.v1.k8s.emberstack.com/reflection-auto-namespaces: .*
    labels:
      epinio.io/routing: \"true\"
";

#[test]
fn a_certificate_carries_the_label_and_the_annotations_in_its_template() {
    let issuer = ["--cluster-issuer", "ca", "--host", "*.apps.example.com"];
    let distributed = ["--distribute", "reflector", "--to-namespaces", ".*", "-o", "yaml"];
    let made = create(&[&issuer[..], &["-o", "yaml"]].concat());
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert!(!made.text().contains("annotations"), "{}", made.text());
    let made = create(&[&issuer[..], &distributed].concat());
    assert_eq!((made.code, made.text()), (0, SHOWS));
    assert!(made.stderr.contains("Reflector copies no labels"), "{}", made.stderr);
    let named = create(&[&issuer[..], &["-n", "ops", "-o", "json"]].concat());
    let object: serde_json::Value = serde_json::from_str(named.text()).unwrap();
    assert_eq!(object["metadata"], serde_json::json!({"name": "wild", "namespace": "ops"}));
    assert_eq!(create(&issuer).text(), "certificate.cert-manager.io/wild created (dry run)\n");
    assert_eq!(create(&[&issuer[..], &["-o", "name"]].concat()).text(), "certificate.cert-manager.io/wild\n");
}

#[test]
fn kubed_gets_a_selector_and_the_user_the_lines_that_it_needs() {
    let kubed = ["--issuer", "ca", "--host", "a.example.com", "--distribute", "kubed"];
    let made = create(&[&kubed[..], &["--to-selector", "sync=wild", "--to-namespaces", "a,b"]].concat());
    let lines: Vec<&str> = made.text().lines().skip(1).collect();
    assert_eq!(lines, ["kubectl label namespace a sync=wild", "kubectl label namespace b sync=wild"]);
    assert!(made.stderr.contains("Kubed overwrites any Secret that is named wild"));
    let made = create(&[&kubed[..], &["--to-namespaces", "a,b", "-o", "yaml"]].concat());
    assert!(made.text().contains("kubed.appscode.com/sync: kubernetes.io/metadata.name in (a,b)"), "{}", made.text());
    // What is piped to kubectl stays an object alone.
    let made = create(&[&kubed[..], &["--to-selector", "sync=wild", "-o", "yaml"]].concat());
    assert!(made.stderr.contains("kubectl label namespace NAMESPACE sync=wild") && !made.text().contains("kubectl"));
}

#[test]
fn a_secret_is_printed_without_its_data_and_says_so() {
    for format in ["yaml", "json"] {
        let made = from_pair(|_| {}, &["--host", "shop.apps.example.com", "--immutable", "-o", format]);
        assert_eq!(made.code, 0, "{}", made.stderr);
        let object: serde_json::Value = serde_saphyr::from_str(made.text()).unwrap();
        assert_eq!(
            object,
            serde_json::json!({
                "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "immutable": true,
                "metadata": {"name": "wild", "labels": {"epinio.io/routing": "true"}},
            })
        );
        assert!(made.stderr.contains("private keys are never printed"), "{}", made.stderr);
    }
    assert_eq!(from_pair(|_| {}, &[]).text(), "secret/wild created (dry run)\n");
}

#[test]
fn r4_what_is_not_usable_or_does_not_cover_is_refused() {
    let hosts = ["--host", "a.apps.example.com", "--host", "b.example.org"];
    for (failed, expected) in [
        (from_pair(|secret| secret.foreign_key = true, &[]), "its key belongs to another certificate"),
        (from_pair(|secret| secret.years = (2020, 2021), &[]), "expired at 2021"),
        (from_pair(|secret| secret.client_only = true, &[]), "not meant for servers"),
        (from_pair(|_| {}, &hosts), "does not cover b.example.org, but *.apps.example.com, example.com"),
        (from_pair(|_| {}, &["--host", "*"]), "the host is a catch-all"),
    ] {
        assert_eq!((failed.code, failed.text()), (2, ""), "{expected}");
        assert!(failed.stderr.contains(expected), "{}", failed.stderr);
    }
    let warned = from_pair(|secret| secret.ca = true, &[]);
    assert!(warned.code == 0 && warned.stderr.contains("warning: the certificate: its certificate is a CA's"));
}

#[test]
fn an_encrypted_key_is_refused() {
    let (files, certificate, key) = pair(|_| {});
    let block = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAQID\n-----END ENCRYPTED PRIVATE KEY-----\n";
    std::fs::write(files.path("tls.key"), block).unwrap();
    let failed = create(&["--cert", &certificate, "--key", &key]);
    assert!(failed.code == 2 && failed.stderr.contains("the key is encrypted"), "{}", failed.stderr);
    let missing = create(&["--cert", "/nowhere/tls.crt", "--key", &key]);
    assert!(missing.stderr.contains("failed to read /nowhere/tls.crt: No such file"), "{}", missing.stderr);
}

#[test]
fn options_that_do_not_fit_together_say_what_to_do() {
    let issuer = ["--cluster-issuer", "ca", "--host", "a.example.com"];
    for (arguments, expected) in [
        (&[][..], "say what to make it from, one of"),
        (&["--issuer", "a", "--cluster-issuer", "b"], "say what to make it from, one of"),
        (&["--issuer", "a", "--from", "ops/wild"], "say what to make it from, one of"),
        (&["--cert", "x"], "--cert and --key go together"),
        (&["--cluster-issuer", "ca"], "an issuer needs the hosts"),
        (&["--cluster-issuer", "ca", "--host", "*.com"], "TLS clients ignore a certificate for that name"),
        (&["--cluster-issuer", "ca", "--host", "a b"], "--host \"a b\": the host name has a character"),
        (&["--cluster-issuer", "C A"], "\"C A\" is no name of a ClusterIssuer"),
        (&["--from", "wild"], "--from \"wild\" is not NAMESPACE/NAME"),
        (&["--immutable"], "keep cert-manager from ever renewing it"),
        (&["--to-namespaces", "a"], "go with --distribute"),
        (&["--distribute", "reflector"], "say where to: --to-namespaces PATTERN"),
        (&["--distribute", "reflector", "--to-namespaces", "*"], "write .* for all namespaces"),
        (&["--distribute", "reflector", "--to-namespaces", "team-*"], "write team-.*"),
        (&["--distribute", "reflector", "--to-selector", "a b"], "is no label selector"),
        (&["--distribute", "kubed", "--to-namespaces", "team-.*"], "Kubed picks namespaces by label"),
        (&["-n", "A"], "\"A/wild\" is no name of a Secret"),
    ] {
        let is_whole = arguments.iter().any(|a| ["--issuer", "--cert", "--cluster-issuer", "--from"].contains(a));
        let failed = create(&[if is_whole || arguments.is_empty() { &[][..] } else { &issuer }, arguments].concat());
        assert_eq!((failed.code, failed.text()), (2, ""), "{arguments:?}");
        assert!(failed.stderr.contains(expected), "{arguments:?}: {}", failed.stderr);
    }
}
