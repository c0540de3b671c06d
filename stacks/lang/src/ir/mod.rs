//! The language's expressions and bodies after parsing, each with its place in the source.
//!
//! Nothing in here is evaluated or looked up; [`crate::eval`] does that. An [`Expr`] is shared, so
//! cloning one costs a reference count.

mod body;
mod reference;

pub use body::{Attribute, Block, Body, Label};
pub use reference::{RefStep, Reference};

use std::sync::Arc;
use weir_core::{Span, Value};

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub kind: Arc<ExprKind>,
    /// Where it stands, without surrounding space.
    pub span: Span,
}

/// What an expression is.
#[derive(Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// A number, `true`, `false`, `null`, or text without interpolation.
    Literal(Value),
    /// Text with interpolations or directives: quoted, or a heredoc.
    Template(Template),
    /// A name and the steps after it: `aws_instance.web[0].id`.
    Variable(Variable),
    /// Steps into something that is not a name: `f(x).id`, `[1, 2][0]`.
    Access {
        /// What is stepped into.
        source: Expr,
        /// The steps.
        steps: Vec<Step>,
    },
    /// A function call.
    Call(Call),
    /// `-x` or `!x`.
    Unary {
        /// The operator.
        op: UnaryOp,
        /// What it works on.
        operand: Expr,
    },
    /// Operands joined by operators of one precedence, evaluated from left to right.
    Binary(Chain),
    /// `condition ? if_true : if_false`.
    Conditional {
        /// The condition.
        condition: Expr,
        /// The result where it holds.
        if_true: Expr,
        /// The result where it does not.
        if_false: Expr,
    },
    /// `[for ...]` or `{for ...}`.
    For(For),
    /// `[a, b]`: a tuple.
    List(Vec<Expr>),
    /// `{k = v}`: an object.
    Object(Vec<Item>),
    /// `(x)`.
    Paren(Expr),
}

/// A name and the steps after it.
#[derive(Debug, PartialEq, Eq)]
pub struct Variable {
    /// The first name.
    pub root: Arc<str>,
    /// Where the first name stands.
    pub root_span: Span,
    /// The steps after it.
    pub steps: Vec<Step>,
    /// The same as a reference that can be looked up; its dynamic steps are filled in by
    /// evaluation.
    pub reference: Reference,
}

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where to.
    pub kind: StepKind,
    /// The step, with its dot or brackets.
    pub span: Span,
}

/// Where a step leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepKind {
    /// `.name`
    Attr(Arc<str>),
    /// `[expression]`, or the old form `.0`.
    Index(Expr),
    /// `[*]` or `.*`: all steps after it in the same list are taken in each element.
    Splat,
}

/// Text with interpolations or directives.
#[derive(Debug, PartialEq, Eq)]
pub struct Template {
    /// Its parts, in order. Trims and the dedent of `<<-` are done already.
    pub parts: Vec<Part>,
    /// How it was written.
    pub form: TemplateForm,
}

/// How a template was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateForm {
    /// Between quotes.
    Quoted,
    /// `<<EOT` or `<<-EOT`.
    Heredoc,
    /// A whole file, or text given from outside.
    Bare,
}

/// A part of a template.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// Text, unescaped.
    Text(Arc<str>),
    /// `${expr}`
    Interpolation(Expr),
    /// `%{if condition}...%{else}...%{endif}`
    If {
        /// The condition.
        condition: Expr,
        /// Parts where it holds.
        then: Vec<Part>,
        /// Parts where it does not.
        otherwise: Vec<Part>,
        /// The whole directive.
        span: Span,
    },
    /// `%{for k, v in collection}...%{endfor}`
    For {
        /// The name of the key or index.
        key: Option<Arc<str>>,
        /// The name of the element.
        value: Arc<str>,
        /// The collection.
        collection: Expr,
        /// Parts repeated for each element.
        body: Vec<Part>,
        /// The whole directive.
        span: Span,
    },
}

/// A function call.
#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    /// The function, with its namespace: `provider::aws::arn_parse`.
    pub name: Arc<str>,
    /// Where the name stands.
    pub name_span: Span,
    /// The arguments.
    pub args: Vec<Expr>,
    /// Whether the last argument is spread.
    pub expansion: Expansion,
}

/// Whether the last argument of a call is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expansion {
    /// As it is.
    Plain,
    /// `args...`
    Spread,
}

/// A unary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `!`
    Not,
}

/// Operands joined by operators of one precedence. A sum of ten thousand terms is one chain, so
/// that neither evaluating nor dropping it needs a deep stack.
#[derive(Debug, PartialEq, Eq)]
pub struct Chain {
    /// The leftmost operand.
    pub first: Expr,
    /// The rest, at least one.
    pub rest: Vec<Link>,
}

/// An operator and its right operand.
#[derive(Debug, PartialEq, Eq)]
pub struct Link {
    /// The operator.
    pub op: BinaryOp,
    /// Where the operator stands.
    pub op_span: Span,
    /// The right operand.
    pub operand: Expr,
}

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulo,
}

impl BinaryOp {
    /// How tightly it binds; a higher one binds tighter.
    pub fn precedence(self) -> u8 {
        match self {
            BinaryOp::Or => 1,
            BinaryOp::And => 2,
            BinaryOp::Equal | BinaryOp::NotEqual => 3,
            BinaryOp::Less
            | BinaryOp::LessOrEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterOrEqual => 4,
            BinaryOp::Add | BinaryOp::Subtract => 5,
            BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo => 6,
        }
    }
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Or => "||",
            BinaryOp::And => "&&",
            BinaryOp::Equal => "==",
            BinaryOp::NotEqual => "!=",
            BinaryOp::Less => "<",
            BinaryOp::LessOrEqual => "<=",
            BinaryOp::Greater => ">",
            BinaryOp::GreaterOrEqual => ">=",
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Modulo => "%",
        }
    }
}

/// A `for` expression.
#[derive(Debug, PartialEq, Eq)]
pub struct For {
    /// The name of the key or index.
    pub key: Option<Arc<str>>,
    /// The name of the element.
    pub value: Arc<str>,
    /// The collection.
    pub collection: Expr,
    /// What it makes.
    pub result: ForResult,
    /// `if condition`
    pub condition: Option<Expr>,
}

/// What a `for` expression makes.
#[derive(Debug, PartialEq, Eq)]
pub enum ForResult {
    /// `[for ... : value]`
    List(Expr),
    /// `{for ... : key => value}`; with `...` values of one key are grouped.
    Object {
        /// The key.
        key: Expr,
        /// The value.
        value: Expr,
        /// Whether values of one key are grouped.
        grouping: Grouping,
    },
}

/// What happens to two values of one key in a `for` expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// An error.
    Unique,
    /// `...`: they become a list.
    Grouped,
}

/// One entry of an object expression.
#[derive(Debug, PartialEq, Eq)]
pub struct Item {
    /// Its key: a bare name is a [`ExprKind::Literal`] already.
    pub key: Expr,
    /// Its value.
    pub value: Expr,
}

impl Item {
    /// Whether the key is a path such as `a.b`, which is neither a name nor clearly a value. It
    /// may stand in `providers = { aws.west = aws }`, where it is read and never evaluated.
    pub fn has_ambiguous_key(&self) -> bool {
        let fixed = |step: &Step| match &step.kind {
            StepKind::Attr(_) => true,
            StepKind::Index(index) => matches!(&*index.kind, ExprKind::Literal(_)),
            StepKind::Splat => false,
        };
        matches!(&*self.key.kind, ExprKind::Variable(v) if !v.steps.is_empty() && v.steps.iter().all(fixed))
    }
}

impl Expr {
    /// An expression at a place.
    pub fn new(kind: ExprKind, span: Span) -> Expr {
        Expr {
            kind: Arc::new(kind),
            span,
        }
    }

    /// A literal value at a place.
    pub fn literal(value: impl Into<Value>, span: Span) -> Expr {
        Expr::new(ExprKind::Literal(value.into()), span)
    }

    /// Every name looked up in it and not bound by a `for` in it, in source order.
    pub fn references(&self) -> Vec<Reference> {
        let mut out = Vec::new();
        reference::collect(self, &mut Vec::new(), &mut out);
        out
    }

    /// The expression without parentheses around it.
    pub fn unparenthesised(&self) -> &Expr {
        match &*self.kind {
            ExprKind::Paren(inner) => inner.unparenthesised(),
            _ => self,
        }
    }

    /// The bare word it is, where it is one: `string` in `type = string`, `restart` in
    /// `on_change = restart`.
    pub fn keyword(&self) -> Option<&str> {
        match &*self.kind {
            ExprKind::Variable(v) if v.steps.is_empty() => Some(&v.root),
            _ => None,
        }
    }
}
