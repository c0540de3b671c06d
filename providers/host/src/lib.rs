//! The provider of machines that exist already: over SSH, or this one.
//!
//! It serves ([`schema`]) `weir_host`, our agent on a machine, and `weir_pod`, an
//! instance of a service's pod there; beside them what pools need to reach
//! machines, `weir_ssh_key` and `weir_egress_address`. It never reads the
//! environment, never decides what runs where, never keeps a record of its own:
//! what is on a host it asks the agent, what is wanted it is told.
//!
//! One host's way through a run:
//! 1. `validate` and `plan` of its `weir_host` tell where it is (`connection`),
//!    which `hosts` remembers for the pods;
//! 2. the first who needs it connects (`host`, by [`ssh`] or as this machine);
//!    all others share the connection;
//! 3. `read` looks once, for the host and all its pods: what differs from the
//!    last record shows as a change of the attribute that asks for it;
//! 4. `apply` of the `weir_host` brings the agent there if it isn't (`machine`);
//! 5. `apply_batch` of its pods is one goal, one round trip, one report;
//! 6. after a crash `settle` compares the agent's generation with the token's.

mod attributes;
mod change;
mod connection;
mod error;
mod host;
mod hosts;
mod machine;
mod pod_agent;
mod provider;
mod resources;
pub mod schema;
mod shared;
pub mod ssh;

pub use machine::AgentBinary;
pub use pod_agent::PodAgent;
pub use provider::HostProvider;
