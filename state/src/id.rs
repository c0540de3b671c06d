//! How states are named, and where those of a stack's workspaces are.

use crate::{Encryption, Options, SqliteStore, StateError, Store};
use async_trait::async_trait;
use std::{
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

/// The name of a workspace: `default`, or what `weir workspace new` was told. It can stand in a
/// path, a URL and a file name as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Workspace(String);

/// The text names no workspace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} can't name a workspace: a name has letters, digits and any of `-_.~$&+:=@`, at most 90 of them"
)]
pub struct WorkspaceError(pub String);

/// The longest name of a workspace, in bytes.
const LONGEST: usize = 90;

impl Workspace {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Whether it is the one that every stack has.
    pub fn is_default(&self) -> bool {
        self.0 == "default"
    }
}

impl Default for Workspace {
    /// `default`: every stack has it, and it can't be deleted.
    fn default() -> Workspace {
        Workspace("default".into())
    }
}

impl FromStr for Workspace {
    type Err = WorkspaceError;
    fn from_str(text: &str) -> Result<Workspace, WorkspaceError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.~$&+:=@".contains(c);
        let sound = !text.is_empty()
            && text.len() <= LONGEST
            && text.chars().all(fits)
            && !text.chars().all(|c| c == '.');
        match sound {
            true => Ok(Workspace(text.to_owned())),
            false => Err(WorkspaceError(text.to_owned())),
        }
    }
}

impl fmt::Display for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one line of states in a place that holds those of many stacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateId {
    /// The stack, by the name in its `stack` block.
    pub stack: String,
    /// Its workspace.
    pub workspace: Workspace,
}

impl fmt::Display for StateId {
    /// `shop/default`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stack, self.workspace)
    }
}

/// Where the states of one stack are, one for each of its workspaces. A [`Store`] is one of them.
#[async_trait]
pub trait Backend: Send + Sync {
    /// The workspaces that have a state, in order. `default` is missing where nothing made it yet.
    ///
    /// # Errors
    /// Those of reading.
    async fn workspaces(&self) -> Result<Vec<Workspace>, StateError>;

    /// Opens the state of a workspace; `None` where it has none.
    ///
    /// # Errors
    /// Those of the store.
    async fn open_existing(
        &self,
        workspace: &Workspace,
    ) -> Result<Option<Arc<dyn Store>>, StateError>;

    /// Opens the state of a workspace, and makes it where it has none.
    ///
    /// # Errors
    /// Those of the store.
    async fn open(&self, workspace: &Workspace) -> Result<Arc<dyn Store>, StateError>;

    /// Removes the state of a workspace for good, its history with it. Whether something is in it
    /// and nobody works on it is for the caller to know: nothing may have it open. No error where
    /// there is none.
    ///
    /// # Errors
    /// Those of writing.
    async fn delete(&self, workspace: &Workspace) -> Result<(), StateError>;

    /// What Terraform keeps at this place for a workspace, where its state would be there too: the
    /// text of a state file. It is looked at and never changed.
    ///
    /// # Errors
    /// Those of reading.
    async fn terraforms(&self, _workspace: &Workspace) -> Result<Option<String>, StateError> {
        Ok(None)
    }

    /// Where a workspace's state is, for people.
    fn describe(&self, workspace: &Workspace) -> String;
}

/// SQLite files: `default` is in the file of that path, workspace `w` in `PATH.d/w.db`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteBackend {
    path: PathBuf,
    encryption: Encryption,
}

impl SqliteBackend {
    /// The states around this file. Nothing is opened yet.
    pub fn new(path: impl Into<PathBuf>) -> SqliteBackend {
        SqliteBackend {
            path: path.into(),
            encryption: Encryption::default(),
        }
    }

    /// With this, new states are encrypted and old ones opened.
    #[must_use]
    pub fn encrypted(self, encryption: Encryption) -> SqliteBackend {
        SqliteBackend { encryption, ..self }
    }

    /// The file of a workspace.
    pub fn file(&self, workspace: &Workspace) -> PathBuf {
        match workspace.is_default() {
            true => self.path.clone(),
            false => self.folder().join(format!("{workspace}.db")),
        }
    }

    fn folder(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".d");
        name.into()
    }
}

#[async_trait]
impl Backend for SqliteBackend {
    async fn workspaces(&self) -> Result<Vec<Workspace>, StateError> {
        let folder = self.folder();
        let mut found: Vec<Workspace> = Vec::new();
        if self.path.exists() {
            found.push(Workspace::default());
        }
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(found),
            Err(e) => return Err(io(&folder, &e)),
        };
        for entry in entries {
            let name = entry.map_err(|e| io(&folder, &e))?.file_name();
            let stem = name.to_str().and_then(|n| n.strip_suffix(".db"));
            found.extend(stem.and_then(|s| s.parse().ok()));
        }
        found.sort();
        Ok(found)
    }

    async fn open_existing(
        &self,
        workspace: &Workspace,
    ) -> Result<Option<Arc<dyn Store>>, StateError> {
        match self.file(workspace).exists() {
            true => self.open(workspace).await.map(Some),
            false => Ok(None),
        }
    }

    async fn open(&self, workspace: &Workspace) -> Result<Arc<dyn Store>, StateError> {
        let options = Options {
            encryption: self.encryption.clone(),
            ..Options::default()
        };
        let store = SqliteStore::open_with(self.file(workspace), options)?;
        Ok(Arc::new(store))
    }

    async fn delete(&self, workspace: &Workspace) -> Result<(), StateError> {
        let file = self.file(workspace);
        // What tells an old copy from the current file goes last: a crash in between leaves a
        // state that is missed, not one that seems to be new.
        for suffix in ["", "-wal", "-shm", "-mark"] {
            let mut name = file.clone().into_os_string();
            name.push(suffix);
            let path = PathBuf::from(name);
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(io(&path, &e)),
            }
        }
        // Only where it is empty.
        if !workspace.is_default() {
            let _ = fs::remove_dir(self.folder());
        }
        Ok(())
    }

    fn describe(&self, workspace: &Workspace) -> String {
        self.file(workspace).display().to_string()
    }
}

fn io(path: &Path, e: &std::io::Error) -> StateError {
    StateError::Io {
        path: path.to_owned(),
        cause: e.to_string(),
    }
}
