//! Runs the files of a suite, one after the other.

use crate::{
    FileReport, Report, RunBlock, RunReport, Status, Suite, TestFile,
    events::{Event, Watcher},
    modules,
    run::{self, Task},
    slot::Slot,
};
use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::Arc,
    time::{Instant, SystemTime},
};
use tokio_util::sync::CancellationToken;
use weir_core::{Address, Diagnostic, Diagnostics, Value, event::NoEvents};
use weir_engine::{Engine, Mode, PlanInput, PlanOptions, Registry};
use weir_lang::{Catalog, Files, Inputs, VarSource, given_values};

/// All that a suite is run with.
pub struct Runner<'a> {
    /// The stack's folder.
    pub files: Arc<dyn Files>,
    /// The catalogue of modules.
    pub catalog: &'a (dyn Catalog + Sync),
    /// The providers at hand.
    pub registry: Arc<Registry>,
    /// What every run's configuration is loaded with.
    pub inputs: Inputs,
    /// How many calls to providers run at a time.
    pub parallelism: NonZeroUsize,
    /// Is told what goes on.
    pub watcher: &'a dyn Watcher,
    /// Cancelled, no further run begins; what is in flight is finished and what was made is
    /// destroyed.
    pub stop: CancellationToken,
    /// Cancelled too, nothing more is destroyed.
    pub abandon: CancellationToken,
}

impl Runner<'_> {
    /// Runs all files. What each made is destroyed before the next begins.
    ///
    /// # Errors
    /// Where nothing can be run: a file of variables is broken, there is no room for states.
    pub async fn run(&self, suite: &Suite) -> Result<Report, Diagnostics> {
        let mut report = Report {
            status: Status::Pending,
            files: Vec::new(),
        };
        for file in &suite.files {
            let mut inputs = self.inputs.clone();
            let own = suite.variables_of(file, &*self.files).into_iter();
            inputs.vars.extend(own.map(VarSource::File));
            let mut running = FileRun {
                runner: self,
                suite,
                file,
                globals: given_values(&*self.files, &inputs)?,
                inputs,
                slots: Vec::new(),
                outputs: BTreeMap::new(),
                report: FileReport::default(),
            };
            running.run().await;
            report.status = report.status.max(running.report.status);
            report.files.push((file.path.clone(), running.report));
        }
        // Runs that were skipped for an interrupt passed nothing.
        if self.stop.is_cancelled() {
            report.status = Status::Error;
        }
        Ok(report)
    }

    /// An engine on a state.
    pub(crate) fn engine(&self, slot: &Slot, registry: Arc<Registry>) -> Engine {
        Engine::new(slot.store(), registry, Arc::new(NoEvents)).with_parallelism(self.parallelism)
    }

    /// The files that a run is of, and what it is loaded with. A module that stands in the stack's
    /// place has the stack's values, not those that lie in its own folder.
    pub(crate) fn place(
        &self,
        (suite, file, run): (&Suite, &TestFile, &RunBlock),
        inputs: &Inputs,
    ) -> Result<(Arc<dyn Files>, Inputs), Diagnostics> {
        let mut inputs = inputs.clone();
        let Some(module) = &run.module else {
            return Ok((self.files.clone(), inputs));
        };
        let below = modules::files_of((file, run, module), &self.files, &suite.sources)?;
        let mut vars = Vec::new();
        for source in std::mem::take(&mut inputs.vars) {
            if !matches!(source, VarSource::Automatic | VarSource::File(_)) {
                vars.push(source);
                continue;
            }
            inputs.vars = vec![source];
            let values = given_values(&*self.files, &inputs)?.into_iter();
            vars.extend(values.map(|(name, value)| VarSource::Value { name, value }));
        }
        inputs.vars = vars;
        inputs.root_dir = inputs.root_dir.join(&below.folder);
        Ok((Arc::new(below), inputs))
    }
}

/// One file on its way.
pub(crate) struct FileRun<'a> {
    pub(crate) runner: &'a Runner<'a>,
    pub(crate) suite: &'a Suite,
    pub(crate) file: &'a TestFile,
    /// Values of variables from the command line, files and the environment.
    pub(crate) globals: BTreeMap<String, Value>,
    /// What the configuration of each run is loaded with.
    pub(crate) inputs: Inputs,
    pub(crate) slots: Vec<Slot>,
    /// Of the runs that are over.
    pub(crate) outputs: BTreeMap<Arc<str>, Value>,
    report: FileReport,
}

impl FileRun<'_> {
    fn tell(&self, event: &Event<'_>) {
        self.runner.watcher.event(event);
    }

    async fn run(&mut self) {
        let file = self.file;
        self.tell(&Event::FileStarted(file));
        let mut broken = false;
        for (number, run) in file.runs.iter().enumerate() {
            let report = if broken || self.runner.stop.is_cancelled() {
                RunReport {
                    status: Status::Skip,
                    ..RunReport::default()
                }
            } else {
                self.tell(&Event::RunStarted(file, run));
                self.one(number).await
            };
            broken |= report.status == Status::Error;
            self.report.status = self.report.status.max(report.status);
            self.tell(&Event::RunEnded(file, run, &report));
            self.report.runs.push((run.name.clone(), report));
        }
        self.tell(&Event::TearingDown(file));
        self.tear_down().await;
        if self.report.status == Status::Pending {
            self.report.status = Status::Pass;
        }
        self.tell(&Event::FileEnded(file, &self.report));
    }

    async fn one(&mut self, number: usize) -> RunReport {
        let (began, clock) = (SystemTime::now(), Instant::now());
        let mut task = Task::new(self.file, number);
        let abandon = self.runner.abandon.clone();
        let ended = tokio::select! {
            biased;
            ended = run::run(self, &mut task) => ended,
            () = abandon.cancelled() => Err(left()),
        };
        if let Err(errors) = ended {
            task.error(errors);
        }
        RunReport {
            status: task.status.max(Status::Pass),
            asserts: self.file.runs[number].asserts.len(),
            diagnostics: task.diagnostics,
            elapsed: clock.elapsed(),
            began: Some(began),
        }
    }

    /// What was found while all of it was destroyed; at once, where the runner is abandoned.
    async fn destroyed(
        &self,
        slot: &Slot,
        input: &PlanInput,
        registry: &Arc<Registry>,
    ) -> Result<Diagnostics, Diagnostics> {
        let engine = self.runner.engine(slot, registry.clone());
        let input = PlanInput {
            options: PlanOptions {
                mode: Mode::Destroy,
                ..PlanOptions::default()
            },
            ..input.clone()
        };
        let lease = slot.lease().await?;
        let planned = engine.plan(&input, &lease).await?;
        let stop = self.runner.abandon.clone();
        let report = engine.apply(&planned, &lease, stop).await?;
        slot.release(lease).await?;
        Ok(report.diagnostics)
    }

    /// The state that a run uses.
    pub(crate) fn slot(&mut self, key: &str) -> Result<usize, Diagnostics> {
        if let Some(at) = self.slots.iter().position(|s| s.key == key) {
            return Ok(at);
        }
        let slot = Slot::new(key.to_owned())?;
        self.slots.push(slot);
        Ok(self.slots.len() - 1)
    }

    /// Destroys all that was made, the last first.
    async fn tear_down(&mut self) {
        let mut slots: Vec<&Slot> = self.slots.iter().filter(|s| s.last.is_some()).collect();
        slots.sort_by_key(|s| std::cmp::Reverse(s.last.as_ref().map(|(run, ..)| *run)));
        let mut failed = false;
        let mut leftovers = Vec::new();
        for slot in slots {
            let Some((number, input, registry)) = &slot.last else {
                continue;
            };
            let Some(run) = self.file.runs.get(*number) else {
                continue;
            };
            self.tell(&Event::RunTearingDown(self.file, run));
            let (found, left) = self.destroy(slot, input, registry).await;
            if found.has_errors() || !left.is_empty() {
                failed = true;
                self.tell(&Event::TeardownFailed(self.file, run, &found));
                self.tell(&Event::Leftovers(self.file, run, &left));
            }
            leftovers.extend(left);
        }
        if failed {
            self.report.status = Status::Error;
        }
        self.report.leftovers = leftovers;
    }

    /// Destroys what a state holds; returns what is left.
    async fn destroy(
        &self,
        slot: &Slot,
        input: &PlanInput,
        registry: &Arc<Registry>,
    ) -> (Diagnostics, Vec<Address>) {
        let destroyed = tokio::select! {
            biased;
            () = self.runner.abandon.cancelled() => Err(left()),
            destroyed = self.destroyed(slot, input, registry) => destroyed,
        };
        let (Ok(mut found) | Err(mut found)) = destroyed;
        match slot.snapshot().await {
            Ok(snapshot) => (found, snapshot.resources.into_keys().collect()),
            Err(errors) => {
                found.extend(errors);
                (found, Vec::new())
            }
        }
    }
}

fn left() -> Diagnostics {
    Diagnostic::error("Interrupted twice: nothing more is done")
        .because("What was made is left as it is.")
        .help("Remove the objects that are named below by hand.")
        .into()
}
