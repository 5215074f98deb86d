//! A helm command line, read as Helm reads it.
//!
//! Helm 3 and 4 read their line three times: cobra looks for the subcommand (`Command.Find`, knowing the global
//! flags only), `newRootCmd` parses the global flags and skips the ones it does not know, and at last the subcommand
//! parses all. What the second reading takes for a flag stays in force unless the third sets it again: with
//! `--post-renderer-args -n --post-renderer-args x` the release goes to the namespace `--post-renderer-args` (seen
//! with 3.19.0 and 4.3.1). So all three are done here.
//!
//! Command lines hold tokens: no error and no `Debug` of this module shows a value.

use std::fmt;

#[cfg(test)]
mod tests;

/// The subcommands that run a post-renderer (Helm `pkg/cmd/{install,upgrade,template}.go`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subcommand {
    /// `helm install`
    Install,
    /// `helm upgrade`
    Upgrade,
    /// `helm template`
    Template,
}

/// A bearer token; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// What a rendering helm command line says; an empty value given is `Some("")`, which overrides the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmLine {
    /// Which command renders.
    pub subcommand: Subcommand,
    /// `-n`, `--namespace`
    pub namespace: Option<String>,
    /// `--kubeconfig`
    pub kubeconfig: Option<String>,
    /// `--kube-context`
    pub context: Option<String>,
    /// `--kube-token`
    pub token: Option<Token>,
    /// `--kube-as-user`
    pub as_user: Option<String>,
    /// `--kube-as-group`, each once.
    pub as_groups: Vec<String>,
    /// `--kube-apiserver`
    pub server: Option<String>,
    /// `--kube-ca-file`
    pub ca_file: Option<String>,
    /// `--kube-tls-server-name`
    pub tls_server_name: Option<String>,
    /// `--kube-insecure-skip-tls-verify`
    pub insecure: Option<bool>,
    /// `--output-dir` is given: Helm 3 has written its files before the post-renderer runs.
    pub output_dir: bool,
    /// `--create-namespace` is given: the namespace need not exist yet.
    pub create_namespace: bool,
}

/// Why a helm command line cannot be read. Flags are named, values never.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// A flag of another version of Helm: whether it takes a value is not known.
    #[error(
        "helm's command line has the flag {0}, which is not known here; pass --namespace to the post-renderer with --post-renderer-args=--namespace=NAMESPACE"
    )]
    Unknown(String),
    /// The line ends where a value is expected.
    #[error("helm's command line ends after the flag {0}, which needs a value; add the value")]
    NoValue(String),
    /// Not one of Go's words for true and false.
    #[error("the flag {0} on helm's command line is neither true nor false; correct it")]
    NotBool(String),
    /// `--=x`, `---x`
    #[error("helm's command line has an argument that starts as a flag and is none; correct it")]
    BadFlag,
}

/// Reads the arguments after the program's name; `None` when they are no command that renders.
pub fn read<S: AsRef<str>>(arguments: &[S]) -> Result<Option<HelmLine>, LineError> {
    let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
    let Some((subcommand, rest)) = subcommand(&arguments) else {
        return Ok(None);
    };
    let mut line = HelmLine::new(subcommand);
    // The reading of `newRootCmd`, of the whole line; Helm ignores its errors.
    let _ = parse(&arguments, &mut line, Known::Globals);
    parse(&rest, &mut line, Known::All)?;
    Ok(Some(line))
}

impl HelmLine {
    /// A line that says nothing but the subcommand.
    pub fn new(subcommand: Subcommand) -> HelmLine {
        HelmLine {
            subcommand,
            namespace: None,
            kubeconfig: None,
            context: None,
            token: None,
            as_user: None,
            as_groups: Vec::new(),
            server: None,
            ca_file: None,
            tls_server_name: None,
            insecure: None,
            output_dir: false,
            create_namespace: false,
        }
    }

    fn set(&mut self, flag: &str, value: &str) -> Result<(), LineError> {
        let text = || Some(value.to_owned());
        match flag {
            "namespace" => self.namespace = text(),
            "kubeconfig" => self.kubeconfig = text(),
            "kube-context" => self.context = text(),
            "kube-token" => self.token = text().map(Token),
            "kube-as-user" => self.as_user = text(),
            // Read twice by Helm, so said twice; a group counts once.
            "kube-as-group" if self.as_groups.iter().any(|group| group == value) => {}
            "kube-as-group" => self.as_groups.push(value.to_owned()),
            "kube-apiserver" => self.server = text(),
            "kube-ca-file" => self.ca_file = text(),
            "kube-tls-server-name" => self.tls_server_name = text(),
            "output-dir" => self.output_dir = !value.is_empty(),
            "kube-insecure-skip-tls-verify" => self.insecure = Some(boolean(flag, value)?),
            "create-namespace" => self.create_namespace = boolean(flag, value)?,
            "debug" | "help" => {
                boolean(flag, value)?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Go's `strconv.ParseBool`.
pub(crate) fn parse_bool(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn boolean(flag: &str, value: &str) -> Result<bool, LineError> {
    parse_bool(value).ok_or_else(|| LineError::NotBool(format!("--{flag}")))
}

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
const GLOBAL_SWITCHES: &[&str] = &[
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
enum Known {
    /// The global ones; others are skipped (pflag `ParseErrorsWhitelist.UnknownFlags`).
    Globals,
    All,
}

/// How a flag takes its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// In the same or the next argument.
    Value,
    /// Only after `=` (pflag `NoOptDefVal`).
    Switch,
}

fn kind(name: &str, known: Known, subcommand: Subcommand) -> Option<Kind> {
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

fn long_name(short: char) -> Option<&'static str> {
    SHORTHANDS.iter().find(|(known, _)| *known == short).map(|(_, name)| *name)
}

/// cobra's `Command.Find` on the root command: the first word that is no flag and no flag's value, where a flag
/// that is not global is taken to have a value. Gives the line without that word.
fn subcommand<'a>(arguments: &[&'a str]) -> Option<(Subcommand, Vec<&'a str>)> {
    let takes_next = |argument: &str| {
        if argument.contains('=') {
            return false;
        }
        let name = match argument.strip_prefix("--") {
            Some(name) => Some(name),
            None => match argument.as_bytes() {
                [_, letter] => long_name(char::from(*letter)),
                _ => return false,
            },
        };
        // `help` is global by cobra's own hand.
        !name.is_some_and(|name| name == "help" || GLOBAL_SWITCHES.contains(&name))
    };
    let mut at = 0;
    while let Some(argument) = arguments.get(at) {
        if *argument == "--" {
            return None;
        }
        if argument.starts_with('-') {
            at += if takes_next(argument) { 2 } else { 1 };
            continue;
        }
        if argument.is_empty() {
            at += 1;
            continue;
        }
        let found = match *argument {
            "install" => Subcommand::Install,
            "upgrade" => Subcommand::Upgrade,
            "template" => Subcommand::Template,
            _ => return None,
        };
        let mut rest = arguments.to_vec();
        rest.remove(at);
        return Some((found, rest));
    }
    None
}

/// pflag's `FlagSet.Parse`.
fn parse(arguments: &[&str], line: &mut HelmLine, known: Known) -> Result<(), LineError> {
    let mut reader = Reader { arguments, at: 0, known };
    while let Some(argument) = reader.next() {
        if argument == "--" {
            break;
        }
        if let Some(name) = argument.strip_prefix("--") {
            reader.long(name, line)?;
        } else if let Some(letters) = argument.strip_prefix('-')
            && !letters.is_empty()
        {
            reader.short(letters, line)?;
        }
    }
    Ok(())
}

struct Reader<'a> {
    arguments: &'a [&'a str],
    at: usize,
    known: Known,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let next = self.arguments.get(self.at).copied();
        self.at += 1;
        next
    }

    /// pflag's `stripUnknownFlagValue`: what follows an unknown flag is its value unless it starts with `-`.
    fn skip_value(&mut self) {
        if self.arguments.get(self.at).is_some_and(|next| !next.starts_with('-')) {
            self.at += 1;
        }
    }

    fn long(&mut self, text: &str, line: &mut HelmLine) -> Result<(), LineError> {
        if text.starts_with(['-', '=']) {
            return Err(LineError::BadFlag);
        }
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let Some(kind) = kind(name, self.known, line.subcommand) else {
            // pflag ends at an undefined --help even where it skips what it does not know.
            if self.known == Known::All || name == "help" {
                return Err(LineError::Unknown(shown(&format!("--{name}"))));
            }
            if value.is_none() {
                self.skip_value();
            }
            return Ok(());
        };
        let value = match (value, kind) {
            (Some(value), _) => value,
            (None, Kind::Switch) => "true",
            (None, Kind::Value) => self.next().ok_or_else(|| LineError::NoValue(format!("--{name}")))?,
        };
        line.set(name, value)
    }

    /// A cluster such as `-in` or `-nx`.
    fn short(&mut self, letters: &str, line: &mut HelmLine) -> Result<(), LineError> {
        let mut rest = letters.chars();
        let after = self.at;
        while let Some(letter) = rest.next() {
            // pflag's parseShortArg: each letter begins at the same next argument, so the last one decides.
            self.at = after;
            let tail = rest.as_str();
            let value = tail.strip_prefix('=').filter(|value| !value.is_empty());
            let found = long_name(letter).and_then(|name| Some((name, kind(name, self.known, line.subcommand)?)));
            let Some((name, kind)) = found else {
                if self.known == Known::All || letter == 'h' {
                    // Only the letter: what follows may be a value.
                    return Err(LineError::Unknown(shown(&format!("-{letter}"))));
                }
                if value.is_some() {
                    return Ok(());
                }
                self.skip_value();
                continue;
            };
            if let Some(value) = value {
                return line.set(name, value);
            }
            match kind {
                Kind::Switch => line.set(name, "true")?,
                Kind::Value if !tail.is_empty() => return line.set(name, tail),
                Kind::Value => {
                    let value = self.next().ok_or_else(|| LineError::NoValue(format!("-{letter}")))?;
                    return line.set(name, value);
                }
            }
        }
        Ok(())
    }
}

/// A flag's name if it looks like one; anything else may be a value gone astray.
fn shown(flag: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c == '-';
    if flag.len() <= 40 && flag.chars().all(plain) { flag.to_owned() } else { "(its name is not shown)".to_owned() }
}
