//! Before and after of one value, down to what really differs.

use super::super::{
    tree::{Lines, Mark},
    value::{self, inline, is_text, json_of, key, marked, whole},
};
use super::text;
use crate::render::value::Entries;
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

impl<'l> Body<'l> {
    pub(super) fn new(lines: &'l mut Lines, forces: &'l [Path]) -> Body<'l> {
        Body { lines, forces }
    }

    /// Every field of an instance that stays as it is.
    pub(super) fn all(&mut self, depth: usize, value: Option<&Value>) {
        let fields = value.and_then(Value::as_entries).into_iter().flatten();
        let set: Vec<_> = fields.filter(|(_, v)| !v.is_null()).collect();
        let width = value::width(set.iter().map(|(n, _)| &***n), false);
        for (name, v) in set {
            let label = key(name, false, width);
            whole(self.lines, depth, Mark::None, &label, v, "");
        }
    }

    /// The fields of an instance, one entry each.
    pub(super) fn fields(&mut self, depth: usize, before: Option<&Value>, after: Option<&Value>) {
        self.entries(depth, (before, after), &Path::root(), Entries::Attributes);
    }

    /// The entries of objects or maps; what did not change is counted.
    fn entries(&mut self, depth: usize, (before, after): Sides<'_>, path: &Path, entries: Entries) {
        let names = |v: Option<&Value>| -> Vec<String> {
            let entries = v.and_then(Value::as_entries);
            entries
                .into_iter()
                .flatten()
                .map(|(k, _)| k.to_string())
                .collect()
        };
        let all: BTreeSet<String> = names(before).into_iter().chain(names(after)).collect();
        let has = |v: Option<&Value>, name: &str| v.and_then(|v| v.get(name)).is_some();
        let side = |v: Option<&Value>, name: &str| -> Option<Value> {
            // In a map null is an entry. In an object it is the same as nothing, unless it is all
            // that came or went.
            let alone = !path.0.is_empty() && has(before, name) != has(after, name);
            v.and_then(|v| v.get(name))
                .filter(|v| entries.keep_nulls() || alone || !v.is_null())
                .cloned()
        };
        let mut shown = Vec::new();
        let mut hidden = 0;
        for name in &all {
            let (b, a) = (side(before, name), side(after, name));
            let identity = entries == Entries::Attributes && IDENTITY.contains(&name.as_str());
            match (&b, &a) {
                (None, None) => {}
                (Some(b), Some(a)) if same(b, a) && !identity && !disclosed(b, a) => hidden += 1,
                _ => shown.push((name, b, a)),
            }
        }
        let quoted = entries.are_quoted();
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
            let what = if quoted { "element" } else { "attribute" };
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
            (Some(b), Some(a)) if same(b, a) && disclosed(b, a) => {
                let text = format!("{label}(sensitive value){end}");
                self.lines.push(depth, Mark::Change, text);
                self.lines.note(
                    first,
                    match a.is_sensitive() {
                        true => "# becomes sensitive, the value is unchanged",
                        false => "# is shown from now on, the value is unchanged",
                    },
                );
            }
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
            (Kind::String(x), Kind::String(y)) if json_of(x).is_some() && json_of(y).is_some() => {
                self.json(depth, (label, end), (x, y), path);
            }
            (Kind::String(x), Kind::String(y)) if is_text(x) || is_text(y) => {
                text::diff(self.lines, depth, (label, end), x, y);
            }
            (Kind::Map(..) | Kind::Object(_), Kind::Map(..) | Kind::Object(_)) => {
                let entries = Entries::of(a);
                self.lines.push(depth, Mark::Change, open("{"));
                self.entries(depth + 1, (Some(b), Some(a)), path, entries);
                self.lines.push(depth, Mark::None, close("}"));
            }
            (Kind::Set(_, x), Kind::Set(_, y)) => {
                self.lines.push(depth, Mark::Change, open("["));
                let gone = x.iter().filter(|v| !y.contains(v)).collect();
                let new = y.iter().filter(|v| !x.contains(v)).collect();
                // An element of a set has no path of its own.
                let inside = path.key("*");
                for sides in matched(gone, new) {
                    self.entry(depth + 1, "", sides, &inside);
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

    /// Two JSON texts, by what they say.
    fn json(
        &mut self,
        depth: usize,
        (label, end): (&str, &str),
        (before, after): (&str, &str),
        path: &Path,
    ) {
        let (Some(b), Some(a)) = (json_of(before), json_of(after)) else {
            return;
        };
        if same(&b, &a) {
            let text = format!("{label}jsonencode(...){end}");
            let line = self.lines.len();
            self.lines.push(depth, Mark::Change, text);
            self.lines.note(line, "# only its spaces differ");
            return;
        }
        self.lines
            .push(depth, Mark::Change, format!("{label}jsonencode("));
        // Paths into a text force nothing.
        let forces = std::mem::take(&mut self.forces);
        self.entry(depth + 1, "", (Some(&b), Some(&a)), path);
        self.forces = forces;
        self.lines.bare_end();
        self.lines.push(depth, Mark::None, format!("){end}"));
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

/// Whether only one of two equal values is sensitive.
fn disclosed(before: &Value, after: &Value) -> bool {
    before.is_sensitive() != after.is_sensitive()
}

/// Elements that went and elements that came: those that have most in common are one that
/// changed.
fn matched<'v>(gone: Vec<&'v Value>, mut new: Vec<&'v Value>) -> Vec<Sides<'v>> {
    let mut out = Vec::new();
    for old in gone {
        let likeness = |v: &&Value| likeness(old, v);
        let best = (0..new.len()).max_by_key(|&i| (likeness(&new[i]), std::cmp::Reverse(i)));
        match best.filter(|&i| likeness(&new[i]) > 0) {
            Some(i) => out.push((Some(old), Some(new.remove(i)))),
            None => out.push((Some(old), None)),
        }
    }
    out.extend(new.into_iter().map(|v| (None, Some(v))));
    out
}

/// How many fields two objects share; zero where that is less than half.
fn likeness(a: &Value, b: &Value) -> usize {
    let (Some(x), Some(y)) = (a.as_entries(), b.as_entries()) else {
        return 0;
    };
    let worth = |v: &&Value| !v.is_null();
    let shared = x
        .iter()
        .filter(|(name, v)| worth(v) && y.get(*name).is_some_and(|other| same(v, other)))
        .count();
    let fields = x.values().filter(worth).count().max(1);
    if shared * 2 >= fields { shared } else { 0 }
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
