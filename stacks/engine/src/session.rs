//! The providers that run, each configured.

use crate::{
    guard::{Guarded, caught},
    registry::Registry,
    retry::Retry,
};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::RwLock;
use weir_core::{
    Diagnostic, Diagnostics, Entries, Type, Value,
    address::ProviderRef,
    schema::{Absent, Block, Nesting, SetBy},
};
use weir_lang::ProviderConfig;
use weir_provider::Provider;

/// One running provider for each configuration that was asked for. Lives as long as the engine, so
/// that plan and apply share connections.
pub(crate) struct Session {
    registry: Arc<Registry>,
    running: RwLock<BTreeMap<ProviderRef, Running>>,
    retry: Retry,
}

struct Running {
    provider: Arc<dyn Provider>,
    config: Value,
}

impl Session {
    pub(crate) fn new(registry: Arc<Registry>, retry: Retry) -> Session {
        Session {
            retry,
            registry,
            running: RwLock::default(),
        }
    }

    /// Starts and configures a provider. Nothing happens where it has this configuration already.
    pub(crate) async fn configure(&self, config: &ProviderConfig) -> Result<(), Diagnostics> {
        self.run(&config.provider, &config.config).await.map(drop)
    }

    async fn run(
        &self,
        name: &ProviderRef,
        config: &Value,
    ) -> Result<Arc<dyn Provider>, Diagnostics> {
        let mut running = self.running.write().await;
        let provider = match running.get(name) {
            Some(r) if r.config == *config => return Ok(r.provider.clone()),
            Some(r) => r.provider.clone(),
            None => self.start(name).await?,
        };
        provider.configure(config).await?;
        running.insert(
            name.clone(),
            Running {
                provider: provider.clone(),
                config: config.clone(),
            },
        );
        Ok(provider)
    }

    async fn start(&self, name: &ProviderRef) -> Result<Arc<dyn Provider>, Diagnostics> {
        match self.registry.factory(&name.name) {
            Some(factory) => {
                let provider = caught(factory.start()).await??;
                Ok(Arc::new(Guarded(provider, self.retry.clone())))
            }
            None => Err(
                Diagnostic::error(format!("provider {:?} is not at hand", name.name))
                    .because(format!(
                        "State holds objects that were made with it. This weir has {}.",
                        self.registry.names().collect::<Vec<_>>().join(", ")
                    ))
                    .help("Run a weir that has it.")
                    .into(),
            ),
        }
    }

    /// The provider of a configuration; one that the stack does not configure (any more) gets an
    /// empty configuration.
    pub(crate) async fn get(&self, name: &ProviderRef) -> Result<Arc<dyn Provider>, Diagnostics> {
        if let Some(running) = self.running.read().await.get(name) {
            return Ok(running.provider.clone());
        }
        let Some(factory) = self.registry.factory(&name.name) else {
            return self.start(name).await;
        };
        let block = &factory.schema().provider.block;
        let required: Vec<&str> = block
            .attributes
            .iter()
            .filter(|(_, a)| a.set_by == SetBy::Required)
            .map(|(name, _)| name.as_str())
            .collect();
        if !required.is_empty() {
            return Err(
                Diagnostic::error(format!("provider {name} is not configured"))
                    .because(format!(
                        "State holds objects that were made with it, and it can't work without {}.",
                        required.join(", ")
                    ))
                    .help("Put its provider block back until nothing in state needs it.")
                    .into(),
            );
        }
        self.run(name, &empty(block)).await
    }
}

/// The value of a block in which nothing is set.
fn empty(block: &Block) -> Value {
    let attributes = block
        .attributes
        .iter()
        .map(|(name, a)| (name.as_str(), Value::null_of(a.ty.clone())));
    let blocks = block.blocks.iter().map(|(name, nested)| {
        let ty: Type = nested.block.ty();
        let value = match nested.nesting {
            _ if nested.absent == Absent::Provider => Value::null(),
            Nesting::Single => Value::null_of(ty),
            Nesting::List => Value::list(ty, Vec::new()),
            Nesting::Set => Value::set(ty, []),
            Nesting::Map => Value::map(ty, Entries::new()),
        };
        (name.as_str(), value)
    });
    Value::object(attributes.chain(blocks))
}
