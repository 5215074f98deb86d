//! The table of kinds: which objects name hosts and the Secret they are served with.
//!
//! A row says where a kind keeps its hosts, its Secret's name and its triggers. Rows are found by
//! group *and* kind. Adding a kind of a known shape is adding a row.

pub mod cis;
pub mod class;
pub mod elsewhere;
pub mod emissary;
pub mod gateway;
pub mod gloo;
pub mod ingress;
mod inline;
pub mod istio;
pub mod kinds;
pub mod left;
pub mod others;
mod path;
pub mod read;
pub mod reference;
pub mod rule;
mod slot;
pub mod traefik;
pub mod trigger;
pub mod unknown;

pub use elsewhere::Spelled;
pub use left::Left;
pub use read::{Consumer, Served, Slot, read};

use crate::choose::WildcardSpan;
use crate::manifest::document::Document;
pub use crate::manifest::document::NodeId;
use crate::manifest::object::Object;
use trigger::Actor;

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
    /// Further paths of TLS blocks.
    pub further_tls: &'static [&'static [&'static str]],
    /// The path of the Secret's name in the TLS block; on the way a sequence must have one item.
    pub secret_name: &'static [&'static str],
    /// The path of a list of names that a kind takes instead, with one item.
    pub secret_names: &'static [&'static str],
    /// The path in the TLS block of the namespace that the name is meant in, where a kind can name one.
    pub secret_namespace: &'static [&'static str],
    /// Whether its slots are listeners, which serve the hosts of the routes that attach where they name none.
    pub has_listeners: bool,
    /// What must allow a Secret of another namespace than the object's, if anything.
    pub permission: Option<Permission>,
    /// The keys of a TLS block that say where the certificate is instead of a Secret.
    pub inline: &'static [&'static str],
    /// How a slot spells the Secret's name.
    pub spelled: fn(&Document<'_>, NodeId, &str) -> Result<Spelled, Left>,
    /// Where the hosts of a slot stand.
    pub hosts: Hosts,
    /// The host name in what the kind takes for a host.
    pub host_name: fn(&str) -> &str,
    /// Where labels say whose pods read the Secret, from their own namespace; empty for most kinds.
    pub pod_selector: &'static [&'static str],
    /// The kind and the path of the name of an object that must go on naming the same Secret.
    pub partner: Option<(&'static str, &'static [&'static str])>,
    /// The keys of these paths that hold sequences, for people.
    pub sequences: &'static [&'static str],
    /// What else a user should know about the kind.
    pub note: &'static str,
    /// Whether the TLS block is a sequence of `hosts` and `secretName`, so that an entry can be split (R9).
    pub splits: bool,
    /// How many labels a `*` host of this kind spans.
    pub span: WildcardSpan,
    /// Whether annotations of the object can be triggers.
    pub annotation_triggers: bool,
    /// The trigger that stands in the TLS block itself.
    pub block_trigger: Option<BlockTrigger>,
    /// Names that are served with the slots' certificates though no slot lists them.
    pub served: for<'d> fn(&'d Document<'_>, &Object<'_>) -> Served<'d>,
    /// Why an object of this kind must be left alone whatever the secrets are.
    pub skip: fn(&Document<'_>, &Object<'_>) -> Option<Left>,
    /// Why a TLS block must be left alone whatever the secrets are.
    pub skip_slot: fn(&Document<'_>, NodeId) -> Option<Left>,
}

impl Row {
    /// What most kinds have in common; a row says what differs.
    pub const PLAIN: Self = Self {
        groups: &[],
        literals: &[],
        kind: "",
        plural: "",
        tls: &["spec", "tls"],
        further_tls: &[],
        secret_name: &["secretName"],
        secret_names: &[],
        secret_namespace: &[],
        has_listeners: false,
        permission: None,
        inline: &[],
        spelled: |_, _, text| Ok(Spelled::plain(text)),
        hosts: Hosts::Entry(&["hosts"]),
        host_name: |host| host,
        pod_selector: &[],
        partner: None,
        sequences: &[],
        note: "",
        splits: false,
        span: WildcardSpan::OneLabel,
        annotation_triggers: false,
        block_trigger: None,
        served: |_, _| Served::default(),
        skip: |_, _| None,
        skip_slot: |_, _| None,
    };
}

/// A key in the TLS block that makes somebody order a certificate.
#[derive(Clone, Copy, Debug)]
pub struct BlockTrigger {
    /// The key.
    pub key: &'static str,
    /// The key that only shapes the order.
    pub companion: Option<&'static str>,
    /// What acts on it.
    pub actor: Actor,
    /// Whether it can stand in the place of the Secret's name (R8).
    pub replaces_name: bool,
}

/// The kind of object that allows a consumer to name a Secret of another namespace: a security boundary, so it is
/// checked and never created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// A ReferenceGrant of the Gateway API.
    ReferenceGrant,
    /// A TLSCertificateDelegation of Contour.
    TLSCertificateDelegation,
}

/// Where the hosts of a slot stand.
#[derive(Debug)]
pub enum Hosts {
    /// A path in the slot's own TLS block: a name, or a sequence of names.
    Entry(&'static [&'static str]),
    /// A path in the object: a name, or a sequence of names.
    Object(&'static [&'static str]),
    /// The object's own name.
    Name,
    /// The rules of every route of the object.
    Rules(rule::Matcher),
}

/// The table.
pub static TABLE: &[&Row] = &[
    &ingress::INGRESS,
    &gateway::GATEWAY,
    &gateway::LISTENER_SET,
    &gateway::X_LISTENER_SET,
    &traefik::INGRESS_ROUTE,
    &traefik::INGRESS_ROUTE_TCP,
    &others::OPENSHIFT_ROUTE,
    &others::HTTP_PROXY,
    &others::CONTOUR_INGRESS_ROUTE,
    &others::NGINX_VIRTUAL_SERVER,
    &others::NGINX_TRANSPORT_SERVER,
    &others::TCP_INGRESS,
    &others::ROUTE_GROUP,
    &others::DOMAIN_MAPPING,
    &others::APISIX_TLS,
    &istio::GATEWAY,
    &emissary::HOST,
    &emissary::TLS_CONTEXT,
    &gloo::VIRTUAL_SERVICE,
    &gloo::GATEWAY,
    &gloo::MATCHABLE_HTTP_GATEWAY,
    &gloo::MATCHABLE_TCP_GATEWAY,
    &cis::TLS_PROFILE,
    &cis::TRANSPORT_SERVER,
];

/// The host of `host:port`.
fn without_port(host: &str) -> &str {
    let port = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    port.map_or(host, |(host, _)| host)
}

/// The row of an object, if it is a consumer.
#[must_use]
pub fn row(object: &Object<'_>) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.kind == object.kind && row.groups.contains(&object.group)).copied()
}
