//! `weir validate`

use super::{Context, Result, walk};
use crate::{
    args::VarArgs,
    compose,
    error::{CommandError, Outcome},
    render::json::diagnostic,
};
use weir_core::Diagnostics;

/// Flags of `validate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Validate {
    #[command(flatten)]
    vars: VarArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Checks the configuration: syntax, names, types, and what providers refuse. Nothing is looked
/// up and nothing is reached.
pub(crate) async fn cmd_validate(args: &Validate, context: &Context) -> Result {
    let (found, objects) = match check(args, context).await {
        Ok((found, objects)) => (found, objects),
        Err(error) if error.kind == crate::error::ErrorKind::Failed => (error.source, 0),
        Err(error) => return Err(error),
    };
    if args.json {
        context
            .ui
            .data(&format!("{:#}\n", diagnostic::validation(&found)))?;
    } else {
        context.ui.diagnostics(&found);
        if !found.has_errors() {
            let plural = if objects == 1 { "" } else { "s" };
            let text = format!("The configuration is valid: {objects} instance{plural}.\n");
            context.ui.data(&text)?;
        }
    }
    Ok(if found.has_errors() {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}

async fn check(
    args: &Validate,
    context: &Context,
) -> std::result::Result<(Diagnostics, usize), CommandError> {
    let loaded = compose::load(&compose::inputs(&args.vars, &context.env)?)?;
    let walked = walk::walk(&loaded.config, compose::registry(&context.env)).await;
    let mut found = loaded.warnings;
    found.extend(walked.diagnostics);
    Ok((found, walked.instances.len()))
}
