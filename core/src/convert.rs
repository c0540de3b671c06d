//! Conversion of values to types, and the type several values have in common, with Terraform's
//! rules.
//!
//! A value converts where nothing is guessed: numbers and booleans are text and back, a tuple is a
//! list, an object is a map or an object with fewer attributes. Marks and unknowns stay.

use crate::{
    number::Number,
    path::{Path, Step},
    types::{Field, Presence, Type},
    value::{Kind, Refinements, Value},
};
use std::{collections::BTreeMap, str::FromStr, sync::Arc};

/// A value does not fit a type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", at(path))]
pub struct ConvertError {
    /// Where in the value.
    pub path: Path,
    /// What is needed there and what there is: `string required, but have list of string`.
    pub message: String,
}

/// The place as a message begins with it.
fn at(path: &Path) -> String {
    match path.0.as_slice() {
        [] => String::new(),
        [Step::Key(key)] => format!("attribute {key:?}: "),
        [Step::Index(index)] => format!("element {index}: "),
        _ => format!("{path}: "),
    }
}

impl ConvertError {
    fn here(message: impl Into<String>) -> ConvertError {
        ConvertError {
            path: Path::root(),
            message: message.into(),
        }
    }
    fn inside(mut self, step: Step) -> ConvertError {
        self.path.0.insert(0, step);
        self
    }
    fn mismatch(have: &Type, want: &Type) -> ConvertError {
        ConvertError::here(format!(
            "{} required, but have {}",
            want.friendly(),
            have.friendly()
        ))
    }
}

/// The value as that type. `Dynamic` in the type stands for what fits: in a collection, for the
/// type all its elements have in common.
///
/// # Errors
/// Where in the value it does not fit, and why.
pub fn convert(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    if matches!(ty, Type::Dynamic) {
        return Ok(value.clone());
    }
    let converted = match value.kind() {
        Kind::Null(have) => Value::null_of(converted_type(have, ty)?),
        Kind::Unknown(have, _) if have == ty => return Ok(value.clone()),
        Kind::Unknown(have, _) => {
            let to = converted_type(have, ty)?;
            let known = converted_refinements(value, have, &to);
            Value::unknown_refined(to, known)
        }
        // Two unknown elements may turn out to be one.
        Kind::Set(..) if matches!(ty, Type::List(_)) && !value.has_known_length() => {
            Value::unknown(from_sequence(value, ty)?.ty())
        }
        Kind::Bool(b) => primitive(value, if *b { "true" } else { "false" }, ty)?,
        Kind::Number(n) if matches!(ty, Type::String) => Value::string(n.to_string()),
        Kind::Number(_) => primitive(value, "", ty)?,
        Kind::String(s) => from_text(value, s, ty)?,
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => from_sequence(value, ty)?,
        Kind::Map(..) | Kind::Object(_) => from_entries(value, ty)?,
    };
    Ok(converted.mark(value.marks()))
}

/// What stays known of an unknown value that is converted: whether it may be null, and how many
/// elements it has.
fn converted_refinements(value: &Value, have: &Type, to: &Type) -> Refinements {
    let known = Refinements {
        not_null: value.is_surely_not_null(),
        ..Refinements::default()
    };
    let (min, max) = match have {
        Type::Object(_) | Type::Tuple(_) | Type::List(_) | Type::Set(_) | Type::Map(_) => {
            value.length_range()
        }
        _ => return known,
    };
    let told = |n: usize, nothing: usize| Some(n).filter(|n| *n != nothing);
    match to {
        Type::List(_) | Type::Map(_) => Refinements {
            min_len: told(min, 0),
            max_len: told(max, crate::refine::MAX_LENGTH),
            ..known
        },
        Type::Set(_) => Refinements {
            min_len: told(min.min(1), 0),
            max_len: told(max, crate::refine::MAX_LENGTH),
            ..known
        },
        _ => known,
    }
}

fn primitive(value: &Value, text: &str, ty: &Type) -> Result<Value, ConvertError> {
    match ty {
        _ if value.ty() == *ty => Ok(value.clone()),
        Type::String => Ok(Value::string(text)),
        _ => Err(ConvertError::mismatch(&value.ty(), ty)),
    }
}

fn from_text(value: &Value, text: &str, ty: &Type) -> Result<Value, ConvertError> {
    match ty {
        Type::String => Ok(value.clone()),
        Type::Number => Number::from_str(text)
            .map(Value::number)
            .map_err(|_| ConvertError::here("a number is required")),
        Type::Bool => match text {
            "true" | "1" => Ok(Value::bool(true)),
            "false" | "0" => Ok(Value::bool(false)),
            _ => Err(ConvertError::here(
                match text.to_ascii_lowercase().as_str() {
                    word @ ("true" | "false") => {
                        format!(
                            "a bool is required; to convert from string, use lowercase {word:?}"
                        )
                    }
                    _ => "a bool is required".to_owned(),
                },
            )),
        },
        _ => Err(ConvertError::mismatch(&Type::String, ty)),
    }
}

fn from_sequence(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    let items = value.elements().unwrap_or_default();
    match (value.kind(), ty) {
        (Kind::List(have, _), Type::List(want)) | (Kind::Set(have, _), Type::Set(want))
            if have == &**want =>
        {
            Ok(value.clone())
        }
        (_, Type::List(want)) => {
            let (element, items) = elements(&items, want, "list")?;
            Ok(Value::list(element, items))
        }
        (_, Type::Set(want)) => {
            let (element, items) = elements(&items, want, "set")?;
            Ok(Value::set(element, items))
        }
        (Kind::Tuple(_), Type::Tuple(want)) => {
            if items.len() != want.len() {
                return Err(ConvertError::here(format!(
                    "tuple of {} elements required, but have {}",
                    want.len(),
                    items.len()
                )));
            }
            let items = items
                .iter()
                .zip(want.iter())
                .enumerate()
                .map(|(i, (item, want))| convert(item, want).map_err(|e| e.inside(Step::Index(i))));
            Ok(Value::tuple(items.collect::<Result<_, _>>()?))
        }
        _ => Err(ConvertError::mismatch(&value.ty(), ty)),
    }
}

/// Each element converted, and the type all of them have then.
fn elements(items: &[&Value], want: &Type, what: &str) -> Result<(Type, Vec<Value>), ConvertError> {
    let converted = items
        .iter()
        .enumerate()
        .map(|(i, v)| convert(v, want).map_err(|e| e.inside(Step::Index(i))))
        .collect::<Result<Vec<_>, _>>()?;
    if !want.has_dynamic() {
        return Ok((want.required(), converted));
    }
    let element = common(&converted, want, what)?;
    let converted = converted
        .iter()
        .map(|v| convert(v, &element))
        .collect::<Result<_, _>>()?;
    Ok((element, converted))
}

/// The type all values have in common.
fn common(values: &[Value], want: &Type, what: &str) -> Result<Type, ConvertError> {
    // A null of no type takes the type of the others.
    let untyped = |v: &&Value| !matches!(v.kind(), Kind::Null(Type::Dynamic));
    let types: Vec<Type> = values.iter().filter(untyped).map(Value::ty).collect();
    if types.is_empty() {
        return Ok(want.required());
    }
    unify(&types)
        .ok_or_else(|| ConvertError::here(format!("all {what} elements must have the same type")))
}

fn from_entries(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    let Some(entries) = value.as_entries() else {
        return Err(ConvertError::mismatch(&value.ty(), ty));
    };
    match (value.kind(), ty) {
        (Kind::Map(have, _), Type::Map(want)) if have == &**want => Ok(value.clone()),
        (_, Type::Map(want)) => {
            let mut converted = BTreeMap::new();
            for (key, v) in entries {
                let v = convert(v, want).map_err(|e| e.inside(Step::Key(key.to_string())))?;
                converted.insert(key.clone(), v);
            }
            if !want.has_dynamic() {
                return Ok(Value::map(want.required(), converted));
            }
            let values: Vec<Value> = converted.values().cloned().collect();
            let element = common(&values, want, "map")?;
            for v in converted.values_mut() {
                *v = convert(v, &element)?;
            }
            Ok(Value::map(element, converted))
        }
        (_, Type::Object(fields)) => {
            let missing: Vec<&str> = fields
                .iter()
                .filter(|(k, f)| f.presence == Presence::Required && !entries.contains_key(*k))
                .map(|(k, _)| &**k)
                .collect();
            if !missing.is_empty() {
                return Err(missing_attributes(&missing));
            }
            let mut converted = Vec::with_capacity(fields.len());
            for (key, field) in fields.iter() {
                let v = match entries.get(key) {
                    Some(v) => {
                        convert(v, &field.ty).map_err(|e| e.inside(Step::Key(key.to_string())))?
                    }
                    None => Value::null_of(field.ty.required()),
                };
                converted.push((key.clone(), v));
            }
            Ok(Value::object(converted))
        }
        _ => Err(ConvertError::mismatch(&value.ty(), ty)),
    }
}

fn missing_attributes(missing: &[&str]) -> ConvertError {
    let quoted: Vec<String> = missing.iter().map(|m| format!("{m:?}")).collect();
    ConvertError::here(match quoted.as_slice() {
        [one] => format!("attribute {one} is required"),
        [rest @ .., last] => format!("attributes {} and {last} are required", rest.join(", ")),
        [] => String::new(),
    })
}

/// The type a value of type `have` gets by conversion to `want`, without a value to look at.
///
/// # Errors
/// No value of the one type converts to the other.
pub fn converted_type(have: &Type, want: &Type) -> Result<Type, ConvertError> {
    let same = |t: &Type| -> Result<Type, ConvertError> { Ok(t.required()) };
    match (have, want) {
        (_, Type::Dynamic) => Ok(have.clone()),
        (Type::Dynamic, _) => same(want),
        (a, b) if a == b => same(want),
        (Type::Bool | Type::Number, Type::String) | (Type::String, Type::Bool | Type::Number) => {
            same(want)
        }
        (Type::List(a) | Type::Set(a), Type::List(b)) => Ok(Type::list(converted_type(a, b)?)),
        (Type::List(a) | Type::Set(a), Type::Set(b)) => Ok(Type::set(converted_type(a, b)?)),
        (Type::Map(a), Type::Map(b)) => Ok(Type::map(converted_type(a, b)?)),
        (Type::Tuple(items), Type::List(b)) => Ok(Type::list(converted_common(items, b, "list")?)),
        (Type::Tuple(items), Type::Set(b)) => Ok(Type::set(converted_common(items, b, "set")?)),
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => {
            let items = a.iter().zip(b.iter()).map(|(a, b)| converted_type(a, b));
            Ok(Type::tuple(items.collect::<Result<Vec<_>, _>>()?))
        }
        (Type::Object(fields), Type::Map(b)) => {
            let types: Vec<Type> = fields.values().map(|f| f.ty.clone()).collect();
            Ok(Type::map(converted_common(&types, b, "map")?))
        }
        (Type::Object(a), Type::Object(b)) => converted_object(b, |key| a.get(key).map(|f| &f.ty)),
        (Type::Map(a), Type::Object(b)) => converted_object(b, |_| Some(&**a)),
        _ => Err(ConvertError::mismatch(have, want)),
    }
}

fn converted_common(types: &[Type], want: &Type, what: &str) -> Result<Type, ConvertError> {
    let converted = types
        .iter()
        .map(|t| converted_type(t, want))
        .collect::<Result<Vec<_>, _>>()?;
    if !want.has_dynamic() || converted.is_empty() {
        return Ok(want.required());
    }
    unify(&converted)
        .ok_or_else(|| ConvertError::here(format!("all {what} elements must have the same type")))
}

fn converted_object<'a>(
    want: &BTreeMap<Arc<str>, Field>,
    have: impl Fn(&str) -> Option<&'a Type>,
) -> Result<Type, ConvertError> {
    let missing: Vec<&str> = want
        .iter()
        .filter(|(k, f)| f.presence == Presence::Required && have(k).is_none())
        .map(|(k, _)| &**k)
        .collect();
    if !missing.is_empty() {
        return Err(missing_attributes(&missing));
    }
    let mut fields = Vec::with_capacity(want.len());
    for (key, field) in want {
        let ty = match have(key) {
            Some(t) => {
                converted_type(t, &field.ty).map_err(|e| e.inside(Step::Key(key.to_string())))?
            }
            None => field.ty.required(),
        };
        fields.push((key.clone(), ty));
    }
    Ok(Type::object(fields))
}

/// The type all of these convert to, where there is one.
pub fn unify(types: &[Type]) -> Option<Type> {
    let (first, rest) = types.split_first()?;
    if rest.iter().all(|t| t == first) {
        return Some(first.clone());
    }
    // What has no type of its own takes that of the others.
    if types.iter().any(|t| matches!(t, Type::Dynamic)) {
        let typed: Vec<Type> = types
            .iter()
            .filter(|t| !matches!(t, Type::Dynamic))
            .cloned()
            .collect();
        return match typed.is_empty() {
            true => Some(Type::Dynamic),
            // What fits everything fits those that have nothing in common, too.
            false => unify(&typed).or(Some(Type::Dynamic)),
        };
    }
    let count = |f: fn(&Type) -> bool| types.iter().filter(|t| f(t)).count();
    let maps = count(|t| matches!(t, Type::Map(_)));
    let lists = count(|t| matches!(t, Type::List(_)));
    let sets = count(|t| matches!(t, Type::Set(_)));
    let objects = count(|t| matches!(t, Type::Object(_)));
    let tuples = count(|t| matches!(t, Type::Tuple(_)));
    let all = types.len();
    let inner = || -> Vec<Type> { types.iter().flat_map(inner_types).collect() };
    match () {
        () if maps == all => return unify(&inner()).map(Type::map),
        () if lists == all => return unify(&inner()).map(Type::list),
        () if sets == all => return unify(&inner()).map(Type::set),
        () if objects == all => return unify_objects(types),
        () if tuples == all => return unify_tuples(types),
        () if objects > 0 && tuples > 0 => return None,
        () if maps > 0 && maps + objects == all => {
            if let Some(element) = unify(&inner()) {
                return Some(Type::map(element));
            }
        }
        () if lists > 0 && lists + tuples == all => {
            if let Some(element) = unify(&inner()) {
                return Some(Type::list(element));
            }
        }
        () => {}
    }
    // Of the types there are, the one all others convert to; text last, as everything does to it.
    let mut order: Vec<&Type> = types.iter().collect();
    order.sort_by_key(|t| match t {
        Type::String => 0,
        Type::List(_) => 1,
        Type::Set(_) => 2,
        Type::Map(_) => 3,
        _ => 4,
    });
    order
        .into_iter()
        .find(|want| types.iter().all(|t| converts_safely(t, want)))
        .map(Type::required)
}

/// Whether every value of the one type converts to the other.
fn converts_safely(have: &Type, want: &Type) -> bool {
    match (have, want) {
        (Type::String, Type::Bool | Type::Number) => false,
        (Type::Map(_), Type::Object(_)) => false,
        (Type::List(a) | Type::Set(a), Type::List(b) | Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => {
            converted_type(have, want).is_ok() && converts_safely(a, b)
        }
        _ => converted_type(have, want).is_ok(),
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
        return unify(&inner).map(Type::map);
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
        return unify(&inner).map(Type::list);
    }
    let mut items = Vec::with_capacity(first.len());
    for i in 0..first.len() {
        let types: Vec<Type> = tuples.iter().filter_map(|t| t.get(i)).cloned().collect();
        items.push(unify(&types)?);
    }
    Some(Type::tuple(items))
}
