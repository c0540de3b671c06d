//! How a host is reached: its attributes, made plain, and small enough to be
//! kept beside every pod on it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use weir_core::Value;

use crate::attributes::{Attributes, Faults};
use crate::ssh::{AgentUse, Endpoint, Environment, Hop, HostKeyPolicy, KeyText, PublicKey, Timing};

/// The login name where neither host nor site names one.
const DEFAULT_USER: &str = "root";
const DEFAULT_PORT: u16 = 22;

/// Where a host is and how it is reached. Keys are named by their files, but
/// for one that the stack itself made: that is never shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Connection {
    /// `site/name`.
    pub(crate) host: String,
    /// The way to it.
    pub(crate) way: Way,
}

/// The way to a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Way {
    /// It is this machine.
    Local {
        /// The agent's home; `None` for the usual place.
        home: Option<String>,
    },
    /// Over SSH.
    Ssh {
        /// The machine itself.
        target: Server,
        /// Whether its key is taken on trust where none is known.
        #[serde(default)]
        trust_on_first_use: bool,
        /// What stands in front of it, outermost first.
        #[serde(default)]
        bastions: Vec<Server>,
    },
}

/// An SSH server, as a stack describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    #[serde(default)]
    pub(crate) private_key_file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) private_key: Option<KeyText>,
    #[serde(default)]
    pub(crate) host_key: Vec<String>,
}

impl Connection {
    /// From the attributes of a `weir_host`; `None` while they are not known or
    /// don't fit.
    pub(crate) fn of(value: &Value, faults: &mut Faults) -> Option<Self> {
        let a = Attributes::root(value);
        let local = match a.text("connection") {
            Some("local") => true,
            None | Some("ssh") => false,
            Some(other) => {
                let cause = format!("{other:?} is neither `ssh` nor `local`");
                faults.push(&a.place("connection"), cause);
                return None;
            }
        };
        let way = if local {
            Way::Local {
                home: a.owned("home"),
            }
        } else {
            let bastions = a.items("bastion");
            let servers: Vec<_> = bastions.iter().map(|b| server(b, faults)).collect();
            Way::Ssh {
                target: server(&a, faults)?,
                trust_on_first_use: a.flag("trust_on_first_use"),
                bastions: servers.into_iter().collect::<Option<_>>()?,
            }
        };
        let needed = [
            "connection",
            "name",
            "site",
            "home",
            "bastion",
            "host_key",
            "private_key",
            "private_key_file",
            "trust_on_first_use",
        ];
        if needed.iter().any(|name| a.is_unknown(name)) {
            return None;
        }
        let host = format!("{}/{}", a.text("site")?, a.text("name")?);
        Some(Self { host, way })
    }

    /// What to dial; `None` for this machine.
    pub(crate) fn endpoint(&self, env: &Environment) -> Option<Endpoint> {
        let Way::Ssh {
            target,
            trust_on_first_use,
            bastions,
        } = &self.way
        else {
            return None;
        };
        let mut hop = target.hop(env);
        if *trust_on_first_use && let HostKeyPolicy::KnownHosts { files } = hop.host_key {
            hop.host_key = HostKeyPolicy::TrustOnFirstUse { files };
        }
        Some(Endpoint {
            target: hop,
            bastions: bastions.iter().map(|server| server.hop(env)).collect(),
            timing: Timing::default(),
        })
    }
}

impl Server {
    fn hop(&self, env: &Environment) -> Hop {
        // `of` has parsed these; what state holds came through it.
        let pinned: Vec<_> = self
            .host_key
            .iter()
            .filter_map(|line| PublicKey::from_openssh(line).ok())
            .collect();
        let key = self.private_key_file.as_deref().map(|p| expand(p, env));
        Hop {
            address: self.address.clone(),
            port: self.port,
            user: self.user.clone(),
            key: self.private_key.clone(),
            agent: if key.is_some() || self.private_key.is_some() {
                AgentUse::EncryptedFilesOnly
            } else {
                AgentUse::AfterFiles
            },
            keys: key.into_iter().collect(),
            host_key: if self.host_key.is_empty() {
                HostKeyPolicy::KnownHosts {
                    files: env.known_hosts(),
                }
            } else {
                HostKeyPolicy::Pinned(pinned)
            },
        }
    }
}

/// The server that a host or a bastion describes.
fn server(a: &Attributes<'_>, faults: &mut Faults) -> Option<Server> {
    let port = match a.whole("port") {
        None => Some(DEFAULT_PORT),
        Some(number) => {
            let port = number.ok().and_then(|n| u16::try_from(n).ok());
            let port = port.filter(|&n| n > 0);
            if port.is_none() {
                faults.push(&a.place("port"), "a port is a number from 1 to 65535");
            }
            port
        }
    };
    for (index, line) in a.texts("host_key").into_iter().enumerate() {
        if let Err(error) = PublicKey::from_openssh(line) {
            let cause = format!("{error}; write it as `ssh-ed25519 AAAA...`");
            faults.push(&a.place("host_key").index(index), cause);
        }
    }
    if a.value().get("address").is_none_or(Value::is_null) {
        faults.push(
            a.path(),
            "a machine that is reached over SSH needs `address`",
        );
    }
    let unknown = ["port", "user"].iter().any(|name| a.is_unknown(name));
    if unknown || faults.0.iter().any(|f| f.path.0.starts_with(&a.path().0)) {
        return None;
    }
    Some(Server {
        address: a.owned("address")?,
        port: port?,
        user: a.text("user").unwrap_or(DEFAULT_USER).to_owned(),
        private_key_file: a.owned("private_key_file"),
        private_key: a.owned("private_key").map(KeyText),
        host_key: a.texts("host_key").into_iter().map(str::to_owned).collect(),
    })
}

/// A path with `~/` replaced by the home of the user who runs weir.
pub(crate) fn expand(path: &str, env: &Environment) -> PathBuf {
    match (path.strip_prefix("~/"), &env.home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}
