//! The blocks of a test file.

use super::{
    fields::{Fields, Report, label, list, literal},
    file::{
        Assert, Command, During, MockBlock, MockedKind, ModuleSource, Options, OverrideBlock,
        OverrideTarget, RunBlock,
    },
    overrides, variables,
};
use std::collections::BTreeMap;
use weir_core::{Address, Diagnostic, Object, Span};
use weir_engine::Mode;
use weir_lang::ir::{Block, Body, Expr, ExprKind};

const DURING: [(&str, During); 2] = [("plan", During::Plan), ("apply", During::Apply)];

pub(super) fn run(block: &Block, report: &mut Report<'_>) -> Option<RunBlock> {
    let name = label(block, report)?;
    let mut fields = Fields::new(format!("Run {name:?}"), &block.body);
    let command = [("apply", Command::Apply), ("plan", Command::Plan)];
    let run = RunBlock {
        name: name.into(),
        span: block.span.clone(),
        command: fields.word("command", &command, report).unwrap_or_default(),
        options: options(&mut fields, report),
        variables: variables(&mut fields, report),
        module: module(&mut fields, report),
        asserts: asserts(&mut fields, report),
        expect_failures: expected(&mut fields, report),
        providers: providers(&mut fields, report),
        state_key: fields.text("state_key", report),
        overrides: overrides(&mut fields, report),
    };
    fields.flag("parallel", report);
    fields.finish(report);
    Some(run)
}

fn options(fields: &mut Fields<'_>, report: &mut Report<'_>) -> Options {
    let Some(block) = fields.block("plan_options", report) else {
        return Options::default();
    };
    let mut fields = Fields::new("`plan_options`", &block.body);
    let modes = [("normal", Mode::Apply), ("refresh-only", Mode::Refresh)];
    let mut options = Options {
        mode: fields.word("mode", &modes, report).unwrap_or_default(),
        no_refresh: fields.flag("refresh", report) == Some(false),
        ..Options::default()
    };
    if let Some(attribute) = fields.attribute("target") {
        for expr in list(attribute, report) {
            options.targets.push((report.text(expr), expr.span.clone()));
        }
    }
    if let Some(attribute) = fields.attribute("replace") {
        for expr in list(attribute, report) {
            if let Some(address) = address(expr, report) {
                options.replace.push((address, expr.span.clone()));
            }
        }
    }
    fields.finish(report);
    options
}

fn module(fields: &mut Fields<'_>, report: &mut Report<'_>) -> Option<ModuleSource> {
    let block = fields.block("module", report)?;
    let mut fields = Fields::new("`module`", &block.body);
    let attribute = fields.required("source", &block.span, report);
    let source = fields.text("source", report);
    let version = fields.text("version", report);
    let versioned = fields.attribute("version").map(|a| a.expr.span.clone());
    fields.finish(report);
    let (source, span) = (source?, attribute?.expr.span.clone());
    if source.starts_with("catalog:") {
        let d = Diagnostic::error("Invalid module source")
            .because(
                "Modules of the catalogue are parts of a stack, and are no stack by themselves.",
            )
            .help("Call it in a module of your own beside the tests: `source = \"./NAME\"`.");
        report.push(d, &span);
        return None;
    }
    if let (Some(versioned), false) = (versioned, weir_lang::is_remote(&source)) {
        let d = Diagnostic::error("A module from a folder can't set `version`")
            .because("Only modules of a registry have versions.")
            .help("Remove the attribute.");
        report.push(d, &versioned);
    }
    Some(ModuleSource {
        source,
        version,
        span,
    })
}

fn asserts(fields: &mut Fields<'_>, report: &mut Report<'_>) -> Vec<Assert> {
    let mut found = Vec::new();
    for block in fields.blocks("assert") {
        let mut fields = Fields::new("`assert`", &block.body);
        let condition = fields.required("condition", &block.span, report);
        let message = fields.required("error_message", &block.span, report);
        fields.finish(report);
        if let Some(condition) = condition
            && condition.expr.references().is_empty()
        {
            let d = Diagnostic::error("Invalid assert expression").because(
                "The condition expression must refer to at least one object from elsewhere in the configuration, or else its result would not be checking anything.",
            ).help("Refer to what is to be tested.");
            report.push(d, &condition.expr.span);
        }
        if let (Some(condition), Some(message)) = (condition, message) {
            found.push(Assert {
                condition: condition.expr.clone(),
                message: message.expr.clone(),
            });
        }
    }
    found
}

fn expected(fields: &mut Fields<'_>, report: &mut Report<'_>) -> Vec<(String, Span)> {
    let Some(attribute) = fields.attribute("expect_failures") else {
        return Vec::new();
    };
    let mut found: Vec<(String, Span)> = Vec::new();
    for expr in list(attribute, report) {
        let ExprKind::Variable(variable) = &*expr.unparenthesised().kind else {
            let d = Diagnostic::error("Invalid `expect_failures` reference")
                .because("Each element names a block with conditions: `var.x`, `output.x`, `check.x`, or a resource.")
                .help("Write the name as it is, without quotes.");
            report.push(d, &expr.span);
            continue;
        };
        let wanted = if &*variable.root == "data" { 2 } else { 1 };
        let named = variable.reference.attr(wanted - 1).is_some();
        if !named || ["local", "module", "path", "run", "each", "count"].contains(&&*variable.root)
        {
            let d = Diagnostic::error("Invalid `expect_failures` reference").because(format!(
                "You cannot expect failures from {}. You can only expect failures from checkable objects such as input variables, output values, check blocks, managed resources and data sources.",
                variable.reference
            ))
            .help("Name the block whose condition is to fail: `var.NAME`, `output.NAME`, `check.NAME`, `TYPE.NAME`.");
            report.push(d, &expr.span);
            continue;
        }
        if variable.steps.len() > wanted
            && !matches!(
                variable.steps[wanted].kind,
                weir_lang::ir::StepKind::Index(_)
            )
        {
            let d = Diagnostic::error("Invalid `expect_failures` reference")
                .because("It names the whole block, not a part of it.")
                .help("Remove what follows the name.");
            report.push(d, &expr.span);
            continue;
        }
        found.push((report.text(expr), expr.span.clone()));
    }
    found
}

fn providers(
    fields: &mut Fields<'_>,
    report: &mut Report<'_>,
) -> Option<Vec<(String, String, Span)>> {
    let attribute = fields.attribute("providers")?;
    let ExprKind::Object(items) = &*attribute.expr.unparenthesised().kind else {
        let d = Diagnostic::error("`providers` must be an object")
            .help("Write `providers = { aws = aws.west }`.");
        report.push(d, &attribute.expr.span);
        return None;
    };
    let name = |e: &Expr, report: &Report<'_>| literal(e).unwrap_or_else(|| report.text(e));
    let pair = |item: &weir_lang::ir::Item| {
        (
            name(&item.key, report),
            name(&item.value, report),
            item.value.span.clone(),
        )
    };
    Some(items.iter().map(pair).collect())
}

pub(super) fn mock(block: &Block, report: &mut Report<'_>) -> Option<MockBlock> {
    let name = label(block, report)?;
    let mut fields = Fields::new(format!("Mock {name:?}"), &block.body);
    let mut mock = MockBlock {
        name: name.to_owned(),
        alias: fields.text("alias", report),
        defaults: BTreeMap::new(),
        overrides: Vec::new(),
        during: fields
            .word("override_during", &DURING, report)
            .unwrap_or_default(),
        span: block.span.clone(),
    };
    fields.text("source", report);
    contents(&mut mock, &mut fields, report);
    fields.finish(report);
    Some(mock)
}

/// What a file of mocks says. What the provider's own block says goes before.
pub(super) fn mock_contents(mock: &mut MockBlock, body: &Body, report: &mut Report<'_>) {
    let mut fields = Fields::new("A file of mocks", body);
    contents(mock, &mut fields, report);
    fields.finish(report);
}

fn contents(mock: &mut MockBlock, fields: &mut Fields<'_>, report: &mut Report<'_>) {
    for (ident, kind) in [
        ("mock_resource", MockedKind::Resource),
        ("mock_data", MockedKind::Data),
    ] {
        for block in fields.blocks(ident) {
            let Some(ty) = label(block, report) else {
                continue;
            };
            let mut fields = Fields::new(format!("`{ident}`"), &block.body);
            let defaults = fields.attribute("defaults").map(|a| a.expr.clone());
            fields.word("override_during", &DURING, report);
            fields.finish(report);
            mock.defaults
                .entry((kind, ty.to_owned()))
                .or_insert(defaults);
        }
    }
    for found in overrides(fields, report) {
        if !mock.overrides.iter().any(|o| o.target == found.target) {
            mock.overrides.push(found);
        }
    }
}

pub(super) fn override_block(block: &Block, report: &mut Report<'_>) -> Option<OverrideBlock> {
    let mut fields = Fields::new(format!("`{}`", block.ident), &block.body);
    let target = fields.required("target", &block.span, report);
    let module = &*block.ident == "override_module";
    let values = fields.attribute(if module { "outputs" } else { "values" });
    let during = fields.word("override_during", &DURING, report);
    fields.finish(report);
    let target = &target?.expr;
    let target = match module {
        true => OverrideTarget::Module(module_path(target, report)?),
        false => {
            let address = address(target, report)?;
            let data = matches!(address.object, Object::Data { .. });
            if data != (&*block.ident == "override_data") {
                let (is, wants) = match data {
                    true => ("a data source", "override_data"),
                    false => ("a managed resource", "override_resource"),
                };
                let d = Diagnostic::error(format!("Invalid target of {}", block.ident))
                    .because(format!("It is {is}."))
                    .help(format!("Use `{wants}`."));
                report.push(d, &target.span);
                return None;
            }
            OverrideTarget::Instance(address)
        }
    };
    Some(OverrideBlock {
        target,
        values: values.map(|a| a.expr.clone()),
        during,
        span: block.span.clone(),
    })
}

fn address(expr: &Expr, report: &mut Report<'_>) -> Option<Address> {
    match report.text(expr).parse() {
        Ok(address) => Some(address),
        Err(error) => {
            let d = Diagnostic::error("This does not name a resource")
                .because(format!("{error}."))
                .help("Write an address: `TYPE.NAME`, `data.TYPE.NAME`, `module.NAME.TYPE.NAME`.");
            report.push(d, &expr.span);
            None
        }
    }
}

fn module_path(expr: &Expr, report: &mut Report<'_>) -> Option<String> {
    let text = report.text(expr);
    let parts: Vec<&str> = text.split('.').collect();
    let is_path = parts.len() >= 2
        && parts
            .chunks(2)
            .all(|c| matches!(c, ["module", name] if weir_core::address::is_identifier(name)));
    if !is_path {
        let d = Diagnostic::error("This does not name a module")
            .help("Write `module.NAME`, without an index: all its instances are overridden.");
        report.push(d, &expr.span);
        return None;
    }
    Some(text)
}
