//! What is wrong with instances that may be no part of what is planned.
//!
//! Which instances targets take shows once all are planned, as what they depend on comes with them.
//! What is wrong with one that they leave out is nobody's business until then.

use super::{
    Evaluator,
    graph::Role,
    run::{Computed, Outcome, Stop},
};
use crate::{config::NodeKind, eval::NodeId};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{Address, Diagnostic, Object};

/// What is set aside.
#[derive(Default)]
pub(super) struct Aside {
    /// Of these, nothing is.
    planned: BTreeSet<Address>,
    /// What does not hold of the values that instances got.
    found: BTreeMap<Address, Vec<Diagnostic>>,
}

impl Evaluator {
    /// Sets aside what is wrong with single instances of resources and data sources, but for those
    /// in `planned`: they are yielded with it ([`crate::Instance::refused`]), and what does not hold
    /// of the values they get is in [`Evaluator::take_aside`].
    #[must_use]
    pub fn setting_aside(mut self, planned: BTreeSet<Address>) -> Evaluator {
        let found = BTreeMap::new();
        self.aside = Some(Aside { planned, found });
        self
    }

    /// What was set aside of values since the last call, by the instance that got one.
    pub fn take_aside(&mut self) -> BTreeMap<Address, Vec<Diagnostic>> {
        let aside = self.aside.as_mut();
        aside.map_or_else(BTreeMap::new, |a| std::mem::take(&mut a.found))
    }

    fn sets_aside(&self, id: NodeId) -> bool {
        let Some(aside) = &self.aside else {
            return false;
        };
        let of_kind = matches!(self.kind_of(id), NodeKind::Resource(r)
            if r.scoped.is_none() && !matches!(r.object, Object::Ephemeral { .. }));
        let is_instance = matches!(self.graph.get(id).role, Role::Instance(_));
        let is_planned = |a: &Address| aside.planned.contains(a);
        of_kind && is_instance && !self.address_of(id).as_ref().is_some_and(is_planned)
    }

    /// Reports what was found of an instance, and fails where an error is among it; or hands the
    /// errors out beside what there is all the same.
    pub(super) fn settle_instance<T>(
        &mut self,
        id: NodeId,
        outcome: Outcome<T>,
    ) -> Result<(Computed<T>, Vec<Diagnostic>), Stop> {
        if !self.sets_aside(id) {
            let computed = self.settle(id, outcome)?;
            return Ok((computed, Vec::new()));
        }
        match outcome {
            // It finds the same when it is evaluated again.
            Err(wait) => Err(Stop::Wait(wait.on)),
            Ok(mut computed) => {
                let problems = std::mem::take(&mut computed.problems);
                let (refused, rest) = problems.into_iter().partition(Diagnostic::is_error);
                computed.problems = rest;
                let computed = self.settle(id, Ok(computed))?;
                Ok((computed, refused))
            }
        }
    }

    /// Reports what does not hold of the value that an instance got.
    pub(super) fn report_value(&mut self, id: NodeId, address: &Address, problem: Diagnostic) {
        if problem.is_error()
            && self.sets_aside(id)
            && let Some(aside) = &mut self.aside
        {
            let found = aside.found.entry(address.clone()).or_default();
            return found.push(problem);
        }
        self.report(problem, Some(address));
    }
}
