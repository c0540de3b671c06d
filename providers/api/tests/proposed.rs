//! Table tests of [`weir_provider::proposed`].

use weir_core::{
    Type, Value,
    schema::{Attribute, Block, NestedBlock, Nesting, Schema, SetBy},
};
use weir_provider::proposed::merge;

fn string(set_by: SetBy) -> Attribute {
    Attribute::new(Type::String, set_by)
}

fn disk() -> Block {
    Block {
        attributes: [
            ("name".to_owned(), string(SetBy::Required)),
            ("id".to_owned(), string(SetBy::Computed)),
        ]
        .into(),
        blocks: Default::default(),
    }
}

fn schema(nesting: Nesting) -> Schema {
    let disk = NestedBlock {
        block: disk(),
        nesting,
        min: 0,
        max: None,
        absent: weir_core::schema::Absent::None,
    };
    Schema {
        version: 0,
        block: Block {
            attributes: [
                ("name".to_owned(), string(SetBy::Required)),
                ("zone".to_owned(), string(SetBy::Optional)),
                ("id".to_owned(), string(SetBy::Computed)),
                ("class".to_owned(), string(SetBy::OptionalComputed)),
                ("once".to_owned(), string(SetBy::Optional).write_only()),
            ]
            .into(),
            blocks: [("disk".to_owned(), disk)].into(),
        },
    }
}

fn text(s: Option<&str>) -> Value {
    s.map_or(Value::null_of(Type::String), Value::from)
}

fn one_disk(name: &str, id: Option<&str>) -> Value {
    Value::object([("name", Value::from(name)), ("id", text(id))])
}

fn disks(nesting: Nesting, items: Vec<Value>) -> Value {
    let ty = disk().ty();
    match nesting {
        Nesting::Set => Value::set(ty, items),
        _ => Value::list(ty, items),
    }
}

/// name, zone, id, class; disks.
fn thing(fields: [Option<&str>; 4], disks: Value) -> Value {
    let [name, zone, id, class] = fields;
    Value::object([
        ("name", text(name)),
        ("zone", text(zone)),
        ("id", text(id)),
        ("class", text(class)),
        ("once", text(None)),
        ("disk", disks),
    ])
}

#[test]
fn attributes_follow_the_configuration_and_computed_ones_the_prior() {
    let none = || disks(Nesting::List, Vec::new());
    let schema = schema(Nesting::List);
    type Row = [Option<&'static str>; 4];
    let table: [(&str, Option<Row>, Row, Row); 5] = [
        (
            "creation",
            None,
            [Some("a"), None, None, None],
            [Some("a"), None, None, None],
        ),
        (
            "computed stays",
            Some([Some("a"), None, Some("i-1"), Some("std")]),
            [Some("b"), None, None, None],
            [Some("b"), None, Some("i-1"), Some("std")],
        ),
        (
            "optional goes away when left out",
            Some([Some("a"), Some("z"), Some("i-1"), None]),
            [Some("a"), None, None, None],
            [Some("a"), None, Some("i-1"), None],
        ),
        (
            "the configuration wins over what was computed",
            Some([Some("a"), None, Some("i-1"), Some("std")]),
            [Some("a"), None, None, Some("big")],
            [Some("a"), None, Some("i-1"), Some("big")],
        ),
        (
            "an optional computed attribute that is left out keeps its value",
            Some([Some("a"), None, Some("i-1"), Some("big")]),
            [Some("a"), None, None, None],
            [Some("a"), None, Some("i-1"), Some("big")],
        ),
    ];
    for (what, prior, config, expected) in table {
        let prior = prior.map(|p| thing(p, none()));
        let got = merge(&schema, prior.as_ref(), &thing(config, none()));
        assert_eq!(got, thing(expected, none()), "{what}");
    }
}

#[test]
fn write_only_values_are_never_proposed() {
    let config = thing([Some("a"), None, None, None], disks(Nesting::List, vec![]));
    let config = config.with("once", Value::from("hush"));
    let got = merge(&schema(Nesting::List), None, &config);
    assert!(got.get("once").is_some_and(Value::is_null));
}

#[test]
fn unknowns_and_marks_come_through() {
    let unknown = Value::unknown(Type::String).mark(weir_core::Marks::SENSITIVE);
    let config = thing([Some("a"), None, None, None], disks(Nesting::List, vec![]));
    let config = config.with("zone", unknown.clone());
    let got = merge(&schema(Nesting::List), None, &config);
    assert_eq!(got.get("zone"), Some(&unknown));
}

#[test]
fn blocks_pair_with_their_prior() {
    type Disks = &'static [(&'static str, Option<&'static str>)];
    let table: [(&str, Nesting, Disks, Disks, Disks); 5] = [
        (
            "a list by position, also when renamed",
            Nesting::List,
            &[("a", Some("d1")), ("b", Some("d2"))],
            &[("a", None), ("c", None)],
            &[("a", Some("d1")), ("c", Some("d2"))],
        ),
        (
            "a longer list",
            Nesting::List,
            &[("a", Some("d1"))],
            &[("a", None), ("b", None)],
            &[("a", Some("d1")), ("b", None)],
        ),
        (
            "a shorter list",
            Nesting::List,
            &[("a", Some("d1"))],
            &[],
            &[],
        ),
        (
            "a set by likeness",
            Nesting::Set,
            &[("a", Some("d1")), ("b", Some("d2"))],
            &[("b", None), ("c", None)],
            &[("b", Some("d2")), ("c", None)],
        ),
        (
            "a set from nothing",
            Nesting::Set,
            &[],
            &[("a", None)],
            &[("a", None)],
        ),
    ];
    for (what, nesting, prior, config, expected) in table {
        let value = |rows: Disks| {
            let rows = rows.iter().map(|(name, id)| one_disk(name, *id)).collect();
            thing([Some("x"), None, None, None], disks(nesting, rows))
        };
        let got = merge(&schema(nesting), Some(&value(prior)), &value(config));
        assert_eq!(got, value(expected), "{what}");
    }
}
