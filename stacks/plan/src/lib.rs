//! From evaluated instances to a plan that leaves nothing to decide.
//!
//! Everything here is pure: same input, byte-equal output. It knows no provider, no store, no
//! clock, no randomness; collections are ordered. One resource's way:
//!
//! 1. [`moved`] and [`relocate`]: `moved` statements give what is in state its new addresses;
//! 2. [`place()`]: a pod's instance gets a host and ports: feasible, then ranked, sticky;
//! 3. [`ignore`]: `ignore_changes` is applied to its configuration before a provider sees it;
//! 4. [`carry_marks`]: what the provider answered gets back the marks of the configuration;
//! 5. [`verdict`] and [`change`]: what is and what would become of it make a
//!    [`weir_core::change::Change`], with the reason as data;
//! 6. [`select`]: `-target` leaves out what was not asked for;
//! 7. [`order()`]: changes become nodes and steps. Replace, destroy and batch edges live there and
//!    nowhere else;
//! 8. [`check()`]: the plan's invariants, and `prevent_destroy`. Only it makes a [`CheckedPlan`].
//!
//! Beside the way [`cost()`] says what the machines of clouds in a plan cost, before and after.

pub mod check;
mod cost;
pub mod diff;
mod generate;
mod ignore;
mod marks;
mod moves;
pub mod order;
pub mod place;
mod same;
mod target;
mod triggers;

pub use check::{CheckedPlan, check};
pub use cost::{Cost, cost};
pub use diff::{Prior, Proposal, Requested, Subject, Verdict, change, verdict};
pub use generate::generate;
pub use ignore::ignore;
pub use marks::carry_marks;
pub use moves::{Declared, Moved, moved, relocate, validate as validate_moves};
pub use order::{Dependencies, Ordered, order};
pub use place::{Usage, place};
pub use same::same;
pub use target::{Target, exclude, select};
pub use triggers::fired;
