//! What a new routing secret is made from, and whether that will do.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use zeroize::Zeroizing;

use super::object::Issuer;
use crate::choose::{DnsNames, HostName, WildcardSpan, covers};
use crate::cli::CreateArgs;
use crate::output::escape::escape;
use crate::secret::live::{LiveSecret, SecretData};
use crate::secret::marking::sentences;
use crate::secret::{ObjectName, Secret, pem};

/// The data of a Secret.
pub(super) type Material = SecretData;

/// What it is made from.
pub(super) enum Origin {
    /// A certificate and its key.
    Files {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// An issuer of cert-manager.
    Issuer(Issuer),
    /// Another Secret.
    Secret(ObjectName),
}

impl Origin {
    /// The one origin that the options name.
    pub(super) fn of(args: &CreateArgs) -> Result<Self> {
        let mut origins = Vec::new();
        match (&args.cert, &args.key) {
            (Some(cert), Some(key)) => origins.push(Self::Files { cert: cert.clone(), key: key.clone() }),
            (None, None) => {}
            _ => bail!("--cert and --key go together"),
        }
        let issuers = [("Issuer", &args.issuer), ("ClusterIssuer", &args.cluster_issuer)];
        for (kind, name) in issuers {
            if let Some(name) = name {
                if ObjectName::parse(&format!("a/{name}")).is_none() {
                    bail!("\"{}\" is no name of a {kind}", escape(name));
                }
                origins.push(Self::Issuer(Issuer { kind, name: name.clone() }));
            }
        }
        if let Some(from) = &args.from {
            let of = ObjectName::parse(from);
            origins
                .push(Self::Secret(of.with_context(|| format!("--from \"{}\" is not NAMESPACE/NAME", escape(from)))?));
        }
        let origin = origins.pop();
        let (Some(origin), true) = (origin, origins.is_empty()) else {
            bail!(
                "say what to make it from, one of: --cert FILE --key FILE, --issuer NAME, --cluster-issuer NAME, --from NAMESPACE/NAME"
            );
        };
        if args.immutable && matches!(origin, Self::Issuer(_)) {
            bail!("--immutable would keep cert-manager from ever renewing it: leave it out with an issuer");
        }
        Ok(origin)
    }
}

/// The hosts for a Certificate, as DNS has them.
pub(super) fn dns_names(hosts: &[String]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for host in hosts {
        let name = HostName::parse(host).with_context(|| format!("--host \"{}\"", escape(host)))?;
        let text = name.as_str().to_owned();
        if !DnsNames::read(std::slice::from_ref(&text)).1.is_empty() {
            bail!("--host \"{}\": TLS clients ignore a certificate for that name", escape(host));
        }
        if !names.contains(&text) {
            names.push(text);
        }
    }
    if names.is_empty() {
        bail!("an issuer needs the hosts: --host HOST");
    }
    Ok(names)
}

/// Whether the Secret can serve, and covers the hosts.
pub(super) fn check(secret: &Secret, hosts: &[String], what: &str) -> Result<()> {
    if !secret.is_usable() {
        bail!("{what} is not usable: {}", sentences(&secret.problems));
    }
    let mut missing = Vec::new();
    for host in hosts {
        let name = HostName::parse(host).with_context(|| format!("--host \"{}\"", escape(host)))?;
        if !covers(secret, &name, WildcardSpan::OneLabel) {
            missing.push(host.as_str());
        }
    }
    if !missing.is_empty() {
        let names = secret.certificate.as_ref().map(|facts| facts.dns_names.join(", ")).unwrap_or_default();
        bail!("{what} does not cover {}, but {}", escape(&missing.join(", ")), escape(&names));
    }
    Ok(())
}

/// The Secret of a certificate and its key, as `kubectl create secret tls` makes it.
pub(super) fn files(cert: &Path, key: &Path) -> Result<LiveSecret> {
    let read = |path: &Path| {
        fs::read(path)
            .map(Zeroizing::new)
            .with_context(|| format!("failed to read {}", escape(&path.display().to_string())))
    };
    let (certificate, key) = (read(cert)?, read(key)?);
    let is_encrypted = |block: &pem::Block| block.encrypted || block.label == "ENCRYPTED PRIVATE KEY";
    if pem::blocks(&key).iter().any(is_encrypted) {
        bail!(
            "the key is encrypted, and no server could use it: decrypt it first, as by openssl pkey -in KEY -out PLAIN"
        );
    }
    let encode = |bytes: &[u8]| Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(bytes));
    let data = [("tls.crt".to_owned(), encode(&certificate)), ("tls.key".to_owned(), encode(&key))];
    Ok(LiveSecret { type_: "kubernetes.io/tls".to_owned(), data: Some(data.into()), ..LiveSecret::default() })
}
