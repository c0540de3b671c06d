//! `weir console` beside `terraform console`: what is printed is equal, character by character.
//! The expressions are asked of both in one run; where there is no `terraform` on the PATH, that
//! part is skipped with a word.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{Ended, Stack, ended};
use std::{
    io::Write as _,
    process::{Command, Stdio},
};

const CONFIG: &str = r#"
variable "name" {
  default = "ann"
}
variable "secret" {
  default   = "hush-hush"
  sensitive = true
}
variable "nothing" {
  type    = string
  default = null
}
locals {
  mixed = [var.secret, 1, { name = var.name }]
}
resource "terraform_data" "kept" {
  input = { list = [1, 2], text = var.name }
}
resource "terraform_data" "many" {
  count = 2
  input = "n${count.index}"
}
output "unused" {
  value = 1
}
"#;

/// Asked before anything is applied, and after.
const EXPRESSIONS: &[&str] = &[
    "1 + 1",
    "1 / 3",
    "1e3",
    "-0.5",
    "true",
    "null",
    "\"text\"",
    r#""\u00a0é\u0007\u007f\u200b日😀\t\\\"$${x}%%{y}""#,
    "\"a\u{0301}\u{0301}\"",
    r#""a\nb""#,
    r#""a\n""#,
    r#""EOT\nEOT_""#,
    r#""a\r\nb""#,
    "[]",
    "{}",
    "[1, \"a\", [true, {}], null]",
    r#"{ a = "x\ny", "b c" = ["p\nq", { d = [] }] }"#,
    "tolist([1, 2])",
    "tolist([])",
    "toset([\"b\", \"a\"])",
    "toset([])",
    "tomap({ a = 1 })",
    "tomap({})",
    "tolist([{ a = 1 }])",
    "[tostring(null), tonumber(null), tobool(null)]",
    "tolist(null)",
    "sensitive(1)",
    "{ a = sensitive([1]), b = 2 }",
    "[for k in [\"b\", \"a\"] : upper(k)]",
    "1 # a comment",
    "type(1)",
    "type(\"a\")",
    "type(null)",
    "type([])",
    "type({})",
    "(type(true))",
    "type([1, \"a\", { b = [null] }])",
    "type({ \"a b\" = tolist([\"x\"]), c = toset([{ d = 1 }]) })",
    "type(tomap({ a = tolist([{ b = 1 }]) }))",
    "type(tolist([[1]]))",
    "type(sensitive(\"x\"))",
    "type(var.nothing)",
    "type(local.mixed)",
    "var.name",
    "var.secret",
    "\"${var.secret}!\"",
    "var.nothing",
    "local.mixed",
    "nonsensitive(var.secret)",
    "terraform_data.kept.output",
    "terraform_data.kept.input",
    "terraform_data.kept.output.text",
    "type(terraform_data.kept)",
    "terraform_data.kept.output.list[1]",
    "terraform.workspace",
    "path.module",
];

/// Known in part while nothing is applied: weir says more than Terraform there.
const APPLIED: &[&str] = &[
    "terraform_data.many[1].output",
    "terraform_data.many[*].input",
    "length(terraform_data.many)",
];

/// Both refuse them.
const REFUSED: &[&str] = &[
    "1 +",
    "nope",
    "terraform_data.gone",
    "terraform_data.gone.id",
    "var.gone",
    "local.gone",
    "upper()",
    "gone()",
    "[type(1)]",
    "type()",
    "type(1, 2)",
    "self",
    "count.index",
    "each.key",
    "1 2",
    "\"${\"",
    "(",
    "1)",
];

fn ask(mut command: Command, input: &str) -> Ended {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that ends at its first error does not read the rest.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    ended(child.wait_with_output().unwrap())
}

fn ours(stack: &Stack, input: &str) -> Ended {
    ask(stack.command("console"), input)
}

fn terraform(stack: &Stack, line: &str) -> Command {
    let mut command = Command::new("terraform");
    command
        .args(line.split(' '))
        .current_dir(stack.path())
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1");
    command
}

fn stack() -> Stack {
    let stack = Stack::new("");
    std::fs::remove_file(stack.path().join("main.hcl")).unwrap();
    stack.write("main.tf", CONFIG);
    stack
}

/// Where `terraform console` answers each from a pipe of its own: it prints a pipe's last answer
/// alone.
fn compare(mine: &Stack, theirs: &Stack, expressions: &[&str]) {
    for expression in expressions {
        let input = format!("{expression}\n");
        let theirs = ask(terraform(theirs, "console -no-color"), &input);
        let mine = ours(mine, &input);
        assert_eq!(theirs.code, Some(0), "{expression}: {theirs:?}");
        assert_eq!(mine.out, theirs.out, "{expression}: {mine:?}");
        assert_eq!(mine.code, Some(0), "{expression}: {mine:?}");
    }
}

#[test]
fn prints_what_terraform_prints() {
    if Command::new("terraform").arg("version").output().is_err() {
        println!("skipped: there is no terraform on the PATH to compare with");
        return;
    }
    let (mine, theirs) = (stack(), stack());
    assert!(
        terraform(&theirs, "init")
            .output()
            .unwrap()
            .status
            .success()
    );
    let before: Vec<&str> = EXPRESSIONS
        .iter()
        .copied()
        // What is not applied yet is unknown as a whole there.
        .filter(|e| !e.contains("terraform_data"))
        .chain(["terraform_data.kept", "terraform_data.kept.output"])
        .collect();
    compare(&mine, &theirs, &before);
    for expression in REFUSED {
        let input = format!("{expression}\n");
        let refused = ask(terraform(&theirs, "console -no-color"), &input);
        assert_eq!(refused.code, Some(1), "{expression}: {refused:?}");
    }
    mine.expect(0, "apply -auto-approve");
    let applied = terraform(&theirs, "apply -auto-approve").output().unwrap();
    assert!(applied.status.success(), "{applied:?}");
    let state: Vec<&str> = EXPRESSIONS
        .iter()
        .copied()
        .filter(|e| e.contains("terraform_data"))
        .chain(APPLIED.iter().copied())
        .collect();
    compare(&mine, &theirs, &state);
}

#[test]
fn a_pipe_is_one_expression_a_line_up_to_the_first_error() {
    let stack = stack();
    let asked = ours(
        &stack,
        "var.name\n\n[\n  1, # one ]\n]\nvar.secret\nterraform_data.kept\nupper(var.gone)\n2\n",
    );
    assert_eq!(
        asked.out,
        "\"ann\"\n[\n  1,\n]\n(sensitive value)\n(known after apply)\n"
    );
    assert_eq!(asked.code, Some(1));
    for part in [
        "There is no `var.gone`",
        "<console-input>:1:7",
        "upper(var.gone)",
    ] {
        assert!(asked.err.contains(part), "{part}: {}", asked.err);
    }
    let left = ours(&stack, "1\nexit\n2\n");
    assert_eq!((left.out.as_str(), left.code), ("1\n", Some(0)));
    for refused in REFUSED {
        let asked = ours(&stack, &format!("{refused}\n"));
        assert_eq!(asked.code, Some(1), "{refused}: {asked:?}");
        assert_eq!(asked.out, "", "{refused}");
        assert!(asked.err.contains("Error: "), "{refused}: {}", asked.err);
    }
}

#[test]
fn variables_are_given_and_state_is_read() {
    let stack = stack();
    stack.expect(0, "apply -auto-approve");
    let asked = ask(
        stack.command("console -var name=bob"),
        "var.name\nterraform_data.kept.output.text\nlength(uuid())\ntimestamp() > \"2\" ? 1 : 2\n",
    );
    // Expressions see the new value of the variable, and the object as it was made.
    assert!(asked.out.starts_with("\"bob\"\n\"ann\"\n36\n"), "{asked:?}");
}

#[test]
fn a_folder_without_a_stack_has_a_console() {
    let stack = stack();
    std::fs::remove_file(stack.path().join("main.tf")).unwrap();
    let asked = ours(&stack, "cidrhost(\"10.0.0.0/8\", 5)\n");
    assert_eq!(
        (asked.out.as_str(), asked.code),
        ("\"10.0.0.5\"\n", Some(0))
    );
}

/// What a plan leaves open, an apply settles: once, and the same for everybody who reads it.
#[test]
fn times_and_identifiers_are_settled_by_the_apply() {
    let stack = Stack::new(
        r#"
locals {
  id = uuid()
}
resource "terraform_data" "a" {
  input = { id = local.id, own = uuid(), at = timestamp() }
}
resource "terraform_data" "b" {
  input = "${local.id} ${terraform_data.a.output.at}"
}
output "id" {
  value = local.id
}
output "hash" {
  value = bcrypt("x", 4)
}
"#,
    );
    let plan = stack.expect(0, "plan");
    assert!(
        plan.out.contains("at  = (known after apply)"),
        "{}",
        plan.out
    );
    stack.expect(0, "apply -auto-approve");
    let asked = ours(
        &stack,
        "terraform_data.b.output == \"${terraform_data.a.output.id} ${terraform_data.a.output.at}\"\n\
         terraform_data.a.output.id == terraform_data.a.output.own\n",
    );
    assert_eq!(asked.out, "true\nfalse\n", "{asked:?}");
    let id = stack.expect(0, "output -raw id").out;
    let kept = ours(&stack, "terraform_data.a.output.id\n").out;
    assert_eq!(kept, format!("\"{id}\"\n"));
    assert!(
        stack
            .expect(0, "output -raw hash")
            .out
            .starts_with("$2a$04$")
    );
    // Each apply settles anew.
    stack.expect(0, "plan -out=p");
    stack.expect(0, "apply p");
    assert_ne!(stack.expect(0, "output -raw id").out, id);
}
