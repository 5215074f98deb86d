//! Secrets and facts for the tests of this folder.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use zeroize::Zeroizing;

use super::{Examined, Facts, Finding, Scope, Severity};
use crate::inventory::{Inventory, Sources};
use crate::secret::{KeyMaterial, ObjectName, RawSecret, judge};

pub(super) const REFLECTS: &str = "reflector.v1.k8s.emberstack.com/reflects";

pub(super) fn now() -> Timestamp {
    "2026-11-24T00:00:00Z".parse().unwrap()
}

pub(super) fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

/// A Secret to be judged, with the label unless it is taken off.
#[derive(Clone)]
pub(super) struct Sample {
    pub(super) id: ObjectName,
    pub(super) type_: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) certificate: String,
    pub(super) authorities: Option<String>,
    pub(super) key: String,
}

pub(super) fn params(hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    let mut params = CertificateParams::new(hosts).unwrap();
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2030, 1, 1);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

impl Sample {
    /// With a certificate that a root in `ca.crt` has issued.
    pub(super) fn new(id: &str, hosts: &[&str]) -> Self {
        Self::with(id, params(hosts))
    }

    pub(super) fn with(id: &str, params: CertificateParams) -> Self {
        let root_key = KeyPair::generate().unwrap();
        let mut root = CertificateParams::new(Vec::new()).unwrap();
        root.distinguished_name.push(DnType::CommonName, "root");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root_pem = root.self_signed(&root_key).unwrap().pem();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &Issuer::new(root, root_key)).unwrap().pem();
        Self {
            id: name(id),
            type_: "kubernetes.io/tls".to_owned(),
            labels: BTreeMap::from([("epinio.io/routing".to_owned(), String::new())]),
            annotations: BTreeMap::new(),
            certificate,
            authorities: Some(root_pem),
            key: key.serialize_pem(),
        }
    }

    pub(super) fn annotate(mut self, entries: &[(&str, &str)]) -> Self {
        self.annotations.extend(entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        self
    }

    /// As the Certificate of this name leaves it.
    pub(super) fn issued_for(self, certificate: &str) -> Self {
        self.annotate(&[
            ("cert-manager.io/certificate-name", certificate),
            ("cert-manager.io/issuer-name", "ca"),
            ("cert-manager.io/issuer-kind", "ClusterIssuer"),
        ])
    }

    /// As Reflector copies it: type and data, its own annotations, no label (`SecretMirror.cs: OnResourceClone`).
    pub(super) fn reflected(&self, id: &str) -> Self {
        let annotations = BTreeMap::new();
        let mirror = Self { id: name(id), labels: BTreeMap::new(), annotations, ..self.clone() };
        mirror.annotate(&[
            (REFLECTS, &self.id.to_string()),
            ("reflector.v1.k8s.emberstack.com/auto-reflects", "True"),
            ("reflector.v1.k8s.emberstack.com/reflected-version", "7"),
            ("reflector.v1.k8s.emberstack.com/reflected-at", "2026-11-01T00:00:00.0000000+00:00"),
        ])
    }

    /// As Kubed copies it: labels and annotations of the source, its own (`pkg/syncer/secret.go: upsertSecret`).
    pub(super) fn synced(&self, id: &str) -> Self {
        let mut copy = Self { id: name(id), ..self.clone() };
        copy.annotations.retain(|key, _| !key.starts_with("kubed.appscode.com/sync"));
        for (key, value) in [("name", &self.id.name), ("namespace", &self.id.namespace), ("cluster", &String::new())] {
            copy.labels.insert(format!("kubed.appscode.com/origin.{key}"), value.clone());
        }
        let origin = format!(
            "{{\"namespace\":\"{}\",\"name\":\"{}\",\"uid\":\"1\",\"resourceVersion\":\"7\"}}",
            self.id.namespace, self.id.name
        );
        copy.annotate(&[("kubed.appscode.com/origin", &origin)])
    }

    fn raw(&self) -> RawSecret {
        RawSecret {
            id: self.id.clone(),
            type_: self.type_.clone(),
            labels: self.labels.clone(),
            annotations: self.annotations.clone(),
            certificate: Ok(Some(self.certificate.clone().into_bytes())),
            authorities: self.authorities.clone().map(String::into_bytes),
            key: Ok(KeyMaterial::Pem(Zeroizing::new(self.key.clone().into_bytes()))),
        }
    }
}

/// Everything in scope, with nothing known of the cluster but these.
pub(super) fn facts(samples: &[Sample]) -> Facts {
    facts_with(samples, Sources::default())
}

pub(super) fn facts_with(samples: &[Sample], sources: Sources) -> Facts {
    let examined: HashMap<ObjectName, Examined> =
        samples.iter().map(|sample| (sample.id.clone(), Examined::new(&sample.raw()))).collect();
    let secrets = samples.iter().map(|sample| judge(sample.raw(), now())).collect();
    Facts::of(Inventory::build(secrets, &sources, now()), sources, examined, Scope::default())
}

/// The warnings and problems, as `severity code object`.
pub(super) fn bad(findings: &[Finding]) -> Vec<String> {
    let bad = findings.iter().filter(|finding| finding.severity > Severity::Ok);
    bad.map(|finding| {
        let mark = if finding.severity == Severity::Problem { "×" } else { "‼" };
        let object = finding.object.as_ref();
        let place =
            object.map(|object| format!(" {}/{}", object.namespace.as_deref().unwrap_or_default(), object.name));
        format!("{mark} {}{}", finding.code, place.unwrap_or_default())
    })
    .collect()
}

/// The finding with this code.
#[track_caller]
pub(super) fn find<'f>(findings: &'f [Finding], code: &str) -> &'f Finding {
    findings.iter().find(|finding| finding.code == code).unwrap_or_else(|| panic!("{code}: {findings:#?}"))
}
