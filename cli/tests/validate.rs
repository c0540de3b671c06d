//! `weir validate`: what it needs, and that its JSON is Terraform's: for each configuration in
//! `validate/` the same number of errors, at the same ranges, with the same snippets. What they
//! say differs, and what Terraform points at is stored beside.
//!
//! `WEIR_REGENERATE=1 cargo test -p weir-cli --test validate` asks the `terraform` on the PATH anew.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::Stack;
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/validate");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 20, "{cases:?}");
    cases
}

fn terraform(text: &str) -> Json {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("main.tf"), text).unwrap();
    let output = Command::new("terraform")
        .args(["validate", "-json"])
        .current_dir(folder.path())
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1")
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What is compared: where it is, and the source there.
fn pointed(d: &Json) -> Json {
    let snippet = &d["snippet"];
    json!({
        "severity": d["severity"],
        "range": d["range"],
        "context": snippet["context"],
        "code": snippet["code"],
        "start_line": snippet["start_line"],
        "highlight_start_offset": snippet["highlight_start_offset"],
        "highlight_end_offset": snippet["highlight_end_offset"],
    })
}

fn all_pointed(report: &Json) -> Json {
    let mut all: Vec<Json> = report["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .map(pointed)
        .collect();
    all.sort_by_key(|d| d["range"]["start"]["byte"].as_u64());
    json!({
        "format_version": report["format_version"],
        "valid": report["valid"],
        "error_count": report["error_count"],
        "warning_count": report["warning_count"],
        "diagnostics": all,
    })
}

fn keys(value: &Json, path: &str, out: &mut BTreeSet<String>) {
    match value {
        Json::Object(m) => m.iter().for_each(|(k, v)| {
            out.insert(format!("{path}.{k}"));
            keys(v, &format!("{path}.{k}"), out);
        }),
        Json::Array(items) => items
            .iter()
            .for_each(|v| keys(v, &format!("{path}[]"), out)),
        _ => {}
    }
}

#[test]
fn errors_are_where_terraform_has_them() {
    let mut different = String::new();
    for case in cases() {
        let text = fs::read_to_string(case.join("main.tf")).unwrap();
        let stored = case.join("terraform.json");
        if std::env::var_os("WEIR_REGENERATE").is_some() {
            let report = all_pointed(&terraform(&text));
            fs::write(&stored, format!("{report:#}\n")).unwrap();
        }
        let wanted: Json = serde_json::from_str(&fs::read_to_string(&stored).unwrap()).unwrap();
        let stack = Stack::new("");
        fs::remove_file(stack.path().join("main.hcl")).unwrap();
        stack.write("main.tf", &text);
        let ran = stack.expect(1, "validate -json");
        let found = all_pointed(&serde_json::from_str(&ran.out).unwrap());
        if found != wanted {
            let diff =
                similar::TextDiff::from_lines(format!("{wanted:#}\n"), format!("{found:#}\n"))
                    .unified_diff()
                    .header(&case.file_name().unwrap().to_string_lossy(), "weir")
                    .to_string();
            different += &diff;
        }
    }
    assert!(different.is_empty(), "{different}");
}

#[test]
fn the_fields_are_those_terraform_documents() {
    let text = "variable \"n\" {\n  default = 5\n}\nlocals {\n  n = 5\n  x = [1][local.n]\n}\n";
    let stack = Stack::new(text);
    let ran = stack.expect(1, "validate -json");
    let report: Json = serde_json::from_str(&ran.out).unwrap();
    let mut found = BTreeSet::new();
    keys(&report, "", &mut found);
    let wanted = [
        ".diagnostics",
        ".diagnostics[].detail",
        ".diagnostics[].range",
        ".diagnostics[].range.end",
        ".diagnostics[].range.end.byte",
        ".diagnostics[].range.end.column",
        ".diagnostics[].range.end.line",
        ".diagnostics[].range.filename",
        ".diagnostics[].range.start",
        ".diagnostics[].range.start.byte",
        ".diagnostics[].range.start.column",
        ".diagnostics[].range.start.line",
        ".diagnostics[].severity",
        ".diagnostics[].snippet",
        ".diagnostics[].snippet.code",
        ".diagnostics[].snippet.context",
        ".diagnostics[].snippet.highlight_end_offset",
        ".diagnostics[].snippet.highlight_start_offset",
        ".diagnostics[].snippet.start_line",
        ".diagnostics[].snippet.values",
        ".diagnostics[].snippet.values[].statement",
        ".diagnostics[].snippet.values[].traversal",
        ".diagnostics[].summary",
        ".error_count",
        ".format_version",
        ".valid",
        ".warning_count",
    ];
    assert_eq!(found, wanted.map(str::to_owned).into());
    let value = &report["diagnostics"][0]["snippet"]["values"][0];
    assert_eq!(value, &json!({"traversal": "local.n", "statement": "is 5"}));
}

const OPEN: &str = r#"
variable "n" {
  type = number
}
variable "name" {
  type      = string
  sensitive = true
  validation {
    condition     = length(var.name) > 3
    error_message = "too short"
  }
}
resource "terraform_data" "a" {
  count = var.n
  input = var.name
}
resource "terraform_data" "b" {
  for_each = toset([var.name])
  input    = each.key
}
resource "terraform_data" "c" {
  input = terraform_data.a[2].id
}
output "o" {
  value = [for x in terraform_data.a : x.id]
}
"#;

#[test]
fn no_value_is_asked_for() {
    let stack = Stack::new(&OPEN.replace(
        "  for_each = toset([var.name])\n",
        "  for_each = toset([\"${var.n}\"])\n",
    ));
    let ran = stack.expect(0, "validate");
    assert!(ran.out.contains("valid"), "{ran:?}");
    let report: Json = serde_json::from_str(&stack.expect(0, "validate -json").out).unwrap();
    assert_eq!(report["valid"], json!(true));
    assert!(!stack.path().join(".weir").exists());
    // A value that is given is used.
    stack.expect(1, "validate -var n=1 -var name=x");
    // What is wrong whatever the value is found.
    stack.write("more.hcl", "output \"p\" {\n  value = upper(var.n, 1)\n}\n");
    stack.expect(1, "validate");
}

#[test]
fn tests_are_read_too() {
    let stack = Stack::new("");
    fs::create_dir(stack.path().join("tests")).unwrap();
    fs::create_dir(stack.path().join("other")).unwrap();
    stack.write("tests/a.tftest.hcl", "run \"a\" {\n  x = \n}\n");
    stack.write("other/b.tftest.hcl", "run \"b\" {}\n");
    let ran = stack.expect(1, "validate");
    assert!(ran.err.contains("tests/a.tftest.hcl:2:7"), "{ran:?}");
    stack.expect(0, "validate -no-tests");
    stack.expect(0, "validate -test-directory=other");
    stack.write("c.tftest.hcl", "]");
    stack.expect(1, "validate -test-directory=other");
}

/// The configurations of `validate_open/`: values of variables are unknown, and so is how many
/// instances there are. The first line says what Terraform says of it (`# valid`, or how many
/// errors there are), or that weir finds what Terraform's plan would (`# stricter`).
#[test]
fn what_is_open_is_checked_as_terraform_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/validate_open");
    let files = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|p| p.is_file()).collect();
    files.sort();
    assert!(files.len() >= 40);
    let beside = Command::new("terraform").arg("version").output().is_ok();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let (said, _) = text.split_once('\n').unwrap();
        let stack = Stack::new("");
        fs::remove_file(stack.path().join("main.hcl")).unwrap();
        stack.write("main.tf", &text);
        // A value that loads by itself is none that a check uses.
        stack.write("terraform.tfvars", "n = {}\nx = \"none of a number\"\n");
        for module in ["m", "k"] {
            fs::create_dir(stack.path().join(module)).unwrap();
            let inner = fs::read_to_string(folder.join(module).join("main.tf")).unwrap();
            stack.write(&format!("{module}/main.tf"), &inner);
        }
        let ours: Json = serde_json::from_str(&stack.weir("validate -json").out).unwrap();
        let at = file.display();
        let errors = said.split_once(": ").map_or("0", |(_, n)| n);
        assert_eq!(ours["error_count"].to_string(), errors, "{at}: {ours:#}");
        if beside {
            let run = |args: &[&str]| {
                let mut command = Command::new("terraform");
                command.args(args).current_dir(stack.path());
                command.env("TF_CLI_CONFIG_FILE", "/dev/null");
                command.env("CHECKPOINT_DISABLE", "1").output().unwrap()
            };
            if text.contains("module ") {
                run(&["init", "-backend=false"]);
            }
            let theirs: Json = serde_json::from_slice(&run(&["validate", "-json"]).stdout).unwrap();
            let errors = if said.starts_with("# stricter") {
                "0"
            } else {
                errors
            };
            assert_eq!(
                theirs["error_count"].to_string(),
                errors,
                "{at}: {theirs:#}"
            );
        }
    }
}

#[test]
fn what_is_misspelt_is_said_once() {
    let text = r#"
output "o" {
  valeu = 1
}
variable "v" {
  validation {
    condtion      = var.v > 1
    error_message = "Too small."
  }
}
import {
  idd = "x"
  to  = fake_thing.a
}
resource "fake_thing" "a" {
  nmae = "x"
}
"#;
    let stack = Stack::new(text);
    let ran = stack.expect(1, "validate -json");
    let report: Json = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["error_count"], json!(4), "{report:#}");
    for d in report["diagnostics"].as_array().unwrap() {
        let detail = d["detail"].as_str().unwrap();
        assert!(detail.contains("Did you mean"), "{d:#}");
    }
}
