//! `weir state show`

use super::super::{Context, Result};
use super::{legacy::StateFile, missing, rows::Rows};
use crate::{
    compose,
    error::{CommandError, Outcome},
    render::{
        json::{self, Form, Secrets},
        snapshot,
    },
};
use weir_core::Address;
use weir_plan::Target;

/// Flags of `state show`.
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The instance; `*` stands for any text, where only one instance fits.
    address: String,
    /// Print JSON, as `weir show -json` has the instance. Sensitive values are in it.
    #[arg(long)]
    json: bool,
    /// Print sensitive values as null in the JSON.
    #[arg(long, requires = "json")]
    redact: bool,
    #[command(flatten)]
    file: StateFile,
}

/// Shows an instance.
pub(super) async fn cmd_show(args: &Show, context: &Context) -> Result {
    let state = args.file.snapshot(context).await?;
    let rows = Rows::of(state.as_ref());
    let address = one(&args.address, &rows)?;
    let (Some(state), Some(resource)) = (&state, rows.current(&address)) else {
        return Err(missing(&address, state.as_ref()));
    };
    let text = match args.json {
        true => {
            let registry = compose::registry(&context.env);
            let form = Form {
                secrets: match args.redact {
                    true => Secrets::Redacted,
                    false => Secrets::Shown,
                },
                schemas: &registry,
                config: None,
            };
            let row = json::state::row(state, (&address, None), resource, &form);
            format!("{:#}\n", serde_json::Value::Object(row))
        }
        false => snapshot::instance(&address, resource, context.ui.out),
    };
    context.ui.data(&text)?;
    Ok(Outcome::Done)
}

/// The one instance that is meant.
fn one(text: &str, rows: &Rows<'_>) -> std::result::Result<Address, CommandError> {
    let wrong = match text.parse::<Address>() {
        Ok(address) => return Ok(address),
        Err(wrong) => CommandError::usage(format!("{wrong}")),
    };
    let Ok(target @ Target::Pattern(_)) = text.parse() else {
        return Err(wrong.hint(
            "Name one instance: `terraform_data.a`, `module.net.terraform_data.a[0]`. \
             `weir state list` lists them.",
        ));
    };
    let found: Vec<&Address> = rows.named(&target).collect();
    match found.as_slice() {
        [only] => Ok((*only).clone()),
        [] => Err(
            CommandError::failed(format!("{text} matches nothing in state"))
                .hint("`weir state list` lists what is there."),
        ),
        [first, .., last] => Err(CommandError::failed(format!(
            "{text} matches {} instances, from {first} to {last}",
            found.len()
        ))
        .hint("Name one of them; `weir state list` with the same text lists them all.")),
    }
}
