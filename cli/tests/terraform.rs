//! The same configuration planned and applied by weir and by Terraform: the documented JSON of
//! every plan must be equal. Skipped, with a word, where there is no `terraform` on the PATH.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::Stack;
use serde_json::{Map, Value as Json};
use std::process::{Command, Output};

const CONFIG: &str = r#"
variable "v" {
  type    = string
  default = "one"
}
variable "t" {
  type    = string
  default = "x"
}
variable "n" {
  type    = number
  default = 2
}
resource "terraform_data" "plain" {}
resource "terraform_data" "a" {
  input            = { list = [1, 2], text = var.v }
  triggers_replace = var.t
}
resource "terraform_data" "b" {
  count = var.n
  input = terraform_data.a.output
}
resource "terraform_data" "c" {
  input            = null
  triggers_replace = terraform_data.a.id
}
resource "terraform_data" "d" {
  for_each = toset(["p", "q r"])
  input    = each.key
}
output "o" {
  value = terraform_data.a.output.text
}
"#;

fn terraform(stack: &Stack, line: &str) -> Output {
    Command::new("terraform")
        .args(line.split(' '))
        .current_dir(stack.path())
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1")
        .output()
        .unwrap()
}

/// Ids are random: each of their kind is as good as another.
fn without_ids(value: &Json) -> Json {
    match value {
        Json::String(s) if s.len() == 36 && s.matches('-').count() == 4 => "ID".into(),
        Json::Array(items) => items.iter().map(without_ids).collect(),
        Json::Object(m) => {
            Json::Object(m.iter().map(|(k, v)| (k.clone(), without_ids(v))).collect())
        }
        other => other.clone(),
    }
}

fn chosen(from: &Json, keys: &[&str]) -> Json {
    let part = |k: &&str| ((*k).to_owned(), from.get(k).cloned().unwrap_or(Json::Null));
    Json::Object(keys.iter().map(part).collect::<Map<_, _>>())
}

/// What of a plan both must agree on.
fn essence(text: &[u8]) -> (Vec<Json>, Json) {
    let plan: Json = serde_json::from_slice(text).unwrap();
    let sides = [
        "actions",
        "before",
        "after",
        "after_unknown",
        "before_sensitive",
        "after_sensitive",
        "replace_paths",
    ];
    let names = ["address", "mode", "type", "name", "index", "action_reason"];
    let mut changes: Vec<Json> = plan["resource_changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| {
            let mut row = chosen(c, &names);
            row["change"] = without_ids(&chosen(&c["change"], &sides));
            row
        })
        .collect();
    changes.sort_by_key(|c| c["address"].to_string());
    let outputs = plan["output_changes"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let keys = ["actions", "before", "after", "after_unknown"];
    let outputs = outputs
        .iter()
        .map(|(k, v)| (k.clone(), chosen(v, &keys)))
        .collect();
    (changes, Json::Object(outputs))
}

#[test]
fn plans_are_terraforms() {
    if Command::new("terraform").arg("version").output().is_err() {
        println!("skipped: there is no terraform on the PATH to compare with");
        return;
    }
    let (ours, theirs) = (Stack::new(""), Stack::new(""));
    std::fs::remove_file(ours.path().join("main.hcl")).unwrap();
    for stack in [&ours, &theirs] {
        stack.write("main.tf", CONFIG);
    }
    assert!(terraform(&theirs, "init").status.success());
    let steps = [
        "",
        " -var n=2",
        " -var v=two",
        " -var v=two -var t=y",
        " -var v=two -var t=y -var n=1",
        " -var v=two -var t=y -var n=1 -replace=terraform_data.plain",
        " -destroy",
    ];
    for step in steps {
        ours.expect(0, &format!("plan -out=p{step}"));
        let planned = terraform(&theirs, &format!("plan -input=false -out=p{step}"));
        assert!(planned.status.success(), "{planned:?}");
        let mine = essence(ours.expect(0, "show -json p").out.as_bytes());
        let other = essence(&terraform(&theirs, "show -json p").stdout);
        for (mine, other) in mine.0.iter().zip(&other.0) {
            assert_eq!(mine, other, "plan{step}: weir is left, Terraform is right");
        }
        assert_eq!(mine, other, "plan{step}: weir is left, Terraform is right");
        ours.expect(0, "apply p");
        assert!(terraform(&theirs, "apply p").status.success());
    }
}
