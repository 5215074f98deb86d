//! Which object must carry the label of a routing secret, so that the label stays (or stays away).

use super::{Origin, ROUTING_LABEL, Reason, Replicator, Secret};
use crate::certificate::template::TemplateCertificate;
use crate::output::escape::escape;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marking {
    /// Nothing: it is as it should be.
    AsItIs,
    /// Nothing: the `secretTemplate` has the label, and cert-manager puts it on.
    InTemplate,
    /// The Secret's own label; a mirror that is made anew will be without it.
    OnSecret {
        /// Who may make it anew.
        until: Option<Replicator>,
    },
    /// The label in the `secretTemplate`.
    OnCertificate,
}

/// Why a Secret's label is not touched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It cannot serve.
    #[error("it is not usable: {}", sentences(.0))]
    NotUsable(Vec<Reason>),
    /// The label would not last.
    #[error("{by} would undo it: {cure}")]
    Undone {
        /// Who copies it.
        by: Replicator,
        /// What to do.
        cure: String,
    },
}

/// Reasons in one sentence.
#[must_use]
pub fn sentences(reasons: &[Reason]) -> String {
    reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join("; ")
}

/// How a Secret becomes a routing secret. A label set by hand outlasts re-issue and renewal, unless a `secretTemplate`
/// has ever had it (seen with cert-manager 1.21).
///
/// # Errors
/// When the Secret is not usable, or whoever copies it would take the label away.
pub fn mark(secret: &Secret, template: Option<&TemplateCertificate>) -> Result<Marking, Refusal> {
    if !secret.is_usable() {
        return Err(Refusal::NotUsable(secret.problems.clone()));
    }
    if secret.routing {
        return Ok(Marking::AsItIs);
    }
    if template.is_some_and(|certificate| certificate.has_label(ROUTING_LABEL)) {
        return Ok(Marking::InTemplate);
    }
    on_secret(secret, "mark")
}

/// How a Secret ceases to be a routing secret.
///
/// # Errors
/// When whoever copies it would put the label back.
pub fn unmark(secret: &Secret, template: Option<&TemplateCertificate>) -> Result<Marking, Refusal> {
    if template.is_some_and(|certificate| certificate.has_label(ROUTING_LABEL)) {
        return Ok(Marking::OnCertificate);
    }
    if secret.routing { on_secret(secret, "unmark") } else { Ok(Marking::AsItIs) }
}

fn on_secret(secret: &Secret, command: &str) -> Result<Marking, Refusal> {
    use Replicator::{ClusterSecret, ExternalSecrets, Kubed, Kyverno, Mittwald, Reflector, RoutingSecrets};
    let (by, of) = match &secret.origin {
        Origin::Source => return Ok(Marking::OnSecret { until: None }),
        // It patches annotations and data alone (Reflector `SecretMirror.cs`).
        Origin::Mirror { by: Reflector, .. } => return Ok(Marking::OnSecret { until: Some(Reflector) }),
        // A mirror that asks for its data keeps its own labels; one that is pushed has its source's.
        Origin::Mirror { by: Mittwald, .. } => return Ok(Marking::OnSecret { until: None }),
        Origin::Mirror { by, of } => (*by, Some(of)),
        Origin::Copy { by } => (*by, None),
    };
    let cure = match (by, of) {
        (Kubed | RoutingSecrets, Some(of)) => {
            format!("kubectl routing-secrets {command} {} -n {}", escape(&of.name), escape(&of.namespace))
        }
        (ExternalSecrets, _) => format!("{command} it in the ExternalSecret's spec.target.template.metadata.labels"),
        (ClusterSecret, _) => format!("{command} it in the labels of the ClusterSecret"),
        (Kubed | RoutingSecrets | Reflector | Mittwald | Kyverno, _) => format!("{command} the source instead"),
    };
    Err(Refusal::Undone { by, cure })
}

#[cfg(test)]
#[path = "marking_tests.rs"]
mod tests;
