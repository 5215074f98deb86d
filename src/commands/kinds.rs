//! `kinds`: which kinds are known, and where they name hosts and Secrets.

use anyhow::Result;

use super::{FINE, World};
use crate::cli::{KindsArgs, KindsOutput};
use crate::consumers::kinds::{Kind, Wildcard, kinds};
use crate::output::structured::{json, yaml};
use crate::output::table::{Cell, Table};

pub(super) fn run(args: &KindsArgs, world: &mut World<'_>) -> Result<u8> {
    let list = kinds();
    match args.output {
        None => table(&list.items, false, args.no_headers, world)?,
        Some(KindsOutput::Wide) => table(&list.items, true, args.no_headers, world)?,
        Some(KindsOutput::Json) => world.stdout.write_all(json(&list)?.as_bytes())?,
        Some(KindsOutput::Yaml) => world.stdout.write_all(yaml(&list)?.as_bytes())?,
        Some(KindsOutput::Name) => {
            for kind in &list.items {
                for group in kind.groups {
                    writeln!(world.stdout, "{}.{group}", kind.resource)?;
                }
            }
        }
    }
    world.stdout.flush()?;
    Ok(FINE)
}

fn table(kinds: &[Kind], wide: bool, no_headers: bool, world: &mut World<'_>) -> Result<()> {
    let further: &[&str] = if wide { &["WILDCARD", "TRIGGERS", "NOTE"] } else { &[] };
    let headings = ["KIND", "GROUPS", "SECRET", "HOSTS"].iter().chain(further).map(|&heading| heading.to_owned());
    let rows: Vec<Vec<Cell>> = kinds.iter().map(|kind| cells(kind, wide)).collect();
    Table::new(headings.collect(), !no_headers, false).write(&rows, world.stdout)?;
    Ok(())
}

fn cells(kind: &Kind, wide: bool) -> Vec<Cell> {
    let or_none = |text: &str| if text.is_empty() { "<none>".to_owned() } else { text.to_owned() };
    let secret_names = match kind.secret_names.as_slice() {
        [first, others @ ..] if !wide && !others.is_empty() => format!("{first} + {} more", others.len()),
        names => names.join(","),
    };
    let mut cells = vec![kind.kind.to_owned(), kind.groups.join(","), secret_names, or_none(&kind.hosts)];
    if wide {
        let wildcard = match kind.wildcard {
            Some(Wildcard::OneLabel) => "one label",
            Some(Wildcard::ManyLabels) => "any depth",
            None => "",
        };
        cells.extend([or_none(wildcard), or_none(&kind.triggers.join(",")), kind.note.to_owned()]);
    }
    cells.into_iter().map(Cell::from).collect()
}
