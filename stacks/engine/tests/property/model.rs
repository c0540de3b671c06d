//! A stack as data, and what a person does to it between two runs.

use std::collections::BTreeSet;

/// A stack: blocks in an order in which each may name those before it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stack {
    pub(crate) blocks: Vec<Block>,
    pub(crate) notes: Vec<Note>,
    /// How the two modules are repeated.
    pub(crate) modules: [Repeat; 2],
    /// What all of a module waits for, by label.
    pub(crate) module_after: [Option<u8>; 2],
    next: u8,
    /// Blocks that moved in this step already: once is enough.
    told: BTreeSet<u8>,
}

/// A block. Its label is its name for ever.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) label: u8,
    /// Its name counts its renames.
    pub(crate) name: u8,
    pub(crate) kind: Kind,
    pub(crate) home: Home,
    pub(crate) repeat: Repeat,
    pub(crate) size: u8,
    pub(crate) zone: u8,
    pub(crate) create_first: bool,
    pub(crate) ignore_tags: bool,
    pub(crate) borrowed: bool,
    pub(crate) uses: Vec<Use>,
    pub(crate) after: Vec<u8>,
    pub(crate) triggers: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `fake_thing`
    Thing,
    /// `terraform_data`
    Data,
    /// `data "fake_lookup"` of the thing that it uses.
    Lookup,
}

/// Which module a block is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    Root,
    Module(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Repeat {
    #[default]
    One,
    Count(u8),
    /// A `for_each` over the keys `k0`, `k1` and `k2`, as bits.
    Keys(u8),
}

/// One block names another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Use {
    pub(crate) label: u8,
    pub(crate) how: How,
    pub(crate) attribute: Attribute,
    /// One instance of it, where it has so many; all of them otherwise.
    pub(crate) nth: Option<u8>,
}

/// Where the value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Tag,
    Zone,
    Size,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attribute {
    Id,
    Endpoint,
}

#[derive(Debug, Clone)]
pub(crate) enum Note {
    Moved {
        from: String,
        to: String,
    },
    Removed {
        from: String,
        destroy: bool,
    },
    /// Of this many-th object that nobody has.
    Import {
        label: u8,
        which: u8,
    },
}

/// One change by a person. Numbers pick among what is there.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Add {
        kind: Kind,
        home: Home,
        repeat: Repeat,
        uses: Vec<(u8, How, Attribute, Option<u8>)>,
        zone: u8,
        create_first: bool,
        import: Option<u8>,
    },
    Remove(u8, Gone),
    Size(u8, u8),
    Zone(u8, u8),
    CreateFirst(u8, bool),
    Ignore(u8, bool),
    Borrow(u8, bool),
    Repeat(u8, Repeat, bool),
    Use(u8, u8, How, Attribute, Option<u8>),
    Unuse(u8),
    After(u8, u8),
    Trigger(u8, u8),
    Rename(u8, bool),
    Rehome(u8, Home),
    Modules(u8, Repeat),
    ModuleAfter(u8, u8),
    /// The order of two blocks turns round.
    Turn(u8, u8),
}

/// How a block goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone {
    Silently,
    Destroyed,
    Forgotten,
}

impl Repeat {
    pub(crate) fn keys(self) -> Vec<String> {
        match self {
            Repeat::One => vec![String::new()],
            Repeat::Count(n) => (0..n).map(|i| format!("[{i}]")).collect(),
            Repeat::Keys(bits) => (0..3)
                .filter(|i| bits >> i & 1 == 1)
                .map(|i| format!("[\"k{i}\"]"))
                .collect(),
        }
    }
}

impl Block {
    pub(crate) fn ty(&self) -> &'static str {
        match self.kind {
            Kind::Thing => "fake_thing",
            Kind::Data => "terraform_data",
            Kind::Lookup => "data.fake_lookup",
        }
    }

    /// As it is named in its own module.
    pub(crate) fn local(&self) -> String {
        format!("{}.r{}_{}", self.ty(), self.label, self.name)
    }

    /// As it is named from outside, without keys.
    pub(crate) fn path(&self) -> String {
        match self.home {
            Home::Root => self.local(),
            Home::Module(m) => format!("module.m{m}.{}", self.local()),
        }
    }
}

impl Stack {
    pub(crate) fn get(&self, label: u8) -> Option<&Block> {
        self.blocks.iter().find(|b| b.label == label)
    }

    fn at(&self, pick: u8) -> Option<usize> {
        (!self.blocks.is_empty()).then(|| usize::from(pick) % self.blocks.len())
    }

    pub(crate) fn pick(&self, pick: u8) -> Option<&Block> {
        self.at(pick).map(|i| &self.blocks[i])
    }

    /// The addresses of a block's instances.
    pub(crate) fn instances(&self, block: &Block) -> Vec<String> {
        let local = block.local();
        let own = block.repeat.keys();
        let outer: Vec<String> = match block.home {
            Home::Root => vec![String::new()],
            Home::Module(m) => (self.modules[m].keys().iter())
                .map(|k| format!("module.m{m}{k}."))
                .collect(),
        };
        (outer.iter())
            .flat_map(|o| own.iter().map(move |k| (o, k)))
            .map(|(o, k)| format!("{o}{local}{k}"))
            .collect()
    }

    /// What a block names or waits for directly, by label.
    pub(crate) fn needs(&self, block: &Block) -> BTreeSet<u8> {
        let module = match block.home {
            Home::Root => None,
            Home::Module(m) => self.module_after[m],
        };
        (block.uses.iter().map(|u| u.label))
            .chain(block.after.iter().copied())
            .chain(block.triggers.iter().copied())
            .chain(module)
            .collect()
    }

    /// What stands in a module beside what a block names there, by label: who goes through all
    /// instances of a module has all its outputs to wait for.
    pub(crate) fn beside(&self, block: &Block) -> BTreeSet<u8> {
        let homes = block.uses.iter().filter_map(|used| {
            let found = self.blocks.iter().find(|b| b.label == used.label)?;
            match found.home {
                Home::Module(m) if found.home != block.home => {
                    let one = matches!(self.modules[m], Repeat::One);
                    let named = used.nth.is_some() && !self.modules[m].keys().is_empty();
                    (!one && !named).then_some(found.home)
                }
                _ => None,
            }
        });
        let homes: Vec<Home> = homes.collect();
        let all = self.blocks.iter().filter(|b| homes.contains(&b.home));
        all.map(|b| b.label).collect()
    }

    /// The notes of the step before are taken out.
    pub(crate) fn next_step(&mut self) {
        self.notes.clear();
        self.told.clear();
    }

    pub(crate) fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Add {
                kind,
                home,
                repeat,
                uses,
                zone,
                create_first,
                import,
            } => {
                if self.blocks.len() >= 7 {
                    return;
                }
                let uses = uses.iter().filter_map(|&(pick, how, attribute, nth)| {
                    let label = self.pick(pick)?.label;
                    Some(Use {
                        label,
                        how,
                        attribute,
                        nth,
                    })
                });
                let label = self.next;
                let block = Block {
                    label,
                    name: 0,
                    kind: *kind,
                    home: *home,
                    repeat: *repeat,
                    size: 1,
                    zone: *zone,
                    create_first: *create_first,
                    ignore_tags: false,
                    borrowed: false,
                    uses: uses.collect(),
                    after: Vec::new(),
                    triggers: Vec::new(),
                };
                self.next += 1;
                if let (Some(which), Kind::Thing, Home::Root, Repeat::One) =
                    (*import, kind, home, repeat)
                {
                    self.notes.push(Note::Import { label, which });
                }
                self.blocks.push(block);
            }
            Edit::Remove(pick, gone) => {
                let Some(at) = self.at(*pick) else { return };
                let block = self.blocks.remove(at);
                let destroy = match gone {
                    Gone::Silently => None,
                    Gone::Destroyed => Some(true),
                    Gone::Forgotten => Some(false),
                };
                let managed = block.kind != Kind::Lookup;
                if let (Some(destroy), true) = (destroy, managed && self.told.insert(block.label)) {
                    let from = block.path();
                    self.notes.push(Note::Removed { from, destroy });
                }
            }
            Edit::Turn(a, b) => {
                if let (Some(a), Some(b)) = (self.at(*a), self.at(*b)) {
                    self.blocks.swap(a, b);
                }
            }
            Edit::Modules(m, repeat) => self.modules[usize::from(*m) % 2] = *repeat,
            Edit::ModuleAfter(m, pick) => {
                self.module_after[usize::from(*m) % 2] = self.pick(*pick).map(|b| b.label);
            }
            Edit::Rename(pick, told) => self.moved(*pick, *told, |b| b.name += 1),
            Edit::Rehome(pick, home) => {
                let whole = |home: Home| match home {
                    Home::Root => true,
                    Home::Module(m) => self.modules[m] == Repeat::One,
                };
                let both = self.pick(*pick).is_some_and(|b| whole(b.home)) && whole(*home);
                self.moved(*pick, both, |b| b.home = *home);
            }
            Edit::Repeat(pick, repeat, told) => self.repeat(*pick, *repeat, *told),
            other => self.alter(other),
        }
        self.mend();
    }

    /// Changes of one block that stays where it is.
    fn alter(&mut self, edit: &Edit) {
        let (Edit::Size(pick, _)
        | Edit::Zone(pick, _)
        | Edit::CreateFirst(pick, _)
        | Edit::Ignore(pick, _)
        | Edit::Borrow(pick, _)
        | Edit::Use(pick, ..)
        | Edit::Unuse(pick)
        | Edit::After(pick, _)
        | Edit::Trigger(pick, _)) = edit
        else {
            return;
        };
        let Some(at) = self.at(*pick) else { return };
        let other = |pick: u8| self.pick(pick).map_or(u8::MAX, |b| b.label);
        match *edit {
            Edit::Use(_, of, how, attribute, nth) => {
                let label = other(of);
                self.blocks[at].uses.push(Use {
                    label,
                    how,
                    attribute,
                    nth,
                });
            }
            Edit::After(_, of) => {
                let label = other(of);
                self.blocks[at].after.push(label);
            }
            Edit::Trigger(_, of) => {
                let label = other(of);
                self.blocks[at].triggers = vec![label];
            }
            Edit::Unuse(_) => {
                let block = &mut self.blocks[at];
                block.uses.clear();
                block.after.clear();
                block.triggers.clear();
            }
            Edit::Size(_, size) => self.blocks[at].size = size,
            Edit::Zone(_, zone) => self.blocks[at].zone = zone,
            Edit::CreateFirst(_, on) => self.blocks[at].create_first = on,
            Edit::Ignore(_, on) => self.blocks[at].ignore_tags = on,
            Edit::Borrow(_, on) => self.blocks[at].borrowed = on,
            _ => {}
        }
    }

    /// Gives a block another address, and says so where `told`.
    fn moved(&mut self, pick: u8, told: bool, change: impl Fn(&mut Block)) {
        let Some(at) = self.at(pick) else { return };
        let block = &mut self.blocks[at];
        // In a repeated module it would take a note in that module.
        let whole = match block.home {
            Home::Root => true,
            Home::Module(m) => self.modules[m] == Repeat::One,
        };
        if !self.told.insert(block.label) {
            return;
        }
        let from = block.path();
        change(block);
        let to = block.path();
        if told && whole && from != to && block.kind != Kind::Lookup {
            self.notes.push(Note::Moved { from, to });
        }
    }

    /// Repeats a block in another way; where `told`, its instances keep their objects one by one.
    fn repeat(&mut self, pick: u8, repeat: Repeat, told: bool) {
        let Some(at) = self.at(pick) else { return };
        let block = &mut self.blocks[at];
        if !self.told.insert(block.label) {
            return;
        }
        let before = std::mem::replace(&mut block.repeat, repeat);
        let kinds = |r: Repeat| std::mem::discriminant(&r);
        let whole = match block.home {
            Home::Root => true,
            Home::Module(m) => self.modules[m] == Repeat::One,
        };
        let same = kinds(before) == kinds(repeat);
        if !told || !whole || same || block.kind == Kind::Lookup {
            return;
        }
        let path = block.path();
        for (from, to) in before.keys().into_iter().zip(repeat.keys()) {
            self.notes.push(Note::Moved {
                from: format!("{path}{from}"),
                to: format!("{path}{to}"),
            });
        }
    }

    /// Drops what names nothing that stands before it.
    fn mend(&mut self) {
        for at in 0..self.blocks.len() {
            let (before, rest) = self.blocks.split_at_mut(at);
            let block = &mut rest[0];
            let find = |label: u8| before.iter().find(|b| b.label == label);
            block.uses.retain(|u| find(u.label).is_some());
            block.after.retain(|l| find(*l).is_some());
            let managed = |b: &Block| b.kind != Kind::Lookup;
            let home = block.home;
            (block.triggers).retain(|l| find(*l).is_some_and(|b| managed(b) && b.home == home));
            if block.kind == Kind::Lookup {
                // It looks one thing up that is beside it.
                let looked =
                    |b: &Block| b.kind == Kind::Thing && b.repeat == Repeat::One && b.home == home;
                block.uses.retain(|u| find(u.label).is_some_and(looked));
                block.uses.truncate(1);
                block.repeat = Repeat::One;
            }
        }
        // All of a repeated module is read by whoever reads one output of it.
        let last = |m: usize| self.blocks.iter().rposition(|b| b.home == Home::Module(m));
        let last = [last(0), last(1)];
        let homes: Vec<(u8, Home)> = self.blocks.iter().map(|b| (b.label, b.home)).collect();
        let repeated = self.modules.map(|r| r != Repeat::One);
        for (at, block) in self.blocks.iter_mut().enumerate() {
            let home = block.home;
            block.uses.retain(|u| {
                let of = homes.iter().find(|(l, _)| *l == u.label).map(|(_, h)| *h);
                match of {
                    Some(Home::Module(m)) if Home::Module(m) != home && repeated[m] => {
                        last[m].is_some_and(|last| last < at)
                    }
                    _ => true,
                }
            });
        }
        self.blocks
            .retain(|b| b.kind != Kind::Lookup || !b.uses.is_empty());
        let labels: BTreeSet<u8> = self.blocks.iter().map(|b| b.label).collect();
        for b in &mut self.blocks {
            b.uses.retain(|u| labels.contains(&u.label));
            b.after.retain(|l| labels.contains(l));
        }
        for m in 0..2 {
            // A module waits only for what stands before all that is in it.
            let first = (self.blocks.iter()).position(|b| b.home == Home::Module(m));
            let fits = |label: u8| {
                let at = self.blocks.iter().position(|b| b.label == label);
                at.is_some_and(|at| {
                    self.blocks[at].home == Home::Root && first.is_some_and(|f| at < f)
                })
            };
            if !self.module_after[m].is_some_and(fits) {
                self.module_after[m] = None;
            }
        }
    }
}
