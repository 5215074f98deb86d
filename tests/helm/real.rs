//! The real Helms, each in a home of its own, with the program as their post-renderer.

// Each test program uses a part of this.
#![allow(dead_code, unreachable_pub)]

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache;
use crate::support::{Files, Tls, keys, repository};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Three,
    Four,
}

pub use Version::{Four, Three};

/// A Helm whose home, plug-ins and environment hold nothing but what a test puts there.
pub struct Helm {
    pub version: Version,
    home: tempfile::TempDir,
    files: Files,
}

/// What a run of Helm gave.
#[derive(Debug)]
pub struct Output {
    pub success: bool,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Both Helms; one that is missing is a failure, as a test that was skipped proves nothing.
pub fn helms(secrets: &[Tls]) -> [Helm; 2] {
    [Three, Four].map(|version| Helm::new(version, secrets))
}

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-routing_secrets");

/// A Helm of the test bed.
pub fn binary(version: Version) -> PathBuf {
    match version {
        Three => cache::binary("helm3", "HELM3="),
        Four => cache::binary("helm4", "HELM4="),
    }
}

impl Helm {
    fn new(version: Version, secrets: &[Tls]) -> Self {
        let helm = Self::bare(version, secrets);
        helm.add_to_path("kubectl-routing_secrets", PROGRAM.as_ref());
        if version == Four {
            helm.install(&repository().join("helm4"));
        }
        helm
    }

    /// Without the program, and without a plug-in.
    pub fn bare(version: Version, secrets: &[Tls]) -> Self {
        let secrets: Vec<Tls> = secrets
            .iter()
            // The program runs by the real clock here.
            .map(|secret| Tls { years: (2020, 2120), ..secret.clone() })
            .collect();
        let helm = Self { version, home: tempfile::tempdir().unwrap(), files: Files::new(&secrets) };
        fs::create_dir(helm.path("bin")).unwrap();
        helm.add_to_path("helm", &binary(version));
        helm
    }

    /// What the user has on the PATH besides the system's own.
    pub fn add_to_path(&self, name: &str, program: &Path) {
        symlink(program, self.path("bin").join(name)).unwrap();
    }

    /// A path in this Helm's home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// An executable that Helm 3 takes by its path and Helm 4 as the plug-in of that name: what `--post-renderer` needs.
    pub fn script(&self, name: &str, text: &str) -> String {
        let script = self.write(&format!("{name}/{name}.sh"), text);
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        if self.version == Three {
            return script.display().to_string();
        }
        let plugin = format!(
            "apiVersion: v1\ntype: postrenderer/v1\nname: {name}\nversion: 0.1.0\nruntime: subprocess\n\
             runtimeConfig:\n  platformCommand:\n  - command: ${{HELM_PLUGIN_DIR}}/{name}.sh\n"
        );
        self.install(self.write(&format!("{name}/plugin.yaml"), &plugin).parent().unwrap());
        name.to_owned()
    }

    fn install(&self, plugin: &Path) {
        self.run(&["plugin", "install", plugin.to_str().unwrap()]).text();
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, &[])
    }

    pub fn run_with(&self, arguments: &[&str], env: &[(&str, &str)]) -> Output {
        self.program(&self.path("bin/helm"), arguments, env)
    }

    /// Runs another program as the user who has this Helm.
    pub fn program(&self, program: &Path, arguments: &[&str], env: &[(&str, &str)]) -> Output {
        let path: OsString = std::env::join_paths([self.path("bin"), "/usr/bin".into(), "/bin".into()]).unwrap();
        let mut helm = Command::new(program);
        helm.args(arguments).current_dir(self.home.path()).env_clear().env("PATH", path).env("HOME", self.home.path());
        for (name, folder) in [("CACHE", "cache"), ("CONFIG", "config"), ("DATA", "data")] {
            helm.env(format!("HELM_{name}_HOME"), self.path(folder));
        }
        helm.env("ROUTING_SECRETS_INVENTORY", self.files.inventory()).envs(env.iter().copied());
        let output = helm.output().unwrap();
        keys::seen(arguments, env, &output.stdout, &output.stderr);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Output {
            success: output.status.success(),
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// `helm template` of the chart with the program as post-renderer, by the line that is the same in both versions.
    pub fn render(&self, arguments: &[&str]) -> Output {
        let chart = chart("chart");
        let fixed = ["template", "r", &chart, "--post-renderer", "kubectl-routing_secrets"];
        self.run(&[&fixed, arguments].concat())
    }
}

impl Output {
    /// The standard output of a run that succeeded.
    pub fn text(&self) -> &str {
        assert!(self.success, "{self:?}");
        &self.stdout
    }

    /// Helm's error, of a run that failed and printed nothing else.
    pub fn error(&self) -> &str {
        assert!(!self.success && self.stdout.is_empty(), "{self:?}");
        &self.stderr
    }
}

/// A chart of this folder.
pub fn chart(name: &str) -> String {
    repository().join("tests/helm").join(name).display().to_string()
}
