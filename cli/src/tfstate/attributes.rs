//! The attributes of an instance: values as a state file writes them.
//!
//! What a schema leaves open is written as `{"value": ..., "type": ...}`. Where no schema is at
//! hand (weir may not have the provider), an attribute of that very form is taken for such a one,
//! and everything else is what JSON says of itself.

use super::FormNotes;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;
use weir_core::{
    Known, Path, Type, Value,
    json::{self, Encoded, to_json, type_to_json},
    path::Step,
    schema::Schema,
};

/// What the attributes are, and what must be known of their form to write them again.
pub(super) struct Attributes {
    pub(super) value: Known,
    /// `None` where a schema tells it.
    pub(super) form: Option<FormNotes>,
}

/// Reads attributes and where they are sensitive.
///
/// # Errors
/// What can't be kept.
pub(super) fn read(
    attributes: &Json,
    sensitive: &[Json],
    schema: Option<&Schema>,
) -> Result<Attributes, String> {
    let typed = schema.and_then(|s| close(attributes, &s.block.ty()));
    let (value, form) = match typed {
        Some(value) => (value, None),
        None => {
            let (value, open) = of_itself(attributes);
            let form = FormNotes {
                open,
                sensitive: sensitive.to_vec(),
            };
            (value, Some(form))
        }
    };
    let value = marked(&value, sensitive)?;
    let value = Known::new(value).map_err(|e| e.to_string())?;
    Ok(Attributes { value, form })
}

/// The value of a type as a state file writes it.
fn close(written: &Json, ty: &Type) -> Option<Value> {
    match (written, ty) {
        (Json::Null, _) => Some(Value::null_of(ty.clone())),
        (_, Type::Dynamic) => wrapped(written),
        (Json::Array(items), Type::List(t)) => {
            let items = items.iter().map(|v| close(v, t)).collect::<Option<_>>()?;
            Some(Value::list((**t).clone(), items))
        }
        (Json::Array(items), Type::Set(t)) => {
            let items: Vec<Value> = items.iter().map(|v| close(v, t)).collect::<Option<_>>()?;
            Some(Value::set((**t).clone(), items))
        }
        (Json::Array(items), Type::Tuple(ts)) if items.len() == ts.len() => {
            let items = items.iter().zip(&**ts).map(|(v, t)| close(v, t));
            Some(Value::tuple(items.collect::<Option<_>>()?))
        }
        (Json::Object(entries), Type::Map(t)) => {
            let one = |(k, v): (&String, &Json)| Some((Arc::<str>::from(k.as_str()), close(v, t)?));
            let entries: Vec<_> = entries.iter().map(one).collect::<Option<_>>()?;
            Some(Value::map((**t).clone(), entries))
        }
        (Json::Object(entries), Type::Object(fields)) => {
            if entries.keys().any(|k| !fields.contains_key(k.as_str())) {
                return None;
            }
            let one = |(k, f): (&Arc<str>, &weir_core::types::Field)| {
                let written = entries.get(&**k).unwrap_or(&Json::Null);
                Some((k.clone(), close(written, &f.ty)?))
            };
            let fields: Vec<_> = fields.iter().map(one).collect::<Option<_>>()?;
            Some(Value::object(fields))
        }
        _ => decoded(written.clone(), type_to_json(ty)),
    }
}

/// A value with its type beside it.
fn wrapped(written: &Json) -> Option<Value> {
    let fields = written.as_object().filter(|m| m.len() == 2)?;
    let (value, ty) = (fields.get("value")?, fields.get("type")?);
    decoded(value.clone(), ty.clone())
}

fn decoded(value: Json, ty: Json) -> Option<Value> {
    let encoded = Encoded {
        ty,
        value,
        unknown: Vec::new(),
        refined: Vec::new(),
        sensitive: Vec::new(),
    };
    json::decode(&encoded).ok()
}

/// The value that JSON says of itself, and which attributes have their type beside their value.
fn of_itself(attributes: &Json) -> (Value, Vec<String>) {
    let Some(entries) = attributes.as_object() else {
        return (json::from_json(attributes), Vec::new());
    };
    let mut open = Vec::new();
    let one = |(name, written): (&String, &Json)| {
        // Only what is written again as it was is taken for one.
        let found = wrapped(written).filter(|v| wrap(v) == *written);
        let value = match found {
            Some(value) => {
                open.push(name.clone());
                value
            }
            None => json::from_json(written),
        };
        (Arc::<str>::from(name.as_str()), value)
    };
    let fields: Vec<_> = entries.iter().map(one).collect();
    (Value::object(fields), open)
}

fn wrap(value: &Value) -> Json {
    json!({ "value": to_json(value), "type": type_to_json(&value.ty()) })
}

/// The value with what is sensitive marked. A path that leads further than the value goes marks
/// what it reaches.
fn marked(value: &Value, sensitive: &[Json]) -> Result<Value, String> {
    if sensitive.is_empty() {
        return Ok(value.clone());
    }
    let mut encoded = json::encode(value);
    for path in sensitive {
        let steps = steps(path).ok_or_else(|| format!("{path} is not a path"))?;
        let mut at = value;
        let mut reached = Vec::new();
        for step in steps {
            let next = match &step {
                Step::Key(name) => at.get(name),
                Step::Index(i) => at.children().nth(*i).filter(|_| !is_set(at)),
            };
            let Some(next) = next else { break };
            at = next;
            reached.push(step);
        }
        encoded.sensitive.push(json::path_to_json(&Path(reached)));
    }
    json::decode(&encoded).map_err(|e| e.to_string())
}

fn is_set(value: &Value) -> bool {
    matches!(value.kind(), weir_core::Kind::Set(..))
}

/// Terraform's words for a path.
fn steps(path: &Json) -> Option<Vec<Step>> {
    let one = |step: &Json| {
        let (kind, value) = (step.get("type")?.as_str()?, step.get("value")?);
        match kind {
            "get_attr" => Some(Step::Key(value.as_str()?.to_owned())),
            "index" => match value.get("value")? {
                Json::String(key) => Some(Step::Key(key.clone())),
                Json::Number(n) => Some(Step::Index(usize::try_from(n.as_u64()?).ok()?)),
                _ => None,
            },
            _ => None,
        }
    };
    path.as_array()?.iter().map(one).collect()
}

/// Whether the value is what that schema makes of attributes.
pub(super) fn are_of(value: &Value, schema: &Schema) -> bool {
    fits(&value.ty(), &schema.block.ty())
}

fn fits(found: &Type, ty: &Type) -> bool {
    match (found, ty) {
        (_, Type::Dynamic) => true,
        (Type::List(a), Type::List(b))
        | (Type::Set(a), Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => fits(a, b),
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(&**b).all(|(a, b)| fits(a, b))
        }
        (Type::Object(a), Type::Object(b)) => {
            let one = |(name, field): (&Arc<str>, &weir_core::types::Field)| {
                a.get(name).is_some_and(|f| fits(&f.ty, &field.ty))
            };
            a.len() == b.len() && b.iter().all(one)
        }
        (a, b) => a == b,
    }
}

/// The attributes as a state file writes them.
pub(super) fn write(value: &Value, schema: Option<&Schema>, form: Option<&FormNotes>) -> Json {
    match (schema, form, value.as_entries()) {
        (None, Some(form), Some(entries)) => {
            let one = |(name, v): (&Arc<str>, &Value)| {
                let json = match form.open.iter().any(|o| **o == **name) {
                    true => wrap(v),
                    false => to_json(v),
                };
                (name.to_string(), json)
            };
            Json::Object(entries.iter().map(one).collect())
        }
        (Some(schema), ..) => open(value, &schema.block.ty()),
        _ => to_json(value),
    }
}

/// The value as a state file writes one of that type.
fn open(value: &Value, ty: &Type) -> Json {
    match ty {
        _ if value.is_null() => Json::Null,
        Type::Dynamic => wrap(value),
        Type::List(t) | Type::Set(t) => value.children().map(|v| open(v, t)).collect(),
        Type::Tuple(ts) => {
            let items = value.children().enumerate();
            let of = |i: usize| ts.get(i).cloned().unwrap_or(Type::Dynamic);
            items.map(|(i, v)| open(v, &of(i))).collect()
        }
        Type::Map(_) | Type::Object(_) => {
            let Some(entries) = value.as_entries() else {
                return to_json(value);
            };
            let one = |(name, v): (&Arc<str>, &Value)| {
                let json = match ty {
                    Type::Map(t) => open(v, t),
                    Type::Object(fields) => match fields.get(name) {
                        Some(field) => open(v, &field.ty),
                        None => to_json(v),
                    },
                    _ => to_json(v),
                };
                (name.to_string(), json)
            };
            Json::Object(entries.iter().map(one).collect::<Map<_, _>>())
        }
        _ => to_json(value),
    }
}

/// Where the value is sensitive, in Terraform's words for paths.
pub(super) fn sensitive(value: &Value) -> Vec<Json> {
    let mut found = Vec::new();
    collect(value, &mut Vec::new(), &mut found);
    found
}

fn collect(value: &Value, at: &mut Vec<Json>, found: &mut Vec<Json>) {
    if value.is_sensitive() && !at.is_empty() {
        found.push(Json::Array(at.clone()));
        return;
    }
    let is_map = matches!(value.kind(), weir_core::Kind::Map(..));
    if let Some(entries) = value.as_entries() {
        for (name, child) in entries {
            let step = match is_map {
                true => json!({ "type": "index", "value": { "value": &**name, "type": "string" } }),
                false => json!({ "type": "get_attr", "value": &**name }),
            };
            at.push(step);
            collect(child, at, found);
            at.pop();
        }
        return;
    }
    for (i, child) in value.children().enumerate() {
        at.push(json!({ "type": "index", "value": { "value": i, "type": "number" } }));
        collect(child, at, found);
        at.pop();
    }
}
