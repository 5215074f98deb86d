//! The Secrets that a render names, each with a number, so that what is known of them stands in vectors.

use std::collections::HashMap;

use rayon::prelude::*;

use super::build::Found;
use super::facts::{Render, secret_namespace};

/// The number of a Secret.
pub(super) type SecretId = u32;

/// The numbers of Secrets by their namespaces and names.
type Ids<'r> = HashMap<(&'r str, &'r str), SecretId>;

/// The Secrets of a render, with what names and what produces each.
#[derive(Debug, Default)]
pub(super) struct Index<'r> {
    names: Vec<(&'r str, &'r str)>,
    /// The Secret of each slot, consumer after consumer, and where those of each consumer start.
    of_slots: Vec<SecretId>,
    first_slots: Vec<usize>,
    /// The document of each consumer.
    documents: Vec<usize>,
    of_certificates: Vec<SecretId>,
    slots: Grouped<(u32, u32)>,
    certificates: Grouped<u32>,
    made: Vec<Made>,
}

/// What makes a Secret besides Certificates.
#[derive(Clone, Copy, Debug, Default)]
struct Made {
    by_chart: bool,
    by_trigger: bool,
}

impl<'r> Index<'r> {
    /// Numbers the Secrets of what was found.
    pub(super) fn new(found: &'r Found<'_>, render: &Render<'_, '_>) -> Self {
        let named = found.consumers.par_iter().zip(&found.namespaces).enumerate();
        let named = named.flat_map_iter(|(at, (consumer, own))| {
            let slots = consumer.slots.iter();
            slots.map(move |slot| (secret_namespace(own, slot), slot.secret_name.as_str(), render.writes(at, slot)))
        });
        let named: Vec<(&str, &str, bool)> = named.collect();
        let first_slots = found.consumers.iter().scan(0, |slots, consumer| {
            let first = *slots;
            *slots += consumer.slots.len();
            Some(first)
        });
        let mut index = Self {
            names: Vec::with_capacity(named.len()),
            made: Vec::with_capacity(named.len()),
            of_slots: Vec::with_capacity(named.len()),
            first_slots: first_slots.collect(),
            documents: found.consumers.iter().map(|consumer| consumer.document).collect(),
            ..Self::default()
        };
        let mut ids = Ids::with_capacity(named.len());
        for (namespace, name, by_trigger) in named {
            let id = index.add(&mut ids, namespace, name);
            index.made[id as usize].by_trigger |= by_trigger;
            index.of_slots.push(id);
        }
        for (certificate, namespace) in found.certificates.iter().zip(&found.certificate_namespaces) {
            let id = index.add(&mut ids, namespace, &certificate.spec.secret_name);
            index.of_certificates.push(id);
        }
        for (namespace, name) in &found.chart_made {
            let id = index.add(&mut ids, namespace, name);
            index.made[id as usize].by_chart = true;
        }
        let slots = found.consumers.iter().enumerate();
        let slots = slots.flat_map(|(at, consumer)| (0..consumer.slots.len()).map(move |slot| (at, slot)));
        let slots = slots.map(|(at, slot)| (number(at), number(slot)));
        index.slots = Grouped::new(index.names.len(), index.of_slots.iter().copied().zip(slots));
        let certificates = index.of_certificates.iter().enumerate().map(|(at, &id)| (id, number(at)));
        index.certificates = Grouped::new(index.names.len(), certificates);
        index
    }

    fn add(&mut self, ids: &mut Ids<'r>, namespace: &'r str, name: &'r str) -> SecretId {
        *ids.entry((namespace, name)).or_insert_with(|| {
            self.names.push((namespace, name));
            self.made.push(Made::default());
            number(self.names.len() - 1)
        })
    }

    /// How many Secrets there are; their numbers start at 0.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The namespace and the name of a Secret.
    pub(super) fn name(&self, id: SecretId) -> (&'r str, &'r str) {
        self.names[id as usize]
    }

    /// The consumers in a document.
    pub(super) fn consumers(&self, document: usize) -> impl Iterator<Item = usize> + '_ {
        let first = self.documents.partition_point(|&of| of < document);
        (first..self.documents.len()).take_while(move |&at| self.documents[at] == document)
    }

    /// The Secret that a consumer's slot names.
    pub(super) fn of_slot(&self, consumer: usize, slot: usize) -> SecretId {
        self.of_slots[self.first_slots[consumer] + slot]
    }

    /// The Secret that a Certificate produces.
    pub(super) fn of_certificate(&self, certificate: usize) -> SecretId {
        self.of_certificates[certificate]
    }

    /// The slots that name a Secret: their consumers and their places in these.
    pub(super) fn slots(&self, id: SecretId) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.slots.of(id).iter().map(|&(at, slot)| (at as usize, slot as usize))
    }

    /// The Certificates that produce a Secret.
    pub(super) fn certificates(&self, id: SecretId) -> impl Iterator<Item = usize> + '_ {
        self.certificates.of(id).iter().map(|&at| at as usize)
    }

    /// Whether the chart itself makes a Secret.
    pub(super) fn is_chart_made(&self, id: SecretId) -> bool {
        self.made[id as usize].by_chart
    }

    /// Whether anything in the render produces a Secret.
    pub(super) fn is_produced(&self, id: SecretId) -> bool {
        let made = self.made[id as usize];
        made.by_chart || made.by_trigger || !self.certificates.of(id).is_empty()
    }
}

/// What belongs to each number, in one vector.
#[derive(Debug)]
struct Grouped<T> {
    /// Where the values of each number end.
    ends: Vec<usize>,
    values: Vec<T>,
}

impl<T> Default for Grouped<T> {
    fn default() -> Self {
        Self { ends: Vec::new(), values: Vec::new() }
    }
}

impl<T> Grouped<T> {
    /// Groups values by their numbers, all below `count`; those of one number keep their order.
    fn new(count: usize, values: impl Iterator<Item = (SecretId, T)>) -> Self {
        let mut numbered: Vec<(SecretId, T)> = values.collect();
        numbered.sort_by_key(|&(id, _)| id);
        let mut ends = vec![0; count];
        for (id, _) in &numbered {
            ends[*id as usize] += 1;
        }
        let mut end = 0;
        for count in &mut ends {
            end += *count;
            *count = end;
        }
        Self { ends, values: numbered.into_iter().map(|(_, value)| value).collect() }
    }

    fn of(&self, id: SecretId) -> &[T] {
        let at = id as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.values[start..self.ends[at]]
    }
}

/// No render has so many objects: each takes bytes of an input of which every document is below 4 GiB.
fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
