//! The command blocks of a page: what is typed, what is printed, and whether that is still so.
//!
//! A block is fenced as `console`, or `console cluster` where it needs the test bed. A line `$ COMMAND` is typed, lines
//! `> …` go on with it, the others are what it prints: `...` alone stands for any lines, `[..]` for anything within one.

#![allow(dead_code, unreachable_pub)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::repository;

/// A typed command and what the page says it prints.
struct Step {
    line: usize,
    command: String,
    expected: Vec<String>,
}

/// A folder with the repository's files as they are now, without what was built.
pub fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = Command::new("git").args(["ls-files", "-co", "--exclude-standard"]).current_dir(repository()).output();
    for file in String::from_utf8(files.expect("git lists the files").stdout).unwrap().lines() {
        let (from, to) = (repository().join(file), folder.path().join(file));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        if from.exists() {
            fs::copy(from, to).unwrap();
        }
    }
    folder
}

/// The pages with command blocks.
pub fn pages() -> Vec<String> {
    let docs = fs::read_dir(repository().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut pages: Vec<String> =
        docs.map(|path| path.strip_prefix(repository()).unwrap().display().to_string()).collect();
    pages.sort();
    pages.insert(0, "README.md".to_owned());
    pages
}

/// The steps of the blocks with this fence.
fn steps(text: &str, fence: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut is_inside = false;
    for (at, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            is_inside = !is_inside && line == format!("```{fence}");
        } else if !is_inside {
        } else if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { line: at + 1, command: command.to_owned(), expected: Vec::new() });
        } else if let Some(more) = line.strip_prefix("> ") {
            let step = steps.last_mut().expect("a command comes first");
            step.command.push('\n');
            step.command.push_str(more);
        } else {
            steps.last_mut().expect("a command comes first").expected.push(line.to_owned());
        }
    }
    steps
}

/// The commands of a page's blocks with this fence.
pub fn commands(page: &str, fence: &str) -> Vec<String> {
    let text = fs::read_to_string(repository().join(page)).unwrap();
    steps(&text, fence).into_iter().map(|step| step.command).collect()
}

/// Types every command of a page's blocks with this fence into one shell, in `folder`, and compares what they print.
/// With `UPDATE_GOLDEN` the page gets what was printed.
pub fn check(page: &str, fence: &str, folder: &Path, path: &str, env: &[(&str, &str)]) {
    let text = fs::read_to_string(repository().join(page)).unwrap();
    let steps = steps(&text, fence);
    if steps.is_empty() {
        return;
    }
    let script: String = steps.iter().map(|step| format!("{}\nprintf '\\036%s\\036\\n' $?\n", step.command)).collect();
    let script_file = folder.join(".typed");
    fs::write(&script_file, script).unwrap();
    let mut shell = Command::new("bash");
    shell.arg("--norc").arg(&script_file).current_dir(folder).env("PATH", path).env("HOME", folder);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ROUTING_SECRETS_") {
            shell.env_remove(name);
        }
    }
    let (mut reader, writer) = std::io::pipe().unwrap();
    shell.envs(env.iter().copied()).stdin(Stdio::null()).stdout(writer.try_clone().unwrap()).stderr(writer);
    let mut child = shell.spawn().unwrap();
    // The command holds the pipe's other end until it goes.
    drop(shell);
    let mut printed = String::new();
    std::io::Read::read_to_string(&mut reader, &mut printed).unwrap();
    child.wait().unwrap();
    let parts: Vec<&str> = printed.split('\u{1e}').collect();
    let found: Vec<(&str, &str)> =
        parts.chunks(2).filter(|part| part.len() == 2).map(|part| (part[0], part[1])).collect();
    assert_eq!(found.len(), steps.len(), "{page}: the shell ended early:\n{printed}");
    let found: Vec<(Vec<String>, &str)> = found
        .into_iter()
        .map(|(output, code)| {
            let output = output.strip_prefix('\n').unwrap_or(output);
            (output.lines().map(str::to_owned).collect(), code)
        })
        .collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        update(page, &text, &steps, &found);
        return;
    }
    let mut wrong = String::new();
    for (step, (output, code)) in steps.iter().zip(&found) {
        if !matches(&step.expected, output) {
            wrong.push_str(&format!("{page}:{}: $ {}\nprints\n{}\n\n", step.line, step.command, output.join("\n")));
        }
        if output.is_empty() && *code != "0" {
            wrong.push_str(&format!(
                "{page}:{}: $ {}\nprints nothing and ends with {code}\n\n",
                step.line, step.command
            ));
        }
    }
    assert!(wrong.is_empty(), "UPDATE_GOLDEN=1 writes what is printed into the page:\n{wrong}");
}

/// Whether a page's lines are what was printed.
fn matches(expected: &[String], output: &[String]) -> bool {
    match (expected, output) {
        ([], []) => true,
        ([any, rest @ ..], _) if any == "..." => (0..=output.len()).any(|from| matches(rest, &output[from..])),
        ([line, rest @ ..], [printed, others @ ..]) => is_line(line, printed) && matches(rest, others),
        _ => false,
    }
}

fn is_line(expected: &str, printed: &str) -> bool {
    match expected.split_once("[..]") {
        None => expected.trim_end() == printed.trim_end(),
        Some((start, rest)) => printed.strip_prefix(start).is_some_and(|printed| {
            (0..=printed.len()).filter(|&at| printed.is_char_boundary(at)).any(|at| is_line(rest, &printed[at..]))
        }),
    }
}

/// The page with what was printed in the place of what no longer is.
fn update(page: &str, text: &str, steps: &[Step], found: &[(Vec<String>, &str)]) {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (step, (output, _)) in steps.iter().zip(found).rev() {
        if !matches(&step.expected, output) {
            let from = step.line + step.command.matches('\n').count();
            lines.splice(from..from + step.expected.len(), output.iter().cloned());
        }
    }
    fs::write(repository().join(page), lines.join("\n") + "\n").unwrap();
}

#[test]
fn any_lines_and_anything_within_one() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (expected, printed, is_match) in [
        ("a\n...\nd", "a\nb\nc\nd", true),
        ("a\n...\nd", "a\nd", true),
        ("a\n...\nd", "a\nb", false),
        ("x[..]z", "xyz", true),
        ("x[..]z", "xy", false),
        ("a", "a\nb", false),
        ("...", "", true),
    ] {
        assert_eq!(matches(&lines(expected), &lines(printed)), is_match, "{expected:?} {printed:?}");
    }
}
