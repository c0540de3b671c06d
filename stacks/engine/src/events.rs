//! Events of questions that are asked on several threads: held back by whoever asks, and told in
//! the order of the questions by whoever hands over the answers.

use std::{cell::RefCell, sync::Arc};
use weir_core::event::{Event, EventSink};

thread_local! {
    /// What this thread holds back, while it does.
    static HELD: RefCell<Option<Vec<Event>>> = const { RefCell::new(None) };
}

/// Runs something whose events on this thread are held back, and returns them.
pub(crate) fn held<R>(f: impl FnOnce() -> R) -> (R, Vec<Event>) {
    /// Ends it, also where `f` panics.
    struct Ends;
    impl Drop for Ends {
        fn drop(&mut self) {
            HELD.take();
        }
    }
    let ends = Ends;
    HELD.set(Some(Vec::new()));
    let result = f();
    let events = HELD.take().unwrap_or_default();
    drop(ends);
    (result, events)
}

/// Passes events on, unless the thread they come from holds them back.
pub(crate) struct InOrder(pub(crate) Arc<dyn EventSink>);

impl EventSink for InOrder {
    fn event(&self, event: Event) {
        let told = HELD.with_borrow_mut(|held| match held {
            Some(held) => {
                held.push(event);
                None
            }
            None => Some(event),
        });
        if let Some(event) = told {
            self.0.event(event);
        }
    }
}
