//! The cheapest machine type that fits.
//!
//! 1. Every type of the region and every one the user added is held against the requirement;
//! 2. what lacks something is passed over, with all that it lacks;
//! 3. the rest is sorted by price. Among equal prices cores that are a machine's own come before
//!    lent ones, then more cores, more memory, and the name that sorts last: a newer generation
//!    has the higher number. Types without a known price come last, in the order they are named.

use super::{Arch, Burstable, Catalogue, Cloud, Machine, Price};
use std::{cmp::Reverse, collections::BTreeSet, fmt};

/// What a machine must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Virtual cores, at least.
    pub cpus: u32,
    /// Memory in MiB, at least.
    pub memory_mib: u64,
    /// Its instruction set.
    pub arch: Arch,
    /// GPUs: so many at least, and none at all where this is 0.
    pub gpus: u32,
    /// What the GPUs must be, whatever the case; `None` where any will do.
    pub gpu_model: Option<String>,
    /// Whether its cores may be lent ones.
    pub burstable: Burstable,
}

/// How a machine is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Market {
    /// By the hour, for as long as it is wanted.
    #[default]
    OnDemand,
    /// What is left over, cheaper, and taken back when the cloud wants it.
    Spot,
}

impl Market {
    /// As it is written: `on-demand` or `spot`.
    pub fn as_str(self) -> &'static str {
        match self {
            Market::OnDemand => "on-demand",
            Market::Spot => "spot",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// What the machine must have.
    pub requirement: Requirement,
    /// Where it stands, as the cloud calls it.
    pub region: String,
    /// How it is paid for.
    pub market: Market,
    /// The only types that are considered; all, where this is empty.
    pub types: Vec<String>,
    /// The most an hour may cost on demand.
    pub max_price: Option<Price>,
    /// Types the user knows better: they stand in place of the catalogue's of the same name.
    pub own: Vec<(Machine, Price)>,
}

/// What a type lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// It is none of the types that are named.
    NotNamed,
    /// Another instruction set.
    Arch,
    /// Fewer cores.
    Cpus,
    /// Less memory.
    Memory,
    /// Fewer GPUs, or some where none are wanted.
    Gpus,
    /// Other GPUs.
    GpuModel,
    /// Its cores are lent.
    Burstable,
    /// The cloud does not sell it as spot.
    Spot,
    /// It costs more than it may.
    Price,
    /// The catalogue has no price of it in the region: not offered there, or not known.
    NoPrice,
}

impl fmt::Display for Misfit {
    /// In a few words: `too few cpus`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Misfit::NotNamed => "not among `types`",
            Misfit::Arch => "other arch",
            Misfit::Cpus => "too few cpus",
            Misfit::Memory => "too little memory",
            Misfit::Gpus => "other number of GPUs",
            Misfit::GpuModel => "other GPU",
            Misfit::Burstable => "burstable",
            Misfit::Spot => "not sold as spot",
            Misfit::Price => "too dear",
            Misfit::NoPrice => "no price known there",
        })
    }
}

/// A type that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The type's name.
    pub name: String,
    /// What it has; `None` for one that was named and that the catalogue does not know.
    pub machine: Option<Machine>,
    /// Of an hour on demand, where it is known.
    pub price: Option<Price>,
}

/// A type that does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The type.
    pub machine: Machine,
    /// Of an hour on demand, where it is known.
    pub price: Option<Price>,
    /// All it lacks, never empty.
    pub lacks: Vec<Misfit>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What fits, the best first; never empty.
    pub fitting: Vec<Candidate>,
    /// What does not, in the order of price, those without one last.
    pub passed_over: Vec<PassedOver>,
}

impl Choice {
    /// The one that is taken.
    pub fn best(&self) -> &Candidate {
        // `choose` makes no choice without a candidate.
        &self.fitting[0]
    }
}

/// Why nothing was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoChoice {
    /// The catalogue does not know the region, and no type of the user's own or by name stands in.
    Region,
    /// No type fits: those there are, with what each lacks, by price.
    NothingFits(Vec<PassedOver>),
}

/// The types that fit, the cheapest first, and why the others do not.
///
/// # Errors
/// Why there is none.
pub fn choose(catalogue: &Catalogue, wish: &Wish) -> Result<Choice, NoChoice> {
    let own: BTreeSet<&str> = wish.own.iter().map(|(m, _)| m.name.as_str()).collect();
    let known = catalogue.types_in(&wish.region);
    let is_known_region = known.is_some();
    let listed = known.into_iter().flatten();
    let listed = listed.filter(|(m, _)| !own.contains(m.name.as_str()));
    let added = wish.own.iter().map(|(m, price)| (m, Some(*price)));
    let mut priced: Vec<(Candidate, Order)> = Vec::new();
    let mut passed_over = Vec::new();
    for (machine, price) in listed.chain(added) {
        let lacks = lacks(catalogue.cloud(), machine, price, wish);
        if lacks.is_empty() {
            let candidate = Candidate {
                name: machine.name.clone(),
                machine: Some(machine.clone()),
                price,
            };
            priced.push((candidate, order(machine, price)));
        } else {
            passed_over.push(PassedOver {
                machine: machine.clone(),
                price,
                lacks,
            });
        }
    }
    priced.sort_by(|(_, a), (_, b)| a.cmp(b));
    passed_over.sort_by_key(|p| order(&p.machine, p.price));
    let mut fitting: Vec<Candidate> = priced.into_iter().map(|(c, _)| c).collect();
    fitting.extend(taken_as_named(catalogue, wish, &own));
    passed_over.retain(|p| fitting.iter().all(|c| c.name != p.machine.name));
    match fitting.is_empty() {
        false => Ok(Choice {
            fitting,
            passed_over,
        }),
        true if !is_known_region && wish.own.is_empty() => Err(NoChoice::Region),
        true => Err(NoChoice::NothingFits(passed_over)),
    }
}

/// Types that were named and that no table knows: the user knows what they are, and what they
/// cost is not known, so that no bound of it can be kept.
fn taken_as_named(catalogue: &Catalogue, wish: &Wish, own: &BTreeSet<&str>) -> Vec<Candidate> {
    if wish.max_price.is_some() {
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let unknown = wish.types.iter().filter(|name| {
        let is_new = seen.insert(name.as_str());
        is_new && !own.contains(name.as_str()) && !priced_in(catalogue, &wish.region, name)
    });
    let candidates = unknown.filter_map(|name| {
        // One that the catalogue knows from another region must fit all the same.
        let machine = catalogue.machine(name).cloned();
        let fits = machine.as_ref().is_none_or(|m| {
            let lacks = lacks(catalogue.cloud(), m, None, wish);
            lacks.iter().all(|l| *l == Misfit::NoPrice)
        });
        fits.then(|| Candidate {
            name: name.clone(),
            machine,
            price: None,
        })
    });
    candidates.collect()
}

fn priced_in(catalogue: &Catalogue, region: &str, name: &str) -> bool {
    let types = catalogue.types_in(region).into_iter().flatten();
    types
        .into_iter()
        .any(|(m, price)| m.name == name && price.is_some())
}

/// All that keeps a type from being taken.
fn lacks(cloud: Cloud, machine: &Machine, price: Option<Price>, wish: &Wish) -> Vec<Misfit> {
    let wanted = &wish.requirement;
    let is_named = wish.types.is_empty() || wish.types.contains(&machine.name);
    let model_fits = wanted
        .gpu_model
        .as_ref()
        .is_none_or(|model| machine.gpus.model.eq_ignore_ascii_case(model));
    let gpus_fit = match wanted.gpus {
        0 => machine.gpus.count == 0,
        n => machine.gpus.count >= n,
    };
    let own_cores = wanted.burstable == Burstable::Yes || machine.burstable == Burstable::No;
    // Azure sells its B series on demand alone.
    let on_market = wish.market == Market::OnDemand
        || cloud != Cloud::Azure
        || machine.burstable == Burstable::No;
    let in_budget = match (wish.max_price, price) {
        (Some(most), Some(price)) => price <= most,
        _ => true,
    };
    [
        (is_named, Misfit::NotNamed),
        (machine.arch == wanted.arch, Misfit::Arch),
        (machine.cpus >= wanted.cpus, Misfit::Cpus),
        (machine.memory_mib >= wanted.memory_mib, Misfit::Memory),
        (gpus_fit, Misfit::Gpus),
        (model_fits || !gpus_fit, Misfit::GpuModel),
        (own_cores, Misfit::Burstable),
        (on_market, Misfit::Spot),
        (in_budget, Misfit::Price),
        (price.is_some(), Misfit::NoPrice),
    ]
    .into_iter()
    .filter_map(|(fits, misfit)| (!fits).then_some(misfit))
    .collect()
}

/// By what types are sorted: see the head of this file.
type Order = (bool, Option<Price>, bool, Reverse<(u32, u64, String)>);

fn order(machine: &Machine, price: Option<Price>) -> Order {
    let size = (machine.cpus, machine.memory_mib, machine.name.clone());
    let is_lent = machine.burstable == Burstable::Yes;
    (price.is_none(), price, is_lent, Reverse(size))
}
