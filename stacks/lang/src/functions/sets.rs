//! Sets.

use super::{Function, FunctionError, Outcome, signature::param};
use crate::eval::Context;
use std::collections::BTreeSet;
use weir_core::{
    Kind, Type, Value,
    convert::{convert, unify},
};

pub(super) fn functions() -> Vec<Function> {
    let set = |name| param(name, Type::set(Type::Dynamic));
    vec![
        Function::new("setunion", [set("first_set")], union).rest(set("other_sets")),
        Function::new("setintersection", [set("first_set")], intersection).rest(set("other_sets")),
        Function::new("setsubtract", [set("a"), set("b")], subtract),
        Function::new("setproduct", [], product)
            .rest(param("sets", Type::Dynamic))
            .elementwise(),
    ]
}

/// All sets with one element type.
fn unified(args: &[Value]) -> Outcome<(Type, Vec<BTreeSet<Value>>)> {
    let types: Vec<Type> = args
        .iter()
        .filter_map(|v| match v.kind() {
            // What an empty set is of says nothing.
            Kind::Set(Type::Dynamic, _) => None,
            Kind::Set(ty, _) => Some(ty.clone()),
            _ => None,
        })
        .collect();
    let ty = if types.is_empty() {
        Some(Type::Dynamic)
    } else {
        unify(&types)
    };
    let ty =
        ty.ok_or_else(|| FunctionError::call("given sets must all have compatible element types"))?;
    let sets = args
        .iter()
        .map(|set| {
            set.children()
                .map(|v| convert(v, &ty).map_err(|e| FunctionError::call(e.to_string())))
                .collect()
        })
        .collect::<Outcome<_>>()?;
    Ok((ty, sets))
}

fn combine(
    args: &[Value],
    f: impl Fn(&BTreeSet<Value>, &BTreeSet<Value>) -> BTreeSet<Value>,
) -> Outcome {
    let (ty, sets) = unified(args)?;
    let mut sets = sets.into_iter();
    let first = sets.next().unwrap_or_default();
    Ok(Value::set(ty, sets.fold(first, |a, b| f(&a, &b))))
}

fn union(args: &[Value], _: &Context) -> Outcome {
    combine(args, |a, b| a | b)
}
fn intersection(args: &[Value], _: &Context) -> Outcome {
    combine(args, |a, b| a & b)
}
fn subtract(args: &[Value], _: &Context) -> Outcome {
    combine(args, |a, b| a - b)
}

/// The most combinations `setproduct` makes.
const PRODUCT_LIMIT: usize = 1_000_000;

fn product(args: &[Value], _: &Context) -> Outcome {
    if args.len() < 2 {
        return Err(FunctionError::call("at least two arguments are required"));
    }
    let mut lists: Vec<Vec<Value>> = Vec::new();
    let mut types = Vec::new();
    for (i, arg) in args.iter().enumerate() {
        let items = arg
            .elements()
            .ok_or_else(|| FunctionError::Argument(i, "a set or a list is required".into()))?;
        let ty = match arg.kind() {
            Kind::List(ty, _) | Kind::Set(ty, _) => ty.clone(),
            _ if items.is_empty() => Type::Dynamic,
            _ => {
                let types: Vec<Type> = items.iter().map(|v| v.ty()).collect();
                unify(&types).ok_or_else(|| {
                    FunctionError::Argument(i, "all elements must be of the same type".into())
                })?
            }
        };
        let items = items
            .into_iter()
            .map(|v| convert(v, &ty).map_err(|e| FunctionError::Argument(i, e.to_string())))
            .collect::<Outcome<_>>()?;
        types.push(ty);
        lists.push(items);
    }
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
    let element = Type::tuple(types);
    let rows = rows.into_iter().map(Value::tuple);
    // A set among them makes the product a set.
    Ok(if args.iter().any(|a| matches!(a.kind(), Kind::Set(..))) {
        Value::set(element, rows)
    } else {
        Value::list(element, rows.collect())
    })
}
