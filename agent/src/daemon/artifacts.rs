//! Artifacts: fetched once, known by a marker that names what is in place.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use weir_agent::wire::{Artifact, ArtifactSource, ArtifactState, OnChange, PodSpec};

use super::accounts::Accounts;
use super::apply::PodWork;
use super::disk::{self, HashCache, Ids};
use super::fetch::fetch;
use super::home::{self, PodHome};
use super::unpack;
use super::{StepError, lock};

/// What an artifact put where. It is written last, so that half an artifact has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    sha256: String,
    unpack: bool,
    dest: PathBuf,
    /// Of an unpacked one, relative to `dest`.
    files: Vec<PathBuf>,
    directories: Vec<PathBuf>,
}

impl Marker {
    pub(crate) fn load(home: &PodHome, artifact: &str) -> Option<Self> {
        Self::read(&home.marker(artifact))
    }

    pub(crate) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// Takes away what the artifact put in place.
    ///
    /// # Errors
    /// When something can't be removed.
    pub(crate) fn remove_files(&self) -> io::Result<()> {
        if !self.unpack {
            return disk::remove_if_there(&self.dest);
        }
        for file in &self.files {
            disk::remove_if_there(&self.dest.join(file))?;
        }
        for dir in &self.directories {
            // One that holds something else stays.
            let _ = fs::remove_dir(self.dest.join(dir));
        }
        Ok(())
    }
}

/// An artifact as it is: by its marker, and by what is really in place.
pub(crate) fn state(artifact: &Artifact, home: &PodHome, hashes: &mut HashCache) -> ArtifactState {
    let dest = home.resolve(&artifact.dest);
    let Some(marker) = Marker::load(home, &artifact.name) else {
        return ArtifactState::Missing;
    };
    if marker.dest != dest || marker.unpack != artifact.unpack {
        return ArtifactState::Missing;
    }
    if marker.unpack {
        let whole = marker
            .files
            .iter()
            .all(|file| fs::symlink_metadata(dest.join(file)).is_ok());
        if !whole {
            return ArtifactState::Missing;
        }
        return if marker.sha256 == artifact.sha256 {
            ArtifactState::Same
        } else {
            ArtifactState::Differs {
                sha256: marker.sha256,
            }
        };
    }
    match fs::metadata(&dest).and_then(|metadata| hashes.sha256(&dest, &metadata)) {
        Ok(sha256) if sha256 == artifact.sha256 => ArtifactState::Same,
        Ok(sha256) => ArtifactState::Differs { sha256 },
        Err(_) => ArtifactState::Missing,
    }
}

/// What the blocking part of an installation needs.
struct Job {
    artifact: Artifact,
    dest: PathBuf,
    ids: Option<Ids>,
    old: Option<Marker>,
    blob: PathBuf,
}

impl PodWork {
    /// Brings every artifact in place.
    ///
    /// # Errors
    /// Names the artifact and the cause.
    pub(crate) async fn install_artifacts(&self, accounts: &Accounts) -> Result<(), StepError> {
        self.remove_stale_artifacts()?;
        for artifact in &self.spec.artifacts {
            let state = state(artifact, &self.home, &mut lock(&self.agent.hashes));
            if state != ArtifactState::Same {
                self.install_artifact(artifact, accounts).await?;
            }
        }
        Ok(())
    }

    /// Takes away artifacts the spec no longer names.
    fn remove_stale_artifacts(&self) -> Result<(), StepError> {
        let artifacts = self.spec.artifacts.iter();
        let wanted: Vec<PathBuf> = artifacts.map(|one| self.home.marker(&one.name)).collect();
        for path in self.home.markers() {
            if wanted.contains(&path) {
                continue;
            }
            let failed = |error: io::Error| {
                let message = format!("an old one can't be removed: {}", disk::cause(&error));
                StepError::new("artifacts", message)
            };
            self.set_pending("artifacts", OnChange::Restart)?;
            if let Some(marker) = Marker::read(&path) {
                marker.remove_files().map_err(failed)?;
                let what = format!("removed {}", marker.dest.display());
                self.events.changed("artifacts", what);
            }
            disk::remove_if_there(&path).map_err(failed)?;
        }
        Ok(())
    }

    async fn install_artifact(
        &self,
        artifact: &Artifact,
        accounts: &Accounts,
    ) -> Result<(), StepError> {
        let step = format!("artifact {}", artifact.name);
        let failed = |message: String| StepError::new(&step, message);
        self.events.started(&step);
        let ids = accounts
            .owner_ids(None, None, self.spec.user.as_deref())
            .map_err(failed)?;
        self.set_pending(&step, OnChange::Restart)?;
        let dest = self.home.resolve(&artifact.dest);
        let inside = dest.join("content");
        self.make_parents(
            &step,
            if artifact.unpack { &inside } else { &dest },
            accounts,
        )?;
        let job = Job {
            artifact: artifact.clone(),
            dest,
            ids,
            old: Marker::load(&self.home, &artifact.name),
            blob: self.agent.home.blob(&artifact.sha256),
        };
        let marker_path = self.home.marker(&artifact.name);
        let events = self.events.clone();
        let progress_step = step.clone();
        let marker = tokio::task::spawn_blocking(move || {
            job.run(&|text| events.progress(&progress_step, text))
        })
        .await
        .map_err(|error| failed(error.to_string()))?
        .map_err(failed)?;
        let text = serde_json::to_vec(&marker).map_err(|error| failed(error.to_string()))?;
        disk::write_atomic(&marker_path, &text, 0o600, None)
            .map_err(|error| failed(disk::cause(&error)))?;
        self.events
            .changed(&step, format!("sha256 {}", artifact.sha256));
        self.events.done(&step);
        Ok(())
    }
}

impl Job {
    fn run(self, progress: &dyn Fn(String)) -> Result<Marker, String> {
        let words = |path: &Path| {
            let path = path.display().to_string();
            move |error: io::Error| format!("{path} can't be written: {}", disk::cause(&error))
        };
        let near = if self.artifact.unpack {
            self.dest.clone()
        } else {
            self.dest.parent().unwrap_or(Path::new("/")).to_owned()
        };
        // In the same file system as its place, so that it gets there by a rename.
        let staging = near.join(format!(".weir-artifact-{}", &self.artifact.sha256[..16]));
        disk::remove_tree(&staging).map_err(words(&staging))?;
        home::make_dir(&staging, 0o700).map_err(words(&staging))?;
        let result = self.stage(&staging, progress).and_then(|from| {
            if self.artifact.unpack {
                self.merge(&from).map_err(words(&self.dest))
            } else {
                self.place(&from).map_err(words(&self.dest))
            }
        });
        // What is left there is worth nothing, and is removed before the next try too.
        let _ = disk::remove_tree(&staging);
        result
    }

    /// The verified file, or the directory of its content.
    fn stage(&self, staging: &Path, progress: &dyn Fn(String)) -> Result<PathBuf, String> {
        let archive = match &self.artifact.source {
            ArtifactSource::Url(url) => {
                let path = staging.join("download");
                fetch(url, &self.artifact.sha256, &path, progress)?;
                path
            }
            ArtifactSource::Blob if self.blob.exists() => self.blob.clone(),
            ArtifactSource::Blob => {
                return Err(format!(
                    "blob {} was not sent to this host; apply again",
                    self.artifact.sha256
                ));
            }
        };
        if self.artifact.unpack {
            let content = staging.join("content");
            home::make_dir(&content, 0o755).map_err(|error| disk::cause(&error))?;
            unpack::unpack(&archive, &content)?;
            return Ok(content);
        }
        let file = staging.join("file");
        if archive == self.blob {
            fs::copy(&archive, &file).map_err(|error| disk::cause(&error))?;
        } else {
            fs::rename(&archive, &file).map_err(|error| disk::cause(&error))?;
        }
        Ok(file)
    }

    fn place(&self, file: &Path) -> io::Result<Marker> {
        fs::set_permissions(file, fs::Permissions::from_mode(0o755))?;
        self.own(file)?;
        fs::File::open(file)?.sync_all()?;
        fs::rename(file, &self.dest)?;
        Ok(self.marker(Vec::new(), Vec::new()))
    }

    /// Moves what was unpacked into its place, over an earlier version, and takes away what
    /// only the earlier one had.
    fn merge(&self, content: &Path) -> io::Result<Marker> {
        let (files, directories) = unpack::list(content)?;
        for dir in directories.iter().rev() {
            let target = self.dest.join(dir);
            if fs::symlink_metadata(&target).is_ok_and(|metadata| !metadata.is_dir()) {
                fs::remove_file(&target)?;
            }
            home::make_dir(&target, 0o755)?;
            fs::set_permissions(&target, fs::metadata(content.join(dir))?.permissions())?;
            self.own(&target)?;
        }
        for file in &files {
            let (from, to) = (content.join(file), self.dest.join(file));
            self.own(&from)?;
            if to.is_dir() && !to.is_symlink() {
                fs::remove_dir_all(&to)?;
            }
            fs::rename(from, to)?;
        }
        if let Some(old) = &self.old
            && old.unpack
        {
            let moved = old.dest != self.dest;
            for file in old
                .files
                .iter()
                .filter(|file| moved || !files.contains(file))
            {
                disk::remove_if_there(&old.dest.join(file))?;
            }
            for dir in &old.directories {
                let _ = fs::remove_dir(old.dest.join(dir));
            }
        }
        Ok(self.marker(files, directories))
    }

    fn own(&self, path: &Path) -> io::Result<()> {
        match self.ids {
            Some(Ids { uid, gid }) => lchown(path, Some(uid), Some(gid)),
            None => Ok(()),
        }
    }

    fn marker(&self, files: Vec<PathBuf>, directories: Vec<PathBuf>) -> Marker {
        Marker {
            sha256: self.artifact.sha256.clone(),
            unpack: self.artifact.unpack,
            dest: self.dest.clone(),
            files,
            directories,
        }
    }
}

impl super::Agent {
    /// Removes blobs that no pod names and nobody has just sent.
    pub(crate) fn collect_blobs(&self) {
        const YOUNG: std::time::Duration = std::time::Duration::from_secs(3600);
        let named = |spec: &PodSpec, name: &str| {
            spec.artifacts
                .iter()
                .any(|artifact| artifact.sha256 == name)
        };
        let Ok(entries) = fs::read_dir(self.home.blobs()) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let used = self.all_scopes().iter().any(|scope| {
                scope.read(|ledger| ledger.pods.values().any(|pod| named(&pod.spec, &name)))
            });
            let young = entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age < YOUNG));
            if !used && !young {
                // Tried again after the next change.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}
