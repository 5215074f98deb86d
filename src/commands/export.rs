//! `export`: the TLS Secrets of a cluster as an Inventory without keys, or what has changed since one was made.

use std::collections::HashSet;
use std::io::Write;

use anyhow::{Result, bail};
use jiff::Timestamp;
use rayon::prelude::*;

use super::{FINE, FOUND, World, render};
use crate::cli::{ExportArgs, ExportOutput};
use crate::cluster::{Batch, Cluster, ClusterError, SECRETS, Selection};
use crate::inventory::cluster::{ApiSecret, TLS_SECRETS, look_up};
use crate::inventory::compare::{Changes, Kind, compare};
use crate::inventory::export::{exported, note_source};
use crate::inventory::file::InventorySecret;
use crate::inventory::listing::Listing;
use crate::inventory::{Inventory, Sources};
use crate::output::escape::{escape, escape_json, escape_lines};
use crate::output::structured::json;
use crate::plan::API_VERSION;
use crate::secret::{ObjectName, Secret};

type Exported = (InventorySecret, Secret);

pub(super) fn run(args: &ExportArgs, world: &mut World<'_>) -> Result<u8> {
    render::check_namespace("namespace", args.namespace.as_deref())?;
    let session = render::session(&args.kube.access()?, world, None)?;
    let cluster = session.cluster();
    let namespace = args.namespace.clone().unwrap_or_else(|| cluster.default_namespace().to_owned());
    if let Some(file) = args.check.as_deref() {
        let mut live = Vec::new();
        session.run(read(cluster, args, &namespace, world.now, &mut |page| {
            live.extend(page);
            true
        }))?;
        let sources = session.run(async { Ok(sources(cluster, args, &namespace, &mut live).await) })?;
        let live: Vec<Secret> = live.into_iter().map(|(_, secret)| secret).collect();
        let live = Inventory::build(live, &sources, world.now);
        let default = (!args.all_namespaces).then_some(namespace.as_str());
        let before = render::files(&[file.to_owned()], default, &[], world.now)?;
        let mut changes = compare(&before, &live);
        let in_scope = |name: &str| args.names.is_empty() || args.names.iter().any(|named| named == name);
        changes.items.retain(|change| {
            (args.all_namespaces || change.secret.namespace == namespace) && in_scope(&change.secret.name)
        });
        return print_changes(&changes, args, world);
    }
    let mut writer = Writer { json: args.output == Some(ExportOutput::Json), count: 0 };
    let mut missing = args.names.clone();
    // Of a whole cluster every source is in the Inventory itself, so nothing has to wait.
    if args.all_namespaces && args.selector.is_none() && args.names.is_empty() {
        let mut failed = Ok(());
        session.run(read(cluster, args, &namespace, world.now, &mut |page| {
            failed = page.iter().try_for_each(|(secret, _)| writer.write(secret, world.stdout));
            failed.is_ok()
        }))?;
        failed?;
    } else {
        let mut secrets = Vec::new();
        session.run(read(cluster, args, &namespace, world.now, &mut |page| {
            secrets.extend(page);
            true
        }))?;
        let sources = session.run(async { Ok(sources(cluster, args, &namespace, &mut secrets).await) })?;
        for (secret, judged) in &secrets {
            missing.retain(|name| *name != secret.name);
            let why =
                judged.mirrored().filter(|_| !judged.routing).and_then(|of| Some((of, sources.unreadable.get(of)?)));
            if let Some((of, why)) = why {
                writeln!(
                    world.stderr,
                    "routing-secrets: whether {} is a routing secret is not known, because its source {of} could not be read ({}); use it with --source {of} if it is one",
                    judged.id,
                    escape(why)
                )?;
            }
            writer.write(secret, world.stdout)?;
        }
    }
    writer.end(world.stdout)?;
    world.stdout.flush()?;
    for name in &missing {
        writeln!(world.stderr, "routing-secrets: there is no TLS Secret \"{}\"", escape(name))?;
    }
    Ok(if missing.is_empty() { FINE } else { FOUND })
}

/// Reads page by page, in the API server's order; after a restart what has been is passed over.
async fn read(
    cluster: &Cluster,
    args: &ExportArgs,
    namespace: &str,
    now: Timestamp,
    each: &mut impl FnMut(Vec<Exported>) -> bool,
) -> Result<(), ClusterError> {
    let labels = args.selector.as_deref().filter(|selector| !selector.is_empty());
    let namespace = (!args.all_namespaces).then_some(namespace);
    let selection = Selection { namespace, labels, fields: Some(TLS_SECRETS) };
    let mut last: Option<String> = None;
    let of_page = |batch: Batch<ApiSecret>| {
        let Batch::Items(items) = batch else { return true };
        let mut page: Vec<Exported> = items.into_par_iter().map(|item| exported(item.into_raw(), now)).collect();
        page.retain(|(_, secret)| {
            let at = Listing::order(&secret.id);
            let is_new = last.as_ref().is_none_or(|last| at > *last);
            if is_new {
                last = Some(at);
            }
            is_new && (args.names.is_empty() || args.names.contains(&secret.id.name))
        });
        each(page)
    };
    cluster.list(SECRETS, selection, of_page).await?;
    Ok(())
}

/// Looks up the sources that are not in the Inventory, and notes those that are routing secrets.
async fn sources(cluster: &Cluster, args: &ExportArgs, namespace: &str, secrets: &mut [Exported]) -> Sources {
    let mut sources = Sources::default();
    let is_whole = args.selector.is_none() && args.names.is_empty();
    let judged: Vec<Secret> = secrets.iter().map(|(_, secret)| secret.clone()).collect();
    let known: HashSet<ObjectName> = judged.iter().map(|secret| secret.id.clone()).collect();
    let is_known =
        |of: &ObjectName| known.contains(of) || (is_whole && (args.all_namespaces || of.namespace == namespace));
    look_up(cluster, &judged, is_known, &mut sources).await;
    for (exported, secret) in secrets {
        if let Some(version) = secret.mirrored().and_then(|of| sources.labelled.get(of)) {
            note_source(exported, version);
        }
    }
    sources
}

fn print_changes(changes: &Changes, args: &ExportArgs, world: &mut World<'_>) -> Result<u8> {
    if args.output == Some(ExportOutput::Json) {
        world.stdout.write_all(json(changes)?.as_bytes())?;
    } else {
        for change in &changes.items {
            let word = match change.change {
                Kind::Added => "added",
                Kind::Removed => "removed",
                Kind::Changed => "changed",
            };
            let differences = match change.differences.as_slice() {
                [] => String::new(),
                all => format!(": {}", all.join("; ")),
            };
            writeln!(world.stdout, "{word:<8} {}{differences}", change.secret)?;
        }
    }
    world.stdout.flush()?;
    Ok(if changes.items.is_empty() { FINE } else { FOUND })
}

/// Writes an Inventory Secret by Secret.
struct Writer {
    json: bool,
    count: usize,
}

impl Writer {
    fn write(&mut self, secret: &InventorySecret, out: &mut dyn Write) -> Result<()> {
        if secret.certificate.contains("PRIVATE KEY") {
            bail!("internal error: a key was about to be exported; please report it");
        }
        self.count += 1;
        if self.json {
            let start =
                format!("{{\n  \"apiVersion\": \"{API_VERSION}\",\n  \"kind\": \"Inventory\",\n  \"secrets\": [\n");
            out.write_all(if self.count == 1 { start } else { ",\n".to_owned() }.as_bytes())?;
            let text = serde_json::to_string_pretty(secret)?;
            let lines: Vec<String> = escape_json(&text).lines().map(|line| format!("    {line}")).collect();
            out.write_all(lines.join("\n").as_bytes())?;
            return Ok(());
        }
        if self.count == 1 {
            writeln!(out, "apiVersion: {API_VERSION}\nkind: Inventory\nsecrets:")?;
        }
        let yaml = serde_saphyr::to_string(secret)?;
        if escape_lines(&yaml) != yaml {
            writeln!(out, "- {}", escape_json(&serde_json::to_string(secret)?))?;
            return Ok(());
        }
        for (at, line) in yaml.lines().enumerate() {
            writeln!(out, "{}{line}", if at == 0 { "- " } else { "  " })?;
        }
        Ok(())
    }

    fn end(&self, out: &mut dyn Write) -> Result<()> {
        match (self.json, self.count) {
            (true, 0) => writeln!(
                out,
                "{{\n  \"apiVersion\": \"{API_VERSION}\",\n  \"kind\": \"Inventory\",\n  \"secrets\": []\n}}"
            )?,
            (true, _) => out.write_all(b"\n  ]\n}\n")?,
            (false, 0) => writeln!(out, "apiVersion: {API_VERSION}\nkind: Inventory\nsecrets: []")?,
            (false, _) => {}
        }
        Ok(())
    }
}
