//! `weir state migrate`

use super::super::{Context, Result};
use super::edit::EditArgs;
use crate::{
    args::VarArgs,
    compose,
    error::{CommandError, Outcome},
    stores::States,
};
use weir_state::{Lease, StateError, Store, Workspace};

/// Flags of `state migrate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Migrate {
    /// Where the state is now: a file, a connection string of Postgres, `s3://BUCKET/KEY?region=...`,
    /// or a web address.
    #[arg(long, value_name = "PLACE", default_value = ".weir/state.db")]
    from: String,
    /// The schema it is in there.
    #[arg(long, value_name = "SCHEMA", default_value = "weir")]
    from_schema: String,
    /// The stack's name there, where it had another one.
    #[arg(long, value_name = "STACK")]
    from_stack: Option<String>,
    /// Only this workspace; without it, all go.
    #[arg(long, value_name = "NAME")]
    workspace: Option<Workspace>,
    #[command(flatten)]
    vars: VarArgs,
    #[command(flatten)]
    edit: EditArgs,
}

/// Brings a state to where the stack says that it is.
pub(super) async fn migrate(args: &Migrate, context: &Context) -> Result {
    let loaded = compose::load(&compose::inputs(&args.vars, &context.env)?, &context.env)?;
    let stack = loaded.config.stack();
    let to = States::of(stack, &context.env)?;
    let name = args.from_stack.as_deref().unwrap_or(&stack.name);
    let from = to.elsewhere(&args.from, &args.from_schema, name, &context.env)?;
    if from.describe() == to.describe() {
        let here = from.describe();
        return Err(CommandError::failed(format!("the state is in {here} already")).hint(
            "Write in the stack's settings where it shall be, and give the place where it is with -from.",
        ));
    }
    // The stack looks for the state of every workspace in the new place from now on.
    let workspaces = match &args.workspace {
        Some(one) => vec![one.clone()],
        None => from.workspaces().await?,
    };
    let (mut from, mut to, mut found) = (from, to, false);
    for workspace in workspaces {
        from = from.within(workspace.clone());
        to = to.within(workspace);
        found |= one(&from, &to, args, context).await?;
    }
    match found {
        true => Ok(Outcome::Done),
        false => Err(
            CommandError::failed(format!("there is no state in {}", from.describe()))
                .hint("Give the place where it is with -from."),
        ),
    }
}

/// Brings the state of one workspace over; says whether there is one.
async fn one(
    from: &States,
    to: &States,
    args: &Migrate,
    context: &Context,
) -> std::result::Result<bool, CommandError> {
    let (here, there) = (from.describe(), to.describe());
    let Some(source) = from.open_existing().await? else {
        return Ok(false);
    };
    let Some(lease) = acquire(&*source, to, args, context).await? else {
        context
            .ui
            .tell(&format!("The state was moved to {there} before."));
        return Ok(true);
    };
    // Whatever fails up to the last step, the old place is the one that counts.
    let (target, _) = to.init().await?;
    let archive = source.export(&lease).await?;
    let told = format!(
        "Moved from {here} to {there}: {} resources, {} applies, serial {}, lineage {}.",
        archive.resources(),
        archive.applies(),
        archive.serial(),
        archive.lineage()
    );
    let open = archive.open_entries();
    target.import(archive).await?;
    source.move_away(lease, there).await?;
    context.ui.tell(&told);
    if open > 0 {
        context.ui.tell(&format!(
            "{open} operations of an earlier run are not settled: the next run does that."
        ));
    }
    context.ui.tell(&format!(
        "What is in {here} stays as it was and takes no more writes."
    ));
    Ok(true)
}

/// The lease of the old place; `None` where it was moved to the new one before.
async fn acquire(
    source: &dyn Store,
    to: &States,
    args: &Migrate,
    context: &Context,
) -> std::result::Result<Option<Lease>, CommandError> {
    let waiting = |holder| {
        context
            .ui
            .tell(&format!("Waiting for the state, locked by {holder} ..."));
    };
    let timeout = args.edit.lock_timeout;
    let holder = weir_state::Holder::this_process(context.env.user(), "state migrate");
    match source.acquire(holder, weir_state::Wait::None).await {
        Ok(lease) => return Ok(Some(lease)),
        Err(StateError::Moved { to: place }) if place == to.describe() => return Ok(None),
        Err(StateError::Locked { .. }) => {}
        Err(e) => return Err(e.into()),
    }
    compose::lease(source, &context.env, "state migrate", timeout, waiting)
        .await
        .map(Some)
}
