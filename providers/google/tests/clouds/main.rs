//! The provider against the fake of Google Compute, whose requests are checked against Google's own
//! description of the API where PyPI's `google-api-python-client` is installed.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)] // helpers of tests

mod changes;
mod conformance;
mod data;
mod errors;
mod faults;
mod server;
mod trap;
