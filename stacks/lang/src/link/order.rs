//! An order in which everything comes after what it refers to.

use super::{Edge, Place};
use crate::config::{Module, ModuleId, NodeIx, reader::Report};
use std::collections::BTreeSet;
use weir_core::Diagnostic;

/// How far the walk is with a node.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}

/// Ranks the nodes of all modules; loops are reported, and what is in one is `broken`. The walk goes in file order, so that ranks
/// follow the files where references leave the choice. It keeps its own stack: a chain of
/// references may be longer than the machine's.
pub(super) fn rank(
    modules: &mut [Module],
    edges: &[Vec<Vec<Edge>>],
    broken: &mut BTreeSet<Place>,
    report: &mut Report<'_>,
) {
    let mut marks: Vec<Vec<Mark>> = modules
        .iter()
        .map(|m| vec![Mark::New; m.nodes.len()])
        .collect();
    let mut next_rank = 0;
    let mut reported: BTreeSet<Place> = BTreeSet::new();
    for m in 0..modules.len() {
        for n in 0..modules[m].nodes.len() {
            if marks[m][n] != Mark::New {
                continue;
            }
            marks[m][n] = Mark::Open;
            // Each entry: a node, and how many of its edges were taken.
            let mut stack: Vec<(Place, usize)> = vec![((ModuleId(m), NodeIx(n)), 0)];
            while let Some((place, taken)) = stack.last_mut() {
                let (ModuleId(pm), NodeIx(pn)) = *place;
                let Some(edge) = edges[pm][pn].get(*taken) else {
                    marks[pm][pn] = Mark::Done;
                    modules[pm].nodes[pn].rank = next_rank;
                    next_rank += 1;
                    stack.pop();
                    continue;
                };
                *taken += 1;
                let (ModuleId(tm), NodeIx(tn)) = edge.to;
                match marks[tm][tn] {
                    Mark::Done => {}
                    Mark::New => {
                        marks[tm][tn] = Mark::Open;
                        stack.push((edge.to, 0));
                    }
                    Mark::Open => {
                        let start = stack.iter().position(|(p, _)| *p == edge.to).unwrap_or(0);
                        let cycle: Vec<(Place, &Edge)> = stack[start..]
                            .iter()
                            .map(|((m, n), taken)| ((*m, *n), &edges[m.0][n.0][taken - 1]))
                            .collect();
                        // Loops through the same nodes are one problem to the user.
                        if cycle.iter().all(|(p, _)| !reported.contains(p)) {
                            report_cycle(modules, &cycle, report);
                        }
                        reported.extend(cycle.iter().map(|(p, _)| *p));
                        broken.extend(cycle.iter().map(|(p, _)| *p));
                    }
                }
            }
        }
    }
}

fn report_cycle(modules: &[Module], cycle: &[(Place, &Edge)], report: &mut Report<'_>) {
    let title = |(m, n): Place| {
        let module = &modules[m.0];
        let title = module.node(n).kind.title();
        if module.path.is_empty() {
            title
        } else {
            format!("{}.{title}", module.path)
        }
    };
    let Some((first, edge)) = cycle.first() else {
        return;
    };
    if cycle.len() == 1 {
        let d = Diagnostic::error(format!("`{}` refers to itself", title(*first)))
            .because("It would need its own value to find its value.")
            .help("Break the loop: name another value here.");
        return report.push(d, &edge.span);
    }
    let lines: Vec<String> = cycle
        .iter()
        .map(|(from, edge)| {
            format!(
                "`{}` refers to `{}` at {}",
                title(*from),
                title(edge.to),
                edge.span
            )
        })
        .collect();
    let d = Diagnostic::error(format!(
        "`{}` is part of a loop of references",
        title(*first)
    ))
    .because(format!("{}.", lines.join(",\n")))
    .help("Break the loop: take one of these references away.");
    report.push(d, &edge.span);
}
