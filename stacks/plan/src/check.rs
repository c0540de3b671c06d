//! The last look at a plan: what must hold whoever made it.

use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, Diagnostic, Diagnostics, Span,
    change::{Action, ReplaceOrder},
    plan::{NodeId, Op, Plan},
    snapshot::Snapshot,
};

/// A plan that holds what it must. Execution takes nothing else; only [`check`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedPlan(Plan);

impl CheckedPlan {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.0
    }
}

impl std::ops::Deref for CheckedPlan {
    type Target = Plan;
    fn deref(&self) -> &Plan {
        &self.0
    }
}

/// Checks a plan against the state it was made from.
///
/// 1. It was made from this line of states, at this serial.
/// 2. The graph has no cycle, and every edge leads to a node.
/// 3. Every change has the nodes its action takes, in its order, and no node is without a change.
/// 4. Only what is in state is updated, replaced, deleted or forgotten.
/// 5. Every node is in one step; a step comes after all steps its nodes come after, and its nodes
///    do not wait for each other.
/// 6. Nothing in `protected` (`prevent_destroy`) is deleted or replaced.
///
/// # Errors
/// All that does not hold. All but the last are bugs of the planner, or a damaged plan file.
pub fn check(
    plan: Plan,
    snapshot: &Snapshot,
    protected: &BTreeMap<Address, Option<Span>>,
) -> Result<CheckedPlan, Diagnostics> {
    let mut found = Diagnostics::new();
    if plan.lineage != snapshot.lineage || plan.base != snapshot.serial {
        found.push(broken(format!(
            "the base is serial {} of {}, and state is at serial {} of {}",
            plan.base, plan.lineage, snapshot.serial, snapshot.lineage
        )));
    }
    let acyclic = check_graph(&plan, &mut found);
    check_changes(&plan, snapshot, &mut found);
    if acyclic {
        check_steps(&plan, &mut found);
    }
    check_protected(&plan, protected, &mut found);
    if found.is_empty() {
        Ok(CheckedPlan(plan))
    } else {
        Err(found)
    }
}

fn broken(what: String) -> Diagnostic {
    Diagnostic::error("the plan does not hold")
        .because(format!("In this plan, {what}."))
        .help("Plan again. If it happens again, it is a bug of weir: please report it.")
}

fn check_graph(plan: &Plan, found: &mut Diagnostics) -> bool {
    let count = plan.nodes.len();
    let mut later: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut missing = vec![0_usize; count];
    for (i, node) in plan.nodes.iter().enumerate() {
        for before in &node.after {
            if before.0 >= count {
                found.push(broken(format!(
                    "{} comes after a node that is not there",
                    node.address
                )));
                return false;
            }
            later[before.0].push(i);
            missing[i] += 1;
        }
    }
    let mut open: Vec<usize> = (0..count).filter(|&i| missing[i] == 0).collect();
    let mut done = 0;
    while let Some(n) = open.pop() {
        done += 1;
        for &m in &later[n] {
            missing[m] -= 1;
            if missing[m] == 0 {
                open.push(m);
            }
        }
    }
    if done < count {
        let stuck: Vec<String> = (0..count)
            .filter(|&i| missing[i] > 0)
            .map(|i| plan.nodes[i].address.to_string())
            .collect();
        found.push(broken(format!(
            "the order has a cycle among {}",
            stuck.join(", ")
        )));
    }
    done == count
}

fn check_changes(plan: &Plan, snapshot: &Snapshot, found: &mut Diagnostics) {
    let mut ops: BTreeMap<&Address, Vec<(usize, Op)>> = BTreeMap::new();
    for (i, node) in plan.nodes.iter().enumerate() {
        if node.op == Op::Join {
            continue;
        }
        if !plan.changes.contains_key(&node.address) {
            found.push(broken(format!("{} has a node and no change", node.address)));
        }
        ops.entry(&node.address).or_default().push((i, node.op));
    }
    for (address, change) in &plan.changes {
        let has = ops.get(address).map_or(&[][..], Vec::as_slice);
        let kinds: BTreeSet<Op> = has.iter().map(|(_, op)| *op).collect();
        let wanted: BTreeSet<Op> = match change.action {
            Action::NoOp => BTreeSet::new(),
            Action::Create => BTreeSet::from([Op::Create]),
            Action::Read => BTreeSet::from([Op::Read]),
            Action::Update => BTreeSet::from([Op::Update]),
            Action::Delete => BTreeSet::from([Op::Delete]),
            Action::Forget => BTreeSet::from([Op::Forget]),
            Action::Replace(_) => BTreeSet::from([Op::Create, Op::Delete]),
        };
        if kinds != wanted || has.len() != wanted.len() {
            found.push(broken(format!(
                "{address} does not have the nodes of its action"
            )));
        } else if let (Action::Replace(order), [a, b]) = (change.action, has) {
            let (create, delete) = if a.1 == Op::Create {
                (a.0, b.0)
            } else {
                (b.0, a.0)
            };
            let (first, second) = match order {
                ReplaceOrder::DeleteFirst => (delete, create),
                ReplaceOrder::CreateFirst => (create, delete),
            };
            if !plan.nodes[second].after.contains(&NodeId(first)) {
                found.push(broken(format!("the halves of {address} are not in order")));
            }
        }
        let needs_state = matches!(
            change.action,
            Action::Update | Action::Replace(_) | Action::Delete | Action::Forget
        );
        let stored = change.moved_from.as_ref().unwrap_or(address);
        if needs_state && change.import.is_none() && !snapshot.resources.contains_key(stored) {
            found.push(broken(format!(
                "{address} is not in state and would be changed"
            )));
        }
    }
}

fn check_steps(plan: &Plan, found: &mut Diagnostics) {
    let mut step_of: BTreeMap<NodeId, usize> = BTreeMap::new();
    for (s, step) in plan.steps.iter().enumerate() {
        for &n in &step.nodes {
            if n.0 >= plan.nodes.len() || step_of.insert(n, s).is_some() {
                found.push(broken("a node is in two steps, or not there".into()));
                return;
            }
        }
        if step.after.iter().any(|before| before.0 >= s) {
            found.push(broken("a step comes after a later one".into()));
        }
    }
    for (i, node) in plan.nodes.iter().enumerate() {
        let Some(&own) = step_of.get(&NodeId(i)) else {
            found.push(broken(format!("{} is in no step", node.address)));
            return;
        };
        for before in &node.after {
            let listed = step_of.get(before).is_some_and(|other| {
                *other != own && plan.steps[own].after.iter().any(|s| s.0 == *other)
            });
            if !listed {
                found.push(broken(format!(
                    "the step of {} does not wait",
                    node.address
                )));
            }
        }
    }
}

fn check_protected(
    plan: &Plan,
    protected: &BTreeMap<Address, Option<Span>>,
    found: &mut Diagnostics,
) {
    for (address, span) in protected {
        let Some(change) = plan.changes.get(address) else {
            continue;
        };
        let what = match change.action {
            Action::Delete => "deleted",
            Action::Replace(_) => "replaced",
            _ => continue,
        };
        let mut diagnostic = Diagnostic::error(format!("{address} can't be {what}"))
            .because("Its lifecycle has `prevent_destroy = true`.")
            .help(
                "Remove `prevent_destroy`, or undo the change that asks for it, or leave it out \
                 with -target.",
            )
            .on(address.clone());
        diagnostic.span.clone_from(span);
        found.push(diagnostic);
    }
}
