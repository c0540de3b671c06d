//! What the evaluator yields: instances ready for a provider, and pods that want a host.

use crate::eval::NodeId;
use std::collections::BTreeMap;
use weir_core::{Address, Diagnostic, ModulePath, Span, Value, address::ProviderRef};

/// An instance whose inputs are ready: known, or planned as unknown.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its address.
    pub address: Address,
    /// The provider configuration that serves it.
    pub provider: ProviderRef,
    /// Its configuration, of the schema's type; null where not set.
    pub config: Value,
    /// Whether a precondition could not be decided yet: [`crate::Evaluator::config_of`] decides it.
    pub undecided: bool,
    /// The instances it depends on, direct ones only: by reference, by `depends_on`, by `needs`,
    /// by its host, by the order of its service's deploy plan. Where it depends on all instances of
    /// a block, the block's address without a key stands for them
    /// ([`Address::is_in`]). Sorted.
    pub dependencies: Vec<Address>,
    /// Those of its dependencies whose changes must be made before it is read, where it is a data
    /// source: what its own block refers to or names in `depends_on`. What comes by way of a local
    /// value, an output or another data source counts as far as its values are unknown.
    pub awaits: Vec<Address>,
    /// How it is treated.
    pub lifecycle: Lifecycle,
    /// What is wrong with it, where that is set aside ([`crate::Evaluator::setting_aside`]): then its
    /// configuration is not to be used.
    pub refused: Vec<Diagnostic>,
    /// The object that exists already and becomes this instance, where an `import` block names it.
    pub import: Option<ImportId>,
    /// The `check` block this data source stands in: what is wrong with it is a warning, and goes
    /// to [`crate::Evaluator::fail_scoped`].
    pub scoped: Option<String>,
    /// Where its block starts.
    pub span: Span,
    /// Which of the evaluator's nodes it is.
    pub(crate) node: NodeId,
}

/// What an `import` block says of its target.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportId {
    /// The object's id, as its provider knows it: known text, not empty.
    pub id: Value,
    /// Where the block starts.
    pub span: Span,
}

/// An instance of an `import` block.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The instance that is to be.
    pub to: Address,
    /// The object that is.
    pub id: ImportId,
    /// The provider that serves it, where the block says so.
    pub provider: Option<ProviderRef>,
    /// Whether the configuration has the block of the target. Where it has not, configuration is
    /// to be written for it, or the import is refused.
    pub declared: bool,
}

/// The `lifecycle` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifecycle {
    /// `create_before_destroy`, of the block or of one that depends on it.
    pub create_before_destroy: bool,
    /// `prevent_destroy`
    pub prevent_destroy: bool,
    /// `ignore_changes`
    pub ignore_changes: Ignore,
    /// `replace_triggered_by`
    pub replace_triggered_by: Vec<Trigger>,
    /// Why elements of `replace_triggered_by` name nothing, where a part of the configuration is
    /// evaluated: an error for who plans this instance, and none where it is left out. Of the
    /// whole they are errors of the evaluation.
    pub refused_triggers: Vec<Diagnostic>,
    /// `destroy`: where it is false, the object is forgotten instead of deleted.
    pub destroy: bool,
    /// `refresh`: where it is false, plans take state for what is.
    pub refresh: bool,
}

impl Default for Lifecycle {
    /// Of a resource without a `lifecycle` block.
    fn default() -> Self {
        Lifecycle {
            create_before_destroy: false,
            prevent_destroy: false,
            ignore_changes: Ignore::Nothing,
            replace_triggered_by: Vec::new(),
            refused_triggers: Vec::new(),
            destroy: true,
            refresh: true,
        }
    }
}

/// An element of `replace_triggered_by`: the instance is replaced when this changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The instance; of a whole block its address without a key.
    pub address: Address,
    /// Whether all instances of the block are meant.
    pub whole_block: bool,
    /// The attribute; empty where any change of the object counts.
    pub path: weir_core::Path,
}

/// Which changes of the configuration are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Ignore {
    /// None.
    #[default]
    Nothing,
    /// Those below these paths.
    Paths(Vec<weir_core::Path>),
    /// All.
    All,
}

/// A provider block whose configuration is ready.
#[derive(Debug, Clone)]
pub struct ProviderConfig {
    /// Which.
    pub provider: ProviderRef,
    /// Its configuration, of the schema's type.
    pub config: Value,
    /// Where its block starts; `None` where there is none and the configuration is empty.
    pub span: Option<Span>,
}

/// The pods of one service that want hosts, and the hosts there are. Answered by
/// [`crate::Evaluator::place`].
#[derive(Debug, Clone)]
pub struct PlaceRequest {
    /// The module the service stands in.
    pub module: ModulePath,
    /// The service's name.
    pub service: String,
    /// Where its block starts.
    pub span: Span,
    /// Instances that want a host, in order.
    pub demands: Vec<Demand>,
    /// Hosts of the cluster, in order.
    pub hosts: Vec<HostFacts>,
}

/// What one pod instance asks of its host.
#[derive(Debug, Clone)]
pub struct Demand {
    /// The instance: `service.web.pod.app["0"]`.
    pub address: Address,
    /// The host it must be on (`every = "host"`), by [`HostFacts::id`].
    pub on: Option<String>,
    /// Cores; zero where it does not say.
    pub cpus: f64,
    /// Bytes; zero where it does not say.
    pub memory: u64,
    /// Ports by name; `None` where any free one will do (it is chosen once and kept).
    pub ports: BTreeMap<String, Option<u16>>,
    /// Scopes no two instances of this pod may share: `host`, `site` or a label's name.
    pub distinct: Vec<String>,
    /// Pods of the same service whose hosts it keeps away from.
    pub avoid: Vec<String>,
    /// Scopes over which instances are spread evenly.
    pub spread: Vec<String>,
    /// Labels the host must have.
    pub require: BTreeMap<String, String>,
}

/// A host as placement sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct HostFacts {
    /// `site/name`, unique in the stack: `zurich/zrh-1`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its site.
    pub site: String,
    /// The address other hosts reach it at; unknown for a machine that is not made yet.
    pub address: Value,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Cores, where known.
    pub cpus: Option<f64>,
    /// Bytes of memory, where known.
    pub memory: Option<u64>,
    /// The instance of its agent: `site.zurich.host["zrh-1"]`.
    pub agent: Address,
}

/// Where an instance runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// [`HostFacts::id`] of its host.
    pub host: String,
    /// Its ports.
    pub ports: BTreeMap<String, u16>,
}

/// What the evaluator has next.
#[derive(Debug)]
pub enum Next {
    /// A provider block is ready.
    Provider(Box<ProviderConfig>),
    /// An instance is ready; its value is wanted by [`crate::Evaluator::supply`].
    Instance(Box<Instance>),
    /// Pods want hosts.
    Place(Box<PlaceRequest>),
    /// Nothing more until something is supplied.
    Waiting,
    /// All has been yielded and supplied; outputs can be read.
    Done,
}
