use x509_parser::prelude::FromDer as _;

use super::*;

/// DER of a tag and its content.
fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length) if length < 128 => bytes.push(length),
        _ => bytes.extend([0x82, (content.len() >> 8) as u8, content.len() as u8]),
    }
    bytes.extend(content);
    bytes
}

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n").into_bytes()
}

const RSA_OID: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const EC_OID: &[u8] = &[0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const ED25519_OID: &[u8] = &[0x06, 3, 0x2b, 0x65, 0x70];
const P521_OID: &[u8] = &[0x06, 5, 0x2b, 0x81, 4, 0, 0x23];

fn public(oid: &[u8], parameters: &[u8], bits: &[u8]) -> Vec<u8> {
    der(0x30, &[&der(0x30, &[oid, parameters]), &der(0x03, &[&[0], bits])])
}

fn checked(public: &[u8], pem: &[u8]) -> Result<KeyCheck, Reason> {
    let (_, public) = SubjectPublicKeyInfo::from_der(public).unwrap();
    check(&public, pem)
}

fn number_der(first: u8, length: usize) -> Vec<u8> {
    der(0x02, &[&[0], &[first], &vec![7; length]])
}

/// PKCS#1, whose numbers alone are compared.
fn rsa(first: u8, length: usize) -> Vec<u8> {
    der(0x30, &[&[2, 1, 0], &number_der(first, length), &[2, 3, 1, 0, 1], &[2, 1, 5]])
}

fn pkcs8(oid: &[u8], parameters: &[u8], key: &[u8]) -> Vec<u8> {
    der(0x30, &[&[2, 1, 0], &der(0x30, &[oid, parameters]), &der(0x04, &[key])])
}

#[test]
fn r4_rsa_keys_of_any_size_in_pkcs1_and_pkcs8() {
    for length in [127, 255, 1023] {
        let certificate = public(RSA_OID, &[5, 0], &der(0x30, &[&number_der(0xc1, length), &[2, 3, 1, 0, 1]]));
        for (first, expected) in [(0xc1, KeyCheck::Matched), (0xc2, KeyCheck::Mismatched)] {
            let key = rsa(first, length);
            assert_eq!(checked(&certificate, &pem("RSA PRIVATE KEY", &key)), Ok(expected));
            assert_eq!(checked(&certificate, &pem("PRIVATE KEY", &pkcs8(RSA_OID, &[5, 0], &key))), Ok(expected));
        }
        let other = pem("EC PRIVATE KEY", &sec1(&[4, 1, 2]));
        assert_eq!(checked(&certificate, &other), Ok(KeyCheck::Mismatched), "another family");
    }
}

fn sec1(point: &[u8]) -> Vec<u8> {
    der(0x30, &[&[2, 1, 1], &der(0x04, &[&[9; 66]]), &der(0xa1, &[&der(0x03, &[&[0], point])])])
}

#[test]
fn r4_p521_keys_by_their_public_point_compressed_or_not() {
    let point = |first: u8| [&[4][..], &[first; 66], &[3; 66]].concat();
    let compressed = |first: u8| [&[3][..], &[first; 66]].concat();
    let certificate = public(EC_OID, P521_OID, &point(1));
    for (key, expected) in [
        (point(1), KeyCheck::Matched),
        (point(2), KeyCheck::Mismatched),
        (compressed(1), KeyCheck::Matched),
        (compressed(2), KeyCheck::Mismatched),
    ] {
        let parameters = pem("EC PARAMETERS", P521_OID);
        let both = [parameters, pem("EC PRIVATE KEY", &sec1(&key))].concat();
        assert_eq!(checked(&certificate, &both), Ok(expected));
        let wrapped = pem("PRIVATE KEY", &pkcs8(EC_OID, P521_OID, &sec1(&key)));
        assert_eq!(checked(&certificate, &wrapped), Ok(expected));
    }
    let bare = der(0x30, &[&[2, 1, 1], &der(0x04, &[&[9; 66]])]);
    assert_eq!(checked(&certificate, &pem("EC PRIVATE KEY", &bare)), Ok(KeyCheck::Unknown), "no point to compare");
}

#[test]
fn r4_p256_p384_and_ed25519_keys() {
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519] {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let other = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let certificate = rcgen::PublicKeyData::subject_public_key_info(&key);
        assert_eq!(checked(&certificate, key.serialize_pem().as_bytes()), Ok(KeyCheck::Matched));
        assert_eq!(checked(&certificate, other.serialize_pem().as_bytes()), Ok(KeyCheck::Mismatched));
    }
}

#[test]
fn r4_an_ec_key_without_its_public_point_is_compared_by_its_number() {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let other = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let bare = |key: &rcgen::KeyPair| {
        let der_bytes = key.serialize_der();
        let Key::Ec(inner) = super::pkcs8(&der_bytes).unwrap() else { panic!("no EC key") };
        let number = children(inner).unwrap()[1].data.to_vec();
        pem("EC PRIVATE KEY", &der(0x30, &[&[2, 1, 1], &der(0x04, &[&number])]))
    };
    assert_eq!(checked(&rcgen::PublicKeyData::subject_public_key_info(&key), &bare(&key)), Ok(KeyCheck::Matched));
    assert_eq!(checked(&rcgen::PublicKeyData::subject_public_key_info(&key), &bare(&other)), Ok(KeyCheck::Mismatched));
}

#[test]
fn r4_what_cannot_be_compared_is_unknown_and_never_a_mismatch() {
    let certificate = public(RSA_OID, &[5, 0], &der(0x30, &[&number_der(0xc1, 255), &[2, 3, 1, 0, 1]]));
    for key in [
        pem("ENCRYPTED PRIVATE KEY", &[1, 2]),
        pem("RSA PRIVATE KEY", &[0x30, 0x82, 0xff, 0xff]),
        pem("PRIVATE KEY", &pkcs8(P521_OID, &[], &[1])),
        b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x\n\nAAAA\n-----END RSA PRIVATE KEY-----"
            .to_vec(),
    ] {
        assert_eq!(checked(&certificate, &key), Ok(KeyCheck::Unknown));
    }
    let ed25519 = public(ED25519_OID, &[], &[1; 32]);
    assert_eq!(checked(&ed25519, &pem("PRIVATE KEY", &pkcs8(ED25519_OID, &[], &[4, 1, 1]))), Ok(KeyCheck::Unknown));
    assert_eq!(checked(&certificate, b"nothing"), Err(Reason::NoPemKey));
}
