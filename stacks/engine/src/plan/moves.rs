//! `moved` blocks: what planning makes of them.

use super::Findings;
use crate::{
    engine::{PlanInput, PlanOptions},
    settle::Settlements,
};
use std::collections::BTreeSet;
use weir_core::{
    Address, Diagnostic, Diagnostics, ModulePath,
    change::{Action, Change, Reason},
    snapshot::{Resource, Snapshot},
};
use weir_lang::Evaluator;
use weir_plan::{Declared, Moved, validate_moves};

/// Where objects are by now.
///
/// # Errors
/// The statements go round in a circle. An object would move of which it is not known what an
/// earlier run did to it.
pub(super) fn moved(
    input: &PlanInput,
    snapshot: &Snapshot,
    settlements: &Settlements,
) -> Result<Moved, Diagnostics> {
    let moved = weir_plan::moved(&input.config, snapshot)?;
    let held: Vec<Diagnostic> = settlements
        .unsettled
        .iter()
        .filter(|u| moved.from.values().any(|from| *from == u.address))
        .map(|u| Diagnostic {
            severity: weir_core::Severity::Error,
            ..u.warning()
        })
        .collect();
    match held.is_empty() {
        true => Ok(moved),
        false => Err(Diagnostics(held)),
    }
}

struct Evaluated<'a>(&'a Findings, &'a Evaluator);
impl Declared for Evaluated<'_> {
    fn instance(&self, address: &Address) -> bool {
        self.0.dependencies.contains_key(address)
    }
    fn module(&self, path: &ModulePath) -> bool {
        self.1.has_module(path)
    }
}

/// What stands against the statements, now that it is known which instances there are.
pub(super) fn validate(input: &PlanInput, evaluator: &Evaluator, findings: &mut Findings) {
    let found = validate_moves(&input.config, &Evaluated(findings, evaluator));
    findings.diagnostics.extend(found);
}

/// Notes in each change where its object was before. Data sources are not in state and move by
/// themselves. What has no change, as a refresh plans none for what is to go, has moved and no more.
/// `snapshot` is state after the moves.
pub(super) fn note(snapshot: &Snapshot, findings: &mut Findings) {
    for (now, before) in &findings.moved {
        if !findings.changes.contains_key(now)
            && let Some(resource) = snapshot.resources.get(now)
        {
            let found = findings.observed.entry(now.clone());
            let found = found.or_insert_with(|| Some(resource.clone()));
            if let Some(resource) = found {
                let change = stays(now, resource);
                findings.changes.insert(now.clone(), change);
            }
            if !snapshot.resources.contains_key(before) {
                findings.observed.insert(before.clone(), None);
            }
        }
        for changes in [&mut findings.changes, &mut findings.drift] {
            if let Some(change) = changes.get_mut(now) {
                change.moved_from = Some(before.clone());
            }
        }
    }
}

/// Nothing is done to an object.
fn stays(address: &Address, resource: &Resource) -> Change {
    Change {
        address: address.clone(),
        action: Action::NoOp,
        reason: Reason::UpToDate,
        before: Some(resource.value.clone()),
        after: Some(resource.value.value().clone()),
        provider: resource.provider.clone(),
        private: resource.private.clone(),
        batch: None,
        moved_from: None,
        import: None,
    }
}

/// A move can't be left out: what is planned for the others counts on it. With targets, both its
/// ends are named; nothing is taken for what the targets depend on.
pub(super) fn excluded(
    findings: &Findings,
    options: &PlanOptions,
    selected: &BTreeSet<Address>,
) -> Option<Diagnostic> {
    let named = |a: &Address| options.targets.iter().any(|t| t.names(a));
    let leaves_out = |now: &Address, before: &Address| {
        let change = findings.changes.get(now);
        let is_planned = change.is_some_and(|c| c.action != Action::Forget);
        let both_named = named(now) && named(before);
        let unnamed = !options.targets.is_empty() && !both_named;
        unnamed || is_planned && !selected.contains(now)
    };
    let left_out: Vec<String> = (findings.moved.iter())
        .filter(|(now, before)| leaves_out(now, before))
        .map(|(now, before)| format!("{before} to {now}"))
        .collect();
    (!left_out.is_empty()).then(|| {
        Diagnostic::error("this plan leaves out objects that have moved")
            .because(format!(
                "The targets do not name both addresses of what has a new one: {}.",
                left_out.join(", ")
            ))
            .help("Name the old and the new addresses too, or plan without targets first.")
    })
}
