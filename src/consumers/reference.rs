//! Kinds that only refer to Secrets: client certificates, authorities, permissions, stores. They are never rewritten,
//! and a Certificate whose Secret they name stays (R13), since its name stands in them. That needs no row to read them
//! by: this is for people.

/// A kind that refers to Secrets.
#[derive(Debug)]
pub struct Reference {
    /// The kind.
    pub kind: &'static str,
    /// The API groups that serve it.
    pub groups: &'static [&'static str],
    /// The plural name of its resource.
    pub plural: &'static str,
    /// Where it names Secrets.
    pub secret_names: &'static [&'static str],
}

const TRAEFIK: &[&str] = &["traefik.io", "traefik.containo.us"];

/// The table.
pub static REFERENCES: [Reference; 11] = [
    Reference {
        kind: "TLSStore",
        groups: TRAEFIK,
        plural: "tlsstores",
        secret_names: &["spec.defaultCertificate.secretName", "spec.certificates[].secretName"],
    },
    Reference {
        kind: "TLSOption",
        groups: TRAEFIK,
        plural: "tlsoptions",
        secret_names: &["spec.clientAuth.secretNames[]"],
    },
    Reference {
        kind: "ServersTransport",
        groups: TRAEFIK,
        plural: "serverstransports",
        secret_names: &["spec.certificatesSecrets[]", "spec.rootCAs[].secret"],
    },
    Reference {
        kind: "ServersTransportTCP",
        groups: TRAEFIK,
        plural: "serverstransporttcps",
        secret_names: &["spec.tls.certificatesSecrets[]", "spec.tls.rootCAs[].secret"],
    },
    Reference {
        kind: "TLSCertificateDelegation",
        groups: &["projectcontour.io"],
        plural: "tlscertificatedelegations",
        secret_names: &["spec.delegations[].secretName"],
    },
    Reference {
        kind: "DestinationRule",
        groups: &["networking.istio.io"],
        plural: "destinationrules",
        secret_names: &["spec.trafficPolicy.tls.credentialName"],
    },
    Reference {
        kind: "BackendTLSPolicy",
        groups: &["gateway.networking.k8s.io"],
        plural: "backendtlspolicies",
        secret_names: &["spec.validation.caCertificateRefs[].name"],
    },
    Reference {
        kind: "ReferenceGrant",
        groups: &["gateway.networking.k8s.io"],
        plural: "referencegrants",
        secret_names: &["spec.to[].name"],
    },
    Reference {
        kind: "KongCertificate",
        groups: &["configuration.konghq.com"],
        plural: "kongcertificates",
        secret_names: &["spec.secretRef.name"],
    },
    Reference {
        kind: "Pomerium",
        groups: &["ingress.pomerium.io"],
        plural: "pomerium",
        secret_names: &["spec.certificates[]", "spec.caSecrets[]"],
    },
    Reference {
        kind: "TCP",
        groups: &["ingress.v3.haproxy.org", "ingress.v1.haproxy.org"],
        plural: "tcps",
        secret_names: &["spec[].frontend.binds.*.ssl_certificate"],
    },
];

/// Whether the kind is one of these.
#[must_use]
pub fn is_reference(group: &str, kind: &str) -> bool {
    REFERENCES.iter().any(|reference| reference.kind == kind && reference.groups.contains(&group))
}
