//! An evaluator driven a second time, with real values in the place of planned ones.

use crate::kit::{FakeSchemas, Mode, answer, config, drive, evaluator, shown};
use std::{collections::BTreeSet, sync::Arc};
use weir_core::{Address, Value};
use weir_lang::Next;

fn address(text: &str) -> Address {
    text.parse().expect("the tests write addresses")
}

const CHAIN: &str = r#"
provider "fake" {
  alias  = "later"
  region = fake_thing.a.id
}
resource "fake_thing" "a" {}
locals {
  first  = fake_thing.a.id
  second = "<${local.first}>"
}
resource "fake_thing" "b" {
  count = 2
  name  = "${local.second}${count.index}"
}
resource "fake_thing" "c" { after = fake_thing.b[*].name }
resource "fake_thing" "d" { provider = fake.later }
module "m" {
  source = "./m"
  given  = local.second
}
output "o"   { value = local.second }
output "all" { value = fake_thing.b[*].id }
output "m"   { value = module.m.out }
"#;

const MODULE: &str = r#"
variable "given" {}
resource "fake_thing" "t" { name = var.given }
output "out" { value = upper(fake_thing.t.name) }
"#;

#[test]
fn real_values_replace_planned_ones() {
    let config = config(&[("main.hcl", CHAIN), ("m/main.hcl", MODULE)]);
    let mut ev = evaluator(config);
    let run = drive(&mut ev, &Mode::Plan, &BTreeSet::new());
    assert!(run.problems.is_empty());
    assert_eq!(run.output("o"), "(known after apply)");

    let order = [
        "fake_thing.a",
        "fake_thing.b[0]",
        "fake_thing.b[1]",
        "fake_thing.c",
        "fake_thing.d",
        "module.m.fake_thing.t",
    ];
    for text in order {
        let config = ev.config_of(&address(text)).unwrap();
        let mut instance = run.instance(text).clone();
        instance.config = config;
        ev.supply(&instance.address, answer(&instance, &Mode::Apply));
        let seen = instance.config.to_string();
        match text {
            "fake_thing.b[1]" => assert!(seen.contains(r#""<id-of-fake_thing.a>1""#), "{seen}"),
            "fake_thing.c" => {
                assert!(
                    seen.contains(r#"["<id-of-fake_thing.a>0", "<id-of-fake_thing.a>1"]"#),
                    "{seen}"
                );
            }
            "fake_thing.d" => {
                // Its provider is made again, from what is known now.
                let Ok(Next::Provider(p)) = ev.next() else {
                    panic!("no provider")
                };
                assert_eq!(
                    p.config.get("region").unwrap().to_string(),
                    r#""id-of-fake_thing.a""#
                );
            }
            "module.m.fake_thing.t" => {
                assert!(seen.contains(r#""<id-of-fake_thing.a>""#), "{seen}")
            }
            _ => {}
        }
    }
    assert!(matches!(ev.next(), Ok(Next::Done)));
    let outputs = ev.outputs();
    assert_eq!(outputs["o"].value.to_string(), r#""<id-of-fake_thing.a>""#);
    assert_eq!(outputs["m"].value.to_string(), r#""<ID-OF-FAKE_THING.A>""#);
    assert_eq!(
        outputs["all"].value.to_string(),
        r#"["id-of-fake_thing.b[0]", "id-of-fake_thing.b[1]"]"#
    );
}

#[test]
fn addresses_of_machines_that_are_made_reach_the_pods() {
    let text = r#"
resource "fake_thing" "machine" {}
site "cloud" {
  host "m" { address = fake_thing.machine.id }
}
cluster "c" {
  pool "p" { site = site.cloud }
}
service "s" {
  cluster = cluster.c
  pod "p" {
    resources {
      port "x" { number = 80 }
    }
    env = { SELF = self.address }
    task "t" { run = "x" }
  }
}
output "endpoint" { value = service.s.endpoints.x[0] }
"#;
    let mut ev = evaluator(config(&[("main.hcl", text)]));
    let run = drive(&mut ev, &Mode::Plan, &BTreeSet::new());
    let (host, pod) = (r#"site.cloud.host["m"]"#, r#"service.s.pod.p["0"]"#);
    assert_eq!(run.dependencies(host), ["fake_thing.machine"]);
    assert_eq!(run.output("endpoint"), "(known after apply)");
    ev.supply(
        &address("fake_thing.machine"),
        Value::object([("id", Value::string("192.0.2.7"))]),
    );
    let config = ev.config_of(&address(host)).unwrap();
    assert_eq!(config.get("address").unwrap().to_string(), r#""192.0.2.7""#);
    ev.supply(&address(host), config);
    let config = ev.config_of(&address(pod)).unwrap();
    assert_eq!(
        config.get("env").unwrap().to_string(),
        r#"{"SELF" = "192.0.2.7"}"#
    );
    assert_eq!(
        ev.outputs()["endpoint"].value.to_string(),
        r#""192.0.2.7:80""#
    );
}

#[test]
fn what_was_never_yielded_has_no_configuration() {
    let mut ev = evaluator(config(&[("main.hcl", CHAIN), ("m/main.hcl", MODULE)]));
    let error = ev.config_of(&address("fake_thing.nope")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "fake_thing.nope has no configuration: It was never evaluated, so it can't be evaluated again."
    );
}

/// What an apply finds out makes a value wrong that two need: the cause is said once, and the
/// second says what it waits for.
#[test]
fn what_needs_something_in_error_can_not_be_evaluated() {
    let text = r#"
resource "fake_thing" "a" {}
locals { n = tonumber(fake_thing.a.id) }
resource "fake_thing" "b" { size = local.n }
resource "fake_thing" "c" { size = local.n }
"#;
    let mut ev = evaluator(config(&[("main.hcl", text)]));
    drive(&mut ev, &Mode::Plan, &BTreeSet::new());
    ev.supply(
        &address("fake_thing.a"),
        Value::object([("id", Value::string("many"))]),
    );
    let error = ev.config_of(&address("fake_thing.b")).unwrap_err();
    assert!(
        error.to_string().contains("Cannot convert \"many\""),
        "{error}"
    );
    let error = ev.config_of(&address("fake_thing.c")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "fake_thing.c can't be evaluated: It needs local.n, which has no value."
    );
}

/// A provider of another version than the language's: its host's address is a number.
#[test]
fn a_host_that_the_provider_has_otherwise_is_a_fault_of_weir() {
    let text = "site \"s\" {\n  host \"h\" { address = \"10.0.0.1\" }\n}\n";
    let schemas = FakeSchemas::new().of_another_version();
    let mut ev = weir_lang::Evaluator::new(config(&[("main.hcl", text)]), Arc::new(schemas));
    let run = drive(&mut ev, &Mode::Plan, &BTreeSet::new());
    let found: Vec<String> = run.problems.0.iter().map(shown).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("`weir_host` is not what the provider `host` expects"),
        "{found:?}"
    );
}

#[test]
fn an_evaluator_can_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<weir_lang::Evaluator>();
    crosses::<weir_lang::Config>();
}

#[test]
fn a_second_value_that_is_equal_changes_nothing() {
    let mut ev = evaluator(config(&[("main.hcl", CHAIN), ("m/main.hcl", MODULE)]));
    let run = drive(&mut ev, &Mode::Plan, &BTreeSet::new());
    for instance in &run.instances {
        ev.supply(&instance.address, answer(instance, &Mode::Plan));
    }
    // Nothing is out of date: no provider is handed out again.
    assert!(matches!(ev.next(), Ok(Next::Done)));
}
