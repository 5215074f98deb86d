//! Slots whose certificate stands in the object itself: reported, never rewritten.

use super::elsewhere::Spelling;
use super::{Consumer, Left, NodeId, Slot};
use crate::manifest::document::Document;

impl Consumer<'_> {
    /// A slot whose certificate is no Secret's.
    pub(super) fn read_inline(&mut self, document: &Document<'_>, path: &str, tls: NodeId, list: Option<NodeId>) {
        let given = self.row.inline.iter().filter_map(|key| document.all(tls, key).last());
        let Some((key, _)) = given.into_iter().next() else { return };
        let path = format!("{path}.{}", document.text(key).unwrap_or_default());
        self.slots.push(Slot {
            left: Some(Left::InlineCertificate(path.clone())),
            path,
            hosts: self.slot_hosts(document, tls).unwrap_or_default(),
            names: Vec::new(),
            listed: 0,
            secret_name: String::new(),
            namespace: None,
            permitted: None,
            shim: true,
            open: false,
            spelling: Spelling::Plain,
            nodes: vec![key],
            tls,
            list,
        });
    }
}
