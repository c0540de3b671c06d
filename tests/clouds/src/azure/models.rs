//! Bodies of requests, held against Microsoft's models of them (`data/azure-models.txt`).

use super::error::{ArmError, Outcome};
use serde_json::Value as Json;
use std::{collections::BTreeMap, sync::OnceLock};

const TABLE: &str = include_str!("../../data/azure-models.txt");

/// Enumerations with more values than this are not all that there is.
const OPEN: usize = 60;

enum Model {
    Enumeration(Vec<&'static str>),
    /// Type of each field, and whether only the API sets it.
    Fields(BTreeMap<&'static str, (&'static str, bool)>),
}

fn models() -> &'static BTreeMap<&'static str, Model> {
    static MODELS: OnceLock<BTreeMap<&'static str, Model>> = OnceLock::new();
    MODELS.get_or_init(|| {
        let mut all = BTreeMap::new();
        let mut last = "";
        for line in TABLE.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match (line.starts_with(' '), words.as_slice()) {
                (true, [field, ty, rest @ ..]) => {
                    if let Some(Model::Fields(fields)) = all.get_mut(last) {
                        fields.insert(*field, (*ty, !rest.is_empty()));
                    }
                }
                (false, [name, "=", values @ ..]) => {
                    all.insert(*name, Model::Enumeration(values.to_vec()));
                }
                (false, [name, ..]) => {
                    last = name;
                    all.insert(*name, Model::Fields(BTreeMap::new()));
                }
                _ => {}
            }
        }
        all
    })
}

/// Takes out what only the API sets, and brings enumerations to the API's spelling.
///
/// # Errors
/// A field that the model does not have, or of another type.
pub(super) fn check(model: &'static str, body: &mut Json) -> Outcome<()> {
    of_type(model, body, "$")
}

fn of_type(ty: &'static str, value: &mut Json, at: &str) -> Outcome<()> {
    if value.is_null() {
        return Ok(());
    }
    if let Some(ty) = ty.strip_prefix("[]") {
        let items = value.as_array_mut().ok_or_else(|| wrong(at, "a list"))?;
        for (i, item) in items.iter_mut().enumerate() {
            of_type(ty, item, &format!("{at}[{i}]"))?;
        }
        return Ok(());
    }
    if let Some(ty) = ty.strip_prefix("{}") {
        let items = value.as_object_mut().ok_or_else(|| wrong(at, "a map"))?;
        for (key, item) in items.iter_mut() {
            of_type(ty, item, &format!("{at}.{key}"))?;
        }
        return Ok(());
    }
    let fits = match ty {
        "string" => value.is_string(),
        "bool" => value.is_boolean(),
        "int" => value.is_i64() || value.is_u64(),
        "float" => value.is_number(),
        "any" => true,
        _ => return of_model(ty, value, at),
    };
    if fits { Ok(()) } else { Err(wrong(at, ty)) }
}

fn of_model(ty: &'static str, value: &mut Json, at: &str) -> Outcome<()> {
    match models().get(ty) {
        Some(Model::Enumeration(all)) => {
            let text = value.as_str().ok_or_else(|| wrong(at, "string"))?;
            // The sizes of machines are more than the models say.
            if all.len() > OPEN {
                return Ok(());
            }
            let known = all.iter().find(|v| v.eq_ignore_ascii_case(text));
            let known = known.ok_or_else(|| wrong(at, &format!("one of {}", all.join(", "))))?;
            *value = Json::from(*known);
            Ok(())
        }
        Some(Model::Fields(fields)) => {
            let object = value
                .as_object_mut()
                .ok_or_else(|| wrong(at, "an object"))?;
            object.retain(|key, value| {
                !value.is_null() && fields.get(key.as_str()).is_none_or(|(_, only)| !only)
            });
            for (key, item) in object.iter_mut() {
                let (ty, _) = fields.get(key.as_str()).ok_or_else(|| {
                    let short = ty.split('.').next_back().unwrap_or(ty);
                    let message = format!("Could not find member '{key}' on object of type '{short}'. Path '{at}.{key}'.");
                    ArmError::bad("InvalidRequestContent", message)
                })?;
                of_type(ty, item, &format!("{at}.{key}"))?;
            }
            Ok(())
        }
        None => Ok(()),
    }
}

fn wrong(at: &str, wanted: &str) -> ArmError {
    let message = format!("The value at '{at}' could not be converted: expected {wanted}.");
    ArmError::bad("InvalidRequestFormat", message)
}
