//! Values for programs, as JSON or YAML without characters that a terminal would obey (R20).

use serde::Serialize;

use super::escape::{escape_json, escape_lines};

/// A value that cannot be written. Of our own types each can.
#[derive(Debug, thiserror::Error)]
#[error("failed to write as {format}: {cause}")]
pub struct StructuredError {
    format: &'static str,
    cause: String,
}

/// The value as indented JSON with a line break at its end.
///
/// # Errors
/// When it cannot be written.
pub fn json(value: &impl Serialize) -> Result<String, StructuredError> {
    let json = serde_json::to_string_pretty(value);
    let json = json.map_err(|error| StructuredError { format: "JSON", cause: error.to_string() })?;
    Ok(escape_json(&json).into_owned() + "\n")
}

/// The value as YAML; where something has to be escaped as JSON, which is YAML, too.
///
/// # Errors
/// When it cannot be written.
pub fn yaml(value: &impl Serialize) -> Result<String, StructuredError> {
    let yaml = serde_saphyr::to_string(value);
    let yaml = yaml.map_err(|error| StructuredError { format: "YAML", cause: error.to_string() })?;
    if escape_lines(&yaml) == yaml { Ok(yaml) } else { json(value) }
}
