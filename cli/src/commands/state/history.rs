//! `weir state history`: every apply, and what it did.

use super::super::{Context, Result};
use crate::{clock, error::Outcome, stores::States};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use weir_core::plan::Op;
use weir_state::{Applied, ApplyOutcome, ClosedEntry, Ending, LeaseRecord, Store, Verdict};

/// Flags of `state history`.
#[derive(Debug, clap::Args)]
pub(crate) struct History {
    /// Print a JSON array.
    #[arg(long)]
    json: bool,
}

/// One line: an apply, or a run that ended without one.
struct Line {
    lease: Option<LeaseRecord>,
    applied: Option<Applied>,
    entries: Vec<ClosedEntry>,
}

/// Lists the history, oldest first.
pub(super) async fn history(args: &History, context: &Context) -> Result {
    let lines = match States::here(&context.env)?.open_existing().await? {
        Some(store) => lines(&*store).await?,
        None => Vec::new(),
    };
    if args.json {
        let rows: Vec<Json> = lines.iter().map(document).collect();
        context.ui.data(&format!("{:#}\n", json!(rows)))?;
        return Ok(Outcome::Done);
    }
    if lines.is_empty() {
        context.ui.tell("Nothing was applied yet.");
        return Ok(Outcome::Done);
    }
    let mut rows = vec![["SERIAL", "WHEN", "WHO", "WHAT", "OUTCOME", "DONE"].map(str::to_owned)];
    rows.extend(lines.iter().map(row));
    let width = |i: usize| rows.iter().map(|r| r[i].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    let text: String = rows
        .iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).map(|(c, w)| format!("{c:<w$}"));
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        })
        .collect();
    context.ui.data(&text)?;
    Ok(Outcome::Done)
}

async fn lines(store: &dyn Store) -> std::result::Result<Vec<Line>, crate::error::CommandError> {
    let leases = store.leases().await?;
    let mut applies: BTreeMap<u64, Vec<Applied>> = BTreeMap::new();
    for applied in store.history().await? {
        applies.entry(applied.epoch).or_default().push(applied);
    }
    let mut lines = Vec::new();
    for lease in leases {
        let entries = store.closed_entries(lease.epoch).await?;
        let of = applies.remove(&lease.epoch).unwrap_or_default();
        // A run that was killed left no line of its own, but what it did is in the journal.
        if of.is_empty() && !entries.is_empty() && lease.ended.is_some() {
            lines.push(Line {
                lease: Some(lease),
                applied: None,
                entries,
            });
            continue;
        }
        lines.extend(of.into_iter().map(|applied| Line {
            lease: Some(lease.clone()),
            applied: Some(applied),
            entries: entries.clone(),
        }));
    }
    // Applies whose leases were pruned.
    let older = applies.into_values().flatten().map(|applied| Line {
        lease: None,
        applied: Some(applied),
        entries: Vec::new(),
    });
    let mut all: Vec<Line> = older.collect();
    all.extend(lines);
    // Of two that ran at the same time, the one that ended first comes first.
    all.sort_by_key(Line::serial);
    Ok(all)
}

impl Line {
    fn serial(&self) -> u64 {
        let last = self.entries.iter().map(|e| e.serial.0).max();
        match &self.applied {
            Some(applied) => applied.serial.0,
            None => last.unwrap_or_default(),
        }
    }
    fn purpose(&self) -> &str {
        self.lease.as_ref().map_or("", |l| &l.holder.purpose)
    }
    fn who(&self) -> &str {
        match (&self.applied, &self.lease) {
            (Some(applied), _) => &applied.record.who,
            (None, Some(lease)) => &lease.holder.who,
            (None, None) => "",
        }
    }
    fn outcome(&self) -> &'static str {
        match self.applied.as_ref().map(|a| &a.record.outcome) {
            Some(ApplyOutcome::Succeeded) => "succeeded",
            Some(ApplyOutcome::Failed { .. }) => "failed",
            Some(ApplyOutcome::Interrupted) => "interrupted",
            None => "cut off",
        }
    }
    fn done(&self) -> [usize; 3] {
        let done = |e: &&ClosedEntry| matches!(e.verdict, Verdict::Put | Verdict::Gone);
        let of = |op: Op| {
            self.entries
                .iter()
                .filter(done)
                .filter(|e| e.op == op)
                .count()
        };
        [of(Op::Create), of(Op::Update), of(Op::Delete)]
    }
}

fn row(line: &Line) -> [String; 6] {
    let when = match (&line.applied, &line.lease) {
        (Some(applied), _) => clock::rfc3339(applied.finished),
        (None, Some(lease)) => clock::rfc3339(lease.since),
        (None, None) => String::new(),
    };
    let [add, change, destroy] = line.done();
    [
        line.serial().to_string(),
        when,
        line.who().to_owned(),
        line.purpose().to_owned(),
        line.outcome().to_owned(),
        format!("{add} added, {change} changed, {destroy} destroyed"),
    ]
}

fn document(line: &Line) -> Json {
    let changes: Vec<Json> = line
        .entries
        .iter()
        .map(|e| {
            let op = match e.op {
                Op::Create => "create",
                Op::Update => "update",
                Op::Delete => "delete",
                Op::Read => "read",
                Op::Forget => "forget",
                Op::Join => "join",
            };
            let (outcome, error) = match &e.verdict {
                Verdict::Put | Verdict::Gone => ("done", None),
                Verdict::Failed(message) => ("failed", Some(message)),
                Verdict::Kept => ("not_done", None),
            };
            json!({ "address": e.address.to_string(), "action": op, "outcome": outcome,
                    "error": error, "serial": e.serial.0 })
        })
        .collect();
    let record = line.applied.as_ref().map(|a| &a.record);
    let errors = match record.map(|r| &r.outcome) {
        Some(ApplyOutcome::Failed { errors }) => errors.clone(),
        _ => Vec::new(),
    };
    let digest = |text: Option<&String>| text.filter(|t| !t.is_empty()).cloned();
    json!({
        "serial": line.serial(),
        "who": line.who(),
        "command": line.purpose(),
        "host": line.lease.as_ref().map(|l| &l.holder.host),
        "started": record.map(|r| clock::rfc3339(r.started))
            .or_else(|| line.lease.as_ref().map(|l| clock::rfc3339(l.since))),
        "finished": line.applied.as_ref().map(|a| clock::rfc3339(a.finished)),
        "outcome": line.outcome().replace(' ', "_"),
        "errors": errors,
        "taken_over": line.lease.as_ref().is_some_and(|l| matches!(&l.ended, Some((_, how)) if *how != Ending::Released)),
        "plan_digest": digest(record.map(|r| &r.plan_digest)),
        "config": record.and_then(|r| r.bundle.clone()),
        "changes": changes,
    })
}
