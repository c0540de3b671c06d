//! The hosts of a run, by `site/name`.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::connection::Connection;
use crate::error::HostError;
use crate::host::{Host, Means};
use crate::machine::Layout;

/// What is kept beside each resource in state, so that a later run finds its
/// host without its site block: to read, to settle, to delete.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Private {
    /// The way to the host, as of the last plan.
    #[serde(default)]
    pub(crate) connection: Option<Connection>,
    /// Where the agent's things are there.
    #[serde(default)]
    pub(crate) layout: Option<Layout>,
    /// The scope under which the agent knows us.
    #[serde(default)]
    pub(crate) scope: Option<String>,
    /// True: something is not at its goal, though no attribute says so.
    #[serde(default)]
    pub(crate) unsettled: bool,
}

impl Private {
    /// What an earlier run wrote; nothing where it can't be read.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        // Texts, numbers and flags: there is nothing in it JSON can't hold.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// With what is known of the host by now.
    pub(crate) fn on(mut self, host: &Host) -> Self {
        self.connection = Some(host.connection().clone());
        self.layout = host.known_layout().or(self.layout);
        self
    }
}

/// The hosts that a run has heard of.
#[derive(Debug)]
pub(crate) struct Hosts {
    means: Arc<Means>,
    by_id: Mutex<HashMap<String, Arc<Host>>>,
    /// Those whose address is not known yet, as their machine is about to be made.
    remade: Mutex<HashSet<String>>,
}

impl Hosts {
    pub(crate) fn new(means: Means) -> Self {
        Self {
            means: Arc::new(means),
            by_id: Mutex::default(),
            remade: Mutex::default(),
        }
    }

    pub(crate) fn means(&self) -> &Means {
        &self.means
    }

    /// The configuration says where a host is. It outweighs what state says.
    pub(crate) fn describe(&self, connection: Connection) -> Arc<Host> {
        self.remade().remove(&connection.host);
        let mut hosts = self.hosts();
        match hosts.get(&connection.host) {
            Some(host) if *host.connection() == connection => Arc::clone(host),
            _ => self.add(&mut hosts, connection),
        }
    }

    /// Notes that the machine of a host is about to be made: what state says of where it is is no
    /// longer true.
    pub(crate) fn remake(&self, id: &str) {
        self.remade().insert(id.to_owned());
    }

    /// Whether a host is where nobody knows yet.
    pub(crate) fn is_remade(&self, id: &str) -> bool {
        self.remade().contains(id)
    }

    fn remade(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        // A set is sound whatever panicked while holding it.
        self.remade.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host by that name: as described in this run, or else as recorded.
    pub(crate) fn find(&self, id: &str, recorded: &Private) -> Result<Arc<Host>, HostError> {
        let mut hosts = self.hosts();
        let host = match (hosts.get(id), &recorded.connection) {
            (Some(host), _) => Arc::clone(host),
            (None, Some(connection)) if connection.host == id => {
                self.add(&mut hosts, connection.clone())
            }
            (None, _) => return Err(HostError::NotDescribed),
        };
        if let Some(layout) = &recorded.layout
            && recorded.connection.as_ref() == Some(host.connection())
        {
            host.recall_layout(layout.clone());
        }
        Ok(host)
    }

    fn add(&self, hosts: &mut HashMap<String, Arc<Host>>, connection: Connection) -> Arc<Host> {
        let id = connection.host.clone();
        let host = Arc::new(Host::new(connection, Arc::clone(&self.means)));
        hosts.insert(id, Arc::clone(&host));
        host
    }

    fn hosts(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Host>>> {
        // A map is sound whatever panicked while holding it.
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
