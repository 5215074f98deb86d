//! The conditions under which a Certificate stays (R13). Each is a function with its own reason;
//! it goes only if none of them speaks.

use std::fmt;

use super::CertificateSpec;
use crate::output::escape::escape;

/// Why a Certificate stays, or why the Secret that a trigger would produce is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// `--keep-certificates` was given.
    Asked,
    /// No slot of the render names its Secret (R14).
    NoSlot,
    /// A slot that names its Secret was not rewritten; the object and why.
    SlotLeft(String),
    /// The Secret's name occurs elsewhere in the render; where.
    Mentioned(String),
    /// Its CA is injected into other objects.
    Injected,
    /// The Secret is read by name through the API, which no manifest shows.
    ReadByName,
    /// It is a CA.
    Ca,
    /// It asks for more than a server certificate; the fields.
    Extras(Vec<String>),
    /// It asks for usages other than a server's.
    Usages(Vec<String>),
    /// It has no names that a routing secret could cover.
    NoNames,
    /// A name is not covered by the secrets now used.
    NameNotCovered(String),
    /// Its Secret is marked as a routing secret or is replicated; the keys.
    Distributes(Vec<String>),
    /// Its Secret is a routing secret, or the source of one.
    IsRoutingSecret,
    /// A merge key can hide what it asks for.
    MergeKey,
    /// It cannot be taken out of the stream alone.
    Layout,
}

impl Keep {
    /// A stable name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::NoSlot => "noSlot",
            Self::SlotLeft(_) => "slotLeft",
            Self::Mentioned(_) => "mentioned",
            Self::Injected => "injected",
            Self::ReadByName => "readByName",
            Self::Ca => "ca",
            Self::Extras(_) => "extras",
            Self::Usages(_) => "usages",
            Self::NoNames => "noNames",
            Self::NameNotCovered(_) => "nameNotCovered",
            Self::Distributes(_) => "distributes",
            Self::IsRoutingSecret => "isRoutingSecret",
            Self::MergeKey => "mergeKey",
            Self::Layout => "layout",
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("--keep-certificates was given"),
            Self::NoSlot => f.write_str("no object of the render serves hosts with its Secret"),
            Self::SlotLeft(which) => write!(f, "{} still names its Secret", escape(which)),
            Self::Mentioned(place) => write!(f, "the Secret's name also stands in {}", escape(place)),
            Self::Injected => f.write_str("cert-manager injects its CA into other objects (inject-ca-from)"),
            Self::ReadByName => f.write_str("programs read the Secret by its name through the API"),
            Self::Ca => f.write_str("it is a CA"),
            Self::Extras(fields) => {
                write!(f, "it is more than a server certificate ({})", escape(&fields.join(", ")))
            }
            Self::Usages(usages) => write!(f, "it asks for other usages ({})", escape(&usages.join(", "))),
            Self::NoNames => f.write_str("it has no DNS names"),
            Self::NameNotCovered(name) => {
                write!(f, "{} is not covered by the secrets that are used now", escape(name))
            }
            Self::Distributes(keys) => {
                write!(f, "its Secret is marked for others to use ({})", escape(&keys.join(", ")))
            }
            Self::IsRoutingSecret => f.write_str("its Secret is a routing secret, or is copied elsewhere"),
            Self::MergeKey => f.write_str("a merge key (<<) can hide what it asks for"),
            Self::Layout => f.write_str("it cannot be taken out of the text without touching its neighbours"),
        }
    }
}

/// What is known about the Secret of a Certificate, from the render and the inventory.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// `--keep-certificates`.
    pub keep_all: bool,
    /// Whether some slot named the Secret.
    pub has_slot: bool,
    /// The first slot that names it and is not rewritten, with the reason.
    pub slot_left: Option<String>,
    /// The first other place that names it.
    pub mentioned: Option<String>,
    /// Whether its CA is injected.
    pub injected: bool,
    /// Whether it is read by name through the API.
    pub read_by_name: bool,
    /// The first of its names that the secrets now used do not cover.
    pub not_covered: Option<String>,
    /// Whether its Secret is a routing secret, the source of a mirror, or marked to be copied.
    pub is_routing_secret: bool,
    /// Why it cannot be taken out of the stream alone.
    pub fixed: Option<Keep>,
}

/// The first condition that speaks against dropping the Certificate; `None` when all hold.
#[must_use]
pub fn keep(spec: &CertificateSpec, facts: &Facts) -> Option<Keep> {
    const CONDITIONS: [fn(&CertificateSpec, &Facts) -> Option<Keep>; 14] = [
        asked,
        certificate_authority,
        no_slot,
        routing_secret,
        distributes,
        slot_left,
        read_by_name,
        mentioned,
        injected,
        extras,
        usages,
        no_names,
        not_covered,
        fixed,
    ];
    CONDITIONS.iter().find_map(|condition| condition(spec, facts))
}

fn asked(_: &CertificateSpec, facts: &Facts) -> Option<Keep> {
    facts.keep_all.then_some(Keep::Asked)
}

fn certificate_authority(spec: &CertificateSpec, _: &Facts) -> Option<Keep> {
    spec.is_ca.then_some(Keep::Ca)
}

fn no_slot(_: &CertificateSpec, facts: &Facts) -> Option<Keep> {
    (!facts.has_slot).then_some(Keep::NoSlot)
}

fn routing_secret(_: &CertificateSpec, facts: &Facts) -> Option<Keep> {
    facts.is_routing_secret.then_some(Keep::IsRoutingSecret)
}

fn distributes(spec: &CertificateSpec, _: &Facts) -> Option<Keep> {
    (!spec.distributes.is_empty()).then(|| Keep::Distributes(spec.distributes.clone()))
}

fn slot_left(_: &CertificateSpec, facts: &Facts) -> Option<Keep> {
    facts.slot_left.clone().map(Keep::SlotLeft)
}

fn read_by_name(_: &CertificateSpec, facts: &Facts) -> Option<Keep> {
    facts.read_by_name.then_some(Keep::ReadByName)
}

fn mentioned(_: &CertificateSpec, facts: &Facts) -> Option<Keep> {
    facts.mentioned.clone().map(Keep::Mentioned)
}

fn injected(_: &CertificateSpec, facts: &Facts) -> Option<Keep> {
    facts.injected.then_some(Keep::Injected)
}

fn extras(spec: &CertificateSpec, _: &Facts) -> Option<Keep> {
    (!spec.extras.is_empty()).then(|| Keep::Extras(spec.extras.clone()))
}

fn usages(spec: &CertificateSpec, _: &Facts) -> Option<Keep> {
    (!spec.foreign_usages.is_empty()).then(|| Keep::Usages(spec.foreign_usages.clone()))
}

fn no_names(spec: &CertificateSpec, _: &Facts) -> Option<Keep> {
    spec.names.is_empty().then_some(Keep::NoNames)
}

fn not_covered(_: &CertificateSpec, facts: &Facts) -> Option<Keep> {
    facts.not_covered.clone().map(Keep::NameNotCovered)
}

fn fixed(_: &CertificateSpec, facts: &Facts) -> Option<Keep> {
    facts.fixed.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> (CertificateSpec, Facts) {
        let spec = CertificateSpec { names: vec!["a.x".to_owned()], ..CertificateSpec::default() };
        (spec, Facts { has_slot: true, ..Facts::default() })
    }

    #[test]
    fn r13_a_plain_certificate_that_nothing_needs_goes() {
        let (spec, facts) = plain();
        assert_eq!(keep(&spec, &facts), None);
    }

    #[test]
    fn r13_each_condition_speaks_for_itself() {
        let facts = |change: fn(&mut Facts)| {
            let (spec, mut facts) = plain();
            change(&mut facts);
            keep(&spec, &facts)
        };
        let spec = |change: fn(&mut CertificateSpec)| {
            let (mut spec, facts) = plain();
            change(&mut spec);
            keep(&spec, &facts)
        };
        let text = || "x".to_owned();
        for (found, expected) in [
            (facts(|facts| facts.keep_all = true), Keep::Asked),
            (facts(|facts| facts.has_slot = false), Keep::NoSlot),
            (facts(|facts| facts.slot_left = Some("x".to_owned())), Keep::SlotLeft(text())),
            (facts(|facts| facts.mentioned = Some("x".to_owned())), Keep::Mentioned(text())),
            (facts(|facts| facts.injected = true), Keep::Injected),
            (facts(|facts| facts.read_by_name = true), Keep::ReadByName),
            (facts(|facts| facts.not_covered = Some("x".to_owned())), Keep::NameNotCovered(text())),
            (facts(|facts| facts.is_routing_secret = true), Keep::IsRoutingSecret),
            (facts(|facts| facts.fixed = Some(Keep::Layout)), Keep::Layout),
            (spec(|spec| spec.is_ca = true), Keep::Ca),
            (spec(|spec| spec.extras = vec!["x".to_owned()]), Keep::Extras(vec![text()])),
            (spec(|spec| spec.foreign_usages = vec!["x".to_owned()]), Keep::Usages(vec![text()])),
            (spec(|spec| spec.names.clear()), Keep::NoNames),
            (spec(|spec| spec.distributes = vec!["x".to_owned()]), Keep::Distributes(vec![text()])),
        ] {
            assert_eq!(found, Some(expected));
        }
    }
}
