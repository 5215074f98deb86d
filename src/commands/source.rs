//! What the commands that change a source share: the Secret as it stands, the Certificate that writes into it, the
//! words for what was done.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{World, render};
use crate::certificate::live::CERTIFICATES;
use crate::certificate::template::TemplateCertificate;
use crate::cli::{DryRun, KubeArgs};
use crate::cluster::{Cluster, ClusterError, MANAGER, Resource, SECRETS, Session, Write};
use crate::output::escape::escape;
use crate::secret::live::{LiveMetadata, LiveSecret};
use crate::secret::{ObjectName, Secret, judge};

/// How often it is begun anew when somebody else changes the objects meanwhile.
pub(super) const TRIES: usize = 5;

/// The way to the cluster, and the namespace: the one given or the context's.
pub(super) fn open(kube: &KubeArgs, namespace: Option<&str>, world: &World<'_>) -> Result<(Session, String)> {
    let session = render::session(&kube.access()?, world, None)?;
    let namespace = namespace.map_or_else(|| session.cluster().default_namespace().to_owned(), str::to_owned);
    Ok((session, namespace))
}

/// A Secret's name, checked.
pub(super) fn id(namespace: &str, name: &str) -> Result<ObjectName> {
    match ObjectName::parse(&format!("{namespace}/{name}")) {
        Some(id) => Ok(id),
        None => bail!("\"{}/{}\" is no name of a Secret", escape(namespace), escape(name)),
    }
}

/// A Secret of the cluster, judged, and the Certificate that writes into it.
pub(super) struct Source {
    pub(super) live: LiveSecret,
    pub(super) secret: Secret,
    pub(super) certificate: Option<TemplateCertificate>,
}

impl Source {
    /// Reads it; nothing when there is no such Secret.
    pub(super) async fn read(
        cluster: &Cluster,
        id: &ObjectName,
        now: jiff::Timestamp,
    ) -> Result<Option<Self>, ClusterError> {
        let Some(live) = cluster.object::<LiveSecret>(SECRETS, &id.namespace, &id.name).await? else { return Ok(None) };
        let secret = judge(live.raw(), now);
        let mut certificate = None;
        if let Some(producer) = &secret.producer {
            // The annotation is a tenant's text.
            if let Some(of) = ObjectName::parse(&format!("{}/{}", id.namespace, producer.certificate_name)) {
                certificate = cluster.object::<TemplateCertificate>(CERTIFICATES, &of.namespace, &of.name).await?;
            }
        }
        let certificate = certificate.filter(|certificate| certificate.writes(&id.name));
        Ok(Some(Self { live, secret, certificate }))
    }

    /// The object on which annotations for the Secret last.
    pub(super) fn carrier(&self) -> Carrier<'_> {
        match &self.certificate {
            Some(certificate) => Carrier::Certificate(certificate),
            None => Carrier::Secret(&self.live),
        }
    }
}

/// What carries the Secret's labels or annotations.
pub(super) enum Carrier<'c> {
    /// The Secret itself.
    Secret(&'c LiveSecret),
    /// The `secretTemplate` of the Certificate that writes into it.
    Certificate(&'c TemplateCertificate),
}

impl Carrier<'_> {
    fn metadata(&self) -> &LiveMetadata {
        match self {
            Self::Secret(secret) => &secret.metadata,
            Self::Certificate(certificate) => &certificate.metadata,
        }
    }

    /// The object as kubectl names it.
    pub(super) fn name(&self) -> String {
        let kind = match self {
            Self::Secret(_) => SECRET,
            Self::Certificate(_) => CERTIFICATE,
        };
        format!("{kind}/{}", escape(&self.metadata().name))
    }

    /// Merges labels or annotations for the Secret into the object; null takes one away.
    pub(super) async fn merge(
        &self,
        cluster: &Cluster,
        part: &str,
        values: Value,
        dry_run: DryRun,
    ) -> Result<(), ClusterError> {
        let (resource, patch): (Resource<'_>, Value) = match self {
            Self::Secret(_) => (SECRETS, json!({"metadata": {part: values}})),
            Self::Certificate(_) => (CERTIFICATES, json!({"spec": {"secretTemplate": {part: values}}})),
        };
        if dry_run == DryRun::Client {
            return Ok(());
        }
        let metadata = self.metadata();
        cluster.patch(resource, &metadata.id(), &metadata.resource_version, patch, write(dry_run)).await
    }

    /// What undoes the change later, if something does.
    pub(super) fn reverted_by(&self) -> Option<String> {
        let release = self.metadata().annotation("meta.helm.sh/release-name")?;
        Some(format!(
            "{} belongs to the Helm release {}: change its chart or values, too, or an upgrade may undo this",
            self.name(),
            escape(release)
        ))
    }
}

/// A Secret as kubectl names its kind.
pub(super) const SECRET: &str = "secret";

/// A Certificate as kubectl names its kind.
pub(super) const CERTIFICATE: &str = "certificate.cert-manager.io";

/// Our writes.
pub(super) fn write(dry_run: DryRun) -> Write<'static> {
    Write { manager: MANAGER, dry_run: dry_run == DryRun::Server }
}

/// What kubectl adds to what it did not do.
pub(super) fn dry_run_words(dry_run: DryRun) -> &'static str {
    match dry_run {
        DryRun::None => "",
        DryRun::Client => " (dry run)",
        DryRun::Server => " (server dry run)",
    }
}
