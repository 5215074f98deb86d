//! What Helm does not tell a post-renderer, and how Helm wants to be answered.

pub mod arguments;
pub mod contract;
pub mod process;
pub mod release;
