//! The text of a file of variables as an object.

use std::sync::Arc;
use weir_core::{
    Diagnostic, Value,
    function::{Outcome, Refusal},
};
use weir_lang::{
    Sources,
    eval::{Context, EvalError, Resolved, Scope, eval},
    ir::Reference,
    parse,
};

/// What the text is called in messages.
const SOURCE: &str = "<decode_tfvars argument>";

pub(super) fn tfvars(text: &str) -> Outcome {
    let text: Arc<str> = text.into();
    let (body, problems) = parse::parse_body(SOURCE.into(), &text);
    if let Some(d) = problems.0.first() {
        return Err(refused("invalid tfvars syntax", d));
    }
    if let Some(block) = body.blocks.first() {
        let message = format!(
            "invalid tfvars content: {}: unexpected {:?} block; blocks are not allowed here",
            block.span, block.ident
        );
        return Err(Refusal::argument(0, message));
    }
    let constants = Constants::new(text);
    let entry = |a: &weir_lang::ir::Attribute| match eval(&a.expr, &constants) {
        Ok(value) => Ok((a.name.clone(), value)),
        Err(EvalError::Diagnostic(d)) => {
            let what = format!("invalid expression for variable {:?}", a.name);
            Err(refused(&what, &d))
        }
        // Its scope has every value there is.
        Err(waiting @ EvalError::NotReady(_)) => Err(Refusal::call(waiting.to_string())),
    };
    let entries: Result<Vec<_>, _> = body.attributes.iter().map(entry).collect();
    Ok(Value::object(entries?))
}

fn refused(what: &str, d: &Diagnostic) -> Refusal {
    Refusal::argument(0, format!("{what}: {d}"))
}

/// Neither names nor functions.
struct Constants(Context);

impl Constants {
    fn new(text: Arc<str>) -> Constants {
        let mut sources = Sources::new();
        sources.add(SOURCE.into(), text);
        Constants(Context::of_constants(sources))
    }
}

impl Scope for Constants {
    fn resolve(&self, reference: &Reference) -> Result<Resolved, EvalError> {
        let d = Diagnostic::error("variables may not be used here").help("Write the value out.");
        Err(d.at(reference.span.clone()).into())
    }
    fn context(&self) -> &Context {
        &self.0
    }
}
