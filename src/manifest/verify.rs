//! The check behind every edit: the edited text is parsed again, and each event of that parse is
//! compared with the event that the original document and the intended edits call for.

use granit_parser::{Event, Parser, ScalarStyle, StrInput, StructureStyle};

use super::document::{Document, NodeId, NodeKind, events, tag_text};
use super::edit::{EditError, Edits, TlsEntry};
use super::scalar::Style;

/// Compares the events of `edited` with the intended ones.
///
/// # Errors
/// On the first difference.
pub(super) fn verify(document: &Document<'_>, edits: &Edits, edited: &str) -> Result<(), EditError> {
    let mut check = Check { document, edits, parser: events(edited), anchors: vec![0], seen: 0 };
    for &root in document.roots() {
        check.subtree(root)?;
    }
    match check.next()? {
        None => Ok(()),
        Some(event) => Err(difference("the end of the document", &event)),
    }
}

struct Check<'c, 's> {
    document: &'c Document<'c>,
    edits: &'c Edits,
    parser: Parser<'s, StrInput<'s>>,
    /// The new number of each of the document's anchors, by its old one.
    anchors: Vec<u32>,
    seen: u32,
}

impl<'s> Check<'_, 's> {
    /// The next event that is a node or the end of a collection.
    fn next(&mut self) -> Result<Option<Event<'s>>, EditError> {
        loop {
            match self.parser.next_event() {
                None => return Ok(None),
                Some(Err(error)) => return Err(EditError(error.info())),
                Some(Ok((
                    Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd,
                    _,
                ))) => {}
                Some(Ok((Event::Scalar(text, ScalarStyle::Plain, anchor, tag), span)))
                    if text == "~" && span.is_empty() =>
                {
                    return Ok(Some(Event::Scalar("".into(), ScalarStyle::Plain, anchor, tag)));
                }
                Some(Ok((event, _))) => return Ok(Some(event)),
            }
        }
    }

    /// Checks a subtree without recursion: documents nest as deep as the parser allows.
    fn subtree(&mut self, root: NodeId) -> Result<(), EditError> {
        let end = self.document.following(root);
        let mut open: Vec<NodeId> = Vec::new();
        let mut at = root;
        while at < end || !open.is_empty() {
            while let Some(&collection) = open.last() {
                if at < self.document.following(collection) {
                    break;
                }
                open.pop();
                self.expect_end(collection)?;
                self.inserted_after(collection)?;
            }
            if at >= end {
                continue;
            }
            if let Some(&is_key) = self.edits.removed.get(at) {
                self.skip_anchors(at);
                at = self.document.following(at);
                if is_key {
                    self.skip_anchors(at);
                    at = self.document.following(at);
                }
                continue;
            }
            self.expect_node(at)?;
            match self.document.kind(at) {
                NodeKind::Sequence { .. } | NodeKind::Mapping { .. } => open.push(at),
                _ => self.inserted_after(at)?,
            }
            at = self.document.first_inside(at);
        }
        Ok(())
    }

    fn expect_node(&mut self, id: NodeId) -> Result<(), EditError> {
        let document = self.document;
        let node = document.node(id);
        let event = self.next()?.ok_or_else(|| EditError("it ends too early".to_owned()))?;
        let tag = document.tag(id);
        let same = match (&event, node.kind) {
            (Event::Scalar(text, style, _, new_tag), NodeKind::Scalar(old)) => {
                new_tag.as_deref().map(tag_text).as_deref() == tag
                    && match self.edits.set.get(id) {
                        Some(intended) => text == intended,
                        None => text == document.raw_text(node) && same_style(*style, old),
                    }
            }
            (Event::Alias(number), NodeKind::Alias) => {
                let new = document.alias(id).and_then(|old| self.anchors.get(old as usize));
                new.is_some_and(|&new| new as usize == *number)
            }
            (Event::SequenceStart(style, _, new_tag), NodeKind::Sequence { flow })
            | (Event::MappingStart(style, _, new_tag), NodeKind::Mapping { flow }) => {
                (*style == StructureStyle::Flow) == flow && new_tag.as_deref().map(tag_text).as_deref() == tag
            }
            _ => false,
        };
        if !same {
            return Err(difference(&format!("{:?}", node.kind), &event));
        }
        let anchored = event.anchor_id().is_some();
        let was_anchored = document.anchors.binary_search_by_key(&id, |&(_, node)| node).is_ok();
        if anchored != was_anchored {
            return Err(EditError("an anchor has moved".to_owned()));
        }
        if anchored {
            self.seen += 1;
            self.anchors.push(self.seen);
        }
        Ok(())
    }

    /// Counts the anchors of a removed subtree, which no alias may refer to.
    fn skip_anchors(&mut self, removed: NodeId) {
        let length = self.anchors.len() + self.document.anchors_inside(removed);
        self.anchors.resize(length, 0);
    }

    fn expect_end(&mut self, collection: NodeId) -> Result<(), EditError> {
        let event = self.next()?;
        let same = match self.document.kind(collection) {
            NodeKind::Sequence { .. } => matches!(event, Some(Event::SequenceEnd)),
            _ => matches!(event, Some(Event::MappingEnd)),
        };
        if same { Ok(()) } else { Err(EditError("a collection does not end where it did".to_owned())) }
    }

    fn inserted_after(&mut self, item: NodeId) -> Result<(), EditError> {
        let Some(entries) = self.edits.inserted.get(item) else { return Ok(()) };
        for entry in entries {
            self.expect_entry(entry)?;
        }
        Ok(())
    }

    fn expect_entry(&mut self, entry: &TlsEntry) -> Result<(), EditError> {
        self.expect(|event| matches!(event, Event::MappingStart(..)))?;
        self.expect_text("hosts")?;
        self.expect(|event| matches!(event, Event::SequenceStart(..)))?;
        for host in &entry.hosts {
            self.expect_text(host)?;
        }
        self.expect(|event| matches!(event, Event::SequenceEnd))?;
        self.expect_text("secretName")?;
        self.expect_text(&entry.secret_name)?;
        self.expect(|event| matches!(event, Event::MappingEnd))
    }

    fn expect_text(&mut self, intended: &str) -> Result<(), EditError> {
        self.expect(|event| event.scalar().is_some_and(|(text, _)| text == intended))
    }

    fn expect(&mut self, is: impl Fn(&Event<'s>) -> bool) -> Result<(), EditError> {
        match self.next()? {
            Some(event) if is(&event) => Ok(()),
            _ => Err(EditError("a new entry does not read as written".to_owned())),
        }
    }
}

fn same_style(new: ScalarStyle, old: Style) -> bool {
    match new {
        ScalarStyle::Plain => old == Style::Plain,
        ScalarStyle::SingleQuoted => old == Style::SingleQuoted,
        ScalarStyle::DoubleQuoted => old == Style::DoubleQuoted,
        ScalarStyle::Literal | ScalarStyle::Folded => old == Style::Block,
    }
}

/// Names the kinds of the two events only: their text may be a secret.
fn difference(intended: &str, found: &Event<'_>) -> EditError {
    let found = match found {
        Event::Scalar(..) => "a scalar",
        Event::Alias(_) => "an alias",
        Event::SequenceStart(..) => "a sequence",
        Event::MappingStart(..) => "a mapping",
        _ => "the end of a collection",
    };
    EditError(format!("{intended} was intended, {found} was read"))
}
