//! `weir init`

use super::{Context, Result};
use crate::{
    args::VarArgs,
    compose,
    error::{CommandError, Outcome},
};
use std::fs;

/// Flags of `init`.
#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    #[command(flatten)]
    vars: VarArgs,
}

/// What a version control must not take: state holds secrets.
const IGNORE: &str = "# State and plans hold secrets.\n*\n";

/// Checks the configuration and makes the state, if there is none.
pub(crate) fn cmd_init(args: &Init, context: &Context) -> Result {
    let loaded = compose::load(&compose::inputs(&args.vars, &context.env)?)?;
    context.ui.diagnostics(&loaded.warnings);
    let known = compose::registry(&context.env);
    for name in loaded.config.provider_names() {
        if known.factory(&name).is_none() {
            return Err(unknown_provider(&name, &known));
        }
    }
    let path = compose::state_path(loaded.config.stack())?;
    let existed = path.exists();
    let store = compose::open(&path)?;
    if let Some(folder) = path.parent().filter(|p| p.ends_with(".weir")) {
        let ignore = folder.join(".gitignore");
        if !ignore.exists() {
            fs::write(&ignore, IGNORE)
                .map_err(|e| CommandError::failed(format!("{}: {e}", ignore.display())))?;
        }
    }
    let made = if existed { "found" } else { "made" };
    let name = &loaded.config.stack().name;
    context.ui.tell(&format!(
        "Stack {name:?} is ready: its state was {made} in {} (lineage {}).",
        path.display(),
        store.lineage()
    ));
    if context.ui.hints {
        context
            .ui
            .tell("Next: `weir plan` shows what would be done.");
    }
    Ok(Outcome::Done)
}

fn unknown_provider(name: &str, known: &weir_engine::Registry) -> CommandError {
    let names: Vec<&str> = known.names().collect();
    CommandError::failed(format!("provider {name:?} is not part of this weir"))
        .hint(format!("It has {}.", names.join(", ")))
}
