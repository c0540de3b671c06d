//! `import` blocks: which objects exist already, and what they become.

use super::{
    Evaluator,
    find::Lost,
    frame::{Frame, Names},
    graph::{InstId, Mode, State},
    origin,
    run::{Computed, Stop},
    values::value,
};
use crate::{
    config::blocks::{ImportBlock, Repeat},
    eval::{NodeId, Scope},
    instance::{Import, ImportId},
    ir::Expr,
};
use weir_core::{Address, Diagnostic, Key, Marks, ModulePath, Type, Value, convert::convert};

impl Evaluator {
    /// All `import` blocks that were evaluated, one entry for each of their instances, sorted by
    /// target.
    pub fn imports(&mut self) -> Vec<Import> {
        self.work();
        self.imports.values().map(|(_, i)| i.clone()).collect()
    }

    pub(super) fn import(&mut self, id: NodeId, block: &ImportBlock) -> Result<(), Stop> {
        let title = format!("the import of {}", block.to.object);
        let repeat = match &block.for_each {
            None => Repeat::Once,
            Some(each) => Repeat::ForEach(each.clone()),
        };
        let outcome = self.keys(id, &repeat, &[], &title);
        let Computed {
            value: (mode, keys, values),
            mut reads,
            ..
        } = self.settle(id, outcome)?;
        // What it names is not known in a check.
        let keys = match mode == Mode::Each && keys == [Key::None] {
            true => Vec::new(),
            false => keys,
        };
        let mut found = Vec::new();
        for (i, key) in keys.iter().enumerate() {
            let names = Names {
                each: match key {
                    Key::Name(k) => {
                        let key = Value::string(k.as_str());
                        Some((key.clone(), values.get(i).cloned().unwrap_or(key)))
                    }
                    _ => None,
                },
                ..Names::default()
            };
            let outcome = self.import_provider(id, &names);
            let provider = self.settle(id, outcome)?.value;
            let outcome = self.compute(InstId(0), names, |frame, problems| {
                let to = target(block, frame, problems)?;
                let imported = import_id(block, &title, frame, problems)?;
                Ok(to.zip(imported))
            });
            let one = self.settle(id, outcome)?;
            reads.nodes.extend(one.reads.nodes);
            if let Some((to, imported)) = one.value {
                let declared = self.config.declares(&to);
                found.push(Import {
                    to,
                    id: ImportId {
                        id: imported,
                        span: block.span.clone(),
                    },
                    provider,
                    declared,
                });
            }
        }
        self.imports.retain(|_, (by, _)| *by != id);
        for import in found {
            if let Some((_, first)) = self.imports.get(&import.to) {
                let d = Diagnostic::error(format!("{} is imported twice", import.to))
                    .because(format!(
                        "One object becomes one instance; the other `import` is at {}.",
                        first.id.span
                    ))
                    .help("Remove one of the two blocks, or change its `to`.");
                let d = self.config.context.sources.point(d, &block.span);
                self.report(d, Some(&import.to));
                return Err(Stop::Failed);
            }
            self.imports.insert(import.to.clone(), (id, import));
        }
        let done = Computed {
            value: Value::null(),
            reads,
            problems: Vec::new(),
        };
        self.store(id, done);
        Ok(())
    }

    /// The first `import` block of a resource that was not evaluated yet.
    pub(super) fn open_import(&self, id: NodeId) -> Option<NodeId> {
        let entity = self.graph.get(id);
        let node = self.module_of(entity.inst).node(entity.ix);
        let root = self.graph.module(InstId(0));
        node.imports
            .iter()
            .map(|ix| root.id(*ix))
            .find(|i| !matches!(self.graph.get(*i).state, State::Ready(_)))
    }

    /// Reports imports whose resource is there, and has no such instance.
    pub(super) fn check_imports(&mut self) {
        let lost: Vec<(Address, ImportId)> = self
            .imports
            .values()
            .map(|(_, i)| i)
            .filter(|i| i.declared && self.yielded(&i.to).is_none() && !self.in_error(&i.to))
            .map(|i| (i.to.clone(), i.id.clone()))
            .collect();
        for (to, id) in lost {
            let d = Diagnostic::error(format!("There is no {to} to import to"))
                .because("The resource is declared, and has no instance of that key.")
                .help(
                    "Import to an instance that its `count` or `for_each` makes, or change those.",
                );
            let d = self.config.context.sources.point(d, &id.span);
            self.report(d, Some(&to));
        }
    }

    /// Whether the block of an address, or the call of a module around it, failed: what it would
    /// have expanded to is not known.
    fn in_error(&self, address: &Address) -> bool {
        match self.block_at(address) {
            Err(Lost::AtOpenCall) => true,
            Err(Lost::NotThere) => false,
            Ok(block) => {
                let x = self.graph.get(block).expansion.as_ref();
                self.graph.is_failed(block)
                    || x.is_some_and(|x| x.is_open())
                    || x.and_then(|x| Some(x.instance(x.position(&address.key)?)))
                        .is_some_and(|i| self.graph.is_failed(i))
            }
        }
    }

    /// What an `import` says of an instance.
    pub(super) fn import_of(&self, address: &Address) -> Option<ImportId> {
        self.imports.get(address).map(|(_, i)| i.id.clone())
    }
}

/// The address an `import` names, with its keys evaluated.
fn target(
    block: &ImportBlock,
    frame: &Frame<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Result<Option<Address>, NodeId> {
    let before = problems.len();
    let mut module = ModulePath::root();
    for (name, expr) in &block.to.modules {
        let key = key(expr.as_ref(), frame, problems)?;
        module = module.child(&**name, key);
    }
    let key = key(block.to.key.as_ref(), frame, problems)?;
    let address = Address {
        module,
        object: block.to.object.clone(),
        key,
    };
    Ok((problems.len() == before).then_some(address))
}

fn key(
    expr: Option<&Expr>,
    frame: &Frame<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Result<Key, NodeId> {
    let Some(expr) = expr else {
        return Ok(Key::None);
    };
    let before = problems.len();
    let given = value(expr, frame, problems)?;
    if problems.len() > before {
        return Ok(Key::None);
    }
    let why = if given.marks_deep() != Marks::NONE {
        "It is sensitive or ephemeral, and it is part of an address, which is shown.".to_owned()
    } else if given.is_unknown() {
        "It is not known before apply.".to_owned()
    } else {
        match (given.as_str(), given.as_i64().map(u64::try_from)) {
            (Some(key), _) => return Ok(Key::Name(key.into())),
            (_, Some(Ok(i))) => return Ok(Key::Index(i)),
            _ => format!(
                "It is {}; it must be text or a whole number.",
                super::blocks::a(&given)
            ),
        }
    };
    let d = Diagnostic::error("The key of an import's target can't be used")
        .because(why)
        .help("Write `TYPE.NAME[0]` or `TYPE.NAME[\"KEY\"]`.");
    problems.push(frame.context().sources.point(d, &expr.span));
    Ok(Key::None)
}

/// The id of the object: known text, not empty, that may be shown and kept.
fn import_id(
    block: &ImportBlock,
    title: &str,
    frame: &Frame<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Result<Option<Value>, NodeId> {
    let before = problems.len();
    let given = value(&block.id, frame, problems)?;
    if problems.len() > before {
        return Ok(None);
    }
    let refused = |why: &str| {
        Diagnostic::error(format!("`id` of {title} can't be used"))
            .because(why.to_owned())
            .help("Give it the name by which the object's provider knows it, as text.")
    };
    let marks = given.marks_deep();
    let problem = if marks.contains(Marks::SENSITIVE) {
        refused("It is sensitive, and it is shown in the plan.")
            .help("Wrap what may be shown in `nonsensitive(...)`.")
    } else if marks.contains(Marks::EPHEMERAL) {
        refused("It is ephemeral, and it must be the same at plan and apply.")
    } else if given.is_unknown() {
        origin::unknown_id(title, &block.id, frame)
    } else {
        match convert(&given, &Type::String) {
            Ok(id) if id.is_null() => refused("It is null."),
            Ok(id) if id.as_str() == Some("") => refused("It is empty."),
            Ok(id) => return Ok(Some(id)),
            Err(_) => refused("It must be text."),
        }
    };
    problems.push(frame.context().sources.point(problem, &block.id.span));
    Ok(None)
}
