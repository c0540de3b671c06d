//! Expressions of a test file outside of asserts: values of variables, of providers, of mocks.

use std::{collections::BTreeMap, sync::Arc};
use weir_core::{Diagnostic, Diagnostics, Value};
use weir_lang::{
    Sources,
    eval::{Context, EvalError, Resolved, Scope, eval},
    functions::Registry,
    ir::{Attribute, Block, Body, Expr, Reference},
    suggestion,
};

/// What they can see: variables, and the outputs of earlier runs.
pub(crate) struct TestScope {
    context: Context,
    variables: BTreeMap<String, Value>,
    runs: BTreeMap<Arc<str>, Value>,
    /// The runs of the file that have no outputs yet.
    later: Vec<Arc<str>>,
}

impl TestScope {
    pub(crate) fn new(
        sources: &Sources,
        variables: BTreeMap<String, Value>,
        runs: BTreeMap<Arc<str>, Value>,
        later: Vec<Arc<str>>,
    ) -> TestScope {
        let mut context = Context::of_constants(sources.clone());
        context.functions = Arc::new(Registry::standard());
        TestScope {
            context,
            variables,
            runs,
            later,
        }
    }

    pub(crate) fn add(&mut self, name: &str, value: Value) {
        self.variables.insert(name.to_owned(), value);
    }

    pub(crate) fn variables(&self) -> &BTreeMap<String, Value> {
        &self.variables
    }

    pub(crate) fn value(&self, expr: &Expr) -> Result<Value, Diagnostics> {
        eval(expr, self).map_err(|error| match error {
            EvalError::Diagnostic(d) => Diagnostics::from(*d),
            waiting @ EvalError::NotReady(_) => Diagnostic::error(waiting.to_string()).into(),
        })
    }

    /// The block with a literal in the place of each expression.
    pub(crate) fn settled(&self, block: &Block) -> Result<Block, Diagnostics> {
        Ok(Block {
            body: self.body(&block.body)?,
            ..block.clone()
        })
    }

    fn body(&self, body: &Body) -> Result<Body, Diagnostics> {
        let attribute = |a: &Attribute| {
            let value = self.value(&a.expr)?;
            Ok::<_, Diagnostics>(Attribute {
                expr: Expr::literal(value, a.expr.span.clone()),
                ..a.clone()
            })
        };
        let attributes: Result<Vec<_>, _> = body.attributes.iter().map(attribute).collect();
        let blocks: Result<Vec<_>, _> = body.blocks.iter().map(|b| self.settled(b)).collect();
        Ok(Body {
            attributes: attributes?,
            blocks: blocks?,
            ..body.clone()
        })
    }

    /// The diagnostic at a place of the test files.
    pub(crate) fn pointed(&self, d: Diagnostic, span: &weir_core::Span) -> Diagnostic {
        self.context.sources.point(d, span)
    }

    fn refused(&self, d: Diagnostic, reference: &Reference) -> EvalError {
        self.context.sources.point(d, &reference.span).into()
    }
}

impl Scope for TestScope {
    fn resolve(&self, r: &Reference) -> Result<Resolved, EvalError> {
        let name = r.attr(0).unwrap_or_default();
        let found = match &*r.root {
            "run" => self.runs.get(name),
            "var" => self.variables.get(name),
            _ => {
                let d = Diagnostic::error("Invalid reference")
                    .because("You can only reference variables (`var.NAME`) and outputs of earlier runs (`run.NAME.OUTPUT`) here.").help("Use a variable of the file, or refer to the block in an `assert`.");
                return Err(self.refused(d, r));
            }
        };
        if let Some(value) = found {
            let value = value.clone();
            return Ok(Resolved { value, consumed: 1 });
        }
        let d = match &*r.root {
            "run" if self.later.iter().any(|l| **l == *name) => {
                Diagnostic::error("Reference to unavailable run block").because(format!(
                    "The run block {name:?} has not executed yet. You can only reference run blocks that are in the same test file and will execute before the current run block."
                ))
                .help("Move that run block before this one.")
            }
            "run" => {
                let mut d = Diagnostic::error("Reference to unknown run block").because(format!(
                    "The run block {name:?} does not exist within this test file. You can only reference run blocks that are in the same test file and will execute before the current run block."
                ));
                d.help = suggestion(name, self.runs.keys().map(|k| &**k))
                    .or_else(|| Some("Correct the name, or add a run block of that name before this one.".to_owned()));
                d
            }
            _ => {
                let mut d = Diagnostic::error("Reference to unavailable variable").because(format!(
                    "The input variable {name:?} is not available to the current context. Within the variables block of a run block you can only reference variables defined at a file or global level."
                ));
                d.help = suggestion(name, self.variables.keys().map(String::as_str))
                    .or_else(|| Some("Add it to the `variables` block of the file.".to_owned()));
                d
            }
        };
        Err(self.refused(d, r))
    }
    fn context(&self) -> &Context {
        &self.context
    }
}
