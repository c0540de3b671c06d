//! Values: marks, unknowns, and the JSON they are stored as.

#![allow(clippy::unwrap_used)] // helpers of tests

use weir_core::{
    Known, Marks, Number, Path, Type, Value, json,
    value::{Bound, Refinements},
};

fn sample() -> Value {
    let secret = Value::string("hunter2").mark(Marks::SENSITIVE);
    Value::object([
        ("name", Value::string("web")),
        (
            "big",
            Value::number(
                "123456789012345678901234567890.5"
                    .parse::<Number>()
                    .unwrap(),
            ),
        ),
        ("tags", Value::map(Type::String, [("a", secret)])),
        (
            "ports",
            Value::set(Type::Number, [Value::number(443i64), Value::number(80i64)]),
        ),
        (
            "mixed",
            Value::tuple(vec![Value::bool(true), Value::null_of(Type::String)]),
        ),
        ("none", Value::list(Type::Bool, vec![])),
        ("later", Value::unknown(Type::list(Type::String))),
    ])
}

#[test]
fn what_is_known_of_an_unknown_is_kept() {
    let bound = |n: &str, inclusive| {
        Some(Bound {
            number: n.parse().unwrap(),
            inclusive,
        })
    };
    let not_null = Refinements::not_null;
    let value = Value::object([
        ("id", Value::unknown_not_null(Type::String)),
        (
            "name",
            Value::unknown_refined(
                Type::String,
                Refinements {
                    prefix: Some("web-".into()),
                    ..not_null()
                },
            )
            .mark(Marks::SENSITIVE),
        ),
        (
            "size",
            Value::unknown_refined(
                Type::Number,
                Refinements {
                    min: bound("0.1", true),
                    max: bound("123456789012345678901234567890", false),
                    ..Refinements::default()
                },
            ),
        ),
        (
            "few",
            Value::list(
                Type::list(Type::String),
                vec![Value::unknown_refined(
                    Type::list(Type::String),
                    Refinements {
                        min_len: Some(1),
                        max_len: Some(9),
                        ..not_null()
                    },
                )],
            ),
        ),
        ("open", Value::unknown(Type::String)),
    ]);
    let text = serde_json::to_string(&json::encode(&value)).unwrap();
    let read = json::decode(&serde_json::from_str(&text).unwrap()).unwrap();
    assert_eq!(read, value);
    // What an older weir wrote says nothing of it.
    let mut encoded = json::encode(&value);
    encoded.refined.clear();
    let text = serde_json::to_string(&encoded).unwrap();
    assert!(!text.contains("refined"), "{text}");
    let read = json::decode(&serde_json::from_str(&text).unwrap()).unwrap();
    assert!(!read.get("id").unwrap().is_surely_not_null());
}

#[test]
fn what_is_encoded_decodes_to_the_same() {
    let encoded = json::encode(&sample());
    let text = serde_json::to_string(&encoded).unwrap();
    assert_eq!(
        json::decode(&serde_json::from_str(&text).unwrap()).unwrap(),
        sample()
    );
}

#[test]
fn a_secret_prints_nowhere() {
    let value = sample();
    for text in [
        format!("{value}"),
        format!("{value:?}"),
        format!("{:?}", value.kind()),
    ] {
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("(sensitive)"), "{text}");
    }
}

#[test]
fn known_is_proven() {
    assert_eq!(
        Known::new(sample()).unwrap_err().0,
        Path::root().key("later")
    );
    let known = sample().with("later", Value::list(Type::String, vec![]));
    assert!(Known::new(known).is_ok());
}

#[test]
fn marks_of_set_elements_move_to_the_set() {
    let set = Value::set(Type::String, [Value::string("a").mark(Marks::SENSITIVE)]);
    assert!(set.is_sensitive());
    assert!(set.children().all(|v| !v.is_sensitive()));
    let (plain, marks) = sample().unmark_deep();
    assert_eq!(marks, Marks::SENSITIVE);
    assert!(plain.marks_deep().is_empty());
}

#[test]
fn ephemeral_values_are_not_encoded() {
    let value = Value::object([("token", Value::string("t0ken").mark(Marks::EPHEMERAL))]);
    let text = serde_json::to_string(&json::encode(&value)).unwrap();
    assert!(!text.contains("t0ken"), "{text}");
}

#[test]
fn damaged_json_says_where() {
    let mut encoded = json::encode(&Value::object([("a", Value::list(Type::Number, vec![]))]));
    encoded.value = serde_json::json!({"a": [1, "x"]});
    let error = json::decode(&encoded).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a[1]: the stored value is not of type number"
    );
}

#[test]
fn types_round_trip_through_their_notation() {
    for ty in [
        Type::Dynamic,
        Type::map(Type::list(Type::Bool)),
        Type::tuple([Type::String, Type::set(Type::Number)]),
        Type::object([
            ("a", Type::String),
            ("b", Type::object([("c", Type::Dynamic)])),
        ]),
    ] {
        assert_eq!(json::type_from_json(&json::type_to_json(&ty)), Some(ty));
    }
}
