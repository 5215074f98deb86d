//! Why a Secret is not usable, why it lost against another, and what to know about it besides.

use std::fmt;

use jiff::Timestamp;

use super::ObjectName;
use crate::output::escape::escape;

/// Every reason that a Secret is not taken for some hosts, and every warning about one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Not of type `kubernetes.io/tls`.
    WrongType(String),
    /// A value is not base64; its key.
    NotBase64(&'static str),
    /// There is no `tls.crt`.
    NoCertificate,
    /// `tls.crt` holds no PEM certificate.
    NoPemCertificate,
    /// The first certificate in `tls.crt` is no X.509.
    UnreadableCertificate,
    /// There is no `tls.key`.
    NoKey,
    /// `tls.key` holds no private key in PEM.
    NoPemKey,
    /// The key belongs to another certificate.
    KeyMismatch,
    /// The certificate has expired.
    Expired(Timestamp),
    /// The certificate in an Inventory has expired.
    ExpiredExport(Timestamp),
    /// The certificate is not valid yet.
    NotYetValid(Timestamp),
    /// The certificate is not meant for servers.
    NotForServers,
    /// cert-manager's stand-in until the real certificate comes.
    Temporary,
    /// No SAN that a TLS client would accept.
    NoDnsNames,
    /// It covers none of the hosts.
    CoversNone,
    /// It covers the hosts, and nothing lets the object name it from another namespace.
    NotPermitted,
    /// It covers only some of the hosts; those that it does not.
    CoversSome(Vec<String>),
    /// It expires soon, and another does not.
    ExpiresSoon(Timestamp),
    /// It is self-signed, and another is not.
    SelfSigned,
    /// The slot already names another that is as good.
    NotTheCurrent,
    /// It covers a host by a wildcard, and another by the name itself.
    LessExact,
    /// All else is equal, and its name comes later.
    LaterName,
    /// The certificate is a CA's.
    CertificateAuthority,
    /// A key of this type cannot be compared with the certificate.
    KeyNotComparable,
    /// A SAN that TLS clients ignore.
    VoidName(String),
    /// A mirror whose certificate is not its source's.
    Stale(ObjectName),
}

impl Reason {
    /// A stable name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongType(_) => "wrongType",
            Self::NotBase64(_) => "notBase64",
            Self::NoCertificate => "noCertificate",
            Self::NoPemCertificate => "noPemCertificate",
            Self::UnreadableCertificate => "unreadableCertificate",
            Self::NoKey => "noKey",
            Self::NoPemKey => "noPemKey",
            Self::KeyMismatch => "keyMismatch",
            Self::Expired(_) | Self::ExpiredExport(_) => "expired",
            Self::NotYetValid(_) => "notYetValid",
            Self::NotForServers => "notForServers",
            Self::Temporary => "temporary",
            Self::NoDnsNames => "noDnsNames",
            Self::CoversNone => "coversNone",
            Self::NotPermitted => "notPermitted",
            Self::CoversSome(_) => "coversSome",
            Self::ExpiresSoon(_) => "expiresSoon",
            Self::SelfSigned => "selfSigned",
            Self::NotTheCurrent => "notTheCurrent",
            Self::LessExact => "lessExact",
            Self::LaterName => "laterName",
            Self::CertificateAuthority => "certificateAuthority",
            Self::KeyNotComparable => "keyNotComparable",
            Self::VoidName(_) => "voidName",
            Self::Stale(_) => "stale",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongType(type_) => write!(f, "its type is \"{}\", not kubernetes.io/tls", escape(type_)),
            Self::NotBase64(key) => write!(f, "its {key} is not base64"),
            Self::NoCertificate => f.write_str("it has no tls.crt"),
            Self::NoPemCertificate => f.write_str("its tls.crt holds no PEM certificate"),
            Self::UnreadableCertificate => f.write_str("the first certificate in its tls.crt cannot be read"),
            Self::NoKey => f.write_str("it has no tls.key"),
            Self::NoPemKey => f.write_str("its tls.key holds no PEM private key"),
            Self::KeyMismatch => f.write_str("its key belongs to another certificate"),
            Self::Expired(at) => write!(f, "its certificate expired at {at}"),
            Self::ExpiredExport(at) => write!(f, "its certificate in the Inventory expired at {at}: export again"),
            Self::NotYetValid(at) => write!(f, "its certificate is not valid before {at}"),
            Self::NotForServers => f.write_str("its certificate is not meant for servers (no serverAuth)"),
            Self::Temporary => f.write_str("it holds cert-manager's temporary certificate"),
            Self::NoDnsNames => f.write_str("its certificate has no DNS name that TLS clients accept"),
            Self::CoversNone => f.write_str("it covers none of the hosts"),
            Self::NotPermitted => f.write_str("nothing lets the object name it from another namespace"),
            Self::CoversSome(missing) => write!(f, "it does not cover {}", escape(&missing.join(", "))),
            Self::ExpiresSoon(at) => write!(f, "it expires at {at}, with less than a third of its lifetime left"),
            Self::SelfSigned => f.write_str("it is self-signed and another is not"),
            Self::NotTheCurrent => f.write_str("the slot already names another that is as good"),
            Self::LessExact => f.write_str("it covers by a wildcard what another covers by name"),
            Self::LaterName => f.write_str("another that is as good comes first by name"),
            Self::CertificateAuthority => f.write_str("its certificate is a CA's"),
            Self::KeyNotComparable => f.write_str("its key is of a type that cannot be compared with the certificate"),
            Self::VoidName(name) => write!(f, "TLS clients ignore its name \"{}\"", escape(name)),
            Self::Stale(source) => write!(f, "its certificate is not that of its source {source}"),
        }
    }
}
