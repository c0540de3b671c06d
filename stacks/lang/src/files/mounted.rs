//! The catalogue of ready modules, and the stack's files with modules of it in their place.

use super::{Entry, EntryKind, Files, kind_of, list_paths, normal, not_read};
use std::{
    collections::BTreeMap,
    io,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The catalogue of ready modules: `source = "catalog:NAME"`.
pub trait Catalog: Send + Sync {
    /// The files of a module by their path inside it; `None` where there is no such module.
    fn module(&self, name: &str) -> Option<BTreeMap<PathBuf, &'static [u8]>>;
    /// The names of all modules.
    fn names(&self) -> Vec<&str>;
}

/// A catalogue with nothing in it.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCatalog;

impl Catalog for NoCatalog {
    fn module(&self, _: &str) -> Option<BTreeMap<PathBuf, &'static [u8]>> {
        None
    }
    fn names(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// The stack's files with modules of the catalogue mounted at `catalog:NAME`.
pub(crate) struct Mounted {
    pub(crate) base: Arc<dyn Files>,
    pub(crate) modules: Mutex<BTreeMap<PathBuf, &'static [u8]>>,
}

impl Mounted {
    pub(crate) fn new(base: Arc<dyn Files>) -> Mounted {
        Mounted {
            base,
            modules: Mutex::default(),
        }
    }
    /// Puts a module's files in their place.
    pub(crate) fn mount(&self, folder: &Path, files: BTreeMap<PathBuf, &'static [u8]>) {
        self.modules().extend(
            files
                .into_iter()
                .map(|(path, bytes)| (folder.join(path), bytes)),
        );
    }
    fn modules(&self) -> MutexGuard<'_, BTreeMap<PathBuf, &'static [u8]>> {
        self.modules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files for Mounted {
    fn read_bytes(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        if !in_catalog(path) {
            return self.base.read_bytes(path);
        }
        self.base.read_bytes(path).or_else(|_| {
            let (modules, path) = (self.modules(), normal(path));
            let bytes = modules.get(&path).map(|bytes| Arc::from(*bytes));
            bytes.ok_or_else(|| not_read(modules.keys().map(PathBuf::as_path), &path))
        })
    }
    fn list(&self, folder: &Path) -> io::Result<Arc<[Entry]>> {
        if !in_catalog(folder) {
            return self.base.list(folder);
        }
        self.base.list(folder).or_else(|_| {
            let modules = self.modules();
            list_paths(modules.keys().map(PathBuf::as_path), &normal(folder))
        })
    }
    fn kind(&self, path: &Path) -> io::Result<EntryKind> {
        if !in_catalog(path) {
            return self.base.kind(path);
        }
        self.base.kind(path).or_else(|_| {
            let modules = self.modules();
            kind_of(modules.keys().map(PathBuf::as_path), &normal(path))
        })
    }
    fn configuration(&self, folder: &Path) -> io::Result<Arc<[Entry]>> {
        if !in_catalog(folder) {
            return self.base.configuration(folder);
        }
        self.list(folder)
    }
}

fn in_catalog(path: &Path) -> bool {
    matches!(path.components().next(), Some(Component::Normal(first))
        if first.to_string_lossy().starts_with("catalog:"))
}
