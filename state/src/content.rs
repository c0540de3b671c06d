//! What a store takes as a whole, and what it keeps beside its states.

use crate::{Begin, EntryId};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use weir_core::{
    Address, Known,
    references::References,
    snapshot::{Lineage, Resource, Serial},
};

/// A whole state that comes from elsewhere; see [`Store::replace`](crate::Store::replace).
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// The state's lineage from then on.
    pub lineage: Lineage,
    /// The serial it comes with: the state's is at least that afterwards.
    pub serial: Serial,
    /// Every resource.
    pub resources: BTreeMap<Address, Resource>,
    /// Every output of the root module.
    pub outputs: BTreeMap<String, Known>,
    /// What is behind the resources.
    pub references: References,
    /// Objects put aside that stay: open entries with
    /// [`Target::Deposed`](crate::Target::Deposed). The others are forgotten.
    pub kept: BTreeSet<EntryId>,
    /// Objects put aside that come, each the entry of its deletion.
    pub deposed: Vec<Begin>,
}

/// The configuration that an apply was of: files and what else it takes to read them again. A
/// store keeps each text once, by its digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundle {
    /// Files by path, as the engine writes them.
    pub files: BTreeMap<String, String>,
    /// The rest, as the engine writes it: values of variables among it.
    pub rest: String,
}

/// How much of the past is kept; see [`Store::retain`](crate::Store::retain).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// At least so many of the latest applies, and never less than one.
    pub applies: u32,
    /// All applies that ended within so long.
    pub age: Duration,
}

impl Default for Retention {
    /// 100 applies, and those of 90 days.
    fn default() -> Retention {
        Retention {
            applies: 100,
            age: Duration::from_secs(90 * 24 * 60 * 60),
        }
    }
}

/// What was pruned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// States of the past, counted by the rows they had for themselves.
    pub rows: u64,
    /// Applies of the history.
    pub applies: u64,
    /// Texts of configurations.
    pub texts: u64,
    /// Leases that are over, with what was done under them.
    pub leases: u64,
}

/// SHA-256 in hexadecimal.
fn digest(text: &str) -> String {
    let sum = Sha256::digest(text.as_bytes());
    sum.iter().map(|b| format!("{b:02x}")).collect()
}

impl Bundle {
    /// What names the bundle: equal bundles have equal digests.
    pub fn digest(&self) -> String {
        digest(&self.index())
    }

    /// What is in it, by digests: `{"files":{path:digest},"rest":digest}`.
    fn index(&self) -> String {
        let files = self.files.iter();
        let files: BTreeMap<&String, String> = files.map(|(p, t)| (p, digest(t))).collect();
        serde_json::json!({ "files": files, "rest": digest(&self.rest) }).to_string()
    }

    /// All texts of it by their digests, the index among them.
    pub(crate) fn texts(&self) -> BTreeMap<String, String> {
        let index = self.index();
        let texts = self.files.values().chain([&self.rest, &index]);
        texts.map(|t| (digest(t), t.clone())).collect()
    }

    /// The digests that an index names.
    pub(crate) fn named(index: &str) -> Option<(BTreeMap<String, String>, String)> {
        #[derive(serde::Deserialize)]
        struct Index {
            files: BTreeMap<String, String>,
            rest: String,
        }
        let Index { files, rest } = serde_json::from_str(index).ok()?;
        Some((files, rest))
    }
}
