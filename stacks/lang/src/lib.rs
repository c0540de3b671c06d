//! The stack language: HCL text to evaluated instances.
//!
//! This crate reads the files it is given through [`Files`] and does no other I/O: no network, no
//! clock, no randomness, no environment (the caller hands all of that in with [`Inputs`]). It
//! knows nothing of state, of providers' processes, or of whether it serves a plan or an apply.
//!
//! 1. [`load`] reads a folder: [`parse`] makes each file an [`ir::Body`], [`config`] sorts the
//!    blocks into modules, `vars` finds the values of variables, `link` resolves every reference
//!    and refuses cycles. All errors come at once; the result is a [`Config`]. Files are
//!    parsed, and their blocks sorted, on all cores.
//! 2. An [`Evaluator`] works through the configuration in the order of its references. Its
//!    [`Evaluator::next`] yields providers and [`Instance`]s as their inputs become ready, and
//!    pods that want hosts; the caller answers with [`Evaluator::supply`] and
//!    [`Evaluator::place`], with planned values while planning and with real ones while applying.
//! 3. [`eval`] gives expressions their values: typed, possibly unknown, possibly marked.
//! 4. `services` lowers `site`, `cluster` and `service` blocks to instances of `weir_host` and
//!    `weir_pod`, which a provider serves as it serves any resource.
//! 5. [`Evaluator::outputs`] has the root module's outputs at the end.
//!
//! [`machines`] has the types of the clouds' machines and chooses among them.

pub mod config;
pub mod constraint;
pub mod eval;
pub mod evaluator;
pub mod files;
pub mod functions;
pub mod inputs;
pub mod instance;
pub mod ir;
pub mod machines;
pub mod parse;
pub mod sources;

mod decode;
mod hints;
mod link;
mod parallel;
mod services;
mod vars;

pub use config::{
    Additions, Config, EncryptionSettings, End, Endpoint, Examined, HistorySettings,
    InstalledModule, InstalledModules, KeySettings, Loaded, ModuleStep, Move, OutputMeta, Part,
    RemoteCall, Removed, Repetition, RequiredProvider, StackSettings, StateSettings, StepKey,
    Undeclared, examine, is_remote, load, load_with, mentions, reload, remote_calls,
};
pub use evaluator::{
    CheckInstance, CheckKind, CheckResult, CheckStatus, Evaluator, Machines, Output, Roots, Schemas,
};
pub use files::{Catalog, DiskFiles, Files, MemoryFiles, NoCatalog, Recording};
pub use hints::suggestion;
pub use inputs::{Inputs, VarSource};
pub use instance::{
    Demand, HostFacts, Ignore, Import, ImportId, Instance, Lifecycle, Next, PlaceRequest,
    Placement, ProviderConfig, Trigger,
};
pub use services::{
    pools::{MachineOffer, MachinePool, Prefer},
    service_schema,
};
pub use sources::Sources;
pub use vars::{automatic_files, given_values};
