//! Providers that need no world of their own: `fake` and the types of others for tests, and the built-in `terraform`.
//!
//! [`FakeProvider`] works on a "cloud" that is one file ([`cloud::Cloud`]). It behaves as a real
//! cloud does where that matters: it honours idempotency tokens, it survives its callers, several
//! processes may use it at once, and on demand it is slow, fails, leaves things half made or kills
//! the calling process at a chosen point. It keeps a log of all that was ever done, so that a test
//! can prove that nothing was made twice. It never touches anything but that file.
//!
//! [`types::FakeTypes`] serves the types of real providers on such a cloud.
//!
//! [`TerraformProvider`] serves `terraform_data`, whose objects live in state alone, the outputs of other
//! states (`terraform_remote_state`, read by who makes the provider) and the functions `encode_tfvars`,
//! `decode_tfvars` and `encode_expr`.
//!
//! A `fake_thing`'s way:
//! 1. `configure` opens the cloud's file and takes faults, latency and kill points;
//! 2. `plan` merges nothing itself: it makes unknown what only the cloud will know;
//! 3. `apply` waits, passes the kill points and the seeded faults, and appends to the file under a
//!    lock: an entry there is the object;
//! 4. `settle` looks for the token's entry in the file.

pub mod cloud;
mod config;
mod faults;
mod functions;
mod provider;
mod schema;
pub mod terraform;
pub mod types;

pub use provider::FakeProvider;
pub use schema::{fake_lookup, fake_thing, provider_config};
pub use terraform::TerraformProvider;
