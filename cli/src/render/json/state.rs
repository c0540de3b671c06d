//! State, as `show -json` has it (format 1.0).

use super::{Form, TERRAFORM, checks, mask, resource, shown, shown_type};
use crate::tfstate;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, Known, ModulePath, Value,
    address::ProviderRef,
    checks::CheckResult,
    snapshot::{DeposedKey, Resource, Snapshot, Status},
};

/// `show -json`, with what conditions came to in the last apply.
pub(crate) fn with_checks(snapshot: &Snapshot, results: &[CheckResult], form: &Form<'_>) -> Json {
    let mut out = state(snapshot, form);
    // A state with nothing in it is shown as none.
    if !results.is_empty() && out.get("values").is_some() {
        out["checks"] = checks::checks(results);
    }
    out
}

/// `prior_state` of a plan.
pub(crate) fn state(snapshot: &Snapshot, form: &Form<'_>) -> Json {
    if snapshot.resources.is_empty() && snapshot.outputs.is_empty() {
        return empty();
    }
    json!({
        "format_version": "1.0",
        "terraform_version": TERRAFORM,
        "weir_version": env!("CARGO_PKG_VERSION"),
        "values": values(snapshot, form),
    })
}

/// `show -json` where nothing is in state.
pub(crate) fn empty() -> Json {
    json!({ "format_version": "1.0" })
}

/// The values of a state.
pub(crate) fn values(snapshot: &Snapshot, form: &Form<'_>) -> Json {
    let rows = snapshot.resources.iter();
    let rows = rows.map(|(a, r)| (a, row(snapshot, (a, None), r, form)));
    let deposed = snapshot.deposed.iter().flat_map(|(a, objects)| {
        let objects = objects.iter();
        objects.map(move |(key, r)| (a, row(snapshot, (a, Some(key)), r, form)))
    });
    let rows = rows.chain(deposed);
    let mut out = json!({ "root_module": modules(rows) });
    if !snapshot.outputs.is_empty() {
        out["outputs"] = Json::Object(outputs(&snapshot.outputs, form));
    }
    out
}

/// An object of a state: an instance's, or one of those put aside.
pub(crate) fn row(
    snapshot: &Snapshot,
    place: (&Address, Option<&DeposedKey>),
    resource: &Resource,
    form: &Form<'_>,
) -> Row {
    let (address, deposed) = place;
    let mut row = instance(address, &resource.provider, resource.value.value(), form);
    if let Some(source) = tfstate::own_source(resource) {
        row.insert("provider_name".into(), json!(source));
    }
    let place = (address.clone(), deposed.cloned());
    let behind = snapshot.references.behind(&place);
    if !behind.is_empty() {
        row.insert("depends_on".into(), json!(behind));
    }
    if resource.status == Status::Tainted {
        row.insert("tainted".into(), json!(true));
    }
    // Terraform says nothing of the version of what was put aside.
    let version = deposed.map_or(resource.schema_version, |_| 0);
    row.insert("schema_version".into(), json!(version));
    if let Some(key) = deposed {
        row.insert("deposed_key".into(), json!(key.to_string()));
    }
    row
}

/// Outputs with their values and types.
pub(crate) fn outputs(outputs: &BTreeMap<String, Known>, form: &Form<'_>) -> Map<String, Json> {
    let one = |(name, known): (&String, &Known)| (name.clone(), output(known.value(), form));
    outputs.iter().map(one).collect()
}

/// An output; of one that is not known yet only what is known of it.
pub(crate) fn output(value: &Value, form: &Form<'_>) -> Json {
    let mut out = json!({ "sensitive": value.is_sensitive() });
    if value.is_wholly_known() {
        out["type"] = shown_type(value, form.secrets);
        out["value"] = shown(value, form.secrets);
    }
    out
}

pub(crate) type Row = Map<String, Json>;

/// One instance with its values.
pub(crate) fn instance(
    address: &Address,
    provider: &ProviderRef,
    value: &Value,
    form: &Form<'_>,
) -> Row {
    let mut row = resource(address);
    row.remove("module_address");
    let version = form.schema_version(&address.object);
    row.insert("schema_version".into(), json!(version));
    row.insert("provider_name".into(), json!(form.provider(&provider.name)));
    let values = shown(value, form.secrets);
    // Where nothing is known yet, nothing is said.
    if values.as_object().is_none_or(|v| !v.is_empty()) {
        row.insert("values".into(), values);
    }
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
    let mut children: BTreeMap<ModulePath, BTreeSet<ModulePath>> = BTreeMap::new();
    for path in by_module.keys() {
        for n in 0..path.0.len() {
            let parent = ModulePath(path.0[..n].to_vec());
            let child = ModulePath(path.0[..=n].to_vec());
            children.entry(parent).or_default().insert(child);
        }
    }
    module(&ModulePath::root(), &children, &mut by_module)
}

fn module(
    path: &ModulePath,
    children: &BTreeMap<ModulePath, BTreeSet<ModulePath>>,
    rows: &mut BTreeMap<ModulePath, Vec<Row>>,
) -> Json {
    let mut out = Map::new();
    if !path.is_root() {
        out.insert("address".into(), json!(path.to_string()));
    }
    if let Some(mut rows) = rows.remove(path) {
        // By the text of the address, deposed objects after the current one.
        rows.sort_by_cached_key(|row| row.get("address").map_or(String::new(), Json::to_string));
        out.insert(
            "resources".into(),
            rows.into_iter().map(Json::Object).collect(),
        );
    }
    let mut inner: Vec<&ModulePath> = children.get(path).into_iter().flatten().collect();
    inner.sort_by_cached_key(|p| p.to_string());
    let inner: Vec<Json> = inner
        .into_iter()
        .map(|p| module(p, children, rows))
        .collect();
    if !inner.is_empty() {
        out.insert("child_modules".into(), json!(inner));
    }
    Json::Object(out)
}
