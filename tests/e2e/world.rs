//! The test bed as a test meets it: a namespace of its own, kubectl, both Helms, the program.

// Each test program uses a part of this.
#![allow(dead_code, unreachable_pub)]

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;

use crate::support::{Tls, keys, list};

/// What a command gave.
#[derive(Debug)]
pub struct Output {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// The standard output of a command that must have worked.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }
}

/// A variable that `tests/e2e/bed/start.sh` sets.
pub fn bed(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests with `make e2e`"))
}

/// A namespace of a test's own, and a folder; both go with it.
pub struct World {
    pub namespace: String,
    pub folder: tempfile::TempDir,
}

impl World {
    /// A new namespace, named after the test.
    pub fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let unique = folder.path().file_name().unwrap().to_string_lossy().trim_start_matches('.').to_ascii_lowercase();
        let world = Self { namespace: format!("{name}-{unique}"), folder };
        world.kubectl(&["create", "namespace", &world.namespace.clone()]).ok();
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the test's folder and gives its path.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Applies Secrets; their own namespace must be the test's, or one it made.
    pub fn apply(&self, secrets: &[Tls]) {
        self.run("kubectl", &["apply", "-f", "-"], &[], list(secrets).as_bytes()).ok();
    }

    /// `kubectl` with the test's namespace.
    pub fn kubectl(&self, arguments: &[&str]) -> Output {
        self.run("kubectl", &[&["-n", &self.namespace], arguments].concat(), &[], b"")
    }

    /// `kubectl routing-secrets` itself, without Helm, with `-n` unless the arguments hold one.
    pub fn program(&self, arguments: &[&str], env: &[(&str, &str)], stdin: &[u8]) -> Output {
        self.run(env!("CARGO_BIN_EXE_kubectl-routing_secrets"), arguments, env, stdin)
    }

    /// A Helm (`helm3`, `helm4`) with the filter on the PATH; Helm 4's plug-in is installed for it alone.
    pub fn helm(&self, helm: &str, arguments: &[&str], env: &[(&str, &str)]) -> Output {
        let home = self.path(&format!("{helm}-home"));
        let homes: Vec<(String, String)> = ["CACHE", "CONFIG", "DATA"]
            .iter()
            .map(|kind| (format!("HELM_{kind}_HOME"), home.join(kind).display().to_string()))
            .collect();
        let mut all: Vec<(&str, &str)> = homes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        all.extend(env);
        if helm == "helm4" && !home.exists() {
            fs::create_dir_all(&home).unwrap();
            let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("helm4").display().to_string();
            self.run(helm, &["plugin", "install", &plugin], &all, b"").ok();
        }
        self.run(helm, arguments, &all, b"")
    }

    /// Runs a program of the bed with the filter on the PATH.
    pub fn run(&self, program: &str, arguments: &[&str], env: &[(&str, &str)], stdin: &[u8]) -> Output {
        let filter = Path::new(env!("CARGO_BIN_EXE_kubectl-routing_secrets")).parent().unwrap().to_owned();
        let inherited = bed("PATH");
        let paths = std::iter::once(filter).chain(std::env::split_paths(&inherited));
        let path: OsString = std::env::join_paths(paths).unwrap();
        let mut command = Command::new(program);
        command.args(arguments).env("PATH", path).env("HOME", self.folder.path()).current_dir(self.folder.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("ROUTING_SECRETS_") {
                command.env_remove(name);
            }
        }
        command.envs(env.iter().copied());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect(program);
        let mut pipe = child.stdin.take().unwrap();
        let input = stdin.to_vec();
        // A program that ends early closes its end.
        let writer = std::thread::spawn(move || drop(pipe.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        // What kubectl itself prints is not ours.
        if program != "kubectl" || arguments.first() == Some(&"routing-secrets") {
            keys::seen(&[&[program], arguments].concat(), env, &output.stdout, &output.stderr);
        }
        Output {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// A Secret's certificate, in base64 as the API server has it; nothing when there is none.
    pub fn certificate(&self, secret: &str) -> String {
        self.kubectl(&["get", "secret", secret, "--ignore-not-found", "-o", "jsonpath={.data.tls\\.crt}"]).ok()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Those that cert-manager made, too.
        let found = self.kubectl(&["get", "secrets", "-o", "jsonpath={.items[*].data.tls\\.key}"]);
        for key in found.stdout.split_whitespace() {
            let pem = base64::engine::general_purpose::STANDARD.decode(key).ok();
            if let Some(pem) = pem.and_then(|pem| String::from_utf8(pem).ok()).filter(|pem| pem.contains("-----BEGIN"))
            {
                keys::made(&pem);
            }
        }
        self.kubectl(&["delete", "namespace", &self.namespace.clone(), "--wait=false"]);
    }
}

/// Waits until the condition gives something, 60 s at most.
#[track_caller]
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let ends = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < ends, "{what} did not come in 60 s");
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl World {
    /// Writes a shell script into the test's folder and gives its path.
    pub fn script(&self, name: &str, text: &str) -> String {
        let path = self.write(name, &format!("#!/bin/sh\n{text}"));
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    /// Lets a subject (`user: NAME`, `group: NAME`) use a Role of the test's namespace, and waits until it may.
    pub fn bind(&self, role: &str, subject: (&str, &str), verb: &str, resource: &str) {
        let (kind, name) = subject;
        let grant = [format!("--role={role}"), format!("--{kind}={name}")];
        let made = self.kubectl(&["create", "rolebinding", &format!("{role}-{kind}"), &grant[0], &grant[1]]);
        assert!(made.code == 0 || made.stderr.contains("already exists"), "{made:?}");
        let mut ask = vec!["auth", "can-i", verb, resource];
        match kind {
            "user" => ask.extend(["--as", name]),
            _ => ask.extend(["--as", "somebody", "--as-group", name]),
        }
        wait_for("the right", || (self.kubectl(&ask).code == 0).then_some(()));
    }

    /// Lets a subject do what the filter does: list Secrets, get Ingresses.
    pub fn grant(&self, subject: (&str, &str)) {
        for (verb, resource) in [("list", "secrets"), ("get", "ingresses.networking.k8s.io")] {
            let role = format!("may-{verb}");
            let rule = [format!("--verb={verb}"), format!("--resource={resource}")];
            self.kubectl(&["create", "role", &role, &rule[0], &rule[1]]).ok();
            self.bind(&role, subject, verb, resource);
        }
    }
}
