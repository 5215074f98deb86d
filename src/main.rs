//! The `kubectl-routing_secrets` binary.

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use jiff::Timestamp;
use routing_secrets::commands::{self, World};
use routing_secrets::helm::process;

fn main() -> ExitCode {
    let stdin = io::stdin();
    let stdin_is_terminal = stdin.is_terminal();
    let code = commands::run(
        std::env::args_os(),
        &mut World {
            env: std::env::vars_os().collect(),
            stdin: &mut stdin.lock(),
            stdout: &mut io::stdout().lock(),
            stderr: &mut io::stderr().lock(),
            stdin_is_terminal,
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            helm_ancestor: &process::helm_ancestor,
            now: Timestamp::now(),
        },
    );
    ExitCode::from(code)
}
