//! What conditions came to: `checks` of a plan and of a state.

use super::{index, mode, name};
use serde_json::{Map, Value as Json, json};
use weir_core::{
    Address, Key,
    checks::{CheckInstance, CheckKind, CheckResult, CheckStatus},
};

/// The results of all blocks with conditions.
pub(super) fn checks(results: &[CheckResult]) -> Json {
    results.iter().map(block).collect()
}

fn block(result: &CheckResult) -> Json {
    let mut address = Map::new();
    address.insert("kind".into(), json!(result.kind));
    address.insert("to_display".into(), json!(result.block));
    let (module, rest) = split(&result.block);
    if !module.is_empty() {
        address.insert("module".into(), json!(module));
    }
    match (result.kind, result.block.parse::<Address>()) {
        (CheckKind::Resource, Ok(resource)) => {
            address.insert("mode".into(), json!(mode(&resource.object)));
            address.insert("type".into(), json!(resource.object.type_name()));
            address.insert("name".into(), json!(name(&resource.object)));
        }
        _ => {
            let last = rest.rsplit('.').next().unwrap_or(rest);
            address.insert("name".into(), json!(last));
        }
    }
    let mut out = json!({ "address": address, "status": status(result.status) });
    if !result.instances.is_empty() {
        let instances = result.instances.iter().map(|i| instance(result.kind, i));
        out["instances"] = instances.collect();
    }
    out
}

fn instance(kind: CheckKind, instance: &CheckInstance) -> Json {
    let mut address = json!({ "to_display": instance.address });
    let (module, _) = split(&instance.address);
    if !module.is_empty() {
        address["module"] = json!(module);
    }
    if let (CheckKind::Resource, Ok(resource)) = (kind, instance.address.parse::<Address>())
        && resource.key != Key::None
        && let Some(key) = index(&resource.key)
    {
        address["instance_key"] = key;
    }
    let mut out = json!({ "address": address, "status": status(instance.status) });
    if !instance.problems.is_empty() {
        let problems = instance.problems.iter().map(|m| json!({ "message": m }));
        out["problems"] = problems.collect();
    }
    out
}

fn status(status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Pass => "pass",
        CheckStatus::Fail => "fail",
        CheckStatus::Error => "error",
        CheckStatus::Unknown => "unknown",
    }
}

/// The module of an address, and what it is in there: `module.net["a"]` and `output.id`.
fn split(text: &str) -> (&str, &str) {
    // What stands in the module reads as a resource's address, whatever it is.
    let Ok(address) = text.parse::<Address>() else {
        return ("", text);
    };
    let module = address.module.to_string();
    match text.get(module.len() + 1..) {
        Some(rest) if !module.is_empty() => (&text[..module.len()], rest),
        _ => ("", text),
    }
}
