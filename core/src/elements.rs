//! The elements of a set.

use crate::value::Value;

/// Elements of a set, in order and each once. Two that are not wholly known may turn out to differ,
/// so they both stay, even where they look alike.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Elements(Vec<Value>);

impl Elements {
    /// The elements, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Value> {
        self.0.iter()
    }
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Those that are in `other` too.
    pub fn intersection<'a>(&'a self, other: &'a Elements) -> impl Iterator<Item = &'a Value> {
        self.iter().filter(|v| other.contains(v))
    }
    /// Those that are not in `other`.
    pub fn difference<'a>(&'a self, other: &'a Elements) -> impl Iterator<Item = &'a Value> {
        self.iter().filter(|v| !other.contains(v))
    }
    /// Whether that value is among them, just as it is.
    pub fn contains(&self, value: &Value) -> bool {
        self.0.binary_search(value).is_ok()
    }
}

impl FromIterator<Value> for Elements {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Elements {
        let mut items: Vec<Value> = items.into_iter().collect();
        items.sort();
        items.dedup_by(|a, b| a == b && a.is_wholly_known());
        Elements(items)
    }
}

impl<'a> IntoIterator for &'a Elements {
    type Item = &'a Value;
    type IntoIter = std::slice::Iter<'a, Value>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
