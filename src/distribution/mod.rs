//! To which namespaces a source is copied, and who is told so.

pub mod copies;
mod destination;
mod pattern;
mod replication;
mod selector;
mod target;

pub use destination::{Destination, DestinationError, Via, other};
pub use pattern::{PatternError, Patterns};
pub use replication::{Replication, replications};
pub use selector::{SelectorError, parse as parse_selector};
pub use target::{Target, TargetError};
