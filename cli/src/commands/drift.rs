//! `weir drift`

use super::{
    Context, Result,
    run::{self, Interrupts, Run, Style},
};
use crate::{
    args::{PlanArgs, duration},
    clock,
    error::{CommandError, Outcome},
    render::{json::ui as messages, plan::Detail},
};
use std::{collections::BTreeMap, time::Duration};
use weir_core::Address;
use weir_engine::{ChangedBy, Mode, Planned};

/// How long providers may take to say who changed what: it is what this command is for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Flags of `drift`.
#[derive(Debug, clap::Args)]
pub(crate) struct Drift {
    #[command(flatten)]
    plan: PlanArgs,
    /// Print JSON messages.
    #[arg(long)]
    json: bool,
    /// Look again and again, and say what is new.
    #[arg(long)]
    watch: bool,
    /// How long to wait between two looks.
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration, requires = "watch")]
    interval: Duration,
}

/// Says what differs from state and by whom it might have been changed, and records nothing.
pub(crate) async fn cmd_drift(args: &Drift, context: &Context) -> Result {
    let style = Style::of(args.json);
    run::report(drift(args, style, context).await, style, context)
}

async fn drift(args: &Drift, style: Style, context: &Context) -> Result {
    if style == Style::Json {
        context.ui.json(&messages::version())?;
    }
    if !args.watch {
        let planned = look(args, style, context).await?;
        tell(&planned, args.plan.detail(), style, context)?;
        return Ok(outcome(&planned));
    }
    let mut interrupts = Interrupts::listen()?;
    let mut last: Option<String> = None;
    let mut found = Outcome::Done;
    loop {
        let seen = match look(args, style, context).await {
            Ok(planned) => {
                found = outcome(&planned);
                // Without who did it: a provider that is slow once is no news.
                let text = drifted(&planned, &BTreeMap::new(), args.plan.detail(), context);
                if last.as_ref() != Some(&text) {
                    context.ui.tell(&format!("{}:", clock::now()));
                    tell(&planned, args.plan.detail(), style, context)?;
                }
                text
            }
            // What can't be looked at now may be again later.
            Err(error) => {
                let text = format!("{error:?}");
                if last.as_ref() != Some(&text) {
                    context.ui.error(&error);
                }
                text
            }
        };
        last = Some(seen);
        tokio::select! {
            () = tokio::time::sleep(args.interval) => {}
            () = interrupts.next() => return Ok(found),
        }
    }
}

async fn look(
    args: &Drift,
    style: Style,
    context: &Context,
) -> std::result::Result<Planned, CommandError> {
    let stack = run::load(&args.plan, style, context)?;
    let mut input = stack.input(Mode::Refresh, &args.plan, false)?;
    input.options.attribution = Some(PATIENCE);
    let run = Run::start(&stack, "drift", &args.plan.run, style, context).await?;
    let planned = run.plan_apart(&input).await?;
    let mut warnings = planned.warnings.clone();
    super::apply::judged_again(&mut warnings);
    run::warn(&warnings, style, context)?;
    Ok(planned)
}

fn outcome(planned: &Planned) -> Outcome {
    match planned.plan.plan().drift.is_empty() {
        true => Outcome::Done,
        false => Outcome::Pending,
    }
}

fn drifted(
    planned: &Planned,
    by: &BTreeMap<Address, ChangedBy>,
    detail: Detail,
    context: &Context,
) -> String {
    crate::render::plan::drifted(planned.plan.plan(), by, detail, context.ui.out)
}

fn tell(
    planned: &Planned,
    detail: Detail,
    style: Style,
    context: &Context,
) -> std::result::Result<(), CommandError> {
    let plan = planned.plan.plan();
    match style {
        Style::Json => {
            for message in messages::drift_by(plan, &planned.changed_by) {
                context.ui.json(&message)?;
            }
            Ok(())
        }
        Style::Human if plan.drift.is_empty() => context
            .ui
            .data("No drift. What is there is what state has.\n"),
        Style::Human => {
            let counted = match plan.drift.len() {
                1 => "1 object differs from state.".to_owned(),
                n => format!("{n} objects differ from state."),
            };
            let text = drifted(planned, &planned.changed_by, detail, context);
            context.ui.data(&format!(
                "{text}{counted} Nothing was recorded: `weir apply -refresh-only` does that, \
                 `weir apply` brings them back.\n"
            ))
        }
    }
}
