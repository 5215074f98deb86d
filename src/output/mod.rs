//! What is printed and written.

pub mod escape;
pub mod file;
