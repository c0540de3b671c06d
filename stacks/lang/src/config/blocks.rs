//! The blocks of a module, sorted by what they are; expressions in them are not evaluated.

use crate::{
    constraint::Defaults,
    instance::Lifecycle,
    ir::{Block, Body, Expr, Reference},
};
use std::sync::Arc;
use weir_core::{Object, Span, Type, Value, address::ProviderRef};

/// `variable "name" {}`
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) name: Arc<str>,
    pub(crate) ty: Type,
    /// How text from the command line or the environment is read.
    pub(crate) form: TextForm,
    pub(crate) defaults: Defaults,
    /// Converted already; `None` where a value must be given.
    pub(crate) default: Option<Value>,
    pub(crate) sensitive: bool,
    pub(crate) ephemeral: bool,
    pub(crate) nullable: bool,
    pub(crate) validations: Vec<Rule>,
    pub(crate) span: Span,
}

/// How text that is given for a variable becomes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextForm {
    /// The text is the value, converted to the type: of `string`, `number` and `bool`, and where no
    /// type is declared.
    Literal,
    /// The text is an expression.
    Expression,
}

/// A condition that must hold, and what is said when it does not.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) condition: Expr,
    pub(crate) message: Expr,
}

/// One attribute of a `locals {}` block.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) name: Arc<str>,
    pub(crate) expr: Expr,
    pub(crate) span: Span,
}

/// `output "name" {}`
#[derive(Debug)]
pub(crate) struct OutputBlock {
    pub(crate) name: Arc<str>,
    pub(crate) value: Expr,
    pub(crate) description: Option<String>,
    pub(crate) sensitive: bool,
    pub(crate) ephemeral: bool,
    pub(crate) preconditions: Vec<Rule>,
    pub(crate) depends_on: Vec<Reference>,
    pub(crate) span: Span,
}

/// `provider "name" {}`
#[derive(Debug)]
pub(crate) struct ProviderBlock {
    pub(crate) provider: ProviderRef,
    pub(crate) body: Body,
    pub(crate) span: Span,
}

/// `resource "type" "name" {}` or `data "type" "name" {}`
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) object: Object,
    /// The body without what the language itself reads.
    pub(crate) body: Body,
    pub(crate) repeat: Repeat,
    pub(crate) provider: Option<(ProviderRef, Span)>,
    pub(crate) depends_on: Vec<Reference>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) preconditions: Vec<Rule>,
    pub(crate) postconditions: Vec<Rule>,
    pub(crate) span: Span,
}

/// How often a block is instantiated.
#[derive(Debug, Clone)]
pub(crate) enum Repeat {
    Once,
    Count(Expr),
    ForEach(Expr),
}

/// `module "name" {}`
#[derive(Debug)]
pub(crate) struct ModuleCall {
    pub(crate) name: Arc<str>,
    pub(crate) source: String,
    pub(crate) source_span: Span,
    /// The arguments: attributes that the language itself does not read.
    pub(crate) inputs: Vec<crate::ir::Attribute>,
    pub(crate) repeat: Repeat,
    /// The child's provider, and the parent's that serves it.
    pub(crate) providers: Vec<(ProviderRef, ProviderRef, Span)>,
    pub(crate) depends_on: Vec<Reference>,
    pub(crate) span: Span,
}

/// `site "name" {}`
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) name: Arc<str>,
    pub(crate) body: Body,
    pub(crate) span: Span,
}

/// `cluster "name" {}`
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) name: Arc<str>,
    pub(crate) body: Body,
    pub(crate) span: Span,
}

/// `service "name" {}`
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: Arc<str>,
    /// The attributes beside the pods and plans.
    pub(crate) body: Body,
    pub(crate) pods: Vec<Arc<Pod>>,
    pub(crate) deploy: Vec<Phase>,
    pub(crate) span: Span,
}

/// `pod "name" {}`
#[derive(Debug)]
pub(crate) struct Pod {
    pub(crate) name: Arc<str>,
    pub(crate) repeat: PodRepeat,
    /// `place {}`
    pub(crate) place: Option<Block>,
    /// `resources {}`
    pub(crate) resources: Option<Block>,
    /// All that is evaluated for each instance, after placement.
    pub(crate) body: Body,
    pub(crate) span: Span,
}

/// How many instances a pod has.
#[derive(Debug, Clone)]
pub(crate) enum PodRepeat {
    Count(Option<Expr>),
    EveryHost,
}

/// A phase of the plan `deploy`.
#[derive(Debug, Clone)]
pub(crate) struct Phase {
    pub(crate) pod: Arc<str>,
    pub(crate) order: PhaseOrder,
}

/// In which order a phase works on a pod's instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PhaseOrder {
    Serial,
    Parallel,
}
