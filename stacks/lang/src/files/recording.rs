//! What was found of files, kept: a run sees each as it was first, and a plan file carries them.

use super::{Entry, EntryKind, Files, list_paths, normal};
use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What was found at a path, as far as somebody looked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finding {
    /// What is in the file, or why it can't be read.
    pub content: Option<Result<Arc<[u8]>, Failure>>,
    /// What lies there, or why that can't be told.
    pub kind: Option<Result<EntryKind, Failure>>,
    /// What lies in the folder, or why it can't be listed.
    pub entries: Option<Result<Arc<[Entry]>, Failure>>,
}

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There is nothing of that name.
    #[error("{0}")]
    Absent(String),
    /// There is, and it can't be had.
    #[error("{0}")]
    Refused(String),
}

impl Failure {
    fn of(error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::NotFound => Failure::Absent(error.to_string()),
            _ => Failure::Refused(error.to_string()),
        }
    }
    fn error(&self) -> io::Error {
        let kind = match self {
            Failure::Absent(_) => io::ErrorKind::NotFound,
            Failure::Refused(_) => io::ErrorKind::Other,
        };
        io::Error::new(kind, self.clone())
    }
}

impl Finding {
    /// What lies there, if that was asked or follows from what was.
    fn kind(&self) -> Option<Result<EntryKind, Failure>> {
        let absent = |failure: &Failure| matches!(failure, Failure::Absent(_));
        match (&self.kind, &self.content, &self.entries) {
            (Some(kind), ..) => Some(kind.clone()),
            (_, Some(Err(e)), _) | (_, _, Some(Err(e))) if absent(e) => Some(Err(e.clone())),
            (_, _, Some(Ok(_))) => Some(Ok(EntryKind::Folder)),
            _ => None,
        }
    }
    /// That nothing lies there, if that was found.
    fn absent(&self) -> Option<&Failure> {
        let found = [
            self.kind.as_ref().and_then(|k| k.as_ref().err()),
            self.content.as_ref().and_then(|c| c.as_ref().err()),
            self.entries.as_ref().and_then(|e| e.as_ref().err()),
        ];
        let mut found = found.into_iter().flatten();
        found.find(|f| matches!(f, Failure::Absent(_)))
    }
}

/// Keeps what was found through it, by path. Nothing is looked at twice: whatever becomes of a
/// file while a run goes on, all of the run sees what was there first.
pub struct Recording {
    inner: Arc<dyn Files>,
    seen: Mutex<BTreeMap<PathBuf, Finding>>,
    /// Whether the configuration is what a plan carries, and not what lies in the folder.
    is_carried: bool,
}

impl Recording {
    /// Records what is found in `inner`.
    pub fn new(inner: Arc<dyn Files>) -> Recording {
        Recording {
            inner,
            seen: Mutex::default(),
            is_carried: false,
        }
    }

    /// Goes on from what a plan carries. What was not looked at then is looked at in `inner`;
    /// files of the configuration are those that were read then, whatever else lies beside them.
    pub fn resumed(carried: BTreeMap<PathBuf, Finding>, inner: Arc<dyn Files>) -> Recording {
        Recording {
            inner,
            seen: Mutex::new(carried),
            is_carried: true,
        }
    }

    /// All that was found so far, by path.
    pub fn found(&self) -> BTreeMap<PathBuf, Finding> {
        self.seen().clone()
    }

    /// Looks at everything anew from here on.
    pub fn forget(&self) {
        self.seen().clear();
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Finding>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a path, or else what `look` finds, which is kept with `keep`.
    fn recall<T: Clone>(
        &self,
        path: &Path,
        known: impl Fn(&Finding) -> Option<Result<T, Failure>>,
        look: impl FnOnce() -> io::Result<T>,
        keep: impl FnOnce(&mut Finding, Result<T, Failure>),
    ) -> io::Result<T> {
        let path = normal(path);
        if let Some(finding) = self.seen().get(&path) {
            if let Some(known) = known(finding) {
                return known.map_err(|e| e.error());
            }
            if let Some(absent) = finding.absent() {
                return Err(absent.error());
            }
        }
        // Others may look meanwhile: the lock is not held while a disk is slow.
        let found = look();
        let outcome = found.as_ref().map(T::clone).map_err(Failure::of);
        keep(self.seen().entry(path).or_default(), outcome);
        found
    }
}

impl Files for Recording {
    fn read_bytes(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        self.recall(
            path,
            |f| f.content.clone(),
            || self.inner.read_bytes(path),
            |f, content| f.content = Some(content),
        )
    }
    fn list(&self, folder: &Path) -> io::Result<Arc<[Entry]>> {
        self.recall(
            folder,
            |f| f.entries.clone(),
            || self.inner.list(folder),
            |f, entries| f.entries = Some(entries),
        )
    }
    fn kind(&self, path: &Path) -> io::Result<EntryKind> {
        self.recall(
            path,
            Finding::kind,
            || self.inner.kind(path),
            |f, kind| f.kind = Some(kind),
        )
    }
    fn configuration(&self, folder: &Path) -> io::Result<Arc<[Entry]>> {
        if !self.is_carried {
            return self.inner.configuration(folder);
        }
        let seen = self.seen();
        let read = seen
            .iter()
            .filter(|(_, f)| matches!(f.content, Some(Ok(_))));
        list_paths(read.map(|(path, _)| path.as_path()), &normal(folder))
    }
}
