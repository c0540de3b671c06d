//! `weir unlock`

use super::{Context, Result, apply};
use crate::{
    args::ApproveArgs,
    clock,
    error::{CommandError, Outcome},
    stores::States,
};
use std::time::SystemTime;
use weir_state::{Holder, LeaseRecord, Scope};

/// Flags of `unlock`.
#[derive(Debug, clap::Args)]
pub(crate) struct Unlock {
    /// The number of the lease, which is needed where several are held.
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
    let mut all = store.held().await?;
    let held = match (args.lease, all.len()) {
        (_, 0) => {
            context.ui.tell("The state is not locked.");
            return Ok(Outcome::Done);
        }
        (None, 1) => all.remove(0),
        (None, n) => {
            for lease in &all {
                context.ui.tell(&described(lease));
            }
            return Err(
                CommandError::usage(format!("there are {n} leases: which one is to end?"))
                    .hint("Give its number: `weir unlock NUMBER`."),
            );
        }
        (Some(asked), _) => match all.iter().position(|lease| lease.epoch == asked) {
            Some(at) => all.remove(at),
            None => {
                let there: Vec<String> = all
                    .iter()
                    .map(|l| format!("lease {}, of {}", l.epoch, l.holder))
                    .collect();
                return Err(CommandError::failed(format!(
                    "lease {asked} is not held: there is {}",
                    there.join("; ")
                )));
            }
        },
    };
    context.ui.tell(&described(&held));
    let approve = ApproveArgs {
        auto_approve: args.force,
        input: true,
    };
    let question = "End this lease? Its holder can write no more, and what it is in the middle of \
                    is settled by the next run.";
    apply::confirmed(approve, question, context).await?;
    let by = Holder::this_process(context.env.user(), "unlock");
    match store.unlock(held.epoch, by).await? {
        Some(_) if all.is_empty() => context.ui.tell("The state is unlocked."),
        Some(_) => context.ui.tell("The lease was ended."),
        None => context.ui.tell("The lease was given back meanwhile."),
    }
    Ok(Outcome::Done)
}

/// So many things that a lease is on are named; the rest is counted.
const NAMED: usize = 3;

/// `Lease 7 is held by ann@vm (process 12, apply) on a.b and a.c, for 3 s; ...`
fn described(lease: &LeaseRecord) -> String {
    let now = SystemTime::now();
    let since = now.duration_since(lease.since).unwrap_or_default();
    let renewed = match lease.expires.duration_since(now) {
        Ok(left) => format!("it expires in {} unless it is renewed", clock::span(left)),
        Err(_) => "it has expired: the next run takes it over by itself".to_owned(),
    };
    let on = match &lease.scope {
        Some(Scope::Part(part)) => {
            let names = part.owned.iter().take(NAMED).map(|item| item.to_string());
            let names: Vec<String> = names.collect();
            match part.owned.len() - names.len() {
                0 => format!(" on {}", names.join(", ")),
                more => format!(" on {} and {more} more", names.join(", ")),
            }
        }
        Some(Scope::Whole) | None => String::new(),
    };
    format!(
        "Lease {} is held by {}{on}, for {}; {renewed}.",
        lease.epoch,
        lease.holder,
        clock::span(since)
    )
}
