//! SSH to a machine: one authenticated connection, shared by all who need it.
//!
//! It knows nothing of agents, pods or stacks. It never reads the environment,
//! never trusts a host key that nobody vouched for, and never runs a shell on
//! the way to a unix socket.
//!
//! 1. A [`Connector`] takes an [`Endpoint`]; bastions are dialled first, once
//!    for all machines behind them.
//! 2. What is known about the host's key is read ([`HostKeyPolicy`]) and decides
//!    which algorithms are negotiated, so that a host with several keys presents
//!    one that is known.
//! 3. The key exchange proves the host, or ends in a [`HostKeyError`].
//! 4. Key files, then the keys of `ssh-agent`, log the user in.
//! 5. A [`Session`] opens channels: [`Session::open_unix`] for the hot path,
//!    [`Session::exec`] and [`Session::upload`] for the rest.

mod auth;
mod connect;
mod endpoint;
mod error;
mod host_key;
mod host_key_error;
mod known_hosts;
mod session;
pub mod shell;

pub use connect::Connector;
pub use endpoint::{AgentUse, Endpoint, Environment, Hop, HostKeyPolicy, KeyText, Timing};
pub use error::{AuthRefused, ChannelKind, KeyFileError, Phase, Refusal, SshError, TriedKey};
pub use host_key_error::{Access, HostKeyError, KnownAt, Location, ShownKey};
pub use russh::keys::PublicKey;
pub use session::{ExitStatus, Output, Session, Stream};
