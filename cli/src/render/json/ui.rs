//! The stream of messages that `plan -json` and `apply -json` print: one JSON object a line.

use super::{TERRAFORM, diagnostic, index, plan, shown, shown_type};
use crate::{
    clock,
    render::{diagnostics::sentence, plan::Counts},
};
use serde_json::{Value as Json, json};
use weir_core::{
    Address, Diagnostic, Known, Object, Severity, Value,
    change::Change,
    event::Event,
    plan::{Op, Plan},
};

/// The first message.
pub(crate) fn version() -> Json {
    let version = env!("CARGO_PKG_VERSION");
    let body = json!({ "terraform": TERRAFORM, "weir": version, "ui": "1.2" });
    message("info", "version", &format!("weir {version}"), body)
}

fn message(level: &str, kind: &str, text: &str, body: Json) -> Json {
    let mut out = json!({
        "@level": level,
        "@message": text,
        "@module": "terraform.ui",
        "@timestamp": clock::now(),
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

/// Drift, changes, counts and outputs of a plan.
pub(crate) fn planned(plan: &Plan, operation: &str) -> Vec<Json> {
    let mut out = Vec::new();
    for change in plan.drift.values() {
        out.push(change_message("resource_drift", "drifted", change));
    }
    for change in plan.changes.values().filter(|c| !c.action.is_noop()) {
        out.push(change_message("planned_change", "planned", change));
    }
    out.push(summary(Counts::of(plan), operation));
    if !plan.outputs.is_empty() {
        let outputs: serde_json::Map<String, Json> = (plan.outputs.iter())
            .map(|(name, o)| {
                let action = match (&o.before, &o.after) {
                    (None, Some(_)) => "create",
                    (Some(_), None) => "delete",
                    (Some(b), Some(a)) if !weir_plan::same(b, a) => "update",
                    _ => "noop",
                };
                let sensitive = o
                    .after
                    .as_ref()
                    .or(o.before.as_ref())
                    .is_some_and(Value::is_sensitive);
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

fn change_message(kind: &str, verb: &str, change: &Change) -> Json {
    let words: Vec<String> = match plan::actions(change.action) {
        Json::Array(words) => words
            .iter()
            .filter_map(|w| w.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    };
    let action = match words.as_slice() {
        [_, _] => "replace".to_owned(),
        [one] if one == "delete" => "delete".to_owned(),
        [one] => one.clone(),
        _ => "noop".to_owned(),
    };
    let text = format!("{}: {verb} {action}", change.address);
    let body = json!({ "change": { "resource": resource(&change.address), "action": action } });
    message("info", kind, &text, body)
}

/// The counts of a plan, or of what was done.
pub(crate) fn summary(counts: Counts, operation: &str) -> Json {
    let Counts {
        add,
        change,
        destroy,
        forget,
    } = counts;
    let text = match operation {
        "plan" => format!("Plan: {}.", counts.to_come()),
        _ => format!("Apply complete. {add} added, {change} changed, {destroy} destroyed."),
    };
    let changes = json!({
        "add": add, "change": change, "import": 0, "remove": destroy, "forget": forget,
        "operation": operation,
    });
    message(
        "info",
        "change_summary",
        &text,
        json!({ "changes": changes }),
    )
}

/// The outputs after an apply.
pub(crate) fn outputs(outputs: &std::collections::BTreeMap<String, Known>) -> Json {
    let all: serde_json::Map<String, Json> = (outputs.iter())
        .map(|(name, known)| {
            let value = known.value();
            let ty = shown_type(value);
            let body =
                json!({ "sensitive": value.is_sensitive(), "type": ty, "value": shown(value) });
            (name.clone(), body)
        })
        .collect();
    let text = format!("Outputs: {}", all.len());
    message("info", "outputs", &text, json!({ "outputs": all }))
}

fn resource(address: &Address) -> Json {
    let name = match &address.object {
        Object::Managed { name, .. }
        | Object::Data { name, .. }
        | Object::Ephemeral { name, .. } => name.clone(),
        Object::Host { site } => site.clone(),
        Object::Pod { service, pod } => format!("{service}.{pod}"),
    };
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
        "resource_name": name,
        "resource_key": index(&address.key),
    })
}

fn action(op: Op) -> &'static str {
    match op {
        Op::Create => "create",
        Op::Update => "update",
        Op::Delete => "delete",
        Op::Read => "read",
        Op::Forget => "forget",
        Op::Join => "noop",
    }
}

/// What goes on; `None` for what has no message in the format.
pub(crate) fn event(event: &Event, elapsed_s: impl Fn(&Address) -> u64) -> Option<Json> {
    let hook =
        |address: &Address, op: Op| json!({ "resource": resource(address), "action": action(op) });
    let (level, kind, text, body) = match event {
        Event::Refreshing { address } => (
            "info",
            "refresh_start",
            format!("{address}: refreshing"),
            json!({ "resource": resource(address) }),
        ),
        Event::Started { address, op, .. } => (
            "info",
            "apply_start",
            format!("{address}: {} started", action(*op)),
            hook(address, *op),
        ),
        Event::Progress { address, text } => {
            let body = json!({ "resource": resource(address), "elapsed_seconds": elapsed_s(address), "status": text });
            ("info", "apply_progress", format!("{address}: {text}"), body)
        }
        Event::Finished {
            address,
            op,
            elapsed_ms,
        } => {
            let mut body = hook(address, *op);
            body["elapsed_seconds"] = json!(elapsed_ms / 1000);
            (
                "info",
                "apply_complete",
                format!("{address}: {} complete", action(*op)),
                body,
            )
        }
        Event::Failed {
            address,
            op,
            elapsed_ms,
            message,
        } => {
            let mut body = hook(address, *op);
            body["elapsed_seconds"] = json!(elapsed_ms / 1000);
            (
                "error",
                "apply_errored",
                format!("{address}: {} failed: {message}", action(*op)),
                body,
            )
        }
        Event::WaitingForLock { .. }
        | Event::Settling { .. }
        | Event::Settled { .. }
        | Event::Skipped { .. } => return None,
    };
    let mut body = body;
    if kind.starts_with("apply") || kind.starts_with("refresh") {
        body = json!({ "hook": body });
    }
    Some(message(level, kind, &text, body))
}
