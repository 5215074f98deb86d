//! Completion scripts, manual pages, and what kubectl's completion asks for.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "helm/cache.rs"]
mod cache;
mod support;

use std::os::unix::fs::symlink;
use std::process::Command;

use support::run;

fn complete(words: &[&str]) -> Vec<String> {
    let run = run(&[&["__complete"], words].concat(), &[], b"");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    run.text().lines().map(str::to_owned).collect()
}

#[test]
fn commands_options_and_their_values_are_offered() {
    let lines = complete(&["l"]);
    assert!(lines[0].starts_with("list\tList the routing secrets"), "{lines:?}");
    assert_eq!(lines.last().unwrap(), ":4");
    assert!(!complete(&[""]).iter().any(|line| line.starts_with("__")), "hidden commands stay hidden");
    assert!(complete(&["plan", "--keep-"]).iter().any(|line| line.starts_with("--keep-certificates\t")));
    assert_eq!(complete(&["post-render", "--on-error", ""]).len(), 3);
    assert!(complete(&["completion", "z"]).contains(&"zsh".to_owned()));
}

#[test]
fn folders_are_offered_without_a_blank_after_them() {
    let lines = complete(&["plan", "-f", "sr"]);
    assert!(lines.contains(&"src/".to_owned()), "{lines:?}");
    assert_eq!(lines.last().unwrap(), ":6");
}

#[test]
fn without_a_cluster_there_is_silence() {
    assert_eq!(complete(&["list", "--kubeconfig", "/nowhere", ""]), [":4"]);
    assert_eq!(complete(&["list", "--kubeconfig", "/nowhere", "-n", ""]), [":4"]);
}

#[test]
fn under_the_name_that_kubectl_looks_for_the_program_completes() {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().join("kubectl_complete-routing_secrets");
    symlink(env!("CARGO_BIN_EXE_kubectl-routing_secrets"), &name).unwrap();
    let output = Command::new(name).args(["comp"]).env_clear().output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "completion\tPrint a shell's completion script\n:4\n");
}

#[test]
fn every_shell_has_a_script_and_bash_completes_by_it() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let run = run(&["completion", shell], &[], b"");
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{shell}");
        assert!(run.text().contains("kubectl-routing_secrets"), "{shell}");
    }
    let script = "source <(kubectl-routing_secrets completion bash)\n\
                  COMP_WORDS=(kubectl-routing_secrets post-render --on-error '') COMP_CWORD=3\n\
                  _clap_complete_kubectl_routing_secrets kubectl-routing_secrets '' --on-error\n\
                  printf '%s\\n' \"${COMPREPLY[@]}\"\n\
                  COMP_WORDS=(kubectl-routing_secrets li) COMP_CWORD=1\n\
                  _clap_complete_kubectl_routing_secrets kubectl-routing_secrets li kubectl-routing_secrets\n\
                  printf '%s\\n' \"${COMPREPLY[@]}\"\n";
    let output = Command::new("bash").args(["--norc", "-c", script]).env("PATH", path()).output().unwrap();
    let words = String::from_utf8_lossy(&output.stdout);
    assert_eq!(words, "fail\npass\nlist\n", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man");
    let run = run(&["man", pages.to_str().unwrap()], &[], b"");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let main = std::fs::read_to_string(pages.join("kubectl-routing_secrets.1")).unwrap();
    assert!(main.contains(".TH kubectl-routing_secrets 1") && main.contains("post\\-render"), "{main}");
    let plan = std::fs::read_to_string(pages.join("kubectl-routing_secrets-plan.1")).unwrap();
    assert!(plan.contains("keep\\-secret"), "{plan}");
    assert!(!pages.join("kubectl-routing_secrets-__complete.1").exists());
}

/// The built program's folder before all else.
fn path() -> std::ffi::OsString {
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_kubectl-routing_secrets")).parent().unwrap().to_owned();
    let inherited = std::env::var_os("PATH").unwrap();
    std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&inherited))).unwrap()
}

#[test]
#[ignore = "needs the real kubectl"]
fn kubectl_asks_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_kubectl-routing_secrets");
    for name in ["kubectl-routing_secrets", "kubectl_complete-routing_secrets"] {
        symlink(program, folder.path().join(name)).unwrap();
    }
    let kubectl = cache::binary("helm4", "HELM4=").with_file_name("kubectl137");
    symlink(kubectl, folder.path().join("kubectl")).unwrap();
    let offered = |words: &[&str]| {
        let mut command = Command::new(folder.path().join("kubectl"));
        command.args(["__complete", "routing-secrets"]).args(words);
        let output = command.env("PATH", folder.path()).env("HOME", folder.path()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(offered(&["l"]).starts_with("list\tList the routing secrets"), "{}", offered(&["l"]));
    assert!(offered(&["l"]).ends_with(":4\n"));
    assert_eq!(
        offered(&["list", "--color", "al"]),
        "always	Always
:4
"
    );
}
