//! Providers on a stage: mocked ones are never called, of others some objects may be overridden.

mod stage;
mod values;

pub(crate) use stage::{Mock, Override, Stage};

use crate::syntax::During;
use async_trait::async_trait;
use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
};
use values::{Computed, fill};
use weir_core::{
    Diagnostic, Diagnostics, Known, Type, Value,
    function::Outcome,
    plan::Op,
    schema::{Attribute, Block, SetBy},
};
use weir_engine::{Factory, Registry};
use weir_provider::{
    ApplyRequest, ApplyResponse, HalfMade, Imported, Opened, PlanRequest, PlanResponse, Progress,
    Provider, ProviderSchema, ReadRequest, ReadResponse, Renewed, Settled,
};

/// The attribute of a provider block that says which mock it is.
pub(crate) const MARKER: &str = "weir_mock";

/// The providers at hand, on a stage.
pub(crate) fn staged(registry: &Registry, stage: &Arc<Stage>) -> Registry {
    let mocked: BTreeSet<&str> = stage
        .mocks
        .keys()
        .map(|name| name.split('.').next().unwrap_or(name))
        .collect();
    let mut out = Registry::new();
    for name in registry.names() {
        let Some(inner) = registry.factory(name) else {
            continue;
        };
        let mut schema = inner.schema().clone();
        if mocked.contains(name) {
            mockable(&mut schema.provider.block);
        }
        let factory = StagedFactory {
            inner: inner.clone(),
            schema: Arc::new(schema),
            stage: stage.clone(),
        };
        out.add(name, Arc::new(factory));
    }
    out
}

/// A configuration that a mock's block satisfies too: nothing is required.
fn mockable(block: &mut Block) {
    for attribute in block.attributes.values_mut() {
        if attribute.set_by == SetBy::Required {
            attribute.set_by = SetBy::Optional;
        }
    }
    for nested in block.blocks.values_mut() {
        nested.min = 0;
    }
    let marker = Attribute::new(Type::String, SetBy::Optional);
    block.attributes.insert(MARKER.to_owned(), marker);
}

struct StagedFactory {
    inner: Arc<dyn Factory>,
    schema: Arc<ProviderSchema>,
    stage: Arc<Stage>,
}

#[async_trait]
impl Factory for StagedFactory {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }
    async fn start(&self) -> Result<Arc<dyn Provider>, Diagnostics> {
        Ok(Arc::new(Staged {
            inner: self.inner.start().await?,
            schema: self.schema.clone(),
            stage: self.stage.clone(),
            mock: RwLock::new(None),
        }))
    }
    fn call(&self, function: &str, args: &[Value]) -> Outcome {
        self.inner.call(function, args)
    }
}

/// One configuration of a provider on a stage.
struct Staged {
    inner: Arc<dyn Provider>,
    schema: Arc<ProviderSchema>,
    stage: Arc<Stage>,
    /// The mock it is, if it is one.
    mock: RwLock<Option<String>>,
}

impl Staged {
    fn mock(&self) -> Option<String> {
        let mock = self.mock.read().unwrap_or_else(PoisonError::into_inner);
        mock.clone()
    }

    fn resource(&self, ty: &str) -> Result<&Block, Diagnostics> {
        let schema = self.schema.resources.get(ty);
        schema.map(|s| &s.block).ok_or_else(|| {
            Diagnostic::error(format!("the mocked provider has no resource {ty}")).into()
        })
    }
}

fn is_open(value: &Value) -> bool {
    value.is_null()
}

#[async_trait]
impl Provider for Staged {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    async fn configure(&self, config: &Value) -> Result<(), Diagnostics> {
        let marker = config.get(MARKER).and_then(Value::as_str);
        let mock = marker.map(str::to_owned);
        let mocked = mock.is_some();
        *self.mock.write().unwrap_or_else(PoisonError::into_inner) = mock;
        if mocked {
            return Ok(());
        }
        let fields = config.as_entries().into_iter().flatten();
        let own = fields.filter(|(name, _)| ***name != *MARKER);
        let config = Value::object(own.map(|(k, v)| (k.clone(), v.clone())));
        self.inner.configure(&config).await
    }

    async fn validate(&self, type_name: &str, config: &Value) -> Diagnostics {
        match self.mock() {
            Some(_) => Diagnostics::new(),
            None => self.inner.validate(type_name, config).await,
        }
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let mock = self.mock();
        let Some(standin) = self.stage.standin(mock.as_deref(), &request.address) else {
            return self.inner.plan(request).await;
        };
        let block = self.resource(&request.type_name)?;
        let computed = match standin.during {
            During::Plan => Computed::Generated,
            During::Apply => Computed::Unknown,
        };
        let planned = match request.prior {
            None => fill(block, request.proposed, standin.values, computed, is_open),
            Some(_) => request.proposed,
        };
        Ok(PlanResponse {
            planned,
            requires_replace: Vec::new(),
            private: request.private,
            batch: None,
            warnings: Diagnostics::new(),
        })
    }

    async fn apply(&self, request: ApplyRequest, progress: &dyn Progress) -> ApplyResponse {
        let mock = self.mock();
        let Some(standin) = self.stage.standin(mock.as_deref(), &request.address) else {
            return self.inner.apply(request, progress).await;
        };
        let mut response = ApplyResponse {
            value: None,
            private: request.private,
            diagnostics: Diagnostics::new(),
        };
        let (Op::Create | Op::Update, Some(planned)) = (request.op, request.planned) else {
            return response;
        };
        let filled = self.resource(&request.type_name).map(|block| {
            let computed = Computed::Generated;
            fill(block, planned, standin.values, computed, Value::is_unknown)
        });
        let known = filled.and_then(|value| {
            Known::new(value).map_err(|e| Diagnostic::error(e.to_string()).into())
        });
        match known {
            Ok(value) => response.value = Some(value),
            Err(errors) => {
                response.value = request.prior;
                response.diagnostics = errors;
            }
        }
        response
    }

    async fn apply_batch(
        &self,
        requests: Vec<ApplyRequest>,
        progress: &dyn Progress,
    ) -> Vec<ApplyResponse> {
        let mock = self.mock();
        let staged = |r: &ApplyRequest| self.stage.standin(mock.as_deref(), &r.address).is_some();
        if !requests.iter().any(staged) {
            return self.inner.apply_batch(requests, progress).await;
        }
        let mut responses = Vec::with_capacity(requests.len());
        for request in requests {
            responses.push(self.apply(request, progress).await);
        }
        responses
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        let mock = self.mock();
        if self
            .stage
            .standin(mock.as_deref(), &request.address)
            .is_none()
        {
            return self.inner.read(request).await;
        }
        Ok(ReadResponse {
            value: Some(request.prior),
            private: request.private,
        })
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Vec<Imported>, Diagnostics> {
        match self.mock() {
            Some(_) => Err(Diagnostic::error(format!(
                "{type_name} {id:?} can't be imported in a test"
            ))
            .because("Its provider is mocked, and a mock knows of no object.")
            .help("Use a real provider, or override the resource.")
            .into()),
            None => self.inner.import(type_name, id).await,
        }
    }

    async fn data(&self, type_name: &str, config: &Value) -> Result<Known, Diagnostics> {
        self.data_at(type_name, "", config).await
    }

    async fn data_at(
        &self,
        type_name: &str,
        address: &str,
        config: &Value,
    ) -> Result<Known, Diagnostics> {
        let mock = self.mock();
        let value = match self.stage.standin(mock.as_deref(), address) {
            None => self.inner.data_at(type_name, address, config).await?,
            Some(standin) => {
                let schema = self.schema.data.get(type_name);
                let block = schema.map(|s| &s.block).cloned().unwrap_or_default();
                let computed = Computed::Generated;
                let value = fill(&block, config.clone(), standin.values, computed, is_open);
                Known::new(value).map_err(|e| Diagnostic::error(e.to_string()))?
            }
        };
        self.stage.keep(address, &value);
        Ok(value)
    }

    async fn open(&self, type_name: &str, config: &Value) -> Result<Opened, Diagnostics> {
        let Some(_) = self.mock() else {
            return self.inner.open(type_name, config).await;
        };
        let schema = self.schema.ephemeral.get(type_name);
        let block = schema.map(|s| &s.block).cloned().unwrap_or_default();
        let value = fill(&block, config.clone(), None, Computed::Generated, is_open);
        Ok(Opened {
            value: Known::new(value).map_err(|e| Diagnostic::error(e.to_string()))?,
            private: Vec::new(),
            renew_after: None,
        })
    }
    async fn renew(&self, type_name: &str, private: &[u8]) -> Result<Renewed, Diagnostics> {
        self.inner.renew(type_name, private).await
    }
    async fn close(&self, type_name: &str, private: &[u8]) -> Result<(), Diagnostics> {
        match self.mock() {
            Some(_) => Ok(()),
            None => self.inner.close(type_name, private).await,
        }
    }
    async fn upgrade(
        &self,
        type_name: &str,
        version: u32,
        value: Known,
    ) -> Result<Known, Diagnostics> {
        self.inner.upgrade(type_name, version, value).await
    }

    fn delete_batch(&self, type_name: &str, value: &Known) -> Option<String> {
        self.inner.delete_batch(type_name, value)
    }
    fn half_made(&self, type_name: &str) -> HalfMade {
        self.inner.half_made(type_name)
    }
    fn call(&self, function: &str, args: &[Value]) -> Outcome {
        self.inner.call(function, args)
    }
    async fn settle(&self, request: ApplyRequest) -> Settled {
        let mock = self.mock();
        match self.stage.standin(mock.as_deref(), &request.address) {
            Some(_) => Settled::NotDone,
            None => self.inner.settle(request).await,
        }
    }
}
