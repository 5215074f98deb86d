//! Every command block of the README and of docs/ that needs no cluster: typed into a shell, its output compared. Those
//! with a cluster are `tests/e2e_docs.rs`.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "docs/blocks.rs"]
mod blocks;
mod support;

use std::fs;
use std::path::Path;

use support::repository;

/// What follows the opening fence of a block that is no command: a language that a reader sees coloured.
const OTHERS: [&str; 6] = ["yaml", "text", "rust", "hcl", "json", "diff"];

#[test]
fn what_the_pages_say_is_printed_is_printed() {
    let program = Path::new(env!("CARGO_BIN_EXE_kubectl-routing_secrets"));
    for page in blocks::pages() {
        let folder = blocks::copy();
        let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
        blocks::check(&page, "console", folder.path(), &path, &[]);
    }
}

/// `console ci` blocks are what CI itself runs: each of their commands stands in its script or in the Makefile.
#[test]
fn what_the_pages_say_to_run_is_what_ci_runs() {
    let read = |path: &str| fs::read_to_string(repository().join(path)).unwrap();
    let run = [".ci/run", "Makefile", "tests/e2e/bed/bed.mk", "krew/test.sh"].map(read).join("\n");
    for page in blocks::pages() {
        for command in blocks::commands(&page, "console ci") {
            let words = command.split(" #").next().unwrap().trim();
            let is_target = words.strip_prefix("make ").is_some_and(|target| run.contains(&format!("\n{target}:")));
            assert!(is_target || run.contains(words), "{page}: CI does not run: {words}");
        }
    }
}

#[test]
fn every_block_is_run_or_is_no_command() {
    for page in blocks::pages() {
        let text = fs::read_to_string(repository().join(&page)).unwrap();
        let fences: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("```")).collect();
        for fence in fences.iter().step_by(2) {
            let is_run = ["console", "console ci", "console cluster", "console helm3"].contains(fence);
            assert!(is_run || OTHERS.contains(fence), "{page}: a block fenced as \"{fence}\" is run by no test");
        }
    }
}

#[test]
fn every_link_leads_to_a_file() {
    for page in blocks::pages() {
        let text = fs::read_to_string(repository().join(&page)).unwrap();
        let folder = repository().join(&page).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap();
            let is_elsewhere = target.is_empty() || target.contains("://");
            assert!(is_elsewhere || folder.join(target).exists(), "{page}: no {target}");
        }
    }
}

/// The source as the compiler reads its strings: continued lines joined.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else {
            let source = fs::read_to_string(&path).unwrap();
            text.extend(
                source.split("\\\n").enumerate().map(|(at, part)| if at == 0 { part } else { part.trim_start() }),
            );
        }
    }
}

#[test]
fn every_message_of_the_troubleshooting_page_is_one_of_the_programs() {
    let mut source = String::new();
    sources(&repository().join("src"), &mut source);
    let page = fs::read_to_string(repository().join("docs/troubleshooting.md")).unwrap();
    let messages = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let mut count = 0;
    for part in messages.flat_map(|message| message.split('…')).map(str::trim).filter(|part| part.len() > 3) {
        count += 1;
        assert!(source.contains(part), "no message of the program holds \"{part}\"");
    }
    assert!(count > 25, "only {count} messages");
}
