//! `weir completion`

use super::{Context, Result};
use crate::{args::Cli, error::Outcome};
use clap::CommandFactory;
use clap_complete::{Shell, generate};

/// Flags of `completion`.
#[derive(Debug, clap::Args)]
pub(crate) struct Completion {
    /// The shell that the script is for.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints a script that completes command lines.
pub(crate) fn cmd_completion(args: &Completion, context: &Context) -> Result {
    let mut script = Vec::new();
    generate(args.shell, &mut Cli::command(), "weir", &mut script);
    context.ui.data(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Done)
}
