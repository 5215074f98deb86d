//! Which namespace the filter works for, and what reaches it by `--post-renderer-args`.

use std::fs;

use crate::real::{Four, Helm, chart, helms};
use crate::support::Tls;

/// A secret in each namespace, named after it: an edit shows for which one the filter took the release.
fn one_each() -> Vec<Tls> {
    ["default", "demo", "exported", "context", "other"]
        .map(|namespace| Tls::new(namespace, &format!("of-{namespace}"), &["*.apps.example.com"]))
        .to_vec()
}

const CONTEXTS: &str = "\
apiVersion: v1
kind: Config
current-context: first
contexts:
- name: first
  context: {namespace: context, cluster: none, user: none}
- name: second
  context: {namespace: other, cluster: none, user: none}
clusters:
- {name: none, cluster: {server: 'https://127.0.0.1:1'}}
users:
- {name: none, user: {}}
";

/// A line without the post-renderer, the environment beside it, and the namespace that both must mean.
type Line<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

/// Runs a line and gives the namespace that Helm renders with, which the chart prints, and the filter's.
fn namespaces(helm: &Helm, line: &str, env: &[(&str, &str)]) -> (String, String) {
    let chart = chart("chart");
    let words = line.split(' ').map(|word| match word {
        "CHART" => chart.as_str(),
        "EMPTY" => "",
        other => other,
    });
    let all: Vec<&str> = words.chain(["--post-renderer", "kubectl-routing_secrets"]).collect();
    let output = helm.run_with(&all, env);
    let after = |before: &str| {
        let rest = output.text().split_once(before).unwrap_or_else(|| panic!("no {before:?} in {output:?}")).1;
        rest.split_whitespace().next().unwrap().to_owned()
    };
    let helms = after("  name: release\ndata:\n  namespace: ");
    (helms, secret_of_the_shop(output.text()))
}

fn secret_of_the_shop(text: &str) -> String {
    let line = text.lines().find(|line| line.ends_with("# beside the slot")).expect("the shop's slot");
    line.split_whitespace().nth(1).unwrap().to_owned()
}

#[test]
#[ignore = "needs the real Helms"]
fn the_filter_works_for_the_namespace_that_helm_renders_with() {
    let exported = [("HELM_NAMESPACE", "exported")];
    for helm in helms(&one_each()) {
        let config = helm.write("contexts.yaml", CONTEXTS).display().to_string();
        let in_variable = [("KUBECONFIG", config.as_str())];
        let in_both = [in_variable[0], exported[0]];
        let by_flag = format!("template r CHART --kubeconfig {config}");
        let mut lines: Vec<Line<'_>> = vec![
            ("template r CHART -n demo", &[], "demo"),
            ("template r CHART -ndemo", &[], "demo"),
            ("template r CHART -n=demo", &[], "demo"),
            ("template r CHART --namespace demo", &[], "demo"),
            ("template r CHART --namespace=demo", &[], "demo"),
            ("-n demo template r CHART", &[], "demo"),
            ("template -n=demo r CHART", &[], "demo"),
            ("--namespace=demo template r CHART", &[], "demo"),
            // A cluster of short flags.
            ("template -gn demo CHART", &[], "demo"),
            // The last one counts.
            ("-n other template r CHART --namespace=demo", &[], "demo"),
            ("template r CHART -n other -ndemo", &[], "demo"),
            // Values that look like the flag.
            ("template r CHART -n demo --description -nother", &[], "demo"),
            ("template r CHART -n demo --set-string x=-n --set y=other", &[], "demo"),
            ("template r CHART", &[], "default"),
            ("template r CHART", &exported, "exported"),
            ("template r CHART -n demo", &exported, "demo"),
            ("template r CHART -n EMPTY", &exported, "default"),
            ("template r CHART", &in_variable, "context"),
            ("template r CHART", &in_both, "exported"),
            ("template r CHART -n EMPTY", &in_both, "context"),
            ("template r CHART --kube-context second", &in_variable, "other"),
            ("template r CHART -n demo --kube-context second", &in_variable, "demo"),
            (&by_flag, &[], "context"),
        ];
        if helm.version == Four {
            // Helm 3 asks the cluster even for this.
            lines.push(("install r CHART -n demo --dry-run=client", &[], "demo"));
        }
        for (line, env, expected) in lines {
            let (helms, secret) = namespaces(&helm, line, env);
            assert_eq!(helms, expected, "{:?} {line} {env:?}", helm.version);
            assert_eq!(secret, format!("of-{expected}"), "{:?} {line} {env:?}", helm.version);
        }
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn post_renderer_args_reach_the_filter_and_must_not_contradict_helm() {
    for helm in helms(&one_each()) {
        // Without -n on Helm's own line ours wins, though Helm renders with `default`.
        for spelling in [
            &["--post-renderer-args=--namespace=other"][..],
            &["--post-renderer-args", "--namespace=other"],
            &["--post-renderer-args=post-render", "--post-renderer-args=--namespace", "--post-renderer-args=other"],
            &["--post-renderer-args=-nother"],
            &["--post-renderer-args=--namespace=other", "-n", "other"],
        ] {
            let output = helm.render(spelling);
            assert_eq!(secret_of_the_shop(output.text()), "of-other", "{spelling:?}");
        }
        let report = helm.path("report.json");
        let argument = format!("--post-renderer-args=--report={}", report.display());
        let output = helm.render(&["-n", "demo", "--post-renderer-args=--keep-certificates", &argument]);
        assert!(output.text().contains("kind: Certificate\nmetadata:\n  name: shop\n"), "{output:?}");
        let plan: serde_json::Value = serde_json::from_slice(&fs::read(report).unwrap()).unwrap();
        assert_eq!(plan["kind"], "Plan");

        let contradiction = helm.render(&["-n", "demo", "--post-renderer-args=--namespace=other"]);
        let sentence =
            "routing-secrets: the post-renderer was given the namespace other, but helm's command line says demo";
        assert!(contradiction.error().contains(sentence), "{contradiction:?}");
        // Helm itself takes the `-n`, and the next argument for the namespace.
        let bare = helm.render(&["--post-renderer-args", "-n", "--post-renderer-args", "other"]);
        assert!(bare.error().contains("is written --post-renderer-args=-…"), "{bare:?}");
    }
}
