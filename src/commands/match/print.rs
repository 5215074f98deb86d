//! How `match` prints: tables, JSON, YAML, names.

use anyhow::Result;
use jiff::Timestamp;

use super::World;
use crate::answer::{Answer, AnswerList, AnsweredSecret};
use crate::cli::{MatchArgs, MatchOutput};
use crate::output::cell::{expiry, names};
use crate::output::escape::escape;
use crate::output::structured::{json, yaml};
use crate::output::table::{Cell, Table, Urgency};

pub(super) fn write(list: &AnswerList, args: &MatchArgs, colour: bool, world: &mut World<'_>) -> Result<()> {
    let is_wide = match args.output {
        Some(MatchOutput::Json) => return Ok(world.stdout.write_all(json(list)?.as_bytes())?),
        Some(MatchOutput::Yaml) => return Ok(world.stdout.write_all(yaml(list)?.as_bytes())?),
        Some(MatchOutput::Name) => {
            for secret in list.items.iter().flat_map(|answer| &answer.secrets).filter(|secret| secret.is_serving()) {
                writeln!(world.stdout, "secret/{}", escape(&secret.name))?;
            }
            return Ok(());
        }
        output => output.is_some(),
    };
    let has_slots = list.items.iter().any(|answer| answer.slot.is_some());
    let last: &[&str] = match args.matching {
        Some(_) => &["HOST", "SECRET", "EPINIO", "REASON OF EPINIO"],
        None if is_wide => &["HOSTS", "SECRET", "SERVES", "REASON", "EXPIRES", "NAMES"],
        None => &["HOSTS", "SECRET", "SERVES", "REASON"],
    };
    let headings = has_slots.then_some("SLOT").into_iter().chain(last.iter().copied()).map(str::to_owned).collect();
    let mut rows = Vec::new();
    for answer in &list.items {
        let of_answer = match &answer.epinio {
            Some(_) => beside_epinio(answer),
            None => rows_of(answer, is_wide, world.now),
        };
        let slot = has_slots.then(|| Cell::from(slot(answer)));
        rows.extend(of_answer.into_iter().map(|row| slot.clone().into_iter().chain(row).collect()));
    }
    Ok(Table::new(headings, !args.no_headers, colour).write(&rows, world.stdout)?)
}

fn slot(answer: &Answer) -> String {
    match &answer.slot {
        Some(slot) => format!("{}/{} {}", escape(&slot.kind), escape(&slot.name), escape(&slot.path)),
        None => "<none>".to_owned(),
    }
}

const NONE: &str = "<none>";

/// A row for each secret, or one that says why there is none.
fn rows_of(answer: &Answer, is_wide: bool, now: Timestamp) -> Vec<Vec<Cell>> {
    let row = |secret: &AnsweredSecret| {
        let hosts = if secret.is_serving() { &secret.serves } else { &answer.hosts };
        let mut row: Vec<Cell> = vec![
            names(hosts, is_wide).into(),
            escape(&secret.name).into_owned().into(),
            serves(secret.is_serving(), answer.served),
            secret.reason.message.clone().into(),
        ];
        if is_wide {
            row.push(expiry(secret.not_after, secret.expires_soon, now));
            row.push(names(&secret.names, true).into());
        }
        row
    };
    let mut rows: Vec<Vec<Cell>> = answer.secrets.iter().map(row).collect();
    if let (Some(reason), true) = (&answer.reason, rows.is_empty()) {
        let hosts = names(&answer.hosts, is_wide).into();
        rows.push(vec![hosts, NONE.into(), serves(false, false), reason.message.clone().into()]);
    }
    rows
}

fn serves(is_serving: bool, is_served: bool) -> Cell {
    let urgency = if is_served { Urgency::Calm } else { Urgency::Now };
    Cell { text: if is_serving { "yes" } else { "no" }.to_owned(), urgency }
}

/// A row for each host: our secret, and Epinio's.
fn beside_epinio(answer: &Answer) -> Vec<Vec<Cell>> {
    let row = |of: &crate::answer::EpinioAnswer| {
        let ours = answer.secrets.iter().find(|secret| secret.serves.contains(&of.host));
        let ours = ours.map_or(NONE.into(), |secret| escape(&secret.name).into_owned());
        let theirs =
            if of.secrets.is_empty() { NONE.to_owned() } else { escape(&of.secrets.join(" or ")).into_owned() };
        let host = escape(&of.host).into_owned();
        vec![host.into(), ours.into(), theirs.into(), of.reason.message.clone().into()]
    };
    answer.epinio.iter().flatten().map(row).collect()
}
