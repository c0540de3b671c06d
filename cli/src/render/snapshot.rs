//! State as text.

use super::{
    plan::block,
    style::Paint,
    tree::{Lines, Mark},
    value::{self, key, unindent, whole},
};
use weir_core::{
    Address,
    snapshot::{Resource, Snapshot, Status},
};

/// Everything in state, then the outputs.
pub(crate) fn render(snapshot: &Snapshot, paint: Paint) -> String {
    let mut out: Vec<String> = snapshot
        .resources
        .iter()
        .map(|(a, r)| instance(a, r, paint))
        .collect();
    if !snapshot.outputs.is_empty() {
        let width = value::width(snapshot.outputs.keys().map(String::as_str), false);
        let outputs = snapshot.outputs.iter();
        let lines: String = outputs
            .map(|(name, v)| value::plain(&key(name, false, width), v.value()))
            .collect();
        out.push(format!("Outputs:\n\n{lines}"));
    }
    out.join("\n")
}

/// One instance.
pub(crate) fn instance(address: &Address, resource: &Resource, paint: Paint) -> String {
    let tainted = match resource.status {
        Status::Ready => "",
        Status::Tainted => " (tainted)",
    };
    let mut lines = Lines::default();
    lines.push(0, Mark::None, format!("{} {{", block(address)));
    let fields = resource.value.value().as_entries();
    let shown: Vec<_> = fields
        .into_iter()
        .flatten()
        .filter(|(_, v)| !v.is_null())
        .collect();
    let width = value::width(shown.iter().map(|(k, _)| &***k), false);
    for (name, field) in shown {
        whole(
            &mut lines,
            1,
            Mark::None,
            &key(name, false, width),
            field,
            "",
        );
    }
    lines.push(0, Mark::None, "}");
    let head = format!("# {}{tainted}\n", paint.strong(&address.to_string()));
    head + &unindent(&lines.text(paint))
}
