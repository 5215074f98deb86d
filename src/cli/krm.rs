//! The options of `krm`.

use clap::Args;

use super::DecisionArgs;

/// Options of `krm`; the function's configuration can give each as well.
#[derive(Args, Clone, Debug, Default)]
pub struct KrmArgs {
    /// What decisions depend on.
    #[command(flatten)]
    pub decision: DecisionArgs,
}
