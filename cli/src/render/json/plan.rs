//! A plan, as `show -json PLANFILE` has it (format 1.2).

use super::{
    Form, TERRAFORM, checks, config, mask, relevant, resource, row_order, shown,
    state::{self, output as planned_output},
};
use serde_json::{Map, Value as Json, json};
use weir_core::{
    Address, Key, Known, Value,
    change::{Action, Change, Orphan, Reason, ReplaceOrder},
    plan::{Deposed, OutputChange, Plan},
    snapshot::Snapshot,
};
use weir_engine::{Mode, Refresh};

/// All that is shown of a plan.
pub(crate) struct Document<'a> {
    /// The plan.
    pub(crate) plan: &'a Plan,
    /// What it is for.
    pub(crate) mode: Mode,
    /// Whether objects were looked up for it.
    pub(crate) refresh: Refresh,
    /// What was there when it was made.
    pub(crate) prior: Option<&'a Snapshot>,
    /// When it was made.
    pub(crate) timestamp: Option<&'a str>,
}

/// Whether a refresh has an output to record: one that is not known will not be by then.
fn is_recorded(output: &OutputChange) -> bool {
    !output.is_noop() && !output.after.as_ref().is_some_and(Value::is_unknown)
}

/// Whether a plan says where objects were before. To Terraform what is looked up before all goes has
/// moved by then, so that it is no news of what goes.
pub(crate) fn tells_moves(mode: Mode, refresh: Refresh) -> bool {
    mode != Mode::Destroy || refresh == Refresh::Nothing
}

/// `show -json PLANFILE`
pub(crate) fn plan(document: &Document<'_>, form: &Form<'_>) -> Json {
    let Document {
        plan,
        mode,
        refresh,
        prior,
        timestamp,
    } = *document;
    let rows = |changes: &mut dyn Iterator<Item = &Change>| {
        let row = |c: &Change| (c.address.clone(), change(c, form));
        let mut rows: Vec<(Address, Json)> = changes.map(row).collect();
        if !tells_moves(mode, refresh) {
            let objects = rows.iter_mut().filter_map(|(_, row)| row.as_object_mut());
            objects.for_each(|row| drop(row.remove("previous_address")));
        }
        rows
    };
    let mut out = json!({
        "format_version": "1.2",
        "terraform_version": TERRAFORM,
        "weir_version": env!("CARGO_PKG_VERSION"),
        "planned_values": planned_values(plan, mode, form),
        "applyable": match mode {
            // That something has moved alone is nothing to apply.
            Mode::Refresh => {
                !plan.drift.is_empty() || plan.outputs.values().any(is_recorded)
            }
            Mode::Apply | Mode::Destroy => !plan.is_empty(),
        },
        "complete": plan.complete,
        "errored": false,
    });
    // A plan that only refreshes is about what was found, and has no changes to list.
    let mut all = match mode {
        Mode::Refresh => Vec::new(),
        Mode::Apply | Mode::Destroy => rows(&mut plan.changes.values()),
    };
    let put_aside = plan.deposed.iter();
    all.extend(put_aside.map(|d| (d.address.clone(), deposed(d, form))));
    if !all.is_empty() {
        out["resource_changes"] = in_order(all);
    }
    // Where nothing is planned, what has moved is what was found.
    let moved = (plan.changes.values())
        .filter(|c| mode == Mode::Refresh && c.moved_from.is_some())
        .filter(|c| !plan.drift.contains_key(&c.address));
    let drift = rows(&mut plan.drift.values().chain(moved));
    if !drift.is_empty() {
        out["resource_drift"] = in_order(drift);
    }
    let outputs: Map<String, Json> = (plan.outputs.iter())
        .map(|(name, o)| (name.clone(), output(o, form)))
        .collect();
    if !outputs.is_empty() {
        out["output_changes"] = Json::Object(outputs);
    }
    let prior = prior.map(|p| evaluated(p, plan, mode));
    if let Some(prior) = prior.filter(|p| !p.resources.is_empty() || !p.outputs.is_empty()) {
        out["prior_state"] = state::state(&prior, form);
    }
    if !plan.checks.is_empty() {
        out["checks"] = checks::checks(&plan.checks);
    }
    if let Some(timestamp) = timestamp {
        out["timestamp"] = json!(timestamp);
    }
    if let Some(config) = form.config {
        let variables: Map<String, Json> = config
            .variable_values()
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    json!({ "value": shown(value, form.secrets) }),
                )
            })
            .collect();
        if !variables.is_empty() {
            out["variables"] = Json::Object(variables);
        }
        out["configuration"] = config::configuration(config, form);
        let relevant = relevant::attributes(config, form.schemas, plan);
        if !relevant.is_empty() {
            out["relevant_attributes"] = json!(relevant);
        }
    }
    out
}

/// The state as planning left it: outputs that are known already have their new values in it, as
/// Terraform has them there.
fn evaluated(prior: &Snapshot, plan: &Plan, mode: Mode) -> Snapshot {
    let mut prior = prior.clone();
    if mode == Mode::Destroy && plan.complete {
        // What would have been null is not there any more when all goes.
        prior
            .outputs
            .retain(|name, _| plan.outputs.contains_key(name));
    }
    for (name, output) in &plan.found_outputs {
        match output.after.clone().and_then(|v| Known::new(v).ok()) {
            Some(known) => drop(prior.outputs.insert(name.clone(), known)),
            None => drop(prior.outputs.remove(name)),
        }
    }
    for (name, output) in &plan.outputs {
        // What goes is what it would have been.
        let value = match mode {
            Mode::Destroy => &output.before,
            Mode::Apply | Mode::Refresh => &output.after,
        };
        let known = value.clone().and_then(|v| Known::new(v).ok());
        match known {
            Some(known) if known.value().is_null() => drop(prior.outputs.remove(name)),
            Some(known) => drop(prior.outputs.insert(name.clone(), known)),
            None => {}
        }
    }
    prior
}

fn planned_values(plan: &Plan, mode: Mode, form: &Form<'_>) -> Json {
    // A plan that only refreshes has no part in what is planned.
    let planned = plan.changes.iter().filter(|_| mode != Mode::Refresh);
    let rows = planned.filter_map(|(address, c)| {
        let row = match (c.action, &c.after) {
            // Of what is forgotten, all that is left is that it is somewhere.
            (Action::Forget, _) => {
                let mut row = state::instance(address, &c.provider, &Value::null(), form);
                row.remove("values");
                row
            }
            (_, after) => state::instance(address, &c.provider, after.as_ref()?, form),
        };
        Some((address, row))
    });
    let mut out = json!({ "root_module": state::modules(rows) });
    let outputs: Map<String, Json> = (plan.outputs.iter())
        .filter_map(|(name, o)| {
            let mut row = planned_output(o.after.as_ref()?, form);
            row["sensitive"] = json!(is_sensitive(o));
            Some((name.clone(), row))
        })
        .collect();
    if !outputs.is_empty() {
        out["outputs"] = Json::Object(outputs);
    }
    out
}

/// One entry of `resource_changes`.
pub(crate) fn change(change: &Change, form: &Form<'_>) -> Json {
    let mut out = resource(&change.address);
    out.insert(
        "provider_name".into(),
        json!(form.provider(&change.provider.name)),
    );
    let before = change.before.as_ref().map(|k| k.value());
    if let Some(from) = &change.moved_from {
        out.insert("previous_address".into(), json!(from.to_string()));
    }
    let mut body = sides(before, change.after.as_ref(), form);
    if let Some(id) = &change.import {
        body["importing"] = json!({ "id": id });
    }
    body["actions"] = actions(change.action);
    if change.action.is_noop() {
        body["after_unknown"] = json!({});
    }
    let forced = change.reason.forced();
    if !forced.is_empty() {
        let paths: Vec<Json> = forced.iter().map(weir_core::json::path_to_json).collect();
        body["replace_paths"] = json!(paths);
    }
    out.insert("change".into(), body);
    if let Some(reason) = reason(change) {
        out.insert("action_reason".into(), json!(reason));
    }
    Json::Object(out)
}

/// Entries by address, those of one address as they come.
fn in_order(mut rows: Vec<(Address, Json)>) -> Json {
    rows.sort_by(|(a, _), (b, _)| row_order(a, b));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The entry of an object that a replacement put aside.
fn deposed(deposed: &Deposed, form: &Form<'_>) -> Json {
    let mut out = resource(&deposed.address);
    let provider = form.provider(&deposed.provider.name);
    out.insert("provider_name".into(), json!(provider));
    out.insert("deposed".into(), json!(deposed.key.to_string()));
    let mut body = sides(Some(deposed.before.value()), None, form);
    body["actions"] = actions(Action::Delete);
    out.insert("change".into(), body);
    Json::Object(out)
}

fn sides(before: Option<&Value>, after: Option<&Value>, form: &Form<'_>) -> Json {
    let sensitive = |v: Option<&Value>| v.map_or(json!(false), |v| mask(v, &Value::is_sensitive));
    let shown = |v: &Value| shown(v, form.secrets);
    let mut out = json!({
        "before": before.map(shown),
        "after_unknown": after.map_or(json!({}), |v| mask(v, &Value::is_unknown)),
        "before_sensitive": sensitive(before),
        "after_sensitive": sensitive(after),
    });
    if after.is_none_or(|v| !v.is_unknown()) {
        out["after"] = json!(after.map(shown));
    }
    out
}

fn output(change: &OutputChange, form: &Form<'_>) -> Json {
    let mut out = sides(change.before.as_ref(), change.after.as_ref(), form);
    // Of an output they say one thing of the whole, except what is unknown in it. They are the
    // same on both sides.
    let sensitive = is_sensitive(change);
    out["before_sensitive"] = json!(sensitive);
    out["after_sensitive"] = json!(sensitive);
    if change.after.as_ref().is_none_or(Value::is_wholly_known) {
        out["after_unknown"] = json!(false);
    }
    out["actions"] = json!([output_action(change)]);
    out
}

/// Whether an output was sensitive, or will be.
fn is_sensitive(change: &OutputChange) -> bool {
    let one = |v: &Option<Value>| v.as_ref().is_some_and(Value::is_sensitive);
    one(&change.before) || one(&change.after)
}

/// What becomes of an output, in one word.
pub(crate) fn output_action(change: &OutputChange) -> &'static str {
    match (&change.before, &change.after) {
        (None, Some(a)) if a.is_null() => "no-op",
        (None, Some(_)) => "create",
        (Some(_), None) => "delete",
        (Some(b), Some(a)) if !weir_plan::same(b, a) || b.is_sensitive() != a.is_sensitive() => {
            "update"
        }
        _ => "no-op",
    }
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

/// The word for a reason, where it says more than the action.
pub(crate) fn reason(change: &Change) -> Option<&'static str> {
    match &change.reason {
        Reason::CannotUpdate(_) => Some("replace_because_cannot_update"),
        Reason::Tainted => Some("replace_because_tainted"),
        Reason::Requested(_) => Some("replace_by_request"),
        Reason::UnknownInputs => Some("read_because_config_unknown"),
        // What was moved to where nothing is declared, and leaves state from there.
        Reason::NotInConfig(Orphan::Removed) if change.moved_from.is_some() => {
            Some("delete_because_no_move_target")
        }
        Reason::NotInConfig(Orphan::Block | Orphan::Removed) => {
            Some("delete_because_no_resource_config")
        }
        Reason::NotInConfig(Orphan::Module) => Some("delete_because_no_module"),
        Reason::NotInConfig(Orphan::Repetition) => Some("delete_because_wrong_repetition"),
        Reason::NotInConfig(Orphan::MoveTarget) => Some("delete_because_no_move_target"),
        Reason::Triggered(..) => Some("replace_by_triggers"),
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
        | Reason::Destroying => None,
    }
}
