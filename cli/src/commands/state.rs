//! `weir state list` and `weir state show`

use super::{Context, Result};
use crate::{
    compose,
    error::{CommandError, Outcome},
    render::{json, snapshot},
};
use weir_core::{Address, snapshot::Snapshot};

/// What to do with the state.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum State {
    /// List the addresses in state.
    List(List),
    /// Show one instance.
    Show(Show),
}

/// Flags of `state list`.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only these resources, modules or services, and what is in them.
    addresses: Vec<String>,
}

/// Flags of `state show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The instance.
    address: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Looks into the state.
pub(crate) async fn cmd_state(command: &State, context: &Context) -> Result {
    let snapshot = match compose::store_here(&context.env)? {
        Some(store) => Some(store.snapshot().await?),
        None => None,
    };
    match command {
        State::List(args) => list(args, snapshot.as_ref(), context),
        State::Show(args) => show(args, snapshot.as_ref(), context),
    }
}

fn list(args: &List, snapshot: Option<&Snapshot>, context: &Context) -> Result {
    let targets = super::run::targets(&args.addresses)?;
    let addresses = snapshot.into_iter().flat_map(|s| s.resources.keys());
    let chosen = addresses.filter(|a| targets.is_empty() || targets.iter().any(|t| t.names(a)));
    let text: String = chosen.map(|a| format!("{a}\n")).collect();
    context.ui.data(&text)?;
    Ok(Outcome::Done)
}

fn show(args: &Show, snapshot: Option<&Snapshot>, context: &Context) -> Result {
    let address: Address = args
        .address
        .parse()
        .map_err(|e| CommandError::usage(format!("{e}")))?;
    let Some(resource) = snapshot.and_then(|s| s.resources.get(&address)) else {
        return Err(missing(&address, snapshot));
    };
    if args.json {
        let row = json::state::instance(&address, &resource.provider, resource.value.value());
        context
            .ui
            .data(&format!("{:#}\n", serde_json::Value::Object(row)))?;
    } else {
        context
            .ui
            .data(&snapshot::instance(&address, resource, context.ui.out))?;
    }
    Ok(Outcome::Done)
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
