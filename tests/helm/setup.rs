//! `helm setup`, `status` and `remove` with the real Helms.

use std::fs;

use crate::real::{Four, Helm, Output, PROGRAM, Three, binary, chart};
use crate::support::three;

fn fresh(version: crate::real::Version) -> Helm {
    let helm = Helm::bare(version, &three());
    helm.add_to_path("kubectl-routing_secrets", PROGRAM.as_ref());
    helm
}

fn ours(helm: &Helm, command: &str, env: &[(&str, &str)]) -> Output {
    helm.program(PROGRAM.as_ref(), &["helm", command], env)
}

/// A line for `sh` that renders by the plug-in's name.
fn render(helm: &str) -> String {
    format!("{helm} template r {} -n demo --post-renderer kubectl-routing_secrets", chart("chart"))
}

fn shell(helm: &Helm, script: &str) -> Output {
    helm.program("/bin/sh".as_ref(), &["-c", script], &[])
}

#[test]
#[ignore = "needs the real Helms"]
fn helm_4_finds_the_plugin_after_the_line_that_setup_prints() {
    let helm = fresh(Four);
    let before = ours(&helm, "status", &[]);
    assert_eq!(before.code, Some(1), "{before:?}");
    assert!(before.stdout.contains("missing  helm finds no plug-in kubectl-routing_secrets: kubectl"), "{before:?}");
    assert!(!shell(&helm, &render("helm")).success);

    let setup = ours(&helm, "setup", &[]);
    let (plugins, own) = (helm.path("data/plugins"), helm.path("data/helm4-plugins"));
    let value = format!("{}:{}", plugins.display(), own.display());
    assert_eq!(setup.text(), format!("export HELM_PLUGINS='{value}'\n"));
    assert!(!plugins.exists(), "nothing may get where a Helm 3 looks");
    let between = ours(&helm, "status", &[]);
    assert_eq!(between.code, Some(1), "{between:?}");
    assert!(
        between.stdout.contains(&format!("missing  HELM_PLUGINS does not name {}: ", own.display())),
        "{between:?}"
    );
    assert!(between.stdout.contains(setup.text().trim()), "{between:?}");

    let script = "eval \"$(kubectl-routing_secrets helm setup 2>/dev/null)\"\n";
    let output = shell(&helm, &format!("{script}{}", render("helm")));
    assert!(output.text().contains("secretName: wild # beside the slot"), "{output:?}");
    let after = ours(&helm, "status", &[("HELM_PLUGINS", &value)]);
    assert_eq!(after.code, Some(0), "{after:?}");
    assert!(after.stdout.ends_with("--post-renderer kubectl-routing_secrets works\n"), "{after:?}");
    let again = ours(&helm, "setup", &[("HELM_PLUGINS", &value)]);
    assert_eq!(again.text(), "", "the line has done its work");

    let removed = ours(&helm, "remove", &[("HELM_PLUGINS", &value)]);
    assert!(removed.success && removed.stderr.contains("HELM_PLUGINS still names"), "{removed:?}");
    assert!(!own.exists());
    assert_eq!(ours(&helm, "status", &[("HELM_PLUGINS", &value)]).code, Some(1));
    let twice = ours(&helm, "remove", &[]);
    assert!(twice.success && twice.stderr.starts_with("nothing is to be removed"), "{twice:?}");
}

#[test]
#[ignore = "needs the real Helms"]
fn a_helm_3_beside_helm_4_keeps_its_plugins() {
    let helm = fresh(Four);
    helm.add_to_path("helm3", &binary(Three));
    helm.add_to_path("helm4", &binary(Four));
    helm.write("data/plugins/other/plugin.yaml", "name: other\nversion: 1.0.0\ncommand: 'true'\n");
    let setup = helm.program(PROGRAM.as_ref(), &["helm", "setup"], &[("HELM_BIN", "helm4")]);
    assert!(setup.text().starts_with("alias helm4='HELM_PLUGINS="), "{setup:?}");
    assert!(setup.stderr.contains("bin/helm3 is a Helm 3, which would load no plug-in at all with this"), "{setup:?}");
    // The line is for a shell that has both.
    let line = "eval \"$(HELM_BIN=helm4 kubectl-routing_secrets helm setup 2>/dev/null)\"\n";
    let three = shell(&helm, &format!("{line}helm3 plugin list"));
    assert!(three.text().contains("other"), "{three:?}");
    let four = shell(&helm, &format!("{line}{}", render("helm4")));
    assert!(four.text().contains("secretName: wild # beside the slot"), "{four:?}");
    let four = shell(&helm, &format!("{line}helm4 plugin list"));
    assert!(four.text().contains("other"), "{four:?}");
}

#[test]
#[ignore = "needs the real Helms"]
fn helm_3_needs_no_setup_and_status_sees_what_breaks_it() {
    let helm = fresh(Three);
    let setup = ours(&helm, "setup", &[]);
    assert_eq!(setup.text(), "");
    assert!(setup.stderr.contains("is Helm v3.") && setup.stderr.contains("nothing is to be done"), "{setup:?}");
    assert!(!helm.path("data").exists());
    let status = ours(&helm, "status", &[]);
    assert_eq!(status.code, Some(0), "{status:?}");
    assert!(shell(&helm, &render("helm")).text().contains("secretName: wild # beside the slot"));

    helm.write(
        "data/plugins/x/plugin.yaml",
        &fs::read_to_string(crate::support::repository().join("helm4/plugin.yaml")).unwrap(),
    );
    let status = ours(&helm, "status", &[]);
    assert_eq!(status.code, Some(1), "{status:?}");
    assert!(status.stdout.contains("missing  helm cannot load its plug-ins: "), "{status:?}");
}

#[test]
#[ignore = "needs the real Helms"]
fn without_the_program_on_the_path_or_without_a_helm_setup_does_nothing() {
    for version in [Three, Four] {
        let helm = Helm::bare(version, &three());
        let setup = ours(&helm, "setup", &[]);
        assert_eq!((setup.code, setup.stdout.as_str()), (Some(2), ""), "{setup:?}");
        assert!(setup.stderr.contains("kubectl-routing_secrets is not on the PATH"), "{setup:?}");
        assert!(!helm.path("data").exists());
        let status = ours(&helm, "status", &[]);
        assert!(
            status.code == Some(1) && status.stdout.contains("missing  kubectl-routing_secrets is not"),
            "{status:?}"
        );
        for (other, sentence) in
            [("/nowhere/helm", "failed to run /nowhere/helm"), ("/bin/true", "Helm 3 or 4 is needed")]
        {
            let none = ours(&helm, "status", &[("HELM_BIN", other)]);
            assert!(none.code == Some(2) && none.stderr.contains(sentence), "{none:?}");
        }
    }
}
