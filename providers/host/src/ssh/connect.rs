//! From an [`Endpoint`] to a [`Session`]: dial, prove the host, log in.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures::{FutureExt, TryFutureExt};
use russh::client::{self, DisconnectReason, Handle};
use russh::keys::PublicKeyOrCertificate;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::auth::Credentials;
use super::endpoint::{Endpoint, Environment, Hop, Timing, authority};
use super::error::{Phase, Refusal, SshError};
use super::host_key::HostKeyCheck;
use super::host_key_error::HostKeyError;
use super::session::Session;
use crate::shared::Shared;

/// How often a server is dialled again that hangs up before its key exchange:
/// sshd does so at random while too many others log in (`MaxStartups`).
const REDIALS: u32 = 4;
/// Wait before the first of these; it doubles each time.
const REDIAL_PAUSE: Duration = Duration::from_millis(150);

type Bastion = Shared<Session, Arc<SshError>>;

/// Opens sessions, and keeps those to bastions, which all machines behind them
/// share.
#[derive(Debug, Default)]
pub struct Connector {
    env: Environment,
    /// By the chain of hops that leads to a bastion and ends with it.
    bastions: Mutex<HashMap<Vec<Hop>, Arc<Bastion>>>,
}

impl Connector {
    /// A connector for one user's keys, agent and `known_hosts`.
    #[must_use]
    pub fn new(env: Environment) -> Self {
        Self {
            env,
            bastions: Mutex::default(),
        }
    }

    /// Connects to a machine. Many may be dialled at once.
    ///
    /// # Errors
    /// Any [`SshError`] but `Channel` and `Remote`; `Bastion` when a machine on
    /// the way is at fault.
    pub async fn connect(&self, endpoint: &Endpoint) -> Result<Session, SshError> {
        let mut via = None;
        for length in 1..=endpoint.bastions.len() {
            let chain = &endpoint.bastions[..length];
            let session = self.bastion(chain, via, endpoint.timing).await;
            via = Some(session.map_err(|source| SshError::Bastion {
                hop: chain[length - 1].to_string(),
                source,
            })?);
        }
        self.dial(&endpoint.target, via, endpoint.timing).await
    }

    /// The session to the last hop of a chain, dialled by the first who asks.
    async fn bastion(
        &self,
        chain: &[Hop],
        via: Option<Session>,
        timing: Timing,
    ) -> Result<Session, Arc<SshError>> {
        let shared = {
            // The map is sound whatever panicked while holding it.
            let mut bastions = self.bastions.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(bastions.entry(chain.to_vec()).or_default())
        };
        let hop = &chain[chain.len() - 1];
        let dial = || {
            let dial = self.dial(hop, via.clone(), timing);
            dial.map_err(Arc::new).boxed()
        };
        shared.get(|session| !session.is_closed(), dial).await
    }

    async fn dial(
        &self,
        hop: &Hop,
        via: Option<Session>,
        timing: Timing,
    ) -> Result<Session, SshError> {
        let (mut handle, ended) = exchange_keys(hop, via.as_ref(), timing).await?;
        let login = async {
            let credentials = Credentials::gather(hop, &self.env).await?;
            credentials.authenticate(&mut handle, hop).await
        };
        within(timing.connect, Phase::Authentication, hop, login).await?;
        Ok(Session::new(handle, hop, ended, via))
    }
}

/// Connects and exchanges keys, again where the server hangs up before.
async fn exchange_keys(
    hop: &Hop,
    via: Option<&Session>,
    timing: Timing,
) -> Result<(Handle<ClientHandler>, Ended), SshError> {
    let mut pause = REDIAL_PAUSE;
    for _ in 0..REDIALS {
        match exchange_keys_once(hop, via, timing).await {
            Err(SshError::Handshake { cause, .. }) if hung_up(&cause) => {
                tracing::debug!(hop = %hop, "hung up before the key exchange; dialling again");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            outcome => return outcome,
        }
    }
    exchange_keys_once(hop, via, timing).await
}

async fn exchange_keys_once(
    hop: &Hop,
    via: Option<&Session>,
    timing: Timing,
) -> Result<(Handle<ClientHandler>, Ended), SshError> {
    let check = HostKeyCheck::load(hop).map_err(|error| SshError::HostKey(Box::new(error)))?;
    let config = Arc::new(client::Config {
        preferred: check.preferred(),
        keepalive_interval: Some(timing.keepalive),
        keepalive_max: timing.keepalive_misses,
        nodelay: true,
        ..client::Config::default()
    });
    let ended = Ended::default();
    let handler = ClientHandler {
        check,
        ended: ended.clone(),
    };
    let limit = timing.connect;
    let handle = if let Some(session) = via {
        let open = open_via(session, hop);
        let stream = within(limit, Phase::Connect, hop, open).await?;
        let exchange = handshake(config, stream, handler, hop);
        within(limit, Phase::KeyExchange, hop, exchange).await?
    } else {
        let stream = within(limit, Phase::Connect, hop, open_tcp(hop)).await?;
        let exchange = handshake(config, stream, handler, hop);
        within(limit, Phase::KeyExchange, hop, exchange).await?
    };
    Ok((handle, ended))
}

async fn open_tcp(hop: &Hop) -> Result<TcpStream, SshError> {
    let unreachable = |cause| SshError::Unreachable {
        address: hop.to_string(),
        cause,
    };
    let stream = TcpStream::connect((hop.address.as_str(), hop.port))
        .await
        .map_err(unreachable)?;
    stream.set_nodelay(true).map_err(unreachable)?;
    Ok(stream)
}

/// A TCP connection that starts on the bastion.
async fn open_via(
    session: &Session,
    hop: &Hop,
) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + use<>, SshError> {
    match session.open_tcp(&hop.address, hop.port).await {
        Err(SshError::Channel {
            address, refusal, ..
        }) => Err(SshError::Unreachable {
            address: authority(&hop.address, hop.port),
            cause: io::Error::new(
                match refusal {
                    Refusal::Prohibited => io::ErrorKind::PermissionDenied,
                    _ => io::ErrorKind::ConnectionRefused,
                },
                format!("the bastion {address} did not open a connection to it: {refusal}"),
            ),
        }),
        outcome => outcome,
    }
}

async fn handshake<S>(
    config: Arc<client::Config>,
    stream: S,
    handler: ClientHandler,
    hop: &Hop,
) -> Result<Handle<ClientHandler>, SshError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    client::connect_stream(config, stream, handler)
        .await
        .map_err(|error| match error {
            HandlerError::HostKey(error) => SshError::HostKey(error),
            HandlerError::Protocol(cause) => SshError::Handshake {
                address: hop.to_string(),
                cause,
            },
        })
}

/// Whether the server closed the connection without a word.
fn hung_up(cause: &russh::Error) -> bool {
    match cause {
        russh::Error::Disconnect | russh::Error::HUP => true,
        russh::Error::IO(error) => matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe
        ),
        _ => false,
    }
}

async fn within<T>(
    limit: Duration,
    phase: Phase,
    hop: &Hop,
    work: impl Future<Output = Result<T, SshError>>,
) -> Result<T, SshError> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        Err(SshError::Timeout {
            address: hop.to_string(),
            phase,
            after: limit,
        })
    })
}

/// Why a connection ended, written once by its handler.
#[derive(Debug, Clone, Default)]
pub(super) struct Ended(Arc<OnceLock<String>>);

impl Ended {
    /// The reason, as far as one is known.
    pub(super) fn reason(&self) -> String {
        match self.0.get() {
            Some(reason) => reason.clone(),
            None => "the server closed it".into(),
        }
    }

    fn set(&self, reason: String) {
        // The first reason is the cause; later ones follow from it.
        let _ = self.0.set(reason);
    }
}

/// Our side of the protocol's callbacks: the host key check.
#[derive(Debug)]
pub(super) struct ClientHandler {
    check: HostKeyCheck,
    ended: Ended,
}

/// What a callback may fail with.
#[derive(Debug)]
pub(super) enum HandlerError {
    HostKey(Box<HostKeyError>),
    Protocol(russh::Error),
}

impl From<russh::Error> for HandlerError {
    fn from(error: russh::Error) -> Self {
        Self::Protocol(error)
    }
}

impl client::Handler for ClientHandler {
    type Error = HandlerError;

    async fn check_server_key(
        &mut self,
        presented: &PublicKeyOrCertificate,
    ) -> Result<bool, HandlerError> {
        self.check
            .check(presented)
            .map(|()| true)
            .map_err(|error| HandlerError::HostKey(Box::new(error)))
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<HandlerError>,
    ) -> Result<(), HandlerError> {
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                self.ended.set(format!("the server said: {}", info.message));
                Ok(())
            }
            DisconnectReason::Error(error) => {
                if let HandlerError::Protocol(cause) = &error {
                    self.ended.set(match cause {
                        russh::Error::KeepaliveTimeout => "the machine gave no sign of life".into(),
                        other => other.to_string(),
                    });
                }
                Err(error)
            }
        }
    }
}
