//! Values of the stack language: typed, shared, possibly unknown, possibly marked.
//!
//! Cloning is cheap: collections are shared. A sensitive value prints as `(sensitive)` through
//! `Display` and `Debug` alike, so that no message can leak one by accident.

use crate::{
    elements::Elements,
    number::Number,
    path::{Path, Step},
    types::Type,
};
use litemap::LiteMap;
use std::{
    fmt,
    sync::{Arc, LazyLock},
};

/// The entries of a map or the fields of an object, in order: one sorted list, a third of the
/// memory of a tree where there are few. Insert into it what is few as well; collect the rest.
pub type Entries = LiteMap<Arc<str>, Value>;

/// Marks that follow the data through every expression.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Marks(u8);

impl Marks {
    /// No mark.
    pub const NONE: Marks = Marks(0);
    /// Never shown.
    pub const SENSITIVE: Marks = Marks(1);
    /// Never stored.
    pub const EPHEMERAL: Marks = Marks(2);

    /// Both sets of marks together.
    pub fn union(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }
    /// These marks less the others.
    pub fn without(self, other: Marks) -> Marks {
        Marks(self.0 & !other.0)
    }
    /// Whether all of `other` is in it.
    pub fn contains(self, other: Marks) -> bool {
        self.0 & other.0 == other.0
    }
    /// Whether there is no mark.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A value: what it is, and its marks.
///
/// Equality and order are structural and take types and marks into account; the language's `==`
/// is the evaluator's.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value {
    kind: Kind,
    marks: Marks,
}

/// What a value is. The order is that of elements of a set.
#[derive(Clone, PartialEq, Eq)]
pub enum Kind {
    /// Null of a type.
    Null(Type),
    /// Not known before apply: its type, and what is known of it all the same.
    Unknown(Type, Arc<Refinements>),
    /// A truth value.
    Bool(bool),
    /// An exact decimal.
    Number(Number),
    /// Text, in Unicode normal form C.
    String(Arc<str>),
    /// A list: the element type and the elements.
    List(Type, Arc<Vec<Value>>),
    /// A set: the element type and the elements, in order.
    Set(Type, Arc<Elements>),
    /// A map: the element type and the entries.
    Map(Type, Arc<Entries>),
    /// An object.
    Object(Arc<Entries>),
    /// A tuple.
    Tuple(Arc<Vec<Value>>),
}

pub use crate::refine::{Bound, Refinements};

impl Value {
    pub(crate) fn of(kind: Kind) -> Value {
        Value {
            kind,
            marks: Marks::NONE,
        }
    }
    /// Null of no known type.
    pub fn null() -> Value {
        Value::null_of(Type::Dynamic)
    }
    /// Null of a type.
    pub fn null_of(ty: Type) -> Value {
        Value::of(Kind::Null(ty))
    }
    /// Unknown of a type.
    pub fn unknown(ty: Type) -> Value {
        static NOTHING: LazyLock<Arc<Refinements>> = LazyLock::new(Arc::default);
        Value::of(Kind::Unknown(ty, NOTHING.clone()))
    }
    /// A truth value.
    pub fn bool(b: bool) -> Value {
        Value::of(Kind::Bool(b))
    }
    /// A number.
    pub fn number(n: impl Into<Number>) -> Value {
        Value::of(Kind::Number(n.into()))
    }
    /// A string.
    pub fn string(s: impl Into<Arc<str>>) -> Value {
        Value::of(Kind::String(s.into()))
    }
    /// A list; every element must be of type `element`.
    pub fn list(element: Type, items: Vec<Value>) -> Value {
        Value::of(Kind::List(element, Arc::new(items)))
    }
    /// A set; every element must be of type `element`. Element marks move to the set, as two
    /// elements that differ in marks alone are one.
    pub fn set(element: Type, items: impl IntoIterator<Item = Value>) -> Value {
        let mut marks = Marks::NONE;
        let items = items
            .into_iter()
            .map(|v| {
                let (v, m) = v.unmark_deep();
                marks = marks.union(m);
                v
            })
            .collect();
        Value {
            kind: Kind::Set(element, Arc::new(items)),
            marks,
        }
    }
    /// A map; every element must be of type `element`.
    pub fn map<K: Into<Arc<str>>>(
        element: Type,
        entries: impl IntoIterator<Item = (K, Value)>,
    ) -> Value {
        let entries = entries.into_iter().map(|(k, v)| (k.into(), v)).collect();
        Value::of(Kind::Map(element, Arc::new(entries)))
    }
    /// An object.
    pub fn object<K: Into<Arc<str>>>(fields: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::of(Kind::Object(Arc::new(
            fields.into_iter().map(|(k, v)| (k.into(), v)).collect(),
        )))
    }
    /// A tuple.
    pub fn tuple(items: Vec<Value>) -> Value {
        Value::of(Kind::Tuple(Arc::new(items)))
    }

    /// What it is.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }
    /// What it is, by value.
    pub fn into_kind(self) -> Kind {
        self.kind
    }
    /// Its own marks (not those of its elements).
    pub fn marks(&self) -> Marks {
        self.marks
    }
    /// Its marks and those of everything in it.
    pub fn marks_deep(&self) -> Marks {
        let of = |marks: Marks, v: &Value| marks.union(v.marks_deep());
        match &self.kind {
            Kind::List(_, items) | Kind::Tuple(items) => items.iter().fold(self.marks, of),
            Kind::Set(_, items) => items.iter().fold(self.marks, of),
            Kind::Map(_, m) | Kind::Object(m) => m.values().fold(self.marks, of),
            _ => self.marks,
        }
    }
    /// The value with these marks added.
    pub fn mark(mut self, marks: Marks) -> Value {
        self.marks = self.marks.union(marks);
        self
    }
    /// The value without its own marks, and those marks.
    pub fn unmark(mut self) -> (Value, Marks) {
        let marks = std::mem::take(&mut self.marks);
        (self, marks)
    }
    /// The value without any mark inside, and all marks there were.
    pub fn unmark_deep(self) -> (Value, Marks) {
        let all = self.marks_deep();
        if all.is_empty() {
            return (self, all);
        }
        (self.transform(&mut |v| v.unmark().0), all)
    }
    /// Whether it is marked sensitive itself.
    pub fn is_sensitive(&self) -> bool {
        self.marks.contains(Marks::SENSITIVE)
    }

    /// Its type.
    pub fn ty(&self) -> Type {
        match &self.kind {
            Kind::Null(t) | Kind::Unknown(t, _) => t.clone(),
            Kind::Bool(_) => Type::Bool,
            Kind::Number(_) => Type::Number,
            Kind::String(_) => Type::String,
            Kind::List(t, _) => Type::list(t.clone()),
            Kind::Set(t, _) => Type::set(t.clone()),
            Kind::Map(t, _) => Type::map(t.clone()),
            Kind::Object(fields) => Type::object(fields.iter().map(|(k, v)| (k.clone(), v.ty()))),
            Kind::Tuple(items) => Type::tuple(items.iter().map(Value::ty)),
        }
    }
    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null(_))
    }
    /// Whether it is unknown itself (a list of unknowns is not).
    pub fn is_unknown(&self) -> bool {
        matches!(self.kind, Kind::Unknown(..))
    }
    /// The text of its field `id`, where it has one that may be shown: how people name objects.
    pub fn shown_id(&self) -> Option<String> {
        let id = self.get("id").filter(|_| !self.is_sensitive())?;
        id.as_str()
            .filter(|_| !id.is_sensitive())
            .map(str::to_owned)
    }
    /// Whether nothing in it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match &self.kind {
            Kind::Unknown(..) => false,
            Kind::List(_, items) | Kind::Tuple(items) => items.iter().all(Value::is_wholly_known),
            Kind::Set(_, items) => items.iter().all(Value::is_wholly_known),
            Kind::Map(_, m) | Kind::Object(m) => m.values().all(Value::is_wholly_known),
            Kind::Null(_) | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => true,
        }
    }
    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(s) => Some(s),
            _ => None,
        }
    }
    /// The number.
    pub fn as_number(&self) -> Option<&Number> {
        match &self.kind {
            Kind::Number(n) => Some(n),
            _ => None,
        }
    }
    /// The number as an integer.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::as_i64)
    }
    /// The truth value.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(b) => Some(b),
            _ => None,
        }
    }
    /// The entries of a map or the fields of an object.
    pub fn as_entries(&self) -> Option<&Entries> {
        match &self.kind {
            Kind::Map(_, m) | Kind::Object(m) => Some(m),
            _ => None,
        }
    }
    /// The elements of a list, set or tuple, in order.
    pub fn elements(&self) -> Option<Vec<&Value>> {
        match &self.kind {
            Kind::List(_, items) | Kind::Tuple(items) => Some(items.iter().collect()),
            Kind::Set(_, items) => Some(items.iter().collect()),
            _ => None,
        }
    }
    /// The field or entry of that name; `None` where there is none. Marks of the whole are not
    /// added: the evaluator does that.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_entries().and_then(|m| m.get(key))
    }
    /// A name as the key it is here, so that values made of this one share their keys with it,
    /// and what stands there.
    pub fn entry(&self, name: &str) -> (Arc<str>, Option<&Value>) {
        let own = self.as_entries().and_then(|m| {
            let at = m.find_index(name).ok()?;
            m.get_indexed(at)
        });
        match own {
            Some((key, value)) => (key.clone(), Some(value)),
            None => (Arc::from(name), None),
        }
    }
    /// The place a path leads to.
    pub fn at(&self, path: &Path) -> Option<&Value> {
        path.0
            .iter()
            .try_fold(self, |v, step| match (step, &v.kind) {
                (Step::Key(k), _) => v.get(k),
                (Step::Index(i), Kind::List(_, items) | Kind::Tuple(items)) => items.get(*i),
                _ => None,
            })
    }
    /// The values directly inside.
    pub fn children(&self) -> Box<dyn Iterator<Item = &Value> + '_> {
        match &self.kind {
            Kind::List(_, items) | Kind::Tuple(items) => Box::new(items.iter()),
            Kind::Set(_, items) => Box::new(items.iter()),
            Kind::Map(_, m) | Kind::Object(m) => Box::new(m.values()),
            _ => Box::new(std::iter::empty()),
        }
    }
    /// Whether it holds at most so many values, and at most so many bytes of text in them. What
    /// is shared counts as often as it is held: that is the work it is to print or to compare.
    pub fn fits(&self, values: usize, text: usize) -> bool {
        let mut left = (values, text);
        self.spend(&mut left)
    }
    fn spend(&self, left: &mut (usize, usize)) -> bool {
        let text = |left: &mut (usize, usize), len: usize| {
            left.1.checked_sub(len).map(|rest| left.1 = rest).is_some()
        };
        match left.0.checked_sub(1) {
            Some(rest) => left.0 = rest,
            None => return false,
        }
        match &self.kind {
            Kind::String(s) => text(left, s.len()),
            Kind::List(_, items) | Kind::Tuple(items) => items.iter().all(|v| v.spend(left)),
            Kind::Set(_, items) => items.iter().all(|v| v.spend(left)),
            Kind::Map(_, m) | Kind::Object(m) => {
                m.iter().all(|(k, v)| text(left, k.len()) && v.spend(left))
            }
            Kind::Null(_) | Kind::Unknown(..) | Kind::Bool(_) | Kind::Number(_) => true,
        }
    }
    /// The value with null wherever it is not known, of the same type and marks.
    pub fn unknown_as_null(self) -> Value {
        self.transform(&mut |v| match v.is_unknown() {
            true => Value::null_of(v.ty()).mark(v.marks()),
            false => v,
        })
    }
    /// Every value in it replaced by what `f` makes of it, innermost first.
    pub fn transform(self, f: &mut impl FnMut(Value) -> Value) -> Value {
        let Value { kind, marks } = self;
        let kind = match kind {
            Kind::List(t, items) => Kind::List(t, Value::transform_items(&items, f)),
            Kind::Tuple(items) => Kind::Tuple(Value::transform_items(&items, f)),
            Kind::Set(t, items) => Kind::Set(
                t,
                Arc::new(
                    items
                        .iter()
                        .map(|v| Value::transform_dyn(v.clone(), f))
                        .collect(),
                ),
            ),
            Kind::Map(t, m) => Kind::Map(t, Value::transform_entries(&m, f)),
            Kind::Object(m) => Kind::Object(Value::transform_entries(&m, f)),
            other => other,
        };
        f(Value { kind, marks })
    }
    fn transform_dyn(v: Value, f: &mut dyn FnMut(Value) -> Value) -> Value {
        v.transform(&mut |x| f(x))
    }
    fn transform_items(items: &[Value], f: &mut dyn FnMut(Value) -> Value) -> Arc<Vec<Value>> {
        Arc::new(
            items
                .iter()
                .map(|v| Value::transform_dyn(v.clone(), f))
                .collect(),
        )
    }
    fn transform_entries(m: &Entries, f: &mut dyn FnMut(Value) -> Value) -> Arc<Entries> {
        Arc::new(
            m.iter()
                .map(|(k, v)| (k.clone(), Value::transform_dyn(v.clone(), f)))
                .collect(),
        )
    }
    /// The object with one field set (or added). Anything but an object is returned as it is.
    pub fn with(self, key: &str, field: Value) -> Value {
        let Value { kind, marks } = self;
        let kind = match kind {
            Kind::Object(m) => {
                let mut m = Arc::unwrap_or_clone(m);
                match m.get_mut(key) {
                    Some(old) => *old = field,
                    None => drop(m.insert(key.into(), field)),
                }
                Kind::Object(Arc::new(m))
            }
            other => other,
        };
        Value { kind, marks }
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Value::string(s)
    }
}
impl From<String> for Value {
    fn from(s: String) -> Self {
        Value::string(s)
    }
}
impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Value::bool(b)
    }
}
impl From<i64> for Value {
    fn from(i: i64) -> Self {
        Value::number(i)
    }
}

impl fmt::Display for Value {
    /// As an expression of the language; `(sensitive)` and `(known after apply)` where it must be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_sensitive() {
            return f.write_str("(sensitive)");
        }
        match &self.kind {
            Kind::Null(_) => f.write_str("null"),
            Kind::Unknown(..) => f.write_str("(known after apply)"),
            Kind::Bool(b) => write!(f, "{b}"),
            Kind::Number(n) => write!(f, "{n}"),
            Kind::String(s) => write!(f, "{s:?}"),
            Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
                f.write_str("[")?;
                for (i, v) in self.children().enumerate() {
                    write!(f, "{}{v}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
            Kind::Map(_, m) | Kind::Object(m) => {
                f.write_str("{")?;
                for (i, (k, v)) in m.iter().enumerate() {
                    write!(f, "{}{k:?} = {v}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("}")
            }
        }
    }
}
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Value::of(self.clone()), f)
    }
}

/// A value that holds no unknown: the only thing a snapshot stores and `apply` returns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known(Value);

/// The value still holds an unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not known yet")]
pub struct StillUnknown(pub Path);

impl Known {
    /// Proves that nothing in the value is unknown.
    ///
    /// # Errors
    /// The path of the first unknown in it.
    pub fn new(value: Value) -> Result<Known, StillUnknown> {
        if value.is_wholly_known() {
            return Ok(Known(value));
        }
        let path = first_unknown(&value, &Path::root());
        Err(StillUnknown(path.unwrap_or_else(Path::root)))
    }
    /// The value.
    pub fn value(&self) -> &Value {
        &self.0
    }
    /// The value, by value.
    pub fn into_value(self) -> Value {
        self.0
    }
}

fn first_unknown(value: &Value, path: &Path) -> Option<Path> {
    match &value.kind {
        Kind::Unknown(..) => Some(path.clone()),
        Kind::Map(_, m) | Kind::Object(m) => m
            .iter()
            .find_map(|(k, v)| first_unknown(v, &path.key(&**k))),
        Kind::List(_, items) | Kind::Tuple(items) => items
            .iter()
            .enumerate()
            .find_map(|(i, v)| first_unknown(v, &path.index(i))),
        Kind::Set(_, items) => items
            .iter()
            .enumerate()
            .find_map(|(i, v)| first_unknown(v, &path.index(i))),
        _ => None,
    }
}
