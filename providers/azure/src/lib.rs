//! Azure as a provider: resource groups, networks, machines, disks and addresses, by the names,
//! attributes and import ids of Terraform's provider (hashicorp/azurerm 4.55), so that files and
//! habits hold.
//!
//! It never keeps or shows credentials, never reads state or files of the stack, never adopts what
//! it did not make, and never makes a thing twice. One object's way:
//!
//! 1. `schema` has the names and types as Terraform's provider declares them, and beside them the
//!    rules: what replaces, defaults, what is not served and is refused
//!    ([`weir_provider::declared`]).
//! 2. `settings` reads the provider block and the environment; `credentials` finds who calls.
//! 3. `client` is a subscription: it sends JSON to Azure Resource Manager over Microsoft's
//!    `azure_core` with a token of `azure_identity`. [`weir_provider::cloud`] drives every
//!    operation over it.
//! 4. `resource` has what is the same for all types: an id made of names, a PUT that is refused
//!    where something of the name is there already, a tag that says which operation made a thing,
//!    and reading back. A file in `resources` has one type's body and what of it is which
//!    attribute; a file in `data` those of a data source.
//! 5. `operation` waits for what Azure does in the background, and keeps the code and the message
//!    that it ends with.
//! 6. `failure` says what Azure's codes mean: what is tried again, what is gone, in use, or out of
//!    capacity.
//!
//! The generated crates `azure_mgmt_*` are not used: they are no longer made, they lose fields that
//! they do not know and the errors of operations in the background. Bodies are held against the
//! models of Microsoft's present packages by the fake that the tests run on (`weir-clouds`).

#![cfg(feature = "sdk")]

mod client;
mod credentials;
mod data;
mod failure;
mod operation;
mod resource;
mod resources;
mod schema;
mod settings;
mod tags;
mod transport;

pub use weir_provider::cloud::Pacing;

/// The provider.
pub type AzureProvider = weir_provider::cloud::Served<client::Azure>;
