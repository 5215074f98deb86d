//! No private key that a test makes is in anything that the program gives out.
//!
//! `cargo test --test keys -- --ignored` looks through what all tests since the last
//! `rm -r target/tmp/key-watch` have made and seen; `.ci/run` does so at its end.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use base64::Engine as _;
use rcgen::KeyPair;
use support::Tls;
use support::keys::{Watch, folder, search};

#[test]
#[ignore = "looks through what the other tests have left, so it comes last"]
fn no_key_is_in_any_output_of_the_whole_run() {
    let found = search(&folder());
    println!("{} keys looked for in {} outputs of {} bytes together", found.keys, found.outputs, found.bytes);
    assert!(found.keys > 0 && found.outputs > 0 && found.bytes > 0, "nothing was watched: {found:?}");
    assert!(found.leaks.is_empty(), "a private key is in the output of:\n{}", found.leaks.join("\n"));
}

fn encode(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The leaks that are found when this is printed after the key was made.
fn leaks(key: &str, printed: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let watch = Watch::new(folder.path());
    watch.key(key);
    watch.output("a run", b"before");
    watch.output("the run that leaks", printed.as_bytes());
    watch.output("another run", b"behind");
    let found = search(folder.path());
    assert_eq!((found.keys, found.outputs), (1, 3));
    found.leaks
}

/// Keys of each form that the program and cert-manager meet.
fn keys() -> Vec<String> {
    let curves = [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519];
    let mut keys: Vec<String> =
        curves.iter().map(|curve| KeyPair::generate_for(curve).unwrap().serialize_pem()).collect();
    // No library at hand makes RSA keys; what comes before the public exponent is what certificates show.
    let der: Vec<u8> = [&[7; 300][..], &[0x02, 0x03, 0x01, 0x00, 0x01]].concat();
    let body = encode(&[der, (0..=255).cycle().take(600).collect()].concat());
    let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    keys.push(format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\n", lines.join("\n")));
    keys
}

#[test]
fn a_planted_key_is_found_in_every_form() {
    for key in keys() {
        let body: String = key.lines().filter(|line| !line.starts_with('-')).collect();
        for printed in [
            key.clone(),
            format!("error: \"{}\" is no certificate", key.escape_debug()),
            key.replace('\n', "\n      "),
            body,
            format!("  tls.key: {}\n", encode(key.as_bytes())),
            format!("{:?}", key.as_bytes()),
            // Only the beginning, as a message that is cut short has it.
            key.chars().take(120).collect::<String>(),
        ] {
            // The beginning of an RSA key is its public half.
            let expected = if key.contains("RSA") && printed.len() == 120 { &[][..] } else { &["the run that leaks"] };
            assert_eq!(leaks(&key, &printed), expected, "{printed}");
        }
    }
}

#[test]
fn what_certificates_show_of_a_key_is_no_leak() {
    let (certificate, key) = Tls::new("demo", "wild", &["*.apps.example.com"]).pem();
    assert_eq!(leaks(&key, &format!("{certificate}{}", encode(certificate.as_bytes()))), [""; 0]);
    let public = KeyPair::from_pem(&key).unwrap();
    assert_eq!(leaks(&key, &encode(public.public_key_raw())), [""; 0]);
    for key in keys() {
        assert_eq!(
            leaks(&key, "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg"),
            [""; 0]
        );
    }
}

#[test]
fn a_run_that_watched_nothing_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let found = search(&folder.path().join("nothing"));
    assert_eq!((found.keys, found.outputs, found.bytes), (0, 0, 0));
}

#[test]
#[should_panic(expected = "a key of unknown form")]
fn a_key_of_unknown_form_is_refused_rather_than_not_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    Watch::new(folder.path()).key("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
}

#[test]
fn a_report_is_looked_through_like_what_is_printed() {
    let files = support::Files::new(&support::three());
    let report = files.path("report.json");
    let key = &keys()[0];
    std::fs::write(&report, format!("{{\"leak\": {key:?}}}")).unwrap();
    for (arguments, env) in [
        (vec!["plan", "--report", report.to_str().unwrap()], vec![]),
        (vec!["plan"], vec![("ROUTING_SECRETS_REPORT", report.to_str().unwrap())]),
        (vec!["helm", "--post-renderer-args=--report=PATH"], vec![]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let watch = Watch::new(folder.path());
        watch.key(key);
        let path = report.to_str().unwrap();
        let arguments: Vec<String> = arguments.iter().map(|word| word.replace("PATH", path)).collect();
        watch.run(&arguments, &env, b"", b"");
        assert_eq!(search(folder.path()).leaks.len(), 1, "{arguments:?}");
    }
}
