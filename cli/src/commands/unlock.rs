//! `weir unlock`

use super::{Context, Result, apply};
use crate::{
    args::ApproveArgs,
    clock,
    error::{CommandError, Outcome},
    stores::States,
};
use std::time::SystemTime;
use weir_state::Holder;

/// Flags of `unlock`.
#[derive(Debug, clap::Args)]
pub(crate) struct Unlock {
    /// The number of the lease, as the message of the run that was refused has it; whichever is
    /// held where it is left out.
    lease: Option<u64>,
    /// Do it without asking.
    #[arg(long)]
    force: bool,
}

/// Ends a lease whose holder will not come back.
pub(crate) async fn cmd_unlock(args: &Unlock, context: &Context) -> Result {
    let Some(store) = States::here(&context.env)?.open_existing().await? else {
        return Err(CommandError::failed("there is no state here"));
    };
    let held = store.leases().await?.pop().filter(|l| l.ended.is_none());
    let Some(held) = held else {
        context.ui.tell("The state is not locked.");
        return Ok(Outcome::Done);
    };
    if let Some(asked) = args.lease.filter(|n| *n != held.epoch) {
        return Err(CommandError::failed(format!(
            "lease {asked} is not the one that is held: that is lease {}, of {}",
            held.epoch, held.holder
        )));
    }
    let now = SystemTime::now();
    let since = now.duration_since(held.since).unwrap_or_default();
    let renewed = match held.expires.duration_since(now) {
        Ok(left) => format!("it expires in {} unless it is renewed", clock::span(left)),
        Err(_) => "it has expired: the next run takes it over by itself".to_owned(),
    };
    context.ui.tell(&format!(
        "Lease {} is held by {}, for {}; {renewed}.",
        held.epoch,
        held.holder,
        clock::span(since)
    ));
    let approve = ApproveArgs {
        auto_approve: args.force,
        input: true,
    };
    let question = "End this lease? Its holder can write no more, and what it is in the middle of \
                    is settled by the next run.";
    apply::confirmed(approve, question, context).await?;
    // Whoever took it in the meantime is somebody else.
    let now = store.leases().await?.pop().filter(|l| l.ended.is_none());
    match now {
        Some(now) if now.epoch == held.epoch => {
            let by = Holder::this_process(context.env.user(), "unlock");
            store.unlock(by).await?;
            context.ui.tell("The state is unlocked.");
        }
        _ => context.ui.tell("The lease was given back meanwhile."),
    }
    Ok(Outcome::Done)
}
