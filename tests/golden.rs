//! Golden triples: for each rule a render, what comes out of it, and the report.
//!
//! `UPDATE_GOLDEN=1 cargo test --test golden` writes them anew; read the diff before it is committed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use std::fs;
use std::path::Path;

use support::{Files, Tls, repository, three};

/// The secrets of a case: a line each, `NAMESPACE/NAME HOSTS… [key=value…]`; without the file the three of `support`.
fn secrets(case: &Path) -> Vec<Tls> {
    let Ok(text) = fs::read_to_string(case.join("secrets.txt")) else { return three() };
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(secret).collect()
}

fn secret(line: &str) -> Tls {
    let mut words = line.split_whitespace();
    let (namespace, name) = words.next().unwrap().split_once('/').unwrap();
    let mut secret = Tls::new(namespace, name, &[]);
    for word in words {
        match word.split_once('=') {
            None => secret.hosts.push(word.to_owned()),
            Some(("years", years)) => {
                let (from, to) = years.split_once('-').unwrap();
                secret.years = (from.parse().unwrap(), to.parse().unwrap());
            }
            Some(("type", type_)) => secret.type_ = type_.to_owned(),
            Some(("is", "unlabelled")) => secret.labels.clear(),
            Some(("is", "ca")) => secret.ca = true,
            Some(("is", "issued")) => secret.issued = true,
            Some(("is", "client-only")) => secret.client_only = true,
            Some(("is", "foreign-key")) => secret.foreign_key = true,
            Some((key, value)) => {
                secret.annotations.insert(key.to_owned(), value.to_owned());
            }
        }
    }
    secret
}

#[test]
fn every_rule_has_its_golden_triple() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut cases: Vec<_> =
        fs::read_dir(repository().join("tests/golden")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 30, "only {} cases were found", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let name = case.file_name().unwrap().to_str().unwrap();
        let files = Files::new(&secrets(case));
        let input = fs::read(case.join("input.yaml")).unwrap();
        let arguments = fs::read_to_string(case.join("arguments.txt")).unwrap_or_default();
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        let output = files.post_render(&arguments, &input);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{name}");
        let report = files.plan(&[&["-o", "wide"], arguments.as_slice()].concat(), &input);
        assert_eq!((report.code, report.stderr.as_str()), (0, ""), "{name}");
        // R18: a second run changes nothing.
        assert_eq!(files.post_render(&arguments, &output.stdout).text(), output.text(), "{name} is not idempotent");
        for (file, found) in [("output.yaml", &output.stdout), ("report.txt", &report.stdout)] {
            if update {
                fs::write(case.join(file), found).unwrap();
            } else if fs::read(case.join(file)).ok().as_ref() != Some(found) {
                wrong.push(format!("{name}/{file} differs; found:\n{}", String::from_utf8_lossy(found)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
