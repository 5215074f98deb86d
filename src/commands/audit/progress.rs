//! A line on the terminal that says what is being read.

use std::cell::RefCell;
use std::io::Write;

use crate::output::escape::escape;

/// A line that is written over again and again; nothing where standard error is no terminal.
pub(super) struct Progress<'w> {
    out: RefCell<Option<&'w mut dyn Write>>,
}

impl<'w> Progress<'w> {
    pub(super) fn new(out: &'w mut dyn Write, is_terminal: bool) -> Self {
        Self { out: RefCell::new(is_terminal.then_some(out)) }
    }

    pub(super) fn say(&self, what: &str, count: usize) {
        self.write(&format!("\r\u{1b}[2Kreading {}: {count}", escape(what)));
    }

    pub(super) fn end(&self) {
        self.write("\r\u{1b}[2K");
    }

    fn write(&self, text: &str) {
        if let Some(out) = self.out.borrow_mut().as_mut() {
            // A terminal that has gone is told by standard output.
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_over_and_taken_away_and_only_on_a_terminal() {
        let written = |is_terminal| {
            let mut out = Vec::new();
            let progress = Progress::new(&mut out, is_terminal);
            progress.say("secrets", 500);
            progress.end();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(true), "\r\u{1b}[2Kreading secrets: 500\r\u{1b}[2K");
        assert_eq!(written(false), "");
    }
}
