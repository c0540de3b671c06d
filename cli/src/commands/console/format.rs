//! Values and types as `terraform console` prints them.

use std::fmt::Write as _;
use weir_core::{Kind, Marks, Type, Value};

/// A value, as an expression where it can be one.
pub(super) fn value(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value, 0);
    out
}

/// A type, as it is declared.
pub(super) fn ty(ty: &Type) -> String {
    let mut out = String::new();
    write_type(&mut out, ty, 0);
    out
}

fn write_value(out: &mut String, value: &Value, indent: usize) {
    if value.is_unknown() {
        return out.push_str("(known after apply)");
    }
    if value.is_sensitive() {
        return out.push_str("(sensitive value)");
    }
    if value.marks().contains(Marks::EPHEMERAL) {
        return out.push_str("(ephemeral value)");
    }
    match value.kind() {
        Kind::Unknown(..) => {}
        Kind::Null(ty) => out.push_str(&null(ty)),
        // Writing to a string does not fail.
        Kind::Bool(b) => drop(write!(out, "{b}")),
        Kind::Number(n) => drop(write!(out, "{n}")),
        Kind::String(s) if s.contains('\n') => heredoc(out, s, indent),
        Kind::String(s) => quoted(out, s),
        Kind::Tuple(_) => sequence(out, value, indent),
        Kind::Object(_) => mapping(out, value, indent),
        Kind::List(..) => within(out, "tolist", |out| sequence(out, value, indent)),
        Kind::Set(..) => within(out, "toset", |out| sequence(out, value, indent)),
        Kind::Map(..) => within(out, "tomap", |out| mapping(out, value, indent)),
    }
}

fn null(ty: &Type) -> String {
    match ty {
        Type::Dynamic => "null".into(),
        Type::String => "tostring(null)".into(),
        Type::Number => "tonumber(null)".into(),
        Type::Bool => "tobool(null)".into(),
        Type::List(of) => format!("tolist(null) /* of {} */", name(of)),
        Type::Set(of) => format!("toset(null) /* of {} */", name(of)),
        Type::Map(of) => format!("tomap(null) /* of {} */", name(of)),
        Type::Object(_) => "null /* object */".into(),
        Type::Tuple(_) => "null /* tuple */".into(),
    }
}

/// A type in a few words.
fn name(ty: &Type) -> String {
    match ty {
        Type::Dynamic => "dynamic".into(),
        Type::String => "string".into(),
        Type::Number => "number".into(),
        Type::Bool => "bool".into(),
        Type::List(of) => format!("list of {}", name(of)),
        Type::Set(of) => format!("set of {}", name(of)),
        Type::Map(of) => format!("map of {}", name(of)),
        Type::Object(_) => "object".into(),
        Type::Tuple(_) => "tuple".into(),
    }
}

fn within(out: &mut String, function: &str, inner: impl FnOnce(&mut String)) {
    out.push_str(function);
    out.push('(');
    inner(out);
    out.push(')');
}

fn line(out: &mut String, indent: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

fn sequence(out: &mut String, value: &Value, indent: usize) {
    out.push('[');
    let mut any = false;
    for item in value.children() {
        any = true;
        line(out, indent + 2);
        write_value(out, item, indent + 2);
        out.push(',');
    }
    if any {
        line(out, indent);
    }
    out.push(']');
}

fn mapping(out: &mut String, value: &Value, indent: usize) {
    out.push('{');
    let entries = value.as_entries().filter(|m| !m.is_empty());
    for (key, item) in entries.into_iter().flatten() {
        line(out, indent + 2);
        write_value(out, &Value::string(key.clone()), indent + 2);
        out.push_str(" = ");
        write_value(out, item, indent + 2);
    }
    if entries.is_some() {
        line(out, indent);
    }
    out.push('}');
}

/// Text of several lines, with an end that none of them is.
fn heredoc(out: &mut String, text: &str, indent: usize) {
    let mut end = String::from("EOT");
    while text.split('\n').any(|l| l.trim() == end) {
        end.push('_');
    }
    out.push_str(if indent > 0 { "<<-" } else { "<<" });
    out.push_str(&end);
    for l in text.split('\n').chain([end.as_str()]) {
        line(out, indent);
        out.push_str(l);
    }
}

/// A string as Go quotes it.
fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if printable(c) => out.push(c),
            c if c.is_ascii() => drop(write!(out, "\\x{:02x}", u32::from(c))),
            c if c <= '\u{ffff}' => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => drop(write!(out, "\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
}

/// Whether a character has a shape of its own. After a letter, a combining mark has one.
fn printable(c: char) -> bool {
    let mut letter = String::from("a");
    letter.push(c);
    letter.escape_debug().eq(letter.chars())
}

fn write_type(out: &mut String, ty: &Type, indent: usize) {
    let opening = match ty {
        Type::List(_) => "list(",
        Type::Set(_) => "set(",
        Type::Map(_) => "map(",
        Type::Object(_) => "object({",
        Type::Tuple(_) => "tuple([",
        Type::String | Type::Number | Type::Bool | Type::Dynamic => {
            return out.push_str(&name(ty));
        }
    };
    out.push_str(opening);
    let item = |out: &mut String, name: &str, ty: &Type| {
        line(out, indent + 4);
        out.push_str(name);
        write_type(out, ty, indent + 4);
        out.push(',');
    };
    match ty {
        Type::List(of) | Type::Set(of) | Type::Map(of) => {
            if matches!(**of, Type::Object(_) | Type::Tuple(_)) {
                item(out, "", of);
                line(out, indent);
            } else {
                write_type(out, of, indent);
            }
            out.push(')');
        }
        Type::Object(fields) => {
            for (name, field) in fields.iter() {
                item(out, &format!("{name}: "), &field.ty);
            }
            if !fields.is_empty() {
                line(out, indent);
            }
            out.push_str("})");
        }
        Type::Tuple(items) => {
            for of in items.iter() {
                item(out, "", of);
            }
            if !items.is_empty() {
                line(out, indent);
            }
            out.push_str("])");
        }
        _ => {}
    }
}
