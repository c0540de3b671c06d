//! What the kit found, as a table.

use std::{collections::BTreeSet, fmt};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The contract is kept.
    Passed,
    /// It is not, for this reason.
    Failed(String),
    /// It could not be checked, for this reason.
    Skipped(String),
}

impl Outcome {
    /// The outcome of a check that fails with a reason.
    pub(super) fn of(result: Result<(), String>) -> Outcome {
        match result {
            Ok(()) => Outcome::Passed,
            Err(reason) => Outcome::Failed(reason),
        }
    }
}

/// One check of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The resource type.
    pub type_name: String,
    /// The check.
    pub check: &'static str,
    /// What it found.
    pub outcome: Outcome,
}

/// All checks of all types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    provider: String,
    rows: Vec<Row>,
}

impl Report {
    pub(super) fn new(provider: &str) -> Report {
        Report {
            provider: provider.into(),
            rows: Vec::new(),
        }
    }
    pub(super) fn extend(&mut self, rows: impl IntoIterator<Item = Row>) {
        self.rows.extend(rows);
    }
    /// Every check, in order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
    /// Whether no check failed.
    pub fn passed(&self) -> bool {
        !self
            .rows
            .iter()
            .any(|r| matches!(r.outcome, Outcome::Failed(_)))
    }
}

impl fmt::Display for Report {
    /// A line per check and a column per type, then the reasons.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types: BTreeSet<&str> = self.rows.iter().map(|r| r.type_name.as_str()).collect();
        let mut checks: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !checks.contains(&row.check) {
                checks.push(row.check);
            }
        }
        let first = checks
            .iter()
            .map(|c| c.len())
            .max()
            .unwrap_or(0)
            .max(self.provider.len());
        write!(f, "{:first$}", self.provider)?;
        for ty in &types {
            write!(f, "  {ty:>7}")?;
        }
        writeln!(f)?;
        for check in &checks {
            write!(f, "{check:first$}")?;
            for ty in &types {
                let width = ty.len().max(7);
                write!(f, "  {:>width$}", self.word(ty, check))?;
            }
            writeln!(f)?;
        }
        for row in &self.rows {
            match &row.outcome {
                Outcome::Passed => {}
                Outcome::Failed(why) => {
                    writeln!(f, "{}, {}: failed: {why}", row.type_name, row.check)?;
                }
                Outcome::Skipped(why) => {
                    writeln!(f, "{}, {}: skipped: {why}", row.type_name, row.check)?;
                }
            }
        }
        Ok(())
    }
}

impl Report {
    /// The worst outcome of a check over all cases of a type.
    fn word(&self, ty: &str, check: &str) -> &'static str {
        let of = self
            .rows
            .iter()
            .filter(|r| r.type_name == ty && r.check == check);
        let mut word = "";
        for row in of {
            word = match (&row.outcome, word) {
                (Outcome::Failed(_), _) | (_, "FAILED") => "FAILED",
                (Outcome::Passed, _) | (_, "ok") => "ok",
                (Outcome::Skipped(_), _) => "skipped",
            };
        }
        word
    }
}
