//! The configuration of a stack: modules and their blocks, sorted and linked, not evaluated.

use crate::{
    files::{Catalog, Files},
    inputs::Inputs,
    sources::Sources,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};
use weir_core::{Address, Diagnostics, ModulePath, Span, Value};

/// A configuration that was loaded without an error.
pub struct Loaded {
    /// The configuration.
    pub config: Arc<Config>,
    /// What is worth knowing.
    pub warnings: Diagnostics,
}

/// All modules of a stack, linked.
pub struct Config {
    sources: Arc<Sources>,
    stack: StackSettings,
}

/// The `stack` block, or what stands in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct StackSettings {
    /// The stack's name; the name of its folder where it has no `stack` block.
    pub name: String,
    /// Where state is kept; `None` for the default.
    pub state: Option<StateSettings>,
    /// Where the block starts.
    pub span: Option<Span>,
}

/// Where state is kept: `state "sqlite" { ... }`, or Terraform's `backend`.
#[derive(Debug, Clone, PartialEq)]
pub struct StateSettings {
    /// The kind of store: `sqlite`.
    pub backend: String,
    /// Its settings, an object as it was written; nested blocks are objects too.
    pub settings: Value,
    /// Where the block starts.
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

/// Reads the stack in the folder of `files`: parse, sort, find the values of variables, link.
///
/// # Errors
/// All that is wrong with it, in file order.
pub fn load(
    files: Arc<dyn Files>,
    catalog: &dyn Catalog,
    inputs: &Inputs,
) -> Result<Loaded, Diagnostics> {
    let _ = (files, catalog, inputs);
    unreachable!("lands with the loader")
}

impl Config {
    /// The `stack` block.
    pub fn stack(&self) -> &StackSettings {
        &self.stack
    }
    /// Local names of all providers that a resource, a data source or a provider block uses.
    pub fn provider_names(&self) -> BTreeSet<String> {
        unreachable!("lands with the loader")
    }
    /// The text of every file that was parsed, for snippets.
    pub fn sources(&self) -> &Arc<Sources> {
        &self.sources
    }
    /// Every file that was read so far, by path: the configuration's own, templates and files that
    /// functions read, modules of the catalogue. Complete once an evaluator is done; what a plan
    /// file carries.
    pub fn files(&self) -> BTreeMap<PathBuf, Arc<[u8]>> {
        unreachable!("lands with the loader")
    }
    /// The root module's outputs.
    pub fn outputs(&self) -> BTreeMap<String, OutputMeta> {
        unreachable!("lands with the loader")
    }
    /// Whether the configuration has the block that instances of this address come from, in
    /// whichever instance of its module.
    pub fn declares(&self, address: &Address) -> bool {
        let _ = address;
        unreachable!("lands with the loader")
    }
    /// Whether the configuration has the `module` blocks of this path, whatever their instances.
    pub fn declares_module(&self, module: &ModulePath) -> bool {
        let _ = module;
        unreachable!("lands with the loader")
    }
}
