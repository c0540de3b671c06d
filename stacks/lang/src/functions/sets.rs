//! Sets.

use super::{
    Function, FunctionError, Marking, Outcome, Unknowns,
    signature::{any, param},
};
use crate::eval::Context;
use weir_core::{
    Elements, Type, Value,
    convert::{convert, unify},
    value::Refinements,
};

pub(super) fn functions() -> Vec<Function> {
    let set = |name| param(name, Type::set(Type::Dynamic));
    vec![
        Function::new("setunion", [set("first_set")], union)
            .rest(set("other_sets"))
            .gives_by(set_type)
            .on_unknowns(Unknowns::Shallow),
        Function::new("setintersection", [set("first_set")], intersection)
            .rest(set("other_sets"))
            .gives_by(set_type),
        Function::new("setsubtract", [set("a"), set("b")], subtract).gives_by(set_type),
        Function::new("setproduct", [], product)
            .rest(any("sets").typed())
            .on_marks(Marking::Shallow)
            .on_unknowns(Unknowns::Handled),
    ]
}

/// The type of a set with the elements of all of them.
fn set_type(args: &[Value]) -> Outcome<Type> {
    // What an empty set is of says nothing.
    let empty = |v: &Value| !v.is_unknown() && v.children().next().is_none();
    let types: Vec<Type> = args
        .iter()
        .filter_map(|v| match v.ty() {
            Type::Set(of) if *of == Type::Dynamic && empty(v) => None,
            Type::Set(of) => Some((*of).clone()),
            _ => None,
        })
        .collect();
    if types.is_empty() {
        return Ok(Type::set(Type::Dynamic));
    }
    let known = args.iter().all(|v| !v.is_unknown());
    match unify(&types) {
        // A null fits elements that have a type of their own no more than in `toset`.
        Some(Type::Dynamic) if known && types.iter().any(|t| *t != Type::Dynamic) => None,
        found => found,
    }
    .map(Type::set)
    .ok_or_else(|| FunctionError::call("given sets must all have compatible element types"))
}

/// Which elements of the first of two sets stay, and whether those of the second come to them.
fn combine(args: &[Value], f: fn(&Elements, &Elements) -> Elements) -> Outcome {
    let of = match set_type(args)? {
        Type::Set(of) => (*of).clone(),
        other => other,
    };
    let mut sets = args.iter().map(|set| {
        set.children()
            .map(|v| convert(v, &of).map_err(|e| FunctionError::call(e.to_string())))
            .collect::<Outcome<Elements>>()
    });
    let mut all = sets.next().transpose()?.unwrap_or_default();
    for set in sets {
        all = f(&all, &set?);
    }
    Ok(Value::set(of, all.iter().cloned()))
}

fn union(args: &[Value], _: &Context) -> Outcome {
    combine(args, |a, b| a.iter().chain(b).cloned().collect())
}
fn intersection(args: &[Value], _: &Context) -> Outcome {
    combine(args, |a, b| a.intersection(b).cloned().collect())
}
fn subtract(args: &[Value], _: &Context) -> Outcome {
    combine(args, |a, b| a.difference(b).cloned().collect())
}

/// The most combinations `setproduct` makes.
const PRODUCT_LIMIT: usize = 1_000_000;

/// What the elements of each argument are, and whether a set among them makes the product one.
fn product_type(args: &[Value]) -> Outcome<(Vec<Type>, bool)> {
    if args.len() < 2 {
        return Err(FunctionError::call("at least two arguments are required"));
    }
    let mut is_set = false;
    let mut types = Vec::with_capacity(args.len());
    for (i, arg) in args.iter().enumerate() {
        types.push(match arg.ty() {
            Type::List(of) => (*of).clone(),
            Type::Set(of) => {
                is_set = true;
                (*of).clone()
            }
            Type::Tuple(items) if items.is_empty() => Type::Dynamic,
            Type::Tuple(items) => unify(&items).ok_or_else(|| {
                FunctionError::Argument(i, "all elements must be of the same type".into())
            })?,
            _ => {
                return Err(FunctionError::Argument(
                    i,
                    "a set or a list is required".into(),
                ));
            }
        });
    }
    Ok((types, is_set))
}

fn product(args: &[Value], _: &Context) -> Outcome {
    let (types, is_set) = product_type(args)?;
    let element = Type::tuple(types.clone());
    let result = match is_set {
        true => Type::set(element.clone()),
        false => Type::list(element.clone()),
    };
    if args
        .iter()
        .any(|a| a.is_unknown() || is_set && !a.has_known_length())
    {
        return Ok(Value::unknown_refined(result, product_length(args, is_set)));
    }
    let lists = args
        .iter()
        .zip(&types)
        .enumerate()
        .map(|(i, (arg, ty))| {
            arg.children()
                .map(|v| convert(v, ty).map_err(|e| FunctionError::Argument(i, e.to_string())))
                .collect()
        })
        .collect::<Outcome<Vec<Vec<Value>>>>()?;
    let total = lists.iter().try_fold(1usize, |n, l| n.checked_mul(l.len()));
    if total.is_none_or(|n| n > PRODUCT_LIMIT) {
        return Err(FunctionError::call(format!(
            "more than {PRODUCT_LIMIT} combinations"
        )));
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in &lists {
        rows = rows
            .into_iter()
            .flat_map(|row| {
                list.iter().map(move |v| {
                    let mut row = row.clone();
                    row.push(v.clone());
                    row
                })
            })
            .collect();
    }
    let rows = rows.into_iter().map(Value::tuple);
    Ok(match is_set {
        true => Value::set(element, rows),
        false => Value::list(element, rows.collect()),
    })
}

/// How many combinations there will be, where each argument's type tells.
fn product_length(args: &[Value], is_set: bool) -> Refinements {
    let length = |arg: &Value| match arg.ty() {
        Type::Tuple(items) => Some(items.len()),
        _ => None,
    };
    let lengths: Option<Vec<usize>> = args.iter().map(length).collect();
    let total = lengths.and_then(|l| l.into_iter().try_fold(1usize, usize::checked_mul));
    Refinements {
        min_len: total.map(|n| n.min(1)).filter(|_| !is_set),
        max_len: total.filter(|_| !is_set),
        ..Refinements::not_null()
    }
}
