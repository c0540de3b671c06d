//! Waves: all that is ready is planned at the same time, then goes back to the evaluator in order.

use super::{
    Findings,
    foreseen::Going,
    instance::{Around, Finding},
    refused,
};
use crate::{
    concurrent, diagnostics, drive,
    engine::{Engine, Mode, PlanInput},
    pods::Pods,
};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::snapshot::{Resource, Snapshot};
use weir_core::{
    Address, Diagnostic, Diagnostics, Key, Value,
    address::{Ascending, ProviderRef},
    change::{Action, Change},
};
use weir_lang::{Evaluator, Instance, Next, PlaceRequest, ProviderConfig};

/// Each in the place that the evaluator gave it: in a list of their own, which is copied whenever it
/// grows, thousands of them would be moved over and over.
type Instances = Vec<Box<Instance>>;

/// What became ready since the last wave.
#[derive(Default)]
pub(super) struct Wave {
    providers: Vec<ProviderConfig>,
    /// Sorted by address.
    instances: Instances,
    /// What each of them depends on.
    dependencies: BTreeMap<Address, Vec<Address>>,
    places: Vec<PlaceRequest>,
    done: bool,
}

impl Engine {
    /// Evaluates the configuration, or a part of it; `first` is what was ready already. Errors are among
    /// the findings; what depends on an erroneous instance is left out, the rest is not.
    pub(super) async fn evaluate(
        &self,
        input: &PlanInput,
        snapshot: &Snapshot,
        (mut evaluator, mut first): (Evaluator, Option<Result<Wave, Diagnostics>>),
        findings: &mut Findings,
    ) -> Evaluator {
        let mut pods = Pods::of_state(snapshot, &input.config);
        let mut broken: BTreeSet<ProviderRef> = BTreeSet::new();
        let mut configured: BTreeSet<ProviderRef> = BTreeSet::new();
        let mut found = Diagnostics::new();
        loop {
            let wave = match first.take().unwrap_or_else(|| drain(&mut evaluator)) {
                Ok(wave) => wave,
                Err(errors) => {
                    found.extend(errors);
                    break;
                }
            };
            for provider in &wave.providers {
                self.configure(input, provider, findings, &mut broken).await;
                let region = provider.config.get("region").filter(|r| !r.is_sensitive());
                if let Some(region) = region.and_then(Value::as_str) {
                    let regions = &mut findings.regions;
                    regions.insert(provider.provider.clone(), region.to_owned());
                }
                configured.insert(provider.provider.clone());
            }
            for request in &wave.places {
                place(&mut evaluator, input, request, &mut pods, findings);
            }
            self.plan_wave(
                input,
                snapshot,
                (wave.instances, wave.dependencies),
                &broken,
                (&mut evaluator, findings),
            )
            .await;
            if wave.done {
                break;
            }
        }
        found.extend(evaluator.take_diagnostics());
        for (address, errors) in evaluator.take_aside() {
            findings.refused.entry(address).or_default().extend(errors);
        }
        // A target has had the whole looked at already.
        let whole = input.options.mode != Mode::Destroy && input.options.targets.is_empty();
        if whole && !found.has_errors() && evaluator.has_empty_blocks() {
            found.extend(Evaluator::wrong_as_written(
                input.config.clone(),
                self.registry.clone(),
            ));
        }
        // Where all goes, what can't be evaluated any more (an output over a service that is gone)
        // stands in nobody's way, unless it kept a provider from being configured.
        let needed = |r: &Resource| configured.contains(&r.provider);
        if input.options.mode == Mode::Destroy && snapshot.resources.values().all(needed) {
            found.0.retain(|d| !d.is_error());
        }
        findings.diagnostics.extend(found);
        evaluator
    }

    async fn configure(
        &self,
        input: &PlanInput,
        provider: &ProviderConfig,
        findings: &mut Findings,
        broken: &mut BTreeSet<ProviderRef>,
    ) {
        if let Err(errors) = self.session.configure(provider).await {
            broken.insert(provider.provider.clone());
            findings.diagnostics.extend(match &provider.span {
                None => errors,
                Some(span) => Diagnostics(
                    errors
                        .into_iter()
                        .map(|d| input.config.sources().point(d, span))
                        .collect(),
                ),
            });
        }
    }

    async fn plan_wave(
        &self,
        input: &PlanInput,
        snapshot: &Snapshot,
        (instances, dependencies): (Instances, BTreeMap<Address, Vec<Address>>),
        broken: &BTreeSet<ProviderRef>,
        (evaluator, findings): (&mut Evaluator, &mut Findings),
    ) {
        match findings.dependencies.is_empty() {
            true => findings.dependencies = dependencies,
            false => findings.dependencies.extend(dependencies),
        }
        for i in &instances {
            if i.lifecycle.create_before_destroy {
                findings.create_first.insert(i.address.clone());
            }
            let mut refused = i.refused.clone();
            if input.options.mode == Mode::Apply {
                refused.extend(i.lifecycle.refused_triggers.iter().cloned());
            }
            if !refused.is_empty() {
                findings.refused.insert(i.address.clone(), refused);
            }
            if i.lifecycle.prevent_destroy {
                findings
                    .protected
                    .insert(i.address.clone(), Some(i.span.clone()));
            }
        }
        if input.options.mode == Mode::Destroy {
            for i in &instances {
                let going = Going::of(i, snapshot, &*self.registry);
                findings.going.extend(going);
                evaluator.supply(&i.address, drive::from_state(snapshot, &i.address));
            }
            return;
        }
        let mut stored = Ascending::new(&snapshot.resources);
        let questions: Vec<_> = (instances.into_iter())
            .map(|i| {
                let around = around(&i, stored.get(&i.address), findings);
                (i, around)
            })
            .collect();
        // What was found goes to its place at once: a large wave is not in memory twice.
        let mut changes = Vec::with_capacity(questions.len());
        concurrent::on_all_cores(
            questions,
            |(i, around)| {
                let usable = !broken.contains(&i.provider);
                async move {
                    let finding = match usable {
                        true if !i.refused.is_empty() => {
                            refused::stand_in(&i, snapshot, input.options.mode)
                        }
                        true => self.plan_instance(input, snapshot, &i, around).await,
                        // The provider's own error was reported.
                        false => Finding::failed(Diagnostics::new()),
                    };
                    (i, finding)
                }
            },
            self.parallelism,
            &*self.events,
            |(i, finding)| {
                let change = take(&i, finding, (input, snapshot), evaluator, findings);
                changes.extend(change.map(|c| (i.address, c)));
            },
        )
        .await;
        match findings.changes.is_empty() {
            true => findings.changes = changes.into_iter().collect(),
            false => findings.changes.extend(changes),
        }
    }
}

/// Puts a finding among the others and its value into the evaluator. Returns what will change.
fn take(
    instance: &Instance,
    mut finding: Finding,
    (input, snapshot): (&PlanInput, &Snapshot),
    evaluator: &mut Evaluator,
    findings: &mut Findings,
) -> Option<Change> {
    let address = &instance.address;
    let found = std::mem::take(&mut finding.diagnostics);
    let located = diagnostics::locate(found, &input.config, &instance.span, address);
    if instance.scoped.is_some() && finding.change.is_none() && finding.supply.is_none() {
        evaluator.fail_scoped(address, located);
        return None;
    }
    let failed = finding.change.is_none() && finding.supply.is_none();
    if failed && located.has_errors() && refused::of_instance(&input.options, instance) {
        let refused = findings.refused.entry(address.clone()).or_default();
        refused.extend(located);
        finding = refused::stand_in(instance, snapshot, input.options.mode);
    } else {
        findings.diagnostics.extend(located);
    }
    if let Some(drift) = finding.drift {
        findings.drift.insert(address.clone(), *drift);
    }
    if let Some(observed) = finding.observed {
        findings.observed.insert(address.clone(), *observed);
    }
    if let Some(supply) = finding.supply {
        supply.to(evaluator, address);
        return finding.change;
    }
    match &finding.change {
        Some(change) => {
            if change.action != Action::NoOp {
                findings.pending.insert(address.block());
            }
            let value = change.after.clone().unwrap_or_else(Value::null);
            evaluator.supply_to(instance, value);
        }
        None => evaluator.fail(address),
    }
    finding.change
}

/// What an instance's plan depends on beside its configuration.
fn around<'a>(
    instance: &Instance,
    stored: Option<&'a Resource>,
    findings: &mut Findings,
) -> Around<'a> {
    let (address, direct) = (&instance.address, &instance.dependencies);
    let triggers = &instance.lifecycle.replace_triggered_by;
    Around {
        stored,
        dependencies: (findings.behind).of(address, direct, &findings.dependencies),
        pending: has_pending(instance, findings),
        triggered: weir_plan::fired(triggers, &findings.changes),
    }
}

/// Whether something it waits for will change.
fn has_pending(instance: &Instance, findings: &Findings) -> bool {
    let changes = |d: &Address| {
        let change = findings.changes.get(d);
        change.is_some_and(|c| c.action != Action::NoOp)
    };
    instance.awaits.iter().any(|d| match d.key {
        Key::None => findings.pending.contains(d),
        _ => changes(d),
    })
}

/// Everything that is ready.
pub(super) fn drain(evaluator: &mut Evaluator) -> Result<Wave, Diagnostics> {
    let mut wave = Wave::default();
    loop {
        match evaluator.next()? {
            Next::Provider(p) => wave.providers.push(*p),
            Next::Instance(i) => wave.instances.push(i),
            Next::Place(r) => wave.places.push(*r),
            Next::Done => {
                wave.done = true;
                return Ok(wave.in_order());
            }
            Next::Waiting if wave.instances.is_empty() && wave.places.is_empty() => {
                return Err(drive::stuck());
            }
            Next::Waiting => return Ok(wave.in_order()),
        }
    }
}

impl Wave {
    fn in_order(mut self) -> Wave {
        let all = &mut self.instances;
        all.sort_by(|a, b| a.address.cmp(&b.address));
        let dependencies = (all.iter()).map(|i| (i.address.clone(), i.dependencies.clone()));
        // Made at once, a tree is full.
        self.dependencies = dependencies.collect();
        self
    }
}

fn place(
    evaluator: &mut Evaluator,
    input: &PlanInput,
    request: &PlaceRequest,
    pods: &mut Pods,
    findings: &mut Findings,
) {
    let current = pods.current(request);
    let placements = match input.options.mode {
        // What is about to go is where it is; what is not there needs no place.
        Mode::Destroy | Mode::Refresh => current,
        Mode::Apply => {
            let usage = pods.usage(request);
            match weir_plan::place(request, &current, &usage) {
                Ok(placements) => {
                    pods.placed(request, &placements);
                    placements
                }
                Err(refusal) => {
                    let refusal: Diagnostic = input.config.sources().point(refusal, &request.span);
                    findings.diagnostics.push(refusal);
                    BTreeMap::new()
                }
            }
        }
    };
    evaluator.place(request, placements);
}
