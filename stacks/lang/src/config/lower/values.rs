//! `variable`, `locals` and `output`.

use crate::{
    config::{
        blocks::{Local, OutputBlock, Rule, TextForm, Variable},
        reader::{Reader, Report, constant, labels},
    },
    constraint::{Defaults, type_constraint},
    eval::Context,
    ir::{Attribute, Block, Reference},
};
use std::sync::Arc;
use weir_core::{Diagnostic, Type, convert::convert};

pub(crate) fn variable(
    block: &Block,
    context: &Context,
    report: &mut Report<'_>,
) -> Option<Arc<Variable>> {
    let name = labels(block, &["name"], report)?[0];
    let what = format!("variable `{name}`");
    if RESERVED.contains(&name) {
        let d = Diagnostic::error(format!("A variable can't be called `{name}`"))
            .because("A `module` block has an attribute of that name with a meaning of its own.")
            .help("Choose another name.");
        report.push(d, &block.labels[0].1);
    }
    let mut reader = Reader::new(&what, &block.body);
    let description = reader.text("description", report);
    let (ty, defaults) = match reader.attribute("type") {
        None => (Type::Dynamic, Defaults::default()),
        Some(a) => type_constraint(&a.expr, report.sources).unwrap_or_else(|d| {
            report.diagnostics.push(*d);
            (Type::Dynamic, Defaults::default())
        }),
    };
    let form = match ty {
        Type::String | Type::Number | Type::Bool => TextForm::Literal,
        _ if block.body.attribute("type").is_none() => TextForm::Literal,
        _ => TextForm::Expression,
    };
    let sensitive = reader.flag("sensitive", report).unwrap_or(false);
    let ephemeral = reader.flag("ephemeral", report).unwrap_or(false);
    let nullable = reader.flag("nullable", report).unwrap_or(true);
    let default = reader.attribute("default").and_then(|a| {
        match constant(&a.expr, context, &format!("the default of {what}")) {
            Err(d) => {
                report.diagnostics.push(*d);
                None
            }
            Ok(value) if value.is_null() => {
                if !nullable {
                    let d = Diagnostic::error(format!("The default of {what} is null"))
                        .because("It says `nullable = false`.")
                        .help("Give it another default, or none.");
                    report.push(d, &a.expr.span);
                }
                Some(weir_core::Value::null_of(ty.clone()))
            }
            Ok(value) => match convert(&defaults.apply(&value), &ty) {
                Ok(value) => Some(value),
                Err(e) => {
                    let d = Diagnostic::error(format!("The default of {what} is not of its type"))
                        .because(format!("The type is `{ty}`: {e}."))
                        .help(crate::hints::form(&ty));
                    report.push(d, &a.expr.span);
                    None
                }
            },
        }
    });
    let validations = rules(&mut reader, "validation", report);
    for rule in &validations {
        let references = rule.condition.references();
        let own = |r: &Reference| &*r.root == "var" && r.attr(0) == Some(name);
        if !references.is_empty() && !references.iter().any(own) {
            let d = Diagnostic::error(format!("A validation of {what} does not look at it"))
                .because(format!("Its condition must refer to `var.{name}`.")).help(format!("Refer to `var.{name}` in the condition, or move the condition to a `check` block."));
            report.push(d, &rule.condition.span);
        }
    }
    reader.finish(report);
    Some(Arc::new(Variable {
        name: name.into(),
        ty,
        form,
        defaults,
        default,
        description,
        sensitive,
        ephemeral,
        nullable,
        validations,
        span: block.span.clone(),
    }))
}

/// Names that a `module` block takes for itself.
pub(crate) const RESERVED: [&str; 7] = [
    "source",
    "version",
    "providers",
    "count",
    "for_each",
    "lifecycle",
    "depends_on",
];

pub(super) fn locals(block: &Block, report: &mut Report<'_>) -> Vec<Arc<Local>> {
    if labels(block, &[], report).is_none() {
        return Vec::new();
    }
    for inner in &block.body.blocks {
        let d = Diagnostic::error(format!("`locals` has no block `{}`", inner.ident))
            .help(format!("Write a value: `{} = {{ ... }}`.", inner.ident));
        report.push(d, &inner.span);
    }
    let local = |a: &Attribute| {
        Arc::new(Local {
            name: a.name.clone(),
            expr: a.expr.clone(),
            span: a.name_span.clone(),
        })
    };
    block.body.attributes.iter().map(local).collect()
}

pub(super) fn output(block: &Block, report: &mut Report<'_>) -> Option<Arc<OutputBlock>> {
    let name = labels(block, &["name"], report)?[0];
    let mut reader = Reader::new(format!("output `{name}`"), &block.body);
    let description = reader.text("description", report);
    let sensitive = reader.flag("sensitive", report).unwrap_or(false);
    let ephemeral = reader.flag("ephemeral", report).unwrap_or(false);
    let depends_on = depends_on(&mut reader, report);
    let preconditions = rules(&mut reader, "precondition", report);
    let none = Diagnostic::error(format!("Output `{name}` has no `value`"));
    let value = reader.required("value", &block.span, none.help("Add `value = ...`."));
    reader.finish(report);
    let value = value?;
    Some(Arc::new(OutputBlock {
        name: name.into(),
        value: value.expr.clone(),
        description,
        sensitive,
        ephemeral,
        preconditions,
        depends_on,
        span: block.span.clone(),
    }))
}

/// Blocks with `condition` and `error_message`.
pub(super) fn rules(
    reader: &mut Reader<'_>,
    ident: &'static str,
    report: &mut Report<'_>,
) -> Vec<Rule> {
    let mut rules = Vec::new();
    for block in reader.blocks(ident) {
        let mut inner = Reader::new(format!("block `{ident}`"), &block.body);
        let mut required = |name: &'static str| {
            let d = Diagnostic::error(format!("Block `{ident}` has no `{name}`"))
                .help("It needs both `condition` and `error_message`.");
            inner.required(name, &block.span, d)
        };
        let (condition, message) = (required("condition"), required("error_message"));
        inner.finish(report);
        let (Some(condition), Some(message)) = (condition, message) else {
            continue;
        };
        if condition.expr.references().is_empty() {
            let d = Diagnostic::error("The condition refers to nothing")
                .because("It would always come out the same, so it would check nothing.")
                .help("Refer to what is to be checked.");
            report.push(d, &condition.expr.span);
        }
        rules.push(Rule {
            condition: condition.expr.clone(),
            message: message.expr.clone(),
        });
    }
    rules
}

/// `depends_on = [aws_vpc.main, module.net]`
pub(super) fn depends_on(reader: &mut Reader<'_>, report: &mut Report<'_>) -> Vec<Reference> {
    match reader.attribute("depends_on") {
        None => Vec::new(),
        Some(a) => references(a, "a resource or a module", report),
    }
}

/// A list of names, each a reference of its own.
pub(super) fn references(
    attribute: &Attribute,
    of: &str,
    report: &mut Report<'_>,
) -> Vec<Reference> {
    use crate::{config::reader::traversal, ir::ExprKind};
    let ExprKind::List(items) = &*attribute.expr.unparenthesised().kind else {
        let d = Diagnostic::error(format!("`{}` must be a list of names", attribute.name))
            .because(format!("Each names {of}."))
            .help(format!("Write `{} = [TYPE.NAME]`.", attribute.name));
        report.push(d, &attribute.expr.span);
        return Vec::new();
    };
    let mut out = Vec::new();
    for item in items {
        match traversal(item).or_else(|| quoted(item)) {
            Some(reference) => out.push(reference),
            None => {
                let d = Diagnostic::error(format!(
                    "`{}` holds something that is no name",
                    attribute.name
                ))
                .because(format!("Each element must name {of}.")).help("Write names as they are, without quotes and calls: `[TYPE.NAME, module.NAME]`.");
                report.push(d, &item.span);
            }
        }
    }
    out
}

/// A name in quotes, as old configurations have it.
fn quoted(item: &crate::ir::Expr) -> Option<Reference> {
    let text = crate::config::reader::literal(item)?;
    let parsed = crate::parse::parse_expr(item.span.file.clone(), &text.as_str()?.into()).ok()?;
    let mut reference = crate::config::reader::traversal(&parsed)?;
    reference.span = item.span.clone();
    Some(reference)
}
