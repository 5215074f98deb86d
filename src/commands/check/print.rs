//! How `check` prints: as linkerd does, a category after the other, a line a finding, what to do below it.

use std::io::Write;

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use crate::check::{Category, Finding, ObjectRef, Severity};
use crate::cli::CheckOutput;
use crate::output::escape::escape;
use crate::output::structured;
use crate::plan::API_VERSION;

/// What `check -o json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report<'f> {
    api_version: &'static str,
    kind: &'static str,
    /// How many findings there are of each kind.
    summary: Summary,
    /// The findings, good ones too.
    items: &'f [Finding],
}

#[derive(Debug, Serialize, JsonSchema)]
struct Summary {
    problems: usize,
    warnings: usize,
    ok: usize,
}

impl<'f> Report<'f> {
    fn new(items: &'f [Finding]) -> Self {
        let count = |severity| items.iter().filter(|finding| finding.severity == severity).count();
        let (problems, warnings) = (count(Severity::Problem), count(Severity::Warning));
        let summary = Summary { problems, warnings, ok: count(Severity::Ok) };
        Self { api_version: API_VERSION, kind: "RoutingSecretCheck", summary, items }
    }
}

pub(super) fn write(findings: &[Finding], output: CheckOutput, colour: bool, out: &mut dyn Write) -> Result<()> {
    let report = Report::new(findings);
    let text = match output {
        CheckOutput::Text => text(&report, colour),
        CheckOutput::Json => structured::json(&report)?,
        CheckOutput::Yaml => structured::yaml(&report)?,
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

fn text(report: &Report<'_>, colour: bool) -> String {
    let mut text = String::new();
    for category in Category::ALL {
        let mut findings = report.items.iter().filter(|finding| finding.category == category).peekable();
        if findings.peek().is_none() {
            continue;
        }
        let heading = category.heading();
        text.push_str(&format!("{heading}\n{}\n", "-".repeat(heading.len())));
        for finding in findings {
            let object = finding.object.as_ref().map(|object| format!("{}: ", name(object))).unwrap_or_default();
            text.push_str(&format!("{} {object}{}\n", mark(finding.severity, colour), finding.message));
            for hint in &finding.hints {
                text.push_str(&format!("    {hint}\n"));
            }
        }
        text.push('\n');
    }
    let Summary { problems, warnings, .. } = report.summary;
    let worst = match (problems, warnings) {
        (0, 0) => Severity::Ok,
        (0, _) => Severity::Warning,
        _ => Severity::Problem,
    };
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let result = format!("{}, {}", plural(problems, "problem"), plural(warnings, "warning"));
    text + &format!("{} {result}\n", mark(worst, colour))
}

fn name(object: &ObjectRef) -> String {
    let name = escape(&object.name);
    match &object.namespace {
        Some(namespace) => format!("{}/{name}", escape(namespace)),
        None => format!("{} {name}", object.kind.to_lowercase()),
    }
}

fn mark(severity: Severity, colour: bool) -> String {
    let (mark, code) = match severity {
        Severity::Ok => ("✓", 32),
        Severity::Warning => ("‼", 33),
        Severity::Problem => ("×", 31),
    };
    if colour { format!("\u{1b}[{code}m{mark}\u{1b}[0m") } else { mark.to_owned() }
}
