//! The root module as expressions see it, and their answers.

use super::format;
use crate::clock;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use uuid::Uuid;
use weir_core::{Address, Diagnostic, Diagnostics, Type, Value};
use weir_engine::Registry;
use weir_lang::{
    Config, Evaluator, Next, PlaceRequest, Placement, Sources,
    eval::Settled,
    ir::{Call, Expansion, Expr, ExprKind},
    parse,
};

/// What the source of an expression is called in errors.
const SOURCE: &str = "<console-input>";

const HELP: &str = "\
An expression is evaluated in the root module, with its variables and locals, and the resources
that state holds: `1 + 2`, `var.name`, `upper(local.zone)`, `fake_thing.web[0].id`.
`type(EXPRESSION)` shows a type. `exit` or Ctrl-D ends the session.";

/// What the instances are, or will be.
pub(super) type Values = BTreeMap<Address, Value>;

/// An evaluated configuration.
pub(super) struct Session {
    evaluator: Evaluator,
    config: Arc<Config>,
}

/// What is to be done with what was typed.
pub(super) enum Answer {
    /// This is to be shown.
    Text(String),
    /// It was empty.
    Nothing,
    /// The session is over.
    Exit,
}

impl Session {
    /// Evaluates the configuration with the values of instances. What was found wrong keeps nobody from
    /// asking: what depends on it is unknown.
    pub(super) fn start(
        config: &Arc<Config>,
        registry: Registry,
        values: &Values,
    ) -> (Session, Diagnostics) {
        let mut evaluator = Evaluator::new(config.clone(), Arc::new(registry))
            .settling(Arc::new(Settled::new(clock::now(), seed())));
        let mut found = Diagnostics::new();
        let mut yielded: BTreeSet<Address> = BTreeSet::new();
        loop {
            match evaluator.next() {
                Ok(Next::Provider(_)) => {}
                Ok(Next::Place(request)) => {
                    let places = places(&request, values);
                    evaluator.place(&request, places);
                }
                Ok(Next::Instance(instance)) => drop(yielded.insert(instance.address)),
                Ok(Next::Waiting) if yielded.is_empty() => break,
                Ok(Next::Waiting) => {
                    for address in std::mem::take(&mut yielded) {
                        let value = values.get(&address).cloned();
                        let value = value.unwrap_or_else(|| Value::unknown(Type::Dynamic));
                        evaluator.supply(&address, value);
                    }
                }
                Ok(Next::Done) => break,
                Err(errors) => {
                    found.extend(errors);
                    break;
                }
            }
        }
        found.extend(evaluator.take_diagnostics());
        // That a check does not hold says nothing of what is asked here; a plan says it.
        let of_a_check = |d: &Diagnostic| d.is_failed_condition() && !d.is_error();
        found.0.retain(|d| !of_a_check(d));
        let config = config.clone();
        (Session { evaluator, config }, found)
    }

    /// The answer to an expression or a word of the console.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub(super) fn answer(&mut self, text: &str) -> Result<Answer, Diagnostics> {
        match text.trim() {
            "" => return Ok(Answer::Nothing),
            "exit" => return Ok(Answer::Exit),
            "help" => return Ok(Answer::Text(HELP.to_owned())),
            _ => {}
        }
        let text: Arc<str> = text.into();
        // A session is long: files may be edited beside it.
        self.config.forget_files();
        self.evaluate(&text)
            .map(Answer::Text)
            .map_err(|found| pointed(found, &text))
    }

    fn evaluate(&mut self, text: &Arc<str>) -> Result<String, Diagnostics> {
        let expr = parse::parse_expr(SOURCE.into(), text).map_err(|d| Diagnostics::from(*d))?;
        match call_of_type(&expr) {
            Some(Call { args, .. }) => match args.as_slice() {
                // The type of a type, as `terraform console` names it.
                [of] if call_of_type(of).is_some_and(|c| c.args.len() == 1) => {
                    Ok("type".to_owned())
                }
                [of] => Ok(format::ty(&self.evaluator.value_of(of)?.ty())),
                _ => Err(Diagnostic::error(format!(
                    "`type` takes 1 argument, and got {}",
                    args.len()
                ))
                .help("Write `type(EXPRESSION)`.")
                .at(expr.span.clone())
                .into()),
            },
            None => Ok(format::value(&self.evaluator.value_of(&expr)?)),
        }
    }
}

/// `type(...)` by itself: it is no function of the language, as a type is no value.
fn call_of_type(expr: &Expr) -> Option<&Call> {
    match &*expr.kind {
        ExprKind::Paren(inner) => call_of_type(inner),
        ExprKind::Call(call) if &*call.name == "type" && call.expansion == Expansion::Plain => {
            Some(call)
        }
        _ => None,
    }
}

/// With the expression's text where the place is in it.
fn pointed(found: Diagnostics, text: &Arc<str>) -> Diagnostics {
    let mut sources = Sources::new();
    sources.add(SOURCE.into(), text.clone());
    let pointed = found.into_iter().map(|d| match &d.span {
        Some(span) if &*span.file == SOURCE => {
            let span = span.clone();
            sources.point(d, &span)
        }
        _ => d,
    });
    Diagnostics(pointed.collect())
}

/// The places that pods have; one that has none is left out.
fn places(request: &PlaceRequest, values: &Values) -> BTreeMap<Address, Placement> {
    let place = |address: &Address| {
        let pod = values.get(address)?;
        let ports = pod.get("ports").and_then(Value::as_entries);
        let port = |(name, n): (&Arc<str>, &Value)| {
            Some((name.to_string(), u16::try_from(n.as_i64()?).ok()?))
        };
        Some(Placement {
            host: pod.get("host")?.as_str()?.to_owned(),
            ports: ports.into_iter().flatten().filter_map(port).collect(),
        })
    };
    request
        .demands
        .iter()
        .filter_map(|d| Some((d.address.clone(), place(&d.address)?)))
        .collect()
}

/// Bytes nobody can guess.
fn seed() -> [u8; 32] {
    let (a, b) = (Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes());
    std::array::from_fn(|i| if i < 16 { a[i] } else { b[i - 16] })
}
