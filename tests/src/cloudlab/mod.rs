//! Machines of clouds that are real: what a cloud's API says is running runs in the lab.
//!
//! The API is an emulator's (moto for EC2, `weir-clouds` for Azure and Google), which boots nothing.
//! A [`Bridge`] makes up for it: each machine that the API tells of becomes a host of the lab with
//! the addresses that the API tells, and what it was given (user data, keys, a start script) is done
//! by the program that does it in that cloud. It never changes anything in the API, knows nothing
//! of weir, and gives a machine no key but those that the API has for it. Security groups and firewalls are
//! not enforced.
//!
//! 1. [`Api::machines`] lists what there is, running and stopped ([`ec2`], [`fakes`]);
//! 2. [`steps`] says how the lab differs from it;
//! 3. a new machine's disk gets its [`seed`], what the cloud would have put there or told;
//! 4. the lab adds, starts, stops and removes hosts, and the bridge looks again.

pub mod ec2;
pub mod fakes;
pub mod seed;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::lab::{Extra, Lab};
use crate::wait::eventually;

pub use seed::Image;

/// How often the API is asked.
const PERIOD: Duration = Duration::from_millis(200);

/// How long an API may take to answer: bounds a broken test.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the lab may take to do what the API says: bounds a broken test.
const LIMIT: Duration = Duration::from_secs(120);

/// Whether a machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Power {
    /// It runs.
    Running,
    /// It is there and does not.
    Stopped,
}

/// A key that may log in.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct SshKey {
    /// As whom; empty for the image's own user.
    pub user: String,
    /// The line of `authorized_keys`.
    pub key: String,
}

/// A machine as a cloud's API tells of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Machine {
    /// The API's id of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its address in its network.
    pub address: String,
    /// Its address for everyone.
    pub public_address: Option<String>,
    /// Whether it runs.
    pub power: Power,
    /// Who may log in.
    pub ssh_keys: Vec<SshKey>,
    /// What it was given for cloud-init.
    pub user_data: Option<String>,
    /// Metadata or tags.
    pub metadata: BTreeMap<String, String>,
}

/// A cloud's API that tells of machines.
#[derive(Debug, Clone)]
pub enum Api {
    /// EC2's, at `ADDRESS:PORT`, in a region.
    Ec2 {
        /// Where it answers.
        address: String,
        /// Of which region.
        region: String,
    },
    /// One of `weir-clouds`, at `ADDRESS:PORT`.
    Fake {
        /// Where it answers.
        address: String,
    },
}

impl Api {
    /// All machines that run or are stopped; none that is being made or has gone.
    ///
    /// # Errors
    /// What the API said, or that it could not be reached.
    pub fn machines(&self) -> Result<Vec<Machine>, String> {
        match self {
            Self::Ec2 { address, region } => ec2::machines(address, region),
            Self::Fake { address } => fakes::machines(address),
        }
    }

    /// The ids of everything that there is, also of what every new account has.
    ///
    /// # Errors
    /// What the API said, or that it could not be reached.
    pub fn objects(&self) -> Result<BTreeSet<String>, String> {
        match self {
            Self::Ec2 { address, region } => ec2::objects(address, region),
            Self::Fake { address } => fakes::objects(address),
        }
    }
}

/// A host of the lab that is a cloud's machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twin {
    /// The lab's name of it.
    pub host: String,
    /// The machine, as the API told of it when the lab last did something about it.
    pub machine: Machine,
}

/// What is to be done in the lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The machine has gone: so does its host.
    Remove(String),
    /// It is new: a host is made of it.
    Add(Machine),
    /// It runs again.
    Start(Machine),
    /// It was stopped.
    Stop(Machine),
    /// Its addresses are others.
    Readdress(Machine),
}

/// How the lab's twins (by the machine's id) differ from what the API tells, in the order in which it
/// is to be done: addresses come free before they are taken.
pub fn steps(twins: &BTreeMap<String, Twin>, told: &[Machine]) -> Vec<Step> {
    let gone = twins.keys().filter(|id| told.iter().all(|m| m.id != **id));
    let mut steps: Vec<Step> = gone.cloned().map(Step::Remove).collect();
    for machine in told {
        let Some(twin) = twins.get(&machine.id) else {
            // One that was stopped before anybody saw it run has no disk to keep.
            if machine.power == Power::Running {
                steps.push(Step::Add(machine.clone()));
            }
            continue;
        };
        let was = &twin.machine;
        if (was.power, machine.power) == (Power::Running, Power::Stopped) {
            steps.push(Step::Stop(machine.clone()));
        }
        let addresses = |m: &Machine| (m.address.clone(), m.public_address.clone());
        if addresses(was) != addresses(machine) {
            steps.push(Step::Readdress(machine.clone()));
        }
        if (was.power, machine.power) == (Power::Stopped, Power::Running) {
            steps.push(Step::Start(machine.clone()));
        }
    }
    steps
}

/// What both sides of a [`Bridge`] see.
#[derive(Debug, Default)]
struct Shared {
    ends: AtomicBool,
    twins: Mutex<BTreeMap<String, Twin>>,
    fault: Mutex<Option<String>>,
}

/// Keeps the lab as a cloud's API says, until it is dropped; the hosts then stay until the lab goes.
#[derive(Debug)]
pub struct Bridge {
    api: Api,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Bridge {
    /// Begins: machines of `api` stand at the lab's site `site` and boot `image`.
    pub fn begin(lab: &Arc<Lab>, site: &str, api: Api, image: Image) -> Self {
        let shared = Arc::new(Shared::default());
        let worker = Worker {
            lab: Arc::clone(lab),
            site: site.to_owned(),
            api: api.clone(),
            image,
            shared: Arc::clone(&shared),
            made: 0,
        };
        Self {
            api,
            shared,
            thread: Some(std::thread::spawn(|| worker.run())),
        }
    }

    /// The twins, once the lab is as the API says at this moment.
    ///
    /// # Panics
    /// When the lab refused something or takes two minutes, and when the API does not answer.
    #[track_caller]
    pub fn settled(&self) -> Vec<Twin> {
        eventually("the lab is as the API says", LIMIT, || {
            self.check();
            let told = self.api.machines()?;
            let twins = locked(&self.shared.twins);
            match steps(&twins, &told).as_slice() {
                [] => Ok(twins.values().cloned().collect()),
                left => Err(format!("{left:?}")),
            }
        })
    }

    /// # Panics
    /// With what went wrong on the bridge's own thread.
    #[track_caller]
    fn check(&self) {
        if let Some(fault) = locked(&self.shared.fault).as_ref() {
            panic!("machines of the cloud in the lab: {fault}");
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            self.check();
            assert!(
                !matches!(ended, Some(Err(_))),
                "the bridge's thread panicked"
            );
        }
    }
}

/// The bridge's own thread.
struct Worker {
    lab: Arc<Lab>,
    site: String,
    api: Api,
    image: Image,
    shared: Arc<Shared>,
    made: u32,
}

impl Worker {
    fn run(mut self) {
        while !self.shared.ends.load(Ordering::Relaxed) {
            if let Err(fault) = self.turn() {
                *locked(&self.shared.fault) = Some(fault);
                return;
            }
            std::thread::sleep(PERIOD);
        }
    }

    fn turn(&mut self) -> Result<(), String> {
        let told = self.api.machines()?;
        let todo = steps(&locked(&self.shared.twins), &told);
        for step in todo {
            self.step(step)?;
        }
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), String> {
        let host = |worker: &Self, id: &str| {
            let twins = locked(&worker.shared.twins);
            twins.get(id).map_or_else(String::new, |t| t.host.clone())
        };
        match step {
            Step::Remove(id) => {
                self.lab.try_lab(&["remove", &host(self, &id)])?;
                locked(&self.shared.twins).remove(&id);
            }
            Step::Add(machine) => self.add(machine)?,
            Step::Start(machine) => {
                self.lab.try_lab(&["start", &host(self, &machine.id)])?;
                self.now(machine);
            }
            Step::Stop(machine) => {
                self.lab.try_lab(&["stop", &host(self, &machine.id)])?;
                self.now(machine);
            }
            Step::Readdress(machine) => {
                let public = machine.public_address.as_deref().unwrap_or("-");
                let private = in_network(&machine.address);
                let host = host(self, &machine.id);
                self.lab.try_lab(&["address", &host, public, &private])?;
                self.now(machine);
            }
        }
        Ok(())
    }

    fn add(&mut self, machine: Machine) -> Result<(), String> {
        let seed = tempfile::tempdir().map_err(|e| format!("a folder for a seed: {e}"))?;
        seed::write(seed.path(), &machine, self.image)
            .map_err(|e| format!("the seed of {}: {e}", machine.id))?;
        // Names come again with other machines, and the ids of clouds name no host.
        self.made += 1;
        let host = format!("{}-{}", self.site, self.made);
        let extra = Extra {
            layer: self.image.layer(),
            seed: seed.path(),
            public: machine.public_address.as_deref(),
            private: &in_network(&machine.address),
        };
        self.lab.add_with(&host, &self.site, &extra)?;
        let twin = Twin { host, machine };
        locked(&self.shared.twins).insert(twin.machine.id.clone(), twin);
        Ok(())
    }

    /// The lab has done what the API said of this machine.
    fn now(&self, machine: Machine) {
        if let Some(twin) = locked(&self.shared.twins).get_mut(&machine.id) {
            twin.machine = machine;
        }
    }
}

/// The machine's address with its network's size: 16 bits hold every network that a pool makes.
fn in_network(address: &str) -> String {
    format!("{address}/16")
}

/// A thread that panicked holding it leaves plain data.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
