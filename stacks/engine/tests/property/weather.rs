//! The fake provider in bad weather: faults by address, and deaths in the middle of a call.

use super::case::Fault;
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tokio::sync::Notify;
use weir_core::{Diagnostic, Diagnostics, Known, Value, function, plan::Op};
use weir_fake::FakeProvider;
use weir_provider::{
    ApplyRequest, ApplyResponse, Imported, Opened, PlanRequest, PlanResponse, Progress, Provider,
    ProviderSchema, ReadRequest, ReadResponse, Renewed, Settled,
};

/// What is in the air during a run.
#[derive(Default)]
pub(crate) struct Weather {
    /// By address.
    pub(crate) faults: Mutex<BTreeMap<String, Fault>>,
    /// The faults that struck, by address.
    pub(crate) struck: Mutex<BTreeMap<String, Fault>>,
    /// At the end of this many-th call something happens; 0 for never.
    pub(crate) bell: AtomicUsize,
    pub(crate) rung: Notify,
    /// The process is dead: no call is answered.
    pub(crate) dead: AtomicBool,
    pub(crate) dies: AtomicBool,
    in_flight: AtomicUsize,
    pub(crate) peak: AtomicUsize,
}

impl Weather {
    /// Another run, in good weather.
    pub(crate) fn clear(&self) {
        self.faults.lock().unwrap().clear();
        self.struck.lock().unwrap().clear();
        self.bell.store(0, Ordering::SeqCst);
        self.dead.store(false, Ordering::SeqCst);
        self.peak.store(0, Ordering::SeqCst);
    }

    fn ring(&self) -> bool {
        let left = self.bell.load(Ordering::SeqCst);
        if left == 0 {
            return false;
        }
        self.bell.store(left - 1, Ordering::SeqCst);
        if left > 1 {
            return false;
        }
        self.dead
            .store(self.dies.load(Ordering::SeqCst), Ordering::SeqCst);
        self.rung.notify_one();
        true
    }

    async fn alive(&self) {
        if self.dead.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }
}

/// A call that is over, also where it crashed.
struct Over<'a>(&'a Weather);
impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(crate) struct Weathered {
    pub(crate) inner: FakeProvider,
    pub(crate) weather: Arc<Weather>,
}

impl Weathered {
    async fn one(&self, request: ApplyRequest, progress: &dyn Progress) -> ApplyResponse {
        let weather = &self.weather;
        let address = request.address.clone();
        let fault = weather.faults.lock().unwrap().get(&address).copied();
        let Some(fault) = fault else {
            return self.inner.apply(request, progress).await;
        };
        let strike = || {
            weather
                .struck
                .lock()
                .unwrap()
                .insert(address.clone(), fault)
        };
        let prior = request.prior.clone();
        let refuse = |d: Diagnostic| ApplyResponse {
            value: prior,
            private: Vec::new(),
            diagnostics: d.into(),
        };
        let create = request.op == Op::Create;
        match fault {
            Fault::Refused => {
                strike();
                refuse(Diagnostic::error("the weather says no"))
            }
            Fault::Busy(left) => {
                match left {
                    0 | 1 => weather.faults.lock().unwrap().remove(&address),
                    n => {
                        let mut faults = weather.faults.lock().unwrap();
                        faults.insert(address.clone(), Fault::Busy(n - 1))
                    }
                };
                strike();
                refuse(Diagnostic::error("the call timed out").transient())
            }
            Fault::Lost => {
                weather.faults.lock().unwrap().remove(&address);
                strike();
                self.inner.apply(request, progress).await;
                refuse(Diagnostic::error("the answer was lost").transient())
            }
            Fault::Half if create => {
                strike();
                let mut response = self.inner.apply(request, progress).await;
                let half = Diagnostic::error("it stopped half-way");
                response.diagnostics.push(half);
                response
            }
            Fault::Lie if request.op != Op::Delete => {
                strike();
                let mut response = self.inner.apply(request, progress).await;
                let lie = |v: Known| v.into_value().with("name", "a lie".into());
                response.value = response.value.and_then(|v| Known::new(lie(v)).ok());
                response
            }
            Fault::Crash => {
                strike();
                std::panic::resume_unwind(Box::new("the weather crashed it"));
            }
            Fault::Half | Fault::Lie => self.inner.apply(request, progress).await,
        }
    }
}

#[async_trait]
impl Provider for Weathered {
    fn schema(&self) -> &ProviderSchema {
        self.inner.schema()
    }
    async fn configure(&self, config: &Value) -> Result<(), Diagnostics> {
        self.inner.configure(config).await
    }
    async fn validate(&self, ty: &str, config: &Value) -> Diagnostics {
        self.inner.validate(ty, config).await
    }
    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        self.inner.plan(request).await
    }
    async fn apply(&self, request: ApplyRequest, progress: &dyn Progress) -> ApplyResponse {
        let weather = &self.weather;
        let now = weather.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        weather.peak.fetch_max(now, Ordering::SeqCst);
        let _over = Over(weather);
        tokio::task::yield_now().await;
        weather.alive().await;
        let response = self.one(request, progress).await;
        weather.ring();
        weather.alive().await;
        response
    }
    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        self.inner.read(request).await
    }
    async fn import(&self, ty: &str, id: &str) -> Result<Vec<Imported>, Diagnostics> {
        self.inner.import(ty, id).await
    }
    async fn data(&self, ty: &str, config: &Value) -> Result<Known, Diagnostics> {
        self.inner.data(ty, config).await
    }
    async fn open(&self, ty: &str, config: &Value) -> Result<Opened, Diagnostics> {
        self.inner.open(ty, config).await
    }
    async fn renew(&self, ty: &str, private: &[u8]) -> Result<Renewed, Diagnostics> {
        self.inner.renew(ty, private).await
    }
    async fn close(&self, ty: &str, private: &[u8]) -> Result<(), Diagnostics> {
        self.inner.close(ty, private).await
    }
    async fn settle(&self, request: ApplyRequest) -> Settled {
        self.inner.settle(request).await
    }
    fn delete_batch(&self, ty: &str, value: &Known) -> Option<String> {
        self.inner.delete_batch(ty, value)
    }
    fn call(&self, function: &str, args: &[Value]) -> function::Outcome {
        self.inner.call(function, args)
    }
}
