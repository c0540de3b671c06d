//! Stacks in steps, run by weir and by Terraform: what both plan and what both leave is equal.
//!
//! 1. [`Program::random`] makes a stack from a seed: a first configuration, changes of it, a
//!    destroy at the end. [`Program::smaller`] takes out of it what a difference does not need.
//! 2. [`Scenario`] is the stack as text: files and flags of each step, and the answers that were
//!    stored beside them.
//! 3. [`Tool`] runs a scenario's step in a folder of its own and makes an [`Answer`] of it: lines
//!    that say what a person would compare, and the documented JSON by section.
//! 4. [`difference`] compares two answers. Where Terraform ends in a cycle of its own making,
//!    weir must plan and apply.

mod answer;
mod change;
mod make;
mod model;
mod render;
mod scenario;
mod shrink;
mod sound;
mod tool;

pub(crate) use answer::is_uuid;

pub use answer::{Answer, difference};
pub use make::{FEATURES, Feature};
pub use scenario::{Scenario, Step};
pub use shrink::Program;
pub use tool::Tool;
