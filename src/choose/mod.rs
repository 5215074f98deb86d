//! Which routing secret serves a host: host names, cover, and the ranking of those that cover.

mod cover;
pub mod epinio;
mod glob;
mod host;
mod rank;

pub use cover::{Cover, DnsNames, WildcardSpan};
pub use host::{HostError, HostName};
pub use rank::{Candidate, Choice, Query, choose, covers, split, uncovered, winner};
