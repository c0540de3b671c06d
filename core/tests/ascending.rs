//! Lookups in ascending order find what a search finds.

use std::collections::BTreeMap;
use weir_core::{Address, address::Ascending};

fn address(i: usize) -> Address {
    format!("a.b[{i}]").parse().expect("an address")
}

#[test]
fn what_is_there_is_found_and_what_is_not_is_not() {
    for step in [1, 2, 3, 7, 50] {
        let map: BTreeMap<Address, usize> =
            (0..200).step_by(step).map(|i| (address(i), i)).collect();
        for asked in [1, 2, 5, 11, 90] {
            let mut ascending = Ascending::new(&map);
            for i in (0..260).step_by(asked) {
                let address = address(i);
                let wanted = map.get(&address);
                assert_eq!(ascending.get(&address), wanted, "{i} of every {step}th");
                // It may be asked for again.
                assert_eq!(ascending.get(&address), wanted, "{i} of every {step}th");
            }
        }
    }
}
