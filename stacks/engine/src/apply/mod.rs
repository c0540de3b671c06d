//! From a checked plan to a changed world.
//!
//! 1. `Run::start`: what the plan needs must be as it was when it was made; what refresh found is
//!    recorded; the evaluator is brought to where planning left it;
//! 2. [`schedule`]: steps whose predecessors are over, at most one at a time for each batch key;
//!    `slots`: how many of them at once;
//! 3. `prepare`: an operation with the values that are known by now;
//! 4. `step`: journal, provider, journal;
//! 5. `Run::take`: real values go back to the evaluator; failures stop what depends on them;
//! 6. `Run::end`: outputs, what is behind objects, and history, where there is anything new.

mod call;
mod deposed;
mod ephemeral;
mod judge;
mod outputs;
mod prepare;
mod record;
mod report;
pub mod schedule;
mod settled;
mod slots;
mod stale;
mod step;

pub use report::{NodeOutcome, NodeResult, Report, Status};
pub(crate) use stale::stale;

use crate::{
    diagnostics,
    drive::{self, Driven, Supply},
    engine::{Engine, Mode, Planned},
    machines,
    plan::Behind,
    pods, scope,
    settle::Unsettled,
};
use futures::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use prepare::Prepared;
use report::Failure;
use schedule::Schedule;
use slots::Slots;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Instant, SystemTime},
};
use step::{Ended, Shared, StepEnd};
use tokio_util::sync::CancellationToken;
use weir_core::{
    Address, Diagnostic, Diagnostics, Known, Severity, Value,
    event::Event,
    plan::{NodeId, Op, StepId},
    references::References,
    snapshot::{Resource, Serial, Snapshot},
};
use weir_lang::{Evaluator, eval::Settled};
use weir_state::{Entry, EntryId, Lease, StateError};

impl Engine {
    /// Carries out a plan. After `stop` is cancelled nothing more is begun; what is in flight is
    /// finished and recorded. One lease serves one apply: tokens of operations count within it.
    ///
    /// # Errors
    /// Where nothing was begun: the plan is stale, the store can't be read or written, a provider
    /// can't be configured. All that goes wrong later is in the report.
    pub async fn apply(
        &self,
        planned: &Planned,
        lease: &Lease,
        stop: CancellationToken,
    ) -> Result<Report, Diagnostics> {
        let started = SystemTime::now();
        let report = self.carry_out(planned, lease, stop, started).await;
        let closed = self.ephemerals.close_all().await;
        match report {
            Ok(mut report) => {
                report.diagnostics.extend(closed);
                Ok(report)
            }
            Err(mut errors) => {
                errors.extend(closed);
                Err(errors)
            }
        }
    }

    async fn carry_out(
        &self,
        planned: &Planned,
        lease: &Lease,
        stop: CancellationToken,
        started: SystemTime,
    ) -> Result<Report, Diagnostics> {
        let mut run = Run::start(self, planned, lease, stop).await?;
        run.open_ephemerals().await?;
        run.steps().await;
        run.clean_up().await;
        run.record_dependencies().await;
        run.end(started).await
    }
}

/// What became of a node so far.
#[derive(Debug, Clone, PartialEq)]
enum State {
    Waiting,
    Done,
    Failed,
    Skipped(Option<Address>),
}

/// One apply.
struct Run<'a> {
    engine: &'a Engine,
    planned: &'a Planned,
    lease: &'a Lease,
    stop: CancellationToken,
    /// What the plan left to the apply: its time, and randomness.
    settled: Arc<Settled>,
    evaluator: Evaluator,
    driven: Driven,
    /// What data sources depend on.
    behind: Behind,
    /// What state has by now.
    resources: BTreeMap<Address, Resource>,
    /// Instances with an object that this run wrote.
    written: BTreeSet<Address>,
    /// What state says of what is behind objects, and the serial at which it did.
    references: References,
    began_at: Serial,
    /// Whether refresh, moves or imports were recorded.
    recorded: bool,
    /// The outputs that state had.
    outputs: BTreeMap<String, Known>,
    states: Vec<State>,
    failures: Vec<Failure>,
    warnings: Diagnostics,
    /// The entries of old objects that this run put aside.
    put_aside: BTreeMap<Address, EntryId>,
    /// The old objects themselves, as state had them.
    replaced: BTreeMap<Address, Resource>,
    /// Those of earlier runs.
    deposed: Vec<Entry>,
    /// Operations of earlier runs that may or may not have been done.
    unsettled: Vec<Unsettled>,
    /// Those of earlier runs that could not be deleted, and why.
    old_failures: Vec<(Unsettled, Diagnostics)>,
    /// The step of the next token.
    next_step: u64,
    /// The store refused a write: nothing more can be recorded, so nothing more is begun.
    broken: Option<StateError>,
}

impl<'a> Run<'a> {
    async fn start(
        engine: &'a Engine,
        planned: &'a Planned,
        lease: &'a Lease,
        stop: CancellationToken,
    ) -> Result<Run<'a>, Diagnostics> {
        let read = |e| diagnostics::state(&e);
        let settlements = engine.settle(Some(lease), &planned.config).await?;
        let stored = engine.store.snapshot().await.map_err(read)?;
        let (plan, scope) = (planned.plan.plan(), lease.scope());
        let current = scope::is_current(&*engine.store, plan, scope, &stored).await;
        if !current.map_err(read)? {
            return Err(stale(&*engine.store, planned.plan.plan(), &stored)
                .await
                .into());
        }
        let (snapshot, found) = record::before(planned, &stored);
        let settled = settled::settled();
        let mut evaluator =
            evaluator(engine, planned, &snapshot.resources).settling(settled.clone());
        let (driven, errors) = drive::drive(
            &mut evaluator,
            |address| planned_value(planned, &snapshot, address),
            |address| pods::placement(planned_value(planned, &snapshot, address).value()?),
        );
        // What is only deleted needs no configuration (planning refused what does).
        let writes = |op: Op| matches!(op, Op::Create | Op::Update | Op::Read);
        if errors.has_errors() && planned.plan.nodes.iter().any(|n| writes(n.op)) {
            return Err(errors);
        }
        for provider in &driven.providers {
            engine.session.configure(provider).await?;
        }
        let (outputs, references) = (stored.outputs.clone(), stored.references.clone());
        let began_at = stored.serial;
        let mut resources = match snapshot {
            Cow::Owned(moved) => moved.resources,
            Cow::Borrowed(_) => stored.resources,
        };
        for (address, now) in &planned.observed {
            match now {
                Some(now) => resources.insert(address.clone(), now.clone()),
                None => resources.remove(address),
            };
        }
        let recorded = !found.is_empty();
        if recorded {
            engine.journal(lease).refresh(found).await.map_err(read)?;
        }
        Ok(Run {
            engine,
            planned,
            lease,
            stop,
            settled,
            evaluator,
            driven,
            behind: Behind::default(),
            resources,
            written: BTreeSet::new(),
            references,
            began_at,
            recorded,
            outputs,
            states: vec![State::Waiting; planned.plan.nodes.len()],
            failures: Vec::new(),
            warnings: Diagnostics::new(),
            put_aside: BTreeMap::new(),
            replaced: BTreeMap::new(),
            deposed: due(settlements.deposed, planned, lease),
            unsettled: settlements.unsettled,
            old_failures: Vec::new(),
            next_step: 1,
            broken: None,
        })
    }

    /// Runs all steps. Between two of them the evaluator is this function's alone.
    async fn steps(&mut self) {
        let plan = self.planned.plan.plan();
        let mut schedule = Schedule::new(plan);
        let (engine, lease, stop) = (self.engine, self.lease, self.stop.clone());
        let shared = Shared {
            engine,
            journal: engine.journal(lease),
            slots: Slots::new(engine.parallelism),
            stop: stop.child_token(),
        };
        let mut running = FuturesUnordered::new();
        let mut lost = Box::pin(lease.lost().fuse());
        loop {
            while running.len() < shared.slots.window()
                && self.broken.is_none()
                && !stop.is_cancelled()
            {
                let Some(step) = schedule.take() else { break };
                let prepared = self.prepare(step).await;
                if prepared.is_empty() {
                    schedule.over(step);
                    continue;
                }
                running.push(step::run(&shared, step, prepared));
            }
            if running.is_empty() {
                break;
            }
            tokio::select! {
                Some(end) = running.next() => {
                    let StepEnd { step, ended, broken } = end;
                    for node in ended {
                        self.take(node);
                    }
                    self.broken = self.broken.take().or(broken);
                    schedule.over(step);
                }
                error = &mut lost => self.broken = self.broken.take().or(Some(error)),
            }
            if self.broken.is_some() {
                shared.stop.cancel();
            }
        }
        for i in 0..self.states.len() {
            if self.states[i] == State::Waiting {
                self.skip(NodeId(i), None);
            }
        }
    }

    /// The step's operations that can be done; the others are skipped or have failed.
    async fn prepare(&mut self, step: StepId) -> Vec<Prepared> {
        let mut prepared = Vec::new();
        let token = self.token();
        for &node in &self.planned.plan.steps[step.0].nodes {
            if let Some(because) = self.blocked(node) {
                self.skip(node, Some(because));
                continue;
            }
            if self.planned.plan.nodes[node.0].op == Op::Join {
                self.states[node.0] = State::Done;
                continue;
            }
            let ready = match self.unsettled(node) {
                Some(refusal) => Err(refusal.into()),
                None => self.prepare_node(node, &token).await,
            };
            match ready {
                Ok(p) => prepared.push(p),
                Err(errors) => self.fail(node, errors, 0),
            }
        }
        prepared
    }

    /// Why an instance is left alone of which it is not known what an earlier run did to it.
    fn unsettled(&self, node: NodeId) -> Option<Diagnostic> {
        let address = &self.planned.plan.nodes[node.0].address;
        let earlier = self.unsettled.iter().find(|u| u.address == *address)?;
        Some(Diagnostic {
            severity: Severity::Error,
            ..earlier.warning()
        })
    }

    fn token(&mut self) -> weir_provider::Token {
        let step = self.next_step;
        self.next_step += 1;
        weir_provider::Token {
            lineage: self.planned.plan.lineage.0.clone(),
            epoch: self.lease.epoch(),
            step,
        }
    }

    /// The instance whose failure keeps the node from being done.
    fn blocked(&self, node: NodeId) -> Option<Address> {
        let nodes = &self.planned.plan.nodes;
        nodes[node.0]
            .after
            .iter()
            .find_map(|before| match &self.states[before.0] {
                State::Failed => Some(nodes[before.0].address.clone()),
                State::Skipped(Some(because)) => Some(because.clone()),
                State::Skipped(None) | State::Waiting => Some(nodes[before.0].address.clone()),
                State::Done => None,
            })
    }

    fn skip(&mut self, node: NodeId, because: Option<Address>) {
        let n = &self.planned.plan.nodes[node.0];
        self.states[node.0] = State::Skipped(because.clone());
        if n.op == Op::Join {
            return;
        }
        self.restore(node);
        let (address, op) = (n.address.clone(), n.op);
        self.engine.events.event(Event::Skipped {
            address,
            op,
            because,
        });
    }

    fn fail(&mut self, node: NodeId, errors: Diagnostics, elapsed_ms: u64) {
        let n = &self.planned.plan.nodes[node.0];
        self.states[node.0] = State::Failed;
        self.restore(node);
        let errors = self.located(&n.address, errors);
        self.engine.events.event(Event::Failed {
            address: n.address.clone(),
            op: n.op,
            elapsed_ms,
            message: diagnostics::one_line_about(&n.address, &errors),
        });
        self.failures.push(Failure { node, errors });
    }

    /// It was done, and is not as the configuration demands.
    fn unfit(&mut self, node: NodeId, errors: Diagnostics) {
        let n = &self.planned.plan.nodes[node.0];
        self.states[node.0] = State::Failed;
        self.restore(node);
        let errors = self.located(&n.address, errors);
        self.engine.events.event(Event::Unfit {
            address: n.address.clone(),
            op: n.op,
            message: diagnostics::one_line_about(&n.address, &errors),
        });
        self.failures.push(Failure { node, errors });
    }

    fn located(&self, address: &Address, found: Diagnostics) -> Diagnostics {
        match self.driven.instances.get(address) {
            Some(i) => diagnostics::locate(found, &self.planned.config, &i.span, address),
            None => diagnostics::on(found, address),
        }
    }

    /// A planned value that did not come true must not reach an output.
    fn restore(&mut self, node: NodeId) {
        let n = &self.planned.plan.nodes[node.0];
        if n.op == Op::Delete || !self.driven.instances.contains_key(&n.address) {
            return;
        }
        let value = match self.resources.get(&n.address) {
            Some(resource) => resource.value.value().clone(),
            None => Value::unknown(weir_core::Type::Dynamic),
        };
        self.evaluator.supply(&n.address, value);
    }

    /// Takes what became of one operation.
    fn take(&mut self, ended: Ended) {
        let Ended {
            node,
            elapsed_ms,
            put_aside,
            resource,
            supply,
            result,
        } = ended;
        let n = &self.planned.plan.nodes[node.0];
        if let Some(entry) = put_aside {
            self.put_aside.insert(n.address.clone(), entry);
        }
        if let Some(now) = resource {
            // An update that came to nothing leaves it as it was.
            let before = self.resources.get(&n.address).map(|r| &r.value);
            let after = now.as_ref().map(|r| &r.value);
            let idle = n.op == Op::Update && before == after;
            if now.is_some() && n.op != Op::Delete && !idle {
                self.written.insert(n.address.clone());
            }
            match now {
                Some(resource) => self.resources.insert(n.address.clone(), resource),
                None => self.resources.remove(&n.address),
            };
        }
        if let Some(value) = supply
            && self.driven.instances.contains_key(&n.address)
        {
            self.evaluator.supply(&n.address, value);
        }
        let scoped = self.driven.instances.get(&n.address);
        let scoped = scoped.is_some_and(|i| i.scoped.is_some());
        let result = match result {
            // What is wrong with the data of a `check` is a warning.
            Err(errors) if scoped => {
                self.evaluator.fail_scoped(&n.address, errors);
                Ok(Diagnostics::new())
            }
            other => other,
        };
        match result {
            Ok(warnings) => {
                let (address, op) = (n.address.clone(), n.op);
                let made = self.resources.get(&address);
                let id = made.and_then(|r| r.value.value().shown_id());
                self.engine.events.event(Event::Finished {
                    address,
                    op,
                    elapsed_ms,
                    id: id.filter(|_| op != Op::Delete),
                });
                match self.postconditions(warnings) {
                    Ok(warnings) => {
                        self.states[node.0] = State::Done;
                        let warnings = self.located(&n.address, warnings);
                        self.warnings.extend(warnings);
                    }
                    Err(errors) => self.unfit(node, errors),
                }
            }
            Err(errors) => self.fail(node, errors, elapsed_ms),
        }
    }

    /// What the configuration demands of the value that was just supplied. The object is there and
    /// recorded all the same; what depends on it is not begun.
    fn postconditions(&mut self, mut warnings: Diagnostics) -> Result<Diagnostics, Diagnostics> {
        let found = self.evaluator.take_diagnostics();
        let (checks, found) = found.0.into_iter().partition(is_of_check);
        self.note(checks);
        warnings.0.extend::<Vec<_>>(found);
        match warnings.has_errors() {
            true => Err(warnings),
            false => Ok(warnings),
        }
    }

    /// Keeps what checks warn of. Where all is destroyed, they are not asked.
    fn note(&mut self, found: Vec<Diagnostic>) {
        if self.planned.mode != Mode::Destroy {
            self.warnings.0.extend(found);
        }
    }

    /// Outputs, history, and the report.
    async fn end(mut self, started: SystemTime) -> Result<Report, Diagnostics> {
        let outputs = self.final_outputs();
        let mut found = self.evaluator.take_diagnostics();
        found.extend(self.decide());
        let all_well =
            self.failures.is_empty() && self.old_failures.is_empty() && !found.has_errors();
        let (checks, found) = found.0.into_iter().partition(is_of_check);
        self.note(checks);
        self.warnings.0.extend::<Vec<_>>(found);
        let status = match (&self.broken, all_well) {
            (None, true) if self.states.iter().all(|s| *s == State::Done) => Status::Succeeded,
            (None, true) => Status::Interrupted,
            _ => Status::Failed,
        };
        let plan = &self.planned.plan;
        let part = (!plan.complete).then(|| {
            crate::plan::Chosen::of(
                &self.planned.config,
                plan.changes.keys(),
                plan.outputs.keys(),
            )
        });
        let mode = self.planned.mode;
        let mut checks = match (mode, plan.complete) {
            // Nothing was made that could decide more than the plan did.
            (Mode::Refresh, false) => plan.checks.clone(),
            _ => crate::plan::checks(&mut self.evaluator, mode, part.as_ref()),
        };
        for result in checks.iter_mut().filter(|r| r.instances.is_empty()) {
            // Of a block without instances, the plan has said all there is to say.
            let planned = plan.checks.iter().find(|p| p.block == result.block);
            if let Some(planned) = planned.filter(|p| p.instances.is_empty()) {
                result.status = planned.status;
            }
        }
        if self.broken.is_none() {
            self.broken = self.keep(status, started, &outputs, &checks).await.err();
        }
        Ok(report::report(self, status, outputs, checks))
    }

    /// Asks what instances that stay as they are demand, where that was not known while planning:
    /// nothing else of this run did.
    fn decide(&mut self) -> Diagnostics {
        let mut found = Diagnostics::new();
        if self.broken.is_some() || self.stop.is_cancelled() {
            return found;
        }
        let changes = &self.planned.plan.changes;
        let stays = |a: &Address| changes.get(a).is_some_and(|c| c.action.is_noop());
        let mut open = self.evaluator.undecided();
        open.retain(stays);
        for address in open {
            let errors = self.evaluator.decide(&address);
            found.extend(self.located(&address, errors));
        }
        found
    }
}

/// Of the old objects that are still there, those that go with this plan.
fn due(deposed: Vec<Entry>, planned: &Planned, lease: &Lease) -> Vec<Entry> {
    let plan = &planned.plan;
    let named = |e: &Entry| plan.deposed.iter().any(|d| d.key == e.id.deposed_key());
    let goes = |e: &Entry| lease.scope().owns(&e.begin.address) && (plan.complete || named(e));
    deposed.into_iter().filter(goes).collect()
}

/// One of what was planned: of what the plan leaves out, nothing is asked.
fn evaluator(
    engine: &Engine,
    planned: &Planned,
    resources: &BTreeMap<Address, Resource>,
) -> Evaluator {
    let plan = &planned.plan;
    let part = (!plan.complete).then(|| {
        let blocks: BTreeSet<Address> = plan.changes.keys().map(Address::written).collect();
        let part = (planned.config).part(
            |block| blocks.contains(block),
            &plan.changes.values().map(|c| c.provider.clone()).collect(),
            |output, _, _| plan.outputs.contains_key(output),
        );
        Arc::new(part)
    });
    let evaluator = Evaluator::of_part(planned.config.clone(), engine.registry.clone(), part)
        .with_machines(machines::of_plan(planned, resources));
    let evaluator = match planned.mode {
        Mode::Refresh => evaluator.looking_only(),
        Mode::Apply | Mode::Destroy => evaluator,
    };
    match plan.complete {
        true => evaluator,
        false => evaluator.setting_aside(plan.changes.keys().cloned().collect()),
    }
}

/// What the evaluator was given for an instance while planning: the planned value; for what the
/// plan leaves out, what state has.
fn planned_value(planned: &Planned, snapshot: &Snapshot, address: &Address) -> Supply {
    let change = planned.plan.changes.get(address);
    match change.and_then(|c| c.after.clone()) {
        Some(value) => value.into(),
        None if planned.mode == Mode::Destroy => drive::from_state(snapshot, address).into(),
        None => Supply::as_it_is(snapshot, address),
    }
}

/// Milliseconds since then.
pub(crate) fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Whether a check warns with it.
fn is_of_check(d: &Diagnostic) -> bool {
    d.severity == Severity::Warning && d.is_failed_condition()
}
