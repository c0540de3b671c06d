//! Tasks' logs: opening, the last lines, following, and rotation.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc::Sender;

/// A log is rotated when it is longer than this.
const ROTATE_AT: u64 = 10 * 1024 * 1024;
/// How many old ones are kept.
const KEEP: u32 = 3;
/// How much of a log's end is searched for its last lines.
const TAIL: u64 = 4 * 1024 * 1024;
const POLL: Duration = Duration::from_millis(250);

/// Opens a log for a task's output: each write goes to its end, also after a rotation.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if let Some(dir) = path.parent() {
        super::home::make_dir(dir, 0o700)?;
    }
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

/// The last lines of a log, and where it ends.
pub(crate) fn tail(path: &Path, lines: u64) -> io::Result<(String, u64)> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((String::new(), 0)),
        Err(error) => return Err(error),
    };
    let end = file.metadata()?.len();
    file.seek(SeekFrom::Start(end.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok((last_lines(&bytes, lines), end))
}

fn last_lines(bytes: &[u8], lines: u64) -> String {
    if lines == 0 {
        return String::new();
    }
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let wanted = usize::try_from(lines).unwrap_or(usize::MAX);
    let start = body
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, byte)| **byte == b'\n')
        .nth(wanted - 1)
        .map_or(0, |(at, _)| at + 1);
    String::from_utf8_lossy(&bytes[start..]).into_owned()
}

/// The last lines for an error message; empty when there are none.
pub(crate) fn excerpt(path: &Path) -> String {
    match tail(path, 8) {
        Ok((text, _)) if !text.trim().is_empty() => {
            let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
            format!("; its log ends with:\n{}", lines.join("\n"))
        }
        _ => "; its log is empty".to_owned(),
    }
}

/// Sends what is appended after `from`, until the receiver or the log is gone.
pub(crate) async fn follow(path: PathBuf, mut from: u64, out: Sender<String>) {
    let mut inode = fs::metadata(&path).map(|metadata| metadata.ino()).ok();
    loop {
        tokio::select! {
            () = out.closed() => return,
            () = tokio::time::sleep(POLL) => {}
        }
        let Ok(metadata) = fs::metadata(&path) else {
            if path.parent().is_some_and(Path::exists) {
                continue;
            }
            return;
        };
        if metadata.len() < from || inode.is_some_and(|inode| inode != metadata.ino()) {
            from = 0;
        }
        inode = Some(metadata.ino());
        while let Ok(Some((text, next))) = appended(&path, from) {
            from = next;
            if out.send(text).await.is_err() {
                return;
            }
        }
    }
}

fn appended(path: &Path, from: u64) -> io::Result<Option<(String, u64)>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(64 * 1024).read_to_end(&mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    // Whole lines where there are any, so that no character is cut in two.
    if let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') {
        bytes.truncate(end + 1);
    }
    let next = from + bytes.len() as u64;
    Ok(Some((String::from_utf8_lossy(&bytes).into_owned(), next)))
}

/// Rotates every log below a directory that has grown too long: it is copied and truncated,
/// because tasks keep it open.
pub(crate) fn rotate_below(dir: &Path) {
    let Ok(entries) = fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => rotate_below(&path),
            Ok(metadata)
                if metadata.len() > ROTATE_AT
                    && path.extension().is_some_and(|extension| extension == "log") =>
            {
                // Tried again a moment later; a full disk must not end the agent.
                let _ = rotate(&path);
            }
            _ => {}
        }
    }
}

fn rotate(path: &Path) -> io::Result<()> {
    let old = |number: u32| PathBuf::from(format!("{}.{number}", path.display()));
    for number in (1..KEEP).rev() {
        super::disk::gone_is_fine(fs::rename(old(number), old(number + 1)))?;
    }
    let copied = fs::copy(path, old(1));
    // Truncated even when the copy failed for want of space: the log is what fills the disk.
    OpenOptions::new().write(true).open(path)?.set_len(0)?;
    copied.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_cut_at_line_ends() {
        let cases: [(&[u8], u64, &str); 6] = [
            (b"a\nb\nc\n", 2, "b\nc\n"),
            (b"a\nb\nc", 1, "c"),
            (b"a\n", 9, "a\n"),
            (b"", 3, ""),
            (b"a\nb\n", 0, ""),
            (b"\n\n", 1, "\n"),
        ];
        for (bytes, lines, expected) in cases {
            assert_eq!(last_lines(bytes, lines), expected, "{bytes:?} {lines}");
        }
    }

    #[test]
    fn rotation_keeps_three_and_the_open_file() {
        use std::io::Write;
        let dir = std::env::temp_dir().join(format!("weir-logs-{}", std::process::id()));
        let path = dir.join("task.log");
        let mut log = open(&path).expect("the directory can be made");
        for round in 0..5 {
            writeln!(log, "round {round}").unwrap();
            rotate(&path).unwrap();
        }
        writeln!(log, "last").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "last\n");
        let old = |number| fs::read_to_string(dir.join(format!("task.log.{number}")));
        assert_eq!(old(1).unwrap(), "round 4\n");
        assert_eq!(old(3).unwrap(), "round 2\n");
        assert!(old(4).is_err());
        fs::remove_dir_all(dir).unwrap();
    }
}
