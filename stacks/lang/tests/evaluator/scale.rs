//! Ten thousand instances. The times are for a look (`--nocapture`); what is held is that each
//! stands on its own input alone, and that a second pass comes through.

use crate::kit::{Mode, answer, config, drive, evaluator};
use std::{collections::BTreeSet, fmt::Write, time::Instant};

#[test]
fn instances_by_the_thousand() {
    let text = r#"
resource "fake_thing" "a" {
  count = 5000
  name  = "a-${count.index}"
}
resource "fake_thing" "b" {
  count = 5000
  name  = fake_thing.a[count.index].id
  tags  = local.tags
}
locals {
  tags  = { first = fake_thing.a[0].name, n = 1 }
  names = { for i, t in fake_thing.a : t.name => i }
}
output "n" { value = length(fake_thing.b) }
output "names" { value = length(local.names) }
"#;
    let start = Instant::now();
    let mut ev = evaluator(config(&[("main.hcl", text)]));
    let run = drive(&mut ev, &Mode::Plan, &BTreeSet::new());
    println!("plan of 10,000 instances: {:?}", start.elapsed());
    assert_eq!(run.instances.len(), 10_000);
    assert_eq!(run.output("n"), "5000");

    let start = Instant::now();
    for instance in &run.instances {
        let mut instance = instance.clone();
        instance.config = ev.config_of(&instance.address).unwrap();
        ev.supply(&instance.address, answer(&instance, &Mode::Apply));
    }
    println!("apply of 10,000 instances: {:?}", start.elapsed());
    assert_eq!(ev.outputs()["n"].value.to_string(), "5000");
}

#[test]
fn one_of_many_stands_on_one() {
    let text = r#"
resource "fake_thing" "a" { count = 3000 }
resource "fake_thing" "b" {
  count = 3000
  name  = fake_thing.a[count.index].id
}
"#;
    let run = drive(
        &mut evaluator(config(&[("main.hcl", text)])),
        &Mode::Plan,
        &BTreeSet::new(),
    );
    assert!(
        run.instances[3000..]
            .iter()
            .all(|i| i.dependencies.len() == 1)
    );
}

#[test]
fn blocks_by_the_thousand_in_one_chain() {
    let mut text = String::from("resource \"fake_thing\" \"r0\" {}\nlocals {\n  l0 = 1\n");
    for i in 1..5000 {
        let _ = writeln!(text, "  l{i} = local.l{} + 1", i - 1);
    }
    text.push_str("}\n");
    for i in 1..2000 {
        let _ = writeln!(
            text,
            "resource \"fake_thing\" \"r{i}\" {{ name = fake_thing.r{}.name }}",
            i - 1
        );
    }
    text.push_str("output \"last\" { value = local.l4999 }\n");
    let start = Instant::now();
    let run = drive(
        &mut evaluator(config(&[("main.hcl", &text)])),
        &Mode::Plan,
        &BTreeSet::new(),
    );
    println!(
        "a chain of 5,000 locals and 2,000 resources: {:?}",
        start.elapsed()
    );
    assert_eq!(run.instances.len(), 2000);
    assert_eq!(run.output("last"), "5000");
}

#[test]
fn the_order_is_the_same_every_time() {
    let text = r#"
resource "fake_thing" "z" { for_each = toset(["c", "a", "b"]) }
resource "fake_thing" "a" { name = fake_thing.z["b"].id }
resource "fake_thing" "m" { count = 3 }
"#;
    let order = || {
        let run = drive(
            &mut evaluator(config(&[("main.hcl", text)])),
            &Mode::Plan,
            &BTreeSet::new(),
        );
        run.addresses()
    };
    let first = order();
    assert!((0..5).all(|_| order() == first));
}
