//! Small things the tests of this crate share.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use weir_core::{
    Address, Known, Value,
    address::ProviderRef,
    change::{Action, Change, Reason},
};

pub fn address(name: &str) -> Address {
    format!("t.{name}").parse().unwrap()
}

pub fn provider() -> ProviderRef {
    ProviderRef::new("fake")
}

pub fn known(text: &str) -> Known {
    Known::new(Value::from(text)).unwrap()
}

pub fn change(address: &Address, action: Action) -> Change {
    Change {
        address: address.clone(),
        action,
        reason: Reason::UpToDate,
        before: None,
        after: None,
        provider: provider(),
        private: Vec::new(),
        batch: None,
        moved_from: None,
        import: None,
    }
}
