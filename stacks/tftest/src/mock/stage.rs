//! What a run mocks and overrides: which values stand in the place of a provider's.

use crate::syntax::{During, MockedKind};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};
use weir_core::{Address, Key, Known, Object, Value};

/// A mocked provider configuration, its values evaluated.
#[derive(Debug, Default)]
pub(crate) struct Mock {
    pub(crate) defaults: BTreeMap<(MockedKind, String), Option<Value>>,
    pub(crate) overrides: Vec<Override>,
    pub(crate) during: During,
}

/// An overridden resource or data source.
#[derive(Debug, Clone)]
pub(crate) struct Override {
    pub(crate) target: Address,
    pub(crate) values: Option<Value>,
    pub(crate) during: Option<During>,
}

/// All that one run puts in the place of providers.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    /// By name and alias: `aws`, `aws.west`.
    pub(crate) mocks: BTreeMap<String, Mock>,
    /// Of the run and of the file, the run's first.
    pub(crate) overrides: Vec<Override>,
    /// What data sources gave.
    pub(crate) data: Mutex<BTreeMap<String, Known>>,
}

/// What stands in the place of one object's provider.
pub(crate) struct Standin<'a> {
    pub(crate) values: Option<&'a Value>,
    pub(crate) during: During,
}

impl Stage {
    /// What stands in for the provider of this instance; `None` where the provider itself serves
    /// it. `mock` names the mocked configuration that serves it, where one does.
    pub(crate) fn standin(&self, mock: Option<&str>, address: &str) -> Option<Standin<'_>> {
        let address: Option<Address> = address.parse().ok();
        let names = |o: &&Override| address.as_ref().is_some_and(|a| named(&o.target, a));
        let mock = mock.and_then(|name| self.mocks.get(name));
        let during = mock.map(|m| m.during).unwrap_or_default();
        let of_run = self.overrides.iter().find(names);
        let found = of_run.or_else(|| mock.and_then(|m| m.overrides.iter().find(names)));
        if let Some(found) = found {
            return Some(Standin {
                values: found.values.as_ref(),
                during: found.during.unwrap_or(during),
            });
        }
        let kind = match address.as_ref().map(|a| &a.object) {
            Some(Object::Data { .. }) => MockedKind::Data,
            _ => MockedKind::Resource,
        };
        let ty = address.map(|a| a.object.type_name().to_owned());
        let defaults = ty.and_then(|ty| mock?.defaults.get(&(kind, ty)));
        mock.map(|_| Standin {
            values: defaults.and_then(Option::as_ref),
            during,
        })
    }

    /// Keeps what a data source gave.
    pub(crate) fn keep(&self, address: &str, value: &Known) {
        let mut data = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        data.insert(address.to_owned(), value.clone());
    }

    /// What a data source gave.
    pub(crate) fn kept(&self, address: &Address) -> Option<Known> {
        let data = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        data.get(&address.to_string()).cloned()
    }
}

/// Whether a target names the instance. Where it has no key, any will do.
fn named(target: &Address, address: &Address) -> bool {
    let steps = &target.module.0;
    let any = |wanted: &Key, key: &Key| *wanted == Key::None || wanted == key;
    steps.len() == address.module.0.len()
        && steps
            .iter()
            .zip(&address.module.0)
            .all(|((name, key), (n, k))| name == n && any(key, k))
        && target.object == address.object
        && any(&target.key, &address.key)
}
