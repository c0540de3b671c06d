//! Debian packages: what is installed, from dpkg's own database, and installing with apt.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use super::disk::{self, Stamp};
use super::lock;

/// How long another apt or dpkg may hold its lock.
const LOCK_WAIT: Duration = Duration::from_secs(600);
/// How much of apt's output is kept for messages.
const KEPT_LINES: usize = 400;

/// The host's packages.
#[derive(Debug)]
pub(crate) struct Packages {
    status: PathBuf,
    apt_get: PathBuf,
    dpkg: PathBuf,
    cache: Mutex<Option<(Stamp, Arc<Installed>)>>,
    /// Held while apt runs: one of ours at a time.
    running: tokio::sync::Mutex<()>,
}

/// Installed packages and their versions.
pub(crate) type Installed = HashMap<String, String>;

/// A package that could not be installed, with the reason in words.
pub(crate) type Failures = BTreeMap<String, String>;

/// The name in `name` or `name=version`.
pub(crate) fn name_of(package: &str) -> &str {
    package.split('=').next().unwrap_or(package)
}

fn is_met(package: &str, installed: &Installed) -> bool {
    match package.split_once('=') {
        None => installed.contains_key(package),
        Some((name, version)) => installed.get(name).is_some_and(|have| have == version),
    }
}

/// The installed packages in dpkg's status file.
pub(crate) fn parse_status(text: &str) -> Installed {
    let mut installed = Installed::new();
    for paragraph in text.split("\n\n") {
        let (mut name, mut version, mut arch, mut is_installed) = (None, None, "", false);
        for line in paragraph.lines() {
            if let Some(value) = line.strip_prefix("Package: ") {
                name = Some(value);
            } else if let Some(value) = line.strip_prefix("Version: ") {
                version = Some(value);
            } else if let Some(value) = line.strip_prefix("Architecture: ") {
                arch = value;
            } else if let Some(value) = line.strip_prefix("Status: ") {
                is_installed = value.ends_with(" installed");
                if !is_installed {
                    break;
                }
            }
        }
        if let (Some(name), Some(version), true) = (name, version, is_installed) {
            installed.insert(format!("{name}:{arch}"), version.to_owned());
            installed
                .entry(name.to_owned())
                .or_insert_with(|| version.to_owned());
        }
    }
    installed
}

/// What apt's output says is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Trouble {
    /// A package list is missing or out of date.
    Missing {
        package: String,
    },
    NoVersion {
        package: String,
        version: String,
    },
    Stale,
    Interrupted,
    Other(String),
}

fn diagnose(output: &[String]) -> Trouble {
    let between = |line: &str, open: &str, close: &str| {
        let rest = &line[line.find(open)? + open.len()..];
        Some(
            rest[..rest.find(close).unwrap_or(rest.len())]
                .trim()
                .to_owned(),
        )
    };
    for line in output {
        if let Some(package) = between(line, "Unable to locate package ", "\n") {
            return Trouble::Missing { package };
        }
        if line.contains("has no installation candidate")
            && let Some(package) = between(line, "Package '", "'")
        {
            return Trouble::Missing { package };
        }
        if line.contains("was not found")
            && let (Some(version), Some(package)) =
                (between(line, "Version '", "'"), between(line, "for '", "'"))
        {
            return Trouble::NoVersion { package, version };
        }
        if line.contains("dpkg was interrupted") {
            return Trouble::Interrupted;
        }
    }
    if output.iter().any(|line| line.contains("404  Not Found")) {
        return Trouble::Stale;
    }
    let mut errors: Vec<&str> = output
        .iter()
        .filter(|line| line.starts_with("E: ") || line.contains("dpkg: error"))
        .map(String::as_str)
        .collect();
    if errors.is_empty() {
        errors = output
            .iter()
            .rev()
            .take(3)
            .rev()
            .map(String::as_str)
            .collect();
    }
    Trouble::Other(errors.join("; "))
}

impl Packages {
    pub(crate) fn system() -> Self {
        Self::with(
            "/var/lib/dpkg/status".into(),
            "apt-get".into(),
            "dpkg".into(),
        )
    }

    fn with(status: PathBuf, apt_get: PathBuf, dpkg: PathBuf) -> Self {
        Self {
            status,
            apt_get,
            dpkg,
            cache: Mutex::default(),
            running: tokio::sync::Mutex::default(),
        }
    }

    /// What is installed now; read again only when dpkg has changed its database.
    pub(crate) fn installed(&self) -> Arc<Installed> {
        let Ok(metadata) = fs::metadata(&self.status) else {
            return Arc::default();
        };
        let stamp = Stamp::of(&metadata);
        let mut cache = lock(&self.cache);
        if let Some((known, installed)) = &*cache
            && *known == stamp
        {
            return Arc::clone(installed);
        }
        let text = fs::read(&self.status).unwrap_or_default();
        let installed = Arc::new(parse_status(&String::from_utf8_lossy(&text)));
        *cache = Some((stamp, Arc::clone(&installed)));
        installed
    }

    /// Those that are not installed in the wanted version.
    pub(crate) fn missing<'a>(
        &self,
        wanted: impl IntoIterator<Item = &'a String>,
    ) -> BTreeSet<String> {
        let installed = self.installed();
        wanted
            .into_iter()
            .filter(|package| !is_met(package, &installed))
            .cloned()
            .collect()
    }

    /// Installs packages: all in one run, singly when that fails, so that a bad one keeps no
    /// other from being installed.
    pub(crate) async fn install(
        &self,
        packages: &BTreeSet<String>,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Failures {
        let _one_at_a_time = self.running.lock().await;
        let mut updated = false;
        let all: Vec<&String> = packages.iter().collect();
        let Err(first) = self.install_once(&all, &mut updated, progress).await else {
            return Failures::new();
        };
        if packages.len() == 1 {
            return packages
                .iter()
                .map(|package| (package.clone(), first.clone()))
                .collect();
        }
        let mut failures = Failures::new();
        for package in self.missing(packages) {
            if let Err(message) = self.install_once(&[&package], &mut updated, progress).await {
                failures.insert(package, message);
            }
        }
        failures
    }

    async fn install_once(
        &self,
        packages: &[&String],
        updated: &mut bool,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<(), String> {
        let mut configured = false;
        loop {
            let mut arguments = vec!["install", "--"];
            arguments.extend(packages.iter().map(|package| package.as_str()));
            let Err(output) = self.apt(&arguments, progress).await? else {
                // Exit code 0 is apt's word; dpkg's database is the fact.
                let missing = self.missing(packages.iter().copied());
                return match missing.first() {
                    None => Ok(()),
                    Some(package) => Err(format!(
                        "package {package:?} is not installed although apt reported success"
                    )),
                };
            };
            let trouble = diagnose(&output);
            match &trouble {
                Trouble::Interrupted if !configured => {
                    configured = true;
                    progress("dpkg was interrupted earlier; finishing its work first");
                    self.configure().await?;
                    continue;
                }
                Trouble::Missing { .. } | Trouble::NoVersion { .. } | Trouble::Stale
                    if !*updated =>
                {
                    *updated = true;
                    progress("updating the package lists");
                    self.update(progress).await?;
                    continue;
                }
                _ => {}
            }
            return Err(match trouble {
                Trouble::Missing { package } => format!(
                    "package {package:?} does not exist in this host's apt sources; check its name, or add the source that has it"
                ),
                Trouble::NoVersion { package, version } => format!(
                    "package {package:?} has no version {version} in this host's apt sources"
                ),
                Trouble::Stale => {
                    "apt's package lists name files that the mirror does not have".to_owned()
                }
                Trouble::Interrupted => {
                    "dpkg was interrupted, and `dpkg --configure -a` did not mend it".to_owned()
                }
                Trouble::Other(message) => format!("apt-get install failed: {message}"),
            });
        }
    }

    /// `apt-get update`, again while another apt holds the lists.
    async fn update(&self, progress: &(dyn Fn(&str) + Sync)) -> Result<(), String> {
        let deadline = tokio::time::Instant::now() + LOCK_WAIT;
        loop {
            let Err(output) = self.apt(&["update"], progress).await? else {
                return Ok(());
            };
            let locked = output
                .iter()
                .any(|line| line.contains("Could not get lock"));
            if !locked || tokio::time::Instant::now() >= deadline {
                return match diagnose(&output) {
                    Trouble::Other(message) => Err(format!("apt-get update failed: {message}")),
                    // A list that is gone from one mirror leaves the others usable.
                    _ => Ok(()),
                };
            }
            progress("waiting: another apt holds the lock of the package lists");
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }

    async fn configure(&self) -> Result<(), String> {
        let mut command = Command::new(&self.dpkg);
        command.args(["--force-confold", "--configure", "-a"]);
        let output = self.run(command, &|_| {}).await?.err().unwrap_or_default();
        if output.is_empty() {
            Ok(())
        } else {
            Err(format!("dpkg --configure -a failed: {}", output.join("; ")))
        }
    }

    /// Runs apt-get: the outer error is that it can't be run, the inner one its output.
    async fn apt(
        &self,
        arguments: &[&str],
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<Result<(), Vec<String>>, String> {
        let timeout = format!("DPkg::Lock::Timeout={}", LOCK_WAIT.as_secs());
        let mut command = Command::new(&self.apt_get);
        command
            .args(["-y", "-q", "--no-install-recommends", "-o", &timeout])
            .args(["-o", "Dpkg::Options::=--force-confold"])
            .args(["-o", "Dpkg::Options::=--force-confdef"])
            .args(["-o", "Dpkg::Use-Pty=0", "-o", "Acquire::Retries=2"])
            .arg("--allow-downgrades")
            .args(arguments);
        let shown = |line: &str| {
            if line.contains("Waiting for cache lock") || line.contains("Could not get lock") {
                progress("waiting: another apt or dpkg holds the lock");
            } else if line.starts_with("Setting up ") || line.starts_with("Need to get ") {
                progress(line);
            }
        };
        self.run(command, &shown).await
    }

    async fn run(
        &self,
        mut command: Command,
        shown: &(dyn Fn(&str) + Sync),
    ) -> Result<Result<(), Vec<String>>, String> {
        let name = command.as_std().get_program().display().to_string();
        // A session of its own would not help: dpkg must not be interrupted with the agent,
        // and nobody sends the agent's group a signal.
        let mut child = command
            .env_clear()
            .env("PATH", super::SYSTEM_PATH)
            .env("LC_ALL", "C")
            .env("HOME", "/root")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("NEEDRESTART_SUSPEND", "1")
            .envs(
                std::env::vars().filter(|(name, _)| name.to_ascii_lowercase().ends_with("_proxy")),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| {
                format!(
                    "{name} can't be run: {}; this step needs a Debian or Ubuntu host",
                    disk::cause(&error)
                )
            })?;
        let kept = Mutex::new(Vec::new());
        let (_, _, status) = tokio::join!(
            keep(child.stdout.take(), &kept, shown),
            keep(child.stderr.take(), &kept, shown),
            child.wait()
        );
        let status = status.map_err(|error| format!("{name}: {}", disk::cause(&error)))?;
        let mut lines = kept.into_inner().unwrap_or_default();
        if status.success() {
            return Ok(Ok(()));
        }
        lines.push(format!("{name} ended with {status}"));
        Ok(Err(lines))
    }
}

async fn keep<R: AsyncRead + Unpin>(
    stream: Option<R>,
    kept: &Mutex<Vec<String>>,
    shown: &(dyn Fn(&str) + Sync),
) {
    let Some(stream) = stream else { return };
    let mut stream = BufReader::new(stream);
    let mut bytes = Vec::new();
    // To the end, whatever comes: a full pipe would hold the program up for ever.
    while matches!(stream.read_until(b'\n', &mut bytes).await, Ok(1..)) {
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        bytes.clear();
        shown(&line);
        let mut kept = lock(kept);
        if kept.len() == KEPT_LINES {
            kept.remove(0);
        }
        kept.push(line);
    }
}

#[cfg(test)]
#[path = "packages_tests.rs"]
mod tests;
