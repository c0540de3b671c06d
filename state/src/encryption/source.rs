//! Where the key that wraps data keys lies.

use super::{
    EncryptionError, WrappedKey, file,
    keyring::{DataKey, KEY, random},
    wrapped::By,
};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::{
    fmt,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use zeroize::Zeroizing;

/// Cost of Argon2id, as OWASP's cheat sheet on passwords asks for at least: KiB of memory, passes,
/// lanes. A data key keeps the cost it was wrapped with.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

/// Where the key that wraps data keys lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// In a file that [`KeySource::create_file`] made.
    File(PathBuf),
    /// Behind a passphrase.
    Passphrase(Passphrase),
    /// With a key management service. Both commands get one line and give one: `wrap` a data key
    /// in base64, for which it gives any text; `unwrap` that text, for which it gives the key in
    /// base64.
    Command {
        /// Program and arguments.
        wrap: Vec<String>,
        /// Program and arguments.
        unwrap: Vec<String>,
    },
}

/// A passphrase: never printed, and wiped from memory when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// This passphrase.
    pub fn new(text: impl Into<String>) -> Passphrase {
        Passphrase(Zeroizing::new(text.into()))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(...)")
    }
}

impl KeySource {
    /// Makes a key file, mode 0600, unless one is there. Says whether it did.
    ///
    /// # Errors
    /// It can't be written.
    pub fn create_file(path: &Path) -> Result<bool, EncryptionError> {
        file::create(path)
    }

    /// Its kind, as the language names it.
    pub fn kind(&self) -> &'static str {
        match self {
            KeySource::File(_) => "file",
            KeySource::Passphrase(_) => "passphrase",
            KeySource::Command { .. } => "command",
        }
    }

    /// Whether a source of this kind wrapped it.
    pub(super) fn wrapped(&self, wrapped: &WrappedKey) -> bool {
        self.kind() == wrapped.by.kind()
    }

    pub(super) fn wrap(&self, key: &DataKey) -> Result<WrappedKey, EncryptionError> {
        let (by, wrapped) = match self {
            KeySource::File(path) => {
                let outer = file::read(path)?;
                let by = By::File {
                    fingerprint: file::fingerprint(&outer),
                };
                (by, seal(key, outer)?)
            }
            KeySource::Passphrase(passphrase) => {
                let salt = random::<16>()?;
                let (memory, passes, lanes) = COST;
                let outer = derive(passphrase, &salt, COST)?;
                let by = By::Passphrase {
                    salt: BASE64_STANDARD.encode(salt),
                    memory,
                    passes,
                    lanes,
                };
                (by, seal(key, outer)?)
            }
            KeySource::Command { wrap, .. } => {
                let plain = Zeroizing::new(BASE64_STANDARD.encode(key.bytes()));
                let wrapped = run(wrap, &plain)?.trim().to_owned();
                if wrapped.is_empty() {
                    return Err(command_error(wrap, "it printed nothing"));
                }
                (By::Command {}, wrapped)
            }
        };
        Ok(WrappedKey {
            id: key.id().to_owned(),
            by,
            wrapped,
        })
    }

    pub(super) fn unwrap(&self, wrapped: &WrappedKey) -> Result<DataKey, EncryptionError> {
        match (self, &wrapped.by) {
            (KeySource::File(path), By::File { fingerprint }) => {
                let outer = file::read(path)?;
                let found = file::fingerprint(&outer);
                if found != *fingerprint {
                    return Err(EncryptionError::OtherKey {
                        path: path.clone(),
                        found,
                        wanted: fingerprint.clone(),
                    });
                }
                open(wrapped, outer).ok_or_else(|| changed(wrapped))
            }
            (
                KeySource::Passphrase(passphrase),
                By::Passphrase {
                    salt,
                    memory,
                    passes,
                    lanes,
                },
            ) => {
                let salt = BASE64_STANDARD.decode(salt).map_err(|_| changed(wrapped))?;
                let outer = derive(passphrase, &salt, (*memory, *passes, *lanes))?;
                open(wrapped, outer).ok_or(EncryptionError::WrongPassphrase)
            }
            (KeySource::Command { unwrap, .. }, By::Command {}) => {
                let plain = run(unwrap, &wrapped.wrapped)?;
                let bytes = BASE64_STANDARD
                    .decode(plain.trim())
                    .map(Zeroizing::new)
                    .map_err(|_| command_error(unwrap, "what it printed is not base64"))?;
                let bytes: [u8; KEY] = bytes.as_slice().try_into().map_err(|_| {
                    command_error(unwrap, "what it printed is not a key of 32 bytes")
                })?;
                Ok(DataKey::from_bytes(
                    wrapped.id.clone(),
                    Zeroizing::new(bytes),
                ))
            }
            (given, by) => Err(EncryptionError::OtherKind {
                wanted: by.kind(),
                given: given.kind(),
            }),
        }
    }
}

fn changed(wrapped: &WrappedKey) -> EncryptionError {
    EncryptionError::Changed {
        what: format!("data key {}", wrapped.id),
    }
}

/// What a data key is bound to when it is wrapped.
fn context(id: &str) -> String {
    format!("weir data key {id}")
}

fn seal(key: &DataKey, outer: Zeroizing<[u8; KEY]>) -> Result<String, EncryptionError> {
    let outer = DataKey::from_bytes(String::new(), outer);
    let sealed = outer.seal(context(key.id()).as_bytes(), key.bytes())?;
    Ok(BASE64_STANDARD.encode(sealed))
}

fn open(wrapped: &WrappedKey, outer: Zeroizing<[u8; KEY]>) -> Option<DataKey> {
    let outer = DataKey::from_bytes(String::new(), outer);
    let sealed = BASE64_STANDARD.decode(&wrapped.wrapped).ok()?;
    let plain = Zeroizing::new(outer.open(context(&wrapped.id).as_bytes(), &sealed)?);
    let bytes: [u8; KEY] = plain.as_slice().try_into().ok()?;
    Some(DataKey::from_bytes(
        wrapped.id.clone(),
        Zeroizing::new(bytes),
    ))
}

fn derive(
    passphrase: &Passphrase,
    salt: &[u8],
    (memory, passes, lanes): (u32, u32, u32),
) -> Result<Zeroizing<[u8; KEY]>, EncryptionError> {
    let wrong = |e: argon2::Error| EncryptionError::NoRandomness(e.to_string());
    let params = Params::new(memory, passes, lanes, Some(KEY)).map_err(wrong)?;
    let mut key = Zeroizing::new([0; KEY]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.0.as_bytes(), salt, &mut *key)
        .map_err(wrong)?;
    Ok(key)
}

/// Runs a command, gives it one line, and returns what it prints. What it says on its standard
/// error goes into the error: it is the reason, and the key is on neither side of it.
fn run(command: &[String], line: &str) -> Result<Zeroizing<String>, EncryptionError> {
    let Some((program, args)) = command.split_first() else {
        return Err(command_error(command, "it is empty"));
    };
    let failed = |e: std::io::Error| command_error(command, &e.to_string());
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that does not read its input says itself what it wants.
        let _ = writeln!(stdin, "{line}");
    }
    let mut out = Zeroizing::new(String::new());
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut out).map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(out);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let cause = match said.trim() {
        "" => output.status.to_string(),
        said => format!("{said} ({})", output.status),
    };
    Err(command_error(command, &cause))
}

fn command_error(command: &[String], cause: &str) -> EncryptionError {
    EncryptionError::Command {
        // Arguments may hold what is nobody's business.
        command: command.first().cloned().unwrap_or_default(),
        cause: cause.to_owned(),
    }
}
