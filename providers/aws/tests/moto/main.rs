//! The provider against moto, which answers as EC2 does. Skipped, said aloud, where moto is not
//! installed.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)] // helpers of tests

mod changes;
mod conformance;
mod data;
mod errors;
mod filled;
mod proxy;
mod server;
mod settle;
mod tables;
