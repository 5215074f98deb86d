//! The credential plug-ins of kubeconfigs (client-go `plugin/pkg/client/auth/exec/exec.go`).
//!
//! kube would run a plug-in three times a client, quote its environment and its output when it fails, and leave one
//! that hangs behind with our standard error, until whose end Helm waits.

use std::io::{self, IsTerminal as _, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::kubeconfig::parse;
use crate::output::escape::escape;

/// More than any credential needs.
const LONGEST_OUTPUT: u64 = 1 << 20;

/// How much of what a plug-in says last is shown.
const SHOWN: usize = 400;

/// Runs the kubeconfig's plug-in, if it has one, and puts what it gives in its place. The plug-in is ended at the
/// time given; it never gets our standard input unless that is a terminal, nor our standard error likewise.
///
/// # Errors
/// Why there are no credentials, without what the plug-in wrote to standard output.
pub(super) fn log_in(auth_info: &mut AuthInfo, ends: Option<(Instant, Duration)>) -> Result<(), String> {
    let Some(exec) = auth_info.exec.take() else { return Ok(()) };
    if auth_info.token.is_some() || auth_info.token_file.is_some() {
        return Ok(());
    }
    let output = run(&exec, ends)?;
    let name = shown(&exec);
    let unreadable = || format!("the plug-in {name} gave no ExecCredential");
    let text = std::str::from_utf8(&output).map_err(|_| unreadable())?;
    let credential = parse(text).ok().flatten().ok_or_else(unreadable)?;
    let status = credential.get("status").ok_or_else(unreadable)?;
    let get = |key: &str| status.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let pair = (get("clientCertificateData"), get("clientKeyData"));
    if get("token").is_none() && pair.0.is_none() {
        return Err(format!("the plug-in {name} gave neither a token nor a certificate"));
    }
    auth_info.token = get("token").map(|token| token.to_owned().into());
    match pair {
        (Some(certificate), Some(key)) => {
            auth_info.client_certificate_data = Some(STANDARD.encode(certificate));
            auth_info.client_key_data = Some(STANDARD.encode(key).into());
        }
        (None, None) => {}
        _ => return Err(format!("the plug-in {name} gave half of a certificate and its key")),
    }
    Ok(())
}

/// Its name; its arguments and its environment may hold credentials.
fn shown(exec: &ExecConfig) -> String {
    format!("\"{}\"", escape(exec.command.as_deref().unwrap_or_default()))
}

fn run(exec: &ExecConfig, ends: Option<(Instant, Duration)>) -> Result<Zeroizing<Vec<u8>>, String> {
    let name = shown(exec);
    let mut child = start(exec).map_err(|error| {
        let hint = exec.install_hint.as_deref().filter(|_| error.kind() == io::ErrorKind::NotFound);
        let hint = hint.map(|hint| format!("; {}", escape(hint.trim()))).unwrap_or_default();
        format!("the plug-in {name} cannot be run: {error}{hint}")
    })?;
    let said = Arc::new(Mutex::new(Vec::new()));
    let (all_said, said_all) = mpsc::channel::<()>();
    if let Some(stderr) = child.stderr.take() {
        let said = Arc::clone(&said);
        thread::spawn(move || {
            listen(stderr, &said);
            drop(all_said);
        });
    }
    let (send, output) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let mut bytes = Zeroizing::new(Vec::new());
            let _ = stdout.take(LONGEST_OUTPUT).read_to_end(&mut bytes);
            let _ = send.send(bytes);
        });
    }
    let left = || ends.map_or(Duration::MAX, |(ends, _)| ends.saturating_duration_since(Instant::now()));
    let output = output.recv_timeout(left());
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) if output.is_ok() => break Some(status),
            Ok(_) if output.is_ok() && !left().is_zero() => thread::sleep(Duration::from_millis(2)),
            _ => break None,
        }
    };
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    if !status.is_some_and(|status| status.success()) {
        // What it said last may still be on its way; a child of its own may hold the pipe for ever.
        let _ = said_all.recv_timeout(Duration::from_millis(100));
    }
    let said = said.lock().unwrap_or_else(PoisonError::into_inner);
    let said = match escape(String::from_utf8_lossy(&said).trim()).into_owned() {
        said if said.is_empty() => said,
        said => format!(" and said: {said}"),
    };
    match (status, output) {
        (Some(status), Ok(output)) if status.success() => Ok(output),
        (Some(status), _) => Err(format!("the plug-in {name} ended with {status}{said}")),
        (None, _) => {
            let limit = ends.map_or(0, |(_, limit)| limit.as_secs());
            Err(format!("the plug-in {name} took longer than {limit} s, so it was ended,{said}")
                .trim_end_matches(',')
                .to_owned())
        }
    }
}

fn start(exec: &ExecConfig) -> io::Result<Child> {
    let is_interactive = io::stdin().is_terminal() && exec.interactive_mode != Some(ExecInteractiveMode::Never);
    let mut spec = json!({ "interactive": is_interactive });
    if exec.provide_cluster_info {
        spec["cluster"] = serde_json::to_value(&exec.cluster)?;
    }
    let info = json!({ "apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec });
    let mut command = Command::new(exec.command.as_deref().unwrap_or_default());
    command.args(exec.args.iter().flatten());
    for variable in exec.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            command.env(name, value);
        }
    }
    command.env("KUBERNETES_EXEC_INFO", info.to_string());
    let ours = |is_ours: bool, other: fn() -> Stdio| if is_ours { Stdio::inherit() } else { other() };
    command
        .stdin(ours(is_interactive, Stdio::null))
        .stdout(Stdio::piped())
        // Helm reads ours to its end, and waits for it.
        .stderr(ours(io::stderr().is_terminal(), Stdio::piped))
        .spawn()
}

/// Keeps the end of what is said.
fn listen(mut stderr: impl Read, said: &Mutex<Vec<u8>>) {
    let mut piece = [0; 1024];
    while let Ok(count @ 1..) = stderr.read(&mut piece) {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(&piece[..count]);
        let start = said.len().saturating_sub(SHOWN);
        said.drain(..start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(script: &str) -> AuthInfo {
        let variable = [("name", "PASS"), ("value", "in-the-environment")];
        AuthInfo {
            exec: Some(ExecConfig {
                command: Some("/bin/sh".to_owned()),
                args: Some(vec!["-c".to_owned(), script.to_owned()]),
                env: Some(vec![variable.map(|(name, value)| (name.to_owned(), value.to_owned())).into()]),
                ..ExecConfig::default()
            }),
            ..AuthInfo::default()
        }
    }

    fn fails(script: &str, ends: Option<(Instant, Duration)>) -> String {
        let error = log_in(&mut plugin(script), ends).unwrap_err();
        for secret in ["in-the-environment", "on-stdout", "-c"] {
            assert!(!error.contains(secret), "{error}");
        }
        error
    }

    #[cfg(unix)]
    #[test]
    fn what_a_plug_in_gives_takes_its_place() {
        let script = r#"echo "{\"status\": {\"token\": \"$PASS\", \"clientCertificateData\": \"c\", \"clientKeyData\": \"k\"}}""#;
        let mut auth_info = plugin(script);
        log_in(&mut auth_info, None).unwrap();
        assert!(auth_info.exec.is_none() && auth_info.token.is_some() && auth_info.client_key_data.is_some());
        assert_eq!(auth_info.client_certificate_data.as_deref(), Some("Yw=="));
    }

    #[cfg(unix)]
    #[test]
    fn a_plug_in_that_fails_is_quoted_by_what_it_said_and_by_nothing_that_may_be_a_credential() {
        assert_eq!(
            fails("echo on-stdout; printf 'log\\033in' >&2; exit 3", None),
            "the plug-in \"/bin/sh\" ended with exit status: 3 and said: log\\u{1b}in"
        );
        assert_eq!(fails("echo '{on-stdout: [}'", None), "the plug-in \"/bin/sh\" gave no ExecCredential");
        let nothing = fails("echo '{status: {on-stdout: x}}'", None);
        assert!(nothing.ends_with("gave neither a token nor a certificate"), "{nothing}");
        let half = fails("echo '{status: {clientKeyData: x, token: on-stdout}}'", None);
        assert!(half.ends_with("gave half of a certificate and its key"), "{half}");
    }

    #[cfg(unix)]
    #[test]
    fn a_plug_in_that_hangs_is_ended_although_a_child_of_it_holds_its_output() {
        let limit = Duration::from_millis(200);
        // The child ends by itself, so that the test leaves nothing behind for long.
        let error = fails("echo waiting >&2; sleep 5 & sleep 5", Some((Instant::now() + limit, limit)));
        assert_eq!(error, "the plug-in \"/bin/sh\" took longer than 0 s, so it was ended, and said: waiting");
    }

    #[test]
    fn a_plug_in_that_is_not_there_comes_with_the_kubeconfigs_hint() {
        let mut auth_info = plugin("");
        let exec = auth_info.exec.as_mut().unwrap();
        exec.command = Some("/nowhere/login".to_owned());
        exec.install_hint = Some("install it\n".to_owned());
        let error = log_in(&mut auth_info, None).unwrap_err();
        assert!(error.starts_with("the plug-in \"/nowhere/login\" cannot be run: "), "{error}");
        assert!(error.ends_with("; install it"), "{error}");
    }
}
