//! A state that runs share, for as long as their file is run.

use std::sync::Arc;
use weir_core::{Diagnostic, Diagnostics, snapshot::Snapshot};
use weir_engine::{PlanInput, Registry};
use weir_state::{Holder, Lease, MemoryStore, Store, Wait};

/// A state and who changed it last.
pub(crate) struct Slot {
    pub(crate) key: String,
    store: Arc<dyn Store>,
    /// The run (by its place in the file) that applied last, and with what.
    pub(crate) last: Option<(usize, PlanInput, Arc<Registry>)>,
}

impl Slot {
    /// An empty state, in memory alone: it holds secrets, and there would be no key to it.
    pub(crate) fn new(key: String) -> Result<Slot, Diagnostics> {
        let store = MemoryStore::new().map_err(state)?;
        Ok(Slot {
            key,
            store: Arc::new(store),
            last: None,
        })
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// One lease serves one run.
    pub(crate) async fn lease(&self) -> Result<Lease, Diagnostics> {
        let holder = Holder::this_process("", "test");
        self.store.acquire(holder, Wait::None).await.map_err(state)
    }

    pub(crate) async fn release(&self, lease: Lease) -> Result<(), Diagnostics> {
        self.store.release(lease).await.map_err(state)
    }

    pub(crate) async fn snapshot(&self) -> Result<Snapshot, Diagnostics> {
        self.store.snapshot().await.map_err(state)
    }
}

fn state(error: weir_state::StateError) -> Diagnostics {
    Diagnostic::error("The state of the test can't be kept")
        .because(format!("{error}."))
        .help("Run the test again; with less at a time, where the machine has no more memory.")
        .into()
}
