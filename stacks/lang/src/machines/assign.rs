//! Which offer makes which machine.
//!
//! Machines go by number, from 0 up. Nothing but the arguments counts, so that a plan and its apply
//! come to the same:
//!
//! 1. a machine that is there, or was begun, stays with its offer as long as the pool has that
//!    offer: neither a new price nor a new order moves it;
//! 2. any other goes to the first offer that has not run out, in the order in which they are tried;
//!    an offer with zones has run out where each of them has;
//! 3. a machine keeps its type as long as that fits, and gets the best one otherwise;
//! 4. a machine keeps its zone as long as the offer has it, and otherwise goes to the zone with the
//!    fewest machines of the offer, the first of equals, of those that have not run out. An offer
//!    without zones leaves them open.

use super::Choice;
use std::collections::BTreeMap;

/// A machine that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The offer that made it.
    pub offer: String,
    /// Its type, where that is known.
    pub ty: Option<String>,
    /// Its zone, where it has one that is known.
    pub zone: Option<String>,
    /// Whether all of it is there.
    pub condition: Condition,
}

/// Whether a machine is what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It is.
    Whole,
    /// Its making failed, or its offer is of another cloud or region by now: it is made anew,
    /// elsewhere where its offer has run out.
    Broken,
}

/// What an offer has none left of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spent {
    /// Why it makes nothing more, where it does not.
    pub whole: Option<String>,
    /// The zones where it makes nothing more, and why.
    pub zones: BTreeMap<String, String>,
}

/// An offer, as far as machines are given to it.
#[derive(Debug, Clone, Copy)]
pub struct Bidder<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its zones; open where there are none.
    pub zones: &'a [String],
    /// The types that fit.
    pub choice: &'a Choice,
}

/// Who makes a machine, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The offer.
    pub offer: String,
    /// The type.
    pub ty: String,
    /// The zone; `None` where the cloud or the offer's network decides.
    pub zone: Option<String>,
}

impl Bidder<'_> {
    /// The zones where it may make machines; none where they are open.
    fn open_zones(&self, spent: Option<&Spent>) -> Vec<&String> {
        let is_open = |zone: &&String| spent.is_none_or(|s| !s.zones.contains_key(*zone));
        self.zones.iter().filter(is_open).collect()
    }

    fn is_out(&self, spent: Option<&Spent>) -> bool {
        let whole = spent.is_some_and(|s| s.whole.is_some());
        whole || (!self.zones.is_empty() && self.open_zones(spent).is_empty())
    }
}

/// Gives `count` machines to `offers`, which stand in the order in which they are tried. Machines
/// that no offer is left for are missing in the answer.
pub fn assign(
    count: u64,
    offers: &[Bidder<'_>],
    standing: &BTreeMap<u64, Standing>,
    spent: &BTreeMap<String, Spent>,
) -> BTreeMap<u64, Assigned> {
    let home = |number: u64| {
        let machine = standing.get(&number)?;
        let offer = offers.iter().find(|o| o.name == machine.offer)?;
        let lost = machine.condition == Condition::Broken && offer.is_out(spent.get(offer.name));
        (!lost).then_some((offer, Some(machine)))
    };
    let next = offers.iter().find(|o| !o.is_out(spent.get(o.name)));
    let mut machines = Vec::new();
    for number in 0..count {
        let Some((offer, machine)) = home(number).or(next.map(|o| (o, None))) else {
            continue;
        };
        let spent = spent.get(offer.name);
        let stays = |m: &&Standing| {
            let full = |z: &String| spent.is_some_and(|s| s.zones.contains_key(z));
            m.condition == Condition::Whole || !m.zone.as_ref().is_some_and(full)
        };
        let zone = machine.filter(stays).and_then(|m| m.zone.as_ref());
        let zone = zone.filter(|z| offer.zones.is_empty() || offer.zones.contains(z));
        machines.push((number, offer, machine, zone));
    }
    let mut taken: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (_, offer, _, zone) in &machines {
        if let Some(zone) = zone {
            *taken.entry((offer.name, zone)).or_default() += 1;
        }
    }
    let mut assigned = BTreeMap::new();
    for (number, offer, machine, zone) in machines {
        let zone = zone.or_else(|| {
            let used = |zone: &String| taken.get(&(offer.name, zone.as_str())).copied();
            let open = offer.open_zones(spent.get(offer.name)).into_iter();
            let zone = open.min_by_key(|zone| used(zone).unwrap_or(0))?;
            *taken.entry((offer.name, zone)).or_default() += 1;
            Some(zone)
        });
        let fits = |ty: &String| offer.choice.fitting.iter().any(|c| c.name == *ty);
        let ty = machine.and_then(|m| m.ty.clone()).filter(fits);
        assigned.insert(
            number,
            Assigned {
                offer: offer.name.to_owned(),
                ty: ty.unwrap_or_else(|| offer.choice.best().name.clone()),
                zone: zone.cloned(),
            },
        );
    }
    assigned
}
