//! Values of variables: where they come from, which one wins, what is refused.

use crate::kit::{Mode, all, drive, errors_of, evaluator, try_load};
use std::collections::{BTreeMap, BTreeSet};
use weir_lang::Inputs;

fn environment(vars: &[(&str, &str)]) -> Inputs {
    let vars: BTreeMap<String, String> = vars
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    Inputs::new(vars)
}

fn output(files: &[(&str, &str)], inputs: &Inputs) -> (String, String) {
    let loaded = try_load(files, inputs).unwrap_or_else(|e| panic!("{}", all(&e)));
    let warnings = all(&loaded.warnings);
    let run = drive(&mut evaluator(loaded.config), &Mode::Plan, &BTreeSet::new());
    assert!(!run.problems.has_errors(), "{}", all(&run.problems));
    (run.output("v"), warnings)
}

const MAIN: &str = "variable \"v\" { default = \"default\" }\noutput \"v\" { value = var.v }\n";

#[test]
fn later_sources_win() {
    let sources = [
        ("terraform.tfvars", "v = \"terraform.tfvars\""),
        ("weir.vars.hcl", "v = \"weir.vars.hcl\""),
        ("a.auto.tfvars", "v = \"a.auto.tfvars\""),
        ("b.auto.vars.hcl", "v = \"b.auto.vars.hcl\""),
    ];
    let mut files = vec![("main.hcl", MAIN), ("given.vars.hcl", "v = \"given\"")];
    assert_eq!(output(&files, &Inputs::default()).0, r#""default""#);
    let env = environment(&[("TF_VAR_v", "tf"), ("HOME", "/root")]);
    assert_eq!(output(&files, &env).0, r#""tf""#);
    let env = environment(&[("TF_VAR_v", "tf"), ("WEIR_VAR_v", "weir")]);
    assert_eq!(output(&files, &env).0, r#""weir""#);
    for (name, text) in sources {
        files.push((name, text));
        assert_eq!(output(&files, &env).0, format!("{name:?}"));
    }
    let inputs = env.clone().file("given.vars.hcl");
    assert_eq!(output(&files, &inputs).0, r#""given""#);
    assert_eq!(
        output(&files, &inputs.clone().var("v", "flag")).0,
        r#""flag""#
    );
    let inputs = env.var("v", "flag").file("given.vars.hcl");
    assert_eq!(output(&files, &inputs).0, r#""given""#);
}

#[test]
fn text_is_read_by_the_type() {
    let cases = [
        ("string", "[1]", r#""[1]""#),
        ("number", "5", "5"),
        ("bool", "true", "true"),
        ("list(number)", "[1, \"2\"]", "[1, 2]"),
        ("map(string)", "{ a = 1 }", r#"{"a" = "1"}"#),
        ("any", "{ a = [true] }", r#"{"a" = [true]}"#),
        (
            "object({ a = optional(number, 3), b = string })",
            "{ b = \"x\" }",
            r#"{"a" = 3, "b" = "x"}"#,
        ),
        ("set(string)", "[\"b\", \"a\", \"b\"]", r#"["a", "b"]"#),
    ];
    for (ty, text, wanted) in cases {
        let main = format!("variable \"v\" {{ type = {ty} }}\noutput \"v\" {{ value = var.v }}\n");
        let files = [("main.hcl", main.as_str())];
        assert_eq!(
            output(&files, &Inputs::default().var("v", text)).0,
            wanted,
            "{ty}"
        );
        assert_eq!(
            output(&files, &environment(&[("WEIR_VAR_v", text)])).0,
            wanted,
            "{ty}"
        );
    }
}

#[test]
fn json_files_are_read() {
    let files = [
        (
            "main.hcl",
            "variable \"v\" { type = map(number) }\noutput \"v\" { value = var.v }\n",
        ),
        (
            "terraform.tfvars.json",
            r#"{"v": {"a": 1.5, "b": 12345678901234567890}}"#,
        ),
    ];
    assert_eq!(
        output(&files, &Inputs::default()).0,
        r#"{"a" = 1.5, "b" = 12345678901234567890}"#
    );
}

#[test]
fn null_takes_the_default_where_it_must() {
    let main =
        "variable \"v\" {\n  default  = 7\n  nullable = false\n}\noutput \"v\" { value = var.v }\n";
    let files = [("main.hcl", main), ("weir.vars.hcl", "v = null")];
    assert_eq!(output(&files, &Inputs::default()).0, "7");
}

#[test]
fn undeclared_values_are_reported_by_their_source() {
    let files = [("main.hcl", MAIN), ("weir.vars.hcl", "vv = 1")];
    let env = environment(&[("TF_VAR_unknown", "x")]);
    let (_, warnings) = output(&files, &env);
    assert_eq!(
        warnings,
        "weir.vars.hcl:1:1: The stack has no variable `vv`: weir.vars.hcl sets a value for it, which is not used.
  1 | vv = 1
      ^^
  help: Did you mean `v`?"
    );
    assert_eq!(
        errors_of(&[("main.hcl", MAIN)], &Inputs::default().var("w", "1")),
        "The stack has no variable `w`: A value for it was given with `-var`.\n  help: There is `v`."
    );
}

#[test]
fn wrong_values_are_refused() {
    let main = "variable \"n\" { type = number }\nvariable \"l\" { type = list(string) }\n";
    assert_eq!(
        errors_of(&[("main.hcl", main)], &Inputs::default().var("n", "many").var("l", "[oops]")),
        "main.hcl:1:1: The value of variable `n` is not of its type: Its type is `number`, and -var says otherwise: a number is required.
  1 | variable \"n\" { type = number }
      ^^^^^^^^^^^^
  help: The variable is declared at main.hcl:1:1.

The value of variable `l` can't be read: It was given by -var, and the value of variable `l` can't refer to `oops`.
  help: Its type is `list(string)`: write an expression of the language."
    );
    assert_eq!(
        errors_of(&[("main.hcl", main), ("weir.vars.hcl", "n = [1]\n")], &Inputs::default().var("l", "[]")),
        "weir.vars.hcl:1:5: The value of variable `n` is not of its type: Its type is `number`, and weir.vars.hcl says otherwise: number required, but have tuple.
  1 | n = [1]
          ^^^
  help: The variable is declared at main.hcl:1:1."
    );
    assert_eq!(
        errors_of(&[("main.hcl", main)], &Inputs::default().var("l", "[]")),
        "main.hcl:1:1: Variable `n` has no value: It has no default, so it must be given.
  1 | variable \"n\" { type = number }
      ^^^^^^^^^^^^
  help: Give it with `-var n=...`, in a file `weir.vars.hcl`, or in the environment as WEIR_VAR_n."
    );
}

#[test]
fn validations_hold_values() {
    let main = r#"variable "n" {
  default = 3
  validation {
    condition     = var.n > 5
    error_message = "n must be above 5, not ${var.n}."
  }
}
"#;
    assert_eq!(
        errors_of(&[("main.hcl", main)], &Inputs::default()),
        "main.hcl:4:21: Variable `n` has a value that is refused: n must be above 5, not 3.
  4 |     condition     = var.n > 5
                          ^^^^^^^^^
  var.n is 3"
    );
    assert_eq!(
        errors_of(&[("main.hcl", main)], &Inputs::default().var("n", "9")),
        ""
    );
}

#[test]
fn sensitive_values_are_never_shown() {
    let main = "variable \"p\" {\n  type      = number\n  sensitive = true\n}\n";
    let shown = errors_of(
        &[("main.hcl", main)],
        &Inputs::default().var("p", "hunter2"),
    );
    assert!(!shown.contains("hunter2"), "{shown}");
    let main = "variable \"p\" {\n  default   = \"hunter2\"\n  sensitive = true\n}\noutput \"o\" { value = \"<${var.p}>\" }\n";
    assert_eq!(
        errors_of(&[("main.hcl", main)], &Inputs::default()),
        "main.hcl:5:22: Output `o` holds a sensitive value: Outputs are shown after every apply, unless they are declared sensitive.
  5 | output \"o\" { value = \"<${var.p}>\" }
                           ^^^^^^^^^^^^
  help: Add `sensitive = true` to the output, or wrap what may be shown in `nonsensitive(...)`."
    );
}
