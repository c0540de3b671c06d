//! The store in a bucket of S3, or of any server that speaks its protocol and does conditional
//! writes: AWS, MinIO, Ceph, Cloudflare R2, Garage and their like.
//!
//! A state is one object, stored with `If-Match` (or `If-None-Match: *` where it is new), and the
//! parts that it names: `KEY.weir`, and `KEY.weir.parts/`. What is in them and how they follow each other is told in
//! [`remote`](crate::remote). There is no lock beside it: the lease is a row, and a write under a
//! lease that was taken over meets an object that is not the one it expects. Requests are signed by
//! `reqsign`, which also finds the credentials; a request that got no answer is sent again, with a
//! jittered pause, for as long as a lease lives.

mod bucket;
mod client;
mod credentials;
mod fault;
mod settings;

pub use settings::{S3Options, S3Role, S3Settings};

use crate::{
    Backend, Options, StateError, Store, Workspace,
    remote::{self, Absent},
    rows::{Handle, Rowed, Stats},
};
use async_trait::async_trait;
use bucket::Object;
use std::sync::Arc;

/// A store in a bucket. See the module's page in the source for how it works.
pub struct S3Store {
    handle: Handle,
}

impl S3Store {
    /// Opens the state of that workspace, and makes it where it is not there. Blocks while it does.
    ///
    /// # Errors
    /// [`StateError::Unreachable`], [`StateError::Refused`], [`StateError::Newer`],
    /// [`StateError::NotAState`], [`StateError::Damaged`].
    pub fn open(
        settings: S3Settings,
        workspace: &Workspace,
        options: Options,
    ) -> Result<S3Store, StateError> {
        let opened = S3Store::start(settings, workspace, options, Absent::Make)?;
        opened.ok_or(StateError::Closed)
    }

    /// As [`S3Store::open`]; `None`, and nothing is made, where there is no such state.
    ///
    /// # Errors
    /// As [`S3Store::open`].
    pub fn open_existing(
        settings: S3Settings,
        workspace: &Workspace,
        options: Options,
    ) -> Result<Option<S3Store>, StateError> {
        S3Store::start(settings, workspace, options, Absent::Tell)
    }

    fn start(
        settings: S3Settings,
        workspace: &Workspace,
        options: Options,
        absent: Absent,
    ) -> Result<Option<S3Store>, StateError> {
        let place = settings.place(workspace);
        let workspace = workspace.clone();
        let handle = Handle::start(&place, options.expiry, move || {
            remote::open(Object::of(settings, &workspace)?, options, absent)
        })?;
        Ok(handle.map(|handle| S3Store { handle }))
    }

    /// How much was written through this handle.
    pub fn stats(&self) -> Stats {
        self.handle.stats()
    }
}

impl Rowed for S3Store {
    fn handle(&self) -> &Handle {
        &self.handle
    }
}

/// The states of one stack in a bucket: `default` is the object `KEY.weir`, workspace `w` is
/// `PREFIX/w/KEY.weir`: each beside where Terraform has it.
#[derive(Debug, Clone)]
pub struct S3Backend {
    settings: S3Settings,
    options: Options,
}

impl S3Backend {
    /// The states at this place, each opened with these options. Nothing is opened yet.
    pub fn new(settings: S3Settings, options: Options) -> S3Backend {
        S3Backend { settings, options }
    }

    /// Asks the server on a thread of its own: requests block.
    fn ask<T: Send>(
        &self,
        workspace: &Workspace,
        ask: impl FnOnce(&Object) -> Result<T, StateError> + Send,
    ) -> Result<T, StateError> {
        let asked = || ask(&Object::of(self.settings.clone(), workspace)?);
        std::thread::scope(|scope| scope.spawn(asked).join()).unwrap_or(Err(StateError::Closed))
    }
}

#[async_trait]
impl Backend for S3Backend {
    async fn workspaces(&self) -> Result<Vec<Workspace>, StateError> {
        self.ask(&Workspace::default(), Object::workspaces)
    }

    async fn open_existing(
        &self,
        workspace: &Workspace,
    ) -> Result<Option<Arc<dyn Store>>, StateError> {
        let (settings, options) = (self.settings.clone(), self.options.clone());
        let found = S3Store::open_existing(settings, workspace, options)?;
        Ok(found.map(|store| Arc::new(store) as Arc<dyn Store>))
    }

    async fn open(&self, workspace: &Workspace) -> Result<Arc<dyn Store>, StateError> {
        let (settings, options) = (self.settings.clone(), self.options.clone());
        Ok(Arc::new(S3Store::open(settings, workspace, options)?))
    }

    async fn delete(&self, workspace: &Workspace) -> Result<(), StateError> {
        self.ask(workspace, Object::delete)
    }

    async fn terraforms(&self, workspace: &Workspace) -> Result<Option<String>, StateError> {
        let key = self.settings.terraforms_key(workspace);
        self.ask(workspace, |object| object.text(&key))
    }

    fn describe(&self, workspace: &Workspace) -> String {
        self.settings.place(workspace).display().to_string()
    }
}
