//! Lists, and what all collections share.

use super::{
    Function, FunctionError, Marking, Outcome, Unknowns, count, items,
    signature::{any, number, param},
    whole,
};
use crate::eval::{self, Context};
use std::collections::BTreeSet;
use weir_core::{
    Kind, Marks, Type, Value,
    convert::{convert, unify},
    value::{Bound, Refinements},
};

pub(super) fn functions() -> Vec<Function> {
    let list = |name| param(name, Type::list(Type::Dynamic));
    let truth = |name, body| {
        Function::new(name, [param("list", Type::list(Type::Bool))], body)
            .gives(Type::Bool)
            .on_unknowns(Unknowns::Shallow)
    };
    vec![
        Function::new("length", [any("value")], length)
            .on_marks(Marking::Shallow)
            .on_unknowns(Unknowns::Handled),
        Function::new("concat", [], concat)
            .rest(any("seqs").typed())
            .gives_by(concat_type)
            .elementwise(),
        Function::new("element", [any("list").typed(), number("index")], element)
            .gives_by(picked_type)
            .may_give_null()
            .elementwise(),
        Function::new(
            "index",
            [any("list").typed(), any("value").nullable().typed()],
            index,
        )
        .gives(Type::Number)
        .on_unknowns(Unknowns::Shallow),
        Function::new(
            "slice",
            [
                any("list").typed(),
                number("start_index"),
                number("end_index"),
            ],
            slice,
        )
        .gives_by(slice_type)
        .elementwise(),
        Function::new("reverse", [any("list").typed()], reverse)
            .gives_by(reversed_type)
            .elementwise(),
        Function::new("sort", [param("list", Type::list(Type::String))], sort)
            .on_unknowns(Unknowns::Handled),
        Function::new("flatten", [any("list")], flatten).elementwise(),
        Function::new("distinct", [list("list")], distinct).gives_by(|a| Ok(first(a).ty())),
        Function::new(
            "compact",
            [param("list", Type::list(Type::String))],
            compact,
        )
        .gives(Type::list(Type::String)),
        Function::new("chunklist", [list("list"), number("size")], chunklist)
            .gives_by(|a| Ok(Type::list(first(a).ty())))
            .elementwise(),
        Function::new(
            "range",
            [
                number("start_or_end"),
                number("end").optional(),
                number("step").optional(),
            ],
            range,
        )
        .gives(Type::list(Type::Number)),
        Function::new("one", [any("list")], one)
            .gives_by(only_type)
            .may_give_null()
            .elementwise(),
        Function::new(
            "matchkeys",
            [list("values"), list("keys"), list("searchset")],
            matchkeys,
        )
        .gives_by(matched_type)
        .on_unknowns(Unknowns::Shallow),
        Function::new("coalesce", [], coalesce)
            .rest(any("vals").nullable())
            .on_unknowns(Unknowns::Handled),
        Function::new("coalescelist", [], coalescelist)
            .rest(any("vals").nullable())
            .on_unknowns(Unknowns::Handled),
        Function::new(
            "contains",
            [any("list").typed(), any("value").typed()],
            contains,
        )
        .gives(Type::Bool)
        .on_unknowns(Unknowns::Shallow),
        truth("alltrue", |a, _| Ok(truths(a, false))),
        truth("anytrue", |a, _| Ok(truths(a, true))),
    ]
}

pub(super) fn first(args: &[Value]) -> Value {
    args.first().cloned().unwrap_or_else(Value::null)
}

/// The elements of a sequence; what is none is refused.
fn sequence<'v>(args: &'v [Value], index: usize, what: &str) -> Outcome<Vec<&'v Value>> {
    args.get(index).and_then(Value::elements).ok_or_else(|| {
        FunctionError::Argument(index, format!("{what} must be a list, set or tuple"))
    })
}

/// The elements of a list or tuple; a set has no order to count by.
pub(super) fn indexed(args: &[Value], index: usize) -> Outcome<Vec<&Value>> {
    match args.get(index).map(Value::kind) {
        Some(Kind::List(..) | Kind::Tuple(_)) => sequence(args, index, "it"),
        _ => Err(FunctionError::Argument(
            index,
            "a list or tuple is required".into(),
        )),
    }
}

/// A list where they have a type in common, else a tuple.
fn collect(source: &Value, items: Vec<Value>) -> Value {
    match source.kind() {
        Kind::List(ty, _) | Kind::Set(ty, _) => Value::list(ty.clone(), items),
        _ => Value::tuple(items),
    }
}

fn length(args: &[Value], _: &Context) -> Outcome {
    let value = first(args);
    let at_least = |min: usize| Refinements {
        min: Some(Bound::inclusive(i64::try_from(min).unwrap_or(i64::MAX))),
        ..Refinements::not_null()
    };
    Ok(match value.kind() {
        Kind::String(s) => Value::number(super::string::length(s)),
        Kind::Unknown(Type::Bool | Type::Number, _) | Kind::Bool(_) | Kind::Number(_) => {
            return Err(FunctionError::Argument(
                0,
                "argument must be a string, a collection type, or a structural type".into(),
            ));
        }
        // What comes after a known prefix can't make it shorter.
        Kind::Unknown(Type::String, r) => {
            let known = r.prefix.as_deref().unwrap_or_default();
            let known = Refinements {
                min: Some(Bound::inclusive(super::string::length(known))),
                ..Refinements::not_null()
            };
            Value::unknown_refined(Type::Number, known)
        }
        Kind::Unknown(Type::Dynamic, _) => Value::unknown_not_null(Type::Number),
        _ => match value.length_range() {
            (min, max) if min == max => count(min),
            (min, max) => {
                let max = Bound::inclusive(i64::try_from(max).unwrap_or(i64::MAX));
                let known = Refinements {
                    max: Some(max),
                    ..at_least(min)
                };
                Value::unknown_refined(Type::Number, known)
            }
        },
    })
}

/// A list where all are lists that have a type in common, else a tuple; of what is unknown the
/// type must tell how long it is.
fn concat_type(args: &[Value]) -> Outcome<Type> {
    if args.is_empty() {
        return Err(FunctionError::call("at least one argument is required"));
    }
    let elements: usize = args.iter().map(|a| a.children().count()).sum();
    if elements > crate::eval::MAX_ELEMENTS {
        return Err(FunctionError::call(format!(
            "its result would have more than {} elements",
            crate::eval::MAX_ELEMENTS
        )));
    }
    let types: Vec<Type> = args.iter().map(Value::ty).collect();
    let lists: Option<Vec<Type>> = types
        .iter()
        .map(|t| match t {
            Type::List(of) => Some((**of).clone()),
            _ => None,
        })
        .collect();
    if let Some(ty) = lists.and_then(|l| unify(&l)) {
        return Ok(Type::list(ty));
    }
    let mut all: Vec<Type> = Vec::new();
    for (i, (arg, ty)) in args.iter().zip(types).enumerate() {
        match ty {
            Type::Tuple(items) => all.extend(items.iter().cloned()),
            Type::List(_) if arg.is_unknown() => return Ok(Type::Dynamic),
            Type::List(of) => {
                all.extend(std::iter::repeat_n((*of).clone(), arg.children().count()));
            }
            _ => {
                return Err(FunctionError::Argument(
                    i,
                    "all arguments must be lists or tuples; to use a set, give it to tolist first"
                        .into(),
                ));
            }
        }
    }
    Ok(Type::tuple(all))
}

fn concat(args: &[Value], _: &Context) -> Outcome {
    let ty = concat_type(args)?;
    let all: Vec<Value> = args
        .iter()
        .flat_map(|a| a.children().cloned().collect::<Vec<_>>())
        .collect();
    match ty {
        Type::List(of) => {
            let all = all
                .iter()
                .map(|v| convert(v, &of))
                .collect::<Result<_, _>>();
            all.map(|all| Value::list((*of).clone(), all))
                .map_err(|e| FunctionError::call(e.to_string()))
        }
        _ => Ok(Value::tuple(all)),
    }
}

/// What `element` gives where the list or the index is unknown.
fn picked_type(args: &[Value]) -> Outcome<Type> {
    match first(args).ty() {
        Type::List(of) => Ok((*of).clone()),
        Type::Tuple(items) => {
            if args.get(1).is_some_and(Value::is_unknown) {
                return Ok(Type::Dynamic);
            }
            wrapped(args, items.len()).map(|i| items.get(i).cloned().unwrap_or(Type::Dynamic))
        }
        ty => Err(FunctionError::Argument(
            0,
            format!("cannot read elements from {} by index", ty.friendly()),
        )),
    }
}

/// The index of `element`, which wraps around, but not to below zero.
fn wrapped(args: &[Value], len: usize) -> Outcome<usize> {
    let index = whole(args, 1)?;
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    if len == 0 {
        return Err(FunctionError::call(
            "cannot use element function with an empty list",
        ));
    }
    usize::try_from(index % len)
        .ok()
        .filter(|_| index >= 0)
        .ok_or_else(|| {
            FunctionError::Argument(
                1,
                "cannot use element function with a negative index".into(),
            )
        })
}

fn element(args: &[Value], _: &Context) -> Outcome {
    picked_type(args)?;
    let items = sequence(args, 0, "it")?;
    let at = wrapped(args, items.len())?;
    Ok(items.get(at).map_or_else(Value::null, |v| (*v).clone()))
}

fn index(args: &[Value], _: &Context) -> Outcome {
    let items = indexed(args, 0)?;
    if items.is_empty() {
        return Err(FunctionError::call("cannot search an empty list"));
    }
    let wanted = args.get(1).cloned().unwrap_or_else(Value::null);
    for (i, item) in items.into_iter().enumerate() {
        match eval::equal(item, &wanted).as_bool() {
            Some(true) => return Ok(count(i)),
            Some(false) => {}
            // It might be the one.
            None => return Ok(Value::unknown_not_null(Type::Number)),
        }
    }
    Err(FunctionError::call("item not found"))
}

/// The part of a list or tuple of that length, as far as start and end are known.
fn part(args: &[Value], len: Option<usize>) -> Outcome<(Option<usize>, Option<usize>)> {
    let place = |index: usize| match args.get(index).is_some_and(Value::is_unknown) {
        true => Ok(None),
        false => whole(args, index).map(Some),
    };
    let fits = |at: Option<i64>, index: usize, why: &str| {
        let Some(at) = at else { return Ok(None) };
        usize::try_from(at)
            .ok()
            .filter(|at| len.is_none_or(|len| *at <= len))
            .map(Some)
            .ok_or_else(|| FunctionError::Argument(index, why.to_owned()))
    };
    let start = fits(
        place(1)?,
        1,
        "start index must be at least zero and not greater than the length of the list",
    )?;
    let end = fits(
        place(2)?,
        2,
        "end index must be at least zero and not greater than the length of the list",
    )?;
    if start.zip(end).is_some_and(|(start, end)| start > end) {
        return Err(FunctionError::Argument(
            1,
            "start index must not be greater than end index".into(),
        ));
    }
    Ok((start, end))
}

fn slice_type(args: &[Value]) -> Outcome<Type> {
    let list = first(args);
    let why = match list.ty() {
        ty @ Type::List(_) => {
            part(args, None)?;
            return Ok(ty);
        }
        Type::Tuple(items) => {
            return Ok(match part(args, Some(items.len()))? {
                (Some(start), Some(end)) => Type::tuple(items[start..end].iter().cloned()),
                _ => Type::Dynamic,
            });
        }
        Type::Set(_) => {
            "cannot slice a set, because its elements do not have indices; explicitly convert to a \
             list if the ordering of the result is not important"
        }
        _ => "must be a list or tuple value",
    };
    Err(FunctionError::Argument(0, why.into()))
}

fn slice(args: &[Value], _: &Context) -> Outcome {
    slice_type(args)?;
    let items = sequence(args, 0, "it")?;
    let (start, end) = part(args, Some(items.len()))?;
    let kept = items[start.unwrap_or(0)..end.unwrap_or(items.len())].iter();
    Ok(collect(&first(args), kept.map(|v| (*v).clone()).collect()))
}

fn reversed_type(args: &[Value]) -> Outcome<Type> {
    match first(args).ty() {
        Type::List(of) | Type::Set(of) => Ok(Type::List(of)),
        Type::Tuple(items) => Ok(Type::tuple(items.iter().rev().cloned())),
        ty => Err(FunctionError::Argument(
            0,
            format!(
                "can only reverse list or tuple values, not {}",
                ty.friendly()
            ),
        )),
    }
}

fn reverse(args: &[Value], _: &Context) -> Outcome {
    let list = first(args);
    if !list.has_known_length() {
        return reversed_type(args).map(Value::unknown_not_null);
    }
    let items = sequence(args, 0, "it")?;
    Ok(collect(&list, items.into_iter().rev().cloned().collect()))
}

fn sort(args: &[Value], _: &Context) -> Outcome {
    let list = first(args);
    if !list.is_wholly_known() {
        // Its length is known where only elements are not.
        let (min, max) = list.length_range();
        let known = Refinements {
            min_len: Some(min).filter(|_| min == max),
            max_len: Some(max).filter(|_| min == max),
            ..Refinements::not_null()
        };
        return Ok(Value::unknown_refined(Type::list(Type::String), known));
    }
    let mut items: Vec<Value> = items(args, 0).into_iter().cloned().collect();
    if items.iter().any(Value::is_null) {
        return Err(FunctionError::Argument(
            0,
            "given list element is null; a null string cannot be sorted".into(),
        ));
    }
    items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
    Ok(Value::list(Type::String, items))
}

fn flatten(args: &[Value], _: &Context) -> Outcome {
    let mut out = Vec::new();
    let mut marks = Marks::NONE;
    let list = first(args);
    if list.elements().is_none() {
        return Err(FunctionError::Argument(
            0,
            "can only flatten lists, sets and tuples".into(),
        ));
    }
    if flatten_into(&list, &mut out, &mut marks) {
        Ok(Value::tuple(out).mark(marks))
    } else {
        Ok(Value::unknown(Type::Dynamic).mark(marks))
    }
}

/// `false` where an unknown list stands in it, whose length decides the result's. The marks are
/// those of all lists, known or not.
fn flatten_into(value: &Value, out: &mut Vec<Value>, marks: &mut Marks) -> bool {
    let mut known = value.has_known_length();
    for item in value.elements().unwrap_or_default() {
        match item.kind() {
            Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
                *marks = marks.union(item.marks());
                known &= flatten_into(item, out, marks);
            }
            Kind::Unknown(Type::List(_) | Type::Set(_) | Type::Tuple(_) | Type::Dynamic, _) => {
                *marks = marks.union(item.marks());
                known = false;
            }
            _ => out.push(item.clone()),
        }
    }
    known
}

fn distinct(args: &[Value], _: &Context) -> Outcome {
    let mut seen = std::collections::BTreeSet::new();
    let kept = items(args, 0)
        .into_iter()
        .filter(|v| seen.insert((*v).clone()))
        .cloned()
        .collect();
    Ok(collect(&first(args), kept))
}

fn compact(args: &[Value], _: &Context) -> Outcome {
    let kept = items(args, 0)
        .into_iter()
        .filter(|v| v.as_str().is_some_and(|s| !s.is_empty()))
        .cloned()
        .collect();
    Ok(Value::list(Type::String, kept))
}

fn chunklist(args: &[Value], _: &Context) -> Outcome {
    let list = first(args);
    if !list.has_known_length() {
        return Ok(Value::unknown_not_null(Type::list(list.ty())));
    }
    let items: Vec<Value> = items(args, 0).into_iter().cloned().collect();
    let size = usize::try_from(whole(args, 1)?)
        .map_err(|_| FunctionError::Argument(1, "the size argument must be positive".into()))?;
    let ty = list.ty();
    let chunks: Vec<Value> = match size {
        0 => vec![list],
        size => items
            .chunks(size)
            .map(|c| collect(&list, c.to_vec()))
            .collect(),
    };
    Ok(Value::list(ty, chunks))
}

/// The most numbers a range holds.
const RANGE_LIMIT: usize = 1024;

fn range(args: &[Value], _: &Context) -> Outcome {
    let n = |i: usize| args.get(i).and_then(Value::as_number).cloned();
    let zero = weir_core::Number::ZERO;
    let one = weir_core::Number::from(1i64);
    let (start, end, step) = match (n(0), n(1), n(2)) {
        (Some(end), None, _) => (zero.clone(), end, None),
        (Some(start), Some(end), step) => (start, end, step),
        _ => return Err(FunctionError::call("at least one argument is required")),
    };
    let down = end < start;
    let step = step.unwrap_or_else(|| if down { one.neg() } else { one });
    let wrong = |why: &str| Err(FunctionError::call(why));
    if step == zero {
        return wrong("step must not be zero");
    }
    if down && step > zero {
        return wrong("end must be greater than start when step is positive");
    }
    if !down && step < zero && start != end {
        return wrong("end must be less than start when step is negative");
    }
    let mut out = Vec::new();
    let mut at = start;
    while if down { at > end } else { at < end } {
        if out.len() >= RANGE_LIMIT {
            return wrong(
                "more than 1024 values were generated; either decrease the difference between start and end or use a smaller step",
            );
        }
        out.push(Value::number(at.clone()));
        at = at.add(&step);
    }
    Ok(Value::list(Type::Number, out))
}

fn not_one() -> FunctionError {
    FunctionError::Argument(
        0,
        "must be a list, set, or tuple value with either zero or one elements".into(),
    )
}

fn only_type(args: &[Value]) -> Outcome<Type> {
    match first(args).ty() {
        Type::List(of) | Type::Set(of) => Ok((*of).clone()),
        Type::Tuple(items) => match &*items {
            [] => Ok(Type::Dynamic),
            [only] => Ok(only.clone()),
            _ => Err(not_one()),
        },
        Type::Dynamic => Ok(Type::Dynamic),
        _ => Err(not_one()),
    }
}

fn one(args: &[Value], _: &Context) -> Outcome {
    let ty = only_type(args)?;
    let list = first(args);
    let items = sequence(args, 0, "it")?;
    match (items.as_slice(), list.length_range()) {
        ([], _) => Ok(Value::null_of(ty)),
        ([only], _) => Ok((*only).clone()),
        (_, (1, _)) => Ok(Value::unknown(ty)),
        _ => Err(not_one()),
    }
}

/// The type that keys and searchset have in common.
fn key_type(args: &[Value]) -> Outcome<Type> {
    let types: Vec<Type> = args.iter().skip(1).map(Value::ty).collect();
    unify(&types).ok_or_else(|| FunctionError::call("keys and searchset must be of the same type"))
}

fn matched_type(args: &[Value]) -> Outcome<Type> {
    key_type(args)?;
    Ok(first(args).ty())
}

fn matchkeys(args: &[Value], _: &Context) -> Outcome {
    let ty = matched_type(args)?;
    let (values, keys) = (sequence(args, 0, "values")?, sequence(args, 1, "keys")?);
    if values.len() != keys.len() {
        return Err(FunctionError::call(
            "length of keys and values should be equal",
        ));
    }
    if !args.iter().all(Value::is_wholly_known) {
        return Ok(Value::unknown_not_null(ty));
    }
    let ty = key_type(args)?;
    let alike = |index: usize| {
        let list = args.get(index).cloned().unwrap_or_else(Value::null);
        convert(&list, &ty).map_err(|e| FunctionError::Argument(index, e.to_string()))
    };
    let (keys, wanted) = (alike(1)?, alike(2)?);
    let wanted: BTreeSet<&Value> = wanted.children().collect();
    let kept = values
        .into_iter()
        .zip(keys.children())
        .filter(|(_, key)| wanted.contains(key))
        .map(|(v, _)| v.clone())
        .collect();
    Ok(collect(&first(args), kept))
}

fn coalesce(args: &[Value], _: &Context) -> Outcome {
    if args.is_empty() {
        return Err(FunctionError::call("at least one argument is required"));
    }
    let types: Vec<Type> = args.iter().map(Value::ty).collect();
    let ty = unify(&types)
        .ok_or_else(|| FunctionError::call("all arguments must have the same type"))?;
    for arg in args {
        if arg.is_null() {
            continue;
        }
        if arg.is_unknown() {
            return Ok(Value::unknown(ty).refined_not_null());
        }
        let value = convert(arg, &ty).map_err(|e| FunctionError::call(e.to_string()))?;
        if value.as_str() == Some("") {
            continue;
        }
        return Ok(value);
    }
    Err(FunctionError::call(
        "no non-null, non-empty-string arguments",
    ))
}

fn coalescelist(args: &[Value], _: &Context) -> Outcome {
    if args.is_empty() {
        return Err(FunctionError::call("at least one argument is required"));
    }
    let mut open = None;
    for (i, arg) in args.iter().enumerate() {
        // An unknown one leaves the type open, and those after it unchecked.
        if arg.is_unknown() {
            open = Some(i);
            break;
        }
        if !matches!(arg.ty(), Type::List(_) | Type::Tuple(_)) {
            return Err(FunctionError::Argument(
                i,
                "coalescelist arguments must be lists or tuples".into(),
            ));
        }
    }
    let known = args.iter().take(open.unwrap_or(args.len()));
    match (
        known.into_iter().find(|a| a.children().next().is_some()),
        open,
    ) {
        (Some(found), _) => Ok(found.clone()),
        (None, Some(_)) => Ok(Value::unknown(Type::Dynamic)),
        (None, None) => Err(FunctionError::call("no non-null arguments")),
    }
}

fn contains(args: &[Value], _: &Context) -> Outcome {
    let list = first(args);
    let items = list
        .elements()
        .ok_or_else(|| FunctionError::Argument(0, "argument must be list, tuple, or set".into()))?;
    let wanted = args.get(1).cloned().unwrap_or_else(Value::null);
    let mut open = false;
    for item in items {
        match eval::equal(item, &wanted).as_bool() {
            Some(true) => return Ok(Value::bool(true)),
            Some(false) => {}
            None => open = true,
        }
    }
    Ok(if open {
        Value::unknown_not_null(Type::Bool)
    } else {
        Value::bool(false)
    })
}

/// Whether one of them is `decisive`, else the opposite.
fn truths(args: &[Value], decisive: bool) -> Value {
    let items = items(args, 0);
    let decided = |v: &&Value| match v.as_bool() {
        Some(b) => b == decisive,
        None => v.is_null() && !decisive,
    };
    if items.iter().any(decided) {
        Value::bool(decisive)
    } else if items.iter().any(|v| v.is_unknown()) {
        Value::unknown_not_null(Type::Bool)
    } else {
        Value::bool(!decisive)
    }
}
