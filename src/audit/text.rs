//! The audit for people: fit to be pasted into a ticket.

use std::fmt::Write as _;

use super::limits::Use;
use super::{Audit, Code, Finding, ObjectId};
use crate::output::escape::escape;
use crate::output::table::human_duration;

/// The headings, in the order in which they are printed.
const HEADINGS: [(&str, &[Code]); 6] = [
    (
        "Slots whose Secret does not serve their hosts",
        &[Code::SecretMissing, Code::SecretExpired, Code::SecretUnusable, Code::SecretNotCovering],
    ),
    ("Triggers that overwrite a routing secret", &[Code::Overwrites]),
    ("Certificates ordered although a routing secret covers the hosts", &[Code::OrdersThoughCovered]),
    ("Certificates that nothing uses", &[Code::ShimOrphan, Code::CertificateUnused]),
    ("Triggers that survive a helm upgrade", &[Code::ForeignTrigger]),
    ("Limits of ACME servers", &[Code::LimitReached]),
];

/// The audit as text.
#[must_use]
pub fn text(audit: &Audit, colour: bool) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let mut line = |line: &str| {
        let _ = writeln!(text, "{line}");
    };
    for (heading, codes) in HEADINGS {
        let found: Vec<&Finding> = audit.items.iter().filter(|finding| codes.contains(&finding.code)).collect();
        if found.is_empty() {
            continue;
        }
        // What fails now, and what costs.
        let (start, end) = match codes.contains(&Code::SecretMissing) || codes.contains(&Code::Overwrites) {
            _ if !colour => ("", ""),
            true => ("\u{1b}[31m", "\u{1b}[0m"),
            false => ("\u{1b}[33m", "\u{1b}[0m"),
        };
        line(&format!("{start}{heading}: {}{end}", found.len()));
        for finding in found {
            line(&format!("  {}", sentence(finding)));
            for command in &finding.commands {
                line(&format!("      {command}"));
            }
        }
        line("");
    }
    if !audit.unproven.is_empty() {
        line(&format!("Not certain, so left: {}", audit.unproven.len()));
        for unproven in &audit.unproven {
            line(&format!("  {}: {}", object(&unproven.object), unproven.message));
        }
        line("");
    }
    for of in &audit.acme {
        let window = human_duration(of.window_seconds);
        line(&format!(
            "Orders at {}: at least {} in the last {window}, {} renewals due in the next; routing secrets would save {}",
            escape(&of.server),
            of.ordered,
            of.due,
            of.saved
        ));
        for Use { name, ordered, due: _, saved, limit } in &of.domains {
            line(&format!("  {}: {ordered} new of {limit}{}", escape(name), saving(*saved)));
        }
        for Use { name, ordered, due, saved, limit } in &of.sets {
            let due = if *due == 0 { String::new() } else { format!(", {due} due") };
            line(&format!("  exactly {}: {ordered} of {limit}{due}{}", escape(name), saving(*saved)));
        }
        line("");
    }
    if !audit.not_read.is_empty() {
        line("Not read:");
        for not_read in &audit.not_read {
            line(&format!("  {}: {}", escape(&not_read.resource), not_read.message));
        }
        line("");
    }
    let kinds = audit.kinds.iter().filter(|(_, count)| **count > 0);
    let kinds: Vec<String> = kinds.map(|(kind, count)| format!("{} {count}", escape(kind))).collect();
    let kinds = if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") };
    line(&format!("consumers: {kinds}; kinds that are not installed: {}", audit.not_served.len()));
    line(&format!(
        "findings: {}; not certain: {}; requests: {} ({} lists, {} single objects)",
        audit.items.len(),
        audit.unproven.len(),
        audit.reads.requests,
        audit.reads.lists,
        audit.reads.gets
    ));
    text
}

fn saving(saved: usize) -> String {
    if saved == 0 { String::new() } else { format!(", {saved} of them saved by routing secrets") }
}

fn object(object: &ObjectId) -> String {
    match object.namespace.as_str() {
        "" => format!("{} {}", escape(&object.kind), escape(&object.name)),
        namespace => format!("{} {}/{}", escape(&object.kind), escape(namespace), escape(&object.name)),
    }
}

fn sentence(finding: &Finding) -> String {
    let mut text = object(&finding.object);
    if let Some(path) = &finding.path {
        let _ = write!(text, " {}", escape(path));
    }
    if let Some(secret_name) = finding.secret_name.as_ref().filter(|_| finding.path.is_some()) {
        let _ = write!(text, ": {}", escape(secret_name));
    }
    if !finding.hosts.is_empty() && finding.code != Code::LimitReached {
        let _ = write!(text, " for {}", escape(&finding.hosts.join(", ")));
    }
    let _ = write!(text, ": {}", finding.message);
    text
}
