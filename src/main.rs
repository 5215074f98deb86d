//! The `kubectl-routing_secrets` binary.

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use jiff::Timestamp;
use routing_secrets::commands::{self, World};
use routing_secrets::helm::process;

fn main() -> ExitCode {
    let stdin = io::stdin();
    #[cfg(target_os = "linux")]
    {
        widen(&stdin);
        widen(io::stdout());
    }
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
            start_threads: &|| {
                // The main thread works with the others instead of waiting for them. Where no thread can be started,
                // it works alone.
                let _ = rayon::ThreadPoolBuilder::new().use_current_thread().build_global();
            },
            now: Timestamp::now(),
        },
    );
    ExitCode::from(code)
}

/// Lets a pipe hold what Linux allows everyone (pipe(7), `pipe-max-size`): with 64 KiB, a render of some MB would pass in
/// dozens of turns of two processes. What is no pipe, or may not grow, stays as it is.
#[cfg(target_os = "linux")]
fn widen(pipe: impl std::os::fd::AsFd) {
    const SIZE: usize = 1 << 20;
    if rustix::pipe::fcntl_getpipe_size(&pipe).is_ok_and(|size| size < SIZE) {
        let _ = rustix::pipe::fcntl_setpipe_size(&pipe, SIZE);
    }
}
