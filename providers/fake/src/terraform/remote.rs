//! The data source `terraform_remote_state`: the outputs of another state.
//!
//! Where states are, and how they are read, is not known here: whoever makes the provider hands in
//! [`States`]. Other than with Terraform, what is sensitive there is sensitive here.

use async_trait::async_trait;
use std::collections::BTreeMap;
use weir_core::{
    Diagnostic, Diagnostics, Known, Type, Value,
    schema::{Attribute, Block, Schema, SetBy},
};

/// The type.
pub(super) const REMOTE: &str = "terraform_remote_state";

/// A state that outputs are wanted of.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The kind of place, as a `backend` block has it.
    pub backend: String,
    /// The place's settings: an object, or null.
    pub config: Value,
    /// The workspace; `None` for the default one.
    pub workspace: Option<String>,
}

/// Reads states of other stacks.
#[async_trait]
pub trait States: Send + Sync {
    /// The outputs of the root module.
    ///
    /// # Errors
    /// Where there is no such state, or it can't be read, with the next step.
    async fn outputs(&self, asked: Asked) -> Result<BTreeMap<String, Known>, Diagnostics>;
}

/// For who has no other states.
#[derive(Debug)]
pub(super) struct NoStates;

#[async_trait]
impl States for NoStates {
    async fn outputs(&self, asked: Asked) -> Result<BTreeMap<String, Known>, Diagnostics> {
        Err(Diagnostic::error(format!(
            "The state of backend {:?} can't be read here",
            asked.backend
        ))
        .because("This program has no way to other states.")
        .help("Run the `weir` command.")
        .into())
    }
}

pub(super) fn schema() -> Schema {
    let any = |set_by, text: &str| Attribute::new(Type::Dynamic, set_by).describe(text);
    let text = |set_by, text: &str| Attribute::new(Type::String, set_by).describe(text);
    let attributes = [
        (
            "backend",
            text(
                SetBy::Required,
                "The kind of place: `local`, `sqlite`, `s3`, `postgres`, `pg` or `http`.",
            ),
        ),
        (
            "config",
            any(
                SetBy::Optional,
                "Where it is: what the `state` or `backend` block there says.",
            ),
        ),
        (
            "defaults",
            any(SetBy::Optional, "Values of outputs that it does not have."),
        ),
        (
            "outputs",
            any(SetBy::Computed, "Every output of the root module."),
        ),
        (
            "workspace",
            text(SetBy::Optional, "The workspace; `default` otherwise."),
        ),
    ];
    let block = Block {
        attributes: attributes.map(|(name, a)| (name.to_owned(), a)).into(),
        ..Block::default()
    };
    Schema { version: 0, block }
}

/// What is wrong with a configuration, whatever will be found.
pub(super) fn validate(config: &Value) -> Diagnostics {
    let mut found = Diagnostics::new();
    for name in ["config", "defaults"] {
        let value = config.get(name);
        let is_wrong = |v: &&Value| !v.is_null() && !v.is_unknown() && v.as_entries().is_none();
        if value.is_some_and(|v| is_wrong(&v)) {
            found.push(
                Diagnostic::error(format!("`{name}` must be an object")).help(match name {
                    "config" => "Write `config = { path = \"../network/terraform.tfstate\" }`.",
                    _ => "Write `defaults = { NAME = VALUE }`.",
                }),
            );
        }
    }
    found
}

/// The data source of this configuration.
pub(super) async fn read(states: &dyn States, config: &Value) -> Result<Known, Diagnostics> {
    let text = |name: &str| config.get(name).and_then(Value::as_str).map(str::to_owned);
    let asked = Asked {
        backend: text("backend").unwrap_or_default(),
        config: config.get("config").cloned().unwrap_or_else(Value::null),
        workspace: text("workspace").filter(|w| !w.is_empty()),
    };
    let found = states.outputs(asked).await?;
    let defaults = config.get("defaults").and_then(Value::as_entries);
    let defaults = defaults.into_iter().flatten();
    let mut outputs: BTreeMap<String, Value> = defaults
        .map(|(name, value)| (name.to_string(), value.clone()))
        .collect();
    outputs.extend(found.into_iter().map(|(name, v)| (name, v.into_value())));
    let value = config.clone().with("outputs", Value::object(outputs));
    Known::new(value).map_err(|e| Diagnostic::error(e.to_string()).into())
}
