//! A case is lived through: a store and a cloud in one folder, and one run after the other.

use super::{
    case::{Asked, Case, Drift, End, Fault, Step},
    check::{self, Witness},
    model::Stack,
    render,
    weather::{Weather, Weathered},
};
use futures::FutureExt as _;
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    panic::AssertUnwindSafe,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use weir_core::{
    Value,
    event::{Event, EventSink},
    snapshot::Snapshot,
};
use weir_engine::{
    Engine, Mode, PlanInput, PlanOptions, Planned, Point, Probe, Refresh, Registry, Report, Retry,
    Status, planfile::SavedPlan,
};
use weir_fake::{FakeProvider, TerraformProvider, cloud::Cloud};
use weir_lang::{Inputs, MemoryFiles, NoCatalog, load};
use weir_state::{Holder, Lease, SqliteStore, Store, Wait};

struct Deaf;
impl EventSink for Deaf {
    fn event(&self, _: Event) {}
}

/// Ends a run at the n-th record: everything it had in hand is dropped, as in a crash.
struct Fuse(AtomicUsize);
struct Blown;
impl Probe for Fuse {
    fn at(&self, _: Point<'_>) {
        if self.0.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::panic::resume_unwind(Box::new(Blown));
        }
    }
}

/// How a run came to its end.
pub(crate) enum Ran {
    Ended(Box<Report>),
    Killed,
}

pub(crate) struct Life<'a> {
    pub(crate) case: &'a Case,
    _dir: tempfile::TempDir,
    path: PathBuf,
    store: Arc<SqliteStore>,
    pub(crate) cloud: Cloud,
    weather: Arc<Weather>,
    pub(crate) stack: Stack,
    /// Objects that left state and stay in the cloud.
    pub(crate) strays: BTreeSet<String>,
    /// Not all objects were looked up: what vanished is found out too late.
    pub(crate) blind: bool,
    /// The run is told to stop.
    pub(crate) stopped: bool,
    /// What was told so far, for the report of a failure.
    pub(crate) story: Vec<String>,
}

type Checked = Result<(), String>;

/// Lives through the case; what is wrong, with the story up to there.
pub(crate) fn live(case: &Case) -> Checked {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut life = Life::new(case);
    let lived = AssertUnwindSafe(life.all()).catch_unwind();
    let ended = runtime.block_on(lived).unwrap_or_else(|panic| {
        let text = (panic.downcast_ref::<String>().cloned())
            .or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        Err(format!("panicked: {}", text.unwrap_or_default()))
    });
    ended.map_err(|e| format!("{}\n=> {e}", life.story.join("\n")))
}

impl<'a> Life<'a> {
    fn new(case: &'a Case) -> Life<'a> {
        // In memory where there is such a folder: every record is synced.
        let shm = std::path::Path::new("/dev/shm");
        let dir = match shm.is_dir() {
            true => tempfile::tempdir_in(shm).unwrap(),
            false => tempfile::tempdir().unwrap(),
        };
        let path = dir.path().to_owned();
        Life {
            case,
            store: Arc::new(SqliteStore::open(path.join("state.db")).unwrap()),
            cloud: Cloud::open(&path.join("cloud")).unwrap(),
            path,
            _dir: dir,
            weather: Arc::default(),
            stack: Stack::default(),
            strays: BTreeSet::new(),
            blind: false,
            stopped: false,
            story: Vec::new(),
        }
    }

    async fn all(&mut self) -> Checked {
        for (at, step) in self.case.steps.iter().enumerate() {
            self.stack.next_step();
            for edit in &step.edits {
                self.stack.edit(edit);
            }
            self.story
                .push(format!("##### step {at}: {:?}", step.asked));
            self.drift(&step.drift).await;
            self.run(step).await?;
            if step.settled {
                self.settle().await?;
            }
        }
        self.settle().await?;
        self.destroy().await
    }

    fn engine(&self, parallelism: u8) -> Engine {
        let weather = self.weather.clone();
        let registry = Registry::new()
            .with("fake", move || {
                Arc::new(Weathered {
                    inner: FakeProvider::new(),
                    weather: weather.clone(),
                })
            })
            .with("terraform", || Arc::new(TerraformProvider::new()));
        Engine::new(self.store.clone(), Arc::new(registry), Arc::new(Deaf))
            .with_parallelism(NonZeroUsize::new(parallelism.into()).unwrap())
            .with_retry(Retry::default().with_first(Duration::from_micros(200)))
    }

    fn input(&mut self, options: PlanOptions) -> Result<PlanInput, String> {
        let path = self.path.join("cloud").display().to_string();
        let settings = format!("  path = {path:?}\n  batch = {}", self.case.batch);
        let strays: Vec<String> = self.strays.iter().cloned().collect();
        let context = render::Context {
            settings: &settings,
            ephemeral: self.case.ephemeral,
            strays: &strays,
        };
        let files = render::files(&self.stack, &context);
        let text: Vec<String> = (files.iter())
            .map(|(path, text)| format!("--- {path}\n{text}"))
            .collect();
        self.story.push(text.join(""));
        let files = files.iter().map(|(p, t)| (p.as_str(), t.as_str()));
        let inputs = Inputs::new(BTreeMap::new());
        let loaded = load(Arc::new(MemoryFiles::of(files)), &NoCatalog, &inputs)
            .map_err(|d| format!("it does not load: {d}"))?;
        Ok(PlanInput {
            config: loaded.config,
            inputs,
            options,
        })
    }

    async fn lease(&self) -> Lease {
        let me = Holder::this_process("tester", "test");
        self.store.acquire(me, Wait::None).await.unwrap()
    }

    pub(crate) async fn snapshot(&self) -> Snapshot {
        self.store.snapshot().await.unwrap()
    }

    async fn drift(&mut self, drift: &[(u8, Drift)]) {
        for (pick, what) in drift {
            let snapshot = self.snapshot().await;
            let ids: Vec<String> = snapshot.resources.values().filter_map(check::id).collect();
            let there = self.cloud.objects().unwrap();
            let ids: Vec<&String> = ids.iter().filter(|i| there.contains_key(*i)).collect();
            if ids.is_empty() {
                continue;
            }
            let id = ids[usize::from(*pick) % ids.len()];
            self.story.push(format!("{id}: {what:?}"));
            match what {
                Drift::Vanishes => self.cloud.vanish(id).unwrap(),
                Drift::Size(n) => {
                    let size = Value::from(i64::from(*n));
                    self.cloud.tamper(id, "size", size).unwrap();
                }
                Drift::Class => self.cloud.tamper(id, "class", "big".into()).unwrap(),
                Drift::Zone => self.cloud.tamper(id, "zone", "else".into()).unwrap(),
            }
        }
    }

    /// An instance of the configuration.
    fn instance(&self, pick: u8) -> Option<String> {
        let all: Vec<String> = (self.stack.blocks.iter())
            .flat_map(|b| self.stack.instances(b))
            .collect();
        (!all.is_empty()).then(|| all[usize::from(pick) % all.len()].clone())
    }

    fn options(&mut self, asked: Asked) -> PlanOptions {
        let mut options = PlanOptions::default();
        let mut name = |pick: u8| {
            let name = self.instance(pick)?;
            self.story.push(format!("  of {name}"));
            Some(name)
        };
        match asked {
            Asked::Nothing => {}
            Asked::Target(pick) => {
                let target = name(pick).map(|n| n.parse().unwrap());
                options.targets.extend(target);
            }
            Asked::Exclude(pick) => {
                let target = name(pick).map(|n| n.parse().unwrap());
                options.excludes.extend(target);
            }
            Asked::Replace(pick) => {
                let replaced = name(pick).filter(|n| !n.contains("data.fake_lookup"));
                options.replace.extend(replaced.map(|n| n.parse().unwrap()));
            }
            Asked::Light => options.refresh = Refresh::Changed,
            Asked::NoRefresh => options.refresh = Refresh::Nothing,
            Asked::RefreshOnly => options.mode = Mode::Refresh,
            Asked::Destroy => options.mode = Mode::Destroy,
        }
        options
    }

    /// Plans twice, and demands equal bytes.
    async fn plan(&self, input: &PlanInput, lease: &Lease) -> Result<Planned, String> {
        let plan = async |parallelism: u8| {
            let engine = self.engine(parallelism);
            engine.plan(input, lease).await
        };
        let said = |d| format!("it does not plan: {d}");
        let mut planned = plan(self.case.parallelism).await.map_err(said)?;
        let mut again = plan(3).await.map_err(said)?;
        if again.plan.base != planned.plan.base {
            // The first had found out what an earlier run did.
            planned = again;
            again = plan(1).await.map_err(said)?;
        }
        if planned.to_bytes() != again.to_bytes() {
            return Err("two plans of one state differ".into());
        }
        Ok(planned)
    }

    /// One run of what a step asks, with all that happens to it.
    async fn run(&mut self, step: &Step) -> Checked {
        let options = self.options(step.asked);
        let partial = !options.targets.is_empty() || !options.excludes.is_empty();
        let input = self.input(options)?;
        self.weather.clear();
        self.blind = matches!(step.asked, Asked::Light | Asked::NoRefresh);
        self.stopped = matches!(step.end, End::Stopped(_));
        let lease = self.lease().await;
        let planned = self.plan(&input, &lease).await;
        let mut planned = match planned {
            // A part of a stack that moves is refused.
            Err(e) if partial && e.contains("objects that have moved") => {
                self.store.release(lease).await.unwrap();
                return Ok(());
            }
            // What vanished is looked up by name, and nobody noticed.
            Err(e) if self.blind && e.contains("no thing in the fake cloud is named") => {
                self.store.release(lease).await.unwrap();
                return Ok(());
            }
            planned => planned?,
        };
        self.whole().await?;
        let mut engine = self.engine(self.case.parallelism);
        if step.filed {
            let bytes = planned.to_bytes();
            let saved = SavedPlan::read(&bytes, Arc::new(MemoryFiles::of([])), &NoCatalog)
                .map_err(|d| format!("the plan file is not read: {d}"))?;
            planned = (engine.open(saved, &lease).await)
                .map_err(|d| format!("the plan file is not taken: {d}"))?;
            if planned.to_bytes() != bytes {
                return Err("a plan that was read differs from what was written".into());
            }
        }
        self.cast(step, &planned);
        if let End::Killed(at) = step.end {
            engine = engine.with_probe(Arc::new(Fuse(AtomicUsize::new(at.into()))));
        }
        let witness = Witness::new(self, &planned).await;
        let ran = self.apply(&engine, &planned, &lease, step.end).await?;
        drop(engine);
        self.store.release(lease).await.unwrap();
        let faults = std::mem::take(&mut *self.weather.struck.lock().unwrap());
        let peak = self.weather.peak.load(Ordering::SeqCst);
        if peak > self.case.parallelism.into() {
            return Err(format!("{peak} calls were in flight at once"));
        }
        self.tell(&planned, &ran, &faults);
        witness.check(self, &planned, &ran, &faults).await
    }

    fn tell(&mut self, planned: &Planned, ran: &Ran, faults: &BTreeMap<String, Fault>) {
        for change in planned
            .plan
            .changes
            .values()
            .filter(|c| !c.action.is_noop())
        {
            let line = format!(
                "  {:?} {} {:?}",
                change.action, change.address, change.reason
            );
            self.story.push(line);
        }
        if !faults.is_empty() {
            self.story.push(format!("  faults: {faults:?}"));
        }
        match ran {
            Ran::Killed => self.story.push("  killed".into()),
            Ran::Ended(report) => {
                for n in &report.nodes {
                    let line = format!("  {:?} {}: {:?}", n.op, n.address, n.result);
                    self.story.push(line);
                }
            }
        }
    }

    /// The faults of a step, cast on what the plan does.
    fn cast(&self, step: &Step, planned: &Planned) {
        let doing: Vec<String> = (planned.plan.nodes.iter())
            .map(|n| n.address.to_string())
            .filter(|a| a.contains("fake_thing"))
            .collect();
        let mut faults = self.weather.faults.lock().unwrap();
        for (pick, fault) in &step.faults {
            if let Some(address) = doing.get(usize::from(*pick) % doing.len().max(1)) {
                faults.insert(address.clone(), *fault);
            }
        }
    }

    async fn apply(
        &self,
        engine: &Engine,
        planned: &Planned,
        lease: &Lease,
        end: End,
    ) -> Result<Ran, String> {
        let stop = CancellationToken::new();
        let weather = &self.weather;
        let (bell, dies) = match end {
            End::KilledInCall(n) => (n, true),
            End::Stopped(n) => (n, false),
            End::Whole | End::Killed(_) => (0, false),
        };
        weather.bell.store(bell.into(), Ordering::SeqCst);
        weather.dies.store(dies, Ordering::SeqCst);
        let run = AssertUnwindSafe(engine.apply(planned, lease, stop.clone())).catch_unwind();
        let mut run = Box::pin(run);
        let ended = tokio::select! {
            biased;
            () = weather.rung.notified(), if bell > 0 => {
                if dies {
                    return Ok(Ran::Killed);
                }
                stop.cancel();
                run.await
            }
            ended = &mut run => ended,
        };
        match ended {
            Ok(Ok(report)) => Ok(Ran::Ended(Box::new(report))),
            Ok(Err(d)) => Err(format!("it does not apply: {d}")),
            Err(panic) if panic.is::<Blown>() => Ok(Ran::Killed),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// Every object of the cloud is known once, and none is known that is not there.
    pub(crate) async fn whole(&self) -> Checked {
        let snapshot = self.snapshot().await;
        snapshot.verify().map_err(|e| e.to_string())?;
        let mut known: Vec<String> = snapshot.resources.values().filter_map(check::id).collect();
        let deposed = snapshot.deposed.values().flat_map(BTreeMap::values);
        known.extend(deposed.filter_map(check::id));
        known.extend(self.strays.iter().cloned());
        known.sort();
        if let Some(twice) = known.windows(2).find(|w| w[0] == w[1]) {
            return Err(format!("{} is known twice", twice[0]));
        }
        let there: BTreeSet<String> = self.cloud.objects().unwrap().into_keys().collect();
        if let Some(lost) = there.iter().find(|i| known.binary_search(i).is_err()) {
            return Err(format!("{lost} is there and nobody knows of it"));
        }
        Ok(())
    }

    /// The same stack in good weather: it comes to an end, and then there is nothing left to do.
    async fn settle(&mut self) -> Checked {
        // A lookup by name may find the object that is about to go.
        let looks = |s: &Stack| {
            s.blocks
                .iter()
                .any(|b| b.kind == super::model::Kind::Lookup)
        };
        let rounds = if looks(&self.stack) { 3 } else { 1 };
        self.weather.clear();
        (self.blind, self.stopped) = (false, false);
        for round in 0..=rounds {
            self.story.push(format!("##### settled, round {round}"));
            let input = self.input(PlanOptions::default())?;
            let lease = self.lease().await;
            let planned = self.plan(&input, &lease).await?;
            self.whole().await?;
            let done =
                planned.is_empty() && planned.plan.drift.is_empty() && planned.observed.is_empty();
            if done {
                self.store.release(lease).await.unwrap();
                break;
            }
            if round == rounds {
                self.tell(&planned, &Ran::Killed, &BTreeMap::new());
                return Err("there is always something left to do".into());
            }
            let witness = Witness::new(self, &planned).await;
            let engine = self.engine(self.case.parallelism);
            let ran = self.apply(&engine, &planned, &lease, End::Whole).await?;
            self.store.release(lease).await.unwrap();
            self.tell(&planned, &ran, &BTreeMap::new());
            witness
                .check(self, &planned, &ran, &BTreeMap::new())
                .await?;
            if let Ran::Ended(report) = &ran
                && report.status != Status::Succeeded
            {
                return Err(format!("it failed: {}", report.diagnostics));
            }
        }
        if !self.store.open_entries().await.unwrap().is_empty() {
            return Err("an entry of the journal stays open".into());
        }
        check::converged(self).await
    }

    async fn destroy(&mut self) -> Checked {
        self.story.push("##### destroyed".into());
        let options = PlanOptions {
            mode: Mode::Destroy,
            ..PlanOptions::default()
        };
        let input = self.input(options)?;
        let lease = self.lease().await;
        let planned = self.plan(&input, &lease).await?;
        let witness = Witness::new(self, &planned).await;
        let engine = self.engine(self.case.parallelism);
        let ran = self.apply(&engine, &planned, &lease, End::Whole).await?;
        self.store.release(lease).await.unwrap();
        self.tell(&planned, &ran, &BTreeMap::new());
        witness
            .check(self, &planned, &ran, &BTreeMap::new())
            .await?;
        let snapshot = self.snapshot().await;
        if !snapshot.resources.is_empty() || !snapshot.deposed.is_empty() {
            return Err("a destroyed stack has something in state".into());
        }
        let there: BTreeSet<String> = self.cloud.objects().unwrap().into_keys().collect();
        match there.is_subset(&self.strays) {
            true => Ok(()),
            false => Err(format!(
                "left over: {there:?}, forgotten: {:?}",
                self.strays
            )),
        }
    }
}
