//! `weir show`

use super::{Context, Result, apply};
use crate::stores::States;
use crate::{
    compose,
    error::{CommandError, Outcome},
    render::{
        json::{self, Form, Secrets},
        plan::{self, Detail},
        snapshot,
    },
};
use std::path::PathBuf;
use weir_core::{plan::Plan, snapshot::Snapshot};
use weir_engine::planfile::SavedPlan;

/// Flags of `show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// A plan file, or a serial of the past as `@12`; without one, the state is shown.
    file: Option<PathBuf>,
    /// Print JSON: Terraform's plan format 1.2, or its state format 1.0. Sensitive values are in
    /// it, as they are in Terraform's.
    #[arg(long)]
    json: bool,
    /// Print sensitive values as null in the JSON.
    #[arg(long, requires = "json")]
    redact: bool,
    /// Show each change of a plan in one line.
    #[arg(long, requires = "file")]
    concise: bool,
}

impl Show {
    fn detail(&self) -> Detail {
        if self.concise {
            Detail::Concise
        } else {
            Detail::Full
        }
    }
}

/// Shows the state, or a plan file.
pub(crate) async fn cmd_show(args: &Show, context: &Context) -> Result {
    let registry = compose::registry(&context.env);
    let mut form = Form {
        secrets: if args.redact {
            Secrets::Redacted
        } else {
            Secrets::Shown
        },
        schemas: &registry,
        config: None,
    };
    let past = args
        .file
        .as_deref()
        .and_then(|f| f.to_str()?.strip_prefix('@'));
    if let Some(serial) = past {
        let serial = super::rollback::serial(serial).map_err(CommandError::usage)?;
        let state = super::rollback::store(context).await?;
        let state = state.snapshot_at(serial).await?;
        let text = match args.json {
            true => format!("{}\n", json::state::with_checks(&state, &[], &form)),
            false => snapshot::render(&state, context.ui.out),
        };
        context.ui.data(&text)?;
        return Ok(Outcome::Done);
    }
    if let Some(file) = &args.file {
        let saved = apply::read(file, &context.env)?;
        let text = match args.json {
            true => {
                form.config = Some(saved.config());
                let prior = prior(&saved, context).await?;
                let document = json::plan::Document {
                    plan: saved.plan(),
                    mode: saved.mode(),
                    refresh: saved.refresh(),
                    prior: prior.as_ref(),
                    timestamp: saved.now(),
                };
                format!("{}\n", json::plan::plan(&document, &form))
            }
            false => plan::render(saved.plan(), args.detail(), context.ui.out),
        };
        context.ui.data(&text)?;
        return Ok(Outcome::Done);
    }
    match States::here(&context.env)?.open_existing().await? {
        Some(store) => {
            let state = store.snapshot().await?;
            let text = match args.json {
                true => {
                    let history = store.history().await?;
                    let last = history.into_iter().rev().find_map(|a| a.record.checks);
                    let checks = last.unwrap_or_default();
                    format!("{}\n", json::state::with_checks(&state, &checks, &form))
                }
                false => snapshot::render(&state, context.ui.out),
            };
            context.ui.data(&text)?;
        }
        None if args.json => context.ui.data(&format!("{}\n", json::state::empty()))?,
        None => context
            .ui
            .tell("There is no state yet: `weir apply` makes it."),
    }
    Ok(Outcome::Done)
}

/// The state that a plan was made from, as the plan found it; `None` where its store is not at
/// hand, or is another one.
async fn prior(
    saved: &SavedPlan,
    context: &Context,
) -> std::result::Result<Option<Snapshot>, CommandError> {
    let states = States::of(saved.config().stack(), &context.env)?;
    let Some(store) = states.open_existing().await? else {
        return Ok(None);
    };
    if store.lineage() != saved.plan().lineage {
        return Ok(None);
    }
    let mut snapshot = store.snapshot_at(saved.plan().base).await?;
    let plan = saved.plan();
    relocate(&mut snapshot, plan);
    for (address, found) in saved.observed() {
        match found {
            Some(resource) => drop(snapshot.resources.insert(address.clone(), resource.clone())),
            None => drop(snapshot.resources.remove(address)),
        }
    }
    if let Some(references) = saved.references() {
        snapshot.references = references.clone();
    }
    Ok(Some(snapshot))
}

/// What moved is found where it is now.
fn relocate(snapshot: &mut Snapshot, plan: &Plan) {
    let moves = plan
        .changes
        .values()
        .filter_map(|c| Some((c, c.moved_from.as_ref()?)));
    let moved: Vec<_> = moves
        .map(|(change, from)| {
            let to = change.address.clone();
            (
                to,
                snapshot.resources.remove(from),
                snapshot.deposed.remove(from),
            )
        })
        .collect();
    for (to, resource, deposed) in moved {
        if let Some(resource) = resource {
            snapshot.resources.insert(to.clone(), resource);
        }
        if let Some(deposed) = deposed {
            snapshot.deposed.insert(to, deposed);
        }
    }
}
