//! The choice of machine types, over the tables that are built in.

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use weir_lang::machines::{
    Arch, Bidder, Burstable, Candidate, Catalogue, Choice, Cloud, Condition, Gpus, Machine, Market,
    Misfit, NoChoice, Price, Requirement, Spent, Standing, Wish, assign, choose,
};

fn wish(region: &str, cpus: u32, gib: u64) -> Wish {
    Wish {
        requirement: Requirement {
            cpus,
            memory_mib: gib * 1024,
            arch: Arch::Amd64,
            gpus: 0,
            gpu_model: None,
            burstable: Burstable::Yes,
        },
        region: region.to_owned(),
        market: Market::OnDemand,
        types: Vec::new(),
        max_price: None,
        own: Vec::new(),
    }
}

fn best(cloud: Cloud, wish: &Wish) -> (String, String) {
    let choice = choose(Catalogue::of(cloud), wish).expect("something fits");
    let best = choice.best();
    let price = best.price.map(|p| p.to_string());
    (best.name.clone(), price.unwrap_or_default())
}

#[test]
fn the_cheapest_type_is_taken() {
    for (cloud, region, cpus, gib, name, price) in [
        (Cloud::Aws, "eu-central-1", 2, 4, "t3a.medium", "0.0432"),
        (Cloud::Aws, "us-east-1", 4, 16, "t3a.xlarge", "0.1504"),
        (Cloud::Azure, "westeurope", 2, 4, "Standard_B2s", "0.0480"),
        (
            Cloud::Google,
            "us-central1",
            4,
            16,
            "e2-standard-4",
            "0.134023",
        ),
    ] {
        let found = best(cloud, &wish(region, cpus, gib));
        assert_eq!(
            found,
            (name.to_owned(), price.to_owned()),
            "{cloud:?} {region}"
        );
    }
}

#[test]
fn each_demand_is_kept() {
    let arm = Wish {
        requirement: Requirement {
            arch: Arch::Arm64,
            ..wish("us-east-1", 2, 8).requirement
        },
        ..wish("us-east-1", 2, 8)
    };
    assert_eq!(best(Cloud::Aws, &arm).0, "t4g.large");
    let steady = Wish {
        requirement: Requirement {
            burstable: Burstable::No,
            ..arm.requirement.clone()
        },
        ..arm.clone()
    };
    assert_eq!(best(Cloud::Aws, &steady).0, "m6g.large");
    let gpu = Wish {
        requirement: Requirement {
            gpus: 1,
            gpu_model: Some("t4".to_owned()),
            ..wish("us-east-1", 2, 8).requirement
        },
        ..wish("us-east-1", 2, 8)
    };
    assert_eq!(best(Cloud::Aws, &gpu).0, "g4dn.xlarge");
    // Azure's burstable sizes are not sold as spot.
    let spot = Wish {
        market: Market::Spot,
        ..wish("westeurope", 2, 4)
    };
    let choice = choose(Catalogue::of(Cloud::Azure), &spot).expect("something fits");
    let small = choice
        .passed_over
        .iter()
        .find(|p| p.machine.name == "Standard_B2s");
    assert_eq!(small.map(|p| p.lacks.as_slice()), Some(&[Misfit::Spot][..]));
    // On equal prices the newer generation is taken.
    let named = Wish {
        types: ["m5.large", "m6i.large"].map(str::to_owned).to_vec(),
        ..wish("us-east-1", 2, 8)
    };
    assert_eq!(best(Cloud::Aws, &named).0, "m6i.large");
}

#[test]
fn names_are_taken_as_they_are_and_held_against_what_is_known() {
    let named = |types: &[&str]| Wish {
        types: types.iter().map(|t| (*t).to_owned()).collect(),
        ..wish("us-east-1", 2, 8)
    };
    // Not in the catalogue: the user knows what it is. What has a price comes first.
    let types = ["m99.large", "m5.large", "m99.large"];
    let choice = choose(Catalogue::of(Cloud::Aws), &named(&types)).expect("both fit");
    let names: Vec<&str> = choice.fitting.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["m5.large", "m99.large"]);
    assert_eq!(choice.fitting[1].machine, None);
    // In the catalogue, and too small.
    let none = choose(Catalogue::of(Cloud::Aws), &named(&["t3.nano"]));
    let Err(NoChoice::NothingFits(all)) = none else {
        panic!("{none:?}");
    };
    let nano = all
        .iter()
        .find(|p| p.machine.name == "t3.nano")
        .expect("it is there");
    assert_eq!(nano.lacks, [Misfit::Memory]);
    // A bound of the price can't be kept where the price is not known.
    let bound = Wish {
        max_price: Some(Price::from_micros(90_000)),
        ..named(&["m99.large", "m5.large"])
    };
    let none = choose(Catalogue::of(Cloud::Aws), &bound);
    assert!(matches!(none, Err(NoChoice::NothingFits(_))), "{none:?}");
}

#[test]
fn the_users_own_types_stand_before_the_catalogues() {
    let own = |name: &str, micros| {
        let machine = Machine {
            name: name.to_owned(),
            cpus: 2,
            memory_mib: 8 * 1024,
            arch: Arch::Amd64,
            gpus: Gpus::default(),
            burstable: Burstable::No,
        };
        (machine, Price::from_micros(micros))
    };
    let cheap = Wish {
        own: vec![own("m5.large", 10_000), own("z1.small", 20_000)],
        ..wish("us-east-1", 2, 8)
    };
    assert_eq!(
        best(Cloud::Aws, &cheap),
        ("m5.large".to_owned(), "0.0100".to_owned())
    );
    // They do for a region that the catalogue does not know.
    let nowhere = Wish {
        region: "mars-north-1".to_owned(),
        ..cheap.clone()
    };
    assert_eq!(best(Cloud::Aws, &nowhere).0, "m5.large");
    let unknown = Wish {
        own: Vec::new(),
        ..nowhere
    };
    let none = choose(Catalogue::of(Cloud::Aws), &unknown);
    assert_eq!(none, Err(NoChoice::Region));
}

fn any_wish() -> impl Strategy<Value = (Cloud, Wish)> {
    let cloud = prop::sample::select(Cloud::ALL.to_vec());
    let parts = (
        any::<prop::sample::Index>(),
        1..=80_u32,
        1..=300_u64,
        any::<[bool; 3]>(),
        0..=2_u32,
        prop::option::of(5_000..8_000_000_u64),
    );
    (cloud, parts).prop_map(|(cloud, (region, cpus, gib, flags, gpus, max))| {
        let [arm, steady, spot] = flags;
        let region = region.get(Catalogue::of(cloud).regions());
        let plain = wish(region, cpus, gib);
        let requirement = Requirement {
            arch: if arm { Arch::Arm64 } else { Arch::Amd64 },
            burstable: if steady {
                Burstable::No
            } else {
                Burstable::Yes
            },
            gpus: gpus.saturating_sub(1),
            ..plain.requirement.clone()
        };
        let market = if spot { Market::Spot } else { Market::OnDemand };
        let max_price = max.map(Price::from_micros);
        let wish = Wish {
            requirement,
            market,
            max_price,
            ..plain
        };
        (cloud, wish)
    })
}

fn chosen(cloud: Cloud, wish: &Wish) -> Option<Choice> {
    choose(Catalogue::of(cloud), wish).ok()
}

fn price(choice: Option<&Choice>) -> Option<Price> {
    choice.and_then(|c| c.best().price)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// What is chosen has all that is asked for, and nothing that has it is cheaper.
    #[test]
    fn the_choice_fits_and_is_the_cheapest((cloud, wish) in any_wish()) {
        let fits = |m: &Machine, price: Option<Price>| {
            let r = &wish.requirement;
            m.cpus >= r.cpus
                && m.memory_mib >= r.memory_mib
                && m.arch == r.arch
                && (r.gpus == 0) == (m.gpus.count == 0)
                && m.gpus.count >= r.gpus
                && (r.burstable == Burstable::Yes || m.burstable == Burstable::No)
                && (wish.market == Market::OnDemand
                    || cloud != Cloud::Azure
                    || m.burstable == Burstable::No)
                && price.is_some_and(|p| wish.max_price.is_none_or(|most| p <= most))
        };
        let types = Catalogue::of(cloud).types_in(&wish.region).expect("a known region");
        let all: Vec<(&Machine, Option<Price>)> = types.collect();
        let cheapest = all.iter().filter(|(m, p)| fits(m, *p)).filter_map(|(_, p)| *p).min();
        match choose(Catalogue::of(cloud), &wish) {
            Ok(choice) => {
                let best = choice.best();
                prop_assert!(fits(best.machine.as_ref().expect("a known type"), best.price));
                prop_assert_eq!(best.price, cheapest);
                let sum = choice.fitting.len() + choice.passed_over.len();
                prop_assert_eq!(sum, all.len(), "every type is accounted for");
                let sorted = choice.fitting.is_sorted_by_key(|c: &Candidate| c.price);
                prop_assert!(sorted);
                prop_assert!(choice.passed_over.iter().all(|p| !p.lacks.is_empty()));
            }
            Err(NoChoice::NothingFits(passed)) => {
                prop_assert_eq!(cheapest, None);
                prop_assert_eq!(passed.len(), all.len());
            }
            Err(NoChoice::Region) => prop_assert!(false, "the region is known"),
        }
    }

    /// The same question has the same answer.
    #[test]
    fn the_choice_is_deterministic((cloud, wish) in any_wish()) {
        prop_assert_eq!(
            choose(Catalogue::of(cloud), &wish),
            choose(Catalogue::of(cloud), &wish)
        );
    }

    /// Who asks for more never pays less, and who may pay more never gets less.
    #[test]
    fn the_choice_is_monotone(
        (cloud, wish) in any_wish(),
        cpus in 0..8_u32,
        gib in 0..32_u64,
        dearer in 0..1_000_000_u64,
    ) {
        let small = chosen(cloud, &wish);
        let mut more = wish.clone();
        more.requirement.cpus += cpus;
        more.requirement.memory_mib += gib * 1024;
        let large = chosen(cloud, &more);
        if large.is_some() {
            prop_assert!(small.is_some());
            prop_assert!(price(small.as_ref()) <= price(large.as_ref()));
        }
        let mut richer = wish.clone();
        richer.max_price = wish.max_price.map(|p| Price::from_micros(p.micros() + dearer));
        let rich = chosen(cloud, &richer);
        if small.is_some() {
            prop_assert_eq!(price(small.as_ref()), price(rich.as_ref()));
        }
    }

    /// Naming types leaves nothing but those, and naming what was chosen changes nothing.
    #[test]
    fn names_narrow_the_choice((cloud, wish) in any_wish()) {
        if let Some(choice) = chosen(cloud, &wish) {
            let mut named = wish.clone();
            named.types = vec![choice.best().name.clone()];
            let again = chosen(cloud, &named).expect("it fitted before");
            prop_assert_eq!(&again.fitting[..], &choice.fitting[..1]);
        }
    }
}

fn choice_of(types: &[&str]) -> Choice {
    let fitting = types.iter().map(|name| Candidate {
        name: (*name).to_owned(),
        machine: None,
        price: None,
    });
    Choice {
        fitting: fitting.collect(),
        passed_over: Vec::new(),
    }
}

const OFFERS: [(&str, &[&str]); 4] = [
    ("a", &["a1", "a2"]),
    ("b", &[]),
    ("c", &["c1", "c2", "c3"]),
    ("d", &["d1"]),
];
const TYPES: [&str; 3] = ["small", "middle", "large"];

/// Machines that are there: by offers that may be gone, of types that may not fit any more, in zones
/// that may not be offered any more.
fn standing() -> impl Strategy<Value = BTreeMap<u64, Standing>> {
    let offer = prop::sample::select(vec!["a", "b", "c", "d", "gone"]);
    let ty = prop::option::of(prop::sample::select(vec!["small", "large", "old"]));
    let zone = prop::option::of(prop::sample::select(vec!["a1", "a2", "c3", "x9"]));
    let condition = prop::bool::weighted(0.2);
    let one = (offer, ty, zone, condition).prop_map(|(offer, ty, zone, broken)| Standing {
        offer: offer.to_owned(),
        ty: ty.map(str::to_owned),
        zone: zone.map(str::to_owned),
        condition: match broken {
            true => Condition::Broken,
            false => Condition::Whole,
        },
    });
    prop::collection::btree_map(0..20u64, one, 0..12)
}

proptest! {
    /// What holds for every pool, whatever is there and whoever has run out.
    #[test]
    fn machines_stay_and_new_ones_go_to_who_has_some(
        count in 0..16u64,
        order in Just(vec![0usize, 1, 2, 3]).prop_shuffle(),
        offered in 1..=4usize,
        standing in standing(),
        out in prop::collection::btree_set(prop::sample::select(vec!["a", "b", "c", "d"]), 0..4),
    ) {
        let choice = choice_of(&TYPES);
        let zones: Vec<Vec<String>> = (OFFERS.iter())
            .map(|(_, zones)| zones.iter().map(|z| (*z).to_owned()).collect())
            .collect();
        let bidders = order.iter().take(offered).map(|i| Bidder {
            name: OFFERS[*i].0,
            zones: &zones[*i],
            choice: &choice,
        });
        let bidders: Vec<Bidder<'_>> = bidders.collect();
        let out: BTreeSet<String> = out.into_iter().map(str::to_owned).collect();
        let spent: BTreeMap<String, Spent> = (out.iter())
            .map(|name| (name.clone(), Spent { whole: Some("none left".to_owned()), ..Spent::default() }))
            .collect();
        let assigned = assign(count, &bidders, &standing, &spent);
        let of = |name: &str| bidders.iter().find(|b| b.name == name);
        let someone_is_left = bidders.iter().any(|b| !out.contains(b.name));

        for number in 0..count {
            let machine = standing.get(&number).filter(|m| of(&m.offer).is_some());
            let stays = machine.filter(|m| m.condition == Condition::Whole || !out.contains(&m.offer));
            let Some(found) = assigned.get(&number) else {
                prop_assert!(stays.is_none() && !someone_is_left, "{number} is forgotten");
                continue;
            };
            let offer = of(&found.offer).expect("an offer of the pool");
            match stays {
                Some(machine) => {
                    prop_assert_eq!(&found.offer, &machine.offer);
                    if let Some(ty) = machine.ty.as_ref().filter(|t| TYPES.contains(&t.as_str())) {
                        prop_assert_eq!(&found.ty, ty);
                    }
                    if let Some(zone) = machine.zone.as_ref().filter(|z| offer.zones.contains(z)) {
                        prop_assert_eq!(found.zone.as_ref(), Some(zone));
                    }
                }
                None => {
                    let first = bidders.iter().find(|b| !out.contains(b.name));
                    prop_assert_eq!(Some(found.offer.as_str()), first.map(|b| b.name));
                }
            }
            prop_assert!(TYPES.contains(&found.ty.as_str()));
            if !offer.zones.is_empty() {
                let zone = found.zone.as_ref().expect("an offer with zones gives one");
                prop_assert!(offer.zones.contains(zone));
            }
        }
        prop_assert!(assigned.keys().all(|n| *n < count));

        // Made as it was said, they stay: in a pool that grows, and when all have machines again.
        let made: BTreeMap<u64, Standing> = (assigned.iter())
            .map(|(number, a)| {
                let machine = Standing {
                    offer: a.offer.clone(),
                    ty: Some(a.ty.clone()),
                    zone: a.zone.clone(),
                    condition: Condition::Whole,
                };
                (*number, machine)
            })
            .collect();
        let later = assign(count + 3, &bidders, &made, &BTreeMap::new());
        for (number, before) in &assigned {
            prop_assert_eq!(later.get(number), Some(before));
        }
    }

    /// Zones that have run out get no new machine, and keep those that are there; an offer none of
    /// whose zones is left gives way to the next one.
    #[test]
    fn zones_without_machines_are_passed_over(
        count in 1..12u64,
        full in prop::collection::btree_set(prop::sample::select(vec!["c1", "c2", "c3"]), 0..=3),
        there in 0..4u64,
    ) {
        let choice = choice_of(&TYPES);
        let zones = ["c1", "c2", "c3"].map(str::to_owned);
        let bidders = [
            Bidder { name: "c", zones: &zones, choice: &choice },
            Bidder { name: "d", zones: &[], choice: &choice },
        ];
        let nothing = BTreeMap::new();
        let standing: BTreeMap<u64, Standing> = assign(there, &bidders, &nothing, &BTreeMap::new())
            .into_iter()
            .map(|(number, a)| {
                let condition = if number % 2 == 0 { Condition::Whole } else { Condition::Broken };
                (number, Standing { offer: a.offer, ty: Some(a.ty), zone: a.zone, condition })
            })
            .collect();
        let reasons = full.iter().map(|z| ((*z).to_owned(), "none left".to_owned()));
        let spent = Spent { whole: None, zones: reasons.collect() };
        let spent = BTreeMap::from([("c".to_owned(), spent)]);
        for (number, a) in assign(count, &bidders, &standing, &spent) {
            let whole = standing.get(&number).filter(|m| m.condition == Condition::Whole);
            if let Some(machine) = whole {
                prop_assert_eq!(&a.zone, &machine.zone);
            } else if full.len() == 3 {
                prop_assert_eq!(a.offer.as_str(), "d");
            } else {
                let zone = a.zone.unwrap_or_default();
                prop_assert!(a.offer == "c" && !full.contains(zone.as_str()), "{} in {zone}", number);
            }
        }
    }

    /// New machines of one offer are spread over its zones as evenly as can be.
    #[test]
    fn zones_are_taken_evenly(count in 0..20u64) {
        let choice = choice_of(&TYPES);
        let zones = ["c1", "c2", "c3"].map(str::to_owned);
        let bidder = Bidder { name: "c", zones: &zones, choice: &choice };
        let assigned = assign(count, &[bidder], &BTreeMap::new(), &BTreeMap::new());
        let used = |zone: &String| assigned.values().filter(|a| a.zone.as_ref() == Some(zone)).count();
        let used: Vec<usize> = zones.iter().map(used).collect();
        let (most, least) = (used.iter().max().unwrap(), used.iter().min().unwrap());
        prop_assert!(most - least <= 1, "{used:?}");
    }
}
