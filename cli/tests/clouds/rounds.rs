//! Where a cloud has run out: the next offer makes the machines in the same run.

use crate::{
    cloud::{Kind, Shortage},
    common::json_lines,
    network::alone,
    world::{Pool, World},
};

fn pool(count: usize) -> Pool {
    Pool {
        count,
        ..Pool::default()
    }
}

/// The first cloud can't make any machine, and the second one does.
fn moves(first: Kind, second: Kind, shortage: Shortage) {
    let Some(world) = World::start(&[first, second]) else {
        return;
    };
    let (here, there) = (&world.clouds[0], &world.clouds[1]);
    here.run_out(shortage, 1000);
    world.write(&pool(2));
    let said = world.apply(0);
    let reason = match shortage {
        Shortage::Capacity => "no capacity: ",
        Shortage::Quota => "quota reached: ",
        Shortage::Price => unreachable!("it has a test of its own"),
    };
    let warning = format!(
        "Warning: cluster.main.pool.cloud.offer.{} has run out",
        here.name()
    );
    for words in [
        &*warning,
        reason,
        "2 machines that it was to make go to the next offer",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("Error:"), "{said}");
    // What the first one had for them is gone, as nothing of it is used.
    assert_eq!(here.made(), Default::default());
    assert_eq!(there.door().running().len(), 2);
    world.settled();
    // Rounds are applies of their own: one for each zone that has none, and one for the next offer.
    let history = world.stack.expect(0, "state history -no-color").out;
    let rounds = match (first, shortage) {
        (Kind::Azure, _) | (_, Shortage::Quota) => 2,
        _ => 4,
    };
    assert_eq!(history.matches("apply").count(), rounds, "{history}");
    assert_eq!(history.matches("failed").count(), rounds - 1, "{history}");
    // What is there stays where it is, and a new machine goes to the first offer again.
    here.refill();
    world.settled();
    world.converge(&pool(3));
    assert_eq!(here.door().running().len(), 1);
    assert_eq!(there.door().running().len(), 2);
    world.destroy();
}

#[test]
fn without_capacity_at_aws_azure_serves() {
    alone(|| moves(Kind::Aws, Kind::Azure, Shortage::Capacity));
}

#[test]
fn with_the_quota_of_azure_reached_google_serves() {
    alone(|| moves(Kind::Azure, Kind::Google, Shortage::Quota));
}

#[test]
fn without_capacity_at_google_aws_serves() {
    alone(|| moves(Kind::Google, Kind::Aws, Shortage::Capacity));
}

#[test]
fn where_all_clouds_have_run_out_it_says_so_and_the_next_apply_goes_on() {
    alone(|| {
        let Some(world) = World::start(&[Kind::Azure, Kind::Google]) else {
            return;
        };
        world.converge(&pool(1));
        for cloud in &world.clouds {
            cloud.run_out(Shortage::Quota, 1000);
        }
        world.write(&pool(3));
        let ended = world.stack.expect(1, "apply -auto-approve -no-color");
        let error = ended.err.split("Error: ").nth(1).unwrap_or_default();
        assert_eq!(error.trim_end(), ALL_OUT, "{ended:#?}");
        assert_eq!(world.running(), 1);
        // What there is was recorded.
        let listed = world.stack.expect(0, "state list").out;
        let machine = "cluster.main.pool.cloud.offer.azurerm.azurerm_linux_virtual_machine.machine";
        assert_eq!(listed.matches(machine).count(), 1, "{listed}");
        // There are machines again: only those that lack are made.
        world.clouds[1].refill();
        world.apply(0);
        assert_eq!(world.clouds[1].door().running().len(), 2);
        world.settled();
        world.destroy();
    });
}

#[test]
fn a_plan_that_was_kept_moves_on_too_and_json_says_so() {
    alone(|| {
        let Some(world) = World::start(&[Kind::Google, Kind::Azure]) else {
            return;
        };
        world.clouds[0].run_out(Shortage::Capacity, 1000);
        world.write(&pool(1));
        world.stack.expect(0, "plan -out=kept");
        let said = world.stack.expect(0, "apply -json kept").out;
        let lines = json_lines(&said);
        let text = |line: &serde_json::Value, name: &str| {
            line[name].as_str().unwrap_or_default().to_owned()
        };
        let warned = lines.iter().any(|l| {
            text(l, "@level") == "warn" && text(l, "@message").contains("google has run out")
        });
        assert!(warned, "{said}");
        let errors = lines.iter().filter(|l| text(l, "type") == "diagnostic");
        let mut errors = errors.filter(|l| text(l, "@level") == "error");
        assert_eq!(errors.next(), None);
        assert_eq!(world.clouds[1].door().running().len(), 1);
        world.settled();
        world.destroy();
    });
}

#[test]
fn a_machine_that_never_answers_is_told_and_the_next_apply_reaches_it() {
    alone(|| {
        let Some(mut world) = World::start(&[Kind::Google]) else {
            return;
        };
        world.power_off();
        let slow = Pool {
            count: 1,
            serves: true,
            more: "boot_timeout = \"2s\"".to_owned(),
            ..Pool::default()
        };
        world.write(&slow);
        let said = world.apply(1);
        let host = "cluster.main.pool.cloud.offer.google.site.machines.host[\"main-cloud-0\"]";
        assert!(said.contains(&format!("Error: {host}: ")), "{said}");
        assert_eq!(world.running(), 1);
        // It takes longer than was thought: nothing is made again.
        world.power_on();
        world.converge(&slow);
        world.destroy();
    });
}

#[test]
fn a_zone_that_has_run_out_gives_way_to_the_next_zone_of_the_offer() {
    alone(|| {
        let Some(world) = World::start(&[Kind::Google, Kind::Azure]) else {
            return;
        };
        let (google, azure) = (&world.clouds[0], &world.clouds[1]);
        let places = || {
            let machines = google.door().running().into_iter();
            let mut places: Vec<String> = machines.map(|m| m.place).collect();
            places.sort();
            places
        };
        // Without zones of its own, and with the capacity of one gone.
        google.run_out_in("europe-west4-a", 1000);
        world.write(&pool(2));
        let said = world.apply(0);
        let warning = "google has run out in europe-west4-a\n  no capacity";
        assert!(said.contains(warning), "{said}");
        let words = "1 machine that it was to make goes to another zone, or to the next offer";
        assert!(said.contains(words), "{said}");
        world.settled();
        let two = places();
        assert!(
            two.len() == 2 && !two.contains(&"europe-west4-a".to_owned()),
            "{two:?}"
        );
        // Where none of its zones has any, the next offer serves.
        for zone in ["europe-west4-b", "europe-west4-c"] {
            google.run_out_in(zone, 1000);
        }
        world.write(&pool(3));
        world.apply(0);
        world.settled();
        assert_eq!(places(), two);
        assert_eq!(azure.door().running().len(), 1);
        world.destroy();
    });
}

#[test]
fn a_spot_price_that_is_too_low_moves_machines_on() {
    alone(|| {
        let Some(world) = World::start(&[Kind::Aws, Kind::Google]) else {
            return;
        };
        world.clouds[0].run_out(Shortage::Price, 1000);
        world.write(&Pool {
            count: 1,
            offer: "market = \"spot\"".to_owned(),
            ..Pool::default()
        });
        let said = world.apply(0);
        assert!(said.contains("price too low: "), "{said}");
        assert_eq!(world.clouds[1].door().running().len(), 1);
        world.settled();
        world.destroy();
    });
}

#[test]
fn a_network_that_the_quota_forbids_moves_machines_on() {
    alone(|| {
        let Some(world) = World::start(&[Kind::Aws, Kind::Google]) else {
            return;
        };
        world.clouds[0].refuse("Action=CreateVpc&", "VpcLimitExceeded", 1000);
        world.write(&pool(2));
        let said = world.apply(0);
        let words = "quota reached: AWS refused it with the code VpcLimitExceeded. 2 machines that it was to make go";
        assert!(said.contains(words), "{said}");
        assert_eq!(world.clouds[0].made(), Default::default());
        assert_eq!(world.clouds[1].door().running().len(), 2);
        world.settled();
        world.destroy();
    });
}

const ALL_OUT: &str = "\
No offer of pool `cloud` of cluster.main can make 2 machines now
  --> main.hcl:17:3
   |
17 |   pool \"cloud\" {
   |   ^^^^^^^^^^^^
  azurerm: quota reached: Azure refused it with the code OperationNotAllowed; google: quota reached: Google refused it with the code QUOTA_EXCEEDED.
  help: Add an offer in another region or of another cloud, let it have more `types`, or apply again later. What was made is recorded and stays.

1 error.";
