//! `weir output`

use super::{Context, Result};
use crate::stores::States;
use crate::{
    error::{CommandError, Outcome},
    render::value,
};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use weir_core::{Kind, Known, Value};

/// Flags of `output`.
#[derive(Debug, clap::Args)]
pub(crate) struct Output {
    /// Only this output.
    name: Option<String>,
    /// Print JSON, with sensitive values.
    #[arg(long, conflicts_with = "raw")]
    json: bool,
    /// Print the bare text of one output, with no line end.
    #[arg(long, requires = "name")]
    raw: bool,
}

/// Prints the outputs of the last apply.
pub(crate) async fn cmd_output(args: &Output, context: &Context) -> Result {
    let outputs = match States::here(&context.env)?.open_existing().await? {
        Some(store) => store.snapshot().await?.outputs,
        None => BTreeMap::new(),
    };
    match &args.name {
        None if args.json => context.ui.data(&pretty(&all_json(&outputs)))?,
        None if outputs.is_empty() => {
            context
                .ui
                .tell("There are no outputs yet: they are recorded by `weir apply`.");
        }
        None => context.ui.data(&all(&outputs))?,
        Some(name) => {
            let known = outputs.get(name).ok_or_else(|| unknown(name, &outputs))?;
            context.ui.data(&one(args, name, known.value())?)?;
        }
    }
    Ok(Outcome::Done)
}

/// All outputs, one below the other; sensitive ones redacted.
pub(crate) fn all(outputs: &BTreeMap<String, Known>) -> String {
    let width = value::width(outputs.keys().map(String::as_str), false);
    outputs
        .iter()
        .map(|(name, known)| value::plain(&value::key(name, false, width), known.value()))
        .collect()
}

fn all_json(outputs: &BTreeMap<String, Known>) -> Json {
    let one = |(name, known): (&String, &Known)| {
        let value = known.value();
        let body = json!({
            "sensitive": value.is_sensitive(),
            "type": weir_core::json::type_to_json(&value.ty()),
            "value": weir_core::json::to_json(value),
        });
        (name.clone(), body)
    };
    Json::Object(outputs.iter().map(one).collect())
}

fn pretty(value: &Json) -> String {
    format!("{value:#}\n")
}

/// One output was asked for by name: it is shown, also where it is sensitive.
fn one(args: &Output, name: &str, value: &Value) -> std::result::Result<String, CommandError> {
    let (value, _) = value.clone().unmark_deep();
    if args.json {
        return Ok(pretty(&weir_core::json::to_json(&value)));
    }
    if !args.raw {
        return Ok(value::plain("", &value));
    }
    match value.kind() {
        Kind::String(text) => Ok(text.to_string()),
        Kind::Number(n) => Ok(n.to_string()),
        Kind::Bool(b) => Ok(b.to_string()),
        _ => {
            let what = value.ty().friendly();
            Err(
                CommandError::failed(format!("output {name:?} is {what} and has no bare text"))
                    .hint("Use -json for it."),
            )
        }
    }
}

fn unknown(name: &str, outputs: &BTreeMap<String, Known>) -> CommandError {
    let error = CommandError::failed(format!("there is no output {name:?} in state"));
    match outputs
        .keys()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => error.hint("State has no outputs: they are recorded by `weir apply`."),
        names => error.hint(format!("State has {}.", names.join(", "))),
    }
}
