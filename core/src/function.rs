//! Functions that providers offer to the language: what they take and give.

use crate::{Type, Value};

/// How a function is called, and what it gives. Marks are none of its business: a result carries
/// all marks of the arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Parameters, in order.
    pub parameters: Vec<Parameter>,
    /// What any number of further arguments are.
    pub variadic: Option<Parameter>,
    /// The type of the result; `Dynamic` where it depends on the arguments.
    pub returns: Type,
    /// One sentence for documentation and `help` lines.
    pub description: String,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, for messages.
    pub name: String,
    /// What arguments are converted to.
    pub ty: Type,
    /// Whether null is passed to the function.
    pub nulls: Nulls,
    /// Whether unknown values are passed to the function.
    pub unknowns: Unknowns,
}

/// What happens where an argument is null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    /// It is an error.
    Refused,
    /// The function sees it.
    Taken,
}

/// What happens where anything in an argument is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknowns {
    /// The result is unknown; the function is not called.
    Absorbed,
    /// The function sees it.
    Taken,
}

/// Why a function refuses its arguments.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Which argument is wrong, from 0; `None` where the call as a whole is.
    pub argument: Option<usize>,
    /// What is wrong, to stand in a sentence.
    pub message: String,
}

/// What a call gives.
pub type Outcome = Result<Value, Refusal>;

impl Parameter {
    /// A parameter that takes neither null nor unknown values.
    pub fn new(name: &str, ty: Type) -> Parameter {
        Parameter {
            name: name.to_owned(),
            ty,
            nulls: Nulls::Refused,
            unknowns: Unknowns::Absorbed,
        }
    }
    /// It may be null.
    pub fn nullable(mut self) -> Parameter {
        self.nulls = Nulls::Taken;
        self
    }
    /// The function sees unknown values.
    pub fn sees_unknowns(mut self) -> Parameter {
        self.unknowns = Unknowns::Taken;
        self
    }
}

impl Signature {
    /// A function of these parameters.
    pub fn new(parameters: impl Into<Vec<Parameter>>, returns: Type) -> Signature {
        Signature {
            parameters: parameters.into(),
            variadic: None,
            returns,
            description: String::new(),
        }
    }
    /// With any number of further arguments.
    pub fn variadic(mut self, parameter: Parameter) -> Signature {
        self.variadic = Some(parameter);
        self
    }
    /// With a description.
    pub fn describe(mut self, text: &str) -> Signature {
        self.description = text.to_owned();
        self
    }
    /// The parameter that an argument belongs to.
    pub fn parameter(&self, argument: usize) -> Option<&Parameter> {
        self.parameters.get(argument).or(self.variadic.as_ref())
    }
    /// As it is called: `NAME(a, b, rest...)`.
    pub fn call_form(&self, name: &str) -> String {
        let rest = self.variadic.iter().map(|p| format!("{}...", p.name));
        let names = self.parameters.iter().map(|p| p.name.clone());
        format!(
            "{name}({})",
            names.chain(rest).collect::<Vec<_>>().join(", ")
        )
    }
}

impl Refusal {
    /// The call as a whole is wrong.
    pub fn call(message: impl Into<String>) -> Refusal {
        Refusal {
            argument: None,
            message: message.into(),
        }
    }
    /// One argument is.
    pub fn argument(index: usize, message: impl Into<String>) -> Refusal {
        Refusal {
            argument: Some(index),
            message: message.into(),
        }
    }
}
