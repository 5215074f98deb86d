//! Whether a private key belongs to a certificate, answered in three values (R4).

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use x509_parser::asn1_rs::{Any, FromDer as _, Tag};
use x509_parser::x509::SubjectPublicKeyInfo;

use super::Reason;
use super::pem;

/// What is known of a Secret's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum KeyCheck {
    /// It is the certificate's.
    Matched,
    /// It is another certificate's.
    Mismatched,
    /// It is there, and of a kind that cannot be compared.
    Unknown,
    /// There is none.
    Absent,
}

const RSA: &str = "1.2.840.113549.1.1.1";
const EC: &str = "1.2.840.10045.2.1";
const ED25519: &str = "1.3.101.112";

/// A private key, as far as it is compared.
enum Key<'k> {
    /// PKCS#1 (RFC 8017, A.1.2).
    Rsa(&'k [u8]),
    /// SEC1 (RFC 5915).
    Ec(&'k [u8]),
    /// The seed (RFC 8410).
    Ed25519(&'k [u8]),
    Other,
}

/// Compares the first private key in `pem` with a certificate's public key. A key that cannot be
/// read or compared is never called another's.
///
/// # Errors
/// When there is no private key in it.
pub fn check(public: &SubjectPublicKeyInfo<'_>, pem: &[u8]) -> Result<KeyCheck, Reason> {
    let blocks = pem::blocks(pem);
    let block = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")).ok_or(Reason::NoPemKey)?;
    let der = block.der.as_ref().ok_or(Reason::NoPemKey)?;
    if block.encrypted {
        return Ok(KeyCheck::Unknown);
    }
    let key = match block.label.as_str() {
        "RSA PRIVATE KEY" => Key::Rsa(der),
        "EC PRIVATE KEY" => Key::Ec(der),
        "PRIVATE KEY" => pkcs8(der).unwrap_or(Key::Other),
        _ => Key::Other,
    };
    Ok(compare(public, &key).unwrap_or(KeyCheck::Unknown))
}

/// `None` when something could not be read.
fn compare(public: &SubjectPublicKeyInfo<'_>, key: &Key<'_>) -> Option<KeyCheck> {
    let algorithm = public.algorithm.algorithm.to_id_string();
    let point = &*public.subject_public_key.data;
    let is_match = match (algorithm.as_str(), key) {
        (RSA, Key::Rsa(key)) => {
            let certificate = children(point)?;
            // The version comes first in the private key.
            let key = children(key)?;
            number(certificate.first()?) == number(key.get(1)?) && number(certificate.get(1)?) == number(key.get(2)?)
        }
        (EC, Key::Ec(key)) => ec(point, key)?,
        (ED25519, Key::Ed25519(seed)) => Ed25519KeyPair::from_seed_unchecked(seed).ok()?.public_key().as_ref() == point,
        (RSA | EC | ED25519, Key::Rsa(_) | Key::Ec(_) | Key::Ed25519(_)) => false,
        _ => return None,
    };
    Some(if is_match { KeyCheck::Matched } else { KeyCheck::Mismatched })
}

/// Compares the public point that the key carries; where it carries none, the one that follows
/// from its number, on the curves that `ring` knows.
fn ec(point: &[u8], key: &[u8]) -> Option<bool> {
    let parts = children(key)?;
    let private = parts.get(1).filter(|part| part.tag() == Tag::OctetString)?;
    let carried =
        parts.iter().find(|part| part.class() == x509_parser::asn1_rs::Class::ContextSpecific && part.tag().0 == 1);
    if let Some(carried) = carried {
        let (_, bits) = Any::from_der(carried.data).ok()?;
        // The first byte of a BIT STRING counts its unused bits.
        return Some(coordinates(bits.data.get(1..)?)? == coordinates(point)?);
    }
    let algorithm = match point.len() {
        65 => &ECDSA_P256_SHA256_ASN1_SIGNING,
        97 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        _ => return None,
    };
    let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, private.data, point, &SystemRandom::new());
    match pair {
        Ok(_) => Some(true),
        Err(error) if error.to_string() == "InconsistentComponents" => Some(false),
        Err(_) => None,
    }
}

/// The x coordinate of a point and whether y is odd, compressed or not (SEC 1, 2.3.3).
fn coordinates(point: &[u8]) -> Option<(&[u8], bool)> {
    let (&form, rest) = point.split_first()?;
    match form {
        2 | 3 => Some((rest, form == 3)),
        4 if rest.len() % 2 == 0 => Some((&rest[..rest.len() / 2], rest.last()? & 1 == 1)),
        _ => None,
    }
}

/// The key inside a PKCS#8 structure (RFC 5958).
fn pkcs8(der: &[u8]) -> Option<Key<'_>> {
    let parts = children(der)?;
    let algorithm = children_of(parts.get(1)?)?;
    let algorithm = algorithm.first()?.clone().oid().ok()?.to_id_string();
    let inner = parts.get(2).filter(|part| part.tag() == Tag::OctetString)?.data;
    Some(match algorithm.as_str() {
        RSA => Key::Rsa(inner),
        EC => Key::Ec(inner),
        ED25519 => Key::Ed25519(Any::from_der(inner).ok()?.1.data),
        _ => Key::Other,
    })
}

/// The parts of a DER sequence.
fn children(der: &[u8]) -> Option<Vec<Any<'_>>> {
    children_of(&Any::from_der(der).ok()?.1)
}

fn children_of<'d>(sequence: &Any<'d>) -> Option<Vec<Any<'d>>> {
    if sequence.tag() != Tag::Sequence {
        return None;
    }
    let mut rest = sequence.data;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (after, part) = Any::from_der(rest).ok()?;
        parts.push(part);
        rest = after;
    }
    Some(parts)
}

/// The bytes of an integer without leading zeros.
fn number<'d>(part: &Any<'d>) -> &'d [u8] {
    let zeros = part.data.iter().take_while(|&&byte| byte == 0).count();
    &part.data[zeros..]
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
