//! Calls that failed and may succeed a little later.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use weir_core::Diagnostics;

/// How often calls are tried again, and after how long. A run has one budget for all its calls, so
/// that a cloud that is down is not asked for ever.
#[derive(Debug, Clone)]
pub struct Retry {
    /// How often one call is tried again.
    pub times: u32,
    /// How long to wait before the first time; twice as long before each next one.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    budget: Arc<AtomicUsize>,
}

impl Default for Retry {
    /// Five times, after 0.25 s, 0.5 s, 1 s, 2 s and 4 s; a hundred times in a run.
    fn default() -> Self {
        Retry {
            times: 5,
            first: Duration::from_millis(250),
            longest: Duration::from_secs(10),
            budget: Arc::new(AtomicUsize::new(100)),
        }
    }
}

impl Retry {
    /// With the first wait this long.
    pub fn with_first(self, first: Duration) -> Retry {
        Retry { first, ..self }
    }

    /// With so many in a run.
    pub fn with_budget(self, budget: usize) -> Retry {
        Retry {
            budget: Arc::new(AtomicUsize::new(budget)),
            ..self
        }
    }

    /// How long to wait before the call is tried again for the `attempt`th time (from 0); `None`
    /// where it is not.
    pub(crate) fn after(&self, attempt: u32, errors: &Diagnostics) -> Option<Duration> {
        match self.is_worth(attempt, errors) {
            true => self.spend(attempt),
            false => None,
        }
    }

    /// Whether these errors may pass, and the call was not tried often enough.
    pub(crate) fn is_worth(&self, attempt: u32, errors: &Diagnostics) -> bool {
        let mut found = errors.0.iter().filter(|d| d.is_error()).peekable();
        attempt < self.times && found.peek().is_some() && found.all(|d| d.transient)
    }

    /// Takes one call from the budget: how long to wait before it, `None` where nothing is left.
    pub(crate) fn spend(&self, attempt: u32) -> Option<Duration> {
        let spend = |left: usize| left.checked_sub(1);
        self.budget
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend)
            .ok()?;
        let factor = 2_u32.saturating_pow(attempt);
        Some(self.first.saturating_mul(factor).min(self.longest))
    }

    /// Calls until it succeeds, fails for good, or was tried often enough.
    pub(crate) async fn run<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, Diagnostics>
    where
        F: Future<Output = Result<T, Diagnostics>>,
    {
        let mut attempt = 0;
        loop {
            let errors = match call().await {
                Ok(value) => return Ok(value),
                Err(errors) => errors,
            };
            let Some(wait) = self.after(attempt, &errors) else {
                return Err(errors);
            };
            attempt += 1;
            tokio::time::sleep(wait).await;
        }
    }
}
