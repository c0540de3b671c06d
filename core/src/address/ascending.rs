//! Lookups in ascending order.

use super::Address;
use std::{
    cmp::Ordering,
    collections::{BTreeMap, btree_map::Range},
    iter::Peekable,
};

/// So many neighbours are looked at before the map is searched.
const NEAR: usize = 4;

/// Looks up addresses in a map, each at or after the one before: what stands next to what was found
/// last is found without a search.
pub struct Ascending<'a, V> {
    of: &'a BTreeMap<Address, V>,
    ahead: Peekable<Range<'a, Address, V>>,
}

impl<'a, V> Ascending<'a, V> {
    /// At the beginning of a map.
    pub fn new(of: &'a BTreeMap<Address, V>) -> Self {
        Ascending {
            of,
            ahead: of.range::<Address, _>(..).peekable(),
        }
    }

    /// What stands at an address. Of one before the last that was asked for it finds nothing.
    pub fn get(&mut self, address: &Address) -> Option<&'a V> {
        for _ in 0..NEAR {
            let (next, value) = self.ahead.peek()?;
            match (*next).cmp(address) {
                Ordering::Less => drop(self.ahead.next()),
                Ordering::Equal => return Some(value),
                Ordering::Greater => return None,
            }
        }
        self.ahead = self.of.range(address..).peekable();
        let (next, value) = self.ahead.peek()?;
        (*next == address).then_some(*value)
    }
}
