//! What Helm does not tell a post-renderer, and how Helm wants to be answered.

pub mod arguments;
pub mod contract;
pub mod plugin;
pub mod process;
pub mod release;
