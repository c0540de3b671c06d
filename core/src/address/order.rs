//! The order of addresses: by module, object and key, names by their bytes.
//!
//! Plans and states are trees of addresses, and nearly all of a lookup in one is comparisons that
//! find the same type again: names are compared by words.

use super::{Key, Name, Object};
use std::cmp::Ordering;

/// Names by their bytes, as text is ordered.
fn names(a: &Name, b: &Name) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let common = a.len().min(b.len());
    prefixes(&a[..common], &b[..common]).then_with(|| a.len().cmp(&b.len()))
}

/// Texts of one length. The last word may begin in the one before it: what both have in common is
/// equal by then.
fn prefixes(a: &[u8], b: &[u8]) -> Ordering {
    let (Some(a_last), Some(b_last)) = (a.last_chunk::<8>(), b.last_chunk::<8>()) else {
        return a.iter().cmp(b);
    };
    let word = |bytes: &[u8; 8]| u64::from_be_bytes(*bytes);
    let whole = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    for (a, b) in whole {
        if a != b {
            return word(a).cmp(&word(b));
        }
    }
    word(a_last).cmp(&word(b_last))
}

impl Object {
    /// Its place among the kinds, and the two names that tell it apart from others of its kind.
    fn parts(&self) -> (u8, &Name, Option<&Name>) {
        match self {
            Object::Managed { ty, name } => (0, ty, Some(name)),
            Object::Data { ty, name } => (1, ty, Some(name)),
            Object::Ephemeral { ty, name } => (2, ty, Some(name)),
            Object::Host { site } => (3, site, None),
            Object::Pod { service, pod } => (4, service, Some(pod)),
        }
    }
}

impl Ord for Object {
    fn cmp(&self, other: &Object) -> Ordering {
        let ((kind, first, second), (other_kind, other_first, other_second)) =
            (self.parts(), other.parts());
        let firsts = || names(first, other_first);
        kind.cmp(&other_kind)
            .then_with(firsts)
            .then_with(|| match (second, other_second) {
                (Some(a), Some(b)) => names(a, b),
                // Of one kind both have it, or neither.
                (a, b) => a.is_some().cmp(&b.is_some()),
            })
    }
}

impl PartialOrd for Object {
    fn partial_cmp(&self, other: &Object) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::None, Key::None) => Ordering::Equal,
            (Key::None, _) => Ordering::Less,
            (_, Key::None) => Ordering::Greater,
            (Key::Index(a), Key::Index(b)) => a.cmp(b),
            (Key::Index(_), Key::Name(_)) => Ordering::Less,
            (Key::Name(_), Key::Index(_)) => Ordering::Greater,
            (Key::Name(a), Key::Name(b)) => names(a, b),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
