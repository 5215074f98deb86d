//! How `list` prints: tables, JSON, YAML, names, columns.

use std::io::{self, Write};

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;

use crate::cli::ListArgs;
use crate::output::cell::{expiry, names};
use crate::output::escape::{escape, escape_json, escape_lines};
use crate::output::path::Path;
use crate::output::table::{Cell, Table, Urgency};
use crate::plan::API_VERSION;
use crate::secret::listed::{Listed, ListedReason};

/// `--output`.
pub(super) enum Format {
    Table { wide: bool },
    Json,
    Yaml,
    Name,
    Columns(Vec<(String, Path)>),
}

impl Format {
    pub(super) fn parse(text: Option<&str>) -> Result<Self> {
        Ok(match text {
            None => Self::Table { wide: false },
            Some("wide") => Self::Table { wide: true },
            Some("json") => Self::Json,
            Some("yaml") => Self::Yaml,
            Some("name") => Self::Name,
            Some(other) => match other.strip_prefix("custom-columns=") {
                Some(columns) => Self::Columns(columns.split(',').map(column).collect::<Result<_>>()?),
                None => bail!(
                    "-o \"{}\" is not known: there are wide, json, yaml, name and custom-columns=HEADING:PATH,…",
                    escape(other)
                ),
            },
        })
    }
}

fn column(text: &str) -> Result<(String, Path)> {
    let (heading, path) =
        text.split_once(':').with_context(|| format!("custom-columns: \"{}\" is not HEADING:PATH", escape(text)))?;
    Ok((escape(heading).into_owned(), Path::parse(path).context("custom-columns")?))
}

pub(super) struct Printer {
    pub(super) format: Format,
    all_namespaces: bool,
    table: Table,
    now: Timestamp,
    count: usize,
}

impl Printer {
    pub(super) fn new(format: Format, args: &ListArgs, colour: bool, now: Timestamp) -> Self {
        let headings: Vec<String> = match &format {
            Format::Table { wide } => {
                let first = args.all_namespaces.then_some("NAMESPACE");
                let last: &[&str] = if *wide { &["CERTIFICATE", "FINGERPRINT"] } else { &[] };
                let all = first.into_iter().chain(["NAME", "HOSTS", "ISSUER", "EXPIRES", "ORIGIN", "STATUS"]);
                all.chain(last.iter().copied()).map(str::to_owned).collect()
            }
            Format::Columns(columns) => columns.iter().map(|(heading, _)| heading.clone()).collect(),
            _ => Vec::new(),
        };
        let table = Table::new(headings, !args.no_headers, colour);
        Self { format, all_namespaces: args.all_namespaces, table, now, count: 0 }
    }

    pub(super) fn write(&mut self, rows: &[Listed], out: &mut dyn Write) -> Result<()> {
        match &self.format {
            Format::Table { wide } => {
                let cells: Vec<Vec<Cell>> =
                    rows.iter().map(|row| cells(row, self.all_namespaces, *wide, self.now)).collect();
                self.table.write(&cells, out)?;
            }
            Format::Columns(columns) => {
                let cells = |row: &Listed| -> Result<Vec<Cell>> {
                    let value = serde_json::to_value(row)?;
                    Ok(columns.iter().map(|(_, path)| escape(&path.text(&value)).into_owned().into()).collect())
                };
                self.table.write(&rows.iter().map(cells).collect::<Result<Vec<_>>>()?, out)?;
            }
            Format::Name => {
                for row in rows {
                    writeln!(out, "secret/{}", escape(&row.metadata.name))?;
                }
            }
            Format::Json => {
                for row in rows {
                    out.write_all(if self.count == 0 { json_start() } else { ",\n".to_owned() }.as_bytes())?;
                    let json = serde_json::to_string_pretty(row)?;
                    let indented: Vec<String> = escape_json(&json).lines().map(|line| format!("    {line}")).collect();
                    out.write_all(indented.join("\n").as_bytes())?;
                    self.count += 1;
                }
            }
            Format::Yaml => {
                for row in rows {
                    if self.count == 0 {
                        writeln!(out, "apiVersion: {}\nkind: {LIST}\nitems:", API_VERSION)?;
                    }
                    // A JSON mapping is YAML, and JSON alone can escape every character.
                    let yaml = serde_saphyr::to_string(row)?;
                    let is_plain = escape_lines(&yaml) == yaml;
                    if is_plain {
                        for (at, line) in yaml.lines().enumerate() {
                            writeln!(out, "{}{line}", if at == 0 { "- " } else { "  " })?;
                        }
                    } else {
                        writeln!(out, "- {}", escape_json(&serde_json::to_string(row)?))?;
                    }
                    self.count += 1;
                }
            }
        }
        Ok(())
    }

    pub(super) fn end(&self, out: &mut dyn Write) -> io::Result<()> {
        match (&self.format, self.count) {
            (Format::Json, 0) => {
                writeln!(
                    out,
                    "{{\n  \"apiVersion\": \"{}\",\n  \"kind\": \"{LIST}\",\n  \"items\": []\n}}",
                    API_VERSION
                )
            }
            (Format::Json, _) => out.write_all(b"\n  ]\n}\n"),
            (Format::Yaml, 0) => writeln!(out, "apiVersion: {}\nkind: {LIST}\nitems: []", API_VERSION),
            _ => Ok(()),
        }
    }
}

/// The kind of what `list -o json` prints.
const LIST: &str = "RoutingSecretList";

fn json_start() -> String {
    format!("{{\n  \"apiVersion\": \"{}\",\n  \"kind\": \"{LIST}\",\n  \"items\": [\n", API_VERSION)
}

fn cells(row: &Listed, all_namespaces: bool, wide: bool, now: Timestamp) -> Vec<Cell> {
    let issuer = row.issuer.as_deref().map_or("<none>", common_name);
    let mut cells: Vec<Cell> = Vec::new();
    if all_namespaces {
        cells.push(escape(&row.metadata.namespace).into_owned().into());
    }
    cells.push(escape(&row.metadata.name).into_owned().into());
    cells.push(names(&row.hosts, wide).into());
    cells.push(escape(issuer).into_owned().into());
    cells.push(expiry(row.not_after, row.expires_soon, now));
    cells.push(origin(row).into());
    cells.push(status(row, wide));
    if wide {
        let certificate =
            row.certificate.as_ref().map(|certificate| format!("{} ({})", certificate.name, certificate.issuer));
        cells.push(escape(&certificate.unwrap_or_else(|| "<none>".to_owned())).into_owned().into());
        cells.push(row.fingerprint.as_deref().map_or("<none>", |text| text.get(..16).unwrap_or(text)).into());
    }
    cells
}

/// The common name of a distinguished name; all of it where it has none.
fn common_name(name: &str) -> &str {
    name.split(", ").find_map(|part| part.strip_prefix("CN=")).unwrap_or(name)
}

fn origin(row: &Listed) -> String {
    match (&row.origin.of, &row.origin.by) {
        (Some(of), _) => format!("mirror of {}/{}", escape(&of.namespace), escape(&of.name)),
        (None, Some(by)) => format!("copy by {by}"),
        (None, None) => row.origin.kind.to_owned(),
    }
}

fn status(row: &Listed, wide: bool) -> Cell {
    let messages = |reasons: &[ListedReason], all: bool| {
        let reasons = reasons.iter().filter(|reason| all || reason.code == "stale");
        reasons.map(|reason| reason.message.clone()).collect::<Vec<_>>().join("; ")
    };
    if !row.usable {
        return Cell { text: format!("not usable: {}", messages(&row.problems, true)), urgency: Urgency::Now };
    }
    let is_stale = row.warnings.iter().any(|warning| warning.code == "stale");
    let mut text = if row.expires_soon { "expires soon" } else { "usable" }.to_owned();
    let warnings = messages(&row.warnings, wide);
    if !warnings.is_empty() {
        text.push_str(&format!(" ({warnings})"));
    }
    Cell { text, urgency: if is_stale || row.expires_soon { Urgency::Soon } else { Urgency::Calm } }
}
