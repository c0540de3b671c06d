//! The JSON syntax and override files where a provider's schema says what a property is.

use crate::kit::{Mode, Run, all, run, try_load};
use weir_lang::Inputs;

const NATIVE: &str = r#"
variable "ports" { default = [80, 443] }
resource "fake_thing" "one" {
  name = "one"
  rule {
    port = 22
    cidr = "10.0.0.0/8"
  }
  rule { port = 23 }
}
resource "fake_thing" "many" {
  name = "many"
  tags = { name = fake_thing.one.name }
  dynamic "rule" {
    for_each = var.ports
    iterator = it
    content {
      port = it.value
      cidr = "10.0.${it.key}.0/24"
    }
  }
}
resource "fake_thing" "none" { name = "none" }
"#;

/// What every instance is configured with.
fn configs(run: &Run) -> Vec<String> {
    let show = |address: String| format!("{address} = {}", run.config(&address));
    run.addresses().into_iter().map(show).collect()
}

fn same(files: &[(&str, &str)]) {
    let (wanted, found) = (
        run(&[("main.tf", NATIVE)], Mode::Plan),
        run(files, Mode::Plan),
    );
    assert_eq!(configs(&wanted), configs(&found));
}

#[test]
fn properties_are_blocks_where_the_schema_says_so() {
    same(&[(
        "main.tf.json",
        r#"{
  "variable": {"ports": {"default": [80, 443]}},
  "resource": {"fake_thing": {
    "one": {
      "//": "a comment",
      "name": "one",
      "rule": [{"port": 22, "cidr": "10.0.0.0/8", "//": "a comment"}, {"port": "${20 + 3}"}]
    },
    "many": {
      "name": "many",
      "tags": {"name": "${fake_thing.one.name}"},
      "dynamic": {"rule": {
        "for_each": "${var.ports}",
        "iterator": "it",
        "content": {"port": "${it.value}", "cidr": "10.0.${it.key}.0/24"}
      }}
    },
    "none": {"name": "none", "rule": null}
  }}
}"#,
    )]);
    // Lists where there is one, and the same property twice.
    same(&[(
        "main.tf.json",
        r#"[{"variable": [{"ports": [{"default": [80, 443]}]}]},
  {"resource": [{"fake_thing": [
    {"one": [{"name": "one", "rule": {"port": 22, "cidr": "10.0.0.0/8"}, "rule": {"port": 23}}]},
    {"many": {
      "name": "many",
      "tags": {"name": "${fake_thing.one.name}"},
      "dynamic": [{"rule": [{"for_each": ["80", "443"], "iterator": "it",
        "content": [{"port": "${it.value}", "cidr": "10.0.${it.key}.0/24"}]}]}]
    }},
    {"none": {"name": "none", "rule": []}}
  ]}]}]"#,
    )]);
}

#[test]
fn overrides_replace_blocks_across_syntaxes() {
    let base = NATIVE
        .replace("port = 22", "port = 1")
        .replace("rule { port = 23 }", "")
        .replace("it.value", "it.value + 1");
    same(&[
        ("main.tf", &base),
        (
            "main_override.tf.json",
            r#"{"resource": {"fake_thing": {
              "one": {"rule": [{"port": 22, "cidr": "10.0.0.0/8"}, {"port": 23}]},
              "many": {"rule": [{"port": 80, "cidr": "10.0.0.0/24"}, {"port": 443, "cidr": "10.0.1.0/24"}]}
            }}}"#,
        ),
    ]);
    let json = r#"{"resource": {"fake_thing": {
      "one": {"name": "base", "rule": {"port": 1}},
      "many": {"name": "many", "tags": {"other": "x"}, "rule": {"port": 1}},
      "none": {"name": "none"}
    }}, "variable": {"ports": {"default": []}}}"#;
    same(&[
        ("main.tf.json", json),
        (
            "override.tf",
            r#"
            variable "ports" { default = [80, 443] }
            resource "fake_thing" "one" {
              name = "one"
              rule {
                port = 22
                cidr = "10.0.0.0/8"
              }
              rule { port = 23 }
            }
            resource "fake_thing" "many" {
              tags = { name = fake_thing.one.name }
              dynamic "rule" {
                for_each = var.ports
                content {
                  port = rule.value
                  cidr = "10.0.${rule.key}.0/24"
                }
              }
            }
            "#,
        ),
    ]);
}

#[test]
fn what_dynamic_blocks_bind_in_json_is_no_resource() {
    let run = run(
        &[(
            "main.tf.json",
            r#"{"resource": {"fake_thing": {"a": {
              "name": "a",
              "dynamic": {"rule": {"for_each": {"x": 1}, "content": {"port": "${rule.value}", "cidr": "${rule.key}"}}}
            }}}}"#,
        )],
        Mode::Plan,
    );
    assert!(run.config("fake_thing.a").to_string().contains("\"x\""));
}

#[test]
fn services_may_be_written_in_json() {
    let native = r#"
site "here" {
  host "me" { connection = "local" }
}
cluster "c" {
  pool "p" { site = site.here }
}
service "web" {
  cluster = cluster.c
  pod "main" {
    count = 2
    task "run" {
      run = "sleep infinity"
    }
  }
}
"#;
    let json = r#"{
  "site": {"here": {"host": {"me": {"connection": "local"}}}},
  "cluster": {"c": {"pool": {"p": {"site": "${site.here}"}}}},
  "service": {"web": {
    "cluster": "${cluster.c}",
    "pod": {"main": {"count": 2, "task": {"run": {"run": "sleep infinity"}}}}
  }}
}"#;
    let wanted = run(&[("main.hcl", native)], Mode::Plan);
    let found = run(&[("main.hcl.json", json)], Mode::Plan);
    assert_eq!(configs(&wanted), configs(&found));
    assert!(!configs(&wanted).is_empty());
}

#[test]
fn many_values_that_nothing_wants_are_summed_up() {
    let files = [
        ("main.tf", "variable \"a\" { default = 1 }\n"),
        (
            "terraform.tfvars.json",
            r#"{"//": "shared", "a": "${2}", "b": 1, "c": 2, "d": 3}"#,
        ),
        ("x.auto.tfvars", "b = 2\ne = 1\n"),
    ];
    let loaded = try_load(&files, &Inputs::default()).unwrap();
    let said = all(&loaded.warnings);
    for text in ["`b`", "x.auto.tfvars", "`c`", "2 more values"] {
        assert!(said.contains(text), "{said}");
    }
    assert!(!said.contains("`d`") && !said.contains("`e`"), "{said}");
}
