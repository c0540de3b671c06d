//! The configuration of a stack: modules and their blocks, sorted and linked, not evaluated.

mod additions;
pub(crate) mod blocks;
mod conditions;
pub mod describe;
mod discover;
mod loader;
mod lower;
pub(crate) mod module;
mod moves;
mod overrides;
pub(crate) mod pools;
mod reach;
pub(crate) mod reader;
mod stack;
mod uses;
mod version;

pub use additions::{Additions, Undeclared};
pub use discover::{InstalledModule, InstalledModules, RemoteCall, is_remote};
pub use loader::{Examined, examine, load, load_with, mentions, reload, remote_calls};
pub use lower::RequiredProvider;
pub(crate) use lower::{is_later, later};
pub(crate) use module::{Module, ModuleId, Node, NodeIx, NodeKind, Serving};
pub use moves::{End, Endpoint, ModuleStep, Move, Removed, StepKey};
pub use uses::Part;

use crate::{
    eval::Context,
    evaluator::Schemas,
    files::{Finding, Recording},
    functions::Provided,
    sources::Sources,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};
use weir_core::{Address, Diagnostics, ModulePath, Object, Span, Value};

/// A configuration that was loaded without an error.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Arc<Config>,
    /// What is worth knowing.
    pub warnings: Diagnostics,
}

/// All modules of a stack, linked.
pub struct Config {
    /// The tree of modules, the root first; a module that is called twice is here twice.
    pub(crate) modules: Vec<Module>,
    /// Values of the root module's variables.
    pub(crate) values: BTreeMap<Arc<str>, Value>,
    pub(crate) context: Context,
    pub(crate) workspace: String,
    stack: StackSettings,
    required: Vec<RequiredProvider>,
    moves: Vec<Move>,
    removed: Vec<Removed>,
    makes_machines: bool,
    recording: Arc<Recording>,
}

impl std::fmt::Debug for Config {
    /// The stack's name alone: what is in it may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("stack", &self.stack.name)
            .finish_non_exhaustive()
    }
}

/// How a block says how many instances it makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repetition {
    /// It does not: one (or with `enabled`, none).
    Once,
    /// By `count`.
    Count,
    /// By `for_each`.
    ForEach,
}

/// The `stack` block, or what stands in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct StackSettings {
    /// The stack's name; the name of its folder where it has no `stack` block.
    pub name: String,
    /// Where state is kept; `None` for the default.
    pub state: Option<StateSettings>,
    /// With what state and plans are encrypted; `None` when the stack does not say.
    pub encryption: Option<EncryptionSettings>,
    /// How much of the past is kept.
    pub history: HistorySettings,
    /// Where the block starts.
    pub span: Option<Span>,
}

/// How much of the past is kept: `history { applies = 100 }`. `None`: as much as usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HistorySettings {
    /// At least so many of the latest applies; more than none.
    pub applies: Option<u32>,
    /// Everything of so many days.
    pub days: Option<u32>,
    /// Nothing is dropped, whatever the others say.
    pub forever: bool,
}

/// Where state is kept: `state "sqlite" { ... }`, or Terraform's `backend`.
#[derive(Debug, Clone, PartialEq)]
pub struct StateSettings {
    /// The kind of store: `sqlite`.
    pub backend: String,
    /// Its settings, an object as it was written.
    pub settings: Value,
    /// Where the block starts.
    pub span: Span,
}

/// With what state and plans are encrypted: `encryption { key "KIND" { ... } }`.
#[derive(Debug, Clone, PartialEq)]
pub struct EncryptionSettings {
    /// The key that encrypts.
    pub key: KeySettings,
    /// Keys that are tried where that one does not fit: those of before.
    pub fallbacks: Vec<KeySettings>,
    /// Where the block is.
    pub span: Span,
}

/// Where a key is: `key "KIND" { ... }`.
#[derive(Debug, Clone, PartialEq)]
pub struct KeySettings {
    /// The kind of place (`file`).
    pub kind: String,
    /// What the block says, as an object.
    pub settings: Value,
    /// Where the block is.
    pub span: Span,
}

/// What is known of an output of the root module before it is evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputMeta {
    /// `description`
    pub description: Option<String>,
    /// `sensitive`
    pub sensitive: bool,
    /// Where its block starts.
    pub span: Span,
}

impl Config {
    /// The `stack` block.
    pub fn stack(&self) -> &StackSettings {
        &self.stack
    }

    /// Local names of all providers that a resource, a data source, an `import` or a provider block
    /// uses.
    pub fn provider_names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for node in self.modules.iter().flat_map(|m| &m.nodes) {
            match &node.kind {
                NodeKind::Provider(p) => {
                    names.insert(p.provider.name.clone());
                }
                NodeKind::Resource(r) => {
                    names.insert(module::provider_name(r));
                }
                NodeKind::Import(i) => names.extend(module::import_provider(i)),
                NodeKind::Pools(c) => {
                    names.extend(c.offers.iter().map(|o| o.provider.name.clone()))
                }
                NodeKind::Site(_) | NodeKind::Service(_) => {
                    names.insert("host".to_owned());
                }
                _ => {}
            }
        }
        names
    }

    /// What `required_providers` of all modules say.
    pub fn required_providers(&self) -> &[RequiredProvider] {
        &self.required
    }

    /// The `moved` blocks of all modules: the root's first, then by place.
    pub fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// The `removed` blocks of all modules, in the same order.
    pub fn removed(&self) -> &[Removed] {
        &self.removed
    }

    /// Whether it has pools whose machines a cloud makes.
    pub fn makes_machines(&self) -> bool {
        self.makes_machines
    }

    /// The text of every file that was parsed, for snippets.
    pub fn sources(&self) -> &Arc<Sources> {
        &self.context.sources
    }

    /// All that was found of files so far, by path: what was read (the configuration's own files,
    /// templates, files that functions read, modules of the catalogue), what is there and what is
    /// not, what lies in folders that functions list. Complete once an evaluator is done; what a
    /// plan file carries, and [`reload`] goes on from.
    pub fn found(&self) -> BTreeMap<PathBuf, Finding> {
        self.recording.found()
    }

    /// Lets functions look at files anew. Until then each is as it was found first.
    pub fn forget_files(&self) {
        self.recording.forget();
    }

    /// The root module's outputs.
    pub fn outputs(&self) -> BTreeMap<String, OutputMeta> {
        let outputs = self.modules[0].nodes.iter().filter_map(|n| match &n.kind {
            NodeKind::Output(o) => Some((
                o.name.to_string(),
                OutputMeta {
                    description: o.description.clone(),
                    sensitive: o.sensitive,
                    span: o.span.clone(),
                },
            )),
            _ => None,
        });
        outputs.collect()
    }

    /// Whether the configuration has the block that instances of this address come from, in
    /// whichever instance of its module.
    pub fn declares(&self, address: &Address) -> bool {
        self.block(&address.module, &address.object).is_some()
    }

    /// Whether any block of a resource says how many instances it makes.
    pub fn repeats(&self) -> bool {
        let says = |n: &Node| match &n.kind {
            NodeKind::Resource(r) => !matches!(r.repeat, blocks::Repeat::Once),
            _ => false,
        };
        self.modules.iter().any(|m| m.nodes.iter().any(says))
    }

    /// How many instances the block of an address makes, as far as its text tells.
    pub fn repetition(&self, address: &Address) -> Option<Repetition> {
        match &self.block(&address.module, &address.object)?.kind {
            NodeKind::Resource(resource) => Some(match &resource.repeat {
                blocks::Repeat::Once | blocks::Repeat::Enabled(_) => Repetition::Once,
                blocks::Repeat::Count(_) => Repetition::Count,
                blocks::Repeat::ForEach(_) => Repetition::ForEach,
            }),
            _ => None,
        }
    }

    /// Whether the block of an address says `lifecycle { destroy = false }`.
    pub fn is_kept(&self, address: &Address) -> bool {
        let block = self.block(&address.module, &address.object);
        block.is_some_and(|n| matches!(&n.kind, NodeKind::Resource(r) if !r.lifecycle.destroy))
    }

    /// Whether the block of an address says `lifecycle { prevent_destroy = true }` in so many words.
    pub fn prevents_destroy(&self, address: &Address) -> bool {
        let Some(NodeKind::Resource(resource)) =
            (self.block(&address.module, &address.object)).map(|n| &n.kind)
        else {
            return false;
        };
        let prevents = resource.lifecycle.prevent_destroy.as_ref();
        let value = prevents.and_then(|expr| self.constant(expr));
        value.is_some_and(|v| v == Value::bool(true))
    }

    /// Where the block stands that the end of a `moved` or `removed` names, whatever the keys on
    /// the way.
    pub fn declared(&self, end: &Endpoint) -> Option<&Span> {
        moves::declared(&self.modules, &self.modules[0], end)
    }

    /// Where the block of an address stands.
    pub fn span_of(&self, address: &Address) -> Option<&Span> {
        self.block(&address.module, &address.object)
            .map(|n| &n.span)
    }

    fn module_at(&self, path: &ModulePath) -> Option<&Module> {
        path.0
            .iter()
            .try_fold(&self.modules[0], |module, (name, _)| {
                let call = module.names.calls.get(name.as_str())?;
                match &module.node(*call).kind {
                    NodeKind::Call(_, child) => self.modules.get(child.0),
                    _ => None,
                }
            })
    }

    fn block(&self, path: &ModulePath, object: &Object) -> Option<&Node> {
        let module = self.module_at(path)?;
        let ix = module.names.object(object)?;
        Some(module.node(ix))
    }

    /// The context of expressions in a module.
    pub(crate) fn context_of(&self, module: ModuleId) -> Context {
        Context {
            module_dir: self.modules[module.0].dir.clone(),
            ..self.context.clone()
        }
    }

    /// The same, with the functions of the providers that the module requires.
    pub(crate) fn context_with(&self, module: ModuleId, schemas: &Arc<dyn Schemas>) -> Context {
        let mut context = self.context_of(module);
        let required = &self.modules[module.0].required;
        let provided = Provided::new(schemas.clone(), required);
        context.functions = Arc::new(context.functions.with_provided(provided));
        context
    }

    /// The folder of a module as the user would write it.
    pub(crate) fn folder(dir: &Path) -> String {
        match dir.to_string_lossy() {
            s if s.is_empty() => ".".to_owned(),
            s => s.into_owned(),
        }
    }
}
