//! Any bytes are either refused, or come out with nothing changed outside of planned documents; never is there an
//! internal error; and a second run changes nothing.
//!
//! Needs ASAN_OPTIONS=detect_leaks=0, and an end before memory does: a command leaves what it has read to the end of its process.

#![no_main]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::sync::LazyLock;

use base64::Engine as _;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use rcgen::{CertificateParams, KeyPair};
use routing_secrets::commands::{self, World};
use routing_secrets::inventory::{Inventory, Sources, file};
use routing_secrets::manifest::Manifest;
use routing_secrets::plan::apply::{Piece, apply};
use routing_secrets::plan::build::{Error, literals};
use routing_secrets::plan::{Live, Settings, find, plan};
use routing_secrets::secret::judge;

/// Short names, so that a change of some bytes often names another of them.
static SECRETS: LazyLock<String> = LazyLock::new(|| {
    let mut text = "apiVersion: v1\nkind: List\nitems:\n".to_owned();
    for (name, host) in [("w", "*.a.x"), ("o", "b.x"), ("1", "c.x")] {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![host.to_owned()]).unwrap().self_signed(&key).unwrap();
        let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        text.push_str(&format!(
            "- {{apiVersion: v1, kind: Secret, type: kubernetes.io/tls, metadata: {{namespace: demo, name: \"{name}\", \
             labels: {{epinio.io/routing: \"\"}}}}, data: {{tls.crt: {}, tls.key: {}}}}}\n",
            encode(&certificate.pem()),
            encode(&key.serialize_pem())
        ));
    }
    text
});

static NOW: LazyLock<Timestamp> = LazyLock::new(|| "2026-11-24T00:00:00Z".parse().unwrap());

static INVENTORY: LazyLock<Inventory> = LazyLock::new(|| {
    let secrets = file::parse("inventory", SECRETS.as_bytes(), None).unwrap();
    let secrets = secrets.into_iter().map(|raw| judge(raw, *NOW)).collect();
    Inventory::build(secrets, &Sources::default(), *NOW)
});

static FILE: LazyLock<tempfile::NamedTempFile> = LazyLock::new(|| {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(SECRETS.as_bytes()).unwrap();
    file
});

/// The output, or why there is none.
fn post_render(input: &[u8]) -> Result<Vec<u8>, String> {
    let manifest = Manifest::read(input, &literals()).map_err(|error| error.to_string())?;
    let settings = Settings { namespace: Some("demo".to_owned()), ..Settings::default() };
    let found = find(&manifest, &settings).map_err(|error| error.to_string())?;
    let planned = match plan(&manifest, &found, &INVENTORY, &Live::NotKnown, &settings) {
        Ok(planned) => planned,
        Err(Error::Internal(error)) => panic!("{error}"),
        Err(Error::Plan(error)) => return Err(error.to_string()),
    };
    let pieces = apply(&manifest, &planned.changes).unwrap_or_else(|error| panic!("{error}"));
    let mut output = Vec::new();
    let mut kept = vec![true; manifest.documents().len()];
    for (index, _) in &planned.changes {
        assert!(manifest.document(*index).is_some(), "a document that was not parsed is changed");
        kept[*index] = false;
    }
    let mut unchanged = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Input(range) => {
                output.extend_from_slice(&input[range.clone()]);
                unchanged.push(range);
            }
            Piece::Text(text) => output.extend_from_slice(text.as_bytes()),
        }
    }
    for (document, _) in manifest.documents().iter().zip(kept).filter(|(document, kept)| *kept && !document.is_empty())
    {
        let is_whole = unchanged.iter().any(|range| range.start <= document.start && document.end <= range.end);
        assert!(is_whole, "a document without a planned change is not passed on");
    }
    Ok(output)
}

/// The same through the command line.
fn program(input: &[u8]) -> (u8, Vec<u8>, String) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let path = FILE.path().as_os_str().to_owned();
    let arguments = ["kubectl-routing_secrets", "post-render", "-n", "demo", "--inventory"];
    let code = commands::run(
        arguments.map(OsString::from).into_iter().chain([path]),
        &mut World {
            env: BTreeMap::new(),
            stdin: &mut &*input,
            stdout: &mut stdout,
            stderr: &mut stderr,
            stdin_is_terminal: false,
            stdout_is_terminal: false,
            stderr_is_terminal: false,
            helm_ancestor: &|| Ok(None),
            start_threads: &|| {},
            now: *NOW,
        },
    );
    (code, stdout, String::from_utf8(stderr).unwrap())
}

fuzz_target!(|input: &[u8]| {
    let once = post_render(input);
    if input.len() % 16 == 0 {
        let (code, stdout, stderr) = program(input);
        assert!(!stderr.contains("internal error"), "{stderr}");
        match &once {
            Ok(output) => assert!(code == 0 && stdout == *output, "the program gives something else: {code} {stderr}"),
            Err(error) => assert!(code == 2 && stdout.is_empty() && !stderr.is_empty(), "{error} gives {code}"),
        }
    }
    if let Ok(once) = once {
        let twice = post_render(&once).expect("the output is taken again");
        assert!(
            twice == once,
            "a second run changes something:\n{}\n=====\n{}",
            String::from_utf8_lossy(&once),
            String::from_utf8_lossy(&twice)
        );
    }
});
