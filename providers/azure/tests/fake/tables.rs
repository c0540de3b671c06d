//! The tables of the folder `schema`.

use std::collections::BTreeSet;
use weir_azure::{AzureProvider, Pacing};
use weir_core::schema::Block;
use weir_provider::Provider as _;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema");

fn table(name: &str) -> String {
    std::fs::read_to_string(format!("{FOLDER}/{name}")).unwrap()
}

/// Whether a body has an attribute or a block at a path.
fn has(block: &Block, path: &str) -> bool {
    match path.split_once('.') {
        None => block.attributes.contains_key(path) || block.blocks.contains_key(path),
        Some((first, rest)) => block.blocks.get(first).is_some_and(|b| has(&b.block, rest)),
    }
}

/// Every line of both rule tables names something that is there.
#[test]
fn the_rules_are_about_what_there_is() {
    let provider = AzureProvider::new(Pacing::default());
    let resources = &provider.schema().resources;
    let mut checked = 0;
    for name in ["docs.txt", "rules.txt"] {
        let mut of = None;
        for line in table(name).lines().filter(|l| !l.starts_with('#')) {
            let Some(rule) = line.strip_prefix("  ") else {
                of = Some(
                    resources
                        .get(line)
                        .unwrap_or_else(|| panic!("{name}: no type {line}")),
                );
                continue;
            };
            let (path, word) = rule.split_once(' ').unwrap();
            assert!(
                has(&of.unwrap().block, path),
                "{name}: {line:?} is about nothing"
            );
            let known = ["new", "provider", "refused"].contains(&word);
            let value = word.strip_prefix("default ");
            let value = value.map(serde_json::from_str::<serde_json::Value>);
            assert!(known || matches!(value, Some(Ok(_))), "{name}: {line:?}");
            checked += 1;
        }
    }
    assert!(checked > 150, "{checked}");
}

/// Every line of the schema is understood: as many attributes and blocks as there are lines.
#[test]
fn the_schema_is_read_whole() {
    fn count(block: &Block) -> usize {
        let below: usize = block.blocks.values().map(|b| count(&b.block)).sum();
        block.attributes.len() + block.blocks.len() + below
    }
    let provider = AzureProvider::new(Pacing::default());
    let schema = provider.schema();
    let all = schema.resources.values().chain(schema.data.values());
    let read: usize = all.map(|s| count(&s.block)).sum::<usize>() + count(&schema.provider.block);
    let lines = table("terraform.txt")
        .lines()
        .filter(|l| l.starts_with(' '))
        .count();
    assert_eq!(read, lines);
}

/// The page of the user's book names each type, and no other.
#[test]
fn the_page_names_every_type() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/azure.md"))
        .unwrap();
    let named: BTreeSet<String> = (page.split('`'))
        .filter(|w| w.starts_with("azurerm_") && !w.contains('.'))
        .map(str::to_owned)
        .collect();
    let provider = AzureProvider::new(Pacing::default());
    let schema = provider.schema();
    let served: BTreeSet<String> = schema
        .resources
        .keys()
        .chain(schema.data.keys())
        .cloned()
        .collect();
    assert_eq!(named, served);
}
