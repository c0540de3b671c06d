//! The execution graph: by cases, and by properties over random stacks and histories.
#![allow(clippy::unwrap_used)]

mod common;

use common::{address, change, known};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address,
    address::members,
    change::{Action, Change, ReplaceOrder},
    plan::{Op, Plan},
    snapshot::{Lineage, Removal, Resource, Serial, Snapshot, Status},
};
use weir_plan::{Dependencies, Ordered, Target, check, order, select};

const CREATE_FIRST: Action = Action::Replace(ReplaceOrder::CreateFirst);
const DELETE_FIRST: Action = Action::Replace(ReplaceOrder::DeleteFirst);

struct Stack {
    changes: BTreeMap<Address, Change>,
    config: BTreeMap<Address, Vec<Address>>,
    state: BTreeMap<Address, BTreeSet<Address>>,
}

/// `name action < config dependencies < state dependencies`, one a line.
fn stack(text: &str) -> Stack {
    let mut s = Stack {
        changes: BTreeMap::new(),
        config: BTreeMap::new(),
        state: BTreeMap::new(),
    };
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let mut parts = line.split('<');
        let mut head = parts.next().unwrap().split_whitespace();
        let name = address(head.next().unwrap());
        let action = match head.next().unwrap() {
            "noop" => Action::NoOp,
            "create" => Action::Create,
            "update" => Action::Update,
            "delete" => Action::Delete,
            "forget" => Action::Forget,
            "-/+" => DELETE_FIRST,
            "+/-" => CREATE_FIRST,
            other => panic!("{other}"),
        };
        let mut list = || parts.next().unwrap_or("").split_whitespace().map(address);
        if action != Action::Delete {
            s.config.insert(name.clone(), list().collect());
        } else {
            list().for_each(drop);
        }
        if action != Action::Create {
            s.state.insert(name.clone(), list().collect());
        }
        s.changes.insert(name.clone(), change(&name, action));
    }
    s
}

impl Stack {
    fn dependencies(&self) -> Dependencies<'_> {
        Dependencies {
            config: &self.config,
            state: &self.state,
        }
    }
    fn order(&self) -> Ordered {
        order(self.changes.clone(), self.dependencies(), &BTreeSet::new()).unwrap()
    }
}

/// The node's ancestors by `address op`.
fn before(o: &Ordered, name: &str, op: Op) -> BTreeSet<(String, Op)> {
    let mut open: Vec<usize> = o
        .nodes
        .iter()
        .enumerate()
        .filter(|(_, n)| n.address == address(name) && n.op == op)
        .map(|(i, _)| i)
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(i) = open.pop() {
        for b in &o.nodes[i].after {
            let n = &o.nodes[b.0];
            if seen.insert((n.address.to_string().replace("t.", ""), n.op)) {
                open.push(b.0);
            }
        }
    }
    seen
}

fn pairs(list: &[(&str, Op)]) -> BTreeSet<(String, Op)> {
    list.iter().map(|(n, o)| ((*n).to_owned(), *o)).collect()
}

#[test]
fn creation_follows_dependencies_through_what_stays() {
    let o = stack("a create\n b noop < a < \n c create < b").order();
    assert_eq!(before(&o, "c", Op::Create), pairs(&[("a", Op::Create)]));
}

#[test]
fn deletion_is_the_reverse_of_stored_dependencies() {
    let o = stack("a delete < < \n b delete < < a\n c delete < < b").order();
    assert_eq!(
        before(&o, "a", Op::Delete),
        pairs(&[("b", Op::Delete), ("c", Op::Delete)])
    );
    assert!(before(&o, "c", Op::Delete).is_empty());
}

#[test]
fn a_replacement_that_deletes_first_takes_its_users_down_before() {
    let o = stack("a -/+ < < \n b -/+ < a < a").order();
    assert_eq!(
        before(&o, "b", Op::Create),
        pairs(&[("a", Op::Create), ("a", Op::Delete), ("b", Op::Delete)])
    );
    assert_eq!(before(&o, "a", Op::Delete), pairs(&[("b", Op::Delete)]));
}

#[test]
fn create_before_destroy_waits_for_users_to_move() {
    let o = stack("a +/- < < \n b update < a < a").order();
    assert_eq!(
        before(&o, "a", Op::Delete),
        pairs(&[("a", Op::Create), ("b", Op::Update)])
    );
}

#[test]
fn create_before_destroy_spreads_to_dependencies() {
    let o = stack("a -/+ < < \n m noop < a < a\n b +/- < m < m").order();
    assert_eq!(o.changes[&address("a")].action, CREATE_FIRST);
    assert_eq!(
        before(&o, "a", Op::Delete),
        pairs(&[("a", Op::Create), ("b", Op::Create), ("b", Op::Delete)])
    );
}

#[test]
fn who_lets_go_does_so_before_the_thing_goes() {
    let o = stack("a delete < < \n b update < < a").order();
    assert_eq!(before(&o, "a", Op::Delete), pairs(&[("b", Op::Update)]));
}

#[test]
fn letting_go_yields_where_it_would_close_a_cycle() {
    // n leaves b for c; b used c, and c must be deleted before it is made again.
    let o = stack("b delete < < c\n c -/+ < < \n n update < c < b").order();
    assert!(before(&o, "c", Op::Delete).contains(&("b".into(), Op::Delete)));
    assert!(!before(&o, "b", Op::Delete).contains(&("n".into(), Op::Update)));
}

#[test]
fn a_dependency_that_turned_round_has_a_schedule() {
    // In state a used b; in the configuration b uses a. Both are replaced, one of each kind.
    let o = stack("a -/+ < < b\n b +/- < a < ").order();
    assert_eq!(o.nodes.len(), 4);
    assert_schedule(&o);
}

#[test]
fn operations_of_one_batch_at_one_level_are_one_step() {
    let mut s = stack("h noop < < \n a create < h\n b create < h\n c create < a\n d delete < < h");
    for c in s.changes.values_mut() {
        c.batch = Some("zurich/a".into());
    }
    let o = s.order();
    let names = |i: usize| -> Vec<String> {
        o.steps[i]
            .nodes
            .iter()
            .map(|n| o.nodes[n.0].address.to_string())
            .collect()
    };
    assert_eq!(o.steps.len(), 2);
    assert_eq!(names(0), ["t.a", "t.b", "t.d"]);
    assert_eq!(names(1), ["t.c"]);
    assert_eq!(o.steps[1].after.len(), 1);
}

#[test]
fn another_provider_is_another_step() {
    let mut s = stack("a create\n b create");
    for (i, c) in s.changes.values_mut().enumerate() {
        c.batch = Some("same".into());
        c.provider.name = format!("p{i}").into();
    }
    assert_eq!(s.order().steps.len(), 2);
}

#[test]
fn a_chain_of_twenty_thousand_is_no_recursion() {
    let mut s = Stack {
        changes: BTreeMap::new(),
        config: BTreeMap::new(),
        state: BTreeMap::new(),
    };
    for i in 0..20_000 {
        let name = address(&format!("r{i:05}"));
        let action = if i % 100 == 0 {
            Action::Update
        } else {
            Action::NoOp
        };
        s.changes.insert(name.clone(), change(&name, action));
        let before = if i > 0 {
            vec![address(&format!("r{:05}", i - 1))]
        } else {
            Vec::new()
        };
        s.state
            .insert(name.clone(), before.iter().cloned().collect());
        s.config.insert(name, before);
    }
    assert_eq!(s.order().steps.len(), 200);
}

#[test]
fn a_target_brings_what_it_depends_on() {
    let s = stack("a create\n b create < a\n c create < b\n d create");
    let names = |targets: &[&str]| -> Vec<String> {
        let targets: Vec<Target> = targets.iter().map(|t| t.parse().unwrap()).collect();
        select(&s.changes, s.dependencies(), &targets, &BTreeSet::new())
            .iter()
            .map(Address::to_string)
            .collect()
    };
    assert_eq!(names(&["t.b"]), ["t.a", "t.b"]);
    assert_eq!(names(&["t.d", "t.a"]), ["t.a", "t.d"]);
}

#[test]
fn a_target_that_is_deleted_brings_its_users() {
    let s = stack("a delete < < \n b delete < < a\n c delete < < ");
    let targets = [Target::Block(address("a"))];
    let names: Vec<String> = select(&s.changes, s.dependencies(), &targets, &BTreeSet::new())
        .iter()
        .map(Address::to_string)
        .collect();
    assert_eq!(names, ["t.a", "t.b"]);
}

#[test]
fn a_target_that_is_deleted_brings_what_depends_on_its_block_as_it_is_written() {
    let mut s = stack("a delete < < \n b delete < < ");
    let [named, written] = ["module.m[\"w\"].t.d[0]", "module.m.t.d"].map(|t| t.parse().unwrap());
    s.changes
        .insert(Address::clone(&named), change(&named, Action::Delete));
    s.state.insert(address("b"), BTreeSet::from([written]));
    let targets = [Target::Block(named)];
    let names: Vec<String> = select(&s.changes, s.dependencies(), &targets, &BTreeSet::new())
        .iter()
        .map(Address::to_string)
        .collect();
    assert_eq!(names, ["t.b", "module.m[\"w\"].t.d[0]"]);
}

#[test]
fn targets_are_read_as_they_are_written() {
    for text in [
        "t.a",
        "t.a[0]",
        "module.net",
        "module.net[\"eu\"]",
        "service.web",
        "service.web.pod.app[\"0\"]",
        "site.zurich",
        "module.net.service.web",
    ] {
        assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
    }
    assert!("nonsense".parse::<Target>().is_err());
    let pod: Address = "module.net[0].service.web.pod.app[\"0\"]".parse().unwrap();
    assert!("module.net".parse::<Target>().unwrap().names(&pod));
    assert!(
        "module.net[0].service.web"
            .parse::<Target>()
            .unwrap()
            .names(&pod)
    );
    assert!(!"module.net[1]".parse::<Target>().unwrap().names(&pod));
    assert!(!"service.web".parse::<Target>().unwrap().names(&pod));
}

/// Runs the schedule and holds every promise of the crate's page against it.
fn assert_schedule(o: &Ordered) {
    let mut done: BTreeSet<usize> = BTreeSet::new();
    for step in &o.steps {
        for n in &step.nodes {
            assert!(
                o.nodes[n.0].after.iter().all(|b| done.contains(&b.0)),
                "out of order"
            );
        }
        done.extend(step.nodes.iter().map(|n| n.0));
    }
    assert_eq!(done.len(), o.nodes.len());
}

fn any_stack() -> impl Strategy<Value = Stack> {
    let one = (
        0..7_u8,
        any::<u16>(),
        any::<u16>(),
        proptest::option::of(0..2_u8),
        (0..16_u8, 0..16_u8),
    );
    (proptest::collection::vec(one, 1..16), any::<u64>()).prop_map(|(rows, shuffle)| {
        // Three instances a block: r0[0], r0[1], r0[2], r1[0], ...
        let name = |i: usize| address(&format!("r{}[{}]", i / 3, i % 3));
        let block = |b: usize| address(&format!("r{b}"));
        let mut s = Stack {
            changes: BTreeMap::new(),
            config: BTreeMap::new(),
            state: BTreeMap::new(),
        };
        // State has an order of its own, so that dependencies may have turned round.
        let n = rows.len();
        let mut rank: Vec<usize> = (0..n).collect();
        rank.sort_by_key(|&i| {
            let b = i / 3;
            (
                shuffle.rotate_left(u32::try_from(b * 7 % 64).unwrap()) ^ b as u64,
                i,
            )
        });
        for (i, (kind, config, state, batch, (config_blocks, state_blocks))) in
            rows.into_iter().enumerate()
        {
            let action = [
                Action::NoOp,
                Action::Create,
                Action::Update,
                Action::Delete,
                DELETE_FIRST,
                CREATE_FIRST,
                Action::Forget,
            ][usize::from(kind)];
            let mut c = change(&name(i), action);
            c.batch = batch.map(|b| format!("b{b}"));
            s.changes.insert(name(i), c);
            if !matches!(action, Action::Delete | Action::Forget) {
                let whole = (0..i / 3)
                    .filter(|b| config_blocks >> b & 1 == 1)
                    .map(block);
                let d = (0..i)
                    .filter(|j| config >> j & 1 == 1)
                    .map(name)
                    .chain(whole)
                    .collect();
                s.config.insert(name(i), d);
            }
            if action != Action::Create {
                let at = rank.iter().position(|&r| r == i).unwrap();
                let d = (0..at)
                    .filter(|j| state >> j & 1 == 1)
                    .map(|j| name(rank[j]));
                let before = rank.iter().take_while(|r| **r / 3 != i / 3).map(|r| r / 3);
                let whole: BTreeSet<usize> =
                    before.filter(|b| state_blocks >> b & 1 == 1).collect();
                let d = d.chain(whole.into_iter().map(block)).collect();
                s.state.insert(name(i), d);
            }
        }
        // What is gone from the configuration, or not in state, nobody depends on there.
        let gone: BTreeSet<Address> = s
            .changes
            .values()
            .filter(|c| matches!(c.action, Action::Delete | Action::Forget))
            .map(|c| c.address.clone())
            .collect();
        s.config
            .values_mut()
            .for_each(|d| d.retain(|a| !gone.contains(a)));
        let stored: BTreeSet<Address> = s.state.keys().cloned().collect();
        s.state
            .values_mut()
            .for_each(|d| d.retain(|a| stored.iter().any(|s| s.is_in(a))));
        s
    })
}

impl std::fmt::Debug for Stack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (a, c) in &self.changes {
            writeln!(
                f,
                "{a} {:?} < {:?} < {:?}",
                c.action,
                self.config.get(a),
                self.state.get(a)
            )?;
        }
        Ok(())
    }
}

fn plan(s: &Stack, o: Ordered) -> (Plan, Snapshot) {
    let snapshot = Snapshot {
        lineage: Lineage("l".into()),
        serial: Serial(4),
        resources: s
            .state
            .iter()
            .map(|(a, d)| {
                let resource = Resource {
                    provider: s.changes[a].provider.clone(),
                    schema_version: 0,
                    value: known("x"),
                    private: Vec::new(),
                    dependencies: d.clone(),
                    status: Status::Ready,
                    removal: Removal::default(),
                    foreign: None,
                };
                (a.clone(), resource)
            })
            .collect(),
        deposed: BTreeMap::new(),
        outputs: BTreeMap::new(),
        references: weir_core::references::References::default(),
    };
    let plan = Plan {
        lineage: Lineage("l".into()),
        base: Serial(4),
        complete: true,
        changes: o.changes,
        drift: BTreeMap::new(),
        deposed: Vec::new(),
        checks: Vec::new(),
        outputs: BTreeMap::new(),
        found_outputs: BTreeMap::new(),
        module_outputs: BTreeMap::new(),
        dependencies: s.config.clone(),
        nodes: o.nodes,
        steps: o.steps,
    };
    (plan, snapshot)
}

/// Where the node of an operation stands in the schedule, step by step.
fn position(o: &Ordered, a: &Address, ops: &[Op]) -> Option<usize> {
    o.steps.iter().position(|s| {
        s.nodes
            .iter()
            .any(|n| o.nodes[n.0].address == *a && ops.contains(&o.nodes[n.0].op))
    })
}

/// The instances that dependencies stand for.
fn expanded<'a, V>(
    of: &BTreeMap<Address, V>,
    dependencies: impl Iterator<Item = &'a Address>,
) -> BTreeSet<Address> {
    dependencies
        .flat_map(|d| members(of, d).map(|(a, _)| a.clone()))
        .collect()
}

/// How many cases: `WEIR_CASES`, or enough for every day.
fn cases() -> u32 {
    let asked = std::env::var("WEIR_CASES").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(2_000)
}

#[test]
fn all_of_a_block_on_all_of_another_is_linear() {
    let mut s = Stack {
        changes: BTreeMap::new(),
        config: BTreeMap::new(),
        state: BTreeMap::new(),
    };
    for (block, on) in [("a", None), ("b", Some("a")), ("c", Some("b"))] {
        for i in 0..2_000 {
            let name = address(&format!("{block}[{i}]"));
            let action = [Action::Update, DELETE_FIRST, Action::NoOp, CREATE_FIRST][i % 4];
            s.changes.insert(name.clone(), change(&name, action));
            let on: Vec<Address> = on.into_iter().map(address).collect();
            s.state.insert(name.clone(), on.iter().cloned().collect());
            s.config.insert(name, on);
        }
    }
    let o = s.order();
    assert_schedule(&o);
    let edges: usize = o.nodes.iter().map(|n| n.after.len()).sum();
    assert!(edges < 60_000, "{edges}");
    assert!(o.nodes.iter().filter(|n| n.op == Op::Join).count() < 20);
    let targets = [Target::Block(address("c[7]"))];
    let selected = select(&s.changes, s.dependencies(), &targets, &BTreeSet::new());
    assert_eq!(selected.len(), 4_001);
}

#[test]
fn a_block_that_few_use_has_no_join() {
    let o = stack("a[0] create\n a[1] create\n b create < a").order();
    assert_eq!(o.nodes.len(), 3);
    assert_eq!(
        before(&o, "b", Op::Create),
        pairs(&[("a[0]", Op::Create), ("a[1]", Op::Create)])
    );
}

#[test]
fn create_before_destroy_of_what_stays_spreads_too() {
    let s = stack("a -/+ < < \n b noop < a < a");
    let first = BTreeSet::from([address("b")]);
    let o = order(s.changes.clone(), s.dependencies(), &first).unwrap();
    assert_eq!(o.changes[&address("a")].action, CREATE_FIRST);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn every_stack_has_a_schedule_that_keeps_the_promises(s in any_stack()) {
        const WRITES: &[Op] = &[Op::Create, Op::Update, Op::Read];
        let o = s.order();
        assert_schedule(&o);
        for (a, change) in &o.changes {
            let write = position(&o, a, WRITES);
            let delete = position(&o, a, &[Op::Delete]);
            for d in expanded(&s.config, s.config.get(a).into_iter().flatten()) {
                if let (Some(user), Some(used)) = (write, position(&o, &d, WRITES)) {
                    prop_assert!(used < user, "{a} is written before {d}");
                }
                if let (Some(user), Some(old), CREATE_FIRST) =
                    (write, position(&o, &d, &[Op::Delete]), o.changes[&d].action)
                {
                    prop_assert!(user < old, "{d} goes before {a} moved");
                }
            }
            for d in expanded(&s.state, s.state.get(a).into_iter().flatten()) {
                if let (Some(user), Some(used)) = (delete, position(&o, &d, &[Op::Delete])) {
                    prop_assert!(user < used, "{d} is deleted under {a}");
                }
            }
            match change.action {
                CREATE_FIRST => prop_assert!(write < delete),
                DELETE_FIRST => prop_assert!(delete < write),
                _ => {}
            }
            if s.changes[a].action == CREATE_FIRST {
                prop_assert_eq!(change.action, CREATE_FIRST, "create_before_destroy was dropped");
            }
        }
        prop_assert_eq!(&s.order(), &o, "not deterministic");
        let (plan, snapshot) = plan(&s, o);
        prop_assert!(check(plan, &snapshot, &BTreeMap::new()).is_ok());
    }

    #[test]
    fn a_broken_plan_is_found(s in any_stack(), which in any::<prop::sample::Index>(), how in 0..5) {
        let (mut plan, snapshot) = plan(&s, s.order());
        prop_assume!(!plan.nodes.is_empty());
        let i = which.index(plan.nodes.len());
        match how {
            0 => drop(plan.nodes.remove(i)),
            1 => {
                plan.nodes[i].after.push(weir_core::plan::NodeId(i));
            }
            2 => {
                // Joins stand last, and have no change.
                let operation = which.index(plan.operations());
                drop(plan.changes.remove(&plan.nodes[operation].address.clone()))
            }
            3 => plan.base = Serial(5),
            _ => drop(plan.steps.remove(which.index(plan.steps.len()))),
        }
        prop_assert!(check(plan, &snapshot, &BTreeMap::new()).is_err());
    }
}

#[test]
fn what_is_protected_is_neither_deleted_nor_replaced() {
    for (text, word) in [("a delete < <", "deleted"), ("a -/+ < <", "replaced")] {
        let s = stack(text);
        let (plan, snapshot) = plan(&s, s.order());
        let protected = BTreeMap::from([(address("a"), None)]);
        let error = check(plan, &snapshot, &protected).unwrap_err();
        assert_eq!(error.0[0].summary, format!("t.a can't be {word}"));
    }
}

#[test]
fn only_what_is_in_state_is_deleted() {
    let mut s = stack("a delete < <");
    s.state.clear();
    let (plan, snapshot) = plan(&s, s.order());
    let error = check(plan, &snapshot, &BTreeMap::new()).unwrap_err();
    assert!(error.0[0].detail.contains("t.a is not in state"));
}
