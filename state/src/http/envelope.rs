//! The object: what the server reads of it, and the document inside.

use crate::rows::Fault;
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What `version` says. No Terraform reads it: it refuses a state of a version it does not know, and
/// then leaves it alone.
const VERSION: u32 = 1000;

/// The object as it is sent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Envelope {
    version: u32,
    /// Rises with every write: servers keep each as a version by this number.
    pub(super) serial: u64,
    pub(super) lineage: String,
    pub(super) weir: Inside,
}

/// What is weir's in it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Inside {
    /// The lock of the server that the lease is held by; `None` where nobody has one.
    pub(super) lock: Option<String>,
    /// See `remote/document.rs`.
    pub(super) document: String,
}

impl Envelope {
    pub(super) fn new(serial: u64, lineage: String, weir: Inside) -> Envelope {
        Envelope {
            version: VERSION,
            serial,
            lineage,
            weir,
        }
    }

    /// What is in this object; `None` where it is not weir's.
    pub(super) fn parse(bytes: &[u8]) -> Option<Envelope> {
        serde_json::from_slice(bytes).ok()
    }

    pub(super) fn bytes(&self) -> Result<Vec<u8>, Fault> {
        serde_json::to_vec(self).map_err(|e| Fault::damage(format!("it can't be written: {e}")))
    }
}

/// The id of a new lock: like no other, and it says until when its holder will have written. After
/// that it is only held where the object names it.
pub(super) fn lock_id(until: SystemTime) -> String {
    let ms = until.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("weir-{}-{}", uuid::Uuid::new_v4().simple(), ms.as_millis())
}

/// Until when the holder of such a lock will have written; `None` where it is not weir's.
pub(super) fn until(id: &str) -> Option<SystemTime> {
    let (unique, ms) = id.strip_prefix("weir-")?.split_once('-')?;
    let is_unique = unique.len() == 32 && unique.bytes().all(|b| b.is_ascii_hexdigit());
    let ms: u64 = ms.parse().ok().filter(|_| is_unique)?;
    UNIX_EPOCH.checked_add(Duration::from_millis(ms))
}
