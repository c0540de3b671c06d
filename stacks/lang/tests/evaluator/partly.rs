//! Instances that are not there, and what is wrong with those that may be none of what is planned.

use crate::kit::{Mode, all, config, drive, evaluator};
use std::collections::BTreeSet;
use weir_core::{Address, Value};

fn address(text: &str) -> Address {
    text.parse().expect("the tests write addresses")
}

const MAIN: &str = r#"
resource "fake_thing" "a" { count = 3 }
resource "fake_thing" "b" { for_each = toset(["x", "y"]) }
output "counted" { value = fake_thing.a[*].id }
output "one"     { value = fake_thing.a[2].id }
output "keyed"   { value = { for k, v in fake_thing.b : k => v.id } }
output "third"   { value = tolist(fake_thing.a[*].id)[2] }
"#;

#[test]
fn a_block_is_what_is_there_of_it() {
    let mut ev = evaluator(config(&[("main.hcl", MAIN)]));
    drive(&mut ev, &Mode::Apply, &BTreeSet::new());
    let mut shown = |gone: &[&str]| {
        for gone in gone {
            ev.leave_out(&address(gone));
        }
        let outputs = ev.outputs();
        let of = |name: &str| outputs[name].value.to_string();
        (of("counted"), of("one"), of("keyed"), of("third"))
    };
    let (counted, one, keyed, third) = shown(&["fake_thing.a[2]", "fake_thing.b[\"x\"]"]);
    assert_eq!(
        counted,
        r#"["id-of-fake_thing.a[0]", "id-of-fake_thing.a[1]"]"#
    );
    // Asked for by its key, it is not known; nor is what can't be evaluated for it.
    assert_eq!(one, "(known after apply)");
    assert_eq!(third, "(known after apply)");
    assert!(
        keyed.contains("\"y\"") && !keyed.contains("\"x\""),
        "{keyed}"
    );
    let (counted, ..) = shown(&["fake_thing.a[0]"]);
    assert_eq!(counted, r#"[(known after apply), "id-of-fake_thing.a[1]"]"#);

    // It is there again.
    let object = Value::object([("id", Value::string("new"))]);
    ev.supply(&address("fake_thing.a[2]"), object);
    assert_eq!(ev.outputs()["third"].value.to_string(), r#""new""#);
    assert!(ev.take_diagnostics().is_empty());
}

const BROKEN: &str = r#"
resource "fake_thing" "a" {
  count = 3
  name  = ["p", "q"][count.index]
}
resource "fake_thing" "b" {
  for_each = toset(["x", "y"])
  name     = each.key
  lifecycle {
    postcondition {
      condition     = self.name == "x"
      error_message = "Only x."
    }
  }
}
"#;

#[test]
fn what_is_wrong_with_an_instance_is_set_aside_but_for_what_is_planned() {
    let of = |planned: &[&str]| {
        let planned = planned.iter().map(|a| address(a)).collect();
        let mut ev = evaluator(config(&[("main.hcl", BROKEN)])).setting_aside(planned);
        let run = drive(&mut ev, &Mode::Apply, &BTreeSet::new());
        (run, ev.take_aside())
    };
    let (run, aside) = of(&[]);
    assert!(run.problems.is_empty(), "{}", all(&run.problems));
    let refused = &run.instance("fake_thing.a[2]").refused;
    assert_eq!(refused.len(), 1);
    assert!(refused[0].summary.contains("no element 2"), "{refused:?}");
    assert!(run.instance("fake_thing.a[1]").refused.is_empty());
    let found: Vec<String> = aside.keys().map(ToString::to_string).collect();
    assert_eq!(found, ["fake_thing.b[\"y\"]"]);

    let (run, aside) = of(&["fake_thing.a[2]", "fake_thing.b[\"y\"]"]);
    assert!(aside.is_empty());
    let said = all(&run.problems);
    assert!(
        said.contains("no element 2") && said.contains("Only x."),
        "{said}"
    );
}

#[test]
fn who_only_looks_asks_nothing_of_what_blocks_say() {
    let text = r#"
resource "fake_thing" "a" {
  count = 3
  name  = ["p", "q"][count.index]
  lifecycle { replace_triggered_by = [fake_thing.b["z"]] }
}
resource "fake_thing" "b" { for_each = toset(["x", "y"]) }
"#;
    let mut ev = evaluator(config(&[("main.hcl", text)])).looking_only();
    let run = drive(&mut ev, &Mode::Apply, &BTreeSet::new());
    assert!(run.problems.is_empty(), "{}", all(&run.problems));
    assert_eq!(run.addresses().len(), 5);
}
