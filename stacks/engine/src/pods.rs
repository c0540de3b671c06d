//! What the values of pods say of where they are and what they take.

use std::collections::BTreeMap;
use weir_core::{Address, Object, Value, snapshot::Snapshot};
use weir_lang::{Config, Demand, PlaceRequest, Placement};
use weir_plan::Usage;

/// Where a pod is, by its value.
pub(crate) fn placement(value: &Value) -> Option<Placement> {
    let host = value.get("host")?.as_str()?.to_owned();
    let ports = value
        .get("ports")
        .and_then(Value::as_entries)
        .into_iter()
        .flatten()
        .filter_map(|(name, n)| Some((name.to_string(), u16::try_from(n.as_i64()?).ok()?)))
        .collect();
    Some(Placement { host, ports })
}

/// A pod that is placed, with what it takes of its host.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) placement: Placement,
    cpus: f64,
    memory: u64,
}

impl Placed {
    /// By the pod's value.
    pub(crate) fn of_value(value: &Value) -> Option<Placed> {
        let number = |name: &str| value.get(name).and_then(Value::as_number);
        Some(Placed {
            placement: placement(value)?,
            cpus: number("cpus").map_or(0.0, weir_core::Number::to_f64),
            memory: number("memory")
                .and_then(weir_core::Number::as_i64)
                .and_then(|n| u64::try_from(n).ok())
                .unwrap_or(0),
        })
    }

    /// By what was asked and what it got.
    pub(crate) fn of_demand(demand: &Demand, placement: &Placement) -> Placed {
        Placed {
            placement: placement.clone(),
            cpus: demand.cpus,
            memory: demand.memory,
        }
    }
}

/// All pods that are placed: those that state has, replaced by those placed in this run.
#[derive(Default)]
pub(crate) struct Pods(BTreeMap<Address, Placed>);

impl Pods {
    /// Those that state has and the configuration still declares: what is about to be deleted
    /// takes nothing from what comes.
    pub(crate) fn of_state(snapshot: &Snapshot, config: &Config) -> Pods {
        let pods = snapshot
            .resources
            .iter()
            .filter(|(a, _)| matches!(a.object, Object::Pod { .. }) && config.declares(a))
            .filter_map(|(a, r)| Some((a.clone(), Placed::of_value(r.value.value())?)));
        Pods(pods.collect())
    }

    /// Where a pod is.
    pub(crate) fn placement(&self, address: &Address) -> Option<&Placement> {
        self.0.get(address).map(|p| &p.placement)
    }

    /// Where the pods of a request are by now.
    pub(crate) fn current(&self, request: &PlaceRequest) -> BTreeMap<Address, Placement> {
        request
            .demands
            .iter()
            .filter_map(|d| Some((d.address.clone(), self.placement(&d.address)?.clone())))
            .collect()
    }

    /// What pods of other services take, by host.
    pub(crate) fn usage(&self, request: &PlaceRequest) -> BTreeMap<String, Usage> {
        let mut usage: BTreeMap<String, Usage> = BTreeMap::new();
        for (address, pod) in &self.0 {
            let own = address.module == request.module
                && matches!(
                    &address.object,
                    Object::Pod { service, .. } if *service == request.service
                );
            if own {
                continue;
            }
            let host = usage.entry(pod.placement.host.clone()).or_default();
            host.cpus += pod.cpus;
            host.memory = host.memory.saturating_add(pod.memory);
            host.ports
                .extend(pod.placement.ports.values().map(|n| (*n, address.clone())));
        }
        usage
    }

    /// Takes what was placed.
    pub(crate) fn placed(
        &mut self,
        request: &PlaceRequest,
        placements: &BTreeMap<Address, Placement>,
    ) {
        self.0.retain(|a, _| {
            a.module != request.module
                || !matches!(&a.object, Object::Pod { service, .. } if *service == request.service)
        });
        for demand in &request.demands {
            if let Some(placement) = placements.get(&demand.address) {
                self.0
                    .insert(demand.address.clone(), Placed::of_demand(demand, placement));
            }
        }
    }
}
