//! Tables as kubectl prints them: columns three blanks apart, upper-case headings.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

/// How urgent a cell is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Urgency {
    /// Nothing to do.
    #[default]
    Calm,
    /// Something to look at soon.
    Soon,
    /// Something is wrong.
    Now,
}

/// A cell: its text, and how urgent it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// The text, without anything that a terminal would obey.
    pub text: String,
    /// How urgent it is.
    pub urgency: Urgency,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), urgency: Urgency::Calm }
    }
}

/// A table that is written page by page; columns only ever get wider.
#[derive(Debug)]
pub struct Table {
    headings: Vec<String>,
    widths: Vec<usize>,
    with_headings: bool,
    colour: bool,
}

/// What stands between two columns.
const GAP: usize = 3;

impl Table {
    /// A table with these headings; whether they are written, and whether urgent cells are coloured.
    #[must_use]
    pub fn new(headings: Vec<String>, with_headings: bool, colour: bool) -> Self {
        let widths = headings.iter().map(|heading| if with_headings { heading.width() } else { 0 }).collect();
        Self { headings, widths, with_headings, colour }
    }

    /// Writes a page of rows, the headings before the first.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&mut self, rows: &[Vec<Cell>], out: &mut dyn Write) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = cell.text.width().max(*width);
            }
        }
        if std::mem::take(&mut self.with_headings) {
            let headings: Vec<Cell> = self.headings.iter().map(|heading| Cell::from(heading.as_str())).collect();
            self.write_row(&headings, out)?;
        }
        rows.iter().try_for_each(|row| self.write_row(row, out))
    }

    fn write_row(&self, row: &[Cell], out: &mut dyn Write) -> io::Result<()> {
        let mut line = String::new();
        for (at, cell) in row.iter().enumerate() {
            let colour = match cell.urgency {
                _ if !self.colour => None,
                Urgency::Calm => None,
                Urgency::Soon => Some("\u{1b}[33m"),
                Urgency::Now => Some("\u{1b}[31m"),
            };
            line.push_str(colour.unwrap_or_default());
            line.push_str(&cell.text);
            line.push_str(if colour.is_some() { "\u{1b}[0m" } else { "" });
            if at + 1 < row.len() {
                let padding = self.widths.get(at).copied().unwrap_or_default().saturating_sub(cell.text.width()) + GAP;
                line.extend(std::iter::repeat_n(' ', padding));
            }
        }
        line.push('\n');
        out.write_all(line.as_bytes())
    }
}

/// A time span as kubectl prints ages (apimachinery `util/duration.HumanDuration`).
#[must_use]
pub fn human_duration(seconds: i64) -> String {
    if seconds < 0 {
        return "0s".to_owned();
    }
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |first: i64, unit: &str, rest: i64, small: &str| match rest {
        0 => format!("{first}{unit}"),
        rest => format!("{first}{unit}{rest}{small}"),
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_three_blanks_apart_and_only_get_wider() {
        let mut table = Table::new(vec!["NAME".to_owned(), "HOSTS".to_owned()], true, false);
        let mut out = Vec::new();
        table.write(&[], &mut out).unwrap();
        table.write(&[vec!["a".into(), "x".into()], vec!["längerer".into(), "y".into()]], &mut out).unwrap();
        table.write(&[vec!["b".into(), "z".into()]], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "NAME       HOSTS\na          x\nlängerer   y\nb          z\n");
    }

    #[test]
    fn urgent_cells_are_coloured_only_when_asked_for() {
        let row = vec![Cell { text: "gone".to_owned(), urgency: Urgency::Now }, "x".into()];
        let written = |colour| {
            let mut out = Vec::new();
            let headings = vec!["A".to_owned(), "B".to_owned()];
            Table::new(headings, false, colour).write(std::slice::from_ref(&row), &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(false), "gone   x\n");
        assert_eq!(written(true), "\u{1b}[31mgone\u{1b}[0m   x\n");
    }

    #[test]
    fn time_spans_read_as_kubectls() {
        for (seconds, expected) in [
            (-5, "0s"),
            (119, "119s"),
            (125, "2m5s"),
            (600, "10m"),
            (11_000, "3h3m"),
            (30_000, "8h"),
            (180_000, "2d2h"),
            (41 * 86_400, "41d"),
            (800 * 86_400, "2y70d"),
            (3650 * 86_400, "10y"),
        ] {
            assert_eq!(human_duration(seconds), expected, "{seconds}");
        }
    }
}
