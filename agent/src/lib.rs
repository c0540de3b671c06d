//! What weir and its agent on each host say to each other, and a client to say it with.
//!
//! The library holds three things: the goal ([`wire::HostSpec`]), what is
//! ([`wire::HostReport`]), and the frames that carry them ([`wire::frame`]). The daemon
//! itself is the binary of this package; it is not part of the library, so that a crate that
//! only talks to agents compiles none of it.
//!
//! The library never opens a connection: [`Client`] is given a stream (a Unix socket, or an
//! SSH channel that ends at one) and never logs or prints what passes over it.
//!
//! The main flow:
//! 1. [`Client::connect`] exchanges [`wire::Hello`]; both sides refuse another wire version.
//! 2. [`Client::have_blobs`] and [`Client::put_blob`] bring artifacts the host can't fetch.
//! 3. [`Client::apply`] sends a [`wire::HostSpec`]; the agent streams [`wire::Event`]s.
//! 4. The stream ends with a [`wire::HostReport`], which holds an error per failed pod.
//! 5. [`Client::status`] gives the same report later: from what is, not from a record.

pub mod client;
pub mod wire;

pub use client::{Client, ClientError};
