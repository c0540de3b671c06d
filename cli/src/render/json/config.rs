//! The configuration as it was written: `configuration` of a plan.

use super::{
    Form, mode, name,
    providers::{ProviderConfig, ProviderConfigs},
    references,
};
use serde_json::{Map, Value as Json, json};
use weir_core::{
    Object,
    schema::{Block as SchemaBlock, Nesting},
};
use weir_lang::{
    Config,
    config::describe::{CallView, ModuleView, RepeatView, ResourceView},
    ir::{Body, Expr},
};

/// What a plan was made from.
pub(crate) fn configuration(config: &Config, form: &Form<'_>) -> Json {
    let providers = ProviderConfigs::of(config);
    let writer = Writer {
        config,
        form,
        providers: &providers,
    };
    let mut out = json!({ "root_module": writer.module(config.root()) });
    let rows: Map<String, Json> = (providers.own())
        .map(|(key, provider)| (key.to_owned(), writer.provider(provider)))
        .collect();
    if !rows.is_empty() {
        out["provider_config"] = Json::Object(rows);
    }
    out
}

struct Writer<'a> {
    config: &'a Config,
    form: &'a Form<'a>,
    providers: &'a ProviderConfigs<'a>,
}

impl Writer<'_> {
    fn provider(&self, provider: &ProviderConfig<'_>) -> Json {
        let name = &provider.name;
        let mut out = json!({ "name": name, "full_name": provider.source });
        if let Some(alias) = &provider.alias {
            out["alias"] = json!(alias);
        }
        if let Some(version) = provider.version {
            out["version_constraint"] = json!(version);
        }
        if !provider.module.is_empty() {
            out["module_address"] = json!(provider.module);
        }
        if let Some(body) = provider.body {
            let schema = self.form.schemas.provider(name).map(|s| &s.block);
            let expressions = self.body(body, schema);
            if !expressions.is_empty() {
                out["expressions"] = Json::Object(expressions);
            }
        }
        out
    }

    fn module(&self, module: ModuleView<'_>) -> Json {
        let mut out = Map::new();
        let outputs: Map<String, Json> = module
            .outputs()
            .map(|o| {
                let mut row = json!({ "expression": self.expression(o.value) });
                if o.sensitive {
                    row["sensitive"] = json!(true);
                }
                if o.ephemeral {
                    row["ephemeral"] = json!(true);
                }
                if let Some(description) = o.description {
                    row["description"] = json!(description);
                }
                if !o.depends_on.is_empty() {
                    row["depends_on"] = json!(o.depends_on);
                }
                (o.name.to_owned(), row)
            })
            .collect();
        insert(&mut out, "outputs", outputs);
        let mut resources: Vec<ResourceView<'_>> = module.resources().collect();
        // Managed ones first, each kind by its address.
        resources.sort_by_key(|r| {
            (
                matches!(r.object, Object::Data { .. }),
                r.object.to_string(),
            )
        });
        let resources: Vec<Json> = resources
            .iter()
            .map(|r| self.resource(&module, r))
            .collect();
        if !resources.is_empty() {
            out.insert("resources".into(), json!(resources));
        }
        let calls = module.calls().map(|c| (c.name.to_owned(), self.call(&c)));
        insert(&mut out, "module_calls", calls.collect());
        let variables = module.variables().map(|v| {
            let mut row = Map::new();
            if let Some(default) = v.default {
                let shown = super::shown(default, super::Secrets::Shown);
                let hidden = v.sensitive && self.form.secrets == super::Secrets::Redacted;
                row.insert("default".into(), if hidden { Json::Null } else { shown });
            }
            if let Some(description) = v.description.filter(|d| !d.is_empty()) {
                row.insert("description".into(), json!(description));
            }
            for (flag, set) in [("sensitive", v.sensitive), ("ephemeral", v.ephemeral)] {
                if set {
                    row.insert(flag.into(), json!(true));
                }
            }
            (v.name.to_owned(), Json::Object(row))
        });
        insert(&mut out, "variables", variables.collect());
        Json::Object(out)
    }

    fn resource(&self, module: &ModuleView<'_>, resource: &ResourceView<'_>) -> Json {
        let ty = resource.object.type_name();
        let schema = match resource.object {
            Object::Data { .. } => self.form.schemas.data(ty),
            _ => self.form.schemas.resource(ty),
        };
        let schema = schema.map(|s| &s.block);
        let mut out = json!({
            "address": resource.object.to_string(),
            "mode": mode(&resource.object),
            "type": ty,
            "name": name(&resource.object),
            "provider_config_key": self.providers.serving(module.path, &resource.provider),
            "schema_version": self.form.schema_version(&resource.object),
        });
        let expressions = self.body(resource.body, schema);
        if !expressions.is_empty() {
            out["expressions"] = Json::Object(expressions);
        }
        self.repeat(resource.repeat, &mut out);
        if !resource.depends_on.is_empty() {
            out["depends_on"] = json!(resource.depends_on);
        }
        out
    }

    fn call(&self, call: &CallView<'_>) -> Json {
        let mut out = json!({ "source": call.source, "module": self.module(call.module) });
        let inputs: Map<String, Json> = call
            .inputs
            .iter()
            .map(|a| (a.name.to_string(), self.expression(&a.expr)))
            .collect();
        if !inputs.is_empty() {
            out["expressions"] = Json::Object(inputs);
        }
        self.repeat(call.repeat, &mut out);
        if !call.depends_on.is_empty() {
            out["depends_on"] = json!(call.depends_on);
        }
        out
    }

    fn repeat(&self, repeat: RepeatView<'_>, out: &mut Json) {
        match repeat {
            RepeatView::Once => {}
            RepeatView::Count(e) => self.unless_empty("count_expression", e, out),
            RepeatView::ForEach(e) => self.unless_empty("for_each_expression", e, out),
            RepeatView::Enabled(e) => self.unless_empty("enabled_expression", e, out),
        }
    }

    fn unless_empty(&self, name: &str, expr: &Expr, out: &mut Json) {
        let expression = self.expression(expr);
        if expression.as_object().is_some_and(|e| !e.is_empty()) {
            out[name] = expression;
        }
    }

    /// The expressions of a body. Blocks that the schema does not know (`dynamic`) are left out,
    /// as their content is not written down.
    fn body(&self, body: &Body, schema: Option<&SchemaBlock>) -> Map<String, Json> {
        let mut out: Map<String, Json> = body
            .attributes
            .iter()
            .map(|a| (a.name.to_string(), self.expression(&a.expr)))
            .collect();
        for block in &body.blocks {
            let nested = schema.and_then(|s| s.blocks.get(&*block.ident));
            if schema.is_some() && nested.is_none() {
                continue;
            }
            let inner = Json::Object(self.body(&block.body, nested.map(|n| &n.block)));
            let place = out.entry(block.ident.to_string());
            match (nested.map(|n| n.nesting), block.label(0)) {
                (Some(Nesting::Single), _) => drop(place.or_insert(inner)),
                (Some(Nesting::Map) | None, Some(label)) => {
                    place.or_insert_with(|| json!({}))[label] = inner;
                }
                _ => {
                    if let Json::Array(all) = place.or_insert_with(|| json!([])) {
                        all.push(inner);
                    }
                }
            }
        }
        out
    }

    fn expression(&self, expr: &Expr) -> Json {
        let mut out = Map::new();
        if let Some(value) = self.config.constant(expr).filter(|v| v.is_wholly_known()) {
            out.insert("constant_value".into(), weir_core::json::to_json(&value));
        }
        let references = references(expr);
        if !references.is_empty() {
            out.insert("references".into(), json!(references));
        }
        Json::Object(out)
    }
}

fn insert(out: &mut Map<String, Json>, name: &str, rows: Map<String, Json>) {
    if !rows.is_empty() {
        out.insert(name.into(), Json::Object(rows));
    }
}
