//! The labels and annotations that a Certificate puts on its Secret (cert-manager `spec.secretTemplate`).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::secret::live::LiveMetadata;

/// A Certificate of a cluster, as far as its `secretTemplate` goes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TemplateCertificate {
    /// Its metadata.
    pub metadata: LiveMetadata,
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    secret_name: String,
    secret_template: Option<Template>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Template {
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
}

impl TemplateCertificate {
    /// Whether it writes into the Secret of this name.
    #[must_use]
    pub fn writes(&self, secret: &str) -> bool {
        self.spec.secret_name == secret
    }

    /// Whether the template has the label.
    #[must_use]
    pub fn has_label(&self, key: &str) -> bool {
        self.template().and_then(|template| template.labels.as_ref()).is_some_and(|labels| labels.contains_key(key))
    }

    /// The template's annotations.
    #[must_use]
    pub fn annotations(&self) -> Option<&BTreeMap<String, String>> {
        self.template()?.annotations.as_ref()
    }

    fn template(&self) -> Option<&Template> {
        self.spec.secret_template.as_ref()
    }
}
