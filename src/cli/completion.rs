//! The options of `completion`, `man` and of what kubectl's completion asks for.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Options of `completion`.
#[derive(Args, Clone, Debug)]
pub struct CompletionArgs {
    /// The shell
    #[arg(value_name = "bash|zsh|fish|powershell")]
    pub shell: Shell,
}

/// Options of `man`.
#[derive(Args, Clone, Debug)]
pub struct ManArgs {
    /// The folder for the pages
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
}

/// Options of `__complete`.
#[derive(Args, Clone, Debug)]
pub struct CompleteArgs {
    /// The words so far; the last one is to be completed
    #[arg(value_name = "WORD", trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<OsString>,
}
