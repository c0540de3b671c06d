//! `moved`, `removed` and `import`: statements about state.

use super::{
    address::{Written, literal_key, written},
    resources::provider_use,
};
use crate::{
    config::{
        blocks::{ImportBlock, ImportTarget, Statement},
        moves::{End, Endpoint, ModuleStep, Move, Removed, StepKey},
        reader::{Reader, Report, labels},
    },
    ir::{Attribute, Block},
};
use std::sync::Arc;
use weir_core::{Diagnostic, Key, Object};

pub(super) fn moved(block: &Block, report: &mut Report<'_>) -> Option<Statement> {
    labels(block, &[], report)?;
    let mut reader = Reader::new("`moved`", &block.body);
    let from = required(&mut reader, "from", block);
    let to = required(&mut reader, "to", block);
    reader.finish(report);
    let (from, to) = (endpoint(from?, report), endpoint(to?, report));
    let (from, to) = (from?, to?);
    if (from.end == End::Module) != (to.end == End::Module) {
        let d = Diagnostic::error("A `moved` block moves a module to what is none, or the reverse")
            .because(format!(
                "`{from}` and `{to}` must either both be resources or both be modules."
            ))
            .help("Name two resources, or two modules.");
        report.push(d, &block.span);
        return None;
    }
    if from == to {
        let d = Diagnostic::error(format!("`{from}` is moved to itself"))
            .because("Nothing would move.")
            .help("Remove the block, or name another address.");
        report.push(d, &block.span);
        return None;
    }
    let span = block.span.clone();
    Some(Statement::Moved(Move { from, to, span }))
}

pub(super) fn removed(block: &Block, report: &mut Report<'_>) -> Option<Statement> {
    labels(block, &[], report)?;
    let mut reader = Reader::new("`removed`", &block.body);
    let from = required(&mut reader, "from", block);
    let mut destroy = true;
    if let Some(lifecycle) = reader.block("lifecycle", report) {
        let mut inner = Reader::new("`lifecycle` of `removed`", &lifecycle.body);
        destroy = inner.flag("destroy", report).unwrap_or(true);
        inner.finish(report);
    }
    for ident in ["provisioner", "connection"] {
        for inner in reader.blocks(ident) {
            report.push(super::not_yet(ident), &inner.span);
        }
    }
    reader.finish(report);
    let attribute = from?;
    let from = endpoint(attribute, report)?;
    let keyed = |key: &Key| *key != Key::None;
    let steps = from.modules.iter();
    let has_key = steps.clone().any(|s| s.key != StepKey::Is(Key::None))
        || matches!(&from.end, End::Object { key, .. } if keyed(key));
    let problem = match &from.end {
        _ if has_key => Diagnostic::error("`removed` names an instance")
            .because("It is said of a whole block, or of a whole module: of all instances.")
            .help("Write it without the key. To forget one instance, use `weir state rm`."),
        End::Object {
            object: Object::Data { .. } | Object::Ephemeral { .. },
            ..
        } => Diagnostic::error(format!("`{from}` can't be removed"))
            .because("Only what is kept in state can be forgotten: a resource, or a module.")
            .help("Remove its block; nothing else is needed."),
        _ => {
            let span = block.span.clone();
            return Some(Statement::Removed(Removed {
                from,
                destroy,
                span,
            }));
        }
    };
    report.push(problem, &attribute.expr.span);
    None
}

pub(super) fn import(block: &Block, report: &mut Report<'_>) -> Option<Arc<ImportBlock>> {
    labels(block, &[], report)?;
    let mut reader = Reader::new("`import`", &block.body);
    let to = required(&mut reader, "to", block);
    let id = required(&mut reader, "id", block);
    let for_each = reader.attribute("for_each").map(|a| a.expr.clone());
    let provider = reader
        .attribute("provider")
        .and_then(|a| provider_use(a, report));
    reader.finish(report);
    let to = to?;
    let problem = match written(&to.expr) {
        Some(Written {
            modules,
            object: Some(object),
            key,
            rest: [],
            ..
        }) => match &object {
            Object::Managed { .. } => {
                return Some(Arc::new(ImportBlock {
                    to: ImportTarget {
                        modules,
                        object,
                        key,
                    },
                    id: id?.expr.clone(),
                    provider,
                    for_each,
                    span: block.span.clone(),
                }));
            }
            _ => Diagnostic::error(format!("`{object}` can't be imported"))
                .because("Only a managed resource can: its object is made outside and kept here."),
        },
        Some(Written { object: None, .. }) => Diagnostic::error(
            "`to` of an `import` names a module",
        )
        .because("One object becomes one instance of a resource: name the resource in the module."),
        _ => Diagnostic::error("`to` of an `import` names no instance of a resource"),
    };
    report.push(
        problem.help("Write `to = TYPE.NAME`, with `[KEY]` after it where it has several."),
        &to.expr.span,
    );
    None
}

fn required<'b>(
    reader: &mut Reader<'b>,
    name: &'static str,
    block: &'b Block,
) -> Option<&'b Attribute> {
    let d = Diagnostic::error(format!("Block `{}` has no `{name}`", block.ident))
        .help(format!("Add `{name} = ...`."));
    reader.required(name, &block.span, d)
}

/// What a `moved` or `removed` names, with keys that are written out.
fn endpoint(attribute: &Attribute, report: &mut Report<'_>) -> Option<Endpoint> {
    let read = || {
        let w = written(&attribute.expr).filter(|w| w.rest.is_empty())?;
        let modules = w
            .modules
            .iter()
            .map(|(name, key)| {
                Some(ModuleStep {
                    name: name.to_string(),
                    key: StepKey::Is(literal_key(key.as_ref())?),
                })
            })
            .collect::<Option<Vec<_>>>()?;
        let key = literal_key(w.key.as_ref())?;
        Some(Endpoint {
            modules,
            end: match w.object {
                None => End::Module,
                Some(object) => End::Object { object, key },
            },
        })
    };
    let found = read();
    if found.is_none() {
        let d = Diagnostic::error(format!("`{}` names no address", attribute.name))
            .because(
                "It must be a resource, a module, or an instance of one, with the key written out.",
            )
            .help("Write `TYPE.NAME`, `TYPE.NAME[\"key\"]`, `module.NAME` or `module.NAME.TYPE.NAME`.");
        report.push(d, &attribute.expr.span);
    }
    found
}
