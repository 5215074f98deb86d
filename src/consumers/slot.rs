//! What a slot learns after it was read: the names of its hosts, the routes that attach to it, the triggers that act.

use super::trigger::Trigger;
use super::{Consumer, Left, Row, Slot};
use crate::choose::{HostName, WildcardSpan};

impl Slot {
    /// Gives the slot the hosts of what attaches to it.
    pub fn attach(&mut self, hosts: Vec<String>, row: &Row) {
        self.left = None;
        self.listed = hosts.len();
        self.hosts = hosts;
        self.read_names(row);
    }

    pub(super) fn read_names(&mut self, row: &Row) {
        self.names.reserve_exact(self.hosts.len());
        for host in &self.hosts {
            match HostName::parse((row.host_name)(host)) {
                Ok(name) if name.is_wildcard() && row.span == WildcardSpan::ManyLabels => {
                    self.left.get_or_insert(Left::WildcardSpansLabels(host.clone()));
                }
                Ok(name) => self.names.push(name),
                Err(error) => {
                    self.left.get_or_insert(Left::UndecidableHost { host: host.clone(), why: error.to_string() });
                }
            }
        }
    }
}

impl Consumer<'_> {
    /// The triggers that act for a slot; of what issuers beside cert-manager skip nothing is known.
    pub fn triggers_for(&self, slot: &Slot) -> impl Iterator<Item = &Trigger<'_>> {
        self.triggers.iter().filter(|trigger| slot.shim || !trigger.key.starts_with("cert-manager.io/"))
    }
}
