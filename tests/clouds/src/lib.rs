//! Clouds played in memory: the REST APIs of Google Compute ([`google`]) and Azure ([`azure`]) for
//! the resources that weir's providers serve, with what makes real ones hard: operations that
//! take their time, things that can't be seen yet, quota, capacity, conflicts, throttling.
//!
//! It never uses code of weir's providers, so that it can't share their mistakes; it is driven in
//! tests by the clouds' own clients too, and takes nothing that their documents don't allow. It
//! asks for no real credentials and keeps nothing. One request's way:
//!
//! 1. [`server`] reads it whole, and answers by itself what begins with `/_` ([`control`]);
//! 2. the [`desk`] logs it under the API's own name of the call, and looks for a scripted fault;
//! 3. the [`Cloud`] answers it: at once, or asked again later where the call waits;
//! 4. what it began goes on by the clock: every look at it says how far it is by now.

pub mod azure;
pub mod control;
pub mod desk;
pub mod google;
pub mod http;
pub mod server;

use crate::http::{Answer, Request};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

pub use server::{Clouds, Options};

/// How fast the clouds are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How long an operation takes that the API does in the background.
    pub slow: Duration,
    /// How long something new is invisible to reads and lists.
    pub blind: Duration,
}

/// Something that goes wrong, in the words of no cloud: each tells it in its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Too many requests: come back in a second.
    Throttle,
    /// There are no machines left of the kind.
    Capacity,
    /// The project or subscription may have no more.
    Quota,
    /// Something else works on it now.
    Conflict,
    /// It is refused for good, in words that repeat what was asked.
    Repeat,
}

/// One call of an API.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// As it came.
    pub request: &'a Request,
    /// The API's name of it, of [`Cloud::operation`].
    pub operation: &'a str,
    /// When it came. Asked again ([`Answer::After`]), it is later.
    pub now: Instant,
    /// How fast the cloud is.
    pub pace: Pace,
    /// What is to go wrong.
    pub trouble: Option<Trouble>,
}

/// A cloud's API.
pub trait Cloud: Send + Sync + 'static {
    /// The API's name of the call, such as `compute.instances.insert` or
    /// `VirtualMachines_CreateOrUpdate`; the path where there is none.
    fn operation(&self, request: &Request) -> String;

    /// Answers the call.
    fn answer(&self, call: &Call<'_>) -> Answer;

    /// The machines that run by now, and those that are stopped.
    fn machines(&self, now: Instant) -> Vec<Machine>;

    /// The ids of all that is there by now, of every kind.
    fn objects(&self, now: Instant) -> Vec<String>;
}

/// Whether a machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Power {
    /// It runs.
    Running,
    /// It is there and does not, or is on its way there.
    Stopped,
}

/// A machine as the API tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// `google` or `azure`.
    pub cloud: &'static str,
    /// The API's id of it, unique in its cloud.
    pub id: String,
    /// Whether it runs.
    pub power: Power,
    /// Its name.
    pub name: String,
    /// The zone or region that it stands in.
    pub place: String,
    /// Its address in its network.
    pub address: String,
    /// Its address for everyone.
    pub public_address: Option<String>,
    /// Users and the OpenSSH keys that may log in as them.
    pub ssh_keys: Vec<SshKey>,
    /// What cloud-init or the start script gets.
    pub user_data: Option<String>,
    /// Its metadata or tags.
    pub metadata: BTreeMap<String, String>,
}

/// A key that may log in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SshKey {
    /// As whom.
    pub user: String,
    /// The line of `authorized_keys`.
    pub key: String,
}
