//! Whether a pod can be on a host.

use super::{FIRST_PORT, LAST_PORT, Usage, pod_name};
use std::collections::BTreeMap;
use weir_core::Address;
use weir_lang::instance::{Demand, HostFacts, PlaceRequest};

/// Why a pod can't be on a host.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Obstacle {
    /// It must be on another.
    OtherHost,
    /// A required label is missing or has another value.
    Label {
        name: String,
        wanted: String,
        has: Option<String>,
    },
    /// The host does not have the label that tells instances apart.
    NoScope(String),
    /// Another instance of the pod is in the same scope.
    Shared { scope: String, with: Address },
    /// A pod it keeps away from, or that keeps away from it, is there.
    Avoids(Address),
    /// Cores: free and asked.
    Cpus { free: f64, asked: f64 },
    /// Bytes of memory: free and asked.
    Memory { free: u64, asked: u64 },
    /// A port with a number is taken.
    Port { number: u16, by: Address },
    /// No port is free to be chosen.
    NoPort,
}

/// Who is where. Cheap to change and to change back.
pub(super) struct Board<'a> {
    pub(super) request: &'a PlaceRequest,
    usage: &'a BTreeMap<String, Usage>,
    by_id: BTreeMap<&'a str, usize>,
    /// The host of each demand.
    placed: Vec<Option<usize>>,
    /// The demands on each host, in the order they came.
    on: Vec<Vec<usize>>,
    /// The demands of each pod that have a host.
    of_pod: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Board<'a> {
    pub(super) fn new(request: &'a PlaceRequest, usage: &'a BTreeMap<String, Usage>) -> Self {
        Board {
            request,
            usage,
            by_id: request
                .hosts
                .iter()
                .enumerate()
                .map(|(i, h)| (h.id.as_str(), i))
                .collect(),
            placed: vec![None; request.demands.len()],
            on: vec![Vec::new(); request.hosts.len()],
            of_pod: BTreeMap::new(),
        }
    }

    pub(super) fn host(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }
    pub(super) fn hosts(&self) -> impl Iterator<Item = &'a HostFacts> {
        self.request.hosts.iter()
    }
    pub(super) fn demand(&self, i: usize) -> &'a Demand {
        &self.request.demands[i]
    }
    pub(super) fn on(&self, host: usize) -> impl Iterator<Item = &'a Demand> {
        self.on[host].iter().map(|&i| self.demand(i))
    }
    pub(super) fn put(&mut self, demand: usize, host: usize) {
        self.placed[demand] = Some(host);
        self.on[host].push(demand);
        self.of_pod
            .entry(pod_name(self.demand(demand)))
            .or_default()
            .push(demand);
    }
    pub(super) fn take(&mut self, demand: usize) {
        if let Some(host) = self.placed[demand].take() {
            self.on[host].retain(|&d| d != demand);
            if let Some(peers) = self.of_pod.get_mut(pod_name(self.demand(demand))) {
                peers.retain(|&d| d != demand);
            }
        }
    }
    /// Instances of the same pod that have a host, with it.
    pub(super) fn peers(&self, demand: usize) -> impl Iterator<Item = (usize, usize)> {
        self.of_pod
            .get(pod_name(self.demand(demand)))
            .into_iter()
            .flatten()
            .filter(move |&&d| d != demand)
            .filter_map(|&d| self.placed[d].map(|h| (d, h)))
    }
    pub(super) fn usage(&self, host: usize) -> Option<&'a Usage> {
        self.usage.get(&self.request.hosts[host].id)
    }
    /// Cores in use on a host.
    pub(super) fn cpus_used(&self, host: usize) -> f64 {
        self.usage(host).map_or(0.0, |u| u.cpus) + self.on(host).map(|d| d.cpus).sum::<f64>()
    }
    /// Bytes in use on a host.
    pub(super) fn memory_used(&self, host: usize) -> u64 {
        self.on(host).map(|d| d.memory).fold(
            self.usage(host).map_or(0, |u| u.memory),
            u64::saturating_add,
        )
    }

    /// Whether a pod that is on a host may stay: all that counts is whether it can be held. A
    /// rule that changed moves nothing that runs.
    pub(super) fn stays(&self, demand: usize, host: usize) -> bool {
        self.pinned(demand, host)
            .and_then(|()| self.holds(demand, host))
            .is_ok()
    }

    /// Whether a host suits a pod, other pods of the service left aside.
    pub(super) fn suits(&self, demand: usize, host: usize) -> Result<(), Obstacle> {
        self.pinned(demand, host)?;
        let facts = &self.request.hosts[host];
        let wants = self.demand(demand);
        for (name, wanted) in &wants.require {
            let has = facts.labels.get(name);
            if has != Some(wanted) {
                return Err(Obstacle::Label {
                    name: name.clone(),
                    wanted: wanted.clone(),
                    has: has.cloned(),
                });
            }
        }
        for name in &wants.distinct {
            if scope(facts, name).is_none() {
                return Err(Obstacle::NoScope(name.clone()));
            }
        }
        self.holds(demand, host)
    }

    /// Whether a pod can go on a host, with all that is on the board.
    pub(super) fn fits(&self, demand: usize, host: usize) -> Result<(), Obstacle> {
        self.suits(demand, host)?;
        let wants = self.demand(demand);
        for name in &wants.distinct {
            let own = scope(&self.request.hosts[host], name);
            if let Some((peer, _)) = self
                .peers(demand)
                .find(|&(_, h)| scope(&self.request.hosts[h], name) == own)
            {
                let with = self.demand(peer).address.clone();
                return Err(Obstacle::Shared {
                    scope: name.clone(),
                    with,
                });
            }
        }
        let name = pod_name(wants);
        let apart = |other: &&Demand| {
            wants.avoid.iter().any(|n| n == pod_name(other))
                || other.avoid.iter().any(|n| n == name)
        };
        match self.on(host).find(apart) {
            Some(other) => Err(Obstacle::Avoids(other.address.clone())),
            None => Ok(()),
        }
    }

    fn pinned(&self, demand: usize, host: usize) -> Result<(), Obstacle> {
        match &self.demand(demand).on {
            Some(id) if *id != self.request.hosts[host].id => Err(Obstacle::OtherHost),
            _ => Ok(()),
        }
    }

    /// Capacity and ports.
    fn holds(&self, demand: usize, host: usize) -> Result<(), Obstacle> {
        let wants = self.demand(demand);
        let facts = &self.request.hosts[host];
        if let Some(cpus) = facts.cpus
            && wants.cpus > 0.0
        {
            let free = cpus - self.cpus_used(host);
            // Sums of decimal fractions are not exact: a millionth of a core is no shortage.
            if wants.cpus > free + 1e-6 {
                return Err(Obstacle::Cpus {
                    free: free.max(0.0),
                    asked: wants.cpus,
                });
            }
        }
        if let Some(memory) = facts.memory
            && wants.memory > 0
        {
            let free = memory.saturating_sub(self.memory_used(host));
            if wants.memory > free {
                return Err(Obstacle::Memory {
                    free,
                    asked: wants.memory,
                });
            }
        }
        self.ports_free(demand, host)
    }

    fn ports_free(&self, demand: usize, host: usize) -> Result<(), Obstacle> {
        let wants = self.demand(demand);
        if wants.ports.is_empty() {
            return Ok(());
        }
        for number in wants.ports.values().flatten() {
            let elsewhere = self.usage(host).and_then(|u| u.ports.get(number));
            let here = self
                .on(host)
                .find(|d| d.ports.values().flatten().any(|n| n == number))
                .map(|d| &d.address);
            if let Some(by) = elsewhere.or(here) {
                return Err(Obstacle::Port {
                    number: *number,
                    by: by.clone(),
                });
            }
        }
        let chosen = wants.ports.values().filter(|n| n.is_none()).count();
        if chosen == 0 {
            return Ok(());
        }
        let range = usize::from(LAST_PORT - FIRST_PORT) + 1;
        let in_range = |n: &u16| (FIRST_PORT..=LAST_PORT).contains(n);
        let taken = self
            .usage(host)
            .map_or(0, |u| u.ports.keys().filter(|n| in_range(n)).count())
            + self
                .on(host)
                .flat_map(|d| d.ports.values())
                .filter(|n| n.as_ref().is_none_or(in_range))
                .count()
            + wants
                .ports
                .values()
                .flatten()
                .filter(|n| in_range(n))
                .count();
        if taken + chosen > range {
            Err(Obstacle::NoPort)
        } else {
            Ok(())
        }
    }
}

/// The value a host has for a scope: its id for `host`, its site for `site`, else the label.
pub(super) fn scope<'h>(host: &'h HostFacts, name: &str) -> Option<&'h str> {
    match name {
        "host" => Some(&host.id),
        "site" => Some(&host.site),
        label => host.labels.get(label).map(String::as_str),
    }
}
