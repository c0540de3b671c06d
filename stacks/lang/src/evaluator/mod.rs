//! Works through a configuration in the order of its references.

use crate::{
    config::Config,
    instance::{Next, PlaceRequest, Placement},
};
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{Address, Diagnostics, Span, Value, schema::Schema};

/// The schemas of the providers at hand.
pub trait Schemas: Send + Sync {
    /// Of a managed resource, `weir_host` and `weir_pod` among them.
    fn resource(&self, ty: &str) -> Option<&Schema>;
    /// Of a data source.
    fn data(&self, ty: &str) -> Option<&Schema>;
    /// Of a provider's own configuration, by local name.
    fn provider(&self, name: &str) -> Option<&Schema>;
    /// The built-in provider that serves a type whose name does not begin with the provider's:
    /// `weir_host` is served by `host`, `terraform_data` by `terraform`.
    fn provider_of(&self, ty: &str) -> Option<&str>;
}

/// An output of the root module.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its value; may be unknown while planning.
    pub value: Value,
    /// Whether it is declared sensitive.
    pub sensitive: bool,
    /// Where its block starts.
    pub span: Span,
}

/// Works through a configuration; see the crate's documentation for the flow.
///
/// A node in error is reported once; what depends on it is skipped and the rest goes on.
pub struct Evaluator {
    config: Arc<Config>,
    schemas: Arc<dyn Schemas>,
}

impl Evaluator {
    /// An evaluator at the beginning.
    pub fn new(config: Arc<Config>, schemas: Arc<dyn Schemas>) -> Evaluator {
        Evaluator { config, schemas }
    }

    /// What is ready next, in an order that the configuration and the supplied values alone decide.
    ///
    /// # Errors
    /// At the end, in place of [`Next::Done`]: every error there was, in file order.
    pub fn next(&mut self) -> Result<Next, Diagnostics> {
        let _ = (&self.config, &self.schemas);
        unreachable!("lands with the evaluator")
    }

    /// The value of an instance that was yielded: planned, or real. Supplying another value for
    /// an instance replaces the first one and forgets what was evaluated from it.
    pub fn supply(&mut self, address: &Address, value: Value) {
        let _ = (address, value);
        unreachable!("lands with the evaluator")
    }

    /// An instance that was yielded got no value, as its provider refused it: what depends on it is
    /// skipped. The caller reports the error.
    pub fn fail(&mut self, address: &Address) {
        let _ = address;
        unreachable!("lands with the evaluator")
    }

    /// The hosts and ports of the pods that wanted them. A demand that is missing in `placements`
    /// fails as by [`Evaluator::fail`].
    pub fn place(&mut self, request: &PlaceRequest, placements: BTreeMap<Address, Placement>) {
        let _ = (request, placements);
        unreachable!("lands with the evaluator")
    }

    /// The configuration of an instance that was yielded, evaluated again with what has been
    /// supplied by now.
    ///
    /// # Errors
    /// As evaluation does; an instance that was never yielded is an error too.
    pub fn config_of(&mut self, address: &Address) -> Result<Value, Diagnostics> {
        let _ = address;
        unreachable!("lands with the evaluator")
    }

    /// The root module's outputs that have a value by now.
    pub fn outputs(&mut self) -> BTreeMap<String, Output> {
        unreachable!("lands with the evaluator")
    }

    /// Warnings, and errors that [`Evaluator::next`] has not returned, found since the last call.
    pub fn take_diagnostics(&mut self) -> Diagnostics {
        unreachable!("lands with the evaluator")
    }
}
