//! Beside Helm's command line: helmfile, programs with Helm's SDK, Argo CD's plug-in (docs/gitops.md).

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "helm/cache.rs"]
mod cache;
#[path = "helm/real.rs"]
mod real;
mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use real::{chart, helms};
use serde_json::Value;
use support::{Files, Tls, repository, three};

/// Secrets that are valid by the real clock.
fn files() -> Files {
    let secrets: Vec<Tls> = three().into_iter().map(|secret| Tls { years: (2020, 2120), ..secret }).collect();
    Files::new(&secrets)
}

fn folder(program: &Path) -> &str {
    program.parent().unwrap().to_str().unwrap()
}

/// The built program, the helm of this name as `helm`, and the system's own.
fn path(files: &Files) -> String {
    let link = files.path("helm");
    if !link.exists() {
        std::os::unix::fs::symlink(cache::binary("helm3", "HELM3="), &link).unwrap();
    }
    let program = Path::new(env!("CARGO_BIN_EXE_kubectl-routing_secrets"));
    format!("{}:{}:/usr/bin:/bin", folder(&link), folder(program))
}

/// The rewritten Ingress and the dropped Certificate, in a render of `tests/helm/chart`.
#[track_caller]
fn assert_rewritten(manifests: &str) {
    assert!(manifests.contains("secretName: wild # "), "{manifests}");
    assert!(!manifests.contains("secretName: shop-tls # "), "{manifests}");
}

/// helmfile gives each item of `postRendererArgs` as `--post-renderer-args=ITEM` (`pkg/state/helmx.go`) and the
/// namespace to helm itself (`pkg/state/state.go`).
#[test]
#[ignore = "needs the real Helms"]
fn helmfiles_command_line_reaches_the_filter() {
    for helm in helms(&three()) {
        let chart = chart("chart");
        let line = ["template", "app", &chart, "--namespace", "demo", "--post-renderer", "kubectl-routing_secrets"];
        let output = helm.run(&[&line[..], &["--post-renderer-args=--namespace=demo"]].concat());
        assert!(output.success, "{}", output.stderr);
        assert_rewritten(&output.stdout);
    }
}

/// Terraform's provider runs the program by Helm's SDK: no helm above it, so the namespace must be given.
#[test]
#[ignore = "needs the program with Helm's SDK"]
fn helms_sdk_runs_the_filter_with_the_namespace_that_it_is_given() {
    let files = files();
    let run = |arguments: &[&str], namespace: &str| {
        let mut command = Command::new(cache::binary("helm-sdk", "HELM_SDK="));
        command.arg("kubectl-routing_secrets").args(arguments).env_clear().env("PATH", path(&files));
        command.env("ROUTING_SECRETS_INVENTORY", files.inventory()).env("ROUTING_SECRETS_NAMESPACE", namespace);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let render = fs::read(repository().join("examples/render.yaml")).unwrap();
        child.stdin.take().unwrap().write_all(&render).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    for (arguments, namespace) in [(&["post-render", "--namespace", "demo"][..], ""), (&[], "demo")] {
        let (success, stdout, stderr) = run(arguments, namespace);
        assert!(success, "{stderr}");
        assert!(stdout.contains("secretName: wild\n") && stdout.contains("dropped Certificate shop"), "{stdout}");
    }
    let (success, stdout, stderr) = run(&["post-render"], "");
    assert!(!success && stdout.is_empty(), "{stdout}");
    assert!(stderr.contains("give it with -n NAMESPACE"), "{stderr}");
}

/// Argo CD's plug-in server runs `generate` in the application's folder, with `ARGOCD_APP_…` in the environment.
#[test]
#[ignore = "needs the real Helms"]
fn argo_cds_plug_in_renders_a_chart() {
    let plugin = fs::read_to_string(repository().join("contrib/argocd/plugin.yaml")).unwrap();
    let plugin: Value = serde_saphyr::from_str(&plugin).unwrap();
    let generate = &plugin["spec"]["generate"];
    let words = |key: &str| -> Vec<String> {
        generate[key].as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let command = [words("command"), words("args")].concat();
    let files = files();
    let run = |chart_folder: &str, inventory: &str| {
        let mut process = Command::new(&command[0]);
        process.args(&command[1..]).current_dir(chart_folder).env_clear().env("PATH", path(&files));
        process.env("HOME", files.path("")).env("ARGOCD_APP_NAME", "app").env("ARGOCD_APP_NAMESPACE", "demo");
        process.env("ROUTING_SECRETS_INVENTORY", inventory);
        let output = process.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let (success, stdout, stderr) = run(&chart("chart"), &files.inventory());
    assert!(success, "{stderr}");
    assert_rewritten(&stdout);
    // Neither a failing helm nor a failing filter gives manifests.
    for (chart_folder, inventory) in [("/", files.inventory()), (&chart("chart"), "/nowhere".to_owned())] {
        let (success, stdout, stderr) = run(chart_folder, &inventory);
        assert!(!success && stdout.is_empty() && !stderr.is_empty(), "{stdout} {stderr}");
    }
}
