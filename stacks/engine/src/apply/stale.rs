//! A plan that was made from another state.

use std::time::SystemTime;
use weir_core::{Diagnostic, plan::Plan, snapshot::Snapshot};
use weir_state::Store;

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
    let since = store.history().await.unwrap_or_default();
    for applied in since.iter().filter(|a| a.serial > plan.base) {
        let ago = applied
            .finished
            .duration_since(SystemTime::UNIX_EPOCH)
            .ok()
            .and_then(|_| SystemTime::now().duration_since(applied.finished).ok())
            .map_or_else(String::new, |d| format!(" {} ago", rough(d.as_secs())));
        detail.push_str(&format!(
            " {} applied a plan{ago}, up to serial {}.",
            applied.record.who, applied.serial
        ));
    }
    Diagnostic::error("the plan is out of date")
        .because(detail)
        .help("Plan again.")
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
