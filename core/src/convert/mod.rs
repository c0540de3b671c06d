//! Conversion of values to types, and the type several values have in common, with Terraform's
//! rules.
//!
//! A value converts where nothing is guessed: numbers and booleans are text and back, a tuple is a
//! list, an object is a map or an object with fewer attributes. Marks and unknowns stay.

mod resolve;
mod unify;

pub use resolve::resolve;
pub use unify::unify;

use crate::{
    number::Number,
    path::{Path, Step},
    types::{Presence, Type},
    value::{Kind, Refinements, Value},
};
use std::{collections::BTreeMap, str::FromStr};

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
    fn missing_attributes(missing: &[&str]) -> ConvertError {
        let quoted: Vec<String> = missing.iter().map(|m| format!("{m:?}")).collect();
        ConvertError::here(match quoted.as_slice() {
            [one] => format!("attribute {one} is required"),
            [rest @ .., last] => format!("attributes {} and {last} are required", rest.join(", ")),
            [] => String::new(),
        })
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
        Kind::Null(have) => Value::null_of(resolve(have, ty)?),
        Kind::Unknown(have, _) if have == ty => return Ok(value.clone()),
        Kind::Unknown(have, _) => {
            let to = resolve(have, ty)?;
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
            let (element, items) = elements(value, &items, want, Collection::List)?;
            Ok(Value::list(element, items))
        }
        (_, Type::Set(want)) => {
            let (element, items) = elements(value, &items, want, Collection::Set)?;
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

/// A collection that elements are converted for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Collection {
    List,
    Set,
    Map,
}

impl Collection {
    fn differ(self) -> ConvertError {
        let name = match self {
            Collection::List => "list",
            Collection::Set => "set",
            Collection::Map => "map",
        };
        ConvertError::here(format!("all {name} elements must have the same type"))
    }
}

/// Each element of a list, set or tuple converted, and the type all of them have then.
fn elements(
    value: &Value,
    items: &[&Value],
    want: &Type,
    into: Collection,
) -> Result<(Type, Vec<Value>), ConvertError> {
    let target = match value.kind() {
        Kind::List(have, _) | Kind::Set(have, _) => target_of(have, want, items.is_empty())?,
        _ if *want == Type::Dynamic => {
            let types: Vec<Type> = items.iter().map(|v| v.ty()).collect();
            resolve::element(types.iter(), want, into)?
        }
        _ => want.clone(),
    };
    let converted = items
        .iter()
        .enumerate()
        .map(|(i, v)| convert(v, &target).map_err(|e| e.inside(Step::Index(i))))
        .collect::<Result<Vec<_>, _>>()?;
    settle(converted, &target, into)
}

/// What elements of a collection are converted to. Those of an empty one have a type all the same,
/// and it must fit.
fn target_of(have: &Type, want: &Type, empty: bool) -> Result<Type, ConvertError> {
    if *want == Type::Dynamic {
        return Ok(have.clone());
    }
    if empty {
        resolve(have, want)?;
    }
    Ok(want.clone())
}

/// Elements that were converted to `target`, all of one type: where it is open in places, the type
/// that they turned out to have.
fn settle(
    mut values: Vec<Value>,
    target: &Type,
    into: Collection,
) -> Result<(Type, Vec<Value>), ConvertError> {
    if !target.has_dynamic() || values.is_empty() {
        return Ok((target.required(), values));
    }
    let in_common = match into {
        Collection::List => true,
        Collection::Set => false,
        Collection::Map => matches!(
            target,
            Type::List(_) | Type::Set(_) | Type::Map(_) | Type::Object(_)
        ),
    };
    if in_common {
        let types: Vec<Type> = values.iter().map(Value::ty).collect();
        let common = unify(&types).ok_or_else(|| into.differ())?;
        values = all(&values, &common)?;
    }
    // What has no type of its own takes that of the others.
    let mut types = values.iter().map(Value::ty).filter(|t| *t != Type::Dynamic);
    let Some(first) = types.next() else {
        return Ok((Type::Dynamic, values));
    };
    if types.any(|t| t != first) {
        return Err(into.differ());
    }
    let values = all(&values, &first)?;
    Ok((first, values))
}

fn all(values: &[Value], ty: &Type) -> Result<Vec<Value>, ConvertError> {
    values.iter().map(|v| convert(v, ty)).collect()
}

fn from_entries(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    let Some(entries) = value.as_entries() else {
        return Err(ConvertError::mismatch(&value.ty(), ty));
    };
    match (value.kind(), ty) {
        (Kind::Map(have, _), Type::Map(want)) if have == &**want => Ok(value.clone()),
        (have, Type::Map(want)) => {
            let target = match have {
                Kind::Map(have, _) => target_of(have, want, entries.is_empty())?,
                _ if **want == Type::Dynamic => {
                    let types: Vec<Type> = entries.values().map(Value::ty).collect();
                    resolve::element(types.iter(), want, Collection::Map)?
                }
                _ => (**want).clone(),
            };
            let mut converted = Vec::with_capacity(entries.len());
            for (key, v) in entries {
                let inside = |e: ConvertError| e.inside(Step::Key(key.to_string()));
                converted.push(convert(v, &target).map_err(inside)?);
            }
            let (element, converted) = settle(converted, &target, Collection::Map)?;
            let keys = entries.keys().cloned();
            Ok(Value::map(
                element,
                keys.zip(converted).collect::<BTreeMap<_, _>>(),
            ))
        }
        (_, Type::Object(fields)) => {
            let missing: Vec<&str> = fields
                .iter()
                .filter(|(k, f)| f.presence == Presence::Required && !entries.contains_key(*k))
                .map(|(k, _)| &**k)
                .collect();
            if !missing.is_empty() {
                return Err(ConvertError::missing_attributes(&missing));
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
