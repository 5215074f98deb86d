//! The plan as the results of a KRM function (kustomize `kyaml/fn/framework/result.go`).

use serde::Serialize;

use crate::manifest::Document;
use crate::output::structured::{StructuredError, json, yaml};
use crate::plan::{CertificateDecision, ObjectRef, Plan, SlotDecision, TriggerDecision};

/// One thing that the function did, or did not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KrmResult {
    message: String,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_ref: Option<ResourceRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceRef {
    api_version: String,
    kind: String,
    name: String,
    namespace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Field {
    path: String,
}

/// Why results could not be added to a list.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// The list's text has no place for them, or holds some already.
    #[error("the ResourceList has results already, or does not end with its last key: its results have no place")]
    NoPlace,
    /// They cannot be written.
    #[error(transparent)]
    Structured(#[from] StructuredError),
}

/// What the plan says, a result each.
#[must_use]
pub fn results(plan: &Plan) -> Vec<KrmResult> {
    let mut results = Vec::new();
    for slot in &plan.slots {
        let to: Vec<String> =
            slot.to.iter().map(|to| format!("{} for {}", to.secret_name, to.hosts.join(", "))).collect();
        let (severity, message) = match slot.decision {
            SlotDecision::Rewritten | SlotDecision::Split => {
                ("info", format!("rewritten: {} -> {}", slot.from, to.join("; ")))
            }
            SlotDecision::Kept => ("info", format!("kept: {}", slot.reason.message)),
            SlotDecision::Left => ("warning", format!("left: {}", slot.reason.message)),
        };
        results.push(result(severity, message, Some(&slot.object), Some(&slot.path)));
    }
    for trigger in &plan.triggers {
        let (severity, message) = match trigger.decision {
            TriggerDecision::Removed => ("info", format!("removed: {}: {}", trigger.key, trigger.value)),
            TriggerDecision::Left => ("warning", format!("left: {}: {}", trigger.key, trigger.reason.message)),
        };
        results.push(result(severity, message, Some(&trigger.object), None));
    }
    for certificate in &plan.certificates {
        let message = match certificate.decision {
            CertificateDecision::Dropped => {
                format!("dropped: {} covers {}", certificate.covered_by.join(" and "), certificate.names.join(", "))
            }
            CertificateDecision::Kept => format!("stays: {}", certificate.reason.message),
        };
        results.push(result("info", message, Some(&certificate.object), None));
    }
    results.extend(plan.warnings.iter().map(|warning| result("warning", warning.message.clone(), None, None)));
    results
}

fn result(severity: &'static str, message: String, object: Option<&ObjectRef>, path: Option<&str>) -> KrmResult {
    let resource_ref = object.map(|object| ResourceRef {
        api_version: object.api_version.clone(),
        kind: object.kind.clone(),
        name: object.name.clone(),
        namespace: object.namespace.clone(),
    });
    KrmResult { message, severity, resource_ref, field: path.map(|path| Field { path: path.to_owned() }) }
}

/// The list with the results as its last key.
///
/// # Errors
/// When the text has no place for them, or they cannot be written.
pub fn append_results(list: &str, results: &[KrmResult]) -> Result<String, ResultsError> {
    #[derive(Serialize)]
    struct Results<'r> {
        results: &'r [KrmResult],
    }
    if results.is_empty() {
        return Ok(list.to_owned());
    }
    let text = match list.trim_end().strip_suffix('}').filter(|_| list.trim_start().starts_with('{')) {
        Some(open) => {
            let added = json(&Results { results })?;
            format!("{},{}", open.trim_end(), added.strip_prefix('{').unwrap_or(&added))
        }
        None => {
            let line_break = if list.ends_with('\n') { "" } else { "\n" };
            format!("{list}{line_break}{}", yaml(&Results { results })?)
        }
    };
    let has_results = Document::parse(text.as_bytes()).is_ok_and(|document| {
        let Some(root) = document.only_root() else { return false };
        let found: Vec<_> = document.all(root, "results").map(|(_, value)| document.items(value).count()).collect();
        found == [results.len()]
    });
    if has_results { Ok(text) } else { Err(ResultsError::NoPlace) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Vec<KrmResult> {
        vec![result("info", "kept: a\nb: \u{1b}[0m".to_owned(), None, Some("spec.tls"))]
    }

    #[test]
    fn results_follow_a_block_mapping() {
        let text = append_results("kind: ResourceList\nitems:\n- a: 1 # kept", &one()).unwrap();
        assert!(text.starts_with("kind: ResourceList\nitems:\n- a: 1 # kept\n"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn results_go_inside_a_flow_mapping() {
        let text = append_results("{\"items\": [{\"a\": {}}]}\n", &one()).unwrap();
        assert!(text.starts_with("{\"items\": [{\"a\": {}}],"), "{text}");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["results"][0]["field"]["path"], "spec.tls");
    }

    #[test]
    fn a_list_that_cannot_take_results_is_an_error() {
        for list in ["a: 1\nresults: []\n", "a: 1\n...\n", "- a\n", "a: |+\n  x\n---\nb: 1\n"] {
            assert!(append_results(list, &one()).is_err(), "{list}");
        }
        assert_eq!(append_results("a: 1\n", &[]).unwrap(), "a: 1\n");
    }
}
