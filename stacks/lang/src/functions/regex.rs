//! Patterns.

use super::{Function, FunctionError, Outcome, re2::translate, room, signature::string, text};
use crate::eval::Context;
use regex::{Captures, Regex};
use std::sync::Arc;
use weir_core::{Type, Value};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new("regex", [string("pattern"), string("string")], find).gives_by(match_type),
        Function::new("regexall", [string("pattern"), string("string")], find_all)
            .gives_by(|a| match_type(a).map(Type::list)),
        Function::new(
            "replace",
            [string("str"), string("substr"), string("replace")],
            replace,
        )
        .gives(Type::String),
    ]
}

fn compile(pattern: &str, index: usize) -> Outcome<Regex> {
    let refused =
        |why: String| FunctionError::Argument(index, format!("invalid regex pattern: {why}"));
    Regex::new(&translate(pattern).map_err(refused)?).map_err(|e| {
        let why = e.to_string();
        let last = why
            .lines()
            .last()
            .unwrap_or_default()
            .trim_start_matches("error: ");
        refused(last.to_owned())
    })
}

/// What a match gives: the text, or its groups by number, or by name.
fn shape(regex: &Regex) -> Type {
    let names: Vec<Arc<str>> = regex.capture_names().flatten().map(Arc::from).collect();
    let groups = regex.captures_len() - 1;
    match (groups, names.len()) {
        (0, _) => Type::String,
        (_, 0) => Type::tuple(std::iter::repeat_n(Type::String, groups)),
        _ => Type::object(names.into_iter().map(|n| (n, Type::String))),
    }
}

fn group(captures: &Captures<'_>, index: usize) -> Value {
    captures
        .get(index)
        .map_or(Value::null_of(Type::String), |m| Value::string(m.as_str()))
}

fn matched(regex: &Regex, captures: &Captures<'_>) -> Value {
    match shape(regex) {
        Type::String => group(captures, 0),
        Type::Tuple(groups) => {
            Value::tuple((1..=groups.len()).map(|i| group(captures, i)).collect())
        }
        _ => Value::object(
            regex
                .capture_names()
                .enumerate()
                .filter_map(|(i, name)| name.map(|name| (name, group(captures, i)))),
        ),
    }
}

fn mixed(regex: &Regex) -> Outcome<()> {
    let names = regex.capture_names().flatten().count();
    if names > 0 && names != regex.captures_len() - 1 {
        return Err(FunctionError::Argument(
            0,
            "invalid regex pattern: cannot mix both named and unnamed capture groups".into(),
        ));
    }
    Ok(())
}

/// What a match gives; it is the pattern that says.
fn match_type(args: &[Value]) -> Outcome<Type> {
    if args.first().is_none_or(Value::is_unknown) {
        return Ok(Type::Dynamic);
    }
    let regex = compile(text(args, 0), 0)?;
    mixed(&regex)?;
    Ok(shape(&regex))
}

fn find(args: &[Value], _: &Context) -> Outcome {
    let regex = compile(text(args, 0), 0)?;
    mixed(&regex)?;
    regex
        .captures(text(args, 1))
        .map(|c| matched(&regex, &c))
        .ok_or_else(|| FunctionError::call("pattern did not match any part of the given string"))
}

fn find_all(args: &[Value], _: &Context) -> Outcome {
    let regex = compile(text(args, 0), 0)?;
    mixed(&regex)?;
    let all = regex
        .captures_iter(text(args, 1))
        .map(|c| matched(&regex, &c))
        .collect();
    Ok(Value::list(shape(&regex), all))
}

fn replace(args: &[Value], _: &Context) -> Outcome {
    let (whole, wanted, with) = (text(args, 0), text(args, 1), text(args, 2));
    let pattern = wanted.strip_prefix('/').and_then(|p| p.strip_suffix('/'));
    let grown = |matches: usize| (matches.saturating_mul(with.len())).saturating_add(whole.len());
    match pattern.filter(|_| wanted.len() > 1) {
        Some(pattern) => {
            let pattern = compile(pattern, 1)?;
            // All matches together put the text in once more for each `$` at most.
            let captured = whole.len().saturating_mul(with.matches('$').count());
            room(grown(pattern.find_iter(whole).count()).saturating_add(captured))?;
            Ok(pattern.replace_all(whole, with).as_ref().into())
        }
        None => {
            room(grown(whole.matches(wanted).count()))?;
            Ok(whole.replace(wanted, with).into())
        }
    }
}
