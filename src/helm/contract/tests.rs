use super::*;

/// As Helm splits it: no line but the first starts in the first column.
fn assert_safe(message: &str) {
    let output = failure_scalar(message);
    let mut lines = output.lines();
    assert_eq!(lines.next(), Some("|"), "{message:?}");
    for line in lines {
        assert!(line.is_empty() || line.starts_with("  "), "{message:?}: {line:?}");
        assert!(!line.ends_with(' '), "{message:?}: {line:?}");
        assert!(line.chars().all(is_plain), "{message:?}: {line:?}");
    }
    let text: Vec<&str> = output.lines().skip(1).map(|l| l.get(2..).unwrap_or_default()).collect();
    assert!(is_one_literal(&output, &text.join("\n")), "{message:?}: {output:?}");
}

#[test]
fn no_message_breaks_out_of_the_scalar() {
    for (trap, message, expected) in [
        ("plain", "no secret", "|\n  no secret\n"),
        ("lines", "a\nb\r\nc", "|\n  a\n  b\n  c\n"),
        ("blank line", "a\n\nb", "|\n  a\n\n  b\n"),
        ("document marker", "a\n---\nkind: Pod", "|\n  a\n  ---\n  kind: Pod\n"),
        ("marker first", "---\nkind: Pod", "|\n  ---\n  kind: Pod\n"),
        ("document end", "a\n...\nb", "|\n  a\n  ...\n  b\n"),
        ("carriage return", "a\r---\rkind: Pod", "|\n  a\\u{d}---\\u{d}kind: Pod\n"),
        ("NEL", "a\u{85}---\u{85}b", "|\n  a\\u{85}---\\u{85}b\n"),
        ("LS", "a\u{2028}---", "|\n  a\\u{2028}---\n"),
        ("PS", "a\u{2029}---", "|\n  a\\u{2029}---\n"),
        ("tab", "a\n\t- b", "|\n  a\n  \\u{9}- b\n"),
        ("first line indented", "     a\nb", "|\n  a\n  b\n"),
        ("blank lines first", "\n   \n\n  a\nb", "|\n  a\n  b\n"),
        ("blanks at ends", "a  \nb  \n\n\n", "|\n  a\n  b\n"),
        ("indented line", "a\n    b\n c", "|\n  a\n      b\n   c\n"),
        ("comment", "# a\n# b", "|\n  # a\n  # b\n"),
        ("directive", "%YAML 1.1\n---", "|\n  %YAML 1.1\n  ---\n"),
        ("properties", "!!str &a |\n*b", "|\n  !!str &a |\n  *b\n"),
        ("escape sequence", "\u{1b}[2J", "|\n  \\u{1b}[2J\n"),
        ("direction", "a\u{202e}b", "|\n  a\\u{202e}b\n"),
        ("byte order mark", "\u{feff}a", "|\n  \\u{feff}a\n"),
        ("outside the BMP", "\u{1f600}", "|\n  \\u{1f600}\n"),
        ("other scripts stay", "für 例", "|\n  für 例\n"),
        ("a wide blank first", "\u{3000}a\nb", "|\n  a\n  b\n"),
        ("NUL", "\0", "|\n  \\u{0}\n"),
    ] {
        assert_eq!(failure_scalar(message), expected, "{trap}");
        assert_safe(message);
    }
}

#[test]
fn an_empty_message_still_fails_the_render() {
    for message in ["", " ", "\n\n", "  \n \u{3000}"] {
        assert_eq!(failure_scalar(message), FALLBACK);
    }
    assert_safe("");
}

#[test]
fn what_is_not_one_literal_is_refused() {
    for (trap, output, text) in [
        ("two documents", "|\n  a\n---\n|\n  a\n", "a"),
        ("explicit start", "---\n|\n  a\n", "a"),
        ("plain", "a\n", "a"),
        ("folded", ">\n  a\n", "a"),
        ("mapping", "a: |\n  a\n", "a"),
        ("anchor", "&x |\n  a\n", "a"),
        ("tag", "!!str |\n  a\n", "a"),
        ("other text", "|\n  b\n", "a"),
        ("broken", "|\n  a\n b: [", "a"),
        ("nothing", "", ""),
    ] {
        assert!(!is_one_literal(output, text), "{trap}");
    }
}

#[test]
fn helm_4_is_known_by_its_plugin_name() {
    let marked = "metadata:\n  annotations:\n    postrenderer.helm.sh/postrender-filename: a.yaml\n";
    for (trap, name, ancestor, input, expected) in [
        ("plugin", Some(PLUGIN), true, "", Version::Helm4),
        ("plugin, helm not seen", Some(PLUGIN), false, "", Version::Helm4),
        ("plugin of another name that calls us", Some("between"), true, marked, Version::Helm4),
        ("helm 3", None, true, marked, Version::Helm3),
        ("helm 3 after a downloader plugin", Some("s3"), true, "", Version::Helm3),
        ("our own CLI plugin", Some("routing-secrets"), false, marked, Version::None),
        ("no helm", None, false, marked, Version::None),
    ] {
        let env = |_: &str| name.map(str::to_owned);
        assert_eq!(Version::detect(&env, ancestor, input.as_bytes()), expected, "{trap}");
    }
}

#[test]
fn the_empty_output_is_only_a_comment() {
    assert!(EMPTY_OUTPUT.starts_with('#') && EMPTY_OUTPUT.lines().count() == 1);
}

proptest::proptest! {
    #[test]
    fn any_message_stays_in_the_scalar(message in r"(\PC|[\n\r\t\u{85}\u{2028} \x00-\x1f]|---|\.\.\.|\n---\n|\n\.\.\.\n|: |- |\|){0,30}") {
        assert_safe(&message);
    }

    #[test]
    fn any_characters_stay_in_the_scalar(message in proptest::collection::vec(proptest::char::any(), 0..60)) {
        assert_safe(&message.into_iter().collect::<String>());
    }
}
