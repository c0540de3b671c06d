//! Many questions at a time.
//!
//! 1. A large wave is begun on all cores ([`crate::cores`]): what is in state alone, and data that
//!    is at hand, answers without waiting, and then evaluating and comparing is all the work.
//! 2. From the first question that waits for somebody, the rest is asked from the task itself, at
//!    most so many at a time.
//!
//! Answers, and events, are in the order of the questions whoever asked them.

use crate::cores::{self, Begun};
use futures::{StreamExt as _, stream};
use std::{collections::BTreeMap, num::NonZeroUsize, pin::pin};
use weir_core::event::EventSink;

/// Runs at most `limit` of the futures at a time: a slow one holds up nobody else. The answers
/// are in the order of the questions, so that nothing depends on who answered first.
pub(crate) async fn all<T>(
    questions: impl Iterator<Item = impl Future<Output = T>>,
    limit: NonZeroUsize,
) -> Vec<T> {
    let mut answers = Vec::with_capacity(questions.size_hint().0);
    each(questions, limit, |answer| answers.push(answer)).await;
    answers
}

/// As [`all`], and hands over each answer as soon as it and all before it are there: what many
/// questions come to need not be in memory at once.
pub(crate) async fn each<T>(
    questions: impl Iterator<Item = impl Future<Output = T>>,
    limit: NonZeroUsize,
    answer: impl FnMut(T),
) {
    let numbered = questions.enumerate();
    numbers(numbered, 0, limit, answer).await;
}

/// As [`each`], of questions in any order: each with its number. `due` is the lowest.
async fn numbers<T>(
    questions: impl Iterator<Item = (usize, impl Future<Output = T>)>,
    mut due: usize,
    limit: NonZeroUsize,
    mut answer: impl FnMut(T),
) {
    let numbered = questions.map(|(i, q)| async move { (i, q.await) });
    let mut answers = pin!(stream::iter(numbered).buffer_unordered(limit.get()));
    let mut early = BTreeMap::new();
    while let Some((i, found)) = answers.next().await {
        if i != due {
            early.insert(i, found);
            continue;
        }
        answer(found);
        due += 1;
        while let Some(found) = early.remove(&due) {
            answer(found);
            due += 1;
        }
    }
}

/// So many questions are asked before whoever waits for the task, as a signal does, gets a turn.
const SECTION: usize = 8192;

/// As [`each`], on all cores. `events` is where what was held back goes.
pub(crate) async fn on_all_cores<Q, F, T>(
    questions: Vec<Q>,
    ask: impl Fn(Q) -> F + Sync,
    limit: NonZeroUsize,
    events: &dyn EventSink,
    mut answer: impl FnMut(T),
) where
    Q: Send,
    F: Future<Output = T> + Send,
    T: Send,
{
    let mut left = questions.into_iter();
    while left.len() > 0 {
        let section: Vec<Q> = left.by_ref().take(SECTION).collect();
        let begun = cores::begin(section, &ask, limit, events, &mut answer);
        if begun.is_empty() {
            if left.len() > 0 {
                tokio::task::yield_now().await;
            }
            continue;
        }
        // Whoever waits is asked on first: they are the ones that are under way.
        let (waiting, others): (Vec<_>, Vec<_>) =
            (begun.into_iter().enumerate()).partition(|(_, b)| matches!(b, Begun::Waiting(_)));
        let after = waiting.len() + others.len();
        let rest = (after..).zip(left.map(Begun::Unasked));
        let on = waiting.into_iter().chain(others).chain(rest);
        let ask = &ask;
        let on = on.map(|(i, begun)| {
            let going_on = async move {
                match begun {
                    Begun::Answered(answer) => answer,
                    Begun::Waiting(asked) => asked.await,
                    Begun::Unasked(question) => ask(question).await,
                }
            };
            (i, going_on)
        });
        return numbers(on, 0, limit, answer).await;
    }
}

#[cfg(test)]
#[path = "concurrent_tests.rs"]
mod tests;
