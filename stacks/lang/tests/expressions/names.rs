//! The names the expressions may use, the same for both sides: values that are unknown, sensitive,
//! ephemeral, or partly so.

use weir_core::{Marks, Type, Value, value::Refinements};

/// The home folder of the user.
pub(crate) const HOME: &str = "/home/nobody-there";

/// What Terraform sees. Outputs of resources that are still to be made are unknown.
pub(crate) const PRELUDE: &str = r#"
resource "terraform_data" "string" {
  input = "x"
}
resource "terraform_data" "number" {
  input = 1
}
resource "terraform_data" "bool" {
  input = true
}
resource "terraform_data" "list" {
  input = tolist(["a"])
}
resource "terraform_data" "numbers" {
  input = tolist([1])
}
resource "terraform_data" "set" {
  input = toset(["a"])
}
resource "terraform_data" "map" {
  input = tomap({ a = "b" })
}
resource "terraform_data" "lists" {
  input = tolist([tolist(["a"])])
}
resource "terraform_data" "objects" {
  input = tolist([{ a = "b", n = 1 }])
}
resource "terraform_data" "object" {
  input = { a = "b", n = 1 }
}
resource "terraform_data" "tuple" {
  input = ["a", 1]
}
locals {
  us    = terraform_data.string.output
  id    = terraform_data.string.id
  un    = terraform_data.number.output
  ub    = terraform_data.bool.output
  ul    = terraform_data.list.output
  uln   = terraform_data.numbers.output
  uset  = terraform_data.set.output
  um    = terraform_data.map.output
  ull   = terraform_data.lists.output
  uobjs = terraform_data.objects.output
  uo    = terraform_data.object.output
  ut    = terraform_data.tuple.output
  ud    = try(terraform_data.string.output)

  ss  = sensitive("secret")
  sn  = sensitive(7)
  sb  = sensitive(true)
  sl  = sensitive(["a", "b"])
  sm  = sensitive({ a = "x", b = "y" })
  sus = sensitive(terraform_data.string.output)

  pl = ["a", sensitive("b"), "c"]
  pm = { a = "x", b = sensitive("y") }
  pn = [{ name = "a", secret = sensitive("b") }, { name = "c", secret = sensitive("d") }]
  pu = ["a", terraform_data.string.output]
  mu = { a = "x", b = terraform_data.string.output }
  text = "plain"
  list = ["a", "b", "c"]
  map  = { a = 1, b = 2 }
  nul  = null

  es  = var.es
  en  = var.en
  eb  = var.eb
  el  = var.el
  em  = var.em
  eo  = var.eo
  exs = var.exs
  ep  = ["a", var.es, "c"]
  eq  = { a = "x", b = var.es }
}
variable "es" {
  ephemeral = true
  default   = "x"
}
variable "en" {
  ephemeral = true
  default   = 7
}
variable "eb" {
  ephemeral = true
  default   = true
}
variable "el" {
  ephemeral = true
  type      = list(string)
  default   = ["a", "b"]
}
variable "em" {
  ephemeral = true
  type      = map(string)
  default   = { a = "x", b = "y" }
}
variable "eo" {
  ephemeral = true
  type      = object({ a = string, n = number })
  default   = { a = "x", n = 1 }
}
variable "exs" {
  ephemeral = true
  sensitive = true
  default   = "secret"
}
"#;

/// What weir sees under the same name.
pub(crate) fn local(name: &str) -> Option<Value> {
    let secret = |v: Value| v.mark(Marks::SENSITIVE);
    let unknown = Value::unknown;
    let brief = |v: Value| v.mark(Marks::EPHEMERAL);
    let object = || Type::object([("a", Type::String), ("n", Type::Number)]);
    Some(match name {
        "us" => unknown(Type::String),
        "id" => Value::unknown_refined(
            Type::String,
            Refinements {
                not_null: true,
                ..Refinements::default()
            },
        ),
        "un" => unknown(Type::Number),
        "ub" => unknown(Type::Bool),
        "ul" => unknown(Type::list(Type::String)),
        "uln" => unknown(Type::list(Type::Number)),
        "uset" => unknown(Type::set(Type::String)),
        "um" => unknown(Type::map(Type::String)),
        "ull" => unknown(Type::list(Type::list(Type::String))),
        "uobjs" => unknown(Type::list(object())),
        "uo" => unknown(object()),
        "ut" => unknown(Type::tuple([Type::String, Type::Number])),
        "ud" => unknown(Type::Dynamic),
        "ss" => secret("secret".into()),
        "sn" => secret(7.into()),
        "sb" => secret(true.into()),
        "sl" => secret(Value::tuple(vec!["a".into(), "b".into()])),
        "sm" => secret(Value::object([("a", "x".into()), ("b", "y".into())])),
        "sus" => secret(unknown(Type::String)),
        "pl" => Value::tuple(vec!["a".into(), secret("b".into()), "c".into()]),
        "pm" => Value::object([("a", "x".into()), ("b", secret("y".into()))]),
        "pn" => Value::tuple(
            [("a", "b"), ("c", "d")]
                .map(|(name, hidden)| {
                    Value::object([("name", name.into()), ("secret", secret(hidden.into()))])
                })
                .into(),
        ),
        "pu" => Value::tuple(vec!["a".into(), unknown(Type::String)]),
        "mu" => Value::object([("a", "x".into()), ("b", unknown(Type::String))]),
        "text" => "plain".into(),
        "list" => Value::tuple(["a", "b", "c"].map(Value::from).into()),
        "map" => Value::object([("a", Value::from(1)), ("b", Value::from(2))]),
        "nul" => Value::null(),
        "es" => brief("x".into()),
        "en" => brief(7.into()),
        "eb" => brief(true.into()),
        "el" => brief(Value::list(
            Type::String,
            ["a", "b"].map(Value::from).into(),
        )),
        "em" => brief(Value::map(
            Type::String,
            [("a", "x"), ("b", "y")].map(|(k, v)| (k, Value::from(v))),
        )),
        "eo" => brief(Value::object([("a", "x".into()), ("n", Value::from(1))])),
        "exs" => secret(brief("secret".into())),
        "ep" => Value::tuple(vec!["a".into(), brief("x".into()), "c".into()]),
        "eq" => Value::object([("a", "x".into()), ("b", brief("x".into()))]),
        _ => return None,
    })
}
