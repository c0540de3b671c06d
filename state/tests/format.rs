//! The rows of a store, one of each kind: `golden/v1.jsonl` never changes. What it holds was
//! written by released programs and must be read, and written alike, for ever.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use weir_core::{
    Known, Marks, Type, Value,
    plan::Op,
    snapshot::{Foreign, Removal, Resource, Serial, Status},
};
use weir_state::{
    Applied, ApplyOutcome, ApplyRecord, Begin, ClosedEntry, Ending, EntryId, Holder, Target,
    Verdict, conformance::address, format,
};

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 7)
}

fn value() -> Value {
    Value::object([
        ("id", Value::string("i-1")),
        ("null", Value::null_of(Type::Number)),
        (
            "number",
            Value::number("0.1".parse::<weir_core::Number>().unwrap()),
        ),
        ("on", Value::bool(true)),
        (
            "list",
            Value::list(
                Type::String,
                vec![Value::string("x").mark(Marks::SENSITIVE)],
            ),
        ),
        (
            "set",
            Value::set(Type::String, [Value::string("b"), Value::string("a")]),
        ),
        (
            "tuple",
            Value::tuple(vec![Value::from(1), Value::string("x")]),
        ),
        ("map", Value::map(Type::Number, [("k", Value::from(2))])),
        ("secret", Value::string("s").mark(Marks::SENSITIVE)),
        ("fleeting", Value::string("e").mark(Marks::EPHEMERAL)),
    ])
}

/// As `value`, after it was stored: the ephemeral part is gone.
fn stored(value: Value) -> Known {
    Known::new(value.with("fleeting", Value::null_of(Type::String))).unwrap()
}

fn resource(private: &[u8], status: Status) -> Resource {
    Resource {
        provider: "aws.east".parse().unwrap(),
        schema_version: 2,
        value: stored(value()),
        private: private.to_vec(),
        dependencies: BTreeSet::from([address("aws_vpc.main"), address("site.z.host[\"h\"]")]),
        status,
        removal: Removal::default(),
        foreign: None,
    }
}

fn begins() -> Vec<Begin> {
    let ops = [Op::Create, Op::Update, Op::Delete, Op::Read, Op::Forget];
    ops.map(|op| Begin {
        address: address("module.m[0].aws_instance.web[\"a\"]"),
        op,
        target: if op == Op::Delete {
            Target::Deposed
        } else {
            Target::Current
        },
        provider: "aws".parse().unwrap(),
        type_name: "aws_instance".into(),
        schema_version: 2,
        token: "lineage-1-2".into(),
        step: 2,
        planned: (op != Op::Delete).then(|| {
            Value::object([
                ("id", Value::unknown(Type::String).mark(Marks::SENSITIVE)),
                ("size", Value::from(3)),
            ])
        }),
        prior: (op != Op::Create).then(|| stored(value())),
        private: vec![0, 255],
        dependencies: BTreeSet::from([address("data.aws_ami.debian")]),
        foreign: None,
    })
    .into()
}

fn closed() -> Vec<ClosedEntry> {
    [
        Verdict::Put,
        Verdict::Gone,
        Verdict::Failed("no quota".into()),
        Verdict::Kept,
    ]
    .map(|verdict| ClosedEntry {
        id: EntryId(5),
        epoch: 1,
        begun: at(100),
        closed_by: 2,
        closed: at(200),
        address: address("a.a"),
        op: Op::Update,
        token: "lineage-1-2".into(),
        serial: Serial(9),
        verdict,
    })
    .into()
}

fn endings() -> [Ending; 4] {
    let by = Holder {
        who: "ann".into(),
        host: "h".into(),
        pid: 42,
        purpose: "apply".into(),
    };
    [
        Ending::Released,
        Ending::Expired { by: by.clone() },
        Ending::HolderDied { by: by.clone() },
        Ending::Unlocked { by },
    ]
}

fn applies() -> [Applied; 3] {
    [
        ApplyOutcome::Succeeded,
        ApplyOutcome::Failed {
            errors: vec!["a.a: no".into()],
        },
        ApplyOutcome::Interrupted,
    ]
    .map(|outcome| Applied {
        serial: Serial(9),
        epoch: 2,
        finished: at(300),
        record: ApplyRecord {
            who: "ann".into(),
            started: at(100),
            plan_digest: "p".into(),
            config_digest: "c".into(),
            bundle: None,
            outcome,
            checks: None,
        },
    })
}

fn resources() -> [Resource; 3] {
    [
        resource(b"{\"k\":1}", Status::Ready),
        resource(&[0xfe, 0x01], Status::Tainted),
        Resource {
            foreign: Some(Foreign("{\"open\":[\"input\"]}".into())),
            ..resource(b"", Status::Ready)
        },
    ]
}

#[test]
fn rows_are_written_as_they_ever_were() {
    let mut rows: Vec<String> = Vec::new();
    rows.extend(
        resources()
            .iter()
            .map(|r| format::resource_to_text(r).unwrap()),
    );
    rows.push(format::output_to_text(&Known::new(value()).unwrap()).unwrap());
    rows.extend(begins().iter().map(|b| format::begin_to_text(b).unwrap()));
    rows.extend(closed().iter().map(format::closed_to_text));
    rows.extend(endings().iter().map(|e| format::ending_to_text(at(300), e)));
    rows.extend(applies().iter().map(format::applied_to_text));
    let written = rows.join("\n") + "\n";
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/v1.jsonl");
    let expected = std::fs::read_to_string(golden).unwrap_or_default();
    assert!(written == expected, "{golden} should be:\n{written}");
}

#[test]
fn rows_of_old_are_read() {
    let golden = include_str!("golden/v1.jsonl");
    let mut lines = golden.lines();
    let mut next = || lines.next().unwrap();
    for resource in resources() {
        assert_eq!(format::resource_from_text(next()).unwrap(), resource);
    }
    assert_eq!(format::output_from_text(next()).unwrap(), stored(value()));
    for begin in begins() {
        let read = format::begin_from_text(begin.address.clone(), next()).unwrap();
        assert_eq!(read, begin);
    }
    for entry in closed() {
        assert_eq!(
            format::closed_from_text(EntryId(5), 1, next()).unwrap(),
            entry
        );
    }
    for ending in endings() {
        assert_eq!(format::ending_from_text(next()).unwrap(), (at(300), ending));
    }
    for applied in applies() {
        assert_eq!(format::applied_from_text(next()).unwrap(), applied);
    }
    assert_eq!(lines.next(), None);
}

#[test]
fn rows_of_a_later_format_are_refused() {
    let later = r#"{"v2":{"anything":1}}"#;
    assert!(
        format::resource_from_text(later)
            .unwrap_err()
            .0
            .contains("v2")
    );
    assert!(format::applied_from_text(later).is_err());
}

/// What could be written and never read again is refused before it is written.
#[test]
fn a_value_that_is_nested_too_deeply_is_refused() {
    type Wrap = fn(Value) -> Value;
    let wraps: [(&str, Wrap); 3] = [
        ("tuples", |v| Value::tuple(vec![v])),
        ("objects", |v| Value::object([("\"}[", v)])),
        ("marked", |v| Value::tuple(vec![v.mark(Marks::SENSITIVE)])),
    ];
    for (kind, wrap) in wraps {
        let mut refused = 0;
        for depth in 0..200 {
            let deep = (0..depth).fold(Value::string("[{\\\""), |v, _| wrap(v));
            let deep = Known::new(deep).unwrap();
            match format::output_to_text(&deep) {
                Ok(text) => assert_eq!(format::output_from_text(&text).unwrap(), deep),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 50, "{kind}: {refused}");
    }
}
