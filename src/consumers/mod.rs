//! The table of kinds: which objects name hosts and the Secret they are served with.
//!
//! A row says where a kind keeps its hosts, its Secret's name and its triggers. Rows are found by
//! group *and* kind. Adding a kind of a known shape is adding a row.

pub mod ingress;
pub mod left;
pub mod read;
pub mod rule;
pub mod traefik;
pub mod trigger;

pub use left::Left;
pub use read::{Consumer, Served, Slot, read};

use crate::choose::WildcardSpan;
use crate::manifest::document::Document;
pub use crate::manifest::document::NodeId;
use crate::manifest::object::Object;

/// The annotation with which an object opts out (R12).
pub const IGNORE: &str = "routing-secrets.epinio.io/ignore";

/// One kind of consumer.
#[derive(Debug)]
pub struct Row {
    /// The API groups that serve the kind.
    pub groups: &'static [&'static str],
    /// Where the group alone is too common a word: what the documents hold instead.
    pub literals: &'static [&'static str],
    /// The kind.
    pub kind: &'static str,
    /// The plural name of its resource.
    pub plural: &'static str,
    /// The path of the TLS block: a mapping, or a sequence of entries of which each is a slot.
    pub tls: &'static [&'static str],
    /// The key of the Secret's name in the TLS block.
    pub secret_name: &'static str,
    /// Where the hosts of a slot stand.
    pub hosts: Hosts,
    /// How many labels a `*` host of this kind spans.
    pub span: WildcardSpan,
    /// Whether annotations of the object can be triggers.
    pub annotation_triggers: bool,
    /// The key in the TLS block that makes the controller order a certificate by itself, with the
    /// key that only shapes its order.
    pub resolver: Option<(&'static str, &'static str)>,
    /// Names that are served with the slots' certificates though no slot lists them.
    pub served: fn(&Document<'_>, &Object<'_>) -> Served,
    /// Why an object of this kind must be left alone whatever the secrets are.
    pub skip: fn(&Document<'_>, &Object<'_>) -> Option<Left>,
}

/// Where the hosts of a slot stand.
#[derive(Debug)]
pub enum Hosts {
    /// A sequence of names in the slot's own entry.
    Entry(&'static str),
    /// The rules of every route of the object.
    Rules(rule::Matcher),
}

/// The table.
pub static TABLE: &[&Row] = &[&ingress::INGRESS, &traefik::INGRESS_ROUTE, &traefik::INGRESS_ROUTE_TCP];

/// The row of an object, if it is a consumer.
#[must_use]
pub fn row(object: &Object<'_>) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.kind == object.kind && row.groups.contains(&object.group)).copied()
}
