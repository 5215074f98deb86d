//! The certificates of a `tls.crt` one after the other: who signed whom, and what clients think of their keys and
//! signatures. A TLS server sends them as they stand (RFC 8446 section 4.4.2).

use jiff::Timestamp;
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::pem;

/// The most certificates that are looked at: each is compared with each, and the text may be anybody's.
const MAX_CERTIFICATES: usize = 16;

/// The certificates of a `tls.crt`, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// Those that can be read.
    pub links: Vec<Link>,
    /// How many blocks cannot be read, or come after the sixteenth.
    pub unread: usize,
}

/// One certificate of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its subject's distinguished name.
    pub subject: String,
    /// Its issuer's distinguished name.
    pub issuer: String,
    /// The end of its validity.
    pub not_after: Timestamp,
    /// Whether it is a CA's.
    pub is_ca: bool,
    /// Whether its issuer says that it keeps the Baseline Requirements: a CA that browsers trust, which never signs
    /// servers' certificates with its root (section 7.1.6.1 and 6.1.7).
    pub is_public: bool,
    /// Who signed it.
    pub signer: Signer,
    /// What is weak about its key.
    pub weak_key: Option<String>,
    /// The outdated digest of its signature.
    pub weak_signature: Option<&'static str>,
}

/// Who signed a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Its own key.
    Itself,
    /// The key of the certificate with this index in the same file.
    At(usize),
    /// The certificate with this index is named as its issuer, and its key did not make the signature.
    NotReally(usize),
    /// A certificate in the Secret's `ca.crt`.
    Authority,
    /// A certificate that is not in the Secret.
    Elsewhere,
}

impl Chain {
    /// Reads the certificates of a `tls.crt`, with those of the `ca.crt` beside it.
    #[must_use]
    pub fn read(certificates: &[u8], authorities: Option<&[u8]>) -> Self {
        let (own, mut unread) = ders(certificates);
        let (authorities, _) = authorities.map(ders).unwrap_or_default();
        let authorities: Vec<X509Certificate<'_>> = authorities.iter().filter_map(|der| parse(der)).collect();
        let parsed: Vec<X509Certificate<'_>> = own.iter().filter_map(|der| parse(der)).collect();
        unread += own.len() - parsed.len();
        let links = (0..parsed.len()).filter_map(|at| link(&parsed, at, &authorities)).collect();
        Self { links, unread }
    }

    /// The indices from the server's certificate to the last one that can be reached from it, each signed by the next.
    #[must_use]
    pub fn path(&self) -> Vec<usize> {
        let mut path = Vec::new();
        let mut next = (!self.links.is_empty()).then_some(0);
        while let Some(at) = next.filter(|at| !path.contains(at)) {
            path.push(at);
            next = match self.links.get(at).map(|link| link.signer) {
                Some(Signer::At(signer) | Signer::NotReally(signer)) => Some(signer),
                _ => None,
            };
        }
        path
    }
}

/// The certificates of a PEM file, and how many are passed over.
fn ders(pem: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let blocks: Vec<pem::Block> = pem::blocks(pem).into_iter().filter(pem::Block::is_certificate).collect();
    let ders: Vec<Vec<u8>> =
        blocks.iter().take(MAX_CERTIFICATES).filter_map(|block| block.der.as_ref().map(|der| der.to_vec())).collect();
    let unread = blocks.len() - ders.len();
    (ders, unread)
}

fn parse(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate)
}

fn link(all: &[X509Certificate<'_>], at: usize, authorities: &[X509Certificate<'_>]) -> Option<Link> {
    let certificate = all.get(at)?;
    Some(Link {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        not_after: Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()?,
        is_ca: certificate.is_ca(),
        is_public: is_public(certificate),
        signer: signer(all, at, authorities),
        weak_key: weak_key(certificate.public_key()),
        weak_signature: weak_signature(certificate),
    })
}

fn signer(all: &[X509Certificate<'_>], at: usize, authorities: &[X509Certificate<'_>]) -> Signer {
    let certificate = &all[at];
    if certificate.issuer().as_raw() == certificate.subject().as_raw() && signed(certificate, certificate) {
        return Signer::Itself;
    }
    // The next one first: a chain in order is the common case.
    let others = (at + 1..all.len()).chain(0..at);
    let named: Vec<usize> = others.filter(|&other| names(certificate, &all[other])).collect();
    if let Some(&signer) = named.iter().find(|&&other| signed(certificate, &all[other])) {
        return Signer::At(signer);
    }
    if authorities.iter().any(|authority| names(certificate, authority) && signed(certificate, authority)) {
        return Signer::Authority;
    }
    named.first().map_or(Signer::Elsewhere, |&other| Signer::NotReally(other))
}

/// Whether the certificate names the other as its issuer.
fn names(certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    certificate.issuer().as_raw() == issuer.subject().as_raw()
}

/// Whether the issuer's key made the signature; what cannot be verified here, RSA keys of unusual size among it, is
/// taken on trust.
fn signed(certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    let is_verifiable = rsa_bits(issuer.public_key()).is_none_or(|bits| (2048..=8192).contains(&bits));
    let verified = certificate.verify_signature(Some(issuer.public_key()));
    !(is_verifiable && verified == Err(X509Error::SignatureVerificationError))
}

/// The length of an RSA key's modulus.
fn rsa_bits(public: &SubjectPublicKeyInfo<'_>) -> Option<usize> {
    let Ok(PublicKey::RSA(key)) = public.parsed() else { return None };
    let zeros = key.modulus.iter().take_while(|&&byte| byte == 0).count();
    let modulus = &key.modulus[zeros..];
    Some(modulus.len() * 8 - modulus.first().map_or(0, |byte| byte.leading_zeros() as usize))
}

/// Whether the certificate carries one of the CA/Browser Forum's own policies, which every CA that browsers trust puts
/// into servers' certificates (Baseline Requirements section 7.1.6.1).
fn is_public(certificate: &X509Certificate<'_>) -> bool {
    const POLICIES: [&str; 4] = ["2.23.140.1.1", "2.23.140.1.2.1", "2.23.140.1.2.2", "2.23.140.1.2.3"];
    certificate.extensions().iter().any(|extension| match extension.parsed_extension() {
        x509_parser::extensions::ParsedExtension::CertificatePolicies(policies) => {
            policies.iter().any(|policy| POLICIES.contains(&policy.policy_id.to_id_string().as_str()))
        }
        _ => false,
    })
}

/// What is weak about a key: RSA below 2048 bits, curves below 256 bits, DSA (NIST SP 800-57 part 1, Baseline
/// Requirements section 6.1.5).
fn weak_key(public: &SubjectPublicKeyInfo<'_>) -> Option<String> {
    if let Some(bits) = rsa_bits(public).filter(|&bits| bits < 2048) {
        return Some(format!("an RSA key of {bits} bits"));
    }
    match public.parsed() {
        Ok(PublicKey::DSA(_)) => Some("a DSA key".to_owned()),
        Ok(PublicKey::EC(_)) => {
            let curve = public.algorithm.parameters.as_ref()?.as_oid().ok()?.to_id_string();
            let name = match curve.as_str() {
                "1.2.840.10045.3.1.1" => "P-192",
                "1.3.132.0.33" => "P-224",
                _ => return None,
            };
            Some(format!("a key on the curve {name}"))
        }
        _ => None,
    }
}

/// The digest of a signature, where clients refuse it.
fn weak_signature(certificate: &X509Certificate<'_>) -> Option<&'static str> {
    match certificate.signature_algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.2" => Some("MD2"),
        "1.2.840.113549.1.1.3" => Some("MD4"),
        "1.2.840.113549.1.1.4" => Some("MD5"),
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => Some("SHA-1"),
        _ => None,
    }
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
