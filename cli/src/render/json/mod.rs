//! The formats that Terraform documents, so that its tools read weir's output unchanged.
//!
//! One thing differs: a sensitive value is null here, and the masks beside it say so.

pub(crate) mod diagnostic;
pub(crate) mod plan;
pub(crate) mod state;
#[cfg(test)]
mod tests;
pub(crate) mod ui;

use serde_json::{Value as Json, json};
use weir_core::{Address, Key, Kind, Object, Type, Value};

/// The Terraform release whose formats these are.
pub(crate) const TERRAFORM: &str = "1.11.4";

/// The type of a value, `dynamic` where it is sensitive: the names of its attributes are its keys.
pub(crate) fn shown_type(value: &Value) -> Json {
    weir_core::json::type_to_json(&match value.is_sensitive() {
        true => weir_core::Type::Dynamic,
        false => value.ty(),
    })
}

/// The value, null where it is sensitive; what is unknown is left out of objects and null in
/// lists.
pub(crate) fn shown(value: &Value) -> Json {
    if value.is_sensitive() {
        return Json::Null;
    }
    match value.kind() {
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => value.children().map(shown).collect(),
        Kind::Map(_, m) | Kind::Object(m) => {
            let known = m.iter().filter(|(_, v)| !v.is_unknown());
            Json::Object(known.map(|(k, v)| (k.to_string(), shown(v))).collect())
        }
        _ => weir_core::json::to_json(value),
    }
}

/// `true` where it holds, with the shape of the value around; `false` where it holds nowhere.
pub(crate) fn mask(value: &Value, holds: &impl Fn(&Value) -> bool) -> Json {
    if holds(value) {
        return Json::Bool(true);
    }
    match value.kind() {
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
            value.children().map(|v| mask(v, holds)).collect()
        }
        Kind::Map(_, m) | Kind::Object(m) => {
            let masks = m.iter().map(|(k, v)| (k.to_string(), mask(v, holds)));
            Json::Object(masks.filter(|(_, m)| *m != Json::Bool(false)).collect())
        }
        // Of what is not known yet only the form is known.
        Kind::Unknown(Type::Map(_) | Type::Object(_), _) => json!({}),
        Kind::Unknown(Type::List(_) | Type::Set(_) | Type::Tuple(_), _) => json!([]),
        _ => Json::Bool(false),
    }
}

/// Type, name, mode, index and module of an address.
pub(crate) fn resource(address: &Address) -> serde_json::Map<String, Json> {
    let (mode, name) = match &address.object {
        Object::Managed { name, .. } => ("managed", name.clone()),
        Object::Data { name, .. } => ("data", name.clone()),
        Object::Ephemeral { name, .. } => ("ephemeral", name.clone()),
        Object::Host { site } => ("managed", site.clone()),
        Object::Pod { service, pod } => ("managed", format!("{service}.{pod}")),
    };
    let mut out = serde_json::Map::new();
    out.insert("address".into(), json!(address.to_string()));
    if !address.module.is_root() {
        out.insert("module_address".into(), json!(address.module.to_string()));
    }
    out.insert("mode".into(), json!(mode));
    out.insert("type".into(), json!(address.object.type_name()));
    out.insert("name".into(), json!(name));
    if let Some(index) = index(&address.key) {
        out.insert("index".into(), index);
    }
    out
}

/// The instance key, where there is one.
pub(crate) fn index(key: &Key) -> Option<Json> {
    match key {
        Key::None => None,
        Key::Index(i) => Some(json!(i)),
        Key::Name(name) => Some(json!(name)),
    }
}
