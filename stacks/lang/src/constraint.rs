//! Type constraints: `object({name = string, port = optional(number, 80)})`.

use crate::{
    eval::{self, Context, EvalError, Resolved, Scope},
    functions::Registry,
    ir::{Call, Expansion, Expr, ExprKind, Item, Reference},
    sources::Sources,
};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
use weir_core::{
    Diagnostic, Entries, Kind, Type, Value,
    convert::convert,
    types::{Field, Presence},
};

/// What `optional(T, default)` says, beside the type it stands in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The defaults of an object's attributes.
    pub values: BTreeMap<Arc<str>, Value>,
    /// Defaults further inside: of an object's attributes by name, of a tuple's elements by
    /// number, of a collection's elements under the empty name.
    pub children: BTreeMap<Arc<str>, Defaults>,
}

impl Defaults {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.children.is_empty()
    }

    /// The value with the defaults put in where an attribute is left out or null. Done before the
    /// value is converted to the type.
    pub fn apply(&self, value: &Value) -> Value {
        if self.is_empty() || value.is_null() || value.is_unknown() {
            return value.clone();
        }
        let element = self.children.get("");
        let made = match value.kind() {
            Kind::Object(fields) => match element {
                Some(element) => {
                    Value::object(fields.iter().map(|(k, v)| (k.clone(), element.apply(v))))
                }
                None => self.complete(fields),
            },
            Kind::Map(_, entries) => match element {
                // Elements may get attributes of their own, so that the whole is an object now.
                Some(element) => {
                    Value::object(entries.iter().map(|(k, v)| (k.clone(), element.apply(v))))
                }
                None => self.complete(entries),
            },
            Kind::List(_, items) | Kind::Tuple(items) => Value::tuple(
                items
                    .iter()
                    .enumerate()
                    .map(|(i, v)| self.item(i, v))
                    .collect(),
            ),
            Kind::Set(_, items) => Value::tuple(
                items
                    .iter()
                    .enumerate()
                    .map(|(i, v)| self.item(i, v))
                    .collect(),
            ),
            _ => return value.clone(),
        };
        made.mark(value.marks())
    }

    fn complete(&self, fields: &Entries) -> Value {
        let mut all = fields.clone();
        for (name, default) in &self.values {
            if all.get(name).is_none_or(Value::is_null) {
                all.insert(name.clone(), default.clone());
            }
        }
        for (name, child) in &self.children {
            if let Some(value) = all.get_mut(name) {
                *value = child.apply(value);
            }
        }
        Value::object(all)
    }

    fn item(&self, index: usize, value: &Value) -> Value {
        let child = self
            .children
            .get("")
            .or_else(|| self.children.get(index.to_string().as_str()));
        child.map_or_else(|| value.clone(), |child| child.apply(value))
    }
}

/// Reads a type constraint.
///
/// # Errors
/// It is not one; the diagnostic points at the part at fault.
pub fn type_constraint(
    expr: &Expr,
    sources: &Sources,
) -> Result<(Type, Defaults), Box<Diagnostic>> {
    Reader { sources }.read(expr)
}

struct Reader<'a> {
    sources: &'a Sources,
}

type Read<T = (Type, Defaults)> = Result<T, Box<Diagnostic>>;

impl Reader<'_> {
    fn error(&self, at: &Expr, diagnostic: Diagnostic) -> Box<Diagnostic> {
        Box::new(self.sources.point(diagnostic, &at.span))
    }

    fn read(&self, expr: &Expr) -> Read {
        match &*expr.kind {
            ExprKind::Call(call) => self.constructor(call, expr),
            _ => self.keyword(expr),
        }
    }

    fn keyword(&self, expr: &Expr) -> Read {
        let ty = match expr.keyword() {
            Some("string") => Type::String,
            Some("number") => Type::Number,
            Some("bool") => Type::Bool,
            Some("any") => Type::Dynamic,
            Some(word @ ("list" | "set" | "map")) => {
                let error =
                    Diagnostic::error(format!("the type `{word}` needs the type of its elements"))
                        .help(format!("Write `{word}(string)`, or `{word}(any)`."));
                return Err(self.error(expr, error));
            }
            Some(word @ ("object" | "tuple" | "optional")) => {
                let error = Diagnostic::error(format!("the type `{word}` needs an argument"))
                    .help("Write `object({name = string})` or `tuple([string, number])`.");
                return Err(self.error(expr, error));
            }
            Some(word) => {
                let known = [
                    "string", "number", "bool", "any", "list", "set", "map", "object", "tuple",
                ];
                let error = Diagnostic::error(format!("there is no type `{word}`"));
                let error = match eval::nearest(word, known) {
                    Some(near) => error.help(format!("Did you mean `{near}`?")),
                    None => error.help(format!("The types are {}.", known.join(", "))),
                };
                return Err(self.error(expr, error));
            }
            None => {
                let error = Diagnostic::error("this is not a type").because(
                    "A type is a word such as `string`, or a call such as `list(string)`.",
                );
                let error = match &*expr.kind {
                    ExprKind::Literal(v) if v.as_str().is_some() => {
                        error.help("Remove the quotes.")
                    }
                    _ => error.help("Write a type, or `any`."),
                };
                return Err(self.error(expr, error));
            }
        };
        Ok((ty, Defaults::default()))
    }

    fn constructor(&self, call: &Call, expr: &Expr) -> Read {
        let [arg] = call.args.as_slice() else {
            let error = Diagnostic::error(format!("the type `{}` takes one argument", call.name));
            let error = match &*call.name {
                "optional" => error.because("`optional` marks an attribute of an object type."),
                _ => error.because(format!("It has {}.", call.args.len())),
            };
            let error = error.help(match &*call.name {
                "optional" => "Write `object({ NAME = optional(TYPE) })`.".to_owned(),
                "object" => "Write `object({ NAME = TYPE })`.".to_owned(),
                "tuple" => "Write `tuple([TYPE, TYPE])`.".to_owned(),
                name => format!("Write `{name}(TYPE)`, for instance `{name}(string)`."),
            });
            return Err(self.error(expr, error));
        };
        if call.expansion == Expansion::Spread {
            let error = Diagnostic::error("`...` is not part of a type").help("Remove the dots.");
            return Err(self.error(arg, error));
        }
        match &*call.name {
            "list" | "set" | "map" => {
                let (element, defaults) = self.read(arg)?;
                let ty = match &*call.name {
                    "list" => Type::list(element),
                    "set" => Type::set(element),
                    _ => Type::map(element),
                };
                let mut outer = Defaults::default();
                if !defaults.is_empty() {
                    outer.children.insert("".into(), defaults);
                }
                Ok((ty, outer))
            }
            "tuple" => self.tuple(arg),
            "object" => self.object(arg),
            "optional" => {
                let error = Diagnostic::error("`optional` stands outside an object type")
                    .because("Only an attribute of `object({...})` can be optional.")
                    .help("Use the type alone; a variable is optional where it has a `default`.");
                Err(self.error(expr, error))
            }
            other => {
                let known = ["list", "set", "map", "object", "tuple", "optional"];
                let error = Diagnostic::error(format!("there is no type `{other}`"));
                Err(self.error(
                    expr,
                    match eval::nearest(other, known) {
                        Some(near) => error.help(format!("Did you mean `{near}`?")),
                        None => error.help(format!("The types are {}.", known.join(", "))),
                    },
                ))
            }
        }
    }

    fn tuple(&self, arg: &Expr) -> Read {
        let ExprKind::List(items) = &*arg.kind else {
            let error = Diagnostic::error("`tuple` takes a list of types")
                .help("Write `tuple([string, number])`.");
            return Err(self.error(arg, error));
        };
        let mut types = Vec::new();
        let mut defaults = Defaults::default();
        for (i, item) in items.iter().enumerate() {
            let (ty, inner) = self.read(item)?;
            types.push(ty);
            if !inner.is_empty() {
                defaults.children.insert(i.to_string().into(), inner);
            }
        }
        Ok((Type::tuple(types), defaults))
    }

    fn object(&self, arg: &Expr) -> Read {
        let ExprKind::Object(items) = &*arg.kind else {
            let error = Diagnostic::error("`object` takes attributes and their types")
                .help("Write `object({name = string, port = optional(number)})`.");
            return Err(self.error(arg, error));
        };
        let mut fields = BTreeMap::new();
        let mut defaults = Defaults::default();
        for item in items {
            self.field(item, &mut fields, &mut defaults)?;
        }
        Ok((Type::Object(Arc::new(fields)), defaults))
    }

    fn field(
        &self,
        item: &Item,
        fields: &mut BTreeMap<Arc<str>, Field>,
        defaults: &mut Defaults,
    ) -> Read<()> {
        let name: Arc<str> = match &*item.key.kind {
            ExprKind::Literal(v) => v.as_str().unwrap_or_default().into(),
            _ => {
                let error =
                    Diagnostic::error("the name of an attribute in a type must be a plain word")
                        .help("Write `object({ NAME = TYPE })`, with names as they are.");
                return Err(self.error(&item.key, error));
            }
        };
        let (ty, inner, presence) = match &*item.value.kind {
            ExprKind::Call(call) if &*call.name == "optional" => {
                let (ty, inner, default) = self.optional(call, &item.value)?;
                if let Some(default) = default {
                    defaults.values.insert(name.clone(), default);
                }
                (ty, inner, Presence::Optional)
            }
            _ => {
                let (ty, inner) = self.read(&item.value)?;
                (ty, inner, Presence::Required)
            }
        };
        if !inner.is_empty() {
            defaults.children.insert(name.clone(), inner);
        }
        if fields
            .insert(name.clone(), Field { ty, presence })
            .is_some()
        {
            let error =
                Diagnostic::error(format!("the attribute `{name}` stands in this type twice"))
                    .help("Remove one of the two.");
            return Err(self.error(&item.key, error));
        }
        Ok(())
    }

    fn optional(&self, call: &Call, expr: &Expr) -> Read<(Type, Defaults, Option<Value>)> {
        let (ty, default) = match call.args.as_slice() {
            [ty] => (ty, None),
            [ty, default] => (ty, Some(default)),
            args => {
                let error = Diagnostic::error("`optional` takes a type and perhaps a default")
                    .because(format!("It has {} arguments.", args.len()))
                    .help("Write `optional(TYPE)` or `optional(TYPE, DEFAULT)`.");
                return Err(self.error(expr, error));
            }
        };
        let (ty, inner) = self.read(ty)?;
        let Some(default) = default else {
            return Ok((ty, inner, None));
        };
        let value = match eval::eval(default, &Constants::new(self.sources)) {
            Ok(value) => value,
            Err(EvalError::Diagnostic(d)) => return Err(d),
            Err(EvalError::NotReady(_)) => {
                let error =
                    Diagnostic::error("a default must be a constant").help("Write the value out.");
                return Err(self.error(default, error));
            }
        };
        let value = convert(&inner.apply(&value), &ty).map_err(|e| {
            let error = Diagnostic::error("the default does not fit its type")
                .because(format!("{e}."))
                .help(crate::hints::form(&ty));
            self.error(default, error)
        })?;
        Ok((ty, inner, Some(value)))
    }
}

/// No names and no functions: what a default may use.
struct Constants(Context);

impl Constants {
    fn new(sources: &Sources) -> Constants {
        Constants(Context {
            sources: Arc::new(sources.clone()),
            functions: Arc::new(Registry::default()),
            files: None,
            module_dir: PathBuf::new(),
            root_dir: PathBuf::new(),
            home: None,
            now: None,
            settled: None,
        })
    }
}

impl Scope for Constants {
    fn resolve(&self, reference: &Reference) -> Result<Resolved, EvalError> {
        let error = Diagnostic::error("a default must be a constant")
            .because(format!("`{reference}` is a name to look up."))
            .help("Write the value out.")
            .at(reference.span.clone());
        Err(error.into())
    }
    fn context(&self) -> &Context {
        &self.0
    }
}
