//! What a function takes and gives.

use super::{Body, Outcome};
use crate::eval::{Context, EvalError};
use weir_core::{Type, Value};

/// A function.
pub struct Function {
    name: &'static str,
    params: Vec<Param>,
    rest: Option<Param>,
    returns: Returns,
    promise: Promise,
    marking: Marking,
    unknowns: Unknowns,
    body: Body,
}

/// A parameter.
#[derive(Debug, Clone)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What arguments are converted to.
    pub ty: Type,
    nulls: Nulls,
    presence: Presence,
    types: Types,
}

/// What becomes of an argument of which not even the type is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Types {
    /// The function deals with it.
    Taken,
    /// Not even the type of the result is known.
    Needed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nulls {
    Refused,
    Taken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

/// The type of the result, as far as it is known before the call.
#[derive(Clone)]
enum Returns {
    Fixed(Type),
    Computed(fn(&[Value]) -> Outcome<Type>),
}

/// What is known of a result that is unknown, beside its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Promise {
    NotNull,
    Nothing,
}

/// What happens to marks on the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marking {
    /// All marks in the arguments go to the whole result.
    Deep,
    /// Marks of the arguments themselves go to the whole result; those of their elements stay
    /// with the elements.
    Shallow,
    /// The body sees the marks.
    Handled,
}

/// What happens where arguments are unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknowns {
    /// The result is unknown if anything in an argument is.
    Deep,
    /// The result is unknown if an argument itself is.
    Shallow,
    /// The body sees unknown arguments.
    Handled,
}

/// Why a function refuses its arguments.
#[derive(Debug)]
pub enum FunctionError {
    /// One of them is wrong: which, and why.
    Argument(usize, String),
    /// The call as a whole is.
    Call(String),
    /// Something evaluated inside failed.
    Eval(Box<EvalError>),
}

impl FunctionError {
    pub(super) fn call(message: impl Into<String>) -> FunctionError {
        FunctionError::Call(message.into())
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.signature())
    }
}

/// A parameter.
pub(super) fn param(name: &'static str, ty: Type) -> Param {
    Param {
        name,
        ty,
        nulls: Nulls::Refused,
        presence: Presence::Required,
        types: Types::Taken,
    }
}
/// A parameter that is text.
pub(super) fn string(name: &'static str) -> Param {
    param(name, Type::String)
}
/// A parameter that is a number.
pub(super) fn number(name: &'static str) -> Param {
    param(name, Type::Number)
}
/// A parameter of any type.
pub(super) fn any(name: &'static str) -> Param {
    param(name, Type::Dynamic)
}

impl Param {
    /// It may be null.
    pub(super) fn nullable(mut self) -> Param {
        self.nulls = Nulls::Taken;
        self
    }
    /// It may be left out; only the last ones can.
    pub(super) fn optional(mut self) -> Param {
        self.presence = Presence::Optional;
        self
    }
    /// Its type must be known for anything to be known of the result.
    pub(super) fn typed(mut self) -> Param {
        self.types = Types::Needed;
        self
    }
    /// Whether its type must be known for anything to be known of the result.
    pub(crate) fn needs_type(&self) -> bool {
        self.types == Types::Needed
    }
    /// Whether it may be null.
    pub(crate) fn takes_null(&self) -> bool {
        self.nulls == Nulls::Taken
    }
}

impl Function {
    pub(super) fn new(name: &'static str, params: impl Into<Vec<Param>>, body: Body) -> Function {
        Function {
            name,
            params: params.into(),
            rest: None,
            returns: Returns::Fixed(Type::Dynamic),
            promise: Promise::NotNull,
            marking: Marking::Deep,
            unknowns: Unknowns::Deep,
            body,
        }
    }
    /// Any number of further arguments.
    pub(super) fn rest(mut self, param: Param) -> Function {
        self.rest = Some(param);
        self
    }
    /// The type of the result.
    pub(super) fn gives(mut self, ty: Type) -> Function {
        self.returns = Returns::Fixed(ty);
        self
    }
    /// The type of the result by the arguments, some of which are unknown; it refuses those whose
    /// types are wrong.
    pub(super) fn gives_by(mut self, f: fn(&[Value]) -> Outcome<Type>) -> Function {
        self.returns = Returns::Computed(f);
        self
    }
    /// Its result may be null.
    pub(super) fn may_give_null(mut self) -> Function {
        self.promise = Promise::Nothing;
        self
    }
    /// It passes elements on: their marks and unknowns stay with them.
    pub(super) fn elementwise(mut self) -> Function {
        self.marking = Marking::Shallow;
        self.unknowns = Unknowns::Shallow;
        self
    }
    pub(super) fn on_marks(mut self, marking: Marking) -> Function {
        self.marking = marking;
        self
    }
    pub(super) fn on_unknowns(mut self, unknowns: Unknowns) -> Function {
        self.unknowns = unknowns;
        self
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }
    /// What happens to marks.
    pub fn marking(&self) -> Marking {
        self.marking
    }
    /// What happens to unknowns.
    pub fn unknowns(&self) -> Unknowns {
        self.unknowns
    }
    /// The parameter an argument belongs to.
    pub fn param(&self, index: usize) -> Option<&Param> {
        self.params.get(index).or(self.rest.as_ref())
    }
    /// How many arguments it takes at least, and at most.
    pub fn arity(&self) -> (usize, Option<usize>) {
        let least = self
            .params
            .iter()
            .filter(|p| p.presence == Presence::Required)
            .count();
        (least, self.rest.is_none().then_some(self.params.len()))
    }
    /// As it is called: `substr(string, offset, length)`.
    pub fn signature(&self) -> String {
        let rest = self.rest.iter().map(|p| format!("{}...", p.name));
        let params: Vec<String> = self
            .params
            .iter()
            .map(|p| match p.presence {
                Presence::Required => p.name.to_owned(),
                Presence::Optional => format!("[{}]", p.name),
            })
            .chain(rest)
            .collect();
        format!("{}({})", self.name, params.join(", "))
    }
    /// The result where arguments are unknown.
    pub(crate) fn unknown_result(&self, args: &[Value]) -> Outcome {
        let ty = match &self.returns {
            Returns::Fixed(ty) => ty.clone(),
            Returns::Computed(f) => f(args)?,
        };
        let value = Value::unknown(ty);
        Ok(match self.promise {
            Promise::NotNull => value.refined_not_null(),
            Promise::Nothing => value,
        })
    }
    /// Calls its body.
    pub(crate) fn call(&self, args: &[Value], context: &Context) -> Outcome {
        (self.body)(args, context)
    }
}
