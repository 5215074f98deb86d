//! The plan for people, and for the programs that run functions.

pub mod krm;

use std::fmt::Write as _;

use crate::consumers::Left;
use crate::output::escape::escape;
use crate::plan::{CertificateDecision, ObjectRef, Plan, SlotDecision, SlotPlan, Summary, TriggerDecision};

/// The plan as text, one line a decision; with `wide`, also what does not change and the secrets
/// that lost.
#[must_use]
pub fn text(plan: &Plan, wide: bool) -> String {
    let mut text = String::new();
    for slot in &plan.slots {
        line(&mut text, &slot_line(slot));
        let candidates = slot.candidates.iter().flatten().filter(|_| wide);
        for candidate in candidates {
            line(&mut text, &format!("    not {}: {}", escape(&candidate.secret_name), candidate.reason.message));
        }
    }
    for trigger in &plan.triggers {
        let what = format!("{}: {}", escape(&trigger.key), escape(&trigger.value));
        let companions = match trigger.companions.as_slice() {
            [] => String::new(),
            companions => format!(" with {}", escape(&companions.join(", "))),
        };
        line(
            &mut text,
            &match trigger.decision {
                TriggerDecision::Removed => {
                    format!("removed    {}: {what}{companions}", place(&trigger.object, trigger.line))
                }
                TriggerDecision::Left => {
                    format!("left       {}: {what}: {}", place(&trigger.object, trigger.line), trigger.reason.message)
                }
            },
        );
    }
    for certificate in &plan.certificates {
        let place = place(&certificate.object, certificate.object.line);
        let secret_name = escape(&certificate.secret_name);
        line(
            &mut text,
            &match certificate.decision {
                CertificateDecision::Dropped => format!(
                    "dropped    {place}: {secret_name}; {} covers {}",
                    escape(&certificate.covered_by.join(" and ")),
                    escape(&certificate.names.join(", "))
                ),
                CertificateDecision::Kept => {
                    format!("stays      {place}: {secret_name}: {}", certificate.reason.message)
                }
            },
        );
    }
    for route in &plan.routes {
        let at = route.tls_at.iter();
        let at = at.map(|at| format!("{} {}/{}", escape(&at.kind), escape(&at.namespace), escape(&at.name)));
        let hosts = if route.hosts.is_empty() { "every name".to_owned() } else { route.hosts.join(", ") };
        let hosts = escape(&hosts);
        let at = at.collect::<Vec<_>>().join(" and ");
        line(&mut text, &format!("route      {}: TLS is at {at} for {hosts}", place(&route.object, route.object.line)));
    }
    for warning in &plan.warnings {
        line(&mut text, &format!("warning    {}", warning.message));
    }
    line(&mut text, &summary(&plan.summary));
    text
}

fn line(text: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}

fn place(object: &ObjectRef, line: usize) -> String {
    format!("{} {}/{} (line {line})", escape(&object.kind), escape(&object.namespace), escape(&object.name))
}

/// The slots that are left, in one sentence.
#[must_use]
pub fn left(plan: &Plan) -> String {
    const SHOWN: usize = 10;
    let left: Vec<&SlotPlan> = plan
        .slots
        .iter()
        .filter(|slot| slot.decision == SlotDecision::Left && slot.reason.code != Left::NoHosts.code())
        .collect();
    let shown = left.iter().take(SHOWN).map(|slot| {
        let path = escape(&slot.path);
        format!("{}: {path}: {}", place(&slot.object, slot.line), slot.reason.message)
    });
    let mut text = match left.len() {
        0 => "the render names no TLS secret for a host".to_owned(),
        count => format!("{count} left: {}", shown.collect::<Vec<_>>().join("; ")),
    };
    if left.len() > SHOWN {
        text.push_str("; …");
    }
    text
}

fn slot_line(slot: &SlotPlan) -> String {
    let place = format!("{}: {}", place(&slot.object, slot.line), slot.path);
    let full = |name: &str| match &slot.secret_namespace {
        Some(namespace) => format!("{}/{}", escape(namespace), escape(name)),
        None => escape(name).into_owned(),
    };
    let from = if slot.from.is_empty() { "its resolver".to_owned() } else { full(&slot.from) };
    let targets: Vec<String> = slot
        .to
        .iter()
        .map(|target| {
            let predicted = if target.predicted { " (predicted)" } else { "" };
            format!("{}{predicted} for {}", full(&target.secret_name), escape(&target.hosts.join(", ")))
        })
        .collect();
    match slot.decision {
        SlotDecision::Rewritten => format!("rewritten  {place}: {from} -> {}", targets.join("; ")),
        SlotDecision::Split => format!("split      {place}: {from} -> {}", targets.join("; ")),
        SlotDecision::Kept => format!("kept       {place}: {}", slot.reason.message),
        SlotDecision::Left if slot.from.is_empty() && slot.reason.code == "inlineCertificate" => {
            format!("left       {place}: {}", slot.reason.message)
        }
        SlotDecision::Left => format!("left       {place}: {from}: {}", slot.reason.message),
    }
}

/// The counts in one line.
#[must_use]
pub fn summary(summary: &Summary) -> String {
    let Summary { rewritten, kept, left, without_hosts, triggers_removed, certificates_dropped, certificates_kept } =
        summary;
    let mut text = format!(
        "slots: {rewritten} rewritten, {kept} kept, {left} left; triggers removed: {triggers_removed}; \
         Certificates: {certificates_dropped} dropped, {certificates_kept} stay"
    );
    if *without_hosts > 0 {
        let _ = write!(text, "; slots without hosts: {without_hosts}");
    }
    text
}
