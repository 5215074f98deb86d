//! One parsed chunk of the stream: a flat tree of nodes with the byte range of each.
//!
//! This is the only module that speaks to the YAML parser.

use std::borrow::Cow;
use std::sync::OnceLock;

use granit_parser::{Event, Parser, ScalarStyle, Span, SpannedEventReceiver, StructureStyle, Tag};

use super::scalar::Style;

/// The index of a node in its [`Document`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A scalar, in the given style.
    Scalar(Style),
    /// An alias (`*name`).
    Alias,
    /// A sequence.
    Sequence {
        /// Whether it is written with brackets.
        flow: bool,
    },
    /// A mapping.
    Mapping {
        /// Whether it is written with braces.
        flow: bool,
    },
}

impl NodeKind {
    /// Whether it holds other nodes.
    pub(super) fn is_collection(self) -> bool {
        matches!(self, Self::Sequence { .. } | Self::Mapping { .. })
    }
}

/// A node, kept small: a render has hundreds of thousands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) start: u32,
    pub(super) end: u32,
    /// For a scalar [`BARE`], [`QUOTED`], or from [`DECODED`] on an index into `decoded`; for an alias the anchor's
    /// number; for a collection the node after its subtree.
    value: u32,
}

/// The text of the scalar is its range.
const BARE: u32 = 0;
/// The text of the scalar is its range without the quotes.
const QUOTED: u32 = 1;
/// The text had escapes or line folds.
const DECODED: u32 = 2;

/// A chunk of the stream that was parsed: usually one YAML document.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    source: &'a str,
    pub(super) nodes: Vec<Node>,
    pub(super) decoded: Vec<String>,
    pub(super) tags: Vec<(NodeId, String)>,
    /// The anchors by number (from 1), each with its node.
    pub(super) anchors: Vec<(u32, NodeId)>,
    /// Anchored nodes that an alias refers to, each with the furthest end of it and those before it.
    anchors_in_use: Vec<(NodeId, u32)>,
    line_breaks: OnceLock<Vec<u32>>,
    odd_line_breaks: OnceLock<bool>,
}

/// Why a chunk could not be parsed, with the place inside it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// The line inside the chunk, from 0.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// The parser's events for `source`, without comments.
pub(super) fn events(source: &str) -> Parser<'_, granit_parser::StrInput<'_>> {
    let mut options = granit_parser::options! {};
    options.set_emit_comments(false);
    Parser::new_from_str_with_options(source, options)
}

impl<'a> Document<'a> {
    /// Parses a chunk.
    ///
    /// # Errors
    /// When the bytes are not UTF-8 or not YAML, with the place.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let source = simdutf8::compat::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            let line_start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
            ParseError {
                message: "the document is not UTF-8".to_owned(),
                line: memchr::memchr_iter(b'\n', before).count(),
                column: String::from_utf8_lossy(&before[line_start..]).chars().count() + 1,
            }
        })?;
        if u32::try_from(source.len()).is_err() {
            return Err(ParseError { message: "the document is larger than 4 GiB".to_owned(), line: 0, column: 1 });
        }
        Builder::new(source).build()
    }

    /// The text that was parsed.
    #[must_use]
    pub fn source(&self) -> &'a str {
        self.source
    }

    /// Whether the text holds NEL, LS or PS, which YAML 1.1 takes for line breaks and YAML 1.2 does not.
    #[must_use]
    pub fn has_odd_line_breaks(&self) -> bool {
        let search = || !self.source.is_ascii() && self.source.contains(['\u{85}', '\u{2028}', '\u{2029}']);
        *self.odd_line_breaks.get_or_init(search)
    }

    /// The root nodes, one a YAML document.
    pub fn roots(&self) -> impl Iterator<Item = NodeId> + '_ {
        let inside = |root: &NodeId| *root < self.end();
        std::iter::successors(Some(NodeId(0)).filter(inside), move |&root| Some(self.following(root)).filter(inside))
    }

    /// The root node, unless there are several YAML documents or none.
    #[must_use]
    pub fn only_root(&self) -> Option<NodeId> {
        let mut roots = self.roots();
        roots.next().filter(|_| roots.next().is_none())
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// What the node is.
    #[must_use]
    pub fn kind(&self, id: NodeId) -> NodeKind {
        self.node(id).kind
    }

    /// The byte range of the node's text in the source: for a scalar with its quotes, for a
    /// block collection from its first to the end of its last child.
    #[must_use]
    pub fn range(&self, id: NodeId) -> std::ops::Range<usize> {
        let node = self.node(id);
        node.start as usize..node.end as usize
    }

    /// The line of the node inside the source, from 0.
    #[must_use]
    pub fn line(&self, id: NodeId) -> usize {
        let start = self.node(id).start;
        let breaks =
            self.line_breaks.get_or_init(|| memchr::memchr_iter(b'\n', self.source.as_bytes()).map(narrow).collect());
        breaks.partition_point(|&at| at < start)
    }

    /// The text of a scalar that is not null; an alias is followed.
    #[must_use]
    pub fn text(&self, id: NodeId) -> Option<&str> {
        let id = self.resolve(id);
        let node = self.node(id);
        let NodeKind::Scalar(style) = node.kind else { return None };
        let text = self.raw_text(node);
        let is_null =
            style == Style::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") && self.tag(id).is_none();
        (!is_null).then_some(text)
    }

    /// The text of the scalar as the parser gave it, null included.
    pub(super) fn raw_text(&self, node: &Node) -> &str {
        let (start, end) = (node.start as usize, node.end as usize);
        match (node.kind, node.value) {
            (NodeKind::Scalar(_), BARE) => &self.source[start..end],
            (NodeKind::Scalar(_), QUOTED) => &self.source[start + 1..end - 1],
            (NodeKind::Scalar(_), decoded) => &self.decoded[(decoded - DECODED) as usize],
            _ => "",
        }
    }

    /// The node itself, or the one that the alias refers to.
    #[must_use]
    pub fn resolve(&self, id: NodeId) -> NodeId {
        self.alias(id).and_then(|number| self.anchored(number)).unwrap_or(id)
    }

    /// The number of the anchor that an alias refers to.
    pub(super) fn alias(&self, id: NodeId) -> Option<u32> {
        let node = self.node(id);
        (node.kind == NodeKind::Alias).then_some(node.value)
    }

    /// Whether [`Document::text`] is this text.
    pub(super) fn is_text(&self, id: NodeId, text: &str) -> bool {
        let node = self.node(id);
        let is_other_length = node.value == BARE && (node.end - node.start) as usize != text.len();
        !(is_other_length && matches!(node.kind, NodeKind::Scalar(_))) && self.text(id) == Some(text)
    }

    /// How many anchors stand in the node's subtree.
    pub(super) fn anchors_inside(&self, id: NodeId) -> usize {
        let before = |end: u32| self.anchors.partition_point(|&(_, node)| node.0 < end);
        before(self.following(id).0) - before(id.0)
    }

    /// The node that carries an anchor; the parser numbers anchors in their order.
    pub(super) fn anchored(&self, number: u32) -> Option<NodeId> {
        let at = self.anchors.binary_search_by_key(&number, |(anchor, _)| *anchor).ok()?;
        Some(self.anchors[at].1)
    }

    /// The collection that holds the node, if it is not a root.
    pub(super) fn parent(&self, id: NodeId) -> Option<NodeId> {
        // The nearest node in front of it whose subtree reaches it.
        (0..id.0).rev().map(NodeId).find(|&before| self.contains(before, id))
    }

    /// The node after this one's subtree: for a key, its value.
    pub fn following(&self, id: NodeId) -> NodeId {
        let node = self.node(id);
        if node.kind.is_collection() { NodeId(node.value) } else { self.first_inside(id) }
    }

    /// Behind the last node.
    pub(super) fn end(&self) -> NodeId {
        NodeId(narrow(self.nodes.len()))
    }

    /// The node in front of this one in the text: its parent, or the last one inside its preceding sibling.
    pub(super) fn preceding(&self, id: NodeId) -> Option<NodeId> {
        id.0.checked_sub(1).map(NodeId)
    }

    /// The node's first child, or the node after it.
    pub(super) fn first_inside(&self, id: NodeId) -> NodeId {
        NodeId(id.0 + 1)
    }

    pub(super) fn tag(&self, id: NodeId) -> Option<&str> {
        self.tags.binary_search_by_key(&id, |(node, _)| *node).ok().map(|at| self.tags[at].1.as_str())
    }

    /// Whether the node carries a tag other than the one for strings.
    #[must_use]
    pub fn has_foreign_tag(&self, id: NodeId) -> bool {
        self.tag(id).is_some_and(|tag| !matches!(tag, "tag:yaml.org,2002:str" | "!"))
    }

    /// The entries of a mapping, in order, duplicates included; none for another node.
    pub fn entries(&self, id: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        let id = self.resolve(id);
        let is_mapping = matches!(self.kind(id), NodeKind::Mapping { .. });
        let mut children = self.children(id);
        std::iter::from_fn(move || {
            if !is_mapping {
                return None;
            }
            Some((children.next()?, children.next()?))
        })
    }

    /// The items of a sequence, in order; none for another node.
    pub fn items(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let id = self.resolve(id);
        let is_sequence = matches!(self.kind(id), NodeKind::Sequence { .. });
        self.children(id).filter(move |_| is_sequence)
    }

    /// The children of a collection; keys and values of a mapping alternate.
    pub(super) fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.following(id);
        let mut at = self.first_inside(id);
        std::iter::from_fn(move || {
            let id = at;
            (id < end).then(|| {
                at = self.following(id);
                id
            })
        })
    }

    /// Every scalar of a subtree, keys included.
    pub fn scalars(&self, root: NodeId) -> impl Iterator<Item = (NodeId, &str)> + '_ {
        (root.0..self.following(root).0).map(NodeId).filter_map(|id| {
            let node = self.node(id);
            matches!(node.kind, NodeKind::Scalar(_)).then(|| (id, self.raw_text(node)))
        })
    }

    /// Whether `inner` is `outer` or stands inside it.
    #[must_use]
    pub fn contains(&self, outer: NodeId, inner: NodeId) -> bool {
        outer <= inner && inner < self.following(outer)
    }

    /// Whether an edit of this node would show up elsewhere: it is an alias, or an anchor that is
    /// in use stands on it, around it, or in it.
    #[must_use]
    pub fn is_shared(&self, id: NodeId) -> bool {
        let anchors = &self.anchors_in_use;
        let around = anchors.partition_point(|&(anchor, _)| anchor <= id);
        self.kind(id) == NodeKind::Alias
            || around.checked_sub(1).is_some_and(|last| anchors[last].1 > id.0)
            || anchors.get(around).is_some_and(|&(anchor, _)| self.contains(id, anchor))
    }
}

/// Builds the flat tree from the parser's events.
struct Builder<'a> {
    document: Document<'a>,
    open: Vec<u32>,
    /// Where the text of the last closed node ended.
    last_end: u32,
}

impl<'a> Builder<'a> {
    fn new(source: &'a str) -> Self {
        Self {
            document: Document {
                source,
                // Few renders hold more nodes; what is not needed is given back.
                nodes: Vec::with_capacity(source.len() / 8),
                decoded: Vec::new(),
                tags: Vec::new(),
                anchors: Vec::new(),
                anchors_in_use: Vec::new(),
                line_breaks: OnceLock::new(),
                odd_line_breaks: OnceLock::new(),
            },
            open: Vec::new(),
            last_end: 0,
        }
    }

    fn build(mut self) -> Result<Document<'a>, ParseError> {
        events(self.document.source).load(&mut self, true).map_err(|error| ParseError {
            message: error.info(),
            line: error.marker().line().saturating_sub(1),
            column: error.marker().col() + 1,
        })?;
        let document = &mut self.document;
        document.nodes.shrink_to_fit();
        if document.anchors.is_empty() {
            return Ok(self.document);
        }
        let aliases = document.nodes.iter().filter(|node| node.kind == NodeKind::Alias);
        let mut used: Vec<NodeId> = aliases.filter_map(|alias| document.anchored(alias.value)).collect();
        used.sort_unstable();
        used.dedup();
        // Ranges of nodes nest, so one of them holds a node exactly if the furthest end so far is behind it.
        let ends = used.iter().scan(0, |end, &anchor| {
            *end = document.following(anchor).0.max(*end);
            Some(*end)
        });
        document.anchors_in_use = used.iter().copied().zip(ends.collect::<Vec<u32>>()).collect();
        Ok(self.document)
    }

    fn scalar(
        &mut self,
        text: Cow<'a, str>,
        style: ScalarStyle,
        range: std::ops::Range<usize>,
        anchor: usize,
        tag: Option<Cow<'a, Tag>>,
    ) {
        let source = self.document.source;
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        // The parser's range of a block scalar runs into the next line's indentation.
        let end = if style == Style::Block {
            range.start + source[range.clone()].trim_end_matches(['\n', '\r', ' ', '\t']).len()
        } else {
            range.end
        };
        let range = range.start..end;
        let value = match text {
            Cow::Borrowed("~") if range.is_empty() => BARE,
            Cow::Borrowed(text) => {
                let at = (text.as_ptr() as usize).checked_sub(source.as_ptr() as usize).unwrap_or(usize::MAX);
                if at == range.start && text.len() == range.len() {
                    BARE
                } else if at == range.start + 1 && text.len() + 2 == range.len() {
                    QUOTED
                } else {
                    self.decode(text.to_owned())
                }
            }
            Cow::Owned(text) => self.decode(text),
        };
        let id = self.push(NodeKind::Scalar(style), &range, value, anchor, tag);
        self.close(id, narrow(end));
    }

    fn decode(&mut self, text: String) -> u32 {
        self.document.decoded.push(text);
        narrow(self.document.decoded.len() - 1).saturating_add(DECODED)
    }

    fn push(
        &mut self,
        kind: NodeKind,
        range: &std::ops::Range<usize>,
        value: u32,
        anchor: usize,
        tag: Option<Cow<'a, Tag>>,
    ) -> NodeId {
        let id = NodeId(narrow(self.document.nodes.len()));
        if anchor != 0 {
            self.document.anchors.push((narrow(anchor), id));
        }
        if let Some(tag) = tag {
            self.document.tags.push((id, tag_text(&tag)));
        }
        self.document.nodes.push(Node { kind, start: narrow(range.start), end: narrow(range.end), value });
        id
    }

    fn close(&mut self, id: NodeId, end: u32) {
        let next = self.document.end();
        let node = &mut self.document.nodes[id.0 as usize];
        if node.kind.is_collection() {
            node.value = next.0;
        }
        node.end = end.max(node.start);
        self.last_end = node.end;
    }
}

impl<'a> SpannedEventReceiver<'a> for Builder<'a> {
    fn on_event(&mut self, event: Event<'a>, span: Span) {
        let range = span.byte_range().unwrap_or_default();
        match event {
            Event::Scalar(text, style, anchor, tag) => self.scalar(text, style, range, anchor, tag),
            Event::Alias(anchor) => {
                let id = self.push(NodeKind::Alias, &range, narrow(anchor), 0, None);
                self.close(id, narrow(range.end));
            }
            Event::SequenceStart(style, anchor, tag) => {
                let flow = style == StructureStyle::Flow;
                let id = self.push(NodeKind::Sequence { flow }, &range, 0, anchor, tag);
                self.open.push(id.0);
            }
            Event::MappingStart(style, anchor, tag) => {
                let flow = style == StructureStyle::Flow;
                let id = self.push(NodeKind::Mapping { flow }, &range, 0, anchor, tag);
                self.open.push(id.0);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    // A block collection has no end of its own: the event stands at the next token.
                    let end = if range.is_empty() { self.last_end } else { narrow(range.end) };
                    self.close(NodeId(open), end);
                }
            }
            _ => {}
        }
    }
}

/// The tag in full, as far as the document tells.
pub(super) fn tag_text(tag: &Tag) -> String {
    format!("{}{}", tag.handle(), tag.suffix())
}

/// Offsets fit: `Document::parse` refuses larger sources.
fn narrow(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
