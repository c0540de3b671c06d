//! How calls are tried again, and how long anything may take.

use super::{Class, Failure};
use std::{future::Future, time::Duration};
use tokio::time::Instant;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Pacing {
    /// The first wait before a call is tried again; it doubles, with jitter, up to 30 times this.
    pub backoff: Duration,
    /// How long a call is tried in all while the API says "later" or does not answer.
    pub budget: Duration,
    /// How long something that was just made may still be unknown to other calls.
    pub consistency: Duration,
    /// How often a state is looked at while it is waited for.
    pub poll: Duration,
}

impl Default for Pacing {
    fn default() -> Pacing {
        Pacing {
            backoff: Duration::from_millis(500),
            budget: Duration::from_secs(300),
            consistency: Duration::from_secs(15),
            poll: Duration::from_secs(3),
        }
    }
}

/// Whether a call may be made again when nobody knows whether it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It may: the second does what the first did.
    Harmless,
    /// It may not: it might make a second thing.
    MakesAnother,
}

impl Pacing {
    /// Makes a call, again where that does no harm, until it succeeds, is refused, or the budget
    /// is spent.
    ///
    /// # Errors
    /// The last failure.
    pub async fn attempt<T, F>(&self, again: Again, f: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut pause = Pause::new(self.backoff, self.budget);
        loop {
            let failure = match f().await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            let retry = match failure.class {
                Class::Throttled => true,
                Class::Ambiguous => again == Again::Harmless,
                Class::Refused | Class::Unsent => false,
            };
            if !(retry && pause.wait_at_least(failure.retry_after).await) {
                return Err(failure);
            }
        }
    }

    /// Repeats something while it is refused for a reason that passes by itself, for at most
    /// `limit`.
    ///
    /// # Errors
    /// The last failure.
    pub async fn patiently<T, F>(
        &self,
        limit: Duration,
        passes: impl Fn(&Failure) -> bool,
        f: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut pause = Pause::new(self.backoff, limit);
        loop {
            match f().await {
                Err(failure) if passes(&failure) && pause.wait().await => {}
                other => return other,
            }
        }
    }
}

/// Waits that grow, with jitter, within a budget.
#[derive(Debug)]
pub struct Pause {
    next: Duration,
    most: Duration,
    until: Instant,
}

impl Pause {
    /// The first wait, and how long all of them may last.
    pub fn new(first: Duration, budget: Duration) -> Pause {
        Pause {
            next: first,
            most: first * 30,
            until: Instant::now() + budget,
        }
    }

    /// Waits; `false` where the budget is spent.
    pub async fn wait(&mut self) -> bool {
        self.wait_at_least(None).await
    }

    /// Waits, and no shorter than this where it is said; `false` where the budget is spent or
    /// would be meanwhile.
    pub async fn wait_at_least(&mut self, least: Option<Duration>) -> bool {
        let now = Instant::now();
        let least = least.unwrap_or_default();
        if now >= self.until || now + least > self.until {
            return false;
        }
        // From half to one and a half of what is due, so that many who were refused at once do
        // not come back at once.
        let share = 0.5 + fastrand::f64();
        let wait = least + self.next.mul_f64(share);
        tokio::time::sleep(wait).await;
        self.next = (self.next * 2).min(self.most);
        true
    }
}
