//! Before and after of one value, down to what really differs.

use super::super::{
    tree::{Lines, Mark},
    value::{self, inline, is_text, key, marked, whole},
};
use super::text;
use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::BTreeSet;
use weir_core::{Kind, Path, Value};
use weir_plan::same;

/// Shown also where they did not change, as they say which object it is.
const IDENTITY: [&str; 2] = ["id", "name"];
const FORCES: &str = "# forces replacement";

/// Both sides of a place; a side is missing where there is nothing.
type Sides<'v> = (Option<&'v Value>, Option<&'v Value>);

/// Writes differences.
pub(super) struct Body<'l> {
    pub(super) lines: &'l mut Lines,
    /// Paths whose change replaces the object.
    pub(super) forces: &'l [Path],
}

impl Body<'_> {
    /// The fields of an instance, one entry each.
    pub(super) fn fields(&mut self, depth: usize, before: Option<&Value>, after: Option<&Value>) {
        self.entries(depth, (before, after), &Path::root(), false);
    }

    /// The entries of objects or maps; what did not change is counted.
    fn entries(&mut self, depth: usize, (before, after): Sides<'_>, path: &Path, quoted: bool) {
        let names = |v: Option<&Value>| -> Vec<String> {
            let entries = v.and_then(Value::as_entries);
            entries
                .into_iter()
                .flatten()
                .map(|(k, _)| k.to_string())
                .collect()
        };
        let all: BTreeSet<String> = names(before).into_iter().chain(names(after)).collect();
        let side = |v: Option<&Value>, name: &str| -> Option<Value> {
            // In an object null is the same as nothing; in a map it is an entry.
            v.and_then(|v| v.get(name))
                .filter(|v| quoted || !v.is_null())
                .cloned()
        };
        let mut shown = Vec::new();
        let mut hidden = 0;
        for name in &all {
            let (b, a) = (side(before, name), side(after, name));
            let identity = !quoted && IDENTITY.contains(&name.as_str());
            match (&b, &a) {
                (None, None) => {}
                (Some(b), Some(a)) if same(b, a) && !identity => hidden += 1,
                _ => shown.push((name, b, a)),
            }
        }
        let width = value::width(shown.iter().map(|(n, ..)| n.as_str()), quoted);
        for (name, b, a) in shown {
            let label = key(name, quoted, width);
            self.entry(
                depth,
                &label,
                (b.as_ref(), a.as_ref()),
                &path.key(name.as_str()),
            );
        }
        if hidden > 0 {
            let what = if path.0.is_empty() {
                "attribute"
            } else {
                "element"
            };
            self.hidden(depth, hidden, what);
        }
    }

    fn hidden(&mut self, depth: usize, count: usize, what: &str) {
        if count == 0 {
            return;
        }
        let plural = if count == 1 { "" } else { "s" };
        self.lines.remark(
            depth,
            format!("# ({count} unchanged {what}{plural} hidden)"),
        );
    }

    /// One place that differs. An element of a list has no label and ends with a comma.
    pub(super) fn entry(&mut self, depth: usize, label: &str, sides: Sides<'_>, path: &Path) {
        let first = self.lines.len();
        let (end, gone) = if label.is_empty() {
            (",", ",")
        } else {
            ("", " -> null")
        };
        match sides {
            (None, None) => {}
            (None, Some(a)) => whole(self.lines, depth, Mark::Add, label, a, end),
            (Some(b), None) => whole(self.lines, depth, Mark::Remove, label, b, gone),
            (Some(b), Some(a)) if same(b, a) => {
                whole(self.lines, depth, Mark::None, label, a, end);
            }
            (Some(b), Some(a)) => self.differs(depth, (label, end), (b, a), path),
        }
        if self.forces.contains(path) && !path.0.is_empty() {
            self.lines.note(first, FORCES);
        }
    }

    fn differs(
        &mut self,
        depth: usize,
        (label, end): (&str, &str),
        (b, a): (&Value, &Value),
        path: &Path,
    ) {
        if b.is_sensitive() || a.is_sensitive() {
            self.lines.push(
                depth,
                Mark::Change,
                format!("{label}(sensitive value){end}"),
            );
            return;
        }
        let open = |bracket: &str| format!("{label}{bracket}");
        let close = |bracket: &str| format!("{bracket}{end}");
        match (b.kind(), a.kind()) {
            (Kind::String(x), Kind::String(y)) if is_text(x) || is_text(y) => {
                text::diff(self.lines, depth, (label, end), x, y);
            }
            (Kind::Map(..) | Kind::Object(_), Kind::Map(..) | Kind::Object(_)) => {
                let quoted = matches!(a.kind(), Kind::Map(..));
                self.lines.push(depth, Mark::Change, open("{"));
                self.entries(depth + 1, (Some(b), Some(a)), path, quoted);
                self.lines.push(depth, Mark::None, close("}"));
            }
            (Kind::Set(_, x), Kind::Set(_, y)) => {
                self.lines.push(depth, Mark::Change, open("["));
                for v in x.iter().filter(|v| !y.contains(v)) {
                    whole(self.lines, depth + 1, Mark::Remove, "", v, ",");
                }
                for v in y.iter().filter(|v| !x.contains(v)) {
                    whole(self.lines, depth + 1, Mark::Add, "", v, ",");
                }
                self.hidden(depth + 1, x.intersection(y).count(), "element");
                self.lines.push(depth, Mark::None, close("]"));
            }
            (Kind::List(_, x) | Kind::Tuple(x), Kind::List(_, y) | Kind::Tuple(y)) => {
                self.lines.push(depth, Mark::Change, open("["));
                self.list(depth + 1, x, y, path);
                self.lines.push(depth, Mark::None, close("]"));
            }
            _ => self.becomes(depth, (label, end), b, a),
        }
    }

    /// One value and then another of another form: `before -> after`.
    fn becomes(&mut self, depth: usize, (label, end): (&str, &str), b: &Value, a: &Value) {
        match (inline(b), inline(a)) {
            (Some(b), Some(a)) => {
                self.lines
                    .push(depth, Mark::Change, format!("{label}{b} -> {a}{end}"));
            }
            (None, Some(a)) => {
                let suffix = format!(" -> {a}{end}");
                marked(
                    self.lines,
                    depth,
                    [Mark::Change, Mark::Remove],
                    (label, &suffix),
                    b,
                );
            }
            (Some(b), None) => {
                let label = format!("{label}{b} -> ");
                marked(
                    self.lines,
                    depth,
                    [Mark::Change, Mark::Add],
                    (&label, end),
                    a,
                );
            }
            (None, None) => {
                whole(self.lines, depth, Mark::Remove, label, b, end);
                whole(self.lines, depth, Mark::Add, label, a, end);
            }
        }
    }

    /// Elements in order: what stands on both sides is hidden, and what was removed next to what
    /// was added is one changed element.
    fn list(&mut self, depth: usize, before: &[Value], after: &[Value], path: &Path) {
        let (x, y) = numbered(before, after);
        let mut hidden = 0;
        for op in capture_diff_slices(Algorithm::Myers, &x, &y) {
            if let DiffOp::Equal { len, .. } = op {
                hidden += len;
                continue;
            }
            let (old, new) = (&before[op.old_range()], &after[op.new_range()]);
            for i in 0..old.len().max(new.len()) {
                let path = path.index(op.new_range().start + i);
                self.entry(depth, "", (old.get(i), new.get(i)), &path);
            }
        }
        self.hidden(depth, hidden, "element");
    }
}

/// The elements as numbers, equal where they are the same.
fn numbered(before: &[Value], after: &[Value]) -> (Vec<usize>, Vec<usize>) {
    let mut seen: Vec<&Value> = Vec::new();
    let mut number = |v| {
        let found = seen.iter().position(|s: &&Value| same(s, v));
        found.unwrap_or_else(|| {
            seen.push(v);
            seen.len() - 1
        })
    };
    let x = before.iter().map(&mut number).collect();
    (x, after.iter().map(&mut number).collect())
}
