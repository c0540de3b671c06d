//! Files and directories of a pod: what is there, and making it so.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use weir_agent::wire::{AgentError, DirSpec, FileSpec, FileState, OnChange};

use super::accounts::Accounts;
use super::apply::PodWork;
use super::disk::{self, HashCache, Ids};
use super::ledger::Before;
use super::{StepError, home, lock};

const MODE_BITS: u32 = 0o7777;
/// The longest content a report carries.
const SHOWN: u64 = 64 * 1024;

/// How one file differs from its spec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Difference {
    missing: bool,
    content: bool,
    mode: Option<u32>,
    owner: Option<(u32, u32)>,
}

impl Difference {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }

    fn describe(&self, spec: &FileSpec, ids: Option<Ids>, accounts: &Accounts) -> String {
        if self.missing {
            return "created".to_owned();
        }
        let mut words = Vec::new();
        if self.content {
            words.push("content".to_owned());
        }
        if let Some(mode) = self.mode {
            words.push(format!("mode {mode:04o} -> {:04o}", spec.mode));
        }
        if let (Some((uid, gid)), Some(ids)) = (self.owner, ids) {
            let name =
                |uid, gid| format!("{}:{}", accounts.user_name(uid), accounts.group_name(gid));
            words.push(format!(
                "owner {} -> {}",
                name(uid, gid),
                name(ids.uid, ids.gid)
            ));
        }
        words.join(", ")
    }
}

fn compare(
    path: &Path,
    spec: &FileSpec,
    ids: Option<Ids>,
    hashes: &mut HashCache,
) -> io::Result<Difference> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Difference {
                missing: true,
                ..Difference::default()
            });
        }
        Err(error) => return Err(error),
    };
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    // A link is replaced by a file, never written through.
    let content = !metadata.is_file()
        || metadata.len() != spec.content.len() as u64
        || hashes.sha256(path, &metadata)? != disk::sha256_hex(spec.content.as_bytes());
    let mode = metadata.mode() & MODE_BITS;
    let owner = (metadata.uid(), metadata.gid());
    Ok(Difference {
        missing: false,
        content,
        mode: (mode != spec.mode & MODE_BITS).then_some(mode),
        owner: ids.filter(|ids| (ids.uid, ids.gid) != owner).map(|_| owner),
    })
}

/// A file as a report shows it.
pub(crate) fn state(
    path: &Path,
    spec: &FileSpec,
    ids: Option<Ids>,
    accounts: &Accounts,
    hashes: &mut HashCache,
) -> FileState {
    match compare(path, spec, ids, hashes) {
        Ok(difference) if difference.is_none() => return FileState::Same,
        Ok(difference) if difference.missing => return FileState::Missing,
        _ => {}
    }
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return FileState::Missing;
    };
    let readable = metadata.is_file();
    let sha256 = if readable {
        hashes.sha256(path, &metadata).unwrap_or_default()
    } else {
        String::new()
    };
    let content = if readable && metadata.len() <= SHOWN && !spec.sensitive {
        fs::read_to_string(path).ok()
    } else {
        None
    };
    FileState::Differs {
        sha256,
        mode: metadata.mode() & MODE_BITS,
        owner: accounts.user_name(metadata.uid()),
        group: accounts.group_name(metadata.gid()),
        content,
        // Unlike the time of the content, nobody can set this one, and it tells of a mode too.
        changed: u64::try_from(metadata.ctime()).ok(),
    }
}

fn failed(step: &str, error: &io::Error) -> StepError {
    let cause = disk::cause(error);
    let next = match error.kind() {
        io::ErrorKind::StorageFull => "; free some space and apply again",
        io::ErrorKind::ReadOnlyFilesystem => "; the file system is mounted read-only",
        io::ErrorKind::PermissionDenied if !nix::unistd::geteuid().is_root() => {
            "; the agent does not run as root here"
        }
        _ => "",
    };
    let cause = cause[..1].to_lowercase() + &cause[1..];
    StepError::new(step, format!("it can't be written: {cause}{next}"))
}

fn ledger_failed(step: &str) -> impl Fn(AgentError) -> StepError {
    move |error| StepError::new(step, error.to_string())
}

impl PodWork {
    fn ids(
        &self,
        step: &str,
        owner: Option<&str>,
        group: Option<&str>,
        accounts: &Accounts,
    ) -> Result<Option<Ids>, StepError> {
        accounts
            .owner_ids(owner, group, self.spec.user.as_deref())
            .map_err(|message| StepError::new(step, message))
    }

    /// Makes the pod's own directories, then those of its spec, then its volumes.
    ///
    /// # Errors
    /// Names the directory and the cause.
    pub(crate) fn make_directories(&self, accounts: &Accounts) -> Result<(), StepError> {
        let dir = self.home.dir();
        let step = format!("directory {}", dir.display());
        let ids = self.ids(&step, None, None, accounts)?;
        let own = || -> io::Result<()> {
            let open = if ids.is_some() { 0o711 } else { 0o700 };
            if let Some(parent) = dir.parent() {
                home::make_dir(parent, open)?;
            }
            home::make_dir(&self.home.logs(), 0o700)?;
            home::make_dir(&self.home.state(), 0o700)?;
            fit_dir(&dir, 0o750, ids).map(drop)
        };
        own().map_err(|error| failed(&step, &error))?;
        for spec in &self.spec.directories {
            self.make_directory(spec, accounts, false)?;
        }
        for spec in &self.spec.volumes {
            self.make_directory(spec, accounts, true)?;
        }
        Ok(())
    }

    fn make_directory(
        &self,
        spec: &DirSpec,
        accounts: &Accounts,
        volume: bool,
    ) -> Result<(), StepError> {
        let path = self.home.resolve(&spec.path);
        let step = format!("directory {}", spec.path);
        let ids = self.ids(
            &step,
            spec.owner.as_deref(),
            spec.group.as_deref(),
            accounts,
        )?;
        self.make_parents(&step, &path, accounts)?;
        if volume && !path.exists() && !path.starts_with(self.home.dir()) {
            self.remember(&step, |made| made.volumes.push(path.clone()))?;
        } else {
            self.remember_directory(&step, &path)?;
        }
        let what =
            fit_dir(&path, spec.mode & MODE_BITS, ids).map_err(|error| failed(&step, &error))?;
        if let Some(what) = what {
            self.events.changed(&step, what);
        }
        Ok(())
    }

    /// Makes the directories above a path that are not there, each remembered first.
    pub(crate) fn make_parents(
        &self,
        step: &str,
        path: &Path,
        accounts: &Accounts,
    ) -> Result<(), StepError> {
        let missing: Vec<PathBuf> = path
            .ancestors()
            .skip(1)
            .take_while(|dir| !dir.exists())
            .map(Path::to_owned)
            .collect();
        for dir in missing.into_iter().rev() {
            let ids = if dir.starts_with(self.home.dir()) {
                self.ids(step, None, None, accounts)?
            } else {
                None
            };
            self.remember_directory(step, &dir)?;
            fit_dir(&dir, 0o755, ids).map_err(|error| failed(step, &error))?;
        }
        Ok(())
    }

    fn remember_directory(&self, step: &str, path: &Path) -> Result<(), StepError> {
        if path.starts_with(self.home.dir()) || path.exists() {
            return Ok(());
        }
        self.remember(step, |made| {
            if !made.directories.iter().any(|known| known == path) {
                made.directories.push(path.to_owned());
            }
        })
    }

    fn remember(
        &self,
        step: &str,
        change: impl FnOnce(&mut super::ledger::Made),
    ) -> Result<(), StepError> {
        self.scope
            .update_pod(&self.spec.name, |pod| change(&mut pod.made))
            .map_err(ledger_failed(step))
    }

    /// Brings every file to its spec and takes away those the spec no longer names. What the
    /// tasks must do about it is written down before the first change, so that a crash in
    /// between can't lose it.
    ///
    /// # Errors
    /// Names the file and the cause.
    pub(crate) fn write_files(&self, accounts: &Accounts) -> Result<(), StepError> {
        let mut work = Vec::new();
        for spec in &self.spec.files {
            let step = format!("file {}", spec.path);
            let path = self.home.resolve(&spec.path);
            let ids = self.ids(
                &step,
                spec.owner.as_deref(),
                spec.group.as_deref(),
                accounts,
            )?;
            let difference = compare(&path, spec, ids, &mut lock(&self.agent.hashes))
                .map_err(|error| failed(&step, &error))?;
            if !difference.is_none() {
                work.push((spec, path, ids, difference));
            }
        }
        let reaction = work
            .iter()
            .map(|(spec, ..)| spec.on_change)
            .max()
            .unwrap_or(OnChange::Nothing);
        self.set_pending("files", reaction)?;
        self.remember_own(work.iter().map(|(_, path, ..)| path))?;
        for (spec, path, ids, difference) in work {
            self.write_file(spec, &path, ids, &difference, accounts)?;
        }
        self.remove_stale_files()
    }

    /// Writes down which files in the pod's own directory are the agent's: once for all of them,
    /// as nothing of anybody else's can be there to be kept.
    fn remember_own<'a>(&self, paths: impl Iterator<Item = &'a PathBuf>) -> Result<(), StepError> {
        let dir = self.home.dir();
        let own: Vec<&PathBuf> = paths.filter(|path| path.starts_with(&dir)).collect();
        self.remember("files", |made| {
            for path in own {
                let before = made.files.entry(path.clone());
                before.or_insert(Before::Nothing);
            }
        })
    }

    /// Writes down that the pod's running tasks must react to a change that comes next.
    ///
    /// # Errors
    /// When the ledger can't be written.
    pub(crate) fn set_pending(&self, step: &str, reaction: OnChange) -> Result<(), StepError> {
        if reaction == OnChange::Nothing {
            return Ok(());
        }
        self.scope
            .update_pod(&self.spec.name, |pod| {
                for task in pod.tasks.values_mut() {
                    task.pending.0 = task.pending.0.max(reaction);
                }
            })
            .map_err(ledger_failed(step))
    }

    fn write_file(
        &self,
        spec: &FileSpec,
        path: &Path,
        ids: Option<Ids>,
        difference: &Difference,
        accounts: &Accounts,
    ) -> Result<(), StepError> {
        let step = format!("file {}", spec.path);
        self.events.started(&step);
        self.make_parents(&step, path, accounts)?;
        self.back_up(&step, path)?;
        let mode = spec.mode & MODE_BITS;
        let written = if difference.missing || difference.content {
            disk::write_atomic(path, spec.content.as_bytes(), mode, ids)
        } else {
            fit(path, mode, ids)
        };
        written.map_err(|error| failed(&step, &error))?;
        self.events
            .changed(&step, difference.describe(spec, ids, accounts));
        self.events.done(&step);
        Ok(())
    }

    /// Keeps what was at a path before the agent first writes there.
    fn back_up(&self, step: &str, path: &Path) -> Result<(), StepError> {
        let known = self
            .scope
            .pod(&self.spec.name)
            .is_none_or(|pod| pod.made.files.contains_key(path));
        if known || path.starts_with(self.home.dir()) {
            return Ok(());
        }
        let before = match fs::symlink_metadata(path) {
            Ok(metadata) if metadata.is_file() => {
                let backup = self.home.backup(&path.display().to_string());
                fs::copy(path, &backup).map_err(|error| failed(step, &error))?;
                Before::File {
                    backup,
                    mode: metadata.mode() & MODE_BITS,
                    uid: metadata.uid(),
                    gid: metadata.gid(),
                }
            }
            _ => Before::Nothing,
        };
        self.remember(step, |made| {
            made.files.insert(path.to_owned(), before);
        })
    }

    fn remove_stale_files(&self) -> Result<(), StepError> {
        let wanted: Vec<PathBuf> = self
            .spec
            .files
            .iter()
            .map(|file| self.home.resolve(&file.path))
            .collect();
        let Some(pod) = self.scope.pod(&self.spec.name) else {
            return Ok(());
        };
        for (path, before) in pod.made.files {
            if wanted.contains(&path) {
                continue;
            }
            let shown = path.strip_prefix(self.home.dir()).unwrap_or(&path);
            let step = format!("file {}", shown.display());
            self.set_pending(&step, OnChange::Restart)?;
            put_back(&path, &before).map_err(|error| failed(&step, &error))?;
            self.remember(&step, |made| {
                made.files.remove(&path);
            })?;
            self.events.changed(&step, "removed");
        }
        Ok(())
    }
}

/// Takes a file away, or puts back what was there before.
pub(crate) fn put_back(path: &Path, before: &Before) -> io::Result<()> {
    match before {
        Before::Nothing => disk::gone_is_fine(fs::remove_file(path)),
        Before::File {
            backup,
            mode,
            uid,
            gid,
        } => {
            let ids = nix::unistd::geteuid().is_root().then_some(Ids {
                uid: *uid,
                gid: *gid,
            });
            match fs::read(backup) {
                Ok(content) => {
                    disk::write_atomic(path, &content, *mode, ids)?;
                    disk::remove_if_there(backup)
                }
                // Put back already, before a crash.
                Err(error) => disk::gone_is_fine(Err(error)),
            }
        }
    }
}

/// Makes a directory, or gives one that is there its mode and owner; says what changed.
fn fit_dir(path: &Path, mode: u32, ids: Option<Ids>) -> io::Result<Option<String>> {
    let created = match fs::DirBuilder::new().mode(mode).create(path) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => false,
        Err(error) => return Err(error),
    };
    let metadata = fs::metadata(path)?;
    let same_mode = metadata.mode() & MODE_BITS == mode;
    let same_owner = ids.is_none_or(|ids| (ids.uid, ids.gid) == (metadata.uid(), metadata.gid()));
    if !(same_mode && same_owner) {
        fit(path, mode, ids)?;
    }
    Ok(if created {
        Some("created".to_owned())
    } else if !same_mode {
        Some(format!(
            "mode {:04o} -> {mode:04o}",
            metadata.mode() & MODE_BITS
        ))
    } else if !same_owner {
        Some("owner".to_owned())
    } else {
        None
    })
}

fn fit(path: &Path, mode: u32, ids: Option<Ids>) -> io::Result<()> {
    if let Some(Ids { uid, gid }) = ids {
        lchown(path, Some(uid), Some(gid))?;
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}
