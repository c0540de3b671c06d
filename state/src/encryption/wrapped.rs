//! A data key as it is kept: wrapped by a key that lies elsewhere.

use serde::{Deserialize, Serialize};

/// A data key, wrapped. It is no secret without the key that wrapped it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedKey {
    /// Tells this data key from others.
    pub(super) id: String,
    /// What wrapped it.
    pub(super) by: By,
    /// The wrapped bytes: base64, or what the command gave.
    pub(super) wrapped: String,
}

/// What wrapped a data key, as far as it must be known to unwrap it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    /// The key in a file with this fingerprint.
    File { fingerprint: String },
    /// A passphrase, through Argon2id with this salt (base64) and cost.
    Passphrase {
        salt: String,
        /// KiB of memory.
        memory: u32,
        passes: u32,
        lanes: u32,
    },
    /// A command.
    Command {},
}

impl By {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            By::File { .. } => "file",
            By::Passphrase { .. } => "passphrase",
            By::Command {} => "command",
        }
    }
}

impl WrappedKey {
    /// Tells this data key from others.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What wrapped it, for people: `key file 3f2a…`, `passphrase`, `command`.
    pub fn wrapped_by(&self) -> String {
        match &self.by {
            By::File { fingerprint } => format!("key file {fingerprint}"),
            other => other.kind().to_owned(),
        }
    }

    /// As a store keeps it.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self)
            .unwrap_or_else(|e| unreachable!("texts and numbers are always JSON: {e}"))
    }

    /// Reads what [`WrappedKey::to_text`] wrote.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_text(text: &str) -> Result<WrappedKey, crate::format::FormatError> {
        serde_json::from_str(text).map_err(|e| crate::format::FormatError(e.to_string()))
    }
}
