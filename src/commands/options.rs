//! Options from the environment, since users of Helm cannot always pass arguments: every option
//! as `ROUTING_SECRETS_<OPTION>`, lists in the platform's path-list form.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;

use crate::cli::{DecisionArgs, KubeArgs, PlanArgs, PostRenderArgs};
use crate::helm::arguments::Token;

const PREFIX: &str = "ROUTING_SECRETS_";

/// Every option that the environment may hold.
const KNOWN: [&str; 29] = [
    "ALL_SLOTS",
    "AS",
    "AS_GROUP",
    "AS_UID",
    "CACHE_DIR",
    "CANDIDATES",
    "CERTIFICATE_AUTHORITY",
    "CHUNK_SIZE",
    "CLUSTER",
    "CONTEXT",
    "EXIT_CODE",
    "FILENAME",
    "INSECURE_SKIP_TLS_VERIFY",
    "INVENTORY",
    "KEEP_CERTIFICATES",
    "KEEP_SECRET",
    "KUBECONFIG",
    "NAMESPACE",
    "ON_ERROR",
    "OUTPUT",
    "REPORT",
    "REQUEST_TIMEOUT",
    "REQUIRE",
    "SERVER",
    "SOURCE",
    "TLS_SERVER_NAME",
    "TOKEN",
    "TRIGGER",
    "USER",
];

/// The options of the environment.
pub(super) struct Environment<'e> {
    values: BTreeMap<&'e str, &'e OsStr>,
}

impl<'e> Environment<'e> {
    /// # Errors
    /// When a name starts like ours and is none of ours: most likely a misspelt one.
    pub(super) fn read(env: &'e BTreeMap<OsString, OsString>) -> Result<Self> {
        let mut values = BTreeMap::new();
        for (name, value) in env {
            let Some(option) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
            // The tests' and CI's own names.
            if matches!(option, "CORPUS" | "CACHE") {
                continue;
            }
            if !KNOWN.contains(&option) {
                bail!("{PREFIX}{option} is no option; there are {PREFIX}{{{}}}", KNOWN.join(","));
            }
            if !value.is_empty() {
                values.insert(option, value.as_os_str());
            }
        }
        Ok(Self { values })
    }

    fn text(&self, option: &str) -> Result<Option<String>> {
        let Some(value) = self.values.get(option) else { return Ok(None) };
        Ok(Some(value.to_str().with_context(|| format!("{PREFIX}{option} is not UTF-8"))?.to_owned()))
    }

    fn fill<T>(&self, option: &str, target: &mut Option<T>, read: impl Fn(&str) -> Result<T, String>) -> Result<()> {
        if target.is_none()
            && let Some(text) = self.text(option)?
        {
            let value = read(&text).map_err(|error| anyhow::anyhow!("{PREFIX}{option}: {error}"))?;
            *target = Some(value);
        }
        Ok(())
    }

    fn fill_list(&self, option: &str, target: &mut Vec<String>) -> Result<()> {
        if target.is_empty() {
            let paths = self.values.get(option).map(std::env::split_paths).into_iter().flatten();
            for path in paths {
                let text = path.to_str().with_context(|| format!("{PREFIX}{option} is not UTF-8"))?;
                target.push(text.to_owned());
            }
        }
        Ok(())
    }

    fn fill_flag(&self, option: &str, target: &mut bool) -> Result<()> {
        match self.text(option)?.as_deref() {
            Some("true" | "1") => *target = true,
            None | Some("false" | "0") => {}
            Some(_) => bail!("{PREFIX}{option} must be true or false"),
        }
        Ok(())
    }

    fn fill_decision(&self, args: &mut DecisionArgs) -> Result<()> {
        self.fill("NAMESPACE", &mut args.namespace, |text| Ok(text.to_owned()))?;
        if args.inventory.is_empty() {
            let paths = self.values.get("INVENTORY").map(std::env::split_paths);
            args.inventory.extend(paths.into_iter().flatten());
        }
        self.fill_list("SOURCE", &mut args.source)?;
        self.fill_list("TRIGGER", &mut args.trigger)?;
        self.fill_list("KEEP_SECRET", &mut args.keep_secret)?;
        self.fill_flag("KEEP_CERTIFICATES", &mut args.keep_certificates)?;
        self.fill_flag("ALL_SLOTS", &mut args.all_slots)?;
        self.fill("REQUIRE", &mut args.require, |text| ValueEnum::from_str(text, false))?;
        self.fill("REPORT", &mut args.report, |text| Ok(PathBuf::from(text)))?;
        self.fill_kube(&mut args.kube)
    }

    fn fill_kube(&self, args: &mut KubeArgs) -> Result<()> {
        for (option, target) in [
            ("KUBECONFIG", &mut args.kubeconfig),
            ("CONTEXT", &mut args.context),
            ("CLUSTER", &mut args.cluster),
            ("USER", &mut args.user),
            ("SERVER", &mut args.server),
            ("AS", &mut args.as_user),
            ("AS_UID", &mut args.as_uid),
            ("CERTIFICATE_AUTHORITY", &mut args.certificate_authority),
            ("TLS_SERVER_NAME", &mut args.tls_server_name),
            ("REQUEST_TIMEOUT", &mut args.request_timeout),
            ("CACHE_DIR", &mut args.cache_dir),
        ] {
            self.fill(option, target, |text| Ok(text.to_owned()))?;
        }
        self.fill_list("AS_GROUP", &mut args.as_groups)?;
        self.fill("TOKEN", &mut args.token, |text| Ok(Token(text.to_owned())))?;
        self.fill("CHUNK_SIZE", &mut args.chunk_size, |text| text.parse().map_err(|_| "is no number".to_owned()))?;
        let truth = |text: &str| text.parse().map_err(|_| "must be true or false".to_owned());
        self.fill("INSECURE_SKIP_TLS_VERIFY", &mut args.insecure_skip_tls_verify, truth)
    }

    /// Fills what the command line leaves open.
    pub(super) fn fill_post_render(&self, args: &mut PostRenderArgs) -> Result<()> {
        self.fill_decision(&mut args.decision)?;
        self.fill("ON_ERROR", &mut args.on_error, |text| ValueEnum::from_str(text, false))
    }

    /// Fills what the command line leaves open.
    pub(super) fn fill_plan(&self, args: &mut PlanArgs) -> Result<()> {
        self.fill_decision(&mut args.decision)?;
        self.fill("FILENAME", &mut args.filename, |text| Ok(PathBuf::from(text)))?;
        self.fill("OUTPUT", &mut args.output, |text| ValueEnum::from_str(text, false))?;
        self.fill_flag("CANDIDATES", &mut args.candidates)?;
        self.fill_flag("EXIT_CODE", &mut args.exit_code)
    }
}
