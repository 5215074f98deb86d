//! The answer to "which routing secret serves this": of a host, or of a slot of a live object. It is data; tables and
//! JSON are views of it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::choose::epinio::{Domains, EpinioChoice};
use crate::choose::{Cover, HostName, Query, WildcardSpan, choose, split};
use crate::consumers::{Consumer, Left, Slot};
use crate::inventory::Inventory;
use crate::output::escape::escape;
use crate::plan::{API_VERSION, Reason};
use crate::secret::Secret;

/// What `match -o json` prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnswerList {
    /// `routing-secrets.epinio.io/v1alpha1`.
    pub api_version: &'static str,
    /// `MatchList`.
    pub kind: &'static str,
    /// One for each host, and for each slot of each object.
    pub items: Vec<Answer>,
}

impl AnswerList {
    /// The list of these answers.
    #[must_use]
    pub fn new(items: Vec<Answer>) -> Self {
        Self { api_version: API_VERSION, kind: "MatchList", items }
    }
}

/// Which routing secret of a namespace serves some hosts.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The namespace.
    pub namespace: String,
    /// The slot, when an object was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<AnsweredSlot>,
    /// The hosts.
    pub hosts: Vec<String>,
    /// Whether each of the hosts is served.
    pub served: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The routing secrets of the namespace: those that serve, then the others.
    pub secrets: Vec<AnsweredSecret>,
    /// Epinio's choice for each host, when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epinio: Option<Vec<EpinioAnswer>>,
}

/// A slot of a live object.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnsweredSlot {
    /// The object's kind.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// The path of the Secret's name in the object.
    pub path: String,
    /// The Secret that it names; empty where a resolver stands in its place.
    pub secret_name: String,
}

/// A routing secret, and why it serves or does not.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnsweredSecret {
    /// Its name.
    pub name: String,
    /// The hosts that it serves; none when it lost.
    pub serves: Vec<String>,
    /// Why.
    pub reason: Reason,
    /// The DNS names of its certificate.
    pub names: Vec<String>,
    /// The end of its validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub not_after: Option<Timestamp>,
    /// Whether less than a third of its lifetime is left.
    pub expires_soon: bool,
}

/// What Epinio serves a host with.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EpinioAnswer {
    /// The host.
    pub host: String,
    /// The secret; several when chance decides, none when there is no match.
    pub secrets: Vec<String>,
    /// Why.
    pub reason: Reason,
}

/// The answer for a host.
#[must_use]
pub fn of_host(host: &str, namespace: &str, inventory: &Inventory, epinio: Option<&Domains>) -> Answer {
    let hosts = vec![host.to_owned()];
    let (names, left) = match HostName::parse(host) {
        Ok(name) => (vec![name], None),
        Err(error) => (Vec::new(), Some(Left::UndecidableHost { host: host.to_owned(), why: error.to_string() })),
    };
    let query = Query { namespace, hosts: &names, span: WildcardSpan::OneLabel, current: None, permitted: None };
    answer(&query, hosts, false, left.as_ref(), inventory, epinio)
}

/// The answer for each slot of a live object.
#[must_use]
pub fn of_consumer(
    consumer: &Consumer<'_>,
    namespace: &str,
    inventory: &Inventory,
    epinio: Option<&Domains>,
) -> Vec<Answer> {
    // How the text of an object could be edited does not matter here.
    let is_meant = |left: &&Left| !matches!(left, Left::SharedNode | Left::MergeKey | Left::Layout | Left::LineBreaks);
    let of_slot = |slot: &Slot| {
        let left = slot.left.as_ref().or(consumer.left.as_ref()).filter(is_meant);
        // Epinio knows the object's own namespace only.
        let epinio = epinio.filter(|_| slot.namespace.is_none());
        let query = consumer.query(slot, namespace);
        let is_splittable = consumer.row.splits && slot.listed == slot.hosts.len() && slot.is_entry();
        let named = AnsweredSlot {
            kind: consumer.object.kind.to_owned(),
            name: consumer.object.name.to_owned(),
            path: slot.path.clone(),
            secret_name: slot.secret_name.clone(),
        };
        Answer { slot: Some(named), ..answer(&query, slot.hosts.clone(), is_splittable, left, inventory, epinio) }
    };
    consumer.slots.iter().map(of_slot).collect()
}

fn answer(
    query: &Query<'_>,
    hosts: Vec<String>,
    is_splittable: bool,
    left: Option<&Left>,
    inventory: &Inventory,
    epinio: Option<&Domains>,
) -> Answer {
    let epinio = epinio.map(|domains| hosts.iter().map(|host| EpinioAnswer::new(host, domains)).collect());
    let of = Answer {
        namespace: query.namespace.to_owned(),
        slot: None,
        hosts,
        served: false,
        reason: None,
        secrets: Vec::new(),
        epinio,
    };
    if let Some(left) = left {
        return Answer { reason: Some(Reason::left(left)), ..of };
    }
    let now = inventory.now();
    let choice = choose(query, inventory);
    let groups = match choice.winner {
        Some(winner) => vec![((0..of.hosts.len()).collect(), winner)],
        None if is_splittable && of.hosts.len() > 1 => split(query, inventory).unwrap_or_default(),
        None => Vec::new(),
    };
    let served = !groups.is_empty();
    let winners = groups.iter().map(|(at, secret)| {
        let serves: Vec<String> = at.iter().map(|&at| of.hosts[at].clone()).collect();
        let names = at.iter().map(|&at| &query.hosts[at]);
        AnsweredSecret::new(secret, serves, covered(query, secret, names, now), now)
    });
    let is_winner = |secret: &Secret| groups.iter().any(|(_, winner)| winner.id == secret.id);
    let losers = choice.losers.iter().filter(|candidate| !is_winner(candidate.secret)).map(|candidate| {
        let reason = Reason::new(candidate.lost.code(), candidate.lost.to_string());
        AnsweredSecret::new(candidate.secret, Vec::new(), reason, now)
    });
    let secrets: Vec<AnsweredSecret> = winners.chain(losers).collect();
    let reason = match secrets.is_empty() {
        _ if served => None,
        true => Some(Reason::new(
            "noRoutingSecrets",
            format!("there is no routing secret in namespace {}", escape(query.namespace)),
        )),
        false => Some(Reason::left(&Left::not_covered(query, &of.hosts, inventory))),
    };
    Answer { served, reason, secrets, ..of }
}

/// How a secret that serves covers its hosts, and what to know about it.
fn covered<'h>(
    query: &Query<'_>,
    secret: &Secret,
    hosts: impl Iterator<Item = &'h HostName>,
    now: Timestamp,
) -> Reason {
    let is_exact = hosts.into_iter().all(|host| secret.names.cover(host, query.span) == Cover::Exact);
    let (code, mut message) = if is_exact {
        ("exact", "it covers by name".to_owned())
    } else {
        ("wildcard", "it covers by a wildcard".to_owned())
    };
    if query.current == Some(secret.id.name.as_str()) {
        message.push_str("; the slot names it already");
    }
    if let Some(facts) = secret.certificate.as_ref().filter(|_| secret.expires_soon(now)) {
        message.push_str(&format!("; it expires soon, at {}", facts.not_after));
    }
    for warning in &secret.warnings {
        message.push_str(&format!("; {warning}"));
    }
    Reason::new(code, message)
}

impl AnsweredSecret {
    /// Whether it serves any of the hosts.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        !self.serves.is_empty()
    }

    fn new(secret: &Secret, serves: Vec<String>, reason: Reason, now: Timestamp) -> Self {
        let facts = secret.certificate.as_ref();
        Self {
            name: secret.id.name.clone(),
            serves,
            reason,
            names: facts.map(|facts| facts.dns_names.clone()).unwrap_or_default(),
            not_after: facts.map(|facts| facts.not_after),
            expires_soon: secret.expires_soon(now),
        }
    }
}

impl EpinioAnswer {
    fn new(host: &str, domains: &Domains) -> Self {
        let (secrets, code, message) = match domains.choose(host) {
            EpinioChoice::Exact(secret_name) => (vec![secret_name], "exact", "by the very name".to_owned()),
            EpinioChoice::Pattern { pattern, secret_name } => {
                (vec![secret_name], "pattern", format!("by the pattern {}", escape(&pattern)))
            }
            EpinioChoice::Random(of) => {
                let (patterns, mut secrets): (Vec<String>, Vec<String>) = of.into_iter().unzip();
                secrets.sort_unstable();
                secrets.dedup();
                let message = format!("at random, by {}, which are equally long", escape(&patterns.join(" or ")));
                (secrets, "random", message)
            }
            EpinioChoice::NoMatch => (Vec::new(), "noMatch", "no name fits".to_owned()),
            EpinioChoice::BadPattern(pattern) => (
                Vec::new(),
                "badPattern",
                format!("the name {} is no pattern, which ends the search", escape(&pattern)),
            ),
            EpinioChoice::Disabled(secret_name) => (
                Vec::new(),
                "disabled",
                format!("tls.crt of {} cannot be read, so all routing secrets are ignored", escape(&secret_name)),
            ),
        };
        Self { host: host.to_owned(), secrets, reason: Reason::new(code, message) }
    }
}
