//! `weir state`: looks into the state, and edits it by hand.

pub(super) mod edit;
mod history;
mod migrate;
mod moves;
mod prune;
mod rekey;
mod whole;

use super::{Context, Result};
use crate::stores::States;
use crate::{
    args::ApproveArgs,
    compose,
    error::{CommandError, Outcome},
    render::{
        json::{self, Form, Secrets},
        snapshot,
    },
};
use edit::{Edit, EditArgs};
use std::collections::BTreeSet;
use weir_core::{
    Address, Object,
    address::{ProviderRef, members},
    snapshot::{Resource, Snapshot},
};
use weir_plan::Target;

/// What to do with the state.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum State {
    /// List the addresses in state.
    List(List),
    /// Show one instance.
    Show(Show),
    /// Give a resource or a module another address; nothing in the world changes.
    Mv(Mv),
    /// Drop resources from state; they stay in the world.
    Rm(Rm),
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
    ReplaceProvider(ReplaceProvider),
    /// Bring the state from another place to where the stack says that it is.
    Migrate(migrate::Migrate),
    /// Encrypt the state anew, with the key that the stack names.
    Rekey(EditArgs),
}

/// Flags of `state list`.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only these resources, modules or services, and what is in them.
    addresses: Vec<String>,
    /// Operations that an earlier run began, and of which nobody knows yet what became.
    #[arg(long, conflicts_with = "id")]
    unsettled: bool,
    /// Only objects with this id.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Print a JSON array.
    #[arg(long)]
    json: bool,
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

/// Flags of `state mv`.
#[derive(Debug, clap::Args)]
pub(crate) struct Mv {
    /// What moves: an instance, a resource, a module.
    from: String,
    /// Where it moves.
    to: String,
    /// Show what would move, and move nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    edit: EditArgs,
}

/// Flags of `state rm`.
#[derive(Debug, clap::Args)]
pub(crate) struct Rm {
    /// What is dropped: instances, resources, modules, services.
    #[arg(required = true)]
    addresses: Vec<String>,
    /// Show what would be dropped, and drop nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    edit: EditArgs,
}

/// Flags of `state replace-provider`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReplaceProvider {
    /// The provider that state names: `aws`, `aws.west`.
    from: String,
    /// The provider that takes over.
    to: String,
    #[command(flatten)]
    approve: ApproveArgs,
    #[command(flatten)]
    edit: EditArgs,
}

/// Looks into the state, or edits it.
pub(crate) async fn cmd_state(command: &State, context: &Context) -> Result {
    match command {
        State::List(args) if args.unsettled => unsettled(args, context).await,
        State::List(args) => list(args, snapshot(context).await?.as_ref(), context),
        State::Show(args) => show(args, snapshot(context).await?.as_ref(), context),
        State::Mv(args) => mv(args, context).await,
        State::Rm(args) => rm(args, context).await,
        State::History(args) => history::history(args, context).await,
        State::Prune(args) => prune::prune(args, context).await,
        State::Pull => whole::pull(context).await,
        State::Push(args) => whole::push(args, context).await,
        State::Import(args) => whole::import(args, context).await,
        State::ReplaceProvider(args) => replace_provider(args, context).await,
        State::Migrate(args) => migrate::migrate(args, context).await,
        State::Rekey(args) => rekey::rekey(*args, context).await,
    }
}

async fn snapshot(context: &Context) -> std::result::Result<Option<Snapshot>, CommandError> {
    Ok(match States::here(&context.env)?.open_existing().await? {
        Some(store) => Some(store.snapshot().await?),
        None => None,
    })
}

/// Whether the holder of a lease is at work still, as far as can be seen from here.
fn is_alive(lease: &weir_state::LeaseRecord) -> bool {
    let here = weir_state::Holder::this_process("", "").host;
    let process = std::path::PathBuf::from(format!("/proc/{}", lease.holder.pid));
    let gone = lease.holder.host == here && !process.exists();
    lease.ended.is_none() && lease.expires > std::time::SystemTime::now() && !gone
}

/// What is begun and not over.
async fn unsettled(args: &List, context: &Context) -> Result {
    let targets = super::run::targets(&args.addresses)?;
    let Some(store) = States::here(&context.env)?.open_existing().await? else {
        return Ok(Outcome::Done);
    };
    let leases = store.leases().await?;
    // What a run is doing right now is not left over from it.
    let held = leases.iter().find(|l| is_alive(l)).map(|l| l.epoch);
    let open = store.open_entries().await?;
    let chosen: Vec<_> = open
        .iter()
        .filter(|e| held != Some(e.epoch))
        .filter(|e| targets.is_empty() || targets.iter().any(|t| t.names(&e.begin.address)))
        .map(|e| {
            let by = leases.iter().find(|l| l.epoch == e.epoch);
            let what = match (e.begin.target, e.begin.op) {
                (weir_state::Target::Deposed, _) => "deletion of the object put aside",
                (_, weir_core::plan::Op::Create) => "creation",
                (_, weir_core::plan::Op::Update) => "update",
                (_, weir_core::plan::Op::Delete) => "deletion",
                _ => "operation",
            };
            (e, what, by.map(|l| l.holder.to_string()))
        })
        .collect();
    if args.json {
        let row = |(e, what, by): &(&weir_state::Entry, &str, Option<String>)| {
            serde_json::json!({
                "address": e.begin.address.to_string(),
                "operation": what,
                "entry": e.id.0,
                "begun": crate::clock::rfc3339(e.begun),
                "by": by,
                "error": e.message,
            })
        };
        let rows: Vec<_> = chosen.iter().map(row).collect();
        context
            .ui
            .data(&format!("{:#}\n", serde_json::json!(rows)))?;
        return Ok(Outcome::Done);
    }
    for (e, what, by) in &chosen {
        let by = by.as_ref().map_or(String::new(), |b| format!(" by {b}"));
        let why = e
            .message
            .as_ref()
            .map_or(String::new(), |m| format!(": {m}"));
        context.ui.data(&format!(
            "{}: {what}, begun {}{by}{why}\n",
            e.begin.address,
            crate::clock::rfc3339(e.begun)
        ))?;
    }
    if chosen.is_empty() {
        context.ui.tell("Everything is settled.");
    } else {
        context.ui.tell(
            "The next `weir plan` or `weir apply` asks the provider what became of each. Where it \
             can't be told, nothing more is done to the object: bring back what can't be reached, \
             or `weir state rm` what is known to be gone.",
        );
    }
    Ok(Outcome::Done)
}

fn list(args: &List, snapshot: Option<&Snapshot>, context: &Context) -> Result {
    let targets = super::run::targets(&args.addresses)?;
    let has_id = |r: &Resource| match &args.id {
        None => true,
        Some(id) => r.value.value().get("id").and_then(|v| v.as_str()) == Some(id),
    };
    let chosen: Vec<String> = snapshot
        .into_iter()
        .flat_map(|s| &s.resources)
        .filter(|(a, r)| (targets.is_empty() || targets.iter().any(|t| t.names(a))) && has_id(r))
        .map(|(a, _)| a.to_string())
        .collect();
    if chosen.is_empty() && !args.addresses.is_empty() {
        return Err(CommandError::failed(format!(
            "{} matches nothing in state",
            args.addresses.join(", ")
        ))
        .hint("`weir state list` lists what is there."));
    }
    let text = match args.json {
        true => format!("{:#}\n", serde_json::json!(chosen)),
        false => chosen.iter().map(|a| format!("{a}\n")).collect(),
    };
    context.ui.data(&text)?;
    Ok(Outcome::Done)
}

fn show(args: &Show, snapshot: Option<&Snapshot>, context: &Context) -> Result {
    let (address, resource) = find(&args.address, snapshot)?;
    if args.json {
        let registry = compose::registry(&context.env);
        let form = Form {
            secrets: Secrets::Redacted,
            schemas: &registry,
            config: None,
        };
        let value = resource.value.value();
        let row = json::state::instance(&address, &resource.provider, value, &form);
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

async fn mv(args: &Mv, context: &Context) -> Result {
    let what = format!("state mv {} {}", args.from, args.to);
    let edit = Edit::begin(what, args.edit, context).await?;
    let moves = match moves::moves(&edit.snapshot, &args.from, &args.to) {
        Ok(moves) => moves,
        Err(error) => {
            edit.leave().await?;
            return Err(error);
        }
    };
    let (verb, done) = match args.dry_run {
        true => ("Would move", "would be moved"),
        false => ("Move", "moved"),
    };
    let lines: String = moves
        .iter()
        .map(|(a, b)| format!("{verb} {a} to {b}\n"))
        .collect();
    if args.dry_run {
        edit.leave().await?;
    } else {
        let rows = moves::rows(&edit.snapshot, &moves);
        edit.commit(rows, &moves).await?;
    }
    let counted = count(moves.len(), "object");
    context.ui.data(&format!("{lines}\n{counted} {done}.\n"))?;
    Ok(Outcome::Done)
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

async fn rm(args: &Rm, context: &Context) -> Result {
    let targets = super::run::targets(&args.addresses)?;
    let what = format!("state rm {}", args.addresses.join(" "));
    let edit = Edit::begin(what, args.edit, context).await?;
    let matched = |t: &Target| edit.snapshot.resources.keys().any(|a| t.names(a));
    if let Some(nothing) = targets.iter().find(|t| !matched(t)) {
        let error = CommandError::failed(format!(
            "{nothing} matches nothing in state: nothing was dropped"
        ))
        .hint("`weir state list` lists what is there.");
        edit.leave().await?;
        return Err(error);
    }
    let names = |a: &&Address| targets.iter().any(|t| t.names(a));
    let chosen: BTreeSet<Address> = edit
        .snapshot
        .resources
        .keys()
        .filter(names)
        .cloned()
        .collect();
    let (verb, done) = match args.dry_run {
        true => ("Would drop", "would be dropped"),
        false => ("Dropped", "dropped"),
    };
    if args.dry_run {
        edit.leave().await?;
    } else {
        let rows = without(&edit.snapshot, &chosen);
        edit.commit(rows, &[]).await?;
    }
    let lines: String = chosen.iter().map(|a| format!("{verb} {a}\n")).collect();
    let counted = count(chosen.len(), "resource instance");
    context.ui.data(&format!("{lines}\n{counted} {done}.\n"))?;
    Ok(Outcome::Done)
}

/// The rows without these, and without dependencies on them.
fn without(snapshot: &Snapshot, chosen: &BTreeSet<Address>) -> Vec<edit::Row> {
    let mut rows: Vec<edit::Row> = chosen.iter().map(|a| (a.clone(), None)).collect();
    let stays =
        |d: &Address| members(&snapshot.resources, d).any(|(member, _)| !chosen.contains(member));
    for (address, resource) in &snapshot.resources {
        if !chosen.contains(address) && !resource.dependencies.iter().all(stays) {
            let mut resource = resource.clone();
            resource.dependencies.retain(stays);
            rows.push((address.clone(), Some(resource)));
        }
    }
    rows
}

/// A provider by its local name; of a source address (`registry.terraform.io/hashicorp/aws`) it
/// is the last part.
fn provider(text: &str) -> std::result::Result<ProviderRef, CommandError> {
    let name = text.rsplit('/').next().unwrap_or(text);
    name.parse()
        .map_err(|e| CommandError::usage(format!("{e}")))
}

async fn replace_provider(args: &ReplaceProvider, context: &Context) -> Result {
    let (from, to) = (provider(&args.from)?, provider(&args.to)?);
    let registry = compose::registry(&context.env);
    let Some(factory) = registry.factory(&to.name) else {
        let names: Vec<&str> = registry.names().collect();
        return Err(
            CommandError::failed(format!("provider {:?} is not at hand", to.name))
                .hint(format!("This weir has {}.", names.join(", "))),
        );
    };
    let what = format!("state replace-provider {} {}", args.from, args.to);
    let edit = Edit::begin(what, args.edit, context).await?;
    // Without an alias all of the provider's configurations are meant, and keep theirs unless the
    // new one names one.
    let next = |p: &ProviderRef| match (&from.alias, p.name == from.name) {
        (None, true) if to.alias.is_some() => Some(to.clone()),
        (None, true) => Some(ProviderRef {
            name: to.name.clone(),
            ..p.clone()
        }),
        (Some(_), true) if p.alias == from.alias => Some(to.clone()),
        _ => None,
    };
    let chosen = edit.snapshot.resources.iter().filter_map(|(a, r)| {
        let provider = next(&r.provider)?;
        let runs_on_hosts = matches!(a.object, Object::Host { .. } | Object::Pod { .. });
        (!runs_on_hosts).then(|| {
            let resource = Resource {
                provider,
                ..r.clone()
            };
            (a.clone(), Some(resource))
        })
    });
    let rows: Vec<edit::Row> = chosen.collect();
    if rows.is_empty() {
        edit.leave().await?;
        context.ui.tell(&format!(
            "Nothing in state is served by {from}: nothing was changed."
        ));
        return Ok(Outcome::Done);
    }
    let serves = |a: &Address| {
        let ty = a.object.type_name();
        factory.schema().resources.contains_key(ty)
    };
    if let Some((address, _)) = rows.iter().find(|(a, _)| !serves(a)) {
        let error = CommandError::failed(format!("provider {to} can't take over {address}"))
            .hint("It has no resource of that type. Nothing was changed.");
        edit.leave().await?;
        return Err(error);
    }
    let lines: String = rows.iter().map(|(a, _)| format!("  {a}\n")).collect();
    context
        .ui
        .data(&format!("{from} gives these to {to}:\n\n{lines}\n"))?;
    if let Err(error) = super::apply::confirmed(args.approve, "Do this?", context).await {
        edit.leave().await?;
        return Err(error);
    }
    let counted = count(rows.len(), "resource instance");
    edit.commit(rows, &[]).await?;
    context.ui.data(&format!("{counted} changed.\n"))?;
    Ok(Outcome::Done)
}
