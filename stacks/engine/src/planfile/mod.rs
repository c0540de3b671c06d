//! A plan in a file: bound to what it needs of the state it was made from, with the configuration it came of, so
//! that applying it does exactly what was shown.
//!
//! The file is one JSON document, format `weir-plan`, written as it is made (`document.rs`). A file of
//! a newer version is refused. Equal plans make equal bytes.

mod bundle;
mod convert;
mod document;
mod format;
mod found;

use crate::{
    diagnostics,
    engine::{Engine, Mode, Planned, Refresh},
    scope,
};
use document::Document;
use format::{PlanFile, VERSION};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write},
    sync::{Arc, OnceLock},
};
use weir_core::{
    Address, Diagnostic, Diagnostics, plan::Plan, references::References, snapshot::Resource,
};
use weir_lang::{Catalog, Files, MemoryFiles, reload};
use weir_plan::check;
use weir_state::Lease;

pub use bundle::unbundle;
pub use format::FORMAT;

/// A plan read from a file. [`Engine::open`] holds it against state.
pub struct SavedPlan {
    plan: Plan,
    rest: convert::Rest,
    config: Arc<weir_lang::Config>,
}

impl SavedPlan {
    /// Reads a plan file. What the plan found of files it carries; what it did not look at, as the
    /// name was not known yet, is looked at in `files`.
    ///
    /// # Errors
    /// It is no plan file, it is damaged, or a newer weir wrote it.
    pub fn read(
        bytes: &[u8],
        files: Arc<dyn Files>,
        catalog: &dyn Catalog,
    ) -> Result<SavedPlan, Diagnostics> {
        let header: format::Header =
            serde_json::from_slice(bytes).map_err(|e| not_a_plan(sentence(&e)))?;
        if header.format != FORMAT {
            return Err(not_a_plan(format!("Its format is {:?}.", header.format)).into());
        }
        if header.version > VERSION {
            return Err(
                Diagnostic::error("the plan file was written by a newer weir")
                    .because(format!(
                        "It has version {}, and this weir knows versions up to {VERSION}.",
                        header.version
                    ))
                    .help("Apply it with the weir that wrote it, or plan again.")
                    .into(),
            );
        }
        let damaged = |cause: String| {
            Diagnostic::error("the plan file is damaged")
                .because(cause)
                .help("Plan again.")
        };
        let file: PlanFile = serde_json::from_slice(bytes).map_err(|e| damaged(sentence(&e)))?;
        let (carried, plan, rest) = convert::read(file).map_err(damaged)?;
        let files = match carried.may_look {
            true => files,
            false => Arc::new(MemoryFiles::default()),
        };
        let loaded = reload(carried.found, files, catalog, &rest.inputs)?;
        Ok(SavedPlan {
            plan,
            rest,
            config: loaded.config,
        })
    }

    /// The plan, as it was when it was saved.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What it is for.
    pub fn mode(&self) -> Mode {
        self.rest.mode
    }

    /// Whether objects were looked up for it.
    pub fn refresh(&self) -> Refresh {
        self.rest.refresh
    }

    /// What the plan found and state has not recorded yet; `None` for what is gone.
    pub fn observed(&self) -> &BTreeMap<Address, Option<Resource>> {
        &self.rest.observed
    }

    /// What the plan found behind objects and state does not say yet.
    pub fn references(&self) -> Option<&References> {
        self.rest.references.as_ref()
    }

    /// When it was made, in RFC 3339.
    pub fn now(&self) -> Option<&str> {
        self.rest.inputs.now.as_deref()
    }

    /// The configuration it came of, as it was then.
    pub fn config(&self) -> &weir_lang::Config {
        &self.config
    }
}

impl Planned {
    /// Writes the plan as a file.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        let mut out = io::BufWriter::with_capacity(1 << 16, out);
        serde_json::to_writer(&mut out, &Document(self))?;
        out.write_all(b"\n")?;
        out.flush()
    }

    /// The plan as a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes)
            .unwrap_or_else(|e| unreachable!("a plan file has string keys alone: {e}"));
        bytes
    }

    /// The sha256 of the plan as a file, in hexadecimal, as it was when this was asked first. It
    /// takes as long as to write the file.
    pub fn digest(&self) -> &str {
        self.digest.get_or_init(|| {
            let mut hashed = Hashed(Sha256::new());
            self.write(&mut hashed)
                .unwrap_or_else(|e| unreachable!("a plan file has string keys alone: {e}"));
            hex(&hashed.0.finalize())
        })
    }

    /// The sha256 over all that was found of files, in hexadecimal: what was read, what is not
    /// there, what lies in folders that were listed.
    pub fn config_digest(&self) -> String {
        found::digest(&self.config.found())
    }
}

impl Engine {
    /// Holds a saved plan against the state that is there, under a lease on what it needs
    /// ([`Engine::scope_of`]). What else has changed since it was made is none of its business.
    ///
    /// # Errors
    /// The plan is stale: what happened since is told. Or it does not hold.
    pub async fn open(&self, saved: SavedPlan, lease: &Lease) -> Result<Planned, Diagnostics> {
        let settlements = self.settle(Some(lease), &saved.config).await?;
        let read = |e| diagnostics::state(&e);
        let mut snapshot = self.store.snapshot().await.map_err(read)?;
        let covers = lease.scope();
        let current = scope::is_current(&*self.store, &saved.plan, covers, &snapshot).await;
        if !current.map_err(read)? {
            let stale = crate::apply::stale(&*self.store, &saved.plan, &snapshot).await;
            return Err(stale.into());
        }
        let convert::Rest {
            mode,
            refresh,
            inputs,
            observed,
            references,
            protected,
        } = saved.rest;
        // To the plan nothing has happened since.
        snapshot.serial = saved.plan.base;
        Ok(Planned {
            scope: covers.clone(),
            mode,
            refresh,
            plan: check(saved.plan, &snapshot, &protected)?,
            warnings: Diagnostics::new(),
            config: saved.config,
            inputs,
            observed,
            references,
            generated: std::collections::BTreeMap::new(),
            protected,
            unsettled: settlements.unsettled,
            changed_by: std::collections::BTreeMap::new(),
            regions: std::collections::BTreeMap::new(),
            exhausted: std::collections::BTreeMap::new(),
            digest: OnceLock::new(),
        })
    }
}

/// Hashes what is written to it.
struct Hashed(Sha256);

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn sentence(e: &serde_json::Error) -> String {
    format!("Reading it as JSON: {e}.")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    pairs
        .remainder()
        .is_empty()
        .then(|| pairs.map(|p| p[0] << 4 | p[1]).collect())
}

fn not_a_plan(why: String) -> Diagnostic {
    Diagnostic::error("this is not a plan file")
        .because(why)
        .help("Name a file that `weir plan -out=FILE` wrote.")
}
