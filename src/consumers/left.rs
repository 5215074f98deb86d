//! Why something in the render is left as it is.

use std::fmt;

use crate::choose::{self, Query};
use crate::inventory::Inventory;
use crate::output::escape::escape;

/// Every reason for leaving a slot, a trigger or a whole object alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// The object carries `routing-secrets.epinio.io/ignore: "true"`.
    Ignored,
    /// TLS ends in the pod; the annotation or field says so.
    Passthrough(String),
    /// The Ingress class takes its certificates from elsewhere.
    ClassIgnoresSecrets(String),
    /// The controller reads the Secret from a namespace that the render does not tell (R6).
    SecretElsewhere(String),
    /// Nothing permits the object to name a Secret of that namespace (R6).
    NotGranted {
        /// What would.
        permission: super::Permission,
        /// The Secret's namespace.
        namespace: String,
    },
    /// A routing secret of that namespace covers the hosts, and nothing permits the object to name it (R6).
    NotPermitted {
        /// What would.
        permission: super::Permission,
        /// The routing secret.
        secret: crate::secret::ObjectName,
    },
    /// The Secrets, or the permissions, of another namespace may not be read.
    NamespaceNotReadable {
        /// The namespace.
        namespace: String,
        /// Why.
        why: String,
    },
    /// The Secret is read from the namespace of pods, and which that is is not known; why, where the cluster was asked.
    PodNamespace(Option<String>),
    /// More than a certificate is read from the Secret, or it is written by someone; what says so.
    ReadsMore(String),
    /// The routing secret's name has a dot, behind which the kind would read a namespace; its name.
    Undotted(String),
    /// Another object must go on naming the same Secret, and does not; which.
    Partner(String),
    /// The slot names no hosts (R8).
    NoHosts,
    /// The listener names no hostname, and no route of the render that attaches to it names one.
    NoRouteHosts,
    /// Which names are served is not known.
    OpenNames(String),
    /// A wildcard host of this kind spans labels, which no certificate covers (R2).
    WildcardSpansLabels(String),
    /// The slot names several Secrets.
    SeveralSecrets,
    /// The slot names something else than a Secret.
    NoSecret,
    /// The listener ends no TLS; its field says so.
    NoTls(String),
    /// The certificate comes from a cloud's or a mesh's own store, or the Secret has to hold more than that.
    CertificateElsewhere(String),
    /// The certificate is written into the object itself.
    InlineCertificate(String),
    /// A host is no name that a certificate could cover.
    UndecidableHost {
        /// The host.
        host: String,
        /// What is wrong with it.
        why: String,
    },
    /// The router's rule does not say which hosts it serves.
    UndecidableRule(String),
    /// The text is reached through an alias, or an anchor in use stands on it.
    SharedNode,
    /// A merge key can hide entries.
    MergeKey,
    /// The text cannot be edited without touching something else.
    Layout,
    /// The document holds characters that YAML 1.1 takes for line breaks and YAML 1.2 does not.
    LineBreaks,
    /// No routing secret of the namespace covers the hosts.
    NotCovered(Vec<String>),
    /// No routing secret is in the namespace, and none was predicted.
    NoneThere(Vec<String>),
    /// Another slot of the object is not covered, so its trigger must stay, and with it all slots (R10).
    TriggerStays(String),
    /// The Secret exists, covers the hosts and is not cert-manager's: someone chose it (R8).
    Chosen,
    /// The slot names the routing secret already, and the trigger is what produces it (R10).
    ProducedByTrigger,
    /// The Secret that the trigger produces is needed elsewhere, and nothing else produces it (R10).
    SecretNeeded(String),
    /// A trigger that someone else owns on the live object survives any upgrade (R12).
    ForeignTrigger {
        /// The annotation.
        key: String,
        /// Who owns it.
        manager: String,
        /// The command that clears it.
        command: String,
    },
    /// The object's Gateway keeps a trigger, which works for the object, too (R12).
    ParentTrigger {
        /// The Gateway.
        gateway: String,
        /// The annotation.
        key: String,
    },
    /// Whether the object's Gateway has a trigger cannot be seen (R12).
    ParentNotSeen(String),
    /// A host that is served now would not be served with the routing secret (R15).
    ReducesCoverage(String),
    /// The object ends no TLS that a Secret could serve, so there is nothing to point elsewhere.
    NoSlot,
}

impl Left {
    /// Whether it leaves open which Secret is meant.
    #[must_use]
    pub fn leaves_secret_open(&self) -> bool {
        matches!(self, Self::SecretElsewhere(_) | Self::PodNamespace(_) | Self::NoSecret)
    }

    /// The hosts that no usable routing secret covers; all when each has one, but not one for all. `hosts` are those
    /// of the query as they are spelt.
    #[must_use]
    pub fn not_covered(query: &Query<'_>, hosts: &[String], inventory: &Inventory) -> Self {
        let uncovered: Vec<String> =
            choose::uncovered(query, inventory).into_iter().filter_map(|at| hosts.get(at).cloned()).collect();
        if inventory.not_predicted().is_none() && inventory.routing(query.namespace).next().is_none() {
            return Self::NoneThere(uncovered);
        }
        Self::NotCovered(if uncovered.is_empty() { vec![format!("{} together", hosts.join(", "))] } else { uncovered })
    }

    /// A stable name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ignored => "ignored",
            Self::Passthrough(_) => "passthrough",
            Self::ClassIgnoresSecrets(_) => "classIgnoresSecrets",
            Self::SecretElsewhere(_) => "secretElsewhere",
            Self::NotGranted { .. } => "notGranted",
            Self::NotPermitted { .. } => "notPermitted",
            Self::NamespaceNotReadable { .. } => "namespaceNotReadable",
            Self::PodNamespace(_) => "podNamespace",
            Self::ReadsMore(_) => "readsMore",
            Self::Undotted(_) => "undotted",
            Self::Partner(_) => "partner",
            Self::NoHosts => "noHosts",
            // To programs both are slots that name no hosts (R8).
            Self::NoRouteHosts => "noHosts",
            Self::OpenNames(_) => "openNames",
            Self::WildcardSpansLabels(_) => "wildcardSpansLabels",
            Self::SeveralSecrets => "severalSecrets",
            Self::NoSecret => "noSecret",
            Self::NoTls(_) => "noTls",
            Self::CertificateElsewhere(_) => "certificateElsewhere",
            Self::InlineCertificate(_) => "inlineCertificate",
            Self::UndecidableHost { .. } => "undecidableHost",
            Self::UndecidableRule(_) => "undecidableRule",
            Self::SharedNode => "sharedNode",
            Self::MergeKey => "mergeKey",
            Self::Layout => "layout",
            Self::LineBreaks => "lineBreaks",
            Self::NotCovered(_) | Self::NoneThere(_) => "notCovered",
            Self::TriggerStays(_) => "triggerStays",
            Self::Chosen => "chosen",
            Self::ProducedByTrigger => "producedByTrigger",
            Self::SecretNeeded(_) => "secretNeeded",
            Self::ForeignTrigger { .. } => "foreignTrigger",
            Self::ParentTrigger { .. } => "parentTrigger",
            Self::ParentNotSeen(_) => "parentNotSeen",
            Self::ReducesCoverage(_) => "reducesCoverage",
            Self::NoSlot => "noSlot",
        }
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ignored => write!(f, "the object says {}: \"true\"", super::IGNORE),
            Self::Passthrough(what) => write!(f, "TLS is passed through to the pod ({})", escape(what)),
            Self::ClassIgnoresSecrets(class) => {
                write!(f, "Ingress class {} does not read Secrets", escape(class))
            }
            Self::SecretElsewhere(what) => {
                write!(f, "its controller reads the Secret from another namespace ({})", escape(what))
            }
            Self::NotGranted { permission, namespace } => {
                write!(f, "no {permission:?} in namespace {} permits it to name a Secret there", escape(namespace))
            }
            Self::NotPermitted { permission, secret } => {
                write!(f, "{secret} covers its hosts, and no {permission:?} permits it to name that Secret")
            }
            Self::NamespaceNotReadable { namespace, why } => {
                write!(f, "namespace {} could not be read: {}", escape(namespace), escape(why))
            }
            Self::PodNamespace(why) => {
                f.write_str("the Secret is read from the namespace of the gateway's pods, ")?;
                match why {
                    Some(why) => write!(f, "and {}", escape(why))?,
                    None => f.write_str("which the render does not tell")?,
                }
                f.write_str(": give it with --gateway-namespace")
            }
            Self::ReadsMore(what) => {
                write!(f, "its Secret is more than the certificate of its hosts ({})", escape(what))
            }
            Self::Undotted(name) => {
                write!(f, "{} cannot be named here: what follows a dot is a namespace", escape(name))
            }
            Self::Partner(which) => write!(f, "{} must name the same Secret, and would not", escape(which)),
            Self::NoHosts => f.write_str("it names no hosts"),
            Self::NoRouteHosts => {
                f.write_str("it names no hostname, and no route of the render that attaches to it names one")
            }
            Self::OpenNames(why) => write!(f, "which names it serves is not known: {}", escape(why)),
            Self::WildcardSpansLabels(host) => write!(
                f,
                "{} stands for names of any depth in this kind, and a certificate's wildcard for one label",
                escape(host)
            ),
            Self::SeveralSecrets => f.write_str("it names several Secrets"),
            Self::NoSecret => f.write_str("it names something else than a Secret"),
            Self::NoTls(what) => write!(f, "it ends no TLS ({})", escape(what)),
            Self::CertificateElsewhere(what) => {
                write!(f, "more than a TLS Secret decides about its certificate ({})", escape(what))
            }
            Self::InlineCertificate(why) => {
                write!(f, "its certificate is written into the object itself ({})", escape(why))
            }
            Self::UndecidableHost { host, why } => write!(f, "host \"{}\": {}", escape(host), escape(why)),
            Self::UndecidableRule(why) => write!(f, "the rule does not say which hosts it serves: {}", escape(why)),
            Self::SharedNode => f.write_str("it is reached through an alias or an anchor in use"),
            Self::MergeKey => f.write_str("a merge key (<<) can hide entries"),
            Self::Layout => f.write_str("its layout cannot be edited without touching its neighbours"),
            Self::LineBreaks => {
                f.write_str("the document holds line breaks (NEL, LS or PS) that YAML readers take differently")
            }
            Self::NoneThere(hosts) => write!(
                f,
                "no routing secret is in the namespace, so none covers {} (--predict takes those that will be copied there)",
                escape(&hosts.join(", "))
            ),
            Self::NotCovered(hosts) => {
                write!(f, "no usable routing secret of the namespace covers {}", escape(&hosts.join(", ")))
            }
            Self::TriggerStays(why) => write!(f, "its trigger must stay: {}", escape(why)),
            Self::Chosen => f.write_str(
                "the Secret exists, covers the hosts and was not made by this render: someone chose it (--all-slots takes it too)",
            ),
            Self::ProducedByTrigger => f.write_str("the trigger is what produces this routing secret"),
            Self::SecretNeeded(why) => {
                write!(f, "the Secret that its trigger produces is still needed: {}", escape(why))
            }
            Self::ForeignTrigger { key, manager, command } => write!(
                f,
                "{} on the live object also belongs to \"{}\", so an upgrade may leave it there; clear it with: {}",
                escape(key),
                escape(manager),
                escape(command)
            ),
            Self::ParentTrigger { gateway, key } => write!(
                f,
                "its {} keeps {}, by which cert-manager orders certificates for its ListenerSets, too",
                escape(gateway),
                escape(key)
            ),
            Self::ParentNotSeen(why) => {
                write!(f, "{}; a trigger there would have the routing secret overwritten", escape(why))
            }
            Self::ReducesCoverage(host) => {
                write!(f, "{} is served now and would not be with the routing secret", escape(host))
            }
            Self::NoSlot => f.write_str("it names no TLS Secret"),
        }
    }
}
