//! Who changed what drifted, as far as providers know.
//!
//! It is worth knowing and nothing depends on it: a provider that fails, crashes or takes too long
//! costs the answer, never the plan.

use crate::{
    concurrent, diagnostics,
    engine::{Engine, PlanInput},
};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;
use weir_core::{Address, Diagnostics, Known, change::Change, snapshot::Snapshot};
use weir_provider::{Attribution, ChangedRequest};

/// What a provider said of who changed an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangedBy {
    /// This is what it knows.
    Told(Attribution),
    /// It could not say, for this reason.
    NotTold(String),
}

/// The longest text that is taken over, in characters: names come from outside.
const LONGEST: usize = 200;

impl Engine {
    /// Asks for all that drifted at the same time. What a provider knows nothing of is left out.
    pub(crate) async fn attribute(
        &self,
        input: &PlanInput,
        snapshot: &Snapshot,
        drift: &BTreeMap<Address, Change>,
    ) -> BTreeMap<Address, ChangedBy> {
        let mut found = BTreeMap::new();
        let Some(patience) = input.options.attribution else {
            return found;
        };
        let deadline = Instant::now() + patience;
        let questions = drift.values().map(|change| async move {
            // Polled once at least: who knows without asking anybody is heard after the deadline too.
            let call = tokio::time::timeout_at(deadline, self.who_changed(snapshot, change));
            let answer = match call.await {
                Ok(Ok(None)) => None,
                Ok(Ok(Some(told))) => cleaned(told).map(ChangedBy::Told),
                Ok(Err(errors)) => Some(ChangedBy::NotTold(bare(&diagnostics::one_line(&errors)))),
                Err(_) => Some(ChangedBy::NotTold(late(patience))),
            };
            (change.address.clone(), answer)
        });
        concurrent::each(questions, self.parallelism, |(address, answer)| {
            found.extend(answer.map(|a| (address, a)));
        })
        .await;
        found
    }

    async fn who_changed(
        &self,
        snapshot: &Snapshot,
        change: &Change,
    ) -> Result<Option<Attribution>, Diagnostics> {
        let Some(stored) = snapshot.resources.get(&change.address) else {
            return Ok(None);
        };
        let provider = self.session.get(&stored.provider).await?;
        let found = change.after.clone().and_then(|v| Known::new(v).ok());
        let request = ChangedRequest {
            type_name: change.address.object.type_name().to_owned(),
            address: change.address.to_string(),
            recorded: stored.value.clone(),
            found,
            private: stored.private.clone(),
        };
        provider.changed_by(request).await
    }
}

fn late(patience: Duration) -> String {
    format!(
        "the provider did not say within {} s",
        patience.as_secs_f64()
    )
}

/// With nothing in it that a terminal would obey; `None` where nothing is left.
fn cleaned(told: Attribution) -> Option<Attribution> {
    let text = |t: Option<String>| t.map(|t| bare(&t)).filter(|t| !t.is_empty());
    let told = Attribution {
        who: text(told.who),
        when: told.when,
        how: text(told.how),
    };
    (told != Attribution::default()).then_some(told)
}

/// On one line, without what a terminal obeys or what turns text around, and not too long.
fn bare(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = text.chars().map(|c| match c {
        c if c.is_whitespace() => ' ',
        c if c.is_control() || turns(c) => '\u{fffd}',
        c => c,
    });
    let text: String = shown.take(LONGEST + 1).collect();
    let text = text.trim();
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}\u{2026}", &text[..at]),
        None => text.to_owned(),
    }
}
