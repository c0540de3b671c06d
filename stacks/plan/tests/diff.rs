//! Verdicts, `ignore_changes` and marks.
#![allow(clippy::unwrap_used)]

mod common;

use common::{address, provider};
use std::collections::BTreeMap;
use std::sync::Arc;
use weir_core::{
    Known, Marks, Path, Type, Value,
    change::{Action, Reason, ReplaceOrder},
    schema::{Attribute, Schema, SetBy},
    snapshot::Status,
};
use weir_lang::instance::Ignore;
use weir_plan::{
    Prior, Proposal, Requested, Subject, Verdict, carry_marks, change, diff, ignore, same, verdict,
};

fn schema() -> Schema {
    let mut schema = Schema::default();
    let attributes = &mut schema.block.attributes;
    attributes.insert(
        "name".into(),
        Attribute::new(Type::String, SetBy::Required).replaces(),
    );
    attributes.insert("size".into(), Attribute::new(Type::Number, SetBy::Optional));
    attributes.insert(
        "tags".into(),
        Attribute::new(Type::map(Type::String), SetBy::Optional),
    );
    attributes.insert("id".into(), Attribute::new(Type::String, SetBy::Computed));
    attributes.insert(
        "password".into(),
        Attribute::new(Type::String, SetBy::Optional).sensitive(),
    );
    attributes.insert(
        "token".into(),
        Attribute::new(Type::String, SetBy::Optional).write_only(),
    );
    schema
}

fn object(name: &str, size: i64) -> Value {
    Value::object([
        ("name", Value::from(name)),
        ("size", Value::from(size)),
        ("tags", Value::null_of(Type::map(Type::String))),
        ("id", Value::from("i-1")),
        ("password", Value::null_of(Type::String)),
        ("token", Value::null_of(Type::String)),
    ])
}

fn known(v: Value) -> Known {
    Known::new(v).unwrap()
}

fn proposal(planned: Value, replace: &[Path]) -> Proposal {
    Proposal {
        planned,
        requires_replace: replace.to_vec(),
        private: Vec::new(),
        batch: None,
    }
}

fn name() -> Path {
    Path::root().key("name")
}

fn judge(stored: Option<&Known>, current: Option<&Known>, proposal: &Proposal) -> Verdict {
    let prior = Prior {
        stored,
        current,
        status: Status::Ready,
    };
    verdict(&prior, proposal, &schema(), Requested::No).unwrap()
}

#[test]
fn verdicts() {
    let a = known(object("a", 1));
    let drifted = known(object("a", 7));
    let plain = |v: Value| proposal(v, &[]);
    assert_eq!(
        judge(None, None, &plain(object("a", 1))),
        Verdict::Create(Reason::New)
    );
    assert_eq!(
        judge(Some(&a), None, &plain(object("a", 1))),
        Verdict::Create(Reason::Drifted),
        "it vanished"
    );
    assert_eq!(
        judge(Some(&a), Some(&a), &plain(object("a", 1))),
        Verdict::Keep
    );
    assert_eq!(
        judge(Some(&a), Some(&a), &plain(object("a", 2))),
        Verdict::Update(Reason::ConfigChanged)
    );
    assert_eq!(
        judge(Some(&a), Some(&drifted), &plain(object("a", 1))),
        Verdict::Update(Reason::Drifted)
    );
    assert_eq!(
        judge(Some(&a), Some(&a), &proposal(object("b", 1), &[name()])),
        Verdict::Replace(Reason::CannotUpdate(vec![name()]))
    );
    assert_eq!(
        judge(Some(&a), Some(&a), &proposal(object("a", 1), &[name()])),
        Verdict::Keep,
        "a path that does not differ forces nothing"
    );
    let unknown = object("a", 1).with("name", Value::unknown(Type::String));
    assert_eq!(
        judge(Some(&a), Some(&a), &proposal(unknown, &[name()])),
        Verdict::Replace(Reason::CannotUpdate(vec![name()])),
        "an unknown differs"
    );
    assert_eq!(
        judge(
            Some(&a),
            Some(&a),
            &proposal(object("a", 1), &[Path::root().key("token")])
        ),
        Verdict::Replace(Reason::CannotUpdate(vec![Path::root().key("token")])),
        "a write-only attribute can't be compared"
    );
}

#[test]
fn a_tainted_object_is_replaced_and_so_is_a_requested_one() {
    let a = known(object("a", 1));
    let p = proposal(object("a", 1), &[]);
    let prior = Prior {
        stored: Some(&a),
        current: Some(&a),
        status: Status::Tainted,
    };
    let tainted = verdict(&prior, &p, &schema(), Requested::No).unwrap();
    assert_eq!(tainted, Verdict::Replace(Reason::Tainted));
    let prior = Prior {
        status: Status::Ready,
        ..prior
    };
    let requested = verdict(&prior, &p, &schema(), Requested::Replace).unwrap();
    assert_eq!(requested, Verdict::Replace(Reason::Requested(Vec::new())));
}

#[test]
fn a_path_that_is_nowhere_is_the_providers_fault() {
    let a = known(object("a", 1));
    let prior = Prior {
        stored: Some(&a),
        current: Some(&a),
        status: Status::Ready,
    };
    let p = proposal(object("a", 1), &[Path::root().key("nothing")]);
    assert!(verdict(&prior, &p, &schema(), Requested::No).is_err());
}

#[test]
fn a_change_of_marks_alone_is_an_update() {
    let a = known(object("a", 1));
    let marked = object("a", 1).with("name", Value::from("a").mark(Marks::SENSITIVE));
    assert_eq!(
        judge(Some(&a), Some(&a), &proposal(marked, &[])),
        Verdict::Update(Reason::ConfigChanged)
    );
}

#[test]
fn a_no_op_keeps_what_is_there() {
    let a = known(object("a", 1));
    let other_null = object("a", 1).with("password", Value::null());
    let p = proposal(other_null, &[]);
    let prior = Prior {
        stored: Some(&a),
        current: Some(&a),
        status: Status::Ready,
    };
    let judged = judge(Some(&a), Some(&a), &p);
    let subject = Subject {
        address: address("a"),
        provider: provider(),
        replace_order: ReplaceOrder::DeleteFirst,
        moved_from: None,
        import: None,
    };
    let made = change(subject, &prior, judged, p);
    assert_eq!(made.action, Action::NoOp);
    assert_eq!(made.after.as_ref(), Some(a.value()));
}

#[test]
fn drift_is_what_refresh_found() {
    let subject = || Subject {
        address: address("a"),
        provider: provider(),
        replace_order: ReplaceOrder::DeleteFirst,
        moved_from: None,
        import: None,
    };
    let a = known(object("a", 1));
    assert_eq!(diff::drift(subject, &a, Some(&a)), None);
    let gone = diff::drift(subject, &a, None).unwrap();
    assert_eq!((gone.action, gone.after), (Action::Delete, None));
    let changed = diff::drift(subject, &a, Some(&known(object("a", 2)))).unwrap();
    assert_eq!(changed.action, Action::Update);
}

fn tags(entries: &[(&str, &str)]) -> Value {
    let entries: BTreeMap<Arc<str>, Value> = entries
        .iter()
        .map(|(k, v)| (Arc::from(*k), Value::from(*v)))
        .collect();
    Value::map(Type::String, entries)
}

#[test]
fn ignored_paths_take_what_is_there() {
    let prior = object("old", 1).with("tags", tags(&[("owner", "ops"), ("seen", "today")]));
    let config = object("new", 2)
        .with("id", Value::null_of(Type::String))
        .with("tags", tags(&[("owner", "dev"), ("extra", "x")]));
    let paths = |list: &[Path]| Ignore::Paths(list.to_vec());
    let tag = |k: &str| Path::root().key("tags").key(k);
    let block = schema().block;
    let size = ignore(
        config.clone(),
        &prior,
        &paths(&[Path::root().key("size")]),
        &block,
    );
    assert_eq!(size.get("size"), prior.get("size"));
    assert_eq!(size.get("name"), config.get("name"));
    let some = paths(&[tag("owner"), tag("seen"), tag("extra")]);
    let keys = ignore(config.clone(), &prior, &some, &block);
    assert_eq!(
        keys.get("tags"),
        prior.get("tags"),
        "changed, added back, and removed"
    );
    let unknown = config
        .clone()
        .with("tags", Value::unknown(Type::map(Type::String)));
    let kept = ignore(unknown, &prior, &paths(&[tag("owner")]), &block);
    assert!(kept.get("tags").unwrap().is_unknown());
    let none = config
        .clone()
        .with("tags", Value::null_of(Type::map(Type::String)));
    let one = ignore(none, &prior, &paths(&[tag("owner")]), &block);
    assert_eq!(one.get("tags"), Some(&tags(&[("owner", "ops")])));
    let all = ignore(config, &prior, &Ignore::All, &block);
    assert_eq!(all.get("name"), prior.get("name"));
    assert!(
        all.get("id").unwrap().is_null(),
        "what only the provider sets is not configured"
    );
}

#[test]
fn marks_come_back_by_path_and_by_schema() {
    let config = object("a", 1)
        .with("name", Value::from("a").mark(Marks::SENSITIVE))
        .with("tags", tags(&[("k", "v")]));
    let answer = object("a", 1)
        .with("password", Value::from("secret"))
        .with("tags", tags(&[("k", "v")]));
    let carried = carry_marks(answer, &config, &schema().block);
    assert!(carried.get("name").unwrap().is_sensitive());
    assert!(carried.get("password").unwrap().is_sensitive());
    assert!(!carried.get("tags").unwrap().is_sensitive());
    assert!(!format!("{carried}").contains("secret"));
}

#[test]
fn the_same_value_is_the_same_whatever_its_nulls_are_of() {
    assert!(same(&Value::null(), &Value::null_of(Type::String)));
    assert!(!same(&Value::null(), &Value::from("")));
    assert!(!same(
        &Value::unknown(Type::String),
        &Value::unknown(Type::String)
    ));
    assert!(same(
        &Value::list(Type::String, vec![]),
        &Value::list(Type::Bool, vec![])
    ));
    assert!(!same(&Value::from(1), &Value::from("1")));
}
