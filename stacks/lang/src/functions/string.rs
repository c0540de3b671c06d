//! Text.

use super::{
    Function, FunctionError, Outcome, Unknowns, items, room,
    signature::{Param, number, param, string},
    text, whole,
};
use crate::eval::Context;
use weir_core::{Kind, Number, Type, Value};

pub(super) fn functions() -> Vec<Function> {
    let strings = |name| param(name, Type::list(Type::String));
    let text_fn =
        |name, params: Vec<Param>, body| Function::new(name, params, body).gives(Type::String);
    let test_fn =
        |name, params: Vec<Param>, body| Function::new(name, params, body).gives(Type::Bool);
    vec![
        text_fn("upper", vec![string("str")], |a, _| {
            Ok(text(a, 0).chars().map(upper).collect::<String>().into())
        }),
        text_fn("lower", vec![string("str")], |a, _| {
            Ok(text(a, 0).chars().map(lower).collect::<String>().into())
        }),
        text_fn("title", vec![string("str")], |a, _| {
            Ok(title(text(a, 0)).into())
        }),
        text_fn("trimspace", vec![string("str")], |a, _| {
            Ok(text(a, 0).trim().into())
        }),
        text_fn("trim", vec![string("str"), string("cutset")], |a, _| {
            Ok(text(a, 0).trim_matches(|c| text(a, 1).contains(c)).into())
        }),
        text_fn(
            "trimprefix",
            vec![string("str"), string("prefix")],
            |a, _| {
                Ok(text(a, 0)
                    .strip_prefix(text(a, 1))
                    .unwrap_or(text(a, 0))
                    .into())
            },
        ),
        text_fn(
            "trimsuffix",
            vec![string("str"), string("suffix")],
            |a, _| {
                Ok(text(a, 0)
                    .strip_suffix(text(a, 1))
                    .unwrap_or(text(a, 0))
                    .into())
            },
        ),
        text_fn("chomp", vec![string("str")], |a, _| {
            Ok(text(a, 0).trim_end_matches(['\r', '\n']).into())
        }),
        text_fn("indent", vec![number("spaces"), string("str")], indent),
        text_fn("strrev", vec![string("str")], |a, _| {
            Ok(reversed(text(a, 0)).into())
        }),
        text_fn(
            "substr",
            vec![string("str"), number("offset"), number("length")],
            substr,
        ),
        test_fn(
            "startswith",
            vec![string("str"), string("prefix")],
            starts_with,
        )
        .on_unknowns(Unknowns::Handled),
        test_fn("endswith", vec![string("str"), string("suffix")], |a, _| {
            Ok(text(a, 0).ends_with(text(a, 1)).into())
        }),
        test_fn(
            "strcontains",
            vec![string("str"), string("substr")],
            |a, _| Ok(text(a, 0).contains(text(a, 1)).into()),
        )
        .may_give_null(),
        Function::new("join", [string("separator")], join)
            .rest(strings("lists"))
            .gives(Type::String),
        Function::new("split", [string("separator"), string("str")], split)
            .gives(Type::list(Type::String)),
    ]
}

/// Of an unknown text the beginning may be known, which may tell.
fn starts_with(args: &[Value], _: &Context) -> Outcome {
    let known = match args.first().map(Value::kind) {
        Some(Kind::Unknown(_, r)) => r.prefix.as_deref().unwrap_or_default(),
        _ => text(args, 0),
    };
    let Some(wanted) = args.get(1).and_then(Value::as_str) else {
        return Ok(Value::unknown_not_null(Type::Bool));
    };
    let open = args.first().is_some_and(Value::is_unknown);
    Ok(match known.starts_with(wanted) {
        true => Value::bool(true),
        false if open && wanted.starts_with(known) => Value::unknown_not_null(Type::Bool),
        false => Value::bool(false),
    })
}

/// The capital of a letter, where it is one letter too: Go's mapping, which Terraform has.
fn upper(c: char) -> char {
    let mut mapped = c.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// The small letter of a capital.
fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// What a reader sees as one character.
fn graphemes(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    unicode_segmentation::UnicodeSegmentation::graphemes(text, true)
}

fn reversed(text: &str) -> String {
    graphemes(text).rev().collect()
}

/// The first letter of each word in its title case, where a word is letters, digits, `_` and `'`.
fn title(text: &str) -> String {
    let mut before = ' ';
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_separator(before) {
            out.push(title_case(c));
        } else {
            out.push(c)
        }
        before = c;
    }
    out
}

/// The capital of a letter at the beginning of a word: of two letters in one, the first alone.
fn title_case(c: char) -> char {
    match c {
        'Ǆ' | 'ǅ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǈ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǋ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǲ' | 'ǳ' => 'ǲ',
        _ => upper(c),
    }
}

fn is_separator(c: char) -> bool {
    if c.is_ascii() {
        return !(c.is_ascii_alphanumeric() || c == '_');
    }
    c.is_whitespace()
}

fn indent(args: &[Value], _: &Context) -> Outcome {
    let spaces = usize::try_from(whole(args, 0)?)
        .map_err(|_| FunctionError::Argument(0, "it must not be negative".into()))?;
    let lines = text(args, 1).matches('\n').count();
    room(spaces.saturating_mul(lines))?;
    if lines == 0 {
        return Ok(text(args, 1).into());
    }
    Ok(text(args, 1)
        .replace('\n', &format!("\n{}", " ".repeat(spaces)))
        .into())
}

fn substr(args: &[Value], _: &Context) -> Outcome {
    let (offset, length) = (whole(args, 1)?, whole(args, 2)?);
    let characters: Vec<&str> = graphemes(text(args, 0)).collect();
    let len = i64::try_from(characters.len()).unwrap_or(i64::MAX);
    let start = if offset < 0 {
        (len + offset).max(0)
    } else {
        offset
    };
    if start >= len {
        return Ok(Value::string(""));
    }
    let end = if length < 0 {
        len
    } else {
        (start.saturating_add(length)).min(len)
    };
    let (start, end) = (
        usize::try_from(start).unwrap_or(0),
        usize::try_from(end).unwrap_or(0),
    );
    Ok(characters
        .get(start..end)
        .unwrap_or_default()
        .concat()
        .into())
}

fn join(args: &[Value], _: &Context) -> Outcome {
    let mut parts = Vec::new();
    for i in 1..args.len() {
        for (n, item) in items(args, i).into_iter().enumerate() {
            match item.as_str() {
                Some(part) => parts.push(part),
                None => {
                    return Err(FunctionError::Argument(
                        i,
                        format!("element {n} is null; cannot concatenate null values"),
                    ));
                }
            }
        }
    }
    if args.len() < 2 {
        return Err(FunctionError::call("at least one list is required"));
    }
    let between = parts.len().saturating_mul(text(args, 0).len());
    room(parts.iter().map(|p| p.len()).sum::<usize>() + between)?;
    Ok(parts.join(text(args, 0)).into())
}

fn split(args: &[Value], _: &Context) -> Outcome {
    let (separator, whole) = (text(args, 0), text(args, 1));
    let parts: Vec<Value> = if separator.is_empty() {
        whole
            .chars()
            .map(|c| Value::string(c.to_string()))
            .collect()
    } else {
        whole.split(separator).map(Value::string).collect()
    };
    Ok(Value::list(Type::String, parts))
}

/// The number of characters a reader sees.
pub(super) fn length(text: &str) -> Number {
    Number::from(graphemes(text).count() as u64)
}
