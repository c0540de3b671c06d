//! One run: values of its variables, the stage, plan, apply, asserts.

use crate::{
    RunBlock, Status, TestFile,
    drive::drive,
    events::Event,
    failures::Expectations,
    mock::{Stage, staged},
    runner::FileRun,
    scope::TestScope,
    stage,
    syntax::{Assert, Command},
};
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{
    Address, Diagnostic, Diagnostics, Marks, Type, Value, change::Change, convert::convert,
    snapshot::Snapshot,
};
use weir_engine::{Engine, PlanInput, PlanOptions, Planned, Refresh, Registry, Unplanned};
use weir_lang::{Config, Evaluator, Roots, VarSource, eval::Settled, load_with};
use weir_state::Lease;

/// A run on its way.
pub(crate) struct Task<'a> {
    file: &'a TestFile,
    number: usize,
    run: &'a RunBlock,
    pub(crate) status: Status,
    pub(crate) diagnostics: Diagnostics,
}

impl<'a> Task<'a> {
    pub(crate) fn new(file: &'a TestFile, number: usize) -> Task<'a> {
        Task {
            file,
            number,
            run: &file.runs[number],
            status: Status::Pending,
            diagnostics: Diagnostics::new(),
        }
    }

    fn tell(&mut self, status: Status, found: Diagnostics) {
        self.status = self.status.max(status);
        self.diagnostics.merge(found);
    }

    /// It can't be run to its end.
    pub(crate) fn error(&mut self, found: Diagnostics) {
        self.tell(Status::Error, found);
    }

    /// What was found; a failure where there is an error among it.
    fn found(&mut self, found: Diagnostics) -> bool {
        let errors = found.has_errors();
        self.tell(
            if errors {
                Status::Error
            } else {
                Status::Pending
            },
            found,
        );
        errors
    }
}

/// Runs a run.
///
/// # Errors
/// What keeps it from being run.
pub(crate) async fn run(of: &mut FileRun<'_>, task: &mut Task<'_>) -> Result<(), Diagnostics> {
    let (run, sources) = (task.run, &of.suite.sources);
    let later = of.file.runs[task.number..].iter().map(|r| r.name.clone());
    let mut scope = TestScope::new(
        sources,
        of.globals.clone(),
        of.outputs.clone(),
        later.collect(),
    );
    let given = variables(of, run, &mut scope)?;
    let (stage, additions) = stage::build(of.file, run, &scope, sources)?;
    let source = run.module.as_ref().map(|m| m.source.as_str());
    let (files, mut inputs) = of.runner.place((of.suite, of.file, run), &of.inputs)?;
    for (name, value) in &given {
        inputs.vars.push(VarSource::Value {
            name: name.clone(),
            value: value.clone(),
        });
    }
    let loaded = load_with(files, of.runner.catalog, &inputs, &additions)?;
    task.found(loaded.warnings);
    let stage = Arc::new(stage);
    let registry = Arc::new(staged(&of.runner.registry, &stage));
    let input = PlanInput {
        config: loaded.config.clone(),
        inputs,
        options: options(run, sources)?,
    };
    let config = &loaded.config;
    let mut expectations = Expectations::new(config, run);
    let unknown = expectations.check(config, sources);
    if unknown.has_errors() {
        return Err(unknown);
    }
    let key = run.state_key.as_deref().or(source).unwrap_or_default();
    let at = of.slot(key)?;
    let engine = of.runner.engine(&of.slots[at], registry.clone());
    let lease = of.slots[at].lease().await?;
    let planned = engine.plan_as_far(&input, &lease).await;
    let place = Place {
        of,
        config,
        registry: &registry,
        stage: &stage,
        at,
    };
    let result = match run.command {
        Command::Plan => place.planned(task, planned, &mut expectations).await,
        Command::Apply => {
            if let Ok(planned) = &planned
                && !planned.warnings.has_errors()
            {
                place.of.slots[at].last = Some((task.number, input, registry.clone()));
            }
            let apply = (&engine, &lease);
            place.applied(task, planned, &mut expectations, apply).await
        }
    };
    of.slots[at].release(lease).await?;
    if let Some((mut evaluator, outputs)) = result? {
        let roots = roots(of, outputs.clone(), scope.variables());
        asserts(task, &mut evaluator, &roots, sources);
        of.outputs.insert(run.name.clone(), outputs);
    }
    Ok(())
}

/// Values of the variables: those of the file, then those of the run.
fn variables(
    of: &FileRun<'_>,
    run: &RunBlock,
    scope: &mut TestScope,
) -> Result<BTreeMap<String, Value>, Diagnostics> {
    let mut given = BTreeMap::new();
    for attribute in &of.file.variables {
        // A value of a run that is not over yet is none: a later run may have it.
        let refers = |r: &weir_lang::ir::Reference| &*r.root == "run";
        match scope.value(&attribute.expr) {
            Ok(value) => drop(given.insert(attribute.name.to_string(), value)),
            Err(_) if attribute.expr.references().iter().any(refers) => {}
            Err(errors) => return Err(errors),
        }
    }
    for (name, value) in &given {
        scope.add(name, value.clone());
    }
    let mut own = Vec::new();
    for attribute in &run.variables {
        let value = scope.value(&attribute.expr)?;
        own.push((attribute.name.to_string(), value));
    }
    for (name, value) in own {
        scope.add(&name, value.clone());
        given.insert(name, value);
    }
    Ok(given)
}

fn options(run: &RunBlock, sources: &weir_lang::Sources) -> Result<PlanOptions, Diagnostics> {
    let options = &run.options;
    let mut targets = Vec::new();
    for (text, span) in &options.targets {
        let target = text.parse().map_err(|e| {
            let d = Diagnostic::error("This does not name anything to plan");
            let d = d.because(format!("{e}.")).help(
                "Name a resource, an instance of one, or a module: `TYPE.NAME`, `module.NAME`.",
            );
            Diagnostics::from(sources.point(d, span))
        })?;
        targets.push(target);
    }
    Ok(PlanOptions {
        mode: options.mode,
        refresh: match options.no_refresh {
            true => Refresh::Nothing,
            false => Refresh::All,
        },
        targets,
        replace: options.replace.iter().map(|(a, _)| a.clone()).collect(),
        ..PlanOptions::default()
    })
}

/// What asserts see beside the configuration.
fn roots(of: &FileRun<'_>, outputs: Value, variables: &BTreeMap<String, Value>) -> Arc<Roots> {
    let object = |entries: &mut dyn Iterator<Item = (Arc<str>, Value)>| Value::object(entries);
    let runs = object(&mut of.outputs.iter().map(|(k, v)| (k.clone(), v.clone())));
    let variables = object(
        &mut variables
            .iter()
            .map(|(k, v)| (k.as_str().into(), v.clone())),
    );
    Arc::new(Roots::from([
        ("run".into(), runs),
        ("output".into(), outputs),
        ("var".into(), variables),
    ]))
}

/// Where a run takes place.
struct Place<'a, 'b> {
    of: &'a mut FileRun<'b>,
    config: &'a Arc<Config>,
    registry: &'a Arc<Registry>,
    stage: &'a Arc<Stage>,
    at: usize,
}

/// What asserts are evaluated in, and the outputs; `None` where the run ended before.
type Evaluated = Option<(Evaluator, Value)>;

impl Place<'_, '_> {
    async fn planned(
        self,
        task: &mut Task<'_>,
        planned: Result<Planned, Unplanned>,
        expectations: &mut Expectations<'_>,
    ) -> Result<Evaluated, Diagnostics> {
        let snapshot = self.of.slots[self.at].snapshot().await?;
        let (found, changes) = match &planned {
            Ok(planned) => {
                let event = Event::Planned(task.file, task.run, planned);
                self.of.runner.watcher.event(&event);
                (planned.warnings.clone(), &planned.plan.plan().changes)
            }
            Err(unplanned) => (unplanned.errors.clone(), &unplanned.changes),
        };
        let (evaluator, seen) = self.evaluator(&snapshot, changes, None);
        let mut found = found;
        found.merge(conditions(seen));
        self.judged(task, found, expectations, evaluator)
    }

    async fn applied(
        self,
        task: &mut Task<'_>,
        planned: Result<Planned, Unplanned>,
        expectations: &mut Expectations<'_>,
        (engine, lease): (&Engine, &Lease),
    ) -> Result<Evaluated, Diagnostics> {
        let planned = match planned {
            Ok(planned) => planned,
            Err(unplanned) => {
                task.error(expectations.explain(unplanned.errors));
                return Ok(None);
            }
        };
        let runner = self.of.runner;
        // Failed checks are warnings of the plan, and are found again after it.
        let kept = planned.warnings.clone().into_iter();
        let kept = kept.filter(|d| !d.is_failed_condition()).collect();
        task.found(Diagnostics(kept));
        let report = tokio::select! {
            biased;
            report = engine.apply(&planned, lease, runner.stop.clone()) => report?,
            () = runner.abandon.cancelled() => return Err(abandoned(&planned)),
        };
        let snapshot = self.of.slots[self.at].snapshot().await?;
        let event = Event::Applied(task.file, task.run, &snapshot);
        runner.watcher.event(&event);
        let changes = &planned.plan.plan().changes;
        let now = planned.inputs.now.as_deref();
        let (evaluator, seen) = self.evaluator(&snapshot, changes, Some(now));
        let mut found = report.diagnostics;
        found.merge(conditions(seen));
        self.judged(task, found, expectations, evaluator)
    }

    /// Sorts out what was found. Where nothing is in the way, asserts come next.
    fn judged(
        &self,
        task: &mut Task<'_>,
        found: Diagnostics,
        expectations: &mut Expectations<'_>,
        mut evaluator: Evaluator,
    ) -> Result<Evaluated, Diagnostics> {
        let mut kept = expectations.missing_after(found, &self.of.suite.sources);
        kept.sort();
        if task.found(kept) {
            return Ok(None);
        }
        let outputs = stage::outputs_of(evaluator.outputs());
        Ok(Some((evaluator, outputs)))
    }

    /// The configuration with the values of the plan, or of the state after it was applied.
    fn evaluator(
        &self,
        snapshot: &Snapshot,
        changes: &BTreeMap<Address, Change>,
        applied: Option<Option<&str>>,
    ) -> (Evaluator, Diagnostics) {
        let mut evaluator = Evaluator::new(self.config.clone(), self.registry.clone());
        if let Some(now) = applied {
            let (a, b) = (uuid::Uuid::new_v4(), uuid::Uuid::new_v4());
            let seed = std::array::from_fn(|i| a.as_bytes()[i % 16] ^ b.as_bytes()[(i / 2) % 16]);
            let settled = Settled::new(now.unwrap_or("1970-01-01T00:00:00Z"), seed);
            evaluator = evaluator.settling(Arc::new(settled));
        }
        let planned = |address: &Address| {
            let change = changes.get(address)?;
            Some(change.after.clone().unwrap_or_else(Value::null))
        };
        let stored = |address: &Address| {
            let resource = snapshot.resources.get(address);
            resource.map(|r| r.value.value().clone())
        };
        let data = |address: &Address| self.stage.kept(address).map(|v| v.value().clone());
        let value = |address: &Address| match applied {
            None => planned(address)
                .or_else(|| data(address))
                .or_else(|| stored(address)),
            Some(_) => stored(address)
                .or_else(|| data(address))
                .or_else(|| planned(address)),
        };
        let found = drive(&mut evaluator, &value);
        (evaluator, found)
    }
}

/// Only what conditions say: the rest was found by the engine.
fn conditions(found: Diagnostics) -> Diagnostics {
    let conditions = found.into_iter().filter(|d| d.is_failed_condition());
    Diagnostics(conditions.collect())
}

/// Holds the asserts against what there is.
fn asserts(
    task: &mut Task<'_>,
    evaluator: &mut Evaluator,
    roots: &Arc<Roots>,
    sources: &weir_lang::Sources,
) {
    for assert in &task.run.asserts {
        task.status = task.status.max(Status::Pass);
        let (status, found) = assertion(assert, evaluator, roots, sources);
        task.tell(status, found);
    }
}

fn assertion(
    assert: &Assert,
    evaluator: &mut Evaluator,
    roots: &Arc<Roots>,
    sources: &weir_lang::Sources,
) -> (Status, Diagnostics) {
    let span = &assert.condition.span;
    let holds = match evaluator.value_among(&assert.condition, roots) {
        Ok(value) => value,
        Err(errors) => return (Status::Error, errors),
    };
    let wrong = |d: Diagnostic| (Status::Error, sources.point(d, span).into());
    if holds.is_unknown() {
        return wrong(Diagnostic::error("Unknown condition value").because(
            "Condition expression could not be evaluated at this time. This means you have executed a `run` block with `command = plan` and one of the values your condition depended on is not known until after the plan has been applied. Either remove this value from your condition, or execute an `apply` command from this `run` block. Alternatively, if there is an override for this value, you can make it available during the plan phase by setting `override_during = plan` in the `override_` block.",
        ));
    }
    let truth = match convert(&holds.clone().unmark().0, &Type::Bool) {
        Ok(truth) if !truth.is_null() => truth,
        Ok(_) => {
            return wrong(
                Diagnostic::error("Invalid condition result")
                    .because("Condition expression must return either true or false, not null.")
                    .help("Say what null means: `coalesce(x, false)`, or `x == null || ...`."),
            );
        }
        Err(e) => {
            return wrong(
                Diagnostic::error("Invalid condition result")
                    .because(format!("Invalid validation condition result value: {e}."))
                    .help("Write `true`, `false`, or a comparison such as `x == 1`."),
            );
        }
    };
    if truth.as_bool() == Some(true) {
        return (Status::Pass, Diagnostics::new());
    }
    let message = match evaluator.value_among(&assert.message, roots) {
        Ok(message) => message,
        Err(errors) => return (Status::Error, errors),
    };
    let marks = message.marks_deep();
    let text = match convert(&message.unmark_deep().0, &Type::String) {
        _ if marks.contains(Marks::SENSITIVE) => {
            "The error message included a sensitive value, so it will not be displayed.".to_owned()
        }
        _ if marks.contains(Marks::EPHEMERAL) => {
            "The error message included an ephemeral value, so it will not be displayed.".to_owned()
        }
        Ok(text) => text
            .as_str()
            .unwrap_or("The error message is not known.")
            .to_owned(),
        Err(e) => format!("The error message can't be shown: {e}."),
    };
    let mut d = sources.point(
        Diagnostic::error("Test assertion failed").because(text),
        span,
    );
    d.values = evaluator.names_in(&assert.condition, roots);
    (Status::Fail, d.into())
}

/// What an apply that was left in the middle may have made, or not, nobody knows.
fn abandoned(planned: &Planned) -> Diagnostics {
    let changes = planned.plan.plan().changes.iter();
    let open = changes.filter(|(_, c)| c.action != weir_core::change::Action::NoOp);
    let names: Vec<String> = open.map(|(a, _)| a.to_string()).collect();
    Diagnostic::error("Interrupted twice: the run was left in the middle")
        .because(format!(
            "It was about to make or change: {}.",
            names.join(", ")
        ))
        .help("Look for these objects, and remove them by hand.")
        .into()
}
