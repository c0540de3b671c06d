//! Where the agent keeps things: the layout of its home directory, in one place.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::disk;

/// The agent's home directory.
///
/// As root it can be passed through but not listed (0711), so that a task of an unprivileged
/// user reaches its own pod's directory; what is not a pod's own is 0700.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    root: PathBuf,
}

/// The home of an agent that is a systemd unit.
pub(crate) const SYSTEM_HOME: &str = "/var/lib/weir";

/// A scope's short name in paths and unit names.
pub(crate) fn short_scope(scope: &str) -> String {
    // Not the scope's own first letters: time-ordered ids of one minute share them.
    disk::sha256_hex(scope.as_bytes())[..8].to_owned()
}

impl Home {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the directories that are always there.
    pub(crate) fn prepare(&self, root_user: bool) -> io::Result<()> {
        let open = if root_user { 0o711 } else { 0o700 };
        for (path, mode) in [
            (self.root.clone(), open),
            (self.root.join("pods"), open),
            (self.scopes(), 0o700),
            (self.blobs(), 0o700),
        ] {
            make_dir(&path, mode)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        }
        Ok(())
    }

    pub(crate) fn scopes(&self) -> PathBuf {
        self.root.join("scopes")
    }

    pub(crate) fn ledger(&self, scope: &str) -> PathBuf {
        self.scopes().join(format!("{}.json", short_scope(scope)))
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    pub(crate) fn blob(&self, sha256: &str) -> PathBuf {
        self.blobs().join(sha256)
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("agent.lock")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("agent.log")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.root.join("agent.sock")
    }

    /// Tells processes of this agent's tasks from those of another agent on the same host.
    pub(crate) fn id(&self) -> String {
        disk::sha256_hex(self.root.as_os_str().as_encoded_bytes())[..8].to_owned()
    }

    /// The places of one pod.
    pub(crate) fn pod(&self, scope: &str, slug: &str) -> PodHome {
        PodHome {
            home: self.root.clone(),
            scope: short_scope(scope),
            slug: slug.to_owned(),
        }
    }

    /// The directories that hold all pods of a scope; empty ones are removed with the scope.
    pub(crate) fn scope_dirs(&self, scope: &str) -> Vec<PathBuf> {
        ["pods", "logs", "state"]
            .iter()
            .map(|kind| self.root.join(kind).join(short_scope(scope)))
            .collect()
    }
}

/// The places of one pod.
#[derive(Clone, Debug)]
pub(crate) struct PodHome {
    home: PathBuf,
    scope: String,
    slug: String,
}

impl PodHome {
    /// Its working directory, owned by its user: relative paths of its spec are below it.
    pub(crate) fn dir(&self) -> PathBuf {
        self.home.join("pods").join(&self.scope).join(&self.slug)
    }

    /// Its logs. Not in `dir`: its user could put a link there that root would write through.
    pub(crate) fn logs(&self) -> PathBuf {
        self.home.join("logs").join(&self.scope).join(&self.slug)
    }

    pub(crate) fn log(&self, task: &str) -> PathBuf {
        self.logs().join(format!("{task}.log"))
    }

    /// What the agent keeps for it: exit codes, artifact markers, backups, environments.
    pub(crate) fn state(&self) -> PathBuf {
        self.home.join("state").join(&self.scope).join(&self.slug)
    }

    pub(crate) fn exit_file(&self, task: &str) -> PathBuf {
        self.state().join(format!("{task}.exit"))
    }

    pub(crate) fn env_file(&self, task: &str) -> PathBuf {
        self.state().join(format!("{task}.env"))
    }

    pub(crate) fn marker(&self, artifact: &str) -> PathBuf {
        let name = &disk::sha256_hex(artifact.as_bytes())[..16];
        self.state().join(format!("artifact-{name}.json"))
    }

    /// The markers of all artifacts that are in place.
    pub(crate) fn markers(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.state()) else {
            return Vec::new();
        };
        let is_marker = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("artifact-") && name.ends_with(".json"))
        };
        let paths = entries.flatten().map(|entry| entry.path());
        paths.filter(is_marker).collect()
    }

    pub(crate) fn backup(&self, path: &str) -> PathBuf {
        let name = &disk::sha256_hex(path.as_bytes())[..16];
        self.state().join(format!("backup-{name}"))
    }

    /// A path of the spec as an absolute one.
    pub(crate) fn resolve(&self, path: &str) -> PathBuf {
        self.dir().join(path)
    }

    /// The generated unit of a task. An agent with a home of its own, beside the one that is
    /// the host's, has names of its own too.
    pub(crate) fn unit(&self, task: &str) -> String {
        let other = if self.home == Path::new(SYSTEM_HOME) {
            String::new()
        } else {
            format!("{}-", Home::new(self.home.clone()).id())
        };
        format!("weir-{other}{}-{}-{task}.service", self.scope, self.slug)
    }

    pub(crate) fn scope(&self) -> &str {
        &self.scope
    }

    pub(crate) fn slug(&self) -> &str {
        &self.slug
    }
}

/// Makes a directory and its parents; one that exists is fine.
pub(crate) fn make_dir(path: &Path, mode: u32) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
}
