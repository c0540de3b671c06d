//! How much is on its way at once.
//!
//! Calls to providers never exceed the user's limit. Records of the journal are written ahead of
//! them where calls take less time than a record: a store answers many records in the time of one
//! (they share a transaction), so that waiting for each before the next call would leave the
//! providers idle. An operation that is recorded and not yet called is nothing new to recovery:
//! after a crash the provider says that it was not done.
//!
//! 1. [`Slots::window`] says how many steps may be under way, by the pace so far;
//! 2. [`Slots::record`] and [`Slots::call`] run a record and a call, and note their times;
//! 3. a call waits for one of `limit` places, first come first served.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// At most so many steps for each call that may run.
const AHEAD: usize = 16;
/// The weight of the latest time in a moving average.
const WEIGHT: f64 = 0.1;

/// The places for calls, and the pace of calls and records.
pub(super) struct Slots {
    limit: usize,
    places: Semaphore,
    pace: Mutex<Pace>,
}

/// Moving averages, in seconds; `None` before the first.
#[derive(Default)]
struct Pace {
    call: Option<f64>,
    record: Option<f64>,
}

impl Slots {
    /// For at most `limit` calls at a time.
    pub(super) fn new(limit: NonZeroUsize) -> Slots {
        Slots {
            limit: limit.get(),
            places: Semaphore::new(limit.get()),
            pace: Mutex::default(),
        }
    }

    /// How many steps may be under way now. One at a time stays one at a time.
    pub(super) fn window(&self) -> usize {
        if self.limit == 1 {
            return 1;
        }
        let pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        self.limit * ahead(pace.call, pace.record)
    }

    /// Runs a record.
    pub(super) async fn record<T>(&self, work: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let result = work.await;
        self.note(began.elapsed(), |pace| &mut pace.record);
        result
    }

    /// Runs a call as soon as there is a place for it.
    pub(super) async fn call<T>(&self, work: impl Future<Output = T>) -> T {
        // It is never closed; were it, a call too many is better than none.
        let _place = self.places.acquire().await.ok();
        let began = Instant::now();
        let result = work.await;
        self.note(began.elapsed(), |pace| &mut pace.call);
        result
    }

    fn note(&self, time: Duration, which: impl Fn(&mut Pace) -> &mut Option<f64>) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        let average = which(&mut pace);
        let now = time.as_secs_f64();
        *average = Some(average.map_or(now, |before| before + WEIGHT * (now - before)));
    }
}

/// Steps for each place: as many as calls fit into the time of a record, at least one.
fn ahead(call: Option<f64>, record: Option<f64>) -> usize {
    let (Some(call), Some(record)) = (call, record) else {
        return 1;
    };
    let fit = (1..AHEAD).find(|&n| call * n as f64 >= record);
    fit.unwrap_or(AHEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_calls_have_nothing_ahead_and_quick_ones_have_a_bounded_lot() {
        let table = [
            (None, Some(0.004), 1),
            (Some(1.0), None, 1),
            (Some(1.0), Some(0.004), 1),
            (Some(0.004), Some(0.004), 1),
            (Some(0.002), Some(0.004), 2),
            (Some(0.001), Some(0.0041), 5),
            (Some(0.0), Some(0.004), AHEAD),
        ];
        for (call, record, expected) in table {
            assert_eq!(ahead(call, record), expected, "{call:?} {record:?}");
        }
    }
}
