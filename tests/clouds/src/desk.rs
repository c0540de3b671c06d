//! What is asked of a cloud beside its API: a log of requests, faults to come, and its pace.

use crate::{Pace, Trouble, http::Request};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A request that came, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// From 1, in the order in which they came.
    pub number: u64,
    /// `google` or `azure`.
    pub cloud: &'static str,
    /// Its method.
    pub method: String,
    /// Its path.
    pub path: String,
    /// The API's name of the call.
    pub operation: String,
    /// Its query.
    pub query: Vec<(String, String)>,
    /// Its body, where that is JSON.
    pub body: Option<Json>,
    /// The bearer token that it came with.
    pub token: Option<String>,
    /// The reply's status; none while it is answered, and where the connection was cut.
    pub status: Option<u16>,
}

/// A fault, as a script asks for it (`POST /_faults`). What is left out fits every call.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The method.
    pub method: Option<String>,
    /// A part of the path.
    pub path: Option<String>,
    /// The API's name of the call.
    pub operation: Option<String>,
    /// Which of the calls that fit is the first to fail, from 1.
    #[serde(default = "one")]
    pub nth: u64,
    /// How many fail, in all.
    #[serde(default = "one")]
    pub times: u64,
    /// Every how many-th of them fails, from the first that does on: 1 for one after the other.
    #[serde(default = "one")]
    pub every: u64,
    /// What happens.
    pub answer: Fate,
}

fn one() -> u64 {
    1
}

/// What becomes of a call that a fault meets.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The connection is cut; nothing was done.
    Cut,
    /// It is done, and the connection is cut before the reply.
    Lost,
    /// It is done, and no reply ever comes.
    Silent,
    /// 429, as the cloud says it.
    Throttle,
    /// No machines left of the kind.
    Capacity,
    /// The project or subscription may have no more.
    Quota,
    /// Something else works on it.
    Conflict,
    /// It is refused for good, in words that repeat all that was asked.
    Repeat,
    /// This reply; nothing was done.
    Reply {
        /// The status.
        status: u16,
        /// The body: text as it is, anything else as JSON.
        #[serde(default)]
        body: Json,
        /// The headers.
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
}

impl Fate {
    /// What the cloud itself is to say.
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Fate::Throttle => Some(Trouble::Throttle),
            Fate::Capacity => Some(Trouble::Capacity),
            Fate::Quota => Some(Trouble::Quota),
            Fate::Conflict => Some(Trouble::Conflict),
            Fate::Repeat => Some(Trouble::Repeat),
            Fate::Cut | Fate::Lost | Fate::Silent | Fate::Reply { .. } => None,
        }
    }
}

/// The header of a request that the test itself makes beside those that it looks at: no fault meets
/// it.
pub const ASIDE: &str = "x-clouds-aside";

#[derive(Debug)]
struct Armed {
    fault: Fault,
    met: u64,
}

#[derive(Debug)]
struct Inside {
    entries: Vec<Entry>,
    faults: Vec<Armed>,
    struck: u64,
    pace: Pace,
}

/// One cloud's desk. Shared by all its connections.
#[derive(Debug)]
pub struct Desk {
    cloud: &'static str,
    inside: Mutex<Inside>,
}

impl Desk {
    /// An empty one.
    pub fn new(cloud: &'static str, pace: Pace) -> Desk {
        Desk {
            cloud,
            inside: Mutex::new(Inside {
                entries: Vec::new(),
                faults: Vec::new(),
                struck: 0,
                pace,
            }),
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How fast the cloud is.
    pub fn pace(&self) -> Pace {
        self.inside().pace
    }

    /// Makes it as fast as this.
    pub fn set_pace(&self, slow: Option<Duration>, blind: Option<Duration>) {
        let pace = &mut self.inside().pace;
        pace.slow = slow.unwrap_or(pace.slow);
        pace.blind = blind.unwrap_or(pace.blind);
    }

    /// Arms a fault.
    pub fn arm(&self, fault: Fault) {
        self.inside().faults.push(Armed { fault, met: 0 });
    }

    /// Forgets all faults, and how many calls met one.
    pub fn disarm(&self) {
        let mut inside = self.inside();
        inside.faults.clear();
        inside.struck = 0;
    }

    /// Notes that a call has met its fault: all that it does is done.
    pub fn strike(&self) {
        self.inside().struck += 1;
    }

    /// How many calls met a fault since the faults were forgotten.
    pub fn struck(&self) -> u64 {
        self.inside().struck
    }

    /// Takes the request down: its number, and what is to become of it.
    pub fn take(&self, request: &Request, operation: &str) -> (u64, Option<Fate>) {
        let mut inside = self.inside();
        let number = inside.entries.len() as u64 + 1;
        inside.entries.push(Entry {
            number,
            cloud: self.cloud,
            method: request.method.to_string(),
            path: request.path.clone(),
            operation: operation.to_owned(),
            query: request.query.clone(),
            body: request.json().ok().flatten(),
            token: (request.header("authorization"))
                .and_then(|a| a.strip_prefix("Bearer "))
                .map(str::to_owned),
            status: None,
        });
        let mut fate = None;
        if request.header(ASIDE).is_some() {
            return (number, fate);
        }
        for armed in &mut inside.faults {
            if !fits(&armed.fault, request, operation) {
                continue;
            }
            armed.met += 1;
            let first = armed.fault.nth.max(1);
            let after = armed.met.checked_sub(first);
            let every = armed.fault.every.max(1);
            let hit = after.is_some_and(|n| n % every == 0 && n / every < armed.fault.times);
            if hit && fate.is_none() {
                fate = Some(armed.fault.answer.clone());
            }
        }
        (number, fate)
    }

    /// Notes what the request was answered.
    pub fn note(&self, number: u64, status: u16) {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(entry) = self.inside().entries.get_mut(index.wrapping_sub(1)) {
            entry.status = Some(status);
        }
    }

    /// All requests so far.
    pub fn entries(&self) -> Vec<Entry> {
        self.inside().entries.clone()
    }
}

fn fits(fault: &Fault, request: &Request, operation: &str) -> bool {
    let method = fault.method.as_deref();
    let path = fault.path.as_deref();
    method.is_none_or(|m| m.eq_ignore_ascii_case(request.method.as_str()))
        && path.is_none_or(|p| request.path.contains(p))
        && (fault.operation.as_deref()).is_none_or(|o| o.eq_ignore_ascii_case(operation))
}
