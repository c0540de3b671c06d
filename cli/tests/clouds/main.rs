//! The `weir` that has all three clouds, on moto and on the fakes of Azure and Google: pools, from
//! their first machine to their last; stacks of every type; every way to sign in.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    unreachable_pub
)] // helpers of tests

mod azure;
mod cloud;
#[path = "../common/mod.rs"]
mod common;
mod crashes;
mod fake;
mod gate;
mod google;
mod machine;
mod network;
mod pools;
mod rounds;
mod world;
