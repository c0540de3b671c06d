//! A policy engine reads weir's plans and states as it reads Terraform's: Rego, in the form that
//! conftest takes, over `show -json`.

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

/// What a policy asks of what is there: all objects of all modules, what is secret in them, what
/// they depend on, outputs, checks.
const STATE_POLICY: &str = r#"
package main

import rego.v1

resources contains resource if {
    some resource in input.values.root_module.resources
}

resources contains resource if {
    some child in input.values.root_module.child_modules
    some resource in child.resources
}

deny contains msg if {
    some resource in resources
    resource.mode == "managed"
    resource.values.input.size > 5
    msg := sprintf("%s is too large", [resource.address])
}

deny contains "a secret is in an output that is not sensitive" if {
    some name, output in input.values.outputs
    not output.sensitive
    output.value == "hush"
}

secret contains resource.address if {
    some resource in resources
    resource.sensitive_values.input.password == true
}

after contains pair if {
    some resource in resources
    some dependency in resource.depends_on
    pair := sprintf("%s after %s", [resource.address, dependency])
}

unserved contains resource.address if {
    some resource in resources
    not startswith(resource.provider_name, "terraform.io/builtin/")
}

instances contains text if {
    some resource in resources
    text := sprintf("%s %v", [resource.address, resource.index])
}

failed contains check.address.to_display if {
    some check in input.checks
    check.status == "fail"
}

format := input.format_version
"#;

fn evaluated(plan: &str, rule: &str) -> BTreeSet<String> {
    answer(POLICY, plan, rule)
}

fn answer(policy: &str, document: &str, rule: &str) -> BTreeSet<String> {
    let mut engine = regorus::Engine::new();
    engine
        .add_policy("policy.rego".into(), policy.into())
        .unwrap();
    engine.set_input(regorus::Value::from_json_str(document).unwrap());
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

#[test]
fn a_policy_reads_states() {
    let stack = Stack::new(
        r#"
resource "terraform_data" "small" {
  input = { size = 2, password = sensitive("hush") }
}
resource "terraform_data" "large" {
  for_each = toset(["a b", "c"])
  input    = { size = each.key == "c" ? 9 : 1, of = terraform_data.small.id }
}
module "inner" {
  source = "./inner"
}
check "few" {
  assert {
    condition     = length(terraform_data.large) < 2
    error_message = "Too many."
  }
}
output "size" {
  value = terraform_data.large["c"].input.size
}
output "password" {
  value     = "hush"
  sensitive = true
}
"#,
    );
    std::fs::create_dir(stack.path().join("inner")).unwrap();
    stack.write(
        "inner/main.hcl",
        "resource \"terraform_data\" \"x\" {\n  count = 1\n  input = { size = 7 }\n}\n",
    );
    let asked = |document: &str, rule| answer(STATE_POLICY, document, rule);
    let empty = stack.expect(0, "show -json").out;
    assert_eq!(asked(&empty, "format"), set(["1.0"]));
    assert_eq!(asked(&empty, "instances"), set([]));

    stack.expect(0, "apply -auto-approve");
    let state = stack.expect(0, "show -json").out;
    assert_eq!(
        asked(&state, "deny"),
        set([
            "terraform_data.large[\"c\"] is too large",
            "module.inner.terraform_data.x[0] is too large"
        ])
    );
    assert_eq!(asked(&state, "secret"), set(["terraform_data.small"]));
    assert_eq!(
        asked(&state, "after"),
        set([
            "terraform_data.large[\"a b\"] after terraform_data.small",
            "terraform_data.large[\"c\"] after terraform_data.small"
        ])
    );
    assert_eq!(asked(&state, "unserved"), set([]));
    assert_eq!(
        asked(&state, "instances"),
        set([
            "terraform_data.large[\"a b\"] a b",
            "terraform_data.large[\"c\"] c",
            "module.inner.terraform_data.x[0] 0"
        ])
    );
    assert_eq!(asked(&state, "failed"), set(["check.few"]));
    // As a policy reads what must not hold secrets at all.
    let redacted = stack.expect(0, "show -json -redact").out;
    assert!(!redacted.contains("hush"));
    assert_eq!(asked(&redacted, "secret"), set(["terraform_data.small"]));
    stack.expect(0, "destroy -auto-approve");
    let gone = stack.expect(0, "show -json").out;
    assert_eq!(asked(&gone, "instances"), set([]));
}

/// A check of one's own, as checkov loads it beside its hundreds.
const CHECK: &str = r#"
from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck

def first(value):
    return value[0] if isinstance(value, list) and value else value

class Small(BaseResourceCheck):
    def __init__(self):
        super().__init__(name="things are small", id="CKV_OWN_1",
            categories=[CheckCategories.CONVENTION], supported_resources=["terraform_data"])

    def scan_resource_conf(self, conf):
        given = first(conf.get("input"))
        size = first(given.get("size")) if isinstance(given, dict) else 0
        return CheckResult.FAILED if int(size) > 5 else CheckResult.PASSED

check = Small()
"#;

/// The Python package checkov, where it is on the PATH: it takes seconds, and is no part of Rust's
/// tools.
#[test]
fn checkov_scans_plans() {
    let stack = Stack::new(STACK);
    std::fs::create_dir(stack.path().join("inner")).unwrap();
    stack.write(
        "inner/main.hcl",
        "resource \"terraform_data\" \"x\" {\n  count = 2\n}\n",
    );
    stack.expect(0, "plan -out=p");
    let plan: serde_json::Value =
        serde_json::from_str(&stack.expect(0, "show -json p").out).unwrap();
    stack.write("plan.json", &format!("{plan:#}"));
    std::fs::create_dir(stack.path().join("checks")).unwrap();
    stack.write("checks/__init__.py", "__all__ = [\"small\"]\n");
    stack.write("checks/small.py", CHECK);
    let run = std::process::Command::new("checkov")
        .args([
            "-f",
            "plan.json",
            "--framework",
            "terraform_plan",
            "-o",
            "json",
        ])
        .args(["--external-checks-dir", "checks", "-c", "CKV_OWN_1"])
        .current_dir(stack.path())
        .output();
    let Ok(run) = run else {
        println!("SKIPPED: there is no checkov on the PATH: it scans no plan of weir's");
        return;
    };
    let found: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let resources = |of: &str| -> BTreeSet<String> {
        let all = found["results"][of].as_array().unwrap().iter();
        let name = |r: &serde_json::Value| r["resource"].as_str().unwrap().to_owned();
        all.map(name).collect()
    };
    assert_eq!(resources("failed_checks"), set(["terraform_data.large"]));
    assert_eq!(
        resources("passed_checks"),
        set([
            "terraform_data.small",
            "module.inner.terraform_data.x[0]",
            "module.inner.terraform_data.x[1]"
        ])
    );
    assert_eq!(found["summary"]["parsing_errors"], 0);
}
