//! Random blocks and expressions.

use super::model::{
    Call, Condition, Expr, Ignore, Item, Lifecycle, Module, Pick, Repeat, Resource, Trigger,
};
use super::sound::Scope;
use fastrand::Rng;

/// What stacks may be made of, so that a hunt can be about one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// `count`, `for_each`
    Repeat,
    /// `module`
    Modules,
    /// `lifecycle` and its conditions that hold
    Lifecycle,
    /// Conditions that fail
    Failures,
    /// `check`
    Checks,
    /// `replace_triggered_by`
    Triggers,
    /// `moved`
    Moved,
    /// `removed`
    Removed,
    /// `import`
    Import,
    /// Sensitive values
    Sensitive,
    /// `-target`, `-replace`, `-destroy` and the like
    Options,
    /// `-refresh-only`
    RefreshOnly,
    /// `taint`, `untaint`, `state rm` and `state mv` between steps
    Commands,
    /// More than one option at once
    Combined,
    /// `for_each` over resources, triggers by key, validations, what lies in an attribute
    Wide,
}

/// The features, by the names that `WEIR_FEATURES` takes.
pub const FEATURES: &[(&str, Feature)] = &[
    ("repeat", Feature::Repeat),
    ("modules", Feature::Modules),
    ("lifecycle", Feature::Lifecycle),
    ("failures", Feature::Failures),
    ("checks", Feature::Checks),
    ("triggers", Feature::Triggers),
    ("moved", Feature::Moved),
    ("removed", Feature::Removed),
    ("import", Feature::Import),
    ("sensitive", Feature::Sensitive),
    ("options", Feature::Options),
    ("refresh-only", Feature::RefreshOnly),
    ("commands", Feature::Commands),
    ("combined", Feature::Combined),
    ("wide", Feature::Wide),
];

const KEYS: [&str; 4] = ["x", "y", "z", "w"];

/// The dice, and what may be made.
pub(super) struct Maker {
    pub(super) rng: Rng,
    pub(super) features: Vec<Feature>,
    /// Some value of the stack is sensitive.
    pub(super) sensitive: bool,
}

impl Maker {
    pub(super) fn with(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// True `percent` times of a hundred.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(0..100) < percent
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        self.rng.usize(0..n.max(1))
    }

    /// One of them.
    pub(super) fn one<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        self.rng.choice(of).cloned()
    }

    /// A name that the module has not.
    pub(super) fn name(&mut self, prefixes: &[&str], module: &Module) -> String {
        let free: Vec<String> = (prefixes.iter())
            .flat_map(|p| match prefixes.len() {
                1 => (1..9).map(|i| format!("{p}{i}")).collect(),
                _ => vec![(*p).to_owned()],
            })
            .filter(|n| module.items.iter().all(|i| i.name() != n))
            .collect();
        let few = free.len().min(3);
        let free = if prefixes.len() == 1 {
            free
        } else {
            free[..few].to_vec()
        };
        (free.first().cloned())
            .filter(|_| prefixes.len() == 1)
            .or_else(|| self.one(&free))
            .unwrap_or_else(|| format!("n{}", self.rng.u32(100..1_000_000)))
    }

    fn leaf(&mut self, scope: &Scope<'_>) -> Expr {
        match self.below(10) {
            0 => Expr::Text(["one", "two", "three"][self.below(3)].into()),
            1 if matches!(scope.repeat, Repeat::Count(_)) => Expr::CountIndex,
            1 | 2
                if matches!(
                    scope.repeat,
                    Repeat::Keys(_) | Repeat::Map(_) | Repeat::Like(..)
                ) =>
            {
                match self.below(2) {
                    0 => Expr::EachKey,
                    _ => Expr::EachValue,
                }
            }
            3..=7 => self
                .reference(scope)
                .unwrap_or_else(|| Expr::Int(self.rng.i64(0..4))),
            _ => Expr::Int(self.rng.i64(0..4)),
        }
    }

    fn reference(&mut self, scope: &Scope<'_>) -> Option<Expr> {
        let item = self.one(scope.before)?;
        let pick = match self.below(2) {
            0 => Pick::All,
            _ => Pick::Nth(self.below(3)),
        };
        Some(match item {
            Item::Variable { name, .. } => Expr::Variable(name),
            Item::Local { name, .. } => Expr::Local(name),
            Item::Resource(r) => Expr::Resource {
                name: r.name,
                attribute: match self.below(10) {
                    0 => None,
                    1 | 2 => Some("id"),
                    3 => Some("input"),
                    _ => Some("output"),
                },
                pick,
            },
            Item::Call(c) => {
                let outputs: Vec<&str> = c.module.outputs().collect();
                Expr::Module {
                    output: self.one(&outputs)?.to_owned(),
                    name: c.name,
                    pick,
                }
            }
            Item::Output { .. } | Item::Check { .. } => return None,
        })
    }

    pub(super) fn expr(&mut self, scope: &Scope<'_>) -> Expr {
        match self.below(20) {
            0 => Expr::Template(Box::new(self.leaf(scope))),
            1 | 2 => Expr::Object(vec![("p", self.leaf(scope)), ("q", self.leaf(scope))]),
            3 => Expr::Tuple(vec![self.leaf(scope), self.leaf(scope)]),
            4 if self.with(Feature::Sensitive) => {
                self.sensitive = true;
                Expr::Sensitive(Box::new(self.leaf(scope)))
            }
            5 => Expr::Null,
            _ => self.leaf(scope),
        }
    }

    pub(super) fn repeat(&mut self, scope: &Scope<'_>) -> Repeat {
        if !self.with(Feature::Repeat) {
            return Repeat::One;
        }
        if self.with(Feature::Wide) && self.chance(12) {
            let keyed: Vec<Repeat> = (scope.before.iter())
                .filter_map(|i| scope.like(i.name()))
                .collect();
            if let Some(like) = self.one(&keyed) {
                return like;
            }
        }
        match self.below(10) {
            0..=4 => Repeat::One,
            5 | 6 => Repeat::Count(self.below(4)),
            7 | 8 => {
                let n = self.below(4);
                let mut keys = self.rng.choose_multiple(KEYS, n);
                keys.sort_unstable();
                Repeat::Keys(keys)
            }
            _ => {
                let n = 1 + self.below(2);
                let keys = self.rng.choose_multiple(KEYS, n);
                let outside = Scope {
                    repeat: &Repeat::One,
                    ..*scope
                };
                Repeat::Map(keys.iter().map(|k| (*k, self.leaf(&outside))).collect())
            }
        }
    }

    pub(super) fn condition(&mut self, scope: &Scope<'_>) -> Option<Condition> {
        let subject = match scope.own {
            true => Expr::Own(["id", "input", "output"][self.below(3)]),
            false => self.reference(scope)?,
        };
        Some(Condition {
            subject,
            fails: false,
        })
    }

    /// Addresses for `depends_on`.
    pub(super) fn depends_on(&mut self, scope: &Scope<'_>) -> Vec<String> {
        let all: Vec<String> = (scope.before.iter())
            .filter_map(|i| match i {
                Item::Resource(r) => Some(format!("terraform_data.{}", r.name)),
                Item::Call(c) => Some(format!("module.{}", c.name)),
                _ => None,
            })
            .collect();
        self.one(&all).into_iter().collect()
    }

    pub(super) fn trigger(&mut self, scope: &Scope<'_>) -> Option<Trigger> {
        let names: Vec<&str> = (scope.before.iter())
            .filter_map(|i| match i {
                Item::Resource(r) if !r.repeat.keys().is_empty() => Some(r.name.as_str()),
                _ => None,
            })
            .collect();
        let resource = self.one(&names)?.to_owned();
        let nth = self.chance(50).then(|| self.below(3));
        let attribute = [None, Some("output"), Some("input"), Some("id")][self.below(4)];
        Some(Trigger {
            resource,
            nth,
            attribute,
            same: self.with(Feature::Wide) && self.chance(50),
        })
    }

    pub(super) fn lifecycle(&mut self, scope: &Scope<'_>) -> Lifecycle {
        let mut out = Lifecycle::default();
        if !self.with(Feature::Lifecycle) {
            return out;
        }
        out.create_before_destroy = self.chance(35);
        out.prevent_destroy = self.chance(2);
        if self.chance(10) {
            out.ignore = [Ignore::Input, Ignore::Triggers, Ignore::All][self.below(3)];
        }
        if self.with(Feature::Wide) && self.chance(10) {
            out.ignore = Ignore::Inside;
        }
        if self.with(Feature::Triggers) && self.chance(20) {
            out.triggered_by.extend(self.trigger(scope));
        }
        if self.chance(10) {
            out.pre = self.condition(scope);
        }
        if self.chance(10) {
            let own = Scope {
                own: true,
                ..*scope
            };
            out.post = self.condition(&own);
        }
        out
    }

    pub(super) fn resource(&mut self, name: String, before: &[Item]) -> Resource {
        let one = Repeat::One;
        let outside = Scope {
            before,
            repeat: &one,
            own: false,
        };
        let repeat = self.repeat(&outside);
        let scope = Scope {
            repeat: &repeat,
            ..outside
        };
        let input = self.chance(85).then(|| self.expr(&scope));
        let triggers = self.chance(35).then(|| self.expr(&scope));
        let depends_on = match self.chance(15) {
            true => self.depends_on(&scope),
            false => Vec::new(),
        };
        let lifecycle = self.lifecycle(&scope);
        Resource {
            name,
            input,
            triggers,
            depends_on,
            lifecycle,
            repeat,
        }
    }

    pub(super) fn call(&mut self, name: String, before: &[Item], depth: usize) -> Call {
        let one = Repeat::One;
        let outside = Scope {
            before,
            repeat: &one,
            own: false,
        };
        let repeat = self.repeat(&outside);
        let scope = Scope {
            repeat: &repeat,
            ..outside
        };
        let module = self.module(depth + 1);
        let variables: Vec<String> = module.variables().map(str::to_owned).collect();
        let inputs = (variables.into_iter())
            .filter_map(|v| self.chance(80).then(|| (v, self.expr(&scope))))
            .collect();
        let depends_on = match self.chance(15) {
            true => self.depends_on(&scope),
            false => Vec::new(),
        };
        Call {
            folder: name.clone(),
            name,
            repeat,
            inputs,
            depends_on,
            module,
        }
    }

    /// A new item for the end of a module's blocks.
    pub(super) fn item(&mut self, module: &Module, depth: usize) -> Item {
        let before = &module.items;
        let one = Repeat::One;
        let scope = Scope {
            before,
            repeat: &one,
            own: false,
        };
        match self.below(20) {
            0 => Item::Variable {
                name: self.name(&["v"], module),
                default: self.rng.i64(0..4),
                refused: (self.with(Feature::Wide) && self.chance(50)).then_some(false),
            },
            1 | 2 => Item::Local {
                name: self.name(&["l"], module),
                value: self.expr(&scope),
            },
            3..=5 => self.output(module, depth),
            6..=8 if depth < 2 && self.with(Feature::Modules) => {
                let name = self.name(&["m", "n", "k", "j"], module);
                Item::Call(self.call(name, before, depth))
            }
            9 if self.with(Feature::Checks) => Item::Check {
                name: self.name(&["check"], module),
                asserts: self.condition(&scope).into_iter().collect(),
            },
            _ => {
                let name = self.name(&["a", "b", "c", "d", "e", "f", "g", "h"], module);
                Item::Resource(self.resource(name, before))
            }
        }
    }

    fn output(&mut self, module: &Module, depth: usize) -> Item {
        let one = Repeat::One;
        let scope = Scope {
            before: &module.items,
            repeat: &one,
            own: false,
        };
        Item::Output {
            name: self.name(&["o"], module),
            value: self.expr(&scope),
            // Terraform forgets that an output of a child module is sensitive.
            sensitive: depth == 0 && self.sensitive && self.chance(90),
            condition: match self.with(Feature::Lifecycle) && self.chance(10) {
                true => self.condition(&scope),
                false => None,
            },
        }
    }

    /// A module of a few blocks.
    pub(super) fn module(&mut self, depth: usize) -> Module {
        let mut module = Module::default();
        if depth > 0 && self.chance(70) {
            module.items.push(Item::Variable {
                name: "v1".into(),
                default: self.rng.i64(0..4),
                refused: None,
            });
        }
        let count = match depth {
            0 => 3 + self.below(5),
            _ => 1 + self.below(3),
        };
        for _ in 0..count {
            let item = self.item(&module, depth);
            module.items.push(item);
        }
        if depth > 0 || self.chance(50) {
            let output = self.output(&module, depth);
            module.items.push(output);
        }
        module
    }
}
