//! The state as Terraform keeps it, so that its tools read it.

use super::{Notes, attributes, edges, provider_text};
use crate::render::json::{TERRAFORM, index, name};
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, Object,
    checks::CheckResult,
    json::{to_json, type_to_json},
    snapshot::{DeposedKey, Resource, Snapshot, Status},
};
use weir_lang::Schemas;

/// The state in Terraform's state format 4, with what conditions last came to. Sensitive values
/// are in it, as they are in a state file.
pub(crate) fn write(
    state: &Snapshot,
    checks: Option<&[CheckResult]>,
    schemas: &dyn Schemas,
) -> Json {
    let outputs: Map<String, Json> = state
        .outputs
        .iter()
        .map(|(name, known)| {
            let value = known.value();
            let mut row = json!({ "value": to_json(value), "type": type_to_json(&value.ty()) });
            if value.is_sensitive() {
                row["sensitive"] = json!(true);
            }
            (name.clone(), row)
        })
        .collect();
    let checks = checks.map(|all| all.iter().map(check).collect::<Json>());
    json!({
        "version": 4,
        "terraform_version": TERRAFORM,
        "serial": state.serial.0,
        "lineage": state.lineage.to_string(),
        "outputs": outputs,
        "resources": resources(state, schemas),
        "check_results": checks,
    })
}

fn check(result: &CheckResult) -> Json {
    let objects = result.instances.iter().map(|i| {
        let mut row = json!({ "object_addr": i.address, "status": i.status });
        if !i.problems.is_empty() {
            row["failure_messages"] = json!(i.problems);
        }
        row
    });
    let objects: Vec<Json> = objects.collect();
    json!({
        "object_kind": result.kind,
        "config_addr": result.block,
        "status": result.status,
        "objects": if objects.is_empty() { Json::Null } else { objects.into() },
    })
}

/// One object of an instance.
struct Item<'a> {
    address: &'a Address,
    deposed: Option<&'a DeposedKey>,
    resource: &'a Resource,
    notes: Notes,
}

/// Module, mode, type, name and provider: what instances that stand together share.
type Group = (String, &'static str, String, String, String);

fn resources(state: &Snapshot, schemas: &dyn Schemas) -> Vec<Json> {
    let current = state.resources.iter().map(|(a, r)| (a, None, r));
    let deposed = state
        .deposed
        .iter()
        .flat_map(|(a, keyed)| keyed.iter().map(move |(key, r)| (a, Some(key), r)));
    let items = current
        .chain(deposed)
        .map(|(address, deposed, resource)| Item {
            address,
            deposed,
            resource,
            notes: Notes::of(resource.foreign.as_ref()),
        });
    let mut items: Vec<Item<'_>> = items.collect();
    items.sort_by_key(|i| (i.address, i.deposed));
    let ways = ways(&items);
    // In the order of Terraform's own files.
    let mut groups: BTreeMap<Group, Vec<Json>> = BTreeMap::new();
    for item in &items {
        let object = &item.address.object;
        let provider = provider_text(&item.resource.provider, item.notes.source.as_deref());
        let module = item.address.module.to_string();
        let mode = match object {
            Object::Data { .. } => "data",
            _ => "managed",
        };
        let group = (
            module,
            mode,
            object.type_name().to_owned(),
            name(object),
            provider,
        );
        let row = instance(item, &ways, schemas);
        groups.entry(group).or_default().push(row);
    }
    let block = |((module, mode, ty, name, provider), instances): (Group, Vec<Json>)| {
        let mut row = json!({
            "mode": mode,
            "type": ty,
            "name": name,
            "provider": provider,
            "instances": instances,
        });
        if !module.is_empty() {
            row["module"] = json!(module);
        }
        row
    };
    groups.into_iter().map(block).collect()
}

/// What each block depends on by any way.
fn ways(items: &[Item<'_>]) -> edges::Ways {
    let mut direct: edges::Ways = BTreeMap::new();
    for item in items.iter().filter(|i| i.deposed.is_none()) {
        let own = item.address.written();
        let of = direct.entry(own.clone()).or_default();
        of.extend(behind(item).filter(|d| *d != own));
    }
    edges::closed(&direct)
}

/// What an instance depends on directly, or on the word of the file it came with.
fn behind(item: &Item<'_>) -> impl Iterator<Item = Address> {
    let own = item.resource.dependencies.iter().map(Address::written);
    let absent = item.notes.absent.iter().filter_map(|d| d.parse().ok());
    own.chain(absent)
}

fn instance(item: &Item<'_>, ways: &edges::Ways, schemas: &dyn Schemas) -> Json {
    let Item {
        address,
        resource,
        notes,
        ..
    } = item;
    let ty = address.object.type_name();
    let schema = match address.object {
        Object::Data { .. } => schemas.data(ty),
        _ => schemas.resource(ty),
    };
    let value = resource.value.value();
    let schema = schema.filter(|s| s.version == resource.schema_version);
    // As it came where no provider of this program has touched it.
    let form = notes.form.as_ref();
    let form = form.filter(|_| !schema.is_some_and(|s| attributes::are_of(value, s)));
    let schema = schema.filter(|_| form.is_none());
    let sensitive = match form {
        Some(form) => form.sensitive.clone(),
        None => attributes::sensitive(value),
    };
    let mut row = notes.rest.clone();
    let mut put = |name: &str, json: Json| drop(row.insert(name.to_owned(), json));
    put("schema_version", json!(resource.schema_version));
    put("attributes", attributes::write(value, schema, form));
    put("sensitive_attributes", json!(sensitive));
    if let Some(key) = index(&address.key) {
        put("index_key", key);
    }
    if resource.status == Status::Tainted {
        put("status", json!("tainted"));
    }
    if !resource.private.is_empty() {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        put("private", json!(STANDARD.encode(&resource.private)));
    }
    let own = address.written();
    let mut on: BTreeSet<String> = BTreeSet::new();
    for d in behind(item).filter(|d| *d != own) {
        let further = ways.get(&d).into_iter().flatten();
        on.extend(further.filter(|f| **f != own).map(Address::to_string));
        on.insert(d.to_string());
    }
    if !on.is_empty() {
        put("dependencies", json!(on));
    }
    if let Some(key) = item.deposed
        && !item.notes.rest.contains_key("deposed")
    {
        row.insert("deposed".into(), json!(key.0));
    }
    Json::Object(row)
}
