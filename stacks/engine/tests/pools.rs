//! Pools whose machines clouds make, on fake clouds with the types of the real providers.
#![allow(clippy::unwrap_used, unreachable_pub, dead_code)]

#[path = "pools/world.rs"]
mod world;

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::Notify;
use weir_core::{Shortage, change::Action, plan::Op};
use weir_engine::Status;
use weir_fake::types::Fate;
use weir_state::Store as _;
use world::{World, actions};

/// A pool of so many machines with these offers, and a service on all of them.
fn stack(count: usize, offers: &str) -> String {
    format!(
        r#"
        stack "shop" {{}}
        provider "aws" {{ region = "eu-central-1" }}
        provider "aws" {{
          alias  = "ire"
          region = "eu-west-1"
        }}
        cluster "main" {{
          pool "cloud" {{
            count    = {count}
            ssh_from = ["203.0.113.7/32"]
            labels   = {{ tier = "burst" }}
            machine {{
              cpus   = 2
              memory = "4GiB"
            }}
            {offers}
          }}
        }}
        service "web" {{
          cluster = cluster.main
          pod "app" {{
            every = "host"
            resources {{ memory = "1GiB" }}
            task "run" {{ run = "exec sleep 1000" }}
          }}
        }}
        "#
    )
}

const FRA: &str = r#"offer "fra" { provider = aws }"#;
const BOTH: &str = r#"
    offer "fra" {
      provider = aws
      zones    = ["eu-central-1a", "eu-central-1b"]
    }
    offer "ire" {
      provider = aws.ire
      zones    = ["eu-west-1a", "eu-west-1b"]
    }"#;

/// The addresses of a kind of change below an offer, without the offer's own.
fn below(planned: &weir_engine::Planned, offer: &str, action: &Action) -> Vec<String> {
    let prefix = format!("cluster.main.pool.cloud.offer.{offer}.");
    let changes = planned.plan.changes.iter();
    let own = changes.filter(|(_, c)| c.action == *action);
    let own = own.filter_map(|(a, _)| a.to_string().strip_prefix(&prefix).map(str::to_owned));
    own.collect()
}

#[tokio::test]
async fn a_pool_makes_machines_and_what_they_need() {
    let world = World::new();
    let planned = world.plan(&stack(2, FRA)).await;
    assert_eq!(
        below(&planned, "fra", &Action::Create),
        [
            r#"aws_instance.machine["0"]"#,
            r#"aws_instance.machine["1"]"#,
            "aws_internet_gateway.network[0]",
            "aws_key_pair.login",
            "aws_route.internet[0]",
            "aws_route_table.network[0]",
            r#"aws_route_table_association.network["eu-central-1a"]"#,
            r#"aws_route_table_association.network["eu-central-1b"]"#,
            "aws_security_group.machine[0]",
            r#"aws_subnet.network["eu-central-1a"]"#,
            r#"aws_subnet.network["eu-central-1b"]"#,
            "aws_vpc.network[0]",
            "aws_vpc_security_group_egress_rule.all[0]",
            "aws_vpc_security_group_ingress_rule.among[0]",
            r#"aws_vpc_security_group_ingress_rule.ssh["203.0.113.7/32"]"#,
            r#"weir_ssh_key.host["0"]"#,
            r#"weir_ssh_key.host["1"]"#,
            "weir_ssh_key.login",
            r#"site.machines.host["main-cloud-0"]"#,
            r#"site.machines.host["main-cloud-1"]"#,
        ]
    );
    let pods = actions(&planned);
    assert!(pods.contains(&r#"Create service.web.pod.app["main-cloud-1"]"#.to_owned()));
    world.converge(&stack(2, FRA)).await;
    let machines = world.objects("aws_instance");
    let zones: Vec<_> = machines
        .iter()
        .map(|m| {
            m.value
                .value()
                .get("availability_zone")
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(machines.len(), 2);
    assert_eq!(zones.len(), 2);
    let pods = world.objects("weir_pod");
    let hosts: Vec<_> = pods
        .iter()
        .map(|p| {
            p.value
                .value()
                .get("host")
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(hosts, ["fra/main-cloud-0", "fra/main-cloud-1"]);
}

#[tokio::test]
async fn more_machines_leave_those_that_are_there_alone_and_fewer_go_from_the_end() {
    let world = World::new();
    world.converge(&stack(1, BOTH)).await;
    let planned = world.plan(&stack(3, BOTH)).await;
    assert!(below(&planned, "fra", &Action::Update).is_empty());
    assert_eq!(
        below(&planned, "fra", &Action::Delete),
        Vec::<String>::new()
    );
    world.converge(&stack(3, BOTH)).await;
    assert_eq!(world.objects("aws_instance").len(), 3);

    let planned = world.plan(&stack(1, BOTH)).await;
    // What runs there is drained, then the agent goes, then the machine.
    let at = |address: &str, op: Op| {
        let nodes = planned.plan.nodes.iter();
        let mut nodes = nodes.enumerate();
        let is = |a: &weir_core::Address| a.to_string() == address;
        nodes
            .find(|(_, n)| is(&n.address) && n.op == op)
            .map(|(i, _)| i)
            .unwrap()
    };
    let pod = at(r#"service.web.pod.app["main-cloud-2"]"#, Op::Delete);
    let offer = "cluster.main.pool.cloud.offer.fra";
    let host = at(
        &format!(r#"{offer}.site.machines.host["main-cloud-2"]"#),
        Op::Delete,
    );
    let machine = at(&format!(r#"{offer}.aws_instance.machine["2"]"#), Op::Delete);
    let key = at(&format!(r#"{offer}.weir_ssh_key.host["2"]"#), Op::Delete);
    assert!(comes_after(&planned, host, pod));
    assert!(comes_after(&planned, machine, host));
    assert!(comes_after(&planned, key, machine));
    world.converge(&stack(1, BOTH)).await;
    assert_eq!(world.objects("aws_instance").len(), 1);
    world.converge(&stack(0, BOTH)).await;
    assert!(world.cloud.objects().unwrap().is_empty());
}

/// Whether a node is done after another, by whatever lies between them.
fn comes_after(planned: &weir_engine::Planned, node: usize, before: usize) -> bool {
    let mut todo = vec![node];
    while let Some(i) = todo.pop() {
        if i == before {
            return true;
        }
        todo.extend(planned.plan.nodes[i].after.iter().map(|n| n.0));
    }
    false
}

/// Applies as the command does: with the next offers where some have run out.
async fn apply_on(world: &World, text: &str) -> Result<weir_engine::Report, String> {
    let mut input = World::input(text);
    loop {
        let report = world.try_apply(&input).await.map_err(|d| d.to_string())?;
        if report.exhausted.is_empty() {
            return Ok(report);
        }
        let before = input.options.exhausted.len();
        input.options.exhausted.extend(report.exhausted);
        assert!(
            input.options.exhausted.len() > before,
            "it goes on for ever"
        );
    }
}

fn offers_of(world: &World) -> Vec<String> {
    let hosts = world.objects("weir_host").into_iter();
    let hosts = hosts.map(|h| {
        let text = |name: &str| {
            h.value
                .value()
                .get(name)
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        };
        format!("{} {}", text("name"), text("site"))
    });
    let mut hosts: Vec<String> = hosts.collect();
    hosts.sort();
    hosts
}

#[tokio::test]
async fn where_an_offer_has_run_out_the_next_one_serves_in_the_same_run() {
    for shortage in [Shortage::Capacity, Shortage::Quota, Shortage::Price] {
        let world = World::new();
        world.limits.allow("eu-central-1", 1, shortage);
        let report = apply_on(&world, &stack(3, BOTH)).await.unwrap();
        assert_eq!(report.status, Status::Succeeded, "{}", report.diagnostics);
        let wanted = ["main-cloud-0 fra", "main-cloud-1 ire", "main-cloud-2 ire"];
        let made = offers_of(&world);
        // Which of the three the first offer made is the cloud's business.
        let count = |offer: &str| made.iter().filter(|h| h.ends_with(offer)).count();
        assert_eq!((count("fra"), count("ire")), (1, 2), "{made:?} {wanted:?}");
        assert_eq!(world.objects("aws_instance").len(), 3);
        assert_eq!(world.objects("weir_pod").len(), 3);
        // What is there stays, also when the first offer has machines again.
        world.limits.lift();
        let planned = world.plan(&stack(3, BOTH)).await;
        assert!(planned.is_empty(), "{:#?}", actions(&planned));
        // A new one goes to the first offer again.
        let planned = world.plan(&stack(4, BOTH)).await;
        let new = below(&planned, "fra", &Action::Create);
        assert!(
            new.contains(&r#"aws_instance.machine["3"]"#.to_owned()),
            "{new:?}"
        );
    }
}

#[tokio::test]
async fn an_offer_that_made_nothing_leaves_nothing() {
    let world = World::new();
    world.limits.allow("eu-central-1", 0, Shortage::Capacity);
    let report = apply_on(&world, &stack(2, BOTH)).await.unwrap();
    assert_eq!(report.status, Status::Succeeded, "{}", report.diagnostics);
    assert_eq!(offers_of(&world), ["main-cloud-0 ire", "main-cloud-1 ire"]);
    assert_eq!(world.objects("aws_vpc").len(), 1);
    world.converge(&stack(2, BOTH)).await;
    world.converge(&stack(0, BOTH)).await;
    assert!(world.cloud.objects().unwrap().is_empty());
}

#[tokio::test]
async fn where_all_have_run_out_it_says_so_and_what_was_made_is_recorded() {
    let world = World::new();
    world.limits.allow("eu-central-1", 1, Shortage::Quota);
    world.limits.allow("eu-west-1", 1, Shortage::Capacity);
    let error = apply_on(&world, &stack(3, BOTH)).await.unwrap_err();
    let text = "No offer of pool `cloud` of cluster.main can make 1 machine now";
    assert!(error.contains(text), "{error}");
    assert!(
        error.contains("fra: quota reached: InsufficientInstanceCapacity"),
        "{error}"
    );
    assert!(error.contains("ire, eu-west-1a: no capacity: "), "{error}");
    assert_eq!(world.objects("aws_instance").len(), 2);
    // With what there is again, only the missing one is made.
    world.limits.lift();
    world.converge(&stack(3, BOTH)).await;
    let log = world.cloud.log().unwrap();
    let made = log.iter().filter(|e| {
        matches!(e, weir_fake::cloud::Entry::Created { type_name, .. } if type_name == "aws_instance")
    });
    assert_eq!(made.count(), 3);
}

/// One run that ends at the `n`-th moment before or after a call that changes something; false where
/// it came to its end before that.
async fn ends_at(world: &mut World, n: usize, text: &str) -> bool {
    let (count, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let told = ended.clone();
    world.watch = Some(Arc::new(move |_, _, _| {
        if count.fetch_add(1, Ordering::SeqCst) < n {
            return Fate::GoesOn;
        }
        told.notify_one();
        Fate::IsLost
    }));
    let crashed = tokio::select! {
        // All that it has in memory is gone with it.
        () = ended.notified() => true,
        _ = apply_on(world, text) => false,
    };
    world.watch = None;
    crashed
}

/// Nothing is in the cloud that state does not know, and nothing is there twice.
async fn assert_sound(world: &World, machines: usize, at: &str) {
    let state = world.store.snapshot().await.unwrap();
    let known: BTreeSet<String> = (state.resources.values())
        .map(|r| r.value.value())
        .filter_map(|v| {
            let id = ["id", "fingerprint", "hostname", "directory"].iter();
            let mut id = id.filter_map(|a| v.get(a).and_then(|v| v.as_str()));
            id.next()
                .map(|id| id.split('-').take(2).collect::<Vec<_>>().join("-"))
        })
        .collect();
    let there: BTreeSet<String> = world.cloud.objects().unwrap().into_keys().collect();
    assert_eq!(there, known, "{at}");
    assert_eq!(world.objects("aws_instance").len(), machines, "{at}");
}

#[tokio::test]
async fn a_crash_at_any_call_makes_nothing_twice_and_orphans_nothing() {
    // Some hundred moments: a few of them in every run, all where somebody asks for them.
    let stride = if std::env::var_os("WEIR_EVERY_CRASH").is_some() {
        1
    } else {
        9
    };
    let text = stack(2, BOTH);
    for n in (0..).step_by(stride) {
        let mut world = World::new();
        world.limits.allow("eu-central-1", 1, Shortage::Capacity);
        let crashed = ends_at(&mut world, n, &text).await;
        let report = apply_on(&world, &text).await.unwrap();
        assert_eq!(
            report.status,
            Status::Succeeded,
            "{n}: {}",
            report.diagnostics
        );
        assert_sound(&world, 2, &format!("crash {n}")).await;
        let planned = world.plan(&text).await;
        assert!(planned.is_empty(), "{n}: {:#?}", actions(&planned));
        if !crashed {
            assert!(n > 60, "only {n} moments");
            break;
        }
    }
}

#[tokio::test]
async fn an_offer_that_moves_to_another_cloud_takes_no_zone_along() {
    let world = World::new();
    let report = world.apply(&stack(2, FRA)).await;
    assert_eq!(report.status, Status::Succeeded, "{}", report.diagnostics);
    let google = "offer \"fra\" {\n provider = google\n region = \"europe-west4\"\n}";
    let moves = [
        (google, "zone", "europe-west4-"),
        (FRA, "availability_zone", "eu-central-1"),
    ];
    for (offer, attribute, region) in moves {
        let text = format!(
            "{}\nprovider \"google\" {{ project = \"p\" }}",
            stack(2, offer)
        );
        let planned = world.plan(&text).await;
        let changes = planned.plan.changes.iter();
        let after = changes.filter_map(|(a, c)| Some((a.to_string(), c.after.as_ref()?)));
        let zones: Vec<String> = after
            .filter(|(a, _)| a.contains("_instance.machine["))
            .filter_map(|(_, v)| v.get(attribute)?.as_str().map(str::to_owned))
            .collect();
        assert_eq!(zones.len(), 2, "{region}: {:#?}", actions(&planned));
        assert!(
            zones.iter().all(|z| z.starts_with(region)),
            "{region}: {zones:?}"
        );
        let report = world.apply(&text).await;
        assert_eq!(report.status, Status::Succeeded, "{}", report.diagnostics);
        let planned = world.plan(&text).await;
        assert!(planned.is_empty(), "{region}: {:#?}", actions(&planned));
    }
}

/// `examples/hybrid` with its offer in another cloud.
fn hybrid(provider: &str, region: &str, block: &str) -> Vec<(&'static str, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hybrid");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let stack = read("stack.hcl");
    let (before, after) = ("provider = aws\n", "region   = \"eu-central-1\"");
    let aws = "provider \"aws\" {\n  region = \"eu-central-1\"\n}\n";
    for part in [before, after, aws] {
        assert!(stack.contains(part), "{part}");
    }
    let stack = stack
        .replace(before, &format!("provider = {provider}\n"))
        .replace(after, &format!("region   = \"{region}\""))
        .replace(aws, block);
    vec![
        ("stack.hcl", stack),
        ("server.pl", read("server.pl")),
        ("templates/index.html.j2", read("templates/index.html.j2")),
    ]
}

const CLOUDS: [(&str, &str, &str); 3] = [
    (
        "aws",
        "eu-central-1",
        "provider \"aws\" {\n  region = \"eu-central-1\"\n}\n",
    ),
    (
        "google",
        "europe-west4",
        "provider \"google\" {\n  project = \"p\"\n}\n",
    ),
    (
        "azurerm",
        "westeurope",
        "provider \"azurerm\" {\n  features {}\n}\n",
    ),
];

fn input_of(files: &[(&'static str, String)]) -> weir_engine::PlanInput {
    World::input_with(files, &[("ssh_from", r#"["203.0.113.7/32"]"#)])
}

#[tokio::test]
async fn another_cloud_is_other_machines_and_nothing_else() {
    let mut plans = Vec::new();
    for (provider, region, block) in CLOUDS {
        let world = World::new();
        if !world.has(provider) {
            continue;
        }
        let input = input_of(&hybrid(provider, region, block));
        let planned = world
            .try_plan(&input)
            .await
            .unwrap_or_else(|d| panic!("{provider}: {d}"));
        let changes = planned.plan.changes.iter();
        let of_offer = |a: &weir_core::Address| a.to_string().contains(".offer.burst.");
        let others = changes.filter(|(a, _)| !of_offer(a));
        // A pod's address is that of its machine, and known as little in each cloud.
        let others: Vec<String> = others.map(|(a, c)| format!("{a} {:?}", c.after)).collect();
        assert_eq!(
            others
                .iter()
                .filter(|a| a.starts_with("service.web"))
                .count(),
            5
        );
        assert_eq!(
            others
                .iter()
                .filter(|a| a.starts_with("site.zurich"))
                .count(),
            3
        );
        plans.push(others);
        // And each serves: all of it is made, nothing is left to do, and nothing stays.
        let report = world.apply_input(&input).await;
        assert_eq!(
            report.status,
            Status::Succeeded,
            "{provider}: {}",
            report.diagnostics
        );
        let planned = world.try_plan(&input).await.unwrap();
        assert!(planned.is_empty(), "{provider}: {:#?}", actions(&planned));
        assert_eq!(world.objects("weir_pod").len(), 5, "{provider}");
        let mut destroy = input.clone();
        destroy.options.mode = weir_engine::Mode::Destroy;
        let report = world.apply_input(&destroy).await;
        assert_eq!(
            report.status,
            Status::Succeeded,
            "{provider}: {}",
            report.diagnostics
        );
        assert!(world.cloud.objects().unwrap().is_empty(), "{provider}");
    }
    assert_eq!(plans.len(), CLOUDS.len(), "a cloud has no tables");
    assert!(plans.windows(2).all(|two| two[0] == two[1]), "{plans:#?}");
}
