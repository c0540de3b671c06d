//! The stream of messages that `plan -json` and `apply -json` print: one JSON object a line.

use super::{Secrets, TERRAFORM, diagnostic, index, plan, shown, shown_type};
use crate::{
    clock,
    render::{diagnostics::sentence, plan::Counts},
};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use weir_core::{
    Address, Diagnostic, Known, Object, Severity, Value,
    change::{Action, Change},
    event::{EphemeralOp, Event},
    plan::{Deposed, Op, Plan},
};
use weir_engine::{ChangedBy, Mode, Refresh};

/// The first message.
pub(crate) fn version() -> Json {
    let version = env!("CARGO_PKG_VERSION");
    let body = json!({ "terraform": TERRAFORM, "weir": version, "ui": "1.2" });
    message("info", "version", &format!("weir {version}"), body)
}

/// A message of this level and kind.
pub(super) fn message(level: &str, kind: &str, text: &str, body: Json) -> Json {
    let mut out = json!({
        "@level": level,
        "@message": text,
        "@module": "terraform.ui",
        "@timestamp": clock::now_precise(),
        "type": kind,
    });
    if let Json::Object(body) = body {
        for (key, value) in body {
            out[key] = value;
        }
    }
    out
}

/// A diagnostic.
pub(crate) fn diagnosed(d: &Diagnostic) -> Json {
    let (level, word) = match d.severity {
        Severity::Error => ("error", "Error"),
        Severity::Warning => ("warn", "Warning"),
    };
    let text = format!("{word}: {}", sentence(&d.summary));
    message(
        level,
        "diagnostic",
        &text,
        json!({ "diagnostic": diagnostic::one(d) }),
    )
}

/// Drift, changes, counts and outputs of a plan. `generated` is the configuration that was written
/// for imports.
pub(crate) fn planned(
    plan: &Plan,
    (mode, refresh): (Mode, Refresh),
    generated: &BTreeMap<Address, String>,
) -> Vec<Json> {
    let mut out = drift(plan);
    let noted = |c: &&Change| !c.action.is_noop() || c.moved_from.is_some() || c.import.is_some();
    for change in plan.changes.values().filter(noted) {
        if mode == Mode::Refresh {
            // Nothing is done here: an address that is another one is news of what is there.
            if !plan.drift.contains_key(&change.address) {
                out.push(drifted(change, "move"));
            }
            continue;
        }
        let generated = generated.get(&change.address).map(String::as_str);
        out.push(planned_change(change, generated));
    }
    tell_moves(&mut out, mode, refresh);
    out.extend(plan.deposed.iter().map(planned_deposed));
    out.push(summary(Counts::of(plan), "plan"));
    let outputs = &plan.outputs;
    if !outputs.is_empty() {
        let outputs: serde_json::Map<String, Json> = outputs
            .iter()
            .map(|(name, o)| {
                let action = match plan::output_action(o) {
                    "no-op" => "noop",
                    word => word,
                };
                let any = |v: &Option<Value>| v.as_ref().is_some_and(Value::is_sensitive);
                let sensitive = any(&o.before) || any(&o.after);
                (
                    name.clone(),
                    json!({ "sensitive": sensitive, "action": action }),
                )
            })
            .collect();
        let text = format!("Outputs: {}", outputs.len());
        out.push(message(
            "info",
            "outputs",
            &text,
            json!({ "outputs": outputs }),
        ));
    }
    out
}

/// What a plan that was kept is about to do.
pub(crate) fn to_do(plan: &Plan, mode: Mode, refresh: Refresh) -> Vec<Json> {
    let done = plan.changes.values().filter(|c| !c.action.is_noop());
    let changes = done.map(|c| planned_change(c, None));
    let deposed = plan.deposed.iter().map(planned_deposed);
    let mut out: Vec<Json> = changes.chain(deposed).collect();
    tell_moves(&mut out, mode, refresh);
    out
}

/// Leaves where objects were before to the plans that tell it.
fn tell_moves(messages: &mut [Json], mode: Mode, refresh: Refresh) {
    if plan::tells_moves(mode, refresh) {
        return;
    }
    let changes = messages
        .iter_mut()
        .filter_map(|m| m.get_mut("change")?.as_object_mut());
    changes.for_each(|change| drop(change.remove("previous_resource")));
}

/// What was changed outside of weir.
pub(crate) fn drift(plan: &Plan) -> Vec<Json> {
    plan.drift.values().map(|c| drifted(c, "update")).collect()
}

/// As [`drift`], and `changed_by` says who might have done it. Terraform has no such field: it is
/// in the messages of `drift` alone.
pub(crate) fn drift_by(plan: &Plan, by: &BTreeMap<Address, ChangedBy>) -> Vec<Json> {
    let told = plan.drift.values().map(|change| {
        let mut message = drifted(change, "update");
        message["change"]["changed_by"] = by.get(&change.address).map_or(Json::Null, changed_by);
        message
    });
    told.collect()
}

fn changed_by(by: &ChangedBy) -> Json {
    match by {
        ChangedBy::Told(told) => json!({
            "who": told.who,
            "when": told.when.map(clock::rfc3339),
            "how": told.how,
            "error": null,
        }),
        ChangedBy::NotTold(why) => json!({ "who": null, "when": null, "how": null, "error": why }),
    }
}

fn drifted(change: &Change, still_there: &str) -> Json {
    let action = if change.after.is_none() {
        "delete"
    } else {
        still_there
    };
    let text = format!("{}: Drift detected ({action})", change.address);
    let mut body = json!({ "resource": resource(&change.address), "action": action });
    if let Some(from) = &change.moved_from {
        body["previous_resource"] = resource(from);
    }
    message("info", "resource_drift", &text, json!({ "change": body }))
}

/// An old object that a replacement left over.
fn planned_deposed(object: &Deposed) -> Json {
    let text = format!("{}: Plan to delete", object.address);
    let body = json!({ "change": { "resource": resource(&object.address), "action": "delete" } });
    message("info", "planned_change", &text, body)
}

fn planned_change(change: &Change, generated: Option<&str>) -> Json {
    let action = match change.action {
        Action::NoOp if change.moved_from.is_some() => "move",
        Action::NoOp if change.import.is_some() => "import",
        Action::NoOp => "noop",
        Action::Create => "create",
        Action::Read => "read",
        Action::Update => "update",
        Action::Replace(_) => "replace",
        Action::Delete => "delete",
        Action::Forget => "remove",
    };
    let text = format!("{}: Plan to {action}", change.address);
    let mut body = json!({ "resource": resource(&change.address), "action": action });
    if let Some(reason) = plan::reason(change) {
        // The same reasons as in a plan, some of them in fewer words.
        body["reason"] = json!(match reason {
            "replace_because_tainted" => "tainted",
            "replace_because_cannot_update" => "cannot_update",
            "replace_by_request" => "requested",
            "replace_by_triggers" => "replace_triggered_by",
            other => other,
        });
    }
    if let Some(from) = &change.moved_from {
        body["previous_resource"] = resource(from);
    }
    if let Some(id) = &change.import {
        body["importing"] = json!({ "id": id });
    }
    if let Some(text) = generated {
        body["generated_config"] = json!(text);
    }
    message("info", "planned_change", &text, json!({ "change": body }))
}

/// The counts of a plan, or of what was done.
pub(crate) fn summary(counts: Counts, operation: &str) -> Json {
    let Counts {
        add,
        change,
        destroy,
        forget,
        import,
    } = counts;
    let text = match operation {
        "plan" => format!("Plan: {}.", counts.to_come()),
        "destroy" => format!("Destroy complete! Resources: {destroy} destroyed."),
        _ => format!(
            "Apply complete! Resources: {}{add} added, {change} changed, {destroy} destroyed.",
            counted(import, "imported")
        ),
    };
    let mut changes = json!({
        "add": add, "change": change, "import": import, "remove": destroy, "operation": operation,
    });
    if forget > 0 {
        changes["forget"] = json!(forget);
    }
    message(
        "info",
        "change_summary",
        &text,
        json!({ "changes": changes }),
    )
}

fn counted(n: usize, what: &str) -> String {
    match n {
        0 => String::new(),
        n => format!("{n} {what}, "),
    }
}

/// The outputs after an apply.
pub(crate) fn outputs(outputs: &BTreeMap<String, Known>) -> Json {
    let all: serde_json::Map<String, Json> = (outputs.iter())
        .map(|(name, known)| {
            let value = known.value();
            let ty = shown_type(value, Secrets::Redacted);
            let mut body = json!({ "sensitive": value.is_sensitive(), "type": ty });
            if !value.is_sensitive() {
                body["value"] = shown(value, Secrets::Redacted);
            }
            (name.clone(), body)
        })
        .collect();
    let text = format!("Outputs: {}", all.len());
    message("info", "outputs", &text, json!({ "outputs": all }))
}

fn resource(address: &Address) -> Json {
    let inside = Address {
        module: Default::default(),
        ..address.clone()
    };
    json!({
        "addr": address.to_string(),
        "module": address.module.to_string(),
        "resource": inside.to_string(),
        "implied_provider": address.object.type_name().split('_').next(),
        "resource_type": address.object.type_name(),
        "resource_name": super::name(&address.object),
        "resource_key": index(&address.key),
    })
}

/// The words for an operation: its action; how it begins, goes on, ends.
fn words(op: Op) -> [&'static str; 4] {
    match op {
        Op::Create => ["create", "Creating", "creating", "Creation"],
        Op::Update => ["update", "Modifying", "modifying", "Modifications"],
        Op::Delete => ["delete", "Destroying", "destroying", "Destruction"],
        Op::Read => ["read", "Refreshing", "refreshing", "Refresh"],
        Op::Forget => ["remove", "Removing", "removing", "Removal"],
        Op::Join => ["noop", "Joining", "joining", "Joining"],
    }
}

/// What runs: which operation, and since when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Running {
    /// Which operation.
    pub(crate) op: Op,
    /// For how many seconds.
    pub(crate) elapsed_s: u64,
}

/// The message that something still runs.
pub(crate) fn still(address: &Address, running: Running) -> Json {
    let [action, _, going, _] = words(running.op);
    let elapsed = running.elapsed_s;
    let body = json!({
        "hook": { "resource": resource(address), "action": action, "elapsed_seconds": elapsed }
    });
    let text = format!("{address}: Still {going}... [{elapsed}s elapsed]");
    message("info", "apply_progress", &text, body)
}

/// The id in a hook, and as text.
fn identified(hook: &mut Json, id: Option<&str>) -> String {
    let Some(id) = id else {
        return String::new();
    };
    hook["id_key"] = json!("id");
    hook["id_value"] = json!(id);
    format!(" [id={id}]")
}

fn is_data(address: &Address) -> bool {
    matches!(address.object, Object::Data { .. })
}

/// What is done to an ephemeral resource.
fn ephemeral(event: &Event) -> Option<Json> {
    let words = |op: EphemeralOp| match op {
        EphemeralOp::Open => ["open", "Opening", "Opening"],
        EphemeralOp::Renew => ["renew", "Renewing", "Renewal"],
        EphemeralOp::Close => ["close", "Closing", "Closing"],
    };
    let (address, op, kind, ending) = match event {
        Event::EphemeralStarted { address, op } => (address, *op, "ephemeral_op_start", None),
        Event::EphemeralFinished {
            address,
            op,
            elapsed_ms,
        } => (
            address,
            *op,
            "ephemeral_op_complete",
            Some(("complete", *elapsed_ms)),
        ),
        Event::EphemeralFailed {
            address,
            op,
            elapsed_ms,
            ..
        } => (
            address,
            *op,
            "ephemeral_op_errored",
            Some(("errored", *elapsed_ms)),
        ),
        _ => return None,
    };
    let [action, begins, noun] = words(op);
    let mut hook = json!({ "resource": resource(address), "action": action });
    let text = match ending {
        None => format!("{address}: {begins}..."),
        Some((how, elapsed_ms)) => {
            let seconds = elapsed_ms / 1000;
            hook["elapsed_seconds"] = json!(seconds);
            format!("{address}: {noun} {how} after {seconds}s")
        }
    };
    Some(message("info", kind, &text, json!({ "hook": hook })))
}

/// What goes on; `None` for what has no message in the format. `prior` knows the ids of what is
/// there already.
pub(crate) fn event<'a>(
    event: &Event,
    running: impl Fn(&Address) -> Option<Running>,
    prior: impl Fn(&Address) -> Option<&'a str>,
) -> Option<Json> {
    let hook = |address: &Address, op: Op| json!({ "resource": resource(address), "action": words(op)[0] });
    let (level, kind, text, hook) = match event {
        // What a data source reads is an operation.
        Event::Refreshing { address, .. } if is_data(address) => {
            let [_, begins, ..] = words(Op::Read);
            let text = format!("{address}: {begins}...");
            ("info", "apply_start", text, hook(address, Op::Read))
        }
        Event::Refreshed {
            address,
            elapsed_ms,
            id,
        } if is_data(address) => {
            let seconds = elapsed_ms / 1000;
            let mut body = hook(address, Op::Read);
            body["elapsed_seconds"] = json!(seconds);
            let named = identified(&mut body, id.as_deref());
            let [.., noun] = words(Op::Read);
            let text = format!("{address}: {noun} complete after {seconds}s{named}");
            ("info", "apply_complete", text, body)
        }
        Event::Refreshing { address, id } => {
            let mut body = json!({ "resource": resource(address) });
            let named = identified(&mut body, id.as_deref());
            let text = format!("{address}: Refreshing state...{named}");
            ("info", "refresh_start", text, body)
        }
        Event::Refreshed { address, id, .. } => {
            let mut body = json!({ "resource": resource(address) });
            let named = identified(&mut body, id.as_deref());
            let text = format!("{address}: Refresh complete{named}");
            ("info", "refresh_complete", text, body)
        }
        Event::EphemeralStarted { .. }
        | Event::EphemeralFinished { .. }
        | Event::EphemeralFailed { .. } => return ephemeral(event),
        Event::Started { address, op, .. } => {
            let mut body = hook(address, *op);
            let named = identified(&mut body, prior(address).filter(|_| *op != Op::Create));
            let text = format!("{address}: {}...{named}", words(*op)[1]);
            ("info", "apply_start", text, body)
        }
        Event::Progress { address, text } => {
            let running = running(address)?;
            let mut body = hook(address, running.op);
            body["elapsed_seconds"] = json!(running.elapsed_s);
            body["status"] = json!(text);
            ("info", "apply_progress", format!("{address}: {text}"), body)
        }
        Event::Finished {
            address,
            op,
            elapsed_ms,
            id,
        } => {
            let seconds = elapsed_ms / 1000;
            let mut body = hook(address, *op);
            body["elapsed_seconds"] = json!(seconds);
            let named = identified(&mut body, id.as_deref());
            let text = format!(
                "{address}: {} complete after {seconds}s{named}",
                words(*op)[3]
            );
            ("info", "apply_complete", text, body)
        }
        Event::Failed {
            address,
            op,
            elapsed_ms,
            message,
        } => {
            let seconds = elapsed_ms / 1000;
            let mut body = hook(address, *op);
            body["elapsed_seconds"] = json!(seconds);
            body["error"] = json!(message);
            let text = format!("{address}: {} errored after {seconds}s", words(*op)[3]);
            ("info", "apply_errored", text, body)
        }
        Event::WaitingForLock { holder } => {
            let text = format!("Waiting for the state, locked by {holder}");
            return Some(message("info", "log", &text, json!({})));
        }
        // That it was done was said, and why that is not enough is a diagnostic.
        Event::Unfit { .. }
        | Event::Settling { .. }
        | Event::Settled { .. }
        | Event::Skipped { .. } => return None,
    };
    Some(message(level, kind, &text, json!({ "hook": hook })))
}
