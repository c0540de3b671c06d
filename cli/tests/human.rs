//! The whole plan of a stack in which everything happens at once, for a person to read: each kind
//! of change and each reason, and what differs within values of every shape (`human/*.tf`).
//! Terraform's own plan of the same says nothing that is not here.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::Stack;

/// Without ids, which are random.
fn without_ids(text: &str) -> String {
    let is_id = |part: &str| {
        part.len() == 36
            && part.matches('-').count() == 4
            && part.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
    };
    let parts = text.split('"');
    let parts = parts.map(|part| if is_id(part) { "ID" } else { part });
    parts.collect::<Vec<_>>().join("\"")
}

#[test]
fn a_plan_of_everything() {
    let stack = Stack::new("");
    std::fs::remove_file(stack.path().join("main.hcl")).unwrap();
    std::fs::create_dir(stack.path().join("m")).unwrap();
    stack.write(
        "m/main.tf",
        "resource \"terraform_data\" \"in\" {\n  count = 1\n}\n",
    );
    stack.write("main.tf", include_str!("human/before.tf"));
    stack.expect(0, "apply -auto-approve");
    stack.expect(0, "taint terraform_data.taint");
    stack.write("main.tf", include_str!("human/after.tf"));
    let plan = stack.expect(0, "plan");
    insta::assert_snapshot!(without_ids(&plan.out));
    // And it can be done as it was shown.
    let applied = stack.expect(0, "apply -auto-approve");
    let line = "Apply complete. 2 imported, 4 added, 10 changed, 6 destroyed.";
    assert!(applied.out.contains(line), "{}", applied.out);
    stack.expect(0, "plan -detailed-exitcode");
    // A part of a plan says so.
    let part = stack.expect(0, "plan -target=terraform_data.keep");
    assert!(
        part.err.contains("Warning: This plan is a part only"),
        "{part:#?}"
    );
}
