//! Tags: the user's, and weir's own.

use serde_json::{Map, Value as Json, json};
use weir_core::Value;
use weir_provider::declared::Fields as _;

/// Says which operation made a thing, so that a run after a crash knows it for its own.
pub(crate) const TOKEN: &str = "weir:token";

/// The user's tags, and the operation's name.
pub(crate) fn with_token(planned: &Value, token: Option<&str>) -> Json {
    let mut all: Map<String, Json> = (planned.labels("tags").into_iter())
        .map(|(k, v)| (k, json!(v)))
        .collect();
    if let Some(token) = token {
        all.insert(TOKEN.into(), json!(token));
    }
    Json::Object(all)
}

/// The operation that made a thing.
pub(crate) fn token(body: &Json) -> Option<&str> {
    body["tags"][TOKEN].as_str()
}

/// A thing's tags without weir's own.
pub(crate) fn found(body: &Json) -> Json {
    let all = body["tags"].as_object().cloned().unwrap_or_default();
    Json::Object(all.into_iter().filter(|(k, _)| k != TOKEN).collect())
}
