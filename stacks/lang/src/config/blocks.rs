//! The blocks of a module, sorted by what they are; expressions in them are not evaluated.

use crate::{
    config::moves::{Move, Removed},
    constraint::Defaults,
    instance::Ignore,
    ir::{Block, Body, Expr, Reference},
};
use std::sync::Arc;
use weir_core::{Object, Span, Type, Value};

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
    pub(crate) description: Option<String>,
    pub(crate) sensitive: bool,
    pub(crate) ephemeral: bool,
    pub(crate) nullable: bool,
    pub(crate) validations: Vec<Rule>,
    pub(crate) span: Span,
}

impl Variable {
    /// Whether a validation refers to more than the variable itself.
    pub(crate) fn validates_others(&self) -> bool {
        let own = |r: &Reference| &*r.root == "var" && r.attr(0) == Some(&*self.name);
        self.validations
            .iter()
            .flat_map(|v| [&v.condition, &v.message])
            .any(|e| e.references().iter().any(|r| !own(r)))
    }
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

/// A provider as a module names it: `aws`, `aws.west`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LocalProvider {
    pub(crate) name: String,
    pub(crate) alias: Option<String>,
}

impl LocalProvider {
    pub(crate) fn new(name: impl Into<String>) -> LocalProvider {
        LocalProvider {
            name: name.into(),
            alias: None,
        }
    }
}

impl std::fmt::Display for LocalProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.alias {
            None => f.write_str(&self.name),
            Some(alias) => write!(f, "{}.{alias}", self.name),
        }
    }
}

/// A provider that is asked for: `aws.by_region[each.key]`.
#[derive(Debug, Clone)]
pub(crate) struct ProviderUse {
    pub(crate) provider: LocalProvider,
    /// Which instance of a provider block with `for_each`.
    pub(crate) key: Option<Expr>,
    pub(crate) span: Span,
}

/// `provider "name" {}`
#[derive(Debug)]
pub(crate) struct ProviderBlock {
    pub(crate) provider: LocalProvider,
    /// `Once` or `ForEach`.
    pub(crate) repeat: Repeat,
    pub(crate) body: Body,
    pub(crate) span: Span,
}

/// `resource`, `data` or `ephemeral`, each with the labels `"type" "name"`.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) object: Object,
    /// The body without what the language itself reads.
    pub(crate) body: Body,
    pub(crate) repeat: Repeat,
    pub(crate) provider: Option<ProviderUse>,
    pub(crate) depends_on: Vec<Reference>,
    pub(crate) lifecycle: LifecycleBlock,
    pub(crate) preconditions: Vec<Rule>,
    pub(crate) postconditions: Vec<Rule>,
    /// The `check` block a data source stands in.
    pub(crate) scoped: Option<Arc<str>>,
    pub(crate) span: Span,
}

/// `lifecycle {}` without its conditions.
#[derive(Debug)]
pub(crate) struct LifecycleBlock {
    pub(crate) create_before_destroy: bool,
    pub(crate) prevent_destroy: Option<Expr>,
    pub(crate) ignore_changes: Ignore,
    /// Where each of its paths stands.
    pub(crate) ignored_at: Vec<Span>,
    pub(crate) triggers: Vec<TriggerBlock>,
    pub(crate) destroy: bool,
    pub(crate) refresh: bool,
}

/// An element of `replace_triggered_by`.
#[derive(Debug)]
pub(crate) struct TriggerBlock {
    pub(crate) object: Object,
    /// Which instance, where it says so.
    pub(crate) index: Option<Expr>,
    pub(crate) path: weir_core::Path,
    /// The name alone, for linking.
    pub(crate) reference: Reference,
}

/// How often a block is instantiated.
#[derive(Debug, Clone)]
pub(crate) enum Repeat {
    Once,
    Count(Expr),
    ForEach(Expr),
    /// `lifecycle { enabled = ... }`: once, or not at all.
    Enabled(Expr),
}

/// `moved {}` or `removed {}`, relative to the module it stands in.
#[derive(Debug, Clone)]
pub(crate) enum Statement {
    Moved(Move),
    Removed(Removed),
}

/// `import {}`
#[derive(Debug)]
pub(crate) struct ImportBlock {
    pub(crate) to: ImportTarget,
    pub(crate) id: Expr,
    pub(crate) provider: Option<ProviderUse>,
    pub(crate) for_each: Option<Expr>,
    pub(crate) span: Span,
}

/// What an `import` block names: keys may be expressions over `each`.
#[derive(Debug)]
pub(crate) struct ImportTarget {
    pub(crate) modules: Vec<(Arc<str>, Option<Expr>)>,
    pub(crate) object: Object,
    pub(crate) key: Option<Expr>,
}

/// `check "name" {}`
#[derive(Debug)]
pub(crate) struct CheckBlock {
    pub(crate) name: Arc<str>,
    pub(crate) asserts: Vec<Rule>,
    /// The data source that stands in it.
    pub(crate) scoped: Option<Object>,
    pub(crate) span: Span,
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
    pub(crate) providers: Vec<(LocalProvider, ProviderUse)>,
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
    /// With the providers of offers as text: they are names, and nothing that is evaluated.
    pub(crate) body: Body,
    /// The providers of its pools' offers.
    pub(crate) offers: Vec<ProviderUse>,
    /// What makes the machines of its pools.
    pub(crate) makes: Vec<Makes>,
    pub(crate) span: Span,
}

/// An offer of a pool that is written out, and the module that makes its machines.
#[derive(Debug)]
pub(crate) struct Makes {
    pub(crate) pool: Arc<str>,
    pub(crate) offer: Arc<str>,
    /// Refers to the outputs of the module.
    pub(crate) hosts: Expr,
    pub(crate) call: Arc<ModuleCall>,
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
