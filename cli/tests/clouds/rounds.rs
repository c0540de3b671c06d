//! Where a cloud has run out: the next offer makes the machines in the same run.

use crate::{
    cloud::{Kind, Shortage},
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
    // Two rounds, each an apply of its own.
    let history = world.stack.expect(0, "state history -no-color").out;
    assert_eq!(history.matches("apply").count(), 2, "{history}");
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
