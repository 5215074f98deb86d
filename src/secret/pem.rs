//! PEM as it is found in Secrets: text, byte order marks and other blocks around it, any line ends
//! (RFC 7468).

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One PEM block.
pub struct Block {
    /// The label, for example `CERTIFICATE`.
    pub label: String,
    /// Whether its headers say that it is encrypted (RFC 1421).
    pub encrypted: bool,
    /// The DER; nothing when the body is no base64.
    pub der: Option<Zeroizing<Vec<u8>>>,
}

impl Block {
    /// Whether the block is a certificate, under any of OpenSSL's labels for one.
    #[must_use]
    pub fn is_certificate(&self) -> bool {
        matches!(self.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE")
    }
}

/// The blocks of `bytes`, in order; what is cut off or stands outside of blocks is passed over.
#[must_use]
pub fn blocks(bytes: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, bool, Zeroizing<Vec<u8>>)> = None;
    for line in bytes.split(|&byte| byte == b'\n' || byte == b'\r') {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
        if let Some(label) = marker(line, b"-----BEGIN ") {
            open = Some((label, false, Zeroizing::new(Vec::new())));
        } else if let Some(label) = marker(line, b"-----END ") {
            if let Some((began, encrypted, body)) = open.take()
                && began == label
            {
                let der = LENIENT.decode(&*body).ok().map(Zeroizing::new);
                blocks.push(Block { label, encrypted, der });
            }
        } else if let Some((_, encrypted, body)) = &mut open {
            if line.contains(&b':') {
                *encrypted |= line.starts_with(b"Proc-Type") && line.ends_with(b"ENCRYPTED");
            } else if !(*encrypted && line.is_empty()) {
                body.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
            }
        }
    }
    blocks
}

fn marker(line: &[u8], start: &[u8]) -> Option<String> {
    let label = line.strip_prefix(start)?.strip_suffix(b"-----")?;
    Some(String::from_utf8_lossy(label).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r4_text_bom_crlf_and_other_blocks_stand_around_certificates() {
        let pem = "\u{feff}Bag Attributes: x\r\n-----BEGIN DH PARAMETERS-----\r\nAQID\r\n-----END DH PARAMETERS-----\r\n\
                   subject=a\r\n  -----BEGIN TRUSTED CERTIFICATE-----  \r\nAQ\r\nID\r\n-----END TRUSTED CERTIFICATE-----";
        let found = blocks(pem.as_bytes());
        assert_eq!(found.len(), 2);
        assert!(!found[0].is_certificate());
        assert!(found[1].is_certificate());
        assert_eq!(found[1].der.as_deref().map(Vec::as_slice), Some(&[1, 2, 3][..]));
    }

    #[test]
    fn r4_a_block_that_is_cut_off_or_no_base64_is_no_certificate() {
        assert!(blocks(b"-----BEGIN CERTIFICATE-----\nAQID\n").is_empty());
        let broken = blocks(b"-----BEGIN CERTIFICATE-----\n?*\n-----END CERTIFICATE-----");
        assert!(broken[0].der.is_none());
    }
}
