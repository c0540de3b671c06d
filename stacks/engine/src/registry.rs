//! The providers at hand, by local name.

use crate::guard::crashed;
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
};
use weir_core::{
    Diagnostics, Value,
    function::{Outcome, Refusal, Signature},
    schema::Schema,
};
use weir_lang::Schemas;
use weir_provider::{Provider, ProviderSchema};

/// Starts a provider: one for each configuration of it that a run needs.
#[async_trait]
pub trait Factory: Send + Sync {
    /// What it serves.
    fn schema(&self) -> &ProviderSchema;

    /// A provider that is not configured yet.
    ///
    /// # Errors
    /// Where it can't be started.
    async fn start(&self) -> Result<Arc<dyn Provider>, Diagnostics>;

    /// Calls a function of the provider, which needs no configuration.
    ///
    /// # Errors
    /// What the provider has against the arguments.
    fn call(&self, function: &str, args: &[Value]) -> Outcome;
}

/// A provider that is part of this program. It is made when something is first asked of it.
pub struct Builtin<F> {
    /// The one that its schema and functions are asked of.
    asked: OnceLock<Arc<dyn Provider>>,
    make: F,
}

impl<F: Fn() -> Arc<dyn Provider>> Builtin<F> {
    /// The provider that `make` makes.
    pub fn new(make: F) -> Self {
        Builtin {
            asked: OnceLock::new(),
            make,
        }
    }

    fn asked(&self) -> &dyn Provider {
        self.asked.get_or_init(&self.make).as_ref()
    }
}

#[async_trait]
impl<F: Fn() -> Arc<dyn Provider> + Send + Sync> Factory for Builtin<F> {
    fn schema(&self) -> &ProviderSchema {
        self.asked().schema()
    }
    async fn start(&self) -> Result<Arc<dyn Provider>, Diagnostics> {
        Ok((self.make)())
    }
    fn call(&self, function: &str, args: &[Value]) -> Outcome {
        self.asked().call(function, args)
    }
}

/// The providers at hand. The composition root fills it.
#[derive(Default)]
pub struct Registry {
    factories: BTreeMap<String, Arc<dyn Factory>>,
    resources: BTreeMap<String, String>,
    data: BTreeMap<String, String>,
    ephemeral: BTreeMap<String, String>,
    /// Providers whose types all begin alike, by that beginning.
    families: BTreeMap<String, String>,
    left_out: BTreeMap<String, String>,
}

impl Registry {
    /// None.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// One more, under its local name. Of two that serve the same type, the first has it.
    pub fn add(&mut self, name: &str, factory: Arc<dyn Factory>) {
        let schema = factory.schema();
        for ty in schema.resources.keys() {
            self.resources
                .entry(ty.clone())
                .or_insert_with(|| name.to_owned());
        }
        for ty in schema.data.keys() {
            self.data
                .entry(ty.clone())
                .or_insert_with(|| name.to_owned());
        }
        for ty in schema.ephemeral.keys() {
            self.ephemeral
                .entry(ty.clone())
                .or_insert_with(|| name.to_owned());
        }
        self.factories.insert(name.to_owned(), factory);
    }

    /// With one more that is part of this program.
    pub fn with<F>(mut self, name: &str, make: F) -> Registry
    where
        F: Fn() -> Arc<dyn Provider> + Send + Sync + 'static,
    {
        self.add(name, Arc::new(Builtin::new(make)));
        self
    }

    /// With one more that is part of this program and whose types all begin with `family`
    /// (`aws_`). Its schema is large: it is made only where a stack names one of them.
    pub fn with_family<F>(mut self, name: &str, family: &str, make: F) -> Registry
    where
        F: Fn() -> Arc<dyn Provider> + Send + Sync + 'static,
    {
        self.families.insert(family.to_owned(), name.to_owned());
        let factory = Arc::new(Builtin::new(make));
        self.factories.insert(name.to_owned(), factory);
        self
    }

    /// What serves the type, by the names of those that were asked, or else by how the type
    /// begins.
    fn serving(&self, asked: &BTreeMap<String, String>, ty: &str) -> Option<&ProviderSchema> {
        let name = asked.get(ty).map(String::as_str);
        let name = name.or_else(|| self.of_family(ty))?;
        self.factories.get(name).map(|f| f.schema())
    }

    fn of_family(&self, ty: &str) -> Option<&str> {
        let mut families = self.families.iter();
        let family = families.find(|(family, _)| ty.starts_with(family.as_str()));
        family.map(|(_, name)| name.as_str())
    }

    /// Without one that could be part of this program: how to get it, as a sentence.
    pub fn without(mut self, name: &str, how: &str) -> Registry {
        self.left_out.insert(name.to_owned(), how.to_owned());
        self
    }

    /// The factory of a provider.
    pub fn factory(&self, name: &str) -> Option<&Arc<dyn Factory>> {
        self.factories.get(name)
    }

    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.factories.keys().map(String::as_str)
    }
}

impl Schemas for Registry {
    fn resource(&self, ty: &str) -> Option<&Schema> {
        self.serving(&self.resources, ty)?.resources.get(ty)
    }
    fn data(&self, ty: &str) -> Option<&Schema> {
        self.serving(&self.data, ty)?.data.get(ty)
    }
    fn ephemeral(&self, ty: &str) -> Option<&Schema> {
        self.serving(&self.ephemeral, ty)?.ephemeral.get(ty)
    }
    fn provider(&self, name: &str) -> Option<&Schema> {
        self.factories.get(name).map(|f| &f.schema().provider)
    }
    fn left_out(&self, name: &str) -> Option<&str> {
        self.left_out.get(name).map(String::as_str)
    }
    fn provider_of(&self, ty: &str) -> Option<&str> {
        self.resources
            .get(ty)
            .or_else(|| self.data.get(ty))
            .or_else(|| self.ephemeral.get(ty))
            .map(String::as_str)
            .or_else(|| {
                let name = self.of_family(ty)?;
                let schema = self.factories.get(name)?.schema();
                let serves = schema.resources.contains_key(ty)
                    || schema.data.contains_key(ty)
                    || schema.ephemeral.contains_key(ty);
                serves.then_some(name)
            })
    }
    fn function(&self, provider: &str, function: &str) -> Option<&Signature> {
        let schema = self.factories.get(provider)?.schema();
        schema.functions.get(function)
    }
    fn functions(&self, provider: &str) -> Vec<&str> {
        let schema = self.factories.get(provider).map(|f| f.schema());
        let names = schema.into_iter().flat_map(|s| s.functions.keys());
        names.map(String::as_str).collect()
    }
    fn call_function(&self, provider: &str, function: &str, args: &[Value]) -> Outcome {
        let Some(factory) = self.factories.get(provider) else {
            return Err(Refusal::call(format!(
                "provider `{provider}` is not at hand"
            )));
        };
        let call = AssertUnwindSafe(|| factory.call(function, args));
        catch_unwind(call).unwrap_or_else(|panic| {
            Err(Refusal::call(crate::diagnostics::one_line(
                &crashed(&*panic).into(),
            )))
        })
    }
}
