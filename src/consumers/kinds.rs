//! The table of kinds as a user reads it.

use schemars::JsonSchema;
use serde::Serialize;

use super::reference::{REFERENCES, Reference};
use super::{Hosts, Row, TABLE};
use crate::choose::WildcardSpan;
use crate::plan::API_VERSION;

/// The kinds, as `kinds -o json` prints them.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KindList {
    /// `routing-secrets.epinio.io/v1alpha1`.
    pub api_version: &'static str,
    /// `KindList`.
    pub kind: &'static str,
    /// The kinds, in the order of the table.
    pub items: Vec<Kind>,
}

/// One kind.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Kind {
    /// The kind.
    pub kind: &'static str,
    /// The API groups that serve it.
    pub groups: &'static [&'static str],
    /// The plural name of its resource.
    pub resource: &'static str,
    /// What happens to it.
    pub treatment: Treatment,
    /// Where it names TLS Secrets.
    pub secret_names: Vec<String>,
    /// Where it names the hosts that they serve; empty where it names none.
    pub hosts: String,
    /// What the `*` of a host stands for; absent where there are no hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wildcard: Option<Wildcard>,
    /// What makes an issuer order a certificate for it, and is removed.
    pub triggers: Vec<String>,
    /// What else is good to know.
    pub note: &'static str,
}

/// What happens to the objects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Treatment {
    /// Its slots are pointed at routing secrets.
    Rewritten,
    /// It only refers to Secrets: it is never rewritten, and a Certificate whose Secret it names stays.
    Referring,
    /// It is dropped when nothing needs it any more.
    Dropped,
}

/// What the `*` of a host stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Wildcard {
    /// One label, as in a certificate.
    OneLabel,
    /// Names of any depth: such a host is left.
    ManyLabels,
}

/// Every kind that is known.
#[must_use]
pub fn kinds() -> KindList {
    let mut items: Vec<Kind> = TABLE.iter().map(|row| consumer(row)).collect();
    items.extend(REFERENCES.iter().map(referring));
    items.push(certificate());
    KindList { api_version: API_VERSION, kind: "KindList", items }
}

fn consumer(row: &'static Row) -> Kind {
    let block_trigger = row.block_trigger.map(|trigger| path(row, &[row.tls, &[trigger.key]]));
    let annotations = row.annotation_triggers.then(|| "annotations".to_owned());
    Kind {
        kind: row.kind,
        groups: row.groups,
        resource: row.plural,
        treatment: Treatment::Rewritten,
        secret_names: secret_names(row),
        hosts: match &row.hosts {
            Hosts::Entry(hosts) => path(row, &[row.tls, hosts]),
            Hosts::Object(hosts) => path(row, &[hosts]),
            Hosts::Name => "metadata.name".to_owned(),
            Hosts::Rules(_) => "spec.routes[].match".to_owned(),
        },
        wildcard: Some(match row.span {
            WildcardSpan::OneLabel => Wildcard::OneLabel,
            WildcardSpan::ManyLabels => Wildcard::ManyLabels,
        }),
        triggers: annotations.into_iter().chain(block_trigger).collect(),
        note: row.note,
    }
}

fn secret_names(row: &Row) -> Vec<String> {
    let blocks = std::iter::once(&row.tls).chain(row.further_tls);
    let names = [row.secret_name, row.secret_names];
    let of_block = |block: &&'static [&'static str]| {
        let names = names.iter().filter(|name| !name.is_empty());
        names.map(|name| path(row, &[block, name])).collect::<Vec<_>>()
    };
    blocks.flat_map(of_block).collect()
}

/// The path of a field, with `[]` behind what is a sequence.
fn path(row: &Row, parts: &[&[&str]]) -> String {
    let key = |key: &&str| format!("{key}{}", if row.sequences.contains(key) { "[]" } else { "" });
    parts.iter().flat_map(|part| part.iter()).map(key).collect::<Vec<_>>().join(".")
}

fn referring(reference: &'static Reference) -> Kind {
    Kind {
        kind: reference.kind,
        groups: reference.groups,
        resource: reference.plural,
        treatment: Treatment::Referring,
        secret_names: reference.secret_names.iter().map(|&path| path.to_owned()).collect(),
        hosts: String::new(),
        wildcard: None,
        triggers: Vec::new(),
        note: "never rewritten: a Certificate whose Secret it names stays",
    }
}

fn certificate() -> Kind {
    Kind {
        kind: "Certificate",
        groups: &["cert-manager.io"],
        resource: "certificates",
        treatment: Treatment::Dropped,
        secret_names: vec!["spec.secretName".to_owned()],
        hosts: "spec.dnsNames[]".to_owned(),
        wildcard: Some(Wildcard::OneLabel),
        triggers: Vec::new(),
        note: "dropped when nothing needs its Secret any more",
    }
}
