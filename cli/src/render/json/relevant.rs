//! Which attributes of which resources a plan's changes come from.

use super::references::{known_steps, subject_steps};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Key, Kind, ModulePath,
    plan::{OutputChange, Plan},
};
use weir_lang::{
    Config,
    config::describe::{ModuleView, RepeatView},
    ir::{Body, Expr, RefStep, Reference},
};

/// The attributes that what changes refers to, by way of locals, variables and modules as well:
/// `relevant_attributes`.
pub(super) fn attributes(config: &Config, plan: &Plan) -> Vec<Json> {
    let mut search = Search {
        modules: config.describe().map(|m| (m.path, m)).collect(),
        seen: BTreeSet::new(),
        found: BTreeSet::new(),
        out: Vec::new(),
    };
    // A block is looked at once for each instance of its module.
    let changed: BTreeSet<(&ModulePath, String)> = plan
        .changes
        .values()
        .filter(|c| !c.action.is_noop())
        .map(|c| (&c.address.module, c.address.object.to_string()))
        .collect();
    for (path, object) in changed {
        let Some(module) = search.module(path) else {
            continue;
        };
        let at = Place { module, path };
        for resource in module.resources() {
            if resource.object.to_string() == object {
                search.body(&at, resource.body);
                match resource.repeat {
                    RepeatView::Once => {}
                    RepeatView::Count(e) | RepeatView::ForEach(e) | RepeatView::Enabled(e) => {
                        search.expr(&at, e);
                    }
                }
            }
        }
    }
    let path = ModulePath::root();
    let at = Place {
        module: config.root(),
        path: &path,
    };
    let changes = |o: Option<&OutputChange>| o.is_some_and(|o| o.before != o.after);
    for output in config.root().outputs() {
        if changes(plan.outputs.get(output.name)) {
            search.expr(&at, output.value);
        }
    }
    search.out
}

/// An instance of a module.
struct Place<'c, 'p> {
    module: ModuleView<'c>,
    path: &'p ModulePath,
}

struct Search<'c> {
    /// The modules by their path without keys.
    modules: BTreeMap<&'c str, ModuleView<'c>>,
    /// What was gone through already, so that nothing is twice.
    seen: BTreeSet<String>,
    found: BTreeSet<String>,
    out: Vec<Json>,
}

impl<'c> Search<'c> {
    fn module(&self, path: &ModulePath) -> Option<ModuleView<'c>> {
        let steps: Vec<String> = path.0.iter().map(|(n, _)| format!("module.{n}")).collect();
        self.modules.get(steps.join(".").as_str()).copied()
    }

    fn body(&mut self, at: &Place<'c, '_>, body: &Body) {
        for attribute in &body.attributes {
            self.expr(at, &attribute.expr);
        }
        for block in &body.blocks {
            self.body(at, &block.body);
        }
    }

    fn expr(&mut self, at: &Place<'c, '_>, expr: &Expr) {
        for reference in expr.references() {
            self.reference(at, &reference);
        }
    }

    fn reference(&mut self, at: &Place<'c, '_>, reference: &Reference) {
        let name = reference.attr(0).unwrap_or_default();
        let mut first = || self.seen.insert(format!("{}|{reference}", at.path));
        match &*reference.root {
            "local" => {
                if first()
                    && let Some(expr) = at.module.local(name)
                {
                    self.expr(at, expr);
                }
            }
            "var" => {
                if first() {
                    self.argument(at, name);
                }
            }
            "module" => {
                if first() {
                    self.output(at, name, reference);
                }
            }
            "each" | "count" | "path" | "terraform" | "self" | "site" | "cluster" | "service" => {}
            _ => self.resource(at.path, reference),
        }
    }

    /// The argument of the call that gives a variable its value.
    fn argument(&mut self, at: &Place<'c, '_>, name: &str) {
        let Some(((call, _), parents)) = at.path.0.split_last() else {
            return;
        };
        let path = ModulePath(parents.to_vec());
        let Some(module) = self.module(&path) else {
            return;
        };
        let outer = Place {
            module,
            path: &path,
        };
        for view in module.calls().filter(|c| c.name == call) {
            if let Some(input) = view.inputs.iter().find(|a| &*a.name == name) {
                self.expr(&outer, &input.expr);
            }
        }
    }

    /// The output that a reference names; all where it names the module.
    fn output(&mut self, at: &Place<'c, '_>, name: &str, reference: &Reference) {
        let key = match reference.steps.get(1) {
            Some(RefStep::Index(value)) => key(value),
            _ => Key::None,
        };
        let output = reference.steps.iter().skip(1).find_map(|s| match s {
            RefStep::Attr(name) => Some(name.clone()),
            _ => None,
        });
        let path = at.path.child(name, key);
        for call in at.module.calls().filter(|c| c.name == name) {
            let inner = Place {
                module: call.module,
                path: &path,
            };
            for o in call.module.outputs() {
                if output.as_deref().is_none_or(|wanted| wanted == o.name) {
                    self.expr(&inner, o.value);
                }
            }
        }
    }

    fn resource(&mut self, path: &ModulePath, reference: &Reference) {
        let (subject, end) = (subject_steps(reference), known_steps(reference));
        let text = reference.prefix(subject);
        let address = match path.is_root() {
            true => text,
            false => format!("{path}.{text}"),
        };
        let steps = reference.steps.get(subject..end).unwrap_or_default();
        let attribute: Vec<Json> = steps
            .iter()
            .filter_map(|s| match s {
                RefStep::Attr(name) => Some(json!(&**name)),
                RefStep::Index(value) => Some(match value.kind() {
                    Kind::String(text) => json!(&**text),
                    _ => weir_core::json::to_json(value),
                }),
                RefStep::Splat | RefStep::Dynamic => None,
            })
            .collect();
        let row = json!({ "resource": address, "attribute": attribute });
        if self.found.insert(row.to_string()) {
            self.out.push(row);
        }
    }
}

fn key(value: &weir_core::Value) -> Key {
    match value.kind() {
        Kind::String(text) => Key::Name(text.to_string()),
        _ => value
            .as_i64()
            .and_then(|n| u64::try_from(n).ok())
            .map_or(Key::None, Key::Index),
    }
}
