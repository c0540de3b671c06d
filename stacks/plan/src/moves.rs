//! `moved` statements held against state: which object has which address from now on.
//!
//! 1. The statements are put in order: one whose `from` is what another's `to` makes comes after
//!    it, and of two where one's end lies in the other's, the one that says where things are now
//!    comes first.
//! 2. Each is applied to what is there by then: a whole module, a whole resource, or one instance.
//!    Where something stands at the new address already, it stays and the move is blocked.
//! 3. What state has as `a` where the configuration now has `count` is `a[0]`, and the other way
//!    round, unless a statement says otherwise.
//! 4. Dependencies follow what they name ([`relocate`]).
//!
//! What stands against a statement itself is found by [`validate`].

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};
use weir_core::{
    Address, Diagnostic, Diagnostics, Key, ModulePath, Object, address::members, snapshot::Snapshot,
};
use weir_lang::{Config, End, Endpoint, Move, Repetition, StepKey};

/// What the statements come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// Where each object that moved was before, by where it is now.
    pub from: BTreeMap<Address, Address>,
    /// Objects that could not move, as another stands where they should go.
    pub blocked: Vec<(Address, Address)>,
}

impl Moved {
    /// A warning for the moves that are blocked.
    pub fn warning(&self) -> Option<Diagnostic> {
        if self.blocked.is_empty() {
            return None;
        }
        let list: Vec<String> = self
            .blocked
            .iter()
            .map(|(from, to)| format!("{from} can't become {to}"))
            .collect();
        Some(
            Diagnostic::warning("some objects could not be moved")
                .because(format!(
                    "Another object has the new address already: {}. What the configuration does \
                     not have any more is planned for deletion.",
                    list.join("; ")
                ))
                .help("Remove the `moved` block, or `weir state rm` the object in the way."),
        )
    }
}

/// Applies the statements to state.
///
/// # Errors
/// The statements go round in a circle.
pub fn moved(config: &Config, snapshot: &Snapshot) -> Result<Moved, Diagnostics> {
    let statements = config.moves();
    // Only an object without a key can belong to a block that repeats by now: as a rule none does.
    let repeats = config.repeats();
    let can_have_another = |a: &&Address| repeats || a.key != Key::None;
    let mut addresses = snapshot.resources.keys().filter(can_have_another);
    if statements.is_empty() && addresses.all(|a| other_key(config, a).is_none()) {
        return Ok(Moved::default());
    }
    let mut work = Work::new(snapshot);
    for i in in_order(statements)? {
        work.apply(&statements[i].from, &statements[i].to);
    }
    work.repetition(config, statements);
    Ok(Moved {
        from: work
            .at
            .into_iter()
            .filter(|(now, before)| **now != **before)
            .map(|(now, before)| (now.into_owned(), before.clone()))
            .collect(),
        blocked: work.blocked,
    })
}

/// State with its objects at their new addresses; the serial stays. `from` has the old address of
/// each that moved.
pub fn relocate<'a>(
    snapshot: &'a Snapshot,
    from: &BTreeMap<Address, Address>,
) -> Cow<'a, Snapshot> {
    if from.is_empty() {
        return Cow::Borrowed(snapshot);
    }
    let to: BTreeMap<&Address, &Address> = from.iter().map(|(to, from)| (from, to)).collect();
    let mut blocks: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
    let mut out = Snapshot {
        resources: BTreeMap::new(),
        ..snapshot.clone()
    };
    for (address, resource) in &snapshot.resources {
        let now = to.get(address).map_or(address, |a| *a).clone();
        let mut resource = resource.clone();
        let old = std::mem::take(&mut resource.dependencies);
        for d in old {
            if d.key != Key::None {
                resource
                    .dependencies
                    .insert(to.get(&d).map_or(d.clone(), |a| (*a).clone()));
                continue;
            }
            let new = blocks
                .entry(d)
                .or_insert_with_key(|d| of_block(snapshot, &to, d));
            resource.dependencies.extend(new.iter().cloned());
        }
        out.resources.insert(now, resource);
    }
    out.settle_edges(&BTreeMap::new());
    Cow::Owned(out)
}

/// What a dependency on a whole block is after the move.
fn of_block(
    snapshot: &Snapshot,
    to: &BTreeMap<&Address, &Address>,
    block: &Address,
) -> BTreeSet<Address> {
    let mut found = BTreeSet::new();
    for (member, _) in members(&snapshot.resources, block) {
        found.insert(match to.get(member) {
            None => block.clone(),
            Some(now) if now.key == member.key => now.block(),
            Some(now) => (*now).clone(),
        });
    }
    found
}

/// Objects on their way.
struct Work<'s> {
    /// Where each object was in state, by where it is by now.
    at: BTreeMap<Cow<'s, Address>, &'s Address>,
    /// The instances of modules that have, or had, an object of their own.
    modules: BTreeSet<ModulePath>,
    blocked: Vec<(Address, Address)>,
}

impl<'s> Work<'s> {
    fn new(snapshot: &'s Snapshot) -> Work<'s> {
        let mut modules = BTreeSet::new();
        for address in snapshot.resources.keys() {
            if !modules.contains(&address.module) {
                modules.insert(address.module.clone());
            }
        }
        Work {
            modules,
            at: snapshot
                .resources
                .keys()
                .map(|a| (Cow::Borrowed(a), a))
                .collect(),
            blocked: Vec::new(),
        }
    }

    /// The objects of a module instance itself.
    fn of_module(&self, path: &ModulePath) -> Vec<Address> {
        let first = Address {
            module: path.clone(),
            object: Object::Managed {
                ty: Default::default(),
                name: Default::default(),
            },
            key: Key::None,
        };
        let these = self
            .at
            .range::<Address, _>(&first..)
            .take_while(|(a, _)| a.module == *path);
        these.map(|(a, _)| Address::clone(a)).collect()
    }

    /// The instances of a block.
    fn of_block(&self, block: &Address) -> impl Iterator<Item = &Address> {
        let from = self.at.range::<Address, _>(block..);
        from.map(|(a, _)| &**a).take_while(|a| a.is_in(block))
    }

    fn apply(&mut self, from: &Endpoint, to: &Endpoint) {
        let fitting: Vec<(ModulePath, ModulePath)> = self
            .modules
            .iter()
            .filter_map(|m| Some((m.clone(), destination(from, to, m)?)))
            .collect();
        for (module, target) in fitting {
            match (&from.end, &to.end) {
                (End::Module, End::Module) => self.module(&module, &target),
                (
                    End::Object { object, key },
                    End::Object {
                        object: new_object,
                        key: new_key,
                    },
                ) => {
                    let at = |module: &ModulePath, object: &Object, key: &Key| Address {
                        module: module.clone(),
                        object: object.clone(),
                        key: key.clone(),
                    };
                    let old = at(&module, object, key);
                    let new = at(&target, new_object, new_key);
                    match (key, new_key) {
                        (Key::None, Key::None) => self.resource(&old, &new),
                        _ => self.instance(&old, &new),
                    }
                }
                _ => {}
            }
        }
    }

    /// A module instance with its objects; those in modules within it are moved by themselves.
    fn module(&mut self, old: &ModulePath, new: &ModulePath) {
        let objects = self.of_module(old);
        let taken = !self.of_module(new).is_empty();
        for from in objects {
            let to = Address {
                module: new.clone(),
                ..from.clone()
            };
            match taken {
                true => self.blocked.push((from, to)),
                false => self.put(&from, to),
            }
        }
    }

    /// A resource with all its instances.
    fn resource(&mut self, old: &Address, new: &Address) {
        let objects: Vec<Address> = self.of_block(old).cloned().collect();
        let taken = self.of_block(new).next().is_some();
        for from in objects {
            let to = Address {
                key: from.key.clone(),
                ..new.clone()
            };
            match taken {
                true => self.blocked.push((from, to)),
                false => self.put(&from, to),
            }
        }
    }

    fn instance(&mut self, old: &Address, new: &Address) {
        if !self.at.contains_key(old) {
            return;
        }
        match self.at.contains_key(new) {
            true => self.blocked.push((old.clone(), new.clone())),
            false => self.put(old, new.clone()),
        }
    }

    fn put(&mut self, from: &Address, to: Address) {
        if let Some(origin) = self.at.remove(from) {
            if !self.modules.contains(&to.module) {
                self.modules.insert(to.module.clone());
            }
            self.at.insert(Cow::Owned(to), origin);
        }
    }

    /// `a` to `a[0]` where the block has `count` by now, and back where it has neither `count` nor
    /// `for_each`. What a statement names is left to the statement.
    fn repetition(&mut self, config: &Config, statements: &[Move]) {
        let single = self.at.keys();
        let changed: Vec<(Address, Key)> = single
            .filter_map(|a| Some((Address::clone(a), other_key(config, a)?)))
            .collect();
        for (from, key) in changed {
            let to = Address {
                key,
                ..from.clone()
            };
            let said = |a: &Address| {
                statements.iter().any(|s| {
                    let exact = |e: &Endpoint| match &e.end {
                        End::Object { .. } => e.holds(a) && is_instance_move(s),
                        End::Module => false,
                    };
                    exact(&s.from) || exact(&s.to)
                })
            };
            // Not worth a warning: what stands at the new address is what the block makes.
            if !said(&from) && !said(&to) && !self.at.contains_key(&to) {
                self.put(&from, to);
            }
        }
    }
}

/// The key that an object without one, or the first of several, has as its block repeats by now.
fn other_key(config: &Config, address: &Address) -> Option<Key> {
    if !matches!(address.key, Key::None | Key::Index(0)) {
        return None;
    }
    match (&address.key, config.repetition(address)?) {
        (Key::None, Repetition::Count) => Some(Key::Index(0)),
        (Key::Index(0), Repetition::Once) => Some(Key::None),
        _ => None,
    }
}

/// Whether a statement is about one instance, rather than a resource with all of them.
fn is_instance_move(statement: &Move) -> bool {
    let keyed = |e: &Endpoint| matches!(&e.end, End::Object { key, .. } if *key != Key::None);
    keyed(&statement.from) || keyed(&statement.to)
}

/// Whether both ends are calls of modules without keys: every instance keeps its own.
fn is_whole_call(from: &Endpoint, to: &Endpoint) -> bool {
    let bare = |e: &Endpoint| {
        e.end == End::Module
            && e.modules
                .last()
                .is_some_and(|s| s.key == StepKey::Is(Key::None))
    };
    bare(from) && bare(to)
}

/// The module that takes the place of this one, if the statement is about what lies in it.
fn destination(from: &Endpoint, to: &Endpoint, module: &ModulePath) -> Option<ModulePath> {
    let within = from.end == End::Module;
    let long_enough = match within {
        true => module.0.len() >= from.modules.len(),
        false => module.0.len() == from.modules.len(),
    };
    let whole = is_whole_call(from, to);
    let last = from.modules.len().checked_sub(1);
    let fits = from.modules.iter().zip(&module.0).enumerate();
    let fits = long_enough
        && fits.into_iter().all(|(i, (step, (name, key)))| {
            step.name == *name
                && match &step.key {
                    StepKey::Any => true,
                    StepKey::Is(_) if whole && Some(i) == last => true,
                    StepKey::Is(wanted) => wanted == key,
                }
        });
    if !fits {
        return None;
    }
    let mut path = Vec::with_capacity(to.modules.len());
    for (i, step) in to.modules.iter().enumerate() {
        let key = match &step.key {
            // Both ends are seen from the same module, so that these steps are its own path.
            StepKey::Any => module.0.get(i)?.1.clone(),
            StepKey::Is(_) if whole && i + 1 == to.modules.len() => module.0[last?].1.clone(),
            StepKey::Is(key) => key.clone(),
        };
        path.push((step.name.as_str().into(), key));
    }
    path.extend(module.0[from.modules.len()..].iter().cloned());
    Some(ModulePath(path))
}

/// Whether what one end names lies in what the other names.
fn lies_in(inner: &Endpoint, outer: &Endpoint) -> bool {
    let steps_fit = |n: usize| {
        let steps = inner.modules.iter().zip(&outer.modules).take(n);
        steps.enumerate().all(|(i, (a, b))| {
            let bare = outer.end == End::Module && i + 1 == outer.modules.len();
            a.name == b.name
                && (a.key == b.key
                    || a.key == StepKey::Any
                    || b.key == StepKey::Any
                    || bare && b.key == StepKey::Is(Key::None))
        })
    };
    match (&outer.end, &inner.end) {
        (End::Module, End::Module) => {
            inner.modules.len() > outer.modules.len() && steps_fit(outer.modules.len())
        }
        (End::Module, End::Object { .. }) => {
            inner.modules.len() >= outer.modules.len() && steps_fit(outer.modules.len())
        }
        (
            End::Object {
                object: a,
                key: Key::None,
            },
            End::Object { object: b, key },
        ) => {
            *key != Key::None
                && a == b
                && inner.modules.len() == outer.modules.len()
                && steps_fit(outer.modules.len())
        }
        _ => false,
    }
}

/// Whether two ends may name the same.
fn same_end(a: &Endpoint, b: &Endpoint) -> bool {
    a.end == b.end
        && a.modules.len() == b.modules.len()
        && a.modules.iter().zip(&b.modules).all(|(a, b)| {
            a.name == b.name && (a.key == b.key || a.key == StepKey::Any || b.key == StepKey::Any)
        })
}

/// Whether `b` must be applied before `a`.
fn comes_after(a: &Move, b: &Move) -> bool {
    same_end(&a.from, &b.to)
        || lies_in(&a.from, &b.to)
        || lies_in(&a.to, &b.to)
        || lies_in(&b.from, &a.from)
        || lies_in(&b.to, &a.from)
}

/// The statements' numbers in the order they are applied in.
fn in_order(statements: &[Move]) -> Result<Vec<usize>, Diagnostics> {
    let count = statements.len();
    // Statements can only concern each other where their ends share a name.
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut names = Vec::with_capacity(count);
    for (i, s) in statements.iter().enumerate() {
        let of = [root_name(&s.from), root_name(&s.to)];
        for name in of.iter().copied().collect::<BTreeSet<_>>() {
            by_name.entry(name).or_default().push(i);
        }
        names.push(of);
    }
    let mut later: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut missing = vec![0_usize; count];
    for (a, of) in names.iter().enumerate() {
        let near: BTreeSet<usize> = of
            .iter()
            .filter_map(|n| by_name.get(n))
            .flatten()
            .copied()
            .collect();
        for b in near {
            if a != b && comes_after(&statements[a], &statements[b]) {
                later[b].push(a);
                missing[a] += 1;
            }
        }
    }
    let mut open: BTreeSet<usize> = (0..count).filter(|&i| missing[i] == 0).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(i) = open.pop_first() {
        order.push(i);
        for &next in &later[i] {
            missing[next] -= 1;
            if missing[next] == 0 {
                open.insert(next);
            }
        }
    }
    if order.len() == count {
        return Ok(order);
    }
    let circle: Vec<String> = (0..count)
        .filter(|&i| missing[i] > 0)
        .map(|i| {
            let s = &statements[i];
            format!("{}: {} to {}", s.span, s.from, s.to)
        })
        .collect();
    Err(Diagnostic::error("the `moved` blocks go round in a circle")
        .because(format!("They wait for each other: {}.", circle.join("; ")))
        .help("Remove one of them.")
        .into())
}

/// The first module's name, or that of the block in the root module.
fn root_name(end: &Endpoint) -> &str {
    match (end.modules.first(), &end.end) {
        (Some(step), _) => &step.name,
        (None, End::Object { object, .. }) => match object {
            Object::Managed { name, .. }
            | Object::Data { name, .. }
            | Object::Ephemeral { name, .. } => name,
            Object::Host { site } => site,
            Object::Pod { service, .. } => service,
        },
        (None, End::Module) => "",
    }
}

/// What the evaluated configuration has.
pub trait Declared {
    /// Whether it has the instance.
    fn instance(&self, address: &Address) -> bool;
    /// Whether it has the instance of a module.
    fn module(&self, path: &ModulePath) -> bool;
}

/// What stands against the statements themselves.
pub fn validate(config: &Config, declared: &impl Declared) -> Diagnostics {
    let mut found = Diagnostics::new();
    // What a statement about a whole call or resource names is another thing than the instance
    // without a key, though it reads the same.
    let mut from: BTreeMap<(bool, &Endpoint), &Move> = BTreeMap::new();
    let mut to: BTreeMap<(bool, &Endpoint), &Move> = BTreeMap::new();
    for statement in config.moves() {
        let mut say = |d: Diagnostic| found.push(config.sources().point(d, &statement.span));
        if statement.from == statement.to {
            say(
                Diagnostic::error(format!("{} is moved to itself", statement.from))
                    .because("Both ends of the `moved` block name the same address.")
                    .help("Remove the block."),
            );
            continue;
        }
        let whole = match statement.from.end {
            End::Module => is_whole_call(&statement.from, &statement.to),
            End::Object { .. } => !is_instance_move(statement),
        };
        if let Some(first) = from.insert((whole, &statement.from), statement)
            && first.to != statement.to
        {
            say(
                Diagnostic::error(format!("{} is moved twice", statement.from))
                    .because(format!(
                        "It becomes {} here, and {} at {}.",
                        statement.to, first.to, first.span
                    ))
                    .help("Keep one of the two `moved` blocks."),
            );
        }
        if let Some(first) = to.insert((whole, &statement.to), statement)
            && first.from != statement.from
        {
            say(
                Diagnostic::error(format!("two things are moved to {}", statement.to))
                    .because(format!(
                        "{} becomes it here, and {} at {}.",
                        statement.from, first.from, first.span
                    ))
                    .help("Keep one of the two `moved` blocks."),
            );
        }
        if let Some(place) = still_there(config, statement, declared) {
            say(
                Diagnostic::error(format!("{} is moved, and is still there", statement.from))
                    .because(format!(
                        "{place}, so that it can't be {} as well.",
                        statement.to
                    ))
                    .help("Give that block its new name too, or remove the `moved` block."),
            );
        }
    }
    found
}

/// Where the old end is still in the configuration.
fn still_there(config: &Config, statement: &Move, declared: &impl Declared) -> Option<String> {
    let at = config.declared(&statement.from)?;
    let exact = |end: &Endpoint| {
        let mut path = ModulePath::root();
        for step in &end.modules {
            let StepKey::Is(key) = &step.key else {
                return None;
            };
            path = path.child(step.name.clone(), key.clone());
        }
        Some(path)
    };
    match &statement.from.end {
        End::Object { object, key } if is_instance_move(statement) => {
            let address = Address {
                module: exact(&statement.from)?,
                object: object.clone(),
                key: key.clone(),
            };
            declared
                .instance(&address)
                .then(|| format!("The block at {at} makes {address}"))
        }
        End::Module if !is_whole_call(&statement.from, &statement.to) => {
            let path = exact(&statement.from)?;
            declared
                .module(&path)
                .then(|| format!("The block at {at} makes {path}"))
        }
        _ => Some(format!("Its block stands at {at}")),
    }
}
