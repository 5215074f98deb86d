//! The options of `kinds`.

use clap::{Args, ValueEnum};

/// Options of `kinds`.
#[derive(Args, Clone, Debug, Default)]
pub struct KindsArgs {
    /// How to print them
    #[arg(short, long, value_name = "wide|json|yaml|name")]
    pub output: Option<KindsOutput>,
    /// Leave the headings out
    #[arg(long)]
    pub no_headers: bool,
}

/// `--output` of `kinds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KindsOutput {
    /// The table with all columns.
    Wide,
    /// A list as JSON.
    Json,
    /// The list as YAML.
    Yaml,
    /// The resources' names.
    Name,
}
