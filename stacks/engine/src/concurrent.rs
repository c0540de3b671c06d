//! Many questions at a time.

use futures::{StreamExt as _, stream};
use std::num::NonZeroUsize;

/// Runs at most `limit` of the futures at a time: a slow one holds up nobody else. The answers
/// are in the order of the questions, so that nothing depends on who answered first.
pub(crate) async fn all<T>(
    questions: impl Iterator<Item = impl Future<Output = T>>,
    limit: NonZeroUsize,
) -> Vec<T> {
    let numbered = questions
        .enumerate()
        .map(|(i, q)| async move { (i, q.await) });
    let mut answers: Vec<(usize, T)> = stream::iter(numbered)
        .buffer_unordered(limit.get())
        .collect()
        .await;
    answers.sort_by_key(|(i, _)| *i);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
