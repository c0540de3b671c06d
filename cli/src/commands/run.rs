//! What plan, apply and destroy have in common: load, lock, plan, and listen to Ctrl-C.

use super::Context;
use crate::stores::{Ahead, Sealer, States};
use crate::{
    args::{PlanArgs, RunArgs},
    compose,
    error::{CommandError, ErrorKind},
    render::{
        json::ui as messages,
        plan::{self, Detail},
        progress::{Bar, Phase, Progress},
    },
};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use weir_core::{
    Address, Diagnostic, Diagnostics,
    change::Change,
    event::{Event, EventSink},
    plan::Op,
};
use weir_engine::{Begun, Engine, Mode, PlanInput, PlanOptions, Planned, Refresh, Registry};
use weir_lang::{Config, Inputs};
use weir_plan::Target;
use weir_state::{Holder, Items, Lease, LeaseRecord, Part, Scope, StateError, Store, Wait};

/// How long a plan waits for providers to say who changed what drifted: it is worth little there.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the run talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// To people: text, and progress on stderr.
    Human,
    /// To programs: JSON messages on stdout.
    Json,
}

impl Style {
    pub(super) fn of(json: bool) -> Style {
        if json { Style::Json } else { Style::Human }
    }
}

/// A stack's engine and state. Planning needs no lease; what is done is done under one on what the
/// plan needs ([`Run::secure`]).
pub(super) struct Run {
    pub(super) engine: Engine,
    states: States,
    pub(super) store: Arc<dyn Store>,
    holder: Holder,
    /// How long to wait for others, all in all.
    patience: Patience,
    events: Arc<dyn EventSink>,
    pub(super) progress: Arc<Progress>,
    json: Option<Arc<JsonEvents>>,
}

/// Until when to wait for the leases of others.
#[derive(Debug, Clone, Copy)]
struct Patience {
    since: Instant,
    timeout: Duration,
}

impl Patience {
    fn left(self) -> Duration {
        self.timeout.saturating_sub(self.since.elapsed())
    }
}

/// A plan, and the lease under which it can be applied.
pub(super) struct Secured {
    pub(super) planned: Planned,
    pub(super) lease: Lease,
}

/// So often a plan is made again because others were quicker; then everything is locked for it.
const ATTEMPTS: usize = 5;

/// Prints events as JSON messages.
struct JsonEvents {
    ui: crate::ui::Ui,
    started: Mutex<BTreeMap<Address, (Op, Instant)>>,
    /// The ids of what is there already.
    prior: Mutex<BTreeMap<Address, String>>,
}

impl JsonEvents {
    fn started(&self) -> std::sync::MutexGuard<'_, BTreeMap<Address, (Op, Instant)>> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says every ten seconds what still runs, for as long as anybody holds the events.
    fn watch(events: &Arc<JsonEvents>) {
        let weak = Arc::downgrade(events);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_secs(1));
            loop {
                ticks.tick().await;
                let Some(events) = weak.upgrade() else { break };
                let due: Vec<_> = (events.started().iter())
                    .map(|(a, (op, since))| (a.clone(), running(*op, *since)))
                    .filter(|(_, r)| r.elapsed_s > 0 && r.elapsed_s % STILL_S == 0)
                    .collect();
                for (address, running) in due {
                    let _ = events.ui.json(&messages::still(&address, running));
                }
            }
        });
    }
}

/// What still runs is mentioned again after so many seconds, as Terraform does.
const STILL_S: u64 = 10;

fn running(op: Op, since: Instant) -> messages::Running {
    messages::Running {
        op,
        elapsed_s: since.elapsed().as_secs(),
    }
}

impl EventSink for JsonEvents {
    fn event(&self, event: Event) {
        let mut started = self.started();
        let begun = match &event {
            Event::Started { address, op, .. } => {
                started.insert(address.clone(), (*op, Instant::now()));
                true
            }
            Event::Failed { address, .. } => started.remove(address).is_some(),
            Event::Finished { address, .. } => {
                started.remove(address);
                true
            }
            _ => true,
        };
        // What failed before it was begun is told by its diagnostic alone.
        if !begun {
            return;
        }
        let running = |a: &Address| started.get(a).map(|(op, since)| running(*op, *since));
        let ids = self.prior.lock().unwrap_or_else(PoisonError::into_inner);
        let prior = |a: &Address| ids.get(a).map(String::as_str);
        if let Some(message) = messages::event(&event, running, prior) {
            // A reader that went away does not end the run: what is done is recorded.
            let _ = self.ui.json(&message);
        }
    }
}

/// A configuration that was loaded, with what it was loaded with.
pub(super) struct Stack {
    pub(super) config: Arc<Config>,
    pub(super) inputs: Inputs,
    /// Its state, where that was opened meanwhile.
    pub(super) ahead: Ahead,
}

impl Stack {
    /// What flags ask to be planned; with `generate`, configuration is written for imports that
    /// have none.
    pub(super) fn input(
        &self,
        mode: Mode,
        args: &PlanArgs,
        generate: bool,
    ) -> Result<PlanInput, CommandError> {
        let mode = match (args.refresh_only, mode) {
            (true, Mode::Destroy) => {
                return Err(CommandError::usage(
                    "-refresh-only does nothing to any object: leave out -destroy",
                ));
            }
            (true, _) => Mode::Refresh,
            (false, mode) => mode,
        };
        if mode == Mode::Refresh && (!args.refresh || args.light || !args.replace.is_empty()) {
            return Err(CommandError::usage(
                "a refresh looks everything up and replaces nothing: leave out -refresh=false, \
                 -light and -replace",
            ));
        }
        let replace = args.replace.iter().map(|text| {
            text.parse::<Address>()
                .map_err(|e| CommandError::usage(format!("-replace: {e}")))
        });
        Ok(PlanInput {
            config: self.config.clone(),
            inputs: self.inputs.clone(),
            options: PlanOptions {
                mode,
                refresh: match (args.light, args.refresh) {
                    (true, _) => Refresh::Changed,
                    (false, true) => Refresh::All,
                    (false, false) => Refresh::Nothing,
                },
                targets: listed(&args.targets, &args.target_files)?,
                excludes: listed(&args.excludes, &args.exclude_files)?,
                replace: replace.collect::<Result<_, _>>()?,
                generate,
                import: None,
                attribution: Some(PATIENCE),
                exhausted: BTreeMap::new(),
            },
        })
    }
}

/// Loads the stack of the current folder and shows its warnings.
pub(super) fn load(
    args: &PlanArgs,
    style: Style,
    context: &Context,
) -> Result<Stack, CommandError> {
    let inputs = compose::inputs(&args.vars, &context.env)?;
    let ahead = Ahead::begin(&context.env);
    let loaded = compose::load(&inputs, &context.env)?;
    warn(&loaded.warnings, style, context)?;
    Ok(Stack {
        config: loaded.config,
        inputs,
        ahead,
    })
}

/// Shows warnings.
pub(super) fn warn(
    found: &Diagnostics,
    style: Style,
    context: &Context,
) -> Result<(), CommandError> {
    match style {
        Style::Human => context.ui.diagnostics(found),
        Style::Json => {
            for d in &found.0 {
                context.ui.json(&messages::diagnosed(d))?;
            }
        }
    }
    Ok(())
}

/// In JSON, errors are messages as well; the exit code stays.
pub(super) fn report(result: super::Result, style: Style, context: &Context) -> super::Result {
    match (result, style) {
        (Err(mut error), Style::Json) => {
            let found = std::mem::take(&mut error.source);
            if error.kind != ErrorKind::Closed {
                warn(&found, style, context)?;
            }
            Err(error)
        }
        (result, _) => result,
    }
}

impl Run {
    /// Opens the stack's store, waits until nobody holds all of it and makes the engine.
    pub(super) async fn start(
        stack: &Stack,
        purpose: &str,
        args: &RunArgs,
        style: Style,
        context: &Context,
    ) -> Result<Run, CommandError> {
        Run::begin((stack, None), purpose, args, style, context).await
    }

    /// As [`Run::start`], to make this plan first: what needs nothing of state is evaluated while
    /// that is read.
    pub(super) async fn start_plan(
        stack: &Stack,
        input: &PlanInput,
        purpose: &str,
        args: &RunArgs,
        style: Style,
        context: &Context,
    ) -> Result<Run, CommandError> {
        Run::begin((stack, Some(input)), purpose, args, style, context).await
    }

    async fn begin(
        (stack, input): (&Stack, Option<&PlanInput>),
        purpose: &str,
        args: &RunArgs,
        style: Style,
        context: &Context,
    ) -> Result<Run, CommandError> {
        let states = States::of(stack.config.stack(), &context.env)?;
        let registry = Arc::new(compose::registry(&context.env));
        let begun = input.and_then(|i| Begun::of(i, &registry));
        let store = match stack.ahead.take(stack.config.stack()).await {
            Some(store) => store,
            None => states.begin().await?,
        };
        let mut run = Run::on((states, store, registry), purpose, args, style, context).await?;
        run.engine = run.engine.with_begun(begun);
        Ok(run)
    }

    /// As [`Run::start`], for the configuration that a plan carries.
    pub(super) async fn resume(
        config: &Config,
        purpose: &str,
        args: &RunArgs,
        style: Style,
        context: &Context,
    ) -> Result<Run, CommandError> {
        let states = States::of(config.stack(), &context.env)?;
        let store = states.begin().await?;
        let registry = Arc::new(compose::registry(&context.env));
        Run::on((states, store, registry), purpose, args, style, context).await
    }

    async fn on(
        (states, store, registry): (States, Arc<dyn Store>, Arc<Registry>),
        purpose: &str,
        args: &RunArgs,
        style: Style,
        context: &Context,
    ) -> Result<Run, CommandError> {
        let ui = &context.ui;
        let drawn = if ui.live && style == Style::Human {
            Bar::Drawn
        } else {
            Bar::Hidden
        };
        let progress = Arc::new(Progress::new(ui.err, drawn));
        let mut json = None;
        let events: Arc<dyn EventSink> = match style {
            Style::Human => progress.clone(),
            Style::Json => {
                let events = Arc::new(JsonEvents {
                    ui: ui.clone(),
                    started: Mutex::default(),
                    prior: Mutex::default(),
                });
                json = Some(events.clone());
                JsonEvents::watch(&events);
                events
            }
        };
        let holder = Holder::this_process(context.env.user(), purpose);
        let patience = Patience {
            since: Instant::now(),
            timeout: args.lock_timeout,
        };
        let waiting = |holder| events.event(Event::WaitingForLock { holder });
        compose::visit(&*store, &holder, patience.left(), waiting).await?;
        let engine = compose::engine(store.clone(), registry, events.clone(), args.parallelism);
        Ok(Run {
            engine,
            states,
            store,
            holder,
            patience,
            events,
            progress,
            json,
        })
    }

    /// Drops what of the past is too old, at the end of what was done under this lease. What can't
    /// be dropped now is dropped later: that is worth a warning.
    pub(super) async fn forget_old(&self, lease: &Lease) -> Option<Diagnostic> {
        let retained = self.store.retain(lease, self.states.retention()?).await;
        let error = retained.err()?;
        Some(
            Diagnostic::warning("what is old was not dropped from the history")
                .because(error.to_string())
                .help("All that was done is recorded. The next apply tries again; `weir state prune` does it as well."),
        )
    }

    /// A plan of everything, as `weir plan` without flags makes it.
    pub(super) async fn plan_all(&self, stack: &Stack) -> Result<Planned, CommandError> {
        let input = PlanInput {
            config: stack.config.clone(),
            inputs: stack.inputs.clone(),
            options: PlanOptions::default(),
        };
        self.plan_apart(&input).await
    }

    /// Makes the plan that is asked for, unless the user stops it. What a run that is over left open
    /// is found out first, unless somebody else is about to.
    pub(super) async fn plan_input(&self, input: &PlanInput) -> Result<Planned, CommandError> {
        let left = self.engine.unsettled().await?;
        if left.is_empty() {
            return self.plan_under(input, None).await;
        }
        let scope = Scope::Part(Part {
            owned: Items {
                instances: left,
                ..Items::default()
            },
            read: Items::default(),
        });
        let taken = self
            .store
            .acquire_scope(self.holder.clone(), scope, Wait::None);
        match taken.await {
            Ok(lease) => {
                let planned = self.plan_under(input, Some(&lease)).await;
                let released = self.store.release(lease).await;
                let planned = planned?;
                released?;
                Ok(planned)
            }
            Err(StateError::Locked { .. }) => self.plan_under(input, None).await,
            Err(e) => Err(e.into()),
        }
    }

    async fn plan_under(
        &self,
        input: &PlanInput,
        lease: Option<&Lease>,
    ) -> Result<Planned, CommandError> {
        let mut interrupts = Interrupts::listen()?;
        self.progress.begin(Phase::Planning);
        let planned = tokio::select! {
            planned = self.engine.plan(input, lease) => planned.map_err(CommandError::from),
            () = interrupts.next() => Err(interrupted()),
        };
        self.progress.end();
        if let Ok(planned) = &planned {
            self.identify(planned);
        }
        planned
    }

    /// Takes the lease under which a plan is applied: on what it needs. Where others changed any of
    /// that meanwhile, it is made again.
    pub(super) async fn secure(
        &self,
        planned: Planned,
        input: &PlanInput,
    ) -> Result<Secured, CommandError> {
        let mut planned = planned;
        for _ in 0..ATTEMPTS {
            let lease = self.acquire(planned.scope().clone()).await?;
            if self.engine.is_current(&planned, &lease).await? {
                return Ok(Secured { planned, lease });
            }
            planned = self.plan_under(input, Some(&lease)).await?;
            if lease.scope().holds(planned.scope()) {
                return Ok(Secured { planned, lease });
            }
            self.store.release(lease).await?;
        }
        let lease = self.acquire(Scope::Whole).await?;
        let planned = self.plan_under(input, Some(&lease)).await?;
        Ok(Secured { planned, lease })
    }

    /// Takes a lease, and waits for it as long as was asked for, unless the user stops it.
    pub(super) async fn acquire(&self, scope: Scope) -> Result<Lease, CommandError> {
        let mut interrupts = Interrupts::listen()?;
        let waiting = |holder| self.events.event(Event::WaitingForLock { holder });
        let (holder, left) = (self.holder.clone(), self.patience.left());
        tokio::select! {
            lease = compose::lease_on(&*self.store, holder, scope, left, waiting) => lease,
            () = interrupts.next() => Err(interrupted()),
        }
    }

    /// Whether applying it would leave no trace.
    pub(super) async fn is_idle(&self, planned: &Planned) -> Result<bool, CommandError> {
        Ok(planned.is_empty() && self.engine.is_no_news(planned).await?)
    }

    /// As [`Run::plan_input`], for who only looks: a plan of what somebody is changing would be of
    /// a moment in the middle of that, also where it would change nothing and has asked nobody.
    /// Refuses it, or waits as long as was asked for.
    pub(super) async fn plan_apart(&self, input: &PlanInput) -> Result<Planned, CommandError> {
        let mut planned = self.plan_input(input).await?;
        for _ in 0..ATTEMPTS {
            let held = self.store.held().await?;
            if held.is_empty() {
                break;
            }
            let looks_at = looked_at(&planned);
            let meets = |l: &LeaseRecord| l.scope.as_ref().and_then(|s| s.meets(&looks_at));
            if held.iter().all(|l| meets(l).is_none()) {
                break;
            }
            let lease = self.acquire(looks_at).await?;
            self.store.release(lease).await?;
            planned = self.plan_input(input).await?;
        }
        Ok(planned)
    }

    /// Lets the messages that follow name what is there by its id.
    pub(super) fn identify(&self, planned: &Planned) {
        if let Some(json) = &self.json {
            let id = |c: &Change| c.before.as_ref()?.value().shown_id();
            let changes = planned.plan.changes.iter();
            let ids = changes.filter_map(|(a, c)| Some((a.clone(), id(c)?)));
            *json.prior.lock().unwrap_or_else(PoisonError::into_inner) = ids.collect();
        }
    }

    /// What encrypts plan files of this state.
    pub(super) async fn sealer(&self) -> Result<Option<Sealer>, CommandError> {
        self.states.sealer(&*self.store).await
    }

    /// Gives the lease back, if there is one.
    pub(super) async fn release(&self, lease: Option<Lease>) -> Result<(), CommandError> {
        match lease {
            Some(lease) => Ok(self.store.release(lease).await?),
            None => Ok(()),
        }
    }
}

/// More than that is looked at as a whole.
const MOST: usize = 20_000;

/// What a plan is of: what it needs, and all that it says stays as it is.
fn looked_at(planned: &Planned) -> Scope {
    let plan = planned.plan.plan();
    match planned.scope() {
        Scope::Part(part) if plan.changes.len() <= MOST => {
            let mut read = part.read.clone();
            read.instances.extend(part.owned.instances.iter().cloned());
            read.outputs.extend(part.owned.outputs.iter().cloned());
            read.instances.extend(plan.changes.keys().cloned());
            let owned = Items::default();
            Scope::Part(Part { owned, read })
        }
        _ => Scope::Whole,
    }
}

/// The run was stopped before anything was done.
pub(super) fn interrupted() -> CommandError {
    CommandError::failed("Interrupted: nothing was changed")
}

/// Reads `-target`.
pub(super) fn targets(texts: &[String]) -> Result<Vec<Target>, CommandError> {
    let parse = |text: &String| {
        text.parse().map_err(|e| {
            CommandError::usage(format!("{e}")).hint(
                "A target is a resource (`fake_thing.a[0]`), a module (`module.net`), a service \
                 (`service.web`) or a site (`site.zurich`).",
            )
        })
    };
    texts.iter().map(parse).collect()
}

/// Reads `-target` and `-target-file`, or their opposites.
fn listed(texts: &[String], files: &[PathBuf]) -> Result<Vec<Target>, CommandError> {
    let mut all = texts.to_vec();
    for file in files {
        let text = std::fs::read_to_string(file)
            .map_err(|e| CommandError::failed(format!("{} can't be read: {e}", file.display())))?;
        let lines = text.lines().map(str::trim);
        all.extend(
            lines
                .filter(|l| !l.is_empty() && !l.starts_with('#'))
                .map(str::to_owned),
        );
    }
    targets(&all)
}

/// The plan's text: data.
pub(super) fn show(
    planned: &Planned,
    detail: Detail,
    context: &Context,
) -> Result<(), CommandError> {
    let known = (&planned.changed_by, &planned.regions);
    let text = plan::render_with(planned.plan.plan(), known, detail, context.ui.out);
    context.ui.data(&text)
}

/// Ctrl-C and the request to end that an operating system or a CI sends.
pub(super) struct Interrupts {
    ctrl_c: Signal,
    terminate: Signal,
}

impl Interrupts {
    /// From now on these signals do not end the process.
    pub(super) fn listen() -> Result<Interrupts, CommandError> {
        let listen = |kind| {
            signal(kind)
                .map_err(|e| CommandError::failed(format!("signals can't be listened to: {e}")))
        };
        Ok(Interrupts {
            ctrl_c: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    /// The next one.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.ctrl_c.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
