//! The type several types have in common, as Terraform finds it (`convert.UnifyUnsafe` of go-cty).

use super::resolve::resolve;
use crate::types::{Field, Type};
use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

/// The type all of these convert to, where there is one. A value may still fail to convert: text to
/// a number.
pub fn unify(types: &[Type]) -> Option<Type> {
    let (first, rest) = types.split_first()?;
    if rest.iter().all(|t| t == first) {
        return Some(first.clone());
    }
    match by_kind(types) {
        ByKind::Found(ty) => Some(ty),
        ByKind::Nothing => None,
        ByKind::Mixed => preferred(types),
    }
}

/// What the kinds of the types alone say of the type they have in common.
enum ByKind {
    /// This is it.
    Found(Type),
    /// There is none.
    Nothing,
    /// One of the types themselves may do.
    Mixed,
}

impl From<Option<Type>> for ByKind {
    fn from(found: Option<Type>) -> ByKind {
        found.map_or(ByKind::Nothing, ByKind::Found)
    }
}

fn by_kind(types: &[Type]) -> ByKind {
    let count = |f: fn(&Type) -> bool| types.iter().filter(|t| f(t)).count();
    let dynamic = count(|t| matches!(t, Type::Dynamic));
    let maps = count(|t| matches!(t, Type::Map(_)));
    let lists = count(|t| matches!(t, Type::List(_)));
    let sets = count(|t| matches!(t, Type::Set(_)));
    let objects = count(|t| matches!(t, Type::Object(_)));
    let tuples = count(|t| matches!(t, Type::Tuple(_)));
    let only = |n: usize| n > 0 && n + dynamic == types.len();
    // Nothing can be said while the type of one of them is open.
    if dynamic > 0 && [maps, lists, sets, objects, tuples].into_iter().any(only) {
        return ByKind::Found(Type::Dynamic);
    }
    let inner = || types.iter().flat_map(inner_types).collect::<Vec<_>>();
    match () {
        () if only(maps) => unify(&inner()).map(Type::map).into(),
        () if only(lists) => unify(&inner()).map(Type::list).into(),
        () if only(sets) => unify(&inner()).map(Type::set).into(),
        () if only(objects) => unify_objects(types).into(),
        () if only(tuples) => unify_tuples(types).into(),
        () if maps > 0 && only(maps + objects) => {
            let found = stand_ins(types, |t| matches!(t, Type::Object(_)), Type::map);
            match found {
                Some(map @ Type::Map(_)) => ByKind::Found(map),
                _ => ByKind::Mixed,
            }
        }
        () if lists > 0 && only(lists + tuples) => {
            let found = stand_ins(types, |t| matches!(t, Type::Tuple(_)), Type::list);
            match found {
                Some(list @ Type::List(_)) => ByKind::Found(list),
                _ => ByKind::Mixed,
            }
        }
        () if objects > 0 && tuples > 0 => ByKind::Nothing,
        () => ByKind::Mixed,
    }
}

/// Objects beside maps are maps themselves first, and tuples beside lists are lists.
fn stand_ins(
    types: &[Type],
    structural: fn(&Type) -> bool,
    collection: fn(Type) -> Type,
) -> Option<Type> {
    let inner = types.iter().filter(|t| structural(t)).flat_map(inner_types);
    let stand_in = collection(unify(&inner.collect::<Vec<_>>())?);
    let types: Vec<Type> = types
        .iter()
        .map(|t| if structural(t) { &stand_in } else { t })
        .cloned()
        .collect();
    unify(&types)
}

/// Of the types there are, the most general one that all others convert to.
fn preferred(types: &[Type]) -> Option<Type> {
    let mut different: Vec<&Type> = Vec::new();
    for ty in types {
        if !different.contains(&ty) {
            different.push(ty);
        }
    }
    let converts = |have: &Type, want: &Type| have == want || resolve(have, want).is_ok();
    by_generality(&different)
        .into_iter()
        .find(|want| different.iter().all(|t| converts(t, want)))
        .map(Type::required)
}

/// More general types first, as far as they compare at all; else in the order given.
fn by_generality<'a>(types: &[&'a Type]) -> Vec<&'a Type> {
    let more_general = |a: usize, b: usize| match (types.get(a), types.get(b)) {
        (Some(x), Some(y)) if a < b => generality(x, y) == Ordering::Less,
        (Some(x), Some(y)) => generality(y, x) == Ordering::Greater,
        _ => false,
    };
    let all = 0..types.len();
    let mut waits: Vec<usize> = all
        .clone()
        .map(|b| all.clone().filter(|a| more_general(*a, b)).count())
        .collect();
    let mut order: Vec<usize> = all.clone().filter(|i| waits.get(*i) == Some(&0)).collect();
    let mut next = 0;
    while let Some(first) = order.get(next).copied() {
        next += 1;
        for (after, waits) in waits.iter_mut().enumerate() {
            if first != after && more_general(first, after) {
                *waits -= 1;
                if *waits == 0 {
                    order.push(after);
                }
            }
        }
    }
    order
        .into_iter()
        .filter_map(|i| types.get(i).copied())
        .collect()
}

/// `Less` where the first type is the more general of the two, `Equal` where neither is.
fn generality(a: &Type, b: &Type) -> Ordering {
    match (a, b) {
        // All convert to what is open, but each is a better answer than it.
        (Type::Dynamic, Type::Dynamic) => Ordering::Equal,
        (_, Type::Dynamic) => Ordering::Less,
        (Type::Dynamic, _) => Ordering::Greater,
        (Type::String, Type::Bool | Type::Number) => Ordering::Less,
        (Type::Bool | Type::Number, Type::String) => Ordering::Greater,
        (Type::List(a), Type::List(b))
        | (Type::Set(a), Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => generality(a, b),
        (Type::List(_), Type::Set(_) | Type::Tuple(_))
        | (Type::Tuple(_), Type::Set(_))
        | (Type::Map(_), Type::Object(_)) => Ordering::Less,
        (Type::Set(_) | Type::Tuple(_), Type::List(_))
        | (Type::Set(_), Type::Tuple(_))
        | (Type::Object(_), Type::Map(_)) => Ordering::Greater,
        (Type::Object(a), Type::Object(b)) if a.keys().eq(b.keys()) => {
            let pairs = a.values().zip(b.values());
            generality_of_all(pairs.map(|(a, b)| generality(&a.ty, &b.ty)))
        }
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            generality_of_all(a.iter().zip(b.iter()).map(|(a, b)| generality(a, b)))
        }
        _ => Ordering::Equal,
    }
}

/// One is more general where it is so in some place and the other in none.
fn generality_of_all(places: impl Iterator<Item = Ordering>) -> Ordering {
    let different: Vec<Ordering> = places.filter(|o| o.is_ne()).collect();
    match different.as_slice() {
        [first, rest @ ..] if rest.iter().all(|o| o == first) => *first,
        _ => Ordering::Equal,
    }
}

fn inner_types(ty: &Type) -> Vec<Type> {
    match ty {
        Type::List(t) | Type::Set(t) | Type::Map(t) => vec![(**t).clone()],
        Type::Object(fields) => fields.values().map(|f| f.ty.clone()).collect(),
        Type::Tuple(items) => items.to_vec(),
        _ => Vec::new(),
    }
}

fn unify_objects(types: &[Type]) -> Option<Type> {
    let objects: Vec<&BTreeMap<Arc<str>, Field>> = types
        .iter()
        .filter_map(|t| match t {
            Type::Object(fields) => Some(&**fields),
            _ => None,
        })
        .collect();
    let first = objects.first()?;
    if objects.iter().any(|o| !o.keys().eq(first.keys())) {
        let inner: Vec<Type> = types.iter().flat_map(inner_types).collect();
        return collection_of(types, Type::map(unify(&inner)?));
    }
    let mut fields = Vec::with_capacity(first.len());
    for key in first.keys() {
        let types: Vec<Type> = objects
            .iter()
            .filter_map(|o| o.get(key))
            .map(|f| f.ty.clone())
            .collect();
        fields.push((key.clone(), unify(&types)?));
    }
    Some(Type::object(fields))
}

fn unify_tuples(types: &[Type]) -> Option<Type> {
    let tuples: Vec<&[Type]> = types
        .iter()
        .filter_map(|t| match t {
            Type::Tuple(items) => Some(&**items),
            _ => None,
        })
        .collect();
    let first = tuples.first()?;
    if tuples.iter().any(|t| t.len() != first.len()) {
        let inner: Vec<Type> = types.iter().flat_map(inner_types).collect();
        return collection_of(types, Type::list(unify(&inner)?));
    }
    let mut items = Vec::with_capacity(first.len());
    for i in 0..first.len() {
        let types: Vec<Type> = tuples.iter().filter_map(|t| t.get(i)).cloned().collect();
        items.push(unify(&types)?);
    }
    Some(Type::tuple(items))
}

/// The collection, where each of the types converts to it.
fn collection_of(types: &[Type], collection: Type) -> Option<Type> {
    let converts = |t: &Type| resolve(t, &collection).is_ok();
    types.iter().all(converts).then_some(collection)
}
