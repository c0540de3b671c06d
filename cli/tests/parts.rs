//! Applies of parts of one stack that run at the same time.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{Stack, ended, kill};
use std::{process::Child, time::Duration};

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
    let stack = Stack::new(GROUPS);
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
    let stack = Stack::new(GROUPS);
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
    let stack = Stack::new(GROUPS);
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
    for wait in [0, 300, 1100, 1900] {
        let stack = Stack::new(GROUPS);
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
