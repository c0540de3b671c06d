//! Archives: unpacked into an empty folder, and never anywhere else.

use crate::{
    address::{ArchiveKind, Checksum},
    error::SourceError,
    folder::{Limits, hex, inside},
};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom},
    os::unix::fs::PermissionsExt,
    path::{Component, Path, PathBuf},
};

/// Unpacks an archive into a folder that is empty.
pub(crate) fn unpack(
    file: &mut File,
    kind: ArchiveKind,
    into: &Path,
    limits: Limits,
) -> Result<(), SourceError> {
    rewind(file)?;
    let mut target = Target {
        root: into,
        limits,
        links: Vec::new(),
    };
    let reader = BufReader::new(&mut *file);
    match kind {
        ArchiveKind::Zip => target.zip(file)?,
        ArchiveKind::Tar => target.tar(reader)?,
        ArchiveKind::TarGz => target.tar(flate2::read::MultiGzDecoder::new(reader))?,
        ArchiveKind::TarBz2 => target.tar(bzip2::read::MultiBzDecoder::new(reader))?,
        ArchiveKind::TarXz => target.tar(lzma_rust2::XzReader::new(reader, true))?,
    }
    target.link()
}

fn rewind(file: &mut File) -> Result<(), SourceError> {
    file.seek(SeekFrom::Start(0))
        .map(|_| ())
        .map_err(|e| SourceError::fetch("the download can't be read", e))
}

struct Target<'a> {
    root: &'a Path,
    limits: Limits,
    /// Made last, so that nothing is written through one.
    links: Vec<(PathBuf, PathBuf)>,
}

fn broken(error: impl ToString) -> SourceError {
    SourceError::fetch("the archive can't be unpacked", error)
}

/// The path of an entry, below the folder.
fn below(path: &Path) -> Result<PathBuf, SourceError> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => out.push(name),
            Component::CurDir => {}
            _ => {
                return Err(SourceError::refused(format!(
                    "`{}` leads out of it",
                    path.display()
                )));
            }
        }
    }
    Ok(out)
}

impl Target<'_> {
    fn folder(&mut self, path: &Path) -> Result<(), SourceError> {
        self.limits.take(0)?;
        let path = self.root.join(path);
        fs::create_dir_all(&path).map_err(SourceError::io(path))
    }

    fn file(
        &mut self,
        path: &Path,
        reader: &mut dyn Read,
        executable: bool,
    ) -> Result<(), SourceError> {
        let target = self.root.join(path);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(SourceError::io(parent))?;
        }
        let mut out = File::create(&target).map_err(SourceError::io(&target))?;
        // What an entry says of its size may be wrong: what comes out is counted.
        let most = self.limits.bytes;
        let written =
            io::copy(&mut reader.take(most.saturating_add(1)), &mut out).map_err(broken)?;
        self.limits.take(written)?;
        let mode = if executable { 0o755 } else { 0o644 };
        fs::set_permissions(&target, fs::Permissions::from_mode(mode))
            .map_err(SourceError::io(target))
    }

    fn tar(&mut self, reader: impl Read) -> Result<(), SourceError> {
        let mut archive = tar::Archive::new(reader);
        for entry in archive.entries().map_err(broken)? {
            let mut entry = entry.map_err(broken)?;
            let path = below(&entry.path().map_err(broken)?)?;
            let kind = entry.header().entry_type();
            if kind.is_dir() {
                self.folder(&path)?;
            } else if kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse() {
                let executable = entry.header().mode().unwrap_or(0) & 0o111 != 0;
                self.file(&path, &mut entry, executable)?;
            } else if kind.is_symlink() {
                let target = entry.link_name().map_err(broken)?;
                let target = target.ok_or_else(|| broken("a link without a target"))?;
                self.limits.take(0)?;
                inside(&path, &target)?;
                self.links.push((path, target.into_owned()));
            } else if kind.is_pax_global_extensions() {
                // What git writes of the commit.
            } else {
                return Err(SourceError::refused(format!(
                    "`{}` is neither a file, a folder nor a link",
                    path.display()
                )));
            }
        }
        Ok(())
    }

    fn zip(&mut self, file: &mut File) -> Result<(), SourceError> {
        rewind(file)?;
        let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(broken)?;
        for i in 0..archive.len() {
            let mut entry = archive.by_index(i).map_err(broken)?;
            let name = entry.name().replace('\\', "/");
            let path = below(Path::new(&name))?;
            let mode = entry.unix_mode().unwrap_or(0);
            if entry.is_dir() {
                self.folder(&path)?;
            } else if mode & 0o170_000 == 0o120_000 {
                let mut target = String::new();
                (&mut entry)
                    .take(4096)
                    .read_to_string(&mut target)
                    .map_err(broken)?;
                self.limits.take(0)?;
                inside(&path, Path::new(&target))?;
                self.links.push((path, target.into()));
            } else {
                self.file(&path, &mut entry, mode & 0o111 != 0)?;
            }
        }
        Ok(())
    }

    fn link(&mut self) -> Result<(), SourceError> {
        for (path, target) in std::mem::take(&mut self.links) {
            let path = self.root.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(SourceError::io(parent))?;
            }
            std::os::unix::fs::symlink(target, &path).map_err(SourceError::io(path))?;
        }
        Ok(())
    }
}

impl Checksum {
    /// Holds a file against it.
    pub(crate) fn check(&self, file: &mut File) -> Result<(), SourceError> {
        rewind(file)?;
        let (found, wanted) = match self {
            Checksum::Md5(hex) => (hash::<Md5>(file)?, hex),
            Checksum::Sha1(hex) => (hash::<Sha1>(file)?, hex),
            Checksum::Sha256(hex) => (hash::<Sha256>(file)?, hex),
            Checksum::Sha512(hex) => (hash::<Sha512>(file)?, hex),
        };
        if found == *wanted {
            return Ok(());
        }
        Err(SourceError::refused(format!(
            "its checksum is {found}, and the address says {wanted}"
        )))
    }
}

fn hash<D: Digest>(file: &mut File) -> Result<String, SourceError> {
    let mut hasher = D::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = file
            .read(&mut buffer)
            .map_err(|e| SourceError::fetch("the download can't be read", e))?;
        if read == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&buffer[..read]);
    }
}
