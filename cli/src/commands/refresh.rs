//! `weir refresh`

use super::{
    Context, Result, apply, output,
    run::{self, Run, Secured, Style},
};
use crate::{args::PlanArgs, error::Outcome, render::json::ui as messages};
use weir_core::Diagnostic;
use weir_engine::{Mode, Status};

/// Flags of `refresh`.
#[derive(Debug, clap::Args)]
pub(crate) struct Refresh {
    #[command(flatten)]
    plan: PlanArgs,
    /// Print JSON messages.
    #[arg(long)]
    json: bool,
}

/// Looks every object up, and records what was found, and what outputs come to with that.
pub(crate) async fn cmd_refresh(args: &Refresh, context: &Context) -> Result {
    let style = Style::of(args.json);
    run::report(refresh(args, style, context).await, style, context)
}

async fn refresh(args: &Refresh, style: Style, context: &Context) -> Result {
    if style == Style::Json {
        context.ui.json(&messages::version())?;
    }
    let stack = run::load(&args.plan, style, context)?;
    let input = stack.input(Mode::Refresh, &args.plan, false)?;
    let run = Run::start(&stack, "refresh", &args.plan.run, style, context).await?;
    let planned = run.plan_input(&input).await?;
    let secured = run.secure(planned, &input).await?;
    let outcome = recorded(&run, &secured, args, context).await;
    let released = run.release(Some(secured.lease)).await;
    let outcome = outcome?;
    released?;
    Ok(outcome)
}

async fn recorded(run: &Run, secured: &Secured, args: &Refresh, context: &Context) -> Result {
    let Secured { planned, lease } = secured;
    let style = Style::of(args.json);
    let plan = planned.plan.plan();
    let mut warnings = planned.warnings.clone();
    apply::judged_again(&mut warnings);
    if run.store.snapshot().await?.resources.is_empty() {
        warnings.push(
            Diagnostic::warning("state is empty")
                .because("There are no objects in it, so there is nothing to look up.")
                .help("`weir apply` makes what is configured, and records it."),
        );
    }
    run::warn(&warnings, style, context)?;
    match style {
        Style::Json => {
            for message in messages::drift(plan) {
                context.ui.json(&message)?;
            }
        }
        Style::Human => {
            let text = crate::render::plan::drifted(
                plan,
                &planned.changed_by,
                args.plan.detail(),
                context.ui.out,
            );
            context.ui.data(&text)?;
        }
    }
    let report = apply::carry_out(run, planned, lease, context).await?;
    run::warn(&report.diagnostics, style, context)?;
    let outputs = &report.outputs;
    match style {
        Style::Json => context.ui.json(&messages::outputs(outputs))?,
        Style::Human => {
            context.ui.data(&match plan.drift.len() {
                0 => "State matches what is there: nothing to record.\n".to_owned(),
                1 => "State was brought up to date: 1 object had changed.\n".to_owned(),
                n => format!("State was brought up to date: {n} objects had changed.\n"),
            })?;
            if !outputs.is_empty() {
                let text = format!("\nOutputs:\n\n{}", output::all(outputs));
                context.ui.data(&text)?;
            }
        }
    }
    Ok(match report.status {
        Status::Succeeded => Outcome::Done,
        Status::Failed | Status::Interrupted => Outcome::Failed,
    })
}
