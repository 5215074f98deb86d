//! Label selectors as kubectl and the API server read them (apimachinery `pkg/labels/selector.go`).

use std::collections::BTreeSet;

use kube::core::{Expression, Selector};

use crate::output::escape::escape;

/// Why a text is no label selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is no label selector such as team=a,tier in (x,y),!old", escape(.0))]
pub struct SelectorError(pub String);

/// Reads a label selector; nothing selects everything.
///
/// # Errors
/// When the text is none, or compares numbers, which the labels of namespaces have no use for.
pub fn parse(text: &str) -> Result<Selector, SelectorError> {
    if text.trim().is_empty() {
        return Ok(Selector::default());
    }
    let wrong = || SelectorError(text.to_owned());
    requirements(text).into_iter().map(|requirement| expression(requirement.trim()).ok_or_else(wrong)).collect()
}

/// The text cut at its commas, those in parentheses aside.
fn requirements(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn expression(text: &str) -> Option<Expression> {
    let key = |text: &str| Some(text.trim()).filter(|key| is_key(key)).map(str::to_owned);
    let value = |text: &str| Some(text.trim()).filter(|value| is_value(value)).map(str::to_owned);
    if let Some(absent) = text.strip_prefix('!') {
        return Some(Expression::DoesNotExist(key(absent)?));
    }
    if let Some((name, other)) = text.split_once("!=") {
        return Some(Expression::NotEqual(key(name)?, value(other)?));
    }
    if let Some((name, other)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return Some(Expression::Equal(key(name)?, value(other)?));
    }
    let Some((name, rest)) = text.split_once(char::is_whitespace) else { return Some(Expression::Exists(key(text)?)) };
    let (operator, list) = rest.split_once('(')?;
    let list = list.strip_suffix(')')?.split(',').map(value).collect::<Option<BTreeSet<String>>>()?;
    match operator.trim() {
        "in" => Some(Expression::In(key(name)?, list)),
        "notin" => Some(Expression::NotIn(key(name)?, list)),
        _ => None,
    }
}

/// Whether the text is a label's key: a name, with a DNS name and a slash before it or without.
fn is_key(text: &str) -> bool {
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let is_prefix = |prefix: &str| {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
        !prefix.is_empty() && prefix.len() <= 253 && prefix.bytes().all(is_inner)
    };
    !name.is_empty() && is_value(name) && prefix.is_none_or(is_prefix)
}

/// Whether the text can be a label's value.
fn is_value(text: &str) -> bool {
    let is_outer = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let bytes = text.as_bytes();
    text.len() <= 63 && text.bytes().all(is_inner) && is_outer(bytes.first()) && is_outer(bytes.last())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kube::core::SelectorExt as _;

    use super::*;

    #[test]
    fn selectors_are_read_as_the_api_server_reads_them() {
        let labels: BTreeMap<String, String> =
            [("team", "a"), ("example.com/tier", "x"), ("empty", "")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        for (text, expected) in [
            ("", Some(true)),
            ("team=a", Some(true)),
            ("team == a , empty=", Some(true)),
            ("team!=a", Some(false)),
            ("other!=a", Some(true)),
            ("team", Some(true)),
            ("!team", Some(false)),
            ("example.com/tier in (x, y),team", Some(true)),
            ("example.com/tier notin (x,y)", Some(false)),
            ("team in (b)", Some(false)),
            ("team>1", None),
            ("team in x", None),
            ("team,", None),
            ("te am=a", None),
            ("team=a b", None),
            ("-team=a", None),
            ("/x=a", None),
        ] {
            assert_eq!(parse(text).ok().map(|selector| selector.matches(&labels)), expected, "{text}");
        }
    }
}
