//! Archives: tar, tar.gz and zip, unpacked so that nothing lands outside the directory.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;

/// What an archive is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Tar,
    TarGz,
    Zip,
}

fn detect(file: &mut File) -> io::Result<Option<Format>> {
    let mut head = Vec::new();
    file.take(265).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(if head.starts_with(&[0x1f, 0x8b]) {
        Some(Format::TarGz)
    } else if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        Some(Format::Zip)
    } else if head.get(257..262) == Some(b"ustar") {
        Some(Format::Tar)
    } else {
        None
    })
}

/// Unpacks an archive into an empty directory. Blocks.
///
/// # Errors
/// In words: what is wrong with the archive or the disk.
pub(crate) fn unpack(archive: &Path, into: &Path) -> Result<(), String> {
    let words = |error: io::Error| {
        let inner = error.get_ref().map(ToString::to_string);
        inner.unwrap_or_else(|| super::disk::cause(&error))
    };
    let mut file = File::open(archive).map_err(words)?;
    match detect(&mut file).map_err(words)? {
        Some(Format::Tar) => tar(BufReader::new(file), into).map_err(words),
        Some(Format::TarGz) => tar(GzDecoder::new(BufReader::new(file)), into).map_err(words),
        Some(Format::Zip) => zip(BufReader::new(file), into),
        None => Err(
            "it is not a tar, tar.gz or zip archive; leave `unpack` out to keep it as a file"
                .to_owned(),
        ),
    }
}

fn tar(from: impl Read, into: &Path) -> io::Result<()> {
    let mut archive = tar::Archive::new(from);
    archive.set_preserve_permissions(true);
    archive.set_preserve_mtime(true);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if !stays_inside(&path) {
            return Err(io::Error::other(escape(&path)));
        }
        if let Some(target) = entry.link_name()? {
            let base = match entry.header().entry_type() {
                tar::EntryType::Symlink => path.parent().unwrap_or(Path::new("")).to_owned(),
                _ => PathBuf::new(),
            };
            if !stays_inside(&base.join(&target)) {
                return Err(io::Error::other(escape(&target)));
            }
        }
        // `unpack_in` also refuses to write through links made by earlier entries.
        if !entry.unpack_in(into)? {
            return Err(io::Error::other(escape(&path)));
        }
    }
    Ok(())
}

fn zip(from: impl Read + Seek, into: &Path) -> Result<(), String> {
    let mut archive = zip::ZipArchive::new(from).map_err(|error| error.to_string())?;
    let io = |error: io::Error| super::disk::cause(&error);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| error.to_string())?;
        let name = PathBuf::from(entry.name());
        if !stays_inside(&name) {
            return Err(escape(&name));
        }
        if entry.is_symlink() {
            return Err(format!(
                "it holds a link ({}), which weir takes from tar archives only",
                name.display()
            ));
        }
        let path = into.join(&name);
        if entry.is_dir() {
            fs::create_dir_all(&path).map_err(io)?;
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(io)?;
        }
        let mut file = File::create(&path).map_err(io)?;
        io::copy(&mut entry, &mut file).map_err(|error| error.to_string())?;
        let mode = entry.unix_mode().unwrap_or(0o644) & 0o777;
        file.set_permissions(fs::Permissions::from_mode(mode))
            .map_err(io)?;
    }
    Ok(())
}

fn escape(path: &Path) -> String {
    format!("it holds a path that leads out of it: {}", path.display())
}

fn stays_inside(path: &Path) -> bool {
    let mut depth = 0_i64;
    for component in path.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir => depth -= 1,
            Component::RootDir | Component::Prefix(_) => return false,
        }
        if depth < 0 {
            return false;
        }
    }
    true
}

/// All files and links below a directory, relative to it; directories last, deepest first.
pub(crate) fn list(dir: &Path) -> io::Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (mut files, mut dirs) = (Vec::new(), Vec::new());
    let mut open = vec![PathBuf::new()];
    while let Some(relative) = open.pop() {
        for entry in fs::read_dir(dir.join(&relative))? {
            let entry = entry?;
            let path = relative.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                dirs.push(path.clone());
                open.push(path);
            } else {
                files.push(path);
            }
        }
    }
    dirs.sort_by_key(|path| std::cmp::Reverse(path.components().count()));
    Ok((files, dirs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn escaping_paths_are_seen() {
        for (path, inside) in [
            ("a/b", true),
            ("./a", true),
            ("a/../b", true),
            ("../a", false),
            ("a/../../b", false),
            ("/etc/passwd", false),
        ] {
            assert_eq!(stays_inside(Path::new(path)), inside, "{path}");
        }
    }

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("weir-unpack-{name}-{}", std::process::id()));
        fs::create_dir_all(dir.join("out")).expect("the test directory can be made");
        dir
    }

    fn tar_with(path: &str, link: Option<&str>) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        // Set raw: the crate's own setters refuse what an attacker would write.
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_mode(0o755);
        if let Some(link) = link {
            header.set_entry_type(tar::EntryType::Symlink);
            header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
            header.set_size(0);
        } else {
            header.set_size(2);
        }
        header.set_cksum();
        let mut builder = tar::Builder::new(Vec::new());
        let body: &[u8] = if link.is_some() { b"" } else { b"hi" };
        builder.append(&header, body).unwrap();
        builder.into_inner().unwrap()
    }

    #[test]
    fn archives_are_unpacked_and_escapes_refused() {
        let dir = scratch("tar");
        let archive = dir.join("archive");
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&tar_with("bin/run", None)).unwrap();
        fs::write(&archive, gz.finish().unwrap()).unwrap();
        unpack(&archive, &dir.join("out")).unwrap();
        assert_eq!(fs::read(dir.join("out/bin/run")).unwrap(), b"hi");
        let mode = fs::metadata(dir.join("out/bin/run"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o755);
        for bad in [
            tar_with("../evil", None),
            tar_with("/tmp/evil", None),
            tar_with("a", Some("/etc")),
            tar_with("a", Some("../..")),
        ] {
            fs::write(&archive, bad).unwrap();
            let error = unpack(&archive, &dir.join("out")).unwrap_err();
            assert!(error.contains("leads out of it"), "{error}");
        }
        fs::write(&archive, "plain text").unwrap();
        assert!(
            unpack(&archive, &dir.join("out"))
                .unwrap_err()
                .contains("not a tar")
        );
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_zip_is_unpacked() {
        let dir = scratch("zip");
        let archive = dir.join("archive");
        let mut writer = zip::ZipWriter::new(File::create(&archive).unwrap());
        let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
        writer.start_file("a/run", options).unwrap();
        writer.write_all(b"zipped").unwrap();
        writer.finish().unwrap();
        unpack(&archive, &dir.join("out")).unwrap();
        assert_eq!(fs::read(dir.join("out/a/run")).unwrap(), b"zipped");
        assert_eq!(
            list(&dir.join("out")).unwrap(),
            (vec!["a/run".into()], vec!["a".into()])
        );
        fs::remove_dir_all(dir).unwrap();
    }
}
