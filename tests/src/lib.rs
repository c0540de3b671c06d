//! The kit of weir's scenario tests: real hosts, the built `weir`, and text that compares.
//!
//! A scenario is a file in `tests/tests/`. It drives the command a user drives, against hosts that
//! really boot, and looks at what is really there afterwards. The kit never reaches into weir's
//! crates: what a test can't do through the command line, a user can't do either.
//!
//! 1. [`lab::Lab::up`] boots hosts (`tests/lab/lab`), or says aloud why this machine can't and
//!    returns nothing; the test then ends. The lab goes down when the value is dropped.
//! 2. [`cli::Stack::new`] makes a folder for a stack; [`lab::Lab::site`] writes its `site` block.
//! 3. [`cli::Stack::weir`] runs the built binary to its end, [`cli::Stack::spawn`] lets it run so
//!    that it can be killed or interrupted in the middle.
//! 4. [`golden::Filters`] replaces what differs from run to run, and [`golden::compare`] compares
//!    with a file kept beside the test.
//! 5. [`cloudlab::Bridge`] makes real what a cloud's API says is running.
//! 6. [`wait::eventually`] waits for what becomes true in its own time.
//!
//! [`rules`] holds the checks of the architecture as pure functions; `tests/tests/architecture.rs`
//! applies them to this repository.

pub mod cli;
pub mod cloudlab;
pub mod differential;
pub mod golden;
pub mod lab;
pub mod messages;
pub mod rules;
pub mod wait;
