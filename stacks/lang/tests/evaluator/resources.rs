//! Resources, data sources and the values around them.

use crate::kit::{Mode, all, plan, run};
use weir_lang::Ignore;

#[test]
fn references_are_followed_in_order() {
    let run = plan(
        r#"
        output "x" { value = local.name }
        locals { name = "${var.prefix}-web" }
        variable "prefix" { default = "prod" }
        resource "fake_thing" "b" { name = fake_thing.a.id }
        resource "fake_thing" "a" { name = local.name }
        "#,
    );
    assert_eq!(run.addresses(), ["fake_thing.a", "fake_thing.b"]);
    assert_eq!(run.waves, [1, 1]);
    assert_eq!(run.get("fake_thing.a", "name"), r#""prod-web""#);
    assert_eq!(run.get("fake_thing.b", "name"), "(known after apply)");
    assert_eq!(run.dependencies("fake_thing.b"), ["fake_thing.a"]);
    assert_eq!(run.output("x"), r#""prod-web""#);
    assert_eq!(run.providers.len(), 1);
    assert_eq!(run.providers[0].provider.to_string(), "fake");
    assert_eq!(run.providers[0].span, None);
}

#[test]
fn one_instance_stands_on_one_instance() {
    let run = plan(
        r#"
        resource "fake_thing" "a" {
          count = 3
          name  = "a-${count.index}"
        }
        resource "fake_thing" "b" {
          count = 3
          name  = fake_thing.a[count.index].id
        }
        resource "fake_thing" "c" { name = fake_thing.a[1].name }
        resource "fake_thing" "d" { after = fake_thing.a[*].id }
        "#,
    );
    assert_eq!(run.dependencies("fake_thing.b[2]"), ["fake_thing.a[2]"]);
    assert_eq!(run.dependencies("fake_thing.c"), ["fake_thing.a[1]"]);
    assert_eq!(run.get("fake_thing.c", "name"), r#""a-1""#);
    // All instances of a block are one dependency.
    assert_eq!(run.dependencies("fake_thing.d"), ["fake_thing.a"]);
}

#[test]
fn for_each_names_its_instances() {
    let run = plan(
        r#"
        locals { sizes = { small = 1, large = 9 } }
        resource "fake_thing" "a" {
          for_each = local.sizes
          name     = each.key
          size     = each.value
        }
        resource "fake_thing" "b" {
          for_each = toset(["x", "y"])
          name     = "${each.key}${each.value}"
        }
        output "names" { value = { for k, v in fake_thing.a : k => v.size } }
        output "one"   { value = fake_thing.a["large"].size }
        "#,
    );
    assert_eq!(
        run.addresses(),
        [
            r#"fake_thing.a["large"]"#,
            r#"fake_thing.a["small"]"#,
            r#"fake_thing.b["x"]"#,
            r#"fake_thing.b["y"]"#
        ]
    );
    assert_eq!(run.get(r#"fake_thing.b["x"]"#, "name"), r#""xx""#);
    assert_eq!(run.output("names"), r#"{"large" = 9, "small" = 1}"#);
    assert_eq!(run.output("one"), "9");
}

#[test]
fn no_instances_are_an_empty_tuple() {
    let run = plan(
        r#"
        resource "fake_thing" "a" { count = 0 }
        resource "fake_thing" "e" { for_each = {} }
        output "n" { value = length(fake_thing.a) }
        output "e" { value = fake_thing.e }
        output "one" { value = one(fake_thing.a[*].name) }
        "#,
    );
    assert!(run.instances.is_empty());
    assert_eq!(run.output("n"), "0");
    assert_eq!(run.output("e"), "{}");
    assert_eq!(run.output("one"), "null");
}

#[test]
fn bodies_become_objects_of_the_schema() {
    let run = plan(
        r#"
        resource "fake_thing" "a" {
          name = 5
          tags = { n = 1, on = true }
          secret = "s3cret"
          rule { port = "80" }
          dynamic "rule" {
            for_each = ["10.0.0.0/8", "::/0"]
            iterator = it
            content {
              port = 443 + it.key
              cidr = it.value
            }
          }
        }
        "#,
    );
    assert_eq!(run.get("fake_thing.a", "name"), r#""5""#);
    assert_eq!(
        run.get("fake_thing.a", "tags"),
        r#"{"n" = "1", "on" = "true"}"#
    );
    assert_eq!(run.get("fake_thing.a", "secret"), "(sensitive)");
    assert_eq!(run.get("fake_thing.a", "size"), "null");
    assert_eq!(run.get("fake_thing.a", "id"), "null");
    assert_eq!(
        run.get("fake_thing.a", "rule"),
        r#"[{"cidr" = null, "port" = 80}, {"cidr" = "10.0.0.0/8", "port" = 443}, {"cidr" = "::/0", "port" = 444}]"#
    );
}

#[test]
fn unknown_nested_blocks_are_unknown() {
    let run = plan(
        r#"
        resource "fake_thing" "a" {}
        resource "fake_thing" "b" {
          dynamic "rule" {
            for_each = [for x in split(",", fake_thing.a.id) : x]
            content { port = 1 }
          }
        }
        "#,
    );
    assert_eq!(run.get("fake_thing.b", "rule"), "(known after apply)");
}

#[test]
fn data_and_depends_on() {
    let run = plan(
        r#"
        data "fake_lookup" "l" {
          name       = "x"
          depends_on = [fake_thing.a]
        }
        resource "fake_thing" "a" { count = 2 }
        resource "fake_thing" "b" { name = data.fake_lookup.l.value }
        resource "fake_thing" "c" { depends_on = [fake_thing.a[1], data.fake_lookup.l] }
        "#,
    );
    assert_eq!(run.dependencies("data.fake_lookup.l"), ["fake_thing.a"]);
    assert_eq!(run.dependencies("fake_thing.b"), ["data.fake_lookup.l"]);
    assert_eq!(
        run.dependencies("fake_thing.c"),
        ["fake_thing.a[1]", "data.fake_lookup.l"]
    );
}

#[test]
fn providers_come_before_what_uses_them() {
    let run = plan(
        r#"
        provider "fake" { region = fake_thing.base.name }
        provider "fake" {
          alias  = "west"
          region = "w"
        }
        resource "fake_thing" "base" {
          provider = fake.west
          name     = "r1"
        }
        resource "fake_thing" "a" {}
        "#,
    );
    let providers: Vec<String> = run
        .providers
        .iter()
        .map(|p| p.provider.to_string())
        .collect();
    assert_eq!(providers, ["fake.west", "fake"]);
    assert_eq!(
        run.providers[1].config.get("region").unwrap().to_string(),
        r#""r1""#
    );
    assert_eq!(
        run.instance("fake_thing.base").provider.to_string(),
        "fake.west"
    );
    assert_eq!(run.dependencies("fake_thing.a"), ["fake_thing.base"]);
}

#[test]
fn lifecycle_is_handed_on() {
    let run = plan(
        r#"
        resource "fake_thing" "a" {
          lifecycle {
            create_before_destroy = true
            prevent_destroy       = true
            ignore_changes        = [tags["Name"], size]
          }
        }
        resource "fake_thing" "b" {
          lifecycle { ignore_changes = all }
        }
        "#,
    );
    let a = &run.instance("fake_thing.a").lifecycle;
    assert!(a.create_before_destroy && a.prevent_destroy);
    let Ignore::Paths(paths) = &a.ignore_changes else {
        panic!("{a:?}")
    };
    let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["tags.Name", "size"]);
    assert_eq!(
        run.instance("fake_thing.b").lifecycle.ignore_changes,
        Ignore::All
    );
}

#[test]
fn create_before_destroy_spreads_by_block() {
    let run = run(
        &[
            (
                "m/main.hcl",
                r#"
            variable "name" {}
            resource "fake_thing" "used" { name = var.name }
            resource "fake_thing" "other" {}
            output "id" { value = fake_thing.used.id }
            "#,
            ),
            (
                "main.hcl",
                r#"
        resource "fake_thing" "base" { count = 2 }
        module "m" {
          source = "./m"
          name   = fake_thing.base[0].id
        }
        locals { id = module.m.id }
        resource "fake_thing" "none" {
          count = 0
          name  = local.id
          lifecycle { create_before_destroy = true }
        }
        resource "fake_thing" "after" { name = module.m.id }
        "#,
            ),
        ],
        Mode::Plan,
    );
    let first = |a: &str| run.instance(a).lifecycle.create_before_destroy;
    for address in [
        "fake_thing.base[0]",
        "fake_thing.base[1]",
        "module.m.fake_thing.used",
    ] {
        assert!(first(address), "{address}");
    }
    for address in ["module.m.fake_thing.other", "fake_thing.after"] {
        assert!(!first(address), "{address}");
    }
}

#[test]
fn conditions_hold_or_say_why() {
    let text = r#"
resource "fake_thing" "a" {
  name = "x"
  lifecycle {
    precondition {
      condition     = var.n > 5
      error_message = "n is ${var.n}, and must be above 5."
    }
    postcondition {
      condition     = self.id == "other"
      error_message = "The id is ${self.id}."
    }
  }
}
variable "n" { default = 9 }
"#;
    let good = run(&[("main.hcl", text)], Mode::Plan);
    assert!(!good.problems.has_errors(), "{}", all(&good.problems));
    let bad = run(&[("main.hcl", text)], Mode::Apply);
    assert_eq!(
        all(&bad.problems),
        r#"main.hcl:10:23: fake_thing.a is not as it must be: The id is id-of-fake_thing.a.
  10 |       condition     = self.id == "other"
                             ^^^^^^^^^^^^^^^^^^
  self.id is "id-of-fake_thing.a""#
    );
    let refused = run(
        &[("main.hcl", &text.replace("default = 9", "default = 1"))],
        Mode::Plan,
    );
    assert_eq!(
        all(&refused.problems),
        "main.hcl:6:23: fake_thing.a is refused: n is 1, and must be above 5.
  6 |       condition     = var.n > 5
                            ^^^^^^^^^
  var.n is 1"
    );
    assert!(refused.instances.is_empty());
}

#[test]
fn an_error_skips_what_depends_on_it_and_nothing_else() {
    let run = run(
        &[(
            "main.hcl",
            r#"
resource "fake_thing" "bad" { size = "many" }
resource "fake_thing" "after" { name = fake_thing.bad.id }
resource "fake_thing" "later" { name = local.through }
locals { through = fake_thing.after.name }
resource "fake_thing" "good" {}
"#,
        )],
        Mode::Plan,
    );
    assert_eq!(run.addresses(), ["fake_thing.good"]);
    assert_eq!(run.problems.0.len(), 1, "{}", all(&run.problems));
    assert_eq!(
        run.problems.0[0].address.as_ref().unwrap().to_string(),
        "fake_thing.bad"
    );
}
