//! Google's own description of the API: what a request may hold. The document is of the Python
//! package `google-api-python-client`; without it, requests are not checked against it.

use super::error::{Outcome, Refusal};
use crate::http::Request;
use serde_json::{Map, Value as Json, json};
use std::{collections::BTreeMap, fs, io, path::Path};

/// The document, by what is asked of it.
#[derive(Debug, Default)]
pub struct Discovery {
    schemas: Map<String, Json>,
    methods: BTreeMap<String, Json>,
    parameters: Map<String, Json>,
}

impl Discovery {
    /// Reads the document.
    ///
    /// # Errors
    /// It can't be read, or is none.
    pub fn read(path: &Path) -> io::Result<Discovery> {
        let whole: Json = serde_json::from_slice(&fs::read(path)?)?;
        let mut discovery = Discovery::default();
        let object = |name: &str| whole[name].as_object().cloned().unwrap_or_default();
        discovery.schemas = object("schemas");
        discovery.parameters = object("parameters");
        for resource in object("resources").values() {
            for method in resource["methods"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(_, m)| m)
            {
                let id = method["id"].as_str().unwrap_or_default().to_owned();
                discovery.methods.insert(id, method.clone());
            }
        }
        if discovery.methods.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "it describes no methods",
            ));
        }
        Ok(discovery)
    }

    /// Refuses what the method does not allow: a call that is not in the document, parameters that
    /// it does not have, fields that are unknown, of another type, or missing.
    ///
    /// # Errors
    /// What is not allowed.
    pub fn check(&self, operation: &str, request: &Request) -> Outcome<()> {
        let Some(method) = self.methods.get(operation) else {
            let message = format!("Google's API has no method {operation}");
            return Err(Refusal::new(404, "notFound", message));
        };
        for (name, _) in &request.query {
            // What begins with a dollar all of Google's APIs take.
            let known = name.starts_with('$')
                || self.parameters.contains_key(name)
                || method["parameters"]
                    .get(name)
                    .is_some_and(|p| p["location"] == "query");
            if !known {
                let message = format!(
                    "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter."
                );
                return Err(Refusal::new(400, "badRequest", message));
            }
        }
        let needed = method["parameters"].as_object().into_iter().flatten();
        for (name, parameter) in needed {
            let missing = parameter["location"] == "query" && request.query(name).is_none();
            if missing && parameter["required"] == true {
                let message = format!("Required parameter: {name}");
                return Err(Refusal::new(400, "required", message));
            }
        }
        let body = request
            .json()
            .map_err(|e| Refusal::new(400, "parseError", e))?;
        match (method["request"]["$ref"].as_str(), body) {
            (Some(schema), Some(body)) => self.fits(&json!({"$ref": schema}), &body, "", operation),
            (Some(schema), None) if !operation.contains("patch") => {
                self.fits(&json!({"$ref": schema}), &json!({}), "", operation)
            }
            (None, Some(Json::Object(body))) if !body.is_empty() => {
                let message = "Invalid JSON payload received. The method takes no body.";
                Err(Refusal::new(400, "badRequest", message))
            }
            _ => Ok(()),
        }
    }

    fn fits(&self, schema: &Json, value: &Json, way: &str, operation: &str) -> Outcome<()> {
        let schema = match schema["$ref"].as_str() {
            Some(name) => self.schemas.get(name).unwrap_or(&Json::Null),
            None => schema,
        };
        if value.is_null() {
            return Ok(());
        }
        let wrong = |what: &str| {
            let message = format!("Invalid value at 'resource.{way}' ({what}), {value}");
            Err(Refusal::new(400, "badRequest", message))
        };
        match schema["type"].as_str().unwrap_or("any") {
            "object" => {
                let Some(fields) = value.as_object() else {
                    return wrong("an object");
                };
                let properties = schema["properties"].as_object();
                for (name, field) in fields {
                    let at = if way.is_empty() {
                        name.clone()
                    } else {
                        format!("{way}.{name}")
                    };
                    let known = properties.and_then(|p| p.get(name));
                    match known.or_else(|| schema.get("additionalProperties")) {
                        Some(of) => self.fits(of, field, &at, operation)?,
                        None => {
                            let message = format!(
                                "Invalid JSON payload received. Unknown name \"{name}\" at 'resource.{way}': Cannot find field."
                            );
                            return Err(Refusal::new(400, "badRequest", message));
                        }
                    }
                }
                for (name, property) in properties.into_iter().flatten() {
                    let needed = property["annotations"]["required"].as_array();
                    let needed = needed.into_iter().flatten().any(|o| o == operation);
                    if needed && !fields.contains_key(name) {
                        let at = if way.is_empty() {
                            name.clone()
                        } else {
                            format!("{way}.{name}")
                        };
                        return Err(Refusal::required(&at));
                    }
                }
                Ok(())
            }
            "array" => {
                let Some(items) = value.as_array() else {
                    return wrong("a list");
                };
                for (i, item) in items.iter().enumerate() {
                    self.fits(&schema["items"], item, &format!("{way}[{i}]"), operation)?;
                }
                Ok(())
            }
            "string" => self.text(schema, value, way),
            "integer" if value.as_i64().is_none() => wrong("TYPE_INT32"),
            "number" if !value.is_number() => wrong("TYPE_FLOAT"),
            "boolean" if !value.is_boolean() => wrong("TYPE_BOOL"),
            _ => Ok(()),
        }
    }

    fn text(&self, schema: &Json, value: &Json, way: &str) -> Outcome<()> {
        let number = matches!(schema["format"].as_str(), Some("int64" | "uint64"));
        let text = match value.as_str() {
            Some(text) => text,
            None if number && value.is_i64() => return Ok(()),
            None => {
                let message = format!("Invalid value at 'resource.{way}' (TYPE_STRING), {value}");
                return Err(Refusal::new(400, "badRequest", message));
            }
        };
        if number && text.parse::<i128>().is_err() {
            let message = format!("Invalid value at 'resource.{way}' (TYPE_INT64), \"{text}\"");
            return Err(Refusal::new(400, "badRequest", message));
        }
        let allowed = schema["enum"].as_array();
        if allowed.is_some_and(|all| !all.iter().any(|a| a == text)) {
            let message = format!("Invalid value for field 'resource.{way}': '{text}'.");
            return Err(Refusal::new(400, "invalid", message));
        }
        Ok(())
    }

    /// All methods of the document, by id: the HTTP method and the path.
    pub fn methods(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.methods.iter().map(|(id, m)| {
            let text = |name: &str| m[name].as_str().unwrap_or_default();
            (id.as_str(), text("httpMethod"), text("flatPath"))
        })
    }
}
