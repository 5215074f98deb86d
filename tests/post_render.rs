//! `post-render` and `plan` as users meet them: options, the environment, errors, files.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use support::{Files, Tls, run, three};

const INGRESS: &str = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: shop\nspec:\n  tls:\n  - hosts: [shop.apps.example.com]\n    secretName: shop-tls\n";

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-routing_secrets"));
    command.env_clear();
    command
}

#[test]
fn the_bare_program_with_manifests_on_stdin_is_post_render() {
    let files = Files::new(&three());
    let inventory = files.inventory();
    for arguments in [&[][..], &["post-render"], &["post-render", "post-render"], &["--keep-certificates"]] {
        let env = [("ROUTING_SECRETS_INVENTORY", inventory.as_str()), ("ROUTING_SECRETS_NAMESPACE", "demo")];
        let run = run(arguments, &env, INGRESS.as_bytes());
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{arguments:?}");
        assert_eq!(run.text(), INGRESS.replace("shop-tls", "wild"));
    }
}

#[test]
fn every_option_can_be_an_environment_variable() {
    let files = Files::new(&[Tls::new("demo", "wild", &["*.apps.example.com"]), {
        let mut chosen = Tls::new("demo", "shop-tls", &["shop.apps.example.com"]);
        chosen.labels.clear();
        chosen
    }]);
    let other = Files::new(&[Tls::new("demo", "late", &["late.example.org"])]);
    let inventories = std::env::join_paths([files.inventory(), other.inventory()]).unwrap();
    let report = files.path("report.json").display().to_string();
    let env = [
        ("ROUTING_SECRETS_INVENTORY", inventories.to_str().unwrap()),
        ("ROUTING_SECRETS_NAMESPACE", "demo"),
        ("ROUTING_SECRETS_ALL_SLOTS", "true"),
        ("ROUTING_SECRETS_KEEP_CERTIFICATES", "1"),
        ("ROUTING_SECRETS_KEEP_SECRET", "a:b"),
        ("ROUTING_SECRETS_TRIGGER", "example.org/a"),
        ("ROUTING_SECRETS_SOURCE", "demo/wild"),
        ("ROUTING_SECRETS_REQUIRE", "all"),
        ("ROUTING_SECRETS_ON_ERROR", "pass"),
        ("ROUTING_SECRETS_REPORT", report.as_str()),
    ];
    let run = run(&["post-render"], &env, INGRESS.as_bytes());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(run.text(), INGRESS.replace("shop-tls", "wild"));
    assert!(fs::read_to_string(report).unwrap().contains("\"kind\": \"Plan\""));
}

#[test]
fn an_unknown_or_wrong_variable_is_an_error() {
    for (name, value, expected) in [
        ("ROUTING_SECRETS_INVENTROY", "x", "ROUTING_SECRETS_INVENTROY is no option"),
        ("ROUTING_SECRETS_REQUIRE", "some", "ROUTING_SECRETS_REQUIRE: "),
        ("ROUTING_SECRETS_ALL_SLOTS", "maybe", "ROUTING_SECRETS_ALL_SLOTS must be true or false"),
    ] {
        let run = run(&["post-render"], &[(name, value)], INGRESS.as_bytes());
        assert_eq!((run.code, run.stdout.len()), (2, 0), "{name}");
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
}

#[test]
fn r18_empty_input_gives_a_comment_under_helm_and_nothing_elsewhere() {
    let elsewhere = run(&[], &[], b"");
    assert_eq!((elsewhere.code, elsewhere.stdout.len()), (0, 0));
    let helm = run(&[], &[("HELM_PLUGIN_NAME", "kubectl-routing_secrets")], b"\n");
    assert_eq!((helm.code, helm.text()), (0, "# routing-secrets: helm rendered no manifests\n"));
}

#[test]
fn without_a_slot_no_secret_is_read() {
    let input = "kind: Ingress\napiVersion: networking.k8s.io/v1\nmetadata: {name: a}\nspec: {rules: []}\n";
    let run = run(&["post-render"], &[], input.as_bytes());
    assert_eq!((run.code, run.text()), (0, input));
}

#[test]
fn r19_a_candidate_that_does_not_parse_fails_with_its_place() {
    let files = Files::new(&three());
    let broken = format!("a: 1\n---\n{INGRESS}  x: [\n");
    let found = files.post_render(&[], broken.as_bytes());
    assert_eq!((found.code, found.stdout.len()), (2, 0));
    assert!(found.stderr.starts_with("routing-secrets: document 2, line "), "{}", found.stderr);
    let mut latin = INGRESS.as_bytes().to_vec();
    latin.extend(b"# \xe9\n");
    let found = files.post_render(&[], &latin);
    assert_eq!((found.code, found.stdout.len()), (2, 0));
    assert!(found.stderr.contains("document 1, line 9, column 3: the document is not UTF-8"), "{}", found.stderr);
    let utf16 = files.post_render(&[], b"\xff\xfea\0");
    assert!(utf16.stderr.contains("UTF-16"), "{}", utf16.stderr);
}

#[test]
fn r19_what_is_no_candidate_passes_unread() {
    let input = b"x: [\n---\n\xff\xfe\x00: }\n---\nkind: ConfigMap\n";
    let found = run(&["post-render"], &[], input);
    assert_eq!((found.code, found.stdout.as_slice()), (0, &input[..]));
}

#[test]
fn r10_a_trigger_that_would_overwrite_a_routing_secret_fails_the_render() {
    let files = Files::new(&three());
    let input = INGRESS
        .replace("shop-tls", "wild")
        .replace("  name: shop\n", "  name: shop\n  annotations: {cert-manager.io/issuer: le}\n")
        + "  - hosts: [nobody.example.net]\n    secretName: nobody-tls\n";
    let found = files.post_render(&[], input.as_bytes());
    assert_eq!((found.code, found.stdout.len()), (2, 0));
    for expected in
        ["document 1, line 1: Ingress shop", "routing secret wild", "cert-manager.io/issuer", "nobody.example.net"]
    {
        assert!(found.stderr.contains(expected), "{}", found.stderr);
    }
}

#[test]
fn r20_hostile_text_is_escaped_in_what_is_printed() {
    let files = Files::new(&three());
    let input = INGRESS.replace("name: shop\n", "name: \"a\\e[31m\\u202e\\n---\"\n");
    let report = files.plan(&[], input.as_bytes());
    assert!(report.text().contains("a\\u{1b}[31m\\u{202e}\\u{a}---"), "{}", report.text());
    for output in ["text", "wide", "json", "yaml", "diff"] {
        let found = files.plan(&["-o", output], input.replace("\\u202e", "\u{202e}").as_bytes());
        assert_eq!(found.code, 0);
        assert!(!found.text().contains(['\u{1b}', '\u{202e}']), "{output}: {}", found.text());
    }
    let json = files.plan(&["-o", "json"], input.as_bytes());
    let plan: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(plan["slots"][0]["object"]["name"], "a\u{1b}[31m\u{202e}\n---");
}

#[test]
fn r21_more_than_32_namespaces_fail() {
    let files = Files::new(&three());
    let ingress =
        |at: usize| format!("---\n{}", INGRESS.replace("name: shop", &format!("name: shop\n  namespace: n{at}")));
    let many: String = (0..33).map(ingress).collect();
    let found = files.post_render(&[], many.as_bytes());
    assert_eq!((found.code, found.stdout.len()), (2, 0));
    assert!(found.stderr.contains("33 namespaces"), "{}", found.stderr);
    let fewer: String = (0..32).map(ingress).collect();
    assert_eq!(files.post_render(&[], fewer.as_bytes()).code, 0);
}

#[test]
fn the_namespace_must_be_known_when_an_object_needs_it() {
    let files = Files::new(&three());
    let found = run(&["post-render", "--inventory", &files.inventory()], &[], INGRESS.as_bytes());
    assert_eq!((found.code, found.stdout.len()), (2, 0));
    assert!(
        found.stderr.contains("document 1, line 1: Ingress shop names no namespace")
            && found.stderr.contains("-n NAMESPACE")
    );
    let named = INGRESS.replace("name: shop", "name: shop\n  namespace: demo");
    let found = run(&["post-render", "--inventory", &files.inventory()], &[], named.as_bytes());
    assert_eq!(found.text(), named.replace("shop-tls", "wild"));
}

#[test]
fn an_inventory_that_cannot_be_read_fails_or_passes_as_asked() {
    let missing = ["post-render", "-n", "demo", "--inventory", "/nowhere/s.yaml"];
    let failed = run(&missing, &[], INGRESS.as_bytes());
    assert_eq!((failed.code, failed.stdout.len()), (2, 0));
    assert!(failed.stderr.contains("/nowhere/s.yaml"), "{}", failed.stderr);
    let passed = run(&[&missing[..], &["--on-error", "pass"]].concat(), &[], INGRESS.as_bytes());
    assert_eq!(passed.code, 0);
    let (comment, rest) = passed.text().split_once('\n').unwrap();
    assert!(comment.starts_with("# routing-secrets: passed on unchanged: /nowhere/s.yaml"), "{comment}");
    assert_eq!(rest, INGRESS);
    let none = run(&["post-render", "-n", "demo"], &[], INGRESS.as_bytes());
    assert!(none.code == 2 && none.stderr.contains("no cluster is known"), "{}", none.stderr);
}

#[test]
fn require_fails_when_too_few_slots_are_served() {
    let files = Files::new(&three());
    let uncovered = INGRESS.replace("shop.apps.example.com", "nobody.example.net");
    let both = format!("{INGRESS}---\n{uncovered}");
    for (require, input, code) in
        [("any", INGRESS, 0), ("any", &uncovered, 2), ("any", &both, 0), ("all", &both, 2), ("all", INGRESS, 0)]
    {
        let found = files.post_render(&["--require", require], input.as_bytes());
        assert_eq!(found.code, code, "{require} {input}");
        assert_eq!(found.stdout.is_empty(), code != 0);
    }
    assert_eq!(files.plan(&["--exit-code"], both.as_bytes()).code, 1);
    assert_eq!(files.plan(&["--exit-code"], INGRESS.as_bytes()).code, 0);
}

#[cfg(unix)]
#[test]
fn r21_the_report_is_private_and_written_before_anything_else() {
    use std::os::unix::fs::PermissionsExt as _;
    let files = Files::new(&three());
    let report = files.path("report.json");
    let found = files.post_render(&["--report", report.to_str().unwrap()], INGRESS.as_bytes());
    assert_eq!(found.code, 0);
    assert_eq!(fs::metadata(&report).unwrap().permissions().mode() & 0o777, 0o600);
    for path in ["/dev/full", "/nowhere/report.json"] {
        let found = files.post_render(&["--report", path], INGRESS.as_bytes());
        assert_eq!((found.code, found.stdout.len()), (2, 0), "{path}");
        assert!(found.stderr.contains(path), "{}", found.stderr);
    }
    assert_eq!(files.post_render(&["--report", "/dev/null"], INGRESS.as_bytes()).code, 0);
}

#[cfg(unix)]
#[test]
fn a_closed_stdout_ends_quietly() {
    let files = Files::new(&three());
    let mut child = program()
        .args(["post-render", "-n", "demo", "--inventory", &files.inventory()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let many = format!("---\n{INGRESS}").repeat(5000);
    child.stdin.take().unwrap().write_all(many.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn a_broken_secret_is_unusable_and_the_others_work() {
    let files = Files::new(&three());
    let path = files.inventory();
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("- {apiVersion: v1, kind: Secret, type: kubernetes.io/tls, metadata: {name: aaa, namespace: demo, labels: {epinio.io/routing: x}}, data: {tls.crt: '%%%', tls.key: AAAA}}\n");
    text.push_str("- {apiVersion: v1, kind: Secret, type: kubernetes.io/tls, metadata: {name: bbb, namespace: demo, labels: {epinio.io/routing: x}}, data: {tls.crt: AAAA, tls.key: AAAA}}\n");
    fs::write(&path, text).unwrap();
    let report = files.plan(&["-o", "wide"], INGRESS.as_bytes());
    assert!(report.text().contains("shop-tls -> wild"), "{}", report.text());
    assert!(report.text().contains("not aaa: its tls.crt is not base64"), "{}", report.text());
    assert!(report.text().contains("not bbb: its tls.crt holds no PEM certificate"), "{}", report.text());
}

#[test]
fn r20_no_output_holds_a_private_key() {
    let secret = Tls::new("demo", "wild", &["*.apps.example.com"]);
    let files = Files::new(std::slice::from_ref(&secret));
    let inventory = fs::read_to_string(files.inventory()).unwrap();
    let key = inventory.split("tls.key: ").nth(1).unwrap().trim();
    for output in ["text", "wide", "json", "yaml", "diff"] {
        let found = files.plan(&["-o", output], INGRESS.as_bytes());
        assert_eq!(found.code, 0);
        assert!(!found.text().contains(&key[60..120]) && !found.text().contains("PRIVATE"), "{output}");
    }
    let inside = "apiVersion: routing-secrets.epinio.io/v1alpha1\nkind: Inventory\nsecrets:\n- {namespace: demo, name: a, certificate: '-----BEGIN PRIVATE KEY-----SECRETTEXT', key: matched}\n";
    fs::write(files.inventory(), inside).unwrap();
    let found = files.plan(&[], INGRESS.as_bytes());
    assert!(
        found.code == 2 && found.stderr.contains("holds a private key") && !found.stderr.contains("SECRETTEXT"),
        "{}",
        found.stderr
    );
}

#[test]
fn inventory_errors_name_file_document_and_remedy() {
    let files = Files::new(&three());
    for (text, expected) in [
        ("a: [", "document 1: it is not YAML"),
        (
            "---\napiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata: {name: a}\n",
            "names no namespace: give it with -n",
        ),
        ("---\nkind: ConfigMap\napiVersion: v1\n", "it is a \"ConfigMap\""),
        (
            "---\nkind: Secret\napiVersion: v1\ntype: kubernetes.io/tls\nmetadata: {name: 'a b', namespace: x}\n",
            "is no name of a Secret",
        ),
        (
            "apiVersion: routing-secrets.epinio.io/v1alpha1\nkind: Inventory\nsecrets: [{name: a}]\n",
            "secret 1 is not as",
        ),
    ] {
        fs::write(files.inventory(), text).unwrap();
        let named = INGRESS.replace("name: shop", "name: shop\n  namespace: demo");
        let found = run(&["plan", "--inventory", &files.inventory()], &[], named.as_bytes());
        assert_eq!(found.code, 2, "{text}");
        assert!(found.stderr.contains(expected) && found.stderr.contains("inventory.yaml"), "{}", found.stderr);
    }
}

#[test]
fn the_schema_of_the_plan_is_current() {
    let path = support::repository().join("schema/plan.json");
    let schema = schemars::schema_for!(routing_secrets::plan::Plan);
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let is_current = fs::read_to_string(&path).unwrap_or_default() == text;
    assert!(is_current, "UPDATE_GOLDEN=1 cargo test writes schema/plan.json anew");
}

#[test]
fn the_example_of_the_readme_prints_what_it_says() {
    let folder = support::repository().join("examples");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let decision = ["-n", "demo", "--inventory", "examples/inventory.yaml"];
    // The example's certificate is valid for a hundred years from the day it was made: no fixed time.
    let real = |command: &str, further: &[&str]| {
        let input = fs::File::open(folder.join("render.yaml")).unwrap();
        let mut program = program();
        program.current_dir(support::repository()).arg(command).args(decision).args(further).stdin(input);
        let output = program.output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(real("post-render", &[]), read("output.yaml"));
    let readme = fs::read_to_string(support::repository().join("README.md")).unwrap();
    for shown in [real("plan", &["-o", "diff"]), real("plan", &[])] {
        assert!(readme.contains(shown.trim_end()), "the README does not show:\n{shown}");
    }
}

#[test]
fn r20_a_failure_under_helm_4_is_one_scalar_that_shows_our_sentence() {
    let run = run(&["post-render"], &[("HELM_PLUGIN_NAME", "kubectl-routing_secrets")], INGRESS.as_bytes());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.text().starts_with("|") && run.text().contains("names no namespace"), "{}", run.text());
}

#[test]
fn a_diff_is_coloured_only_when_asked_for() {
    let files = Files::new(&three());
    let input = std::fs::read(
        support::repository().join("tests/golden/r13-a-certificate-that-nothing-needs-is-dropped/input.yaml"),
    )
    .unwrap();
    let plain = files.plan(&["-o", "diff"], &input);
    let coloured = files.plan(&["-o", "diff", "--color", "always"], &input);
    assert!(!plain.text().contains('\u{1b}'));
    assert!(coloured.text().contains("\u{1b}[32m+"), "{}", coloured.text());
    let stripped = ["\u{1b}[1m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[36m", "\u{1b}[0m"];
    assert_eq!(stripped.iter().fold(coloured.text().to_owned(), |text, code| text.replace(code, "")), plain.text());
}
