//! What is printed and written.

pub mod cell;
pub mod escape;
pub mod file;
pub mod path;
pub mod structured;
pub mod table;
