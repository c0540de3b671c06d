//! Reads planned and configured values, and makes JSON of what the API says.

use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use weir_core::{Type, Value, convert::convert, json};

/// Attributes as an API has them, by name.
pub type Found = Map<String, Json>;

/// Fields of a body. What is null, unknown or empty counts as not set, as in Terraform.
pub trait Fields {
    /// A text that is not empty.
    fn text(&self, key: &str) -> Option<String>;
    /// A truth.
    fn flag(&self, key: &str) -> Option<bool>;
    /// Whether it is set and true.
    fn is_on(&self, key: &str) -> bool;
    /// A whole number that the API can take.
    fn int(&self, key: &str) -> Option<i32>;
    /// Texts of a list or set; `None` where there is none.
    fn texts(&self, key: &str) -> Option<Vec<String>>;
    /// Nested blocks.
    fn rows(&self, key: &str) -> Vec<&Value>;
    /// The first nested block.
    fn row(&self, key: &str) -> Option<&Value>;
    /// A map of texts.
    fn labels(&self, key: &str) -> BTreeMap<String, String>;
}

impl Fields for Value {
    fn text(&self, key: &str) -> Option<String> {
        let text = self.get(key)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    }
    fn flag(&self, key: &str) -> Option<bool> {
        self.get(key)?.as_bool()
    }
    fn is_on(&self, key: &str) -> bool {
        self.flag(key) == Some(true)
    }
    fn int(&self, key: &str) -> Option<i32> {
        i32::try_from(self.get(key)?.as_i64()?).ok()
    }
    fn texts(&self, key: &str) -> Option<Vec<String>> {
        let items = self.get(key)?.elements()?;
        let texts: Vec<String> = (items.iter().filter_map(|v| v.as_str()))
            .map(str::to_owned)
            .collect();
        (!texts.is_empty()).then_some(texts)
    }
    fn rows(&self, key: &str) -> Vec<&Value> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        match value.elements() {
            Some(items) => items.into_iter().filter(|v| !v.is_null()).collect(),
            None if value.is_null() || value.is_unknown() => Vec::new(),
            None => vec![value],
        }
    }
    fn row(&self, key: &str) -> Option<&Value> {
        self.rows(key).into_iter().next()
    }
    fn labels(&self, key: &str) -> BTreeMap<String, String> {
        let entries = self.get(key).and_then(Value::as_entries);
        (entries.into_iter().flatten())
            .filter_map(|(k, v)| Some((k.to_string(), v.as_str()?.to_owned())))
            .collect()
    }
}

/// Whether the field is to become another than it was.
pub fn changed(prior: &Value, planned: &Value, key: &str) -> bool {
    let null = Value::null();
    let (was, is) = (prior.get(key), planned.get(key));
    let (was, is) = (was.unwrap_or(&null), is.unwrap_or(&null));
    !is.is_unknown() && was != is && !(is_zero(was) && is_zero(is))
}

/// Whether the field is to become another than it was, or may, as it is not known yet.
pub fn may_change(prior: &Value, planned: &Value, key: &str) -> bool {
    planned.get(key).is_some_and(Value::is_unknown) || changed(prior, planned, key)
}

/// Null, or what the API says of what was never set.
pub fn is_zero(value: &Value) -> bool {
    value.is_null()
        || value.as_str() == Some("")
        || value.as_bool() == Some(false)
        || value.as_i64() == Some(0)
        || value.elements().is_some_and(|e| e.is_empty())
        || value.as_entries().is_some_and(weir_core::Entries::is_empty)
}

/// What the API said as a value of the type; null where it does not fit.
pub fn typed(found: &Json, ty: &Type) -> Value {
    convert(&json::from_json(found), ty).unwrap_or_else(|_| Value::null_of(ty.clone()))
}

/// A JSON object of the fields.
pub fn object(value: Json) -> Found {
    match value {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}
