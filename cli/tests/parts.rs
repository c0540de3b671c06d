//! Applies of parts of one stack that run at the same time, on the stores that have leases on parts.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

mod common;

use common::{Stack, ended, kill};
use std::{cell::Cell, process::Child, time::Duration};
use weir_state::conformance::Server;

/// Two groups of things that depend on one, and an output of each.
const GROUPS: &str = r#"
stack "groups" {}

variable "latency" {
  type    = number
  default = 0
}

provider "fake" {
  path       = "${path.root}/cloud"
  latency_ms = var.latency
}

resource "fake_thing" "shared" {
  name = "shared"
}

resource "fake_thing" "a" {
  count = 3
  name  = "a-${count.index}"
  tags  = { shared = fake_thing.shared.id }
}

resource "fake_thing" "b" {
  count = 3
  name  = "b-${count.index}"
  tags  = { shared = fake_thing.shared.id }
}

output "a" {
  value = fake_thing.a[*].name
}

output "b" {
  value = fake_thing.b[*].name
}
"#;

/// Runs a test with stacks whose state is in a file, each a new one.
fn in_files(test: impl Fn(&dyn Fn() -> Stack)) {
    test(&|| Stack::new(GROUPS));
}

/// Runs a test with stacks whose state is in a Postgres of its own, each in a schema of its own.
fn in_postgres(test: impl Fn(&dyn Fn() -> Stack)) {
    let server = match Server::start() {
        Ok(server) => server,
        Err(why) => return eprintln!("SKIPPED, nothing of Postgres is tested: {why}"),
    };
    let count = Cell::new(0);
    test(&|| {
        count.set(count.get() + 1);
        let (url, count) = (server.url(), count.get());
        let state = format!(
            "state \"postgres\" {{\n    url    = \"{url}\"\n    schema = \"s{count}\"\n  }}"
        );
        let named = format!("stack \"groups\" {{\n  {state}\n}}");
        Stack::new(&GROUPS.replace("stack \"groups\" {}", &named))
    });
}

/// An apply of group a that has made its first thing and is in the middle of the second.
fn in_the_middle(stack: &Stack) -> Child {
    stack.expect(0, "apply -auto-approve -target=fake_thing.shared");
    let child =
        stack.spawn("apply -auto-approve -target=fake_thing.a -var latency=2000 -parallelism=1");
    stack.until("Created", 2);
    // What was made is recorded well before the next is.
    std::thread::sleep(Duration::from_millis(500));
    child
}

#[test]
fn another_part_is_applied_from_beginning_to_end_in_the_middle_of_one() {
    in_files(in_the_middle_of_one);
}

#[test]
fn another_part_is_applied_from_beginning_to_end_in_the_middle_of_one_in_postgres() {
    in_postgres(in_the_middle_of_one);
}

fn in_the_middle_of_one(new: &dyn Fn() -> Stack) {
    let stack = new();
    let a = in_the_middle(&stack);
    // As long as it is stopped, nothing of it is over.
    kill(&a, "-STOP");
    let b = stack.expect(0, "apply -auto-approve -target=fake_thing.b");
    assert!(b.out.contains("3 added"), "{b:#?}");
    stack.expect(0, "plan -target=fake_thing.b -detailed-exitcode");
    // What both need is named, and who has it.
    let mine = stack.expect(1, "apply -auto-approve -target=fake_thing.a");
    assert!(
        mine.err.contains("fake_thing.a[0] is locked by ann@")
            || mine.err.contains("fake_thing.a[1] is locked by ann@"),
        "{mine:#?}"
    );
    let under = stack.expect(
        1,
        "apply -auto-approve -target=fake_thing.shared -replace=fake_thing.shared",
    );
    assert!(
        under.err.contains("ocked by ann@") && under.err.contains("fake_thing."),
        "{under:#?}"
    );
    let whole = stack.expect(1, "state mv fake_thing.b[2] fake_thing.b[7]");
    assert!(
        whole.err.contains("The state is locked by ann@"),
        "{whole:#?}"
    );
    kill(&a, "-CONT");
    let a = ended(a.wait_with_output().unwrap());
    assert_eq!(a.code, Some(0), "{a:#?}");
    assert_eq!(stack.log("Created"), 7, "nothing is made twice");
    stack.expect(0, "plan -detailed-exitcode");
    let outputs = stack.expect(0, "output").out;
    for name in ["a-0", "a-2", "b-0", "b-2"] {
        assert!(outputs.contains(name), "{outputs}");
    }
    let history = stack.expect(0, "state history").out;
    assert_eq!(history.matches("succeeded").count(), 3, "{history}");
    assert!(
        stack.expect(0, "show @1").out.contains("fake_thing.shared"),
        "the past is as it was"
    );
}

/// A plan is of one moment, and not of one in the middle of somebody's apply: not even where it asks
/// nobody and finds nothing to do.
#[test]
fn a_plan_that_looks_nothing_up_is_not_of_the_middle_of_an_apply() {
    let stack = Stack::new(GROUPS);
    stack.expect(0, "apply -auto-approve");
    let line = "apply -auto-approve -target=fake_thing.a[0] -replace=fake_thing.a[0] -refresh=false -var latency=60000";
    let mut child = stack.spawn(line);
    let begun = std::time::Instant::now();
    let refused = loop {
        let plan = stack.weir("plan -refresh=false");
        if plan.code != Some(0) {
            break plan;
        }
        assert!(begun.elapsed() < Duration::from_secs(50), "{plan:#?}");
    };
    assert!(
        refused.err.contains("fake_thing.a[0] is locked by ann@"),
        "{refused:#?}"
    );
    let there = stack.expect(0, "state list").out;
    assert!(there.contains("fake_thing.a[0]"), "in the middle: {there}");
    // What nobody is changing can be planned.
    stack.expect(
        0,
        "plan -refresh=false -detailed-exitcode -target=fake_thing.b",
    );
    child.kill().unwrap();
    child.wait().unwrap();
    stack.expect(
        0,
        "plan -refresh=false -detailed-exitcode -target=fake_thing.b",
    );
}

#[test]
fn ten_parts_are_applied_at_the_same_time() {
    let mut text = GROUPS.to_owned();
    for i in 0..10 {
        text.push_str(&format!(
            "resource \"fake_thing\" \"n{i}\" {{\n  name = \"n{i}\"\n  tags = {{ s = fake_thing.shared.id }}\n}}\n\
             output \"n{i}\" {{\n  value = fake_thing.n{i}.name\n}}\n"
        ));
    }
    let stack = Stack::new(&text);
    stack.expect(0, "apply -auto-approve -target=fake_thing.shared");
    let target = |i: usize| {
        stack.spawn(&format!(
            "apply -auto-approve -target=fake_thing.n{i} -var latency=300"
        ))
    };
    let all: Vec<Child> = (0..10).map(target).collect();
    for child in all {
        let run = ended(child.wait_with_output().unwrap());
        assert_eq!(run.code, Some(0), "{run:#?}");
        assert!(run.out.contains("1 added"), "{run:#?}");
    }
    let rest = stack.expect(0, "apply -auto-approve");
    assert!(rest.out.contains("6 added, 0 changed"), "{rest:#?}");
    assert_eq!(stack.log("Created"), 17);
    stack.expect(0, "plan -detailed-exitcode");
    let outputs = stack.expect(0, "output").out;
    for i in 0..10 {
        assert!(outputs.contains(&format!("n{i} ")), "{outputs}");
    }
}

#[test]
fn who_waits_plans_afresh() {
    in_files(waits);
}

#[test]
fn who_waits_plans_afresh_in_postgres() {
    in_postgres(waits);
}

fn waits(new: &dyn Fn() -> Stack) {
    let stack = new();
    let a = in_the_middle(&stack);
    let late = stack.expect(
        0,
        "apply -auto-approve -target=fake_thing.a -lock-timeout=60s",
    );
    assert!(
        late.err.contains("Waiting for the state, locked by ann@"),
        "{late:#?}"
    );
    assert!(!late.out.contains("3 added"), "{late:#?}");
    let a = ended(a.wait_with_output().unwrap());
    assert_eq!(a.code, Some(0), "{a:#?}");
    assert_eq!(stack.log("Created"), 4, "nothing is made twice");
}

#[test]
fn a_saved_plan_stands_while_what_it_needs_does() {
    in_files(a_saved_plan_stands);
}

#[test]
fn a_saved_plan_stands_while_what_it_needs_does_in_postgres() {
    in_postgres(a_saved_plan_stands);
}

fn a_saved_plan_stands(new: &dyn Fn() -> Stack) {
    let stack = new();
    stack.expect(0, "apply -auto-approve");
    stack.expect(0, "plan -out a.plan -replace=fake_thing.a[0]");
    stack.expect(0, "plan -out late.plan -replace=fake_thing.b[0]");
    stack.expect(0, "apply -auto-approve -replace=fake_thing.b[0]");
    stack.expect(0, "apply a.plan");
    assert_eq!(stack.log("Created"), 9);
    let late = stack.expect(1, "apply late.plan");
    assert!(late.err.contains("The plan is out of date"), "{late:#?}");
    assert_eq!(stack.log("Created"), 9);
    // What it only reads must stand as well.
    stack.expect(0, "plan -out read.plan -replace=fake_thing.a[1]");
    stack.expect(0, "apply -auto-approve -replace=fake_thing.shared");
    let read = stack.expect(1, "apply read.plan");
    assert!(read.err.contains("The plan is out of date"), "{read:#?}");
    stack.expect(0, "plan -detailed-exitcode");
}

#[test]
fn one_of_two_is_killed_and_the_other_lands() {
    in_files(one_of_two_is_killed);
}

#[test]
fn one_of_two_is_killed_and_the_other_lands_in_postgres() {
    in_postgres(one_of_two_is_killed);
}

fn one_of_two_is_killed(new: &dyn Fn() -> Stack) {
    for wait in [0, 300, 1100, 1900] {
        let stack = new();
        let a = in_the_middle(&stack);
        let b =
            stack.spawn("apply -auto-approve -target=fake_thing.b -var latency=700 -parallelism=1");
        std::thread::sleep(Duration::from_millis(wait));
        kill(&a, "-KILL");
        let a = ended(a.wait_with_output().unwrap());
        assert_ne!(a.code, Some(0));
        let b = ended(b.wait_with_output().unwrap());
        assert_eq!(b.code, Some(0), "{b:#?}");
        stack.expect(0, "apply -auto-approve");
        assert_eq!(stack.log("Created"), 7, "nothing is lost or made twice");
        stack.expect(0, "plan -detailed-exitcode");
    }
}
