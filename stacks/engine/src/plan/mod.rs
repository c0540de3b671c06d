//! From configuration and state to a plan.

mod begun;
mod checks;
mod dependencies;
mod ephemeral;
mod foreseen;
mod import;
mod instance;
mod moves;
mod orphans;
mod outputs;
mod references;
mod refused;
mod wave;

pub use begun::Begun;
pub(crate) use checks::{Chosen, checks};
pub(crate) use dependencies::Behind;
use foreseen::{Foreseen, Going};
pub(crate) use instance::removal;
pub(crate) use outputs::marked;

use crate::{
    cores, diagnostics,
    drive::Supply,
    engine::{Engine, Mode, PlanInput, PlanOptions, Planned, Refresh},
    machines,
    scope::{self, Needs},
    settle::Settlements,
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock, PoisonError},
};
use weir_core::{
    Address, Diagnostic, Diagnostics, Object, Span,
    address::{ProviderRef, members},
    change::Change,
    plan::{Deposed, Plan},
    references::Standing,
    snapshot::{DeposedKey, Resource, Snapshot},
};
use weir_lang::{Evaluator, Part};
use weir_plan::{Dependencies, Target, check, exclude, order, relocate, select};
use weir_state::{Lease, Scope};

/// What planning gathers, instance by instance.
#[derive(Default)]
struct Findings {
    changes: BTreeMap<Address, Change>,
    drift: BTreeMap<Address, Change>,
    observed: BTreeMap<Address, Option<Resource>>,
    /// Direct dependencies, data sources included.
    dependencies: BTreeMap<Address, Vec<Address>>,
    protected: BTreeMap<Address, Option<Span>>,
    /// How instances that are to go are found before.
    standing: BTreeMap<Address, Standing>,
    /// Instances that are to go, in the order of evaluation.
    going: Vec<Going>,
    /// What is wrong with instances that targets may leave out.
    refused: BTreeMap<Address, Vec<Diagnostic>>,
    /// Instances with `create_before_destroy`.
    create_first: BTreeSet<Address>,
    /// What data sources that were read depend on.
    behind: Behind,
    /// Blocks with an instance that will change.
    pending: BTreeSet<Address>,
    /// Configuration written for imports, by address.
    generated: BTreeMap<Address, String>,
    /// Where objects were before, by where they are now.
    moved: BTreeMap<Address, Address>,
    /// The regions that configurations of providers name.
    regions: BTreeMap<ProviderRef, String>,
    diagnostics: Diagnostics,
}

/// What there is where no plan could be made.
#[derive(Debug, Default)]
pub struct Unplanned {
    /// All that stands against it.
    pub errors: Diagnostics,
    /// What was planned nevertheless. Nothing of it may be applied.
    pub changes: BTreeMap<Address, Change>,
}

impl From<Diagnostics> for Unplanned {
    fn from(errors: Diagnostics) -> Unplanned {
        Unplanned {
            errors,
            ..Unplanned::default()
        }
    }
}

impl Engine {
    /// Makes a plan. Open entries of the journal that the lease covers are settled first, which is
    /// all it writes: where there is nothing to settle it needs no lease.
    ///
    /// # Errors
    /// All that stands against it: errors of the configuration, of providers, of placement; what
    /// is protected; a store that can't be read.
    pub async fn plan(
        &self,
        input: &PlanInput,
        lease: impl Into<Option<&Lease>>,
    ) -> Result<Planned, Diagnostics> {
        let planned = self.plan_as_far(input, lease.into()).await;
        planned.map_err(|unplanned| unplanned.errors)
    }

    /// Makes a plan, and tells what was planned before an error kept it from being one: a test
    /// that expects the error still looks at it.
    ///
    /// # Errors
    /// As those of [`Engine::plan`].
    pub async fn plan_as_far(
        &self,
        input: &PlanInput,
        lease: impl Into<Option<&Lease>>,
    ) -> Result<Planned, Unplanned> {
        let planned = self.make(input, lease.into()).await;
        let closed = self.ephemerals.close_all().await;
        match planned {
            Ok(mut planned) => {
                planned.warnings.extend(closed);
                Ok(planned)
            }
            Err(mut unplanned) => {
                unplanned.errors.extend(closed);
                Err(unplanned)
            }
        }
    }

    /// What targets take of the configuration; `None` where that is all. An output is of it where
    /// all it is made from is, and that is something.
    ///
    /// # Errors
    /// What is wrong with the whole configuration whatever values it gets: it is not planned from,
    /// not even in part.
    fn targeted(
        &self,
        input: &PlanInput,
        snapshot: &Snapshot,
    ) -> Result<Option<Arc<Part>>, Diagnostics> {
        let targets = &input.options.targets;
        // All goes by what state says: the configuration has no part in it.
        if targets.is_empty() || input.options.mode == Mode::Destroy {
            return Ok(None);
        }
        let wrong = Evaluator::wrong_as_written(input.config.clone(), self.registry.clone());
        if wrong.has_errors() {
            return Err(wrong);
        }
        Ok(Some(Arc::new(named(input, snapshot))))
    }

    /// An evaluator of what is planned, at the beginning.
    fn evaluator(
        &self,
        input: &PlanInput,
        snapshot: &Snapshot,
        taken: Option<&Arc<Part>>,
    ) -> Evaluator {
        let exhausted = &input.options.exhausted;
        let machines = machines::of_state(&input.config, &snapshot.resources, exhausted);
        let evaluator =
            Evaluator::of_part(input.config.clone(), self.registry.clone(), taken.cloned())
                .with_machines(machines);
        let evaluator = match input.options.mode {
            Mode::Destroy => evaluator.destroying(),
            Mode::Refresh => evaluator.looking_only(),
            Mode::Apply => evaluator,
        };
        match refused::sets_aside(&input.options) {
            true => evaluator.setting_aside(BTreeSet::new()),
            false => evaluator,
        }
    }

    /// What was begun of this plan before. It serves once.
    fn begun(&self, input: &PlanInput) -> Option<Begun> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.take().filter(|b| b.is_of(input))
    }

    /// Evaluates all that the plan is about, and finds what is to be done with each object.
    async fn find(
        &self,
        input: &PlanInput,
        snapshot: &Snapshot,
        taken: Option<&Arc<Part>>,
        findings: &mut Findings,
    ) -> Evaluator {
        let beginning = match self.begun(input) {
            Some(begun) => (begun.evaluator, Some(begun.first)),
            None => (self.evaluator(input, snapshot, taken), None),
        };
        let mut evaluator = self.evaluate(input, snapshot, beginning, findings).await;
        if input.options.mode == Mode::Apply && !findings.diagnostics.has_errors() {
            self.plan_imports(input, snapshot, &mut evaluator, findings)
                .await;
        }
        import::check_target(input, findings);
        if !findings.diagnostics.has_errors() {
            let orphans = orphans::of(input, snapshot, taken.map(|p| &**p), findings);
            self.plan_orphans(input, snapshot, orphans, &evaluator, findings)
                .await;
        }
        if input.options.mode == Mode::Apply {
            moves::validate(input, &evaluator, findings);
        }
        moves::note(snapshot, findings);
        evaluator
    }

    /// What a plan would have made of what is to go; nothing where nothing goes, or where nothing is
    /// looked up before.
    async fn foreseen(
        &self,
        input: &PlanInput,
        snapshot: &Snapshot,
        evaluator: &mut Evaluator,
        findings: &mut Findings,
    ) -> Foreseen {
        let looks = input.options.refresh != Refresh::Nothing;
        if input.options.mode != Mode::Destroy || !looks {
            return Foreseen::default();
        }
        let mut foreseen = Foreseen::of(self, &findings.going, snapshot, evaluator).await;
        findings.standing = std::mem::take(&mut foreseen.standing);
        let targets = &input.options.targets;
        if targets.is_empty() {
            return foreseen;
        }
        // What a plan of the same part would have made of it, and of outputs of that part alone.
        let part = named(input, snapshot);
        let taken = |a: &Address| {
            part.behind().contains(&a.written()) || targets.iter().any(|t| t.names(a))
        };
        findings.going.retain(|g| taken(g.address()));
        let mut of_part = Foreseen::of(self, &findings.going, snapshot, evaluator).await;
        of_part.outputs.retain(|name, _| {
            let made_from = input.config.blocks_of_output(name);
            !made_from.is_empty() && made_from.is_subset(part.blocks())
        });
        of_part
    }

    async fn make(&self, input: &PlanInput, lease: Option<&Lease>) -> Result<Planned, Unplanned> {
        let settlements = self.settle(lease, &input.config).await?;
        let stored = self
            .store
            .snapshot()
            .await
            .map_err(|e| diagnostics::state(&e))?;
        let moved = moves::moved(input, &stored, &settlements)?;
        let snapshot = relocate(&stored, &moved.from);
        let mut findings = Findings {
            diagnostics: Diagnostics(moved.warning().into_iter().collect()),
            moved: moved.from,
            ..Findings::default()
        };
        let taken = self.targeted(input, &snapshot)?;
        let mut evaluator = self
            .find(input, &snapshot, taken.as_ref(), &mut findings)
            .await;
        if findings.diagnostics.has_errors() {
            findings.diagnostics.sort();
            return Err(Unplanned {
                errors: findings.diagnostics,
                changes: findings.changes,
            });
        }
        if input.options.mode == Mode::Destroy {
            findings.dependencies.clear();
        }
        let state = stored_dependencies(&snapshot, &input.options);
        let dependencies = Dependencies {
            config: &findings.dependencies,
            state: &state,
        };
        let nothing = BTreeSet::new();
        let behind = taken.as_ref().map_or(&nothing, |p| p.behind());
        let selected = chosen(input, &snapshot, &findings.changes, dependencies, behind);
        let refused = refused::of_planned(&findings, selected.as_ref());
        if refused.has_errors() {
            return Err(Unplanned {
                errors: refused,
                changes: findings.changes,
            });
        }
        let left_out = selected.as_ref().map(|s| blocks_left_out(&findings, s));
        let named = unnamed(&input.options, &findings);
        findings.diagnostics.extend(named);
        if let Some(selected) = &selected {
            leave_out(input, &snapshot, selected, &mut evaluator, &mut findings)?;
        }
        let ordered = order(
            std::mem::take(&mut findings.changes),
            Dependencies {
                config: &findings.dependencies,
                state: &state,
            },
            &findings.create_first,
        )
        .map_err(|e| Diagnostics::from(Diagnostic::error(e.to_string())))?;
        let around = outputs::Around {
            snapshot: &snapshot,
            options: &input.options,
            left_out: left_out.as_ref(),
            foreseen: self
                .foreseen(input, &snapshot, &mut evaluator, &mut findings)
                .await,
        };
        let changed_by = self.attribute(input, &snapshot, &findings.drift).await;
        let outputs = outputs::outputs(&mut evaluator, &input.config, &around);
        let found_outputs = around.found();
        let part = (selected.as_ref())
            .map(|s| Chosen::of_plan(input, taken.as_deref(), s, outputs.keys()));
        let mode = input.options.mode;
        let checks = checks::checks(&mut evaluator, mode, part.as_ref());
        let module_outputs = checks::module_outputs(&mut evaluator, mode, part.as_ref());
        cores::give_back(evaluator, ordered.changes.len());
        let plan = Plan {
            lineage: snapshot.lineage.clone(),
            base: snapshot.serial,
            complete: left_out.is_none(),
            changes: ordered.changes,
            drift: std::mem::take(&mut findings.drift),
            deposed: deposed(&snapshot, &settlements, selected.as_ref()),
            checks,
            outputs,
            found_outputs,
            module_outputs,
            dependencies: std::mem::take(&mut findings.dependencies),
            nodes: ordered.nodes,
            steps: ordered.steps,
        };
        let references = references::found(input, &plan, &snapshot, &findings);
        let plan = check(plan, &stored, &findings.protected).map_err(|mut found| {
            found.extend(findings.diagnostics.clone());
            pointed(found, input)
        })?;
        let warnings = warnings(findings.diagnostics, mode, &settlements.unsettled);
        Ok(Planned {
            scope: needed(&plan, input, &findings.observed, &stored),
            plan,
            mode: input.options.mode,
            refresh: input.options.refresh,
            warnings,
            config: input.config.clone(),
            inputs: input.inputs.clone(),
            observed: findings.observed,
            references,
            generated: findings.generated,
            protected: findings.protected,
            unsettled: settlements.unsettled,
            changed_by,
            regions: findings.regions,
            exhausted: input.options.exhausted.clone(),
            digest: OnceLock::new(),
        })
    }
}

/// What targets name of the configuration, with all that refers to.
fn named(input: &PlanInput, snapshot: &Snapshot) -> Part {
    let targets = &input.options.targets;
    input.config.part(
        |block| targets.iter().any(|t| t.names_block(block)),
        &orphans::providers(input, snapshot),
        |_, made_from, blocks| !made_from.is_empty() && made_from.is_subset(blocks),
    )
}

/// What applying a plan will need of state.
fn needed(
    plan: &Plan,
    input: &PlanInput,
    observed: &BTreeMap<Address, Option<Resource>>,
    stored: &Snapshot,
) -> Scope {
    scope::of(&Needs {
        plan,
        mode: input.options.mode,
        observed,
        config: &input.config,
        snapshot: stored,
    })
}

/// The blocks of which nothing is part of the plan.
fn blocks_left_out(findings: &Findings, selected: &BTreeSet<Address>) -> BTreeSet<Address> {
    let left: BTreeSet<Address> = selected.iter().map(Address::written).collect();
    let all = findings.changes.keys().map(Address::written);
    all.filter(|b| !left.contains(b)).collect()
}

/// Keeps to what is part of the plan. The rest stays as it is, and so does what outputs say of it.
fn leave_out(
    input: &PlanInput,
    snapshot: &Snapshot,
    selected: &BTreeSet<Address>,
    evaluator: &mut Evaluator,
    findings: &mut Findings,
) -> Result<(), Diagnostics> {
    findings.diagnostics.push(part());
    let left_out = findings.changes.keys().filter(|a| !selected.contains(*a));
    for address in left_out.filter(|a| !matches!(a.object, Object::Data { .. })) {
        Supply::as_it_is(snapshot, address).to(evaluator, address);
    }
    if let Some(refusal) = moves::excluded(findings, &input.options, selected) {
        return Err(refusal.into());
    }
    findings.changes.retain(|a, _| selected.contains(a));
    findings.drift.retain(|a, _| selected.contains(a));
    findings.observed.retain(|a, _| selected.contains(a));
    Ok(())
}

/// What a plan warns of.
fn warnings(
    mut found: Diagnostics,
    mode: Mode,
    unsettled: &[crate::settle::Unsettled],
) -> Diagnostics {
    if mode == Mode::Destroy {
        // What is about to go needs not hold.
        found.0.retain(|d| !d.is_failed_condition());
    }
    unsettled.iter().for_each(|u| found.push(u.warning()));
    found
}

/// What `-target` and `-exclude` leave; `None` where all is planned.
fn chosen(
    input: &PlanInput,
    snapshot: &Snapshot,
    changes: &BTreeMap<Address, Change>,
    dependencies: Dependencies<'_>,
    behind: &BTreeSet<Address>,
) -> Option<BTreeSet<Address>> {
    let options = &input.options;
    let named = &options.targets;
    let targets = (!named.is_empty()).then(|| {
        let state = match options.mode {
            Mode::Destroy => Cow::Owned(references::with_blocks(snapshot, dependencies.state)),
            Mode::Apply | Mode::Refresh => Cow::Borrowed(dependencies.state),
        };
        let state = state.as_ref();
        select(
            changes,
            Dependencies {
                state,
                ..dependencies
            },
            named,
            behind,
        )
    });
    let rest =
        (!options.excludes.is_empty()).then(|| exclude(changes, dependencies, &options.excludes));
    match (targets, rest) {
        (Some(targets), Some(rest)) => Some(targets.intersection(&rest).cloned().collect()),
        (targets, rest) => targets.or(rest),
    }
}

/// That a plan with targets is a part only.
fn part() -> Diagnostic {
    Diagnostic::warning("this plan is a part only")
        .because(
            "What `-target` and `-exclude` leave out stays as it is, even where the configuration \
             changed.",
        )
        .help("Plan without them afterwards: that shows what is left to do.")
}

/// The addresses of options that name nothing.
fn unnamed(options: &PlanOptions, findings: &Findings) -> Diagnostics {
    let named = |t: &Target| findings.changes.keys().any(|a| t.names(a));
    let mut found = Diagnostics::new();
    let mut say = |flag: &str, text: String, help: String| {
        let d = Diagnostic::warning(format!("`-{flag}={text}` names nothing"))
            .because("Neither the configuration nor state has an instance of that address.");
        found.push(d.help(help));
    };
    let list = || "`weir state list` lists what state has.".to_owned();
    for target in options.targets.iter().filter(|t| !named(t)) {
        say("target", target.to_string(), list());
    }
    for target in options.excludes.iter().filter(|t| !named(t)) {
        say("exclude", target.to_string(), list());
    }
    for address in &options.replace {
        if findings.changes.contains_key(address) {
            continue;
        }
        let instances: Vec<String> = members(&findings.changes, address)
            .take(3)
            .map(|(a, _)| a.to_string())
            .collect();
        let help = match instances.is_empty() {
            true => list(),
            false => format!("Name an instance: {}.", instances.join(", ")),
        };
        say("replace", address.to_string(), help);
    }
    found
}

/// With the source lines of those that have a place only.
fn pointed(diagnostics: Diagnostics, input: &PlanInput) -> Diagnostics {
    let pointed = diagnostics
        .into_iter()
        .map(|d| match (&d.span, &d.snippet) {
            (Some(span), None) => {
                let span = span.clone();
                input.config.sources().point(d, &span)
            }
            _ => d,
        });
    Diagnostics(pointed.collect())
}

/// The old objects that are still there, of what is part of the plan. Those that a run that is
/// still going has put aside are its own.
fn deposed(
    snapshot: &Snapshot,
    settlements: &Settlements,
    selected: Option<&BTreeSet<Address>>,
) -> Vec<Deposed> {
    let of = |(address, objects): (&Address, &BTreeMap<DeposedKey, Resource>)| {
        let address = address.clone();
        let left = objects.iter();
        let left = left.filter(|(key, _)| !settlements.in_flight.contains(*key));
        let each = left.map(move |(key, resource)| Deposed {
            address: address.clone(),
            key: key.clone(),
            before: resource.value.clone(),
            provider: resource.provider.clone(),
        });
        each.collect::<Vec<_>>()
    };
    let taken = |a: &Address| selected.is_none_or(|s| s.contains(a));
    let taken = snapshot.deposed.iter().filter(|(a, _)| taken(a));
    taken.flat_map(of).collect()
}

/// What objects depend on by state; of no object, where none depends on anything and targets, which
/// look behind that, name none.
fn stored_dependencies(
    snapshot: &Snapshot,
    options: &PlanOptions,
) -> BTreeMap<Address, BTreeSet<Address>> {
    let mut all = snapshot.resources.values();
    if options.targets.is_empty() && all.all(|r| r.dependencies.is_empty()) {
        return BTreeMap::new();
    }
    snapshot
        .resources
        .iter()
        .map(|(a, r)| (a.clone(), r.dependencies.clone()))
        .collect()
}
