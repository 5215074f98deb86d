//! The program under the real Helms 3 and 4; `tests/e2e/bed/obtain.sh --only helm` gets them.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "helm/cache.rs"]
mod cache;
#[path = "helm/failures.rs"]
mod failures;
#[path = "helm/plugin.rs"]
mod plugin;
#[path = "helm/real.rs"]
mod real;
#[path = "helm/release.rs"]
mod release;
#[path = "helm/setup.rs"]
mod setup;
mod support;
#[path = "helm/wrapper.rs"]
mod wrapper;

use std::fs;

use real::{Four, Helm, Three, chart, helms};
use support::three;

/// An edit the filter is asked for: the document, by its template and its name, and what stands there afterwards.
/// Without indentation, as Helm 4 indents anew.
struct Edit {
    template: &'static str,
    name: &'static str,
    changes: &'static [(&'static str, &'static str)],
}

const fn edit(template: &'static str, name: &'static str, changes: &'static [(&'static str, &'static str)]) -> Edit {
    Edit { template, name, changes }
}

/// All that the filter does to the chart, but for Certificates and hooks.
const EDITS: &[Edit] = &[
    edit(
        "shop/templates/ingress.yaml",
        "shop",
        &[
            ("    cert-manager.io/cluster-issuer: letsencrypt # orders a certificate\n", ""),
            ("secretName: shop-tls #", "secretName: wild #"),
        ],
    ),
    edit("shop/charts/sub/templates/ingress.yaml", "sub", &[("secretName: sub-tls #", "secretName: wild #")]),
    edit("shop/templates/ingressroute.yaml", "route", &[("secretName: route-tls #", "secretName: wild #")]),
    edit("shop/templates/ingressroute.yaml", "resolver", &[("certResolver: letsencrypt #", "secretName: other #")]),
    edit("shop/templates/list.yaml", "listed", &[("secretName: listed-tls #", "secretName: wild #")]),
];

const HOOK: Edit = edit(
    "shop/templates/hooks.yaml",
    "hook",
    &[
        ("    cert-manager.io/issuer: letsencrypt # a trigger in a hook\n", ""),
        ("secretName: hook-tls #", "secretName: wild #"),
    ],
);

const WINDOWS: [Edit; 2] = [
    edit(
        "shop/templates/crlf.yaml",
        "windows",
        &[("    cert-manager.io/issuer: letsencrypt\r\n", ""), ("secretName: windows-tls #", "secretName: wild #")],
    ),
    // Helm 4 has taken the carriage returns out before it asks.
    edit(
        "shop/templates/crlf.yaml",
        "windows",
        &[("    cert-manager.io/issuer: letsencrypt\n", ""), ("secretName: windows-tls #", "secretName: wild #")],
    ),
];

/// Dropped Certificates, with the comment that stays of each.
const DROPPED: &[(&str, &str, &str)] = &[
    (
        "shop/charts/sub/templates/ingress.yaml",
        "sub",
        "# routing-secrets: dropped Certificate sub, wild covers sub.apps.example.com\n",
    ),
    (
        "shop/templates/certificate.yaml",
        "shop",
        "# routing-secrets: dropped Certificate shop, wild covers shop.apps.example.com\n",
    ),
];

/// Documents as Helm prints them, each with the separator above it. No text of the chart has one inside.
fn documents(text: &str) -> Vec<String> {
    let mut documents = Vec::new();
    for line in text.split_inclusive('\n') {
        if line == "---\n" || line.starts_with("--- ") {
            documents.push(String::new());
        }
        documents.last_mut().expect("Helm starts with a separator").push_str(line);
    }
    documents
}

/// The one document of a template that has this name and this kind of text in it.
fn position(documents: &[String], template: &str, name: &str, text: &str) -> usize {
    let is_it = |document: &String| {
        let has_name = document.lines().any(|line| {
            line.trim_start().strip_prefix("name: ").is_some_and(|rest| rest.split(" #").next() == Some(name))
        });
        document.contains(&format!("# Source: {template}\n")) && has_name && document.contains(text)
    };
    let found: Vec<usize> = (0..documents.len()).filter(|&at| is_it(&documents[at])).collect();
    assert_eq!(found.len(), 1, "{template} {name} in {documents:#?}");
    found[0]
}

fn change(documents: &mut [String], edit: &Edit) {
    let at = position(documents, edit.template, edit.name, edit.changes[0].0);
    for (from, to) in edit.changes {
        assert_eq!(documents[at].matches(from).count(), 1, "{from:?} in {}", documents[at]);
        documents[at] = documents[at].replace(from, to);
    }
}

/// What Helm prints without us and without changing anything: Helm 4 writes every document anew before it runs a
/// post-renderer, so it is given one that does nothing.
fn untouched(helm: &Helm, arguments: &[&str]) -> String {
    let chart = chart("chart");
    let all = [&["template", "r", &chart], arguments].concat();
    if helm.version == Three {
        return helm.run(&all).text().to_owned();
    }
    let cat = helm.script("cat", "#!/bin/sh\nexec cat\n");
    helm.run(&[&all[..], &["--post-renderer", &cat]].concat()).text().to_owned()
}

#[test]
#[ignore = "needs the real Helms"]
fn what_comes_out_of_helm_is_its_own_output_but_for_the_edits() {
    for helm in helms(&three()) {
        let arguments = ["-n", "demo", "--include-crds"];
        let mut expected = documents(&untouched(&helm, &arguments));
        for edit in EDITS {
            change(&mut expected, edit);
        }
        change(&mut expected, &WINDOWS[usize::from(helm.version == Four)]);
        if helm.version == Four {
            change(&mut expected, &HOOK);
        }
        for (template, name, comment) in DROPPED {
            let at = position(&expected, template, name, "kind: Certificate");
            match helm.version {
                Three => expected[at] = format!("---\n# Source: {template}\n{comment}"),
                // Helm 4 takes no document without contents over.
                Four => drop(expected.remove(at)),
            }
        }
        let found = helm.render(&arguments);
        let found = documents(found.text());
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{:?}", helm.version);
        }
        assert_eq!(found.len(), expected.len(), "{:?}", helm.version);
    }
}

/// What Helm 4's own rewriting leaves: the same objects, Lists opened.
#[test]
#[ignore = "needs the real Helms"]
fn helm_4_gives_a_post_renderer_the_same_objects_in_other_words() {
    let helms = helms(&three());
    let [_, helm] = &helms;
    let arguments = ["-n", "demo", "--include-crds"];
    let plain = helm.run(&[&["template", "r", &chart("chart")], &arguments[..]].concat());
    assert_eq!(objects(plain.text()), objects(&untouched(helm, &arguments)));
}

/// The objects of a stream in an order of their own, Lists opened.
fn objects(text: &str) -> Vec<String> {
    let mut objects = Vec::new();
    for document in documents(text) {
        let text = document.split_once('\n').unwrap().1;
        let value: serde_json::Value = serde_saphyr::from_str(text).unwrap();
        match value.get("items") {
            Some(items) if value["kind"] == "List" => objects.extend(items.as_array().unwrap().iter().cloned()),
            _ if value.is_null() => {}
            _ => objects.push(value),
        }
    }
    let mut objects: Vec<String> = objects.iter().map(ToString::to_string).collect();
    objects.sort();
    objects
}

#[test]
#[ignore = "needs the real Helms"]
fn hooks_reach_the_filter_under_helm_4_only() {
    for helm in helms(&three()) {
        let output = helm.render(&["-n", "demo"]);
        let documents = documents(output.text());
        let hook = &documents[position(&documents, HOOK.template, HOOK.name, "kind: Ingress")];
        assert_eq!(hook.contains("secretName: hook-tls"), helm.version == Three, "{hook}");
        assert_eq!(hook.contains("cert-manager.io/issuer"), helm.version == Three, "{hook}");
        // What makes it a hook must survive, or it would be installed as a plain object.
        assert!(hook.contains("helm.sh/hook: post-install"), "{hook}");
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn a_secret_that_only_a_hook_names_must_be_kept_by_hand_under_helm_3() {
    for helm in helms(&three()) {
        let hook = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: reader\n  annotations:\n    helm.sh/hook: test\n\
                    spec:\n  volumes: [{name: tls, secret: {secretName: sub-tls}}]\n";
        let raw = format!("raw={}", helm.write("hook.yaml", hook).display());
        let has_certificate = |arguments: &[&str]| {
            let output = helm.render(&[&["-n", "demo", "--set-file", &raw], arguments].concat());
            output.text().contains("kind: Certificate\nmetadata:\n  name: sub\n")
        };
        assert_eq!(has_certificate(&[]), helm.version == Four, "{:?}", helm.version);
        assert!(has_certificate(&["--post-renderer-args=--keep-secret=sub-tls"]), "{:?}", helm.version);
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn show_only_finds_a_template_whose_certificate_was_dropped() {
    for helm in helms(&three()) {
        let only = helm.render(&["-n", "demo", "--show-only", "charts/sub/templates/ingress.yaml"]);
        assert!(only.text().contains("secretName: wild # of the subchart"), "{only:?}");
        assert!(!only.text().contains("kind: Certificate"), "{only:?}");
        let dropped = only.text().contains("# routing-secrets: dropped Certificate sub, wild covers");
        assert_eq!(dropped, helm.version == Three, "Helm 4 takes no comment over: {only:?}");
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn a_shell_script_between_helm_and_the_filter_changes_nothing() {
    for helm in helms(&three()) {
        let direct = helm.render(&["-n=demo"]);
        assert!(direct.text().contains("secretName: wild # beside the slot"), "{direct:?}");
        // A child of a child of the script, none of them replaced by exec: the filter looks for helm above them all.
        let text = "#!/bin/sh\nsh -c 'kubectl-routing_secrets post-render \"$@\"; exit $?' sh \"$@\"\nexit $?\n";
        let between = helm.script("between", text);
        let chart = chart("chart");
        let line = ["template", "r", &chart, "-n=demo", "--post-renderer", &between];
        assert_eq!(helm.run(&line).text(), direct.text(), "{:?}", helm.version);
        let kept = helm.run(&[&line[..], &["--post-renderer-args=--keep-certificates"]].concat());
        assert!(kept.text().contains("kind: Certificate\nmetadata:\n  name: sub\n"), "{kept:?}");
        let failed = helm.run_with(&line, &[("ROUTING_SECRETS_INVENTORY", "/nowhere/x.yaml")]);
        assert!(failed.error().contains("routing-secrets: /nowhere/x.yaml: No such file"), "{failed:?}");
        if helm.version == Three {
            // By a path relative to where helm runs, which only Helm 3 takes.
            let relative = helm.run(&["template", "r", &chart, "-n=demo", "--post-renderer", "./between/between.sh"]);
            assert_eq!(relative.text(), direct.text());
        }
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn output_dir_holds_what_the_filter_wrote_or_the_render_fails() {
    for helm in helms(&three()) {
        let output = helm.render(&["-n", "demo", "--output-dir", "out"]);
        let files = helm.path("out/shop");
        if helm.version == Three {
            // It has written them before it runs the filter: success would leave them untouched and unnoticed.
            let untouched = fs::read_to_string(files.join("templates/ingress.yaml")).unwrap();
            assert!(untouched.contains("secretName: shop-tls"), "{untouched}");
            assert!(!output.success, "{output:?}");
            let sentence = "routing-secrets: helm template --output-dir writes its files before a post-renderer runs";
            assert!(output.stderr.contains(sentence), "{output:?}");
            continue;
        }
        assert!(output.success, "{output:?}");
        let shown = helm.render(&["-n", "demo"]);
        let mut shown = documents(shown.text());
        let mut written = Vec::new();
        let mut folders = vec![files];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    written.extend(documents(&fs::read_to_string(&path).unwrap()));
                }
            }
        }
        for document in written.iter_mut().chain(&mut shown) {
            document.truncate(document.trim_end().len());
        }
        written.sort();
        shown.sort();
        assert_eq!(written, shown);
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn an_empty_chart_renders_nothing_and_succeeds() {
    for helm in helms(&three()) {
        let chart = chart("empty-chart");
        let output = helm.run(&["template", "r", &chart, "--post-renderer", "kubectl-routing_secrets"]);
        // Helm 4 refuses an empty output and drops the comment that stands for it.
        let expected = if helm.version == Three { "# routing-secrets: helm rendered no manifests\n" } else { "\n" };
        assert_eq!(output.text(), expected);
    }
}
