//! Golden files of the JSON formats. `INSTA_UPDATE=always cargo test -p weir-cli` writes them
//! anew: a change of one is a change of a format that others read.

use super::{Form, Secrets, diagnostic, plan, state, ui};
use crate::render::samples;
use samples::{change, map, n, object, s, secret, unknown};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Diagnostic, Diagnostics, Known, Path, Span, Type,
    address::ProviderRef,
    change::{Action, Orphan, Reason, ReplaceOrder},
    diag::Snippet,
    event::{EphemeralOp, Event},
    plan::{Op, OutputChange, Plan},
    references::{BlockGraph, Object, References, Referred, Standing},
    schema::Schema,
    snapshot::{Lineage, Resource, Serial, Snapshot, Status},
};

const RUNNING: ui::Running = ui::Running {
    op: Op::Create,
    elapsed_s: 7,
};

/// No provider at hand.
struct NoSchemas;

impl weir_lang::Schemas for NoSchemas {
    fn resource(&self, _: &str) -> Option<&Schema> {
        None
    }
    fn data(&self, _: &str) -> Option<&Schema> {
        None
    }
    fn provider(&self, _: &str) -> Option<&Schema> {
        None
    }
    fn provider_of(&self, _: &str) -> Option<&str> {
        None
    }
}

fn form(secrets: Secrets) -> Form<'static> {
    Form {
        secrets,
        schemas: &NoSchemas,
        config: None,
    }
}

fn pretty(value: &Json) -> String {
    format!("{value:#}")
}

fn sample() -> Plan {
    let before = || {
        object([
            ("id", s("i-1")),
            ("zone", s("z1")),
            ("secret", secret("old")),
        ])
    };
    let after = || {
        object([
            ("id", unknown()),
            ("zone", s("z2")),
            ("secret", secret("new")),
        ])
    };
    let forced = Reason::CannotUpdate(vec![Path::root().key("zone")]);
    let replace = Action::Replace(ReplaceOrder::DeleteFirst);
    let tags = object([
        (
            "tags",
            map(Type::String, [("a", secret("x")), ("b", s("y"))]),
        ),
        ("n", n(1)),
    ]);
    let mut plan = samples::plan([
        change(
            "fake_thing.a",
            replace,
            forced,
            [Some(before()), Some(after())],
        ),
        change(
            "module.m[\"k\"].fake_thing.b[0]",
            Action::Create,
            Reason::New,
            [None, Some(tags)],
        ),
        change(
            "service.web.pod.app[\"0\"]",
            Action::Delete,
            Reason::NotInConfig(Orphan::Block),
            [Some(before()), None],
        ),
    ]);
    plan.drift = samples::by_address([change(
        "fake_thing.a",
        Action::Update,
        Reason::Drifted,
        [Some(object([("id", s("i-0"))])), Some(before())],
    )]);
    let output = OutputChange {
        before: Some(secret("old")),
        after: Some(secret("new")),
    };
    plan.outputs = [("password".to_owned(), output)].into();
    plan
}

fn snapshot() -> Snapshot {
    let resource = |value, status, dependencies| Resource {
        provider: ProviderRef::new("fake"),
        schema_version: 1,
        value: Known::new(value).expect("known"),
        private: Vec::new(),
        dependencies,
        status,
        removal: weir_core::snapshot::Removal::default(),
        foreign: None,
    };
    let address = |text: &str| text.parse().expect("an address");
    let mut snapshot = Snapshot::empty(Lineage("line".into()));
    snapshot.serial = Serial(4);
    let a = object([("id", s("i-1")), ("secret", secret("hush"))]);
    let inner = object([("id", s("i-2"))]);
    let on_a = BTreeSet::from([address("fake_thing.a")]);
    snapshot.resources = [
        (
            address("fake_thing.a"),
            resource(a, Status::Ready, BTreeSet::new()),
        ),
        (
            address("module.x.module.y[1].fake_thing.b"),
            resource(inner, Status::Tainted, on_a),
        ),
    ]
    .into();
    snapshot.outputs = [("n".to_owned(), Known::new(n(3)).expect("known"))].into();
    let used = BTreeSet::from([Referred::Block("fake_thing.a".into())]);
    let block = "module.x.module.y.fake_thing.b".to_owned();
    let graph = BlockGraph(BTreeMap::from([(block, used)]));
    let there = snapshot.resources.keys();
    let objects = there.map(|a| Object::current(a, Standing::Settled));
    snapshot.references = References::default().after(Some(graph), objects.collect());
    snapshot
}

#[test]
fn plan_format() {
    let (sample, snapshot) = (sample(), snapshot());
    let document = plan::Document {
        plan: &sample,
        mode: weir_engine::Mode::Apply,
        refresh: weir_engine::Refresh::All,
        prior: Some(&snapshot),
        timestamp: Some("2026-01-02T03:04:05Z"),
    };
    let text = pretty(&plan::plan(&document, &form(Secrets::Redacted)));
    for secret in ["\"old\"", "\"new\"", "hush"] {
        assert!(!text.contains(secret), "{text}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn state_format() {
    let text = pretty(&state::state(&snapshot(), &form(Secrets::Shown)));
    assert!(text.contains("hush"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn diagnostics_format() {
    let span = Span {
        file: "main.hcl".into(),
        start: 40,
        end: 49,
        line: 9,
        column: 11,
    };
    let mut wrong = Diagnostic::error("there is no variable \"cuont\"")
        .at(span)
        .because("The configuration declares `count`.")
        .help("Did you mean `var.count`?");
    wrong.snippet = Some(Snippet {
        first_line: 9,
        lines: vec!["  count = var.cuont".into()],
        underline_start: 11,
        underline_end: 20,
        end: (9, 20),
        context: None,
    });
    wrong.values = vec![("var.port".into(), "8480".into())];
    let found = Diagnostics(vec![wrong, Diagnostic::warning("an old way of writing it")]);
    insta::assert_snapshot!(pretty(&diagnostic::validation(&found)));
}

#[test]
fn messages_format() {
    let address = || {
        "module.m[\"k\"].fake_thing.b[0]"
            .parse()
            .expect("an address")
    };
    let data = || "data.fake_thing.d".parse().expect("an address");
    let ephemeral = || "ephemeral.fake_token.e".parse().expect("an address");
    let events = [
        Event::Refreshing {
            address: address(),
            id: Some("i-7".into()),
        },
        Event::Refreshed {
            address: address(),
            elapsed_ms: 1200,
            id: Some("i-7".into()),
        },
        Event::Refreshing {
            address: data(),
            id: None,
        },
        Event::Refreshed {
            address: data(),
            elapsed_ms: 1200,
            id: Some("i-8".into()),
        },
        Event::EphemeralStarted {
            address: ephemeral(),
            op: EphemeralOp::Open,
        },
        Event::EphemeralFinished {
            address: ephemeral(),
            op: EphemeralOp::Renew,
            elapsed_ms: 3000,
        },
        Event::EphemeralFailed {
            address: ephemeral(),
            op: EphemeralOp::Close,
            elapsed_ms: 10,
            message: "it is gone".into(),
        },
        Event::Started {
            address: address(),
            op: Op::Create,
            host: None,
        },
        Event::Progress {
            address: address(),
            text: "half-way".into(),
        },
        Event::Finished {
            address: address(),
            op: Op::Create,
            elapsed_ms: 2100,
            id: Some("i-7".into()),
        },
        Event::Failed {
            address: address(),
            op: Op::Delete,
            elapsed_ms: 9,
            message: "no".into(),
        },
        Event::Skipped {
            address: address(),
            op: Op::Update,
            because: None,
        },
    ];
    let mut messages = vec![ui::version()];
    messages.extend(ui::planned(
        &sample(),
        (weir_engine::Mode::Apply, weir_engine::Refresh::All),
        &BTreeMap::new(),
    ));
    messages.extend(
        events
            .iter()
            .filter_map(|e| ui::event(e, |_| Some(RUNNING), |_| None)),
    );
    let address = address();
    messages.push(ui::still(&address, RUNNING));
    messages.push(ui::outputs(&snapshot().outputs));
    let text: String = messages
        .into_iter()
        .map(|mut m| {
            m["@timestamp"] = "[TIME]".into();
            format!("{m}\n")
        })
        .collect();
    insta::assert_snapshot!(text);
}
