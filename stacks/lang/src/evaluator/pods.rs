//! Sites, clusters and services in the line of nodes.

use super::{
    Evaluator,
    blocks::Ready,
    expand::count,
    frame::{Frame, Names},
    graph::{Mode, State},
    origin::unknown,
    run::{Computed, Outcome, Stop},
};
use crate::{
    config::{
        NodeKind,
        blocks::{Cluster, PhaseOrder, Pod, PodRepeat, Service, Site},
    },
    eval::NodeId,
    instance::{HostFacts, Lifecycle, Next, PlaceRequest, Placement},
    services::{
        demand::{self, Wanted, WantedPod},
        hosts::{self, SiteHosts},
        placed, pods,
    },
};
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{
    Address, Diagnostic, Key, Object, Span, Value, address::ProviderRef, convert::convert,
    schema::Schema,
};

/// A service that was handed out to be placed.
pub(super) struct Placed {
    pub(super) wanted: Wanted,
    /// By pod and instance; empty until it is placed.
    pub(super) placements: Vec<Vec<Option<Placement>>>,
    is_placed: bool,
}

impl Evaluator {
    pub(super) fn site(&mut self, id: NodeId, site: &Site) -> Result<(), Stop> {
        let inst = self.graph.get(id).inst;
        let path = &self.graph.module(inst).path;
        let outcome = self.compute(inst, Names::default(), |frame, problems| {
            let unknown =
                |attribute: &str, title: &str, expr: &_| unknown(attribute, title, expr, frame);
            hosts::site(site, path, frame, &unknown, problems)
        });
        let Computed { value, reads, .. } = self.settle(id, outcome)?;
        let SiteHosts {
            names,
            configs,
            value,
        } = value;
        self.hosts.insert(id, Arc::new(configs));
        if self.graph.get(id).expansion.is_none() {
            let keys = names.iter().map(|n| Key::Name((&**n).into())).collect();
            let keys = Computed {
                value: (Mode::Each, keys, Vec::new()),
                reads: Default::default(),
                problems: Vec::new(),
            };
            self.set_instances(id, keys, |ev, id| {
                let Some(x) = ev.graph.get(id).expansion.clone() else {
                    return;
                };
                for instance in x.instances() {
                    if let Some(address) = ev.address_of(instance) {
                        ev.agents.insert(address.to_string(), instance);
                    }
                }
            });
        }
        self.store(
            id,
            Computed {
                value,
                reads,
                problems: Vec::new(),
            },
        );
        Ok(())
    }

    pub(super) fn cluster(&mut self, id: NodeId, cluster: &Cluster) -> Result<(), Stop> {
        let inst = self.graph.get(id).inst;
        let path = &self.graph.module(inst).path;
        let outcome = self.compute(inst, Names::default(), |frame, problems| {
            let made = Evaluator::made_hosts(cluster, frame, problems)?;
            hosts::cluster(cluster, path, frame, &made, problems)
        });
        self.keep(id, outcome)
    }

    /// What a service asks for; hands it out to be placed, or makes its value where it is.
    pub(super) fn service(&mut self, id: NodeId, service: &Service) -> Result<(), Stop> {
        let inst = self.graph.get(id).inst;
        let outcome = self.compute(inst, Names::default(), |frame, problems| {
            self.wanted(service, frame, problems)
        });
        let Computed {
            value: wanted,
            reads,
            ..
        } = self.settle(id, outcome)?;
        let Some(wanted) = wanted else {
            return Err(Stop::Failed);
        };
        if let Some(placed) = self.services.get_mut(&id) {
            // What it asked for was known then, so it is the same; addresses may be new.
            placed.wanted = wanted;
            if placed.is_placed {
                let value = placed::value(&service.name, &placed.wanted, &placed.placements);
                self.store(
                    id,
                    Computed {
                        value,
                        reads,
                        problems: Vec::new(),
                    },
                );
            }
            return Ok(());
        }
        let hosts = self.facts(&wanted).map_err(Stop::Wait)?;
        let module = self.graph.module(inst).path.clone();
        let demands = wanted.pods.iter().flat_map(|pod| {
            let object = Object::Pod {
                service: service.name.as_ref().into(),
                pod: pod.name.as_str().into(),
            };
            let module = module.clone();
            pod.demands(move |key| Address {
                module: module.clone(),
                object: object.clone(),
                key: Key::Name(key.into()),
            })
        });
        let request = PlaceRequest {
            module: module.clone(),
            service: service.name.to_string(),
            span: service.span.clone(),
            demands: demands.collect(),
            hosts,
        };
        self.graph.outstanding += 1;
        self.services.insert(
            id,
            Placed {
                wanted,
                placements: Vec::new(),
                is_placed: false,
            },
        );
        self.ready.push_back(Next::Place(Box::new(request)));
        Ok(())
    }

    fn wanted(
        &self,
        service: &Service,
        frame: &Frame<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Result<Option<Wanted>, NodeId> {
        let Some(mut wanted) = demand::service(service, frame, problems)? else {
            return Ok(None);
        };
        for pod in &service.pods {
            let asks = demand::asks(service, pod, frame, problems)?;
            let (keys, on) = match &pod.repeat {
                PodRepeat::Count(None) => (vec!["0".to_owned()], None),
                PodRepeat::Count(Some(expr)) => {
                    let title = format!("service.{}.pod.{}", service.name, pod.name);
                    let n = count(expr, &title, frame, problems)?.unwrap_or(0);
                    ((0..n).map(|i| i.to_string()).collect(), None)
                }
                PodRepeat::EveryHost => {
                    let hosts = &wanted.hosts;
                    let key = |h: &hosts::Host| {
                        let twice = hosts.iter().filter(|o| o.name == h.name).count() > 1;
                        if twice { h.id() } else { h.name.clone() }
                    };
                    let ids = hosts.iter().map(hosts::Host::id).collect();
                    (hosts.iter().map(key).collect(), Some(ids))
                }
            };
            wanted.pods.push(WantedPod {
                name: pod.name.to_string(),
                keys,
                on,
                asks,
            });
        }
        Ok(Some(wanted))
    }

    /// The hosts of a service, with what their agents have found out.
    fn facts(&self, wanted: &Wanted) -> Result<Vec<HostFacts>, NodeId> {
        let mut out = Vec::with_capacity(wanted.hosts.len());
        for host in &wanted.hosts {
            let agent = self.agents.get(&host.agent).copied();
            let found = match agent.map(|id| (id, &self.graph.get(id).state)) {
                Some((_, State::Supplied(value))) => Some(value),
                // A host that failed has no facts; the pods on it are skipped later.
                None | Some((_, State::Failed)) => None,
                Some((id, _)) => return Err(id),
            };
            let number = |name: &str| found?.get(name)?.as_number().cloned();
            let Some(agent) = agent.and_then(|id| self.address_of(id)) else {
                continue;
            };
            // What a machine has that is not there yet is known by its type.
            let (cpus, memory) = self.capacity(host).unzip();
            out.push(HostFacts {
                id: host.id(),
                name: host.name.clone(),
                site: host.site.clone(),
                address: host.address.clone(),
                labels: host.labels.clone(),
                cpus: number("cpus").map(|n| n.to_f64()).or(cpus),
                memory: number("memory_bytes")
                    .and_then(|n| u64::try_from(n.as_i64()?).ok())
                    .or(memory),
                agent,
            });
        }
        Ok(out)
    }

    /// Takes the answer to a request.
    pub(super) fn placed(
        &mut self,
        request: &PlaceRequest,
        placements: BTreeMap<Address, Placement>,
    ) {
        let found = self.services.keys().copied().find(|id| {
            let entity = self.graph.get(*id);
            let name = match self.kind_of(*id) {
                NodeKind::Service(s) => &s.name,
                _ => return false,
            };
            **name == *request.service && self.graph.module(entity.inst).path == request.module
        });
        let Some(id) = found else { return };
        let Some(placed) = self.services.get_mut(&id) else {
            return;
        };
        if std::mem::replace(&mut placed.is_placed, true) {
            return;
        }
        let mut demands = request.demands.iter();
        placed.placements = placed
            .wanted
            .pods
            .iter()
            .map(|pod| {
                let own = demands.by_ref().take(pod.keys.len());
                own.map(|d| placements.get(&d.address).cloned()).collect()
            })
            .collect();
        self.graph.outstanding -= 1;
        self.enqueue(id);
    }

    pub(super) fn expand_pods(
        &mut self,
        id: NodeId,
        service: &Service,
        pod: &Pod,
    ) -> Result<(), Stop> {
        let inst = self.graph.get(id).inst;
        let Some(service_id) = self.service_id(inst, service) else {
            return Err(Stop::Failed);
        };
        if !matches!(self.graph.get(service_id).state, State::Ready(_)) {
            return Err(Stop::Wait(service_id));
        }
        let Some(placed) = self.services.get(&service_id) else {
            return Err(Stop::Failed);
        };
        let Some(at) = placed.wanted.pods.iter().position(|p| p.name == *pod.name) else {
            return Err(Stop::Failed);
        };
        let keys = placed.wanted.pods[at]
            .keys
            .iter()
            .map(|k| Key::Name(k.clone().into()))
            .collect();
        let homeless: Vec<usize> = placed.placements[at]
            .iter()
            .enumerate()
            .filter(|(_, p)| p.is_none())
            .map(|(i, _)| i)
            .collect();
        let computed = Computed {
            value: (Mode::Each, keys, Vec::new()),
            reads: Default::default(),
            problems: Vec::new(),
        };
        self.set_instances(id, computed, |ev, id| {
            let Some(x) = ev.graph.get(id).expansion.clone() else {
                return;
            };
            for position in homeless {
                ev.fail_node(x.instance(position));
            }
        });
        Ok(())
    }

    fn service_id(&self, inst: super::graph::InstId, service: &Service) -> Option<NodeId> {
        let ix = self.module_of(inst).names.services.get(&service.name)?;
        Some(self.graph.module(inst).id(*ix))
    }

    pub(super) fn host_config(
        &self,
        block: NodeId,
        position: usize,
        site: &Site,
    ) -> Outcome<Ready> {
        let State::Ready(memo) = &self.graph.get(block).state else {
            return Err(block.into());
        };
        let configs = self.hosts.get(&block).ok_or(block)?;
        let Some(config) = configs.get(position) else {
            return Err(block.into());
        };
        let deps = memo.deps.clone();
        self.compute(
            self.graph.get(block).inst,
            Names::default(),
            |frame, problems| {
                frame.depend(&deps);
                Ok(Ready {
                    config: self.complete("weir_host", config.clone(), problems),
                    provider: self.host_provider(),
                    lifecycle: Lifecycle::default(),
                    scoped: None,
                    span: host_span(site, config).clone(),
                })
            },
        )
    }

    fn host_provider(&self) -> ProviderRef {
        ProviderRef::new(self.schemas.provider_of("weir_host").unwrap_or("host"))
    }

    /// The object with every attribute of the schema, null where it is not set.
    fn complete(&self, ty: &str, config: Value, problems: &mut Vec<Diagnostic>) -> Value {
        let Some(Schema { block, .. }) = self.schemas.resource(ty) else {
            let d = Diagnostic::error(format!("There is no resource of type `{ty}`"))
                .because("Sites and services need the provider `host`.")
                .help("Remove the site, or use a version of weir that has the provider.");
            problems.push(d);
            return config;
        };
        convert(&config, &block.ty()).unwrap_or_else(|error| {
            // The language and the provider disagree: no configuration can bring that about.
            let d = Diagnostic::error(format!("`{ty}` is not what the provider `host` expects"))
                .because(format!("{error}."))
                .help("This is a fault of weir: please report it.");
            problems.push(d);
            config
        })
    }

    pub(super) fn pod_config(
        &self,
        block: NodeId,
        position: usize,
        service: &Service,
        pod: &Pod,
    ) -> Outcome<Ready> {
        let inst = self.graph.get(block).inst;
        let Some(service_id) = self.service_id(inst, service) else {
            return Err(block.into());
        };
        let State::Ready(memo) = &self.graph.get(service_id).state else {
            return Err(service_id.into());
        };
        let Some(placed) = self.services.get(&service_id) else {
            return Err(service_id.into());
        };
        let at = placed.wanted.pods.iter().position(|p| p.name == *pod.name);
        let Some((wanted, placement)) = at.and_then(|at| {
            let placement = placed.placements[at].get(position)?.as_ref()?;
            Some((&placed.wanted.pods[at], placement))
        }) else {
            return Err(block.into());
        };
        let Some(host) = placed
            .wanted
            .hosts
            .iter()
            .find(|h| h.id() == placement.host)
        else {
            return Err(block.into());
        };
        let agent = self.agents.get(&host.agent).copied().ok_or(block)?;
        if !matches!(self.graph.get(agent).state, State::Supplied(_)) {
            return Err(agent.into());
        }
        let instance = placed::Instance {
            pod: wanted,
            position,
            host,
            ports: &placement.ports,
        };
        let names = Names {
            own: Some(instance.own()),
            service: Some(service_id),
            ..Names::default()
        };
        let earlier = self.earlier(inst, service, pod, position)?;
        let given = pods::Given {
            module: &self.graph.module(inst).path,
            service,
            pod,
            instance,
            service_value: memo.value.clone(),
            cluster: placed.wanted.cluster.clone(),
        };
        self.compute(inst, names, |frame, problems| {
            frame.depend(&memo.deps);
            frame.depend(&Arc::new(earlier.into_iter().chain([agent]).collect()));
            if let Some(needs) = service.body.attribute("needs") {
                for reference in needs.expr.references() {
                    frame.depend(&self.made_by(frame.inst, &reference)?);
                }
            }
            let config = pods::config(&given, frame, problems)?;
            let provider = self.host_provider();
            if let Some(memo) = self.provider_config(&provider)? {
                frame.depend(&memo.deps);
            }
            Ok(Ready {
                config: self.complete("weir_pod", config, problems),
                provider,
                lifecycle: Lifecycle::default(),
                scoped: None,
                span: pod.span.clone(),
            })
        })
    }

    /// What comes up before an instance, by the plan `deploy`: the instance before it, or what the
    /// last phase before its own ends with.
    fn earlier(
        &self,
        inst: super::graph::InstId,
        service: &Service,
        pod: &Pod,
        position: usize,
    ) -> Result<Vec<NodeId>, NodeId> {
        let mut before: Vec<NodeId> = Vec::new();
        let Some(service_ix) = self.module_of(inst).names.services.get(&service.name) else {
            return Ok(before);
        };
        for phase in &service.deploy {
            let Some(ix) = self
                .module_of(inst)
                .names
                .pods
                .get(&(*service_ix, phase.pod.clone()))
            else {
                continue;
            };
            let block = self.graph.module(inst).id(*ix);
            let Some(x) = &self.graph.get(block).expansion else {
                return Err(block);
            };
            if phase.pod == pod.name {
                if phase.order == PhaseOrder::Serial && position > 0 {
                    return Ok(vec![x.instance(position - 1)]);
                }
                return Ok(before);
            }
            let last = x.keys.len().checked_sub(1);
            match (last, phase.order) {
                (None, _) => {}
                (Some(last), PhaseOrder::Serial) => before = vec![x.instance(last)],
                (Some(_), PhaseOrder::Parallel) => before = vec![x.all],
            }
        }
        Ok(before)
    }
}

/// Where a host is described: its own block, or the site's where `dynamic` made it.
fn host_span<'a>(site: &'a Site, config: &Value) -> &'a Span {
    let name = config.get("name").and_then(|name| name.as_str());
    let mut hosts = site.body.blocks.iter().filter(|b| &*b.ident == "host");
    let own = hosts.find(|b| b.labels.first().map(|(label, _)| &**label) == name);
    own.map_or(&site.span, |block| &block.span)
}
