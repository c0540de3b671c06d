//! The quick way to read a resource's row gives what the long one does, of whatever stands there.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use std::collections::BTreeSet;
use weir_core::{
    Known, Marks, Type, Value,
    snapshot::{Foreign, Removal, Resource, Status},
};
use weir_state::{
    conformance::address,
    format::{self, ResourceReader},
};

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::null()),
        Just(Value::null_of(Type::list(Type::String))),
        any::<bool>().prop_map(Value::bool),
        any::<i64>().prop_map(Value::from),
        (any::<i64>(), 1_u32..40).prop_map(|(n, places)| {
            let text = format!("{n}.{places:020}7");
            Value::number(text.parse::<weir_core::Number>().unwrap())
        }),
        "\\PC{0,8}|\"\\\\\n\u{1}".prop_map(Value::from),
    ]
}

/// Values of every kind and shape, with marks anywhere.
fn value() -> impl Strategy<Value = Value> {
    let marked = |v: Value, mark: u8| match mark {
        0 => v.mark(Marks::SENSITIVE),
        1 => v.mark(Marks::EPHEMERAL),
        _ => v,
    };
    leaf().prop_recursive(4, 40, 5, move |inner| {
        let inner = (inner, 0_u8..12).prop_map(move |(v, mark)| marked(v, mark));
        let many = prop::collection::vec(inner, 0..5);
        let named = prop::collection::btree_map("[a-e]{1,2}|\"é", many.clone(), 0..4);
        // Elements of a list, a set or a map are of one type.
        let alike = |items: Vec<Value>| {
            let ty = items.first().map_or(Type::Bool, Value::ty);
            let items: Vec<Value> = items.into_iter().filter(|v| v.ty() == ty).collect();
            (ty, items)
        };
        prop_oneof![
            many.clone().prop_map(Value::tuple),
            many.clone().prop_map(move |items| {
                let (ty, items) = alike(items);
                Value::list(ty, items)
            }),
            many.clone().prop_map(move |items| {
                let (ty, items) = alike(items);
                Value::set(ty, items)
            }),
            many.prop_map(move |items| {
                let (ty, items) = alike(items);
                let named = items.into_iter().enumerate();
                Value::map(ty, named.map(|(i, v)| (format!("k{i}"), v)))
            }),
            named.prop_map(|fields| {
                Value::object(fields.into_iter().map(|(k, v)| (k, Value::tuple(v))))
            }),
        ]
    })
}

fn resource() -> impl Strategy<Value = Resource> {
    let rest = (any::<bool>(), any::<bool>(), any::<Option<u8>>(), 0_u32..3);
    let private = prop_oneof![
        Just(Vec::new()),
        Just(b"text \"".to_vec()),
        Just(vec![0xff, 0x00])
    ];
    let provider = prop_oneof![
        Just("aws"),
        Just("aws.east"),
        Just("module.net.aws.x[\"é\"]")
    ];
    (value(), rest, private, provider).prop_map(|(value, rest, private, provider)| {
        let (tainted, forget, foreign, schema_version) = rest;
        let depends = [address("a.b[0]"), address("module.m[\"k\"].a.c")];
        // A value that lost what is ephemeral in it.
        let text = weir_core::json::encode(&value);
        let stored = weir_core::json::decode(&text).unwrap_or_else(|_| Value::null());
        Resource {
            provider: provider.parse().unwrap(),
            schema_version,
            value: Known::new(stored).unwrap(),
            private,
            dependencies: BTreeSet::from(depends)
                .into_iter()
                .take(schema_version as usize)
                .collect(),
            status: if tainted {
                Status::Tainted
            } else {
                Status::Ready
            },
            removal: if forget {
                Removal::Forget
            } else {
                Removal::Delete
            },
            foreign: foreign.map(|n| Foreign(format!("{{\"n\":{n}}}").into())),
        }
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read_alike(resources in prop::collection::vec(resource(), 1..8)) {
        let mut reader = ResourceReader::default();
        for resource in resources {
            let text = format::resource_to_text(&resource).unwrap();
            let long = format::resource_from_text(&text).unwrap();
            prop_assert_eq!(&reader.read(&text).unwrap(), &long);
            prop_assert_eq!(long, resource);
        }
    }

    /// Whatever a row is damaged to, both say the same of it.
    #[test]
    fn what_is_damaged_is_read_alike(
        resource in resource(),
        at in any::<prop::sample::Index>(),
        with in prop::sample::select(vec!["", "[", "]", "{", "}", "\"", ",", ":", "0", "null", "\\", "string", "é"]),
    ) {
        let mut text = format::resource_to_text(&resource).unwrap();
        let places: Vec<(usize, char)> = text.char_indices().collect();
        let (at, c) = *at.get(&places);
        text.replace_range(at..at + c.len_utf8(), with);
        let mut reader = ResourceReader::default();
        let whole = format::resource_to_text(&resource).unwrap();
        reader.read(&whole).unwrap();
        prop_assert_eq!(reader.read(&text), format::resource_from_text(&text), "{}", text);
    }
}

/// What no program of this kind writes, and what old ones did.
#[test]
fn what_is_written_otherwise_is_read_alike() {
    let row = |value: &str| {
        format!(
            "{{\"v1\":{{\"provider\":\"a\",\"schema_version\":1,\"value\":{value},\
             \"private\":{{\"text\":\"\"}},\"dependencies\":[],\"status\":\"ready\"}}}}"
        )
    };
    let rows = [
        r#"{"type":["object",{"a":"string"}],"value":{"a":"x"}}"#,
        // Fields out of order, of what they are in order, and a second time.
        r#"{"value":{"a":"x"},"type":["object",{"a":"string"}]}"#,
        r#"{"type":["object",{"a":"string","b":"bool"}],"value":{"b":true,"a":"x"}}"#,
        r#"{"type":["object",{"b":"bool","a":"string"}],"value":{"a":"x","b":true}}"#,
        r#"{"type":["object",{"a":"string"}],"value":{"a":"x","a":"y"}}"#,
        r#"{"type":["object",{"a":"string","a":"bool"}],"value":{"a":true}}"#,
        r#"{"type":["map","string"],"value":{"b":"x","a":"y","b":"z"}}"#,
        r#"{"type":"string","value":"x","value":"y"}"#,
        r#"{"type":"string","type":"string","value":"x"}"#,
        r#"{"type":"string","value":"x","sensitive":[],"sensitive":[[]]}"#,
        // Something is left out, or there is more than there should be.
        r#"{"type":["object",{"a":"string","b":"bool"}],"value":{"b":true}}"#,
        r#"{"type":["object",{"b":"bool"}],"value":{"b":true,"c":1}}"#,
        r#"{"type":["tuple",["string","bool"]],"value":["x"]}"#,
        r#"{"type":["tuple",["string"]],"value":["x",true]}"#,
        r#"{"type":"string"}"#,
        r#"{"value":"x"}"#,
        r#"{"type":["list"],"value":[]}"#,
        r#"{"type":["list","string","more"],"value":["x"]}"#,
        r#"{"type":"string","value":"x","later":{"a":[1]}}"#,
        // Types that no value has of itself.
        r#"{"type":["object",{"a":"string","b":"bool"},["b"]],"value":{"a":"x","b":null}}"#,
        r#"{"type":["object",{"a":"string"},["a","z"]],"value":null}"#,
        r#"{"type":"dynamic","value":{"b":1,"a":[1.50,"x"]}}"#,
        r#"{"type":["list","dynamic"],"value":["x",1]}"#,
        r#"{"type":["list","nonsense"],"value":[]}"#,
        r#"{"type":["nonsense","string"],"value":[]}"#,
        r#"{"type":7,"value":7}"#,
        // Of another type than is said.
        r#"{"type":"number","value":"7"}"#,
        r#"{"type":"string","value":7}"#,
        r#"{"type":"bool","value":"true"}"#,
        r#"{"type":["list","string"],"value":{"a":"x"}}"#,
        r#"{"type":["map","string"],"value":["x"]}"#,
        r#"{"type":["set","string"],"value":["b","a","b"]}"#,
        r#"{"type":"number","value":1e400}"#,
        r#"{"type":"number","value":1e999999999}"#,
        r#"{"type":"number","value":-0.0}"#,
        r#"{"type":"number","value":123456789012345678901234567890}"#,
        // Marks and unknowns of every place.
        r#"{"type":["map","string"],"value":{"a":"x"},"sensitive":[["a"],["a"],[]]}"#,
        r#"{"type":["map","string"],"value":{"a":"x"},"sensitive":[["b"]]}"#,
        r#"{"type":["list",["map","string"]],"value":[{"a":"x"}],"sensitive":[[0,"a"]]}"#,
        r#"{"type":["list","string"],"value":["x"],"sensitive":[["0"]]}"#,
        r#"{"type":["list","string"],"value":["x"],"sensitive":[[1]]}"#,
        r#"{"type":["list","string"],"value":["x"],"sensitive":[7]}"#,
        r#"{"type":["set","string"],"value":["x","y"],"sensitive":[[1]]}"#,
        r#"{"type":["list","string"],"value":null,"sensitive":[[0]]}"#,
        r#"{"type":"string","value":"x","unknown":[]}"#,
        r#"{"type":"string","value":null,"unknown":[[[],"string"]]}"#,
    ];
    let mut reader = ResourceReader::default();
    for value in rows {
        let text = row(value);
        assert_eq!(
            reader.read(&text),
            format::resource_from_text(&text),
            "{text}"
        );
    }
    let plain = row(r#"{"type":"string","value":"x"}"#);
    let others = [
        plain.replace("v1", "v2"),
        plain.replace("\"provider\":\"a\",", ""),
        plain.replace("\"provider\":\"a\"", "\"provider\":\"a b\""),
        plain.replace(
            "\"provider\":\"a\"",
            "\"provider\":\"a\",\"provider\":\"b\"",
        ),
        plain.replace("\"ready\"", "\"rotten\""),
        plain.replace("\"ready\"", "\"ready\",\"removal\":null"),
        plain.replace(
            "\"ready\"",
            "\"ready\",\"removal\":\"forget\",\"foreign\":null",
        ),
        plain.replace("\"ready\"", "\"ready\",\"foreign\":\"f\",\"later\":[{}]"),
        plain.replace("{\"text\":\"\"}", "{\"hex\":\"0\"}"),
        plain.replace("\"schema_version\":1", "\"schema_version\":-1"),
        plain.replace("[]", "[\"a.b\",\"a.b\"]"),
        format!("{plain} "),
        format!("{plain},"),
        plain.replacen('}', ",", 1),
    ];
    for text in others {
        assert_eq!(
            reader.read(&text),
            format::resource_from_text(&text),
            "{text}"
        );
    }
}
