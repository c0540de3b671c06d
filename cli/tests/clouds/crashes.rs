//! `weir` is killed while it makes a pool: nothing is made twice, nothing is forgotten.

use crate::{
    cloud::Kind,
    gate::Moment,
    network::alone,
    world::{Pool, World},
};

/// Killed at changes of the cloud, one after the other; after each, another apply ends it.
fn survives(kind: Kind) {
    let Some(world) = World::start(&[kind]) else {
        return;
    };
    // Some dozens of calls: a few of them in every run, all where somebody asks for them.
    let stride = if std::env::var_os("WEIR_EVERY_CRASH").is_some() {
        1
    } else {
        7
    };
    let pool = Pool {
        count: 2,
        ..Pool::default()
    };
    let mut moments = 0;
    for nth in (1..).step_by(stride) {
        world.write(&pool);
        let moment = match nth % 2 {
            0 => Moment::Before,
            _ => Moment::After,
        };
        let died = world.killed(nth, moment);
        world.converge(&pool);
        world.destroy();
        if !died {
            break;
        }
        moments += 1;
    }
    assert!(moments > 1, "{moments} moments");
}

#[test]
fn a_crash_at_any_call_to_aws_makes_nothing_twice() {
    alone(|| survives(Kind::Aws));
}

#[test]
fn a_crash_at_any_call_to_azure_makes_nothing_twice() {
    alone(|| survives(Kind::Azure));
}

#[test]
fn a_crash_at_any_call_to_google_makes_nothing_twice() {
    alone(|| survives(Kind::Google));
}
