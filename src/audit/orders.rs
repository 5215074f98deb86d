//! What was ordered from ACME servers, from what cert-manager leaves behind: Orders, the CertificateRequests whose
//! Orders are gone, and the certificates themselves. The history is short (`spec.revisionHistoryLimit` is 1 by default
//! since cert-manager 1.18, and Orders go with their requests), so the counts are the least there were.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use serde::Deserialize;

use crate::certificate::live::{IssuerRef, LiveCertificate};
use crate::cluster::Resource;
use crate::inventory::Inventory;
use crate::secret::ObjectName;

/// cert-manager's Orders (`pkg/apis/acme/v1/types_order.go`).
pub const ORDERS: Resource<'static> = Resource { group: "acme.cert-manager.io", version: "v1", plural: "orders" };

/// cert-manager's CertificateRequests.
pub const REQUESTS: Resource<'static> =
    Resource { group: "cert-manager.io", version: "v1", plural: "certificaterequests" };

/// cert-manager's Issuers.
pub const ISSUERS: Resource<'static> = Resource { group: "cert-manager.io", version: "v1", plural: "issuers" };

/// cert-manager's ClusterIssuers.
pub const CLUSTER_ISSUERS: Resource<'static> =
    Resource { group: "cert-manager.io", version: "v1", plural: "clusterissuers" };

/// The issuers that order from an ACME server, with its address.
#[derive(Clone, Debug, Default)]
pub struct AcmeIssuers(BTreeMap<(String, String), String>);

impl AcmeIssuers {
    /// Takes an issuer up if it is an ACME one.
    pub fn add(&mut self, issuer: ApiIssuer) {
        if let Some(acme) = issuer.spec.acme {
            self.0.insert((issuer.metadata.namespace, issuer.metadata.name), acme.server);
        }
    }

    /// The address of the server that an issuer of this namespace, or a ClusterIssuer, orders from.
    #[must_use]
    pub fn server(&self, namespace: &str, issuer: &IssuerRef) -> Option<&str> {
        if issuer.group != IssuerRef::default().group {
            return None;
        }
        let namespace = if issuer.kind == "ClusterIssuer" { "" } else { namespace };
        self.0.get(&(namespace.to_owned(), issuer.name.clone())).map(String::as_str)
    }
}

/// A certificate that was ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuance {
    /// The Certificate that it was ordered for.
    pub certificate: ObjectName,
    /// The server.
    pub server: String,
    /// The identifiers, sorted.
    pub names: BTreeSet<String>,
    /// When.
    pub at: Timestamp,
    /// Whether the Certificate had been issued before: its further revisions are renewals.
    pub is_renewal: bool,
}

/// An Issuer or ClusterIssuer as the API server gives it.
#[derive(Deserialize)]
pub struct ApiIssuer {
    metadata: Metadata,
    #[serde(default)]
    spec: IssuerSpec,
}

#[derive(Default, Deserialize)]
struct IssuerSpec {
    acme: Option<Acme>,
}

#[derive(Deserialize)]
struct Acme {
    #[serde(default)]
    server: String,
}

/// An Order as the API server gives it.
#[derive(Deserialize)]
pub struct ApiOrder {
    metadata: Metadata,
    #[serde(default)]
    spec: OrderSpec,
    status: Option<OrderStatus>,
}

/// A CertificateRequest as the API server gives it.
#[derive(Deserialize)]
pub struct ApiRequest {
    metadata: Metadata,
    #[serde(default)]
    spec: RequestSpec,
    status: Option<RequestStatus>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    namespace: String,
    name: String,
    creation_timestamp: Option<String>,
    annotations: Option<BTreeMap<String, String>>,
    owner_references: Option<Vec<OwnerReference>>,
}

#[derive(Deserialize)]
struct OwnerReference {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OrderSpec {
    dns_names: Option<Vec<String>>,
    ip_addresses: Option<Vec<String>>,
    issuer_ref: IssuerRef,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OrderStatus {
    state: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RequestSpec {
    issuer_ref: IssuerRef,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RequestStatus {
    certificate: Option<serde::de::IgnoredAny>,
}

impl Metadata {
    fn owner(&self, kind: &str) -> Option<&str> {
        let owner = self.owner_references.iter().flatten().find(|owner| owner.kind == kind);
        owner.map(|owner| owner.name.as_str())
    }

    fn created(&self) -> Option<Timestamp> {
        self.creation_timestamp.as_ref()?.parse().ok()
    }

    fn is_renewal(&self) -> bool {
        let revision = self.annotations.as_ref().and_then(|all| all.get("cert-manager.io/certificate-revision"));
        revision.and_then(|revision| revision.parse::<u64>().ok()).is_some_and(|revision| revision > 1)
    }

    /// cert-manager writes the Certificate's name on the request, and copies its annotations to the Order.
    fn certificate(&self) -> ObjectName {
        let named = self.annotations.as_ref().and_then(|all| all.get("cert-manager.io/certificate-name")).cloned();
        let name = named.or_else(|| self.owner("Certificate").map(str::to_owned)).unwrap_or_default();
        ObjectName { namespace: self.namespace.clone(), name }
    }
}

/// An Order or a CertificateRequest, reduced to what counts.
#[derive(Clone, Debug)]
pub struct Ordered {
    /// The CertificateRequest.
    request: ObjectName,
    certificate: ObjectName,
    issuer: IssuerRef,
    /// The identifiers, where they are told.
    names: Option<BTreeSet<String>>,
    at: Timestamp,
    is_renewal: bool,
}

impl Ordered {
    /// When it was ordered.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

impl ApiOrder {
    /// What counts of it; nothing when the server refused it.
    #[must_use]
    pub fn reduce(self) -> Option<Ordered> {
        let state = self.status.map(|status| status.state).unwrap_or_default();
        if matches!(state.as_str(), "invalid" | "errored" | "expired") {
            return None;
        }
        let names = self.spec.dns_names.into_iter().chain(self.spec.ip_addresses).flatten();
        let request = self.metadata.owner("CertificateRequest").unwrap_or(&self.metadata.name).to_owned();
        Some(Ordered {
            request: ObjectName { namespace: self.metadata.namespace.clone(), name: request },
            certificate: self.metadata.certificate(),
            names: Some(names.map(|name| name.to_ascii_lowercase()).collect()),
            at: self.metadata.created()?,
            is_renewal: self.metadata.is_renewal(),
            issuer: self.spec.issuer_ref,
        })
    }
}

impl ApiRequest {
    /// What counts of it; nothing when no certificate came of it.
    #[must_use]
    pub fn reduce(self) -> Option<Ordered> {
        self.status?.certificate?;
        Some(Ordered {
            request: ObjectName { namespace: self.metadata.namespace.clone(), name: self.metadata.name.clone() },
            certificate: self.metadata.certificate(),
            names: None,
            at: self.metadata.created()?,
            is_renewal: self.metadata.is_renewal(),
            issuer: self.spec.issuer_ref,
        })
    }
}

/// The identifiers that a Certificate asks for.
#[must_use]
pub fn identifiers(certificate: &LiveCertificate) -> BTreeSet<String> {
    certificate.spec.names.iter().map(|name| name.to_ascii_lowercase()).collect()
}

/// What was ordered since then, each certificate once, whatever tells of it.
#[must_use]
pub fn issuances(
    orders: Vec<Ordered>,
    requests: Vec<Ordered>,
    certificates: &[LiveCertificate],
    inventory: Option<&Inventory>,
    acme: &AcmeIssuers,
    since: Timestamp,
) -> Vec<Issuance> {
    let by_name: HashMap<&ObjectName, &LiveCertificate> = certificates.iter().map(|of| (&of.id, of)).collect();
    let mut known: HashSet<ObjectName> = HashSet::new();
    let mut issuances = Vec::new();
    for ordered in orders.into_iter().chain(requests).filter(|ordered| ordered.at >= since) {
        let Some(server) = acme.server(&ordered.request.namespace, &ordered.issuer) else { continue };
        let names = ordered.names.or_else(|| by_name.get(&ordered.certificate).map(|of| identifiers(of)));
        let Some(names) = names.filter(|names| !names.is_empty()) else { continue };
        if known.insert(ordered.request) {
            issuances.push(Issuance {
                certificate: ordered.certificate,
                server: server.to_owned(),
                names,
                at: ordered.at,
                is_renewal: ordered.is_renewal,
            });
        }
    }
    let told: HashSet<ObjectName> = issuances.iter().map(|issuance| issuance.certificate.clone()).collect();
    for certificate in certificates.iter().filter(|certificate| !told.contains(&certificate.id)) {
        let issued = certificate.secret().and_then(|secret| {
            let secret = inventory?.get(&secret.namespace, &secret.name)?;
            let is_own = secret.producer.as_ref().is_some_and(|of| of.certificate_name == certificate.id.name);
            secret.certificate.as_ref().filter(|_| is_own).map(|facts| facts.not_before)
        });
        let Some(server) = acme.server(&certificate.id.namespace, &certificate.issuer) else { continue };
        if let Some(at) = issued.filter(|&at| at >= since) {
            let is_renewal = certificate.created.is_some_and(|created| created < since);
            issuances.push(Issuance {
                certificate: certificate.id.clone(),
                server: server.to_owned(),
                names: identifiers(certificate),
                at,
                is_renewal,
            });
        }
    }
    issuances
}
