//! What is done with an input: shared by the fuzzers and by `tests/fuzz.rs`, which runs the seeds
//! and mutations of them on every build.
//!
//! An input is text. For whole stacks it holds files: `=== PATH` stands before each, and what
//! stands before the first is `main.tf`.

use std::{collections::BTreeMap, path::Path, sync::Arc};
use weir_core::{
    Address, Diagnostics, Type, Value,
    schema::{Attribute, Block, NestedBlock, Nesting, Schema, SetBy},
};
use weir_lang::{
    Evaluator, Inputs, Loaded, MemoryFiles, Next, NoCatalog, PlaceRequest, Placement, Schemas,
    ir::Body, load, parse,
};

/// How many instances are answered before a run counts as long enough.
const MOST_INSTANCES: usize = 2_000;

/// Parses it as a file in both syntaxes, an expression and a template; every place points into the
/// text. What comes back is the body in the native syntax.
pub(crate) fn parse(text: &str) -> Option<Body> {
    let source: Arc<str> = text.into();
    let _ = parse_file("main.tf.json", &source);
    let (body, errors) = parse_file("main.tf", &source);
    let _ = parse::parse_expr("x".into(), &source);
    let _ = parse::parse_template("x".into(), &source);
    (!errors.has_errors()).then_some(body)
}

fn parse_file(name: &str, source: &Arc<str>) -> (Body, Diagnostics) {
    let (body, errors) = parse::parse_file(name.into(), source);
    for error in &errors.0 {
        let span = error.span.as_ref().expect("syntax errors have a place");
        assert!(source.get(span.start..span.end).is_some(), "{error}");
    }
    for attribute in &body.attributes {
        let _ = attribute.expr.references();
    }
    (body, errors)
}

/// Loads it as a stack.
pub(crate) fn loaded(text: &str) -> Option<Loaded> {
    let mut files = vec![("main.tf", "")];
    for (i, section) in text.split("=== ").enumerate() {
        match i {
            0 => files[0].1 = section,
            _ => files.extend(section.split_once('\n')),
        }
    }
    // Nothing outside of the input.
    files.retain(|(path, _)| {
        !path.is_empty() && Path::new(path).is_relative() && !path.contains('\0')
    });
    load(
        Arc::new(MemoryFiles::of(files)),
        &NoCatalog,
        &Inputs::default(),
    )
    .ok()
}

/// Evaluates it to the end, with unknowns for what providers would say.
pub(crate) fn evaluate(text: &str) {
    let Some(loaded) = loaded(text) else {
        return;
    };
    let mut evaluator = Evaluator::new(loaded.config, Arc::new(Few::new()));
    let mut wave = Vec::new();
    let mut count = 0;
    while count < MOST_INSTANCES {
        match evaluator.next() {
            Ok(Next::Provider(_)) => {}
            Ok(Next::Place(request)) => evaluator.place(&request, anywhere(&request)),
            Ok(Next::Instance(instance)) => wave.push(*instance),
            Ok(Next::Waiting) => {
                assert!(!wave.is_empty(), "it waits for nothing");
                for instance in wave.drain(..) {
                    count += 1;
                    let id = Value::unknown(Type::String);
                    evaluator.supply(&instance.address, instance.config.with("id", id));
                }
            }
            Ok(Next::Done) | Err(_) => break,
        }
    }
    let _ = evaluator.take_diagnostics();
    for output in evaluator.outputs().into_values() {
        let _ = output.value.to_string();
    }
}

fn anywhere(request: &PlaceRequest) -> BTreeMap<Address, Placement> {
    let first = request.hosts.first();
    let places = request.demands.iter().filter_map(|d| {
        let host = d.on.clone().or_else(|| first.map(|h| h.id.clone()))?;
        let ports = d
            .ports
            .iter()
            .map(|(name, n)| (name.clone(), n.unwrap_or(1)));
        Some((
            d.address.clone(),
            Placement {
                host,
                ports: ports.collect(),
            },
        ))
    });
    places.collect()
}

/// The schemas of two resources, one that takes anything and one with a block.
struct Few {
    data: Schema,
    thing: Schema,
    none: Schema,
}

impl Few {
    fn new() -> Few {
        let attribute = |name: &str, ty, by| (name.to_owned(), Attribute::new(ty, by));
        let of =
            |attributes: Vec<(String, Attribute)>, blocks: Vec<(String, NestedBlock)>| Schema {
                version: 0,
                block: Block {
                    attributes: attributes.into_iter().collect(),
                    blocks: blocks.into_iter().collect(),
                },
            };
        let rule = NestedBlock {
            block: of(
                vec![attribute("port", Type::Number, SetBy::Required)],
                Vec::new(),
            )
            .block,
            nesting: Nesting::List,
            min: 0,
            max: None,
            absent: weir_core::schema::Absent::None,
        };
        Few {
            data: of(
                vec![
                    attribute("input", Type::Dynamic, SetBy::Optional),
                    attribute("triggers_replace", Type::Dynamic, SetBy::Optional),
                    attribute("id", Type::String, SetBy::Computed),
                ],
                Vec::new(),
            ),
            thing: of(
                vec![
                    attribute("name", Type::String, SetBy::Optional),
                    attribute("tags", Type::map(Type::String), SetBy::Optional),
                    attribute("id", Type::String, SetBy::Computed),
                ],
                vec![("rule".to_owned(), rule)],
            ),
            none: Schema::default(),
        }
    }
}

impl Schemas for Few {
    fn resource(&self, ty: &str) -> Option<&Schema> {
        match ty {
            "terraform_data" => Some(&self.data),
            "fake_thing" => Some(&self.thing),
            _ => None,
        }
    }
    fn data(&self, ty: &str) -> Option<&Schema> {
        (ty == "fake_lookup").then_some(&self.thing)
    }
    fn provider(&self, _: &str) -> Option<&Schema> {
        Some(&self.none)
    }
    fn provider_of(&self, ty: &str) -> Option<&str> {
        (ty == "terraform_data").then_some("terraform")
    }
}
