//! The state as Terraform keeps it (version 4), so that its tools read it.

use crate::render::json::{TERRAFORM, index, provider_source};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use weir_core::{
    Address, Key, Object, Path, Type, Value,
    address::ProviderRef,
    json::{to_json, type_to_json},
    path::Step,
    schema::Schema,
    snapshot::{Resource, Snapshot, Status},
};
use weir_lang::Schemas;

/// The state in Terraform's state format 4. Sensitive values are in it, as they are in a state
/// file.
pub(super) fn terraform(state: &Snapshot, schemas: &dyn Schemas) -> Json {
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
    // Instances of one block and one provider configuration stand together.
    let mut blocks: BTreeMap<(Address, &ProviderRef), Vec<Json>> = BTreeMap::new();
    for (address, resource) in &state.resources {
        let key = (address.block(), &resource.provider);
        blocks
            .entry(key)
            .or_default()
            .push(instance(address, resource, schemas));
    }
    let resources: Vec<Json> = blocks
        .into_iter()
        .map(|((address, provider), instances)| block(&address, provider, instances))
        .collect();
    json!({
        "version": 4,
        "terraform_version": TERRAFORM,
        "serial": state.serial.0,
        "lineage": state.lineage.to_string(),
        "outputs": outputs,
        "resources": resources,
        "check_results": null,
    })
}

fn block(address: &Address, provider: &ProviderRef, instances: Vec<Json>) -> Json {
    let (mode, name) = match &address.object {
        Object::Data { name, .. } => ("data", name.clone()),
        object => ("managed", crate::render::json::name(object)),
    };
    let alias = provider
        .alias
        .as_ref()
        .map_or(String::new(), |a| format!(".{a}"));
    let mut row = json!({
        "mode": mode,
        "type": address.object.type_name(),
        "name": name,
        "provider": format!("provider[\"{}\"]{alias}", provider_source(&provider.name)),
        "instances": instances,
    });
    if !address.module.is_root() {
        row["module"] = json!(address.module.to_string());
    }
    row
}

fn instance(address: &Address, resource: &Resource, schemas: &dyn Schemas) -> Json {
    let ty = address.object.type_name();
    let schema = match address.object {
        Object::Data { .. } => schemas.data(ty),
        _ => schemas.resource(ty),
    };
    let mut sensitive = Vec::new();
    paths(resource.value.value(), &Path::root(), &mut sensitive);
    let mut row = json!({
        "schema_version": resource.schema_version,
        "attributes": attributes(resource.value.value(), schema),
        "sensitive_attributes": sensitive,
    });
    if let Some(key) = index(&address.key) {
        row["index_key"] = key;
    }
    if resource.status == Status::Tainted {
        row["status"] = json!("tainted");
    }
    if !resource.dependencies.is_empty() {
        // Terraform's are without instance keys.
        let mut on: Vec<String> = resource
            .dependencies
            .iter()
            .map(|d| {
                let mut block = d.block();
                for step in &mut block.module.0 {
                    step.1 = Key::None;
                }
                block.to_string()
            })
            .collect();
        on.dedup();
        row["dependencies"] = json!(on);
    }
    row
}

/// The attributes. One whose type the schema leaves open has its type beside it.
fn attributes(value: &Value, schema: Option<&Schema>) -> Json {
    let open = |name: &str| {
        schema
            .and_then(|s| s.block.attributes.get(name))
            .is_some_and(|a| a.ty == Type::Dynamic)
    };
    let Some(entries) = value.as_entries() else {
        return to_json(value);
    };
    let one = |(name, v): (&std::sync::Arc<str>, &Value)| {
        let json = match open(name) && !v.is_null() {
            true => json!({ "value": to_json(v), "type": type_to_json(&v.ty()) }),
            false => to_json(v),
        };
        (name.to_string(), json)
    };
    Json::Object(entries.iter().map(one).collect())
}

/// Where the value is sensitive, in Terraform's words for paths.
fn paths(value: &Value, at: &Path, out: &mut Vec<Json>) {
    if value.is_sensitive() && !at.0.is_empty() {
        out.push(words(at));
        return;
    }
    let children: Vec<(Step, &Value)> = match value.as_entries() {
        Some(entries) => entries
            .iter()
            .map(|(k, v)| (Step::Key(k.to_string()), v))
            .collect(),
        None => value
            .children()
            .enumerate()
            .map(|(i, v)| (Step::Index(i), v))
            .collect(),
    };
    for (step, child) in children {
        let mut steps = at.0.clone();
        steps.push(step);
        paths(child, &Path(steps), out);
    }
}

fn words(path: &Path) -> Json {
    let step = |s: &Step| match s {
        Step::Key(name) => json!({ "type": "get_attr", "value": name }),
        Step::Index(n) => json!({ "type": "index", "value": { "value": n, "type": "number" } }),
    };
    path.0.iter().map(step).collect()
}
