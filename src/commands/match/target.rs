//! What `match` is asked about: hosts, and objects by kubectl's spellings of their kinds.

use anyhow::{Result, bail};
use serde_json::Value;

use crate::cluster::{Cluster, ClusterError, Resource};
use crate::consumers::{Row, TABLE};
use crate::output::escape::escape;

/// One thing that is asked about.
pub(super) enum Target<'t> {
    /// A host name.
    Host(&'t str),
    /// An object of the cluster.
    Object {
        /// The rows that the kind can mean, each with one group that serves it, in the table's order.
        kinds: Vec<(&'static Row, &'static str)>,
        /// The version, where the kind names one.
        version: Option<&'t str>,
        /// The object's name.
        name: &'t str,
    },
}

/// Short names that clusters have for kinds of the table.
const SHORT_NAMES: [(&str, &str); 2] = [("ing", "Ingress"), ("gtw", "Gateway")];

impl<'t> Target<'t> {
    pub(super) fn parse(text: &'t str) -> Result<Self> {
        if text.contains("://") {
            bail!("\"{}\" is a URL: give its host alone", escape(text));
        }
        let Some((kind, name)) = text.split_once('/') else { return Ok(Self::Host(text)) };
        if name.is_empty() || name.contains('/') {
            bail!("\"{}\" is neither a host nor KIND/NAME, such as ingress/shop", escape(text));
        }
        let (word, rest) = kind.split_once('.').map_or((kind, None), |(word, rest)| (word, Some(rest)));
        let version = rest.and_then(|rest| rest.split_once('.')).filter(|(version, _)| is_version(version));
        let group = version.map(|(_, group)| group).or(rest);
        let kinds: Vec<(&Row, &str)> = TABLE
            .iter()
            .filter(|row| is_word_for(word, row))
            .flat_map(|row| row.groups.iter().map(|&served| (*row, served)))
            .filter(|(_, served)| group.is_none_or(|group| group.eq_ignore_ascii_case(served)))
            .collect();
        if kinds.is_empty() {
            let known: Vec<&str> = TABLE.iter().map(|row| row.plural).collect();
            bail!("\"{}\" is no kind that is known here; there are {}", escape(kind), known.join(", "));
        }
        Ok(Self::Object { kinds, version: version.map(|(version, _)| version), name })
    }
}

/// Whether a part of a kind's spelling is a version, such as `v1` or `v1alpha2`.
fn is_version(text: &str) -> bool {
    text.strip_prefix('v').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

fn is_word_for(word: &str, row: &Row) -> bool {
    let is = |other: &str| word.eq_ignore_ascii_case(other);
    is(row.plural) || is(row.kind) || SHORT_NAMES.iter().any(|(short, kind)| is(short) && *kind == row.kind)
}

/// Reads the object of the first kind that has one of this name, as JSON.
pub(super) async fn read(
    cluster: &Cluster,
    kinds: &[(&Row, &str)],
    version: Option<&str>,
    namespace: &str,
    name: &str,
) -> Result<Option<String>, ClusterError> {
    for &(row, group) in kinds {
        let preferred = match version {
            Some(version) => Some(version.to_owned()),
            None => cluster.preferred_version(group).await?,
        };
        let Some(version) = preferred else { continue };
        let resource = Resource { group, version: &version, plural: row.plural };
        if let Some(object) = cluster.object::<Value>(resource, namespace, name).await? {
            return Ok(Some(object.to_string()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(text: &str) -> Vec<&'static str> {
        match Target::parse(text) {
            Ok(Target::Object { kinds, .. }) => kinds.into_iter().map(|(_, group)| group).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn kinds_are_spelt_as_for_kubectl() {
        let ingress = ["networking.k8s.io", "extensions"];
        for kind in ["ingress", "ingresses", "Ingress", "ing", "INGRESSES"] {
            assert_eq!(groups(&format!("{kind}/a")), ingress, "{kind}");
        }
        for kind in ["ingresses.networking.k8s.io", "Ingress.networking.k8s.io", "ingresses.v1.networking.k8s.io"] {
            assert_eq!(groups(&format!("{kind}/a")), ["networking.k8s.io"], "{kind}");
        }
        assert_eq!(groups("ingressroute.traefik.io/a"), ["traefik.io"]);
        assert!(groups("ingressroutes/a").len() > 2, "every group that has the kind is asked");
    }

    #[test]
    fn what_is_no_kind_and_no_host_is_refused() {
        for (text, expected) in [
            ("https://a.example.com/x", "is a URL"),
            ("pod/a", "is no kind that is known here; there are ingresses, "),
            ("ingress/", "is neither a host nor KIND/NAME"),
            ("ingress/a/b", "is neither a host nor KIND/NAME"),
            ("ingress.example.org/a", "is no kind"),
        ] {
            let error = Target::parse(text).err().unwrap().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
