//! `weir plan`

use super::{
    Context, Result,
    run::{self, Run, Style},
};
use crate::stores::Sealer;
use crate::{
    args::PlanArgs,
    error::{CommandError, Outcome},
    render::json::ui as messages,
};
use std::{
    fs,
    io::Write,
    mem::ManuallyDrop,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use weir_engine::{Mode, Planned};

/// Flags of `plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    plan: PlanArgs,
    /// Keep the plan in this file, for `weir apply FILE`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write configuration for imports that have none into this new file.
    #[arg(long, value_name = "FILE")]
    generate_config_out: Option<PathBuf>,
    /// Plan the destruction of everything.
    #[arg(long)]
    destroy: bool,
    /// End with 0 where there is nothing to do, 2 where there is, 1 on failure.
    #[arg(long)]
    detailed_exitcode: bool,
    /// Print JSON messages.
    #[arg(long)]
    json: bool,
    /// Taken for Terraform's sake: planning asks nothing.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true)]
    input: Option<Option<bool>>,
}

/// Shows what apply would do.
pub(crate) async fn cmd_plan(args: &Plan, context: &Context) -> Result {
    let style = Style::of(args.json);
    run::report(plan(args, style, context).await, style, context)
}

async fn plan(args: &Plan, style: Style, context: &Context) -> Result {
    if style == Style::Json {
        context.ui.json(&messages::version())?;
    }
    // The process ends with this command: the system takes the memory of what was loaded and planned
    // back at once, and giving it back piece by piece first takes a fiftieth of the run.
    let stack = ManuallyDrop::new(run::load(&args.plan, style, context)?);
    let mode = if args.destroy {
        Mode::Destroy
    } else {
        Mode::Apply
    };
    let generate = args.generate_config_out.is_some();
    let input = stack.input(mode, &args.plan, generate)?;
    let run = Run::start_plan(&stack, &input, "plan", &args.plan.run, style, context).await?;
    let planned = ManuallyDrop::new(run.plan_apart(&input).await?);
    let sealer = run.sealer().await;
    match style {
        Style::Human => run::show(&planned, args.plan.detail(), context)?,
        Style::Json => {
            for message in messages::planned(
                planned.plan.plan(),
                (planned.mode, planned.refresh),
                &planned.generated,
            ) {
                context.ui.json(&message)?;
            }
        }
    }
    run::warn(&planned.warnings, style, context)?;
    if let Some(file) = &args.generate_config_out {
        write_generated(&planned, file)?;
    }
    if let Some(file) = &args.out {
        save(&planned, sealer?, file)?;
        if style == Style::Human && context.ui.hints {
            let file = file.display();
            context.ui.tell(&format!(
                "\nThe plan is in {file}. `weir apply {file}` does just that."
            ));
        }
    }
    Ok(match args.detailed_exitcode && !planned.is_empty() {
        true => Outcome::Pending,
        false => Outcome::Done,
    })
}

/// Writes the configuration of imports. A file that is there already is somebody's work.
fn write_generated(planned: &Planned, file: &Path) -> std::result::Result<(), CommandError> {
    if planned.generated.is_empty() {
        return Ok(());
    }
    let text: Vec<&str> = planned.generated.values().map(String::as_str).collect();
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .and_then(|mut out| out.write_all(text.join("\n").as_bytes()));
    written.map_err(|e| {
        CommandError::failed(format!(
            "the configuration can't be written to {}: {e}",
            file.display()
        ))
    })
}

/// Writes the plan so that nobody else can read it: it may hold secrets.
fn save(
    planned: &Planned,
    sealer: Option<Sealer>,
    file: &Path,
) -> std::result::Result<(), CommandError> {
    let sealed = match sealer {
        Some(sealer) => Some(sealer.seal(&planned.to_bytes())?),
        None => None,
    };
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut out| {
            match &sealed {
                Some(bytes) => out.write_all(bytes)?,
                None => planned.write(&mut out)?,
            }
            out.sync_all()
        });
    written.map_err(|e| {
        CommandError::failed(format!("the plan can't be kept in {}: {e}", file.display()))
    })
}
