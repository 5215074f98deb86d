//! The check behind every edit: the edited text is parsed again, and each event of that parse is
//! compared with the event that the original document and the intended edits call for.

use granit_parser::{Event, ScalarStyle, Span, StructureStyle, TryLoadError, TrySpannedEventReceiver};

use super::document::{Document, NodeId, NodeKind, events, tag_text};
use super::edit::{EditError, Edits, TlsEntry};
use super::scalar::Style;

/// Compares the events of `edited` with the intended ones.
///
/// # Errors
/// On the first difference.
pub(super) fn verify(document: &Document<'_>, edits: &Edits, edited: &str) -> Result<(), EditError> {
    let mut check = Check {
        document,
        edits,
        at: document.roots().next().unwrap_or(document.end()),
        open: Vec::new(),
        inserted: Vec::new(),
        anchors: vec![0],
        seen: 0,
    };
    match events(edited).try_load(&mut check, true) {
        Ok(()) => check.finish(),
        Err(TryLoadError::Receiver(error)) => Err(error),
        Err(TryLoadError::Scan(error)) => Err(EditError(error.info())),
    }
}

/// Where the check stands in the original document.
struct Check<'c> {
    document: &'c Document<'c>,
    edits: &'c Edits,
    /// The next node.
    at: NodeId,
    /// The collections around it, the innermost last. No recursion: documents nest as deep as the parser allows.
    open: Vec<NodeId>,
    /// What new entries call for before that node, the last first.
    inserted: Vec<Inserted<'c>>,
    /// The new number of each of the document's anchors, by its old one.
    anchors: Vec<u32>,
    seen: u32,
}

/// An event that a new entry calls for.
enum Inserted<'c> {
    Mapping,
    MappingEnd,
    Sequence,
    SequenceEnd,
    Text(&'c str),
}

impl<'s> TrySpannedEventReceiver<'s> for Check<'_> {
    type Error = EditError;

    fn on_event(&mut self, event: Event<'s>, span: Span) -> Result<(), EditError> {
        match event {
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd => Ok(()),
            event => self.compare(&event, span.is_empty()),
        }
    }
}

impl<'c> Check<'c> {
    fn compare(&mut self, event: &Event<'_>, is_empty: bool) -> Result<(), EditError> {
        if let Some(inserted) = self.inserted.pop() {
            let same = inserted.is(event) && !is_absent(event, is_empty);
            return if same { Ok(()) } else { Err(EditError("a new entry does not read as written".to_owned())) };
        }
        self.skip_removed();
        match self.open.last() {
            Some(&collection) if self.at >= self.document.following(collection) => {
                self.expect_end(collection, event)?;
                self.open.pop();
                self.insert_after(collection);
            }
            _ if self.at >= self.document.end() => return Err(difference("the end of the document", event)),
            _ => {
                let node = self.at;
                self.expect_node(node, event, is_empty)?;
                if self.document.kind(node).is_collection() {
                    self.open.push(node);
                } else {
                    self.insert_after(node);
                }
                self.at = self.document.first_inside(node);
            }
        }
        Ok(())
    }

    /// Whether everything that was intended was there.
    fn finish(mut self) -> Result<(), EditError> {
        self.skip_removed();
        let is_done = self.at >= self.document.end() && self.open.is_empty() && self.inserted.is_empty();
        if is_done { Ok(()) } else { Err(EditError("it ends too early".to_owned())) }
    }

    fn skip_removed(&mut self) {
        while let Some(&is_key) = self.edits.removed.get(self.at) {
            self.skip();
            if is_key {
                self.skip();
            }
        }
    }

    /// Passes a subtree over, and counts its anchors, which no alias may refer to.
    fn skip(&mut self) {
        let length = self.anchors.len() + self.document.anchors_inside(self.at);
        self.anchors.resize(length, 0);
        self.at = self.document.following(self.at);
    }

    fn expect_node(&mut self, id: NodeId, event: &Event<'_>, is_empty: bool) -> Result<(), EditError> {
        let document = self.document;
        let node = document.node(id);
        let tag = document.tag(id);
        let same = match (event, node.kind) {
            (Event::Scalar(text, style, _, new_tag), NodeKind::Scalar(old)) => {
                let text = if is_absent(event, is_empty) { "" } else { text.as_ref() };
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
            return Err(difference(&format!("{:?}", node.kind), event));
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

    fn expect_end(&self, collection: NodeId, event: &Event<'_>) -> Result<(), EditError> {
        let same = match self.document.kind(collection) {
            NodeKind::Sequence { .. } => matches!(event, Event::SequenceEnd),
            _ => matches!(event, Event::MappingEnd),
        };
        if same { Ok(()) } else { Err(EditError("a collection does not end where it did".to_owned())) }
    }

    fn insert_after(&mut self, item: NodeId) {
        for entry in self.edits.inserted.get(item).into_iter().flatten().rev() {
            self.inserted.extend(Inserted::of(entry).into_iter().rev());
        }
    }
}

impl<'c> Inserted<'c> {
    /// What an entry calls for, in order.
    fn of(entry: &'c TlsEntry) -> Vec<Self> {
        let mut all = vec![Self::Mapping, Self::Text("hosts"), Self::Sequence];
        all.extend(entry.hosts.iter().map(|host| Self::Text(host)));
        all.extend([Self::SequenceEnd, Self::Text("secretName"), Self::Text(&entry.secret_name), Self::MappingEnd]);
        all
    }

    fn is(&self, event: &Event<'_>) -> bool {
        match self {
            Self::Mapping => matches!(event, Event::MappingStart(..)),
            Self::MappingEnd => matches!(event, Event::MappingEnd),
            Self::Sequence => matches!(event, Event::SequenceStart(..)),
            Self::SequenceEnd => matches!(event, Event::SequenceEnd),
            Self::Text(intended) => event.scalar().is_some_and(|(text, _)| text == *intended),
        }
    }
}

/// Whether the event is the `~` that the parser gives for a value that is not written.
fn is_absent(event: &Event<'_>, is_empty: bool) -> bool {
    is_empty && matches!(event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "~")
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
