//! The two tables, read.

use super::{Catalog, Entry, Rule, Rules};
use serde_json::Value as Json;
use std::{collections::BTreeMap, iter::Peekable, str::Lines};
use weir_core::{
    Type, json,
    schema::{Absent, Attribute, Block, NestedBlock, Nesting, OnChange, Schema, SetBy},
    types::Presence,
};

pub(super) fn read(terraform: &str, rules: &str) -> Catalog {
    let mut rules = read_rules(rules);
    let mut catalog = Catalog::default();
    let mut lines = terraform.lines().peekable();
    while let Some(line) = lines.next() {
        let mut words = line.split(' ');
        let (kind, name) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let version = words.next().and_then(|v| v.parse().ok()).unwrap_or(0);
        let of = match kind {
            "resource" => rules.remove(name).unwrap_or_default(),
            _ => Rules::new(),
        };
        let mut block = read_block(&mut lines, 1, "", &of);
        if kind == "resource" {
            only_computed(&mut block);
        }
        let schema = Schema { version, block };
        match kind {
            "provider" => catalog.served.provider = schema,
            "data" => {
                catalog.served.data.insert(name.to_owned(), schema);
            }
            _ => {
                (catalog.served.resources).insert(name.to_owned(), schema.clone());
                let entry = Entry { schema, rules: of };
                catalog.resources.insert(name.to_owned(), entry);
            }
        }
    }
    catalog
}

/// Old habits of the plugin SDK: these may be set, and setting them does nothing.
fn only_computed(block: &mut Block) {
    for name in ["id", "tags_all"] {
        if let Some(a) = block.attributes.get_mut(name) {
            a.set_by = SetBy::Computed;
        }
    }
}

fn read_rules(text: &str) -> BTreeMap<String, Rules> {
    let mut all: BTreeMap<String, Rules> = BTreeMap::new();
    let mut of = String::new();
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let Some(line) = line.strip_prefix("  ") else {
            line.clone_into(&mut of);
            continue;
        };
        let (path, word) = line.split_once(' ').unwrap_or((line, ""));
        let rule = all.entry(of.clone()).or_default();
        let rule: &mut Rule = rule.entry(path.to_owned()).or_default();
        match word.split_once(' ').unwrap_or((word, "")) {
            ("new", _) => rule.replaces = true,
            ("provider", _) => rule.provider = true,
            ("computed", _) => rule.computed = true,
            ("refused", _) => rule.refused = true,
            (_, value) => {
                let value = serde_json::from_str::<Json>(value).ok();
                rule.default = value.map(|v| json::from_json(&v));
            }
        }
    }
    all
}

fn read_block(lines: &mut Peekable<Lines<'_>>, depth: usize, path: &str, rules: &Rules) -> Block {
    let pad = "  ".repeat(depth);
    let mut block = Block::default();
    while let Some(line) = lines.next_if(|l| l.starts_with(&pad)) {
        let mut words = line.trim_start().split(' ');
        let (name, ty) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let way = match path {
            "" => name.to_owned(),
            _ => format!("{path}.{name}"),
        };
        let rule = rules.get(&way).cloned().unwrap_or_default();
        if ty == "block" {
            let nesting = match words.next() {
                Some("single") => Nesting::Single,
                Some("set") => Nesting::Set,
                _ => Nesting::List,
            };
            let mut number = || words.next().and_then(|w| w.parse().ok());
            let (min, max) = (number().unwrap_or(0), number());
            let inner = read_block(lines, depth + 1, &way, rules);
            block
                .blocks
                .insert(name.to_owned(), nested(inner, nesting, (min, max), &rule));
            continue;
        }
        let Some(ty) = serde_json::from_str::<Json>(ty).ok() else {
            continue;
        };
        let Some(ty) = json::type_from_json(&ty) else {
            continue;
        };
        if let (true, Some(fields)) = (rule.provider, fields(&ty)) {
            let nested = nested(fields, Nesting::Set, (0, None), &rule);
            block.blocks.insert(name.to_owned(), nested);
            continue;
        }
        let flags: Vec<&str> = words.collect();
        let attribute = attribute(ty, &flags, &rule);
        block.attributes.insert(name.to_owned(), attribute);
    }
    block
}

fn nested(block: Block, nesting: Nesting, bounds: (u32, Option<u32>), rule: &Rule) -> NestedBlock {
    NestedBlock {
        block,
        nesting,
        min: bounds.0,
        max: bounds.1,
        absent: match rule.provider {
            true => Absent::Provider,
            false => Absent::None,
        },
    }
}

fn attribute(ty: Type, flags: &[&str], rule: &Rule) -> Attribute {
    let has = |flag| flags.contains(&flag);
    let by_provider = has("computed") || rule.default.is_some();
    let set_by = match (has("required"), has("optional"), by_provider) {
        _ if rule.computed => SetBy::Computed,
        (true, ..) => SetBy::Required,
        (_, true, true) => SetBy::OptionalComputed,
        (_, true, false) => SetBy::Optional,
        _ => SetBy::Computed,
    };
    let mut attribute = Attribute::new(ty, set_by);
    if has("sensitive") {
        attribute = attribute.sensitive();
    }
    if rule.replaces {
        attribute.on_change = OnChange::Replace;
    }
    attribute
}

/// The block that a set of objects stands for: an attribute of the protocol that people write as
/// blocks. What a block leaves out is for the provider to fill in.
fn fields(ty: &Type) -> Option<Block> {
    let Type::Set(element) = ty else { return None };
    let Type::Object(fields) = element.as_ref() else {
        return None;
    };
    let attributes = fields.iter().map(|(name, field)| {
        debug_assert!(field.presence == Presence::Required);
        let attribute = Attribute::new(field.ty.clone(), SetBy::OptionalComputed);
        (name.to_string(), attribute)
    });
    Some(Block {
        attributes: attributes.collect(),
        blocks: BTreeMap::new(),
    })
}
