//! Bytes on disk: atomic writes, hashes, and error causes in plain words.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

/// Lowercase hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The sha256 of a whole file, read in pieces.
pub(crate) fn sha256_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// The cause of an I/O error without the number the standard library adds.
pub(crate) fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}

/// Who owns a file that is written, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// Replaces a file: a reader sees the old or the new content, whatever happens in between.
/// Mode and owner are right before the content is in place.
pub(crate) fn write_atomic(
    path: &Path,
    content: &[u8],
    mode: u32,
    ids: Option<Ids>,
) -> io::Result<()> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(".weir-new");
    let temporary = parent.join(temporary);
    // Left by a crash; `create_new` below follows no link that somebody puts there instead.
    remove_if_there(&temporary)?;
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(content)?;
        if let Some(Ids { uid, gid }) = ids {
            fchown(&file, Some(uid), Some(gid))?;
        }
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    if written.is_err() {
        // The first error is the one to tell.
        let _ = remove_if_there(&temporary);
    }
    written?;
    sync_dir(parent)
}

/// Makes a rename or removal in this directory outlive a power loss.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Removes a file; one that isn't there is fine.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    gone_is_fine(fs::remove_file(path))
}

/// Removes a directory with all in it; one that isn't there is fine.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    gone_is_fine(fs::remove_dir_all(path))
}

pub(crate) fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    pub(crate) fn of(metadata: &fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether another write could still leave the same stamp: clocks of file systems tick
    /// slowly, so a file changed just now is read again next time.
    fn is_fresh(&self) -> bool {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        i64::try_from(now.as_secs()).unwrap_or(i64::MAX) - self.changed.0 < 2
    }
}

/// Hashes of files that have not changed since they were read.
#[derive(Debug, Default)]
pub(crate) struct HashCache {
    known: HashMap<PathBuf, (Stamp, String)>,
}

impl HashCache {
    /// The sha256 of a file whose metadata was just read.
    pub(crate) fn sha256(&mut self, path: &Path, metadata: &fs::Metadata) -> io::Result<String> {
        let stamp = Stamp::of(metadata);
        if let Some((known, sha256)) = self.known.get(path)
            && *known == stamp
        {
            return Ok(sha256.clone());
        }
        let sha256 = sha256_file(path)?;
        if stamp.is_fresh() {
            self.known.remove(path);
        } else {
            self.known.insert(path.to_owned(), (stamp, sha256.clone()));
        }
        Ok(sha256)
    }

    pub(crate) fn forget_below(&mut self, dir: &Path) {
        self.known.retain(|path, _| !path.starts_with(dir));
    }
}
