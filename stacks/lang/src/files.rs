//! The files a stack is read from: a folder on disk, a map in memory, the catalogue.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Where configuration is read from. Paths are relative to the stack's folder; absolute ones are
/// taken as they are.
pub trait Files: Send + Sync {
    /// The bytes of a file.
    ///
    /// # Errors
    /// As reading a file does.
    fn read_bytes(&self, path: &Path) -> io::Result<Arc<[u8]>>;

    /// What lies directly in a folder, sorted by name.
    ///
    /// # Errors
    /// As reading a folder does.
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>>;

    /// The text of a file.
    ///
    /// # Errors
    /// As [`Files::read_bytes`]; `InvalidData` where it is not UTF-8.
    fn read(&self, path: &Path) -> io::Result<Arc<str>> {
        let bytes = self.read_bytes(path)?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        Ok(Arc::from(text))
    }
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name, without the folder.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What lies in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A file.
    File,
    /// Another folder.
    Folder,
}

/// A folder on disk.
#[derive(Debug, Clone)]
pub struct DiskFiles {
    root: PathBuf,
}

impl DiskFiles {
    /// The files below `root`.
    pub fn new(root: impl Into<PathBuf>) -> DiskFiles {
        DiskFiles { root: root.into() }
    }
}

impl Files for DiskFiles {
    fn read_bytes(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        std::fs::read(self.root.join(path)).map(Arc::from)
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(self.root.join(folder))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            // The metadata of what a link points at: a linked folder is a folder.
            let kind = match std::fs::metadata(entry.path()) {
                Ok(m) if m.is_dir() => EntryKind::Folder,
                Ok(_) => EntryKind::File,
                Err(_) => continue,
            };
            entries.push(Entry { name, kind });
        }
        entries.sort();
        Ok(entries)
    }
}

/// Files in memory: tests, and the configuration kept in a plan file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryFiles(pub BTreeMap<PathBuf, Vec<u8>>);

impl MemoryFiles {
    /// Files of these texts.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> MemoryFiles {
        MemoryFiles(
            files
                .into_iter()
                .map(|(path, text)| (normal(Path::new(path)), text.into()))
                .collect(),
        )
    }
}

impl Files for MemoryFiles {
    fn read_bytes(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        self.0
            .get(&normal(path))
            .map(|bytes| Arc::from(bytes.as_slice()))
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        list_paths(self.0.keys().map(PathBuf::as_path), &normal(folder))
    }
}

/// The entries of a folder, where all there is are the paths of files.
fn list_paths<'a>(paths: impl Iterator<Item = &'a Path>, folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = BTreeSet::new();
    for path in paths {
        let Ok(inside) = path.strip_prefix(folder) else {
            continue;
        };
        let mut parts = inside.components();
        let Some(Component::Normal(name)) = parts.next() else {
            continue;
        };
        let kind = if parts.next().is_some() {
            EntryKind::Folder
        } else {
            EntryKind::File
        };
        entries.insert(Entry {
            name: name.to_string_lossy().into_owned(),
            kind,
        });
    }
    if entries.is_empty() && !folder.as_os_str().is_empty() {
        return Err(io::Error::from(io::ErrorKind::NotFound));
    }
    Ok(entries.into_iter().collect())
}

/// The path without `.` and with `..` taken back where something stands before it.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// Keeps every file that was read through it: what a plan file carries, and what a digest of the
/// configuration covers.
pub struct Recording {
    inner: Arc<dyn Files>,
    seen: Mutex<BTreeMap<PathBuf, Arc<[u8]>>>,
}

impl Recording {
    /// Records what is read from `inner`.
    pub fn new(inner: Arc<dyn Files>) -> Recording {
        Recording {
            inner,
            seen: Mutex::default(),
        }
    }
    /// All that was read so far, by path.
    pub fn files(&self) -> BTreeMap<PathBuf, Arc<[u8]>> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Files for Recording {
    fn read_bytes(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        let bytes = self.inner.read_bytes(path)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(normal(path), bytes.clone());
        Ok(bytes)
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        self.inner.list(folder)
    }
}

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
///
/// A plan file holds the modules' files too, under the same paths: they win, so that a plan made
/// with an older catalogue is applied as it was made.
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
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        modules.extend(
            files
                .into_iter()
                .map(|(path, bytes)| (folder.join(path), bytes)),
        );
    }
}

impl Files for Mounted {
    fn read_bytes(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        if !path.starts_with_catalog() {
            return self.base.read_bytes(path);
        }
        self.base.read_bytes(path).or_else(|error| {
            let modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
            modules
                .get(&normal(path))
                .map(|bytes| Arc::from(*bytes))
                .ok_or(error)
        })
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        if !folder.starts_with_catalog() {
            return self.base.list(folder);
        }
        self.base.list(folder).or_else(|_| {
            let modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
            list_paths(modules.keys().map(PathBuf::as_path), &normal(folder))
        })
    }
}

trait InCatalog {
    fn starts_with_catalog(&self) -> bool;
}

impl InCatalog for Path {
    fn starts_with_catalog(&self) -> bool {
        matches!(self.components().next(), Some(Component::Normal(first))
            if first.to_string_lossy().starts_with("catalog:"))
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
