//! Ephemeral resources while they are open: renewed in time, closed at the end of the run, however
//! that ends. Their values are kept in memory alone.

use crate::diagnostics::one_line_about;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{task::JoinHandle, time::Instant};
use weir_core::{
    Address, Diagnostic, Diagnostics, Severity, Value,
    event::{EphemeralOp, Event, EventSink},
};
use weir_provider::Provider;

/// Those that are open.
pub(crate) struct Ephemerals {
    open: Mutex<BTreeMap<Address, Open>>,
    events: Arc<dyn EventSink>,
}

/// One that is open.
struct Open {
    provider: Arc<dyn Provider>,
    type_name: String,
    private: Arc<Mutex<Vec<u8>>>,
    renewing: Option<JoinHandle<()>>,
    value: Value,
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(task) = &self.renewing {
            task.abort();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does it, and tells of it.
async fn told<T>(
    events: &dyn EventSink,
    address: &Address,
    op: EphemeralOp,
    done: impl Future<Output = Result<T, Diagnostics>>,
) -> Result<T, Diagnostics> {
    let address = address.clone();
    events.event(Event::EphemeralStarted {
        address: address.clone(),
        op,
    });
    let since = Instant::now();
    let result = done.await;
    let elapsed_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
    events.event(match &result {
        Ok(_) => Event::EphemeralFinished {
            address,
            op,
            elapsed_ms,
        },
        Err(errors) => Event::EphemeralFailed {
            message: one_line_about(&address, errors),
            address,
            op,
            elapsed_ms,
        },
    });
    result
}

impl Ephemerals {
    /// None is open yet.
    pub(crate) fn new(events: Arc<dyn EventSink>) -> Ephemerals {
        Ephemerals {
            open: Mutex::default(),
            events,
        }
    }

    /// Opens one and keeps it open. One that is open already stays as it is.
    pub(crate) async fn open(
        &self,
        address: &Address,
        provider: &Arc<dyn Provider>,
        config: &Value,
    ) -> Result<Value, Diagnostics> {
        if let Some(value) = self.value(address) {
            return Ok(value);
        }
        let type_name = address.object.type_name().to_owned();
        let opening = provider.open(&type_name, config);
        let opened = told(&*self.events, address, EphemeralOp::Open, opening).await?;
        let value = opened.value.into_value();
        let private = Arc::new(Mutex::new(opened.private));
        let renewing = opened.renew_after.map(|mut after| {
            let (provider, private) = (provider.clone(), private.clone());
            let (type_name, address) = (type_name.clone(), address.clone());
            let events = self.events.clone();
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(after).await;
                    let current = locked(&private).clone();
                    // What uses it tells when it is not open any more.
                    let renewing = provider.renew(&type_name, &current);
                    let renewed = told(&*events, &address, EphemeralOp::Renew, renewing).await;
                    let Ok(renewed) = renewed else {
                        return;
                    };
                    *locked(&private) = renewed.private;
                    match renewed.renew_after {
                        Some(next) => after = next,
                        None => return,
                    }
                }
            })
        });
        let open = Open {
            provider: provider.clone(),
            type_name,
            private,
            renewing,
            value: value.clone(),
        };
        locked(&self.open).insert(address.clone(), open);
        Ok(value)
    }

    /// The value of one that is open.
    pub(crate) fn value(&self, address: &Address) -> Option<Value> {
        locked(&self.open).get(address).map(|o| o.value.clone())
    }

    /// Closes all. What goes wrong is a warning: nothing depends on it any more.
    pub(crate) async fn close_all(&self) -> Diagnostics {
        let open = std::mem::take(&mut *locked(&self.open));
        let mut found = Diagnostics::new();
        // In the reverse order of their addresses; they were opened one by one, and each stands
        // for itself.
        for (address, mut open) in open.into_iter().rev() {
            if let Some(task) = open.renewing.take() {
                task.abort();
            }
            let private = locked(&open.private).clone();
            let closing = open.provider.close(&open.type_name, &private);
            let closed = told(&*self.events, &address, EphemeralOp::Close, closing).await;
            if let Err(errors) = closed {
                found.0.extend(errors.into_iter().map(|d| Diagnostic {
                    severity: Severity::Warning,
                    address: Some(address.clone()),
                    ..d
                }));
            }
        }
        found
    }
}
