//! Google Compute Engine's API, `compute/v1`: networks, subnetworks, firewalls, addresses, disks,
//! machines, routers with NAT and instance templates, in as many projects as are asked for; regions,
//! zones, machine types and public images as a table.
//!
//! It never does more than Google's description of the API allows ([`discovery`]). A call's way:
//!
//! 1. [`route`] takes the path apart;
//! 2. the description refuses what a request must not hold;
//! 3. a request whose `requestId` was seen gets the operation that it began;
//! 4. [`kinds`] does it at once, and an operation goes on that ends a while later: until then the
//!    thing is not ready, and nothing may use it;
//! 5. reads show things as they are by now, new ones only when they may be seen.

pub mod addresses;
pub mod catalog;
pub mod cidr;
pub mod credentials;
pub mod discovery;
pub mod disks;
pub mod error;
pub mod firewalls;
pub mod instances;
pub mod interfaces;
pub mod kinds;
pub mod lists;
pub mod machines;
pub mod networks;
pub mod operations;
pub mod route;
pub mod routers;
pub mod subnetworks;
pub mod templates;
pub mod world;

use crate::{
    Call, Cloud, Machine, Trouble,
    http::{Answer, Reply, Request},
};
use discovery::Discovery;
use error::{Outcome, Refusal};
use kinds::Asked;
use route::{Ask, Key, Route};
use serde_json::{Value as Json, json};
use std::{
    io,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use world::{Moment, Thing, World};

/// The API.
#[derive(Debug)]
pub struct Google {
    discovery: Option<Discovery>,
    world: Mutex<World>,
}

/// How long `wait` waits for an operation, at most.
const WAIT: Duration = Duration::from_secs(120);

impl Google {
    /// An empty cloud; requests are checked against the discovery document, where it is given.
    ///
    /// # Errors
    /// The document can't be read.
    pub fn new(discovery: Option<&Path>) -> io::Result<Google> {
        Ok(Google {
            discovery: discovery.map(Discovery::read).transpose()?,
            world: Mutex::new(World::default()),
        })
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reply(&self, call: &Call<'_>) -> Outcome<Answer> {
        let request = call.request;
        let at = Moment {
            now: call.now,
            pace: call.pace,
        };
        let Some(route) = Route::of(request) else {
            return Err(Refusal::new(404, "notFound", "Not Found"));
        };
        if request.header("authorization") == Some("Bearer expired") {
            let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.";
            return Err(Refusal::new(401, "authError", message));
        }
        if let Some(discovery) = &self.discovery {
            discovery.check(call.operation, request)?;
        }
        route.key.scope.known()?;
        match call.trouble {
            Some(Trouble::Throttle) => return Err(Refusal::throttled()),
            Some(Trouble::Repeat) => return Err(Refusal::repeated(request)),
            _ => {}
        }
        let mut world = self.world();
        world.open(&route.key.project, at.now);
        world.sweep(at.now);
        match &route.ask {
            _ if route.key.kind == "operations" => {
                let operation = lists::operation(&world, &route, at.now, request)?;
                let waits = route.ask == Ask::Action("wait".into());
                let end = world
                    .operations
                    .end(&route.key)
                    .filter(|end| waits && *end > at.now);
                Ok(match end {
                    Some(end) => Answer::After(end.saturating_duration_since(at.now).min(WAIT)),
                    None => Reply::json(200, &operation).into(),
                })
            }
            Ask::List | Ask::AggregatedList => {
                Ok(Reply::json(200, &lists::list(&world, &route, request, at.now)?).into())
            }
            Ask::Get => Ok(Reply::json(200, &lists::get(&world, &route.key, at.now)?).into()),
            Ask::Action(action) if action == "getFromFamily" => {
                let key = Key {
                    name: format!("family/{}", route.key.name),
                    ..route.key.clone()
                };
                let image = catalog::image(&key);
                let image = image.ok_or_else(|| Refusal::not_found(&key.to_string()))?;
                Ok(Reply::json(200, &image).into())
            }
            ask => {
                let body = self.change(&mut world, &route, ask, call, at)?;
                Ok(Reply::json(200, &body).into())
            }
        }
    }

    fn change(
        &self,
        world: &mut World,
        route: &Route,
        ask: &Ask,
        call: &Call<'_>,
        at: Moment,
    ) -> Outcome<Json> {
        let request = call.request;
        let project = &route.key.project;
        let path = format!("{} {}", request.method, request.path);
        let id = request.query("requestId");
        if let Some(id) = id {
            if !is_uuid(id) {
                let why = "Must be a valid UUID, and not zero.";
                return Err(Refusal::invalid("requestId", &json!(id), why));
            }
            if let Some(operation) = world.operations.asked(project, id, &path)? {
                let view = world.operations.view(&operation, at.now);
                return view.ok_or_else(|| Refusal::not_found(&operation.to_string()));
            }
        }
        if !kinds::is_served(route) {
            return Err(Refusal::not_found(&route.key.to_string()));
        }
        let body = match request.json() {
            Ok(Some(Json::Object(body))) => body,
            Ok(None) => world::Object::new(),
            Ok(Some(_)) | Err(_) => {
                return Err(Refusal::new(400, "parseError", "Parse Error"));
            }
        };
        let asked = Asked {
            key: route.key.clone(),
            body,
            at,
            request,
        };
        let operation = kinds::change(world, ask, asked, call.trouble)?;
        if let Some(id) = id {
            world.operations.remember(project, id, path, &operation);
        }
        let view = world.operations.view(&operation, at.now);
        view.ok_or_else(|| Refusal::not_found(&operation.to_string()))
    }
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12]
        && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
        && text.chars().any(|c| c != '-' && c != '0')
}

impl Cloud for Google {
    fn operation(&self, request: &Request) -> String {
        Route::of(request).map_or_else(|| request.path.clone(), |r| r.operation())
    }

    fn answer(&self, call: &Call<'_>) -> Answer {
        if let Some(reply) = credentials::answer(call.request, SystemTime::now()) {
            return reply.into();
        }
        self.reply(call)
            .unwrap_or_else(|refusal| refusal.reply().into())
    }

    fn machines(&self, now: Instant) -> Vec<Machine> {
        machines::all(&self.world(), now)
    }

    fn objects(&self, now: Instant) -> Vec<String> {
        let world = self.world();
        let there = |(_, t): &(&Key, &Thing)| t.gone.is_none_or(|gone| gone > now);
        let things = world.things.iter().filter(there);
        things.map(|(key, _)| key.to_string()).collect()
    }
}
