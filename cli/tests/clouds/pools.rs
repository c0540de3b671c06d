//! A pool in each cloud: made, scaled, and gone, with machines that are reached and serve.

use crate::{
    cloud::Kind,
    network::alone,
    world::{Pool, World},
};

/// Machines of a cloud come, grow in number, become fewer, and go.
fn lives(kind: Kind) {
    let Some(world) = World::start(&[kind]) else {
        return;
    };
    let pool = |count| Pool {
        count,
        serves: true,
        ..Pool::default()
    };
    world.converge(&pool(2));
    let status = world.stack.expect(0, "service status -no-color").out;
    for host in ["main-cloud-0", "main-cloud-1"] {
        assert!(status.contains(host), "{status}");
    }
    let first: Vec<String> = ids(&world);
    world.converge(&pool(3));
    assert!(first.iter().all(|id| ids(&world).contains(id)));
    world.converge(&pool(1));
    assert!(ids(&world).iter().all(|id| first.contains(id)));
    world.destroy();
    assert_eq!(world.running(), 0);
}

fn ids(world: &World) -> Vec<String> {
    let machines = world.clouds[0].door().running();
    machines.into_iter().map(|m| m.id).collect()
}

#[test]
fn a_pool_of_aws_lives_and_ends() {
    alone(|| lives(Kind::Aws));
}

#[test]
fn a_pool_of_azure_lives_and_ends() {
    alone(|| lives(Kind::Azure));
}

#[test]
fn a_pool_of_google_lives_and_ends() {
    alone(|| lives(Kind::Google));
}
