//! The store behind a web address, by the protocol of Terraform's `backend "http"`, as GitLab serves
//! it.
//!
//! The state is one object, which a GET brings and a POST takes the place of; there are no tags and
//! no conditions. What fences is the lock of the server: a write names the lock under which it comes
//! (`?ID=`), and one under a lock that is not held any more is refused. So the lock is kept as long as
//! a lease, and each takes its own; a write without a lease locks for itself.
//!
//! 1. LOCK, with an id that nobody else has; the lock of a lease that ended without giving it back is
//!    broken with its id, which the object names ([`envelope`]); one of a program that was killed
//!    before it wrote anything is broken when the time that is in its id is over;
//! 2. GET: is the object the one that the transaction stands on;
//! 3. POST with the lock's id: this is the moment at which the transaction is durable;
//! 4. under a lease that goes on, the next write is a POST alone;
//! 5. UNLOCK, once the lease has ended.
//!
//! The object is JSON with the fields that GitLab reads (`serial`, which rises with every write) and
//! `version` as no Terraform knows it, so that Terraform refuses it instead of taking it for a state
//! without resources and writing over it. A state of Terraform's is never written over either.

mod blob;
mod client;
mod envelope;
mod settings;

pub use settings::HttpSettings;

use crate::{
    Backend, Options, StateError, Store, Workspace,
    remote::{self, Absent, Blob as _, Loaded},
    rows::{Handle, Rowed},
};
use async_trait::async_trait;
use blob::HttpBlob;
use std::{path::PathBuf, sync::Arc};

/// A store behind a web address. See the module's page in the source for how it works.
pub struct HttpStore {
    handle: Handle,
}

impl HttpStore {
    /// Opens the state at this address, and makes it where there is none. Blocks while it does.
    ///
    /// # Errors
    /// [`StateError::Unreachable`], [`StateError::Refused`], [`StateError::Newer`],
    /// [`StateError::Damaged`].
    pub fn open(settings: HttpSettings, options: Options) -> Result<HttpStore, StateError> {
        let opened = HttpStore::start(settings, options, Absent::Make)?;
        opened.ok_or(StateError::Closed)
    }

    /// As [`HttpStore::open`]; `None`, and nothing is made, where there is no state.
    ///
    /// # Errors
    /// As [`HttpStore::open`].
    pub fn open_existing(
        settings: HttpSettings,
        options: Options,
    ) -> Result<Option<HttpStore>, StateError> {
        HttpStore::start(settings, options, Absent::Tell)
    }

    fn start(
        settings: HttpSettings,
        options: Options,
        absent: Absent,
    ) -> Result<Option<HttpStore>, StateError> {
        let place = settings.place();
        let handle = Handle::start(&place, options.expiry, move || {
            let blob = HttpBlob::new(settings, options.expiry)?;
            remote::open(blob, options, absent)
        })?;
        Ok(handle.map(|handle| HttpStore { handle }))
    }
}

impl Rowed for HttpStore {
    fn handle(&self) -> &Handle {
        &self.handle
    }
}

/// The state of one stack behind a web address. There is one: such an address has no workspaces.
#[derive(Debug, Clone)]
pub struct HttpBackend {
    settings: HttpSettings,
    options: Options,
}

impl HttpBackend {
    /// The state at this address, opened with these options. Nothing is asked yet.
    pub fn new(settings: HttpSettings, options: Options) -> HttpBackend {
        HttpBackend { settings, options }
    }

    fn place(&self) -> PathBuf {
        self.settings.place()
    }

    fn only_default(&self, workspace: &Workspace) -> Result<(), StateError> {
        match workspace.is_default() {
            true => Ok(()),
            false => Err(StateError::Refused {
                path: self.place(),
                cause: format!(
                    "a web address holds one state, and has none for workspace {workspace}"
                ),
                next: "Give the stack another address for it, with a variable".into(),
            }),
        }
    }
}

#[async_trait]
impl Backend for HttpBackend {
    async fn workspaces(&self) -> Result<Vec<Workspace>, StateError> {
        let found = self.open_existing(&Workspace::default()).await?;
        Ok(found.map(|_| Workspace::default()).into_iter().collect())
    }

    async fn open_existing(
        &self,
        workspace: &Workspace,
    ) -> Result<Option<Arc<dyn Store>>, StateError> {
        self.only_default(workspace)?;
        let found = HttpStore::open_existing(self.settings.clone(), self.options.clone())?;
        Ok(found.map(|store| Arc::new(store) as Arc<dyn Store>))
    }

    async fn open(&self, workspace: &Workspace) -> Result<Arc<dyn Store>, StateError> {
        self.only_default(workspace)?;
        let store = HttpStore::open(self.settings.clone(), self.options.clone())?;
        Ok(Arc::new(store))
    }

    async fn delete(&self, workspace: &Workspace) -> Result<(), StateError> {
        self.only_default(workspace)?;
        let blob = HttpBlob::new(self.settings.clone(), self.options.expiry)?;
        let removed = blob.remove();
        removed.map_err(|trouble| trouble.fault(blob.place()).at(blob.place()))
    }

    async fn terraforms(&self, workspace: &Workspace) -> Result<Option<String>, StateError> {
        self.only_default(workspace)?;
        let blob = HttpBlob::new(self.settings.clone(), self.options.expiry)?;
        let loaded = blob.load(None);
        match loaded.map_err(|trouble| trouble.fault(blob.place()).at(blob.place()))? {
            Loaded::Found(bytes, _) if remote::is_terraforms(&bytes) => {
                Ok(String::from_utf8(bytes).ok())
            }
            Loaded::Found(..) | Loaded::Same | Loaded::Absent => Ok(None),
        }
    }

    fn describe(&self, _: &Workspace) -> String {
        self.place().display().to_string()
    }
}
