//! Compares what weir said with what Terraform said.
//!
//! 1. What is known to differ is taken out of both, rule by rule ([`DELIBERATE`]).
//! 2. Diagnostics are compared apart: each of Terraform's has one of weir's at its place
//!    ([`uncovered`]).
//! 3. What is left is compared line by line, sorted where the order is not fixed ([`sorted`]).

use super::Said;
use serde_json::{Value as Json, json};
use similar::TextDiff;

/// What differs on purpose: why, and what makes both alike.
type Rule = (&'static str, fn(&mut Said, &mut Said));

/// All that differs on purpose, with its reason.
pub const DELIBERATE: &[Rule] = &[
    ("each tool names itself and its version", |theirs, ours| {
        each([theirs, ours], version);
    }),
    (
        "a plan with errors is none: weir says what is wrong, and shows no part of a plan",
        no_half_plans,
    ),
    (
        "what is dropped from state is counted and told, where Terraform only warns of it",
        |_, ours| {
            ours.messages.retain(|m| m["hook"]["action"] != "remove");
            each([ours], uncounted);
        },
    ),
    (
        "the type of a sensitive value may name keys that are secret: it is shown as dynamic",
        |theirs, ours| each([theirs, ours], untyped),
    ),
    (
        "wrong use ends with 2, so that it is not taken for a failure",
        |theirs, ours| {
            if theirs.code == Some(1) && ours.code == Some(2) {
                ours.code = Some(1);
            }
        },
    ),
    (
        "providers describe themselves in their own words",
        |theirs, ours| {
            each([theirs, ours], |document| {
                if let Some(all) = document.get_mut("provider_schemas") {
                    schemas(all);
                }
            });
        },
    ),
    (
        "a check that can't be told before apply is no warning: the plan's `checks` say unknown",
        |theirs, _| unwarned(theirs, "Check block assertion known after apply"),
    ),
    (
        "what is dropped from state is in the plan, and no warning",
        |theirs, _| {
            unwarned(
                theirs,
                "Some objects will no longer be managed by Terraform",
            )
        },
    ),
    (
        "`validate` finds more: the counts are of what it found",
        |theirs, ours| {
            each([theirs, ours], |document| {
                if let Some(fields) = document.as_object_mut()
                    && fields.contains_key("error_count")
                {
                    fields.retain(|name, _| !name.ends_with("_count"));
                }
            });
        },
    ),
];

fn each<const N: usize>(all: [&mut Said; N], change: fn(&mut Json)) {
    for said in all {
        said.messages.iter_mut().for_each(change);
    }
}

fn version(value: &mut Json) {
    if value["type"] == "version" {
        *value = json!({ "type": "version", "ui": value["ui"], "@level": value["@level"] });
    } else if value.get("provider_selections").is_some() {
        for name in ["terraform_version", "weir_version", "agent_sha256"] {
            value.as_object_mut().map(|fields| fields.remove(name));
        }
    }
}

/// Where neither goes on to an apply, and weir shows no plan.
fn no_half_plans(theirs: &mut Said, ours: &mut Said) {
    let planned = |said: &Said| said.messages.iter().any(|m| m["type"] == "change_summary");
    if theirs.code != Some(1) || ours.code != Some(1) || planned(ours) {
        return;
    }
    let told = [
        "planned_change",
        "change_summary",
        "outputs",
        "resource_drift",
    ];
    (theirs.messages).retain(|m| told.iter().all(|t| m["type"] != *t));
    // Terraform looks up what has nothing to do with what is wrong.
    let looked_up = ours.messages.clone();
    (theirs.messages).retain(|m| phase(m) != "work" || looked_up.contains(m));
}

fn uncounted(value: &mut Json) {
    if let Some(counts) = value.get_mut("changes").and_then(Json::as_object_mut)
        && let Some(n) = counts.remove("forget")
    {
        let text = value["@message"].as_str().unwrap_or_default();
        let text = text.replace(&format!(", {n} to forget"), "");
        value["@message"] = text.into();
    }
}

fn untyped(value: &mut Json) {
    if value["type"] != "outputs" {
        return;
    }
    let outputs = value.get_mut("outputs").and_then(Json::as_object_mut);
    for output in outputs.into_iter().flatten() {
        let typed = output.1.get("type").is_some_and(|t| !t.is_string());
        if output.1["sensitive"] == true && typed {
            output.1["type"] = "dynamic".into();
        }
    }
}

fn schemas(value: &mut Json) {
    match value {
        Json::Object(fields) => {
            fields.remove("description");
            fields.remove("description_kind");
            fields.remove("summary");
            fields.values_mut().for_each(schemas);
        }
        Json::Array(items) => items.iter_mut().for_each(schemas),
        _ => {}
    }
}

fn unwarned(said: &mut Said, summary: &str) {
    (said.messages).retain(|m| m["diagnostic"]["summary"] != summary);
}

/// The part of a run that a message belongs to.
fn phase(message: &Json) -> &str {
    match message["type"].as_str().unwrap_or_default() {
        kind if kind.starts_with("refresh_") => "work",
        kind if kind.starts_with("apply_") => "work",
        kind if kind.starts_with("ephemeral_") => "work",
        kind => kind,
    }
}

/// Messages of a phase are sorted by address; what one address goes through keeps its order.
fn sorted(messages: &mut [Json]) {
    let key = |message: &Json| {
        let address = |holder: &str| message[holder]["resource"]["addr"].as_str();
        let address = address("hook").or(address("change"));
        address.unwrap_or_default().to_owned()
    };
    for run in messages.chunk_by_mut(|a, b| phase(a) == phase(b)) {
        run.sort_by_key(key);
    }
}

/// Takes the diagnostics out: messages of a run, or those of `validate`.
fn diagnostics(said: &mut Said) -> Vec<Json> {
    let mut out = Vec::new();
    said.messages.retain(|m| {
        let is = m["type"] == "diagnostic";
        if is {
            out.push(m["diagnostic"].clone());
        }
        !is
    });
    for document in &mut said.messages {
        if let Some(found) = document.get_mut("diagnostics").and_then(Json::as_array_mut) {
            out.append(found);
        }
    }
    out
}

/// Whether weir's points at where Terraform's points: the same lines, or into the block whose
/// header Terraform's points at. A warning of a condition is the same in every field.
fn covers(ours: &Json, theirs: &Json) -> bool {
    if ours["severity"] != theirs["severity"] {
        return false;
    }
    if theirs["range"].is_null() {
        return true;
    }
    if theirs["summary"] == "Check block assertion failed" {
        let of = |d: &Json| {
            let d = d.clone();
            let snippet = &d["snippet"];
            json!([
                d["range"],
                snippet["context"],
                snippet["code"],
                snippet["start_line"],
                snippet["highlight_start_offset"],
                snippet["highlight_end_offset"]
            ])
        };
        return of(ours) == of(theirs);
    }
    let line = |d: &Json, end: &str| d["range"][end]["line"].as_u64();
    let overlap =
        line(ours, "start") <= line(theirs, "end") && line(theirs, "start") <= line(ours, "end");
    let context = ours["snippet"]["context"].as_str();
    let header = theirs["snippet"]["code"].as_str();
    let inside = context
        .zip(header)
        .is_some_and(|(c, h)| h.trim_end_matches(" {") == c);
    ours["range"]["filename"] == theirs["range"]["filename"] && (overlap || inside)
}

/// What Terraform finds and weir doesn't, and what weir says twice.
fn uncovered(theirs: &[Json], ours: &[Json]) -> String {
    let mut out = String::new();
    for d in theirs {
        if !ours.iter().any(|o| covers(o, d)) {
            out.push_str(&format!("weir does not find {d}\n"));
        }
    }
    for (at, d) in ours.iter().enumerate() {
        if ours[..at].contains(d) {
            out.push_str(&format!("weir says twice {d}\n"));
        }
        let whole = ["severity", "summary", "detail"]
            .iter()
            .all(|f| d[*f].is_string());
        if !whole {
            out.push_str(&format!("not a whole diagnostic: {d}\n"));
        }
    }
    let errors = |all: &[Json]| all.iter().any(|d| d["severity"] == "error");
    if errors(ours) != errors(theirs) {
        out.push_str("only one finds an error\n");
    }
    out
}

fn text(said: &Said) -> String {
    let mut out = format!("exit code {:?}\n", said.code);
    for message in &said.messages {
        match message.get("type") {
            Some(_) => out.push_str(&format!("{message}\n")),
            None => out.push_str(&format!("{message:#}\n")),
        }
    }
    out
}

/// How weir's differs from Terraform's, as text; nothing where they agree.
pub fn differs(theirs: &Said, ours: &Said) -> Option<String> {
    let (mut theirs, mut ours) = (theirs.clone(), ours.clone());
    for (_, alike) in DELIBERATE {
        alike(&mut theirs, &mut ours);
    }
    let mut out = uncovered(&diagnostics(&mut theirs), &diagnostics(&mut ours));
    sorted(&mut theirs.messages);
    sorted(&mut ours.messages);
    let (theirs, ours) = (text(&theirs), text(&ours));
    if theirs != ours {
        let diff = TextDiff::from_lines(&theirs, &ours);
        let diff = diff.unified_diff().header("terraform", "weir").to_string();
        out.push_str(&diff);
    }
    (!out.is_empty()).then_some(out)
}
