//! Key files: 32 random bytes as text, for their owner alone.

use super::{
    EncryptionError,
    keyring::{KEY, random},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};
use zeroize::Zeroizing;

/// How the line with the key begins.
const MARK: &str = "weir-key-v1 ";
const HEAD: &str = "\
# The key that state and plans of weir are encrypted with.
# Who has this file can read them; without it nobody can. Keep a copy in a safe place.
";

/// Makes a key file, mode 0600, unless there is one. Says whether it did. It is on the disk, with
/// its name, when this returns; whoever looks sees no file or a whole one.
pub(super) fn create(path: &Path) -> Result<bool, EncryptionError> {
    let wrong = |e: io::Error| EncryptionError::file(path, &e);
    if path.exists() {
        return Ok(false);
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(wrong)?;
    let suffix = u64::from_ne_bytes(random::<8>()?);
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!("-new-{suffix:016x}"));
    let draft = Path::new(&draft);
    let key = Zeroizing::new(random::<KEY>()?);
    let text = Zeroizing::new(format!("{HEAD}{MARK}{}\n", BASE64_STANDARD.encode(*key)));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        // A link never replaces a key that another process put there in between.
        .and_then(|()| match fs::hard_link(draft, path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            other => other.map(|()| true),
        });
    // What is left of the draft would be a second copy of the key.
    let removed = match fs::remove_file(draft) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    };
    let made = written.map_err(wrong)?;
    removed.map_err(wrong)?;
    fs::File::open(folder)
        .and_then(|f| f.sync_all())
        .map_err(wrong)?;
    Ok(made)
}

/// The key in a file.
pub(super) fn read(path: &Path) -> Result<Zeroizing<[u8; KEY]>, EncryptionError> {
    let text = Zeroizing::new(fs::read(path).map_err(|e| EncryptionError::file(path, &e))?);
    let not_a_key = |cause: &str| EncryptionError::NotAKey {
        path: path.into(),
        cause: cause.to_owned(),
    };
    let text = std::str::from_utf8(&text).map_err(|_| not_a_key("it is no text"))?;
    let mut keys = text.lines().filter_map(|l| l.trim().strip_prefix(MARK));
    let coded = keys
        .next()
        .ok_or_else(|| not_a_key("no line begins with `weir-key-v1`"))?;
    if keys.next().is_some() {
        return Err(not_a_key("it holds more than one key"));
    }
    let bytes = Zeroizing::new(
        BASE64_STANDARD
            .decode(coded.trim())
            .map_err(|_| not_a_key("the key is cut off or misspelt"))?,
    );
    let key: [u8; KEY] = bytes
        .as_slice()
        .try_into()
        .map_err(|_| not_a_key("the key is cut off"))?;
    Ok(Zeroizing::new(key))
}

/// What tells a key from others, and says nothing of it.
pub(super) fn fingerprint(key: &[u8; KEY]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"weir key fingerprint\0");
    hash.update(key);
    hash.finalize()[..8]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}
