//! The formats that Terraform documents, so that its tools read weir's output unchanged.

mod checks;
pub(crate) mod config;
pub(crate) mod diagnostic;
pub(crate) mod plan;
pub(crate) mod pools;
mod providers;
mod references;
mod relevant;
pub(crate) mod schema;
pub(crate) mod state;
pub(crate) mod test;
#[cfg(test)]
mod tests;
pub(crate) mod ui;

pub(crate) use references::references;

use serde_json::{Value as Json, json};
use weir_core::{Address, Key, Kind, Object, Type, Value};
use weir_lang::{Config, Schemas};

/// The Terraform release whose formats these are.
pub(crate) const TERRAFORM: &str = "1.11.4";

/// Whether sensitive values are written out. The masks beside them say so in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrets {
    /// As Terraform does where JSON is asked for.
    Shown,
    /// They are null.
    Redacted,
}

/// What a document is written with beside what it shows.
#[derive(Clone, Copy)]
pub(crate) struct Form<'a> {
    /// Whether sensitive values are in it.
    pub(crate) secrets: Secrets,
    /// The providers' schemas.
    pub(crate) schemas: &'a dyn Schemas,
    /// The configuration, where there is one.
    pub(crate) config: Option<&'a Config>,
}

impl Form<'_> {
    /// The source address of a provider, by its local name.
    pub(crate) fn provider(&self, name: &str) -> String {
        let required = self
            .config
            .into_iter()
            .flat_map(Config::required_providers)
            .find(|r| r.name == name);
        match required.and_then(|r| r.source.as_deref()) {
            Some(source) => source_address(source),
            None => provider_source(name),
        }
    }

    /// The version of a type's schema.
    pub(crate) fn schema_version(&self, object: &Object) -> u32 {
        let ty = object.type_name();
        let schema = match object {
            Object::Data { .. } => self.schemas.data(ty),
            _ => self.schemas.resource(ty),
        };
        schema.map_or(0, |s| s.version)
    }
}

/// Providers that are part of this program, by the source address they go by.
const BUILTIN: [(&str, &str); 3] = [
    ("terraform", "terraform.io/builtin/terraform"),
    ("host", "weir/builtin/host"),
    ("fake", "weir/builtin/fake"),
];

/// The source address of a provider that nothing else is said of.
pub(crate) fn provider_source(name: &str) -> String {
    match BUILTIN.iter().find(|(n, _)| *n == name) {
        Some((_, source)) => (*source).to_owned(),
        None => format!("registry.terraform.io/hashicorp/{name}"),
    }
}

/// `hashicorp/aws` with the registry before it.
pub(crate) fn source_address(source: &str) -> String {
    match source.matches('/').count() {
        0 => provider_source(source),
        1 => format!("registry.terraform.io/{source}"),
        _ => source.to_owned(),
    }
}

/// The type of a value. Of a sensitive one that is redacted, attributes are not named: they may
/// be keys of a secret.
pub(crate) fn shown_type(value: &Value, secrets: Secrets) -> Json {
    let ty = value.ty();
    let telling = secrets == Secrets::Shown || !value.is_sensitive() || !has_names(&ty);
    weir_core::json::type_to_json(if telling { &ty } else { &Type::Dynamic })
}

fn has_names(ty: &Type) -> bool {
    match ty {
        Type::Object(_) => true,
        Type::List(t) | Type::Set(t) | Type::Map(t) => has_names(t),
        Type::Tuple(ts) => ts.iter().any(has_names),
        Type::Dynamic | Type::Bool | Type::Number | Type::String => false,
    }
}

/// The value; what is unknown is left out of objects and null in lists.
pub(crate) fn shown(value: &Value, secrets: Secrets) -> Json {
    if value.is_sensitive() && secrets == Secrets::Redacted {
        return Json::Null;
    }
    let inner = |v: &Value| shown(v, secrets);
    match value.kind() {
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => value.children().map(inner).collect(),
        Kind::Map(_, m) | Kind::Object(m) => {
            let known = m.iter().filter(|(_, v)| !v.is_unknown());
            Json::Object(known.map(|(k, v)| (k.to_string(), inner(v))).collect())
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
    let mode = mode(&address.object);
    let name = name(&address.object);
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

/// `managed`, `data` or `ephemeral`.
pub(crate) fn mode(object: &Object) -> &'static str {
    match object {
        Object::Data { .. } => "data",
        Object::Ephemeral { .. } => "ephemeral",
        Object::Managed { .. } | Object::Host { .. } | Object::Pod { .. } => "managed",
    }
}

/// The name of a block.
pub(crate) fn name(object: &Object) -> String {
    match object {
        Object::Managed { name, .. }
        | Object::Data { name, .. }
        | Object::Ephemeral { name, .. } => name.to_string(),
        Object::Host { site } => site.to_string(),
        Object::Pod { service, pod } => format!("{service}.{pod}"),
    }
}

/// The order of changes: modules further out first, in a module data sources.
pub(crate) fn row_order(a: &Address, b: &Address) -> std::cmp::Ordering {
    let managed = |a: &Address| !matches!(a.object, Object::Data { .. });
    let depth = |a: &Address| a.module.0.len();
    (depth(a).cmp(&depth(b)))
        .then_with(|| a.module.cmp(&b.module))
        .then_with(|| managed(a).cmp(&managed(b)))
        .then_with(|| (&a.object, &a.key).cmp(&(&b.object, &b.key)))
}

/// The instance key, where there is one.
pub(crate) fn index(key: &Key) -> Option<Json> {
    match key {
        Key::None => None,
        Key::Index(i) => Some(json!(i)),
        Key::Name(name) => Some(json!(name.as_str())),
    }
}
