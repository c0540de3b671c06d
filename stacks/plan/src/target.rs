//! `-target`: some instances, and what they depend on.

use crate::order::Dependencies;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};
use weir_core::{
    Address, Key, ModulePath, Object,
    address::{ParseAddressError, members},
    change::{Action, Change},
};

/// What the user named with `-target`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A module instance and all in it, or all instances of a module call.
    Module(ModulePath),
    /// All pods of a service.
    Service(ModulePath, String),
    /// All hosts of a site.
    Site(ModulePath, String),
    /// A resource, host or pod: one instance, or all where no key is named.
    Block(Address),
    /// A text in which `*` stands for any text, held against an instance, its block and each module
    /// it lies in: `module.a.*`, `terraform_data.x[*]`, `module.*["eu"]`.
    Pattern(String),
}

impl Target {
    /// Whether the instance was named.
    pub fn names(&self, address: &Address) -> bool {
        match self {
            Target::Module(path) => {
                address.module.0.len() >= path.0.len()
                    && path
                        .0
                        .iter()
                        .zip(&address.module.0)
                        .all(|((name, key), (n, k))| {
                            name == n && (*key == weir_core::Key::None || key == k)
                        })
            }
            Target::Service(module, name) => {
                address.module == *module
                    && matches!(&address.object, Object::Pod { service, .. } if service == name)
            }
            Target::Site(module, name) => {
                address.module == *module
                    && matches!(&address.object, Object::Host { site } if site == name)
            }
            Target::Block(block) => address.is_in(block),
            Target::Pattern(pattern) => {
                let is = |text: String| fits(pattern, &text);
                let modules = &address.module.0;
                is(address.to_string())
                    || is(address.block().to_string())
                    || (1..=modules.len())
                        .any(|n| is(ModulePath(modules[..n].to_vec()).to_string()))
            }
        }
    }
}

impl Target {
    /// Whether the text is of this pattern; of what is no pattern, whether it is this very text.
    pub fn is_text_of(&self, text: &str) -> bool {
        match self {
            Target::Pattern(pattern) => fits(pattern, text),
            _ => self.to_string() == text,
        }
    }

    /// Whether a block was named, or an instance of it: `written` has no keys
    /// ([`Address::written`]).
    pub fn names_block(&self, written: &Address) -> bool {
        let calls = |path: &ModulePath| {
            ModulePath(
                (path.0.iter())
                    .map(|(name, _)| (name.clone(), Key::None))
                    .collect(),
            )
        };
        match self {
            Target::Module(path) => Target::Module(calls(path)).names(written),
            Target::Service(m, name) => Target::Service(calls(m), name.clone()).names(written),
            Target::Site(m, name) => Target::Site(calls(m), name.clone()).names(written),
            Target::Block(address) => address.written() == *written,
            Target::Pattern(pattern) => Target::Pattern(without_keys(pattern)).names(written),
        }
    }
}

/// A pattern without what stands in brackets.
fn without_keys(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some((before, key)) = rest.split_once('[') {
        out.push_str(before);
        rest = key.split_once(']').map_or("", |(_, after)| after);
    }
    out + rest
}

impl FromStr for Target {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = match text.parse::<Address>() {
            Ok(address) => return Ok(Target::Block(address)),
            Err(error) => error,
        };
        // The parents of addresses are read by way of an address that lies in them.
        if let Ok(inside) = format!("{text}.pod.any").parse::<Address>()
            && let Object::Pod { service, .. } = inside.object
        {
            return Ok(Target::Service(inside.module, service.to_string()));
        }
        if let Ok(inside) = format!("{text}.host").parse::<Address>()
            && let Object::Host { site } = inside.object
        {
            return Ok(Target::Site(inside.module, site.to_string()));
        }
        match format!("{text}.any.any").parse::<Address>() {
            Ok(inside) if !inside.module.is_root() => Ok(Target::Module(inside.module)),
            _ if text.contains('*') => Ok(Target::Pattern(text.to_owned())),
            _ => Err(error),
        }
    }
}

/// Whether a text is of a pattern, without recursion.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where the last `*` stands, and how much of the text it takes.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dot = |m: &ModulePath| if m.is_root() { "" } else { "." };
        match self {
            Target::Module(path) => path.fmt(f),
            Target::Service(m, name) => write!(f, "{m}{}service.{name}", dot(m)),
            Target::Site(m, name) => write!(f, "{m}{}site.{name}", dot(m)),
            Target::Block(address) => address.fmt(f),
            Target::Pattern(pattern) => f.write_str(pattern),
        }
    }
}

/// The instances to plan for: the targets, what they depend on, and, for those that are deleted,
/// what depends on them and is deleted or replaced as well.
///
/// What state says may name a block as it is written, too: all its instances in all instances of
/// its module.
///
/// A dependency is one of blocks as they are written: it brings all instances of the block in all
/// instances of its module, as Terraform's does. Of a block that a target names, it brings what the
/// dependency itself says and no more. `behind` are the blocks that those which are named refer to
/// as they are written: what has no instances refers to them all the same.
pub fn select(
    changes: &BTreeMap<Address, Change>,
    dependencies: Dependencies<'_>,
    targets: &[Target],
    behind: &BTreeSet<Address>,
) -> BTreeSet<Address> {
    let mut dependents: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    for (user, used) in dependencies.state {
        for d in used {
            dependents.entry(d).or_default().push(user);
        }
    }
    let deletes = |a: &Address| changes.get(a).is_some_and(|c| c.action == Action::Delete);
    let mut selected: BTreeSet<Address> = changes
        .keys()
        .filter(|a| targets.iter().any(|t| t.names(a)))
        .cloned()
        .collect();
    let named: BTreeSet<Address> = selected.iter().map(Address::written).collect();
    let mut everywhere: BTreeMap<Address, Vec<&Address>> = BTreeMap::new();
    for address in changes.keys() {
        let block = everywhere.entry(address.written()).or_default();
        block.push(address);
    }
    let far = behind.iter().filter(|b| !named.contains(*b));
    let far = far.filter_map(|b| everywhere.get(b)).flatten();
    selected.extend(far.map(|a| (*a).clone()));
    let mut open: Vec<Address> = selected.iter().cloned().collect();
    let mut blocks: BTreeSet<&Address> = BTreeSet::new();
    let mut brought: BTreeSet<Address> = behind.difference(&named).cloned().collect();
    let mut ends: BTreeSet<Address> = BTreeSet::new();
    while let Some(address) = open.pop() {
        let mut take = |a: &Address| {
            if selected.insert(a.clone()) {
                open.push(a.clone());
            }
        };
        if deletes(&address) {
            let blocks = [address.block(), address.written()];
            let of_blocks = (blocks.iter())
                .filter(|b| ends.insert((*b).clone()))
                .filter_map(|b| dependents.get(b));
            let own = dependents
                .get(&address)
                .filter(|_| !blocks.contains(&address));
            for user in own.into_iter().chain(of_blocks).flatten() {
                if deletes(user) {
                    take(user);
                }
            }
        } else {
            for d in dependencies.config.get(&address).into_iter().flatten() {
                let block = d.written();
                if named.contains(&block) {
                    if d.key != Key::None || blocks.insert(d) {
                        members(dependencies.config, d).for_each(|(a, _)| take(a));
                    }
                } else if brought.insert(block.clone()) {
                    everywhere
                        .get(&block)
                        .into_iter()
                        .flatten()
                        .for_each(|a| take(a));
                }
            }
        }
    }
    selected
}

/// The instances to plan for without the excluded: those left out are what was named, what depends
/// on it by the configuration, and, as that stays as it is, what it uses by state and would be
/// deleted under it.
pub fn exclude(
    changes: &BTreeMap<Address, Change>,
    dependencies: Dependencies<'_>,
    excluded: &[Target],
) -> BTreeSet<Address> {
    let mut users: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    for (user, used) in dependencies.config {
        for d in used {
            users.entry(d).or_default().push(user);
        }
    }
    let mut out: BTreeSet<&Address> = changes
        .keys()
        .filter(|a| excluded.iter().any(|t| t.names(a)))
        .collect();
    let mut open: Vec<&Address> = out.iter().copied().collect();
    let mut blocks: BTreeSet<Address> = BTreeSet::new();
    while let Some(address) = open.pop() {
        let block = address.block();
        let of_block = users.get(&block).filter(|_| blocks.insert(block.clone()));
        let own = users.get(address).filter(|_| *address != block);
        let stored = dependencies.state.get(address).into_iter().flatten();
        let gone = stored
            .flat_map(|d| members(changes, d))
            .filter(|(_, c)| c.action == Action::Delete)
            .map(|(a, _)| a);
        for next in own
            .into_iter()
            .chain(of_block)
            .flatten()
            .copied()
            .chain(gone)
        {
            if out.insert(next) {
                open.push(next);
            }
        }
    }
    let left = changes.keys().filter(|a| !out.contains(a));
    left.cloned().collect()
}
