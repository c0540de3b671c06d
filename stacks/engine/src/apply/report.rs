//! What an apply came to.

use super::{Run, State};
use crate::{Planned, diagnostics, settle::Unsettled};
use std::collections::BTreeMap;
use weir_core::{
    Address, Diagnostics, Known, Shortage,
    change::Action,
    checks::CheckResult,
    plan::{NodeId, Op},
};
use weir_lang::{Machines, machines::Exhausted};

/// What an apply came to.
#[derive(Debug, Clone)]
pub struct Report {
    /// How it ended.
    pub status: Status,
    /// Every operation of the plan, in the plan's order.
    pub nodes: Vec<NodeOutcome>,
    /// Warnings and errors, in the order they came.
    pub diagnostics: Diagnostics,
    /// The root module's outputs as they are now.
    pub outputs: BTreeMap<String, Known>,
    /// Old objects of earlier runs that could not be deleted.
    pub deposed: Vec<Unsettled>,
    /// What the configuration's conditions came to.
    pub checks: Vec<CheckResult>,
    /// Offers of pools that could not make a machine, by the module path of what they make, with the
    /// reason: [`crate::PlanOptions::exhausted`] of a plan that turns to the next ones. Empty where
    /// something else went wrong too.
    pub exhausted: BTreeMap<Exhausted, String>,
}

/// How an apply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Everything was done.
    Succeeded,
    /// Something failed; the diagnostics say what.
    Failed,
    /// It was stopped; nothing failed.
    Interrupted,
}

/// What became of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeOutcome {
    /// On which instance.
    pub address: Address,
    /// What.
    pub op: Op,
    /// The change it is part of.
    pub action: Action,
    /// How it ended.
    pub result: NodeResult,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeResult {
    /// It was done.
    Done,
    /// It failed.
    Failed,
    /// It was not begun: this instance failed, or (`None`) the run was stopped.
    Skipped(Option<Address>),
}

/// What went wrong with one operation.
pub(super) struct Failure {
    pub(super) node: NodeId,
    pub(super) errors: Diagnostics,
}

impl Report {
    /// How many operations of a kind were done.
    pub fn done(&self, op: Op) -> usize {
        self.nodes
            .iter()
            .filter(|n| n.op == op && n.result == NodeResult::Done)
            .count()
    }
}

pub(super) fn report(
    run: Run<'_>,
    status: Status,
    outputs: BTreeMap<String, Known>,
    checks: Vec<CheckResult>,
) -> Report {
    let plan = &run.planned.plan;
    let nodes = plan
        .nodes
        .iter()
        .zip(run.states)
        .filter(|(node, _)| node.op != Op::Join)
        .map(|(node, state)| NodeOutcome {
            address: node.address.clone(),
            op: node.op,
            action: plan
                .changes
                .get(&node.address)
                .map_or(Action::NoOp, |c| c.action),
            result: match state {
                State::Done => NodeResult::Done,
                State::Failed => NodeResult::Failed,
                State::Skipped(because) => NodeResult::Skipped(because),
                State::Waiting => NodeResult::Skipped(None),
            },
        });
    let nodes = nodes.collect();
    let exhausted = exhausted(&run.failures, run.planned, status);
    let mut found = run.warnings;
    for failure in run.failures {
        found.extend(failure.errors);
    }
    let mut deposed = Vec::new();
    for (unsettled, errors) in run.old_failures {
        deposed.push(unsettled);
        found.extend(errors);
    }
    let exhausted = match run.broken {
        None => exhausted,
        Some(_) => BTreeMap::new(),
    };
    let status = match run.broken {
        None => status,
        Some(error) => {
            found.extend(diagnostics::state(&error));
            Status::Failed
        }
    };
    Report {
        status,
        nodes,
        diagnostics: found,
        outputs,
        deposed,
        checks,
        exhausted,
    }
}

/// The offers, or zones of them, that could not make machines or what those need, as the provider is
/// short of something; none where that is not all that went wrong. Where a zone ran out that was
/// known to have, the offer has no other.
fn exhausted(
    failures: &[Failure],
    planned: &Planned,
    status: Status,
) -> BTreeMap<Exhausted, String> {
    let plan = &planned.plan;
    let of = |failure: &Failure| {
        let address = &plan.nodes[failure.node.0].address;
        let offer = Machines::offer_around(address)?.clone();
        let d = failure.errors.0.iter().find(|d| d.shortage().is_some())?;
        let why = match d.detail.as_str() {
            "" => d.summary.clone(),
            detail => detail.trim_end_matches('.').to_owned(),
        };
        let shortage = d.shortage()?;
        let after = plan.changes.get(address).and_then(|c| c.after.as_ref());
        let zone = after.and_then(|value| Machines::zone(address, value));
        // A quota is the whole region's.
        let zone = zone.filter(|_| shortage != Shortage::Quota);
        let mut what = Exhausted { offer, zone };
        if planned.exhausted.contains_key(&what) {
            what.zone = None;
        }
        Some((what, format!("{shortage}: {why}")))
    };
    match status {
        Status::Failed => {
            let all: Option<BTreeMap<_, _>> = failures.iter().map(of).collect();
            all.unwrap_or_default()
        }
        Status::Succeeded | Status::Interrupted => BTreeMap::new(),
    }
}
