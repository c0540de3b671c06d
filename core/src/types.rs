//! Types of values, with Terraform's meaning.

use std::{collections::BTreeMap, fmt, sync::Arc};

/// The type of a value, or a constraint on it where it holds `Dynamic`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// Any type; as a value's type only for nulls and unknowns of no known type (`any`).
    Dynamic,
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `list(T)`
    List(Arc<Type>),
    /// `set(T)`
    Set(Arc<Type>),
    /// `map(T)`
    Map(Arc<Type>),
    /// `object({...})`
    Object(Arc<BTreeMap<Arc<str>, Field>>),
    /// `tuple([...])`
    Tuple(Arc<[Type]>),
}

/// A field of an object type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field {
    /// The type of the field.
    pub ty: Type,
    /// Whether a value may leave it out (then null; defaults are the constraint's business).
    pub presence: Presence,
}

/// Whether an object value must have a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Presence {
    /// It must be there.
    Required,
    /// `optional(T)`: it is null where left out.
    Optional,
}

impl Type {
    /// `list(element)`
    pub fn list(element: Type) -> Type {
        Type::List(Arc::new(element))
    }
    /// `set(element)`
    pub fn set(element: Type) -> Type {
        Type::Set(Arc::new(element))
    }
    /// `map(element)`
    pub fn map(element: Type) -> Type {
        Type::Map(Arc::new(element))
    }
    /// An object type whose fields are all required.
    pub fn object<K: Into<Arc<str>>>(fields: impl IntoIterator<Item = (K, Type)>) -> Type {
        Type::Object(Arc::new(
            fields
                .into_iter()
                .map(|(k, ty)| {
                    (
                        k.into(),
                        Field {
                            ty,
                            presence: Presence::Required,
                        },
                    )
                })
                .collect(),
        ))
    }
    /// `tuple([...])`
    pub fn tuple(elements: impl IntoIterator<Item = Type>) -> Type {
        Type::Tuple(elements.into_iter().collect())
    }
    /// Whether it is `bool`, `number` or `string`.
    pub fn is_primitive(&self) -> bool {
        matches!(self, Type::Bool | Type::Number | Type::String)
    }
    /// The type a value has that was converted to this one: no attribute is optional any more.
    pub fn required(&self) -> Type {
        match self {
            Type::Dynamic | Type::Bool | Type::Number | Type::String => self.clone(),
            Type::List(t) => Type::list(t.required()),
            Type::Set(t) => Type::set(t.required()),
            Type::Map(t) => Type::map(t.required()),
            Type::Object(fields) => {
                Type::object(fields.iter().map(|(k, f)| (k.clone(), f.ty.required())))
            }
            Type::Tuple(ts) => Type::tuple(ts.iter().map(Type::required)),
        }
    }
    /// Whether `Dynamic` stands anywhere in it.
    pub fn has_dynamic(&self) -> bool {
        match self {
            Type::Dynamic => true,
            Type::Bool | Type::Number | Type::String => false,
            Type::List(t) | Type::Set(t) | Type::Map(t) => t.has_dynamic(),
            Type::Object(fields) => fields.values().any(|f| f.ty.has_dynamic()),
            Type::Tuple(ts) => ts.iter().any(Type::has_dynamic),
        }
    }
    /// Whether a value of the one type may be one of the other, where `Dynamic` may be any type.
    pub fn overlaps(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::Dynamic, _) | (_, Type::Dynamic) => true,
            (Type::List(a), Type::List(b))
            | (Type::Set(a), Type::Set(b))
            | (Type::Map(a), Type::Map(b)) => a.overlaps(b),
            (Type::Object(a), Type::Object(b)) => {
                let mut pairs = a.values().zip(b.values());
                a.keys().eq(b.keys()) && pairs.all(|(a, b)| a.ty.overlaps(&b.ty))
            }
            (Type::Tuple(a), Type::Tuple(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.overlaps(b))
            }
            (a, b) => a == b,
        }
    }
    /// The word for the type in messages: `a list of string`, `an object`, ...
    pub fn friendly(&self) -> String {
        match self {
            Type::Dynamic => "any type".into(),
            Type::Bool => "bool".into(),
            Type::Number => "number".into(),
            Type::String => "string".into(),
            Type::List(t) => format!("list of {}", t.friendly()),
            Type::Set(t) => format!("set of {}", t.friendly()),
            Type::Map(t) => format!("map of {}", t.friendly()),
            Type::Object(_) => "object".into(),
            Type::Tuple(_) => "tuple".into(),
        }
    }
}

impl fmt::Display for Type {
    /// As a type constraint is written in a configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Dynamic => f.write_str("any"),
            Type::Bool => f.write_str("bool"),
            Type::Number => f.write_str("number"),
            Type::String => f.write_str("string"),
            Type::List(t) => write!(f, "list({t})"),
            Type::Set(t) => write!(f, "set({t})"),
            Type::Map(t) => write!(f, "map({t})"),
            Type::Object(fields) => {
                f.write_str("object({")?;
                for (i, (k, field)) in fields.iter().enumerate() {
                    let comma = if i > 0 { ", " } else { "" };
                    match field.presence {
                        Presence::Required => write!(f, "{comma}{k} = {}", field.ty)?,
                        Presence::Optional => write!(f, "{comma}{k} = optional({})", field.ty)?,
                    }
                }
                f.write_str("})")
            }
            Type::Tuple(ts) => {
                f.write_str("tuple([")?;
                for (i, t) in ts.iter().enumerate() {
                    let comma = if i > 0 { ", " } else { "" };
                    write!(f, "{comma}{t}")?;
                }
                f.write_str("])")
            }
        }
    }
}
