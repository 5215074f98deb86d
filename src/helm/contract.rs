//! How Helm wants to be answered.

use granit_parser::{Event, Parser, ScalarStyle};

#[cfg(test)]
mod tests;

/// The name our Helm 4 plugin carries, so that one command line works in both versions.
pub const PLUGIN: &str = "kubectl-routing_secrets";

/// The output for an empty input under Helm: Helm 4 refuses an empty output (`pkg/action/action.go`, "produced empty
/// output") and takes a comment, and so does Helm 3.
pub const EMPTY_OUTPUT: &str = "# routing-secrets: helm rendered no manifests\n";

/// Shown when a message cannot be put safely into a scalar; it is a scalar itself.
const FALLBACK: &str = "|\n  the post-renderer failed, and its message cannot be shown here; run it by hand on the\n  \
    output of helm template to see why\n";

/// Which Helm runs us, if one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// An executable run by Helm 3 (`pkg/postrender/exec.go`).
    Helm3,
    /// A plugin run by Helm 4 (`pkg/postrenderer/postrenderer.go`).
    Helm4,
    /// Not run by Helm.
    None,
}

impl Version {
    /// Helm 4 names the plugin it runs in the environment (`internal/plugin/runtime_subprocess.go`), and marks every
    /// document of the input; plug-ins of Helm 3 get such a name, too, so another name than ours needs the mark.
    /// Helm 3 gives nothing away, so it is whatever else has a helm above it.
    pub fn detect(env: &dyn Fn(&str) -> Option<String>, helm_ancestor: bool, input: &[u8]) -> Version {
        let plugin = env("HELM_PLUGIN_NAME");
        let is_marked = || memchr::memmem::find(input, FILE_NAME_MARK.as_bytes()).is_some();
        if plugin.as_deref() == Some(PLUGIN) || (helm_ancestor && plugin.is_some() && is_marked()) {
            Version::Helm4
        } else if helm_ancestor {
            Version::Helm3
        } else {
            Version::None
        }
    }
}

/// The annotation with which Helm 4 tells which template a document comes from (`pkg/action/action.go`).
const FILE_NAME_MARK: &str = "postrenderer.helm.sh/postrender-filename";

/// The output that makes Helm 4 fail and show the message.
///
/// Helm 4 throws a post-renderer's stderr away, but quotes an output that is no mapping in its own error
/// (`wrong node kind: expected MappingNode but got ScalarNode: node contents:`). So the whole output must be one
/// literal scalar whatever the message holds: one that ended early would be installed.
pub fn failure_scalar(message: &str) -> String {
    let lines: Vec<String> = message.lines().map(escaped).collect();
    let text = lines.join("\n");
    // Blank ends would be chomped, and a first line's blanks would be taken for the indentation.
    let text = text.trim();
    let mut scalar = String::from("|\n");
    for line in text.split('\n') {
        if !line.is_empty() {
            scalar.push_str("  ");
            scalar.push_str(line);
        }
        scalar.push('\n');
    }
    if !text.is_empty() && is_one_literal(&scalar, text) { scalar } else { FALLBACK.to_owned() }
}

/// One line without anything that a YAML reader, Helm's writer or a terminal takes for more than a character.
fn escaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for c in line.chars() {
        if is_plain(c) {
            text.push(c);
        } else {
            text.extend(c.escape_unicode());
        }
    }
    // Blanks at a line's end make Helm's YAML writer change the style.
    text.truncate(text.trim_end().len());
    text
}

fn is_plain(c: char) -> bool {
    !matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        // Line and paragraph separators break lines in YAML 1.1.
        | '\u{2028}' | '\u{2029}'
        // Direction marks, joiners and other invisible ones.
        | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}'
        // Helm's YAML writer leaves the literal style for them.
        | '\u{10000}'..)
}

fn is_one_literal(output: &str, text: &str) -> bool {
    let mut expected = 0;
    for event in Parser::new_from_str(output) {
        let Ok((event, _)) = event else {
            return false;
        };
        let fits = match (expected, &event) {
            (0, Event::StreamStart)
            | (1, Event::DocumentStart(false, _))
            | (3, Event::DocumentEnd)
            | (4, Event::StreamEnd) => true,
            (2, Event::Scalar(value, ScalarStyle::Literal, 0, None)) => value.strip_suffix('\n') == Some(text),
            _ => false,
        };
        if !fits {
            return false;
        }
        expected += 1;
    }
    expected == 5
}
