//! `for` expressions and objects.

use super::{Env, Evaluated, operators::sentence, report::concealed};
use crate::ir::{Expr, For, ForResult, Grouping, Item};
use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};
use weir_core::{Diagnostic, Kind, Marks, Type, Value, convert::convert};

impl Env<'_> {
    pub(super) fn object(&self, items: &[Item]) -> Evaluated {
        let mut fields: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        let mut marks = Marks::NONE;
        let mut unknown_key = false;
        for item in items {
            if item.has_ambiguous_key() {
                let error = Diagnostic::error("the key of an object is ambiguous").help(
                    "Wrap it in parentheses to use the value it refers to, or in quotes to use it \
                     as a name with dots.",
                );
                return Err(self.fail(error, &item.key.span, &item.key));
            }
            let key = self.key(&item.key)?;
            let value = self.eval(&item.value)?;
            marks = marks.union(key.marks());
            match key.kind() {
                Kind::String(key) => {
                    fields.insert(key.clone(), value);
                }
                _ => {
                    unknown_key = true;
                    marks = marks.union(value.marks());
                }
            }
        }
        if unknown_key {
            return Ok(Value::unknown(Type::Dynamic).mark(marks));
        }
        Ok(Value::object(fields).mark(marks))
    }

    /// A key as text, perhaps unknown.
    fn key(&self, expr: &Expr) -> Evaluated {
        let key = self.eval(expr)?;
        if key.is_null() {
            let error = Diagnostic::error("a key is null").because("A key must be a string.").help("Give it a value, or leave the entry out: `{ for k, v in x : k => v if k != null }`.");
            return Err(self.fail(error, &expr.span, expr));
        }
        convert(&key, &Type::String).map_err(|e| {
            let error = Diagnostic::error("a key is not a string")
                .because(sentence(&e.to_string()))
                .help("Use text, or what converts to it: a number or a bool.");
            self.fail(error, &expr.span, expr)
        })
    }

    pub(super) fn for_expr(&self, f: &For) -> Evaluated {
        let (collection, mut marks) = self.eval(&f.collection)?.unmark();
        self.check_iterable(&collection, &f.collection)?;
        let is_empty = || collection.children().next().is_none();
        if let Some(condition) = &f.condition
            && (collection.is_unknown() || is_empty())
        {
            // It must be a condition where nothing is asked of it, too.
            let said = self.of_anything(f, condition)?.marks();
            if collection.is_unknown() {
                marks = marks.union(said);
            }
        }
        if collection.is_unknown() {
            return Ok(Value::unknown(Type::Dynamic).mark(marks));
        }
        // Its elements are bound without its mark.
        let secret = marks.contains(Marks::SENSITIVE);
        let mut made = Made::new(&f.result);
        let names = (f.key.as_deref(), &*f.value);
        let flow = self.iterate(&collection, &f.collection, names, &mut |env| {
            if let Some(condition) = &f.condition {
                let holds = env.condition(condition, "the condition of this `for`")?;
                marks = marks.union(holds.marks());
                match holds.as_bool() {
                    None => return Ok(ControlFlow::Break(())),
                    Some(false) => return Ok(ControlFlow::Continue(())),
                    Some(true) => {}
                }
            }
            match (&f.result, &mut made) {
                (ForResult::List(value), Made::List(items)) => items.push(env.eval(value)?),
                (
                    ForResult::Object {
                        key,
                        value,
                        grouping,
                    },
                    Made::Object(entries),
                ) => {
                    let name = env.key(key)?;
                    marks = marks.union(name.marks());
                    let made = env.eval(value)?;
                    let shown = !name.is_sensitive();
                    let Kind::String(name) = name.kind() else {
                        return Ok(ControlFlow::Break(()));
                    };
                    let group = entries.entry(name.clone()).or_default();
                    if *grouping == Grouping::Unique && !group.is_empty() {
                        return Err(env.duplicate_key(shown.then_some(&**name), key));
                    }
                    group.push(made);
                }
                _ => {}
            }
            Ok(ControlFlow::Continue(()))
        });
        let flow = flow.map_err(|e| match secret {
            true => concealed(e),
            false => e,
        })?;
        if flow.is_break() {
            return Ok(Value::unknown(Type::Dynamic).mark(marks));
        }
        Ok(made.finish(&f.result).mark(marks))
    }

    fn duplicate_key(&self, name: Option<&str>, key: &Expr) -> super::EvalError {
        let error = Diagnostic::error(match name {
            Some(name) => format!("two elements give the key {name:?}"),
            None => "two elements give the same key".to_owned(),
        })
        .help("Where that is meant, put `...` after the value: values of one key become a list.");
        self.fail(error, &key.span, key)
    }

    /// An error where it has no elements to go over.
    pub(super) fn check_iterable(&self, collection: &Value, expr: &Expr) -> Evaluated<()> {
        if collection.is_null() {
            let error = Diagnostic::error("a null value can't be iterated over")
                .help("Use `coalesce(x, [])` where it may be null.");
            return Err(self.fail(error, &expr.span, expr));
        }
        match collection.ty() {
            Type::Bool | Type::Number | Type::String => {
                let ty = collection.ty().friendly();
                let error = Diagnostic::error(format!("a {ty} can't be iterated over"))
                    .because("A `for` needs a list, set, tuple, map or object.")
                    .help("For one element write `[x]`.");
                Err(self.fail(error, &expr.span, expr))
            }
            _ => Ok(()),
        }
    }

    /// What the condition of a `for` comes to, whatever it goes over.
    fn of_anything(&self, f: &For, condition: &Expr) -> Evaluated {
        let anything = || Value::unknown(Type::Dynamic);
        let holds = |env: &Env<'_>| env.condition(condition, "the condition of this `for`");
        match f.key.as_deref() {
            Some(name) => self.with(name, anything(), |env| {
                env.with(&f.value, anything(), holds)
            }),
            None => self.with(&f.value, anything(), holds),
        }
    }

    /// Runs `f` for each element of the value of `of`, with its key and value bound, in order.
    pub(super) fn iterate(
        &self,
        collection: &Value,
        of: &Expr,
        (key_name, value_name): (Option<&str>, &str),
        f: &mut dyn FnMut(&Env<'_>) -> Evaluated<ControlFlow<()>>,
    ) -> Evaluated<ControlFlow<()>> {
        let mut one = |key: Value, value: &Value| {
            self.step(of)?;
            match key_name {
                Some(name) => self.with(name, key, |env| {
                    env.with(value_name, value.clone(), &mut *f)
                }),
                None => self.with(value_name, value.clone(), &mut *f),
            }
        };
        match collection.kind() {
            Kind::List(_, items) | Kind::Tuple(items) => {
                for (i, value) in items.iter().enumerate() {
                    let key = Value::number(i64::try_from(i).unwrap_or(i64::MAX));
                    if one(key, value)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
            Kind::Set(_, items) => {
                for value in items.iter() {
                    if one(value.clone(), value)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
            Kind::Map(_, entries) | Kind::Object(entries) => {
                for (key, value) in entries.iter() {
                    if one(Value::string(key.clone()), value)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
            _ => {}
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// What a `for` has made so far.
enum Made {
    List(Vec<Value>),
    Object(BTreeMap<Arc<str>, Vec<Value>>),
}

impl Made {
    fn new(result: &ForResult) -> Made {
        match result {
            ForResult::List(_) => Made::List(Vec::new()),
            ForResult::Object { .. } => Made::Object(BTreeMap::new()),
        }
    }
    fn finish(self, result: &ForResult) -> Value {
        match (self, result) {
            (Made::List(items), _) => Value::tuple(items),
            (
                Made::Object(entries),
                ForResult::Object {
                    grouping: Grouping::Grouped,
                    ..
                },
            ) => Value::object(
                entries
                    .into_iter()
                    .map(|(k, group)| (k, Value::tuple(group))),
            ),
            (Made::Object(entries), _) => Value::object(
                entries
                    .into_iter()
                    .filter_map(|(k, mut group)| group.pop().map(|v| (k, v))),
            ),
        }
    }
}
