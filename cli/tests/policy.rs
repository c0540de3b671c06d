//! A policy engine reads weir's plans as it reads Terraform's: Rego, in the form that conftest
//! takes, over `show -json`.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::Stack;
use std::collections::BTreeSet;

const STACK: &str = r#"
variable "owner" {
  type    = string
  default = "ann"
}
resource "terraform_data" "small" {
  input = { size = 2, owner = var.owner }
}
resource "terraform_data" "large" {
  input            = { size = 9, owner = var.owner }
  triggers_replace = [terraform_data.small.id]
}
module "inner" {
  source = "./inner"
}
output "size" {
  value = terraform_data.small.output.size
}
"#;

/// What a policy asks of changes, values, and the configuration behind them.
const POLICY: &str = r#"
package main

import rego.v1

deny contains msg if {
    some change in input.resource_changes
    some action in change.change.actions
    action == "create"
    change.change.after.input.size > 5
    msg := sprintf("%s is too large", [change.address])
}

deny contains msg if {
    some change in input.resource_changes
    "delete" in change.change.actions
    msg := sprintf("%s would be destroyed", [change.address])
}

modules contains child.address if {
    some child in input.planned_values.root_module.child_modules
}

unknown contains change.address if {
    some change in input.resource_changes
    change.change.after_unknown.id == true
}

refers contains name if {
    some resource in input.configuration.root_module.resources
    some name in resource.expressions.input.references
}

owner := input.variables.owner.value
"#;

fn evaluated(plan: &str, rule: &str) -> BTreeSet<String> {
    let mut engine = regorus::Engine::new();
    engine
        .add_policy("policy.rego".into(), POLICY.into())
        .unwrap();
    engine.set_input(regorus::Value::from_json_str(plan).unwrap());
    let value = engine.eval_rule(format!("data.main.{rule}")).unwrap();
    match value {
        regorus::Value::Set(items) => items
            .iter()
            .map(|v| v.as_string().unwrap().to_string())
            .collect(),
        other => [other.as_string().unwrap().to_string()].into(),
    }
}

fn set<const N: usize>(items: [&str; N]) -> BTreeSet<String> {
    items.into_iter().map(str::to_owned).collect()
}

#[test]
fn a_policy_reads_plans() {
    let stack = Stack::new(STACK);
    std::fs::create_dir(stack.path().join("inner")).unwrap();
    stack.write("inner/main.hcl", "resource \"terraform_data\" \"x\" {}\n");
    stack.expect(0, "plan -out=p");
    let plan = stack.expect(0, "show -json p").out;
    assert_eq!(
        evaluated(&plan, "deny"),
        set(["terraform_data.large is too large"])
    );
    assert_eq!(evaluated(&plan, "modules"), set(["module.inner"]));
    assert_eq!(evaluated(&plan, "owner"), set(["ann"]));
    assert_eq!(evaluated(&plan, "refers"), set(["var.owner"]));
    assert_eq!(
        evaluated(&plan, "unknown"),
        set([
            "module.inner.terraform_data.x",
            "terraform_data.large",
            "terraform_data.small"
        ])
    );
    stack.expect(0, "apply p");
    stack.write("main.hcl", "");
    stack.expect(0, "plan -out=p");
    let plan = stack.expect(0, "show -json p").out;
    assert_eq!(
        evaluated(&plan, "deny"),
        set([
            "module.inner.terraform_data.x would be destroyed",
            "terraform_data.large would be destroyed",
            "terraform_data.small would be destroyed"
        ])
    );
}
