//! Tests of stacks: Terraform's language of test files, run by weir's engine.
//!
//! This crate prints nothing and keeps nothing: states of tests are in memory alone. What it makes in the world it destroys again, and names what it could not.
//!
//! 1. [`Suite::read`] finds the test files and lowers them to types (`syntax`), all errors at once.
//! 2. [`Runner::run`] takes one file after the other, its runs in order (`runner`).
//! 3. A run evaluates its variables in the scope of the test file (`scope`), sets the stage
//!    (`stage`, `mock`): providers of which some or all objects are mocked, modules that are not
//!    evaluated; loads the configuration with what the test adds to it; plans, and applies.
//! 4. Failed conditions are held against what the run expects (`failures`), then the asserts are
//!    evaluated with the values of the plan or of the state (`run`).
//! 5. At the end of a file each of its states is destroyed, the last changed first.

mod below;
mod drive;
mod events;
mod failures;
mod mock;
mod modules;
mod run;
mod runner;
mod scope;
mod slot;
mod stage;
mod suite;
mod syntax;

pub use events::{Event, FileReport, Report, RunReport, Status, Watcher};
pub use modules::remote_calls;
pub use runner::Runner;
pub use suite::{Selection, Suite};
pub use syntax::{Command, RunBlock, TestFile};
