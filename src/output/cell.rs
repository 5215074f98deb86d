//! Cells that several tables have.

use jiff::Timestamp;

use super::escape::escape;
use super::table::{Cell, Urgency, human_duration};

/// DNS names; only the first three unless all are asked for.
#[must_use]
pub fn names(names: &[String], all: bool) -> String {
    const SHOWN: usize = 3;
    let shown = if all { names.len() } else { SHOWN };
    let text = names.iter().take(shown).map(|name| escape(name)).collect::<Vec<_>>().join(",");
    match names.len() {
        0 => "<none>".to_owned(),
        count if count > shown => format!("{text} + {} more", count - shown),
        _ => text,
    }
}

/// How long a certificate is still valid, or since when it is not.
#[must_use]
pub fn expiry(not_after: Option<Timestamp>, is_soon: bool, now: Timestamp) -> Cell {
    let Some(not_after) = not_after else { return "<none>".into() };
    let left = not_after.as_second() - now.as_second();
    if left < 0 {
        return Cell { text: format!("{} ago", human_duration(-left)), urgency: Urgency::Now };
    }
    Cell { text: human_duration(left), urgency: if is_soon { Urgency::Soon } else { Urgency::Calm } }
}
