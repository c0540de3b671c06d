//! A plan as a Terraform user reads it at a glance.

mod body;
mod heading;
#[cfg(test)]
mod tests;
mod text;

use super::{
    style::{Ink, Paint},
    tree::{Lines, Mark},
};
use crate::clock;
use body::Body;
pub(crate) use heading::block;
use std::collections::BTreeMap;
use weir_core::{
    Address, Kind, Object, Path, Value,
    address::ProviderRef,
    change::{Action, Change},
    plan::{Deposed, OutputChange, Plan},
};
use weir_engine::ChangedBy;
use weir_plan::Cost;

/// How many instances are added, changed and destroyed. A replacement adds and destroys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// To be made.
    pub(crate) add: usize,
    /// To be changed in place.
    pub(crate) change: usize,
    /// To be deleted.
    pub(crate) destroy: usize,
    /// To be dropped from state.
    pub(crate) forget: usize,
    /// To be taken into state as they are.
    pub(crate) import: usize,
}

impl Counts {
    /// Of a plan.
    pub(crate) fn of(plan: &Plan) -> Counts {
        let mut counts = Counts {
            destroy: plan.deposed.len(),
            ..Counts::default()
        };
        for change in plan.changes.values() {
            counts.import += usize::from(change.import.is_some());
            match change.action {
                Action::NoOp | Action::Read => {}
                Action::Create => counts.add += 1,
                Action::Update => counts.change += 1,
                Action::Delete => counts.destroy += 1,
                Action::Forget => counts.forget += 1,
                Action::Replace(_) => {
                    counts.add += 1;
                    counts.destroy += 1;
                }
            }
        }
        counts
    }

    /// `3 to add, 1 to change, 0 to destroy`
    pub(crate) fn to_come(self) -> String {
        let Counts {
            add,
            change,
            destroy,
            forget,
            import,
        } = self;
        let import = if import > 0 {
            format!("{import} to import, ")
        } else {
            String::new()
        };
        let forget = if forget > 0 {
            format!(", {forget} to forget")
        } else {
            String::new()
        };
        format!("{import}{add} to add, {change} to change, {destroy} to destroy{forget}")
    }
}

/// What the machines of the plan cost, before and after; nothing where there is none.
fn cost(plan: &Plan, regions: &BTreeMap<ProviderRef, String>, paint: Paint) -> String {
    let Some(cost) = weir_plan::cost(&plan.changes, regions) else {
        return String::new();
    };
    let mut out = paint.strong("Machines:");
    let Cost {
        before,
        after,
        unknown,
    } = cost;
    out += &match before == after {
        true => format!(" {after} US dollars an hour, {} a month", after.per_month()),
        false => format!(
            " {before} US dollars an hour before, {after} after; {} and {} a month",
            before.per_month(),
            after.per_month()
        ),
    };
    out += ", on demand.\n";
    if !unknown.is_empty() {
        let names: Vec<String> = unknown.iter().map(ToString::to_string).collect();
        out += &format!(
            "Not in it, as the price is not known: {}.\n",
            names.join(", ")
        );
    }
    out
}

/// How much of each change is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Every attribute that differs.
    Full,
    /// One line.
    Concise,
}

/// The plan in words: drift, changes, outputs, summary.
pub(crate) fn render(plan: &Plan, detail: Detail, paint: Paint) -> String {
    render_with(plan, (&BTreeMap::new(), &BTreeMap::new()), detail, paint)
}

/// As [`render`], with who might have changed what drifted, and the regions that configurations of
/// providers name.
pub(crate) fn render_with(
    plan: &Plan,
    (by, regions): (
        &BTreeMap<Address, ChangedBy>,
        &BTreeMap<ProviderRef, String>,
    ),
    detail: Detail,
    paint: Paint,
) -> String {
    let mut out = String::new();
    drift(&mut out, (plan, by), detail, paint);
    let changes: Vec<&Change> = plan.changes.values().filter(|c| is_shown(c)).collect();
    let outputs = outputs(&plan.outputs);
    let nothing = changes.is_empty() && plan.deposed.is_empty();
    if nothing && outputs.is_empty() {
        out.push_str(&paint.strong("No changes."));
        out.push_str(" What is there matches the configuration.\n");
        return out;
    }
    if !nothing {
        legend(&mut out, &changes, &plan.deposed, paint);
        out.push_str("weir will do the following:\n");
        match detail {
            Detail::Full => in_full(&mut out, &changes, &plan.deposed, paint),
            Detail::Concise => in_short(&mut out, &changes, &plan.deposed, paint),
        }
        out.push('\n');
        out.push_str(&paint.strong("Plan:"));
        out.push_str(&format!(" {}.\n", Counts::of(plan).to_come()));
        out.push_str(&cost(plan, regions, paint));
    }
    if !outputs.is_empty() {
        if !nothing {
            out.push('\n');
        }
        out.push_str("Changes to outputs:\n");
        out.push_str(&outputs.text(paint));
    }
    if nothing {
        out.push_str("\nApplying this plan records the new outputs and changes nothing else.\n");
    }
    out
}

/// One change in words, without colour.
pub(crate) fn one(change: &Change) -> String {
    let text = heading::of(change, Paint::Plain) + &instance(change).text(Paint::Plain);
    text.lines()
        .map(|l| format!("{}\n", l.strip_prefix("  ").unwrap_or(l)))
        .collect()
}

/// Whether there is something to tell of it.
fn is_shown(change: &Change) -> bool {
    !change.action.is_noop() || change.moved_from.is_some() || change.import.is_some()
}

fn in_full(out: &mut String, changes: &[&Change], deposed: &[Deposed], paint: Paint) {
    for change in changes {
        out.push('\n');
        out.push_str(&heading::of(change, paint));
        out.push_str(&instance(change).text(paint));
    }
    for object in deposed {
        let address = paint.strong(&object.address.to_string());
        out.push_str(&format!(
            "\n  # {address} (deposed object {}) {}\n  # (left over from a replacement that was \
             cut short)\n",
            object.key,
            paint.ink(Ink::Bad, "will be destroyed")
        ));
        let mut lines = Lines::default();
        let head = format!("{} {{", block(&object.address));
        lines.push(0, Mark::Remove, head);
        let before = set(&object.address, object.before.value());
        let mut body = Body::new(&mut lines, &[]);
        body.fields(1, Some(&before), None);
        lines.push(0, Mark::None, "}");
        out.push_str(&lines.text(paint));
    }
}

fn in_short(out: &mut String, changes: &[&Change], deposed: &[Deposed], paint: Paint) {
    let mut lines = Lines::default();
    for change in changes {
        lines.push(0, Mark::of(change.action), heading::title(change, paint));
    }
    for object in deposed {
        let text = format!("{} (deposed object {})", object.address, object.key);
        lines.push(0, Mark::Remove, text);
    }
    out.push('\n');
    out.push_str(&lines.text(paint));
}

fn legend(out: &mut String, changes: &[&Change], deposed: &[Deposed], paint: Paint) {
    let words = [
        (Mark::Add, "create"),
        (Mark::Change, "update in place"),
        (Mark::Remove, "destroy"),
        (Mark::DeleteFirst, "replace: destroy, then create"),
        (Mark::CreateFirst, "replace: create, then destroy"),
        (Mark::Read, "read at apply"),
        (Mark::Forget, "no longer manage, leave as it is"),
    ];
    let mut lines = Lines::default();
    for (mark, word) in words {
        let deleted = mark == Mark::Remove && !deposed.is_empty();
        if deleted || changes.iter().any(|c| Mark::of(c.action) == mark) {
            lines.push(0, mark, word);
        }
    }
    if !lines.is_empty() {
        out.push_str("Signs:\n");
        out.push_str(&lines.text(paint));
        out.push('\n');
    }
}

/// What was changed outside of weir; empty where nothing was.
pub(crate) fn drifted(
    plan: &Plan,
    by: &BTreeMap<Address, ChangedBy>,
    detail: Detail,
    paint: Paint,
) -> String {
    let mut out = String::new();
    drift(&mut out, (plan, by), detail, paint);
    out
}

/// By whom, when and how, as far as it is known.
fn attributed(by: &ChangedBy) -> String {
    let told = match by {
        ChangedBy::Told(told) => told,
        ChangedBy::NotTold(why) => return format!("by whom is not known: {why}"),
    };
    let when = told.when.map(clock::rfc3339);
    let begin = match (&told.who, when) {
        (Some(who), Some(when)) => Some(format!("by {who}, at {when}")),
        (Some(who), None) => Some(format!("by {who}")),
        (None, Some(when)) => Some(format!("last changed at {when}")),
        (None, None) => None,
    };
    let parts: Vec<String> = begin.into_iter().chain(told.how.clone()).collect();
    let end = match &told.who {
        Some(_) => "",
        None => "; by whom is not known",
    };
    parts.join(": ") + end
}

fn drift(
    out: &mut String,
    (plan, by): (&Plan, &BTreeMap<Address, ChangedBy>),
    detail: Detail,
    paint: Paint,
) {
    if plan.drift.is_empty() {
        return;
    }
    out.push_str(&paint.strong("Changed outside of weir since it was last applied:"));
    out.push('\n');
    for change in plan.drift.values() {
        let gone = change.after.is_none();
        let what = if gone { "is gone" } else { "was changed" };
        out.push_str(&format!(
            "\n  # {} {what}\n",
            paint.strong(&change.address.to_string())
        ));
        if let Some(by) = by.get(&change.address) {
            out.push_str(&format!("  # ({})\n", attributed(by)));
        }
        if !gone && detail == Detail::Full {
            out.push_str(&instance(change).text(paint));
        }
    }
    out.push('\n');
}

/// The block of one instance.
fn instance(change: &Change) -> Lines {
    let forces = change.reason.forced();
    let mut lines = Lines::default();
    let quiet = change.moved_from.is_some() || change.import.is_some();
    let mark = match change.action {
        // Drift is an update that somebody else made.
        Action::NoOp if !quiet => Mark::Change,
        action => Mark::of(action),
    };
    lines.push(0, mark, format!("{} {{", block(&change.address)));
    let before = change
        .before
        .as_ref()
        .map(|k| set(&change.address, k.value()));
    let after = change.after.as_ref().map(|v| set(&change.address, v));
    let mut body = Body::new(&mut lines, forces);
    match change.action {
        // What it was is of no use to who reads it: it stays in the world.
        Action::Forget => body.fields(1, before.as_ref(), before.as_ref()),
        // What is imported was never seen here: all of it is shown.
        Action::NoOp if change.import.is_some() => body.all(1, after.as_ref()),
        _ => body.fields(1, before.as_ref(), after.as_ref()),
    }
    lines.push(0, Mark::None, "}");
    lines
}

/// What is worth showing of a value. The language fills in every attribute of hosts and pods:
/// those that nobody set are empty collections there.
fn set(address: &Address, value: &Value) -> Value {
    let made = matches!(address.object, Object::Host { .. } | Object::Pod { .. });
    match value.as_entries() {
        Some(fields) if made => {
            let worth = |v: &Value| !is_collection(v) || v.children().next().is_some();
            let shown = fields.iter().filter(|(_, v)| worth(v));
            Value::object(shown.map(|(k, v)| (k.clone(), v.clone()))).mark(value.marks())
        }
        _ => value.clone(),
    }
}

fn is_collection(value: &Value) -> bool {
    matches!(
        value.kind(),
        Kind::List(..) | Kind::Set(..) | Kind::Map(..) | Kind::Tuple(_) | Kind::Object(_)
    )
}

fn outputs(outputs: &BTreeMap<String, OutputChange>) -> Lines {
    let mut lines = Lines::default();
    let changed: Vec<_> = outputs
        .iter()
        .filter(|(_, o)| match (&o.before, &o.after) {
            (Some(b), Some(a)) => !weir_plan::same(b, a),
            _ => !o.is_noop(),
        })
        .collect();
    let width = super::value::width(changed.iter().map(|(n, _)| n.as_str()), false);
    let mut body = Body::new(&mut lines, &[]);
    for (name, output) in changed {
        let label = super::value::key(name, false, width);
        let sides = (output.before.as_ref(), output.after.as_ref());
        body.entry(0, &label, sides, &Path::root());
    }
    lines
}
