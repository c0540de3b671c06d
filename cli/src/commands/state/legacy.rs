//! Flags of Terraform's that are about its state files: taken where they make sense, and refused
//! with what to do in weir where they don't.

use super::super::Context;
use crate::{error::CommandError, stores::States};
use std::path::{Path, PathBuf};
use weir_core::snapshot::Snapshot;

/// `-state` of commands that only look.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct StateFile {
    /// Look into this state file of Terraform's; `-` is stdin. The stack's own state is left alone.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

impl StateFile {
    /// The state that is looked into; `None` where the stack has none yet.
    pub(super) async fn snapshot(
        &self,
        context: &Context,
    ) -> Result<Option<Snapshot>, CommandError> {
        if let Some(file) = &self.state {
            return Ok(Some(super::whole::read(file, context)?.into_snapshot()));
        }
        Ok(match States::here(&context.env)?.open_existing().await? {
            Some(store) => Some(store.snapshot().await?),
            None => None,
        })
    }
}

/// The flags of commands that edit.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Legacy {
    #[arg(long, hide = true, value_name = "FILE")]
    state: Option<PathBuf>,
    #[arg(long, hide = true, value_name = "FILE")]
    state_out: Option<PathBuf>,
    #[arg(long, hide = true, value_name = "FILE")]
    backup: Option<PathBuf>,
    #[arg(long, hide = true, value_name = "FILE")]
    backup_out: Option<PathBuf>,
    #[arg(long, hide = true, value_name = "BOOL", default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    lock: bool,
    #[arg(long, hide = true)]
    ignore_remote_version: bool,
}

impl Legacy {
    /// Refuses what weir can't do. `-ignore-remote-version` asks for nothing here: any weir reads
    /// its own state or says why not.
    ///
    /// # Errors
    /// With what to do instead.
    pub(super) fn check(&self) -> Result<(), CommandError> {
        let file = |flag: &str, file: &Path| {
            CommandError::usage(format!(
                "-{flag}={}: weir edits the state of the stack, not a file",
                file.display()
            ))
            .hint(
                "-chdir=DIR works on the stack in another folder. `weir state import FILE` takes \
                 what is in a state file of Terraform's, `weir state pull >FILE` writes one.",
            )
        };
        if let Some(path) = &self.state {
            return Err(file("state", path));
        }
        if let Some(path) = &self.state_out {
            return Err(file("state-out", path));
        }
        let backups = [("backup", &self.backup), ("backup-out", &self.backup_out)];
        for (flag, path) in backups {
            // `-` means none.
            if let Some(path) = path.as_deref().filter(|p| *p != Path::new("-")) {
                return Err(CommandError::usage(format!(
                    "-{flag}={}: no backup is written beside an edit, as every state of the past \
                     is kept",
                    path.display()
                ))
                .hint(
                    "`weir state history` lists them, `weir show @SERIAL` shows one, \
                     `weir state pull >FILE` writes a copy of the present one.",
                ));
            }
        }
        match self.lock {
            true => Ok(()),
            false => Err(CommandError::usage(
                "-lock=false: every write to the state checks its lease, so an edit can't do \
                 without",
            )
            .hint(
                "-lock-timeout=5m waits for it; `weir unlock` ends the lease of a run that will \
                 not come back.",
            )),
        }
    }
}
