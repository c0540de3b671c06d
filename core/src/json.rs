//! Values as JSON: plain, and self-describing (type, unknowns and marks beside the value).

mod stored;

pub use stored::{StoredReader, Text};

use crate::{
    number::Number,
    path::{Path, Step},
    types::{Field, Presence, Type},
    value::{Bound, Kind, Marks, Refinements, Value},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, str::FromStr, sync::Arc};

/// A value with all that JSON can't say: its type, where it is unknown, where it is marked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoded {
    /// The type, in the notation of the Terraform plugin protocol (`["list","string"]`).
    #[serde(rename = "type")]
    pub ty: Json,
    /// The value, null where unknown.
    pub value: Json,
    /// Where it is unknown, and of which type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<(Json, Json)>,
    /// What is known of those unknown values of which something is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refined: Vec<(Json, Refined)>,
    /// Where it is sensitive.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensitive: Vec<Json>,
}

/// What is known of an unknown value, as [`Refinements`] has it; numbers are text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Refined {
    not_null: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<(String, bool)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<(String, bool)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_len: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_len: Option<usize>,
}

impl From<&Refinements> for Refined {
    fn from(known: &Refinements) -> Refined {
        let bound = |b: &Bound| (b.number.to_string(), b.inclusive);
        Refined {
            not_null: known.not_null,
            prefix: known.prefix.as_deref().map(str::to_owned),
            min: known.min.as_ref().map(bound),
            max: known.max.as_ref().map(bound),
            min_len: known.min_len,
            max_len: known.max_len,
        }
    }
}

impl Refined {
    /// `None` where a number is damaged.
    fn decode(&self) -> Option<Refinements> {
        let bound = |b: &Option<(String, bool)>| match b {
            None => Some(None),
            Some((number, inclusive)) => Some(Some(Bound {
                number: Number::from_str(number).ok()?,
                inclusive: *inclusive,
            })),
        };
        Some(Refinements {
            not_null: self.not_null,
            prefix: self.prefix.as_deref().map(Arc::from),
            min: bound(&self.min)?,
            max: bound(&self.max)?,
            min_len: self.min_len,
            max_len: self.max_len,
        })
    }
}

/// Stored JSON does not fit its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {cause}")]
pub struct DecodeError {
    /// Where.
    pub path: Path,
    /// Why.
    pub cause: String,
}

/// The value with its type, unknowns and sensitive marks. Ephemeral values become null.
pub fn encode(value: &Value) -> Encoded {
    let mut encoded = Encoded {
        ty: type_to_json(&value.ty()),
        value: Json::Null,
        unknown: Vec::new(),
        refined: Vec::new(),
        sensitive: Vec::new(),
    };
    encoded.value = walk(value, At::Root, &mut encoded);
    encoded
}

/// A place on the way down: few of them are ever asked for their path.
#[derive(Clone, Copy)]
enum At<'a> {
    Root,
    Key(&'a At<'a>, &'a str),
    Index(&'a At<'a>, usize),
}

impl At<'_> {
    fn path(self) -> Path {
        match self {
            At::Root => Path::root(),
            At::Key(above, key) => above.path().key(key),
            At::Index(above, i) => above.path().index(i),
        }
    }
}

fn walk(value: &Value, at: At<'_>, out: &mut Encoded) -> Json {
    if value.marks().contains(Marks::EPHEMERAL) {
        return Json::Null;
    }
    if value.is_sensitive() {
        out.sensitive.push(path_to_json(&at.path()));
    }
    let mut items = |values: &mut dyn Iterator<Item = &Value>| -> Json {
        values
            .enumerate()
            .map(|(i, v)| walk(v, At::Index(&at, i), out))
            .collect()
    };
    match value.kind() {
        Kind::Unknown(ty, known) => {
            let path = path_to_json(&at.path());
            if **known != Refinements::default() {
                out.refined.push((path.clone(), (&**known).into()));
            }
            out.unknown.push((path, type_to_json(ty)));
            Json::Null
        }
        Kind::List(_, v) | Kind::Tuple(v) => items(&mut v.iter()),
        Kind::Set(_, v) => items(&mut v.iter()),
        Kind::Map(_, m) | Kind::Object(m) => Json::Object(
            m.iter()
                .map(|(k, v)| (k.to_string(), walk(v, At::Key(&at, k), out)))
                .collect(),
        ),
        _ => to_json(value),
    }
}

/// The value as plain JSON: what `jsonencode` and `output -json` print. Unknowns become null and
/// marks are lost: the caller answers for that.
pub fn to_json(value: &Value) -> Json {
    match value.kind() {
        Kind::Null(_) | Kind::Unknown(..) => Json::Null,
        Kind::Bool(b) => Json::Bool(*b),
        Kind::Number(n) => number_to_json(n),
        Kind::String(s) => Json::String(s.to_string()),
        Kind::List(_, items) | Kind::Tuple(items) => items.iter().map(to_json).collect(),
        Kind::Set(_, items) => items.iter().map(to_json).collect(),
        Kind::Map(_, m) | Kind::Object(m) => {
            Json::Object(m.iter().map(|(k, v)| (k.to_string(), to_json(v))).collect())
        }
    }
}

fn number_to_json(n: &Number) -> Json {
    match n.as_i64() {
        Some(i) => json!(i),
        None => serde_json::from_str(&n.to_string()).unwrap_or(Json::Null),
    }
}

/// The value of plain JSON, typed as `jsondecode` types it: arrays are tuples, objects objects.
pub fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::null(),
        Json::Bool(b) => Value::bool(*b),
        Json::Number(n) => {
            Number::from_str(&n.to_string()).map_or_else(|_| Value::null(), Value::number)
        }
        Json::String(s) => Value::string(s.as_str()),
        Json::Array(items) => Value::tuple(items.iter().map(from_json).collect()),
        Json::Object(m) => Value::object(m.iter().map(|(k, v)| (k.as_str(), from_json(v)))),
    }
}

/// The value that [`encode`] described.
///
/// # Errors
/// Where the JSON does not fit the type it says it has.
pub fn decode(encoded: &Encoded) -> Result<Value, DecodeError> {
    let root = Path::root();
    let ty = type_from_json(&encoded.ty).ok_or_else(|| bad(&root, "the type is not understood"))?;
    let mut unknown = BTreeMap::new();
    for (path, ty) in &encoded.unknown {
        let path =
            path_from_json(path).ok_or_else(|| bad(&root, "an unknown's path is damaged"))?;
        let ty = type_from_json(ty).ok_or_else(|| bad(&path, "an unknown's type is damaged"))?;
        unknown.insert(path, (ty, Refinements::default()));
    }
    for (path, refined) in &encoded.refined {
        let path =
            path_from_json(path).ok_or_else(|| bad(&root, "a refinement's path is damaged"))?;
        let known = refined.decode();
        let known = known.ok_or_else(|| bad(&path, "what is known of an unknown is damaged"))?;
        match unknown.get_mut(&path) {
            Some(found) => found.1 = known,
            None => return Err(bad(&path, "what is known of an unknown is of none")),
        }
    }
    let mut sensitive = Vec::new();
    for path in &encoded.sensitive {
        sensitive.push(path_from_json(path).ok_or_else(|| bad(&root, "a mark's path is damaged"))?);
    }
    decode_at(&encoded.value, &ty, At::Root, &Notes { unknown, sensitive })
}

struct Notes {
    unknown: BTreeMap<Path, (Type, Refinements)>,
    sensitive: Vec<Path>,
}

fn bad(path: &Path, cause: impl Into<String>) -> DecodeError {
    DecodeError {
        path: path.clone(),
        cause: cause.into(),
    }
}

impl Notes {
    /// What is noted of a place: an unknown, and marks.
    fn of(&self, at: At<'_>) -> (Option<&(Type, Refinements)>, Marks) {
        if self.unknown.is_empty() && self.sensitive.is_empty() {
            return (None, Marks::NONE);
        }
        let path = at.path();
        let marks = match self.sensitive.contains(&path) {
            true => Marks::SENSITIVE,
            false => Marks::NONE,
        };
        (self.unknown.get(&path), marks)
    }
}

/// The key and the type of an entry.
type FieldOf<'a> = &'a dyn Fn(&str) -> Option<(Arc<str>, Type)>;

fn decode_at(json: &Json, ty: &Type, at: At<'_>, notes: &Notes) -> Result<Value, DecodeError> {
    let (unknown, marks) = notes.of(at);
    if let Some((ty, known)) = unknown {
        return Ok(Value::unknown_refined(ty.clone(), known.clone()).mark(marks));
    }
    let wrong = || {
        let cause = format!("the stored value is not of type {ty}");
        bad(&at.path(), cause)
    };
    let items = |json: &Json, element: &dyn Fn(usize) -> Option<Type>| {
        json.as_array()
            .ok_or_else(wrong)?
            .iter()
            .enumerate()
            .map(|(i, v)| {
                let ty = element(i).ok_or_else(wrong)?;
                decode_at(v, &ty, At::Index(&at, i), notes)
            })
            .collect::<Result<Vec<_>, _>>()
    };
    // The keys of an object are those of its type, which its values share.
    let entries = |json: &Json, element: FieldOf<'_>| {
        json.as_object()
            .ok_or_else(wrong)?
            .iter()
            .map(|(k, v)| {
                let (key, ty) = element(k).ok_or_else(wrong)?;
                Ok((key, decode_at(v, &ty, At::Key(&at, k), notes)?))
            })
            .collect::<Result<Vec<(Arc<str>, Value)>, DecodeError>>()
    };
    let value = match (json, ty) {
        (Json::Null, _) => Value::null_of(ty.clone()),
        (_, Type::Dynamic) => from_json(json),
        (Json::Bool(b), Type::Bool) => Value::bool(*b),
        (Json::Number(n), Type::Number) => {
            Value::number(Number::from_str(&n.to_string()).map_err(|_| wrong())?)
        }
        (Json::String(s), Type::String) => Value::string(s.as_str()),
        (_, Type::List(t)) => Value::list((**t).clone(), items(json, &|_| Some((**t).clone()))?),
        (_, Type::Set(t)) => Value::set((**t).clone(), items(json, &|_| Some((**t).clone()))?),
        (_, Type::Map(t)) => Value::map(
            (**t).clone(),
            entries(json, &|k| Some((Arc::from(k), (**t).clone())))?,
        ),
        (_, Type::Tuple(ts)) => Value::tuple(items(json, &|i| ts.get(i).cloned())?),
        (_, Type::Object(fields)) => {
            let field = |k: &str| {
                let (key, field) = fields.get_key_value(k)?;
                Some((key.clone(), field.ty.clone()))
            };
            Value::object(entries(json, &field)?)
        }
        _ => return Err(wrong()),
    };
    Ok(value.mark(marks))
}

/// A type in the notation of the plugin protocol.
pub fn type_to_json(ty: &Type) -> Json {
    match ty {
        Type::Dynamic => json!("dynamic"),
        Type::Bool => json!("bool"),
        Type::Number => json!("number"),
        Type::String => json!("string"),
        Type::List(t) => json!(["list", type_to_json(t)]),
        Type::Set(t) => json!(["set", type_to_json(t)]),
        Type::Map(t) => json!(["map", type_to_json(t)]),
        Type::Tuple(ts) => json!(["tuple", ts.iter().map(type_to_json).collect::<Vec<_>>()]),
        Type::Object(fields) => {
            let types: serde_json::Map<String, Json> = fields
                .iter()
                .map(|(k, f)| (k.to_string(), type_to_json(&f.ty)))
                .collect();
            let optional: Vec<&str> = fields
                .iter()
                .filter(|(_, f)| f.presence == Presence::Optional)
                .map(|(k, _)| &**k)
                .collect();
            if optional.is_empty() {
                json!(["object", types])
            } else {
                json!(["object", types, optional])
            }
        }
    }
}

/// The type that notation names.
pub fn type_from_json(json: &Json) -> Option<Type> {
    if let Json::String(s) = json {
        return match s.as_str() {
            "dynamic" => Some(Type::Dynamic),
            "bool" => Some(Type::Bool),
            "number" => Some(Type::Number),
            "string" => Some(Type::String),
            _ => None,
        };
    }
    let parts = json.as_array()?;
    let inner = parts.get(1)?;
    match parts.first()?.as_str()? {
        "list" => Some(Type::list(type_from_json(inner)?)),
        "set" => Some(Type::set(type_from_json(inner)?)),
        "map" => Some(Type::map(type_from_json(inner)?)),
        "tuple" => inner
            .as_array()?
            .iter()
            .map(type_from_json)
            .collect::<Option<Vec<_>>>()
            .map(Type::tuple),
        "object" => {
            let optional: Vec<&str> = match parts.get(2) {
                Some(names) => names.as_array()?.iter().filter_map(Json::as_str).collect(),
                None => Vec::new(),
            };
            let mut fields = BTreeMap::new();
            for (k, t) in inner.as_object()? {
                let presence = if optional.contains(&k.as_str()) {
                    Presence::Optional
                } else {
                    Presence::Required
                };
                fields.insert(
                    Arc::from(k.as_str()),
                    Field {
                        ty: type_from_json(t)?,
                        presence,
                    },
                );
            }
            Some(Type::Object(Arc::new(fields)))
        }
        _ => None,
    }
}

/// A path as an array of names and numbers.
pub fn path_to_json(path: &Path) -> Json {
    path.0
        .iter()
        .map(|s| match s {
            Step::Key(k) => json!(k),
            Step::Index(i) => json!(i),
        })
        .collect()
}

/// The path such an array names.
pub fn path_from_json(json: &Json) -> Option<Path> {
    json.as_array()?
        .iter()
        .map(|step| match step {
            Json::String(k) => Some(Step::Key(k.clone())),
            Json::Number(n) => n
                .as_u64()
                .and_then(|i| usize::try_from(i).ok())
                .map(Step::Index),
            _ => None,
        })
        .collect::<Option<Vec<_>>>()
        .map(Path)
}
