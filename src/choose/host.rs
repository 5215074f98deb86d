//! Host names as consumers write them, normalised for comparison only.

use std::fmt;
use std::net::IpAddr;

use crate::output::escape::escape;

/// The longest host name that DNS can carry, in bytes without the trailing dot (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 253;
/// The longest label, in bytes (RFC 1035 section 2.3.4).
const MAX_LABEL: usize = 63;
/// Longer input is refused unread: IDNA needs at most four UTF-8 bytes and a trailing dot for each byte of the result.
const MAX_INPUT: usize = 4 * (MAX_NAME + 1);

/// A host name in the form in which hosts and certificates are compared (R2): lower case, A-labels, no trailing dot.
/// It may be a wildcard `*.rest`. Never written back to a manifest.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName {
    text: String,
    /// Byte offset of the first dot; the text's length where there is none.
    first_dot: usize,
}

/// Why a text is no host name that a certificate could cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum HostError {
    /// Nothing but blanks.
    #[error("the host name is empty")]
    Empty,
    /// A bare `*`, which stands for every host.
    #[error("the host is a catch-all, which no certificate covers")]
    CatchAll,
    /// An IPv4 or IPv6 address: TLS sends no server name for those (RFC 6066 section 3).
    #[error("the host is an IP address, for which TLS sends no server name")]
    IpAddress,
    /// Longer than 253 bytes (RFC 1035 section 2.3.4).
    #[error("the host name is longer than 253 bytes")]
    TooLong,
    /// A label longer than 63 bytes (RFC 1035 section 2.3.4).
    #[error("a label of the host name is longer than 63 bytes")]
    LabelTooLong,
    /// Two dots in a row, or a leading one.
    #[error("the host name has an empty label")]
    EmptyLabel,
    /// Something other than letters, digits, `-` and `_`; a port, a path and a regular expression show up as this.
    #[error("the host name has a character that host names cannot have")]
    InvalidCharacter,
    /// Text that IDNA (UTS 46) does not turn into A-labels.
    #[error("the host name is not a valid internationalized domain name")]
    NotIdna,
    /// A `*` that is not the whole of the first label.
    #[error("a `*` in a host name must be the whole of its first label")]
    WildcardNotLeftmost,
}

impl HostName {
    /// Reads a host as a consumer names it. Errors when no TLS certificate could cover such a host.
    pub fn parse(host: &str) -> Result<HostName, HostError> {
        let host = host.trim();
        if host.len() > MAX_INPUT {
            return Err(HostError::TooLong);
        }
        let text = to_ascii(host)?;
        let text = text.strip_suffix('.').unwrap_or(&text);
        match text {
            "" if host.is_empty() => return Err(HostError::Empty),
            "" => return Err(HostError::EmptyLabel),
            "*" => return Err(HostError::CatchAll),
            _ => {}
        }
        let address = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if address.unwrap_or(text).parse::<IpAddr>().is_ok() {
            return Err(HostError::IpAddress);
        }
        if text.len() > MAX_NAME {
            return Err(HostError::TooLong);
        }
        check_labels(text.strip_prefix("*.").unwrap_or(text))?;
        Ok(HostName { first_dot: text.find('.').unwrap_or(text.len()), text: text.to_owned() })
    }

    /// The normalised text: ASCII, lower case, `*.` in front for a wildcard.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is `*.rest`.
    pub fn is_wildcard(&self) -> bool {
        self.text.starts_with('*')
    }

    /// What follows the first label's dot; empty for a name of one label.
    pub fn parent(&self) -> &str {
        self.text.get(self.first_dot + 1..).unwrap_or_default()
    }
}

fn to_ascii(host: &str) -> Result<String, HostError> {
    if host.is_ascii() {
        return Ok(host.to_ascii_lowercase());
    }
    // UTS 46 maps a full-width asterisk to `*`: only a `*` that was written as one is a wildcard.
    let (star, rest) = match host.strip_prefix("*.") {
        Some(rest) => ("*.", rest),
        None => ("", host),
    };
    let rest = idna::domain_to_ascii(rest).map_err(|_| HostError::NotIdna)?;
    if rest.contains('*') {
        return Err(HostError::WildcardNotLeftmost);
    }
    Ok(format!("{star}{rest}"))
}

fn check_labels(name: &str) -> Result<(), HostError> {
    for label in name.split('.') {
        if label.is_empty() {
            return Err(HostError::EmptyLabel);
        }
        if label.contains('*') {
            return Err(HostError::WildcardNotLeftmost);
        }
        if !is_label_text(label) {
            return Err(HostError::InvalidCharacter);
        }
        if label.len() > MAX_LABEL {
            return Err(HostError::LabelTooLong);
        }
    }
    Ok(())
}

/// Whether a label holds only what resolvers and TLS clients accept; `_` is among it, though RFC 1123 has it not.
pub(super) fn is_label_text(label: &str) -> bool {
    label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape(&self.text))
    }
}

impl fmt::Debug for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostName({:?})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r2_hosts_are_normalised() {
        let cases = [
            ("app.example.com", "app.example.com"),
            ("  App.EXAMPLE.com.\t", "app.example.com"),
            ("*.Example.com", "*.example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example.", "xn--bcher-kva.example"),
            ("*.bücher.example", "*.xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("a。b", "a.b"),
            ("localhost", "localhost"),
            ("_dmarc.example.com", "_dmarc.example.com"),
            ("1.2.3.4.example", "1.2.3.4.example"),
        ];
        for (host, normal) in cases {
            assert_eq!(HostName::parse(host).unwrap().as_str(), normal, "{host}");
        }
    }

    #[test]
    fn r2_what_is_no_host_name_says_why() {
        let cases = [
            ("", HostError::Empty),
            (" \n", HostError::Empty),
            (".", HostError::EmptyLabel),
            ("*", HostError::CatchAll),
            ("*.", HostError::CatchAll),
            ("10.0.0.1", HostError::IpAddress),
            ("10.0.0.1.", HostError::IpAddress),
            ("::1", HostError::IpAddress),
            ("[2001:db8::1]", HostError::IpAddress),
            (".example.com", HostError::EmptyLabel),
            ("a..b", HostError::EmptyLabel),
            ("a.b..", HostError::EmptyLabel),
            ("*..b", HostError::EmptyLabel),
            ("app.example.com:443", HostError::InvalidCharacter),
            ("app example.com", HostError::InvalidCharacter),
            ("^.+\\.example\\.com$", HostError::InvalidCharacter),
            ("a\u{1b}b", HostError::InvalidCharacter),
            ("f*.example.com", HostError::WildcardNotLeftmost),
            ("a.*.example.com", HostError::WildcardNotLeftmost),
            ("*.*.example.com", HostError::WildcardNotLeftmost),
            ("**.example.com", HostError::WildcardNotLeftmost),
            ("＊.example.com", HostError::WildcardNotLeftmost),
            ("a\u{fffd}.example", HostError::NotIdna),
        ];
        for (host, error) in cases {
            assert_eq!(HostName::parse(host), Err(error), "{host:?}");
        }
    }

    #[test]
    fn r2_lengths_are_those_of_dns() {
        let label = "a".repeat(63);
        assert!(HostName::parse(&format!("{label}.example")).is_ok());
        assert_eq!(HostName::parse(&format!("a{label}.example")), Err(HostError::LabelTooLong));
        let name = format!("{label}.{label}.{label}.{}", "b".repeat(61));
        assert_eq!(name.len(), 253);
        assert!(HostName::parse(&format!("{name}.")).is_ok());
        assert_eq!(HostName::parse(&format!("{name}b")), Err(HostError::TooLong));
        assert_eq!(HostName::parse(&"ü".repeat(1 << 20)), Err(HostError::TooLong));
    }

    #[test]
    fn every_host_error_is_a_sentence_fragment() {
        for error in [
            HostError::Empty,
            HostError::CatchAll,
            HostError::IpAddress,
            HostError::TooLong,
            HostError::LabelTooLong,
            HostError::EmptyLabel,
            HostError::InvalidCharacter,
            HostError::NotIdna,
            HostError::WildcardNotLeftmost,
        ] {
            let text = error.to_string();
            assert!(text.starts_with(char::is_lowercase) && !text.ends_with('.'), "{text}");
        }
    }

    #[test]
    fn r2_parent_is_what_follows_the_first_label() {
        assert_eq!(HostName::parse("a.b.c").unwrap().parent(), "b.c");
        assert_eq!(HostName::parse("*.b.c").unwrap().parent(), "b.c");
        assert_eq!(HostName::parse("localhost").unwrap().parent(), "");
    }
}
