//! Apply in rounds: where offers of a pool have run out, what is left is planned again in the same
//! run, and the next offers make the machines.
//!
//! 1. A round is a plan and its apply, under a lease of its own, as each apply is.
//! 2. Where all that went wrong is that offers could not make machines, or what those need, they are
//!    said to have run out, or a zone of them, and what is left is planned again without it.
//! 3. A round does nothing that was not agreed to: what was planned before and not done, and what the
//!    machines of pools need. Where there is more to do, it ends there.

use super::{
    Context,
    apply::{Done, carry_out},
    run::{self, Run, Secured, Style},
};
use crate::error::CommandError;
use weir_core::{
    Address, Diagnostic, Diagnostics, Object, address::OfferStep, change::Change, plan::Op,
};
use weir_engine::{Mode, NodeResult, PlanInput, PlanOptions, Planned, Report};
use weir_lang::{Machines, machines::Exhausted};
use weir_state::Lease;

/// What is carried out, and how it is told.
pub(super) struct Rounds<'a> {
    pub(super) run: &'a Run,
    pub(super) operation: &'static str,
    pub(super) style: Style,
    pub(super) context: &'a Context,
    /// Shows the plan of a later round.
    pub(super) show: &'a (dyn Fn(&Planned) -> Result<(), CommandError> + Sync),
}

/// What came of all rounds, and the error that kept another one from being begun.
pub(super) type Ended = (Done, Option<CommandError>);

impl Rounds<'_> {
    /// Carries out a plan, and what becomes of it where offers run out. `lease` is that of the last
    /// round afterwards.
    pub(super) async fn carry_out(
        &self,
        planned: &Planned,
        options: PlanOptions,
        lease: &mut Option<Lease>,
    ) -> Result<Ended, CommandError> {
        let (mut options, mut last) = (options, None::<Planned>);
        let mut all: Option<Done> = None;
        loop {
            let planned = last.as_ref().unwrap_or(planned);
            let Some(held) = lease.as_ref() else {
                let done = all.unwrap_or_else(|| Done::nothing(self.operation, Default::default()));
                return Ok((done, None));
            };
            let report = carry_out(self.run, planned, held, self.context).await?;
            let exhausted = report.exhausted.clone();
            let goes_on = planned.mode == Mode::Apply && planned.plan.complete;
            let known = options.exhausted.len();
            let reasons = exhausted
                .iter()
                .map(|(what, why)| ran_out(what, why, planned, &report));
            let reasons = Diagnostics(reasons.collect());
            options.exhausted.extend(exhausted);
            let done = Done::of(planned, report, (planned.mode, self.operation));
            let mut done = match all.take() {
                Some(before) => before.then(done),
                None => done,
            };
            if !goes_on || options.exhausted.len() == known {
                return Ok((done, None));
            }
            done.forgive_shortages();
            run::warn(&reasons, self.style, self.context)?;
            let input = PlanInput {
                config: planned.config.clone(),
                inputs: planned.inputs.clone(),
                options: options.clone(),
            };
            self.run.release(lease.take()).await?;
            let next = match self.next(&input, planned).await {
                Ok(next) => next,
                Err(error) => return Ok((done, Some(error))),
            };
            *lease = Some(next.lease);
            (self.show)(&next.planned)?;
            last = Some(next.planned);
            all = Some(done);
        }
    }

    async fn next(&self, input: &PlanInput, before: &Planned) -> Result<Secured, CommandError> {
        let planned = self.run.plan_input(input).await?;
        let secured = self.run.secure(planned, input).await?;
        let Some(more) = more(before, &secured.planned) else {
            return Ok(secured);
        };
        let d = Diagnostic::error("What is left can't be done in this run").because(format!(
            "Meanwhile there is something else to do, which nobody has agreed to: {more}."
        ));
        self.run.release(Some(secured.lease)).await?;
        Err(Diagnostics::from(d.help("Apply again, and look at the new plan.")).into())
    }
}

/// An instance that a later round changes and that the plan before had no business with.
fn more<'p>(before: &Planned, after: &'p Planned) -> Option<&'p Address> {
    let agreed = |address: &Address| {
        let before = before.plan.changes.get(address);
        let of_machines = |a: &Address| {
            let mut steps = a.module.0.iter();
            steps.any(|(name, _)| OfferStep::of(name).is_some())
                || matches!(a.object, Object::Host { .. } | Object::Pod { .. })
        };
        before.is_some_and(|c| !c.action.is_noop()) || of_machines(address)
    };
    let changes = after.plan.changes.iter();
    let does = |change: &Change| !change.action.is_noop();
    let mut more = changes.filter(|(a, c)| does(c) && !agreed(a));
    more.next().map(|(address, _)| address)
}

/// That an offer, or a zone of it, makes no more machines.
fn ran_out(what: &Exhausted, why: &str, planned: &Planned, report: &Report) -> Diagnostic {
    let offer = &what.offer;
    let is_meant = |a: &Address| {
        let after = planned.plan.changes.get(a).and_then(|c| c.after.as_ref());
        let zone = after.and_then(|value| Machines::zone(a, value));
        Machines::offer(a) == Some(offer) && (what.zone.is_none() || zone == what.zone)
    };
    let undone = report.nodes.iter().filter(|n| {
        let undone = matches!(n.result, NodeResult::Failed | NodeResult::Skipped(_));
        n.op != Op::Delete && undone && is_meant(&n.address)
    });
    let machines = match undone.count() {
        1 => "1 machine that it was to make goes".to_owned(),
        n => format!("{n} machines that it was to make go"),
    };
    let (place, next) = match &what.zone {
        Some(zone) => (format!(" in {zone}"), "another zone, or to "),
        None => (String::new(), ""),
    };
    Diagnostic::warning(format!("{offer} has run out{place}")).because(format!(
        "{why}. {machines} to {next}the next offer of its pool."
    ))
}
