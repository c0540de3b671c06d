//! `weir import`

use super::{
    Context, Result, apply,
    run::{self, Run, Secured, Stack, Style},
};
use crate::{
    args::{RunArgs, VarArgs},
    compose,
    error::{CommandError, Outcome},
};
use std::sync::Arc;
use weir_core::{Address, Object};
use weir_engine::{Mode, PlanInput, PlanOptions, Refresh, Status};
use weir_plan::Target;

/// Flags of `import`.
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// The instance.
    address: String,
    /// The id that the provider knows the object by.
    id: String,
    #[command(flatten)]
    vars: VarArgs,
    #[command(flatten)]
    run: RunArgs,
    /// Taken for Terraform's sake: no question is ever asked.
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    input: bool,
}

/// Records an object that exists already as an instance of the configuration, and does nothing to
/// it.
pub(crate) async fn cmd_import(args: &Import, context: &Context) -> Result {
    let to = target(&args.address)?;
    let style = Style::Human;
    let inputs = compose::inputs(&args.vars, &context.env)?;
    let loaded = compose::load(&inputs, &context.env)?;
    run::warn(&loaded.warnings, style, context)?;
    let stack = Stack {
        config: loaded.config,
        inputs,
        ahead: crate::stores::Ahead::default(),
    };
    let purpose = format!("import {to}");
    let run = Run::start(&stack, &purpose, &args.run, style, context).await?;
    import(&run, &stack, (&to, &args.id), context).await
}

/// Reads the address, which must be a managed resource's.
fn target(text: &str) -> std::result::Result<Address, CommandError> {
    let to: Address = text
        .parse()
        .map_err(|e| CommandError::usage(format!("{e}")))?;
    match to.object {
        Object::Data { .. } | Object::Ephemeral { .. } => Err(CommandError::usage(format!(
            "{to} is not a managed resource: there is nothing to import to it"
        ))),
        _ => Ok(to),
    }
}

async fn import(run: &Run, stack: &Stack, (to, id): (&Address, &str), context: &Context) -> Result {
    let asked: Target = to
        .to_string()
        .parse()
        .map_err(|e| CommandError::usage(format!("{e}")))?;
    let input = PlanInput {
        config: Arc::clone(&stack.config),
        inputs: stack.inputs.clone(),
        options: PlanOptions {
            mode: Mode::Refresh,
            refresh: Refresh::Nothing,
            targets: vec![asked],
            import: Some((to.clone(), id.to_owned())),
            ..PlanOptions::default()
        },
    };
    let ui = &context.ui;
    ui.data(&format!("{to}: Importing from ID {id:?}...\n"))?;
    let planned = run.plan_input(&input).await?;
    let Secured { planned, lease } = run.secure(planned, &input).await?;
    let report = apply::carry_out(run, &planned, &lease, context).await;
    let released = run.release(Some(lease)).await;
    let report = report?;
    released?;
    run::warn(&report.diagnostics, Style::Human, context)?;
    if report.status != Status::Succeeded {
        return Ok(Outcome::Failed);
    }
    ui.data(
        "\nImport successful!\n\n\
         The resources that were imported are shown above. These resources are now in\n\
         the state and will henceforth be managed by weir.\n",
    )?;
    Ok(Outcome::Done)
}
