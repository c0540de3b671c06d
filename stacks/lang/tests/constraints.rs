//! Type constraints and their defaults.
#![allow(clippy::unwrap_used)] // helpers of tests

use std::sync::Arc;
use weir_core::{Value, convert::convert};
use weir_lang::{constraint::type_constraint, eval, parse, sources::Sources};

fn read(text: &str) -> Result<(String, bool), String> {
    let text: Arc<str> = text.into();
    let mut sources = Sources::new();
    sources.add("t".into(), text.clone());
    let expr = parse::parse_expr("t".into(), &text).unwrap();
    match type_constraint(&expr, &sources) {
        Ok((ty, defaults)) => Ok((ty.to_string(), defaults.is_empty())),
        Err(d) => {
            assert!(d.snippet.is_some());
            let span = d.span.unwrap();
            let help = d.help.map(|h| format!(" / {h}")).unwrap_or_default();
            Err(format!(
                "{}+{} {}{help}",
                span.column,
                span.end - span.start,
                d.summary
            ))
        }
    }
}

/// The value a variable of that type gets.
fn given(ty: &str, value: Value) -> String {
    let text: Arc<str> = ty.into();
    let expr = parse::parse_expr("t".into(), &text).unwrap();
    let (ty, defaults) = type_constraint(&expr, &Sources::new()).unwrap();
    convert(&defaults.apply(&value), &ty).unwrap().to_string()
}

#[test]
fn constraints_are_read() {
    for (text, expected) in [
        ("string", "string"),
        ("any", "any"),
        ("list(number)", "list(number)"),
        ("map(set(bool))", "map(set(bool))"),
        ("tuple([string, number])", "tuple([string, number])"),
        (
            "object({a = string, b = optional(list(any))})",
            "object({a = string, b = optional(list(any))})",
        ),
        ("object({})", "object({})"),
    ] {
        assert_eq!(read(text), Ok((expected.to_owned(), true)), "{text}");
    }
    assert!(!read("object({a = optional(number, 1)})").unwrap().1);
}

#[test]
fn what_is_no_type_is_refused() {
    for (text, expected) in [
        (
            "strng",
            "1+5 there is no type `strng` / Did you mean `string`?",
        ),
        (
            "list",
            "1+4 the type `list` needs the type of its elements / Write `list(string)`, or `list(any)`.",
        ),
        ("\"string\"", "1+8 this is not a type / Remove the quotes."),
        (
            "lst(string)",
            "1+11 there is no type `lst` / Did you mean `list`?",
        ),
        (
            "list(string, number)",
            "1+20 the type `list` takes one argument / Write `list(TYPE)`, for instance `list(string)`.",
        ),
        (
            "optional(string)",
            "1+16 `optional` stands outside an object type / Use the type alone; a variable is optional where it has a `default`.",
        ),
        (
            "tuple(string)",
            "7+6 `tuple` takes a list of types / Write `tuple([string, number])`.",
        ),
        (
            "object({a = optional(number, \"x\")})",
            "30+3 the default does not fit its type / Write a number, or text that is one: `5` or `\"5\"`.",
        ),
        (
            "object({a = optional(number, var.x)})",
            "30+5 a default must be a constant / Write the value out.",
        ),
        (
            "object({a = string, a = string})",
            "21+1 the attribute `a` stands in this type twice / Remove one of the two.",
        ),
        (
            "object({(a) = string})",
            "9+3 the name of an attribute in a type must be a plain word / Write `object({ NAME = TYPE })`, with names as they are.",
        ),
    ] {
        assert_eq!(read(text).unwrap_err(), expected, "{text}");
    }
}

#[test]
fn defaults_fill_what_is_left_out() {
    let empty = || Value::object::<&str>([]);
    let nested = "object({name = optional(string, \"x\"), port = optional(object({n = optional(number, 80), tls = optional(bool)}), {})})";
    assert_eq!(
        given(nested, empty()),
        "{\"name\" = \"x\", \"port\" = {\"n\" = 80, \"tls\" = null}}"
    );
    assert_eq!(
        given(
            nested,
            Value::object([
                ("name", Value::null()),
                ("port", Value::object([("n", Value::string("1"))]))
            ])
        ),
        "{\"name\" = \"x\", \"port\" = {\"n\" = 1, \"tls\" = null}}"
    );
    let list = "list(object({a = optional(number, 1)}))";
    assert_eq!(
        given(list, Value::tuple(vec![empty(), empty()])),
        "[{\"a\" = 1}, {\"a\" = 1}]"
    );
    let map = "map(object({a = optional(number, 1)}))";
    assert_eq!(
        given(map, Value::object([("k", empty())])),
        "{\"k\" = {\"a\" = 1}}"
    );
    let tuple = "tuple([string, object({a = optional(number, 1)})])";
    assert_eq!(
        given(tuple, Value::tuple(vec![Value::from("x"), empty()])),
        "[\"x\", {\"a\" = 1}]"
    );
    assert_eq!(given(list, Value::null()), "null");
}

#[test]
fn equality_is_the_languages() {
    assert_eq!(
        eval::equal(&Value::null(), &Value::null()),
        Value::bool(true)
    );
    assert_eq!(
        eval::equal(&Value::from("1"), &Value::from(1)),
        Value::bool(false)
    );
}
