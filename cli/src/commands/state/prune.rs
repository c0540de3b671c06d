//! `weir state prune`: what of the past is kept.

use super::super::{Context, Result, rollback};
use super::edit::EditArgs;
use crate::{compose, error::Outcome};

/// Flags of `state prune`.
#[derive(Debug, clap::Args)]
pub(crate) struct Prune {
    /// How many of the latest applies stay, with their states and configurations.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    keep: u32,
    #[command(flatten)]
    edit: EditArgs,
}

/// Drops what only older applies need.
pub(super) async fn prune(args: &Prune, context: &Context) -> Result {
    let store = rollback::store(context).await?;
    let history = store.history().await?;
    let keep = usize::try_from(args.keep).unwrap_or(usize::MAX);
    let Some(first) = history.len().checked_sub(keep).filter(|n| *n > 0) else {
        context.ui.tell(&format!(
            "There is nothing to drop: the history has {}.",
            super::count(history.len(), "line")
        ));
        return Ok(Outcome::Done);
    };
    let before = history[first].serial;
    let waiting = |holder| {
        context
            .ui
            .tell(&format!("Waiting for the state, locked by {holder} ..."));
    };
    let timeout = args.edit.lock_timeout;
    let lease = compose::lease(&*store, &context.env, "state prune", timeout, waiting).await?;
    let pruned = store.prune(&lease, before).await;
    let released = store.release(lease).await;
    let pruned = pruned?;
    released?;
    context.ui.data(&format!(
        "Dropped {} lines of the history, {} rows of states before serial {before} and {} texts of \
         configurations.\n",
        pruned.applies, pruned.rows, pruned.texts
    ))?;
    Ok(Outcome::Done)
}
