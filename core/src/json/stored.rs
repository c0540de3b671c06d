//! Values read from the text of an [`Encoded`](super::Encoded) in one pass, without a tree of JSON
//! between: what states are opened with.
//!
//! Only what programs of this kind write all the time is read here. Whatever else may stand in an
//! `Encoded` (unknowns, fields out of order, what does not fit its type) is refused, and read the
//! long way by [`decode`](super::decode), which also says what is wrong with it.

use super::path_from_json;
use crate::{
    number::Number,
    path::Step,
    types::{Field, Presence, Type},
    value::{Entries, Kind, Marks, Value},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value as Json;
use std::{borrow::Cow, collections::BTreeMap, fmt, str::FromStr, sync::Arc};

/// Reads one value after the other. Those of one type share it, with the keys of their objects.
#[derive(Debug, Default)]
pub struct StoredReader {
    /// The type of the value before.
    last: Option<Type>,
}

/// Text, borrowed where it stands in the JSON as it is.
#[derive(Debug)]
pub struct Text<'de>(pub Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reading;
        impl<'de> Visitor<'de> for Reading {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_borrowed_str<E>(self, s: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(s)))
            }
            fn visit_str<E>(self, s: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(s.to_owned())))
            }
        }
        d.deserialize_str(Reading)
    }
}

/// The fields of an [`Encoded`](super::Encoded).
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Part {
    Type,
    Value,
    Unknown,
    Refined,
    Sensitive,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for &mut StoredReader {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut StoredReader {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with its type")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        if !matches!(map.next_key()?, Some(Part::Type)) {
            return Err(A::Error::custom("the type comes first"));
        }
        let ty = map.next_value_seed(TypeSeed(self.last.as_ref()))?;
        let ty = &*self.last.insert(ty);
        if !matches!(map.next_key()?, Some(Part::Value)) {
            return Err(A::Error::custom("the value comes after its type"));
        }
        let mut value = map.next_value_seed(ValueSeed(ty))?;
        let mut seen = false;
        while let Some(part) = map.next_key()? {
            match part {
                Part::Sensitive if !seen => {
                    seen = true;
                    for path in map.next_value::<Vec<Json>>()? {
                        let path = path_from_json(&path);
                        value = path
                            .and_then(|path| marked(value, &path.0))
                            .ok_or_else(|| A::Error::custom("a mark is not of a plain place"))?;
                    }
                }
                Part::Other => drop(map.next_value::<IgnoredAny>()?),
                _ => return Err(A::Error::custom("it is not known, or stands there twice")),
            }
        }
        Ok(value)
    }
}

/// The value with the place at the path marked; `None` where that is not inside an object, a map,
/// a list or a tuple.
fn marked(value: Value, path: &[Step]) -> Option<Value> {
    let Some((step, rest)) = path.split_first() else {
        return Some(value.mark(Marks::SENSITIVE));
    };
    let mark_in = |place: &mut Value| {
        *place = marked(std::mem::replace(place, Value::null()), rest)?;
        Some(())
    };
    let (value, marks) = value.unmark();
    let kind = match (value.into_kind(), step) {
        (Kind::Object(m), Step::Key(key)) => {
            let mut m = Arc::unwrap_or_clone(m);
            m.get_mut(key.as_str()).and_then(mark_in)?;
            Kind::Object(Arc::new(m))
        }
        (Kind::Map(ty, m), Step::Key(key)) => {
            let mut m = Arc::unwrap_or_clone(m);
            m.get_mut(key.as_str()).and_then(mark_in)?;
            Kind::Map(ty, Arc::new(m))
        }
        (Kind::List(ty, items), Step::Index(i)) => {
            let mut items = Arc::unwrap_or_clone(items);
            items.get_mut(*i).and_then(mark_in)?;
            Kind::List(ty, Arc::new(items))
        }
        (Kind::Tuple(items), Step::Index(i)) => {
            let mut items = Arc::unwrap_or_clone(items);
            items.get_mut(*i).and_then(mark_in)?;
            Kind::Tuple(Arc::new(items))
        }
        _ => return None,
    };
    Some(Value::of(kind).mark(marks))
}

/// Reads a type. Where it is the one given, that is what comes back, shared.
struct TypeSeed<'a>(Option<&'a Type>);

/// How a type of parts begins.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Form {
    List,
    Set,
    Map,
    Tuple,
    Object,
}

impl<'de> DeserializeSeed<'de> for TypeSeed<'_> {
    type Value = Type;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Type, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TypeSeed<'_> {
    type Value = Type;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a type")
    }
    fn visit_str<E: Error>(self, name: &str) -> Result<Type, E> {
        match name {
            "dynamic" => Ok(Type::Dynamic),
            "bool" => Ok(Type::Bool),
            "number" => Ok(Type::Number),
            "string" => Ok(Type::String),
            _ => Err(E::custom("the type is not understood")),
        }
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Type, A::Error> {
        let cut = || A::Error::custom("the type is cut off");
        let form = parts.next_element()?.ok_or_else(cut)?;
        let last = match (&form, self.0) {
            (Form::List, Some(Type::List(t)))
            | (Form::Set, Some(Type::Set(t)))
            | (Form::Map, Some(Type::Map(t))) => Some(t),
            _ => None,
        };
        if let Form::Object = form {
            let last = match self.0 {
                Some(Type::Object(fields)) => Some(fields),
                _ => None,
            };
            let fields = parts.next_element_seed(FieldsSeed(last))?;
            return Ok(Type::Object(fields.ok_or_else(cut)?));
        }
        if let Form::Tuple = form {
            return (parts.next_element_seed(TypesSeed)?)
                .map_or_else(|| Err(cut()), |ts| Ok(Type::tuple(ts)));
        }
        let inner = parts.next_element_seed(TypeSeed(last.map(|t| &**t)))?;
        let inner = inner.ok_or_else(cut)?;
        let inner = match last {
            Some(last) if is_same(last, &inner) => last.clone(),
            _ => Arc::new(inner),
        };
        Ok(match form {
            Form::List => Type::List(inner),
            Form::Set => Type::Set(inner),
            _ => Type::Map(inner),
        })
    }
}

/// Whether they are equal, as far as that is seen without looking into them: what [`TypeSeed`]
/// finds to be the same shares its parts.
fn is_same(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::List(a), Type::List(b))
        | (Type::Set(a), Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => Arc::ptr_eq(a, b),
        (Type::Object(a), Type::Object(b)) => Arc::ptr_eq(a, b),
        (Type::Tuple(a), Type::Tuple(b)) => a == b,
        (a, b) => a == b,
    }
}

/// The types of a tuple's elements.
struct TypesSeed;

impl<'de> DeserializeSeed<'de> for TypesSeed {
    type Value = Vec<Type>;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Vec<Type>, D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for TypesSeed {
    type Value = Vec<Type>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("types")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<Type>, A::Error> {
        let mut types = Vec::new();
        while let Some(ty) = items.next_element_seed(TypeSeed(None))? {
            types.push(ty);
        }
        Ok(types)
    }
}

type Fields = Arc<BTreeMap<Arc<str>, Field>>;

/// The fields of an object, none of them optional: a value has all of its own.
struct FieldsSeed<'a>(Option<&'a Fields>);

impl<'de> DeserializeSeed<'de> for FieldsSeed<'_> {
    type Value = Fields;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Fields, D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FieldsSeed<'_> {
    type Value = Fields;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("fields")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut last = self.0.into_iter().flat_map(|fields| fields.iter());
        // So many of the first fields are those of `last`.
        let mut same = 0;
        let mut fields: Option<BTreeMap<Arc<str>, Field>> = None;
        while let Some(Text(name)) = map.next_key()? {
            let known = last.next().filter(|(key, _)| ***key == *name);
            let ty = map.next_value_seed(TypeSeed(known.map(|(_, field)| &field.ty)))?;
            let is_known = known.is_some_and(|(_, field)| is_same(&field.ty, &ty));
            if is_known && fields.is_none() {
                same += 1;
                continue;
            }
            let fields = fields.get_or_insert_with(|| {
                let known = self.0.into_iter().flat_map(|fields| fields.iter());
                known
                    .take(same)
                    .map(|(k, f)| (k.clone(), f.clone()))
                    .collect()
            });
            let key = known.map_or_else(|| Arc::from(&*name), |(key, _)| key.clone());
            let presence = Presence::Required;
            fields.insert(key, Field { ty, presence });
        }
        Ok(match (fields, self.0) {
            (Some(fields), _) => Arc::new(fields),
            (None, Some(last)) if last.len() == same => last.clone(),
            (None, last) => {
                let known = last.into_iter().flat_map(|fields| fields.iter());
                Arc::new(
                    known
                        .take(same)
                        .map(|(k, f)| (k.clone(), f.clone()))
                        .collect(),
                )
            }
        })
    }
}

/// Reads a value of a type.
#[derive(Clone, Copy)]
struct ValueSeed<'a>(&'a Type);

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        let known = match self.0 {
            Type::Bool => Option::deserialize(d)?.map(Value::bool),
            Type::Number => match Option::<serde_json::Number>::deserialize(d)? {
                None => None,
                Some(n) => {
                    let n = Number::from_str(n.as_str()).map_err(D::Error::custom)?;
                    Some(Value::number(n))
                }
            },
            _ => return d.deserialize_option(self),
        };
        Ok(known.unwrap_or_else(|| Value::null_of(self.0.clone())))
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of type {}", self.0)
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::null_of(self.0.clone()))
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::null_of(self.0.clone()))
    }
    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        match self.0 {
            Type::String => d.deserialize_str(self),
            Type::List(_) | Type::Set(_) | Type::Tuple(_) => d.deserialize_seq(self),
            Type::Map(_) | Type::Object(_) => d.deserialize_map(self),
            Type::Dynamic | Type::Bool | Type::Number => {
                Err(D::Error::custom("only null is of no type"))
            }
        }
    }
    fn visit_str<E>(self, s: &str) -> Result<Value, E> {
        Ok(Value::string(s))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        match self.0 {
            Type::List(ty) | Type::Set(ty) => {
                while let Some(item) = seq.next_element_seed(ValueSeed(ty))? {
                    items.push(item);
                }
            }
            Type::Tuple(types) => {
                for ty in types.iter() {
                    let Some(item) = seq.next_element_seed(ValueSeed(ty))? else {
                        break;
                    };
                    items.push(item);
                }
            }
            _ => return Err(A::Error::custom("it is not of several elements")),
        }
        items.shrink_to_fit();
        Ok(match self.0 {
            Type::List(ty) => Value::list((**ty).clone(), items),
            Type::Set(ty) => Value::set((**ty).clone(), items),
            _ => Value::tuple(items),
        })
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries: Vec<(Arc<str>, Value)> = Vec::new();
        match self.0 {
            Type::Object(fields) => {
                entries.reserve_exact(fields.len());
                // Both are in order.
                let mut fields = fields.iter();
                while let Some(Text(name)) = map.next_key()? {
                    let field = fields.find(|(key, _)| ***key == *name);
                    let (key, field) =
                        field.ok_or_else(|| A::Error::custom("a field is out of order"))?;
                    let value = map.next_value_seed(ValueSeed(&field.ty))?;
                    entries.push((key.clone(), value));
                }
            }
            Type::Map(ty) => {
                while let Some(Text(name)) = map.next_key()? {
                    if entries.last().is_some_and(|(before, _)| **before >= *name) {
                        return Err(A::Error::custom("a key is out of order"));
                    }
                    let value = map.next_value_seed(ValueSeed(ty))?;
                    entries.push((Arc::from(&*name), value));
                }
            }
            _ => return Err(A::Error::custom("it has no entries")),
        }
        entries.shrink_to_fit();
        let entries = Arc::new(Entries::from_sorted_store_unchecked(entries));
        Ok(Value::of(match self.0 {
            Type::Map(ty) => Kind::Map((**ty).clone(), entries),
            _ => Kind::Object(entries),
        }))
    }
}
