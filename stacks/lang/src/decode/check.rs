//! Names in a body against a schema, before anything is evaluated.

use crate::{
    config::{
        is_later, later,
        reader::{Report, count},
    },
    hints,
    ir::{Attribute, Block as Source, Body},
};
use weir_core::{
    Diagnostic, Span,
    schema::{Absent, Block, NestedBlock, Nesting, SetBy},
};

/// Reports attributes and blocks that the schema does not have, and required ones that are
/// missing. `what` names the body for messages.
pub(crate) fn check_body(
    body: &Body,
    schema: &Block,
    what: &str,
    header: &Span,
    report: &mut Report<'_>,
) {
    for attribute in &body.attributes {
        match schema.attributes.get(&*attribute.name) {
            Some(a) if a.set_by == SetBy::Computed => {
                let d = Diagnostic::error(format!("`{}` of {what} can't be set", attribute.name))
                    .because("Its value is found out by the provider.")
                    .help("Remove the attribute.");
                report.push(d, &attribute.name_span);
            }
            Some(_) => set_twice(body, attribute, report),
            None if attribute.json.is_some() && schema.blocks.contains_key(&*attribute.name) => {
                property(attribute, schema, what, report);
            }
            None if is_written_as_attribute(attribute, schema) => {
                let block = body.blocks.iter().find(|b| *b.ident == *attribute.name);
                if let Some(block) = block {
                    let d = Diagnostic::error(format!(
                        "`{}` of {what} is both an attribute and a block",
                        attribute.name
                    ))
                    .because("It may be written in either way, and not in both.")
                    .help("Remove one of them.");
                    report.push(d, &block.span);
                }
            }
            None => report.push(
                unknown_attribute(&attribute.name, schema, what),
                &attribute.name_span,
            ),
        }
    }
    for block in &body.blocks {
        if &*block.ident == "dynamic" {
            dynamic(block, schema, what, report);
            continue;
        }
        match schema.blocks.get(&*block.ident) {
            None => report.push(unknown_block(&block.ident, schema, what), &block.span),
            Some(nested) => {
                label_count(block, nested, what, report);
                let inner = format!("{} of {what}", title(block));
                check_body(&block.body, &nested.block, &inner, &block.span, report);
            }
        }
    }
    missing(body, schema, what, header, report);
}

/// Whether the attribute stands for blocks of a type that may be written so.
fn is_written_as_attribute(attribute: &Attribute, schema: &Block) -> bool {
    let nested = schema.blocks.get(&*attribute.name);
    nested.is_some_and(|n| n.absent == Absent::Provider)
}

/// A JSON property that stands twice in one body: two of blocks are blocks, two of an attribute
/// are one too many.
fn set_twice(body: &Body, attribute: &Attribute, report: &mut Report<'_>) {
    if attribute.json.is_none() {
        return;
    }
    let first = body.attribute(&attribute.name);
    if let Some(first) = first.filter(|f| f.name_span != attribute.name_span) {
        let d = Diagnostic::error(format!("`{}` is set twice in one object", attribute.name))
            .because(format!(
                "It was set on line {} already.",
                first.name_span.line
            ))
            .help("Remove one of them.");
        report.push(d, &attribute.name_span);
    }
}

/// A JSON property that stands for nested blocks.
fn property(attribute: &Attribute, schema: &Block, what: &str, report: &mut Report<'_>) {
    let (Some(json), Some(nested)) = (&attribute.json, schema.blocks.get(&*attribute.name)) else {
        return;
    };
    let found = json.blocks(usize::from(nested.nesting == Nesting::Map));
    report.diagnostics.extend(found.problems.clone());
    for block in &found.blocks {
        let inner = format!("{} of {what}", title(block));
        check_body(&block.body, &nested.block, &inner, &block.span, report);
    }
}

fn missing(body: &Body, schema: &Block, what: &str, header: &Span, report: &mut Report<'_>) {
    for (name, attribute) in &schema.attributes {
        let absent = attribute.set_by == SetBy::Required && body.attribute(name).is_none();
        if absent && !body.misspells(name, settable(schema)) {
            let about = match attribute.description.as_str() {
                "" => String::new(),
                text => format!(" {text}"),
            };
            let d = Diagnostic::error(format!("`{name}` of {what} is missing"))
                .because(format!("It is required.{about}"))
                .help(format!(
                    "Add `{name} = ...`: {}.",
                    super::article(&attribute.ty)
                ));
            report.push(d, header);
        }
    }
    for (name, nested) in &schema.blocks {
        let found = super::has_block(body, name);
        let names = schema.blocks.keys().map(String::as_str);
        if nested.min > 0 && !found && !body.misspells_block(name, names) {
            let d = Diagnostic::error(format!("{} has no block `{name}`", hints::sentence(what)))
                .because(format!("It needs at least {}.", nested.min))
                .help(format!("Add `{name}{} {{ ... }}`.", label(nested)));
            report.push(d, header);
        }
    }
}

/// The attributes of a `dynamic` block.
const DYNAMIC: [&str; 3] = ["for_each", "iterator", "labels"];

fn dynamic(block: &Source, schema: &Block, what: &str, report: &mut Report<'_>) {
    let Some(ident) = block.label(0) else {
        let d = Diagnostic::error("Block `dynamic` has no label")
            .because("Its label names the blocks it makes.")
            .help("Write `dynamic \"BLOCK\" { ... }`.");
        report.push(d, &block.span);
        return;
    };
    let Some(nested) = schema.blocks.get(ident) else {
        report.push(unknown_block(ident, schema, what), &block.span);
        return;
    };
    for a in &block.body.attributes {
        if !DYNAMIC.contains(&&*a.name) {
            let mut d = Diagnostic::error(format!(
                "`dynamic \"{ident}\"` has no attribute `{}`",
                a.name
            ));
            d.help = hints::suggest(&a.name, DYNAMIC, str::to_owned);
            report.push(d, &a.name_span);
        }
    }
    let is_misspelt = block.body.misspells("for_each", DYNAMIC.into_iter());
    if block.body.attribute("for_each").is_none() && !is_misspelt {
        let d = Diagnostic::error(format!("`dynamic \"{ident}\"` has no `for_each`"))
            .because("It says how many blocks are made.")
            .help("Add `for_each = ...`: a list, a set or a map, with an element for each block.");
        report.push(d, &block.span);
    }
    match block.body.blocks("content").next() {
        Some(content) => {
            let inner = format!("block `{ident}` of {what}");
            check_body(&content.body, &nested.block, &inner, &content.span, report);
        }
        None if block
            .body
            .misspells_block("content", ["content"].into_iter()) => {}
        None => {
            let d = Diagnostic::error(format!("`dynamic \"{ident}\"` has no block `content`"))
                .because("It holds what each block that is made looks like.")
                .help("Add `content { ... }`, with what stands in each.");
            report.push(d, &block.span);
        }
    }
    for other in block.body.blocks.iter().filter(|b| &*b.ident != "content") {
        let d = Diagnostic::error(format!(
            "`dynamic \"{ident}\"` has no block `{}`",
            other.ident
        ))
        .help(match hints::closest(&other.ident, ["content"]) {
            Some(_) => "Did you mean `content`?",
            None => "Put it into `content { ... }`.",
        });
        report.push(d, &other.span);
    }
}

fn label_count(block: &Source, nested: &NestedBlock, what: &str, report: &mut Report<'_>) {
    let wanted = usize::from(nested.nesting == Nesting::Map);
    if block.labels.len() != wanted {
        let form = label(nested);
        let d = Diagnostic::error(format!(
            "Block `{}` of {what} has {}",
            block.ident,
            count(block.labels.len(), "label")
        ))
        .because(if wanted == 1 {
            "Its label is its name."
        } else {
            "It has none."
        })
        .help(format!("Write `{}{form} {{ ... }}`.", block.ident));
        report.push(d, &block.span);
    }
}

/// How a nested block's label is written.
fn label(nested: &NestedBlock) -> &'static str {
    match nested.nesting {
        Nesting::Map => " \"name\"",
        _ => "",
    }
}

fn title(block: &Source) -> String {
    match block.label(0) {
        Some(label) => format!("{} `{label}`", block.ident),
        None => format!("block `{}`", block.ident),
    }
}

fn unknown_attribute(name: &str, schema: &Block, what: &str) -> Diagnostic {
    if is_later(name) && !schema.attributes.contains_key(name) && what_is_ours(what) {
        return later(name, what);
    }
    let d = Diagnostic::error(format!(
        "{} has no attribute `{name}`",
        hints::sentence(what)
    ));
    if schema.blocks.contains_key(name) {
        return d.help(format!("Write it as a block: `{name} {{ ... }}`."));
    }
    let help = hints::suggest(name, settable(schema), str::to_owned);
    let help = help.or_else(|| blocks_there_are(schema));
    Diagnostic { help, ..d }
}

fn unknown_block(name: &str, schema: &Block, what: &str) -> Diagnostic {
    if is_later(name) && what_is_ours(what) {
        return later(name, what);
    }
    let d = Diagnostic::error(format!("{} has no block `{name}`", hints::sentence(what)));
    if schema.attributes.contains_key(name) {
        return d.help(format!("Write it as an attribute: `{name} = ...`."));
    }
    let blocks = schema.blocks.keys().map(String::as_str);
    let help = hints::suggest(name, blocks, str::to_owned);
    let help = help.or_else(|| match settable(schema).next() {
        Some(_) => {
            hints::listing(settable(schema)).map(|names| format!("It has no blocks. {names}"))
        }
        None => Some("Remove it; nothing can stand there.".to_owned()),
    });
    Diagnostic { help, ..d }
}

/// A help line for a body that has no attributes.
fn blocks_there_are(schema: &Block) -> Option<String> {
    match hints::listing(schema.blocks.keys().map(String::as_str)) {
        Some(names) => Some(format!("It has no attributes, only blocks. {names}")),
        None => Some("Remove it; nothing can stand there.".to_owned()),
    }
}

/// The attributes that a configuration may set.
fn settable(schema: &Block) -> impl Iterator<Item = &str> + Clone {
    let attributes = schema.attributes.iter();
    let settable = attributes.filter(|(_, a)| a.set_by != SetBy::Computed);
    settable.map(|(k, _)| k.as_str())
}

/// Whether the body is one of the language's own, where names are reserved: a provider may call
/// its attributes what it likes.
fn what_is_ours(what: &str) -> bool {
    ["site ", "cluster ", "service `"]
        .iter()
        .any(|w| what.contains(w))
}
