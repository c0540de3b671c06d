//! A plan that was made from another state.

use std::{collections::BTreeSet, time::SystemTime};
use weir_core::{Address, Diagnostic, plan::Plan, snapshot::Snapshot};
use weir_state::{Applied, Store};

/// The refusal, with what happened since.
pub(crate) async fn stale(store: &dyn Store, plan: &Plan, now: &Snapshot) -> Diagnostic {
    if plan.lineage != now.lineage {
        return Diagnostic::error("the plan belongs to another state")
            .because(format!(
                "It was made for the state {}, and this is {}.",
                plan.lineage, now.lineage
            ))
            .help("Name the state it was made for, or plan again.");
    }
    let mut detail = format!(
        "It was made from serial {}, and state is at serial {}.",
        plan.base, now.serial
    );
    // The history is a help: where it can't be read, the refusal stands without it.
    let history = store.history().await.unwrap_or_default();
    let digests = |a: &Applied| a.record.config_digest.clone();
    let before = history.iter().rev().find(|a| a.serial <= plan.base);
    let mut config = before.map(digests);
    for applied in history.iter().filter(|a| a.serial > plan.base) {
        let ago = applied
            .finished
            .duration_since(SystemTime::UNIX_EPOCH)
            .ok()
            .and_then(|_| SystemTime::now().duration_since(applied.finished).ok())
            .map_or_else(String::new, |d| format!(" {} ago", rough(d.as_secs())));
        let now = digests(applied);
        let other = match &config {
            Some(before) if *before != now => " of another configuration",
            _ => "",
        };
        config = Some(now);
        detail.push_str(&format!(
            " {} applied a plan{other}{ago}, up to serial {}.",
            applied.record.who, applied.serial
        ));
    }
    if let Ok(base) = store.snapshot_at(plan.base).await {
        detail.push_str(&difference(&base, now));
    }
    Diagnostic::error("the plan is out of date")
        .because(detail)
        .help("Plan again.")
}

/// At most so many instances of a kind are named.
const NAMED: usize = 5;

/// What became of which instances.
fn difference(base: &Snapshot, now: &Snapshot) -> String {
    let has = |s: &Snapshot, a: &Address| s.resources.contains_key(a);
    let kept = base.resources.iter().filter(|(a, _)| has(now, a));
    let changed = kept.filter(|(a, r)| now.resources.get(*a) != Some(*r));
    let kinds: [(&str, Vec<&Address>); 4] = [
        ("Changed", changed.map(|(a, _)| a).collect()),
        (
            "New",
            (now.resources.keys()).filter(|a| !has(base, a)).collect(),
        ),
        (
            "Gone",
            (base.resources.keys()).filter(|a| !has(now, a)).collect(),
        ),
        (
            "With other old objects",
            (base.deposed.keys().chain(now.deposed.keys()))
                .filter(|a| base.deposed.get(*a) != now.deposed.get(*a))
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
        ),
    ];
    let mut text = String::new();
    for (kind, addresses) in kinds {
        let names: Vec<String> = addresses
            .iter()
            .take(NAMED)
            .map(ToString::to_string)
            .collect();
        let more = match addresses.len() - names.len() {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        if !names.is_empty() {
            text.push_str(&format!(" {kind} since: {}{more}.", names.join(", ")));
        }
    }
    let outputs = (base.outputs.keys().chain(now.outputs.keys()))
        .filter(|name| base.outputs.get(*name) != now.outputs.get(*name))
        .collect::<BTreeSet<_>>();
    if text.is_empty() && !outputs.is_empty() {
        let names: Vec<&str> = outputs
            .into_iter()
            .take(NAMED)
            .map(String::as_str)
            .collect();
        text.push_str(&format!(" Outputs changed since: {}.", names.join(", ")));
    }
    text
}

/// `40 seconds`, `12 minutes`, `3 hours`, `2 days`.
fn rough(seconds: u64) -> String {
    let (n, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{n} {unit}{}", if n == 1 { "" } else { "s" })
}
