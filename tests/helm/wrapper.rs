//! `helm routing-secrets install|upgrade|template`: the real Helms by way of the program.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::real::{Four, Helm, Output, PROGRAM, Three, chart};
use crate::support::three;

/// Neither has the plug-in of Helm 4, nor the program on its PATH.
fn fresh() -> [Helm; 2] {
    [Three, Four].map(|version| {
        let helm = Helm::bare(version, &three());
        fs::create_dir(helm.path("temporary")).unwrap();
        helm
    })
}

/// `kubectl routing-secrets helm …`, which is what `helm routing-secrets …` runs.
fn ours(helm: &Helm, arguments: &[&str], env: &[(&str, &str)]) -> Output {
    let temporary = helm.path("temporary").display().to_string();
    let env = [&[("TMPDIR", temporary.as_str())], env].concat();
    let output = helm.program(PROGRAM.as_ref(), &[&["helm"], arguments].concat(), &env);
    let left: Vec<_> = fs::read_dir(&temporary).unwrap().collect();
    assert!(left.is_empty(), "{left:?} is left behind");
    output
}

#[test]
#[ignore = "needs the real Helms"]
fn the_render_is_that_of_helm_with_the_post_renderer_and_the_report_follows_it() {
    for helm in fresh() {
        let chart = chart("chart");
        let output = ours(&helm, &["template", "r", &chart, "-n", "demo", "--include-crds"], &[]);
        let with = crate::real::helms(&three());
        let with = with.iter().find(|with| with.version == helm.version).unwrap();
        assert_eq!(output.text(), with.render(&["-n", "demo", "--include-crds"]).text());
        let report: Vec<&str> = output.stderr.lines().collect();
        for start in
            ["rewritten  Ingress demo/shop", "left       Ingress demo/uncovered", "dropped    Certificate demo/shop"]
        {
            assert_eq!(report.iter().filter(|line| line.starts_with(start)).count().min(1), 1, "{start}: {report:#?}");
        }
        assert!(report.last().unwrap().starts_with("slots: "), "{report:#?}");
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn diff_comes_first_and_the_report_after_the_render() {
    for helm in fresh() {
        let line = ["template", "r", &chart("chart"), "--diff", "-n", "demo"];
        let output = ours(&helm, &line, &[]);
        let without: Vec<&str> = line.into_iter().filter(|word| *word != "--diff").collect();
        assert_eq!(output.text(), ours(&helm, &without, &[]).text());
        let diff = output.stderr.find("secretName: shop-tls # beside the slot\n+").expect("the diff");
        assert!(output.stderr[diff..].contains("secretName: wild # beside the slot"), "{output:?}");
        assert!(output.stderr.find("rewritten  Ingress demo/shop").expect("the report") > diff, "{output:?}");

        let nothing = ours(&helm, &["template", "r", &chart("empty-chart"), "--diff"], &[]);
        assert!(nothing.success && nothing.stderr.starts_with("routing-secrets: nothing changes\n"), "{nothing:?}");
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn helms_failures_and_exit_code_are_helms() {
    for helm in fresh() {
        for line in [&["template", "r", "/nowhere/chart"][..], &["upgrade", "--nonsense"], &["template", "--help"]] {
            let output = ours(&helm, line, &[]);
            let plain = helm.run(line);
            if line.contains(&"--nonsense") {
                // A flag that is not known may take a value or not, so nothing is run.
                assert!(output.code == Some(2) && output.stderr.contains("the flag --nonsense"), "{output:?}");
                continue;
            }
            assert_eq!((output.code, &output.stdout), (plain.code, &plain.stdout), "{line:?}");
            assert_eq!(output.stderr, plain.stderr, "{line:?}");
        }
        let chart = chart("chart");
        let line = ["template", "r", &chart, "-n", "demo", "--post-renderer-args=--require=all"];
        let output = ours(&helm, &line, &[]);
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output:?}");
        assert!(output.stderr.contains("routing-secrets: --require all is not met: "), "{output:?}");
        let diff = ours(&helm, &[&line[..], &["--diff"]].concat(), &[]);
        assert!(diff.code == Some(1) && diff.stderr.contains("so template was not run"), "{diff:?}");
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn what_cannot_be_is_refused_before_helm_runs() {
    for helm in fresh() {
        for (line, sentence) in [
            (&["upgrade", "app", "chart", "--post-renderer", "mine"][..], "leave --post-renderer out"),
            (&["upgrade", "app", "chart", "--diff", "-f", "-"], "values cannot come from standard input"),
        ] {
            let output = ours(&helm, line, &[]);
            assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output:?}");
            assert!(output.stderr.contains(sentence), "{output:?}");
        }
    }
}

/// A helm of the test's own, which writes down what it is given.
fn recorder(helm: &Helm, version: &str) -> String {
    let text = format!(
        "#!/bin/sh\ncase $1 in version) echo {version}; exit ;; env) echo /known; exit ;; esac\n\
         printf '%s\\n' ARGUMENTS \"$@\" \"plugins=$HELM_PLUGINS\" >>{}\nexit 7\n",
        helm.path("asked").display()
    );
    let script = helm.write("helm-recorder", &text);
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    script.display().to_string()
}

#[test]
#[ignore = "needs the real Helms"]
fn every_argument_reaches_helm_as_it_is() {
    for (helm, version) in fresh().into_iter().zip(["v3.19.0", "v4.3.1"]) {
        let bin = recorder(&helm, version);
        let line = [
            "app",
            "a b",
            "--set",
            "x=a,b c",
            "",
            "--description",
            "--diff",
            "--post-renderer-args",
            "--a b",
            "--",
            "-x",
        ];
        let output = ours(&helm, &[&["upgrade"], &line[..]].concat(), &[("HELM_BIN", &bin)]);
        assert_eq!(output.code, Some(7), "{output:?}");
        let asked = fs::read_to_string(helm.path("asked")).unwrap();
        let asked: Vec<&str> = asked.lines().collect();
        assert_eq!(asked[..3], ["ARGUMENTS", "upgrade", "--post-renderer"]);
        let expected = if helm.version == Three { PROGRAM } else { "kubectl-routing_secrets" };
        assert_eq!(fs::canonicalize(asked[3]).ok(), fs::canonicalize(expected).ok());
        assert_eq!(asked[4..asked.len() - 1], line);
        let plugins = asked.last().unwrap();
        assert_eq!(plugins.ends_with("/plugins:/known"), helm.version == Four, "{plugins}");
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn a_dry_run_for_diff_stays_dry_whatever_the_line_says() {
    for (helm, version) in fresh().into_iter().zip(["v3.19.0", "v4.3.1"]) {
        let bin = recorder(&helm, version);
        for (line, last) in [
            (&["upgrade", "app", "c", "--diff"][..], "--dry-run=server"),
            (&["install", "app", "c", "--diff", "--dry-run=none"], "--dry-run=server"),
            (&["install", "app", "--diff", "c", "--dry-run=client"], "--dry-run=client"),
            (&["template", "app", "--diff", "c"], "c"),
        ] {
            let _ = fs::remove_file(helm.path("asked"));
            let output = ours(&helm, line, &[("HELM_BIN", &bin)]);
            assert!(output.code == Some(7) && output.stderr.contains("was not run"), "{output:?}");
            let asked = fs::read_to_string(helm.path("asked")).unwrap();
            assert_eq!(asked.matches("ARGUMENTS\n").count(), 1, "only the dry run: {asked}");
            let asked: Vec<&str> = asked.lines().collect();
            assert_eq!(asked[asked.len() - 2], last, "{asked:?}");
            assert!(!asked.contains(&"--diff"), "{asked:?}");
        }
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn a_helm_4_keeps_its_other_plugins_and_another_plugin_of_our_name_is_passed_over() {
    let helm = Helm::bare(Four, &three());
    fs::create_dir(helm.path("temporary")).unwrap();
    // One that would make every render fail.
    let name = helm.script("kubectl-routing_secrets", "#!/bin/sh\nexit 1\n");
    assert!(!helm.run(&["template", "r", &chart("chart"), "-n", "demo", "--post-renderer", &name]).success);
    let output = ours(&helm, &["template", "r", &chart("chart"), "-n", "demo"], &[]);
    assert!(output.text().contains("secretName: wild # beside the slot"), "{output:?}");
}

#[test]
#[ignore = "needs the real Helms"]
fn ctrl_c_is_helms_to_handle_and_its_exit_code_comes_back() {
    for helm in fresh() {
        let text = "#!/bin/sh\n[ \"$1\" = version ] && { echo v3.19.0; exit; }\ntrap 'echo handled; exit 9' INT\n\
                    kill -INT $PPID\nkill -INT $$\nexit 1\n";
        let script = helm.write("helm-interrupted", text);
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let output = ours(&helm, &["upgrade", "app", "c"], &[("HELM_BIN", script.to_str().unwrap())]);
        assert_eq!((output.code, output.stdout.as_str()), (Some(9), "handled\n"), "{output:?}");
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn a_program_in_a_folder_with_blanks_is_found_by_helm_4() {
    for helm in fresh() {
        let folder = helm.path("with a blank $HOME");
        fs::create_dir(&folder).unwrap();
        let program = folder.join("kubectl-routing_secrets");
        fs::copy(PROGRAM, &program).unwrap();
        let temporary = helm.path("temporary").display().to_string();
        let line = ["helm", "template", "r", &chart("chart"), "-n", "demo"];
        let output = helm.program(Path::new(&program), &line, &[("TMPDIR", &temporary)]);
        assert!(output.text().contains("secretName: wild # beside the slot"), "{output:?}");
    }
}

#[test]
#[ignore = "needs the real Helms"]
fn nobody_listening_changes_neither_what_helm_does_nor_its_exit_code() {
    let [helm, _] = fresh();
    let text = "#!/bin/sh\n[ \"$1\" = version ] && { echo v3.19.0; exit; }\n\
                [ \"$HELM_ROUTING_SECRETS_DIFF\" ] && { echo changes >\"$HELM_ROUTING_SECRETS_DIFF\"; exit; }\n\
                echo done >\"$HELM_ROUTING_SECRETS_REPORT\"\nexit 7\n";
    let script = helm.write("helm-deaf", text);
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let mut program = Command::new(PROGRAM);
    program.args(["helm", "upgrade", "app", "c", "--diff"]).env("HELM_BIN", &script).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(7));
}
