//! Every reference to the block it names, before anything is evaluated.
//!
//! 1. [`inputs`] holds the arguments of `module` blocks against the variables of the modules;
//! 2. resources are told which `import` blocks name them;
//! 3. [`providers`] finds the provider configuration of each resource, and holds what calls give
//!    against what modules ask for;
//! 4. [`edges`] finds, for each node, the nodes it refers to; a name that leads nowhere is an
//!    error with the names that were perhaps meant;
//! 5. validations that refer to more than their variable become part of it where that is no loop;
//! 6. [`order`] ranks the nodes so that each comes after what it refers to; a loop is an error
//!    that names every reference in it;
//! 7. [`create_first`] spreads `create_before_destroy`;
//! 8. nodes keep what they refer to, for targets;
//! 9. nodes in error are marked: they are never evaluated, and the others are.

mod create_first;
mod edges;
mod inputs;
mod order;
mod providers;
mod targets;

pub(crate) use targets::collect_body;

use crate::config::{Module, ModuleId, NodeIx, NodeKind, reader::Report};
use providers::Servings;
use std::collections::BTreeSet;
use weir_core::{Diagnostic, Span};

/// A node anywhere in the tree.
pub(crate) type Place = (ModuleId, NodeIx);

/// A reference from one node to another.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) to: Place,
    /// Where the reference stands.
    pub(crate) span: Span,
}

/// Links all modules.
pub(crate) fn link(modules: &mut [Module], report: &mut Report<'_>) {
    inputs::check(modules, report);
    imports(modules, report);
    let providers = providers::resolve(modules, report);
    let mut broken = unserved(modules, &providers);
    let mut wholes = Vec::new();
    let mut edges = edges::all(modules, &providers, &mut broken, &mut wholes, report);
    validations(modules, &mut edges);
    providers.hand_out(modules);
    order::rank(modules, &edges, &mut broken, report);
    create_first::spread(modules, &edges);
    for (module, edges) in modules.iter_mut().zip(edges) {
        for (node, edges) in module.nodes.iter_mut().zip(edges) {
            node.uses = edges.into_iter().map(|e| e.to).collect();
            node.uses.sort_unstable();
            node.uses.dedup();
        }
    }
    for ((module, node), to) in wholes {
        modules[module.0].nodes[node.0].uses.push(to);
    }
    for (module, node) in broken {
        modules[module.0].nodes[node.0].is_broken = true;
    }
}

/// Resources whose provider leads nowhere, and calls whose module could not be read: both are
/// reported.
fn unserved(modules: &[Module], providers: &Servings) -> BTreeSet<Place> {
    let mut out = BTreeSet::new();
    for (m, module) in modules.iter().enumerate() {
        for (n, node) in module.nodes.iter().enumerate() {
            let place = (ModuleId(m), NodeIx(n));
            let lost = match &node.kind {
                NodeKind::Resource(_) => providers.of(place).is_none(),
                NodeKind::Import(i) => i.provider.is_some() && providers.of(place).is_none(),
                NodeKind::Call(_, child) => child.0 >= modules.len(),
                _ => false,
            };
            if lost {
                out.insert(place);
            }
        }
    }
    out
}

/// Tells resources which `import` blocks name them. One whose target has no block stays with
/// itself: the evaluator lists it.
fn imports(modules: &mut [Module], report: &mut Report<'_>) {
    let mut found: Vec<(Place, NodeIx)> = Vec::new();
    for (i, node) in modules.first().iter().flat_map(|m| &m.nodes).enumerate() {
        let NodeKind::Import(import) = &node.kind else {
            continue;
        };
        let mut at = Some(ModuleId(0));
        for (name, _) in &import.to.modules {
            at = at.and_then(|id| {
                let module = &modules[id.0];
                match &module.node(*module.names.calls.get(name)?).kind {
                    NodeKind::Call(_, child) if child.0 < modules.len() => Some(*child),
                    _ => None,
                }
            });
        }
        let target = at.and_then(|id| Some((id, modules[id.0].names.object(&import.to.object)?)));
        if let (Some(_), Some(used)) = (target, &import.provider) {
            let d = Diagnostic::error(format!(
                "The import of {} names a provider, and the resource is declared",
                import.to.object
            ))
            .because("Only where configuration is to be written for the target does the import say what serves it.")
            .help("Set `provider` in the resource's own block.");
            report.push(d, &used.span);
        }
        found.extend(target.map(|place| (place, NodeIx(i))));
    }
    for ((module, node), import) in found {
        modules[module.0].nodes[node.0].imports.push(import);
    }
}

/// Makes validations that refer to more than their variable a part of it, unless something they
/// refer to needs the variable: that would be a loop.
fn validations(modules: &mut [Module], edges: &mut [Vec<Vec<Edge>>]) {
    for m in 0..modules.len() {
        for n in 0..modules[m].nodes.len() {
            let NodeKind::Validation(variable) = &modules[m].nodes[n].kind else {
                continue;
            };
            let Some(own) = modules[m].names.variables.get(&variable.name).copied() else {
                continue;
            };
            let own_place = (ModuleId(m), own);
            let reads: Vec<Edge> = edges[m][n]
                .iter()
                .filter(|e| e.to != own_place)
                .cloned()
                .collect();
            if reaches(&reads, own_place, edges) {
                modules[m].nodes[own.0].validated_later = true;
            } else {
                edges[m][own.0].extend(reads);
            }
        }
    }
}

/// Whether anything that is read leads to a place.
fn reaches(reads: &[Edge], place: Place, edges: &[Vec<Vec<Edge>>]) -> bool {
    let mut seen: BTreeSet<Place> = BTreeSet::new();
    let mut todo: Vec<Place> = reads.iter().map(|e| e.to).collect();
    while let Some(at) = todo.pop() {
        if at == place {
            return true;
        }
        if seen.insert(at) {
            todo.extend(edges[at.0.0][at.1.0].iter().map(|e| e.to));
        }
    }
    false
}
