//! `moved`, `removed`, `import` and `replace_triggered_by`.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, actions, addr, thing};
use weir_core::{
    Address,
    change::{Action, Orphan, Reason, ReplaceOrder},
};
use weir_engine::{Mode, PlanOptions, Planned};
use weir_state::Store as _;

const DELETE_FIRST: Action = Action::Replace(ReplaceOrder::DeleteFirst);

fn data(name: &str, body: &str) -> String {
    format!("resource \"terraform_data\" \"{name}\" {{\n{body}\n}}\n")
}

fn moved(from: &str, to: &str) -> String {
    format!("moved {{\n  from = {from}\n  to   = {to}\n}}\n")
}

/// `new < old` of each that moves.
fn moves(planned: &Planned) -> Vec<String> {
    let changes = planned.plan.changes.values();
    changes
        .filter_map(|c| Some(format!("{} < {}", c.address, c.moved_from.as_ref()?)))
        .collect()
}

async fn addresses(world: &World) -> Vec<String> {
    let snapshot = world.store.snapshot().await.unwrap();
    snapshot.resources.keys().map(Address::to_string).collect()
}

async fn dependencies(world: &World, address: &str) -> Vec<String> {
    let snapshot = world.store.snapshot().await.unwrap();
    let of = &snapshot.resources[&addr(address)].dependencies;
    of.iter().map(Address::to_string).collect()
}

#[tokio::test]
async fn a_resource_gets_its_new_name_and_nothing_is_done_to_it() {
    let world = World::new();
    let user = |name: &str| data("user", &format!("input = terraform_data.{name}.id"));
    world.converge(&(data("a", "") + &user("a"))).await;
    let id = world.value("terraform_data.a").await.unwrap();
    let stack = data("b", "") + &user("b") + &moved("terraform_data.a", "terraform_data.b");
    let planned = world.plan(&stack).await;
    assert_eq!(moves(&planned), ["terraform_data.b < terraform_data.a"]);
    assert!(planned.plan.nodes.is_empty());
    assert!(!planned.is_empty(), "a move is to be recorded");
    world.converge(&stack).await;
    assert_eq!(world.value("terraform_data.b").await.unwrap(), id);
    assert_eq!(
        addresses(&world).await,
        ["terraform_data.b", "terraform_data.user"]
    );
    assert_eq!(
        dependencies(&world, "terraform_data.user").await,
        ["terraform_data.b"]
    );
}

#[tokio::test]
async fn a_chain_of_moves_is_one_move() {
    let world = World::new();
    let each = |keys: &str| {
        data(
            "a",
            &format!("for_each = toset([{keys}])\ninput = each.key"),
        )
    };
    world.converge(&each("\"x\", \"y\"")).await;
    // The second statement stands first: the order is that of the addresses.
    let stack = each("\"y\", \"z\"")
        + &moved("terraform_data.a[\"m\"]", "terraform_data.a[\"z\"]")
        + &moved("terraform_data.a[\"x\"]", "terraform_data.a[\"m\"]");
    let planned = world.plan(&stack).await;
    assert_eq!(
        moves(&planned),
        ["terraform_data.a[\"z\"] < terraform_data.a[\"x\"]"]
    );
    assert_eq!(actions(&planned).len(), 1);
    world.converge(&stack).await;
    // A statement about an instance that is there again would move it with every plan.
    let again = each("\"x\", \"z\"") + &moved("terraform_data.a[\"x\"]", "terraform_data.a[\"q\"]");
    let Err(errors) = world.plan_with(&again, PlanOptions::default()).await else {
        panic!("moved and still there");
    };
    assert!(errors.to_string().contains("still there"), "{errors}");
}

/// A module that is called `call`, with a resource, one that uses it, and a module of its own; what
/// uses its output; and more.
fn tree(call: &str, repeat: &str, user: &str, more: &str) -> String {
    let output = "output \"id\" {\n  value = terraform_data.a.id\n}\n";
    let called = format!("module \"{call}\" {{\n  source = \"./m\"\n  {repeat}\n}}\n");
    let inner = "module \"n\" {\n  source = \"./n\"\n}\n";
    let a = data("a", "");
    let b = data("b", "input = terraform_data.a.id");
    let root = called + &data("user", &format!("input = {user}")) + more;
    format!("{root}--- file m/main.tf\n{a}{b}{inner}{output}--- file m/n/main.tf\n{a}")
}

#[tokio::test]
async fn a_module_moves_with_all_in_it() {
    let world = World::new();
    world.converge(&tree("m", "", "module.m.id", "")).await;
    let id = world.value("module.m.module.n.terraform_data.a").await;
    let named = tree("k", "", "module.k.id", &moved("module.m", "module.k"));
    let planned = world.plan(&named).await;
    assert!(planned.plan.nodes.is_empty());
    assert_eq!(
        moves(&planned),
        [
            "module.k.terraform_data.a < module.m.terraform_data.a",
            "module.k.terraform_data.b < module.m.terraform_data.b",
            "module.k.module.n.terraform_data.a < module.m.module.n.terraform_data.a",
        ]
    );
    world.converge(&named).await;
    let now = world.value("module.k.module.n.terraform_data.a").await;
    assert_eq!(now, id);
    assert_eq!(
        dependencies(&world, "terraform_data.user").await,
        ["module.k.terraform_data.a"]
    );
    // Into an instance, and on with the statement of before.
    let keyed = tree(
        "k",
        "for_each = toset([\"x\"])",
        "module.k[\"x\"].id",
        &(moved("module.m", "module.k") + &moved("module.k", "module.k[\"x\"]")),
    );
    let planned = world.plan(&keyed).await;
    assert_eq!(moves(&planned).len(), 3);
    world.converge(&keyed).await;
    assert_eq!(
        dependencies(&world, "module.k[\"x\"].terraform_data.b").await,
        ["module.k[\"x\"].terraform_data.a"]
    );
}

#[tokio::test]
async fn moves_that_overlap() {
    let world = World::new();
    let three = |names: &[&str]| -> String { names.iter().map(|n| data(n, "")).collect() };
    world.converge(&three(&["a", "b", "c"])).await;
    let on = |from: &str, to: &str| {
        moved(
            &format!("terraform_data.{from}"),
            &format!("terraform_data.{to}"),
        )
    };
    let refused = async |stack: &str| match world.plan_with(stack, PlanOptions::default()).await {
        Ok(_) => panic!("planned: {stack}"),
        Err(errors) => errors.to_string(),
    };
    // Whose name another takes can't pass its own on in the same plan: it is still there.
    let passed = three(&["b", "c", "d"]) + &on("a", "b") + &on("b", "c") + &on("c", "d");
    assert!(refused(&passed).await.contains("is still there"));
    let circle = on("a", "b") + &on("b", "c") + &on("c", "a");
    assert!(refused(&circle).await.contains("round in a circle"));
    let swapped = three(&["a", "b"]) + &on("a", "b") + &on("b", "a");
    assert!(refused(&swapped).await.contains("round in a circle"));
    let one = three(&["d"]) + &on("a", "d") + &on("b", "d");
    let said = refused(&one).await;
    assert!(
        said.contains("two things are moved to terraform_data.d"),
        "{said}"
    );
    // One after the other all end at the last, where the first that comes stays.
    let planned = world
        .plan(&(three(&["d"]) + &on("a", "b") + &on("b", "c") + &on("c", "d")))
        .await;
    assert!(!planned.warnings.0.is_empty());
    assert_eq!(addresses(&world).await.len(), 3);
}

#[tokio::test]
async fn count_comes_and_goes() {
    let world = World::new();
    world.converge(&data("a", "")).await;
    let planned = world.plan(&data("a", "count = 2")).await;
    assert_eq!(moves(&planned), ["terraform_data.a[0] < terraform_data.a"]);
    world.converge(&data("a", "count = 2")).await;
    let planned = world.plan(&data("a", "")).await;
    assert_eq!(moves(&planned), ["terraform_data.a < terraform_data.a[0]"]);
    let gone = &planned.plan.changes[&addr("terraform_data.a[1]")];
    assert_eq!(
        (gone.action, &gone.reason),
        (Action::Delete, &Reason::NotInConfig(Orphan::Repetition))
    );
    world.converge(&data("a", "")).await;
}

#[tokio::test]
async fn an_instance_that_goes_is_protected_by_its_block() {
    let world = World::new();
    let kept = |repeat: &str| {
        let lifecycle = "lifecycle {\n  prevent_destroy = true\n}";
        data("a", &format!("{repeat}\n{lifecycle}"))
    };
    world
        .converge(&kept("for_each = toset([\"x\", \"y\"])"))
        .await;
    for repeat in [
        "for_each = toset([\"x\"])",
        "for_each = toset([])",
        "",
        "count = 1",
    ] {
        let Err(errors) = world.plan_with(&kept(repeat), PlanOptions::default()).await else {
            panic!("deleted with {repeat:?}");
        };
        assert!(errors.to_string().contains("prevent_destroy"), "{errors}");
    }
    // Without the block nothing says so.
    assert_eq!(actions(&world.plan("").await).len(), 2);
}

#[tokio::test]
async fn what_stands_in_the_way_blocks_a_move() {
    let world = World::new();
    world.converge(&(data("a", "") + &data("b", ""))).await;
    let stack = data("b", "") + &moved("terraform_data.a", "terraform_data.b");
    let planned = world.plan(&stack).await;
    assert!(moves(&planned).is_empty());
    assert_eq!(planned.warnings.0.len(), 1, "{}", planned.warnings);
    assert_eq!(
        actions(&planned)["terraform_data.a"],
        Action::Delete,
        "it is an orphan"
    );
}

#[tokio::test]
async fn what_is_moved_to_nowhere_is_deleted_and_says_so() {
    let world = World::new();
    world.converge(&data("a", "")).await;
    let planned = world
        .plan(&moved("terraform_data.a", "terraform_data.b"))
        .await;
    let change = &planned.plan.changes[&addr("terraform_data.b")];
    assert_eq!(change.reason, Reason::NotInConfig(Orphan::MoveTarget));
    assert_eq!(change.moved_from, Some(addr("terraform_data.a")));
    world
        .converge(&moved("terraform_data.a", "terraform_data.b"))
        .await;
    assert!(addresses(&world).await.is_empty());
}

#[tokio::test]
async fn statements_that_can_not_be_are_refused() {
    let world = World::new();
    let cases = [
        (
            data("a", "") + &moved("terraform_data.a", "terraform_data.b"),
            "terraform_data.a is moved, and is still there",
        ),
        (
            data("b", "") + &moved("terraform_data.b", "terraform_data.b"),
            "moved to itself",
        ),
        (
            data("b", "")
                + &data("c", "")
                + &moved("terraform_data.a", "terraform_data.b")
                + &moved("terraform_data.a", "terraform_data.c"),
            "terraform_data.a is moved twice",
        ),
        (
            data("c", "")
                + &moved("terraform_data.a", "terraform_data.c")
                + &moved("terraform_data.b", "terraform_data.c"),
            "two things are moved to terraform_data.c",
        ),
        (
            moved("terraform_data.a", "terraform_data.b")
                + &moved("terraform_data.b", "terraform_data.a"),
            "circle",
        ),
    ];
    for (stack, message) in cases {
        let Err(errors) = world.plan_with(&stack, PlanOptions::default()).await else {
            panic!("{stack}");
        };
        assert!(errors.to_string().contains(message), "{errors}");
    }
}

#[tokio::test]
async fn a_removed_object_is_forgotten_or_destroyed() {
    let world = World::new();
    let removed = |destroy: bool| {
        format!(
            "removed {{\n  from = fake_thing.a\n  lifecycle {{\n    destroy = {destroy}\n  }}\n}}\n"
        )
    };
    for destroy in [false, true] {
        world.converge(&thing("a", "")).await;
        let objects = world.cloud().objects().unwrap().len();
        let planned = world.plan(&removed(destroy)).await;
        let wanted = match destroy {
            true => Action::Delete,
            false => Action::Forget,
        };
        assert_eq!(actions(&planned)["fake_thing.a"], wanted);
        world.converge(&removed(destroy)).await;
        assert!(addresses(&world).await.is_empty());
        let left = world.cloud().objects().unwrap().len();
        assert_eq!(left, objects - usize::from(destroy));
    }
}

#[tokio::test]
async fn destroy_false_forgets_and_refuses_to_replace() {
    let world = World::new();
    let stack = |count: usize, zone: &str| {
        thing(
            "a",
            &format!("count = {count}\nzone = \"{zone}\"\nlifecycle {{\n  destroy = false\n}}"),
        )
    };
    world.converge(&stack(2, "x")).await;
    let planned = world.plan(&stack(1, "x")).await;
    assert_eq!(actions(&planned)["fake_thing.a[1]"], Action::Forget);
    world.converge(&stack(1, "x")).await;
    assert_eq!(world.cloud().objects().unwrap().len(), 2);
    let refused = world
        .plan_with(&stack(1, "y"), PlanOptions::default())
        .await;
    let Err(errors) = refused else { panic!() };
    assert!(errors.to_string().contains("can't be replaced"), "{errors}");
}

#[tokio::test]
async fn an_imported_object_is_read_and_held_against_the_configuration() {
    let world = World::new();
    world.converge(&thing("made", "size = 2")).await;
    let id = world.id("fake_thing.made").await;
    let forget =
        "removed {\n  from = fake_thing.made\n  lifecycle {\n    destroy = false\n  }\n}\n";
    world.converge(forget).await;
    let stack = |size: u32| {
        format!("resource \"fake_thing\" \"a\" {{\n  name = \"made\"\n  size = {size}\n}}\n")
    };
    let import = |id: &str| format!("import {{\n  to = fake_thing.a\n  id = \"{id}\"\n}}\n");
    for (size, action) in [(2, Action::NoOp), (3, Action::Update)] {
        let planned = world.plan(&(stack(size) + &import(&id))).await;
        let change = &planned.plan.changes[&addr("fake_thing.a")];
        assert_eq!((change.action, &change.import), (action, &Some(id.clone())));
        assert!(!planned.is_empty());
    }
    world.converge(&(stack(3) + &import(&id))).await;
    assert_eq!(world.id("fake_thing.a").await, id);
    assert_eq!(world.cloud().creations().unwrap(), 1);
    // One that is managed already is not imported again.
    let planned = world.plan(&(stack(3) + &import("another"))).await;
    assert!(planned.is_empty());
}

#[tokio::test]
async fn there_must_be_something_to_import() {
    let world = World::new();
    let stack = thing("a", "") + "import {\n  to = fake_thing.a\n  id = \"nothing\"\n}\n";
    let Err(errors) = world.plan_with(&stack, PlanOptions::default()).await else {
        panic!("imported nothing");
    };
    assert!(errors.0[0].span.is_some(), "{errors}");
}

#[tokio::test]
async fn a_trigger_replaces_when_what_it_names_changes() {
    let world = World::new();
    let stack = |input: &str, other: &str| {
        data("a", &format!("input = \"{input}\""))
            + &data("b", &format!("count = 2\ninput = \"{other}\""))
            + &data(
                "attribute",
                "lifecycle {\n  replace_triggered_by = [terraform_data.a.input]\n}",
            )
            + &data(
                "whole",
                "lifecycle {\n  replace_triggered_by = [terraform_data.b]\n}",
            )
            + &data(
                "one",
                "lifecycle {\n  replace_triggered_by = [terraform_data.b[1].input]\n}",
            )
    };
    world.converge(&stack("1", "1")).await;
    let planned = world.plan(&stack("2", "1")).await;
    assert_eq!(
        actions(&planned).get("terraform_data.attribute"),
        Some(&DELETE_FIRST)
    );
    assert!(!actions(&planned).contains_key("terraform_data.whole"));
    let change = &planned.plan.changes[&addr("terraform_data.attribute")];
    assert!(
        matches!(&change.reason, Reason::Triggered(by, _) if by[0].to_string() == "terraform_data.a.input")
    );
    let planned = world.plan(&stack("1", "2")).await;
    assert_eq!(
        actions(&planned).get("terraform_data.whole"),
        Some(&DELETE_FIRST)
    );
    assert_eq!(
        actions(&planned).get("terraform_data.one"),
        Some(&DELETE_FIRST)
    );
    assert!(!actions(&planned).contains_key("terraform_data.attribute"));
    world.converge(&stack("2", "2")).await;
}

#[tokio::test]
async fn an_ephemeral_resource_is_open_while_a_run_lasts() {
    let world = World::new();
    let stack = |name: &str| {
        format!("ephemeral \"fake_token\" \"t\" {{\n  name = \"{name}\"\n}}\n")
            + &thing(
                "a",
                "lifecycle {\n  precondition {\n    condition = ephemeral.fake_token.t.token != \"\"\n    error_message = \"no token\"\n  }\n}",
            )
    };
    world.converge(&stack("lent")).await;
    let done: Vec<String> = world.ephemerals();
    assert_eq!(
        done,
        [
            "open lent",
            "close lent",
            "open lent",
            "close lent",
            "open lent",
            "close lent"
        ],
        "one plan, one apply, one plan"
    );
    let text = std::fs::read(world.state_path()).unwrap();
    let text = String::from_utf8_lossy(&text);
    assert!(!text.contains("token-of-lent"), "a token reached state");
    let refused = world
        .plan_with(&stack("refused"), PlanOptions::default())
        .await;
    assert!(refused.is_err());
    assert_eq!(
        world.ephemerals().last().map(String::as_str),
        Some("open refused")
    );
}

/// The new address has no block, so that a refresh plans nothing for it.
#[tokio::test]
async fn a_refresh_records_a_move_to_where_nothing_is_and_knows_the_object_once() {
    let told = "moved {\n  from = fake_thing.a\n  to   = fake_thing.b\n}\n";
    for vanishes in [false, true] {
        let world = World::new();
        world.converge(&(thing("a", "") + &thing("c", ""))).await;
        let id = world.id("fake_thing.a").await;
        match vanishes {
            true => world.cloud().vanish(&id).unwrap(),
            false => world.cloud().tamper(&id, "size", 7.into()).unwrap(),
        }
        let stack = thing("c", "") + told;
        let refresh = || PlanOptions {
            mode: Mode::Refresh,
            ..PlanOptions::default()
        };
        world.apply_with(&stack, refresh()).await;
        let snapshot = world.store.snapshot().await.unwrap();
        let have: Vec<String> = snapshot.resources.keys().map(ToString::to_string).collect();
        let expected: &[&str] = match vanishes {
            true => &["fake_thing.c"],
            false => &["fake_thing.b", "fake_thing.c"],
        };
        assert_eq!(have, expected);
        let again = world.plan_with(&stack, refresh()).await.unwrap();
        assert!(again.is_empty());
        world.converge(&stack).await;
        assert_eq!(world.cloud().objects().unwrap().len(), 1);
    }
}
