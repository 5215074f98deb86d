//! `list`: the routing secrets, each with what it covers, when it expires and what is wrong with it.

mod print;
mod watch;

use std::collections::{HashMap, HashSet};
use std::io::Write;

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use rayon::prelude::*;
use serde_json::Value;

use print::{Format, Printer};

use super::{FINE, FOUND, World, render};
use crate::cli::ListArgs;
use crate::cluster::{Batch, Cluster, ClusterError, SECRETS, Selection};
use crate::inventory::cluster::{ApiSecret, TLS_SECRETS, read};
use crate::inventory::listing::Listing;
use crate::output::escape::escape;
use crate::output::path::Path;
use crate::secret::listed::Listed;
use crate::secret::{ObjectName, ROUTING_LABEL, Secret, judge};

pub(super) fn run(args: &ListArgs, world: &mut World<'_>) -> Result<u8> {
    let sources = render::sources(&args.source)?;
    let sort_by = args.sort_by.as_deref().map(Path::parse).transpose().context("--sort-by")?;
    let format = Format::parse(args.output.as_deref())?;
    let colour = super::colour(args.color, world);
    if args.watch && (!args.inventory.is_empty() || sort_by.is_some() || matches!(format, Format::Json | Format::Yaml))
    {
        bail!("--watch goes with a cluster, without --sort-by, and with tables, names and custom columns only");
    }
    let mut printer = Printer::new(format, args, colour, world.now);
    let mut kept = Kept {
        args,
        sort_by,
        sorted: Vec::new(),
        missing: args.names.clone(),
        count: 0,
        known: HashSet::new(),
        shown: HashMap::new(),
    };
    let namespace = if args.inventory.is_empty() {
        let access = args.kube.access()?;
        let session = render::session(&access, world, None)?;
        let cluster = session.cluster();
        let namespace = args.namespace.clone().unwrap_or_else(|| cluster.default_namespace().to_owned());
        let query = Query { args, sources: &sources, now: world.now };
        let mut failed = Ok(());
        let mut each = |rows: Vec<Listed>| {
            failed = kept.take(rows, &mut printer, world.stdout);
            failed.is_ok()
        };
        if args.all_namespaces {
            session.run(query.all(cluster, &mut each))?;
        } else {
            let rows = session.run(query.namespace(cluster, &namespace))?;
            each(rows);
        }
        failed?;
        if args.watch {
            world.stdout.flush()?;
            watch::run(&session, &query, &namespace, &mut kept, &mut printer, world.stdout)?;
        }
        namespace
    } else {
        let namespace = args.namespace.clone().unwrap_or_else(|| "default".to_owned());
        if args.selector.is_some() {
            bail!("-l works on a cluster only: leave it out with --inventory");
        }
        let inventory = render::files(&args.inventory, Some(&namespace), &sources, world.now)?;
        let in_scope = |secret: &&Secret| args.all_namespaces || secret.id.namespace == namespace;
        let rows = inventory.secrets().filter(|secret| secret.routing).filter(in_scope);
        let rows: Vec<Listed> = rows.map(|secret| Listed::new(secret, world.now)).collect();
        kept.take(rows, &mut printer, world.stdout)?;
        namespace
    };
    let sorted = kept.sorted();
    printer.write(&sorted, world.stdout)?;
    printer.end(world.stdout)?;
    world.stdout.flush()?;
    for name in &kept.missing {
        writeln!(world.stderr, "routing-secrets: there is no routing secret \"{}\"", escape(name))?;
    }
    if kept.count == 0 && kept.missing.is_empty() && matches!(printer.format, Format::Table { .. }) {
        let place = if args.all_namespaces { "any namespace".to_owned() } else { format!("namespace {namespace}") };
        writeln!(world.stderr, "No routing secrets found in {}.", escape(&place))?;
    }
    Ok(if kept.missing.is_empty() { FINE } else { FOUND })
}

/// What is read from the cluster.
struct Query<'q> {
    args: &'q ListArgs,
    sources: &'q [ObjectName],
    now: Timestamp,
}

impl Query<'_> {
    fn labels(&self, routing_only: bool) -> Option<String> {
        let own = self.args.selector.clone().filter(|selector| !selector.is_empty());
        match (own, routing_only) {
            (Some(own), true) => Some(format!("{ROUTING_LABEL},{own}")),
            (None, true) => Some(ROUTING_LABEL.to_owned()),
            (own, false) => own,
        }
    }

    /// The Secrets that carry the label and are no TLS Secrets: few, and each a mistake.
    async fn of_other_types(&self, cluster: &Cluster, namespace: Option<&str>) -> Result<Vec<Secret>, ClusterError> {
        let mut others = Vec::new();
        if !self.sources.is_empty() {
            return Ok(others);
        }
        let labels = self.labels(true);
        let selection = Selection { namespace, labels: labels.as_deref(), fields: Some("type!=kubernetes.io/tls") };
        let each = |batch: Batch<ApiSecret>| {
            match batch {
                Batch::Items(items) => others.extend(items.into_iter().map(|item| judge(item.into_raw(), self.now))),
                Batch::Restart => others.clear(),
            }
            true
        };
        cluster.list(SECRETS, selection, each).await?;
        Ok(others)
    }

    async fn namespace(&self, cluster: &Cluster, namespace: &str) -> Result<Vec<Listed>, ClusterError> {
        let others = self.of_other_types(cluster, Some(namespace)).await?;
        let namespaces = std::iter::once(namespace.to_owned()).collect();
        let labels = self.labels(self.args.no_mirrors && self.sources.is_empty());
        let inventory = read(cluster, &namespaces, labels.as_deref(), self.sources, self.now).await?;
        let mut rows: Vec<Listed> = inventory
            .secrets()
            .filter(|secret| secret.routing)
            .chain(&others)
            .map(|secret| Listed::new(secret, self.now))
            .collect();
        rows.sort_by(|a, b| a.metadata.cmp(&b.metadata));
        Ok(rows)
    }

    async fn all(&self, cluster: &Cluster, rows: &mut impl FnMut(Vec<Listed>) -> bool) -> Result<(), ClusterError> {
        let mut others = self.of_other_types(cluster, None).await?.into_iter().peekable();
        let mut listing = Listing::new(self.sources, self.now);
        let labels = self.labels(self.args.no_mirrors && self.sources.is_empty());
        let selection = Selection { labels: labels.as_deref(), fields: Some(TLS_SECRETS), ..Selection::default() };
        let mut goes_on = true;
        let each = |batch: Batch<ApiSecret>| {
            // After a restart the listing passes over what it has had.
            let Batch::Items(items) = batch else { return true };
            let judged: Vec<Secret> = items.into_par_iter().map(|item| judge(item.into_raw(), self.now)).collect();
            for secret in &judged {
                while let Some(other) = others.next_if(|other| Listing::order(&other.id) < Listing::order(&secret.id)) {
                    listing.push(&other);
                }
                listing.push(secret);
            }
            goes_on = rows(listing.ready(false));
            goes_on
        };
        cluster.list(SECRETS, selection, each).await?;
        for other in others {
            listing.push(&other);
        }
        if goes_on {
            rows(listing.ready(true));
        }
        Ok(())
    }
}

/// Which of the rows are printed, and when.
struct Kept<'k> {
    args: &'k ListArgs,
    sort_by: Option<Path>,
    sorted: Vec<Listed>,
    missing: Vec<String>,
    count: usize,
    /// The routing secrets, and the sources of those that are mirrors.
    known: HashSet<ObjectName>,
    /// What was printed, when more is to come.
    shown: HashMap<ObjectName, String>,
}

impl Kept<'_> {
    fn take(&mut self, mut rows: Vec<Listed>, printer: &mut Printer, out: &mut dyn Write) -> Result<()> {
        rows.retain(|row| {
            if self.args.watch {
                self.known.extend([row.metadata.clone()].into_iter().chain(row.origin.of.clone()));
                self.shown.insert(row.metadata.clone(), watch::state(row));
            }
            let is_named = self.args.names.is_empty() || self.args.names.contains(&row.metadata.name);
            is_named && !(self.args.no_mirrors && row.origin.kind != "source")
        });
        self.missing.retain(|name| !rows.iter().any(|row| row.metadata.name == *name));
        self.count += rows.len();
        if self.sort_by.is_some() {
            self.sorted.extend(rows);
            return Ok(());
        }
        printer.write(&rows, out)
    }

    fn sorted(&mut self) -> Vec<Listed> {
        let mut rows = std::mem::take(&mut self.sorted);
        if let Some(path) = &self.sort_by {
            rows.sort_by_cached_key(|row| SortKey::of(path, row));
        }
        rows
    }
}

/// Numbers by size, all else as text; what has no such field comes first, as for kubectl.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum SortKey {
    Nothing,
    Number(i64),
    Text(String),
}

impl SortKey {
    fn of(path: &Path, row: &Listed) -> Self {
        let value = serde_json::to_value(row).unwrap_or_default();
        match path.find(&value).first() {
            None | Some(Value::Null) => Self::Nothing,
            Some(Value::Number(number)) => Self::Number(number.as_i64().unwrap_or_default()),
            Some(Value::String(text)) => Self::Text(text.clone()),
            Some(other) => Self::Text(other.to_string()),
        }
    }
}
