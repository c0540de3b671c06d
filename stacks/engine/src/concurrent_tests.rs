//! Questions on all cores: answers and events in order, never more calls than allowed, and no
//! thread that waits for one that is gone.

use super::on_all_cores;
use crate::events::InOrder;
use futures::FutureExt as _;
use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use weir_core::{
    Address,
    event::{Event, EventSink},
};

const MANY: usize = 20_000;

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl EventSink for Heard {
    fn event(&self, event: Event) {
        if let Event::Refreshing { address, .. } = event {
            self.0.lock().unwrap().push(address.to_string());
        }
    }
}

/// Calls that are under way, and the most there ever were.
#[derive(Default)]
struct Calls {
    now: AtomicUsize,
    most: AtomicUsize,
}

struct Call<'a>(&'a Calls);

impl Calls {
    fn begin(&self) -> Call<'_> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        Call(self)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

fn address(i: usize) -> Address {
    format!("a.b[{i}]").parse().unwrap()
}

/// Asks many questions, of which some wait. Returns the answers, the events and the most calls.
async fn asked(limit: usize, waits: fn(usize) -> bool) -> (Vec<usize>, Vec<String>, usize) {
    let heard = Arc::new(Heard::default());
    let events = InOrder(heard.clone());
    let calls = Calls::default();
    let mut answers = Vec::new();
    let ask = |i: usize| {
        let (calls, events) = (&calls, &events);
        async move {
            let _call = calls.begin();
            let address = address(i);
            events.event(Event::Refreshing { address, id: None });
            if waits(i) {
                tokio::task::yield_now().await;
            }
            i * 2
        }
    };
    let limit = NonZeroUsize::new(limit).unwrap();
    on_all_cores((0..MANY).collect(), ask, limit, &events, |a| {
        answers.push(a)
    })
    .await;
    let heard = std::mem::take(&mut *heard.0.lock().unwrap());
    (answers, heard, calls.most.into_inner())
}

#[tokio::test]
async fn who_answers_at_once_does_so_in_order() {
    for limit in [1, 2, 10] {
        let (answers, heard, most) = asked(limit, |_| false).await;
        assert!(answers.into_iter().eq((0..MANY).map(|i| i * 2)));
        assert!(
            heard
                .into_iter()
                .eq((0..MANY).map(|i| address(i).to_string()))
        );
        assert!(
            (1..=limit).contains(&most),
            "{most} calls, {limit} are allowed"
        );
    }
}

#[tokio::test]
async fn from_the_first_that_waits_no_more_are_under_way_than_allowed() {
    let some: [fn(usize) -> bool; 4] = [|_| true, |i| i == 9_000, |i| i > 12_345, |i| i % 7 == 3];
    for waits in some {
        for limit in [1, 3] {
            let (answers, heard, most) = asked(limit, waits).await;
            assert!(answers.into_iter().eq((0..MANY).map(|i| i * 2)));
            assert_eq!(heard.len(), MANY);
            assert!(most <= limit, "{most} calls, {limit} are allowed");
        }
    }
}

#[tokio::test]
async fn a_panic_goes_on_where_the_task_is() {
    let ask = |i: usize| async move {
        assert!(i != 7_777, "this one");
        i
    };
    let limit = NonZeroUsize::new(4).unwrap();
    let events = InOrder(Arc::new(Heard::default()));
    let all = on_all_cores((0..MANY).collect(), ask, limit, &events, drop);
    let ended = std::panic::AssertUnwindSafe(all).catch_unwind().await;
    assert!(ended.is_err());
}

#[tokio::test]
async fn a_task_that_is_dropped_leaves_no_call_behind() {
    let calls = Calls::default();
    let events = InOrder(Arc::new(Heard::default()));
    let ask = |i: usize| {
        let calls = &calls;
        async move {
            let _call = calls.begin();
            if i == 10_000 {
                std::future::pending::<()>().await;
            }
        }
    };
    let limit = NonZeroUsize::new(1 << 10).unwrap();
    let all = on_all_cores((0..MANY).collect(), ask, limit, &events, drop);
    let ended = tokio::time::timeout(std::time::Duration::from_millis(1), all).await;
    assert!(ended.is_err());
    assert_eq!(calls.now.load(Ordering::SeqCst), 0);
}
