//! The history of applies.

use std::time::SystemTime;
use weir_core::{checks::CheckResult, snapshot::Serial};

/// One apply, as the engine tells it when it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyRecord {
    /// Who ran it.
    pub who: String,
    /// When it started.
    pub started: SystemTime,
    /// The digest of the plan.
    pub plan_digest: String,
    /// The digest of the configuration.
    pub config_digest: String,
    /// The digest of the [`Bundle`](crate::Bundle) with the configuration, where it is kept.
    pub bundle: Option<String>,
    /// How it ended.
    pub outcome: ApplyOutcome,
    /// What the conditions of the configuration came to; `None` for what evaluates none, as an
    /// edit by hand.
    pub checks: Option<Vec<CheckResult>>,
}

/// How an apply ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplyOutcome {
    /// Every step was done.
    Succeeded,
    /// Some steps failed.
    Failed {
        /// What was wrong, one line for each.
        errors: Vec<String>,
    },
    /// It was told to stop before its end.
    Interrupted,
}

/// One apply in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The serial it left.
    pub serial: Serial,
    /// The lease it ran under; [`Store::closed_entries`](crate::Store::closed_entries) of it is
    /// what was done.
    pub epoch: u64,
    /// When it ended.
    pub finished: SystemTime,
    /// What the engine told.
    pub record: ApplyRecord,
}
