//! The provider configurations of a tree of modules: `provider_config`, and which of them serves a
//! resource.
//!
//! 1. Each module has an entry for every provider block, for every provider it requires, and for
//!    every provider that its resources use.
//! 2. An entry without a block is the entry of the module's caller, where that has one: what a call
//!    passes by `providers`, or else the one of the same name.
//! 3. What is another's is not listed; its resources go by the other's key.

use super::{provider_source, source_address};
use std::collections::BTreeMap;
use weir_lang::{
    Config,
    config::describe::{ModuleView, ProviderName},
    ir::Body,
};

/// One configuration of a provider.
pub(super) struct ProviderConfig<'c> {
    /// The provider's local name.
    pub(super) name: String,
    /// Its source address.
    pub(super) source: String,
    pub(super) alias: Option<String>,
    pub(super) version: Option<&'c str>,
    /// The way to its module; empty for the root.
    pub(super) module: &'c str,
    /// What its block says.
    pub(super) body: Option<&'c Body>,
    /// The key of the one it stands for.
    parent: Option<String>,
}

/// All of them by key.
pub(super) struct ProviderConfigs<'c>(BTreeMap<String, ProviderConfig<'c>>);

impl<'c> ProviderConfigs<'c> {
    pub(super) fn of(config: &'c Config) -> ProviderConfigs<'c> {
        let mut out = ProviderConfigs(BTreeMap::new());
        out.add(config.root(), None);
        out
    }

    /// Those that stand for themselves.
    pub(super) fn own(&self) -> impl Iterator<Item = (&str, &ProviderConfig<'c>)> {
        let own = self.0.iter().filter(|(_, p)| p.parent.is_none());
        own.map(|(key, p)| (key.as_str(), p))
    }

    /// The key of the configuration that a module's resource is served by.
    pub(super) fn serving(&self, module: &str, provider: &ProviderName) -> String {
        let own = key(module, &provider.to_string());
        match self.0.get(&own).and_then(|p| p.parent.as_ref()) {
            Some(parent) => parent.clone(),
            None => own,
        }
    }

    fn add(&mut self, module: ModuleView<'c>, caller: Option<&str>) {
        for block in module.providers() {
            let entry = ProviderConfig {
                alias: block.provider.alias.clone(),
                body: Some(block.body),
                ..entry(module, &block.provider.name)
            };
            self.0
                .insert(key(module.path, &block.provider.to_string()), entry);
        }
        let required = module.required_providers();
        let aliases = required.iter().flat_map(|r| {
            let aliases = r.configuration_aliases.iter();
            aliases.map(|a| (a.clone(), r.name.clone(), None))
        });
        let plain = module.provider_names().into_iter();
        let plain = plain.chain(required.iter().map(|r| r.name.clone()));
        let plain = plain.map(|name| {
            let parent = caller.map(|path| key(path, &name));
            (name.clone(), name, parent)
        });
        for (local, name, parent) in aliases.chain(plain).collect::<Vec<_>>() {
            let key = key(module.path, &local);
            if !self.0.contains_key(&key) {
                let mut entry = entry(module, &name);
                entry.parent = parent.and_then(|parent| self.source(parent, &entry.source));
                self.0.insert(key, entry);
            }
        }
        for call in module.calls() {
            for (inner, outer) in &call.providers {
                let mut entry = entry(call.module, &inner.name);
                entry.name = inner.to_string();
                entry.version = None;
                let outer = key(module.path, &outer.to_string());
                entry.parent = self.source(outer, &entry.source);
                self.0
                    .insert(key(call.module.path, &inner.to_string()), entry);
            }
            self.add(call.module, Some(module.path));
        }
    }

    /// The configuration that stands for itself, from one that may stand for another.
    fn source(&self, key: String, source: &str) -> Option<String> {
        let entry = self.0.get(&key).filter(|e| e.source == source)?;
        Some(entry.parent.clone().unwrap_or(key))
    }
}

fn entry<'c>(module: ModuleView<'c>, name: &str) -> ProviderConfig<'c> {
    let required = module.required_providers();
    let required = required.iter().find(|r| r.name == name);
    ProviderConfig {
        name: name.to_owned(),
        source: match required.and_then(|r| r.source.as_deref()) {
            Some(source) => source_address(source),
            None => provider_source(name),
        },
        alias: None,
        version: required.and_then(|r| r.version.as_deref()),
        module: module.path,
        body: None,
        parent: None,
    }
}

fn key(path: &str, provider: &str) -> String {
    match path {
        "" => provider.to_owned(),
        path => format!("{path}:{provider}"),
    }
}
