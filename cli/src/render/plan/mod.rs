//! A plan as a Terraform user reads it at a glance.

mod body;
mod heading;
#[cfg(test)]
mod tests;
mod text;

use super::{
    style::Paint,
    tree::{Lines, Mark},
};
use body::Body;
pub(crate) use heading::block;
use std::collections::BTreeMap;
use weir_core::{
    Address, Kind, Object, Path, Value,
    change::{Action, Change, Reason},
    plan::{OutputChange, Plan},
};

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
        let mut counts = Counts::default();
        for change in plan.changes.values() {
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

/// The plan in words: drift, changes, outputs, summary. Of the instances in `deposed` an old
/// object that a replacement had put aside is still there, and goes with this plan.
pub(crate) fn render(plan: &Plan, deposed: &[Address], paint: Paint) -> String {
    let mut out = String::new();
    drift(&mut out, plan, paint);
    let changes: Vec<&Change> = plan
        .changes
        .values()
        .filter(|c| !c.action.is_noop())
        .collect();
    let outputs = outputs(&plan.outputs);
    if changes.is_empty() && outputs.is_empty() && deposed.is_empty() {
        out.push_str(&paint.strong("No changes."));
        out.push_str(" What is there matches the configuration.\n");
        return out;
    }
    for address in deposed {
        let address = paint.strong(&address.to_string());
        out.push_str(&format!(
            "  # The old object of {address}, which was replaced, will be destroyed\n"
        ));
    }
    if !changes.is_empty() {
        legend(&mut out, &changes, paint);
        out.push_str("weir will do the following:\n");
        for change in &changes {
            out.push('\n');
            out.push_str(&heading::of(change, paint));
            out.push_str(&instance(change).text(paint));
        }
        out.push('\n');
        out.push_str(&paint.strong("Plan:"));
        out.push_str(&format!(" {}.\n", Counts::of(plan).to_come()));
    }
    if !outputs.is_empty() {
        if !changes.is_empty() {
            out.push('\n');
        }
        out.push_str("Changes to outputs:\n");
        out.push_str(&outputs.text(paint));
    }
    if changes.is_empty() && deposed.is_empty() {
        out.push_str("\nApplying this plan records the new outputs and changes nothing else.\n");
    }
    out
}

fn legend(out: &mut String, changes: &[&Change], paint: Paint) {
    let words = [
        (Mark::Add, "create"),
        (Mark::Change, "update in place"),
        (Mark::Remove, "destroy"),
        (Mark::DeleteFirst, "replace: destroy, then create"),
        (Mark::CreateFirst, "replace: create, then destroy"),
        (Mark::Read, "read at apply"),
        (Mark::Forget, "drop from state, leave as it is"),
    ];
    out.push_str("Signs:\n");
    let mut lines = Lines::default();
    for (mark, word) in words {
        if changes.iter().any(|c| Mark::of(c.action) == mark) {
            lines.push(0, mark, word);
        }
    }
    out.push_str(&lines.text(paint));
    out.push('\n');
}

fn drift(out: &mut String, plan: &Plan, paint: Paint) {
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
        if !gone {
            out.push_str(&instance(change).text(paint));
        }
    }
    out.push('\n');
}

/// The block of one instance.
fn instance(change: &Change) -> Lines {
    let forces: &[Path] = match &change.reason {
        Reason::CannotUpdate(paths) => paths,
        _ => &[],
    };
    let mut lines = Lines::default();
    let mark = if change.action.is_noop() {
        Mark::Change
    } else {
        Mark::of(change.action)
    };
    lines.push(0, mark, format!("{} {{", block(&change.address)));
    let before = change
        .before
        .as_ref()
        .map(|k| set(&change.address, k.value()));
    let after = change.after.as_ref().map(|v| set(&change.address, v));
    let mut body = Body {
        lines: &mut lines,
        forces,
    };
    match change.action {
        // What it was is of no use to who reads it: it stays in the world.
        Action::Forget => body.fields(1, before.as_ref(), before.as_ref()),
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
            (b, a) => b.is_some() || a.is_some(),
        })
        .collect();
    let width = super::value::width(changed.iter().map(|(n, _)| n.as_str()), false);
    let mut body = Body {
        lines: &mut lines,
        forces: &[],
    };
    for (name, output) in changed {
        let label = super::value::key(name, false, width);
        let sides = (output.before.as_ref(), output.after.as_ref());
        body.entry(0, &label, sides, &Path::root());
    }
    lines
}
