//! `weir show`

use super::{Context, Result, apply};
use crate::{
    compose,
    error::Outcome,
    render::{json, plan, snapshot},
};
use std::path::PathBuf;

/// Flags of `show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// A plan file; without one, the state is shown.
    file: Option<PathBuf>,
    /// Print JSON: Terraform's plan format 1.2, or its state format 1.0.
    #[arg(long)]
    json: bool,
}

/// Shows the state, or a plan file.
pub(crate) async fn cmd_show(args: &Show, context: &Context) -> Result {
    if let Some(file) = &args.file {
        let saved = apply::read(file)?;
        let text = match args.json {
            true => format!("{}\n", json::plan::plan(saved.plan(), None)),
            false => plan::render(saved.plan(), &[], context.ui.out),
        };
        context.ui.data(&text)?;
        return Ok(Outcome::Done);
    }
    match compose::store_here(&context.env)? {
        Some(store) => {
            let state = store.snapshot().await?;
            let text = match args.json {
                true => format!("{}\n", json::state::state(&state)),
                false => snapshot::render(&state, context.ui.out),
            };
            context.ui.data(&text)?;
        }
        None if args.json => context.ui.data("{\"format_version\":\"1.0\"}\n")?,
        None => context
            .ui
            .tell("There is no state yet: `weir apply` makes it."),
    }
    Ok(Outcome::Done)
}
