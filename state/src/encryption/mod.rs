//! Encryption at rest.
//!
//! What a store and a plan file keep of the world (values, outputs, messages of providers) is
//! sealed with AES-256-GCM under a *data key* (NIST SP 800-38D). The data key itself lies beside
//! it, wrapped by a key that lies elsewhere: in a file, behind a passphrase (Argon2id, RFC 9106),
//! or in a key management service that a command asks. So a new passphrase wraps 32 bytes anew
//! instead of a whole state. Addresses, times, serials and who held the lease stay readable: a
//! store looks rows up by them.
//!
//! 1. [`Encryption::new_data_key`] makes a data key and wraps it with the primary [`KeySource`];
//! 2. the store keeps it as a [`WrappedKey`];
//! 3. [`Encryption::unlock`] unwraps all that a store keeps, with the primary source or one of the
//!    fallbacks, into a [`Keyring`];
//! 4. [`Keyring::seal`] and [`Keyring::open`] bind each text to where it lies, so that rows can't
//!    be exchanged for each other.

mod file;
mod keyring;
mod sealed;
mod source;
mod wrapped;

pub use keyring::Keyring;
pub use sealed::{SEALED, is_sealed, open_file, seal_file};
pub use source::{KeySource, Passphrase};
pub use wrapped::WrappedKey;

use std::{io, path::PathBuf};

/// With what a store is encrypted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encryption {
    /// Wraps new data keys. Without one, what is made anew is not encrypted.
    pub primary: Option<KeySource>,
    /// Unwrap what the primary can't: sources that were primary once.
    pub fallbacks: Vec<KeySource>,
}

impl Encryption {
    /// With this source and no fallback.
    pub fn new(primary: KeySource) -> Encryption {
        Encryption {
            primary: Some(primary),
            fallbacks: Vec::new(),
        }
    }

    /// Makes a data key, wrapped by the primary source; `None` without one.
    ///
    /// # Errors
    /// The source can't be used.
    pub fn new_data_key(&self) -> Result<Option<Keyring>, EncryptionError> {
        let Some(primary) = &self.primary else {
            return Ok(None);
        };
        let key = keyring::DataKey::generate()?;
        let wrapped = primary.wrap(&key)?;
        Ok(Some(Keyring::new(vec![(wrapped, key)])))
    }

    /// Unwraps the data keys that a store keeps, oldest first; the last one seals.
    ///
    /// # Errors
    /// No source unwraps one of them: the error of the source that should have.
    pub fn unlock(&self, keys: Vec<WrappedKey>) -> Result<Keyring, EncryptionError> {
        let mut unwrapped = Vec::with_capacity(keys.len());
        for wrapped in keys {
            let key = self.unwrap(&wrapped)?;
            unwrapped.push((wrapped, key));
        }
        Ok(Keyring::new(unwrapped))
    }

    fn unwrap(&self, wrapped: &WrappedKey) -> Result<keyring::DataKey, EncryptionError> {
        let mut first = None;
        for source in self.primary.iter().chain(&self.fallbacks) {
            match source.unwrap(wrapped) {
                Ok(key) => return Ok(key),
                // What the primary says counts, unless a fallback is of the kind that is asked for.
                Err(e) if first.is_none() || source.wrapped(wrapped) => first = Some(e),
                Err(_) => {}
            }
        }
        Err(first.unwrap_or(EncryptionError::NoKey))
    }
}

/// What can go wrong with a key, and what to do next. None of them changes anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncryptionError {
    /// The key file is not there.
    #[error(
        "the key file {path} is not there, and without it this can't be read. Put the file back, or name the place it is at in `encryption {{ key \"file\" {{ path = ... }} }}`"
    )]
    NoFile {
        /// The file.
        path: PathBuf,
    },
    /// The key file can't be read.
    #[error("the key file {path} can't be used: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// The key file holds something else.
    #[error(
        "{path} is no key file of weir: {cause}. Name the right file, or restore this one from a copy"
    )]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// The file holds another key than the one it was encrypted with.
    #[error(
        "{path} holds the key {found}, and this was encrypted with the key {wanted}. Put that key file there, or name it as a `fallback`"
    )]
    OtherKey {
        /// The file.
        path: PathBuf,
        /// The fingerprint of the key in the file.
        found: String,
        /// The fingerprint of the key that is asked for.
        wanted: String,
    },
    /// The passphrase does not open it.
    #[error("the passphrase is not the one this was encrypted with")]
    WrongPassphrase,
    /// The command failed.
    #[error("the key command `{command}` failed: {cause}")]
    Command {
        /// The program.
        command: String,
        /// Why.
        cause: String,
    },
    /// It was wrapped by a source of another kind.
    #[error(
        "this was encrypted with a key of kind {wanted:?}, and `encryption` names one of kind {given:?}. Name the other one as a `fallback` too"
    )]
    OtherKind {
        /// The kind that wrapped it.
        wanted: &'static str,
        /// The kind that was given.
        given: &'static str,
    },
    /// It is encrypted, and no key was given.
    #[error(
        "this is encrypted, and no key was given. Name it in the stack: `encryption {{ key \"file\" {{ path = ... }} }}`"
    )]
    NoKey,
    /// What was sealed does not open: it was changed, or lies elsewhere than it was put.
    #[error("{what} does not decrypt: it was changed since weir wrote it")]
    Changed {
        /// What it is of.
        what: String,
    },
    /// Something is not encrypted where everything is.
    #[error("{what} is not encrypted, and everything here is: weir did not write it")]
    NotSealed {
        /// What it is of.
        what: String,
    },
    /// The system has no randomness, or what was made of it is unusable.
    #[error("no key can be made: {0}")]
    NoRandomness(String),
}

impl EncryptionError {
    fn file(path: &std::path::Path, e: &io::Error) -> EncryptionError {
        match e.kind() {
            io::ErrorKind::NotFound => EncryptionError::NoFile { path: path.into() },
            _ => EncryptionError::File {
                path: path.into(),
                cause: e.to_string(),
            },
        }
    }
}
