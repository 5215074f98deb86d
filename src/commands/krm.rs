//! `krm`: the filter as a KRM function. A `ResourceList` in, the same with `results` out (kustomize
//! `cmd/config/docs/api-conventions/functions-spec.md`).

use std::ffi::OsString;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

use super::render::{self, Failure};
use super::{FINE, World, options};
use crate::cli::{Cli, Command};
use crate::helm::release::KubeAccess;
use crate::manifest::Manifest;
use crate::output::escape::escape;
use crate::plan::apply::whole;
use crate::plan::build::literals;
use crate::report::krm::{append_results, results};

pub(super) fn run(arguments: &[OsString], world: &mut World<'_>) -> Result<u8> {
    let mut input = Vec::new();
    world.stdin.read_to_end(&mut input).context("failed to read the ResourceList from standard input")?;
    let spec = configuration(&input)?;
    let Command::Krm(args) = configured(arguments, &spec, world)?.command else { bail!("this is no KRM function") };
    let settings = render::settings(&args.decision, true, false)?;
    let manifest = Manifest::read(&input, &literals())?;
    let planned = render::plan(&manifest, &args.decision, &settings, &KubeAccess::default(), world);
    let planned = planned.map_err(|failure| match failure {
        Failure::Other(error) if settings.namespace.is_none() => {
            error.context("the function's configuration gives no spec.namespace")
        }
        Failure::Inventory(error) | Failure::Other(error) => error,
    })?;
    render::require(&planned, args.decision.require)?;
    let plan = planned.plan.as_ref().context("the plan was not made")?;
    if let Some(path) = &args.decision.report {
        super::post_render::write_report(path, plan)?;
    }
    let text = whole(&manifest, &planned.changes)?;
    let text = String::from_utf8(text).context("the ResourceList is not UTF-8")?;
    world.stdout.write_all(append_results(&text, &results(plan))?.as_bytes())?;
    world.stdout.flush()?;
    Ok(FINE)
}

/// The `spec` of the function's configuration; nothing for a ConfigMap without `data`.
fn configuration(input: &[u8]) -> Result<Map<String, Value>> {
    let text = std::str::from_utf8(input).context("the ResourceList is not UTF-8")?;
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
        budget: None,
    };
    let list: Value = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| anyhow::anyhow!("standard input is not one YAML document: {}", escape(&error.to_string())))?;
    let field = |key: &str| list.get(key).and_then(Value::as_str).unwrap_or_default();
    if field("kind") != "ResourceList" || !field("apiVersion").starts_with("config.kubernetes.io/") {
        bail!("standard input is no ResourceList of config.kubernetes.io: run this by kustomize, or use post-render");
    }
    let config = list.get("functionConfig");
    let is_config_map = config.and_then(|config| config.get("kind")).and_then(Value::as_str) == Some("ConfigMap");
    let spec = config.and_then(|config| config.get(if is_config_map { "data" } else { "spec" }));
    match spec {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(spec)) => Ok(spec.clone()),
        Some(_) => bail!("the function's configuration has a spec that is no mapping"),
    }
}

/// The command line with the configuration's options in front of its own, so that its own win.
fn configured(arguments: &[OsString], spec: &Map<String, Value>, world: &World<'_>) -> Result<Cli> {
    let mut all: Vec<OsString> = arguments.iter().take(2).cloned().collect();
    for (key, value) in spec {
        all.extend(options::of_configuration("krm", key, value)?);
    }
    all.extend(arguments.iter().skip(2).cloned());
    options::parse(&all, &world.env)?
        .map_err(|error| anyhow::anyhow!("the function's configuration: {}", options::first_line(&error)))
}
