//! What goes on during a test, for whoever prints it.

use crate::{RunBlock, TestFile};
use std::{sync::Arc, time::Duration};
use weir_core::{Address, Diagnostics, snapshot::Snapshot};
use weir_engine::Planned;

/// How something ended. The worst is the greatest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Nothing was run yet.
    #[default]
    Pending,
    /// It was not run.
    Skip,
    /// All was as asserted.
    Pass,
    /// An assertion does not hold.
    Fail,
    /// It could not be run to its end.
    Error,
}

/// Something that happened.
pub enum Event<'a> {
    /// A file begins.
    FileStarted(&'a TestFile),
    /// A run begins.
    RunStarted(&'a TestFile, &'a RunBlock),
    /// A run is over.
    RunEnded(&'a TestFile, &'a RunBlock, &'a RunReport),
    /// The plan of a run with `command = plan`.
    Planned(&'a TestFile, &'a RunBlock, &'a Planned),
    /// The state that a run with `command = apply` left.
    Applied(&'a TestFile, &'a RunBlock, &'a Snapshot),
    /// What the runs of a file made is about to be destroyed.
    TearingDown(&'a TestFile),
    /// What was made last by this run is about to be destroyed.
    RunTearingDown(&'a TestFile, &'a RunBlock),
    /// Problems of destroying what a run made.
    TeardownFailed(&'a TestFile, &'a RunBlock, &'a Diagnostics),
    /// These objects are left.
    Leftovers(&'a TestFile, &'a RunBlock, &'a [Address]),
    /// A file is over.
    FileEnded(&'a TestFile, &'a FileReport),
}

/// Is told of events.
pub trait Watcher: Send + Sync {
    /// Takes one event.
    fn event(&self, event: &Event<'_>);
}

/// What a run came to.
#[derive(Debug, Clone, Default)]
pub struct RunReport {
    /// How it ended.
    pub status: Status,
    /// How many asserts it has.
    pub asserts: usize,
    /// Errors and warnings, in the order they came.
    pub diagnostics: Diagnostics,
    /// How long it took.
    pub elapsed: Duration,
    /// When it began, in RFC 3339; `None` where it was skipped.
    pub began: Option<std::time::SystemTime>,
}

/// What a file came to.
#[derive(Debug, Clone, Default)]
pub struct FileReport {
    /// The worst of its runs, and of destroying what they made.
    pub status: Status,
    /// Its runs, in order.
    pub runs: Vec<(Arc<str>, RunReport)>,
    /// Objects that could not be destroyed.
    pub leftovers: Vec<Address>,
}

/// What all files came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The worst of the files.
    pub status: Status,
    /// By path, in order.
    pub files: Vec<(Arc<str>, FileReport)>,
}

impl Report {
    /// How many runs ended so.
    pub fn count(&self, status: Status) -> usize {
        let runs = self.files.iter().flat_map(|(_, f)| &f.runs);
        runs.filter(|(_, r)| r.status == status).count()
    }
}
