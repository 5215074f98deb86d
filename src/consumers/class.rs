//! Ingress classes: where each controller takes the certificates of `spec.tls` from. Classes are known by the names that
//! the controllers' own charts give them; of others nothing is assumed.

use crate::manifest::document::Document;
use crate::manifest::object::Object;

/// A controller of Ingresses.
#[derive(Debug, PartialEq, Eq)]
pub struct Class {
    /// The usual names of its classes.
    pub names: &'static [&'static str],
    /// How it finds a host's certificate.
    pub finds: Finds,
}

/// How a controller finds a host's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finds {
    /// In the Secret of the entry that lists the host.
    Entry,
    /// Among all Secrets that any object names, by the certificates' names.
    Store,
    /// In the entry's Secret, and it serves every name of the certificate with it.
    EveryName,
    /// In the entries' Secrets and, beside them, in what annotations of its cloud name.
    Cloud,
    /// In a Secret of the namespace of its pods.
    PodNamespace,
    /// In a cloud account or a tunnel, not in Secrets.
    NoSecret,
}

/// The table (each controller's translation of `spec.tls`).
static CLASSES: [Class; 15] = [
    // ingress-nginx and F5's controller go by one name, and by the entry's hosts.
    Class { names: &["nginx"], finds: Finds::Entry },
    Class { names: &["traefik"], finds: Finds::Store },
    Class { names: &["kong"], finds: Finds::Entry },
    Class { names: &["contour"], finds: Finds::Entry },
    // By the names of the certificates in one folder.
    Class { names: &["haproxy"], finds: Finds::Entry },
    Class { names: &["apisix"], finds: Finds::EveryName },
    Class { names: &["openshift-default"], finds: Finds::Entry },
    Class { names: &["skipper"], finds: Finds::Entry },
    Class { names: &["pomerium"], finds: Finds::Store },
    Class { names: &["caddy"], finds: Finds::Entry },
    Class { names: &["cilium"], finds: Finds::Entry },
    Class { names: &["gce", "gce-internal"], finds: Finds::Cloud },
    Class { names: &["azure-application-gateway", "azure/application-gateway"], finds: Finds::Entry },
    Class { names: &["istio"], finds: Finds::PodNamespace },
    Class { names: &["alb", "tailscale", "ngrok"], finds: Finds::NoSecret },
];

/// The class that an Ingress names, if it names one.
#[must_use]
pub fn name<'d>(document: &'d Document<'_>, object: &Object<'_>) -> Option<&'d str> {
    let field = document.text_at(object.node, &["spec", "ingressClassName"]);
    field.or_else(|| document.text_at(object.node, &["metadata", "annotations", "kubernetes.io/ingress.class"]))
}

/// How the controller of a class finds certificates, where the class is known.
#[must_use]
pub fn finds(name: &str) -> Option<Finds> {
    CLASSES.iter().find(|class| class.names.contains(&name)).map(|class| class.finds)
}

/// Annotations by which a cloud adds certificates to those of the Secrets.
pub const CLOUD_CERTIFICATES: [&str; 3] = [
    "networking.gke.io/managed-certificates",
    "ingress.gcp.kubernetes.io/pre-shared-cert",
    "networking.gke.io/certmap",
];

/// What makes an Ingress a part of another one of F5's, which alone may end TLS.
pub const MERGEABLE: &str = "nginx.org/mergeable-ingress-type";
