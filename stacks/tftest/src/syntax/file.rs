//! What a test file says, as types. Expressions are not evaluated.

use std::{collections::BTreeMap, sync::Arc};
use weir_core::{Address, Span};
use weir_engine::Mode;
use weir_lang::ir::{Attribute, Block, Expr};

/// A test file.
#[derive(Debug)]
pub struct TestFile {
    /// Its path, relative to the stack's folder.
    pub path: Arc<str>,
    /// Its runs, in order.
    pub runs: Vec<RunBlock>,
    pub(crate) variables: Vec<Attribute>,
    pub(crate) providers: Vec<Block>,
    pub(crate) mocks: Vec<MockBlock>,
    pub(crate) overrides: Vec<OverrideBlock>,
}

/// `run "name" {}`
#[derive(Debug)]
pub struct RunBlock {
    /// Its name.
    pub name: Arc<str>,
    /// Where it stands.
    pub span: Span,
    pub(crate) command: Command,
    pub(crate) options: Options,
    pub(crate) variables: Vec<Attribute>,
    /// The module that is run in place of the stack.
    pub(crate) module: Option<ModuleSource>,
    pub(crate) asserts: Vec<Assert>,
    /// Names of blocks whose conditions must fail.
    pub(crate) expect_failures: Vec<(String, Span)>,
    /// Local name to the provider of the test file that serves it.
    pub(crate) providers: Option<Vec<(String, String, Span)>>,
    pub(crate) state_key: Option<String>,
    pub(crate) overrides: Vec<OverrideBlock>,
}

/// `module {}` of a run
#[derive(Debug)]
pub(crate) struct ModuleSource {
    pub(crate) source: String,
    pub(crate) version: Option<String>,
    pub(crate) span: Span,
}

/// What a run does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Command {
    /// It plans and applies.
    #[default]
    Apply,
    /// It plans.
    Plan,
}

/// `plan_options {}`
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    pub(crate) no_refresh: bool,
    pub(crate) targets: Vec<(String, Span)>,
    pub(crate) replace: Vec<(Address, Span)>,
}

/// `assert {}`
#[derive(Debug)]
pub(crate) struct Assert {
    pub(crate) condition: Expr,
    pub(crate) message: Expr,
}

/// `mock_provider "name" {}`
#[derive(Debug)]
pub(crate) struct MockBlock {
    pub(crate) name: String,
    pub(crate) alias: Option<String>,
    /// Where values of computed attributes come from: by kind (`resource`, `data`) and type.
    pub(crate) defaults: BTreeMap<(MockedKind, String), Option<Expr>>,
    pub(crate) overrides: Vec<OverrideBlock>,
    pub(crate) during: During,
    pub(crate) span: Span,
}

/// What a `mock_...` block mocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MockedKind {
    Resource,
    Data,
}

/// When overridden values are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum During {
    /// At apply, as those of real providers.
    #[default]
    Apply,
    /// While planning already.
    Plan,
}

/// `override_resource {}`, `override_data {}` or `override_module {}`
#[derive(Debug, Clone)]
pub(crate) struct OverrideBlock {
    pub(crate) target: OverrideTarget,
    /// `values` or `outputs`.
    pub(crate) values: Option<Expr>,
    pub(crate) during: Option<During>,
    pub(crate) span: Span,
}

/// What is overridden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OverrideTarget {
    /// A resource or data source; without a key all its instances.
    Instance(Address),
    /// `module.net.module.dns`
    Module(String),
}
