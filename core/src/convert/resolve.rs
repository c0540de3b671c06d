//! What becomes of a type by conversion, without a value to look at.

use super::{Collection, ConvertError, unify};
use crate::{
    path::Step,
    types::{Field, Presence, Type},
};
use std::{collections::BTreeMap, sync::Arc};

/// The type a value of type `have` gets by conversion to `want`. `Dynamic` in `have` fits all, and
/// in `want` stands for what is there; a value may fail to convert all the same.
///
/// # Errors
/// No value of the one type converts to the other.
pub fn resolve(have: &Type, want: &Type) -> Result<Type, ConvertError> {
    let wanted = || -> Result<Type, ConvertError> { Ok(want.required()) };
    match (have, want) {
        (_, Type::Dynamic) => Ok(have.clone()),
        (Type::Dynamic, _) => wanted(),
        (a, b) if a == b => wanted(),
        (Type::Bool | Type::Number, Type::String) | (Type::String, Type::Bool | Type::Number) => {
            wanted()
        }
        (Type::List(a) | Type::Set(a), Type::List(b)) => Ok(Type::list(resolve(a, b)?)),
        (Type::List(a) | Type::Set(a), Type::Set(b)) => Ok(Type::set(resolve(a, b)?)),
        (Type::Map(a), Type::Map(b)) => Ok(Type::map(resolve(a, b)?)),
        (Type::Tuple(items), Type::List(b)) => {
            Ok(Type::list(element(items.iter(), b, Collection::List)?))
        }
        (Type::Tuple(items), Type::Set(b)) => {
            Ok(Type::set(element(items.iter(), b, Collection::Set)?))
        }
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            let items = a.iter().zip(b.iter()).map(|(a, b)| resolve(a, b));
            Ok(Type::tuple(items.collect::<Result<Vec<_>, _>>()?))
        }
        (Type::Object(fields), Type::Map(b)) => {
            let types = fields.values().map(|f| &f.ty);
            Ok(Type::map(element(types, b, Collection::Map)?))
        }
        (Type::Object(a), Type::Object(b)) => object(b, |key| a.get(key).map(|f| &f.ty)),
        (Type::Map(a), Type::Object(b)) => object(b, |_| Some(&**a)),
        _ => Err(ConvertError::mismatch(have, want)),
    }
}

/// The type that elements of these types have in a collection of `want`.
pub(super) fn element<'a>(
    types: impl Iterator<Item = &'a Type>,
    want: &Type,
    into: Collection,
) -> Result<Type, ConvertError> {
    let differ = || into.differ();
    let types: Vec<Type> = types.cloned().collect();
    if types.is_empty() {
        return Ok(want.required());
    }
    if !matches!(want, Type::Dynamic) {
        let resolved = types
            .iter()
            .map(|t| resolve(t, want))
            .collect::<Result<Vec<_>, _>>()?;
        return match want.has_dynamic() {
            true => unify(&resolved).ok_or_else(differ),
            false => Ok(want.required()),
        };
    }
    match unify(&types).ok_or_else(differ)? {
        // Where one has no type yet, nothing says that the others will fit it.
        Type::Dynamic if into != Collection::Map && types.iter().any(|t| *t != Type::Dynamic) => {
            Err(differ())
        }
        found => Ok(found),
    }
}

fn object<'a>(
    want: &BTreeMap<Arc<str>, Field>,
    have: impl Fn(&str) -> Option<&'a Type>,
) -> Result<Type, ConvertError> {
    let missing: Vec<&str> = want
        .iter()
        .filter(|(k, f)| f.presence == Presence::Required && have(k).is_none())
        .map(|(k, _)| &**k)
        .collect();
    if !missing.is_empty() {
        return Err(ConvertError::missing_attributes(&missing));
    }
    let mut fields = Vec::with_capacity(want.len());
    for (key, field) in want {
        let ty = match have(key) {
            Some(t) => resolve(t, &field.ty).map_err(|e| e.inside(Step::Key(key.to_string())))?,
            None => field.ty.required(),
        };
        fields.push((key.clone(), ty));
    }
    Ok(Type::object(fields))
}
