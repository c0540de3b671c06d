//! Steps into values: attributes, indexes, splats.

use super::{
    Env, Evaluated,
    report::{listed, nearest},
};
use crate::ir::{Expr, RefStep, Step, StepKind};
use weir_core::{Diagnostic, Kind, Type, Value, convert::convert, value::Refinements};

impl Env<'_> {
    /// Takes the steps. `known` holds steps that are evaluated already, from the first on; `expr`
    /// is the whole, for messages.
    pub(super) fn walk(
        &self,
        mut value: Value,
        steps: &[Step],
        known: &[RefStep],
        expr: &Expr,
    ) -> Evaluated {
        for (i, step) in steps.iter().enumerate() {
            value = match &step.kind {
                StepKind::Attr(name) => {
                    attribute(&value, name).map_err(|d| self.fail(d, &step.span, expr))?
                }
                StepKind::Index(index) => {
                    let key = match known.get(i) {
                        Some(RefStep::Index(key)) => key.clone(),
                        _ => self.eval(index)?,
                    };
                    index_into(&value, &key).map_err(|d| self.fail(d, &step.span, expr))?
                }
                StepKind::Splat => {
                    let rest = steps.get(i + 1..).unwrap_or_default();
                    return self.splat(value, rest, step, expr);
                }
            };
        }
        Ok(value)
    }

    /// The steps taken in each element. What is not a collection is a collection of one, or of none
    /// where it is null.
    fn splat(&self, source: Value, each: &[Step], operator: &Step, expr: &Expr) -> Evaluated {
        let (source, marks) = source.unmark();
        let ty = source.ty();
        let sequence = matches!(ty, Type::List(_) | Type::Set(_) | Type::Tuple(_));
        if source.is_null() {
            if sequence {
                let error = Diagnostic::error("a splat needs a value, and this is null")
                    .help("Use `coalesce(x, [])` where it may be null.");
                return Err(self.fail(error, &operator.span, expr));
            }
            return Ok(Value::tuple(Vec::new()).mark(marks));
        }
        let result = match (source.kind(), &ty) {
            (Kind::Unknown(..), Type::List(element) | Type::Set(element)) => {
                let one = self.walk(Value::unknown((**element).clone()), each, &[], expr)?;
                let known = Refinements {
                    not_null: true,
                    ..Refinements::of(&source)
                };
                Value::unknown_refined(Type::list(one.ty()), known)
            }
            (Kind::Unknown(..), Type::Tuple(elements)) => {
                let items = elements
                    .iter()
                    .map(|t| self.walk(Value::unknown(t.clone()), each, &[], expr))
                    .collect::<Result<_, _>>()?;
                Value::unknown_not_null(Value::tuple(items).ty())
            }
            (Kind::Unknown(..), _) if source.is_surely_not_null() => {
                Value::tuple(self.each(vec![&source.clone().mark(marks)], each, expr)?)
            }
            (Kind::Unknown(..), _) => Value::unknown(Type::Dynamic),
            (Kind::List(element, _) | Kind::Set(element, _), _) => {
                let items = source.elements().unwrap_or_default();
                if items.is_empty() {
                    let one = self.walk(Value::unknown(element.clone()), each, &[], expr)?;
                    Value::list(one.ty(), Vec::new())
                } else {
                    let items = self.each(items, each, expr)?;
                    same_type(items)
                }
            }
            (Kind::Tuple(_), _) => {
                Value::tuple(self.each(source.elements().unwrap_or_default(), each, expr)?)
            }
            _ => Value::tuple(self.each(vec![&source.clone().mark(marks)], each, expr)?),
        };
        Ok(result.mark(marks))
    }

    fn each(&self, items: Vec<&Value>, steps: &[Step], expr: &Expr) -> Evaluated<Vec<Value>> {
        items
            .into_iter()
            .map(|v| self.walk(v.clone(), steps, &[], expr))
            .collect()
    }
}

/// A list where all have one type, else a tuple.
fn same_type(items: Vec<Value>) -> Value {
    let Some(first) = items.first().map(Value::ty) else {
        return Value::tuple(items);
    };
    if items.iter().all(|v| v.ty() == first) {
        Value::list(first, items)
    } else {
        Value::tuple(items)
    }
}

/// `value.name`
fn attribute(value: &Value, name: &str) -> Result<Value, Diagnostic> {
    let marks = value.marks();
    let found = match value.kind() {
        Kind::Object(fields) => fields.get(name).cloned(),
        Kind::Map(_, entries) => entries.get(name).cloned(),
        Kind::Unknown(Type::Dynamic, _) => Some(Value::unknown(Type::Dynamic)),
        Kind::Unknown(Type::Map(element), _) => Some(Value::unknown((**element).clone())),
        Kind::Unknown(Type::Object(fields), _) => {
            fields.get(name).map(|f| Value::unknown(f.ty.clone()))
        }
        Kind::Null(_) => {
            return Err(
                Diagnostic::error(format!("a null value has no attribute `{name}`")).help(
                    "Test it first, `x == null ? ... : x.name`, or use `try(x.name, default)`.",
                ),
            );
        }
        _ => None,
    };
    found
        .map(|v| v.mark(marks))
        .ok_or_else(|| no_attribute(value, name))
}

fn no_attribute(value: &Value, name: &str) -> Diagnostic {
    let ty = value.ty();
    match &ty {
        Type::Object(fields) => {
            let error = Diagnostic::error(format!("this object has no attribute `{name}`"));
            let names = || fields.keys().map(|k| &**k);
            let error = if value.is_sensitive() {
                error
            } else if fields.is_empty() {
                error.because("It has no attributes at all.")
            } else {
                error.because(format!("It has {}.", listed(names())))
            };
            match nearest(name, names()) {
                Some(near) if !value.is_sensitive() => {
                    error.help(format!("Did you mean `{near}`?"))
                }
                _ => error.help("Use one of its attributes, or `try(x.NAME, default)` where one may be missing."),
            }
        }
        Type::Map(_) => missing_key(value, name),
        Type::List(element) | Type::Set(element) if !element.is_primitive() => {
            Diagnostic::error(format!("a {} has no attribute `{name}`", ty.friendly())).help(
                format!("Pick one element, `x[0].{name}`, or take it of each with `x[*].{name}`."),
            )
        }
        _ => Diagnostic::error(format!("a {} has no attribute `{name}`", ty.friendly())).help(
            format!("Remove `.{name}`: only objects and maps have attributes."),
        ),
    }
}

fn missing_key(value: &Value, key: &str) -> Diagnostic {
    let names: Vec<&str> = value
        .as_entries()
        .map(|m| m.keys().map(|k| &**k).collect())
        .unwrap_or_default();
    let error = Diagnostic::error(format!("this map has no element {key:?}"));
    if value.is_sensitive() {
        return error.help("Use `lookup(x, KEY, DEFAULT)` where there may be none.");
    }
    let error = if names.is_empty() {
        error.because("It is empty.")
    } else {
        error.because(format!("It has {}.", listed(names.iter().copied())))
    };
    match nearest(key, names) {
        Some(near) => error.help(format!("Did you mean {near:?}?")),
        None => error.help("Use `lookup(map, key, default)` where a key may be missing."),
    }
}

/// `value[key]`
pub(crate) fn index_into(value: &Value, key: &Value) -> Result<Value, Diagnostic> {
    let marks = value.marks().union(key.marks());
    if value.is_null() {
        return Err(Diagnostic::error("a null value has no elements")
            .help("Test it first, `x == null ? ... : x[0]`, or use `try(x[0], default)`."));
    }
    if key.is_null() {
        return Err(Diagnostic::error("an index is null")
            .because("An element is picked by a number or a string.")
            .help("Give it a value, or test it first: `i == null ? ... : x[i]`."));
    }
    let ty = value.ty();
    let found = match &ty {
        // An index of any type may be of any element.
        _ if matches!(key.kind(), Kind::Unknown(Type::Dynamic, _)) => {
            Some(Value::unknown(Type::Dynamic))
        }
        Type::Dynamic => Some(Value::unknown(Type::Dynamic)),
        Type::List(_) | Type::Tuple(_) => Some(element(value, &ty, key)?),
        Type::Map(_) | Type::Object(_) => Some(entry(value, &ty, key)?),
        _ => None,
    };
    match found {
        Some(found) => Ok(found.mark(marks)),
        None => Err(match ty {
            Type::Set(_) => Diagnostic::error("a set has no indexes")
                .because("Its elements have no order and no keys.")
                .help("Use a `for` expression, or `tolist(set)[0]` where any order will do."),
            ty => Diagnostic::error(format!("a {} has no elements", ty.friendly()))
                .because("Only lists, tuples, maps and objects can be indexed.")
                .help("Remove the index."),
        }),
    }
}

fn element(value: &Value, ty: &Type, key: &Value) -> Result<Value, Diagnostic> {
    let wrong = |why: String| {
        Diagnostic::error(format!("this index is not one of a {}", ty.friendly()))
            .because(why)
            .help("Count from 0: `x[0]` is the first element.")
    };
    let key = convert(key, &Type::Number).map_err(|_| {
        wrong(format!(
            "A number is required, but it is {}.",
            article(&key.ty())
        ))
    })?;
    if key.is_unknown() || value.is_unknown() {
        return Ok(Value::unknown(
            match (ty, key.as_i64().and_then(|i| usize::try_from(i).ok())) {
                (Type::List(element), _) => (**element).clone(),
                (Type::Tuple(items), Some(i)) => match items.get(i) {
                    Some(t) => t.clone(),
                    None => return Err(out_of_range(items.len(), &key)),
                },
                _ => Type::Dynamic,
            },
        ));
    }
    let items = match value.kind() {
        Kind::List(_, items) | Kind::Tuple(items) => items,
        _ => return Err(wrong("It is not a sequence.".into())),
    };
    if key.as_number().is_some_and(|n| !n.is_integer()) {
        return Err(wrong("It must be a whole number.".into()));
    }
    key.as_i64()
        .and_then(|i| usize::try_from(i).ok())
        .and_then(|i| items.get(i).cloned())
        .ok_or_else(|| out_of_range(items.len(), &key))
}

fn out_of_range(len: usize, key: &Value) -> Diagnostic {
    let negative = key.as_number().is_some_and(weir_core::Number::is_negative);
    let error = Diagnostic::error(match key.is_sensitive() {
        true => "there is no element at this index".to_owned(),
        false => format!("there is no element {key}"),
    });
    match len {
        0 => error.because("The sequence is empty."),
        1 => error.because("The sequence has one element, of index 0."),
        n => error.because(format!(
            "The sequence has {n} elements, of index 0 to {}.",
            n - 1
        )),
    }
    .help(if negative {
        "To count from the end, use `element(list, -1)`."
    } else {
        "Use `try(list[i], default)` where an element may be missing."
    })
}

fn entry(value: &Value, ty: &Type, key: &Value) -> Result<Value, Diagnostic> {
    let key = convert(key, &Type::String).map_err(|_| {
        Diagnostic::error(format!("this index is not one of a {}", ty.friendly()))
            .because(format!(
                "A string is required, but it is {}.",
                article(&key.ty())
            ))
            .help("Use a key: `x[\"NAME\"]`.")
    })?;
    let Some(name) = key.as_str() else {
        return Ok(Value::unknown(match ty {
            Type::Map(element) => (**element).clone(),
            _ => Type::Dynamic,
        }));
    };
    let missing = || match key.is_sensitive() {
        true => Diagnostic::error(format!("this {} has no such element", ty.friendly()))
            .because("The key is sensitive and is not shown.")
            .help("Use `lookup(x, KEY, DEFAULT)` where there may be none."),
        false => no_attribute(value, name),
    };
    match value.kind() {
        Kind::Unknown(Type::Map(element), _) => Ok(Value::unknown((**element).clone())),
        Kind::Unknown(..) => Ok(Value::unknown(Type::Dynamic)),
        _ => value.get(name).cloned().ok_or_else(missing),
    }
}

/// A type with its article.
fn article(ty: &Type) -> String {
    let name = ty.friendly();
    if name.starts_with(['a', 'o']) {
        format!("an {name}")
    } else {
        format!("a {name}")
    }
}
