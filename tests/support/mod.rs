//! What the tests share: certificates made at test time, inventories, and runs of the program.

// Each test program uses a part of this.
#![allow(dead_code, unreachable_pub)]

pub mod keys;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use routing_secrets::commands::{self, World};

/// The time at which every test runs.
pub fn now() -> Timestamp {
    "2026-11-24T00:00:00Z".parse().unwrap()
}

/// A TLS Secret to be made.
#[derive(Clone, Debug)]
pub struct Tls {
    pub namespace: String,
    pub name: String,
    pub hosts: Vec<String>,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub type_: String,
    pub years: (i32, i32),
    pub ca: bool,
    pub client_only: bool,
    pub foreign_key: bool,
    pub issued: bool,
}

impl Tls {
    pub fn new(namespace: &str, name: &str, hosts: &[&str]) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            labels: BTreeMap::from([("epinio.io/routing".to_owned(), String::new())]),
            annotations: BTreeMap::new(),
            type_: "kubernetes.io/tls".to_owned(),
            years: (2026, 2030),
            ca: false,
            client_only: false,
            foreign_key: false,
            issued: false,
        }
    }

    /// The certificate and key in PEM.
    pub fn pem(&self) -> (String, String) {
        let mut params = CertificateParams::new(self.hosts.clone()).unwrap();
        params.distinguished_name.push(DnType::CommonName, &self.name);
        params.not_before = rcgen::date_time_ymd(self.years.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(self.years.1, 1, 1);
        if self.ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        if self.client_only {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        }
        let key = KeyPair::generate().unwrap();
        let certificate = if self.issued {
            let issuer_key = KeyPair::generate().unwrap();
            let mut issuer = CertificateParams::new(Vec::new()).unwrap();
            issuer.distinguished_name.push(DnType::CommonName, "a CA");
            issuer.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.signed_by(&key, &rcgen::Issuer::new(issuer, issuer_key)).unwrap()
        } else {
            params.self_signed(&key).unwrap()
        };
        let shown = if self.foreign_key { KeyPair::generate().unwrap() } else { key };
        keys::made(&shown.serialize_pem());
        (certificate.pem(), shown.serialize_pem())
    }
}

/// The Secrets as `kubectl get secrets -o yaml` prints them.
pub fn list(secrets: &[Tls]) -> String {
    let mut text = "apiVersion: v1\nkind: List\nitems:\n".to_owned();
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    for secret in secrets {
        let (certificate, key) = secret.pem();
        let json = |map: &BTreeMap<String, String>| serde_json::to_string(map).unwrap();
        writeln!(
            text,
            "- apiVersion: v1\n  kind: Secret\n  type: {}\n  metadata:\n    namespace: {}\n    name: {:?}\n    labels: {}\n    annotations: {}\n  data:\n    tls.crt: {}\n    tls.key: {}",
            secret.type_,
            secret.namespace,
            secret.name,
            json(&secret.labels),
            json(&secret.annotations),
            encode(&certificate),
            encode(&key)
        )
        .unwrap();
    }
    text
}

/// What a run of the program gave.
#[derive(Debug)]
pub struct Run {
    pub code: u8,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Run {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }
}

/// Runs the program in this process, at the tests' time and with nothing of this environment.
pub fn run(arguments: &[&str], env: &[(&str, &str)], stdin: &[u8]) -> Run {
    let mut stdout = Vec::new();
    let mut stderr = Vec::new();
    let all = std::iter::once("kubectl-routing_secrets").chain(arguments.iter().copied()).map(OsString::from);
    let code = commands::run(
        all,
        &mut World {
            env: env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            stdin: &mut &*stdin,
            stdout: &mut stdout,
            stderr: &mut stderr,
            stdin_is_terminal: false,
            stdout_is_terminal: false,
            stderr_is_terminal: false,
            helm_ancestor: &|| Ok(None),
            start_threads: &|| {},
            now: now(),
        },
    );
    keys::seen(arguments, env, &stdout, &stderr);
    Run { code, stdout, stderr: String::from_utf8(stderr).unwrap() }
}

/// A folder with one inventory file of these secrets.
pub struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    pub fn new(secrets: &[Tls]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("inventory.yaml"), list(secrets)).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn inventory(&self) -> String {
        self.path("inventory.yaml").display().to_string()
    }

    /// `post-render -n demo` with the inventory.
    pub fn post_render(&self, arguments: &[&str], input: &[u8]) -> Run {
        let inventory = self.inventory();
        let mut all = vec!["post-render", "-n", "demo", "--inventory", &inventory];
        all.extend(arguments);
        run(&all, &[], input)
    }

    /// `plan -n demo` with the inventory.
    pub fn plan(&self, arguments: &[&str], input: &[u8]) -> Run {
        let inventory = self.inventory();
        let mut all = vec!["plan", "-n", "demo", "--inventory", &inventory];
        all.extend(arguments);
        run(&all, &[], input)
    }
}

/// The three secrets that most tests use.
pub fn three() -> Vec<Tls> {
    vec![
        Tls::new("demo", "wild", &["*.apps.example.com"]),
        Tls::new("demo", "other", &["other.example.org"]),
        Tls::new("demo", "ha", &["ha.example.org"]),
    ]
}

/// The repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A schema is as it stands in `schema/`; `UPDATE_GOLDEN=1 cargo test` writes it anew.
#[track_caller]
pub fn schema_is_current(file: &str, schema: &schemars::Schema) {
    let path = repository().join("schema").join(file);
    let text = serde_json::to_string_pretty(schema).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let is_current = std::fs::read_to_string(&path).unwrap_or_default() == text;
    assert!(is_current, "UPDATE_GOLDEN=1 cargo test writes schema/{file} anew");
}
