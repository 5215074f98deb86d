//! The flags of `helm install`, `upgrade` and `template`, and which of them take a value.

use super::Subcommand;

/// Global flags that take a value: `pkg/cli/environment.go` AddFlags, and klog's (`pkg/cmd/root.go` addKlogFlags).
const GLOBAL_VALUES: &[&str] = &[
    "burst-limit",
    "color",
    "colour",
    "content-cache",
    "kube-apiserver",
    "kube-as-group",
    "kube-as-user",
    "kube-ca-file",
    "kube-context",
    "kube-tls-server-name",
    "kube-token",
    "kubeconfig",
    "log-backtrace-at",
    "log-dir",
    "log-file",
    "log-file-max-size",
    "namespace",
    "qps",
    "registry-config",
    "repository-cache",
    "repository-config",
    "stderrthreshold",
    "v",
    "vmodule",
];

/// Global flags that take a value only after `=`.
pub(super) const GLOBAL_SWITCHES: &[&str] = &[
    "add-dir-header",
    "alsologtostderr",
    "debug",
    "kube-insecure-skip-tls-verify",
    "legacy-stderr-threshold-behavior",
    "logtostderr",
    "one-output",
    "skip-headers",
    "skip-log-headers",
];

/// The subcommands' flags that take a value. Helm has accepted the line, so one list serves all three
/// (`install|upgrade|template --help` of 3.19.0 and 4.3.1).
const VALUES: &[&str] = &[
    "api-versions",
    "ca-file",
    "cert-file",
    "description",
    "history-max",
    "key-file",
    "keyring",
    "kube-version",
    "labels",
    "name-template",
    "output",
    "output-dir",
    "password",
    "post-renderer",
    "post-renderer-args",
    "repo",
    "set",
    "set-file",
    "set-json",
    "set-literal",
    "set-string",
    "show-only",
    "timeout",
    "username",
    "values",
    "version",
];

/// The subcommands' flags that take a value only after `=`.
const SWITCHES: &[&str] = &[
    "atomic",
    "cleanup-on-fail",
    "create-namespace",
    "dependency-update",
    "devel",
    "disable-openapi-validation",
    "dry-run",
    "enable-dns",
    "force",
    "force-conflicts",
    "force-replace",
    "generate-name",
    "help",
    "hide-notes",
    "hide-secret",
    "include-crds",
    "insecure-skip-tls-verify",
    "install",
    "is-upgrade",
    "no-hooks",
    "pass-credentials",
    "plain-http",
    "recreate-pods",
    "release-name",
    "render-subchart-notes",
    "replace",
    "reset-then-reuse-values",
    "reset-values",
    "reuse-values",
    "rollback-on-failure",
    "skip-crds",
    "skip-schema-validation",
    "skip-tests",
    "take-ownership",
    "validate",
    "verify",
    "wait",
    "wait-for-jobs",
];

/// Shorthands; global ones first.
const SHORTHANDS: &[(char, &str)] = &[
    ('n', "namespace"),
    ('v', "v"),
    ('a', "api-versions"),
    ('f', "values"),
    ('g', "generate-name"),
    ('h', "help"),
    ('i', "install"),
    ('l', "labels"),
    ('o', "output"),
    ('s', "show-only"),
];

/// Which flags a reading of the line knows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// The global ones; others are skipped (pflag `ParseErrorsWhitelist.UnknownFlags`).
    Globals,
    /// All of the subcommand's.
    All,
}

/// How a flag takes its value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// In the same or the next argument.
    Value,
    /// Only after `=` (pflag `NoOptDefVal`).
    Switch,
}

/// How a flag takes its value, if it is known.
pub(super) fn kind(name: &str, known: Known, subcommand: Subcommand) -> Option<Kind> {
    if GLOBAL_VALUES.contains(&name) {
        Some(Kind::Value)
    } else if GLOBAL_SWITCHES.contains(&name) {
        Some(Kind::Switch)
    } else if known == Known::Globals {
        None
    } else if name == "server-side" {
        // Helm 4: true/false/auto on upgrade, a switch elsewhere.
        Some(match subcommand {
            Subcommand::Upgrade => Kind::Value,
            Subcommand::Install | Subcommand::Template => Kind::Switch,
        })
    } else if VALUES.contains(&name) {
        Some(Kind::Value)
    } else if SWITCHES.contains(&name) {
        Some(Kind::Switch)
    } else {
        None
    }
}

/// The long name of a shorthand.
pub(super) fn long_name(short: char) -> Option<&'static str> {
    SHORTHANDS.iter().find(|(known, _)| *known == short).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_agree() {
        for (_, name) in SHORTHANDS {
            assert!(kind(name, Known::All, Subcommand::Install).is_some(), "{name}");
        }
        let mut all: Vec<&str> = [GLOBAL_VALUES, GLOBAL_SWITCHES, VALUES, SWITCHES].concat();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count, "a flag is in two tables");
    }
}
