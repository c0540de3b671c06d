//! What providers serve, as `providers schema -json` has it.

use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use weir_core::{
    function::{Nulls, Parameter, Signature},
    json::type_to_json,
    schema::{Attribute, Block, NestedBlock, Nesting, Schema, SetBy, Storage, Visibility},
};
use weir_provider::ProviderSchema;

/// Schemas by the source address of the provider.
pub(crate) fn schemas(all: &BTreeMap<String, ProviderSchema>) -> Json {
    let mut out = json!({ "format_version": "1.0" });
    if !all.is_empty() {
        out["provider_schemas"] = object(all, provider);
    }
    out
}

fn object<T>(all: &BTreeMap<String, T>, one: impl Fn(&T) -> Json) -> Json {
    Json::Object(all.iter().map(|(k, v)| (k.clone(), one(v))).collect())
}

fn provider(schema: &ProviderSchema) -> Json {
    let mut out = json!({ "provider": { "version": schema.provider.version } });
    if schema.provider.block != Block::default() {
        out["provider"] = whole(&schema.provider);
    }
    let served = [
        ("resource_schemas", &schema.resources),
        ("data_source_schemas", &schema.data),
        ("ephemeral_resource_schemas", &schema.ephemeral),
    ];
    for (name, schemas) in served.into_iter().filter(|(_, s)| !s.is_empty()) {
        out[name] = object(schemas, whole);
    }
    if !schema.functions.is_empty() {
        out["functions"] = object(&schema.functions, function);
    }
    out
}

fn whole(schema: &Schema) -> Json {
    json!({ "version": schema.version, "block": block(&schema.block) })
}

fn block(block: &Block) -> Json {
    let mut out = json!({ "description_kind": "plain" });
    if !block.attributes.is_empty() {
        out["attributes"] = object(&block.attributes, attribute);
    }
    if !block.blocks.is_empty() {
        out["block_types"] = object(&block.blocks, nested);
    }
    out
}

fn attribute(attribute: &Attribute) -> Json {
    let mut out = Map::new();
    out.insert("type".into(), type_to_json(&attribute.ty));
    describe(&mut out, &attribute.description);
    out.insert("description_kind".into(), json!("plain"));
    let set_by: &[&str] = match attribute.set_by {
        SetBy::Required => &["required"],
        SetBy::Optional => &["optional"],
        SetBy::Computed => &["computed"],
        SetBy::OptionalComputed => &["optional", "computed"],
    };
    let sensitive = (attribute.visibility == Visibility::Sensitive).then_some("sensitive");
    let write_only = (attribute.storage == Storage::WriteOnly).then_some("write_only");
    for word in set_by.iter().copied().chain(sensitive).chain(write_only) {
        out.insert(word.into(), json!(true));
    }
    Json::Object(out)
}

fn describe(out: &mut Map<String, Json>, text: &str) {
    if !text.is_empty() {
        out.insert("description".into(), json!(text));
    }
}

fn nested(nested: &NestedBlock) -> Json {
    let mode = match nested.nesting {
        Nesting::Single => "single",
        Nesting::List => "list",
        Nesting::Set => "set",
        Nesting::Map => "map",
    };
    let mut out = json!({ "nesting_mode": mode, "block": block(&nested.block) });
    if nested.min > 0 {
        out["min_items"] = json!(nested.min);
    }
    if let Some(max) = nested.max {
        out["max_items"] = json!(max);
    }
    out
}

fn function(signature: &Signature) -> Json {
    let mut out = Map::new();
    describe(&mut out, &signature.description);
    out.insert("return_type".into(), type_to_json(&signature.returns));
    if !signature.parameters.is_empty() {
        let all: Json = signature.parameters.iter().map(parameter).collect();
        out.insert("parameters".into(), all);
    }
    if let Some(rest) = &signature.variadic {
        out.insert("variadic_parameter".into(), parameter(rest));
    }
    Json::Object(out)
}

fn parameter(parameter: &Parameter) -> Json {
    let mut out = json!({ "name": parameter.name, "type": type_to_json(&parameter.ty) });
    if parameter.nulls == Nulls::Taken {
        out["is_nullable"] = json!(true);
    }
    out
}
