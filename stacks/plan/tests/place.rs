//! Placement: by cases, and by properties over random clusters.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{Address, Key, ModulePath, Object, Span, Value};
use weir_lang::instance::{Demand, HostFacts, PlaceRequest, Placement};
use weir_plan::{Usage, place};

fn span() -> Span {
    Span {
        file: "main.hcl".into(),
        start: 0,
        end: 7,
        line: 3,
        column: 1,
    }
}

fn host(site: &str, name: &str) -> HostFacts {
    HostFacts {
        id: format!("{site}/{name}"),
        name: name.into(),
        site: site.into(),
        address: Value::from("10.0.0.1"),
        labels: BTreeMap::new(),
        cpus: Some(4.0),
        memory: Some(8 << 30),
        agent: Address {
            module: ModulePath::root(),
            object: Object::Host { site: site.into() },
            key: Key::Name(name.into()),
        },
    }
}

fn address(pod: &str, i: usize) -> Address {
    Address {
        module: ModulePath::root(),
        object: Object::Pod {
            service: "web".into(),
            pod: pod.into(),
        },
        key: Key::Name(i.to_string().into()),
    }
}

fn demand(pod: &str, i: usize) -> Demand {
    Demand {
        address: address(pod, i),
        on: None,
        cpus: 0.0,
        memory: 0,
        ports: BTreeMap::new(),
        distinct: Vec::new(),
        avoid: Vec::new(),
        spread: Vec::new(),
        require: BTreeMap::new(),
    }
}

fn request(demands: Vec<Demand>, hosts: Vec<HostFacts>) -> PlaceRequest {
    PlaceRequest {
        module: ModulePath::root(),
        service: "web".into(),
        span: span(),
        demands,
        hosts,
    }
}

fn three() -> Vec<HostFacts> {
    vec![host("zurich", "a"), host("zurich", "b"), host("bern", "c")]
}

fn hosts_of(placed: &BTreeMap<Address, Placement>) -> Vec<&str> {
    placed.values().map(|p| p.host.as_str()).collect()
}

fn fresh(request: &PlaceRequest) -> BTreeMap<Address, Placement> {
    place(request, &BTreeMap::new(), &BTreeMap::new()).unwrap()
}

fn refusal(request: &PlaceRequest) -> weir_core::Diagnostic {
    place(request, &BTreeMap::new(), &BTreeMap::new()).unwrap_err()
}

#[test]
fn instances_of_a_pod_go_to_different_hosts_where_they_can() {
    let placed = fresh(&request(
        (0..3).map(|i| demand("app", i)).collect(),
        three(),
    ));
    assert_eq!(hosts_of(&placed), ["zurich/a", "zurich/b", "bern/c"]);
}

#[test]
fn pods_pack_on_the_fullest_host_that_fits() {
    let mut big = demand("db", 0);
    big.cpus = 3.0;
    let mut small = demand("cache", 0);
    small.cpus = 1.0;
    let mut usage = BTreeMap::new();
    usage.insert(
        "zurich/b".to_owned(),
        Usage {
            cpus: 2.5,
            ..Usage::default()
        },
    );
    let placed = place(
        &request(vec![big, small], three()),
        &BTreeMap::new(),
        &usage,
    )
    .unwrap();
    // b has 1.5 left: the big one can't go there, the small one fits best on the then full a.
    assert_eq!(placed[&address("db", 0)].host, "zurich/a");
    assert_eq!(placed[&address("cache", 0)].host, "zurich/a");
}

#[test]
fn spread_fills_sites_evenly() {
    let demands = (0..2)
        .map(|i| Demand {
            spread: vec!["site".into()],
            ..demand("app", i)
        })
        .collect();
    assert_eq!(
        hosts_of(&fresh(&request(demands, three()))),
        ["zurich/a", "bern/c"]
    );
}

#[test]
fn what_runs_stays_though_the_rules_changed() {
    let demands: Vec<Demand> = (0..2)
        .map(|i| Demand {
            distinct: vec!["host".into()],
            ..demand("app", i)
        })
        .collect();
    let on_c = Placement {
        host: "bern/c".into(),
        ports: BTreeMap::new(),
    };
    let current: BTreeMap<_, _> = (0..2).map(|i| (address("app", i), on_c.clone())).collect();
    let placed = place(&request(demands, three()), &current, &BTreeMap::new()).unwrap();
    assert_eq!(hosts_of(&placed), ["bern/c", "bern/c"]);
}

#[test]
fn what_runs_moves_when_its_host_is_gone_or_too_small() {
    let mut grown = demand("app", 0);
    grown.memory = 16 << 30;
    let mut hosts = three();
    hosts[2].memory = Some(64 << 30);
    let on = |h: &str| Placement {
        host: h.into(),
        ports: BTreeMap::new(),
    };
    let current = BTreeMap::from([
        (address("app", 0), on("zurich/a")),
        (address("app", 1), on("zurich/gone")),
    ]);
    let request = request(vec![grown, demand("app", 1)], hosts);
    let placed = place(&request, &current, &BTreeMap::new()).unwrap();
    assert_eq!(placed[&address("app", 0)].host, "bern/c");
    assert_ne!(placed[&address("app", 1)].host, "zurich/gone");
}

#[test]
fn too_few_hosts_are_named_in_numbers() {
    let demands = (0..4)
        .map(|i| Demand {
            distinct: vec!["host".into()],
            ..demand("app", i)
        })
        .collect();
    let refusal = refusal(&request(demands, three()));
    assert_eq!(
        refusal.summary,
        "service.web needs 4 hosts that share no host, and the cluster has 3"
    );
    assert!(
        refusal
            .detail
            .contains("zurich/a: holds service.web.pod.app[\"0\"]"),
        "{refusal:?}"
    );
    assert_eq!(refusal.span, Some(span()));
}

#[test]
fn too_few_sites_are_named_in_numbers() {
    let demands = (0..3)
        .map(|i| Demand {
            distinct: vec!["site".into()],
            ..demand("app", i)
        })
        .collect();
    assert_eq!(
        refusal(&request(demands, three())).summary,
        "service.web needs 3 hosts that share no site, and the cluster has hosts of 2 sites"
    );
}

#[test]
fn each_host_says_why_not() {
    let mut hosts = three();
    hosts[0].labels.insert("disk".into(), "nvme".into());
    hosts[1].labels.insert("disk".into(), "hdd".into());
    let mut wants = demand("db", 0);
    wants.require.insert("disk".into(), "nvme".into());
    wants.cpus = 8.0;
    let refusal = refusal(&request(vec![wants], hosts));
    assert_eq!(
        refusal.summary,
        "service.web.pod.db[\"0\"] fits on none of the cluster's 3 hosts"
    );
    assert_eq!(
        refusal.detail,
        "zurich/a: 4 of its cpus are free (wanted 8)\n\
         zurich/b: its label \"disk\" is \"hdd\" (wanted \"nvme\")\n\
         bern/c: has no label \"disk\" (wanted \"nvme\")"
    );
}

#[test]
fn pods_that_avoid_each_other_do_so_both_ways() {
    let data = Demand {
        avoid: vec!["name".into()],
        ..demand("data", 0)
    };
    let one = request(vec![data.clone(), demand("name", 0)], three());
    let placed = fresh(&one);
    assert_ne!(
        placed[&address("data", 0)].host,
        placed[&address("name", 0)].host
    );
    let two = request(vec![data, demand("name", 0)], vec![host("zurich", "a")]);
    assert!(refusal(&two).detail.contains("must be kept apart"));
}

#[test]
fn the_search_steps_back_from_a_dead_end() {
    // Greedy would put `big` on the fullest host that fits, which is the only one with the label
    // that `picky` needs.
    let mut hosts = three();
    hosts[0].labels.insert("gpu".into(), "yes".into());
    hosts[0].cpus = Some(3.0);
    let big = Demand {
        cpus: 2.0,
        avoid: vec!["picky".into()],
        ..demand("big", 0)
    };
    let mut picky = demand("picky", 0);
    picky.cpus = 2.0;
    picky.distinct = vec!["host".into()];
    let mut picky_too = Demand {
        address: address("picky", 1),
        ..picky.clone()
    };
    picky_too.require.insert("gpu".into(), "yes".into());
    let placed = fresh(&request(vec![big, picky, picky_too], hosts));
    assert_eq!(placed[&address("picky", 1)].host, "zurich/a");
}

#[test]
fn a_fixed_port_keeps_instances_apart_and_a_chosen_one_is_kept() {
    let mut fixed = demand("app", 0);
    fixed.ports.insert("http".into(), Some(8080));
    let mut second = fixed.clone();
    second.address = address("app", 1);
    let two = request(vec![fixed, second], vec![host("zurich", "a")]);
    let refused = refusal(&two);
    assert!(
        refused
            .detail
            .contains("port 8080 is taken by service.web.pod.app[\"0\"]"),
        "{refused:?}"
    );

    let mut any = demand("app", 0);
    any.ports.insert("http".into(), None);
    any.ports.insert("rpc".into(), None);
    let request = request(vec![any], vec![host("zurich", "a")]);
    let first = fresh(&request);
    assert_eq!(
        first[&address("app", 0)].ports.values().collect::<Vec<_>>(),
        [&20_000, &20_001]
    );
    let kept = Placement {
        host: "zurich/a".into(),
        ports: BTreeMap::from([("http".to_owned(), 20_007)]),
    };
    let usage = BTreeMap::from([(
        "zurich/a".to_owned(),
        Usage {
            ports: BTreeMap::from([(20_000, address("other", 0))]),
            ..Usage::default()
        },
    )]);
    let again = place(
        &request,
        &BTreeMap::from([(address("app", 0), kept)]),
        &usage,
    )
    .unwrap();
    let ports = &again[&address("app", 0)].ports;
    assert_eq!((ports["http"], ports["rpc"]), (20_007, 20_001));
}

#[test]
fn a_pod_of_every_host_is_on_its_host() {
    let demands = three()
        .iter()
        .enumerate()
        .map(|(i, h)| Demand {
            on: Some(h.id.clone()),
            ..demand("exporter", i)
        })
        .collect();
    assert_eq!(
        hosts_of(&fresh(&request(demands, three()))),
        ["zurich/a", "zurich/b", "bern/c"]
    );
}

#[test]
fn a_hopeless_search_ends() {
    // Sixty instances for fifty-nine hosts, each pair kept apart by a label of its own host: there
    // are more ways down than any time would do.
    let hosts: Vec<HostFacts> = (0..59)
        .map(|i| {
            let mut h = host("zurich", &format!("h{i:02}"));
            h.labels.insert("rack".into(), format!("r{}", i % 59));
            h
        })
        .collect();
    let demands = (0..60)
        .map(|i| Demand {
            distinct: vec!["host".into(), "rack".into()],
            ..demand("app", i)
        })
        .collect();
    assert!(
        refusal(&request(demands, hosts))
            .summary
            .contains("needs 60 hosts")
    );
}

prop_compose! {
    fn any_host(i: usize)(site in 0..3_usize, rack in proptest::option::of(0..3_usize), cpus in proptest::option::of(1..8_u32)) -> HostFacts {
        let mut h = host(&format!("s{site}"), &format!("h{i}"));
        if let Some(rack) = rack {
            h.labels.insert("rack".into(), rack.to_string());
        }
        h.cpus = cpus.map(f64::from);
        h
    }
}

prop_compose! {
    fn any_pod(name: usize)(
        count in 1..4_usize,
        cpus in 0..3_u32,
        distinct in proptest::option::of(prop_oneof![Just("host"), Just("site"), Just("rack")]),
        avoid in proptest::option::of(0..3_usize),
        spread in any::<bool>(),
        port in proptest::option::of(prop_oneof![Just(None), (8000..8003_u16).prop_map(Some)]),
        rack in proptest::option::of(0..3_usize),
    ) -> Vec<Demand> {
        (0..count).map(|i| {
            let mut d = demand(&format!("p{name}"), i);
            d.cpus = f64::from(cpus);
            d.distinct = distinct.into_iter().map(str::to_owned).collect();
            d.avoid = avoid.into_iter().map(|n| format!("p{n}")).collect();
            d.spread = if spread { vec!["site".into()] } else { Vec::new() };
            d.ports = port.into_iter().map(|n| ("http".to_owned(), n)).collect();
            d.require = rack.into_iter().map(|r| ("rack".to_owned(), r.to_string())).collect();
            d
        }).collect()
    }
}

fn any_request() -> impl Strategy<Value = PlaceRequest> {
    let hosts = (1..6_usize).prop_flat_map(|n| (0..n).map(any_host).collect::<Vec<_>>());
    let pods = (1..4_usize).prop_flat_map(|n| (0..n).map(any_pod).collect::<Vec<_>>());
    (hosts, pods).prop_map(|(hosts, pods)| request(pods.into_iter().flatten().collect(), hosts))
}

/// Every rule, checked by its words and not by the code that obeys it.
fn holds(request: &PlaceRequest, placed: &BTreeMap<Address, Placement>) {
    let facts = |id: &str| request.hosts.iter().find(|h| h.id == id).unwrap();
    let scope = |h: &HostFacts, name: &str| match name {
        "host" => Some(h.id.clone()),
        "site" => Some(h.site.clone()),
        l => h.labels.get(l).cloned(),
    };
    let pod = |d: &Demand| match &d.address.object {
        Object::Pod { pod, .. } => pod.clone(),
        _ => unreachable!(),
    };
    assert_eq!(placed.len(), request.demands.len());
    let mut ports = BTreeSet::new();
    let mut cpus: BTreeMap<&str, f64> = BTreeMap::new();
    for d in &request.demands {
        let p = &placed[&d.address];
        let h = facts(&p.host);
        assert!(d.require.iter().all(|(k, v)| h.labels.get(k) == Some(v)));
        *cpus.entry(&p.host).or_default() += d.cpus;
        for (name, n) in &d.ports {
            assert!(n.is_none_or(|n| p.ports[name] == n));
            assert!(
                ports.insert((&p.host, p.ports[name])),
                "a port is given twice"
            );
        }
        // A host that has no such label can't be told apart, even from none.
        assert!(d.distinct.iter().all(|s| scope(h, s).is_some()));
        for e in request.demands.iter().filter(|e| e.address != d.address) {
            let o = facts(&placed[&e.address].host);
            if pod(d) == pod(e) {
                assert!(d.distinct.iter().all(|s| scope(h, s) != scope(o, s)));
            }
            assert!(!(d.avoid.iter().any(|a| pod(e) == a.as_str()) && h.id == o.id));
        }
    }
    for (id, used) in cpus {
        assert!(facts(id).cpus.is_none_or(|c| used <= c + 1e-6));
    }
}

/// Whether any assignment at all holds, by trying every one.
fn possible(request: &PlaceRequest) -> bool {
    let n = request.hosts.len();
    let total = n.pow(u32::try_from(request.demands.len()).unwrap());
    (0..total).any(|mut code| {
        let placed: BTreeMap<Address, Placement> = request
            .demands
            .iter()
            .map(|d| {
                let host = request.hosts[code % n].id.clone();
                code /= n;
                let ports = d
                    .ports
                    .iter()
                    .map(|(k, v)| (k.clone(), v.unwrap_or(0)))
                    .collect();
                (d.address.clone(), Placement { host, ports })
            })
            .collect();
        // Ports without a number are never short here.
        let mut numbered = request.clone();
        for d in &mut numbered.demands {
            d.ports.retain(|_, n| n.is_some());
        }
        std::panic::catch_unwind(|| holds(&numbered, &placed)).is_ok()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_placement_holds_every_rule_and_is_stable(request in any_request()) {
        if let Ok(placed) = place(&request, &BTreeMap::new(), &BTreeMap::new()) {
            holds(&request, &placed);
            let again = place(&request, &placed, &BTreeMap::new()).unwrap();
            prop_assert_eq!(&again, &placed, "what runs moved");
            // A host more moves nothing.
            let mut grown = request.clone();
            grown.hosts.insert(0, host("s9", "new"));
            let again = place(&grown, &placed, &BTreeMap::new()).unwrap();
            prop_assert_eq!(&again, &placed, "a new host moved something");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_refusal_is_right(request in any_request()) {
        prop_assume!(request.hosts.len().pow(request.demands.len() as u32) <= 3_000);
        if place(&request, &BTreeMap::new(), &BTreeMap::new()).is_err() {
            std::panic::set_hook(Box::new(|_| {}));
            let possible = possible(&request);
            let _ = std::panic::take_hook();
            prop_assert!(!possible, "there is a placement");
        }
    }
}
