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

use flags::{GLOBAL_SWITCHES, Kind, Known, kind, long_name};

mod flags;
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
    /// `--post-renderer` is given.
    pub post_renderer: bool,
    /// `--dry-run` is given, and is not a word for none.
    pub dry_run: bool,
    /// Some values are read from standard input.
    pub values_from_stdin: bool,
    /// `--help` is given.
    pub help: bool,
}

/// A line of `helm routing-secrets`: helm's, and our own `--diff` where a flag can stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// What helm will read.
    pub line: HelmLine,
    /// `--diff` is given.
    pub diff: bool,
    /// Where ours stand.
    ours: Vec<usize>,
    /// Where the flags end: at a `--`, or with the line.
    end: usize,
}

/// Why a helm command line cannot be read. Flags are named, values never.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// A flag of another version of Helm: whether it takes a value is not known.
    #[error(
        "helm's command line has the flag {0}, which is not known here, so it is not clear where its value ends; leave it out, or take a version of routing-secrets that knows this helm"
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
    match wrapped(arguments)? {
        Some(wrapped) if wrapped.diff => Err(LineError::Unknown(DIFF.to_owned())),
        wrapped => Ok(wrapped.map(|wrapped| wrapped.line)),
    }
}

/// Our own flag on a line of `helm routing-secrets`.
const DIFF: &str = "--diff";

/// Reads the arguments after `helm routing-secrets`; `None` when they are no command that renders.
pub fn wrapped<S: AsRef<str>>(arguments: &[S]) -> Result<Option<Wrapped>, LineError> {
    let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
    let Some((subcommand, at)) = subcommand(&arguments) else {
        return Ok(None);
    };
    let mut rest = arguments.clone();
    rest.remove(at);
    let mut line = HelmLine::new(subcommand);
    // The reading of `newRootCmd`, of the whole line; Helm ignores its errors.
    let _ = parse(&arguments, &mut line, Known::Globals);
    let Marks { ours, end } = parse(&rest, &mut line, Known::All)?;
    let of_all = |position: usize| if position < at { position } else { position + 1 };
    let ours: Vec<usize> = ours.into_iter().map(of_all).collect();
    Ok(Some(Wrapped { line, diff: !ours.is_empty(), ours, end: of_all(end) }))
}

impl Wrapped {
    /// The arguments without ours.
    pub fn arguments<T: Clone>(&self, arguments: &[T]) -> Vec<T> {
        self.with(arguments, &[])
    }

    /// The arguments without ours, and with further flags after all that are there.
    pub fn with<T: Clone>(&self, arguments: &[T], flags: &[T]) -> Vec<T> {
        let (before, after) = arguments.split_at(self.end.min(arguments.len()));
        let before = before.iter().enumerate().filter(|(at, _)| !self.ours.contains(at)).map(|(_, argument)| argument);
        before.chain(flags).chain(after).cloned().collect()
    }
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
            post_renderer: false,
            dry_run: false,
            values_from_stdin: false,
            help: false,
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
            "post-renderer" => self.post_renderer = true,
            // Helm 3's words, and Helm 4's; any other is an error of theirs.
            "dry-run" => self.dry_run = value != "none" && parse_bool(value) != Some(false),
            "values" => self.values_from_stdin |= value.split(',').any(|file| file.trim() == "-"),
            "set-file" => self.values_from_stdin |= value.split(',').any(|pair| pair.trim_end().ends_with("=-")),
            "help" => self.help = boolean(flag, value)?,
            "debug" => {
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

/// cobra's `Command.Find` on the root command: the first word that is no flag and no flag's value, where a flag
/// that is not global is taken to have a value. Gives the word's position, too.
fn subcommand(arguments: &[&str]) -> Option<(Subcommand, usize)> {
    let takes_next = |argument: &str| {
        if argument.contains('=') || argument == DIFF {
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
        return Some((found, at));
    }
    None
}

/// What a reading finds that is not for helm.
struct Marks {
    /// Where our own flags stand.
    ours: Vec<usize>,
    /// Where the flags end.
    end: usize,
}

/// pflag's `FlagSet.Parse`.
fn parse(arguments: &[&str], line: &mut HelmLine, known: Known) -> Result<Marks, LineError> {
    let mut reader = Reader { arguments, at: 0, known };
    let mut ours = Vec::new();
    while let Some(argument) = reader.next() {
        if argument == "--" {
            return Ok(Marks { ours, end: reader.at - 1 });
        }
        // Helm never sees it, so no reading may.
        if argument == DIFF {
            ours.push(reader.at - 1);
        } else if let Some(name) = argument.strip_prefix("--") {
            reader.long(name, line)?;
        } else if let Some(letters) = argument.strip_prefix('-')
            && !letters.is_empty()
        {
            reader.short(letters, line)?;
        }
    }
    Ok(Marks { ours, end: arguments.len() })
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
