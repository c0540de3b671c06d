//! Where the states of a stack are, and what they are encrypted with.

mod ahead;
mod encryption;
mod http;
mod other;
mod place;
mod s3;

use crate::{
    args::VarArgs,
    commands::workspace,
    compose::{self, Catalogue},
    env::Env,
    error::CommandError,
};
pub(crate) use ahead::Ahead;
pub(crate) use other::OtherStates;
use place::Place;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use weir_core::Diagnostic;
use weir_lang::{HistorySettings, StackSettings};
use weir_state::{
    Backend, Encryption, Retention, Store, Workspace,
    encryption::{KeySource, Keyring, is_sealed, open_file, seal_file},
};

/// What a version control must not take.
const IGNORE: &str = "# State, plans, and the key to them.\n*\n";

type Result<T> = std::result::Result<T, CommandError>;
type Read<T> = std::result::Result<T, Diagnostic>;

/// The states of a stack.
pub(crate) struct States {
    backend: Box<dyn Backend>,
    workspace: Workspace,
    encryption: Encryption,
    key: KeyFile,
    /// The folder of weir's own that it is in.
    folder: Option<PathBuf>,
    /// The state file that Terraform has where the stack does not say where its state is.
    beside: Option<PathBuf>,
    /// How much of the past is kept; `None`: all of it.
    retention: Option<Retention>,
}

/// What makes the key file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum KeyFile {
    /// Whatever makes the state: the stack does not say where it is, so it lies beside it.
    WithState(PathBuf),
    /// `weir init`.
    WithInit(PathBuf),
    /// There is none.
    None,
}

impl States {
    /// Those that the stack names.
    pub(crate) fn of(stack: &StackSettings, env: &Env) -> Result<States> {
        let place = Place::of(stack, env).map_err(wrong)?;
        let (encryption, key) = match (&stack.encryption, place.file()) {
            (Some(settings), _) => {
                let encryption = encryption::read(settings).map_err(wrong)?;
                let key = match &encryption.primary {
                    Some(KeySource::File(path)) => KeyFile::WithInit(path.clone()),
                    _ => KeyFile::None,
                };
                (encryption, key)
            }
            (None, Some(path)) => {
                let mut name = path.to_owned().into_os_string();
                name.push("-key");
                let key = PathBuf::from(name);
                let encryption = Encryption::new(KeySource::File(key.clone()));
                (encryption, KeyFile::WithState(key))
            }
            // A key on this machine would keep everybody else from the state.
            (None, None) => (Encryption::default(), KeyFile::None),
        };
        let folder = place.file().and_then(Path::parent);
        let folder = folder.filter(|p| p.ends_with(".weir")).map(Path::to_owned);
        let workspace = workspace::current(env)?;
        let beside = match stack.state {
            None => Some(terraforms_file(&workspace)),
            Some(_) => None,
        };
        Ok(States {
            folder,
            beside,
            retention: retention(stack),
            backend: place.backend(&encryption),
            workspace,
            encryption,
            key,
        })
    }

    /// Those of a stack at another place, a file or a connection string, to be read once more:
    /// opened with any key that is named here or lies beside them.
    pub(crate) fn elsewhere(
        &self,
        place: &str,
        schema: &str,
        stack: &str,
        env: &Env,
    ) -> Result<States> {
        let place = Place::named(place, schema, stack, env)
            .map_err(|e| CommandError::usage(e.to_string()))?;
        let encryption = keys_for(&place, &self.encryption);
        Ok(States {
            folder: None,
            beside: None,
            retention: None,
            backend: place.backend(&encryption),
            workspace: workspace::current(env)?,
            encryption,
            key: KeyFile::None,
        })
    }

    /// Those of the stack in the current folder. A configuration that is broken or not there does
    /// not keep anybody from looking into the state beside it.
    pub(crate) fn here(env: &Env) -> Result<States> {
        let inputs = compose::inputs(&VarArgs::default(), env)?;
        match weir_lang::load(compose::files(), &Catalogue, &inputs) {
            Ok(loaded) => States::of(loaded.config.stack(), env),
            Err(_) => States::of(&ahead::nothing(), env),
        }
    }

    /// Those of another workspace.
    pub(crate) fn within(self, workspace: Workspace) -> States {
        States {
            beside: self.beside.map(|_| terraforms_file(&workspace)),
            workspace,
            ..self
        }
    }

    /// The workspaces that have a state.
    pub(crate) async fn workspaces(&self) -> Result<Vec<Workspace>> {
        Ok(self.backend.workspaces().await?)
    }

    /// Removes the state for good.
    pub(crate) async fn delete(&self) -> Result<()> {
        Ok(self.backend.delete(&self.workspace).await?)
    }

    /// The text of the state file that Terraform keeps at this place, and its name.
    pub(crate) async fn terraforms(&self) -> Result<Option<(String, String)>> {
        if let Some(path) = &self.beside {
            let text = fs::read_to_string(path).ok();
            return Ok(text.map(|text| (path.display().to_string(), text)));
        }
        let text = self.backend.terraforms(&self.workspace).await?;
        Ok(text.map(|text| {
            (
                format!("the state of Terraform beside {}", self.describe()),
                text,
            )
        }))
    }

    /// As [`States::open`], for what begins a state: refuses to begin with nothing where Terraform has
    /// a state with something in it, of which all would be made a second time.
    ///
    /// # Errors
    /// With the next step.
    pub(crate) async fn begin(&self) -> Result<Arc<dyn Store>> {
        if let Some(store) = self.open_existing().await? {
            return Ok(store);
        }
        self.refuse_terraforms().await?;
        self.make().await
    }

    /// Refuses where Terraform has a state with something in it. For who has no state yet.
    ///
    /// # Errors
    /// With the next step.
    pub(crate) async fn refuse_terraforms(&self) -> Result<()> {
        let Some((name, text)) = self.terraforms().await? else {
            return Ok(());
        };
        match managed(&text) {
            0 => Ok(()),
            n => Err(CommandError::failed(format!(
                "{name} has {n} resource{}, and weir has no state yet: it would make all of them \
                 a second time",
                if n == 1 { "" } else { "s" }
            ))
            .hint(match &self.beside {
                Some(_) => {
                    "`weir state import` takes them over. Move the file away to begin with nothing."
                }
                None => {
                    "`weir state import` takes them over; Terraform's own stays as it is. Name \
                     another schema or key to begin with nothing."
                }
            })),
        }
    }

    /// Opens the store, and makes it where there is none.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Store>> {
        match self.open_existing().await? {
            Some(store) => Ok(store),
            None => self.make().await,
        }
    }

    /// Makes the store.
    async fn make(&self) -> Result<Arc<dyn Store>> {
        if let KeyFile::WithState(key) = &self.key {
            KeySource::create_file(key).map_err(CommandError::caused)?;
        }
        let store = self.backend.open(&self.workspace).await?;
        if let Some(folder) = &self.folder {
            keep_from_version_control(folder)?;
        }
        Ok(store)
    }

    /// As [`States::open`], and makes the key file that the stack names.
    pub(crate) async fn init(&self) -> Result<(Arc<dyn Store>, Made)> {
        if let Some(store) = self.open_existing().await? {
            return Ok((store, Made::Found));
        }
        if let KeyFile::WithInit(key) = &self.key {
            KeySource::create_file(key).map_err(CommandError::caused)?;
        }
        Ok((self.make().await?, Made::New))
    }

    /// Opens the store; `None` where there is none.
    pub(crate) async fn open_existing(&self) -> Result<Option<Arc<dyn Store>>> {
        let Some(store) = self.open_to_rekey().await? else {
            return Ok(None);
        };
        let asked = !matches!(self.key, KeyFile::WithState(_)) && self.encryption.primary.is_some();
        if asked && store.keyring().await?.is_none() {
            return Err(CommandError::failed(format!(
                "the state in {} is not encrypted, and the stack says that it is",
                self.describe()
            ))
            .hint("`weir state rekey` encrypts it."));
        }
        Ok(Some(store))
    }

    /// As [`States::open_existing`], whether it is encrypted as the stack says or not.
    pub(crate) async fn open_to_rekey(&self) -> Result<Option<Arc<dyn Store>>> {
        Ok(self.backend.open_existing(&self.workspace).await?)
    }

    /// Makes the key file of the stack, if it has one and it is not there.
    pub(crate) fn make_key(&self) -> Result<()> {
        if let KeyFile::WithInit(key) | KeyFile::WithState(key) = &self.key {
            KeySource::create_file(key).map_err(CommandError::caused)?;
        }
        Ok(())
    }

    /// What encrypts plan files of the state in this store, if it is encrypted.
    pub(crate) async fn sealer(&self, store: &dyn Store) -> Result<Option<Sealer>> {
        let key_file = match &self.encryption.primary {
            Some(KeySource::File(path)) => std::path::absolute(path).ok(),
            _ => None,
        };
        let ring = store.keyring().await?;
        Ok(ring.map(|ring| Sealer { ring, key_file }))
    }

    /// Where it is, for people.
    pub(crate) fn describe(&self) -> String {
        self.backend.describe(&self.workspace)
    }

    /// With what it is encrypted, for people.
    pub(crate) fn encryption_told(&self) -> String {
        match &self.encryption.primary {
            Some(KeySource::File(path)) => format!(
                "State and plans are encrypted with the key in {}. Keep a copy of it: without it nobody can read them.",
                path.display()
            ),
            Some(KeySource::Passphrase(_)) => {
                "State and plans are encrypted with the passphrase of the stack.".to_owned()
            }
            Some(KeySource::Command { .. }) => {
                "State and plans are encrypted; a command of the stack unwraps the key.".to_owned()
            }
            None => "State and plans are encrypted, with a fallback key of the stack.".to_owned(),
        }
    }

    /// How much of the past is kept; `None`: all of it.
    pub(crate) fn retention(&self) -> Option<Retention> {
        self.retention
    }

    /// What it is encrypted with.
    pub(crate) fn encryption(&self) -> &Encryption {
        &self.encryption
    }
}

/// What opens states at another place: any key that is named here, or lies beside them.
fn keys_for(place: &Place, here: &Encryption) -> Encryption {
    let mut fallbacks = here.fallbacks.clone();
    fallbacks.extend(here.primary.clone());
    if let Some(path) = place.file() {
        let mut key = path.to_owned().into_os_string();
        key.push("-key");
        let key = PathBuf::from(key);
        if key.exists() {
            fallbacks.push(KeySource::File(key));
        }
    }
    Encryption {
        primary: None,
        fallbacks,
    }
}

/// Where Terraform keeps the state of a workspace where its configuration does not say.
fn terraforms_file(workspace: &Workspace) -> PathBuf {
    const NAME: &str = "terraform.tfstate";
    match workspace.is_default() {
        true => NAME.into(),
        false => Path::new("terraform.tfstate.d")
            .join(workspace.as_str())
            .join(NAME),
    }
}

/// How many managed resources a state file has; of what is none, no.
fn managed(text: &str) -> usize {
    let json: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let blocks = json.get("resources").and_then(|r| r.as_array());
    let managed = blocks.into_iter().flatten();
    let managed = managed.filter(|r| r.get("mode").is_some_and(|m| m == "managed"));
    let instances = managed.filter_map(|r| r.get("instances")?.as_array());
    instances.map(Vec::len).sum()
}

/// Encrypts plan files.
pub(crate) struct Sealer {
    ring: Keyring,
    key_file: Option<PathBuf>,
}

impl Sealer {
    /// The plan file, encrypted.
    pub(crate) fn seal(&self, plain: &[u8]) -> Result<Vec<u8>> {
        seal_file(&self.ring, self.key_file.as_deref(), plain).map_err(CommandError::caused)
    }
}

/// A plan file of the stack in the current folder, decrypted where it is encrypted.
pub(crate) fn unseal(bytes: Vec<u8>, env: &Env) -> Result<Vec<u8>> {
    match is_sealed(&bytes) {
        true => open_file(&States::here(env)?.encryption, &bytes).map_err(CommandError::caused),
        false => Ok(bytes),
    }
}

/// Whether a state was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// It was.
    Found,
    /// It was made now.
    New,
}

/// A folder of weir's own gets a `.gitignore`: what is in it is for nobody else.
pub(crate) fn keep_from_version_control(folder: &Path) -> Result<()> {
    let ignore = folder.join(".gitignore");
    if ignore.exists() {
        return Ok(());
    }
    fs::write(&ignore, IGNORE)
        .map_err(|e| CommandError::failed(format!("{}: {e}", ignore.display())))
}

/// How much of the past the stack keeps; `None`: all of it.
fn retention(stack: &StackSettings) -> Option<Retention> {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let HistorySettings {
        applies,
        days,
        forever,
    } = stack.history;
    let usual = Retention::default();
    (!forever).then(|| Retention {
        applies: applies.unwrap_or(usual.applies),
        age: days.map_or(usual.age, |days| DAY * days),
    })
}

/// Whether the stack's settings name a store and keys that there are.
pub(crate) fn check(stack: &StackSettings, env: &Env) -> Read<()> {
    Place::of(stack, env)?;
    if let Some(settings) = &stack.encryption {
        encryption::read(settings)?;
    }
    Ok(())
}

fn wrong(d: Diagnostic) -> CommandError {
    weir_core::Diagnostics::from(d).into()
}
