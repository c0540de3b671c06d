//! Limits of tasks the agent supervises itself, by cgroups v2 or v1 where they can be written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use weir_agent::wire::Limits;

use super::disk;

const ROOT: &str = "/sys/fs/cgroup";
const PERIOD_US: u64 = 100_000;

/// One file of a cgroup and what is written to it.
type Setting = (PathBuf, String);

/// Makes the cgroup of a task with its limits; its processes join by the returned files.
///
/// # Errors
/// In words, when the host doesn't let the agent set these limits.
pub(crate) fn prepare(id: &str, limits: &Limits) -> Result<Vec<PathBuf>, String> {
    if limits.cpus.is_none() && limits.memory_bytes.is_none() {
        return Ok(Vec::new());
    }
    let root = Path::new(ROOT);
    let result = if root.join("cgroup.controllers").exists() {
        prepare_v2(root, id, limits)
    } else {
        prepare_v1(root, id, limits)
    };
    result.map_err(|(path, error)| {
        remove(id);
        format!("{}: {}", path.display(), disk::cause(&error))
    })
}

fn prepare_v2(
    root: &Path,
    id: &str,
    limits: &Limits,
) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let parent = root.join("weir");
    let dir = parent.join(id);
    make(&parent)?;
    for level in [root, &parent] {
        let control = level.join("cgroup.subtree_control");
        put(&(control, "+cpu +memory".to_owned()))?;
    }
    make(&dir)?;
    for setting in settings_v2(&dir, limits) {
        put(&setting)?;
    }
    Ok(vec![dir.join("cgroup.procs")])
}

fn prepare_v1(
    root: &Path,
    id: &str,
    limits: &Limits,
) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut procs = Vec::new();
    for (controller, settings) in settings_v1(limits) {
        let parent = root.join(controller).join("weir");
        let dir = parent.join(id);
        make(&parent)?;
        make(&dir)?;
        for (file, value) in settings {
            put(&(dir.join(file), value))?;
        }
        procs.push(dir.join("cgroup.procs"));
    }
    Ok(procs)
}

fn make(dir: &Path) -> Result<(), (PathBuf, io::Error)> {
    match fs::create_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err((dir.to_owned(), error)),
        _ => Ok(()),
    }
}

fn put((file, value): &Setting) -> Result<(), (PathBuf, io::Error)> {
    fs::write(file, value).map_err(|error| (file.clone(), error))
}

fn settings_v2(dir: &Path, limits: &Limits) -> Vec<Setting> {
    let quota = limits
        .cpus
        .map_or_else(|| "max".to_owned(), |cpus| quota_us(cpus).to_string());
    let memory = limits
        .memory_bytes
        .map_or_else(|| "max".to_owned(), |bytes| bytes.to_string());
    vec![
        (dir.join("cpu.max"), format!("{quota} {PERIOD_US}")),
        (dir.join("memory.max"), memory),
    ]
}

type ControllerV1 = (&'static str, Vec<(&'static str, String)>);

fn settings_v1(limits: &Limits) -> Vec<ControllerV1> {
    let mut all = Vec::new();
    if let Some(cpus) = limits.cpus {
        all.push((
            "cpu",
            vec![
                ("cpu.cfs_period_us", PERIOD_US.to_string()),
                ("cpu.cfs_quota_us", quota_us(cpus).to_string()),
            ],
        ));
    }
    if let Some(bytes) = limits.memory_bytes {
        all.push(("memory", vec![("memory.limit_in_bytes", bytes.to_string())]));
    }
    all
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped first
#[allow(clippy::cast_precision_loss)] // the period is small
fn quota_us(cpus: f64) -> u64 {
    // The kernel refuses less than a millisecond.
    (cpus * PERIOD_US as f64).clamp(1_000.0, 1e12) as u64
}

fn dirs(id: &str) -> [PathBuf; 3] {
    ["", "cpu", "memory"].map(|controller| Path::new(ROOT).join(controller).join("weir").join(id))
}

/// Takes a task's cgroups away, and the parent with the last one.
pub(crate) fn remove(id: &str) {
    for dir in dirs(id) {
        // Refused while a process is in it, and there is nothing to do about it.
        if fs::remove_dir(&dir).is_ok()
            && let Some(parent) = dir.parent()
        {
            let _ = fs::remove_dir(parent);
        }
    }
}

/// As [`remove`], again for a moment: the kernel lets go of ended processes a little later.
pub(crate) async fn remove_when_empty(id: &str) {
    for _ in 0..20 {
        remove(id);
        if !dirs(id).iter().any(|dir| dir.exists()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_become_settings() {
        let limits = Limits {
            cpus: Some(0.5),
            memory_bytes: None,
        };
        assert_eq!(
            settings_v2(Path::new("/c"), &limits),
            [
                (PathBuf::from("/c/cpu.max"), "50000 100000".to_owned()),
                (PathBuf::from("/c/memory.max"), "max".to_owned()),
            ]
        );
        let limits = Limits {
            cpus: None,
            memory_bytes: Some(1 << 20),
        };
        assert_eq!(
            settings_v1(&limits),
            [(
                "memory",
                vec![("memory.limit_in_bytes", "1048576".to_owned())]
            )]
        );
        assert_eq!(quota_us(0.000_1), 1_000);
    }
}
