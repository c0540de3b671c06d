//! Bodies of requests: JSON by the API's names, of planned values, and the SDK's models of it.

use crate::resource::Failure;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};
use weir_core::Value;
use weir_provider::declared::Fields as _;

/// The SDK's model of a body.
///
/// # Errors
/// The SDK knows no such body.
pub(crate) fn model<T: DeserializeOwned>(what: &str, body: Json) -> Result<T, Failure> {
    serde_json::from_value(body).map_err(|e| Failure::new(what, format!("it can't be asked: {e}")))
}

/// Without what is null or an empty list or object, at any depth. Text that is empty is left out
/// too, as Terraform does.
pub(crate) fn compact(body: Json) -> Json {
    match body {
        Json::Object(fields) => {
            let kept = fields.into_iter().map(|(k, v)| (k, compact(v)));
            let kept: Map<String, Json> = kept
                .filter(|(_, v)| match v {
                    Json::Null => false,
                    Json::String(text) => !text.is_empty(),
                    Json::Array(all) => !all.is_empty(),
                    Json::Object(fields) => !fields.is_empty(),
                    _ => true,
                })
                .collect();
            Json::Object(kept)
        }
        Json::Array(all) => Json::Array(all.into_iter().map(compact).collect()),
        other => other,
    }
}

/// The field's text, truth, number, texts or map; null where it is not set or not known.
pub(crate) fn field(of: &Value, key: &str) -> Json {
    let Some(value) = of.get(key).filter(|v| v.is_wholly_known()) else {
        return Json::Null;
    };
    plain(value)
}

/// The value without marks, as JSON.
pub(crate) fn plain(value: &Value) -> Json {
    if let Some(text) = value.as_str() {
        return Json::from(text);
    }
    if let Some(truth) = value.as_bool() {
        return Json::from(truth);
    }
    if let Some(number) = value.as_i64() {
        return Json::from(number);
    }
    if let Some(number) = value.as_number() {
        return number
            .to_string()
            .parse::<f64>()
            .map_or(Json::Null, Json::from);
    }
    if let Some(items) = value.elements() {
        return Json::Array(items.into_iter().map(plain).collect());
    }
    match value.as_entries() {
        Some(entries) => {
            let pairs = entries.into_iter().map(|(k, v)| (k.to_string(), plain(v)));
            Json::Object(pairs.collect())
        }
        None => Json::Null,
    }
}

/// The field's text where it is a number that the API takes as text.
pub(crate) fn long(of: &Value, key: &str) -> Json {
    match of.get(key).and_then(Value::as_i64) {
        Some(number) if number != 0 => Json::from(number.to_string()),
        _ => Json::Null,
    }
}

/// The link that was written, where it means the same as what was found.
pub(crate) fn keep_link(known: Option<&Value>, found: &Json) -> Json {
    let (Some(known), Some(text)) = (known.and_then(Value::as_str), found.as_str()) else {
        return found.clone();
    };
    match crate::name::same_link(known, text) {
        true => Json::from(known),
        false => found.clone(),
    }
}

/// As [`keep_link`], of a field.
pub(crate) fn keep(known: &Value, key: &str, found: &Json) -> Json {
    keep_link(known.get(key), found)
}

/// As [`keep_link`], of a list or set of links.
pub(crate) fn keep_all(known: &Value, key: &str, found: &Json) -> Json {
    let written = known.texts(key).unwrap_or_default();
    let all = found.as_array().cloned().unwrap_or_default();
    let kept = all.into_iter().map(|link| {
        let text = link.as_str().unwrap_or_default();
        let same = written.iter().find(|w| crate::name::same_link(w, text));
        same.map_or_else(|| link.clone(), |w| Json::from(w.as_str()))
    });
    Json::Array(kept.collect())
}

/// The number of a field that the API writes as text.
pub(crate) fn number(found: &Json) -> Json {
    match found.as_str().and_then(|t| t.parse::<i64>().ok()) {
        Some(number) => Json::from(number),
        None => found.clone(),
    }
}
