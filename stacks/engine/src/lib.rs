//! Drives the phases: settle, refresh, plan, apply.
//!
//! This crate decides nothing that a plan could decide, prints nothing, and knows no cloud, no SSH
//! and no file format but that of the plan file. Everything that happens outside the process
//! happens here, through a [`weir_provider::Provider`] or a [`weir_state::Store`].
//!
//! [`Engine::plan`]:
//! 1. [`settle`] finds out what became of operations that an earlier run began and did not finish,
//!    as far as the lease covers them: planning needs none but for that;
//! 2. `moved` blocks give what is in state its new addresses;
//! 3. waves: the evaluator yields all instances whose inputs are ready; each is read, validated,
//!    planned and compared with state, all at the same time; the planned values go back to the
//!    evaluator, in order of addresses ([`mod@plan`]);
//! 4. what is in state and not in the configuration is planned for deletion;
//! 5. providers are asked who changed what drifted, where [`PlanOptions::attribution`] wants it;
//! 6. [`weir_plan::order()`] and [`weir_plan::check()`] make it a [`weir_plan::CheckedPlan`].
//!
//! [`Engine::apply`], under a lease on what the plan needs ([`mod@scope`]):
//! 1. a plan is refused where what it needs has changed since it was made;
//! 2. what moved, what is imported and what refresh found is recorded, in one write;
//! 3. steps run as soon as those before them are over, at most [`Engine::parallelism`] at a time
//!    ([`mod@apply`]);
//! 4. each is written to the journal before a provider is called, and after;
//! 5. a failure stops what depends on it and nothing else; a stop begins nothing more, and waits
//!    for what is in flight.
//!
//! [`planfile`] keeps a plan for later.

pub mod apply;

mod attribution;
mod concurrent;
mod cores;
mod diagnostics;
mod drive;
mod engine;
mod ephemeral;
mod events;
mod guard;
mod journal;
mod machines;
pub mod plan;
pub mod planfile;

mod pods;
mod registry;
mod retry;
pub mod scope;
mod session;
pub mod settle;

pub use apply::{NodeOutcome, NodeResult, Report, Status};
pub use attribution::ChangedBy;
pub use engine::{Engine, Mode, PlanInput, PlanOptions, Planned, Refresh};
pub use journal::{Moment, NoProbe, Point, Probe, Record};
pub use plan::{Begun, Unplanned};
pub use registry::{Builtin, Factory, Registry};
pub use retry::Retry;
pub use settle::Unsettled;
