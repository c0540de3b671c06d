//! Paths of the API, taken apart.

use super::{
    catalog,
    error::{Outcome, Refusal},
};
use crate::http::Request;
use http::Method;
use std::fmt;

/// Where things of a kind live.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everywhere.
    Global,
    /// In a region.
    Region(String),
    /// In a zone.
    Zone(String),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Global => f.write_str("global"),
            Scope::Region(region) => write!(f, "regions/{region}"),
            Scope::Zone(zone) => write!(f, "zones/{zone}"),
        }
    }
}

impl Scope {
    /// Whether there is such a place.
    ///
    /// # Errors
    /// There is not, as Google says it.
    pub fn known(&self) -> Outcome<()> {
        let (what, name) = match self {
            Scope::Region(region) if !catalog::has_region(region) => ("region", region),
            Scope::Zone(zone) if !catalog::has_zone(zone) => ("zone", zone),
            _ => return Ok(()),
        };
        let message = format!("Invalid value for field '{what}': '{name}'. Unknown {what}.");
        Err(Refusal::new(400, "invalid", message))
    }

    /// The region that it is in.
    pub fn region(&self) -> Option<&str> {
        match self {
            Scope::Global => None,
            Scope::Region(region) => Some(region),
            Scope::Zone(zone) => zone.rsplit_once('-').map(|(region, _)| region),
        }
    }
}

/// One thing's place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The project.
    pub project: String,
    /// Where in it.
    pub scope: Scope,
    /// `networks`, `instances`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Key {
    /// `projects/p/zones/z/instances/i`, as messages have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key {
            project,
            scope,
            kind,
            name,
        } = self;
        write!(f, "projects/{project}/{scope}/{kind}/{name}")
    }
}

/// What every link begins with, whatever address the API was asked at.
pub const LINKS: &str = "https://www.googleapis.com/compute/v1/";

impl Key {
    /// Its link.
    pub fn link(&self) -> String {
        format!("{LINKS}{self}")
    }

    /// The same in the same place, of another kind and name.
    pub fn beside(&self, kind: &str, name: &str) -> Key {
        Key {
            kind: kind.into(),
            name: name.into(),
            ..self.clone()
        }
    }

    /// What a link, whole or in part, stands for, seen from a place in a project.
    pub fn of_link(link: &str, kind: &str, from: &Key) -> Option<Key> {
        let path = match link.split_once("/compute/v1/") {
            Some((_, path)) => path,
            None => link.trim_start_matches('/'),
        };
        let parts: Vec<&str> = path.split('/').collect();
        let (project, rest) = match parts.as_slice() {
            ["projects", project, rest @ ..] => (*project, rest),
            rest => (from.project.as_str(), rest),
        };
        let (scope, found, name) = match rest {
            ["global", kind, name] => (Scope::Global, *kind, (*name).to_owned()),
            ["global", kind, "family", name] => (Scope::Global, *kind, format!("family/{name}")),
            ["regions", region, kind, name] => {
                (Scope::Region((*region).into()), *kind, (*name).into())
            }
            ["zones", zone, kind, name] => (Scope::Zone((*zone).into()), *kind, (*name).into()),
            _ => return None,
        };
        (found == kind).then(|| Key {
            project: project.into(),
            scope,
            kind: found.into(),
            name,
        })
    }
}

/// What a request asks of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// All of a kind in a place.
    List,
    /// All of a kind everywhere.
    AggregatedList,
    /// A new one.
    Insert,
    /// One, by name.
    Get,
    /// Gone.
    Delete,
    /// Some fields new.
    Patch,
    /// All fields new.
    Update,
    /// The method of its own: `setLabels`.
    Action(String),
}

/// A request's path, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The thing; its name is empty where all of a kind are meant.
    pub key: Key,
    /// What is asked.
    pub ask: Ask,
}

impl Route {
    /// The route; `None` where the API has no such path.
    pub fn of(request: &Request) -> Option<Route> {
        let path = request.path.split_once("/compute/v1/")?.1;
        let parts: Vec<&str> = path.split('/').collect();
        let ["projects", project, rest @ ..] = parts.as_slice() else {
            return None;
        };
        let (scope, rest) = match rest {
            ["global" | "aggregated", rest @ ..] => (Scope::Global, rest),
            ["regions" | "zones"] | [] => (Scope::Global, rest),
            ["regions", _] | ["zones", _] => (Scope::Global, rest),
            ["regions", region, rest @ ..] => (Scope::Region((*region).into()), rest),
            ["zones", zone, rest @ ..] => (Scope::Zone((*zone).into()), rest),
            _ => return None,
        };
        let aggregated = parts.get(2) == Some(&"aggregated");
        let method = &request.method;
        let (kind, name, ask) = match rest {
            [] => ("projects", "", Ask::Get),
            [kind] if aggregated && *method == Method::GET => (*kind, "", Ask::AggregatedList),
            [kind] if *method == Method::GET => (*kind, "", Ask::List),
            [kind] if *method == Method::POST => (*kind, "", Ask::Insert),
            [kind, "family", family] if *method == Method::GET => {
                (*kind, *family, Ask::Action("getFromFamily".into()))
            }
            [kind, name] => (
                *kind,
                *name,
                match *method {
                    Method::GET => Ask::Get,
                    Method::DELETE => Ask::Delete,
                    Method::PATCH => Ask::Patch,
                    Method::PUT => Ask::Update,
                    _ => return None,
                },
            ),
            [kind, name, action] if matches!(*method, Method::POST | Method::PATCH) => {
                (*kind, *name, Ask::Action((*action).into()))
            }
            _ => return None,
        };
        Some(Route {
            key: Key {
                project: (*project).into(),
                scope,
                kind: kind.into(),
                name: name.into(),
            },
            ask,
        })
    }

    /// The API's name of it: `compute.instances.setLabels`.
    pub fn operation(&self) -> String {
        let kind = match (self.key.kind.as_str(), &self.key.scope) {
            ("operations", Scope::Global) => "globalOperations",
            ("operations", Scope::Region(_)) => "regionOperations",
            ("operations", Scope::Zone(_)) => "zoneOperations",
            ("addresses", Scope::Global) if self.ask != Ask::AggregatedList => "globalAddresses",
            (kind, _) => kind,
        };
        let ask = match &self.ask {
            Ask::List => "list",
            Ask::AggregatedList => "aggregatedList",
            Ask::Insert => "insert",
            Ask::Get => "get",
            Ask::Delete => "delete",
            // Disks alone are changed in part by a method that is called update.
            Ask::Patch if kind == "disks" => "update",
            Ask::Patch => "patch",
            Ask::Update => "update",
            Ask::Action(action) => action,
        };
        format!("compute.{kind}.{ask}")
    }
}
