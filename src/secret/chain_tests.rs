use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, PublicKeyData,
    SignatureAlgorithm, SigningKey,
};

use super::*;

/// A certificate with its key, which can sign others.
struct Authority {
    certificate: Certificate,
    params: CertificateParams,
    key: KeyPair,
}

fn params(name: &str, is_ca: bool) -> CertificateParams {
    let mut params =
        CertificateParams::new(if is_ca { Vec::new() } else { vec![format!("{name}.example.com")] }).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    if is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params
}

fn root(name: &str) -> Authority {
    let (params, key) = (params(name, true), KeyPair::generate().unwrap());
    Authority { certificate: params.self_signed(&key).unwrap(), params, key }
}

impl Authority {
    fn issue(&self, name: &str, is_ca: bool) -> Authority {
        self.issue_as(params(name, is_ca))
    }

    fn issue_as(&self, params: CertificateParams) -> Authority {
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::new(self.params.clone(), &self.key);
        Authority { certificate: params.signed_by(&key, &issuer).unwrap(), params, key }
    }
}

fn chain(certificates: &[&Authority], authorities: &[&Authority]) -> Chain {
    let pem = |all: &[&Authority]| all.iter().map(|one| one.certificate.pem()).collect::<String>();
    Chain::read(pem(certificates).as_bytes(), Some(pem(authorities).as_bytes()))
}

fn signers(chain: &Chain) -> Vec<Signer> {
    chain.links.iter().map(|link| link.signer).collect()
}

#[test]
fn a_chain_in_order_is_followed_to_its_root() {
    let root = root("root");
    let intermediate = root.issue("intermediate", true);
    let leaf = intermediate.issue("leaf", false);
    let whole = chain(&[&leaf, &intermediate, &root], &[]);
    assert_eq!(signers(&whole), [Signer::At(1), Signer::At(2), Signer::Itself]);
    assert_eq!((whole.path(), whole.links[0].is_ca, whole.links[1].is_ca), (vec![0, 1, 2], false, true));
    let without_root = chain(&[&leaf, &intermediate], &[]);
    assert_eq!(signers(&without_root), [Signer::At(1), Signer::Elsewhere]);
    assert_eq!(signers(&chain(&[&leaf, &intermediate], &[&root])), [Signer::At(1), Signer::Authority]);
}

#[test]
fn a_chain_out_of_order_is_followed_all_the_same() {
    let root = root("root");
    let intermediate = root.issue("intermediate", true);
    let (leaf, stranger) = (intermediate.issue("leaf", false), root.issue("stranger", true));
    let mixed = chain(&[&leaf, &root, &stranger, &intermediate], &[]);
    assert_eq!(signers(&mixed), [Signer::At(3), Signer::Itself, Signer::At(1), Signer::At(1)]);
    assert_eq!(mixed.path(), [0, 3, 1]);
}

#[test]
fn an_issuer_of_the_right_name_with_another_key_did_not_sign() {
    let (one, other) = (root("root"), root("root"));
    let leaf = one.issue("leaf", false);
    let wrong = chain(&[&leaf, &other], &[]);
    assert_eq!(signers(&wrong), [Signer::NotReally(1), Signer::Itself]);
    assert_eq!(signers(&chain(&[&leaf], &[&other])), [Signer::Elsewhere]);
    assert_eq!(signers(&chain(&[&leaf], &[&other, &one])), [Signer::Authority]);
    // Two of one name: the one that signed is found.
    assert_eq!(signers(&chain(&[&leaf, &other, &one], &[]))[0], Signer::At(2));
}

#[test]
fn what_cannot_be_read_and_what_is_too_much_is_counted() {
    let root = root("root");
    let text = format!("{}-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n", root.certificate.pem());
    let chain = Chain::read(text.as_bytes(), None);
    assert_eq!((chain.links.len(), chain.unread), (1, 1));
    let many = Chain::read(root.certificate.pem().repeat(20).as_bytes(), None);
    assert_eq!((many.links.len(), many.unread, many.path()), (16, 4, vec![0]));
    assert_eq!(Chain::read(b"", None), Chain::default());
}

#[test]
fn a_certificate_of_a_ca_that_browsers_trust_is_known_by_its_policy() {
    // SEQUENCE of one PolicyInformation with 2.23.140.1.2.1, as Let's Encrypt writes it.
    let policies = vec![0x30, 0x0a, 0x30, 0x08, 0x06, 0x06, 0x67, 0x81, 0x0c, 0x01, 0x02, 0x01];
    let mut params = params("leaf", false);
    params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 32], policies)];
    let leaf = root("root").issue_as(params);
    let chain = chain(&[&leaf], &[]);
    assert!(chain.links[0].is_public && chain.links[0].signer == Signer::Elsewhere);
}

/// An RSA key of some bits that signs with zeros.
struct Fake(Vec<u8>);

impl Fake {
    fn new(bits: usize) -> Self {
        let mut modulus = vec![0x7f; bits / 8];
        modulus[0] = 0xff;
        let mut integer = vec![0x02, 0x82];
        integer.extend(u16::try_from(modulus.len() + 1).unwrap().to_be_bytes());
        integer.push(0);
        integer.extend(modulus);
        integer.extend([0x02, 0x03, 0x01, 0x00, 0x01]);
        let mut der = vec![0x30, 0x82];
        der.extend(u16::try_from(integer.len()).unwrap().to_be_bytes());
        der.extend(integer);
        Self(der)
    }
}

impl PublicKeyData for Fake {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl SigningKey for Fake {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(vec![0; 256])
    }
}

#[test]
fn short_rsa_keys_and_old_digests_are_weak() {
    let weak = |bits| {
        let certificate = params("leaf", false).self_signed(&Fake::new(bits)).unwrap();
        Chain::read(certificate.pem().as_bytes(), None).links[0].weak_key.clone()
    };
    assert_eq!(weak(1024).as_deref(), Some("an RSA key of 1024 bits"));
    assert_eq!(weak(2048), None);
    let certificate = params("leaf", false).self_signed(&Fake::new(2048)).unwrap();
    let digest = |last: u8| {
        let sha256_with_rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
        let mut der = certificate.der().to_vec();
        for at in 0..der.len() - sha256_with_rsa.len() {
            if der[at..].starts_with(&sha256_with_rsa) {
                der[at + 8] = last;
            }
        }
        let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        Chain::read(pem.as_bytes(), None).links[0].weak_signature
    };
    assert_eq!((digest(0x0b), digest(0x05), digest(0x04)), (None, Some("SHA-1"), Some("MD5")));
}
