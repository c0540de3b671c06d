//! The files a stack is read from: a folder on disk, a map in memory, the catalogue.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

mod mounted;
mod recording;

pub(crate) use mounted::Mounted;
pub use mounted::{Catalog, NoCatalog};
pub use recording::{Failure, Finding, Recording};

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
    fn list(&self, folder: &Path) -> io::Result<Arc<[Entry]>>;

    /// What lies at a path; links are followed where they lead somewhere.
    ///
    /// # Errors
    /// `NotFound` where nothing does; else as asking a file system does.
    fn kind(&self, path: &Path) -> io::Result<EntryKind>;

    /// What lies in a folder that configuration is looked for in. A [`Recording`] does not keep
    /// it: which of it matters shows in what is read.
    ///
    /// # Errors
    /// As [`Files::list`].
    fn configuration(&self, folder: &Path) -> io::Result<Arc<[Entry]>> {
        self.list(folder)
    }

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
    /// Neither: a device, a pipe, a socket.
    Special,
    /// A link to what is not there, or can't be looked at.
    Dangling,
}

impl EntryKind {
    fn of(metadata: &std::fs::Metadata) -> EntryKind {
        match () {
            () if metadata.is_file() => EntryKind::File,
            () if metadata.is_dir() => EntryKind::Folder,
            () => EntryKind::Special,
        }
    }
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
    fn list(&self, folder: &Path) -> io::Result<Arc<[Entry]>> {
        let mut entries = Vec::new();
        // `read_dir` takes no empty path for the folder one is in.
        let place = match self.root.join(folder) {
            empty if empty.as_os_str().is_empty() => PathBuf::from("."),
            place => place,
        };
        for entry in std::fs::read_dir(place)? {
            let entry = entry?;
            // No expression can name it.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            // The metadata of what a link points at: a linked folder is a folder.
            let kind = match std::fs::metadata(entry.path()) {
                Ok(m) => EntryKind::of(&m),
                Err(_) => EntryKind::Dangling,
            };
            entries.push(Entry { name, kind });
        }
        entries.sort();
        Ok(entries.into())
    }
    fn kind(&self, path: &Path) -> io::Result<EntryKind> {
        let path = self.root.join(path);
        match std::fs::metadata(&path) {
            Ok(metadata) => Ok(EntryKind::of(&metadata)),
            Err(_) if path.is_symlink() => Ok(EntryKind::Dangling),
            Err(error) => Err(error),
        }
    }
}

/// Files in memory.
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
            .ok_or_else(|| not_read(self.0.keys().map(PathBuf::as_path), &normal(path)))
    }
    fn list(&self, folder: &Path) -> io::Result<Arc<[Entry]>> {
        list_paths(self.0.keys().map(PathBuf::as_path), &normal(folder))
    }
    fn kind(&self, path: &Path) -> io::Result<EntryKind> {
        kind_of(self.0.keys().map(PathBuf::as_path), &normal(path))
    }
}

/// Why a path that is no file's can't be read, where all there is are the paths of files.
fn not_read<'a>(paths: impl Iterator<Item = &'a Path>, path: &Path) -> io::Error {
    match kind_of(paths, path) {
        Ok(_) => io::ErrorKind::IsADirectory.into(),
        Err(error) => error,
    }
}

/// What lies at a path, where all there is are the paths of files.
fn kind_of<'a>(mut paths: impl Iterator<Item = &'a Path>, path: &Path) -> io::Result<EntryKind> {
    if path.as_os_str().is_empty() {
        return Ok(EntryKind::Folder);
    }
    match paths.find(|p| p.starts_with(path)) {
        Some(file) if file == path => Ok(EntryKind::File),
        Some(_) => Ok(EntryKind::Folder),
        None => Err(io::ErrorKind::NotFound.into()),
    }
}

/// The entries of a folder, where all there is are the paths of files.
fn list_paths<'a>(
    paths: impl Iterator<Item = &'a Path>,
    folder: &Path,
) -> io::Result<Arc<[Entry]>> {
    let mut entries = BTreeSet::new();
    for path in paths {
        let Ok(inside) = path.strip_prefix(folder) else {
            continue;
        };
        if inside.as_os_str().is_empty() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
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
            Component::ParentDir => match out.components().next_back() {
                Some(Component::Normal(_)) => drop(out.pop()),
                // Above the root is the root.
                Some(Component::RootDir) => {}
                _ => out.push(".."),
            },
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests;
