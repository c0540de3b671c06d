//! `weir console` beside `terraform console`: what is printed is equal, character by character.
//! What Terraform prints is stored in `console.json`.
//!
//! `WEIR_REGENERATE=1 cargo test -p weir-cli --test console` asks the `terraform` on the PATH anew.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{Ended, Stack, ended};
use serde_json::{Value as Json, json};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
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
variable "unset" {
  type = string
}
variable "untyped" {}
variable "ports" {
  type = list(number)
}
variable "shape" {
  type = object({ a = string, b = optional(number, 3) })
}
variable "fleeting" {
  type      = string
  default   = "gone soon"
  ephemeral = true
}
locals {
  from_unset = "${var.unset}!"
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
    "terraform.applying",
    "type(type(1))",
    "type(path.module)",
    "path.cwd == path.root",
    "tomap({ a = var.secret })",
    "type(tomap({ a = var.secret }))",
    "[var.fleeting, 1]",
    "\"${var.fleeting}x\"",
    "type(var.fleeting)",
    "ephemeralasnull(var.fleeting)",
    "sensitive(var.fleeting)",
    "timestamp() == timestamp()",
    "1.0",
    "0.1 + 0.2",
    "1e100",
    "100000000000000000000000",
    "\"(\"",
    "1 // (",
    "[1, 2",
    "1 +\n2",
    "]",
    "\"a\n\"",
    "<<EOT\nhi\nEOT",
    "var",
    "path",
    "terraform",
    "terraform_data",
    "type(terraform_data)",
    "type(upper)",
    "upper(type(1))",
    "output.unused",
    "exit",
    "quit",
    "null",
    "type(null)",
    "tonumber(\"abc\")",
];

/// Asked where variables have no value, where they are given, and of a plan.
const VARIABLES: &[&str] = &[
    "var.unset",
    "var.untyped",
    "var.ports",
    "var.ports[0]",
    "var.shape",
    "var.shape.b",
    "local.from_unset",
    "type(var.unset)",
    "type(var.untyped)",
    "type(var.ports)",
    "type(var.shape)",
    "upper(var.unset)",
    "length(var.ports)",
    "can(var.unset)",
    "type(try(var.unset, 1))",
    "{ a = var.unset }",
    "type({ a = var.unset })",
    "toset([var.unset])",
    "tolist([\"a\", var.unset])",
    "type(toset([var.unset]))",
    "var.unset == \"given\"",
    "var.name",
];

/// Flags that give every variable a value; `given.tfvars` is one of the stack's files.
const GIVEN: &str = "-var unset=given -var untyped=1 -var=ports=[80,443] -var-file=given.tfvars";
const GIVEN_FILE: &str = "shape = { a = \"file\" }\nname = \"bob\"\n";

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
    stack.write("given.tfvars", GIVEN_FILE);
    stack
}

/// A state of the stack, the flags of the console, and what it is asked.
struct Round {
    name: &'static str,
    is_applied: bool,
    flags: String,
    expressions: Vec<&'static str>,
}

fn rounds() -> Vec<Round> {
    let all = EXPRESSIONS.iter().copied();
    let (of_state, others): (Vec<_>, Vec<_>) = all.partition(|e| e.contains("terraform_data."));
    let round = |name, is_applied, flags: &str, expressions| Round {
        name,
        is_applied,
        flags: flags.to_owned(),
        expressions,
    };
    let with = |more: &[&'static str], base: &[&'static str]| [base, more].concat();
    // What is not applied yet is unknown as a whole in Terraform; weir says more.
    let unapplied = ["terraform_data.kept", "terraform_data.kept.output"];
    let applied = with(APPLIED, &of_state);
    let planned = format!("-plan {GIVEN}");
    vec![
        round("before", false, "", with(&unapplied, &others)),
        round("refused", false, "", REFUSED.to_vec()),
        round("unset", false, "", VARIABLES.to_vec()),
        round("given", false, GIVEN, VARIABLES.to_vec()),
        round("applied", true, "", applied.clone()),
        round("planned", true, &planned, with(VARIABLES, &applied)),
    ]
}

fn stored() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console.json")
}

/// What is compared: what is printed, and how it ends.
fn answer(ended: &Ended) -> Json {
    json!([ended.code, ended.out])
}

/// Asks Terraform, each expression from a pipe of its own: of a pipe it prints the last answer
/// alone.
fn asked_of_terraform() -> Json {
    let theirs = stack();
    assert!(
        terraform(&theirs, "init")
            .output()
            .unwrap()
            .status
            .success()
    );
    let mut all = serde_json::Map::new();
    let mut is_applied = false;
    for round in rounds() {
        if round.is_applied && !is_applied {
            let mut apply = terraform(&theirs, &format!("apply -auto-approve {GIVEN}"));
            assert!(apply.output().unwrap().status.success());
            is_applied = true;
        }
        let line = format!("console -no-color {}", round.flags);
        let answers = round.expressions.iter().map(|expression| {
            let asked = ask(terraform(&theirs, line.trim()), &format!("{expression}\n"));
            ((*expression).to_owned(), answer(&asked))
        });
        all.insert(round.name.to_owned(), Json::Object(answers.collect()));
    }
    Json::Object(all)
}

#[test]
fn prints_what_terraform_prints() {
    if std::env::var_os("WEIR_REGENERATE").is_some() {
        let text = serde_json::to_string_pretty(&asked_of_terraform()).unwrap();
        fs::write(stored(), text + "\n").unwrap();
    }
    let stored: Json = serde_json::from_str(&fs::read_to_string(stored()).unwrap()).unwrap();
    let mine = stack();
    let mut is_applied = false;
    let (mut count, mut different) = (0, Vec::new());
    for round in rounds() {
        if round.is_applied && !is_applied {
            mine.expect(0, &format!("apply -auto-approve {GIVEN}"));
            is_applied = true;
        }
        let line = format!("console {}", round.flags);
        let line = line.trim();
        let (mut input, mut wanted) = (String::new(), String::new());
        for expression in &round.expressions {
            count += 1;
            let answer_of_theirs = &stored[round.name][*expression];
            let out = answer_of_theirs[1]
                .as_str()
                .unwrap_or_else(|| panic!("{expression}"));
            // Those that end well are asked in one session; a pipe ends with its first error.
            if answer_of_theirs[0] == json!(0) && *expression != "exit" {
                input += &format!("{expression}\n");
                wanted += out;
                continue;
            }
            let asked = ask(mine.command(line), &format!("{expression}\n"));
            if answer(&asked) != *answer_of_theirs {
                different.push(format!(
                    "{} {expression:?}: {asked:?}, Terraform: {answer_of_theirs}",
                    round.name
                ));
            }
        }
        let asked = ask(mine.command(line), &input);
        if asked.out != wanted || asked.code != Some(0) {
            // Which one it is: each by itself.
            for expression in &round.expressions {
                let theirs = &stored[round.name][*expression];
                let asked = ask(mine.command(line), &format!("{expression}\n"));
                if theirs[0] == json!(0) && answer(&asked) != *theirs {
                    different.push(format!(
                        "{} {expression:?}: {asked:?}, Terraform: {theirs}",
                        round.name
                    ));
                }
            }
            assert!(
                !different.is_empty(),
                "{} in one session: {asked:?}",
                round.name
            );
        }
    }
    assert!(count >= 150, "{count} expressions are compared");
    assert!(different.is_empty(), "{different:#?}");
}

/// A check that does not hold is said by a plan, and not at each start.
#[test]
fn checks_are_no_matter_of_the_console() {
    let stack = Stack::new(
        "locals {\n  n = 1\n}\ncheck \"c\" {\n  assert {\n    condition     = local.n > 1\n    error_message = \"too small\"\n  }\n}\n",
    );
    let asked = ours(&stack, "local.n\n");
    assert_eq!((asked.out.as_str(), asked.err.as_str()), ("1\n", ""));
    let planned = ask(stack.command("console -plan"), "local.n\n");
    assert_eq!(planned.out, "1\n", "{planned:?}");
    assert_eq!(planned.err.matches("too small").count(), 1, "{planned:?}");
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
    stack.expect(0, &format!("apply -auto-approve {GIVEN} -var name=ann"));
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
