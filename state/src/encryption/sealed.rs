//! Sealed files: plans.
//!
//! One line of JSON names the format and holds the wrapped data key; what follows is sealed, and
//! bound to that line.

use super::{Encryption, EncryptionError, KeySource, Keyring, WrappedKey};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// How a sealed file names its format.
pub const SEALED: &str = "weir-sealed";
/// What a sealed file begins with.
const START: &[u8] = b"{\"format\":\"weir-sealed\"";
/// The version this program writes.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
    key: WrappedKey,
    /// Where the file of the key that wraps was. It is looked at where no source fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_file: Option<PathBuf>,
}

/// Whether this is what [`seal_file`] made.
pub fn is_sealed(bytes: &[u8]) -> bool {
    bytes.starts_with(START)
}

/// Seals a file with the current key of the ring. It carries that key, wrapped, so that it can be
/// opened where the store is not, and the place of the key file that unwraps it, if that is what
/// does.
///
/// # Errors
/// The system gives no randomness.
pub fn seal_file(
    ring: &Keyring,
    key_file: Option<&Path>,
    plain: &[u8],
) -> Result<Vec<u8>, EncryptionError> {
    let (wrapped, key) = ring.current()?;
    let head = Head {
        format: SEALED.to_owned(),
        version: VERSION,
        key: wrapped.clone(),
        key_file: key_file.map(Path::to_owned),
    };
    let mut out = serde_json::to_vec(&head)
        .unwrap_or_else(|e| unreachable!("texts and numbers are always JSON: {e}"));
    out.push(b'\n');
    let sealed = key.seal(&out, plain)?;
    out.extend(sealed);
    Ok(out)
}

/// What [`seal_file`] sealed.
///
/// # Errors
/// It is no such file, it was changed, or no source of `encryption` unwraps its key.
pub fn open_file(encryption: &Encryption, sealed: &[u8]) -> Result<Vec<u8>, EncryptionError> {
    let changed = || EncryptionError::Changed {
        what: "the file".to_owned(),
    };
    let end = sealed
        .iter()
        .position(|b| *b == b'\n')
        .ok_or_else(changed)?;
    let (head, body) = sealed.split_at(end + 1);
    let parsed: Head = serde_json::from_slice(head).map_err(|_| changed())?;
    if parsed.format != SEALED || parsed.version != VERSION {
        return Err(changed());
    }
    let ring = match (encryption.unlock(vec![parsed.key.clone()]), parsed.key_file) {
        (Err(error), Some(path)) => {
            let there = Encryption::new(KeySource::File(path));
            there.unlock(vec![parsed.key]).map_err(|_| error)?
        }
        (unlocked, _) => unlocked?,
    };
    let (_, key) = ring.current()?;
    key.open(head, body).ok_or_else(changed)
}
