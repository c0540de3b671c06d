//! A plan, as `show -json PLANFILE` has it (format 1.2).

use super::{TERRAFORM, mask, resource, shown, state};
use serde_json::{Value as Json, json};
use weir_core::{
    Key, Value,
    change::{Action, Change, Orphan, Reason, ReplaceOrder},
    plan::{OutputChange, Plan},
    snapshot::Snapshot,
};

/// `show -json PLANFILE`
pub(crate) fn plan(plan: &Plan, prior: Option<&Snapshot>) -> Json {
    let changes =
        |changes: &mut dyn Iterator<Item = &Change>| changes.map(change).collect::<Vec<_>>();
    let outputs: serde_json::Map<String, Json> = plan
        .outputs
        .iter()
        .map(|(name, o)| (name.clone(), output(o)))
        .collect();
    let planned = plan.changes.iter().filter_map(|(address, c)| {
        let after = c.after.as_ref()?;
        Some((address, state::instance(address, &c.provider, after)))
    });
    let planned_outputs: serde_json::Map<String, Json> = (plan.outputs.iter())
        .filter_map(|(name, o)| Some((name, o.after.as_ref()?)))
        .map(|(name, v)| {
            (
                name.clone(),
                json!({ "sensitive": v.is_sensitive(), "value": shown(v) }),
            )
        })
        .collect();
    let mut out = json!({
        "format_version": "1.2",
        "terraform_version": TERRAFORM,
        "weir_version": env!("CARGO_PKG_VERSION"),
        "planned_values": { "outputs": planned_outputs, "root_module": state::modules(planned) },
        "resource_changes": changes(&mut plan.changes.values()),
        "resource_drift": changes(&mut plan.drift.values()),
        "output_changes": outputs,
        "applyable": !plan.is_empty(),
        "complete": true,
        "errored": false,
    });
    if let Some(prior) = prior {
        out["prior_state"] = state::state(prior);
    }
    out
}

/// One entry of `resource_changes`.
pub(crate) fn change(change: &Change) -> Json {
    let mut out = resource(&change.address);
    out.insert("provider_name".into(), json!(change.provider.name));
    let before = change.before.as_ref().map(|k| k.value());
    let mut body = sides(before, change.after.as_ref());
    body["actions"] = actions(change.action);
    if change.action.is_noop() {
        body["after_unknown"] = json!({});
    }
    if let Reason::CannotUpdate(paths) = &change.reason {
        let paths: Vec<Json> = paths.iter().map(weir_core::json::path_to_json).collect();
        body["replace_paths"] = json!(paths);
    }
    out.insert("change".into(), body);
    if let Some(reason) = reason(change) {
        out.insert("action_reason".into(), json!(reason));
    }
    Json::Object(out)
}

fn sides(before: Option<&Value>, after: Option<&Value>) -> Json {
    let sensitive = |v: Option<&Value>| v.map_or(json!(false), |v| mask(v, &Value::is_sensitive));
    json!({
        "before": before.map(shown),
        "after": after.filter(|v| !v.is_unknown()).map(shown),
        "after_unknown": after.map_or(json!({}), |v| mask(v, &Value::is_unknown)),
        "before_sensitive": sensitive(before),
        "after_sensitive": sensitive(after),
    })
}

fn output(change: &OutputChange) -> Json {
    let mut out = sides(change.before.as_ref(), change.after.as_ref());
    // Of an output they say one thing of the whole, except what is unknown in it.
    let sensitive = |v: &Option<Value>| v.as_ref().is_some_and(|v| v.is_sensitive());
    out["before_sensitive"] = json!(sensitive(&change.before));
    out["after_sensitive"] = json!(sensitive(&change.after));
    if change.after.as_ref().is_none_or(Value::is_wholly_known) {
        out["after_unknown"] = json!(false);
    }
    out["actions"] = match (&change.before, &change.after) {
        (None, Some(a)) if a.is_null() => json!(["no-op"]),
        (None, Some(_)) => json!(["create"]),
        (Some(_), None) => json!(["delete"]),
        (Some(b), Some(a)) if !weir_plan::same(b, a) => json!(["update"]),
        _ => json!(["no-op"]),
    };
    out
}

/// The words for an action.
pub(crate) fn actions(action: Action) -> Json {
    match action {
        Action::NoOp => json!(["no-op"]),
        Action::Create => json!(["create"]),
        Action::Read => json!(["read"]),
        Action::Update => json!(["update"]),
        Action::Delete => json!(["delete"]),
        Action::Forget => json!(["forget"]),
        Action::Replace(ReplaceOrder::DeleteFirst) => json!(["delete", "create"]),
        Action::Replace(ReplaceOrder::CreateFirst) => json!(["create", "delete"]),
    }
}

fn reason(change: &Change) -> Option<&'static str> {
    match &change.reason {
        Reason::CannotUpdate(_) => Some("replace_because_cannot_update"),
        Reason::Tainted => Some("replace_because_tainted"),
        Reason::Requested => Some("replace_by_request"),
        Reason::UnknownInputs => Some("read_because_config_unknown"),
        Reason::NotInConfig(Orphan::Block) => Some("delete_because_no_resource_config"),
        Reason::NotInConfig(Orphan::Module) => Some("delete_because_no_module"),
        Reason::NotInConfig(Orphan::Repetition) => Some("delete_because_wrong_repetition"),
        Reason::NotInConfig(Orphan::MoveTarget) => Some("delete_because_no_move_target"),
        Reason::Triggered(_) => Some("replace_by_triggers"),
        Reason::PendingDependency => Some("read_because_dependency_pending"),
        Reason::CheckNested => Some("read_because_check_nested"),
        Reason::NotInConfig(Orphan::Instance) => Some(match change.address.key {
            Key::None => "delete_because_wrong_repetition",
            Key::Index(_) => "delete_because_count_index",
            Key::Name(_) => "delete_because_each_key",
        }),
        Reason::UpToDate
        | Reason::New
        | Reason::ConfigChanged
        | Reason::Drifted
        | Reason::NotInConfig(Orphan::Removed)
        | Reason::Destroying => None,
    }
}
