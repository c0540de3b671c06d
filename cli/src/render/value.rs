//! Values as the language writes them, over several lines where that reads better.

use super::tree::{Lines, Mark};
use weir_core::{Kind, Type, Value, address::is_identifier};

/// Of longer texts the first lines are shown and the rest is counted.
const MAX_WHOLE_LINES: usize = 20;

/// Text in quotes, escaped as the language has it.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => {
                out.push(c);
                out.push(c);
            }
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// What the entries of an object or a map are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entries {
    /// Attributes: one that is null is the same as none.
    Attributes,
    /// Elements of a map, whose keys are quoted.
    Elements,
    /// Of a JSON text ([`json_of`]): attributes that may be null.
    Json,
}

impl Entries {
    pub(crate) fn of(value: &Value) -> Entries {
        match value.kind() {
            // No other map is of anything.
            Kind::Map(Type::Dynamic, _) => Entries::Json,
            Kind::Map(..) => Entries::Elements,
            _ => Entries::Attributes,
        }
    }

    pub(crate) fn are_quoted(self) -> bool {
        self == Entries::Elements
    }

    /// Whether one that is null is there.
    pub(crate) fn keep_nulls(self) -> bool {
        self != Entries::Attributes
    }
}

/// The name of a field before its value: bare where it can be, padded to `width`.
pub(crate) fn key(name: &str, quoted: bool, width: usize) -> String {
    let name = if quoted || !is_identifier(name) {
        quote(name)
    } else {
        name.to_owned()
    };
    format!("{name:width$} = ")
}

/// The value in one line; `None` where it takes several.
pub(crate) fn inline(value: &Value) -> Option<String> {
    if value.is_sensitive() {
        return Some("(sensitive value)".into());
    }
    match value.kind() {
        Kind::Null(_) => Some("null".into()),
        Kind::Unknown(..) => Some("(known after apply)".into()),
        Kind::Bool(b) => Some(b.to_string()),
        Kind::Number(n) => Some(n.to_string()),
        Kind::String(s) if is_text(s) || json_of(s).is_some() => None,
        Kind::String(s) => Some(quote(s)),
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
            value.children().next().is_none().then(|| "[]".into())
        }
        Kind::Map(..) | Kind::Object(_) => value.children().next().is_none().then(|| "{}".into()),
    }
}

/// What a JSON text with something in it says; objects become maps, as null is a value there.
pub(crate) fn json_of(text: &str) -> Option<Value> {
    let begins = text.trim_start().starts_with(['{', '[']);
    if !begins {
        return None;
    }
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    let value = weir_core::json::from_json(&json).transform(&mut |v| match v.kind() {
        Kind::Object(fields) => Value::map(Type::Dynamic, (**fields).clone()),
        _ => v,
    });
    let filled = value.children().next().is_some();
    filled.then_some(value)
}

/// Whether text is shown line by line.
pub(crate) fn is_text(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
}

/// Writes a whole value: `label` before it, `suffix` after its last line, `mark` on each line.
pub(crate) fn whole(
    lines: &mut Lines,
    depth: usize,
    mark: Mark,
    label: &str,
    value: &Value,
    suffix: &str,
) {
    marked(lines, depth, [mark, mark], (label, suffix), value);
}

/// As [`whole`], with one mark for the value's first line and one for all inside.
pub(crate) fn marked(
    lines: &mut Lines,
    depth: usize,
    [outer, inner]: [Mark; 2],
    (label, suffix): (&str, &str),
    value: &Value,
) {
    if let Some(text) = inline(value) {
        lines.push(depth, outer, format!("{label}{text}{suffix}"));
        return;
    }
    match value.kind() {
        Kind::String(text) => match json_of(text) {
            Some(json) => {
                lines.push(depth, outer, format!("{label}jsonencode("));
                marked(lines, depth + 1, [Mark::None, inner], ("", ""), &json);
                lines.push(depth, Mark::None, format!("){suffix}"));
            }
            None => text_block(lines, depth, outer, (label, suffix), text),
        },
        Kind::Map(_, m) | Kind::Object(m) => {
            let entries = Entries::of(value);
            let quoted = entries.are_quoted();
            lines.push(depth, outer, format!("{label}{{"));
            let shown: Vec<_> = m
                .iter()
                .filter(|(_, v)| entries.keep_nulls() || !v.is_null())
                .collect();
            let width = width(shown.iter().map(|(k, _)| &***k), quoted);
            for (k, v) in shown {
                whole(lines, depth + 1, inner, &key(k, quoted, width), v, "");
            }
            lines.push(depth, Mark::None, format!("}}{suffix}"));
        }
        _ => {
            lines.push(depth, outer, format!("{label}["));
            for v in value.children() {
                whole(lines, depth + 1, inner, "", v, ",");
            }
            lines.push(depth, Mark::None, format!("]{suffix}"));
        }
    }
}

/// The column at which all `=` of a block stand.
pub(crate) fn width<'a>(names: impl Iterator<Item = &'a str>, quoted: bool) -> usize {
    names
        .map(|n| key(n, quoted, 0).chars().count() - 3)
        .max()
        .unwrap_or(0)
}

fn text_block(
    lines: &mut Lines,
    depth: usize,
    mark: Mark,
    (label, suffix): (&str, &str),
    text: &str,
) {
    lines.push(depth, mark, format!("{label}<<-EOT"));
    for line in text.lines().take(MAX_WHOLE_LINES) {
        lines.push(depth + 1, Mark::None, printable(line));
    }
    let more = text.lines().count().saturating_sub(MAX_WHOLE_LINES);
    if more > 0 {
        lines.remark(depth + 1, format!("# ({more} more lines)"));
    }
    lines.push(depth, Mark::None, format!("EOT{suffix}"));
}

/// A line without its end; escaped where it holds what a terminal would act on.
pub(crate) fn printable(line: &str) -> String {
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.chars().any(|c| c.is_control() && c != '\t') {
        quote(line)
    } else {
        line.into()
    }
}

/// A value by itself, without margin: what `output` prints.
pub(crate) fn plain(label: &str, value: &Value) -> String {
    let mut lines = Lines::default();
    whole(&mut lines, 0, Mark::None, label, value, "");
    unindent(&lines.text(super::style::Paint::Plain))
}

/// Lines without the margin that marks would stand in.
pub(crate) fn unindent(text: &str) -> String {
    text.lines()
        .map(|l| format!("{}\n", l.strip_prefix("    ").unwrap_or(l)))
        .collect()
}
