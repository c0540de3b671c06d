//! Which attributes of which resources a plan's changes come from.
//!
//! 1. [`attributes`] begins with what changes: the bodies of resources, and the values of outputs,
//!    those of module instances among them.
//! 2. [`Search::follow`] goes from each reference to what it leads to, by way of locals, variables,
//!    outputs of modules, repetitions and the attributes of other resources.
//! 3. Each attribute on the way is noted, as deep as the resource's schema says there is one.

use super::{
    plan::output_action,
    references::{known_steps, subject_steps},
};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Key, Kind, ModulePath, Object, Type, Value,
    address::step,
    plan::Plan,
    schema::{Block, Nesting},
};
use weir_lang::{
    Config, Schemas,
    config::describe::{ModuleView, RepeatView, ResourceView},
    ir::{Body, Expr, RefStep, Reference},
};

/// `relevant_attributes`, in the order of their addresses.
pub(super) fn attributes(config: &Config, schemas: &dyn Schemas, plan: &Plan) -> Vec<Json> {
    let mut search = Search {
        modules: config.describe().map(|m| (m.path, m)).collect(),
        schemas,
        seen: BTreeSet::new(),
        found: BTreeMap::new(),
        todo: Vec::new(),
    };
    // A block is looked at once for each instance of its module.
    let changed: BTreeSet<(&ModulePath, &Object)> = (plan.changes.values())
        .filter(|c| !c.action.is_noop())
        .map(|c| (&c.address.module, &c.address.object))
        .chain(
            plan.deposed
                .iter()
                .map(|d| (&d.address.module, &d.address.object)),
        )
        .collect();
    for (path, object) in changed {
        if let Some((at, resource)) = search.resource(path, object) {
            search.body(&at, object, resource.body);
        }
    }
    let root = ModulePath::root();
    let changed = plan
        .outputs
        .iter()
        .filter(|(_, o)| output_action(o) != "no-op");
    for (name, _) in changed {
        search.output(&root, name);
    }
    // What a module hands out has no value before: where it comes to something, it changes.
    for (path, names) in &plan.module_outputs {
        names.iter().for_each(|name| search.output(path, name));
    }
    search.follow();
    search.found.into_values().collect()
}

/// An instance of a module.
struct Place<'c> {
    module: ModuleView<'c>,
    path: ModulePath,
}

/// A reference that is still to be followed.
struct Open {
    path: ModulePath,
    /// The block in which it stands, of which `each` and `count` tell.
    object: Option<Object>,
    reference: Reference,
}

struct Search<'c> {
    /// The modules by their path without keys.
    modules: BTreeMap<&'c str, ModuleView<'c>>,
    schemas: &'c dyn Schemas,
    /// What was gone through already, so that nothing is twice.
    seen: BTreeSet<String>,
    found: BTreeMap<(String, String), Json>,
    todo: Vec<Open>,
}

impl<'c> Search<'c> {
    fn place(&self, path: &ModulePath) -> Option<Place<'c>> {
        let steps: Vec<String> = path.0.iter().map(|(n, _)| step(n)).collect();
        let module = *self.modules.get(steps.join(".").as_str())?;
        let path = path.clone();
        Some(Place { module, path })
    }

    fn resource(
        &self,
        path: &ModulePath,
        object: &Object,
    ) -> Option<(Place<'c>, ResourceView<'c>)> {
        let at = self.place(path)?;
        let resource = at.module.resources().find(|r| r.object == *object)?;
        Some((at, resource))
    }

    fn schema(&self, object: &Object) -> Option<&'c Block> {
        let ty = object.type_name();
        let schema = match object {
            Object::Data { .. } => self.schemas.data(ty),
            _ => self.schemas.resource(ty),
        };
        schema.map(|s| &s.block)
    }

    /// The references of an expression are to be followed.
    fn expr(&mut self, path: &ModulePath, object: Option<&Object>, expr: &Expr) {
        for reference in expr.references() {
            let of_block = matches!(&*reference.root, "each" | "count");
            let object = object.filter(|_| of_block).cloned();
            let block = object.as_ref().map_or(String::new(), Object::to_string);
            if self.seen.insert(format!("{path}|{block}|{reference}")) {
                self.todo.push(Open {
                    path: path.clone(),
                    object,
                    reference,
                });
            }
        }
    }

    fn body(&mut self, at: &Place<'c>, object: &Object, body: &Body) {
        for attribute in &body.attributes {
            self.expr(&at.path, Some(object), &attribute.expr);
        }
        for block in &body.blocks {
            self.body(at, object, &block.body);
        }
    }

    fn output(&mut self, path: &ModulePath, name: &str) {
        let Some(at) = self.place(path) else { return };
        for output in at.module.outputs().filter(|o| o.name == name) {
            self.expr(path, None, output.value);
        }
    }

    fn follow(&mut self) {
        while let Some(open) = self.todo.pop() {
            let Some(at) = self.place(&open.path) else {
                continue;
            };
            let name = open.reference.attr(0).unwrap_or_default();
            match &*open.reference.root {
                "local" => {
                    if let Some(expr) = at.module.local(name) {
                        self.expr(&at.path, None, expr);
                    }
                }
                "var" => self.argument(&at.path, name),
                "module" => self.call(&at, name, &open.reference),
                "each" | "count" => self.repetition(&at, open.object.as_ref()),
                "path" | "terraform" | "self" | "site" | "cluster" | "service" => {}
                _ => self.attribute(&at, &open.reference),
            }
        }
    }

    /// The argument of the call that gives a variable its value.
    fn argument(&mut self, path: &ModulePath, name: &str) {
        let Some(((call, _), parents)) = path.0.split_last() else {
            return;
        };
        let Some(outer) = self.place(&ModulePath(parents.to_vec())) else {
            return;
        };
        for view in outer.module.calls().filter(|c| c.name == call) {
            if let Some(input) = view.inputs.iter().find(|a| &*a.name == name) {
                self.expr(&outer.path, None, &input.expr);
            }
        }
    }

    /// What says how many instances there are.
    fn repetition(&mut self, at: &Place<'c>, object: Option<&Object>) {
        let Some((_, resource)) = object.and_then(|o| self.resource(&at.path, o)) else {
            return;
        };
        match resource.repeat {
            RepeatView::Once => {}
            RepeatView::Count(e) | RepeatView::ForEach(e) | RepeatView::Enabled(e) => {
                self.expr(&at.path, None, e);
            }
        }
    }

    /// The output that a reference names; all where it names the module or is open after it.
    fn call(&mut self, at: &Place<'c>, name: &str, reference: &Reference) {
        let end = known_steps(reference);
        let steps = reference.steps.get(1..end).unwrap_or_default();
        let (key, rest) = match steps {
            [RefStep::Index(value), rest @ ..] => (key(value), rest),
            all => (Key::None, all),
        };
        let path = at.path.child(name, key);
        if let [RefStep::Attr(output), ..] = rest {
            return self.output(&path, output);
        }
        let Some(inner) = self.place(&path) else {
            return;
        };
        for output in inner.module.outputs() {
            self.expr(&path, None, output.value);
        }
    }

    /// Notes an attribute of a resource, and goes on with what it is made from.
    fn attribute(&mut self, at: &Place<'c>, reference: &Reference) {
        let Some(object) = object(reference) else {
            return;
        };
        let (Some((_, resource)), Some(schema)) =
            (self.resource(&at.path, &object), self.schema(&object))
        else {
            return;
        };
        let (subject, end) = (subject_steps(reference), known_steps(reference));
        let text = reference.prefix(subject);
        let text = text.strip_prefix("resource.").unwrap_or(&text);
        let address = match at.path.is_root() {
            true => text.to_owned(),
            false => format!("{}.{text}", at.path),
        };
        let steps = reference.steps.get(subject..end).unwrap_or_default();
        let steps: Vec<Step> = steps.iter().map_while(Step::of).collect();
        let attribute = json!(in_block(schema, &steps));
        self.found.insert(
            (address.clone(), attribute.to_string()),
            json!({ "resource": address, "attribute": attribute }),
        );
        self.made_from(at, &object, (resource.body, schema), &steps);
    }

    /// What a part of a resource's body refers to.
    fn made_from(
        &mut self,
        at: &Place<'c>,
        object: &Object,
        (body, schema): (&Body, &Block),
        steps: &[Step],
    ) {
        let Some((first, rest)) = steps.split_first() else {
            return self.body(at, object, body);
        };
        let name = first.text();
        if schema.attributes.contains_key(&name) {
            for attribute in body.attributes.iter().filter(|a| *a.name == *name) {
                self.expr(&at.path, Some(object), &attribute.expr);
            }
            return;
        }
        let Some(nested) = schema.blocks.get(&name) else {
            return;
        };
        let blocks = body.blocks.iter().filter(|b| *b.ident == *name);
        match nested.nesting {
            Nesting::Single => {
                for block in blocks {
                    self.made_from(at, object, (&block.body, &nested.block), rest);
                }
            }
            // Which of the blocks it is can't be said.
            Nesting::List | Nesting::Set | Nesting::Map => self.body(at, object, body),
        }
    }
}

/// A step into a value.
enum Step {
    Name(String),
    Index(Value),
}

impl Step {
    fn of(step: &RefStep) -> Option<Step> {
        match step {
            RefStep::Attr(name) => Some(Step::Name(name.to_string())),
            RefStep::Index(value) => Some(Step::Index(value.clone())),
            RefStep::Splat | RefStep::Dynamic => None,
        }
    }

    /// The step as the name of an attribute.
    fn text(&self) -> String {
        match self {
            Step::Name(name) => name.clone(),
            Step::Index(value) => match value.kind() {
                Kind::String(text) => text.to_string(),
                _ => value.to_string(),
            },
        }
    }

    /// The step as the configuration has it.
    fn written(&self) -> Json {
        match self {
            Step::Index(value) if value.as_i64().is_some() => json!(value.as_i64()),
            _ => json!(self.text()),
        }
    }

    /// The step as the index of a list.
    fn number(&self) -> Option<Json> {
        match self {
            Step::Name(name) => name.parse::<u64>().ok().map(|n| json!(n)),
            Step::Index(value) => value.as_i64().map(|n| json!(n)),
        }
    }
}

/// The steps of a path, as far as the schema has them.
fn in_block(block: &Block, steps: &[Step]) -> Vec<Json> {
    let Some((first, rest)) = steps.split_first() else {
        return Vec::new();
    };
    let name = first.text();
    let inner = match (block.attributes.get(&name), block.blocks.get(&name)) {
        (Some(attribute), _) => in_type(&attribute.ty, rest),
        (None, Some(nested)) => match (nested.nesting, rest.split_first()) {
            (Nesting::Single, _) => in_block(&nested.block, rest),
            (Nesting::List, Some((at, rest))) => {
                after(at.number(), || in_block(&nested.block, rest))
            }
            (Nesting::Map, Some((at, rest))) => {
                after(Some(json!(at.text())), || in_block(&nested.block, rest))
            }
            // Nothing leads into a set.
            (Nesting::Set | Nesting::List | Nesting::Map, _) => Vec::new(),
        },
        (None, None) => return Vec::new(),
    };
    after(Some(json!(name)), || inner)
}

fn in_type(ty: &Type, steps: &[Step]) -> Vec<Json> {
    let Some((first, rest)) = steps.split_first() else {
        return Vec::new();
    };
    match ty {
        Type::List(inner) => after(first.number(), || in_type(inner, rest)),
        Type::Map(inner) => after(Some(json!(first.text())), || in_type(inner, rest)),
        Type::Object(fields) => {
            let name = first.text();
            match fields.get(&*name) {
                Some(field) => after(Some(json!(name)), || in_type(&field.ty, rest)),
                None => Vec::new(),
            }
        }
        Type::Tuple(types) => {
            let number = first.number();
            let at = number.as_ref().and_then(Json::as_u64);
            let inner = at.and_then(|at| types.get(usize::try_from(at).ok()?));
            inner.map_or(Vec::new(), |inner| after(number, || in_type(inner, rest)))
        }
        // What is in it, no schema says: the path is as it was written.
        Type::Dynamic => steps.iter().map(Step::written).collect(),
        Type::Set(_) | Type::Bool | Type::Number | Type::String => Vec::new(),
    }
}

fn after(first: Option<Json>, rest: impl FnOnce() -> Vec<Json>) -> Vec<Json> {
    match first {
        Some(first) => std::iter::once(first).chain(rest()).collect(),
        None => Vec::new(),
    }
}

/// The block that a reference names.
fn object(reference: &Reference) -> Option<Object> {
    let name = |n: usize| reference.attr(n).map(str::to_owned);
    Some(match &*reference.root {
        "data" => Object::Data {
            ty: name(0)?.into(),
            name: name(1)?.into(),
        },
        "ephemeral" => Object::Ephemeral {
            ty: name(0)?.into(),
            name: name(1)?.into(),
        },
        "resource" => Object::Managed {
            ty: name(0)?.into(),
            name: name(1)?.into(),
        },
        root => Object::Managed {
            ty: root.into(),
            name: name(0)?.into(),
        },
    })
}

fn key(value: &Value) -> Key {
    match value.kind() {
        Kind::String(text) => Key::Name(text.to_string().into()),
        _ => value
            .as_i64()
            .and_then(|n| u64::try_from(n).ok())
            .map_or(Key::None, Key::Index),
    }
}
