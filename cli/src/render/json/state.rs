//! State, as `show -json` has it (format 1.0).

use super::{TERRAFORM, mask, resource, shown, shown_type};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, ModulePath, Value,
    address::ProviderRef,
    snapshot::{Snapshot, Status},
};

/// `show -json`
pub(crate) fn state(snapshot: &Snapshot) -> Json {
    json!({
        "format_version": "1.0",
        "terraform_version": TERRAFORM,
        "weir_version": env!("CARGO_PKG_VERSION"),
        "values": values(snapshot),
    })
}

/// The values of a state.
pub(crate) fn values(snapshot: &Snapshot) -> Json {
    let outputs: serde_json::Map<String, Json> = snapshot
        .outputs
        .iter()
        .map(|(name, v)| (name.clone(), output(v.value())))
        .collect();
    let rows = snapshot.resources.iter().map(|(address, r)| {
        let mut row = instance(address, &r.provider, r.value.value());
        row.insert("schema_version".into(), json!(r.schema_version));
        if !r.dependencies.is_empty() {
            let on: Vec<String> = r.dependencies.iter().map(Address::to_string).collect();
            row.insert("depends_on".into(), json!(on));
        }
        if r.status == Status::Tainted {
            row.insert("tainted".into(), json!(true));
        }
        (address, row)
    });
    json!({ "outputs": outputs, "root_module": modules(rows) })
}

/// An output: its value is null where it is sensitive.
fn output(value: &Value) -> Json {
    json!({
        "sensitive": value.is_sensitive(),
        "type": shown_type(value),
        "value": shown(value),
    })
}

type Row = serde_json::Map<String, Json>;

/// One instance with its values.
pub(crate) fn instance(address: &Address, provider: &ProviderRef, value: &Value) -> Row {
    let mut row = resource(address);
    row.remove("module_address");
    row.insert("provider_name".into(), json!(provider.name));
    row.insert("values".into(), shown(value));
    row.insert("sensitive_values".into(), mask(value, &Value::is_sensitive));
    row
}

/// Instances sorted into the tree of their modules.
pub(crate) fn modules<'a>(rows: impl Iterator<Item = (&'a Address, Row)>) -> Json {
    let mut by_module: BTreeMap<ModulePath, Vec<Row>> = BTreeMap::new();
    for (address, row) in rows {
        by_module
            .entry(address.module.clone())
            .or_default()
            .push(row);
    }
    // A module that holds only modules is part of the tree as well.
    let paths: BTreeSet<ModulePath> = by_module
        .keys()
        .flat_map(|p| (0..=p.0.len()).map(|n| ModulePath(p.0[..n].to_vec())))
        .collect();
    module(&ModulePath::root(), &paths, &by_module)
}

fn module(
    path: &ModulePath,
    paths: &BTreeSet<ModulePath>,
    rows: &BTreeMap<ModulePath, Vec<Row>>,
) -> Json {
    let mut out = serde_json::Map::new();
    if !path.is_root() {
        out.insert("address".into(), json!(path.to_string()));
    }
    if let Some(rows) = rows.get(path) {
        out.insert("resources".into(), json!(rows));
    }
    let inside = |p: &&ModulePath| p.0.len() == path.0.len() + 1 && p.0.starts_with(&path.0);
    let children: Vec<Json> = paths
        .iter()
        .filter(inside)
        .map(|p| module(p, paths, rows))
        .collect();
    if !children.is_empty() {
        out.insert("child_modules".into(), json!(children));
    }
    Json::Object(out)
}
