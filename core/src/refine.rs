//! What is known of an unknown value, and what follows from it.

use crate::{
    number::Number,
    types::Type,
    value::{Entries, Kind, Value},
};
use std::sync::Arc;

/// What is known of an unknown value.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refinements {
    /// It will not be null.
    pub not_null: bool,
    /// It will begin with this text.
    pub prefix: Option<Arc<str>>,
    /// It will not be below this number.
    pub min: Option<Bound>,
    /// It will not be above this number.
    pub max: Option<Bound>,
    /// The collection will have at least so many elements.
    pub min_len: Option<usize>,
    /// The collection will have at most so many elements.
    pub max_len: Option<usize>,
}

/// An end of a range of numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bound {
    /// The number at the end.
    pub number: Number,
    /// Whether the number itself is in the range.
    pub inclusive: bool,
}

/// The most elements a collection can have, as far as lengths are told.
pub(crate) const MAX_LENGTH: usize = i64::MAX as usize;

/// The longest list that is made up of unknown elements where only its length is known.
const MADE_UP: usize = 1024;

impl Bound {
    /// The number and all beyond it.
    pub fn inclusive(number: impl Into<Number>) -> Bound {
        Bound {
            number: number.into(),
            inclusive: true,
        }
    }
    /// As a lower end: whether the number lies above it.
    pub fn admits_above(&self, n: &Number) -> bool {
        *n > self.number || self.inclusive && *n == self.number
    }
    /// As an upper end: whether the number lies below it.
    pub fn admits_below(&self, n: &Number) -> bool {
        *n < self.number || self.inclusive && *n == self.number
    }
}

impl Refinements {
    /// It will not be null, and nothing else is known.
    pub fn not_null() -> Refinements {
        Refinements {
            not_null: true,
            ..Refinements::default()
        }
    }

    /// What is known of any value: of one that is known, all that a refinement can say.
    pub fn of(value: &Value) -> Refinements {
        match value.kind() {
            Kind::Unknown(_, r) => (**r).clone(),
            Kind::Null(_) => Refinements::default(),
            kind => {
                let (min_len, max_len) = value.length_range();
                let bound = match kind {
                    Kind::Number(n) => Some(Bound::inclusive(n.clone())),
                    _ => None,
                };
                Refinements {
                    not_null: true,
                    prefix: match kind {
                        Kind::String(s) => Some(s.clone()),
                        _ => None,
                    },
                    min: bound.clone(),
                    max: bound,
                    min_len: Some(min_len).filter(|_| kind.is_collection()),
                    max_len: Some(max_len).filter(|_| kind.is_collection()),
                }
            }
        }
    }

    /// What holds for a value that is one of two: `numbers` and `lengths` within both ranges.
    pub fn either(&self, other: &Refinements) -> Refinements {
        let both = |a: &Option<Bound>, b: &Option<Bound>, first: fn(&Number, &Number) -> bool| {
            let (a, b) = (a.as_ref()?, b.as_ref()?);
            let inclusive = a.inclusive || b.inclusive;
            Some(match a.number == b.number {
                true => Bound {
                    number: a.number.clone(),
                    inclusive,
                },
                false if first(&a.number, &b.number) => a.clone(),
                false => b.clone(),
            })
        };
        Refinements {
            not_null: self.not_null && other.not_null,
            prefix: None,
            min: both(&self.min, &other.min, Number::lt),
            max: both(&self.max, &other.max, Number::gt),
            min_len: self.min_len.zip(other.min_len).map(|(a, b)| a.min(b)),
            max_len: self.max_len.zip(other.max_len).map(|(a, b)| a.max(b)),
        }
    }

    /// Whether a value like this could be that number.
    pub fn admits_number(&self, n: &Number) -> bool {
        self.min.as_ref().is_none_or(|min| min.admits_above(n))
            && self.max.as_ref().is_none_or(|max| max.admits_below(n))
    }
}

impl Kind {
    /// Whether it is a list, set or map.
    fn is_collection(&self) -> bool {
        matches!(self, Kind::List(..) | Kind::Set(..) | Kind::Map(..))
    }
}

impl Value {
    /// Unknown of a type, with what is known of it. Where that leaves one value alone, that one.
    pub fn unknown_refined(ty: Type, refinements: Refinements) -> Value {
        Value::decided(&ty, &refinements)
            .unwrap_or_else(|| Value::of(Kind::Unknown(ty, Arc::new(refinements))))
    }

    /// Unknown of a type, but surely not null.
    pub fn unknown_not_null(ty: Type) -> Value {
        Value::unknown_refined(ty, Refinements::not_null())
    }

    fn decided(ty: &Type, known: &Refinements) -> Option<Value> {
        if !known.not_null {
            return None;
        }
        if let (Type::Number, Some(min), Some(max)) = (ty, &known.min, &known.max)
            && min == max
            && min.inclusive
        {
            return Some(Value::number(min.number.clone()));
        }
        let length = known.min_len.filter(|min| Some(*min) == known.max_len)?;
        match (ty, length) {
            (Type::List(of), n) if n <= MADE_UP => Some(Value::list(
                (**of).clone(),
                vec![Value::unknown((**of).clone()); n],
            )),
            (Type::Set(of), 0) => Some(Value::set((**of).clone(), [])),
            (Type::Set(of), 1) => {
                Some(Value::set((**of).clone(), [Value::unknown((**of).clone())]))
            }
            (Type::Map(of), 0) => Some(Value::map((**of).clone(), Entries::new())),
            _ => None,
        }
    }

    /// The value, where it is unknown surely not null. What has no type stays as it is.
    pub fn refined_not_null(self) -> Value {
        match self.kind() {
            Kind::Unknown(ty, r) if *ty != Type::Dynamic && !r.not_null => {
                let mut r = (**r).clone();
                r.not_null = true;
                Value::unknown_refined(ty.clone(), r).mark(self.marks())
            }
            _ => self,
        }
    }

    /// Whether it is surely not null.
    pub fn is_surely_not_null(&self) -> bool {
        match self.kind() {
            Kind::Null(_) => false,
            Kind::Unknown(_, r) => r.not_null,
            _ => true,
        }
    }

    /// How many elements it has, at least and at most: elements of a set that are unknown may turn
    /// out to be one.
    pub fn length_range(&self) -> (usize, usize) {
        match self.kind() {
            Kind::Set(_, items) => {
                let most = items.len();
                let open = most > 1 && !self.is_wholly_known();
                (if open { 1 } else { most }, most)
            }
            Kind::Unknown(Type::Tuple(items), _) => (items.len(), items.len()),
            Kind::Unknown(Type::Object(fields), _) => (fields.len(), fields.len()),
            Kind::Unknown(_, r) => (r.min_len.unwrap_or(0), r.max_len.unwrap_or(MAX_LENGTH)),
            _ => {
                let n = self.children().count();
                (n, n)
            }
        }
    }

    /// Whether it is certain how many elements it has.
    pub fn has_known_length(&self) -> bool {
        let (min, max) = self.length_range();
        min == max
    }
}
