//! How steps run: together, stopped, failed, stale, kept in a file.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, actions, addr, results, thing};
use std::{
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use weir_core::{change::Action, event::Event, snapshot::Status as Whole};
use weir_engine::{Mode, Moment, PlanOptions, Point, Probe, Record, Status, planfile::SavedPlan};
use weir_lang::NoCatalog;
use weir_state::{ApplyOutcome, Holder, Store};

/// Long enough for the slowest machine; nothing waits for it unless something is wrong.
const PATIENCE: Duration = Duration::from_secs(120);

fn fails(world: &World, addresses: &[&str]) {
    *world.script.fail.lock().unwrap() = addresses.iter().map(|a| (*a).to_owned()).collect();
}

#[tokio::test]
async fn a_failure_stops_what_depends_on_it_and_nothing_else() {
    let world = World::new();
    let stack = thing("a", "")
        + &thing("b", "tags = { of = fake_thing.a.id }")
        + &thing("c", "tags = { of = fake_thing.b.id }")
        + &thing("d", "")
        + "output \"c\" { value = fake_thing.c.id }\noutput \"d\" { value = fake_thing.d.id }\n";
    fails(&world, &["fake_thing.a"]);
    let report = world.apply(&stack).await;
    assert_eq!(report.status, Status::Failed);
    assert_eq!(
        results(&report),
        [
            "create fake_thing.a: failed",
            "create fake_thing.b: skipped because of fake_thing.a",
            "create fake_thing.c: skipped because of fake_thing.a",
            "create fake_thing.d: done",
        ]
    );
    let error = &report.diagnostics.0[0];
    assert_eq!(error.summary, "the script says no");
    assert_eq!(error.address, Some(addr("fake_thing.a")));
    assert!(error.snippet.is_some(), "the block is shown");
    assert_eq!(report.outputs.keys().collect::<Vec<_>>(), ["d"]);
    let history = world.store.history().await.unwrap();
    assert!(matches!(
        history[0].record.outcome,
        ApplyOutcome::Failed { .. }
    ));
    fails(&world, &[]);
    world.converge(&stack).await;
    assert_eq!(world.log().len(), 4);
}

#[tokio::test]
async fn a_failed_update_keeps_what_was() {
    let world = World::new();
    let stack = |size: u8| {
        thing("a", &format!("size = {size}")) + "output \"size\" { value = fake_thing.a.size }\n"
    };
    world.converge(&stack(1)).await;
    fails(&world, &["fake_thing.a"]);
    let report = world.apply(&stack(2)).await;
    assert_eq!(report.status, Status::Failed);
    assert_eq!(
        world.output("size").await,
        Some(1.into()),
        "what was not done is no output"
    );
    fails(&world, &[]);
    world.converge(&stack(2)).await;
    assert_eq!(world.output("size").await, Some(2.into()));
}

#[tokio::test]
async fn operations_of_one_zone_go_in_one_call_and_fail_one_by_one() {
    let mut world = World::new();
    world.settings = "batch = true".into();
    let zone = "zone = \"z\"";
    let stack = thing("a", zone)
        + &thing("b", zone)
        + &thing("c", zone)
        + &thing(
            "after",
            &format!("{zone}\ntags = {{ of = fake_thing.b.id }}"),
        );
    fails(&world, &["fake_thing.b"]);
    let report = world.apply(&stack).await;
    assert_eq!(
        results(&report),
        [
            "create fake_thing.a: done",
            "create fake_thing.after: skipped because of fake_thing.b",
            "create fake_thing.b: failed",
            "create fake_thing.c: done",
        ]
    );
    fails(&world, &[]);
    world.converge(&stack).await;
    let destroy = PlanOptions {
        mode: Mode::Destroy,
        ..PlanOptions::default()
    };
    let report = world.apply_with(&stack, destroy).await;
    assert_eq!(report.status, Status::Succeeded);
    assert!(weir_state::Store::is_empty(&*world.store).await.unwrap());
}

#[tokio::test]
async fn calls_run_together_and_never_more_than_allowed() {
    let mut world = World::new();
    world.parallelism = 4;
    // Four calls must meet before any goes on: with less than four at a time this never ends.
    *world.script.together.lock().unwrap() = Some(Arc::new(tokio::sync::Barrier::new(4)));
    let stack: String = (0..12).map(|i| thing(&format!("t{i}"), "")).collect();
    let report = tokio::time::timeout(PATIENCE, world.apply(&stack))
        .await
        .unwrap();
    assert_eq!(report.status, Status::Succeeded);
    assert_eq!(world.script.peak.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_batch_key_has_one_call_at_a_time() {
    let mut world = World::new();
    world.settings = "batch = true\nlatency_ms = 1".into();
    // Two levels of one zone whose steps are ready at different times, and a free one.
    let stack = thing("a", "zone = \"z\"")
        + &thing("x", "")
        + &thing("b", "zone = \"z\"\ntags = { of = fake_thing.x.id }")
        + &thing("c", "zone = \"z\"\ntags = { of = fake_thing.b.id }");
    world.converge(&stack).await;
    let mut busy = false;
    for event in world.events.take() {
        match event {
            Event::Started { address, .. } if address != addr("fake_thing.x") => {
                assert!(!busy, "two calls for one zone at a time");
                busy = true;
            }
            Event::Finished { address, .. } if address != addr("fake_thing.x") => busy = false,
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_stop_begins_nothing_more_and_records_what_is_in_flight() {
    let mut world = World::new();
    world.parallelism = 2;
    let stop = CancellationToken::new();
    let trigger = stop.clone();
    *world.script.at_apply.lock().unwrap() = Some(Arc::new(move |_| trigger.cancel()));
    let stack: String = (0..6).map(|i| thing(&format!("t{i}"), "")).collect();
    let lease = world.lease().await;
    let engine = world.engine();
    let planned = engine.plan(&world.input(&stack), &lease).await.unwrap();
    let report = engine.apply(&planned, &lease, stop).await.unwrap();
    world.store.release(lease).await.unwrap();
    assert_eq!(report.status, Status::Interrupted);
    let done = report
        .nodes
        .iter()
        .filter(|n| n.result == weir_engine::NodeResult::Done)
        .count();
    assert!((1..=2).contains(&done), "{:?}", results(&report));
    assert_eq!(world.log().len(), done);
    let snapshot = world.store.snapshot().await.unwrap();
    assert_eq!(
        snapshot.resources.len(),
        done,
        "what was in flight is recorded"
    );
    *world.script.at_apply.lock().unwrap() = None;
    world.converge(&stack).await;
    assert_eq!(world.log().len(), 6);
}

/// Cancels at the hundredth commit.
struct Cancels {
    commits: AtomicUsize,
    stop: CancellationToken,
}
impl Probe for Cancels {
    fn at(&self, point: Point<'_>) {
        if (point.moment, point.record) == (Moment::After, Record::Commit)
            && self.commits.fetch_add(1, Ordering::SeqCst) == 99
        {
            self.stop.cancel();
        }
    }
}

#[tokio::test]
async fn a_stop_takes_back_what_was_recorded_ahead_of_its_call() {
    let world = World::new();
    let stop = CancellationToken::new();
    let probe = Cancels {
        commits: AtomicUsize::new(0),
        stop: stop.clone(),
    };
    // Nothing is quicker than these, so that their records run ahead of them.
    let stack: String = (0..2_000)
        .map(|i| format!("resource \"terraform_data\" \"t{i}\" {{}}\n"))
        .collect();
    let lease = world.lease().await;
    let engine = world.engine().with_probe(Arc::new(probe));
    let planned = engine.plan(&world.input(&stack), &lease).await.unwrap();
    let report = engine.apply(&planned, &lease, stop).await.unwrap();
    world.store.release(lease).await.unwrap();
    assert_eq!(report.status, Status::Interrupted);
    let done = report
        .nodes
        .iter()
        .filter(|n| n.result == weir_engine::NodeResult::Done)
        .count();
    let snapshot = world.store.snapshot().await.unwrap();
    assert_eq!(snapshot.resources.len(), done);
    assert!((100..2_000).contains(&done), "{done}");
    assert_eq!(world.store.open_entries().await.unwrap(), []);
    world.converge(&stack).await;
}

#[tokio::test]
async fn a_lost_lease_begins_nothing_more() {
    let mut world = World::new();
    world.parallelism = 1;
    let stack: String = (0..5).map(|i| thing(&format!("t{i}"), "")).collect();
    let lease = world.lease().await;
    let engine = world.engine();
    let planned = engine.plan(&world.input(&stack), &lease).await.unwrap();
    let thief = Holder::this_process("thief", "unlock");
    world.store.unlock(lease.epoch(), thief).await.unwrap();
    let report = engine
        .apply(&planned, &lease, CancellationToken::new())
        .await;
    drop(lease);
    match report {
        Err(_) => {}
        Ok(report) => assert_eq!(report.status, Status::Failed),
    }
    assert!(world.log().len() <= 1, "{:?}", world.log());
    world.converge(&stack).await;
    assert_eq!(world.log().len(), 5);
}

#[tokio::test]
async fn a_stale_plan_names_what_changed_since() {
    let world = World::new();
    let things = |names: &[&str], size: u8| -> String {
        let body = format!("size = {size}");
        names.iter().map(|n| thing(n, &body)).collect()
    };
    world.converge(&things(&["a", "b", "kept"], 1)).await;
    let early = world.plan(&things(&["a"], 9)).await;
    let stack = things(&["a"], 2)
        + &things(&["kept"], 1)
        + &things(&["n1", "n2", "n3", "n4", "n5", "n6", "n7"], 1);
    world.converge(&stack).await;
    let lease = world.lease().await;
    let stop = CancellationToken::new();
    let refused = world.engine().apply(&early, &lease, stop).await;
    let detail = refused.err().unwrap().0[0].detail.clone();
    for part in [
        "tester applied a plan of another configuration 0 seconds ago",
        " Changed since: fake_thing.a.",
        " New since: fake_thing.n1, fake_thing.n2, fake_thing.n3, fake_thing.n4, fake_thing.n5 and 2 more.",
        " Gone since: fake_thing.b.",
    ] {
        // Where the machine is busy it may be a second or two.
        let same = |text: &str| {
            text.replace("1 second ", "0 seconds ")
                .replace("2 seconds", "0 seconds")
        };
        assert!(same(&detail).contains(part), "{part}: {detail}");
    }
    assert!(!detail.contains("kept"), "{detail}");
    world.store.release(lease).await.unwrap();
    // What was edited by hand is no apply, and is told as well.
    let early = world.plan(&(stack.clone() + &thing("late", ""))).await;
    let lease = world.lease().await;
    world
        .store
        .forget(&lease, &addr("fake_thing.n7"))
        .await
        .unwrap();
    let stop = CancellationToken::new();
    let refused = world.engine().apply(&early, &lease, stop).await;
    let detail = refused.err().unwrap().0[0].detail.clone();
    assert!(detail.ends_with("Gone since: fake_thing.n7."), "{detail}");
    assert!(!detail.contains("applied"), "{detail}");
}

#[tokio::test]
async fn a_stale_plan_is_refused_with_what_changed_since() {
    let world = World::new();
    let early = world.plan(&thing("a", "")).await;
    world.converge(&thing("b", "")).await;
    let lease = world.lease().await;
    let refused = world
        .engine()
        .apply(&early, &lease, CancellationToken::new())
        .await;
    let refused = refused.err().unwrap();
    assert_eq!(refused.0[0].summary, "the plan is out of date");
    assert!(
        refused.0[0]
            .detail
            .starts_with("It was made from serial 0, and state is at serial")
    );
    assert!(
        refused.0[0].detail.contains("tester applied a plan"),
        "{}",
        refused.0[0].detail
    );
    assert_eq!(world.log(), ["create b"]);
}

#[tokio::test]
async fn two_plans_of_the_same_are_the_same_bytes() {
    let world = World::new();
    let stack: String = (0..40)
        .map(|i| {
            let tags = if i > 0 {
                format!("tags = {{ of = fake_thing.t{}.id }}", i / 3)
            } else {
                String::new()
            };
            thing(&format!("t{i}"), &tags)
        })
        .map(|t| t.replace("tags = { of = fake_thing.t0.id }", ""))
        .collect();
    let first = world.plan(&stack).await;
    let second = world.plan(&stack).await;
    assert_eq!(first.to_bytes(), second.to_bytes());
    assert_eq!(first.digest(), second.digest());
    world.converge(&stack).await;
    assert_eq!(
        world.plan(&stack).await.to_bytes(),
        world.plan(&stack).await.to_bytes()
    );
}

#[tokio::test]
async fn a_plan_in_a_file_does_exactly_what_it_says() {
    let world = World::new();
    let stack = thing("a", "secret = \"s\"") + &thing("b", "tags = { of = fake_thing.a.id }");
    world.converge(&thing("b", "zone = \"x\"")).await;
    let planned = world.plan(&stack).await;
    let bytes = planned.to_bytes();
    let saved = SavedPlan::read(&bytes, common::no_files(), &NoCatalog).unwrap();
    assert_eq!(saved.plan(), planned.plan.plan());
    let lease = world.lease().await;
    let engine = world.engine();
    let opened = engine.open(saved, &lease).await.unwrap();
    assert_eq!(opened.to_bytes(), bytes);
    let report = engine
        .apply(&opened, &lease, CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(report.status, Status::Succeeded, "{}", report.diagnostics);
    // Once more is stale.
    let again = SavedPlan::read(&bytes, common::no_files(), &NoCatalog).unwrap();
    let refused = engine.open(again, &lease).await.err().unwrap();
    assert_eq!(refused.0[0].summary, "the plan is out of date");
    world.store.release(lease).await.unwrap();
    world.assert_settled(&stack).await;
}

#[tokio::test]
async fn a_file_that_is_no_plan_is_refused() {
    let refuse = |bytes: &[u8]| {
        SavedPlan::read(bytes, common::no_files(), &NoCatalog)
            .err()
            .unwrap()
            .0[0]
            .summary
            .clone()
    };
    assert_eq!(refuse(b"hello"), "this is not a plan file");
    assert_eq!(
        refuse(br#"{"format":"else","version":1}"#),
        "this is not a plan file"
    );
    assert_eq!(
        refuse(br#"{"format":"weir-plan","version":99}"#),
        "the plan file was written by a newer weir"
    );
    assert_eq!(
        refuse(br#"{"format":"weir-plan","version":1}"#),
        "the plan file is damaged"
    );
}

#[tokio::test]
async fn a_provider_that_breaks_its_word_is_named_and_its_object_tainted() {
    let world = World::new();
    let stack = thing("a", "");
    world
        .script
        .lie
        .lock()
        .unwrap()
        .insert("fake_thing.a".into());
    let report = world.apply(&stack).await;
    assert_eq!(report.status, Status::Failed);
    assert!(
        format!("{}", report.diagnostics).contains("fake"),
        "{}",
        report.diagnostics
    );
    let snapshot = world.store.snapshot().await.unwrap();
    assert_eq!(
        snapshot.resources[&addr("fake_thing.a")].status,
        Whole::Tainted
    );
    world.script.lie.lock().unwrap().clear();
    let planned = world.plan(&stack).await;
    assert!(matches!(
        actions(&planned)["fake_thing.a"],
        Action::Replace(_)
    ));
    world.converge(&stack).await;
    assert_eq!(world.log(), ["create a", "delete a", "create a"]);
}

#[tokio::test]
async fn a_provider_that_panics_fails_its_operation_alone() {
    let world = World::new();
    let stack = thing("a", "") + &thing("b", "");
    world
        .script
        .panic
        .lock()
        .unwrap()
        .insert("fake_thing.a".into());
    let report = world.apply(&stack).await;
    assert_eq!(
        results(&report),
        ["create fake_thing.a: failed", "create fake_thing.b: done"]
    );
    assert_eq!(
        world.store.open_entries().await.unwrap().len(),
        1,
        "it is to be found out"
    );
    world.script.panic.lock().unwrap().clear();
    world.converge(&stack).await;
    assert_eq!(world.log().len(), 2);
}

#[tokio::test]
async fn what_can_not_be_settled_stays_and_is_told() {
    let world = World::new();
    let stack = thing("a", "") + &thing("b", "");
    world
        .script
        .panic
        .lock()
        .unwrap()
        .insert("fake_thing.a".into());
    world.apply(&stack).await;
    world.script.panic.lock().unwrap().clear();
    *world.script.undecided.lock().unwrap() = true;
    let planned = world.plan(&stack).await;
    assert_eq!(planned.unsettled[0].address, addr("fake_thing.a"));
    assert!(planned.unsettled[0].reason.contains("does not answer"));
    assert!(
        planned.warnings.0[0]
            .summary
            .contains("an earlier creation is not settled")
    );
    let report = world.apply(&stack).await;
    assert_eq!(report.status, Status::Failed);
    assert_eq!(
        world.log(),
        ["create b"],
        "nothing is made before that is known"
    );
    *world.script.undecided.lock().unwrap() = false;
    world.converge(&stack).await;
    assert_eq!(world.log(), ["create b", "create a"]);
}

#[tokio::test]
async fn an_old_object_that_could_not_be_deleted_is_deleted_by_the_next_run() {
    let world = World::new();
    let stack = |zone: &str| {
        thing(
            "a",
            &format!("zone = \"{zone}\"\nlifecycle {{ create_before_destroy = true }}"),
        ) + &thing("b", "tags = { of = fake_thing.a.id }")
    };
    world.converge(&stack("x")).await;
    fails(&world, &["fake_thing.b"]);
    let report = world.apply(&stack("y")).await;
    assert_eq!(
        results(&report),
        [
            "create fake_thing.a: done",
            "delete fake_thing.a: skipped because of fake_thing.b",
            "update fake_thing.b: failed",
        ]
    );
    fails(&world, &[]);
    let planned = world.plan(&stack("y")).await;
    assert_eq!(planned.plan.deposed[0].address, addr("fake_thing.a"));
    assert!(!planned.is_empty());
    world.converge(&stack("y")).await;
    assert_eq!(world.log_since(2), ["create a", "update b", "delete a"]);
    assert_eq!(world.cloud().objects().unwrap().len(), 2);
}

#[tokio::test]
async fn errors_of_several_instances_come_together() {
    let world = World::new();
    let stack = thing("a", "size = 5000") + &thing("b", "size = 5000") + &thing("c", "");
    let errors = world
        .plan_with(&stack, PlanOptions::default())
        .await
        .err()
        .unwrap();
    assert_eq!(
        errors.0.iter().filter(|d| d.is_error()).count(),
        2,
        "{errors}"
    );
    assert!(
        errors
            .0
            .iter()
            .all(|d| d.span.is_some() && d.address.is_some())
    );
    assert!(world.log().is_empty());
}

#[tokio::test]
async fn two_thousand_things() {
    let world = World::new();
    let stack = "resource \"terraform_data\" \"n\" {\n  count = 1000\n  input = count.index\n}\n\
                 resource \"terraform_data\" \"m\" {\n  count = 1000\n  input = terraform_data.n[count.index].output\n}\n";
    let report = world.apply(stack).await;
    assert_eq!(report.status, Status::Succeeded);
    assert_eq!(report.nodes.len(), 2_000);
    world.assert_settled(stack).await;
}

#[tokio::test]
async fn a_final_plan_that_says_something_else_is_refused() {
    let world = World::new();
    let stack = thing("a", "") + &thing("b", "class = \"first\"\ntags = { of = fake_thing.a.id }");
    world
        .script
        .waver
        .lock()
        .unwrap()
        .insert("fake_thing.b".into(), 0);
    let report = world.apply(&stack).await;
    assert_eq!(
        results(&report),
        ["create fake_thing.a: done", "create fake_thing.b: failed"]
    );
    let text = report.diagnostics.to_string();
    assert!(
        text.contains("plans something else at apply than it had planned"),
        "{text}"
    );
    assert_eq!(world.log(), ["create a"]);
    assert!(world.store.open_entries().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_provider_block_that_is_gone_is_asked_back_once() {
    let world = World::new();
    world.converge(&(thing("a", "") + &thing("b", ""))).await;
    let lease = world.lease().await;
    let files = Arc::new(weir_lang::MemoryFiles::of([("main.weir.hcl", "")]));
    let inputs = weir_lang::Inputs::default();
    let config = weir_lang::load(files, &NoCatalog, &inputs)
        .unwrap_or_else(|d| panic!("{d}"))
        .config;
    let input = weir_engine::PlanInput {
        config,
        inputs,
        options: PlanOptions::default(),
    };
    let errors = world.engine().plan(&input, &lease).await.err().unwrap();
    assert_eq!(errors.0.len(), 1, "{errors}");
    assert_eq!(errors.0[0].summary, "provider fake is not configured");
    assert!(
        errors.0[0].detail.contains("fake_thing.a and 1 more"),
        "{errors}"
    );
}

#[tokio::test]
async fn an_apply_with_nothing_new_leaves_no_trace() {
    let world = World::new();
    let stack = |most: u32| {
        thing("a", "")
            + &format!(
                "check \"size\" {{\n  assert {{\n    condition     = length(fake_thing.a.name) < {most}\n    \
                 error_message = \"too many\"\n  }}\n}}\n"
            )
    };
    let told = async || world.store.history().await.unwrap().len();
    let serial = async || world.store.snapshot().await.unwrap().serial;
    world.converge(&stack(5)).await;
    let (before, was) = (told().await, serial().await);
    assert_eq!(before, 1);
    // The same conditions come to the same.
    world.converge(&stack(5)).await;
    world.converge(&stack(4)).await;
    assert_eq!((told().await, serial().await), (before, was));
    // What they come to is kept with the state, and is news.
    world.converge(&stack(1)).await;
    assert_eq!((told().await, serial().await), (before + 1, was));
    world.converge(&stack(1)).await;
    assert_eq!(told().await, before + 1);
    let last = world.store.history().await.unwrap().pop().unwrap();
    let checks = last.record.checks.unwrap();
    assert_eq!(checks[0].instances[0].problems, ["too many"]);
    // Without conditions there is none that came to something.
    world.converge(&thing("a", "")).await;
    assert_eq!(told().await, before + 2);
    world.converge(&thing("a", "")).await;
    assert_eq!(told().await, before + 2);
}
