//! Many questions at a time.

use futures::{StreamExt as _, stream};
use std::{collections::BTreeMap, num::NonZeroUsize, pin::pin};

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
    mut answer: impl FnMut(T),
) {
    let numbered = questions
        .enumerate()
        .map(|(i, q)| async move { (i, q.await) });
    let mut answers = pin!(stream::iter(numbered).buffer_unordered(limit.get()));
    let mut early = BTreeMap::new();
    let mut due = 0;
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
