//! A filter that fails: the user must see why, whatever Helm does with our standard error.

use crate::real::{Helm, Output, Three, chart, helms};
use crate::support::three;

/// A render that fails; Helm's error must hold our sentence, and nothing may come out.
fn fails(helm: &Helm, arguments: &[&str], env: &[(&str, &str)], sentence: &str) -> Output {
    let chart = chart("chart");
    let fixed = ["template", "r", &chart, "-n", "demo", "--post-renderer", "kubectl-routing_secrets"];
    let output = helm.run_with(&[&fixed, arguments].concat(), env);
    assert!(output.error().contains(&format!("routing-secrets: {sentence}")), "{sentence}: {output:?}");
    output
}

#[test]
#[ignore = "needs the real Helms"]
fn a_failing_filter_fails_the_render_and_the_user_reads_our_sentence() {
    for helm in helms(&three()) {
        let inventory = "ROUTING_SECRETS_INVENTORY";
        fails(&helm, &[], &[(inventory, "/nowhere/x.yaml")], "/nowhere/x.yaml: No such file or directory");
        let broken = helm.write("broken.yaml", "a: [").display().to_string();
        fails(&helm, &[], &[(inventory, &broken)], &format!("{broken}, document 1: it is not YAML"));
        fails(&helm, &[], &[("ROUTING_SECRETS_INVENTROY", "x")], "ROUTING_SECRETS_INVENTROY is no option");
        fails(&helm, &["--post-renderer-args=--report=/nowhere/r.json"], &[], "failed to write the report to");
        let output = fails(&helm, &["--post-renderer-args=--require=all"], &[], "--require all is not met: ");
        assert!(output.stderr.contains("no usable routing secret of the namespace covers nobody.example.net"));
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn a_command_line_that_makes_no_manifests_fails_the_render() {
    for helm in helms(&three()) {
        let chart = chart("chart");
        for (argument, sentence) in
            [("--nonsense", "unexpected argument '--nonsense' found"), ("--version", "kubectl"), ("--help", "Usage: ")]
        {
            let argument = format!("--post-renderer-args={argument}");
            let line = ["template", "r", &chart, "-n", "demo", "--post-renderer", "kubectl-routing_secrets", &argument];
            let output = helm.run_with(&line, &[]);
            assert!(output.error().contains(sentence), "{argument}: {output:?}");
        }
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn a_message_that_looks_like_yaml_or_drives_a_terminal_is_shown_as_text() {
    for helm in helms(&three()) {
        let names =
            ["/no/- a: \"b\" # c", "/no/'it''s", "/no/{x}, [y] & *z ! | > %d @e `f`", "/no/--- ...", "/no/\ttab"];
        for name in names {
            let shown = name.replace('\t', "\\u{9}");
            let inventory = format!("--post-renderer-args=--inventory={name}");
            fails(&helm, &[&inventory], &[], &format!("{shown}: No such file"));
        }
        let name = "/no/\u{1b}[31m\u{202e}\n---\nkind: Secret";
        let inventory = format!("--post-renderer-args=--inventory={name}");
        let output = fails(&helm, &[&inventory], &[], "/no/");
        assert!(!output.stderr.contains(['\u{1b}', '\u{202e}']), "{output:?}");
        // Nothing of it stands where a document would begin.
        assert!(!output.stderr.lines().any(|line| line.starts_with("---") || line.starts_with("kind:")), "{output:?}");
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn a_trigger_that_would_overwrite_a_routing_secret_is_named_by_its_object() {
    for helm in helms(&three()) {
        let raw = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: overwriter\n  annotations:\n    \
                   cert-manager.io/issuer: le\nspec:\n  tls:\n  - hosts: [shop.apps.example.com]\n    secretName: wild\n  \
                   - hosts: [nobody.example.net]\n    secretName: nobody-tls\n";
        let raw = helm.write("raw.yaml", raw).display().to_string();
        let output = fails(&helm, &["--set-file", &format!("raw={raw}")], &[], "document ");
        for part in ["Ingress overwriter", "routing secret wild", "cert-manager.io/issuer", "nobody.example.net"] {
            assert!(output.stderr.contains(part), "{part}: {output:?}");
        }
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn yaml_that_helm_has_not_read_itself_fails_with_its_place() {
    let [helm, _] = helms(&three());
    assert_eq!(helm.version, Three);
    // Helm reads every template before it asks us, and fails by itself. It passes `crds/` on unread, Helm 3 to us, too.
    helm.write("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.0.0\n");
    helm.write("chart/crds/broken.yaml", "# networking.k8s.io\nkind: Ingress\nmetadata:\n  name: [\n");
    let line = ["template", "r", "chart", "-n", "demo", "--include-crds", "--post-renderer", "kubectl-routing_secrets"];
    let output = helm.run(&line);
    assert!(output.error().contains("routing-secrets: document 1, line "), "{output:?}");
}

#[test]
#[ignore = "needs the real Helms"]
fn yaml_that_helm_has_read_itself_never_reaches_the_filter() {
    for helm in helms(&three()) {
        let raw = helm.write("raw.yaml", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nspec:\n  tls: [\n");
        let output = helm.render(&["-n", "demo", "--set-file", &format!("raw={}", raw.display())]);
        assert!(output.error().contains("shop/templates/raw.yaml"), "{output:?}");
        assert!(!output.stderr.contains("routing-secrets:"), "{output:?}");
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn on_error_pass_leaves_helms_output_and_a_comment() {
    for helm in helms(&three()) {
        let missing = [("ROUTING_SECRETS_INVENTORY", "/nowhere/x.yaml"), ("ROUTING_SECRETS_ON_ERROR", "pass")];
        let chart = chart("chart");
        let line = ["template", "r", &chart, "-n", "demo", "--post-renderer"];
        let passed = helm.run_with(&[&line[..], &["kubectl-routing_secrets"]].concat(), &missing);
        let cat = helm.script("cat", "#!/bin/sh\nexec cat\n");
        let untouched = helm.run(&[&line[..], &[&cat]].concat());
        let is_comment = |line: &&str| line.starts_with("# routing-secrets: passed on unchanged: /nowhere/x.yaml: ");
        assert_eq!(passed.text().lines().filter(is_comment).count(), 1, "{passed:?}");
        let rest: String = passed.text().split_inclusive('\n').filter(|line| !is_comment(line)).collect();
        assert_eq!(rest, untouched.text(), "{:?}", helm.version);
    }
}
