//! The state of a stack that says nothing of it is opened while the stack is read: what comes of
//! that counts for such a stack alone.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{Stack, THINGS};
use std::fs;

#[test]
fn what_lies_where_state_would_be_by_default_is_nothing_to_a_stack_that_names_another_place() {
    let elsewhere = THINGS.replace(
        "stack \"things\" {}",
        "stack \"things\" {\n  state \"sqlite\" {\n    path = \"kept/other.db\"\n  }\n}",
    );
    let stack = Stack::new(&elsewhere);
    let default = stack.path().join(".weir/state.db");
    fs::create_dir_all(default.parent().unwrap()).unwrap();
    fs::write(&default, "not a state").unwrap();
    stack.expect(0, "apply -auto-approve");
    stack.expect(0, "plan -detailed-exitcode");
    assert!(stack.path().join("kept/other.db").exists());
    assert_eq!(fs::read(&default).unwrap(), b"not a state");
}

#[test]
fn what_is_wrong_with_the_state_is_told_after_what_is_wrong_with_the_stack() {
    let stack = Stack::new(THINGS);
    stack.expect(0, "apply -auto-approve");
    fs::write(stack.path().join(".weir/state.db"), "").unwrap();
    let said = stack.expect(1, "plan").err;
    assert!(said.contains("the file is empty: it was cut off"), "{said}");
    stack.write("broken.hcl", "locals {\n  a = local.b\n}\n");
    let said = stack.expect(1, "plan").err;
    assert!(said.contains("local.b"), "{said}");
    assert!(!said.contains("cut off"), "{said}");
}

#[test]
fn a_plan_makes_no_state() {
    let stack = Stack::new(THINGS);
    stack.write("broken.hcl", "locals {\n  a = local.b\n}\n");
    stack.expect(1, "plan");
    assert!(!stack.path().join(".weir/state.db").exists());
}
