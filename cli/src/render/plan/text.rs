//! Texts of several lines, line by line.

use super::super::{
    tree::{Lines, Mark},
    value::printable,
};
use similar::{ChangeTag, TextDiff};

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// Writes what differs between two texts, with some lines around it.
pub(super) fn diff(
    lines: &mut Lines,
    depth: usize,
    (label, end): (&str, &str),
    before: &str,
    after: &str,
) {
    lines.push(depth, Mark::Change, format!("{label}<<-EOT"));
    let diff = TextDiff::from_lines(before, after);
    let mut next = 0;
    let hidden = |lines: &mut Lines, count: usize| {
        if count > 0 {
            let plural = if count == 1 { "" } else { "s" };
            lines.remark(
                depth + 1,
                format!("# ({count} unchanged line{plural} hidden)"),
            );
        }
    };
    for group in diff.grouped_ops(CONTEXT) {
        let Some(first) = group.first() else { continue };
        hidden(lines, first.old_range().start - next);
        for op in &group {
            for change in diff.iter_changes(op) {
                let mark = match change.tag() {
                    ChangeTag::Equal => Mark::None,
                    ChangeTag::Delete => Mark::Remove,
                    ChangeTag::Insert => Mark::Add,
                };
                lines.push(depth + 1, mark, printable(change.value()));
                if !change.value().ends_with('\n') {
                    lines.remark(depth + 1, "# (no line end)");
                }
            }
            next = op.old_range().end;
        }
    }
    hidden(lines, diff.old_len().saturating_sub(next));
    lines.push(depth, Mark::None, format!("EOT{end}"));
}
