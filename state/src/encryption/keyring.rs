//! Data keys, and what is sealed with them.

use super::{EncryptionError, WrappedKey};
use aes_gcm::{
    Aes256Gcm,
    aead::{Aead, AeadInOut, Generate, Key, KeyInit, Nonce, Payload, Tag},
};
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use std::{fmt, sync::Arc};
use zeroize::Zeroizing;

/// Bytes of a key.
pub(super) const KEY: usize = 32;
/// Bytes of a nonce.
const NONCE: usize = 12;
/// Bytes of what proves that nothing was changed.
const TAG: usize = 16;
/// How a sealed text begins. No text that a store keeps unsealed does.
const MARK: &str = "sealed:";

/// A key that seals. Its bytes are wiped from memory when it is dropped.
pub(super) struct DataKey {
    id: String,
    bytes: Zeroizing<[u8; KEY]>,
    cipher: Aes256Gcm,
}

impl DataKey {
    pub(super) fn generate() -> Result<DataKey, EncryptionError> {
        let key = Key::<Aes256Gcm>::try_generate()
            .map_err(|e| EncryptionError::NoRandomness(e.to_string()))?;
        let id = random::<8>()?;
        let id = id.iter().map(|b| format!("{b:02x}")).collect();
        Ok(DataKey::from_bytes(id, Zeroizing::new(key.into())))
    }

    pub(super) fn from_bytes(id: String, bytes: Zeroizing<[u8; KEY]>) -> DataKey {
        DataKey {
            id,
            cipher: Aes256Gcm::new(&(*bytes).into()),
            bytes,
        }
    }

    /// Tells it from other data keys; says nothing of the key.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn bytes(&self) -> &[u8; KEY] {
        &self.bytes
    }

    /// The nonce, then what was sealed, then the tag.
    pub(super) fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, EncryptionError> {
        let nonce = Nonce::<Aes256Gcm>::try_generate()
            .map_err(|e| EncryptionError::NoRandomness(e.to_string()))?;
        let payload = Payload {
            msg: plain,
            aad: context,
        };
        let sealed = self
            .cipher
            .encrypt(&nonce, payload)
            .map_err(|e| EncryptionError::NoRandomness(e.to_string()))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// `None` when it was changed, was sealed with another key, or belongs elsewhere.
    pub(super) fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = sealed.to_owned();
        self.open_in_place(context, &mut sealed).map(<[u8]>::to_vec)
    }

    /// As [`DataKey::open`], in the bytes that were sealed.
    fn open_in_place<'a>(&self, context: &[u8], sealed: &'a mut [u8]) -> Option<&'a [u8]> {
        let (nonce, sealed) = sealed.split_at_mut_checked(NONCE)?;
        let (plain, tag) = sealed.split_at_mut_checked(sealed.len().checked_sub(TAG)?)?;
        let nonce = Nonce::<Aes256Gcm>::try_from(&*nonce).ok()?;
        let tag = Tag::<Aes256Gcm>::try_from(&*tag).ok()?;
        self.cipher
            .decrypt_inout_detached(&nonce, context, plain.into(), &tag)
            .ok()?;
        Some(plain)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Random bytes of the system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], EncryptionError> {
    <[u8; N]>::try_generate().map_err(|e| EncryptionError::NoRandomness(e.to_string()))
}

/// The unwrapped data keys of a store or of a plan file. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Keyring {
    /// Never empty; the last one seals.
    keys: Arc<[(WrappedKey, Arc<DataKey>)]>,
}

impl Keyring {
    pub(super) fn new(keys: Vec<(WrappedKey, DataKey)>) -> Keyring {
        let keys = keys.into_iter().map(|(w, k)| (w, Arc::new(k)));
        Keyring {
            keys: keys.collect(),
        }
    }

    /// The key that seals.
    pub(super) fn current(&self) -> Result<(&WrappedKey, &DataKey), EncryptionError> {
        self.keys
            .last()
            .map(|(w, k)| (w, &**k))
            .ok_or(EncryptionError::NoKey)
    }

    /// This ring and a newer key, which seals from now on.
    #[must_use]
    pub fn with(&self, newer: &Keyring) -> Keyring {
        Keyring {
            keys: self.keys.iter().chain(&*newer.keys).cloned().collect(),
        }
    }

    /// The data keys as they are kept, oldest first.
    pub fn wrapped(&self) -> impl Iterator<Item = &WrappedKey> {
        self.keys.iter().map(|(w, _)| w)
    }

    /// The text, sealed: `sealed:KEY:BASE64`. It opens only with the same `context`, which says
    /// where the text lies.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn seal(&self, context: &str, text: &str) -> Result<String, EncryptionError> {
        let (_, key) = self.current()?;
        let sealed = key.seal(context.as_bytes(), text.as_bytes())?;
        let mut out = String::with_capacity(MARK.len() + 17 + sealed.len() * 4 / 3 + 4);
        out.push_str(MARK);
        out.push_str(key.id());
        out.push(':');
        BASE64_STANDARD_NO_PAD.encode_string(sealed, &mut out);
        Ok(out)
    }

    /// The text that was sealed for this place.
    ///
    /// # Errors
    /// It was changed, is from elsewhere, was never sealed, or its key is not in this ring.
    pub fn open(&self, context: &str, sealed: &str) -> Result<String, EncryptionError> {
        let mut room = Vec::new();
        self.open_in(context, sealed, &mut room).map(str::to_owned)
    }

    /// As [`Keyring::open`]; the text lies in `room`, whatever was in it before.
    ///
    /// # Errors
    /// As [`Keyring::open`].
    pub(crate) fn open_in<'a>(
        &self,
        context: &str,
        sealed: &str,
        room: &'a mut Vec<u8>,
    ) -> Result<&'a str, EncryptionError> {
        let Some(rest) = sealed.strip_prefix(MARK) else {
            return Err(EncryptionError::NotSealed {
                what: context.to_owned(),
            });
        };
        let changed = || EncryptionError::Changed {
            what: context.to_owned(),
        };
        let (id, coded) = rest.split_once(':').ok_or_else(changed)?;
        let (_, key) = self
            .keys
            .iter()
            .rev()
            .find(|(_, k)| k.id() == id)
            .ok_or_else(changed)?;
        room.clear();
        BASE64_STANDARD_NO_PAD
            .decode_vec(coded, room)
            .map_err(|_| changed())?;
        let plain = key.open_in_place(context.as_bytes(), room);
        std::str::from_utf8(plain.ok_or_else(changed)?).map_err(|_| changed())
    }

    /// Whether a text of a store is sealed.
    pub fn is_sealed(text: &str) -> bool {
        text.starts_with(MARK)
    }
}
