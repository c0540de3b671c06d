//! Google Compute Engine as a provider: networks, machines, disks and addresses, by the names,
//! attributes and import ids of Terraform's provider (hashicorp/google 6.50), so that files and
//! habits hold.
//!
//! It never keeps or shows credentials, never reads state or files of the stack, and never makes
//! a thing twice. One object's way:
//!
//! 1. `schema` has the names and types as Terraform's provider declares them, and beside them the
//!    rules: what replaces, defaults, what is not served and is refused
//!    ([`weir_provider::declared`]).
//! 2. `client` is a project: [`weir_provider::cloud`] drives every operation over it. Each call that
//!    changes something carries a `requestId` made of the operation's name, so that a second try
//!    does nothing more; what a call began is waited for (`operation`), and how it ended is told.
//! 3. What most types share, being made by one call under a name of their own, is in `thing`, and
//!    the calls that all kinds have in `calls`. A file in `resources` has what is one type's: what
//!    it is made of, what of the answers is which attribute, what changes it. Bodies are JSON of
//!    the API's names (`body`), which the SDK's models read and write.
//! 4. `failure` says what Google's reasons and codes mean: what is tried again, what is gone, in
//!    use, or out of capacity.
//! 5. `settings` reads the provider block and finds credentials.

#![cfg(feature = "sdk")]

mod body;
mod calls;
mod client;
mod data;
mod failure;
mod labels;
mod name;
mod operation;
mod resource;
mod resources;
mod schema;
mod settings;
mod thing;

pub use weir_provider::cloud::Pacing;

/// The provider.
pub type GoogleProvider = weir_provider::cloud::Served<client::Google>;
