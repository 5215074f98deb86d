//! Points the TLS-terminating objects of a rendered chart at the routing secrets that cover their
//! hosts, removes what would make an issuer act, and drops the Certificates that nothing needs.
//!
//! The way of the data: [`manifest`] splits and parses the stream, [`consumers`] and
//! [`certificate`] read its objects, [`inventory`] holds the [`secret`]s, [`choose`] finds the one
//! for some hosts ([`distribution`] says where a source is copied to), [`plan`] decides and edits, [`report`] and
//! [`output`] show it; [`answer`] is what `match` says of a host, [`audit`] what is found in a live cluster; [`helm`] knows
//! what Helm tells a post-renderer and what it expects of one; [`commands`]
//! gathers the inputs. Everything but `commands` and the loading of files is pure.

pub mod answer;
pub mod audit;
pub mod certificate;
pub mod check;
pub mod choose;
pub mod cli;
pub mod cluster;
pub mod commands;
pub mod consumers;
pub mod distribution;
pub mod helm;
pub mod inventory;
pub mod manifest;
pub mod output;
pub mod plan;
pub mod report;
pub mod secret;
