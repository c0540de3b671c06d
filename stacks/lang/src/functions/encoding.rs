//! JSON, YAML, CSV, base64, URLs.

use super::{
    Function, FunctionError, Outcome, Unknowns, csv,
    signature::{any, string},
    text, yaml,
};
use crate::eval::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::Compression;
use std::{borrow::Cow, fmt::Write as _, io::Write as _, str::FromStr, sync::Arc};
use weir_core::{Kind, Number, Type, Value, value::Refinements};

pub(super) fn functions() -> Vec<Function> {
    let of = |name, body| Function::new(name, [string("str")], body).gives(Type::String);
    vec![
        Function::new("jsonencode", [any("val").nullable()], jsonencode)
            .on_unknowns(Unknowns::Handled),
        Function::new("jsondecode", [string("str")], jsondecode).gives_by(json_type),
        Function::new("yamlencode", [any("value").nullable()], |a, _| {
            Ok(a.first().map(yaml::encode).unwrap_or_default().into())
        })
        .gives(Type::String)
        .may_give_null(),
        Function::new("yamldecode", [string("src")], |a, _| {
            yaml::decode(text(a, 0))
        }),
        Function::new("csvdecode", [string("str")], csvdecode),
        of("base64encode", |a, _| {
            Ok(STANDARD.encode(text(a, 0)).into())
        }),
        of("base64decode", base64decode),
        of("base64gzip", |a, _| base64gzip(text(a, 0))),
        of("urlencode", |a, _| Ok(urlencode(text(a, 0)).into())),
    ]
}

/// A value as JSON text, as Go writes it.
pub(super) fn to_json(value: &Value) -> String {
    let mut out = String::new();
    write_json(value, &mut out);
    out
}

fn write_json(value: &Value, out: &mut String) {
    match value.kind() {
        Kind::Null(_) | Kind::Unknown(..) => out.push_str("null"),
        Kind::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Kind::Number(n) => {
            let _ = write!(out, "{n}");
        }
        Kind::String(s) => out.push_str(&json_string(s)),
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
            out.push('[');
            for (i, item) in value.children().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_json(item, out);
            }
            out.push(']');
        }
        Kind::Map(_, entries) | Kind::Object(entries) => {
            out.push('{');
            for (i, (key, item)) in entries.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&json_string(key));
                out.push(':');
                write_json(item, out);
            }
            out.push('}');
        }
    }
}

/// A JSON string with what HTML could take amiss escaped, as Go's encoder does.
pub(super) fn json_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Of what is unknown, the text's first character may be known all the same.
fn jsonencode(args: &[Value], _: &Context) -> Outcome {
    let Some(value) = args.first() else {
        return Ok(Value::null());
    };
    if value.is_wholly_known() {
        return Ok(to_json(value).into());
    }
    let opening = match value.ty() {
        Type::String => Some("\""),
        Type::List(_) | Type::Set(_) | Type::Tuple(_) => Some("["),
        Type::Map(_) | Type::Object(_) => Some("{"),
        _ => None,
    };
    let known = Refinements {
        prefix: opening
            .filter(|_| value.is_surely_not_null())
            .map(Arc::from),
        ..Refinements::not_null()
    };
    Ok(Value::unknown_refined(Type::String, known))
}

/// What the first character of a JSON text says of its type, where no more is known.
fn json_type(args: &[Value]) -> Outcome<Type> {
    let prefix = match args.first().map(Value::kind) {
        Some(Kind::Unknown(_, r)) => r.prefix.as_deref().unwrap_or_default(),
        _ => "",
    };
    Ok(match prefix.trim_start().chars().next() {
        None | Some('{' | '[' | 'n') => Type::Dynamic,
        Some('"') => Type::String,
        Some('t' | 'f') => Type::Bool,
        Some('-' | '0'..='9') => Type::Number,
        Some(c) => {
            return Err(FunctionError::Argument(
                0,
                format!("a JSON document cannot begin with the character {c:?}"),
            ));
        }
    })
}

fn jsondecode(args: &[Value], _: &Context) -> Outcome {
    let json: serde_json::Value = serde_json::from_str(&paired(text(args, 0)))
        .map_err(|e| FunctionError::Argument(0, format!("invalid JSON: {e}")))?;
    from_json(&json)
}

/// The text with halves of surrogate pairs replaced that stand alone, as Go reads them.
fn paired(text: &str) -> Cow<'_, str> {
    let half = |text: &str, range: std::ops::RangeInclusive<u32>| {
        let digits = text.strip_prefix("\\u").and_then(|t| t.get(..4))?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        range.contains(&code).then_some(())
    };
    if !text.contains("\\ud") && !text.contains("\\uD") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let high = half(rest, 0xd800..=0xdbff).is_some();
        let low = half(rest, 0xdc00..=0xdfff).is_some();
        let pair = high
            && rest
                .get(6..)
                .is_some_and(|t| half(t, 0xdc00..=0xdfff).is_some());
        let (written, length) = match (pair, high || low) {
            (true, _) => (&rest[..12], 12),
            (false, true) => ("\\ufffd", 6),
            // The character after a backslash is a part of the escape, even where it is another.
            (false, false) => {
                let length = rest.chars().take(2).map(char::len_utf8).sum();
                (&rest[..length], length)
            }
        };
        out.push_str(written);
        rest = &rest[length..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn from_json(json: &serde_json::Value) -> Outcome {
    use serde_json::Value as Json;
    Ok(match json {
        Json::Null => Value::null(),
        Json::Bool(b) => Value::bool(*b),
        Json::Number(n) => Value::number(
            Number::from_str(&n.to_string())
                .map_err(|e| FunctionError::Argument(0, e.to_string()))?,
        ),
        Json::String(s) => Value::string(crate::parse::nfc(s)),
        Json::Array(items) => Value::tuple(items.iter().map(from_json).collect::<Outcome<_>>()?),
        Json::Object(fields) => Value::object(
            fields
                .iter()
                .map(|(k, v)| from_json(v).map(|v| (crate::parse::nfc(k), v)))
                .collect::<Outcome<Vec<_>>>()?,
        ),
    })
}

fn csvdecode(args: &[Value], _: &Context) -> Outcome {
    let wrong = |why: String| FunctionError::Argument(0, why);
    let mut records = csv::records(text(args, 0)).map_err(wrong)?.into_iter();
    let Some(names) = records.next() else {
        return Err(wrong("missing header line".into()));
    };
    let mut sorted = names.clone();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|w| w[0] == w[1]) {
        return Err(wrong(format!("duplicate column name {:?}", twice[0])));
    }
    let ty = Type::object(names.iter().map(|n| (n.as_str(), Type::String)));
    let rows = records
        .map(|record| {
            if record.len() != names.len() {
                return Err(wrong(format!(
                    "wrong number of fields: the header has {}, a line has {}",
                    names.len(),
                    record.len()
                )));
            }
            Ok(Value::object(
                names
                    .iter()
                    .map(String::as_str)
                    .zip(record.into_iter().map(Value::from)),
            ))
        })
        .collect::<Outcome<Vec<_>>>()?;
    Ok(Value::list(ty, rows))
}

fn base64decode(args: &[Value], _: &Context) -> Outcome {
    let wrong = |e: String| FunctionError::Argument(0, e);
    // Go's decoder skips line ends.
    let text: String = text(args, 0)
        .chars()
        .filter(|c| !matches!(c, '\n' | '\r'))
        .collect();
    let bytes = STANDARD
        .decode(&text)
        .map_err(|e| wrong(format!("failed to decode base64 data: {e}")))?;
    String::from_utf8(bytes)
        .map(Value::from)
        .map_err(|_| wrong("the result of decoding the provided string is not valid UTF-8".into()))
}

/// Compressed as Go's writer does it when it is flushed and closed: no time in the header, then the
/// data with an empty block, and one more empty block at the end.
fn base64gzip(text: &str) -> Outcome {
    const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    const LAST_BLOCK: [u8; 5] = [1, 0, 0, 0xff, 0xff];
    let failed = |e: std::io::Error| FunctionError::call(format!("compressing failed: {e}"));
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).map_err(failed)?;
    encoder.flush().map_err(failed)?;
    let mut sum = flate2::Crc::new();
    sum.update(text.as_bytes());
    let mut out = HEADER.to_vec();
    out.extend_from_slice(encoder.get_ref());
    out.extend_from_slice(&LAST_BLOCK);
    out.extend_from_slice(&sum.sum().to_le_bytes());
    out.extend_from_slice(&sum.amount().to_le_bytes());
    Ok(STANDARD.encode(out).into())
}

fn urlencode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
