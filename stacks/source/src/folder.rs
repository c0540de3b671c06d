//! A package's folder: copied, checked, and its digest.

use crate::error::SourceError;
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Component, Path, PathBuf},
};

/// How large a package may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a download, before it is unpacked.
    pub download: u64,
    /// Bytes of all files together.
    pub bytes: u64,
    /// How many files and folders.
    pub entries: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            download: 512 << 20,
            bytes: 2 << 30,
            entries: 200_000,
        }
    }
}

impl Limits {
    /// Takes what is used up; an error where it is more than there is.
    pub(crate) fn take(&mut self, bytes: u64) -> Result<(), SourceError> {
        let left = self.bytes.checked_sub(bytes);
        let entries = self.entries.checked_sub(1);
        match (left, entries) {
            (Some(bytes), Some(entries)) => {
                (self.bytes, self.entries) = (bytes, entries);
                Ok(())
            }
            (None, _) => Err(SourceError::refused("it is larger than a package may be")),
            (_, None) => Err(SourceError::refused(
                "it holds more files than a package may",
            )),
        }
    }
}

/// Something in a package.
pub(crate) struct Item {
    /// Below the package's folder.
    pub(crate) path: PathBuf,
    pub(crate) kind: ItemKind,
}

pub(crate) enum ItemKind {
    Folder,
    File { executable: bool, bytes: u64 },
    Link(PathBuf),
}

/// Everything in a folder, in the order of the paths; links are not followed.
pub(crate) fn walk(root: &Path) -> Result<Vec<Item>, SourceError> {
    let mut items = Vec::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(folder) = todo.pop() {
        let here = root.join(&folder);
        for entry in fs::read_dir(&here).map_err(SourceError::io(&here))? {
            let entry = entry.map_err(SourceError::io(&here))?;
            let path = folder.join(entry.file_name());
            let full = root.join(&path);
            let meta = fs::symlink_metadata(&full).map_err(SourceError::io(&full))?;
            let kind = if meta.is_symlink() {
                ItemKind::Link(fs::read_link(&full).map_err(SourceError::io(&full))?)
            } else if meta.is_dir() {
                todo.push(path.clone());
                ItemKind::Folder
            } else if meta.is_file() {
                ItemKind::File {
                    executable: meta.permissions().mode() & 0o111 != 0,
                    bytes: meta.len(),
                }
            } else {
                return Err(SourceError::refused(format!(
                    "`{}` is neither a file nor a folder",
                    path.display()
                )));
            };
            items.push(Item { path, kind });
        }
    }
    items.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(items)
}

/// Refuses links that lead out of the folder, and more than the limits allow.
pub(crate) fn check(root: &Path, mut limits: Limits) -> Result<(), SourceError> {
    for item in walk(root)? {
        let bytes = match &item.kind {
            ItemKind::File { bytes, .. } => *bytes,
            ItemKind::Folder => 0,
            ItemKind::Link(target) => {
                inside(&item.path, target)?;
                0
            }
        };
        limits.take(bytes)?;
    }
    // One link through another may lead further than each alone says.
    let real = fs::canonicalize(root).map_err(SourceError::io(root))?;
    for item in walk(root)? {
        if let ItemKind::Link(_) = item.kind
            && let Ok(target) = fs::canonicalize(root.join(&item.path))
            && !target.starts_with(&real)
        {
            return Err(leads_out(&item.path));
        }
    }
    Ok(())
}

/// Whether a link at `path` leads to a place within the folder.
pub(crate) fn inside(path: &Path, target: &Path) -> Result<(), SourceError> {
    let mut depth = path.components().count().saturating_sub(1);
    for part in target.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return Err(leads_out(path)),
        }
    }
    Ok(())
}

fn leads_out(path: &Path) -> SourceError {
    SourceError::refused(format!("the link `{}` leads out of it", path.display()))
}

/// The digest of a folder's content: names, what is in the files, what may be executed, where
/// links lead. `sha256:` and hex.
///
/// # Errors
/// Something in it can't be read.
pub fn digest(root: &Path) -> Result<String, SourceError> {
    let mut whole = Sha256::new();
    for item in walk(root)? {
        let (letter, content) = match &item.kind {
            ItemKind::Folder => continue,
            ItemKind::Link(target) => ('l', hex(&Sha256::digest(bytes_of(target)))),
            ItemKind::File { executable, .. } => {
                let path = root.join(&item.path);
                (if *executable { 'x' } else { 'f' }, hex(&hash(&path)?))
            }
        };
        whole.update(format!("{letter} {content} "));
        // A name may hold anything but NUL.
        whole.update(bytes_of(&item.path));
        whole.update([0]);
    }
    Ok(format!("sha256:{}", hex(&whole.finalize())))
}

fn bytes_of(path: &Path) -> &[u8] {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes()
}

fn hash(path: &Path) -> Result<Vec<u8>, SourceError> {
    let mut file = fs::File::open(path).map_err(SourceError::io(path))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut buffer).map_err(SourceError::io(path))?;
        if read == 0 {
            return Ok(hasher.finalize().to_vec());
        }
        hasher.update(&buffer[..read]);
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Copies a folder, without what version control keeps in it.
pub(crate) fn copy(from: &Path, to: &Path, mut limits: Limits) -> Result<(), SourceError> {
    fs::create_dir_all(to).map_err(SourceError::io(to))?;
    for item in walk(from)? {
        if item.path.components().any(|c| c.as_os_str() == ".git") {
            continue;
        }
        let (source, target) = (from.join(&item.path), to.join(&item.path));
        match &item.kind {
            ItemKind::Folder => {
                limits.take(0)?;
                fs::create_dir_all(&target).map_err(SourceError::io(&target))?;
            }
            ItemKind::File { bytes, .. } => {
                limits.take(*bytes)?;
                fs::copy(&source, &target).map_err(SourceError::io(&source))?;
            }
            ItemKind::Link(link) => {
                limits.take(0)?;
                inside(&item.path, link)?;
                std::os::unix::fs::symlink(link, &target).map_err(SourceError::io(&target))?;
            }
        }
    }
    Ok(())
}

/// Removes what version control keeps: it says when a package was fetched, not what it is.
pub(crate) fn without_git(root: &Path) -> Result<(), SourceError> {
    for item in walk(root)? {
        if item.path.file_name().is_some_and(|n| n == ".git") {
            let path = root.join(&item.path);
            let removed = match item.kind {
                ItemKind::Folder => fs::remove_dir_all(&path),
                _ => fs::remove_file(&path),
            };
            match removed {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(SourceError::Io { path, error: e });
                }
                _ => {}
            }
        }
    }
    Ok(())
}
