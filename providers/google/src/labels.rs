//! Labels: the user's (`labels`), with the provider block's (`terraform_labels`), and all that the
//! thing has (`effective_labels`). Labels that others have set are left alone.

use crate::client::Google;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use weir_core::{Type, Value};
use weir_provider::declared::{Fields as _, Found};

/// What the labels will be.
pub(crate) fn plan(google: Option<&Google>, config: &Value, planned: Value) -> Value {
    if planned.get("effective_labels").is_none() {
        return planned;
    }
    let set = config.get("labels").cloned().unwrap_or_else(Value::null);
    let unknown = || Value::unknown(Type::map(Type::String));
    let (Some(google), true) = (google, set.is_wholly_known()) else {
        return planned
            .with("terraform_labels", unknown())
            .with("effective_labels", unknown());
    };
    let mut own: BTreeMap<String, Value> = (google.settings.default_labels.iter())
        .map(|(k, v)| (k.clone(), Value::from(v.as_str())))
        .collect();
    for (k, v) in set.as_entries().into_iter().flatten() {
        own.insert(k.to_string(), v.clone());
    }
    // What was there before and was not ours stays.
    let before = planned.labels("terraform_labels");
    let others = planned.labels("effective_labels").into_iter();
    let mut all: BTreeMap<String, Value> = others
        .filter(|(k, _)| !before.contains_key(k))
        .map(|(k, v)| (k, Value::from(v)))
        .collect();
    all.extend(own.clone());
    let map = |of: BTreeMap<String, Value>| Value::map(Type::String, of).mark(set.marks());
    planned
        .with("terraform_labels", map(own))
        .with("effective_labels", map(all))
}

/// What the labels are: of all of them, those that are ours.
pub(crate) fn read(google: &Google, found: &mut Found, known: &Value) {
    let Some(Json::Object(all)) = found.get("effective_labels").cloned() else {
        return;
    };
    let is_import = known.get("terraform_labels").is_none_or(Value::is_null);
    let of = |keys: &BTreeMap<String, String>| -> Map<String, Json> {
        let ours = all.iter().filter(|(k, _)| keys.contains_key(*k));
        ours.map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    let (labels, own) = match is_import {
        // Of an import all are the user's, but for what the provider block gives by itself.
        true => {
            let defaults = &google.settings.default_labels;
            let given = |k: &str, v: &Json| defaults.get(k).map(String::as_str) == v.as_str();
            let users = all.iter().filter(|(k, v)| !given(k, v));
            (
                users.map(|(k, v)| (k.clone(), v.clone())).collect(),
                all.clone(),
            )
        }
        false => {
            let planned = known.labels("terraform_labels");
            let ours = match known.get("terraform_labels").is_some_and(Value::is_unknown) {
                true => known.labels("effective_labels"),
                false => planned,
            };
            (of(&known.labels("labels")), of(&ours))
        }
    };
    found.insert("labels".into(), json!(labels));
    found.insert("terraform_labels".into(), json!(own));
}
