//! Function calls.

use super::{
    Env, EvalError, Evaluated,
    operators::sentence,
    report::{CONCEALED, concealed, listed, nearest},
};
use crate::{
    functions::{Function, FunctionError, Marking, Param, Unknowns},
    ir::{Call, Expansion, Expr, ExprKind},
};
use weir_core::{Diagnostic, Kind, Marks, Type, Value, convert::convert};

/// The evaluated arguments of a call, and which expression each came from.
pub(super) struct Arguments<'e> {
    pub(super) values: Vec<Value>,
    pub(super) exprs: Vec<&'e Expr>,
    /// Marks of the list that was spread.
    pub(super) marks: Marks,
}

/// A refusal that says nothing of the arguments.
fn conceal(error: FunctionError) -> FunctionError {
    match error {
        FunctionError::Eval(inner) => FunctionError::Eval(Box::new(concealed(*inner))),
        FunctionError::Call(_) => FunctionError::Call(CONCEALED.to_owned()),
        FunctionError::Argument(i, _) => FunctionError::Argument(i, CONCEALED.to_owned()),
    }
}

impl Env<'_> {
    pub(super) fn call(&self, call: &Call, expr: &Expr) -> Evaluated {
        let name = call.name.strip_prefix("core::").unwrap_or(&call.name);
        match name {
            "try" => return self.attempt(call, expr),
            "can" => return self.can(call, expr),
            _ if name.contains("::") => return self.provider_call(call, expr),
            _ => {}
        }
        if name == "templatestring" {
            self.check_template(call)?;
        }
        let context = self.scope.context();
        let Some(function) = context.functions.get(name) else {
            return Err(self.unknown_function(call, name));
        };
        let Some(arguments) = self.arguments(call)? else {
            return Ok(Value::unknown(Type::Dynamic));
        };
        let Arguments {
            values,
            exprs,
            mut marks,
        } = arguments;
        self.check_count(function, values.len(), call, expr)?;
        let mut converted = Vec::with_capacity(values.len());
        for (i, value) in values.into_iter().enumerate() {
            let Some(param) = function.param(i) else {
                continue;
            };
            let at = exprs.get(i).copied().unwrap_or(expr);
            converted.push(self.argument(function, param, value, at)?);
        }
        if function.marking() != Marking::Handled {
            for value in &mut converted {
                let taken = std::mem::replace(value, Value::null());
                let (bare, m) = match function.marking() {
                    Marking::Deep => taken.unmark_deep(),
                    _ => taken.unmark(),
                };
                marks = marks.union(m);
                *value = bare;
            }
        }
        let untyped = |(i, value): (usize, &Value)| {
            function.param(i).is_some_and(Param::needs_type)
                && matches!(value.kind(), Kind::Unknown(Type::Dynamic, _))
        };
        if converted.iter().enumerate().any(untyped) {
            let marks = converted.iter().fold(marks, |m, v| m.union(v.marks_deep()));
            return Ok(Value::unknown(Type::Dynamic).mark(marks));
        }
        let secret = converted.iter().fold(marks, |m, v| m.union(v.marks_deep()));
        let unknown = match function.unknowns() {
            Unknowns::Deep => converted.iter().any(|v| !v.is_wholly_known()),
            Unknowns::Shallow => converted.iter().any(Value::is_unknown),
            Unknowns::Handled => false,
        };
        let result = match unknown {
            true => function.unknown_result(&converted),
            false => function.call(&converted, context),
        };
        match result {
            // Where the function is not called, marks in its arguments are its result's.
            Ok(value) if unknown => Ok(value.mark(secret)),
            Ok(value) => Ok(value.mark(marks)),
            Err(error) => {
                let error = match secret.contains(Marks::SENSITIVE) {
                    true => conceal(error),
                    false => error,
                };
                Err(self.refused(function, error, &exprs, expr))
            }
        }
    }

    /// A template that is written in the call could as well be a template of the language: it is
    /// almost surely a mistake.
    fn check_template(&self, call: &Call) -> Evaluated<()> {
        let stored = |expr: &Expr| match &*expr.unparenthesised().kind {
            ExprKind::Variable(_) => true,
            ExprKind::Access { source, .. } => {
                matches!(&*source.unparenthesised().kind, ExprKind::Variable(_))
            }
            _ => false,
        };
        match call.args.first() {
            Some(template) if !stored(template) => {
                let error = Diagnostic::error("argument `template` of `templatestring` is wrong")
                    .because("It must be the name of a value that holds the template.")
                    .help("Give the template a name in `locals`, and write that name here.");
                Err(self.fail(error, &template.span, template))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn arguments<'e>(&self, call: &'e Call) -> Evaluated<Option<Arguments<'e>>> {
        let mut out = Arguments {
            values: Vec::new(),
            exprs: Vec::new(),
            marks: Marks::NONE,
        };
        let spread = match call.expansion {
            Expansion::Spread => call.args.len().checked_sub(1),
            Expansion::Plain => None,
        };
        for (i, arg) in call.args.iter().enumerate() {
            let value = self.eval(arg)?;
            if Some(i) != spread {
                out.values.push(value);
                out.exprs.push(arg);
                continue;
            }
            if value.is_unknown() {
                return Ok(None);
            }
            let Some(items) = value.elements() else {
                let error = Diagnostic::error("only a list, set or tuple can be spread with `...`")
                    .because(match value.is_null() {
                        true => "It is null.".to_owned(),
                        false => format!("It is {}.", value.ty().friendly()),
                    })
                    .help("Remove the dots, or put it into a list: `[...]...`.");
                return Err(self.fail(error, &arg.span, arg));
            };
            out.marks = out.marks.union(value.marks());
            for item in items {
                out.values.push(item.clone());
                out.exprs.push(arg);
            }
        }
        Ok(Some(out))
    }

    /// An argument as its parameter needs it.
    fn argument(&self, function: &Function, param: &Param, value: Value, at: &Expr) -> Evaluated {
        let name = function.name();
        if value.is_null() && !param.takes_null() {
            let error = Diagnostic::error(format!("argument `{}` of `{name}` is null", param.name))
                .because("It must have a value.")
                .help("Give it a default, for instance with `coalesce`.");
            return Err(self.fail(error, &at.span, at));
        }
        convert(&value, &param.ty).map_err(|e| {
            let error =
                Diagnostic::error(format!("argument `{}` of `{name}` is wrong", param.name))
                    .because(sentence(&e.to_string()))
                    .help(called_as(function));
            self.fail(error, &at.span, at)
        })
    }

    fn check_count(
        &self,
        function: &Function,
        have: usize,
        call: &Call,
        expr: &Expr,
    ) -> Evaluated<()> {
        let (least, most) = function.arity();
        let wanted = match most {
            _ if have < least => format!(
                "{}{least} argument{}",
                if most == Some(least) { "" } else { "at least " },
                if least == 1 { "" } else { "s" }
            ),
            Some(most) if have > most => format!(
                "{}{most} argument{}",
                if most == least { "" } else { "at most " },
                if most == 1 { "" } else { "s" }
            ),
            _ => return Ok(()),
        };
        let error = Diagnostic::error(format!(
            "`{}` takes {wanted}, and got {have}",
            function.name()
        ))
        .help(called_as(function));
        Err(self.fail(error, &call.name_span, expr))
    }

    fn refused(
        &self,
        function: &Function,
        error: FunctionError,
        exprs: &[&Expr],
        expr: &Expr,
    ) -> EvalError {
        let name = function.name();
        let (message, at, summary) = match error {
            FunctionError::Eval(inner) => return *inner,
            FunctionError::Call(message) => (message, expr, format!("the call of `{name}` failed")),
            FunctionError::Argument(i, message) => {
                let param = function.param(i).map_or("", |p| p.name);
                let at = exprs.get(i).copied().unwrap_or(expr);
                (
                    message,
                    at,
                    format!("argument `{param}` of `{name}` is wrong"),
                )
            }
        };
        self.fail(
            Diagnostic::error(summary)
                .because(sentence(&message))
                .help(called_as(function)),
            &at.span,
            expr,
        )
    }

    fn unknown_function(&self, call: &Call, name: &str) -> EvalError {
        let error = Diagnostic::error(format!("there is no function `{name}`"));
        let names = || {
            ["try", "can"]
                .into_iter()
                .chain(self.scope.context().functions.names())
        };
        let error = match nearest(name, names()) {
            Some(near) => error.help(format!("Did you mean `{near}`?")),
            None => error.help("The functions are those of Terraform 1.11."),
        };
        EvalError::Diagnostic(Box::new(
            self.scope.context().sources.point(error, &call.name_span),
        ))
    }

    /// `try(a, b, ...)`: the first that has no error.
    fn attempt(&self, call: &Call, expr: &Expr) -> Evaluated {
        let mut failures = Vec::new();
        for arg in &call.args {
            match self.eval(arg) {
                Ok(value) if value.is_wholly_known() => return Ok(value),
                // It might still turn out wrong, so not even its type is certain.
                Ok(value) => {
                    let marks = value.marks_deep();
                    return Ok(Value::unknown(Type::Dynamic).mark(marks));
                }
                Err(EvalError::Diagnostic(d)) => {
                    let detail = if d.detail.is_empty() {
                        String::new()
                    } else {
                        format!(": {}", d.detail)
                    };
                    failures.push(format!("{}{detail}", d.summary));
                }
                Err(e @ EvalError::NotReady(_)) => return Err(e),
            }
        }
        if failures.is_empty() {
            let error = Diagnostic::error("`try` takes at least one argument, and got none")
                .help("Write `try(EXPRESSION, DEFAULT)`.");
            return Err(self.fail(error, &call.name_span, expr));
        }
        let error = Diagnostic::error("none of the expressions in `try` worked")
            .because(listed(failures.iter().map(String::as_str)))
            .help("Add a last argument that can't fail.");
        Err(self.fail(error, &call.name_span, expr))
    }

    /// `can(x)`: whether it has no error.
    fn can(&self, call: &Call, expr: &Expr) -> Evaluated {
        let [arg] = call.args.as_slice() else {
            let have = call.args.len();
            let error = Diagnostic::error(format!("`can` takes 1 argument, and got {have}"))
                .help("Write `can(EXPRESSION)`.");
            return Err(self.fail(error, &call.name_span, expr));
        };
        match self.eval(arg) {
            Ok(value) if value.is_wholly_known() => Ok(Value::bool(true)),
            Ok(_) => Ok(Value::unknown(Type::Bool)),
            Err(EvalError::Diagnostic(_)) => Ok(Value::bool(false)),
            Err(e @ EvalError::NotReady(_)) => Err(e),
        }
    }
}

/// A help line: the call's form, with the names of the arguments.
fn called_as(function: &Function) -> String {
    format!("It is called as `{}`.", function.signature())
}
