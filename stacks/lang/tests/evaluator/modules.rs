//! Modules: local folders, the catalogue, instances, inputs and outputs.

use crate::kit::{Mode, all, config, run};
use weir_core::Address;

const NET: &str = r#"
variable "name" {
  type = string
}
variable "opts" {
  type = object({ size = optional(number, 7), tags = optional(map(string), {}) })
  default = {}
}
resource "fake_thing" "net" {
  name = "${path.module}/${var.name}"
  size = var.opts.size
  tags = var.opts.tags
}
output "id"   { value = fake_thing.net.id }
output "name" { value = var.name }
"#;

#[test]
fn values_pass_in_and_out_and_dependencies_with_them() {
    let run = run(
        &[
            (
                "main.hcl",
                r#"
                resource "fake_thing" "base" {}
                module "net" {
                  source = "./modules/net"
                  name   = fake_thing.base.id
                  opts   = { tags = { a = 1 } }
                }
                resource "fake_thing" "user" { name = local.id }
                locals { id = module.net.id }
                module "hello" {
                  source   = "catalog:hello"
                  greeting = module.net.id
                }
                "#,
            ),
            ("modules/net/main.tf", NET),
        ],
        Mode::Apply,
    );
    assert!(run.problems.is_empty(), "{}", all(&run.problems));
    let net = "module.net.fake_thing.net";
    assert_eq!(
        run.get(net, "name"),
        r#""modules/net/id-of-fake_thing.base""#
    );
    assert_eq!(run.get(net, "size"), "7");
    assert_eq!(run.get(net, "tags"), r#"{"a" = "1"}"#);
    assert_eq!(run.dependencies(net), ["fake_thing.base"]);
    assert_eq!(run.dependencies("fake_thing.user"), [net]);
    assert_eq!(run.dependencies("module.hello.fake_thing.hello"), [net]);
}

#[test]
fn modules_have_instances() {
    let run = run(
        &[
            (
                "main.hcl",
                r#"
                module "net" {
                  source   = "./net"
                  for_each = { a = 1, b = 2 }
                  name     = "${each.key}${each.value}"
                  opts     = { size = each.value }
                }
                module "two" {
                  source     = "./net"
                  count      = 2
                  name       = "n${count.index}"
                  depends_on = [module.net]
                }
                output "ids"  { value = { for k, m in module.net : k => m.name } }
                output "one"  { value = module.net["b"].name }
                output "all"  { value = module.two[*].name }
                resource "fake_thing" "x" { name = module.net["a"].id }
                "#,
            ),
            ("net/main.hcl", NET),
        ],
        Mode::Plan,
    );
    assert!(run.problems.is_empty(), "{}", all(&run.problems));
    assert_eq!(run.output("ids"), r#"{"a" = "a1", "b" = "b2"}"#);
    assert_eq!(run.output("one"), r#""b2""#);
    assert_eq!(run.output("all"), r#"["n0", "n1"]"#);
    assert_eq!(run.get(r#"module.net["b"].fake_thing.net"#, "size"), "2");
    assert_eq!(
        run.dependencies("fake_thing.x"),
        [r#"module.net["a"].fake_thing.net"#]
    );
    assert_eq!(
        run.dependencies("module.two[1].fake_thing.net"),
        [
            r#"module.net["a"].fake_thing.net"#,
            r#"module.net["b"].fake_thing.net"#
        ]
    );
}

#[test]
fn providers_are_handed_down() {
    let run = run(
        &[
            (
                "main.hcl",
                r#"
                provider "fake" { region = "main" }
                provider "fake" {
                  alias  = "west"
                  region = "west"
                }
                module "a" { source = "./m" }
                module "b" {
                  source    = "./m"
                  providers = { fake = fake.west }
                }
                "#,
            ),
            ("m/main.hcl", r#"resource "fake_thing" "t" {}"#),
        ],
        Mode::Plan,
    );
    assert_eq!(
        run.instance("module.a.fake_thing.t").provider.to_string(),
        "fake"
    );
    assert_eq!(
        run.instance("module.b.fake_thing.t").provider.to_string(),
        "fake.west"
    );
}

#[test]
fn the_configuration_says_what_it_declares() {
    let config = config(&[
        (
            "main.hcl",
            "module \"net\" {\n source = \"./net\"\n name = \"x\"\n}\nstack \"s\" {}",
        ),
        ("net/main.hcl", NET),
    ]);
    let declares = |a: &str| config.declares(&a.parse::<Address>().unwrap());
    assert!(declares("module.net.fake_thing.net[4]"));
    assert!(declares(r#"module.net["k"].fake_thing.net"#));
    assert!(!declares("module.net.fake_thing.other"));
    assert!(!declares("module.other.fake_thing.net"));
    assert!(!declares("fake_thing.net"));
    assert_eq!(config.stack().name, "s");
    let files: Vec<String> = config
        .found()
        .into_iter()
        .filter(|(_, finding)| matches!(finding.content, Some(Ok(_))))
        .map(|(path, _)| path)
        .map(|p| p.display().to_string())
        .collect();
    assert_eq!(files, ["main.hcl", "net/main.hcl"]);
    assert_eq!(
        config.provider_names().into_iter().collect::<Vec<_>>(),
        ["fake"]
    );
}
