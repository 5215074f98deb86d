//! Hostile renders and secrets: no panic, no hang, bounded memory, and an error that names its place.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use std::fmt::Write as _;

use base64::Engine as _;
use support::{Files, Run, Tls, run, three};

const HEAD: &str = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: a\n";
const SPEC: &str = "spec:\n  tls:\n  - hosts: [shop.apps.example.com]\n    secretName: shop-tls\n";

/// An Ingress with further lines of its own.
fn ingress(more: &str) -> String {
    format!("{HEAD}{more}{SPEC}")
}

/// The filter must point the Ingress at the wildcard, and change nothing else.
#[track_caller]
fn assert_rewritten(files: &Files, input: &str) {
    let run = files.post_render(&[], input.as_bytes());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    // No whole stream in the message: it can be large.
    assert!(run.stdout == input.replace("shop-tls", "wild").as_bytes(), "not what was planned");
    assert!(run.stdout != input.as_bytes(), "the Ingress was not edited");
}

/// The filter must pass the input on as it is.
#[track_caller]
fn assert_unchanged(files: &Files, input: &[u8]) {
    let run = files.post_render(&[], input);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.stdout == input, "the output differs");
}

/// The filter must fail with nothing written, at this place and for this reason.
#[track_caller]
fn assert_refused(files: &Files, input: &[u8], place: &str, why: &str) {
    let Run { code, stdout, stderr } = files.post_render(&[], input);
    assert_eq!((code, stdout.len()), (2, 0), "{stderr}");
    assert!(stderr.starts_with(&format!("routing-secrets: {place}: ")), "{stderr}");
    assert!(stderr.contains(why), "{stderr}");
}

#[test]
fn ten_thousand_levels_are_refused_where_they_matter_and_pass_where_they_do_not() {
    let files = Files::new(&three());
    let deep = [
        (format!("x: {}{}\n", "[".repeat(10_000), "]".repeat(10_000)), 5),
        (format!("x: {}{}\n", "{a: ".repeat(10_000), "}".repeat(10_000)), 5),
        (format!("x:\n  {}a\n", "- ".repeat(10_000)), 6),
        (format!("x: {}1\n", "? ".repeat(10_000)), 5),
    ];
    for (deep, line) in &deep {
        let (input, place) = (ingress(deep), format!("document 2, line {}, column ", line + 2));
        let run = files.post_render(&[], format!("a: 1\n---\n{input}").as_bytes());
        assert_eq!((run.code, run.stdout.len()), (2, 0), "{}", run.stderr);
        assert!(run.stderr.contains(&place), "{}", run.stderr);
        assert_rewritten(&files, &format!("{deep}---\n{}", ingress("")));
    }
}

#[test]
fn alias_bombs_and_loops_are_not_unfolded() {
    let files = Files::new(&three());
    let mut bomb = "x:\n- &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..40 {
        let alias = format!("*a{}", level - 1);
        writeln!(bomb, "- &a{level} [{}]", [alias.as_str(); 10].join(", ")).unwrap();
    }
    assert_rewritten(&files, &ingress(&bomb));
    assert_rewritten(&files, &ingress("x: &x [*x, {a: *x}]\n"));
    // What loops through the slots is left as it is.
    for looped in
        ["spec: &s\n  tls: *s\n", "spec: &s\n  tls:\n  - *s\n  - {hosts: [shop.apps.example.com], secretName: t}\n"]
    {
        assert_unchanged(&files, format!("{HEAD}{looped}").as_bytes());
    }
    assert_unchanged(&files, b"apiVersion: networking.k8s.io/v1\nkind: List\nitems: &i\n- {kind: List, items: *i}\n");
    assert_refused(&files, ingress("x: *nobody\n").as_bytes(), "document 1, line 5, column 4", "anchor");
}

#[test]
fn nul_is_refused_in_candidates_and_passes_elsewhere() {
    let files = Files::new(&three());
    assert_refused(&files, ingress("x: \"a\0b\"\n").as_bytes(), "document 1, line 5, column 6", "\\u{0}");
    assert_rewritten(&files, &format!("a: \0\n---\n{}", ingress("")));
    assert_unchanged(&files, ingress("").replace("kind: Ingress", "kind: Ing\0ress").as_bytes());
}

#[test]
fn lone_carriage_returns_are_line_breaks() {
    let files = Files::new(&three());
    let input = format!("{0}---\n{0}", ingress("")).replace('\n', "\r");
    assert_rewritten(&files, &input);
    assert_rewritten(&files, &input.replacen("tls:\r", "tls:\r\n", 1));
}

#[test]
fn invalid_utf8_is_refused_in_candidates_and_passes_elsewhere() {
    let files = Files::new(&three());
    for bytes in [&b"\xff"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"] {
        let inside = [b"a: 1\n---\n".as_slice(), ingress("").as_bytes(), b"x: \xc3\xa9", bytes, b"\n"].concat();
        assert_refused(&files, &inside, "document 2, line 11, column 5", "not UTF-8");
        let outside = [b"a: ".as_slice(), bytes, b"\n---\n"].concat();
        let run = files.post_render(&[], &[&outside, ingress("").as_bytes()].concat());
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        assert!(run.stdout == [&outside, ingress("").replace("shop-tls", "wild").as_bytes()].concat());
    }
    for mark in [b"\xff\xfe".as_slice(), b"\xfe\xff"] {
        let run = files.post_render(&[], &[mark, ingress("").as_bytes()].concat());
        assert_eq!((run.code, run.stdout.len()), (2, 0));
        assert!(run.stderr.contains("UTF-16"), "{}", run.stderr);
    }
}

#[test]
fn keys_of_every_kind_stand_beside_a_slot() {
    let files = Files::new(&three());
    for key in [
        "1",
        "-1.5",
        "true",
        "null",
        "~",
        "\"\"",
        "\"x\\x41\"",
        "'x'",
        "[a, [b]]",
        "{a: {b: c}}",
        "!!binary QQ==",
        "!x y",
        "!!null ''",
        "&k k",
        ".inf",
        "2026-01-01",
        "0x1f",
        "=",
        "<",
    ] {
        assert_rewritten(&files, &ingress(&format!("{key} : v\n")));
        assert_rewritten(&files, &ingress(&format!("? {key}\n: v\n")));
        assert_rewritten(
            &files,
            &SPEC.replace("  tls:", &format!("  {key} : v\n  tls:")).replace("spec:", &format!("{HEAD}spec:")),
        );
    }
    for key in ["? |\n  x\n: v\n", "? - a\n  - b\n: - v\n", ": v\n", "? a\n", "x: \n"] {
        assert_rewritten(&files, &ingress(key));
    }
    assert_refused(&files, ingress("*: v\n").as_bytes(), "document 1, line 5, column 1", "");
}

#[test]
fn of_duplicate_keys_every_one_is_edited() {
    let files = Files::new(&three());
    let twice = |line: &str| line.repeat(2);
    for spec in [
        SPEC.replace("    secretName: shop-tls\n", &twice("    secretName: shop-tls\n")),
        twice(SPEC),
        SPEC.replacen("spec:\n", "", 1).repeat(2).replacen("  tls", "spec:\n  tls", 1),
    ] {
        assert_rewritten(&files, &format!("{HEAD}{spec}"));
    }
}

#[test]
fn merge_keys_and_foreign_tags_at_a_slot_leave_it_alone() {
    let files = Files::new(&three());
    for spec in [
        SPEC.replace("shop-tls\n", "shop-tls\n    <<: {secretName: u}\n"),
        SPEC.replace("  tls:", "  <<: &m {tls: []}\n  tls:"),
        SPEC.replace("secretName: shop", "secretName: !x shop"),
        SPEC.replace("secretName: shop-tls", "secretName: !!binary c2hvcC10bHM="),
    ] {
        assert_unchanged(&files, format!("{HEAD}{spec}").as_bytes());
    }
    assert_rewritten(&files, &ingress("x: &x {<<: [*x, *x]}\ny: !foo bar\nz: !<tag:x,2000:y> [!!set {a}]\n"));
}

#[test]
fn directives_count_for_their_document_alone() {
    let files = Files::new(&three());
    assert_rewritten(&files, &format!("%YAML 1.1\n---\n{}", ingress("")));
    assert_rewritten(&files, &format!("%TAG !e! tag:x,2000:\n---\n{}", ingress("x: !e!a b\n")));
    assert_rewritten(&files, &format!("%UNKNOWN a b\n---\n{}", ingress("")));
    for (directives, line, why) in
        [("%YAML 9.9\n", 1, "version"), ("%YAML 1.2\n%YAML 1.2\n", 2, "duplicate"), ("%TAG !e! \n", 1, "")]
    {
        let place = format!("document 1, line {line}, column ");
        let run = files.post_render(&[], format!("{directives}---\n{}", ingress("")).as_bytes());
        assert_eq!((run.code, run.stdout.len()), (2, 0), "{directives}");
        assert!(run.stderr.contains(&place) && run.stderr.contains(why), "{}", run.stderr);
    }
    assert_refused(&files, ingress("x: !e!a b\n").as_bytes(), "document 1, line 5, column 4", "handle");
    let long = format!(
        "%TAG !e! {}\n---\n{}",
        "a".repeat(100_000),
        ingress(&"- !e!a b\n".repeat(2_000).replacen("- ", "x:\n- ", 1))
    );
    assert_refused(&files, long.as_bytes(), "document 1, line 1, column 1", "limit");
}

#[test]
fn r20_hostile_names_are_escaped_in_errors_and_in_the_comment_of_a_dropped_certificate() {
    let files = Files::new(&three());
    let hostile = "\u{1b}[31m\u{202e}\u{2066}\u{200b}\u{85}";
    let quoted = hostile.replace('\u{1b}', "\\e").replace('\u{85}', "\\N");
    let is_safe = |text: &str| !text.contains(['\u{1b}', '\u{202e}', '\u{2066}', '\u{200b}', '\u{85}']);
    let overwrite = ingress("").replace(
        "name: a\n",
        &format!("name: \"{quoted}\"\n  annotations: {{cert-manager.io/issuer: \"{quoted}\"}}\n"),
    );
    let overwrite = overwrite.replace("shop-tls", "wild") + "  - {hosts: [nobody.example.net], secretName: x}\n";
    let run = files.post_render(&[], overwrite.as_bytes());
    assert_eq!((run.code, run.stdout.len()), (2, 0));
    assert!(run.stderr.contains("Ingress \\u{1b}[31m\\u{202e}") && is_safe(&run.stderr), "{:?}", run.stderr);
    let certificate = "---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: NAME}\nspec: {secretName: shop-tls, dnsNames: [shop.apps.example.com], issuerRef: {name: le}}\n";
    let input = ingress("") + &certificate.replace("NAME", &format!("\"{quoted}\\n---\\nkind: Pod\""));
    let run = files.post_render(&[], input.as_bytes());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let comment = run.text().lines().last().unwrap();
    assert!(comment.starts_with("# routing-secrets: dropped Certificate \\u{1b}[31m"), "{comment:?}");
    assert!(comment.contains("\\u{a}---\\u{a}kind: Pod") && is_safe(run.text()), "{comment:?}");
    let raw = files.post_render(&[], ingress("x: \u{1b}[31m\n").as_bytes());
    assert!(raw.stderr.contains("line 5, column 4") && is_safe(&raw.stderr), "{:?}", raw.stderr);
}

/// A Secret with this DER for its certificate, as a file; and the reason why it does not serve.
fn why_not(der: &[u8]) -> String {
    let files = Files::new(&[]);
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", encode(der));
    let (_, key) = Tls::new("demo", "a", &["a.apps.example.com"]).pem();
    let secret = format!(
        "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata: {{namespace: demo, name: a, labels: {{epinio.io/routing: \"\"}}}}\ndata: {{tls.crt: {}, tls.key: {}}}\n",
        encode(pem.as_bytes()),
        encode(key.as_bytes())
    );
    let path = files.path("hostile.yaml").display().to_string();
    std::fs::write(&path, secret).unwrap();
    let run =
        run(&["plan", "-n", "demo", "--inventory", &path, "-o", "json", "--candidates"], &[], ingress("").as_bytes());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let plan: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(plan["summary"]["left"], 1);
    plan["slots"][0]["candidates"][0]["reason"]["code"].as_str().unwrap().to_owned()
}

#[test]
fn x509_with_absurd_lengths_is_unreadable_and_nothing_worse() {
    let (pem, _) = Tls::new("demo", "a", &["shop.apps.example.com"]).pem();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let good = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
    assert_eq!(good[..2], [0x30, 0x82], "a sequence whose length takes two bytes");
    let with_length = |length: &[u8]| [&[0x30], length, &good[4..]].concat();
    for length in [
        &[0x84, 0xff, 0xff, 0xff, 0xff][..],
        &[0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x80],
        &[0xff],
        &[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0x82, 0, 0],
        &[0x82, 0xff, 0xff],
    ] {
        assert_eq!(why_not(&with_length(length)), "unreadableCertificate", "{length:02x?}");
    }
    assert_eq!(why_not(&[0x30, 0x80].repeat(50_000)), "unreadableCertificate");
    assert_eq!(why_not(&[0x30, 0x84, 0x7f, 0xff, 0xff, 0xff].repeat(20_000)), "unreadableCertificate");
    for cut in [1, 2, 4, good.len() / 2, good.len() - 1] {
        assert_eq!(why_not(&good[..cut]), "unreadableCertificate", "{cut} bytes");
    }
}

/// Peak memory, by a limit that only Linux enforces.
#[cfg(target_os = "linux")]
mod memory {
    use std::fmt::Write as _;
    use std::io::{Read as _, Write as _};
    use std::process::{Command, Stdio};

    use super::ingress;
    use super::support::{Files, keys, three};

    /// Runs the built program with so much address space that what it may need fits, and a copy too many does not.
    fn in_memory(megabytes: usize, input: &[u8]) -> (Option<i32>, Vec<u8>, String) {
        let files = Files::new(&three());
        let mut child = Command::new("bash")
            .args(["-c", &format!("ulimit -v {} && exec \"$@\"", megabytes * 1024), "bash"])
            .arg(env!("CARGO_BIN_EXE_kubectl-routing_secrets"))
            .args(["post-render", "-n", "demo", "--inventory", &files.inventory()])
            .env_clear()
            // Every thread reserves address space, so their number must not be the machine's.
            .envs([
                ("PATH", std::env::var("PATH").unwrap().as_str()),
                ("RAYON_NUM_THREADS", "2"),
                ("MALLOC_ARENA_MAX", "1"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that fails early does not take everything.
        let _ = stdin.write_all(input);
        drop(stdin);
        let (mut stdout, mut stderr) = (Vec::new(), String::new());
        child.stdout.take().unwrap().read_to_end(&mut stdout).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        keys::seen(&["post-render"], &[], &stdout, stderr.as_bytes());
        (child.wait().unwrap().code(), stdout, stderr)
    }

    /// Twice what the program takes with no input to speak of: itself, and two threads.
    const BASE: usize = 40;

    #[test]
    fn memory_stays_bounded_for_small_hostile_inputs() {
        let mut bomb = "x:\n- &a0 [x, x]\n".to_owned();
        for level in 1..64 {
            writeln!(bomb, "- &a{level} [*a{0}, *a{0}]", level - 1).unwrap();
        }
        for input in [
            ingress(&bomb),
            ingress(&format!("x: {}\n", "[".repeat(100_000))),
            ingress(&format!("x: {}{}\n", "{a: ".repeat(100), "}".repeat(100))),
            format!("%TAG !e! {}\n---\n{}", "a".repeat(1_000), ingress(&"y: !e!a b\n".repeat(1_000))),
        ] {
            let (code, stdout, stderr) = in_memory(BASE, input.as_bytes());
            let is_refused = code == Some(2) && stdout.is_empty() && stderr.contains("document 1, line ");
            let is_rewritten = code == Some(0) && stdout == input.replace("shop-tls", "wild").as_bytes();
            assert!(is_refused || is_rewritten, "{code:?} {stderr}");
        }
    }

    #[test]
    fn a_million_documents_take_memory_in_proportion() {
        let input = "---\na: 1\n".repeat(1_000_000) + "---\n" + &ingress("");
        let (code, stdout, stderr) = in_memory(BASE + 70, input.as_bytes());
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        assert!(stdout == input.replace("shop-tls", "wild").as_bytes(), "not what was planned");
    }

    #[test]
    fn one_line_of_a_hundred_megabytes_is_held_once() {
        let input = format!("a: {}\n---\n{}", "x".repeat(100_000_000), ingress(""));
        // Reading doubles its buffer: up to twice the input.
        let (code, stdout, stderr) = in_memory(BASE + 200, input.as_bytes());
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        assert!(stdout.len() + 4 == input.len() && stdout.ends_with(b"secretName: wild\n"), "not what was planned");
    }

    #[test]
    #[ignore = "slow in a debug build"]
    fn a_scalar_of_fifty_megabytes_beside_a_slot_is_held_a_few_times() {
        for scalar in [
            format!("x: \"{}\"\n", "y".repeat(50_000_000)),
            format!("x: |\n{}", "  a line of text\n".repeat(3_000_000)),
        ] {
            let input = ingress(&scalar);
            let (code, stdout, stderr) = in_memory(BASE + 50 * 8, input.as_bytes());
            assert_eq!((code, stderr.as_str()), (Some(0), ""));
            assert!(stdout.len() + 4 == input.len() && stdout.ends_with(b"secretName: wild\n"), "not what was planned");
        }
    }
}
