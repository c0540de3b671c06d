//! `weir state`: looks into the state, and edits it by hand.

pub(super) mod edit;
mod history;
mod legacy;
mod list;
mod migrate;
mod moves;
mod mv;
mod provider;
mod prune;
mod rekey;
mod rm;
mod rows;
mod show;
mod unsettled;
pub(super) mod whole;

use super::{Context, Result};
use crate::error::CommandError;
use edit::EditArgs;
use weir_core::{
    Address,
    snapshot::{Resource, Snapshot},
};

/// What to do with the state.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum State {
    /// List the addresses in state.
    List(list::List),
    /// Show one instance.
    Show(show::Show),
    /// Give a resource or a module another address; nothing in the world changes.
    Mv(mv::Mv),
    /// Drop resources from state; they stay in the world.
    Rm(rm::Rm),
    /// List every apply: who, when, what.
    History(history::History),
    /// Drop states of the past.
    Prune(prune::Prune),
    /// Print the state in Terraform's state format.
    Pull,
    /// Put a state file in Terraform's format in place of the state.
    Push(whole::Push),
    /// Take what a state file of Terraform has into the state.
    Import(whole::Import),
    /// Let another provider serve what one served.
    ReplaceProvider(provider::ReplaceProvider),
    /// Bring the state from another place to where the stack says that it is.
    Migrate(migrate::Migrate),
    /// Encrypt the state anew, with the key that the stack names.
    Rekey(EditArgs),
}

/// Looks into the state, or edits it.
pub(crate) async fn cmd_state(command: &State, context: &Context) -> Result {
    match command {
        State::List(args) => list::cmd_list(args, context).await,
        State::Show(args) => show::cmd_show(args, context).await,
        State::Mv(args) => mv::cmd_mv(args, context).await,
        State::Rm(args) => rm::cmd_rm(args, context).await,
        State::History(args) => history::history(args, context).await,
        State::Prune(args) => prune::prune(args, context).await,
        State::Pull => whole::pull(context).await,
        State::Push(args) => whole::push(args, context).await,
        State::Import(args) => whole::import(args, context).await,
        State::ReplaceProvider(args) => provider::cmd_replace_provider(args, context).await,
        State::Migrate(args) => migrate::migrate(args, context).await,
        State::Rekey(args) => rekey::rekey(*args, context).await,
    }
}

/// The instance of that address.
pub(super) fn find<'s>(
    text: &str,
    snapshot: Option<&'s Snapshot>,
) -> std::result::Result<(Address, &'s Resource), CommandError> {
    let address: Address = text
        .parse()
        .map_err(|e| CommandError::usage(format!("{e}")))?;
    match snapshot.and_then(|s| s.resources.get(&address)) {
        Some(resource) => Ok((address, resource)),
        None => Err(missing(&address, snapshot)),
    }
}

fn missing(address: &Address, snapshot: Option<&Snapshot>) -> CommandError {
    let error = CommandError::failed(format!("{address} is not in state"));
    let all = snapshot.into_iter().flat_map(|s| s.resources.keys());
    let like: Vec<String> = all
        .filter(|a| a.block() == address.block())
        .map(Address::to_string)
        .collect();
    match like.as_slice() {
        [] => error.hint("`weir state list` lists what is."),
        some => error.hint(format!("State has {}.", some.join(", "))),
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
