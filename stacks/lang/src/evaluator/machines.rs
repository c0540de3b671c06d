//! Pools whose machines a cloud makes, in the line of nodes: which offer makes which machine.

use super::{
    Evaluator, Purpose,
    frame::{Frame, Names},
    graph::InstId,
    origin::unknown,
    run::Stop,
    values::value,
};
use crate::{
    config::{NodeKind, blocks::Cluster},
    eval::{NodeId, Scope},
    machines::{Assigned, Bidder, Cloud, Condition, Exhausted, Spent, Standing, assign},
    services::{
        hosts::{self, Host},
        offers::{self, Place},
        pool_errors as errors,
        pools::{MachinePool, is_in},
    },
};
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{Address, Diagnostic, Key, ModulePath, Object, Type, Value, address::OfferStep};

/// What is known of the machines of pools beside the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machines {
    /// Those that are there, or are about to be made, by the cluster's module and pool
    /// (`cluster.main.pool.cloud`), their number, and whose they are: an offer that moves from one
    /// cloud to another has one in each for a while.
    standing: BTreeMap<(ModulePath, String), BTreeMap<u64, BTreeMap<Cloud, Standing>>>,
    /// What has run out, with the reason.
    exhausted: BTreeMap<Exhausted, String>,
}

impl Machines {
    /// Takes an object that state or a plan has, where it is a machine of a pool.
    pub fn note(&mut self, address: &Address, value: &Value, condition: Condition) {
        let Some((module, offer)) = offer_of(&address.module) else {
            return;
        };
        let Some((cloud, ty, zone)) = type_and_zone(address) else {
            return;
        };
        let Key::Name(number) = &address.key else {
            return;
        };
        let Ok(number) = number.parse() else { return };
        let text = |name| text(value, name);
        let standing = Standing {
            offer: offer.offer.to_owned(),
            ty: text(ty),
            zone: text(zone),
            condition,
        };
        let pool = self.standing.entry((module, offer.pool_name()));
        // Of two with one number, as after a crash between a making and an unmaking, a whole one.
        let machines = pool.or_default().entry(number).or_default();
        let known = machines.get(&cloud);
        if known.is_none_or(|k| k.condition == Condition::Broken) {
            machines.insert(cloud, standing);
        }
    }

    /// Notes that an offer, or a zone of it, makes nothing more.
    pub fn exhaust(&mut self, what: Exhausted, reason: impl Into<String>) {
        self.exhausted.insert(what, reason.into());
    }

    /// What has run out, with the reason.
    pub fn exhausted(&self) -> &BTreeMap<Exhausted, String> {
        &self.exhausted
    }

    /// Whether an address is that of a machine of a pool; the module path of its offer.
    pub fn offer(address: &Address) -> Option<&ModulePath> {
        Machines::offer_around(address).filter(|_| type_and_zone(address).is_some())
    }

    /// Whether an address is that of something that an offer makes; its module path.
    pub fn offer_around(address: &Address) -> Option<&ModulePath> {
        let offer = address.module.0.last();
        let offer = offer.filter(|(name, _)| OfferStep::of(name).is_some());
        offer.map(|_| &address.module)
    }

    /// The zone of a machine of a pool with this value, where it has one that is known.
    pub fn zone(address: &Address, value: &Value) -> Option<String> {
        Machines::offer(address)?;
        text(value, type_and_zone(address)?.2)
    }
}

/// Whose machine it is, and the attributes that say its type and its zone.
fn type_and_zone(address: &Address) -> Option<(Cloud, &'static str, &'static str)> {
    match &address.object {
        Object::Managed { ty, name } if name == MACHINE => match ty.as_str() {
            "aws_instance" => Some((Cloud::Aws, "instance_type", "availability_zone")),
            "azurerm_linux_virtual_machine" => Some((Cloud::Azure, "size", "zone")),
            "google_compute_instance" => Some((Cloud::Google, "machine_type", "zone")),
            _ => None,
        },
        _ => None,
    }
}

/// Text that is known and not empty.
fn text(value: &Value, name: &str) -> Option<String> {
    let value = value.get(name).and_then(Value::as_str);
    value.filter(|v| !v.is_empty()).map(str::to_owned)
}

/// Of the machines with one number the one that its offer would make today. One that stands in another
/// cloud or region than its offer names now is made anew, and where it stood says nothing there.
fn kept(machines: &BTreeMap<Cloud, Standing>, pool: &MachinePool) -> Option<Standing> {
    let offer = |m: &Standing| pool.offers.iter().find(|o| *o.name == *m.offer);
    let own = (machines.iter()).find(|(cloud, m)| offer(m).is_some_and(|o| o.cloud == **cloud));
    let machine = own.map(|(_, m)| m).or_else(|| machines.values().next())?;
    let wish = offer(machine).and_then(|o| o.wish.as_ref());
    let is_here = own.is_some_and(|(cloud, m)| match (&m.zone, wish) {
        (Some(zone), Some(wish)) => is_in(zone, &wish.region, *cloud),
        _ => true,
    });
    if is_here || offer(machine).is_none() {
        return Some(machine.clone());
    }
    Some(Standing {
        zone: None,
        condition: Condition::Broken,
        ..machine.clone()
    })
}

/// The name of the resource that is a machine, in the module of each cloud.
const MACHINE: &str = "machine";

/// Of what is there beside the system a machine has so much less memory than its type says.
const KERNEL: u64 = 16;

/// The module around an offer, and the offer.
fn offer_of(path: &ModulePath) -> Option<(ModulePath, OfferStep<'_>)> {
    let ((name, _), above) = path.0.split_last()?;
    Some((ModulePath(above.to_vec()), OfferStep::of(name)?))
}

impl Evaluator {
    /// What is known of the machines of pools. Without it, none is there and no offer has run out.
    #[must_use]
    pub fn with_machines(mut self, machines: Machines) -> Evaluator {
        self.machines_known = machines;
        self
    }

    /// What each offer of a cluster's pools makes.
    pub(super) fn pools(&mut self, id: NodeId, cluster: &Cluster) -> Result<(), Stop> {
        let inst = self.graph.get(id).inst;
        let is_run = self.purpose == Purpose::Run;
        let mut found = Vec::new();
        let outcome = self.compute(inst, Names::default(), |frame, problems| {
            let unknown =
                |attribute: &str, title: &str, expr: &_| unknown(attribute, title, expr, frame);
            let unknown: Option<hosts::Unknown<'_>> = is_run.then_some(&unknown);
            let module = &self.graph.module(inst).path;
            found = hosts::machine_pools(cluster, module, frame, unknown, problems)?;
            let pools = found.iter().map(|pool| {
                let offers = self.offered(inst, cluster, pool, frame, problems);
                (&*pool.name, offers)
            });
            Ok(Value::object(pools.collect::<Vec<_>>()))
        });
        self.machines.insert(id, found);
        self.keep(id, outcome)
    }

    /// The values of a pool's offers.
    fn offered(
        &self,
        inst: InstId,
        cluster: &Cluster,
        pool: &MachinePool,
        frame: &Frame<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Value {
        let open = || {
            let offers = pool.offers.iter();
            Value::object(
                offers
                    .map(|o| (&*o.name, Value::unknown(Type::Dynamic)))
                    .collect::<Vec<_>>(),
            )
        };
        let before = problems.len();
        let Some(count) = pool.count else {
            return open();
        };
        let sources = &frame.context().sources;
        let ranked = pool.ranked();
        let bidders = ranked.iter().filter_map(|offer| {
            let choice = offer.choice.as_ref()?.as_ref().ok()?;
            Some(Bidder {
                name: &offer.name,
                zones: &offer.zones,
                choice,
            })
        });
        let bidders: Vec<Bidder<'_>> = bidders.collect();
        let module = &self.graph.module(inst).path;
        let spent = self.spent(module, cluster, pool);
        let assigned = self.assigned(module, cluster, pool, count, (&bidders, &spent));
        if self.purpose == Purpose::Run && count > 0 {
            let made = |name: &str| {
                let mut makes = cluster.makes.iter();
                makes.any(|m| *m.pool == *pool.name && *m.offer == *name)
            };
            for offer in pool.offers.iter().filter(|o| !made(&o.name)) {
                problems.push(sources.point(errors::not_written_out(offer), &offer.span));
            }
            let nobody = pool.ssh_from.as_ref().is_some_and(Vec::is_empty);
            if nobody && pool.offers.iter().any(|o| o.security_groups.is_empty()) {
                problems.push(sources.point(errors::from_nowhere(pool), &pool.span));
            }
            let open = pool.offers.iter().find(|o| o.choice.is_none());
            if let Some(offer) = open.filter(|_| problems.len() == before) {
                problems.push(sources.point(errors::not_known(offer), &offer.span));
            } else if (assigned.len() as u64) < count && problems.len() == before {
                let missing = count - assigned.len() as u64;
                let d = errors::exhausted(pool, missing, &spent);
                problems.push(sources.point(d, &pool.span));
            }
        }
        let stack = self.config.stack();
        let place = Place {
            stack: &stack.name,
            workspace: &self.config.workspace,
            module,
            cluster: &cluster.name,
        };
        let offers = pool.offers.iter();
        let offers = offers.map(|o| {
            let spent = spent.get(&*o.name);
            let value = offers::value(place, pool, (o, spent), &assigned);
            (&*o.name, value)
        });
        Value::object(offers.collect::<Vec<_>>())
    }

    fn assigned(
        &self,
        module: &ModulePath,
        cluster: &Cluster,
        pool: &MachinePool,
        count: u64,
        (bidders, spent): (&[Bidder<'_>], &BTreeMap<String, Spent>),
    ) -> BTreeMap<u64, Assigned> {
        let key = (
            module.clone(),
            format!("cluster.{}.pool.{}", cluster.name, pool.name),
        );
        let standing = self.machines_known.standing.get(&key).into_iter().flatten();
        let standing = standing.filter_map(|(n, of)| Some((*n, kept(of, pool)?)));
        let standing: BTreeMap<u64, Standing> = standing.collect();
        assign(count, bidders, &standing, spent)
    }

    /// What the offers of a pool have none left of, by their names.
    fn spent(
        &self,
        module: &ModulePath,
        cluster: &Cluster,
        pool: &MachinePool,
    ) -> BTreeMap<String, Spent> {
        let mut found: BTreeMap<String, Spent> = BTreeMap::new();
        for (what, why) in &self.machines_known.exhausted {
            let Some((around, offer)) = offer_of(&what.offer) else {
                continue;
            };
            let is_own =
                around == *module && *offer.cluster == *cluster.name && *offer.pool == *pool.name;
            if !is_own {
                continue;
            }
            let spent = found.entry(offer.offer.to_owned()).or_default();
            match &what.zone {
                None => spent.whole = Some(why.clone()),
                Some(zone) => drop(spent.zones.insert(zone.clone(), why.clone())),
            }
        }
        found
    }

    /// The hosts that the offers of a cluster's pools made, by pool.
    pub(super) fn made_hosts(
        cluster: &Cluster,
        frame: &Frame<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Result<BTreeMap<Arc<str>, Vec<Value>>, NodeId> {
        let mut found: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
        for made in &cluster.makes {
            let outputs = value(&made.hosts, frame, problems)?;
            let hosts = outputs.get("hosts").and_then(Value::elements);
            let pool = found.entry(made.pool.clone()).or_default();
            pool.extend(hosts.into_iter().flatten().cloned());
        }
        Ok(found)
    }

    /// What a machine of a pool has, by its type: cores, and bytes of memory that are left to pods.
    pub(super) fn capacity(&self, host: &Host) -> Option<(f64, u64)> {
        let agent: Address = host.agent.parse().ok()?;
        let (module, step) = offer_of(&agent.module)?;
        let (_, pools) = self.machines.iter().find(|(id, _)| {
            let around = &self.graph.module(self.graph.get(**id).inst).path;
            let of_cluster =
                matches!(self.kind_of(**id), NodeKind::Pools(c) if *c.name == *step.cluster);
            of_cluster && *around == module
        })?;
        let pool = pools.iter().find(|p| *p.name == *step.pool)?;
        let offer = pool.offers.iter().find(|o| *o.name == *step.offer)?;
        let choice = offer.choice.as_ref()?.as_ref().ok()?;
        let ty = host.labels.get("type")?;
        let machine = choice.fitting.iter().find(|c| c.name == *ty)?;
        let machine = machine.machine.as_ref()?;
        let memory = machine.memory_mib.saturating_mul(1 << 20);
        Some((f64::from(machine.cpus), memory - memory / KERNEL))
    }
}
