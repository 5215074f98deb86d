//! From a render to its plan, and from the decisions to the edits that carry them out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rayon::prelude::*;

use super::attach::FoundRoute;
use super::decide::{Decided, Judged, Verdict, decide, named};
use super::facts::Render;
use super::family::Family;
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

/// A plan and what carries it out.
#[derive(Debug)]
pub struct Planned {
    /// The plan, if it was asked for.
    pub plan: Option<Plan>,
    /// The changes by document index.
    pub changes: BTreeMap<usize, Change>,
    /// The objects that are about to be rewritten, each once.
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
    pub(super) namespaces: Vec<String>,
    pub(super) certificates: Vec<Certificate<'r>>,
    pub(super) certificate_namespaces: Vec<String>,
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
        self.consumers.iter().zip(self.namespaces.iter().map(String::as_str))
    }
    /// The namespaces that the Secrets of the render's slots are in, so that only those are read (R21).
    #[must_use]
    pub fn namespaces(&self) -> BTreeSet<String> {
        let of_consumer = |(consumer, own): (&Consumer<'_>, &String)| -> Vec<String> {
            // Nothing is read in another namespace for a slot that stays as it is whatever is there.
            let read = consumer.slots.iter().filter(|slot| slot.namespace.is_none() || slot.left.is_none());
            read.map(|slot| slot.namespace.as_ref().unwrap_or(own).clone()).collect()
        };
        self.consumers.iter().zip(&self.namespaces).flat_map(of_consumer).collect()
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
        chart_made: &found.chart_made,
        issuers: &found.issuers,
        suspects: &found.suspects,
        inventory,
        live,
        settings,
        slots: HashMap::new(),
        produced: HashMap::new(),
        triggered: HashSet::new(),
        family: Family::default(),
    };
    render.index();
    let decided = decide(&render);
    refuse_overwrites(&render, &decided)?;
    let changes = changes(&render, &decided)?;
    let plan = settings.explain.then(|| Viewer::new(&render, &decided).plan(found));
    Ok(Planned { plan, changes, rewritten: rewritten(&render, &decided) })
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

/// Finds the consumers, Certificates, issuers and chart-made Secrets of a render.
///
/// # Errors
/// When the namespace of an object is not known, or when too many are named.
pub fn find<'r>(manifest: &'r Manifest<'_>, settings: &Settings) -> Result<Found<'r>, PlanError> {
    let of_document = |(index, document): &'r (usize, Document<'_>)| {
        let mut found = Found::default();
        for object in objects(document) {
            collect_object(manifest, settings, *index, document, object, &mut found)?;
        }
        Ok(found)
    };
    let parts: Vec<Result<Found<'r>, PlanError>> = manifest.parsed().par_iter().map(of_document).collect();
    let mut found = Found::default();
    for part in parts {
        let part = part?;
        found.consumers.extend(part.consumers);
        found.namespaces.extend(part.namespaces);
        found.certificates.extend(part.certificates);
        found.certificate_namespaces.extend(part.certificate_namespaces);
        found.chart_made.extend(part.chart_made);
        found.issuers.extend(part.issuers);
        found.suspects.extend(part.suspects);
        found.routes.extend(part.routes);
        found.grants.extend(part.grants);
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
    settings: &Settings,
    index: usize,
    document: &'r Document<'_>,
    object: Object<'r>,
    found: &mut Found<'r>,
) -> Result<(), PlanError> {
    let namespace_of = |object: &Object<'_>| {
        let given = object.namespace.filter(|namespace| !namespace.is_empty());
        let namespace = given.map(str::to_owned).or_else(|| settings.namespace.clone());
        namespace.ok_or_else(|| PlanError::namespace_unknown(manifest, index, object))
    };
    if certificate::is_certificate(&object) {
        found.certificate_namespaces.push(namespace_of(&object)?);
        found.certificates.push(certificate::read(index, document, object));
    } else if (object.group, object.kind) == DELEGATION {
        found.grants.extend(delegations(document, &object, &namespace_of(&object)?));
    } else if certificate::is_issuer(&object) {
        found.issuers.push(describe(&object));
    } else if route::is_route(&object) {
        let namespace = namespace_of(&object).ok();
        found.routes.push(FoundRoute { route: route::read(index, document, object), namespace });
    } else if grant::is_grant(&object) {
        found.grants.extend(grant::read(document, &object, &namespace_of(&object)?));
    } else if object.group.is_empty() && object.kind == "Secret" {
        if document.text_at(object.node, &["type"]) == Some("kubernetes.io/tls") {
            found.chart_made.insert((namespace_of(&object)?, object.name.to_owned()));
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
            settings.namespace.clone().unwrap_or_default()
        } else {
            namespace_of(&consumer.object)?
        };
        consumer.in_namespace(&namespace);
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

fn changes(render: &Render<'_, '_>, decided: &Decided<'_>) -> Result<BTreeMap<usize, Change>, InternalError> {
    let carried_out: Vec<Result<(usize, Edits), InternalError>> = render
        .consumers
        .par_iter()
        .zip(&decided.consumers)
        .map(|(consumer, judged)| {
            let mut edits = Edits::default();
            let done = match render.manifest.document(consumer.document) {
                Some(document) => carry_out(consumer, judged, document, &mut edits),
                None => Ok(()),
            };
            done.map_err(|UnsupportedLayout| InternalError {
                object: describe(&consumer.object),
                document: consumer.document + 1,
            })?;
            Ok((consumer.document, edits))
        })
        .collect();
    let mut edits: BTreeMap<usize, Edits> = BTreeMap::new();
    for part in carried_out {
        let (document, part) = part?;
        edits.entry(document).or_default().extend(part);
    }
    let mut changes = BTreeMap::new();
    let mut leaving: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, certificate) in render.certificates.iter().enumerate() {
        if decided.certificates[at].is_none() {
            leaving.entry(certificate.document).or_default().push(at);
        }
    }
    for (index, certificates) in leaving {
        drop_certificates(render, decided, index, &certificates, &mut edits, &mut changes)?;
    }
    changes.extend(
        edits.into_iter().filter(|(_, edits)| !edits.is_empty()).map(|(index, edits)| (index, Change::Edit(edits))),
    );
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
    edits: &mut BTreeMap<usize, Edits>,
    changes: &mut BTreeMap<usize, Change>,
) -> Result<(), InternalError> {
    let Some(document) = render.manifest.document(index) else { return Ok(()) };
    let comment = |at: usize| comment(render, decided, at);
    if objects(document).len() == certificates.len() {
        let comments: Vec<String> = certificates.iter().map(|&at| comment(at)).collect();
        changes.insert(index, Change::Drop(comments.join("\n")));
        edits.remove(&index);
        return Ok(());
    }
    // One call for all: neighbours that go together go with the commas between them.
    let list = certificates.first().and_then(|&at| render.certificates[at].object.list);
    let items: Vec<(NodeId, String)> =
        certificates.iter().map(|&at| (render.certificates[at].object.node, comment(at))).collect();
    let of_document = edits.entry(index).or_default();
    let dropped = list.ok_or(UnsupportedLayout).and_then(|list| of_document.drop_items(document, list, &items));
    dropped.map_err(|UnsupportedLayout| InternalError {
        object: certificates.first().map(|&at| describe(&render.certificates[at].object)).unwrap_or_default(),
        document: index + 1,
    })
}

/// What stands in a dropped Certificate's place.
fn comment(render: &Render<'_, '_>, decided: &Decided<'_>, at: usize) -> String {
    let certificate = &render.certificates[at];
    let namespace = &render.certificate_namespaces[at];
    let used = decided.uses.used(namespace, &certificate.spec.secret_name);
    let used: Vec<&str> = used.iter().map(|secret| secret.id.name.as_str()).collect();
    let covers = if used.len() == 1 { "covers" } else { "cover" };
    format!(
        "# routing-secrets: dropped Certificate {}, {} {covers} {}",
        escape(certificate.object.name),
        escape(&used.join(" and ")),
        escape(&certificate.spec.names.join(", "))
    )
}
