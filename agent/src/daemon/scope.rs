//! A scope while the agent runs: its ledger, and who may work on it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use weir_agent::wire::AgentError;

use super::home::Home;
use super::ledger::{Ledger, PodRecord};

/// A scope and its ledger.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) name: String,
    home: Home,
    ledger: Mutex<Ledger>,
    /// Held by whoever changes the host for this scope: one at a time.
    pub(crate) work: Arc<tokio::sync::Mutex<()>>,
    /// The newest generation anybody has asked for; work on an older one stops waiting.
    goal: AtomicU64,
}

impl Scope {
    pub(crate) fn new(home: Home, ledger: Ledger) -> Self {
        Self {
            name: ledger.scope.clone(),
            home,
            goal: AtomicU64::new(ledger.generation),
            ledger: Mutex::new(ledger),
            work: Arc::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        // The ledger is replaced as a whole, so a panic elsewhere can't leave half of one.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&Ledger) -> T) -> T {
        look(&self.lock())
    }

    pub(crate) fn pod(&self, name: &str) -> Option<PodRecord> {
        self.lock().pods.get(name).cloned()
    }

    /// Changes the ledger and writes it, when anything changed.
    ///
    /// # Errors
    /// When it can't be written; it then stays as it was, here too.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Ledger)) -> Result<(), AgentError> {
        let mut ledger = self.lock();
        let mut next = ledger.clone();
        change(&mut next);
        if next != *ledger {
            next.save(&self.home)?;
            *ledger = next;
        }
        Ok(())
    }

    /// As [`Self::update`] for one pod; one that is gone is fine.
    ///
    /// # Errors
    /// As [`Self::update`].
    pub(crate) fn update_pod(
        &self,
        name: &str,
        change: impl FnOnce(&mut PodRecord),
    ) -> Result<(), AgentError> {
        self.update(|ledger| {
            if let Some(pod) = ledger.pods.get_mut(name) {
                change(pod);
            }
        })
    }

    /// Takes the ledger away when no pod is left in it.
    ///
    /// # Errors
    /// When it can't be removed.
    pub(crate) fn remove_if_empty(&self) -> Result<bool, AgentError> {
        let ledger = self.lock();
        if ledger.pods.is_empty() {
            ledger.remove(&self.home)?;
        }
        Ok(ledger.pods.is_empty())
    }

    pub(crate) fn aim(&self, generation: u64) {
        self.goal.fetch_max(generation, Ordering::Relaxed);
    }

    pub(crate) fn is_superseded(&self, generation: u64) -> bool {
        self.goal.load(Ordering::Relaxed) > generation
    }
}
