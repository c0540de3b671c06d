//! Waiting for what becomes true in its own time.

use std::fmt::Display;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What one attempt of [`eventually`] gave: `true`, `Some` and `Ok` end the waiting.
pub trait Attempt {
    /// What was found.
    type Found;

    /// What was found, or why not yet.
    ///
    /// # Errors
    /// Why the attempt doesn't count as a success.
    fn outcome(self) -> Result<Self::Found, String>;
}

impl Attempt for bool {
    type Found = ();

    fn outcome(self) -> Result<(), String> {
        if self {
            Ok(())
        } else {
            Err("false".to_owned())
        }
    }
}

impl<T> Attempt for Option<T> {
    type Found = T;

    fn outcome(self) -> Result<T, String> {
        self.ok_or_else(|| "nothing".to_owned())
    }
}

impl<T, E: Display> Attempt for Result<T, E> {
    type Found = T;

    fn outcome(self) -> Result<T, String> {
        self.map_err(|error| error.to_string())
    }
}

/// Repeats `attempt` until it succeeds and returns what it found.
///
/// `limit` is generous by design: it bounds a broken test, it measures nothing.
///
/// # Panics
/// When `limit` is over, with `what` and the last attempt's error.
#[track_caller]
pub fn eventually<A: Attempt>(
    what: &str,
    limit: Duration,
    mut attempt: impl FnMut() -> A,
) -> A::Found {
    let start = Instant::now();
    let mut pause = Duration::from_millis(20);
    loop {
        match attempt().outcome() {
            Ok(found) => return found,
            Err(error) if start.elapsed() >= limit => {
                panic!("{what}: not within {} s; last: {error}", limit.as_secs())
            }
            Err(_) => sleep(pause),
        }
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}
