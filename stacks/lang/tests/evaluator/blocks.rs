//! Blocks that need a provider Terraform has not built in, and those Terraform has not.

use crate::kit::{Mode, all, config, drive, errors_of, evaluator, plan, run};
use std::collections::BTreeSet;
use weir_core::{Diagnostic, Diagnostics, Marks, Severity};
use weir_lang::{CheckStatus, End, Evaluator, Inputs, Next, StepKey};

fn refused(text: &str) -> String {
    errors_of(&[("main.hcl", text)], &Inputs::default())
}

#[test]
fn an_ephemeral_value_reaches_providers_and_write_only_attributes_alone() {
    let found = refused("ephemeral \"terraform_token\" \"x\" {}");
    let why = "There is no ephemeral resource of type `terraform_token`";
    assert!(found.contains(why), "{found}");
    let run = plan(
        r#"
        ephemeral "fake_token" "t" {
          count = 2
          name  = "n"
        }
        ephemeral "fake_token" "u" { name = ephemeral.fake_token.t[0].value }
        locals { token = "${ephemeral.fake_token.t[1].value}!" }
        provider "fake" {
          alias  = "b"
          region = local.token
        }
        resource "fake_thing" "a" {
          provider = fake.b
          password = ephemeral.fake_token.t[1].value
        }
    "#,
    );
    assert!(
        run.addresses()
            .contains(&"ephemeral.fake_token.u".to_owned())
    );
    let password = run
        .config("fake_thing.a")
        .get("password")
        .expect("it is set");
    assert!(password.marks().contains(Marks::EPHEMERAL));
    assert_eq!(
        run.dependencies("fake_thing.a"),
        ["ephemeral.fake_token.t[1]"]
    );
    for (name, text) in [
        (
            "`name` can't hold",
            r#"resource "fake_thing" "a" { name = ephemeral.fake_token.t.value }"#,
        ),
        (
            "`cidr` can't hold",
            r#"resource "fake_thing" "a" {
            dynamic "rule" {
              for_each = [ephemeral.fake_token.t.value]
              content {
                port = 1
                cidr = rule.value
              }
            }
          }"#,
        ),
        (
            "`name` can't hold",
            r#"data "fake_lookup" "a" { name = ephemeral.fake_token.t.value }"#,
        ),
        (
            "holds an ephemeral value",
            "output \"o\" { value = ephemeral.fake_token.t.value }",
        ),
        (
            "can't set `prevent_destroy`",
            "ephemeral \"fake_token\" \"b\" {\n lifecycle { prevent_destroy = true }\n}",
        ),
    ] {
        let found = refused(&format!("ephemeral \"fake_token\" \"t\" {{}}\n{text}"));
        assert!(found.contains(name), "{text}\n{found}");
    }
}

#[test]
fn a_provider_with_for_each_serves_by_key() {
    let files = [
        (
            "main.hcl",
            r#"
            locals { regions = { eu = "frankfurt", us = "ohio" } }
            provider "fake" {
              alias    = "by_region"
              for_each = local.regions
              region   = each.value
            }
            resource "fake_thing" "a" {
              for_each = local.regions
              provider = fake.by_region[each.key]
            }
            resource "fake_thing" "b" { provider = fake.by_region["us"] }
            module "m" {
              source    = "./m"
              for_each  = toset(["eu"])
              providers = { fake = fake.by_region[each.value] }
            }
            "#,
        ),
        ("m/main.hcl", "module \"n\" { source = \"./n\" }"),
        ("m/n/main.hcl", "resource \"fake_thing\" \"c\" {}"),
    ];
    let run = run(&files, Mode::Plan);
    assert!(run.problems.is_empty(), "{}", all(&run.problems));
    let served = |a: &str| run.instance(a).provider.to_string();
    assert_eq!(served(r#"fake_thing.a["eu"]"#), r#"fake.by_region["eu"]"#);
    assert_eq!(served(r#"fake_thing.a["us"]"#), r#"fake.by_region["us"]"#);
    assert_eq!(served("fake_thing.b"), r#"fake.by_region["us"]"#);
    assert_eq!(
        served(r#"module.m["eu"].module.n.fake_thing.c"#),
        r#"fake.by_region["eu"]"#
    );
    let configured: Vec<String> = run
        .providers
        .iter()
        .map(|p| p.provider.to_string())
        .collect();
    assert_eq!(
        configured,
        [r#"fake.by_region["eu"]"#, r#"fake.by_region["us"]"#]
    );
    assert_eq!(
        run.providers[1]
            .config
            .get("region")
            .and_then(|v| v.as_str()),
        Some("ohio")
    );
}

#[test]
fn a_key_of_a_provider_is_held_against_its_instances() {
    let block = "provider \"fake\" {\n alias = \"r\"\n for_each = toset([\"eu\"])\n}\n";
    for (why, text) in [
        (
            "has no instance \"us\"",
            "resource \"fake_thing\" \"a\" { provider = fake.r[\"us\"] }",
        ),
        (
            "has several instances",
            "resource \"fake_thing\" \"a\" { provider = fake.r }",
        ),
        (
            "has a single instance",
            "provider \"fake\" { alias = \"one\" }\nresource \"fake_thing\" \"a\" { provider = fake.one[\"x\"] }",
        ),
        (
            "The key of a provider can't be used",
            "resource \"fake_thing\" \"b\" { provider = fake.r[\"eu\"] }\nresource \"fake_thing\" \"a\" { provider = fake.r[fake_thing.b.id] }",
        ),
        (
            "has `for_each`, and no `alias`",
            "provider \"fake\" { for_each = {} }",
        ),
    ] {
        let found = refused(&format!("{block}{text}"));
        assert!(found.contains(why), "{text}\n{found}");
    }
}

#[test]
fn a_module_may_configure_its_own_provider() {
    let files = |call: &'static str| {
        [
            ("main.hcl", call),
            (
                "m/main.hcl",
                "provider \"fake\" {\n alias = \"own\"\n region = \"r\"\n}\nresource \"fake_thing\" \"a\" { provider = fake.own }",
            ),
        ]
    };
    let run = run(&files("module \"m\" { source = \"./m\" }"), Mode::Plan);
    assert!(run.problems.is_empty(), "{}", all(&run.problems));
    let provider = &run.instance("module.m.fake_thing.a").provider;
    assert_eq!(provider.to_string(), "module.m.fake.own");
    assert_eq!(provider.to_string().parse().as_ref(), Ok(provider));
    for word in ["count = 1", "for_each = {}", "depends_on = [module.n]"] {
        let call = format!(
            "module \"m\" {{\n source = \"./m\"\n {word}\n}}\nmodule \"n\" {{ source = \"./m\" }}"
        );
        let found = errors_of(&files(call.leak()), &Inputs::default());
        assert!(found.contains("can't have"), "{word}: {found}");
    }
}

#[test]
fn what_is_not_enabled_is_null() {
    let files = [
        (
            "main.hcl",
            r#"
            variable "on" { default = false }
            resource "fake_thing" "a" {
              name = "a"
              lifecycle { enabled = var.on }
            }
            resource "fake_thing" "b" {
              name = "b"
              lifecycle { enabled = !var.on }
            }
            module "m" {
              source = "./m"
              lifecycle { enabled = var.on }
            }
            output "a" { value = fake_thing.a == null }
            output "name" { value = try(fake_thing.a.name, "none") }
            output "b" { value = fake_thing.b.name }
            output "m" { value = module.m == null }
            "#,
        ),
        (
            "m/main.hcl",
            "resource \"fake_thing\" \"c\" {}\noutput \"o\" { value = 1 }",
        ),
    ];
    let run = run(&files, Mode::Plan);
    assert!(run.problems.is_empty(), "{}", all(&run.problems));
    assert_eq!(run.addresses(), ["fake_thing.b"]);
    let outputs: Vec<String> = ["a", "name", "b", "m"].map(|n| run.output(n)).into();
    assert_eq!(outputs, ["true", "\"none\"", "\"b\"", "true"]);
    for (why, text) in [
        (
            "both `count` and `enabled`",
            "resource \"fake_thing\" \"a\" {\n count = 1\n lifecycle { enabled = true }\n}",
        ),
        (
            "is not known before apply",
            "resource \"fake_thing\" \"b\" {}\nresource \"fake_thing\" \"a\" {\n lifecycle { enabled = fake_thing.b.id == \"x\" }\n}",
        ),
        (
            "It is null",
            "resource \"fake_thing\" \"a\" {\n lifecycle { enabled = null }\n}",
        ),
    ] {
        assert!(refused(text).contains(why), "{text}\n{}", refused(text));
    }
}

#[test]
fn a_lifecycle_is_evaluated_for_each_instance() {
    let run = plan(
        r#"
        variable "keep" { default = ["x"] }
        resource "fake_thing" "t" { count = 2 }
        resource "fake_thing" "one" {}
        resource "fake_thing" "a" {
          for_each = toset(["x", "y"])
          lifecycle {
            prevent_destroy      = contains(var.keep, each.key)
            destroy              = false
            replace_triggered_by = [fake_thing.t, fake_thing.one.tags["k"]]
          }
        }
        resource "fake_thing" "b" {
          count = 2
          lifecycle { replace_triggered_by = [fake_thing.t[count.index].id] }
        }
        "#,
    );
    let of = |a: &str| run.instance(a).lifecycle.clone();
    assert!(
        of(r#"fake_thing.a["x"]"#).prevent_destroy && !of(r#"fake_thing.a["y"]"#).prevent_destroy
    );
    assert!(!of(r#"fake_thing.a["x"]"#).destroy && of("fake_thing.one").destroy);
    let shown = |a: &str| -> Vec<String> {
        let triggers = of(a).replace_triggered_by;
        triggers
            .iter()
            .map(|t| format!("{} {} {}", t.address, t.whole_block, t.path))
            .collect()
    };
    assert_eq!(
        shown(r#"fake_thing.a["x"]"#),
        ["fake_thing.t true ", "fake_thing.one false tags.k"].map(str::to_owned)
    );
    assert_eq!(shown("fake_thing.b[1]"), ["fake_thing.t[1] false id"]);
    assert_eq!(run.dependencies("fake_thing.b[1]"), ["fake_thing.t[1]"]);
    let found = refused(
        "resource \"fake_thing\" \"b\" {}\nresource \"fake_thing\" \"a\" {\n lifecycle { prevent_destroy = fake_thing.b.id != \"\" }\n}",
    );
    assert!(
        found.contains("`prevent_destroy` of fake_thing.a is not known before apply"),
        "{found}"
    );
}

#[test]
fn statements_are_absolute() {
    let config = config(&[
        (
            "main.hcl",
            r#"
            module "m" { source = "./m" }
            moved {
              from = module.old["k"].fake_thing.x[0]
              to   = module.m.fake_thing.x
            }
            moved {
              from = module.older
              to   = module.m
            }
            "#,
        ),
        (
            "m/main.hcl",
            r#"
            resource "fake_thing" "x" {}
            moved {
              from = fake_thing.y
              to   = fake_thing.x
            }
            removed {
              from = fake_thing.z
              lifecycle { destroy = false }
            }
            "#,
        ),
    ]);
    let moves: Vec<String> = config
        .moves()
        .iter()
        .map(|m| format!("{} -> {}", m.from, m.to))
        .collect();
    assert_eq!(
        moves,
        [
            r#"module.old["k"].fake_thing.x[0] -> module.m.fake_thing.x"#,
            "module.older -> module.m",
            "module.m.fake_thing.y -> module.m.fake_thing.x",
        ]
    );
    assert_eq!(config.moves()[1].to.end, End::Module);
    let inner = &config.moves()[2].from;
    assert_eq!(inner.modules[0].key, StepKey::Any);
    let address = |s: &str| s.parse().expect("an address");
    assert!(inner.holds(&address("module.m[3].fake_thing.y[\"q\"]")));
    assert!(!inner.holds(&address("fake_thing.y")));
    assert!(
        config.moves()[1]
            .from
            .holds(&address("module.older[1].module.z.fake_thing.q"))
    );
    assert!(!config.removed()[0].destroy);
}

#[test]
fn imports_are_listed_and_told_to_their_instances() {
    let mut evaluator = evaluator(config(&[(
        "main.hcl",
        r#"
        provider "fake" { alias = "b" }
        resource "fake_thing" "a" {
          for_each = toset(["x", "y"])
        }
        import {
          for_each = { x = "id-x" }
          to       = fake_thing.a[each.key]
          id       = each.value
        }
        import {
          to       = fake_thing.new["k"]
          id       = "id-new"
          provider = fake.b
        }
        "#,
    )]));
    let run = drive(&mut evaluator, &Mode::Plan, &BTreeSet::new());
    assert!(run.problems.is_empty(), "{}", all(&run.problems));
    let id = |a: &str| {
        run.instance(a)
            .import
            .as_ref()
            .and_then(|i| i.id.as_str().map(str::to_owned))
    };
    assert_eq!(id(r#"fake_thing.a["x"]"#).as_deref(), Some("id-x"));
    assert_eq!(id(r#"fake_thing.a["y"]"#), None);
    let listed: Vec<(String, bool, Option<String>)> = evaluator
        .imports()
        .iter()
        .map(|i| {
            (
                i.to.to_string(),
                i.declared,
                i.provider.as_ref().map(ToString::to_string),
            )
        })
        .collect();
    assert_eq!(
        listed,
        [
            (r#"fake_thing.a["x"]"#.to_owned(), true, None),
            (
                r#"fake_thing.new["k"]"#.to_owned(),
                false,
                Some("fake.b".to_owned())
            ),
        ]
    );
}

#[test]
fn an_import_names_a_provider_only_where_nothing_is_declared() {
    let found = refused(
        "provider \"fake\" { alias = \"b\" }\nresource \"fake_thing\" \"a\" {}\nimport {\n to = fake_thing.a\n id = \"x\"\n provider = fake.b\n}",
    );
    assert!(
        found.contains("names a provider, and the resource is declared"),
        "{found}"
    );
}

#[test]
fn an_error_in_one_block_hides_none_of_the_others() {
    let found = refused(
        r#"
        variable "missing" {}
        locals { a = local.b }
        locals { b = local.a }
        resource "fake_thing" "linked" { name = var.nope }
        resource "fake_thing" "evaluated" { size = "many" }
        resource "fake_thing" "schema" { nmae = "x" }
        resource "fake_thing" "follows" { name = fake_thing.linked.name }
        module "gone" { source = "./gone" }
        output "o" { value = module.gone.x }
        output "p" { value = [1][4] }
        "#,
    );
    let lines: Vec<&str> = found
        .lines()
        .filter(|l| l.starts_with("main.hcl:"))
        .collect();
    let at: Vec<&str> = lines.iter().filter_map(|l| l.split(':').nth(1)).collect();
    assert_eq!(at, ["2", "3", "5", "6", "7", "9", "11"], "{found}");
}

const CHECK: &str = r#"
    variable "n" { default = 1 }
    check "c" {
      data "fake_lookup" "d" { name = "x" }
      assert {
        condition     = data.fake_lookup.d.value == "found" && var.n == 2
        error_message = "n is ${var.n}"
      }
    }
    output "o" { value = 1 }
"#;

#[test]
fn a_check_warns() {
    let mut evaluator = evaluator(config(&[("main.hcl", CHECK)]));
    let run = drive(&mut evaluator, &Mode::Apply, &BTreeSet::new());
    assert_eq!(run.problems.0.len(), 1, "{}", all(&run.problems));
    assert_eq!(run.problems.0[0].severity, Severity::Warning);
    assert_eq!(
        run.instance("data.fake_lookup.d").scoped.as_deref(),
        Some("c")
    );
    let checks = evaluator.checks();
    assert_eq!(checks[0].name, "check.c");
    assert_eq!(checks[0].status, CheckStatus::Fail);
    assert_eq!(checks[0].instances[0].problems, ["n is 1"]);
}

#[test]
fn what_is_wrong_with_the_data_of_a_check_is_a_warning() {
    let mut evaluator = evaluator(config(&[("main.hcl", CHECK)]));
    let address = yielded(&mut evaluator);
    let error: Diagnostics = Diagnostic::error("it is not reached").into();
    evaluator.fail_scoped(&address, error);
    assert!(matches!(evaluator.next(), Ok(Next::Done)));
    let found = evaluator.take_diagnostics();
    assert_eq!(found.0.len(), 1, "{}", all(&found));
    assert_eq!(found.0[0].severity, Severity::Warning);
    let checks = evaluator.checks();
    assert_eq!(checks[0].status, CheckStatus::Fail);
    assert_eq!(checks[0].instances[0].problems, ["it is not reached"]);
    assert_eq!(evaluator.outputs().len(), 1);
}

fn yielded(evaluator: &mut Evaluator) -> weir_core::Address {
    loop {
        if let Next::Instance(i) = evaluator.next().expect("no error") {
            return i.address;
        }
    }
}
