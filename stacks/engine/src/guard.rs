//! A provider that panics fails the call it was given, and nothing else; calls that only look are
//! tried again where it says that they may succeed later.

use crate::retry::Retry;
use async_trait::async_trait;
use futures::FutureExt as _;
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use weir_core::{Diagnostic, Diagnostics, Known, Value};
use weir_provider::{
    ApplyRequest, ApplyResponse, Attribution, ChangedRequest, HalfMade, Imported, Opened,
    PlanRequest, PlanResponse, Progress, Provider, ProviderSchema, ReadRequest, ReadResponse,
    Renewed, Settled,
};

/// Catches the panics of a provider in every call but those of `apply`, whose answer could not say
/// that nobody knows what was done: these go through [`caught`] where the journal is.
pub(crate) struct Guarded(pub(crate) Arc<dyn Provider>, pub(crate) Retry);

#[async_trait]
impl Provider for Guarded {
    fn schema(&self) -> &ProviderSchema {
        self.0.schema()
    }
    async fn configure(&self, config: &Value) -> Result<(), Diagnostics> {
        let call = || async { caught(self.0.configure(config)).await? };
        self.1.run(call).await
    }
    async fn validate(&self, type_name: &str, config: &Value) -> Diagnostics {
        let call = self.0.validate(type_name, config);
        caught(call).await.unwrap_or_else(|crash| crash)
    }
    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let call = || async { caught(self.0.plan(request.clone())).await? };
        self.1.run(call).await
    }
    async fn apply(&self, request: ApplyRequest, progress: &dyn Progress) -> ApplyResponse {
        self.0.apply(request, progress).await
    }
    async fn apply_batch(
        &self,
        requests: Vec<ApplyRequest>,
        progress: &dyn Progress,
    ) -> Vec<ApplyResponse> {
        self.0.apply_batch(requests, progress).await
    }
    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        let call = || async { caught(self.0.read(request.clone())).await? };
        self.1.run(call).await
    }
    async fn changed_by(
        &self,
        request: ChangedRequest,
    ) -> Result<Option<Attribution>, Diagnostics> {
        caught(self.0.changed_by(request)).await?
    }
    async fn import(&self, type_name: &str, id: &str) -> Result<Vec<Imported>, Diagnostics> {
        let call = || async { caught(self.0.import(type_name, id)).await? };
        self.1.run(call).await
    }
    async fn open(&self, type_name: &str, config: &Value) -> Result<Opened, Diagnostics> {
        let call = || async { caught(self.0.open(type_name, config)).await? };
        self.1.run(call).await
    }
    async fn renew(&self, type_name: &str, private: &[u8]) -> Result<Renewed, Diagnostics> {
        caught(self.0.renew(type_name, private)).await?
    }
    async fn close(&self, type_name: &str, private: &[u8]) -> Result<(), Diagnostics> {
        caught(self.0.close(type_name, private)).await?
    }
    async fn upgrade(
        &self,
        type_name: &str,
        version: u32,
        value: Known,
    ) -> Result<Known, Diagnostics> {
        caught(self.0.upgrade(type_name, version, value)).await?
    }
    async fn data(&self, type_name: &str, config: &Value) -> Result<Known, Diagnostics> {
        let call = || async { caught(self.0.data(type_name, config)).await? };
        self.1.run(call).await
    }
    async fn data_at(
        &self,
        type_name: &str,
        address: &str,
        config: &Value,
    ) -> Result<Known, Diagnostics> {
        caught(self.0.data_at(type_name, address, config)).await?
    }
    fn delete_batch(&self, type_name: &str, value: &Known) -> Option<String> {
        let call = || self.0.delete_batch(type_name, value);
        catch_unwind(AssertUnwindSafe(call)).unwrap_or_default()
    }
    fn half_made(&self, type_name: &str) -> HalfMade {
        let call = || self.0.half_made(type_name);
        catch_unwind(AssertUnwindSafe(call)).unwrap_or(HalfMade::Replace)
    }
    async fn settle(&self, request: ApplyRequest) -> Settled {
        match caught(self.0.settle(request)).await {
            Ok(settled) => settled,
            Err(crash) => Settled::Unknown(crate::diagnostics::one_line(&crash)),
        }
    }
}

/// Runs a call of a provider.
///
/// # Errors
/// It panicked.
pub(crate) async fn caught<T>(call: impl Future<Output = T>) -> Result<T, Diagnostics> {
    let answer = AssertUnwindSafe(call).catch_unwind().await;
    answer.map_err(|panic| crashed(&*panic).into())
}

pub(crate) fn crashed(panic: &(dyn Any + Send)) -> Diagnostic {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("nothing");
    Diagnostic::error("the provider crashed")
        .because(format!("It said: {text}."))
        .help("What it had begun is found out by the next run. Please report the crash.")
}
