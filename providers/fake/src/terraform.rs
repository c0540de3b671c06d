//! The built-in provider `terraform` with `terraform_data`, as Terraform has it: a value that
//! lives in state, and something to hang replacements on; and with `terraform_remote_state`, which
//! reads other states by a way that is handed in.

mod decode;
mod encode;
mod functions;
mod remote;

pub use remote::{Asked, States};

use async_trait::async_trait;
use std::sync::Arc;
use weir_core::{
    Diagnostic, Diagnostics, Known, Path, Type, Value,
    function::Outcome,
    plan::Op,
    schema::{Attribute, Block, Schema, SetBy},
};
use weir_provider::{
    ApplyRequest, ApplyResponse, Imported, PlanRequest, PlanResponse, Progress, Provider,
    ProviderSchema, ReadRequest, ReadResponse, Settled,
};

const DATA: &str = "terraform_data";

/// Serves `terraform_data` and `terraform_remote_state`.
pub struct TerraformProvider {
    schema: ProviderSchema,
    states: Arc<dyn States>,
}

impl Default for TerraformProvider {
    fn default() -> TerraformProvider {
        TerraformProvider::new()
    }
}

impl TerraformProvider {
    /// The provider; it has no configuration, and no way to other states.
    pub fn new() -> TerraformProvider {
        let attribute = |set_by, text| Attribute::new(Type::Dynamic, set_by).describe(text);
        let id = Attribute::new(Type::String, SetBy::Computed).describe("A unique id.");
        let triggers = attribute(SetBy::Optional, "A change of it replaces the object.").replaces();
        let attributes = [
            ("input", attribute(SetBy::Optional, "Any value.")),
            (
                "output",
                attribute(SetBy::Computed, "The input, once it was applied."),
            ),
            ("triggers_replace", triggers),
            ("id", id),
        ];
        let attributes = attributes.map(|(name, a)| (name.to_owned(), a)).into();
        let block = Block {
            attributes,
            ..Block::default()
        };
        let schema = ProviderSchema {
            provider: Schema::default(),
            resources: [(DATA.to_owned(), Schema { version: 0, block })].into(),
            ephemeral: std::collections::BTreeMap::new(),
            data: [(remote::REMOTE.to_owned(), remote::schema())].into(),
            functions: functions::signatures(),
        };
        TerraformProvider {
            schema,
            states: Arc::new(remote::NoStates),
        }
    }

    /// With a way to the states of other stacks.
    #[must_use]
    pub fn with_states(self, states: Arc<dyn States>) -> TerraformProvider {
        TerraformProvider { states, ..self }
    }
}

fn field(value: &Value, name: &str) -> Value {
    value.get(name).cloned().unwrap_or_else(Value::null)
}

/// What the output will be, before the input was applied. It is of the input's type, also where
/// that is null. What is sensitive in the input is sensitive in the output: Terraform forgets it.
fn open_output(input: &Value) -> Value {
    if input.is_null() {
        return input.clone();
    }
    updated_output(input)
}

/// What an update makes of an input is open, were it null.
fn updated_output(input: &Value) -> Value {
    Value::unknown(input.ty()).mark(input.marks_deep())
}

#[async_trait]
impl Provider for TerraformProvider {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    async fn configure(&self, _config: &Value) -> Result<(), Diagnostics> {
        Ok(())
    }

    fn call(&self, function: &str, args: &[Value]) -> Outcome {
        functions::call(function, args)
    }

    async fn validate(&self, type_name: &str, config: &Value) -> Diagnostics {
        match type_name {
            remote::REMOTE => remote::validate(config),
            _ => Diagnostics::new(),
        }
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let proposed = request.proposed;
        let input = field(&proposed, "input");
        let triggers = Path::root().key("triggers_replace");
        let mut requires_replace = Vec::new();
        let planned = match request.prior.as_ref().map(Known::value) {
            None => {
                let planned = proposed.with("id", Value::unknown_not_null(Type::String));
                planned.with("output", open_output(&input))
            }
            Some(prior) => {
                // A value that is sensitive by now is the same value.
                let (bare, wanted) = (prior.clone().unmark_deep().0, proposed.clone());
                let wanted = wanted.unmark_deep().0;
                let replaced = bare.at(&triggers) != wanted.at(&triggers);
                if replaced {
                    requires_replace.push(triggers);
                }
                match field(&bare, "input") == field(&wanted, "input") {
                    true if field(prior, "input") == input => proposed,
                    // The same value, with other secrets in it: the output has them too.
                    true if field(&bare, "output") == field(&bare, "input") => {
                        proposed.with("output", input)
                    }
                    true => {
                        let output = field(&bare, "output").mark(input.marks_deep());
                        proposed.with("output", output)
                    }
                    false if replaced => proposed.with("output", open_output(&input)),
                    false => proposed.with("output", updated_output(&input)),
                }
            }
        };
        Ok(PlanResponse {
            planned,
            requires_replace,
            private: request.private,
            batch: None,
            warnings: Diagnostics::new(),
        })
    }

    async fn apply(&self, request: ApplyRequest, _progress: &dyn Progress) -> ApplyResponse {
        let private = request.private;
        let planned = match (request.op, request.planned) {
            (Op::Create | Op::Update, Some(planned)) => planned,
            _ => {
                return ApplyResponse {
                    value: None,
                    private,
                    diagnostics: Diagnostics::new(),
                };
            }
        };
        let open = |name: &str| planned.get(name).is_some_and(|v| !v.is_wholly_known());
        let (new_id, new_output) = (open("id"), open("output"));
        let input = field(&planned, "input");
        let mut value = planned;
        if new_id {
            value = value.with("id", Value::from(uuid::Uuid::new_v4().to_string()));
        }
        if new_output {
            value = value.with("output", input);
        }
        match Known::new(value) {
            Ok(value) => ApplyResponse {
                value: Some(value),
                private,
                diagnostics: Diagnostics::new(),
            },
            Err(e) => {
                let diagnostics = Diagnostic::error(format!("{}: {e}", request.address)).into();
                ApplyResponse {
                    value: request.prior,
                    private,
                    diagnostics,
                }
            }
        }
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        Ok(ReadResponse {
            value: Some(request.prior),
            private: request.private,
        })
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Vec<Imported>, Diagnostics> {
        let value = Value::object([
            ("input", Value::null()),
            ("output", Value::null()),
            ("triggers_replace", Value::null()),
            ("id", Value::from(id)),
        ]);
        let value = Known::new(value).map_err(|e| Diagnostic::error(e.to_string()))?;
        Ok(vec![Imported {
            type_name: type_name.into(),
            value,
            private: Vec::new(),
        }])
    }

    async fn data(&self, type_name: &str, config: &Value) -> Result<Known, Diagnostics> {
        if type_name == remote::REMOTE {
            return remote::read(&*self.states, config).await;
        }
        Err(Diagnostic::error(format!(
            "provider \"terraform\" has no data source {type_name:?}"
        ))
        .help("Correct the type, or remove the block.")
        .into())
    }

    /// Its objects are in state alone: what was not recorded was not done. A deletion has nothing
    /// left to do.
    async fn settle(&self, _request: ApplyRequest) -> Settled {
        Settled::NotDone
    }
}
