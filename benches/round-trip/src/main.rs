//! Reads a stream of YAML with serde_yaml and writes it again, as a filter that edits values would.

use std::io::{Read as _, Write as _};

use anyhow::{Context as _, Result};
use serde::Deserialize as _;
use serde_yaml::{Deserializer, Value};

fn main() -> Result<()> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text).context("failed to read")?;
    let mut out = std::io::stdout().lock();
    for document in Deserializer::from_str(&text) {
        let value = Value::deserialize(document)?;
        write!(out, "---\n{}", serde_yaml::to_string(&value)?)?;
    }
    Ok(())
}
