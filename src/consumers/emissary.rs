//! Emissary's Host and TLSContext (getambassador.io): where a Host names a TLSContext, both must name one Secret
//! (emissary-ingress/emissary `python/ambassador/ir/irhost.py`, `irtlscontext.py`).

use super::elsewhere::{Spelled, Spelling};
use super::{Hosts, Left, NodeId, Row, without_port};
use crate::choose::WildcardSpan;
use crate::manifest::document::Document;
use crate::manifest::object::Object;

/// Host.
pub static HOST: Row = Row {
    groups: &["getambassador.io"],
    literals: &["getambassador.io"],
    kind: "Host",
    plural: "hosts",
    tls: &["spec", "tlsSecret"],
    secret_name: &["name"],
    secret_namespace: &["namespace"],
    hosts: Hosts::Object(&["spec", "hostname"]),
    host_name: without_port,
    span: WildcardSpan::ManyLabels,
    partner: Some(("TLSContext", &["spec", "tlsContext", "name"])),
    note: "together with the TLSContext that it names, or not at all",
    skip: skip_host,
    ..Row::PLAIN
};

/// TLSContext.
pub static TLS_CONTEXT: Row = Row {
    groups: &["getambassador.io"],
    literals: &["getambassador.io"],
    kind: "TLSContext",
    plural: "tlscontexts",
    tls: &["spec"],
    secret_name: &["secret"],
    hosts: Hosts::Entry(&["hosts"]),
    host_name: without_port,
    sequences: &["hosts"],
    span: WildcardSpan::ManyLabels,
    inline: &["cert_chain_file", "private_key_file"],
    spelled,
    ..Row::PLAIN
};

/// Edge Stack orders a certificate into the Secret itself, unless the authority is `none`.
fn skip_host(document: &Document<'_>, object: &Object<'_>) -> Option<Left> {
    document.at(object.node, &["spec", "acmeProvider"])?;
    let authority = document.text_at(object.node, &["spec", "acmeProvider", "authority"]);
    (authority != Some("none")).then(|| Left::ReadsMore("spec.acmeProvider writes it".to_owned()))
}

/// What follows the last dot is a namespace, unless `secret_namespacing` is off; what a Module elsewhere says about
/// that cannot be seen.
fn spelled(document: &Document<'_>, tls: NodeId, text: &str) -> Result<Spelled, Left> {
    let namespacing = document.text_at(tls, &["secret_namespacing"]);
    let spelled = Spelled::plain(text);
    match (text.rsplit_once('.'), namespacing) {
        (_, Some("false")) => Ok(spelled),
        (None, _) => Ok(Spelled { spelling: Spelling::Undotted, ..spelled }),
        (Some((name, namespace)), Some("true")) if !name.contains('.') => Ok(Spelled {
            name: name.to_owned(),
            namespace: Some(namespace.to_owned()),
            spelling: Spelling::Suffixed(namespace.to_owned()),
        }),
        (Some(_), _) => Err(Left::SecretElsewhere(format!("secret: {text}, unless secret_namespacing is false"))),
    }
}
