//! Override files (`override.tf`, `*_override.tf`, and so on): their blocks are merged into those
//! of the other files before anything is sorted, by Terraform's rules.
//!
//! A block is merged into the one of its type and labels: an attribute replaces the attribute of
//! its name, nested blocks replace all of their type. `lifecycle` is merged by argument, and so are
//! the labelled blocks of weir's own (`pod`, `host`, ...) by their labels. `locals` and
//! `required_providers` are merged entry by entry; a `backend` replaces the backend.

use super::reader::literal;
use crate::{
    hints,
    ir::{Attribute, Block, Body, ExprKind},
    sources::Sources,
};
use std::collections::BTreeSet;
use weir_core::{Diagnostic, Diagnostics, Span};

/// Merges override files, in order, into the bodies of the other files.
pub(super) fn merge(
    base: &mut Vec<Body>,
    overrides: Vec<Body>,
    sources: &Sources,
    problems: &mut Diagnostics,
) {
    let mut merger = Merger {
        base,
        sources,
        problems,
    };
    for body in overrides {
        merger.file(body);
    }
}

struct Merger<'a> {
    base: &'a mut Vec<Body>,
    sources: &'a Sources,
    problems: &'a mut Diagnostics,
}

/// Attributes that no override may set.
const FIXED: [&str; 1] = ["depends_on"];
/// Nested blocks that no override may hold.
const CONDITIONS: [&str; 3] = ["validation", "precondition", "postcondition"];

impl Merger<'_> {
    fn report(&mut self, diagnostic: Diagnostic, span: &Span) {
        self.problems.push(self.sources.point(diagnostic, span));
    }

    fn file(&mut self, body: Body) {
        let span = body.span.clone();
        // What stands outside of any block is refused where blocks are sorted.
        if !body.attributes.is_empty() {
            self.add(
                Body {
                    attributes: body.attributes,
                    blocks: Vec::new(),
                    span: span.clone(),
                },
                None,
            );
        }
        let mut backends = body
            .blocks
            .iter()
            .filter(|b| &*b.ident == "terraform")
            .flat_map(|b| &b.body.blocks)
            .filter(|b| matches!(&*b.ident, "backend" | "cloud"));
        if let (Some(first), Some(second)) = (backends.next(), backends.next()) {
            let (first, second) = (first.span.clone(), second.span.clone());
            self.report(super::lower::duplicate("The backend", &first), &second);
        }
        for block in body.blocks {
            self.block(block, &span);
        }
    }

    /// Adds to the body of a file of its own.
    fn add(&mut self, body: Body, block: Option<Block>) {
        self.base.push(Body {
            blocks: block.into_iter().collect(),
            ..body
        });
    }

    fn block(&mut self, block: Block, file: &Span) {
        match &*block.ident {
            "locals" => self.locals(&block),
            "terraform" => self.terraform(block, file),
            "moved" | "removed" | "import" | "check" => {
                let d = Diagnostic::error(format!(
                    "An override file can't hold the block `{}`",
                    block.ident
                ))
                .because("It would override nothing: such blocks have no counterpart.")
                .help("Move it to a file that is no override.");
                self.report(d, &block.span);
            }
            "variable" | "output" | "module" | "resource" | "data" | "ephemeral" | "provider"
            | "site" | "cluster" | "service" | "stack" => self.named(block, file),
            _ => self.add(empty(file), Some(block)),
        }
    }

    fn named(&mut self, block: Block, file: &Span) {
        self.refuse_conditions(&block.body);
        let alias = alias(&block);
        let found = self
            .base
            .iter_mut()
            .flat_map(|b| &mut b.blocks)
            .find(|b| same(b, &block));
        if let Some(base) = found {
            let mut problems = Vec::new();
            merge_body(&mut base.body, &block.body, &mut problems);
            for (d, span) in problems {
                self.report(d, &span);
            }
            return;
        }
        // A provider that is not configured has an empty configuration, a stack default settings:
        // these are overridden.
        let implied = match &*block.ident {
            "provider" => alias.is_none(),
            "stack" => !self.has_stack(),
            _ => false,
        };
        if implied {
            self.add(empty(file), Some(block));
        } else {
            let missing = self.missing(&block, alias.as_deref());
            self.report(missing, &block.span);
        }
    }

    fn has_stack(&self) -> bool {
        self.base.iter().any(|b| b.blocks("stack").next().is_some())
    }

    /// Nothing is there that this block could override.
    fn missing(&self, block: &Block, alias: Option<&str>) -> Diagnostic {
        let title = match alias {
            Some(alias) => format!("provider `{}.{alias}`", block.label(0).unwrap_or_default()),
            None => format!("`{}`", title(block)),
        };
        let d = Diagnostic::error(format!("There is no {title} to override")).because(
            "An override file changes what another file declares, and declares nothing itself.",
        );
        if alias.is_some() {
            return d.help("Configure it in a file that is no override.");
        }
        let own = block.labels.last().map_or("", |(l, _)| l);
        let first = block.label(0);
        let near = self
            .base
            .iter()
            .flat_map(|b| b.blocks(&block.ident))
            .filter(|b| b.labels.len() < 2 || b.label(0) == first)
            .filter_map(|b| b.labels.last().map(|(l, _)| &**l));
        match hints::suggest(own, near, str::to_owned) {
            Some(help) => d.help(help),
            None => d.help("Declare it in a file that is no override."),
        }
    }

    fn refuse_conditions(&mut self, body: &Body) {
        let inside = body.blocks("lifecycle").flat_map(|b| &b.body.blocks);
        let refused: Vec<(String, Span)> = body
            .blocks
            .iter()
            .chain(inside)
            .filter(|b| CONDITIONS.contains(&&*b.ident))
            .map(|b| (b.ident.to_string(), b.span.clone()))
            .collect();
        for (ident, span) in refused {
            let d = Diagnostic::error(format!("An override file can't hold the block `{ident}`"))
                .because("Conditions hold whatever is overridden.")
                .help("Change it where the block is declared.");
            self.report(d, &span);
        }
    }

    fn locals(&mut self, block: &Block) {
        for attribute in &block.body.attributes {
            let found = self
                .base
                .iter_mut()
                .flat_map(|b| &mut b.blocks)
                .filter(|b| &*b.ident == "locals")
                .flat_map(|b| &mut b.body.attributes)
                .find(|a| a.name == attribute.name);
            match found {
                Some(base) => *base = attribute.clone(),
                None => {
                    let known = self
                        .base
                        .iter()
                        .flat_map(|b| b.blocks("locals"))
                        .flat_map(|b| &b.body.attributes);
                    let mut d = Diagnostic::error(format!(
                        "There is no local value `{}` to override",
                        attribute.name
                    ))
                    .because("An override file changes what another file declares, and declares nothing itself.");
                    d.help =
                        hints::suggest(&attribute.name, known.map(|a| &*a.name), str::to_owned)
                            .or_else(|| Some("Declare it in a file that is no override.".into()));
                    self.report(d, &attribute.name_span);
                }
            }
        }
    }

    /// `terraform {}`: entry by entry; a backend takes the place of any.
    fn terraform(&mut self, block: Block, file: &Span) {
        let body = &block.body;
        let keeps_state = |b: &Block| matches!(&*b.ident, "backend" | "cloud");
        let replaces_state = body.blocks.iter().any(keeps_state);
        let required: BTreeSet<&str> = body
            .blocks("required_providers")
            .flat_map(|b| &b.body.attributes)
            .map(|a| &*a.name)
            .collect();
        let metas: BTreeSet<Option<&str>> =
            body.blocks("provider_meta").map(|b| b.label(0)).collect();
        let settings = self
            .base
            .iter_mut()
            .flat_map(|b| &mut b.blocks)
            .filter(|b| &*b.ident == "terraform");
        for base in settings {
            let base = &mut base.body;
            base.attributes
                .retain(|a| body.attribute(&a.name).is_none());
            base.blocks.retain(|b| {
                !(replaces_state && keeps_state(b)
                    || &*b.ident == "provider_meta" && metas.contains(&b.label(0)))
            });
            for b in &mut base.blocks {
                if &*b.ident == "required_providers" {
                    b.body.attributes.retain(|a| !required.contains(&*a.name));
                }
            }
        }
        self.add(empty(file), Some(block));
    }
}

fn empty(file: &Span) -> Body {
    Body {
        attributes: Vec::new(),
        blocks: Vec::new(),
        span: file.clone(),
    }
}

/// `resource aws_vpc.main`
fn title(block: &Block) -> String {
    let labels: Vec<&str> = block.labels.iter().map(|(l, _)| &**l).collect();
    match &*block.ident {
        "resource" => labels.join("."),
        "variable" => format!("var.{}", labels.join(".")),
        ident => format!("{ident}.{}", labels.join(".")),
    }
}

fn alias(block: &Block) -> Option<String> {
    let attribute = (&*block.ident == "provider").then(|| block.body.attribute("alias"))??;
    Some(literal(&attribute.expr)?.as_str()?.to_owned())
}

/// Whether one block declares what the other overrides.
fn same(base: &Block, over: &Block) -> bool {
    base.ident == over.ident
        && base.labels.len() == over.labels.len()
        && base
            .labels
            .iter()
            .zip(&over.labels)
            .all(|((a, _), (b, _))| a == b)
        && alias(base) == alias(over)
}

/// Whether the nested block is one of weir's own that its label tells from others of its type.
fn has_name(block: &Block) -> bool {
    const NAMED: [&str; 10] = [
        "pod",
        "host",
        "pool",
        "offer",
        "task",
        "volume",
        "artifact",
        "directory",
        "file",
        "plan",
    ];
    block.labels.len() == 1 && NAMED.contains(&&*block.ident)
}

fn merge_body(base: &mut Body, over: &Body, problems: &mut Vec<(Diagnostic, Span)>) {
    for attribute in &over.attributes {
        if FIXED.contains(&&*attribute.name) {
            let d = Diagnostic::error(format!("An override file can't set `{}`", attribute.name))
                .because("What depends on what would be spread over two files.")
                .help("Change it where the block is declared.");
            problems.push((d, attribute.name_span.clone()));
            continue;
        }
        // In JSON an attribute may stand for blocks: then it takes the place of these.
        if attribute.json.is_some() {
            base.blocks.retain(|b| replaced(b) != &*attribute.name);
        }
        base.attributes.retain(|a| a.name != attribute.name);
        base.attributes.push(attribute.clone());
    }
    repeated_once(base, over, problems);
    let merged = |b: &Block| &*b.ident == "lifecycle" || has_name(b);
    let types: BTreeSet<&str> = over
        .blocks
        .iter()
        .filter(|b| !merged(b))
        .map(replaced)
        .collect();
    base.blocks
        .retain(|b| merged(b) || !types.contains(replaced(b)));
    base.attributes
        .retain(|a| a.json.is_none() || !types.contains(&*a.name));
    for block in &over.blocks {
        let found = base.blocks.iter_mut().find(|b| same(b, block));
        match found.filter(|b| merged(b)) {
            Some(found) if &*block.ident == "lifecycle" => {
                lifecycle(&mut found.body, &block.body);
            }
            Some(found) => merge_body(&mut found.body, &block.body, problems),
            None => base.blocks.push(block.clone()),
        }
    }
}

/// The type of blocks that a block is, or makes.
fn replaced(block: &Block) -> &str {
    match block.label(0) {
        Some(label) if &*block.ident == "dynamic" => label,
        _ => &block.ident,
    }
}

/// `count` in one file and `for_each` in the other: Terraform goes by `count`.
fn repeated_once(base: &mut Body, over: &Body, problems: &mut Vec<(Diagnostic, Span)>) {
    let both = ["count", "for_each"].map(|name| base.attribute(name).is_some());
    let from_one =
        |body: &Body| ["count", "for_each"].map(|n| body.attribute(n).is_some()) == [true; 2];
    if both != [true; 2] || from_one(over) {
        return;
    }
    if let Some(dropped) = base.attribute("for_each") {
        let d = Diagnostic::warning("`for_each` has no effect beside `count`")
            .because("One of them stands in an override file; as in Terraform, `count` wins.")
            .help("Remove one of them.");
        problems.push((d, dropped.name_span.clone()));
    }
    base.attributes.retain(|a| &*a.name != "for_each");
}

/// Argument by argument. What says nothing overrides nothing: an empty `ignore_changes` leaves the
/// other as it is, and `all` stays `all`.
fn lifecycle(base: &mut Body, over: &Body) {
    for attribute in &over.attributes {
        if &*attribute.name == "ignore_changes" {
            let empty = matches!(&*attribute.expr.unparenthesised().kind, ExprKind::List(l) if l.is_empty());
            if empty || base.attribute("ignore_changes").is_some_and(ignores_all) {
                continue;
            }
        }
        base.attributes.retain(|a| a.name != attribute.name);
        base.attributes.push(attribute.clone());
    }
}

fn ignores_all(attribute: &Attribute) -> bool {
    attribute.expr.keyword() == Some("all")
}
