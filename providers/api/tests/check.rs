//! Table tests of [`weir_provider::check`].

use std::collections::BTreeMap;
use weir_core::{
    Marks, Type, Value,
    schema::{Attribute, Block, NestedBlock, Nesting, Schema, SetBy},
    value::Refinements,
};
use weir_provider::check::{Subject, applied, planned};

const SUBJECT: Subject<'_> = Subject {
    provider: "acme",
    address: "acme_thing.a",
};

fn schema() -> Schema {
    let string = |set_by| Attribute::new(Type::String, set_by);
    let disk = Block {
        attributes: [
            ("name".to_owned(), string(SetBy::Required)),
            ("id".to_owned(), string(SetBy::Computed)),
        ]
        .into(),
        blocks: BTreeMap::new(),
    };
    let disk = NestedBlock {
        block: disk,
        nesting: Nesting::List,
        min: 0,
        max: None,
        absent: weir_core::schema::Absent::None,
    };
    Schema {
        version: 0,
        block: Block {
            attributes: [
                ("name".to_owned(), string(SetBy::Required)),
                ("id".to_owned(), string(SetBy::Computed)),
                ("class".to_owned(), string(SetBy::OptionalComputed)),
                ("once".to_owned(), string(SetBy::Optional).write_only()),
                ("secret".to_owned(), string(SetBy::Optional).sensitive()),
                (
                    "tags".to_owned(),
                    Attribute::new(Type::set(Type::String), SetBy::Optional),
                ),
            ]
            .into(),
            blocks: [("disk".to_owned(), disk)].into(),
        },
    }
}

/// An object of that schema: `name = "a"` and nulls, with these fields on top.
fn thing(fields: &[(&str, Value)]) -> Value {
    let null = || Value::null_of(Type::String);
    let base = Value::object([
        ("name", Value::from("a")),
        ("id", null()),
        ("class", null()),
        ("once", null()),
        ("secret", null()),
        ("tags", Value::null_of(Type::set(Type::String))),
        (
            "disk",
            Value::list(schema().block.blocks["disk"].block.ty(), vec![]),
        ),
    ]);
    fields.iter().fold(base, |v, (k, f)| v.with(k, f.clone()))
}

fn disks(rows: &[(&str, Value)]) -> Value {
    let ty = schema().block.blocks["disk"].block.ty();
    let row =
        |(n, id): &(&str, Value)| Value::object([("name", Value::from(*n)), ("id", id.clone())]);
    Value::list(ty, rows.iter().map(row).collect())
}

fn unknown() -> Value {
    Value::unknown(Type::String)
}

fn null() -> Value {
    Value::null_of(Type::String)
}

fn set<const N: usize>(items: [Value; N]) -> Value {
    Value::set(Type::String, items)
}

struct PlanRow {
    what: &'static str,
    prior: Option<Value>,
    config: Value,
    planned: Value,
    complains_at: Option<&'static str>,
}

#[test]
fn plans() {
    let row = |what, config, planned, complains_at| PlanRow {
        what,
        prior: None,
        config,
        planned,
        complains_at,
    };
    let table = [
        row(
            "computed may be unknown",
            thing(&[]),
            thing(&[("id", unknown()), ("class", unknown())]),
            None,
        ),
        row(
            "computed may be known",
            thing(&[]),
            thing(&[("id", "i".into()), ("class", "c".into())]),
            None,
        ),
        row(
            "configured must stay",
            thing(&[]),
            thing(&[("name", "b".into())]),
            Some("`name`"),
        ),
        row(
            "configured may not be unknown",
            thing(&[]),
            thing(&[("name", unknown())]),
            Some("`name`"),
        ),
        row(
            "set by the configuration, not by the provider",
            thing(&[("class", "x".into())]),
            thing(&[("class", "y".into())]),
            Some("`class`"),
        ),
        row(
            "write-only is planned null",
            thing(&[("once", "x".into())]),
            thing(&[]),
            None,
        ),
        row(
            "write-only may not be stored",
            thing(&[("once", "x".into())]),
            thing(&[("once", "x".into())]),
            Some("`once`"),
        ),
        row(
            "marks don't count",
            thing(&[("name", Value::from("a").mark(Marks::SENSITIVE))]),
            thing(&[]),
            None,
        ),
        row(
            "a wrong type",
            thing(&[]),
            thing(&[("id", Value::from(3))]),
            Some("`id`"),
        ),
        row(
            "an attribute out of nowhere",
            thing(&[]),
            thing(&[("nope", null())]),
            Some("`nope`"),
        ),
        row(
            "a block more",
            thing(&[]),
            thing(&[("disk", disks(&[("a", null())]))]),
            Some("`disk`"),
        ),
        row(
            "computed inside a block",
            thing(&[("disk", disks(&[("a", null())]))]),
            thing(&[("disk", disks(&[("a", unknown())]))]),
            None,
        ),
        row(
            "configured inside a block",
            thing(&[("disk", disks(&[("a", null())]))]),
            thing(&[("disk", disks(&[("b", null())]))]),
            Some("`disk[0].name`"),
        ),
        row(
            "null for an object",
            thing(&[]),
            Value::null(),
            Some("does not fit the configuration"),
        ),
        PlanRow {
            what: "the prior value may be kept: the provider finds them equal",
            prior: Some(thing(&[("name", "A".into())])),
            config: thing(&[]),
            planned: thing(&[("name", "A".into())]),
            complains_at: None,
        },
        PlanRow {
            what: "but not where the configuration removes it",
            prior: Some(thing(&[("secret", "old".into())])),
            config: thing(&[]),
            planned: thing(&[("secret", "old".into())]),
            complains_at: Some("`secret`"),
        },
    ];
    for PlanRow {
        what,
        prior,
        config,
        planned: plan,
        complains_at,
    } in table
    {
        let found = planned(SUBJECT, &schema(), prior.as_ref(), &config, &plan);
        expect(what, &found.to_string(), found.is_empty(), complains_at);
    }
}

fn expect(what: &str, text: &str, none: bool, complains_at: Option<&str>) {
    match complains_at {
        None => assert!(none, "{what}: {text}"),
        Some(place) => {
            assert!(!none, "{what}: nothing was found");
            assert!(text.contains(place), "{what}: {text}");
            assert!(
                text.contains("provider \"acme\"") && text.contains("acme_thing.a"),
                "{text}"
            );
        }
    }
}

#[test]
fn outcomes() {
    let refined = Value::unknown_refined(
        Type::String,
        Refinements {
            prefix: Some("i-".into()),
            not_null: true,
            ..Refinements::default()
        },
    );
    let id = |v: Value| thing(&[("id", v)]);
    let tags = |v: Value| thing(&[("tags", v)]);
    let (a, b): (Value, Value) = ("a".into(), "b".into());
    let table = [
        (
            "unknown becomes known",
            id(unknown()),
            Some(id("i-1".into())),
            None,
        ),
        (
            "unknown may become null",
            id(unknown()),
            Some(id(null())),
            None,
        ),
        (
            "still unknown",
            id(unknown()),
            Some(id(unknown())),
            Some("`id`"),
        ),
        (
            "of another type",
            id(unknown()),
            Some(id(Value::from(true))),
            Some("`id`"),
        ),
        (
            "within its refinement",
            id(refined.clone()),
            Some(id("i-1".into())),
            None,
        ),
        (
            "out of its refinement",
            id(refined.clone()),
            Some(id("x-1".into())),
            Some("`id`"),
        ),
        (
            "null against its refinement",
            id(refined),
            Some(id(null())),
            Some("`id`"),
        ),
        (
            "known stays",
            thing(&[]),
            Some(thing(&[("name", b.clone())])),
            Some("`name`"),
        ),
        (
            "null stays",
            id(null()),
            Some(id("i-1".into())),
            Some("`id`"),
        ),
        ("no object", thing(&[]), None, Some("no object")),
        (
            "a set may shrink when unknowns coincide",
            tags(set([a.clone(), unknown()])),
            Some(tags(set([a.clone()]))),
            None,
        ),
        (
            "a set never grows",
            tags(set([a.clone()])),
            Some(tags(set([a.clone(), b.clone()]))),
            Some("`tags`"),
        ),
        (
            "a set keeps what was known",
            tags(set([a.clone(), unknown()])),
            Some(tags(set([b]))),
            Some("`tags`"),
        ),
        (
            "a set without unknowns is exact",
            tags(set([a.clone(), "c".into()])),
            Some(tags(set([a]))),
            Some("`tags`"),
        ),
        (
            "inside a block",
            thing(&[("disk", disks(&[("a", unknown())]))]),
            Some(thing(&[("disk", disks(&[("a", "d-1".into())]))])),
            None,
        ),
        (
            "a lost block",
            thing(&[("disk", disks(&[("a", unknown())]))]),
            Some(thing(&[])),
            Some("`disk`"),
        ),
    ];
    for (what, plan, new, complains_at) in table {
        let found = applied(SUBJECT, &schema(), &plan, new.as_ref());
        expect(what, &found.to_string(), found.is_empty(), complains_at);
    }
}

#[test]
fn secrets_are_redacted_by_schema_and_by_mark() {
    let by_schema = applied(
        SUBJECT,
        &schema(),
        &thing(&[("secret", "hush-1".into())]),
        Some(&thing(&[("secret", "hush-2".into())])),
    );
    let marked = Value::from("hush-1").mark(Marks::SENSITIVE);
    let by_mark = applied(
        SUBJECT,
        &schema(),
        &thing(&[("name", marked)]),
        Some(&thing(&[("name", "hush-2".into())])),
    );
    for found in [by_schema, by_mark] {
        let text = format!("{found} {found:?}");
        assert!(found.has_errors(), "{text}");
        assert!(!text.contains("hush"), "{text}");
        assert!(text.contains("(sensitive)"), "{text}");
    }
}
