//! Makes a changed model sound again: references only to what stands before, repetition's names
//! only where there is repetition.

use super::model::{Call, Condition, Expr, Item, Module, Repeat, Resource};

/// What an expression may name.
pub(super) struct Scope<'a> {
    pub(super) before: &'a [Item],
    pub(super) repeat: &'a Repeat,
    /// `self` may be named.
    pub(super) own: bool,
}

impl Scope<'_> {
    fn has(&self, e: &Expr) -> bool {
        let resource = |name: &str| {
            (self.before.iter()).any(|i| matches!(i, Item::Resource(r) if r.name == name))
        };
        match e {
            Expr::Resource { name, .. } => resource(name),
            Expr::Module { name, output, .. } => self.before.iter().any(|i| {
                matches!(i, Item::Call(c) if c.name == *name && c.module.outputs().any(|o| o == output))
            }),
            Expr::Variable(name) => {
                (self.before.iter()).any(|i| matches!(i, Item::Variable { name: n, .. } if n == name))
            }
            Expr::Local(name) => {
                (self.before.iter()).any(|i| matches!(i, Item::Local { name: n, .. } if n == name))
            }
            Expr::EachKey | Expr::EachValue => {
                matches!(self.repeat, Repeat::Keys(_) | Repeat::Map(_) | Repeat::Like(..))
            }
            Expr::CountIndex => matches!(self.repeat, Repeat::Count(_)),
            Expr::Own(_) => self.own,
            _ => true,
        }
    }

    /// `for_each` over a resource that has keys.
    pub(super) fn like(&self, name: &str) -> Option<Repeat> {
        self.before.iter().find_map(|i| match i {
            Item::Resource(r) if r.name == name => match &r.repeat {
                Repeat::Keys(keys) | Repeat::Like(_, keys) => {
                    Some(Repeat::Like(name.to_owned(), keys.clone()))
                }
                Repeat::Map(pairs) => {
                    let keys = pairs.iter().map(|(k, _)| *k).collect();
                    Some(Repeat::Like(name.to_owned(), keys))
                }
                _ => None,
            },
            _ => None,
        })
    }

    fn mend(&self, e: &mut Expr) {
        if !self.has(e) {
            *e = Expr::Int(7);
        }
        match e {
            Expr::Sensitive(inner) | Expr::Template(inner) => self.mend(inner),
            Expr::Object(pairs) => pairs.iter_mut().for_each(|(_, e)| self.mend(e)),
            Expr::Tuple(items) => items.iter_mut().for_each(|e| self.mend(e)),
            _ => {}
        }
    }

    fn mend_condition(&self, c: &mut Option<Condition>) {
        // Of what names nothing, nothing can be asked.
        if c.as_ref().is_some_and(|c| !self.has(&c.subject)) {
            *c = None;
        }
    }

    /// True for `terraform_data.a` or `module.m` that stands before.
    fn has_address(&self, text: &str) -> bool {
        self.before.iter().any(|i| match i {
            Item::Resource(r) => text == format!("terraform_data.{}", r.name),
            Item::Call(c) => text == format!("module.{}", c.name),
            _ => false,
        })
    }
}

/// Mends all of a module and of those it calls.
pub(super) fn mend(module: &mut Module) {
    for at in 0..module.items.len() {
        let (before, rest) = module.items.split_at_mut(at);
        let scope = Scope {
            before,
            repeat: &Repeat::One,
            own: false,
        };
        match &mut rest[0] {
            Item::Variable { .. } => {}
            Item::Local { value, .. } => scope.mend(value),
            Item::Output {
                value, condition, ..
            } => {
                scope.mend(value);
                scope.mend_condition(condition);
            }
            Item::Check { asserts, .. } => {
                asserts.retain(|c| scope.has(&c.subject));
            }
            Item::Resource(r) => mend_resource(r, &scope),
            Item::Call(c) => mend_call(c, &scope),
        }
    }
}

fn mend_repeat(repeat: &mut Repeat, scope: &Scope<'_>) {
    match repeat {
        Repeat::Map(pairs) => pairs.iter_mut().for_each(|(_, e)| scope.mend(e)),
        Repeat::Like(name, _) => *repeat = scope.like(name).unwrap_or(Repeat::One),
        _ => {}
    }
}

fn mend_resource(r: &mut Resource, scope: &Scope<'_>) {
    mend_repeat(&mut r.repeat, scope);
    let inside = Scope {
        repeat: &r.repeat,
        ..*scope
    };
    for e in [&mut r.input, &mut r.triggers].into_iter().flatten() {
        inside.mend(e);
    }
    inside.mend_condition(&mut r.lifecycle.pre);
    Scope {
        own: true,
        ..inside
    }
    .mend_condition(&mut r.lifecycle.post);
    r.depends_on.retain(|on| scope.has_address(on));
    r.lifecycle
        .triggered_by
        .retain(|t| scope.has_address(&format!("terraform_data.{}", t.resource)));
}

fn mend_call(c: &mut Call, scope: &Scope<'_>) {
    mend_repeat(&mut c.repeat, scope);
    let inside = Scope {
        repeat: &c.repeat,
        ..*scope
    };
    let known: Vec<String> = c.module.variables().map(str::to_owned).collect();
    c.inputs.retain(|(name, _)| known.contains(name));
    c.inputs.iter_mut().for_each(|(_, e)| inside.mend(e));
    c.depends_on.retain(|on| scope.has_address(on));
    mend(&mut c.module);
}
