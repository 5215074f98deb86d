//! What `post-render` and `plan` share: from manifests and options to a plan.

use anyhow::{Result, anyhow, bail};
use jiff::Timestamp;

use crate::cli::{DecisionArgs, Require};
use crate::inventory::{Inventory, file};
use crate::manifest::Manifest;
use crate::output::escape::escape;
use crate::plan::{self, Live, Planned, Settings};
use crate::report;
use crate::secret::ObjectName;

/// Why there is no plan: an inventory that cannot be read may be passed over (`--on-error`).
pub(super) enum Failure {
    /// The routing secrets could not be read.
    Inventory(anyhow::Error),
    /// Anything else.
    Other(anyhow::Error),
}

impl From<Failure> for anyhow::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Inventory(error) | Failure::Other(error) => error,
        }
    }
}

/// The options that decisions depend on, checked.
pub(super) fn settings(args: &DecisionArgs, candidates: bool) -> Result<Settings> {
    if let Some(namespace) = &args.namespace
        && ObjectName::parse(&format!("{namespace}/a")).is_none()
    {
        bail!("--namespace \"{}\" is no name of a namespace", escape(namespace));
    }
    let source = |text: &String| {
        ObjectName::parse(text).ok_or_else(|| anyhow!("--source \"{}\" is not NAMESPACE/NAME", escape(text)))
    };
    Ok(Settings {
        namespace: args.namespace.clone(),
        triggers: args.trigger.clone(),
        keep_secrets: args.keep_secret.clone(),
        keep_certificates: args.keep_certificates,
        all_slots: args.all_slots,
        sources: args.source.iter().map(source).collect::<Result<_>>()?,
        candidates,
    })
}

/// Plans the render; secrets are read only when it has a slot.
pub(super) fn plan(
    manifest: &Manifest<'_>,
    args: &DecisionArgs,
    settings: &Settings,
    now: Timestamp,
) -> Result<Planned, Failure> {
    let namespaces = plan::build::namespaces(manifest, settings).map_err(|error| Failure::Other(error.into()))?;
    let inventory = if namespaces.is_empty() {
        Inventory::default()
    } else {
        inventory(args, settings, now).map_err(Failure::Inventory)?
    };
    plan::plan(manifest, &inventory, &Live::NotKnown, settings).map_err(|error| Failure::Other(error.into()))
}

fn inventory(args: &DecisionArgs, settings: &Settings, now: Timestamp) -> Result<Inventory> {
    if args.inventory.is_empty() {
        bail!(
            "the routing secrets must be given with --inventory PATH (or ROUTING_SECRETS_INVENTORY): \
             this version does not read them from a cluster"
        );
    }
    let mut secrets = Vec::new();
    for path in &args.inventory {
        secrets.extend(file::load(path, settings.namespace.as_deref())?);
    }
    Ok(Inventory::build(secrets, &settings.sources, now)?)
}

/// # Errors
/// When fewer slots are served by routing secrets than `--require` asks for.
pub(super) fn require(planned: &Planned, require: Option<Require>) -> Result<()> {
    let summary = &planned.plan.summary;
    let served = summary.rewritten + summary.kept;
    let is_met = match require {
        None => true,
        Some(Require::Any) => served > 0,
        Some(Require::All) => summary.left == 0,
    };
    if !is_met {
        let asked = if require == Some(Require::Any) { "any" } else { "all" };
        bail!("--require {asked} is not met: {}", report::text(&planned.plan, false).trim_end().replace('\n', "; "));
    }
    Ok(())
}
