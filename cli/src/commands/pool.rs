//! `weir pool`: the machines that clouds make for the pools of a stack.

use super::{Context, Result, walk};
use crate::{
    args::VarArgs,
    compose,
    error::{CommandError, Outcome},
    render::{json, pools},
};
use weir_lang::{
    MachinePool,
    evaluator::{is_not_known_yet, lacks_provider},
};

/// What to see of them.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Pool {
    /// Show which machine type each offer of a pool would make, what it costs, and why.
    Types(Types),
}

/// Flags of `pool types`.
#[derive(Debug, clap::Args)]
pub(crate) struct Types {
    #[command(flatten)]
    vars: VarArgs,
    /// The pool, by its name or as `cluster.NAME.pool.NAME`; all of them without.
    pool: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Show all types, whatever they lack.
    #[arg(long)]
    all: bool,
    /// Show the regions that prices are known of instead; no stack is read.
    #[arg(long, conflicts_with_all = ["pool", "all", "vars", "var_files"])]
    regions: bool,
}

/// Shows the machines of pools.
pub(crate) async fn cmd_pool(command: &Pool, context: &Context) -> Result {
    match command {
        Pool::Types(args) => types(args, context).await,
    }
}

async fn types(args: &Types, context: &Context) -> Result {
    if args.regions {
        let text = match args.json {
            true => format!("{:#}\n", json::pools::regions()),
            false => pools::regions(),
        };
        context.ui.data(&text)?;
        return Ok(Outcome::Done);
    }
    let inputs = compose::inputs(&args.vars, &context.env)?;
    let loaded = compose::load(&inputs, &context.env)?;
    let walked = walk::check(&loaded.config, compose::registry(&context.env)).await;
    let mut found = loaded.warnings;
    let relevant = walked.diagnostics.into_iter();
    // Types are chosen from what is built in: no provider is asked, and none must be there.
    let relevant = relevant.filter(|d| !is_not_known_yet(d) && !lacks_provider(d));
    found.0.extend(relevant);
    let chosen = asked_for(walked.pools, args.pool.as_deref())?;
    let text = match args.json {
        true => format!("{:#}\n", json::pools::types(&chosen)),
        false => pools::types(&chosen, args.all, context.ui.out),
    };
    context.ui.data(&text)?;
    context.ui.diagnostics(&found);
    Ok(match found.has_errors() {
        true => Outcome::Failed,
        false => Outcome::Done,
    })
}

/// The pools of that name.
fn asked_for(
    pools: Vec<MachinePool>,
    name: Option<&str>,
) -> std::result::Result<Vec<MachinePool>, CommandError> {
    let Some(name) = name else {
        return Ok(pools);
    };
    let names: Vec<String> = pools.iter().map(MachinePool::address).collect();
    let chosen: Vec<MachinePool> = pools
        .into_iter()
        .filter(|p| *p.name == *name || p.address() == name)
        .collect();
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    let error = CommandError::usage(format!("no pool {name:?} has a `machine`"));
    let known = weir_lang::suggestion(name, names.iter().map(String::as_str));
    Err(match known {
        Some(known) => error.hint(known),
        None => error.hint("No pool of the stack has one: docs/pools.md says what it is for."),
    })
}
