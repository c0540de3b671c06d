//! Conversion and unification: what fits, what becomes of it, and what is said where it doesn't.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::collections::BTreeMap;
use weir_core::{
    Marks, Type, Value,
    convert::{convert, unify},
    types::{Field, Presence},
};

fn n(i: i64) -> Value {
    Value::number(i)
}
fn s(text: &str) -> Value {
    Value::string(text)
}
fn list(ty: Type, items: &[Value]) -> Value {
    Value::list(ty, items.to_vec())
}
fn tuple(items: &[Value]) -> Value {
    Value::tuple(items.to_vec())
}
fn map(ty: Type, entries: &[(&str, Value)]) -> Value {
    Value::map(ty, entries.iter().map(|(k, v)| (*k, v.clone())))
}
fn object(fields: &[(&str, Value)]) -> Value {
    Value::object(fields.iter().map(|(k, v)| (*k, v.clone())))
}
fn object_type(fields: &[(&str, Type, Presence)]) -> Type {
    let fields: BTreeMap<_, _> = fields
        .iter()
        .map(|(k, ty, presence)| {
            (
                (*k).into(),
                Field {
                    ty: ty.clone(),
                    presence: *presence,
                },
            )
        })
        .collect();
    Type::Object(fields.into())
}

#[test]
fn values_that_fit() {
    let secret = s("5").mark(Marks::SENSITIVE);
    let optional = object_type(&[
        ("a", Type::Number, Presence::Required),
        ("b", Type::String, Presence::Optional),
    ]);
    let cases = [
        (n(5), Type::String, s("5")),
        (
            s("5.50"),
            Type::Number,
            Value::number("5.5".parse::<weir_core::Number>().unwrap()),
        ),
        (Value::bool(true), Type::String, s("true")),
        (s("false"), Type::Bool, Value::bool(false)),
        (n(5), Type::Dynamic, n(5)),
        (Value::null(), Type::Number, Value::null_of(Type::Number)),
        (
            Value::unknown(Type::String),
            Type::Number,
            Value::unknown(Type::Number),
        ),
        (
            Value::unknown(Type::Dynamic),
            Type::Bool,
            Value::unknown(Type::Bool),
        ),
        (secret, Type::Number, n(5).mark(Marks::SENSITIVE)),
        (
            tuple(&[n(1), s("a")]),
            Type::list(Type::String),
            list(Type::String, &[s("1"), s("a")]),
        ),
        (
            tuple(&[n(1), s("a")]),
            Type::list(Type::Dynamic),
            list(Type::String, &[s("1"), s("a")]),
        ),
        (
            tuple(&[]),
            Type::list(Type::Dynamic),
            list(Type::Dynamic, &[]),
        ),
        (
            tuple(&[Value::null(), n(1)]),
            Type::list(Type::Dynamic),
            list(Type::Number, &[Value::null_of(Type::Number), n(1)]),
        ),
        (
            tuple(&[n(3), n(20), n(3)]),
            Type::set(Type::Number),
            Value::set(Type::Number, [n(3), n(20)]),
        ),
        (
            Value::set(Type::String, [s("b"), s("a")]),
            Type::list(Type::String),
            list(Type::String, &[s("a"), s("b")]),
        ),
        (
            tuple(&[n(1), s("2")]),
            Type::tuple([Type::String, Type::Number]),
            tuple(&[s("1"), n(2)]),
        ),
        (
            object(&[("a", n(1)), ("b", s("x"))]),
            Type::map(Type::Dynamic),
            map(Type::String, &[("a", s("1")), ("b", s("x"))]),
        ),
        (
            map(Type::Number, &[("a", n(1))]),
            Type::map(Type::String),
            map(Type::String, &[("a", s("1"))]),
        ),
        (
            object(&[("a", s("1")), ("extra", n(2))]),
            optional.clone(),
            object(&[("a", n(1)), ("b", Value::null_of(Type::String))]),
        ),
        (
            map(Type::Number, &[("a", n(1)), ("c", n(3))]),
            optional,
            object(&[("a", n(1)), ("b", Value::null_of(Type::String))]),
        ),
    ];
    for (value, ty, expected) in cases {
        assert_eq!(
            convert(&value, &ty).as_ref(),
            Ok(&expected),
            "{value} to {ty}"
        );
    }
}

#[test]
fn values_that_do_not_fit() {
    let nested = Type::object([("x", Type::list(Type::object([("y", Type::String)])))]);
    let two = Type::object([
        ("a", Type::String),
        ("b", Type::String),
        ("c", Type::String),
    ]);
    let cases = [
        (s("a"), Type::Number, "a number is required"),
        (s("yes"), Type::Bool, "a bool is required"),
        (
            s("True"),
            Type::Bool,
            "a bool is required; to convert from string, use lowercase \"true\"",
        ),
        (
            Value::bool(true),
            Type::Number,
            "number required, but have bool",
        ),
        (
            n(1),
            Type::list(Type::Number),
            "list of number required, but have number",
        ),
        (
            object(&[("x", list(Type::String, &[]))]),
            Type::object([("x", Type::String)]),
            "attribute \"x\": string required, but have list of string",
        ),
        (
            object(&[]),
            Type::object([("a", Type::String)]),
            "attribute \"a\" is required",
        ),
        (
            object(&[("b", n(1))]),
            two,
            "attributes \"a\" and \"c\" are required",
        ),
        (
            object(&[("x", tuple(&[object(&[("y", tuple(&[]))])]))]),
            nested,
            "x[0].y: string required, but have tuple",
        ),
        (
            tuple(&[n(1)]),
            Type::tuple([]),
            "tuple of 0 elements required, but have 1",
        ),
        (
            tuple(&[n(1), tuple(&[])]),
            Type::list(Type::Dynamic),
            "all list elements must have the same type",
        ),
        (
            Value::unknown(Type::Bool),
            Type::Number,
            "number required, but have bool",
        ),
        (
            list(Type::String, &[]),
            Type::map(Type::String),
            "map of string required, but have list of string",
        ),
    ];
    for (value, ty, expected) in cases {
        assert_eq!(
            convert(&value, &ty).unwrap_err().to_string(),
            expected,
            "{value} to {ty}"
        );
    }
}

#[test]
fn types_in_common() {
    let o = |fields: &[(&str, Type)]| Type::object(fields.iter().map(|(k, t)| (*k, t.clone())));
    let cases = [
        (vec![Type::Number, Type::String], Some(Type::String)),
        (vec![Type::Bool, Type::Number], None),
        (
            vec![Type::Bool, Type::Number, Type::String],
            Some(Type::String),
        ),
        (vec![Type::Number, Type::Dynamic], Some(Type::Number)),
        (
            vec![Type::list(Type::Number), Type::list(Type::String)],
            Some(Type::list(Type::String)),
        ),
        (
            vec![Type::list(Type::Number), Type::tuple([Type::Bool])],
            None,
        ),
        (
            vec![Type::list(Type::String), Type::tuple([Type::Bool])],
            Some(Type::list(Type::String)),
        ),
        (
            vec![Type::list(Type::String), Type::set(Type::String)],
            Some(Type::list(Type::String)),
        ),
        (
            vec![Type::tuple([Type::Number]), Type::tuple([Type::String])],
            Some(Type::tuple([Type::String])),
        ),
        (
            vec![Type::tuple([Type::Number]), Type::tuple([])],
            Some(Type::list(Type::Number)),
        ),
        (
            vec![o(&[("a", Type::Number)]), o(&[("a", Type::String)])],
            Some(o(&[("a", Type::String)])),
        ),
        (
            vec![o(&[("a", Type::Number)]), o(&[("b", Type::String)])],
            Some(Type::map(Type::String)),
        ),
        (
            vec![o(&[("a", Type::Number)]), Type::map(Type::String)],
            Some(Type::map(Type::String)),
        ),
        (vec![o(&[]), Type::tuple([])], None),
        (vec![Type::String, Type::list(Type::String)], None),
        (vec![], None),
    ];
    for (types, expected) in cases {
        assert_eq!(unify(&types), expected, "{types:?}");
    }
}

#[test]
fn a_number_too_large_to_print_is_refused() {
    assert!(convert(&s("1e999999999"), &Type::Number).is_err());
    assert!(convert(&s("1e-999999999"), &Type::Number).is_err());
    assert!(convert(&s("1e300"), &Type::Number).is_ok());
}
