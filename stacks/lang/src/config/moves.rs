//! `moved` and `removed`: what the configuration says of objects that have another address by
//! now, or none. They are statements about state; [`crate::Config`] hands them out as they are
//! written, made absolute.

use super::{Module, NodeKind, blocks::Statement, module::Names, reader::Report};
use std::fmt;
use weir_core::{Address, Diagnostic, Key, ModulePath, Object, Span, address};

/// `moved { from = ...  to = ... }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// What it was called.
    pub from: Endpoint,
    /// What it is called now.
    pub to: Endpoint,
    /// Where the block starts.
    pub span: Span,
}

/// `removed { from = ...  lifecycle { destroy = ... } }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// What is no longer part of the configuration; without instance keys, so it stands for all
    /// instances.
    pub from: Endpoint,
    /// Whether the objects are deleted; else they are forgotten.
    pub destroy: bool,
    /// Where the block starts.
    pub span: Span,
}

/// What a `moved` or `removed` names, seen from the root module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// The way from the root. Where the end is a module itself, the last step names it.
    pub modules: Vec<ModuleStep>,
    /// What it is.
    pub end: End,
}

/// A step into a module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModuleStep {
    /// The module call.
    pub name: String,
    /// Which instances of it.
    pub key: StepKey,
}

/// Which instances of a module a step leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepKey {
    /// Each: the statement stands in the module, and means the instance it is evaluated in.
    Any,
    /// The one of this key.
    Is(Key),
}

/// What an [`Endpoint`] is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// The module that the last step names: without a key, the call with all its instances.
    Module,
    /// A block, or one of its instances: without a key, all of them.
    Object {
        /// The block.
        object: Object,
        /// Which instance.
        key: Key,
    },
}

impl Endpoint {
    /// Whether its steps into modules lead to this instance of a module, or (for a module itself)
    /// to one around it.
    pub fn module_matches(&self, path: &ModulePath) -> bool {
        let steps = self.modules.iter().zip(&path.0);
        path.0.len() >= self.modules.len()
            && steps.enumerate().all(|(i, (step, (name, key)))| {
                let whole_call = self.end == End::Module && i + 1 == self.modules.len();
                step.name == *name
                    && match &step.key {
                        StepKey::Any => true,
                        StepKey::Is(Key::None) if whole_call => true,
                        StepKey::Is(wanted) => wanted == key,
                    }
            })
    }

    /// Whether an instance is what it names, or lies in it.
    pub fn holds(&self, address: &Address) -> bool {
        match &self.end {
            End::Module => self.module_matches(&address.module),
            End::Object { object, key } => {
                address.module.0.len() == self.modules.len()
                    && self.module_matches(&address.module)
                    && address.object == *object
                    && (*key == Key::None || address.key == *key)
            }
        }
    }
}

impl fmt::Display for Endpoint {
    /// As the user would write it in the root module; a step with any key prints without one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut dot = "";
        for step in &self.modules {
            write!(f, "{dot}{}", address::step(&step.name))?;
            if let StepKey::Is(key) = &step.key {
                write!(f, "{key}")?;
            }
            dot = ".";
        }
        match &self.end {
            End::Module => Ok(()),
            End::Object { object, key } => write!(f, "{dot}{object}{key}"),
        }
    }
}

/// The statements of all modules, made absolute. One that says `removed` of what is still there is
/// reported.
pub(super) fn absolute(modules: &[Module], report: &mut Report<'_>) -> (Vec<Move>, Vec<Removed>) {
    let (mut moves, mut removed) = (Vec::new(), Vec::new());
    for module in modules {
        let above = module.steps.0.iter();
        let above: Vec<ModuleStep> = above
            .map(|(name, _)| ModuleStep {
                name: name.to_string(),
                key: StepKey::Any,
            })
            .collect();
        let lift = |end: &Endpoint| Endpoint {
            modules: above.iter().chain(&end.modules).cloned().collect(),
            end: end.end.clone(),
        };
        for statement in &module.statements {
            match statement {
                Statement::Moved(m) => moves.push(Move {
                    from: lift(&m.from),
                    to: lift(&m.to),
                    span: m.span.clone(),
                }),
                Statement::Removed(r) => {
                    if let Some(at) = declared(modules, module, &r.from) {
                        report.push(still_there(&lift(&r.from), at), &r.span);
                        continue;
                    }
                    removed.push(Removed {
                        from: lift(&r.from),
                        ..r.clone()
                    });
                }
            }
        }
    }
    (moves, removed)
}

fn still_there(from: &Endpoint, at: &Span) -> Diagnostic {
    Diagnostic::error(format!("{from} is said to be removed, and is still there"))
        .because(format!("Its block stands at {at}."))
        .help("Remove that block, or the `removed` block.")
}

/// Where the block of an endpoint stands that is relative to a module.
pub(super) fn declared<'m>(
    modules: &'m [Module],
    from: &'m Module,
    end: &Endpoint,
) -> Option<&'m Span> {
    let mut module = from;
    for (i, step) in end.modules.iter().enumerate() {
        let call = module.node(*module.names.calls.get(step.name.as_str())?);
        if end.end == End::Module && i + 1 == end.modules.len() {
            return Some(&call.span);
        }
        let NodeKind::Call(_, child) = &call.kind else {
            return None;
        };
        module = modules.get(child.0)?;
    }
    let End::Object { object, .. } = &end.end else {
        return None;
    };
    Names::object(&module.names, object).map(|ix| &module.node(ix).span)
}
