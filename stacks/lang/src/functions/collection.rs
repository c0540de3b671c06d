//! Lists, and what all collections share.

use super::{
    Function, FunctionError, Marking, Outcome, Unknowns, count, items,
    signature::{any, number, param},
    whole,
};
use crate::eval::{self, Context};
use weir_core::{
    Kind, Marks, Type, Value,
    convert::{convert, unify},
};

pub(super) fn functions() -> Vec<Function> {
    let list = |name| param(name, Type::list(Type::Dynamic));
    vec![
        Function::new("length", [any("value")], length)
            .gives(Type::Number)
            .on_marks(Marking::Shallow)
            .on_unknowns(Unknowns::Handled),
        Function::new("concat", [], concat)
            .rest(any("seqs"))
            .elementwise(),
        Function::new("element", [any("list"), number("index")], element)
            .gives_by(|a| element_type(a.first()))
            .elementwise(),
        Function::new("index", [any("list"), any("value").nullable()], index).gives(Type::Number),
        Function::new(
            "slice",
            [any("list"), number("start_index"), number("end_index")],
            slice,
        )
        .gives_by(|a| match a.first().map(Value::ty) {
            Some(ty @ Type::List(_)) => ty,
            _ => Type::Dynamic,
        })
        .elementwise(),
        Function::new("reverse", [any("list")], reverse).elementwise(),
        Function::new("sort", [param("list", Type::list(Type::String))], sort)
            .gives(Type::list(Type::String)),
        Function::new("flatten", [any("list")], flatten).elementwise(),
        Function::new(
            "distinct",
            [param("list", Type::list(Type::Dynamic))],
            distinct,
        )
        .gives_by(|a| a.first().map_or(Type::Dynamic, Value::ty)),
        Function::new(
            "compact",
            [param("list", Type::list(Type::String))],
            compact,
        )
        .gives(Type::list(Type::String)),
        Function::new(
            "chunklist",
            [param("list", Type::list(Type::Dynamic)), number("size")],
            chunklist,
        )
        .gives_by(|a| a.first().map_or(Type::Dynamic, |v| Type::list(v.ty())))
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
            .gives_by(|a| element_type(a.first()))
            .elementwise(),
        Function::new(
            "matchkeys",
            [list("values"), list("keys"), list("searchset")],
            matchkeys,
        )
        .gives_by(|a| a.first().map_or(Type::Dynamic, Value::ty)),
        Function::new("coalesce", [], coalesce)
            .rest(any("vals").nullable())
            .on_unknowns(Unknowns::Handled),
        Function::new("coalescelist", [], coalescelist)
            .rest(any("vals"))
            .elementwise(),
        Function::new("contains", [any("list"), any("value")], contains)
            .gives(Type::Bool)
            .on_unknowns(Unknowns::Handled),
        Function::new(
            "alltrue",
            [param("list", Type::list(Type::Bool))],
            |a, _| Ok(truths(a, false)),
        )
        .gives(Type::Bool)
        .on_unknowns(Unknowns::Shallow),
        Function::new(
            "anytrue",
            [param("list", Type::list(Type::Bool))],
            |a, _| Ok(truths(a, true)),
        )
        .gives(Type::Bool)
        .on_unknowns(Unknowns::Shallow),
    ]
}

pub(super) fn first(args: &[Value]) -> Value {
    args.first().cloned().unwrap_or_else(Value::null)
}

/// The type of the elements, where all have one.
pub(super) fn element_type(value: Option<&Value>) -> Type {
    match value.map(Value::ty) {
        Some(Type::List(t) | Type::Set(t) | Type::Map(t)) => (*t).clone(),
        _ => Type::Dynamic,
    }
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
    Ok(match value.kind() {
        Kind::String(s) => Value::number(super::string::length(s)),
        Kind::Unknown(Type::Tuple(items), _) => count(items.len()),
        Kind::Unknown(Type::Object(fields), _) => count(fields.len()),
        Kind::Unknown(Type::Bool | Type::Number, _) | Kind::Bool(_) | Kind::Number(_) => {
            return Err(FunctionError::Argument(
                0,
                "argument must be a string, a collection type, or a structural type".into(),
            ));
        }
        Kind::Unknown(_, r) => match (r.min_len, r.max_len) {
            (Some(min), Some(max)) if min == max => count(min),
            _ => eval_not_null(Type::Number),
        },
        // Two unknown elements of a set may turn out to be one.
        Kind::Set(_, items) if !value.is_wholly_known() && items.len() > 1 => {
            eval_not_null(Type::Number)
        }
        _ => count(value.children().count()),
    })
}

fn eval_not_null(ty: Type) -> Value {
    Value::unknown_refined(
        ty,
        weir_core::value::Refinements {
            not_null: true,
            ..Default::default()
        },
    )
}

fn concat(args: &[Value], _: &Context) -> Outcome {
    let mut all = Vec::new();
    let mut element = None;
    let mut lists = true;
    for (i, arg) in args.iter().enumerate() {
        let items = match arg.kind() {
            Kind::Set(..) => None,
            _ => arg.elements(),
        };
        let Some(items) = items else {
            return Err(FunctionError::Argument(
                i,
                "all arguments must be lists or tuples; to use a set, give it to tolist first"
                    .into(),
            ));
        };
        match (arg.kind(), &element) {
            (Kind::List(ty, _), None) => element = Some(ty.clone()),
            (Kind::List(ty, _), Some(before)) if ty == before => {}
            (Kind::List(..), Some(before)) => {
                element = unify(&[before.clone(), arg_element(arg)]);
                lists &= element.is_some();
            }
            _ => lists = false,
        }
        all.extend(items.into_iter().cloned());
    }
    if args.is_empty() {
        return Err(FunctionError::call("at least one argument is required"));
    }
    match element {
        Some(ty) if lists => {
            let all = all
                .iter()
                .map(|v| convert(v, &ty))
                .collect::<Result<_, _>>();
            all.map(|all| Value::list(ty, all))
                .map_err(|e| FunctionError::call(e.to_string()))
        }
        _ => Ok(Value::tuple(all)),
    }
}

fn arg_element(value: &Value) -> Type {
    element_type(Some(value))
}

fn element(args: &[Value], _: &Context) -> Outcome {
    let list = first(args);
    if matches!(list.kind(), Kind::Set(..)) {
        return Err(FunctionError::Argument(
            0,
            "cannot read elements from set of string by index".into(),
        ));
    }
    let items = sequence(args, 0, "it")?;
    let index = whole(args, 1)?;
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if len == 0 {
        return Err(FunctionError::call(
            "cannot use element function with an empty list",
        ));
    }
    // As Terraform 1.11 has it: an index wraps around, but not to below zero.
    let at = usize::try_from(index % len).map_err(|_| {
        FunctionError::Argument(
            1,
            "cannot use element function with a negative index".into(),
        )
    })?;
    Ok(items.get(at).map_or_else(Value::null, |v| (*v).clone()))
}

fn index(args: &[Value], _: &Context) -> Outcome {
    let items = indexed(args, 0)?;
    if items.is_empty() {
        return Err(FunctionError::call("cannot search an empty list"));
    }
    let wanted = args.get(1).cloned().unwrap_or_else(Value::null);
    items
        .iter()
        .position(|v| eval::equal(v, &wanted).as_bool() == Some(true))
        .map(count)
        .ok_or_else(|| FunctionError::call("item not found"))
}

fn slice(args: &[Value], _: &Context) -> Outcome {
    let list = first(args);
    if matches!(list.kind(), Kind::Set(..)) {
        return Err(FunctionError::Argument(
            0,
            "cannot slice a set, because its elements do not have indices; explicitly convert to \
             a list if the ordering of the result is not important"
                .into(),
        ));
    }
    let items = sequence(args, 0, "it")?;
    let (start, end) = (whole(args, 1)?, whole(args, 2)?);
    let len = items.len();
    let fits = |i: i64| usize::try_from(i).ok().filter(|i| *i <= len);
    let start_at = fits(start).ok_or_else(|| {
        FunctionError::Argument(
            1,
            format!("start index must be at least zero and not greater than the length of the list, {len}"),
        )
    })?;
    let end_at = fits(end).ok_or_else(|| {
        FunctionError::Argument(
            2,
            format!("end index must not be greater than the length of the list, {len}"),
        )
    })?;
    if start_at > end_at {
        return Err(FunctionError::Argument(
            1,
            "start index must not be greater than end index".into(),
        ));
    }
    Ok(collect(
        &list,
        items[start_at..end_at]
            .iter()
            .map(|v| (*v).clone())
            .collect(),
    ))
}

fn reverse(args: &[Value], _: &Context) -> Outcome {
    let list = first(args);
    let items = sequence(args, 0, "it")?;
    Ok(collect(&list, items.into_iter().rev().cloned().collect()))
}

fn sort(args: &[Value], _: &Context) -> Outcome {
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

/// `false` where an unknown list stands in it, whose length decides the result's.
fn flatten_into(value: &Value, out: &mut Vec<Value>, marks: &mut Marks) -> bool {
    for item in value.elements().unwrap_or_default() {
        match item.kind() {
            Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
                *marks = marks.union(item.marks());
                if !flatten_into(item, out, marks) {
                    return false;
                }
            }
            Kind::Unknown(Type::List(_) | Type::Set(_) | Type::Tuple(_) | Type::Dynamic, _) => {
                return false;
            }
            _ => out.push(item.clone()),
        }
    }
    true
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

fn one(args: &[Value], _: &Context) -> Outcome {
    let items = sequence(args, 0, "it")?;
    match items.as_slice() {
        [] => Ok(Value::null_of(element_type(args.first()))),
        [only] => Ok((*only).clone()),
        _ => Err(FunctionError::Argument(
            0,
            "must be a list, set, or tuple value with either zero or one elements".into(),
        )),
    }
}

fn matchkeys(args: &[Value], _: &Context) -> Outcome {
    let (values, keys) = (sequence(args, 0, "values")?, sequence(args, 1, "keys")?);
    let wanted = sequence(args, 2, "searchset")?;
    if values.len() != keys.len() {
        return Err(FunctionError::call(
            "length of keys and values should be equal",
        ));
    }
    let same = |a: &Value, b: &Value| eval::equal(a, b).as_bool() == Some(true);
    let kept = values
        .into_iter()
        .zip(keys)
        .filter(|(_, key)| wanted.iter().any(|w| same(w, key)))
        .map(|(v, _)| v.clone())
        .collect();
    Ok(collect(&first(args), kept))
}

fn coalesce(args: &[Value], _: &Context) -> Outcome {
    let typed: Vec<Type> = args
        .iter()
        .filter(|v| !matches!(v.kind(), Kind::Null(Type::Dynamic)))
        .map(Value::ty)
        .collect();
    if args.is_empty() {
        return Err(FunctionError::call("at least one argument is required"));
    }
    let ty = match typed.is_empty() {
        true => Type::Dynamic,
        false => unify(&typed)
            .ok_or_else(|| FunctionError::call("all arguments must have the same type"))?,
    };
    for arg in args {
        if arg.is_null() {
            continue;
        }
        if arg.is_unknown() {
            return Ok(Value::unknown(ty));
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
    for (i, arg) in args.iter().enumerate() {
        match arg.kind() {
            Kind::List(..) | Kind::Tuple(_) => {}
            _ => {
                return Err(FunctionError::Argument(
                    i,
                    "coalescelist arguments must be lists or tuples".into(),
                ));
            }
        }
        if arg.children().next().is_some() {
            return Ok(arg.clone());
        }
    }
    Err(FunctionError::call("no non-null arguments"))
}

fn contains(args: &[Value], _: &Context) -> Outcome {
    let list = first(args);
    if list.is_unknown() {
        return Ok(eval_not_null(Type::Bool));
    }
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
        eval_not_null(Type::Bool)
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
        eval_not_null(Type::Bool)
    } else {
        Value::bool(!decisive)
    }
}
