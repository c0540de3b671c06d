//! How to plan: parts of a stack, refresh in all its ways, generated configuration, retries.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, actions, addr, thing};
use std::time::Duration;
use weir_core::change::Action;
use weir_engine::{ChangedBy, Mode, PlanOptions, Refresh, Retry, Status};
use weir_fake::cloud::Hand;
use weir_plan::Target;
use weir_provider::Attribution;
use weir_state::Store as _;

fn targets(texts: &[&str]) -> Vec<Target> {
    texts.iter().map(|t| t.parse().unwrap()).collect()
}

fn names(planned: &weir_engine::Planned) -> Vec<String> {
    actions(planned).into_keys().collect()
}

#[tokio::test]
async fn excluded_instances_take_their_users_with_them() {
    let world = World::new();
    let stack = thing("a", "count = 2")
        + &thing("b", "tags = { of = fake_thing.a[0].id }")
        + &thing("c", "tags = { of = fake_thing.b.id }")
        + &thing("d", "");
    let plan = async |excludes: &[&str]| {
        let options = PlanOptions {
            excludes: targets(excludes),
            ..PlanOptions::default()
        };
        names(&world.plan_with(&stack, options).await.unwrap())
    };
    assert_eq!(
        plan(&["fake_thing.b"]).await,
        ["fake_thing.a[0]", "fake_thing.a[1]", "fake_thing.d"]
    );
    assert_eq!(plan(&["fake_thing.a[*]"]).await, ["fake_thing.d"]);
    assert_eq!(plan(&["fake_thing.*"]).await, Vec::<String>::new());
    // What stays needs what it uses.
    world.converge(&stack).await;
    let options = PlanOptions {
        excludes: targets(&["fake_thing.c"]),
        ..PlanOptions::default()
    };
    let planned = world.plan_with("", options).await.unwrap();
    assert_eq!(names(&planned), ["fake_thing.a[1]", "fake_thing.d"]);
}

#[tokio::test]
async fn patterns_name_instances_and_what_lies_in_modules() {
    let names = |pattern: &str, address: &str| {
        let target: Target = pattern.parse().unwrap();
        target.names(&addr(address))
    };
    assert!(names("module.a.*", "module.a.t.x[1]"));
    assert!(names("module.*", "module.b[\"k\"].t.x"));
    assert!(names("module.*[\"eu\"]", "module.net[\"eu\"].module.c.t.x"));
    assert!(!names("module.*[\"eu\"]", "module.net[\"us\"].t.x"));
    assert!(names("t.x[*]", "t.x[\"a.b\"]"));
    assert!(names("*.x", "t.x[3]"));
    assert!(!names("t.x[*]", "t.xy[0]"));
    assert!(!names("t.y*", "t.x"));
}

#[tokio::test]
async fn refresh_only_records_what_is_and_does_nothing() {
    let world = World::new();
    let stack = thing("a", "size = 1") + &thing("b", "") + &thing("gone", "");
    world.converge(&stack).await;
    let (a, b) = (
        world.id("fake_thing.a").await,
        world.id("fake_thing.b").await,
    );
    world.cloud().tamper(&a, "size", 7.into()).unwrap();
    world.cloud().vanish(&b).unwrap();
    let changed = thing("a", "size = 2") + &thing("b", "") + &thing("new", "");
    let options = || PlanOptions {
        mode: Mode::Refresh,
        ..PlanOptions::default()
    };
    let planned = world.plan_with(&changed, options()).await.unwrap();
    assert!(actions(&planned).is_empty(), "{:?}", actions(&planned));
    assert_eq!(planned.plan.drift.len(), 2);
    assert!(!planned.is_empty());
    let before = world.log().len();
    let report = world.apply_with(&changed, options()).await;
    assert_eq!(report.status, Status::Succeeded);
    assert_eq!(world.log().len(), before, "something was done");
    let value = world.value("fake_thing.a").await.unwrap();
    assert_eq!(value.get("size"), Some(&7.into()));
    assert!(world.value("fake_thing.b").await.is_none());
    assert!(world.value("fake_thing.gone").await.is_some());
    assert!(
        world
            .plan_with(&changed, options())
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_light_plan_looks_up_only_what_changes() {
    let world = World::new();
    let stack = |size: u32| thing("a", &format!("size = {size}")) + &thing("b", "");
    world.converge(&stack(1)).await;
    world.events.take();
    let options = PlanOptions {
        refresh: Refresh::Changed,
        ..PlanOptions::default()
    };
    let planned = world.plan_with(&stack(2), options).await.unwrap();
    assert_eq!(names(&planned), ["fake_thing.a"]);
    let looked: Vec<String> = world
        .events
        .take()
        .into_iter()
        .filter_map(|e| match e {
            weir_core::event::Event::Refreshing { address, .. } => Some(address.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(looked, ["fake_thing.a"]);
}

#[tokio::test]
async fn an_address_that_names_nothing_is_said() {
    let world = World::new();
    let stack = thing("a", "count = 2");
    world.converge(&stack).await;
    let options = PlanOptions {
        replace: vec![addr("fake_thing.a"), addr("fake_thing.zzz")],
        excludes: targets(&["module.nowhere"]),
        ..PlanOptions::default()
    };
    let planned = world.plan_with(&stack, options).await.unwrap();
    let text = planned.warnings.to_string();
    for name in [
        "-replace=fake_thing.a`",
        "-replace=fake_thing.zzz`",
        "-exclude=module.nowhere`",
    ] {
        assert!(text.contains(name), "{text}");
    }
}

#[tokio::test]
async fn configuration_is_written_for_what_is_imported() {
    let world = World::new();
    let made = thing("made", "size = 2\ntags = { \"a b\" = \"$${x}\" }");
    world.converge(&made).await;
    let id = world.id("fake_thing.made").await;
    let forget =
        "removed {\n  from = fake_thing.made\n  lifecycle {\n    destroy = false\n  }\n}\n";
    world.converge(forget).await;
    let import = format!("import {{\n  to = fake_thing.made\n  id = \"{id}\"\n}}\n");
    let refused = world.plan_with(&import, PlanOptions::default()).await;
    let Err(errors) = refused else {
        panic!("imported without configuration")
    };
    assert!(
        errors.to_string().contains("has no configuration"),
        "{errors}"
    );
    let options = PlanOptions {
        generate: true,
        ..PlanOptions::default()
    };
    let planned = world.plan_with(&import, options).await.unwrap();
    let change = &planned.plan.changes[&addr("fake_thing.made")];
    assert_eq!(
        (change.action, change.import.as_ref()),
        (Action::NoOp, Some(&id))
    );
    let text = &planned.generated[&addr("fake_thing.made")];
    // What was written is what the object is.
    let planned = world.plan(&(text.clone() + &import)).await;
    let change = &planned.plan.changes[&addr("fake_thing.made")];
    assert_eq!(
        change.action,
        Action::NoOp,
        "{text}\n{:?}\n{:?}",
        change.before,
        change.after
    );
    world.converge(&(text.clone() + &import)).await;
    assert_eq!(world.cloud().creations().unwrap(), 1);
}

#[tokio::test]
async fn what_is_transient_is_tried_again_with_a_budget() {
    let world = World::new();
    let quick = || Retry::default().with_first(Duration::from_millis(1));
    let stack = thing("a", "") + &thing("b", "");
    let apply = async |retry: Retry, failures: usize| {
        world.script.transient.lock().unwrap().clear();
        for name in ["fake_thing.a", "fake_thing.b"] {
            let mut transient = world.script.transient.lock().unwrap();
            transient.insert(name.into(), failures);
        }
        let lease = world.lease().await;
        let engine = world.engine().with_retry(retry);
        let planned = engine.plan(&world.input(&stack), &lease).await.unwrap();
        let stop = tokio_util::sync::CancellationToken::new();
        let report = engine.apply(&planned, &lease, stop).await.unwrap();
        world.store.release(lease).await.unwrap();
        report.status
    };
    assert_eq!(
        apply(quick(), 6).await,
        Status::Failed,
        "more than five times"
    );
    assert_eq!(apply(quick().with_budget(3), 2).await, Status::Failed);
    assert_eq!(apply(quick(), 5).await, Status::Succeeded);
    world.assert_settled(&stack).await;
    assert_eq!(world.cloud().creations().unwrap(), 2);
}

#[tokio::test]
async fn what_is_not_to_be_refreshed_is_looked_up_by_a_refresh_alone() {
    let world = World::new();
    let stack = |size: u8| {
        let body = format!("size = {size}\nlifecycle {{ refresh = false }}");
        thing("a", &body) + &thing("b", "size = 1")
    };
    world.converge(&stack(1)).await;
    for name in ["fake_thing.a", "fake_thing.b"] {
        let id = world.id(name).await;
        world.cloud().tamper(&id, "class", "big".into()).unwrap();
    }
    let drifted = |planned: &weir_engine::Planned| -> Vec<String> {
        planned.plan.drift.keys().map(ToString::to_string).collect()
    };
    let planned = world.plan(&stack(1)).await;
    assert_eq!(drifted(&planned), ["fake_thing.b"]);
    // Nor by a light plan, though it changes.
    let light = PlanOptions {
        refresh: Refresh::Changed,
        ..PlanOptions::default()
    };
    let planned = world.plan_with(&stack(2), light).await.unwrap();
    assert_eq!(names(&planned), ["fake_thing.a"]);
    assert!(drifted(&planned).is_empty());
    let refresh = PlanOptions {
        mode: Mode::Refresh,
        ..PlanOptions::default()
    };
    let planned = world.plan_with(&stack(1), refresh).await.unwrap();
    assert_eq!(drifted(&planned), ["fake_thing.a", "fake_thing.b"]);
}

#[tokio::test]
async fn what_failed_of_a_batch_is_tried_again_and_the_rest_is_not() {
    let mut world = World::new();
    world.settings = "batch = true".into();
    let stack: String = ["a", "b", "c", "d"].map(|n| thing(n, "")).concat();
    let calls: std::sync::Arc<std::sync::Mutex<Vec<String>>> = Default::default();
    let noted = calls.clone();
    *world.script.at_apply.lock().unwrap() = Some(std::sync::Arc::new(move |address: &str| {
        noted.lock().unwrap().push(address.to_owned());
    }));
    *world.script.transient.lock().unwrap() = [
        ("fake_thing.b".to_owned(), 1),
        ("fake_thing.c".to_owned(), 2),
        ("fake_thing.d".to_owned(), 99),
    ]
    .into();
    let apply = async |budget: usize| {
        let retry = Retry::default().with_first(Duration::from_millis(1));
        let engine = world.engine().with_retry(retry.with_budget(budget));
        let lease = world.lease().await;
        let planned = engine.plan(&world.input(&stack), &lease).await.unwrap();
        assert_eq!(planned.plan.steps.len(), 1, "it is one batch");
        let stop = tokio_util::sync::CancellationToken::new();
        let report = engine.apply(&planned, &lease, stop).await.unwrap();
        world.store.release(lease).await.unwrap();
        report
    };
    let report = apply(100).await;
    assert_eq!(
        common::results(&report),
        [
            "create fake_thing.a: done",
            "create fake_thing.b: done",
            "create fake_thing.c: done",
            "create fake_thing.d: failed"
        ]
    );
    let count = |name: &str| {
        let calls = calls.lock().unwrap();
        calls.iter().filter(|a| a.ends_with(name)).count()
    };
    assert_eq!(["a", "b", "c", "d"].map(count), [1, 2, 3, 6]);
    assert_eq!(world.log(), ["create a", "create b", "create c"]);
    // The budget is the run's.
    apply(2).await;
    assert_eq!(count("d"), 9);
}

/// Only what targets name is evaluated: of what else is to go, no provider is asked.
#[tokio::test]
async fn a_target_leaves_objects_alone_whose_blocks_are_gone_unless_it_names_them() {
    let world = World::new();
    let data = "resource \"terraform_data\" \"d\" { input = 1 }\n".to_owned();
    let user = thing("user", "tags = { of = fake_thing.a.id }");
    world
        .converge(&(data.clone() + &thing("a", "") + &user + &thing("other", "")))
        .await;
    let plan = async |target: &str| {
        let options = PlanOptions {
            targets: targets(&[target]),
            ..PlanOptions::default()
        };
        names(
            &world
                .plan_with(&data, options)
                .await
                .unwrap_or_else(|d| panic!("{d}")),
        )
    };
    assert_eq!(plan("terraform_data.d").await, Vec::<String>::new());
    assert_eq!(
        plan("fake_thing.a").await,
        ["fake_thing.a", "fake_thing.user"]
    );
    let options = PlanOptions {
        targets: targets(&["fake_thing.a"]),
        ..PlanOptions::default()
    };
    let report = world.apply_with(&data, options).await;
    assert_eq!(report.status, Status::Succeeded, "{}", report.diagnostics);
    assert_eq!(world.log_since(3), ["delete user", "delete a"]);
}

#[tokio::test]
async fn drift_is_attributed_to_whom_the_provider_knows_and_never_fails_for_it() {
    let world = World::new();
    let names = ["told", "gone", "unknown", "silent", "same"];
    let stack = names.map(|n| thing(n, "size = 1")).concat();
    world.converge(&stack).await;
    let hand = |who: &str| Hand {
        who: who.into(),
        at: 1_700_000_000,
        how: "console".into(),
    };
    let cloud = world.cloud();
    // A name from outside must not write to the terminal.
    let [told, gone, unknown, silent, _] = names.map(|n| format!("fake_thing.{n}"));
    let id = async |address: &str| world.id(address).await;
    let set = |hand, id: String| cloud.tamper_by(hand, &id, "size", 7.into()).unwrap();
    set(hand("ada\u{1b}[2J\nroot\u{202e}"), id(&told).await);
    cloud.vanish_by(hand("bob"), &id(&gone).await).unwrap();
    cloud.tamper(&id(&unknown).await, "size", 7.into()).unwrap();
    set(hand("eve"), id(&silent).await);
    let script = || world.script.silent.lock().unwrap();
    script().insert(silent.clone());
    let plan = async |attribution, mode| {
        let options = PlanOptions {
            mode,
            attribution,
            ..PlanOptions::default()
        };
        let planned = world.plan_with(&stack, options).await.unwrap();
        assert_eq!(planned.plan.drift.len(), 4);
        planned.changed_by
    };
    assert!(plan(None, Mode::Refresh).await.is_empty());
    let when = std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let by = |who: &str| {
        ChangedBy::Told(Attribution {
            who: Some(who.into()),
            when: Some(when),
            how: Some("console".into()),
        })
    };
    for (patience, mode) in [(0, Mode::Refresh), (50, Mode::Apply), (0, Mode::Destroy)] {
        let patience = Duration::from_millis(patience);
        let found = plan(Some(patience), mode).await;
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[&addr(&told)], by("ada\u{fffd}[2J root\u{fffd}"));
        assert_eq!(found[&addr(&gone)], by("bob"));
        let ChangedBy::NotTold(why) = &found[&addr(&silent)] else {
            panic!("{found:?}");
        };
        assert!(why.contains("did not say within"), "{why}");
    }
    script().clear();
    *world.script.panic_in.lock().unwrap() = "changed_by";
    let found = plan(Some(Duration::from_secs(60)), Mode::Apply).await;
    assert_eq!(found.len(), 4);
    for by in found.values() {
        assert!(
            matches!(by, ChangedBy::NotTold(why) if why.contains("crashed")),
            "{by:?}"
        );
    }
}
