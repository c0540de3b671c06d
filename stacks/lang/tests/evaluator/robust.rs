//! Damaged configurations: whatever is cut out or swapped, loading and evaluating them ends, with
//! errors or without, and no error is lost along the way.

use crate::kit::{Mode, drive, evaluator, try_load};
use std::collections::BTreeSet;
use weir_lang::Inputs;

const TEXT: &str = r#"
variable "n" {
  type    = number
  default = 2
}
provider "fake" { region = fake_thing.base.name }
provider "fake" { alias = "west" }
locals {
  names = { for i in range(var.n) : "k${i}" => i }
  ids   = fake_thing.many[*].id
}
resource "fake_thing" "base" { provider = fake.west }
resource "fake_thing" "many" {
  count = var.n
  name  = "x-${count.index}"
  rule { port = 80 + count.index }
  dynamic "rule" {
    for_each = local.names
    content { port = rule.value }
  }
  lifecycle { ignore_changes = [tags] }
}
resource "fake_thing" "each" {
  for_each   = local.names
  name       = fake_thing.many[each.value].id
  depends_on = [fake_thing.base]
}
data "fake_lookup" "l" { name = fake_thing.each["k1"].name }
module "m" {
  source   = "./m"
  for_each = local.names
  given    = join(",", local.ids)
}
site "s" {
  ssh { user = "root" }
  host "a" { address = "10.0.0.1" }
  host "b" { address = fake_thing.base.id }
}
cluster "c" {
  pool "p" { site = site.s }
}
service "w" {
  cluster = cluster.c
  pod "p" {
    count = var.n
    resources {
      memory = "1GiB"
      port "x" {}
    }
    file "f" { content = "on ${self.host} ${data.fake_lookup.l.value}" }
    task "t" { run = "x ${self.port.x}" }
  }
  pod "q" {
    every = "host"
    task "t" { unit = "u.service" }
  }
  plan "deploy" {
    phase "q" {
      pod   = pod.q
      order = "parallel"
    }
    phase "p" { pod = pod.p }
  }
}
output "e" { value = service.w.endpoints.x }
output "m" { value = module.m["k0"].out }
"#;

const MODULE: &str = "variable \"given\" {}\noutput \"out\" { value = upper(var.given) }\n";

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

fn tokens(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut word = false;
    for c in text.chars() {
        let is_word = c.is_alphanumeric() || c == '_';
        match out.last_mut() {
            Some(last) if is_word && word => last.push(c),
            _ => out.push(c.to_string()),
        }
        word = is_word;
    }
    out
}

fn run(text: &str) -> bool {
    evaluated(text, &[("main.hcl", text), ("m/main.hcl", MODULE)])
}

/// The same things in JSON, beside a file that an override changes.
const JSON: &str = r#"{
  "//": "a comment",
  "variable": {"n": {"type": "number", "default": 2, "validation": [{"condition": "${var.n > 0}", "error_message": "n is ${var.n}"}]}},
  "provider": {"fake": [{"region": "${fake_thing.base.name}"}, {"alias": "west"}]},
  "locals": {"names": "${{for i in range(var.n) : \"k${i}\" => i}}", "ids": "${fake_thing.many[*].id}", "deep": [1, {"a\u0022b": null, "c": [true, 1.5e3]}]},
  "resource": {"fake_thing": {
    "base": {"provider": "fake.west", "depends_on": []},
    "many": {
      "count": "${var.n}", "name": "x-${count.index}", "rule": [{"port": "${80 + count.index}"}],
      "dynamic": {"rule": {"for_each": "${local.names}", "iterator": "it", "content": {"port": "${it.value}"}}},
      "lifecycle": {"ignore_changes": ["tags", "rule[0].port"], "precondition": {"condition": "${var.n < 100}", "error_message": "x"}}
    }
  }},
  "data": {"fake_lookup": {"l": {"name": "%{ if var.n > 1 }${fake_thing.many[0].name}%{ endif }"}}},
  "module": {"m": {"source": "./m", "for_each": "${local.names}", "given": "${join(\",\", local.ids)}"}},
  "output": {"m": {"value": "${module.m[\"k0\"].out}"}, "d": {"value": ["${data.fake_lookup.l.value}", "${local.deep}"], "sensitive": true}}
}
"#;

const OVERRIDE: &str = r#"
locals { deep = [] }
resource "fake_thing" "many" {
  rule { port = 1 }
  lifecycle { ignore_changes = all }
}
"#;

fn run_json(text: &str) -> bool {
    let files = [
        ("main.tf.json", text),
        ("m/main.hcl", MODULE),
        ("override.tf", OVERRIDE),
    ];
    evaluated(text, &files)
}

fn evaluated(text: &str, files: &[(&str, &str)]) -> bool {
    let Ok(loaded) = try_load(files, &Inputs::default()) else {
        return false;
    };
    for mode in [Mode::Plan, Mode::Apply] {
        let run = drive(
            &mut evaluator(loaded.config.clone()),
            &mode,
            &BTreeSet::new(),
        );
        // What has no value has an error.
        let complete = run.outputs.len() == loaded.config.outputs().len();
        assert!(complete || run.problems.has_errors(), "{text}");
    }
    true
}

#[test]
fn damage_ends_in_errors_alone() {
    damage(TEXT, run);
}

#[test]
fn damaged_json_ends_in_errors_alone() {
    damage(JSON, run_json);
}

fn damage(text: &str, run: fn(&str) -> bool) {
    assert!(run(text), "the text itself must load");
    let whole = tokens(text);
    let words: Vec<&String> = whole
        .iter()
        .filter(|t| t.chars().all(char::is_alphanumeric))
        .collect();
    let mut numbers = Numbers(7);
    let mut loaded = 0;
    for _ in 0..1500 {
        let mut damaged = whole.clone();
        let at = numbers.below(damaged.len());
        match numbers.below(3) {
            0 => {
                let end = (at + 1 + numbers.below(12)).min(damaged.len());
                damaged.drain(at..end);
            }
            1 => damaged[at] = words[numbers.below(words.len())].clone(),
            _ => {
                // A line goes.
                let lines: Vec<&str> = text.lines().collect();
                let gone = numbers.below(lines.len());
                let kept = lines
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| *i != gone)
                    .map(|(_, l)| *l);
                damaged = vec![kept.collect::<Vec<_>>().join("\n") + "\n"];
            }
        }
        loaded += usize::from(run(&damaged.concat()));
    }
    assert!(
        loaded > 50,
        "only {loaded} of the damaged texts load: the test sees too little"
    );
}
