//! What state records as dependencies: of managed instances alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use weir_core::{Address, Object, address::members};

/// Data sources and ephemeral resources are not in state, so that what lies behind them stands in
/// their place. What that is, is worked out once for each of them and each block of them: ask only
/// for those whose dependencies are complete.
#[derive(Default)]
pub(crate) struct Behind {
    known: BTreeMap<Address, Arc<BTreeSet<Address>>>,
}

impl Behind {
    /// The instances and blocks that state records as dependencies of an instance.
    pub(crate) fn recorded(
        &mut self,
        address: &Address,
        dependencies: &BTreeMap<Address, Vec<Address>>,
    ) -> BTreeSet<Address> {
        match dependencies.get(address) {
            Some(direct) => self.of(address, direct, dependencies),
            None => BTreeSet::new(),
        }
    }

    /// As [`Behind::recorded`], of an instance whose direct dependencies are at hand.
    pub(crate) fn of(
        &mut self,
        address: &Address,
        direct: &[Address],
        dependencies: &BTreeMap<Address, Vec<Address>>,
    ) -> BTreeSet<Address> {
        let mut found = BTreeSet::new();
        for d in direct {
            match is_unstored(d) {
                true => found.extend(self.behind(d, dependencies).iter().cloned()),
                false => drop(found.insert(d.clone())),
            }
        }
        found.retain(|d| !address.is_in(d));
        found
    }

    /// What lies behind a data source or a block of them. Depth-first without recursion.
    fn behind(
        &mut self,
        root: &Address,
        dependencies: &BTreeMap<Address, Vec<Address>>,
    ) -> Arc<BTreeSet<Address>> {
        let used = |d: &Address| -> Vec<Address> {
            let each = members(dependencies, d).flat_map(|(_, used)| used);
            each.cloned().collect()
        };
        let mut entered: BTreeSet<Address> = BTreeSet::new();
        let mut stack = vec![(root.clone(), false)];
        while let Some((at, leaving)) = stack.pop() {
            if self.known.contains_key(&at) {
                continue;
            }
            if !leaving {
                if entered.insert(at.clone()) {
                    stack.push((at.clone(), true));
                    let next = used(&at).into_iter().filter(is_unstored);
                    stack.extend(next.map(|d| (d, false)));
                }
                continue;
            }
            let mut found = BTreeSet::new();
            for d in used(&at) {
                match self.known.get(&d) {
                    Some(behind) => found.extend(behind.iter().cloned()),
                    None if is_unstored(&d) => {}
                    None => drop(found.insert(d)),
                }
            }
            self.known.insert(at, Arc::new(found));
        }
        self.known.get(root).cloned().unwrap_or_default()
    }
}

/// Whether state never has it.
fn is_unstored(address: &Address) -> bool {
    matches!(
        address.object,
        Object::Data { .. } | Object::Ephemeral { .. }
    )
}
