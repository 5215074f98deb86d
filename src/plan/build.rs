//! From a render to its plan, and from the decisions to the edits that carry them out.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rayon::prelude::*;

use super::attach::FoundRoute;
use super::decide::{Decided, Judged, Verdict, decide, named};
use super::facts::{Render, secret_namespace};
use super::family::Family;
use super::index::Index;
use super::live::LiveRef;
use super::view::Viewer;
use super::{Live, MAX_NAMESPACES, Overwrite, Plan, PlanError, Settings};
use crate::certificate::{self, Certificate};
use crate::consumers::elsewhere::{DELEGATION, Grant, delegations};
use crate::consumers::gateway::{grant, route};
use crate::consumers::{self, Consumer, Left, TABLE, unknown};
use crate::inventory::Inventory;
use crate::manifest::edit::{Edits, UnsupportedLayout};
use crate::manifest::object::{Object, objects};
use crate::manifest::{Document, Literals, Manifest, NodeId};
use crate::output::escape::escape;

/// What happens to one document of the stream.
#[derive(Clone, Debug)]
pub enum Change {
    /// Its text is edited.
    Edit(Edits),
    /// It is dropped; the comment takes its place.
    Drop(String),
}

impl Change {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Edit(edits) if edits.is_empty())
    }
}

/// A plan and what carries it out.
#[derive(Debug)]
pub struct Planned {
    /// The plan, if it was asked for.
    pub plan: Option<Plan>,
    /// The changes, each with the index of its document, in the order of the stream.
    pub changes: Vec<(usize, Change)>,
    /// The live objects that matter, each once, where they are to be read.
    pub rewritten: Vec<LiveRef>,
}

/// A planned edit that could not be made although it was tried before. This is our bug.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("internal error: {object} in document {document}: an edit that was planned cannot be made; please report it")]
pub struct InternalError {
    /// The object.
    pub object: String,
    /// The document's number.
    pub document: usize,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The render cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Our bug.
    #[error(transparent)]
    Internal(#[from] InternalError),
}

/// The words that each kind of the table, and the other kinds that matter, can be found by.
#[must_use]
pub fn literals() -> Vec<Literals> {
    let of_row = |row: &&'static consumers::Row| {
        let kind = row.kind;
        row.literals.iter().map(move |group| Literals { kind, group })
    };
    let mut literals: Vec<Literals> = TABLE.iter().flat_map(of_row).collect();
    literals.push(certificate::LITERALS);
    literals.push(certificate::ISSUER_LITERALS);
    literals.push(CHART_MADE);
    literals.push(Literals { kind: DELEGATION.1, group: DELEGATION.0 });
    literals.push(grant::LITERALS);
    literals.extend(route::LITERALS);
    literals
}

/// The words of a TLS Secret that the chart itself makes.
const CHART_MADE: Literals = Literals { kind: "Secret", group: "kubernetes.io/tls" };

/// The objects of a render that decisions are about.
#[derive(Debug, Default)]
pub struct Found<'r> {
    pub(super) consumers: Vec<Consumer<'r>>,
    pub(super) namespaces: Vec<&'r str>,
    pub(super) certificates: Vec<Certificate<'r>>,
    pub(super) certificate_namespaces: Vec<&'r str>,
    pub(super) chart_made: HashSet<(String, String)>,
    pub(super) issuers: Vec<String>,
    /// What objects of unknown kinds seem to name, in words.
    pub(super) suspects: Vec<String>,
    /// The permissions to name Secrets of other namespaces.
    pub(super) routes: Vec<FoundRoute<'r>>,
    pub(super) grants: Vec<Grant>,
}

impl<'r> Found<'r> {
    /// The consumers, each with its namespace.
    pub fn consumers(&self) -> impl Iterator<Item = (&Consumer<'r>, &str)> {
        self.consumers.iter().zip(self.namespaces.iter().copied())
    }
    /// The namespaces that the Secrets of the render's slots are in, so that only those are read (R21).
    #[must_use]
    pub fn namespaces(&self) -> BTreeSet<String> {
        let mut namespaces = BTreeSet::new();
        for (consumer, &own) in self.consumers.iter().zip(&self.namespaces) {
            // Nothing is read in another namespace for a slot that stays as it is whatever is there.
            let read = consumer.slots.iter().filter(|slot| slot.namespace.is_none() || slot.left.is_none());
            namespaces.extend(read.map(|slot| secret_namespace(own, slot)));
        }
        namespaces.into_iter().map(str::to_owned).collect()
    }

    fn append(&mut self, part: Self) {
        self.consumers.extend(part.consumers);
        self.namespaces.extend(part.namespaces);
        self.certificates.extend(part.certificates);
        self.certificate_namespaces.extend(part.certificate_namespaces);
        self.chart_made.extend(part.chart_made);
        self.issuers.extend(part.issuers);
        self.suspects.extend(part.suspects);
        self.routes.extend(part.routes);
        self.grants.extend(part.grants);
    }
}

/// Plans a render from what [`find`] found in it.
///
/// # Errors
/// When a trigger that must stay would overwrite a routing secret.
pub fn plan(
    manifest: &Manifest<'_>,
    found: &Found<'_>,
    inventory: &Inventory,
    live: &Live,
    settings: &Settings,
) -> Result<Planned, Error> {
    let mut render = Render {
        manifest,
        consumers: &found.consumers,
        namespaces: &found.namespaces,
        certificates: &found.certificates,
        certificate_namespaces: &found.certificate_namespaces,
        issuers: &found.issuers,
        suspects: &found.suspects,
        inventory,
        live,
        settings,
        index: Index::default(),
        family: Family::default(),
    };
    render.family = Family::of(&render);
    render.index = Index::new(found, &render);
    let decided = decide(&render);
    refuse_overwrites(&render, &decided)?;
    let changes = changes(&render, &decided)?;
    let plan = settings.explain.then(|| Viewer::new(&render, &decided).plan(found));
    let rewritten = if matches!(live, Live::ToBeRead) { rewritten(&render, &decided) } else { Vec::new() };
    Ok(Planned { plan, changes, rewritten })
}

/// The live objects that matter: those about to be rewritten, and the Gateways of ListenerSets among them.
fn rewritten(render: &Render<'_, '_>, decided: &Decided<'_>) -> Vec<LiveRef> {
    let mut rewritten = BTreeMap::new();
    for (at, judged) in decided.consumers.iter().enumerate() {
        let is_edited = (0..judged.slots.len()).any(|slot| judged.is_rewritten(slot)) || judged.loses_triggers();
        if is_edited && !render.consumers[at].object.name.is_empty() {
            let parent = render.family.live_parent(render, at);
            rewritten
                .extend([Some(LiveRef::of(render, at)), parent].into_iter().flatten().map(|of| (of.key.clone(), of)));
        }
    }
    rewritten.into_values().collect()
}

/// How many documents are looked at in one go.
const BATCH: usize = 64;

/// Finds the consumers, Certificates, issuers and chart-made Secrets of a render.
///
/// # Errors
/// When the namespace of an object is not known, or when too many are named.
pub fn find<'r>(manifest: &'r Manifest<'_>, settings: &'r Settings) -> Result<Found<'r>, PlanError> {
    let of_documents = |documents: &'r [(usize, Document<'_>)]| {
        let mut found = Found::default();
        found.consumers.reserve(documents.len());
        for (index, document) in documents {
            for object in objects(document) {
                collect_object(manifest, settings, *index, document, object, &mut found)?;
            }
        }
        Ok(found)
    };
    let parts: Vec<Result<Found<'r>, PlanError>> = manifest.parsed().par_chunks(BATCH).map(of_documents).collect();
    let parts = parts.into_iter().collect::<Result<Vec<Found<'r>>, PlanError>>()?;
    let mut found = Found::default();
    found.consumers.reserve(parts.iter().map(|part| part.consumers.len()).sum());
    for part in parts {
        found.append(part);
    }
    found.attach(manifest)?;
    let count = found.namespaces().len();
    if count > MAX_NAMESPACES {
        return Err(PlanError::TooManyNamespaces(count));
    }
    Ok(found)
}

fn collect_object<'r>(
    manifest: &Manifest<'_>,
    settings: &'r Settings,
    index: usize,
    document: &'r Document<'_>,
    object: Object<'r>,
    found: &mut Found<'r>,
) -> Result<(), PlanError> {
    let namespace_of = |object: &Object<'r>| {
        let given = object.namespace.filter(|namespace| !namespace.is_empty());
        let namespace = given.or(settings.namespace.as_deref());
        namespace.ok_or_else(|| PlanError::namespace_unknown(manifest, index, object))
    };
    if certificate::is_certificate(&object) {
        found.certificate_namespaces.push(namespace_of(&object)?);
        found.certificates.push(certificate::read(index, document, object));
    } else if (object.group, object.kind) == DELEGATION {
        found.grants.extend(delegations(document, &object, namespace_of(&object)?));
    } else if certificate::is_issuer(&object) {
        found.issuers.push(describe(&object));
    } else if route::is_route(&object) {
        let namespace = namespace_of(&object).ok().map(str::to_owned);
        found.routes.push(FoundRoute { route: route::read(index, document, object), namespace });
    } else if grant::is_grant(&object) {
        found.grants.extend(grant::read(document, &object, namespace_of(&object)?));
    } else if object.group.is_empty() && object.kind == "Secret" {
        if document.text_at(object.node, &["type"]) == Some("kubernetes.io/tls") {
            found.chart_made.insert((namespace_of(&object)?.to_owned(), object.name.to_owned()));
        }
    } else if settings.explain && consumers::row(&object).is_none() {
        let suspect = unknown::suspect(document, &object);
        found.suspects.extend(suspect.map(|suspect| {
            format!(
                "{} of {} (line {}) names {} beside {}, and its kind is not known here: it is left",
                describe(&object),
                escape(object.group),
                manifest.line(index, suspect.key),
                escape(&suspect.secret),
                escape(&suspect.host)
            )
        }));
    } else if let Some(mut consumer) = consumers::read(index, document, object, &settings.triggers) {
        let namespace = if consumer.slots.is_empty() && consumer.object.namespace.is_none() {
            settings.namespace.as_deref().unwrap_or_default()
        } else {
            namespace_of(&consumer.object)?
        };
        consumer.in_namespace(namespace);
        found.namespaces.push(namespace);
        found.consumers.push(consumer);
    }
    Ok(())
}

/// `Kind name`, fit to be printed.
pub(super) fn describe(object: &Object<'_>) -> String {
    format!("{} {}", escape(object.kind), escape(object.name))
}

/// R10: an object that keeps its trigger and names a routing secret would overwrite it.
fn refuse_overwrites(render: &Render<'_, '_>, decided: &Decided<'_>) -> Result<(), PlanError> {
    for (at, judged) in decided.consumers.iter().enumerate() {
        let consumer = &render.consumers[at];
        let why = match &judged.whole {
            Some(Left::ProducedByTrigger) | None => continue,
            Some(why) => why,
        };
        let overwritten = consumer.slots.iter().find(|slot| {
            let secret = render.inventory.get(render.namespace(at, slot), &slot.secret_name);
            render.writes(at, slot) && secret.is_some_and(|secret| secret.routing)
        });
        if let Some(slot) = overwritten {
            return Err(PlanError::Overwrite(Box::new(Overwrite {
                document: consumer.document + 1,
                line: render.manifest.line(consumer.document, consumer.object.node),
                object: describe(&consumer.object),
                path: slot.path.clone(),
                secret: escape(&slot.secret_name).into_owned(),
                trigger: render
                    .writers(at, slot)
                    .next()
                    .map(|trigger| escape(&trigger.key).into_owned())
                    .unwrap_or_default(),
                why: why.to_string(),
            })));
        }
    }
    Ok(())
}

fn changes(render: &Render<'_, '_>, decided: &Decided<'_>) -> Result<Vec<(usize, Change)>, InternalError> {
    let carry_out = |(consumer, judged): (&Consumer<'_>, &Judged<'_>)| {
        let mut edits = Edits::default();
        let document = render.manifest.document(consumer.document);
        let done = document.map_or(Ok(()), |document| carry_out(consumer, judged, document, &mut edits));
        let edited = done.map(|()| (consumer.document, Change::Edit(edits)));
        edited.map_err(|UnsupportedLayout| InternalError {
            object: describe(&consumer.object),
            document: consumer.document + 1,
        })
    };
    let of_consumers: Vec<Result<(usize, Change), InternalError>> =
        render.consumers.par_iter().zip(&decided.consumers).map(carry_out).collect();
    let mut changes = of_consumers.into_iter().collect::<Result<Vec<(usize, Change)>, InternalError>>()?;
    changes.retain(|(_, change)| !change.is_empty());
    // The consumers of one document are edited together.
    changes.dedup_by(|(document, next), (of, change)| {
        let is_same = document == of;
        if let (true, Change::Edit(next), Change::Edit(edits)) = (is_same, next, change) {
            edits.extend(std::mem::take(next));
        }
        is_same
    });
    let mut leaving: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, certificate) in render.certificates.iter().enumerate() {
        if decided.certificates[at].is_none() {
            leaving.entry(certificate.document).or_default().push(at);
        }
    }
    let edited = changes.len();
    for (index, certificates) in leaving {
        let of_document = changes[..edited].binary_search_by_key(&index, |(document, _)| *document).ok();
        let of_document = of_document.map(|at| &mut changes[at].1);
        let mut change = Change::Edit(Edits::default());
        drop_certificates(render, decided, index, &certificates, of_document.unwrap_or(&mut change))?;
        if !change.is_empty() {
            changes.push((index, change));
        }
    }
    changes.sort_by_key(|(document, _)| *document);
    Ok(changes)
}

fn carry_out(
    consumer: &Consumer<'_>,
    judged: &Judged<'_>,
    document: &Document<'_>,
    edits: &mut Edits,
) -> Result<(), UnsupportedLayout> {
    if judged.whole.is_some() {
        return Ok(());
    }
    for (slot, verdict) in consumer.slots.iter().zip(&judged.slots) {
        match verdict {
            Verdict::Rewrite(secret) => consumer.point(document, slot, &secret.id.name, edits)?,
            Verdict::Split(groups) => {
                consumer.split(document, slot, &named(groups), edits)?;
            }
            Verdict::Keep(_) | Verdict::Left(_) => {}
        }
    }
    if judged.loses_triggers() && !consumer.triggers.is_empty() {
        consumer.remove_triggers(document, edits)?;
    }
    Ok(())
}

/// Drops the Certificates of one document: all of it, or items of its list.
fn drop_certificates(
    render: &Render<'_, '_>,
    decided: &Decided<'_>,
    index: usize,
    certificates: &[usize],
    change: &mut Change,
) -> Result<(), InternalError> {
    let Some(document) = render.manifest.document(index) else { return Ok(()) };
    let comment = |at: usize| comment(render, decided, at);
    if objects(document).len() == certificates.len() {
        let comments: Vec<String> = certificates.iter().map(|&at| comment(at)).collect();
        *change = Change::Drop(comments.join("\n"));
        return Ok(());
    }
    // One call for all: neighbours that go together go with the commas between them.
    let list = certificates.first().and_then(|&at| render.certificates[at].object.list);
    let items: Vec<(NodeId, String)> =
        certificates.iter().map(|&at| (render.certificates[at].object.node, comment(at))).collect();
    let Change::Edit(edits) = change else { return Ok(()) };
    let dropped = list.ok_or(UnsupportedLayout).and_then(|list| edits.drop_items(document, list, &items));
    dropped.map_err(|UnsupportedLayout| InternalError {
        object: certificates.first().map(|&at| describe(&render.certificates[at].object)).unwrap_or_default(),
        document: index + 1,
    })
}

/// What stands in a dropped Certificate's place.
fn comment(render: &Render<'_, '_>, decided: &Decided<'_>, at: usize) -> String {
    let certificate = &render.certificates[at];
    let used = decided.uses.used(render.index.of_certificate(at));
    let used: Vec<&str> = used.iter().map(|secret| secret.id.name.as_str()).collect();
    let covers = if used.len() == 1 { "covers" } else { "cover" };
    format!(
        "# routing-secrets: dropped Certificate {}, {} {covers} {}",
        escape(certificate.object.name),
        escape(&used.join(" and ")),
        escape(&certificate.spec.names.join(", "))
    )
}
