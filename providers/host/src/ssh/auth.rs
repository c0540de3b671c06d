//! Authentication: key files first, then the keys of `ssh-agent`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::MethodSet;
use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, decode_secret_key};
use tokio::net::UnixStream;

use super::connect::ClientHandler;
use super::endpoint::{AgentUse, Environment, Hop};
use super::error::{AuthRefused, KeyFileError, SshError, TriedKey};

/// A key to offer.
enum Candidate {
    File { path: PathBuf, key: Arc<PrivateKey> },
    Text(Arc<PrivateKey>),
    Agent(Box<AgentIdentity>),
}

impl Candidate {
    fn public_key(&self) -> PublicKey {
        match self {
            Self::File { key, .. } | Self::Text(key) => key.public_key().clone(),
            Self::Agent(identity) => identity.public_key().into_owned(),
        }
    }

    fn origin(&self) -> String {
        match self {
            Self::File { path, .. } => path.display().to_string(),
            Self::Text(_) => "the key of its `private_key`".into(),
            Self::Agent(identity) if identity.comment().is_empty() => "a key of ssh-agent".into(),
            Self::Agent(identity) => format!("ssh-agent's {}", identity.comment()),
        }
    }
}

/// The keys for one hop, in the order in which they are offered.
pub(super) struct Credentials {
    candidates: Vec<Candidate>,
    agent: Option<AgentClient<UnixStream>>,
    /// The first encrypted file no agent could stand in for.
    locked: Option<PathBuf>,
    notes: Vec<String>,
}

impl Credentials {
    /// Reads the key files and asks the agent, where the hop allows it.
    ///
    /// # Errors
    /// A named key file that is absent, unreadable or no private key.
    pub(super) async fn gather(hop: &Hop, env: &Environment) -> Result<Self, SshError> {
        let text = hop.key.as_ref().map(|text| {
            let place = Path::new("`private_key`");
            parse_key(&text.0).map_err(|cause| key_file(place, cause))
        });
        let text = text.transpose()?;
        let paths = if hop.keys.is_empty() && text.is_none() {
            env.default_keys()
        } else {
            hop.keys.clone()
        };
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            let key = read_key(&path).await;
            files.push((key.map_err(|cause| key_file(&path, cause))?, path));
        }
        let encrypted = files.iter().any(|(key, _)| key.is_encrypted());
        let mut this = Self {
            candidates: text
                .map(|k| Candidate::Text(Arc::new(k)))
                .into_iter()
                .collect(),
            agent: None,
            locked: None,
            notes: Vec::new(),
        };
        let mut identities = Vec::new();
        if (hop.agent == AgentUse::AfterFiles || encrypted)
            && let Some(socket) = &env.ssh_auth_sock
        {
            match identities_of(socket).await {
                Ok((agent, held)) => {
                    this.agent = Some(agent);
                    identities = held;
                }
                Err(cause) => this
                    .notes
                    .push(format!("ssh-agent at {} failed: {cause}", socket.display())),
            }
        }
        for (key, path) in files {
            if !key.is_encrypted() {
                let key = Arc::new(key);
                this.candidates.push(Candidate::File { path, key });
                continue;
            }
            let held = identities
                .iter()
                .position(|i| i.public_key().key_data() == key.public_key().key_data());
            match held {
                Some(index) => this
                    .candidates
                    .push(Candidate::Agent(Box::new(identities.remove(index)))),
                None => this.locked = this.locked.or(Some(path)),
            }
        }
        if hop.agent == AgentUse::AfterFiles {
            this.candidates.extend(
                identities
                    .into_iter()
                    .map(|i| Candidate::Agent(Box::new(i))),
            );
        }
        Ok(this)
    }

    /// Offers the keys until the server takes one.
    ///
    /// # Errors
    /// Every key was refused, or the only hope was an encrypted file.
    pub(super) async fn authenticate(
        mut self,
        handle: &mut Handle<ClientHandler>,
        hop: &Hop,
    ) -> Result<(), SshError> {
        let mut tried: Vec<TriedKey> = Vec::new();
        let mut server_takes = MethodSet::empty();
        for candidate in std::mem::take(&mut self.candidates) {
            let public = candidate.public_key();
            let fingerprint = public.fingerprint(HashAlg::Sha256).to_string();
            if tried.iter().any(|t| t.fingerprint == fingerprint) {
                continue;
            }
            tried.push(TriedKey {
                origin: candidate.origin(),
                fingerprint,
            });
            match self.offer(candidate, &public, handle, &hop.user).await {
                Ok(AuthResult::Success) => return Ok(()),
                Ok(AuthResult::Failure {
                    remaining_methods,
                    partial_success,
                }) => {
                    if partial_success {
                        self.notes
                            .push("the server took a key and asks for a second factor".into());
                    }
                    server_takes = remaining_methods;
                }
                Err(cause) => self.notes.push(cause),
            }
            if handle.is_closed() {
                self.notes
                    .push("the server hung up: too many keys, or it bars this user".into());
                break;
            }
        }
        if let Some(path) = self.locked {
            return Err(key_file(&path, KeyFileError::Encrypted));
        }
        Err(SshError::AuthRefused(Box::new(AuthRefused {
            address: hop.to_string(),
            user: hop.user.clone(),
            tried,
            server_takes: server_takes.iter().map(String::from).collect(),
            notes: self.notes,
        })))
    }

    async fn offer(
        &mut self,
        candidate: Candidate,
        public: &PublicKey,
        handle: &mut Handle<ClientHandler>,
        user: &str,
    ) -> Result<AuthResult, String> {
        let hash = if public.algorithm().is_rsa() {
            rsa_hash(handle).await
        } else {
            None
        };
        let identity = match candidate {
            Candidate::File { key, .. } | Candidate::Text(key) => {
                return handle
                    .authenticate_publickey(user, PrivateKeyWithHashAlg::new(key, hash))
                    .await
                    .map_err(|e| e.to_string());
            }
            Candidate::Agent(identity) => *identity,
        };
        let Some(agent) = &mut self.agent else {
            return Err("ssh-agent has gone".into());
        };
        let answer = match identity {
            AgentIdentity::PublicKey { key, .. } => {
                handle
                    .authenticate_publickey_with(user, key, hash, agent)
                    .await
            }
            AgentIdentity::Certificate { certificate, .. } => {
                handle
                    .authenticate_certificate_with(user, certificate, hash, agent)
                    .await
            }
        };
        answer.map_err(|e| format!("ssh-agent did not sign: {e}"))
    }
}

/// The hash for an RSA signature: the server's best, SHA-512 where it doesn't say.
async fn rsa_hash(handle: &Handle<ClientHandler>) -> Option<HashAlg> {
    match handle.best_supported_rsa_hash().await {
        Ok(Some(hash)) => hash,
        Ok(None) | Err(_) => Some(HashAlg::Sha512),
    }
}

async fn identities_of(
    socket: &Path,
) -> Result<(AgentClient<UnixStream>, Vec<AgentIdentity>), russh::keys::Error> {
    let mut agent = AgentClient::connect(UnixStream::connect(socket).await?);
    let identities = agent.request_identities().await?;
    Ok((agent, identities))
}

/// Reads a private key; one in OpenSSH's format may still be encrypted, since
/// its public half, by which the agent finds it, stands there in clear.
async fn read_key(path: &Path) -> Result<PrivateKey, KeyFileError> {
    let text = tokio::fs::read_to_string(path)
        .await
        .map_err(KeyFileError::Read)?;
    parse_key(&text)
}

fn parse_key(text: &str) -> Result<PrivateKey, KeyFileError> {
    if let Ok(key) = PrivateKey::from_openssh(text) {
        return Ok(key);
    }
    match decode_secret_key(text, None) {
        Ok(key) => Ok(key),
        Err(russh::keys::Error::KeyIsEncrypted) => Err(KeyFileError::Encrypted),
        Err(error) => Err(KeyFileError::Parse(error.to_string())),
    }
}

fn key_file(path: &Path, cause: KeyFileError) -> SshError {
    SshError::KeyFile {
        path: path.to_owned(),
        cause,
    }
}
