//! What a run puts on the stage: mocks and overrides with their values, providers of the test file,
//! modules that are not evaluated.

use crate::{
    RunBlock, TestFile,
    mock::{MARKER, Mock, Override, Stage},
    scope::TestScope,
    syntax::{MockBlock, OverrideBlock, OverrideTarget},
};
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{Diagnostic, Diagnostics, Value};
use weir_lang::{
    Additions, Sources, Undeclared,
    ir::{Attribute, Block, Body, Expr},
};

/// The stage of a run, and what it adds to the configuration.
pub(crate) fn build(
    file: &TestFile,
    run: &RunBlock,
    scope: &TestScope,
    sources: &Sources,
) -> Result<(Stage, Additions), Diagnostics> {
    let mut stage = Stage::default();
    let mut additions = Additions {
        sources: sources.clone(),
        undeclared: Undeclared::Ignored,
        ..Additions::default()
    };
    let constants = TestScope::new(sources, BTreeMap::new(), BTreeMap::new(), Vec::new());
    // The run's come before the file's, and these before those of mocks.
    for block in run.overrides.iter().chain(&file.overrides) {
        let values = values(block, &constants)?;
        match &block.target {
            OverrideTarget::Module(path) => {
                let outputs = values.as_ref().and_then(Value::as_entries).cloned();
                let stubs = additions.stubs.entry(path.clone());
                stubs.or_insert(outputs.unwrap_or_default());
            }
            OverrideTarget::Instance(target) => stage.overrides.push(Override {
                target: target.clone(),
                values,
                during: block.during,
            }),
        }
    }
    let mut blocks = Vec::new();
    for mock in &file.mocks {
        let name = key(&mock.name, mock.alias.as_deref());
        blocks.push((name.clone(), marked(mock, &name)));
        stage.mocks.insert(name, evaluated(mock, &constants)?);
    }
    for block in &file.providers {
        let alias = block.body.attribute("alias");
        let alias = alias.and_then(|a| scope.value(&a.expr).ok());
        let name = key(
            block.label(0).unwrap_or_default(),
            alias.as_ref().and_then(Value::as_str),
        );
        if let Some((_, mock)) = blocks.iter().find(|(n, _)| *n == name) {
            let d = Diagnostic::error("Duplicate provider block")
                .because(format!(
                    "The provider {name} is given at {} already.",
                    mock.span
                ))
                .help("Remove one of them, or give it an `alias`.");
            return Err(sources.point(d, &block.span).into());
        }
        blocks.push((name, scope.settled(block)?));
    }
    additions.providers = match &run.providers {
        None => blocks.into_iter().map(|(_, block)| block).collect(),
        Some(chosen) => chosen_of(chosen, &blocks, sources)?,
    };
    Ok((stage, additions))
}

fn key(name: &str, alias: Option<&str>) -> String {
    match alias {
        None => name.to_owned(),
        Some(alias) => format!("{name}.{alias}"),
    }
}

/// The provider blocks that `providers` of a run names, under the names it gives them.
fn chosen_of(
    chosen: &[(String, String, weir_core::Span)],
    blocks: &[(String, Block)],
    sources: &Sources,
) -> Result<Vec<Block>, Diagnostics> {
    let mut out = Vec::new();
    for (inside, outside, span) in chosen {
        let Some((_, block)) = blocks.iter().find(|(name, _)| name == outside) else {
            let d = Diagnostic::error(format!("There is no provider {outside} in the test file"))
                .help(format!(
                    "Add a `provider` or `mock_provider` block for {outside}."
                ));
            return Err(sources.point(d, span).into());
        };
        let mut block = block.clone();
        block.body.attributes.retain(|a| &*a.name != "alias");
        let (name, alias) = match inside.split_once('.') {
            Some((name, alias)) => (name, Some(alias)),
            None => (inside.as_str(), None),
        };
        if let Some((label, _)) = block.labels.first_mut() {
            *label = name.into();
        }
        if let Some(alias) = alias {
            block.body.attributes.push(attribute("alias", alias, span));
        }
        out.push(block);
    }
    Ok(out)
}

/// The block of a mocked provider: nothing but what says which mock it is.
fn marked(mock: &MockBlock, name: &str) -> Block {
    let mut attributes = vec![attribute(MARKER, name, &mock.span)];
    if let Some(alias) = &mock.alias {
        attributes.push(attribute("alias", alias, &mock.span));
    }
    Block {
        ident: "provider".into(),
        labels: vec![(mock.name.as_str().into(), mock.span.clone())],
        body: Body {
            attributes,
            blocks: Vec::new(),
            span: mock.span.clone(),
        },
        span: mock.span.clone(),
    }
}

fn attribute(name: &str, value: &str, span: &weir_core::Span) -> Attribute {
    Attribute {
        name: name.into(),
        name_span: span.clone(),
        expr: Expr::literal(Value::string(value), span.clone()),
        json: None,
    }
}

fn evaluated(block: &MockBlock, scope: &TestScope) -> Result<Mock, Diagnostics> {
    let mut mock = Mock {
        during: block.during,
        ..Mock::default()
    };
    for (what, defaults) in &block.defaults {
        let value = match defaults {
            Some(expr) => Some(object(expr, scope)?),
            None => None,
        };
        mock.defaults.insert(what.clone(), value);
    }
    for found in &block.overrides {
        if let OverrideTarget::Instance(target) = &found.target {
            mock.overrides.push(Override {
                target: target.clone(),
                values: values(found, scope)?,
                during: found.during,
            });
        }
    }
    Ok(mock)
}

fn values(block: &OverrideBlock, scope: &TestScope) -> Result<Option<Value>, Diagnostics> {
    block.values.as_ref().map(|e| object(e, scope)).transpose()
}

fn object(expr: &Expr, scope: &TestScope) -> Result<Value, Diagnostics> {
    let value = scope.value(expr)?;
    if value.as_entries().is_none() {
        let d = Diagnostic::error("Overridden values must be an object")
            .because(format!("This is {}.", value.ty().friendly()))
            .help("Write `{ attribute = value }`.");
        return Err(scope.pointed(d, &expr.span).into());
    }
    Ok(value)
}

/// The outputs of a run as one value.
pub(crate) fn outputs_of(outputs: BTreeMap<String, weir_lang::Output>) -> Value {
    Value::object(outputs.into_iter().map(|(name, output)| {
        let marks = match output.sensitive {
            true => weir_core::Marks::SENSITIVE,
            false => weir_core::Marks::NONE,
        };
        (Arc::<str>::from(name), output.value.mark(marks))
    }))
}
