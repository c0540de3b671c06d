//! The store in a Postgres database, for teams.
//!
//! The tables `weir_*` of one schema hold the states of any number of stacks, kept apart by the
//! stack's name and workspace. A resource is a row: what a commit costs does not depend on how many
//! there are. A write locks the one row that says where its state stands, so writes of one state
//! follow each other, and each finds in the same transaction whether its lease is still the current
//! one. What many parallel steps write at the same time goes into one transaction of two rounds to
//! the server ([`session`]). Times, and with them the expiry of leases, are the server's.

mod changes;
mod connect;
mod fault;
mod open;
mod rows;
mod schema;
mod session;
mod settings;
mod statements;
mod tls;

pub use settings::{PostgresSettings, SettingsError};

use crate::{
    Backend, Options, StateError, StateId, Store, Workspace,
    rows::{Handle, Rowed, Stats},
};
use async_trait::async_trait;
use fault::Trouble;
use open::Absent;
use statements::{Names, param, send};
use std::sync::Arc;
use tokio_postgres::types::Type;

/// A store in a Postgres database. See the module's page in the source for how it works.
pub struct PostgresStore {
    handle: Handle,
}

impl PostgresStore {
    /// Opens the state of that name, and makes it and its tables where they are not there. Blocks
    /// while it does.
    ///
    /// # Errors
    /// [`StateError::Unreachable`], [`StateError::Refused`], [`StateError::Newer`],
    /// [`StateError::Damaged`].
    pub fn open(
        settings: PostgresSettings,
        id: &StateId,
        options: Options,
    ) -> Result<PostgresStore, StateError> {
        let opened = PostgresStore::start(settings, id, options, Absent::Make)?;
        opened.ok_or(StateError::Closed)
    }

    /// As [`PostgresStore::open`]; `None`, and nothing is made, where there is no such state.
    ///
    /// # Errors
    /// As [`PostgresStore::open`].
    pub fn open_existing(
        settings: PostgresSettings,
        id: &StateId,
        options: Options,
    ) -> Result<Option<PostgresStore>, StateError> {
        PostgresStore::start(settings, id, options, Absent::Tell)
    }

    fn start(
        settings: PostgresSettings,
        id: &StateId,
        options: Options,
        absent: Absent,
    ) -> Result<Option<PostgresStore>, StateError> {
        let place = settings.place(id);
        let id = id.clone();
        let handle = Handle::start(&place, options.expiry, move || {
            open::open(settings, &id, options, absent)
        })?;
        Ok(handle.map(|handle| PostgresStore { handle }))
    }

    /// How much was written through this handle.
    pub fn stats(&self) -> Stats {
        self.handle.stats()
    }
}

impl Rowed for PostgresStore {
    fn handle(&self) -> &Handle {
        &self.handle
    }
}

/// The states of one stack in a Postgres database.
#[derive(Debug, Clone)]
pub struct PostgresBackend {
    settings: PostgresSettings,
    stack: String,
    options: Options,
}

impl PostgresBackend {
    /// The states of this stack, each opened with these options. Nothing is opened yet.
    pub fn new(
        settings: PostgresSettings,
        stack: impl Into<String>,
        options: Options,
    ) -> PostgresBackend {
        PostgresBackend {
            settings,
            stack: stack.into(),
            options,
        }
    }

    fn id(&self, workspace: &Workspace) -> StateId {
        StateId {
            stack: self.stack.clone(),
            workspace: workspace.clone(),
        }
    }

    /// Asks one thing of the table of heads; nothing where there is none.
    async fn ask(&self, sql: &str, more: Vec<String>) -> Result<Vec<String>, StateError> {
        let place = self.settings.place(&self.id(&Workspace::default()));
        let names = Names::new(self.settings.schema());
        let asked = async {
            let client = connect::connect(&self.settings).await?;
            let params = std::iter::once(self.stack.clone()).chain(more);
            let params = params.map(|text| param(Type::TEXT, text)).collect();
            match send(&client, names.sql(sql), params).await {
                Ok(rows) => rows.iter().map(|row| Ok(row.try_get(0)?)).collect(),
                Err(e) if e.code().is_some_and(is_not_made) => Ok(Vec::new()),
                Err(e) => Err(Trouble::from(e)),
            }
        };
        asked.await.map_err(|e: Trouble| e.at(&place))
    }
}

/// Neither schema nor table is there.
fn is_not_made(code: &tokio_postgres::error::SqlState) -> bool {
    ["42P01", "3F000"].contains(&code.code())
}

fn is_not_terraforms(code: &tokio_postgres::error::SqlState) -> bool {
    is_not_made(code) || ["42703", "42501"].contains(&code.code())
}

#[async_trait]
impl Backend for PostgresBackend {
    async fn workspaces(&self) -> Result<Vec<Workspace>, StateError> {
        let sql = "SELECT workspace FROM @head WHERE stack = $1";
        let names = self.ask(sql, Vec::new()).await?;
        let mut found: Vec<Workspace> = names.iter().filter_map(|n| n.parse().ok()).collect();
        found.sort();
        Ok(found)
    }

    async fn open_existing(
        &self,
        workspace: &Workspace,
    ) -> Result<Option<Arc<dyn Store>>, StateError> {
        let id = self.id(workspace);
        let found = PostgresStore::open_existing(self.settings.clone(), &id, self.options.clone())?;
        Ok(found.map(|store| Arc::new(store) as Arc<dyn Store>))
    }

    async fn open(&self, workspace: &Workspace) -> Result<Arc<dyn Store>, StateError> {
        let id = self.id(workspace);
        let store = PostgresStore::open(self.settings.clone(), &id, self.options.clone())?;
        Ok(Arc::new(store))
    }

    async fn delete(&self, workspace: &Workspace) -> Result<(), StateError> {
        // The rows of the other tables go with the head's.
        let sql = "DELETE FROM @head WHERE stack = $1 AND workspace = $2 RETURNING workspace";
        self.ask(sql, vec![workspace.to_string()]).await.map(drop)
    }

    /// Terraform's `backend "pg"` keeps each workspace's state file in a row of `states`.
    async fn terraforms(&self, workspace: &Workspace) -> Result<Option<String>, StateError> {
        let place = self.settings.place(&self.id(workspace));
        let schema = statements::quoted(self.settings.schema());
        let sql = format!("SELECT data::TEXT FROM {schema}.states WHERE name::TEXT = $1");
        let asked = async {
            let client = connect::connect(&self.settings).await?;
            let name = vec![param(Type::TEXT, workspace.to_string())];
            match send(&client, sql, name).await {
                Ok(rows) => match rows.first() {
                    Some(row) => Ok(row.try_get(0)?),
                    None => Ok(None),
                },
                // There is no such table, it has other columns, or it is not for this role.
                Err(e) if e.code().is_some_and(is_not_terraforms) => Ok(None),
                Err(e) => Err(Trouble::from(e)),
            }
        };
        asked.await.map_err(|e: Trouble| e.at(&place))
    }

    fn describe(&self, workspace: &Workspace) -> String {
        self.settings
            .place(&self.id(workspace))
            .display()
            .to_string()
    }
}
