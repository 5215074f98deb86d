//! What `compare.sh` needs besides the filter: its inputs, and the peer that parses each document twice.
//!
//! `peer plain|ingresses|list|mixed BYTES` and `peer secrets NUMBER` write an input to standard output; `peer
//! parse` reads a stream as the filter does, splits it with the library, and parses each document twice.

mod inputs;

use std::io::{Read as _, Write as _};

use anyhow::{Context as _, Result, bail};
use granit_parser::{Event, Parser, Span, SpannedEventReceiver};
use rayon::prelude::*;
use routing_secrets::manifest::stream::split;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let role = arguments.next().context("peer plain|ingresses|list|mixed|secrets NUMBER, or peer parse")?;
    let mut number = || arguments.next().context("a number is missing")?.parse().context("not a number");
    let text = match role.as_str() {
        "plain" => inputs::plain(number()?),
        "ingresses" => inputs::ingresses(number()?),
        "list" => inputs::list(number()?),
        "mixed" => inputs::mixed(number()?),
        "secrets" => inputs::secrets(number()?)?,
        "parse" => parse_twice()?,
        _ => bail!("peer knows no \"{role}\""),
    };
    std::io::stdout().write_all(text.as_bytes()).context("failed to write")
}

fn parse_twice() -> Result<String> {
    let mut input = Vec::new();
    std::io::stdin().lock().read_to_end(&mut input).context("failed to read")?;
    let text = simdutf8::compat::from_utf8(&input)?;
    let documents = split(&input);
    let events: usize = documents
        .par_iter()
        .map(|document| Ok(events(&text[document.clone()])? + events(&text[document.clone()])?))
        .sum::<Result<usize>>()?;
    Ok(format!("{} documents, {events} events\n", documents.len()))
}

/// The number of events, as the filter has the parser set and called: pushed, which is faster than to pull them.
fn events(text: &str) -> Result<usize> {
    let mut options = granit_parser::options! {};
    options.set_emit_comments(false);
    let mut count = Count(0);
    Parser::new_from_str_with_options(text, options).load(&mut count, true)?;
    Ok(count.0)
}

struct Count(usize);

impl<'i> SpannedEventReceiver<'i> for Count {
    fn on_event(&mut self, event: Event<'i>, span: Span) {
        std::hint::black_box((event, span));
        self.0 += 1;
    }
}
