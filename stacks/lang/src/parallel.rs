//! One thing done for many, on all cores. The order of the results is that of the things, however
//! they ran.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Addresses for the stack of a thread: as much as `weir` gives its own threads, since files nest
/// as deep here as there.
const STACK: usize = 256 << 20;

/// How many threads there is work for.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// `f` of each item, on as many threads; the calling one is among them.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    workers: usize,
    f: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let taken = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(taken) else {
                return done;
            };
            done.push((taken, f(item)));
        }
    };
    let mut results = thread::scope(|scope| {
        let helpers: Vec<_> = (1..workers.min(items.len()))
            .filter_map(|_| {
                let thread = thread::Builder::new().stack_size(STACK);
                // Where there is no thread to be had, the others do its part.
                thread.spawn_scoped(scope, work).ok()
            })
            .collect();
        let mut results = work();
        for helper in helpers {
            match helper.join() {
                Ok(more) => results.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
