//! Operations: what goes on in the background, and how it ended.

use super::{
    error::Refusal,
    route::{Key, LINKS},
    world::{Moment, World},
};
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, time::Instant};

/// Something that goes on.
#[derive(Debug, Clone)]
pub struct Operation {
    body: Json,
    started: Instant,
    end: Instant,
    failure: Option<Failed>,
    end_stamp: String,
}

/// How an operation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// `QUOTA_EXCEEDED`, `ZONE_RESOURCE_POOL_EXHAUSTED`.
    pub code: &'static str,
    /// What is said.
    pub message: String,
    /// The HTTP status that it stands for, and its name.
    pub status: (u16, &'static str),
}

impl Failed {
    /// More than the project may have.
    pub fn quota(metric: &str, limit: u64, place: &str) -> Failed {
        Failed {
            code: "QUOTA_EXCEEDED",
            message: format!("Quota '{metric}' exceeded.  Limit: {limit}.0 {place}."),
            status: (403, "FORBIDDEN"),
        }
    }

    /// No machines left.
    pub fn capacity(key: &Key) -> Failed {
        let Key { project, scope, .. } = key;
        Failed {
            code: "ZONE_RESOURCE_POOL_EXHAUSTED",
            message: format!(
                "The zone 'projects/{project}/{scope}' does not have enough resources available to fulfill the request.  Try a different zone, or try again later."
            ),
            status: (503, "SERVICE UNAVAILABLE"),
        }
    }
}

/// All operations, and the requests that began them.
#[derive(Debug, Default)]
pub struct Operations {
    all: BTreeMap<Key, Operation>,
    asked: BTreeMap<(String, String), (String, Key)>,
}

impl Operations {
    /// The operation that a request with this id has begun.
    ///
    /// # Errors
    /// The id was used for another call.
    pub fn asked(&self, project: &str, id: &str, call: &str) -> Result<Option<Key>, Refusal> {
        let at = (project.to_owned(), id.to_owned());
        match self.asked.get(&at) {
            Some((begun_by, key)) if begun_by == call => Ok(Some(key.clone())),
            Some(_) => Err(Refusal::new(
                400,
                "invalid",
                format!(
                    "Invalid value for field 'requestId': '{id}'. It was used for another request."
                ),
            )),
            None => Ok(None),
        }
    }

    /// Remembers what a request with this id has begun.
    pub fn remember(&mut self, project: &str, id: &str, call: String, operation: &Key) {
        if let Some(begun) = self.all.get_mut(operation) {
            begun.body["clientOperationId"] = json!(id);
        }
        let at = (project.to_owned(), id.to_owned());
        self.asked.insert(at, (call, operation.clone()));
    }

    /// When the operation ends.
    pub fn end(&self, key: &Key) -> Option<Instant> {
        self.all.get(key).map(|o| o.end)
    }

    /// The operation as it is now.
    pub fn view(&self, key: &Key, now: Instant) -> Option<Json> {
        let operation = self.all.get(key)?;
        let mut body = operation.body.clone();
        if operation.end <= now {
            body["status"] = json!("DONE");
            body["progress"] = json!(100);
            body["endTime"] = json!(operation.end_stamp);
            if let Some(failed) = &operation.failure {
                body["error"] =
                    json!({"errors": [{"code": failed.code, "message": failed.message}]});
                body["httpErrorStatusCode"] = json!(failed.status.0);
                body["httpErrorMessage"] = json!(failed.status.1);
            }
        } else if operation.started < now {
            body["status"] = json!("RUNNING");
        }
        Some(body)
    }

    /// All operations of a place.
    pub fn list(&self, of: &Key, now: Instant) -> Vec<Json> {
        let here = self
            .all
            .keys()
            .filter(|k| k.project == of.project && k.scope == of.scope);
        here.filter_map(|k| self.view(k, now)).collect()
    }
}

/// Begins an operation on a thing.
pub fn begin(world: &mut World, on: &Key, kind: &str, at: Moment, failure: Option<Failed>) -> Key {
    let number = world.number();
    let key = on.beside("operations", &format!("operation-{number:013}-weir"));
    let target = world.things.get(on).and_then(|t| t.body.get("id").cloned());
    let target = target.unwrap_or_else(|| json!(world.id()));
    let start = world.stamp(at.now);
    let mut body = json!({
        "kind": "compute#operation", "id": world.id(), "name": key.name, "operationType": kind,
        "targetLink": on.link(), "targetId": target, "status": "PENDING", "progress": 0,
        "user": "weir@example.com", "insertTime": start, "startTime": start,
        "selfLink": key.link(),
    });
    let place = format!("{LINKS}projects/{}/{}", on.project, on.scope);
    match on.scope {
        super::route::Scope::Global => {}
        super::route::Scope::Region(_) => body["region"] = json!(place),
        super::route::Scope::Zone(_) => body["zone"] = json!(place),
    }
    let operation = Operation {
        body,
        started: at.now,
        end: at.end(),
        failure,
        end_stamp: world.stamp(at.end()),
    };
    world.operations.all.insert(key.clone(), operation);
    key
}
