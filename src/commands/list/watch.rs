//! `list --watch`: a row for each routing secret that changes.

use std::collections::HashMap;
use std::io::Write;

use anyhow::Result;

use super::print::Printer;
use super::{Kept, Query};
use crate::cluster::{Change, SECRETS, Selection, Session};
use crate::inventory::cluster::{ApiSecret, TLS_SECRETS};
use crate::secret::listed::Listed;
use crate::secret::{ObjectName, Secret, judge};

/// Prints a row for each change until standard output is closed or the process is ended.
pub(super) fn run(
    session: &Session,
    query: &Query<'_>,
    namespace: &str,
    kept: &mut Kept<'_>,
    printer: &mut Printer,
    out: &mut dyn Write,
) -> Result<()> {
    let labels = query.labels(false);
    let namespace = (!query.args.all_namespaces).then_some(namespace);
    let selection = Selection { namespace, labels: labels.as_deref(), fields: Some(TLS_SECRETS) };
    let mut failed = Ok(());
    // A watch begins with what is there, which has been printed.
    let mut shown: HashMap<ObjectName, String> = std::mem::take(&mut kept.shown);
    let each = |change: Change<ApiSecret>| {
        let (secret, is_deleted) = match change {
            Change::Set(secret) => (secret, false),
            Change::Deleted(secret) => (secret, true),
        };
        let secret = judge(secret.into_raw(), query.now);
        if !is_routing(query, kept, &secret) {
            return true;
        }
        let mut row = Listed::new(&secret, query.now);
        if is_deleted {
            row.mark_deleted();
            shown.remove(&row.metadata);
        } else if shown.insert(row.metadata.clone(), state(&row)).is_some_and(|before| before == state(&row)) {
            return true;
        }
        failed = kept.take(vec![row], printer, out).and_then(|()| Ok(out.flush()?));
        failed.is_ok()
    };
    session.run(session.cluster().watch(SECRETS, selection, each))?;
    failed
}

/// What makes a row another one.
pub(super) fn state(row: &Listed) -> String {
    serde_json::to_string(row).unwrap_or_default()
}

fn is_routing(query: &Query<'_>, kept: &Kept<'_>, secret: &Secret) -> bool {
    if query.sources.is_empty() {
        secret.routing || secret.mirrored().is_some_and(|of| kept.known.contains(of))
    } else {
        query.sources.contains(&secret.id) || secret.mirrored().is_some_and(|of| query.sources.contains(of))
    }
}
