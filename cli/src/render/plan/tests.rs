//! Golden texts of plans. `INSTA_UPDATE=always cargo test -p weir-cli` writes them anew.

use super::{Detail, attributed, render, render_with};
use crate::render::{
    samples::{by_address, change, map, n, object, plan, s, secret, strings, unknown},
    style::Paint,
};
use std::{
    collections::BTreeMap,
    time::{Duration, UNIX_EPOCH},
};
use weir_core::{
    Known, Path, Type, Value,
    address::ProviderRef,
    change::{Action, Orphan, Reason, Reference, ReplaceOrder},
    plan::{Deposed, OutputChange, Plan},
    snapshot::DeposedKey,
};
use weir_engine::ChangedBy;
use weir_provider::Attribution;

fn text(plan: &Plan) -> String {
    render(plan, Detail::Full, Paint::Plain)
}

const PLACE: Action = Action::Replace(ReplaceOrder::DeleteFirst);

#[test]
fn nothing_to_do() {
    let same = object([("id", s("a"))]);
    let noop = change(
        "fake_thing.a",
        Action::NoOp,
        Reason::UpToDate,
        [Some(same.clone()), Some(same)],
    );
    insta::assert_snapshot!(text(&plan([noop])), @"No changes. What is there matches the configuration.");
}

#[test]
fn creation_shows_all_that_is_set() {
    let after = object([
        ("name", s("a \"quoted\" ${name}")),
        ("id", unknown()),
        ("size", n(3)),
        ("unset", Value::null_of(Type::String)),
        ("secret", secret("hush")),
        (
            "tags",
            map(Type::String, [("team", s("web")), ("cost center", s("7"))]),
        ),
        ("empty", map(Type::String, [])),
        ("zones", strings(["a", "b"])),
        (
            "disk",
            Value::list(
                Type::Dynamic,
                vec![object([("name", s("root")), ("id", unknown())])],
            ),
        ),
        ("content", s("line one\nline two\n")),
        ("one_line", s("line one\n")),
    ]);
    let create = change(
        "module.net[\"eu\"].fake_thing.a[0]",
        Action::Create,
        Reason::New,
        [None, Some(after)],
    );
    insta::assert_snapshot!(text(&plan([create])));
}

#[test]
fn an_update_shows_what_differs_and_counts_the_rest() {
    let before = object([
        ("id", s("i-1")),
        ("name", s("a")),
        ("size", n(3)),
        ("long_name_that_stays", s("x")),
        ("secret", secret("old")),
        ("added", Value::null_of(Type::String)),
        ("removed", s("bye")),
        (
            "tags",
            map(Type::String, [("a", s("1")), ("b", s("2")), ("c", s("3"))]),
        ),
        ("zones", strings(["a", "b", "c", "d"])),
        ("groups", Value::set(Type::String, [s("x"), s("y")])),
        ("ports", map(Type::Number, [("http", n(80))])),
        ("endpoint", s("a.example")),
        ("labels", map(Type::String, [("k", s("v"))])),
    ]);
    let after = object([
        ("id", s("i-1")),
        ("name", s("b")),
        ("size", n(4)),
        ("long_name_that_stays", s("x")),
        ("secret", secret("new")),
        ("added", s("hello")),
        ("removed", Value::null_of(Type::String)),
        (
            "tags",
            map(Type::String, [("a", s("1")), ("b", s("20")), ("d", s("4"))]),
        ),
        ("zones", strings(["a", "c", "d", "e"])),
        ("groups", Value::set(Type::String, [s("x"), s("z")])),
        ("ports", map(Type::Number, [("http", n(80))])),
        ("endpoint", unknown()),
        ("labels", Value::unknown(Type::map(Type::String))),
    ]);
    let update = change(
        "fake_thing.a",
        Action::Update,
        Reason::ConfigChanged,
        [Some(before), Some(after)],
    );
    let text = text(&plan([update]));
    assert!(!text.contains("old") && !text.contains("new"), "{text}");
    insta::assert_snapshot!(text);
}

fn file(content: &str) -> Value {
    object([
        ("content", s(content)),
        ("mode", s("0644")),
        ("on_change", s("reload")),
    ])
}

fn task(name: &str, run: &str) -> Value {
    object([("name", s(name)), ("run", s(run)), ("goal", s("running"))])
}

#[test]
fn files_are_compared_line_by_line() {
    let config = |port: &str| {
        let lines: Vec<String> = (1..=30).map(|i| format!("line {i}\n")).collect();
        let mut lines = lines.concat();
        lines = lines.replace("line 15\n", &format!("listen {port}\n"));
        lines
    };
    let pod = |port: &str, run: &str| {
        object([
            ("host", s("zurich/zrh-1")),
            (
                "files",
                Value::map(Type::Dynamic, [("/etc/app.conf", file(&config(port)))]),
            ),
            (
                "tasks",
                Value::tuple(vec![task("prepare", "true"), task("server", run)]),
            ),
        ])
    };
    let update = change(
        "service.web.pod.app[\"0\"]",
        Action::Update,
        Reason::ConfigChanged,
        [Some(pod("80", "serve")), Some(pod("8080", "serve --fast"))],
    );
    insta::assert_snapshot!(text(&plan([update])));
}

#[test]
fn a_replacement_says_what_forces_it() {
    let before = object([
        ("id", s("i-1")),
        ("name", s("a")),
        ("zone", s("z1")),
        ("size", n(1)),
    ]);
    let after = object([
        ("id", unknown()),
        ("name", s("a")),
        ("zone", s("z2")),
        ("size", n(1)),
    ]);
    let forced = Reason::CannotUpdate(vec![Path::root().key("zone")]);
    let sides = || [Some(before.clone()), Some(after.clone())];
    let first = change("fake_thing.a", PLACE, forced, sides());
    let create_first = Action::Replace(ReplaceOrder::CreateFirst);
    let tainted = change("fake_thing.b", create_first, Reason::Tainted, sides());
    let requested = change(
        "fake_thing.c",
        PLACE,
        Reason::Requested(Vec::new()),
        sides(),
    );
    insta::assert_snapshot!(text(&plan([first, tainted, requested])));
}

#[test]
fn what_goes_away_says_why() {
    let value = || {
        Some(object([
            ("id", s("i-1")),
            ("tags", map(Type::String, [("a", s("1"))])),
        ]))
    };
    let gone = |address, orphan| {
        change(
            address,
            Action::Delete,
            Reason::NotInConfig(orphan),
            [value(), None],
        )
    };
    let forget = change(
        "fake_thing.f",
        Action::Forget,
        Reason::NotInConfig(Orphan::Block),
        [value(), None],
    );
    let all = plan([
        gone("fake_thing.a", Orphan::Block),
        gone("fake_thing.b[2]", Orphan::Instance),
        gone("module.old.fake_thing.c", Orphan::Module),
        change(
            "fake_thing.d",
            Action::Delete,
            Reason::Destroying,
            [value(), None],
        ),
        forget,
    ]);
    insta::assert_snapshot!(text(&all));
}

#[test]
fn drift_reads_and_vanished_objects_stand_apart() {
    let before = object([("id", s("i-1")), ("size", n(1))]);
    let after = object([("id", s("i-1")), ("size", n(9))]);
    let create = object([("id", unknown()), ("size", n(1))]);
    let read = object([("name", s("x")), ("id", unknown())]);
    let mut plan = plan([
        change(
            "fake_thing.a",
            Action::Update,
            Reason::Drifted,
            [Some(after.clone()), Some(before.clone())],
        ),
        change(
            "fake_thing.b",
            Action::Create,
            Reason::Drifted,
            [None, Some(create)],
        ),
        change(
            "data.fake_lookup.l",
            Action::Read,
            Reason::UnknownInputs,
            [None, Some(read)],
        ),
    ]);
    plan.drift = by_address([
        change(
            "fake_thing.a",
            Action::Update,
            Reason::Drifted,
            [Some(before.clone()), Some(after)],
        ),
        change(
            "fake_thing.b",
            Action::Delete,
            Reason::Drifted,
            [Some(before), None],
        ),
    ]);
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn who_changed_it_is_said_as_far_as_it_is_known() {
    let when = Some(UNIX_EPOCH + Duration::from_secs(1_777_631_527));
    let (who, how) = (|| Some("ada".to_owned()), || Some("console".to_owned()));
    let told = |who, when, how| ChangedBy::Told(Attribution { who, when, how });
    let table = [
        (
            told(who(), when, how()),
            "by ada, at 2026-05-01T10:32:07Z: console",
        ),
        (told(who(), None, how()), "by ada: console"),
        (told(who(), when, None), "by ada, at 2026-05-01T10:32:07Z"),
        (
            told(None, when, how()),
            "last changed at 2026-05-01T10:32:07Z: console; by whom is not known",
        ),
        (told(None, None, how()), "console; by whom is not known"),
        (
            ChangedBy::NotTold("the provider crashed".into()),
            "by whom is not known: the provider crashed",
        ),
    ];
    for (by, text) in table {
        assert_eq!(attributed(&by), text);
    }
}

#[test]
fn outputs_alone_are_a_change() {
    let mut plan = plan([]);
    let output = |before, after| OutputChange { before, after };
    plan.outputs = [
        ("url".to_owned(), output(None, Some(s("http://a/")))),
        ("same".to_owned(), output(Some(n(1)), Some(n(1)))),
        (
            "password".to_owned(),
            output(Some(secret("a")), Some(secret("b"))),
        ),
        ("gone".to_owned(), output(Some(s("x")), None)),
        ("later".to_owned(), output(Some(s("x")), Some(unknown()))),
    ]
    .into();
    insta::assert_snapshot!(text(&plan));
}

#[test]
fn an_object_put_aside_is_a_change() {
    let mut plan = plan([]);
    plan.deposed = vec![Deposed {
        address: "fake_thing.a".parse().expect("an address"),
        key: DeposedKey("5f3c1a00".into()),
        before: Known::new(object([("id", s("i-1"))])).expect("known"),
        provider: "fake".parse().expect("a provider"),
    }];
    insta::assert_snapshot!(text(&plan));
}

fn both(value: Value) -> [Option<Value>; 2] {
    [Some(value.clone()), Some(value)]
}

#[test]
fn what_moves_is_imported_or_forgotten_says_so() {
    let thing = |size| object([("id", s("i-1")), ("name", s("n")), ("size", n(size))]);
    let mut moved = change(
        "fake_thing.b",
        Action::NoOp,
        Reason::UpToDate,
        both(thing(1)),
    );
    moved.moved_from = Some("fake_thing.a".parse().expect("an address"));
    let mut both_at_once = change(
        "module.m.fake_thing.c",
        Action::Update,
        Reason::ConfigChanged,
        [Some(thing(1)), Some(thing(2))],
    );
    both_at_once.moved_from = Some("fake_thing.c".parse().expect("an address"));
    let mut imported = change(
        "fake_thing.d",
        Action::NoOp,
        Reason::UpToDate,
        both(thing(1)),
    );
    imported.import = Some("i-1".into());
    let mut changed = change(
        "fake_thing.e",
        Action::Update,
        Reason::ConfigChanged,
        [Some(thing(1)), Some(thing(2))],
    );
    changed.import = Some("i-2".into());
    let forgotten = change(
        "fake_thing.f",
        Action::Forget,
        Reason::NotInConfig(Orphan::Removed),
        [Some(thing(1)), None],
    );
    let plan = plan([moved, both_at_once, imported, changed, forgotten]);
    insta::assert_snapshot!(text(&plan));
    insta::assert_snapshot!(render(&plan, Detail::Concise, Paint::Plain));
}

#[test]
fn every_reason_is_told() {
    let thing = || object([("id", s("i-1"))]);
    let gone = |address: &str, orphan| {
        let reason = Reason::NotInConfig(orphan);
        change(address, Action::Delete, reason, [Some(thing()), None])
    };
    let by = vec![Reference {
        address: "fake_thing.base".parse().expect("an address"),
        path: Path::root().key("id"),
    }];
    let triggered = Reason::Triggered(by, Vec::new());
    let read = |address: &str, reason| change(address, Action::Read, reason, [None, None]);
    let plan = plan([
        gone("fake_thing.block", Orphan::Block),
        gone("fake_thing.counted[3]", Orphan::Instance),
        gone("fake_thing.each[\"k\"]", Orphan::Instance),
        gone("fake_thing.kind[0]", Orphan::Repetition),
        gone("module.m.fake_thing.a", Orphan::Module),
        gone("fake_thing.moved", Orphan::MoveTarget),
        change("fake_thing.t", PLACE, triggered, both(thing())),
        change("fake_thing.u", PLACE, Reason::Tainted, both(thing())),
        change(
            "fake_thing.v",
            PLACE,
            Reason::Requested(Vec::new()),
            both(thing()),
        ),
        read("data.fake_lookup.a", Reason::PendingDependency),
        read("data.fake_lookup.b", Reason::CheckNested),
        read("data.fake_lookup.c", Reason::UnknownInputs),
    ]);
    insta::assert_snapshot!(render(&plan, Detail::Concise, Paint::Plain));
    let text = text(&plan);
    let reasons: Vec<&str> = text.lines().filter(|l| l.starts_with("  # (")).collect();
    insta::assert_snapshot!(reasons.join("\n"));
}

#[test]
fn json_texts_and_sets_are_compared_inside() {
    let rule =
        |port, cidr: &str| object([("port", n(port)), ("proto", s("tcp")), ("cidr", s(cidr))]);
    let rules = |all: Vec<Value>| Value::set(Type::Dynamic, all);
    let before = object([
        (
            "policy",
            s(r#"{"Statement":[{"Effect":"Allow","Action":["a","b"]}],"Version":"1"}"#),
        ),
        ("spaced", s(r#"{"a": 1}"#)),
        ("token", s("plain")),
        (
            "rules",
            rules(vec![rule(80, "10.0.0.0/8"), rule(443, "::/0")]),
        ),
        ("plain", s("x")),
    ]);
    let after = object([
        (
            "policy",
            s(r#"{"Statement":[{"Effect":"Deny","Action":["a","c"],"Id":null}],"Version":"1"}"#),
        ),
        ("spaced", s(r#"{"a":1}"#)),
        ("token", secret("plain")),
        (
            "rules",
            rules(vec![rule(80, "10.0.0.0/16"), rule(443, "::/0")]),
        ),
        ("plain", s(r#"["now"]"#)),
    ]);
    let update = change(
        "fake_thing.a",
        Action::Update,
        Reason::ConfigChanged,
        [Some(before), Some(after.clone())],
    );
    let create = change(
        "fake_thing.b",
        Action::Create,
        Reason::New,
        [None, Some(after)],
    );
    insta::assert_snapshot!(text(&plan([update, create])));
}

#[test]
fn colour_changes_no_word() {
    let before = object([("id", s("i-1")), ("zone", s("z1"))]);
    let after = object([("id", unknown()), ("zone", s("z2"))]);
    let forced = Reason::CannotUpdate(vec![Path::root().key("zone")]);
    let plan = plan([change(
        "fake_thing.a",
        PLACE,
        forced,
        [Some(before), Some(after)],
    )]);
    let colored = render(&plan, Detail::Full, Paint::Colored);
    assert!(colored.contains("\x1b["));
    let mut plain = String::new();
    let mut rest = colored.as_str();
    while let Some(start) = rest.find("\x1b[") {
        plain.push_str(&rest[..start]);
        let end = rest[start..].find('m').expect("a colour ends");
        rest = &rest[start + end + 1..];
    }
    plain.push_str(rest);
    assert_eq!(plain, text(&plan));
}

#[test]
fn terminal_commands_in_values_are_not_obeyed() {
    let after = object([("content", s("a\n\x1b[2Jb\n")), ("line", s("\x1b[2J"))]);
    let create = change(
        "fake_thing.a",
        Action::Create,
        Reason::New,
        [None, Some(after)],
    );
    assert!(!text(&plan([create])).contains('\x1b'));
}

#[test]
fn a_null_that_comes_or_goes_alone_is_shown() {
    let before = object([
        ("id", s("i-1")),
        ("input", object([("a", n(1)), ("gone", Value::null())])),
    ]);
    let after = object([
        ("id", s("i-1")),
        ("input", object([("a", n(1)), ("new", Value::null())])),
    ]);
    let update = change(
        "fake_thing.a",
        Action::Update,
        Reason::ConfigChanged,
        [Some(before), Some(after)],
    );
    insta::assert_snapshot!(text(&plan([update])), @r#"
    Signs:
      ~ update in place

    weir will do the following:

      # fake_thing.a will be updated in place
      ~ resource "fake_thing" "a" {
            id    = "i-1"
          ~ input = {
              - gone = null -> null
              + new  = null
                # (1 unchanged attribute hidden)
            }
        }

    Plan: 0 to add, 1 to change, 0 to destroy.
    "#);
}

#[test]
fn what_machines_cost_is_said_where_there_are_some() {
    let machine = |ty: &str| object([("instance_type", s(ty)), ("availability_zone", unknown())]);
    let create = |address: &str, ty: &str| {
        let new = [None, Some(machine(ty))];
        change(address, Action::Create, Reason::New, new)
    };
    let there = object([
        ("instance_type", s("t3.micro")),
        ("availability_zone", s("us-east-1a")),
    ]);
    let stays = change(
        "aws_instance.stays",
        Action::NoOp,
        Reason::UpToDate,
        [Some(there.clone()), Some(there)],
    );
    let plan = plan([
        stays,
        create("aws_instance.a", "m5.large"),
        create("aws_instance.b", "m99.large"),
    ]);
    let regions = BTreeMap::from([(ProviderRef::new("fake"), "us-east-1".to_owned())]);
    let known = (&BTreeMap::new(), &regions);
    let text = render_with(&plan, known, Detail::Concise, Paint::Plain);
    let said = "Plan: 2 to add, 0 to change, 0 to destroy.
Machines: 0.0104 US dollars an hour before, 0.1064 after; 7.59 and 77.67 a month, on demand.
Not in it, as the price is not known: aws_instance.b.
";
    assert!(text.ends_with(said), "{text}");
}
