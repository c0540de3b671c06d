//! The provider on the fake of Azure Resource Manager.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // tests

mod behaviour;
mod changes;
mod conformance;
mod errors;
mod tables;
mod trap;
mod world;
