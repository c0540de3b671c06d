//! What happens to objects: created, updated, replaced, deleted, drifted, kept.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, actions, addr, thing};
use weir_core::{
    Value,
    change::{Action, Orphan, Reason, ReplaceOrder},
};
use weir_engine::{Mode, PlanOptions, Refresh, Status};

const CBD: &str = "lifecycle { create_before_destroy = true }";

#[tokio::test]
async fn what_is_created_is_there_and_the_next_plan_is_empty() {
    let world = World::new();
    let stack = thing("a", "size = 3")
        + &thing("b", "tags = { of = fake_thing.a.id }")
        + "output \"where\" { value = fake_thing.b.endpoint }\n";
    world.converge(&stack).await;
    assert_eq!(world.log(), ["create a", "create b"]);
    let a = world.id("fake_thing.a").await;
    let b = world.value("fake_thing.b").await.unwrap();
    assert_eq!(b.get("tags").unwrap().get("of"), Some(&Value::from(a)));
    assert_eq!(world.output("where").await.as_ref(), b.get("endpoint"));
    let snapshot = weir_state::Store::snapshot(&*world.store).await.unwrap();
    let stored = &snapshot.resources[&addr("fake_thing.b")];
    assert_eq!(stored.dependencies, [addr("fake_thing.a")].into());
}

#[tokio::test]
async fn what_stays_as_it_is_depends_on_what_is_made_beside_it() {
    let world = World::new();
    world.converge(&thing("b", "")).await;
    world
        .converge(&(thing("a", "") + &thing("b", "depends_on = [fake_thing.a]")))
        .await;
    let snapshot = weir_state::Store::snapshot(&*world.store).await.unwrap();
    let stored = &snapshot.resources[&addr("fake_thing.b")];
    assert_eq!(stored.dependencies, [addr("fake_thing.a")].into());
    world.converge("").await;
    assert_eq!(world.log_since(2), ["delete b", "delete a"]);
}

#[tokio::test]
async fn a_module_that_makes_nothing_hands_on_what_it_was_given() {
    let world = World::new();
    let stack = |inner: &str| {
        let call = "module \"m\" {\n  source = \"./m\"\n  given  = fake_thing.z.id\n}\n";
        let last = thing("a", "depends_on = [module.m]");
        let module = format!("--- file m/main.tf\nvariable \"given\" {{}}\n{inner}");
        thing("z", "") + call + &last + &module
    };
    for inner in ["", "output \"o\" {\n  value = var.given\n}\n"] {
        let before = world.log().len();
        world.converge(&stack(inner)).await;
        world.converge("").await;
        let log = ["create z", "create a", "delete a", "delete z"];
        assert_eq!(world.log_since(before), log);
    }
}

#[tokio::test]
async fn an_update_in_place_reaches_who_depends_on_it() {
    let world = World::new();
    let stack = |name: &str| {
        format!(
            "resource \"fake_thing\" \"a\" {{\n  name = \"{name}\"\n}}\n{}",
            thing("b", "tags = { at = fake_thing.a.endpoint }")
        )
    };
    world.converge(&stack("one")).await;
    let planned = world.plan(&stack("two")).await;
    assert_eq!(
        actions(&planned),
        [
            ("fake_thing.a".into(), Action::Update),
            ("fake_thing.b".into(), Action::Update)
        ]
        .into()
    );
    world.converge(&stack("two")).await;
    assert_eq!(
        world.log(),
        ["create one", "create b", "update two", "update b"]
    );
}

#[tokio::test]
async fn a_replacement_deletes_first() {
    let world = World::new();
    let stack = |zone: &str| {
        thing("a", &format!("zone = \"{zone}\"")) + &thing("b", "tags = { of = fake_thing.a.id }")
    };
    world.converge(&stack("x")).await;
    let planned = world.plan(&stack("y")).await;
    let change = &planned.plan.changes[&addr("fake_thing.a")];
    assert_eq!(change.action, Action::Replace(ReplaceOrder::DeleteFirst));
    assert_eq!(
        change.reason,
        Reason::CannotUpdate(vec![weir_core::Path::root().key("zone")])
    );
    world.converge(&stack("y")).await;
    assert_eq!(world.log_since(2), ["delete a", "create a", "update b"]);
}

#[tokio::test]
async fn a_replacement_that_creates_first_moves_its_users_before_the_old_one_goes() {
    let world = World::new();
    let stack = |zone: &str| {
        thing("a", &format!("zone = \"{zone}\"\n{CBD}"))
            + &thing("b", "tags = { of = fake_thing.a.id }")
    };
    world.converge(&stack("x")).await;
    world.converge(&stack("y")).await;
    assert_eq!(world.log_since(2), ["create a", "update b", "delete a"]);
}

#[tokio::test]
async fn orphans_are_deleted_in_reverse_order_with_the_reason() {
    let world = World::new();
    let many = "resource \"fake_thing\" \"n\" {\n  count = 3\n  name = \"n${count.index}\"\n}\n";
    let stack = many.to_owned() + &thing("a", "") + &thing("b", "tags = { of = fake_thing.a.id }");
    world.converge(&stack).await;
    let done = world.log().len();
    let fewer = many.replace('3', "2");
    let planned = world.plan(&fewer).await;
    let reason = |a: &str| planned.plan.changes[&addr(a)].reason.clone();
    assert_eq!(
        reason("fake_thing.n[2]"),
        Reason::NotInConfig(Orphan::Instance)
    );
    assert_eq!(reason("fake_thing.a"), Reason::NotInConfig(Orphan::Block));
    world.converge(&fewer).await;
    let log = world.log_since(done);
    let at = |line: &str| log.iter().position(|l| l == line).unwrap();
    assert_eq!(log.len(), 3);
    assert!(at("delete b") < at("delete a"));
}

#[tokio::test]
async fn destroy_leaves_nothing() {
    let world = World::new();
    let stack = thing("a", "")
        + &thing("b", "tags = { of = fake_thing.a.id }")
        + "output \"id\" { value = fake_thing.a.id }\n";
    world.converge(&stack).await;
    let destroy = PlanOptions {
        mode: Mode::Destroy,
        ..PlanOptions::default()
    };
    let report = world.apply_with(&stack, destroy).await;
    assert_eq!(report.status, Status::Succeeded);
    assert_eq!(world.log_since(2), ["delete b", "delete a"]);
    assert!(weir_state::Store::is_empty(&*world.store).await.unwrap());
}

#[tokio::test]
async fn drift_is_found_told_apart_and_put_right() {
    let world = World::new();
    let stack = thing("a", "size = 1") + &thing("b", "");
    world.converge(&stack).await;
    world
        .cloud()
        .tamper(&world.id("fake_thing.a").await, "size", Value::from(9))
        .unwrap();
    world
        .cloud()
        .vanish(&world.id("fake_thing.b").await)
        .unwrap();
    let blind = PlanOptions {
        refresh: Refresh::Nothing,
        ..PlanOptions::default()
    };
    assert!(world.plan_with(&stack, blind).await.unwrap().is_empty());
    let planned = world.plan(&stack).await;
    let change = |a: &str| planned.plan.changes[&addr(a)].clone();
    assert_eq!(change("fake_thing.a").action, Action::Update);
    assert_eq!(change("fake_thing.a").reason, Reason::Drifted);
    assert_eq!(change("fake_thing.b").action, Action::Create);
    assert_eq!(change("fake_thing.b").reason, Reason::Drifted);
    assert_eq!(planned.plan.drift.len(), 2);
    world.converge(&stack).await;
}

#[tokio::test]
async fn drift_that_nobody_asks_for_is_recorded_and_not_undone() {
    let world = World::new();
    let stack = thing("a", "");
    world.converge(&stack).await;
    world
        .cloud()
        .tamper(&world.id("fake_thing.a").await, "class", Value::from("big"))
        .unwrap();
    let planned = world.plan(&stack).await;
    assert!(planned.is_empty());
    assert_eq!(planned.plan.drift.len(), 1);
    world.apply(&stack).await;
    let class = world
        .value("fake_thing.a")
        .await
        .unwrap()
        .get("class")
        .cloned();
    assert_eq!(class, Some(Value::from("big")));
}

#[tokio::test]
async fn an_orphan_that_is_gone_is_forgotten() {
    let world = World::new();
    world.converge(&thing("a", "")).await;
    world
        .cloud()
        .vanish(&world.id("fake_thing.a").await)
        .unwrap();
    let planned = world.plan("").await;
    assert_eq!(
        actions(&planned),
        [("fake_thing.a".into(), Action::Forget)].into()
    );
    world.converge("").await;
    assert!(weir_state::Store::is_empty(&*world.store).await.unwrap());
}

#[tokio::test]
async fn a_target_is_all_that_changes() {
    let world = World::new();
    let stack = thing("a", "") + &thing("b", "tags = { of = fake_thing.a.id }") + &thing("c", "");
    let targets = vec!["fake_thing.b".parse().unwrap()];
    world
        .apply_with(
            &stack,
            PlanOptions {
                targets,
                ..PlanOptions::default()
            },
        )
        .await;
    assert_eq!(world.log(), ["create a", "create b"]);
    world.converge(&stack).await;
    assert_eq!(world.log_since(2), ["create c"]);
}

#[tokio::test]
async fn a_requested_replacement_is_done() {
    let world = World::new();
    let stack = thing("a", "");
    world.converge(&stack).await;
    let replace = vec![addr("fake_thing.a")];
    world
        .apply_with(
            &stack,
            PlanOptions {
                replace,
                ..PlanOptions::default()
            },
        )
        .await;
    assert_eq!(world.log_since(1), ["delete a", "create a"]);
}

#[tokio::test]
async fn what_is_protected_stays() {
    let world = World::new();
    let keep = |zone: &str| {
        thing(
            "a",
            &format!("zone = \"{zone}\"\nlifecycle {{ prevent_destroy = true }}"),
        )
    };
    world.converge(&keep("x")).await;
    let refused = world
        .plan_with(&keep("y"), PlanOptions::default())
        .await
        .err()
        .unwrap();
    assert_eq!(refused.0[0].summary, "fake_thing.a can't be replaced");
    assert!(refused.0[0].snippet.is_some());
    let destroy = PlanOptions {
        mode: Mode::Destroy,
        ..PlanOptions::default()
    };
    assert!(world.plan_with(&keep("x"), destroy).await.is_err());
}

#[tokio::test]
async fn ignored_changes_are_left_alone() {
    let world = World::new();
    let stack = |size: u8, tag: &str| {
        thing(
            "a",
            &format!(
                "size = {size}\ntags = {{ by = \"{tag}\" }}\n\
                 lifecycle {{ ignore_changes = [size] }}"
            ),
        )
    };
    world.converge(&stack(1, "x")).await;
    assert!(world.plan(&stack(2, "x")).await.is_empty());
    world.converge(&stack(2, "y")).await;
    let value = world.value("fake_thing.a").await.unwrap();
    assert_eq!(value.get("size"), Some(&Value::from(1)));
}

#[tokio::test]
async fn data_is_read_when_its_inputs_are_known_and_what_it_needs_is_done() {
    let world = World::new();
    let stack = thing("a", "size = 4")
        + "data \"fake_lookup\" \"a\" {\n  name = fake_thing.a.name\n}\n"
        + &thing("b", "tags = { of = data.fake_lookup.a.id }");
    let planned = world.plan(&stack).await;
    assert_eq!(
        planned.plan.changes[&addr("data.fake_lookup.a")].action,
        Action::Read
    );
    world.converge(&stack).await;
    let b = world.value("fake_thing.b").await.unwrap();
    let of = b.get("tags").unwrap().get("of").unwrap().clone();
    assert_eq!(of, Value::from(world.id("fake_thing.a").await));
    let snapshot = weir_state::Store::snapshot(&*world.store).await.unwrap();
    assert_eq!(
        snapshot.resources[&addr("fake_thing.b")].dependencies,
        [addr("fake_thing.a")].into(),
        "what lies behind a data source is recorded in its place"
    );
}

#[tokio::test]
async fn a_data_source_waits_for_changes_of_what_its_own_block_names() {
    let world = World::new();
    world.converge(&thing("a", "size = 4")).await;
    let data = |name: &str, body: &str| format!("data \"fake_lookup\" \"{name}\" {{\n{body}\n}}\n");
    let checked = "name = local.name\nlifecycle {\n  postcondition {\n    condition = self.size == 5\n    \
                   error_message = \"No.\"\n  }\n}";
    let stack = thing("a", "size = 5")
        + "locals {\n  name = fake_thing.a.name\n}\n"
        + &data("direct", "name = fake_thing.a.name")
        + &data("depends", "name = \"a\"\ndepends_on = [fake_thing.a]")
        + &data("checked", checked)
        + &data("by_local", "name = local.name")
        + &data(
            "of_data",
            "name = \"a\"\ndepends_on = [data.fake_lookup.by_local]",
        )
        + &data("free", "name = \"a\"");
    let planned = world.plan(&stack).await;
    let waits = |name: &str| {
        let change = planned
            .plan
            .changes
            .get(&addr(&format!("data.fake_lookup.{name}")));
        change.is_some_and(|c| c.action == Action::Read)
    };
    for name in ["direct", "depends", "checked"] {
        assert!(waits(name), "{name}");
    }
    for name in ["by_local", "of_data", "free"] {
        assert!(!waits(name), "{name}");
    }
    world.converge(&stack).await;
}

#[tokio::test]
async fn a_secret_is_marked_in_state_and_in_outputs() {
    let world = World::new();
    let stack = thing("a", "secret = \"hunter2\"")
        + "output \"s\" {\n  value = fake_thing.a.secret\n  sensitive = true\n}\n";
    world.converge(&stack).await;
    let value = world.value("fake_thing.a").await.unwrap();
    assert!(value.get("secret").unwrap().is_sensitive());
    assert!(world.output("s").await.unwrap().is_sensitive());
    assert!(!format!("{:?}", world.events.take()).contains("hunter2"));
}

#[tokio::test]
async fn a_dependency_that_changes_alone_is_recorded() {
    let world = World::new();
    let stack = |on: &str| thing("a", "") + &thing("b", "") + &thing("c", on);
    world.converge(&stack("depends_on = [fake_thing.a]")).await;
    let after = stack("depends_on = [fake_thing.b]");
    assert!(world.plan(&after).await.is_empty());
    world.apply(&after).await;
    let snapshot = weir_state::Store::snapshot(&*world.store).await.unwrap();
    assert_eq!(
        snapshot.resources[&addr("fake_thing.c")].dependencies,
        [addr("fake_thing.b")].into()
    );
}

#[tokio::test]
async fn terraform_data_lives_in_state_alone() {
    let world = World::new();
    let stack = |input: &str| {
        format!(
            "resource \"terraform_data\" \"a\" {{ input = \"{input}\" }}\n\
             resource \"terraform_data\" \"b\" {{ input = terraform_data.a.output }}\n\
             output \"b\" {{ value = terraform_data.b.output }}\n"
        )
    };
    world.converge(&stack("one")).await;
    world.converge(&stack("two")).await;
    assert_eq!(world.output("b").await, Some(Value::from("two")));
}

#[tokio::test]
async fn a_provider_whose_configuration_is_known_at_apply_alone() {
    let mut world = World::new();
    world.cloud_expression = Some("terraform_data.cloud.output".into());
    let path = world.cloud_path().display().to_string();
    let stack = format!("resource \"terraform_data\" \"cloud\" {{ input = {path:?} }}\n")
        + &thing("a", "")
        + &thing("b", "tags = { of = fake_thing.a.id }");
    world.converge(&stack).await;
    assert_eq!(world.log(), ["create a", "create b"]);
}

#[tokio::test]
async fn an_object_that_is_not_to_be_destroyed_is_forgotten_also_once_its_block_is_gone() {
    let world = World::new();
    let kept = |name: &str| thing(name, "lifecycle { destroy = false }");
    world.converge(&(kept("a") + &thing("b", ""))).await;
    let planned = world.plan("").await;
    let expected = [
        ("fake_thing.a".to_owned(), Action::Forget),
        ("fake_thing.b".to_owned(), Action::Delete),
    ];
    assert_eq!(actions(&planned), expected.into());
    // A `removed` block has the last word.
    let removed = "removed {\n  from = fake_thing.a\n  lifecycle {\n    destroy = true\n  }\n}\n";
    let planned = world.plan(&(thing("b", "") + removed)).await;
    let expected = [("fake_thing.a".to_owned(), Action::Delete)];
    assert_eq!(actions(&planned), expected.into());
    // Taken back, and recorded though nothing else changes.
    world.converge(&(thing("a", "") + &thing("b", ""))).await;
    let planned = world.plan("").await;
    assert!(actions(&planned).values().all(|a| *a == Action::Delete));
    // And given again.
    world.converge(&(kept("a") + &thing("b", ""))).await;
    world.converge("").await;
    assert_eq!(world.cloud().objects().unwrap().len(), 1);
    assert!(weir_state::Store::is_empty(&*world.store).await.unwrap());
}
