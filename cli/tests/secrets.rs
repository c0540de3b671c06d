//! What is sensitive is shown nowhere: not in errors, plans, states, or the messages of a run. Of
//! the documents that `show -json` prints, it is left out with `-redact`.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{Ended, Stack};

const SECRET: &str = "hush123";

/// Expressions that fail, each for a reason its message would like to show.
const WRONG: &[&str] = &[
    "var.p + 1",
    "[1][var.p]",
    "{ a = 1 }[var.p]",
    "tomap({ a = 1 })[var.p]",
    "var.p ? 1 : 2",
    "tonumber(var.p)",
    "jsondecode(var.p)",
    "yamldecode(\"{ ${var.p}\")",
    "regex(\"[a-z]+x\", var.p)",
    "regex(\"(${var.p}\", \"a\")",
    "{ for k in [1, 2] : var.p => k }",
    "{ for k in var.l : k => tonumber(k) }",
    "[for k in var.l : tonumber(k)]",
    "[for k in var.l : { a = 1 }[k]]",
    "[for k, v in { (var.p) = 1 } : { a = 1 }[k]]",
    "\"%{ for k in var.l }${tonumber(k)}%{ endfor }\"",
    "cidrhost(var.p, 1)",
    "file(var.p)",
    "format(\"%d\", var.p)",
    "format(var.p, 1)",
    "base64decode(var.p)",
    "timeadd(var.p, \"1h\")",
    "lookup({}, var.p)",
    "templatefile(\"x.tpl\", { p = var.p })",
    "zipmap([var.p, var.p], [1])",
    "setproduct(var.p)",
    "parseint(var.p, 10)",
    "one([var.p, var.p])",
    "try(tonumber(var.p))",
    "element(var.o, 0).x",
    "var.o.b",
    "var.o[\"b\"]",
    "index(var.l, \"other\")",
    "tolist(var.p)",
    "var.p.x",
    "-var.p",
    "!var.p",
];

fn stack(body: &str) -> Stack {
    Stack::new(&format!(
        r#"
variable "p" {{
  sensitive = true
  default   = "{SECRET}"
}}
variable "l" {{
  sensitive = true
  default   = ["{SECRET}", "{SECRET}"]
}}
variable "o" {{
  sensitive = true
  default   = {{ {SECRET} = "{SECRET}" }}
}}
{body}
"#
    ))
}

#[track_caller]
fn silent(what: &str, ended: &Ended) {
    // The declarations above are the user's own text, and may be quoted.
    let shown = format!("{}{}", ended.out, ended.err);
    let leaks: Vec<&str> = shown.lines().filter(|l| l.contains(SECRET)).collect();
    assert!(leaks.is_empty(), "{what}: {leaks:#?}\n{shown}");
}

#[test]
fn errors_over_sensitive_values_do_not_show_them() {
    for wrong in WRONG {
        let stack = stack(&format!("locals {{\n  x = {wrong}\n}}"));
        stack.write("x.tpl", "${ p.text + x }");
        for line in ["plan", "plan -json", "validate", "validate -json"] {
            let ended = stack.weir(line);
            // `validate` knows no values, so that it finds less.
            if line.starts_with("plan") {
                assert_eq!(ended.code, Some(1), "{line}: {wrong}");
            }
            silent(&format!("{line}: {wrong}"), &ended);
        }
    }
}

#[test]
fn values_of_sensitive_variables_that_can_not_be_read_are_not_shown() {
    let typed = r#"
variable "n" {
  type      = number
  sensitive = true
}
variable "s" {
  type      = object({ a = number })
  sensitive = true
}
variable "u" { sensitive = true }
"#;
    let good = ["n=1", "s={a=1}", "u=x"];
    let wrong = [
        "n=hush123",
        "n=[hush123",
        "s=hush123",
        "s={a=hush123}",
        "s={a=\"hush123\"}",
        "s={a=\"hush123",
        "s={hush123=1}",
        "s=hush123(1)",
    ];
    for given in wrong {
        let stack = Stack::new(typed);
        let name = &given[..1];
        let mut line = vec!["plan".to_owned()];
        let others = good.iter().filter(|g| !g.starts_with(name));
        line.extend(others.chain([&given]).map(|g| format!("-var={g}")));
        let ended = stack.expect(1, &line.join(" "));
        assert!(ended.err.contains(&format!("`{name}`")), "{ended:#?}");
        silent(given, &ended);
        let (name, value) = given.split_at(2);
        if !value.starts_with('[') && value.matches('"').count() != 1 {
            let vars = format!("u = \"x\"\n{} = {value}\n", name.trim_end_matches('='));
            let rest = if name == "n=" {
                "s = { a = 1 }\n"
            } else {
                "n = 1\n"
            };
            stack.write("weir.vars.hcl", &format!("{vars}{rest}"));
            silent(&vars, &stack.expect(1, "plan"));
        }
    }
    // Text of any shape is a value of an untyped variable.
    let stack = Stack::new("variable \"u\" { sensitive = true }");
    for text in ["hush123{", "[hush123", "\"hush123", "${hush123"] {
        silent(text, &stack.expect(0, &format!("plan -var=u={text}")));
    }
}

#[test]
fn plans_and_states_do_not_show_them() {
    let stack = stack(
        r#"
resource "terraform_data" "a" {
  input            = { k = var.p, plain = "q", all = var.o, list = [for x in var.l : "${x}!"] }
  triggers_replace = [var.p]
}
resource "terraform_data" "b" {
  input = [terraform_data.a.output, "pre ${var.p}"]
}
output "p" {
  value     = terraform_data.b.output
  sensitive = true
}
"#,
    );
    for line in [
        "plan",
        "plan -json",
        "plan -out=f",
        "show f",
        "show -json -redact f",
    ] {
        silent(line, &stack.expect(0, line));
    }
    for line in [
        "apply -auto-approve",
        "show",
        "state show terraform_data.a",
        "output",
    ] {
        silent(line, &stack.expect(0, line));
    }
    let other = "-var=p=hush123-2";
    for line in [
        "plan",
        "plan -json",
        "apply -auto-approve -json",
        "plan -detailed-exitcode",
    ] {
        silent(line, &stack.expect(0, &format!("{line} {other}")));
    }
    silent(
        "destroy",
        &stack.expect(0, &format!("destroy -auto-approve -json {other}")),
    );
}
