//! `weir refresh`

use super::{
    Context, Result,
    run::{self, Run, Style},
};
use crate::{args::PlanArgs, error::Outcome, render::json::ui as messages};
use weir_core::{Address, snapshot::Resource};
use weir_engine::{Mode, Planned};

/// Flags of `refresh`.
#[derive(Debug, clap::Args)]
pub(crate) struct Refresh {
    #[command(flatten)]
    plan: PlanArgs,
    /// Print JSON messages.
    #[arg(long)]
    json: bool,
}

/// Looks every object up, and records what was found.
pub(crate) async fn cmd_refresh(args: &Refresh, context: &Context) -> Result {
    let style = Style::of(args.json);
    run::report(refresh(args, style, context).await, style, context)
}

async fn refresh(args: &Refresh, style: Style, context: &Context) -> Result {
    if style == Style::Json {
        context.ui.json(&messages::version())?;
    }
    let stack = run::load(&args.plan, style, context)?;
    let run = Run::start(&stack.config, "refresh", &args.plan.run, style, context).await?;
    let outcome = match run.plan(&stack, Mode::Apply, &args.plan).await {
        Ok(planned) => recorded(&run, &planned, args, context).await,
        Err(error) => Err(error),
    };
    let released = run.finish().await;
    let outcome = outcome?;
    released?;
    Ok(outcome)
}

async fn recorded(run: &Run, planned: &Planned, args: &Refresh, context: &Context) -> Result {
    let style = Style::of(args.json);
    let plan = planned.plan.plan();
    run::warn(&planned.warnings, style, context)?;
    // What the plan would change is the plan's business; what drifted is recorded.
    let found: Vec<(Address, Option<Resource>)> = planned
        .observed
        .iter()
        .filter(|(address, _)| plan.drift.contains_key(*address))
        .map(|(address, resource)| (address.clone(), resource.clone()))
        .collect();
    let count = found.len();
    run.store.record_refresh(&run.lease, found).await?;
    match style {
        Style::Json => {
            for message in messages::drift(plan) {
                context.ui.json(&message)?;
            }
            context.ui.json(&messages::refreshed(count))?;
        }
        Style::Human => {
            let text = crate::render::plan::drifted(plan, args.plan.detail(), context.ui.out);
            context.ui.data(&text)?;
            context.ui.data(&match count {
                0 => "State matches what is there: nothing to record.\n".to_owned(),
                1 => "State was brought up to date: 1 object had changed.\n".to_owned(),
                n => format!("State was brought up to date: {n} objects had changed.\n"),
            })?;
        }
    }
    Ok(Outcome::Done)
}
