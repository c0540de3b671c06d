//! Calls of functions that providers offer: `provider::NAME::FUNCTION(...)`.

use super::{Env, EvalError, Evaluated, call::Arguments, operators::sentence, report::CONCEALED};
use crate::{
    evaluator::Schemas,
    functions::Provided,
    hints,
    ir::{Call, Expr},
};
use weir_core::{
    Diagnostic, Marks, Type, Value,
    convert::convert,
    function::{Nulls, Refusal, Signature, Unknowns},
};

/// A function that was found.
struct Found<'a> {
    schemas: &'a dyn Schemas,
    provider: &'a str,
    function: &'a str,
    signature: &'a Signature,
}

impl Env<'_> {
    pub(super) fn provider_call(&self, call: &Call, expr: &Expr) -> Evaluated {
        let provided = &self.scope.context().functions.provided;
        let found = find(provided, &call.name).map_err(|d| self.fail(d, &call.name_span, expr))?;
        let Some(arguments) = self.arguments(call)? else {
            return Ok(Value::unknown(found.signature.returns.clone()));
        };
        let Arguments {
            values,
            exprs,
            mut marks,
        } = arguments;
        check_count(found.signature, values.len(), &call.name)
            .map_err(|d| self.fail(d, &call.name_span, expr))?;
        let mut args = Vec::with_capacity(values.len());
        let mut absorbed = false;
        for (i, value) in values.into_iter().enumerate() {
            let Some(parameter) = found.signature.parameter(i) else {
                continue;
            };
            let at = exprs.get(i).copied().unwrap_or(expr);
            let refuse = |why: String| {
                let summary = format!("argument `{}` of `{}` is wrong", parameter.name, call.name);
                let d = Diagnostic::error(summary)
                    .because(sentence(&why))
                    .help(format!(
                        "It is called as `{}`.",
                        found.signature.call_form(&call.name)
                    ));
                self.fail(d, &at.span, at)
            };
            let (value, own) = value.unmark_deep();
            marks = marks.union(own);
            if value.is_null() && parameter.nulls == Nulls::Refused {
                return Err(refuse("it is null, and must have a value".to_owned()));
            }
            let secret = own.contains(Marks::SENSITIVE);
            let value = convert(&value, &parameter.ty).map_err(|e| {
                refuse(if secret {
                    CONCEALED.to_owned()
                } else {
                    e.to_string()
                })
            })?;
            absorbed |= parameter.unknowns == Unknowns::Absorbed && !value.is_wholly_known();
            args.push(value);
        }
        if absorbed {
            return Ok(Value::unknown(found.signature.returns.clone()).mark(marks));
        }
        let outcome = found
            .schemas
            .call_function(found.provider, found.function, &args)
            .and_then(|value| conforming(value, &found.signature.returns));
        outcome
            .map(|value| value.mark(marks))
            .map_err(|refusal| self.refusal(&found, refusal, marks, (call, &exprs, expr)))
    }

    fn refusal(
        &self,
        found: &Found<'_>,
        refusal: Refusal,
        marks: Marks,
        (call, exprs, expr): (&Call, &[&Expr], &Expr),
    ) -> EvalError {
        let name = &call.name;
        let parameter = refusal.argument.and_then(|i| found.signature.parameter(i));
        let summary = match parameter {
            Some(parameter) => format!("argument `{}` of `{name}` is wrong", parameter.name),
            None => format!("the call of `{name}` failed"),
        };
        let at = refusal.argument.and_then(|i| exprs.get(i).copied());
        let message = match marks.contains(Marks::SENSITIVE) {
            true => CONCEALED,
            false => &refusal.message,
        };
        let d = Diagnostic::error(summary)
            .because(sentence(message))
            .help(format!(
                "It is called as `{}`.",
                found.signature.call_form(name)
            ));
        self.fail(d, &at.unwrap_or(expr).span, expr)
    }
}

/// A provider is held to its signature.
fn conforming(value: Value, returns: &Type) -> Result<Value, Refusal> {
    convert(&value, returns).map_err(|e| {
        Refusal::call(format!(
            "the provider gave something else than it says: {e}"
        ))
    })
}

/// The function a call names.
fn find<'a>(provided: &'a Provided, name: &'a str) -> Result<Found<'a>, Diagnostic> {
    let form = "Functions of providers are called as `provider::NAME::FUNCTION(...)`.";
    let (space, rest) = name.split_once("::").unwrap_or((name, ""));
    if space != "provider" {
        return Err(
            Diagnostic::error(format!("there is no namespace `{space}` of functions"))
                .because(form.to_owned())
                .help(format!(
                    "Write `provider::{name}(...)`; a function of the language has no `::`."
                )),
        );
    }
    let named = rest.split_once("::").filter(|(_, f)| !f.contains("::"));
    let Some((local, function)) = named else {
        return Err(
            Diagnostic::error(format!("`{name}` does not name a function"))
                .because(form.to_owned())
                .help("Write the provider's name and the function's, and no more."),
        );
    };
    let Some(schemas) = provided.schemas() else {
        return Err(Diagnostic::error(format!("`{name}` can't be called here"))
            .because("Functions of providers are at hand only where blocks are evaluated.")
            .help("Use a local value."));
    };
    let Some(provider) = provided.own_name(local) else {
        let mut d = Diagnostic::error(format!("there is no provider `{local}` in this module"));
        d.help = hints::closest(local, provided.local_names())
            .map(|near| format!("Did you mean `provider::{near}::{function}`?"))
            .or_else(|| {
                Some(format!(
                    "Declare it: `terraform {{ required_providers {{ {local} = {{ source = ... }} }} }}`."
                ))
            });
        return Err(d);
    };
    match schemas.function(provider, function) {
        Some(signature) => Ok(Found {
            schemas,
            provider,
            function,
            signature,
        }),
        None => {
            let mut d =
                Diagnostic::error(format!("provider `{local}` has no function `{function}`"));
            d.help = hints::suggest(function, schemas.functions(provider), |f| {
                format!("provider::{local}::{f}")
            })
            .or_else(|| Some("It offers no functions.".to_owned()));
            Err(d)
        }
    }
}

fn check_count(signature: &Signature, have: usize, name: &str) -> Result<(), Diagnostic> {
    let wanted = signature.parameters.len();
    let open = signature.variadic.is_some();
    if have == wanted || (open && have > wanted) {
        return Ok(());
    }
    let least = if open { "at least " } else { "" };
    let s = if wanted == 1 { "" } else { "s" };
    Err(Diagnostic::error(format!(
        "`{name}` takes {least}{wanted} argument{s}, and got {have}"
    ))
    .help(format!("It is called as `{}`.", signature.call_form(name))))
}
